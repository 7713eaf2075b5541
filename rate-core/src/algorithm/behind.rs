//! How long somebody waits who comes after others.
//!
//! The others take their units in whatever portions, each as early as it can. How they are portioned is not known, so what
//! is computed is the earliest instant: just it where units come back one by one, and too early, never too late, where a
//! portion does not fit into what is left of a window.
//!
//! `cost` is at least one unit here, and at most what there ever is at once.

use super::window::{Count, Windows};
use super::{CalendarWindow, FixedWindow, Gcra, LeakyBucket, NEVER, Packed, SlidingLog, SlidingWindow, Tat};

/// An algorithm that knows the earliest instant for somebody who comes after others.
pub(crate) trait Behind: Packed {
    /// Ticks until `cost` units could be taken at the earliest, if `ahead` others are taken first; [`NEVER`] when that is
    /// past the end of representable time.
    fn wait_behind(&self, state: Self::State, now: u64, ahead: u64, cost: u64) -> u64;
}

impl Behind for Gcra {
    fn wait_behind(&self, state: Self::State, now: u64, ahead: u64, cost: u64) -> u64 {
        // While somebody waits the bucket is never full for as long as a tick, so every unit moves the TAT by one interval.
        let last = state.max(Tat::new(now, 0));
        if !self.is_in_time(last, ahead.saturating_add(cost)) {
            return NEVER;
        }
        ticks_until(self.conforms_behind(last, ahead, cost), now)
    }
}

impl Behind for LeakyBucket {
    fn wait_behind(&self, state: Self::State, now: u64, ahead: u64, cost: u64) -> u64 {
        // Whatever leaves, leaves at its turn; and keeps the bucket busy for as many intervals as it has units.
        self.turn_behind(state, now, ahead, cost).map_or(NEVER, |turn| ticks_until(turn, now))
    }
}

impl Behind for FixedWindow {
    fn wait_behind(&self, state: Count, now: u64, ahead: u64, cost: u64) -> u64 {
        wait_in_windows(self, state, now, ahead, cost)
    }
}

impl Behind for CalendarWindow {
    fn wait_behind(&self, state: Count, now: u64, ahead: u64, cost: u64) -> u64 {
        wait_in_windows(self, state, now, ahead, cost)
    }
}

impl Behind for SlidingWindow {
    fn wait_behind(&self, state: Self::State, now: u64, ahead: u64, cost: u64) -> u64 {
        self.wait_spread(state, now, ahead.saturating_add(cost))
    }
}

impl SlidingLog {
    /// As [`Behind::wait_behind`], where `alone` is the wait of some units that nobody is before.
    pub(crate) fn wait_behind(&self, alone: impl Fn(u64) -> u64, ahead: u64, cost: u64) -> u64 {
        // Of any `limit + 1` units the last is a period or more after the first.
        let before = ahead.saturating_add(cost) - 1;
        let (full, last) = (before / self.limit(), before % self.limit() + 1);
        full.checked_mul(self.period()).and_then(|full| full.checked_add(alone(last))).unwrap_or(NEVER)
    }
}

fn wait_in_windows(windows: &impl Windows, state: Count, now: u64, ahead: u64, cost: u64) -> u64 {
    let Some(count) = windows.current(state, now) else { return NEVER };
    let limit = u64::from(windows.limit());
    let free = limit.saturating_sub(count.used().into());
    let over = ahead.saturating_add(cost).saturating_sub(free);
    if over == 0 {
        return 0;
    }
    let full = u128::from((over - 1) / limit) * u128::from(windows.shortest());
    ticks_until(u128::from(count.end()) + full, now)
}

fn ticks_until(instant: u128, now: u64) -> u64 {
    u64::try_from(instant).map_or(NEVER, |instant| instant.saturating_sub(now))
}
