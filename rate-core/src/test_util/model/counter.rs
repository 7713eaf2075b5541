//! The sliding window counter, in fractions.

use alloc::collections::{BTreeMap, BTreeSet};
use core::time::Duration;

use super::Model;
use super::contract::until;
#[cfg(all(test, feature = "std", not(loom)))]
use super::returning::Rest;
use crate::algorithm::Standing;
use crate::{Quota, Timestamp};

/// The model of [`SlidingWindow`](crate::algorithm::SlidingWindow): a map from each window to the units taken in it, of
/// which those of the window before count by the part of it that a window up to now would cover.
///
/// * A *late* timestamp is charged to the newest window in which anything was, at its beginning if that is yet to come.
/// * A *refund* is taken off the window that was charged, as long as that one counts.
/// * A *penalty* fills the window of its last tick, or the newest one if that is later. It counts as units
///   that were taken, of which none are given back.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use rate_core::test_util::model::{Counter, Model};
/// use rate_core::{Quota, Timestamp};
///
/// let mut counter = Counter::new(Quota::per_second(2));
/// let at = |millis| Timestamp::ZERO.saturating_add(Duration::from_millis(millis));
/// assert!(counter.check(2, at(900)).allowed);
/// assert!(!counter.check(1, at(1_499)).allowed);
/// // Half of the first second is left.
/// assert!(counter.check(1, at(1_500)).allowed);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counter {
    limit: u64,
    period: u64,
    taken: BTreeMap<i128, u64>,
    /// The windows that a penalty has filled.
    penalized: BTreeSet<i128>,
}

/// What counts at an instant: a window, what was taken in it and in the one before.
#[derive(Clone, Copy)]
struct Counts {
    window: i128,
    current: u64,
    previous: u64,
}

impl Counter {
    /// A counter of nothing.
    #[must_use]
    pub fn new(quota: Quota) -> Self {
        let (taken, penalized) = (BTreeMap::new(), BTreeSet::new());
        Self { limit: quota.limit(), period: quota.period_nanos(), taken, penalized }
    }

    /// With one full window: that of the last tick before `instant`, or an earlier one if nothing of it is to count from the tick
    /// `by` on.
    pub(super) fn faded_by(mut self, instant: u64, by: u64) -> Self {
        let Some(last) = instant.checked_sub(1) else { return self };
        let (window, over) = (self.window(last), self.window(by));
        if window + 2 <= over {
            self.fill(window);
        } else if over > 0 {
            self.fill(over - 2);
            self.set(over - 1, 0);
        }
        self
    }

    pub(super) fn has_windows_of(&self, other: &Self) -> bool {
        self.period == other.period
    }

    /// With the share of each window that was taken of another limit.
    pub(super) fn with_shares_of(mut self, from: &Self) -> Self {
        let share =
            |taken: u64| (u128::from(taken) * u128::from(self.limit)).div_ceil(from.limit.into()) as u64;
        self.taken = from.taken.iter().map(|(window, taken)| (*window, share(*taken))).collect();
        self.penalized.clone_from(&from.penalized);
        self
    }

    fn window(&self, now: u64) -> i128 {
        i128::from(now / self.period)
    }

    fn newest(&self) -> i128 {
        self.taken.last_key_value().map_or(0, |(window, _)| *window)
    }

    fn counts(&self, now: u64) -> Counts {
        let window = self.window(now).max(self.newest());
        let taken = |window| self.taken.get(&window).copied().unwrap_or(0);
        Counts { window, current: taken(window), previous: taken(window - 1) }
    }

    /// What is free at `now` when `counts` are all that was taken until then, in units of which a unit has `period`.
    fn free(&self, counts: Counts, now: u64) -> i128 {
        let period = i128::from(self.period);
        let window = self.window(now).max(counts.window);
        let (current, previous) = match window - counts.window {
            0 => (counts.current, counts.previous),
            1 => (0, counts.current),
            _ => (0, 0),
        };
        let gone = (i128::from(now) - window * period).max(0);
        i128::from(self.limit) * period
            - i128::from(current) * period
            - i128::from(previous) * (period - gone)
    }

    /// The first tick at which nothing tells that anything was ever taken, as far as `counts` say.
    fn all_faded(&self, counts: Counts) -> u64 {
        let windows = match (counts.current, counts.previous) {
            (0, 0) => return 0,
            (0, _) => 1,
            _ => 2,
        };
        u64::try_from((counts.window + windows) * i128::from(self.period)).unwrap_or(u64::MAX)
    }

    pub(super) fn fresh_from(&self) -> u64 {
        self.all_faded(self.counts(0))
    }

    /// The last tick of the newest window in which there is anything, if that begins after `at`.
    pub(super) fn last_taken(&self, at: u64) -> u64 {
        let Counts { window, current, .. } = self.counts(0);
        let start = (if current > 0 { window } else { window - 1 }) * i128::from(self.period);
        if i128::from(at) < start {
            u64::try_from(start + i128::from(self.period) - 1).unwrap_or(u64::MAX)
        } else {
            at
        }
    }

    #[cfg(all(test, feature = "std", not(loom)))]
    pub(super) fn state(&self) -> String {
        let Counts { window, current, previous } = self.counts(0);
        let penalized = [window, window - 1].map(|window| self.penalized.contains(&window));
        std::format!("{:?}", (window, current, previous, penalized))
    }

    /// Units and the ticks in which they fall evenly to none, no less than what counts from `at` on, and none as soon as that is.
    #[cfg(all(test, feature = "std", not(loom)))]
    pub(super) fn falling(&self, at: u64) -> (u64, u64) {
        let counts = self.counts(at);
        let (limit, period) = (i128::from(self.limit), i128::from(self.period));
        let (current, previous) = (i128::from(counts.current), i128::from(counts.previous));
        if current == 0 {
            return (counts.previous, self.period);
        }
        let used = (limit * period - self.free(counts, at) + period - 1) / period;
        let end = (counts.window + 2) * period;
        let from = i128::from(at).max(counts.window * period);
        let all = match end > i128::from(u64::MAX) {
            true => 0,
            // The ticks in which as many as are used would.
            false if previous <= current => period * used.min(limit) / current,
            false => (end - from) * used.min(limit) / used,
        };
        (used.min(limit) as u64, u64::try_from(all).unwrap_or(u64::MAX))
    }

    /// Has at least so many used at `at`. If they are what is `fading`, and that ends with this window or before, they are units
    /// of the one before, as far as there can be so many.
    #[cfg(all(test, feature = "std", not(loom)))]
    pub(super) fn keep(&mut self, units: u64, at: u64, fading: Option<&Rest>) {
        let Counts { window, current, previous } = self.counts(at);
        if units <= current {
            return;
        }
        let (start, period) = (window * i128::from(self.period), i128::from(self.period));
        let end = start + period;
        let left = end - i128::from(at).max(start);
        let filling = (i128::from(units - current) * period + left - 1) / left;
        let before = match fading {
            Some(rest) if i128::from(rest.until) == end => {
                // Of so many it is the rest.
                let whole = u128::from(rest.of) * u128::from(rest.span);
                let rate = u128::from(rest.units) * u128::from(self.limit);
                let of = rate.saturating_mul(self.period.into()).div_ceil(whole);
                filling.min(i128::try_from(of).unwrap_or(i128::MAX))
            }
            Some(rest) if i128::from(rest.until) < end => filling,
            _ => i128::MAX,
        };
        match u64::try_from(before).ok().filter(|before| *before <= self.limit) {
            Some(before) => {
                self.set(window - 1, previous.max(before));
                self.set(window, current);
            }
            None => self.set(window, units),
        }
    }

    fn set(&mut self, window: i128, taken: u64) {
        self.taken.insert(window, taken);
    }

    fn fill(&mut self, window: i128) {
        self.set(window, self.limit);
        self.penalized.insert(window);
    }

    /// Whether at `now` nothing is admitted whatever is refunded.
    pub(super) fn is_penalized(&self, now: u64) -> bool {
        self.penalized.contains(&self.counts(now).window)
    }
}

impl Model for Counter {
    fn capacity(&self) -> u64 {
        self.limit
    }

    fn standing(&self, now: Timestamp) -> Standing {
        let now = now.as_nanos();
        let counts = self.counts(now);
        Standing {
            remaining: (self.free(counts, now).max(0) / i128::from(self.period)) as u64,
            reset_after: self.all_faded(counts).saturating_sub(now),
        }
    }

    /// Found by halving: while nothing is taken, what counts only becomes less.
    fn wait(&self, cost: u64, now: Timestamp) -> Option<u64> {
        let now = now.as_nanos();
        let counts = self.counts(now);
        let fits = |at| self.free(counts, at) >= i128::from(cost) * i128::from(self.period);
        if fits(now) {
            return Some(0);
        }
        let (mut early, mut late) = (now, self.all_faded(counts));
        if !fits(late) {
            // Faded only past the end of representable time.
            return None;
        }
        while late - early > 1 {
            let middle = early + (late - early) / 2;
            if fits(middle) { late = middle } else { early = middle }
        }
        Some(late - now)
    }

    fn take(&mut self, units: u64, now: Timestamp) {
        let counts = self.counts(now.as_nanos());
        self.set(counts.window, counts.current + units);
    }

    fn penalize(&mut self, time: Duration, now: Timestamp) {
        if let Some(until) = until(time, now) {
            self.fill(self.window(until - 1).max(self.counts(now.as_nanos()).window));
        }
    }

    fn reset(&mut self) {
        self.taken.clear();
        self.penalized.clear();
    }

    fn refund(&mut self, units: u64, charged: Timestamp, now: Timestamp) -> Option<u64> {
        let Counts { window, current, previous } = self.counts(now.as_nanos());
        let charged = self.window(charged.as_nanos());
        let (from, taken) = if charged >= window { (window, current) } else { (charged, previous) };
        let is_given = charged + 1 >= window && !self.penalized.contains(&from);
        let back = units.min(if is_given { taken } else { 0 });
        if back > 0 {
            self.set(from, taken - back);
            // What is given back is written down in the window in which it is.
            self.set(window, if from == window { taken - back } else { current });
        }
        Some(back)
    }
}
