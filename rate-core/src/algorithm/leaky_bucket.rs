//! The leaky bucket as a queue: one unit leaves it per interval, and what does not leave at once waits its turn.

use super::gcra::{Gcra, Tat};
use super::word::{Packed, Word};
use super::{Algorithm, Bounds, Charged, NEVER, Reserve, Standing};
use crate::quota::{Quota, QuotaError};

/// Spaces requests evenly: `limit` units per period, each one interval after the last.
///
/// The state is the instant at which the next unit may leave. [`check`](crate::Limiter::check) passes when that is now;
/// [`reserve`](crate::Limiter::reserve) joins the queue, which holds the burst, and says when it is one's turn. A request of
/// several units leaves at once, and keeps the bucket busy for as many intervals.
///
/// The token bucket lets a burst pass and then spaces; this spaces from the first request on. For work that is to flow
/// evenly into something that takes no bursts.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use rate_core::{Limiter, Quota, Timestamp, algorithm::LeakyBucket};
///
/// // Ten per second into a queue of three.
/// let line = Limiter::of(LeakyBucket::new(Quota::per_second(10).burst(3)));
/// let now = Timestamp::ZERO;
/// let waits = |limiter: &Limiter<_>| limiter.reserve_at(1, Duration::MAX, now).map(|place| place.wait());
/// assert_eq!(waits(&line)?, Duration::ZERO);
/// assert_eq!(waits(&line)?, Duration::from_millis(100));
/// assert_eq!(waits(&line)?, Duration::from_millis(200));
///
/// // The queue is full.
/// let denied = waits(&line).expect_err("three units are in it");
/// assert_eq!(denied.retry_after(), Some(Duration::from_millis(100)));
/// # Ok::<_, rate_core::Denied>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeakyBucket {
    /// The same intervals; its burst is what the queue holds.
    gcra: Gcra,
}

impl LeakyBucket {
    /// A queue for `quota.burst_size()` units, of which `quota.limit()` leave per period.
    #[must_use]
    pub const fn new(quota: Quota) -> Self {
        Self { gcra: Gcra::new(quota) }
    }

    /// A queue for `queue` units, of which `limit` leave per `period` ticks, whatever a tick is.
    ///
    /// # Errors
    ///
    /// As [`Gcra::from_ticks`].
    pub const fn from_ticks(limit: u64, period: u64, queue: u64) -> Result<Self, QuotaError> {
        match Gcra::from_ticks(limit, period, queue) {
            Ok(gcra) => Ok(Self { gcra }),
            Err(error) => Err(error),
        }
    }

    pub(crate) const fn gcra(&self) -> &Gcra {
        &self.gcra
    }

    /// The state with `cost` units, at least one, in the queue.
    #[inline(always)]
    fn joined(&self, state: Tat, now: u64, cost: u64) -> Option<Tat> {
        // A tick that is not wholly past since the last unit's turn is not lost: turns are set in fractions of a tick.
        let start = if self.is_idle(state, now) { Tat::new(now, 0) } else { state };
        self.gcra.moved(start, self.gcra.terms(cost).0)
    }

    /// A wait, or [`NEVER`] where time ends before the units that join then have left.
    // Inline, so that it is left out where nobody asks.
    #[inline(always)]
    fn if_it_helps(&self, wait: u64, state: Tat, now: u64, cost: u64) -> u64 {
        let then = now.checked_add(wait).and_then(|then| self.joined(state, then, cost));
        if then.is_some() { wait } else { NEVER }
    }

    /// Ticks until the next unit may leave.
    #[inline(always)]
    fn wait(&self, state: Tat, now: u64) -> u64 {
        // Not from the tick of its turn, which may be the one after the last there is.
        state.ahead_of(now).up()
    }

    /// The tick at which `cost` units may leave before which `ahead` others do, if time does not end before.
    pub(super) fn turn_behind(&self, state: Tat, now: u64, ahead: u64, cost: u64) -> Option<u128> {
        let start = if self.is_idle(state, now) { Tat::new(now, 0) } else { state };
        self.gcra.is_in_time(start, ahead.saturating_add(cost)).then(|| self.gcra.after(start, ahead))
    }

    /// Whether the last unit's turn is a tick or more ago.
    #[inline(always)]
    fn is_idle(&self, state: Tat, now: u64) -> bool {
        state.ticks() < now && !(state.ticks() + 1 == now && state.parts() > 0)
    }
}

impl Algorithm for LeakyBucket {
    type State = Tat;

    #[inline]
    fn fresh(&self) -> Tat {
        Tat::default()
    }

    #[inline(always)]
    fn admit(&self, state: Tat, now: u64, cost: u64) -> Result<Tat, u64> {
        if cost == 0 {
            return Ok(state);
        }
        if cost > self.capacity() {
            return Err(NEVER);
        }
        let wait = self.wait(state, now);
        if wait > 0 {
            return Err(self.if_it_helps(wait, state, now, cost));
        }
        self.joined(state, now, cost).ok_or(NEVER)
    }

    /// What could leave now: everything the queue holds, or nothing while it is somebody else's turn.
    #[inline]
    fn standing(&self, state: Tat, now: u64) -> Standing {
        let remaining = if self.wait(state, now) == 0 { self.capacity() } else { 0 };
        Standing { remaining, reset_after: self.fresh_from(state).saturating_sub(now) }
    }

    #[inline]
    fn fresh_from(&self, state: Tat) -> u64 {
        // One more than the next unit's turn: within a tick of it, that unit's own turn is counted from there.
        state.up().saturating_add(u64::from(state.parts() > 0))
    }

    #[inline]
    fn capacity(&self) -> u64 {
        self.gcra.capacity()
    }

    /// One interval after the other, and at the end of the window as many units at once as the queue holds.
    ///
    /// While nobody takes more than one unit at a time it is the limit.
    fn bounds(&self) -> Bounds {
        self.gcra.spaced()
    }

    fn penalized(&self, state: Tat, now: u64, until: u64) -> Tat {
        if until <= now { state } else { state.max(Tat::new(until, 0)) }
    }
}

impl Reserve for LeakyBucket {
    /// As long as there is room in the queue, whatever `max_wait` is.
    fn reserve(&self, state: Tat, now: u64, cost: u64, max_wait: u64) -> Result<(Tat, u64), u64> {
        if cost == 0 {
            return Ok((state, 0));
        }
        if cost > self.capacity() {
            return Err(NEVER);
        }
        // The room that a token bucket of as many units would have.
        let room = self.gcra.wait(state, now, self.gcra.terms(cost).1);
        let wait = self.wait(state, now);
        let longer = room.max(wait.saturating_sub(max_wait));
        if longer > 0 {
            return Err(self.if_it_helps(longer, state, now, cost));
        }
        self.joined(state, now, cost).map(|next| (next, wait)).ok_or(NEVER)
    }

    /// The last one in the queue can leave it; what was passed cannot be taken back.
    fn cancel(&self, state: Tat, after: Tat, charge: Charged, now: u64) -> (Tat, u64) {
        match self.gcra.undone(state, now, charge.units) {
            Some(before) if state == after && charge.at > now && charge.units > 0 => (before, charge.units),
            _ => (state, 0),
        }
    }
}

impl Packed for LeakyBucket {
    #[inline(always)]
    fn pack(&self, state: Tat) -> Word {
        self.gcra.pack(state)
    }

    #[inline(always)]
    fn unpack(&self, word: Word) -> Tat {
        self.gcra.unpack(word)
    }

    fn full_until(&self, instant: u64) -> Word {
        self.gcra.full_until(instant)
    }

    fn last_taken(&self, word: Word, at: u64) -> u64 {
        self.gcra.last_taken(word, at)
    }

    fn strength(&self, word: Word, now: u64) -> u64 {
        self.gcra.strength(word, now)
    }
}

#[cfg(test)]
mod tests;
