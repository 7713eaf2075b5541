//! Counting in windows that end at set instants: what the fixed and the calendar window share.

use super::gcra::LONGEST;
use super::word::Word;
use super::{Bounds, Charged, NEVER, Standing};
use crate::quota::{Quota, QuotaError};

/// Units taken in one window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    end: u64,
    used: u32,
}

impl Count {
    /// `used` units in the window that ends before the tick `end`, as a store has kept it.
    #[must_use]
    pub const fn new(end: u64, used: u32) -> Self {
        Self { end, used }
    }

    /// The first tick after the window.
    #[must_use]
    pub const fn end(self) -> u64 {
        self.end
    }

    /// Units taken in the window; one more than there are if the key is penalized.
    #[must_use]
    pub const fn used(self) -> u32 {
        self.used
    }
}

/// The largest limit: a penalty is a count of one more, which no refund touches.
pub(super) const LARGEST: u64 = u32::MAX as u64 - 1;

/// Whether a window can be so long and hold so much.
pub(super) const fn checked(limit: u64, period: u64) -> Result<(), QuotaError> {
    if limit == 0 {
        return Err(QuotaError::zero_limit());
    }
    if period == 0 {
        return Err(QuotaError::zero_period());
    }
    if period > LONGEST {
        return Err(QuotaError::period_too_long(period));
    }
    Ok(())
}

/// Whether a quota is one that a window can count: all of it may be taken at once, and no more.
pub(super) const fn without_burst(quota: Quota) -> Result<(), QuotaError> {
    if quota.burst_size() == quota.limit() {
        Ok(())
    } else {
        Err(QuotaError::burst_in_window(quota.burst_size()))
    }
}

/// Where windows begin and end.
pub(super) trait Windows {
    /// The first tick after the window that holds `now`; nothing when it is past the end of representable time.
    fn end_of(&self, now: u64) -> Option<u64>;

    /// The first tick of the window that ends before the tick `end`.
    fn start_of(&self, end: u64) -> u64;

    /// Whether the window that begins at `end`, where another ends, is past the end of representable time.
    fn is_last(&self, end: u64) -> bool;

    fn limit(&self) -> u32;

    /// The length of the shortest of them.
    fn shortest(&self) -> u64;

    /// What is left of `state` at `now`: the same in its window and before, nothing after.
    #[inline(always)]
    fn current(&self, state: Count, now: u64) -> Option<Count> {
        if now < state.end { Some(state) } else { Some(Count { end: self.end_of(now)?, used: 0 }) }
    }

    #[inline(always)]
    fn admit(&self, state: Count, now: u64, cost: u64) -> Result<Count, u64> {
        if cost == 0 {
            return Ok(state);
        }
        let limit = self.limit();
        if cost > u64::from(limit) {
            return Err(NEVER);
        }
        // Past the end of representable time there is no window to charge.
        let count = self.current(state, now).ok_or(NEVER)?;
        let used = u64::from(count.used) + cost;
        if used > u64::from(limit) {
            // In the next window it fits, if there is one.
            return Err(if self.is_last(count.end) { NEVER } else { count.end - now });
        }
        Ok(Count { used: used as u32, ..count })
    }

    #[inline(always)]
    fn standing(&self, state: Count, now: u64) -> Standing {
        let free = || Standing { remaining: u64::from(self.limit()), reset_after: 0 };
        if state.used == 0 || now >= state.end {
            return free();
        }
        let remaining = u64::from(self.limit().saturating_sub(state.used));
        Standing { remaining, reset_after: state.end - now }
    }

    fn fresh_from(&self, state: Count) -> u64 {
        if state.used == 0 { 0 } else { state.end }
    }

    /// Takes back what was taken in the window of `state`, and nothing that was taken before it.
    fn refund(&self, state: Count, charge: Charged, now: u64) -> (Count, u64) {
        if now >= state.end || self.is_penalized(state) || charge.at < self.start_of(state.end) {
            return (state, 0);
        }
        let units = charge.units.min(u64::from(state.used));
        (Count { used: state.used - units as u32, ..state }, units)
    }

    /// Full to the end of the window before the tick `until`.
    fn penalized(&self, state: Count, now: u64, until: u64) -> Count {
        if until <= now {
            return state;
        }
        let end = self.end_of(until - 1).unwrap_or(u64::MAX);
        Count { end: end.max(state.end), used: penalty(self.limit()) }
    }

    /// Whether the window of `state` is full whatever is refunded.
    fn is_penalized(&self, state: Count) -> bool {
        state.used > self.limit()
    }

    /// In the window of `state`, which is past or that of `at`, or, if `at` is late or the key penalized, a later one.
    fn last_taken(&self, state: Count, at: u64) -> u64 {
        if at < self.start_of(state.end) { state.end - 1 } else { at }
    }

    /// Everything at the end of one window, and everything at the start of the next.
    fn bounds(&self, window: u64) -> Bounds {
        let limit = u64::from(self.limit());
        Bounds::new(if window > 1 { 2 * limit } else { limit }, window)
    }
}

#[inline(always)]
pub(super) const fn pack(state: Count) -> Word {
    Word { low: state.end, high: state.used }
}

#[inline(always)]
pub(super) const fn unpack(word: Word) -> Count {
    Count { end: word.low, used: word.high }
}

/// The count of a key that is penalized.
pub(super) const fn penalty(limit: u32) -> u32 {
    limit + 1
}

/// Full until `instant`: what a key must be taken for that was dropped when it was fresh from then on. It may have been
/// penalized.
pub(super) const fn full_until(instant: u64, limit: u32) -> Word {
    Word { low: instant, high: penalty(limit) }
}

pub(super) fn strength(word: Word, now: u64) -> u64 {
    if now < word.low { u64::from(word.high) } else { 0 }
}
