//! The sliding window counter: two aligned counts, of which the older one fades as its window is left behind.
//!
//! With `e` ticks of the current window gone, what counts as used is `current + previous · (period − e) / period`. Nothing
//! of that is rounded: both sides of the comparison are multiplied by the period, in 128 bits.
//!
//! A penalty is a count of `limit + 1`, which counts as the limit when it fades and which no refund touches.

mod change;
mod packed;

use core::num::{NonZeroU64, NonZeroU128};

use super::window;
use super::word::{Packed, Word};
use super::{Algorithm, Bounds, Charged, NEVER, Refund, Standing};
use crate::quota::{Quota, QuotaError};

/// At most about `limit` units in any window of one period, with a state of two counts.
///
/// Behaves like a window that slides, as long as requests come evenly. Who knows where the windows begin can get nearly
/// twice the limit: everything at the end of one and, as it fades, again during the next. [`Gcra`](super::Gcra) has the
/// same state and a bound that one chooses, [`SlidingLog`](super::SlidingLog) is exact. Somebody who always wants more gets about
/// a unit less than the limit per period, for what was taken in one window fades only during the next; with a limit of one that
/// is one unit in two periods.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use rate_core::{KeyedLimiter, Quota, Timestamp, algorithm::SlidingWindow};
///
/// let limiter = KeyedLimiter::of(SlidingWindow::new(Quota::per_minute(100)));
/// let at = |seconds| Timestamp::ZERO.saturating_add(Duration::from_secs(seconds));
/// assert!(limiter.check_n_at("ann", 100, at(30)).is_allowed());
/// // A quarter into the next minute three quarters of them still count.
/// assert_eq!(limiter.peek_at("ann", at(75)).remaining(), 25);
/// assert!(limiter.check_n_at("ann", 25, at(75)).is_allowed());
/// assert!(!limiter.check_at("ann", at(75)).is_allowed());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlidingWindow {
    limit: NonZeroU64,
    period: NonZeroU64,
    /// Bits of a word that a count has; the rest has the number of the window.
    bits: u32,
}

/// Units taken in the window with a number, and in the one before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    window: u64,
    previous: u32,
    current: u32,
}

impl Counts {
    /// `current` units in this window and `previous` in the one before, as a store has kept them.
    #[must_use]
    pub const fn new(window: u64, previous: u32, current: u32) -> Self {
        Self { window, previous, current }
    }

    /// The number of the window: how many ended since tick 0.
    #[must_use]
    pub const fn window(self) -> u64 {
        self.window
    }

    /// Units taken in the window before; one more than there are if the key was penalized.
    #[must_use]
    pub const fn previous(self) -> u32 {
        self.previous
    }

    /// Units taken in the window; one more than there are if the key is penalized.
    #[must_use]
    pub const fn current(self) -> u32 {
        self.current
    }
}

impl SlidingWindow {
    /// The windows of `quota`.
    ///
    /// # Panics
    ///
    /// As [`try_new`](Self::try_new) returns an error.
    #[must_use]
    #[track_caller]
    pub const fn new(quota: Quota) -> Self {
        match Self::try_new(quota) {
            Ok(window) => window,
            Err(error) => error.panic(),
        }
    }

    /// The windows of `quota`.
    ///
    /// # Errors
    ///
    /// If the quota has a burst other than its limit, which a window cannot have, or a limit too large to be counted beside
    /// the number of its window: 65,534 for a nanosecond, 33,554,430 for a millisecond, a billion for a second.
    pub const fn try_new(quota: Quota) -> Result<Self, QuotaError> {
        match window::without_burst(quota) {
            Ok(()) => Self::from_ticks(quota.limit(), quota.period_nanos()),
            Err(error) => Err(error),
        }
    }

    /// At most `limit` units per window of `period` ticks, whatever a tick is.
    ///
    /// # Errors
    ///
    /// As [`try_new`](Self::try_new), and if either is zero.
    pub const fn from_ticks(limit: u64, period: u64) -> Result<Self, QuotaError> {
        if let Err(error) = window::checked(limit, period) {
            return Err(error);
        }
        let numbers = u64::BITS - (u64::MAX / period).leading_zeros();
        let bits = (96 - numbers) / 2;
        let bits = if bits > 32 { 32 } else { bits };
        // A penalty is one more.
        if limit >= (1 << bits) - 1 {
            return Err(QuotaError::limit_too_large(limit));
        }
        match (NonZeroU64::new(limit), NonZeroU64::new(period)) {
            (Some(limit), Some(period)) => Ok(Self { limit, period, bits }),
            // Checked above.
            _ => Err(QuotaError::zero_limit()),
        }
    }

    #[inline(always)]
    pub(crate) const fn period(&self) -> u64 {
        self.period.get()
    }

    #[inline(always)]
    const fn limit(&self) -> u64 {
        self.limit.get()
    }

    /// Bits of the counts that are in a word's lower 64, below the number of the window.
    #[inline(always)]
    const fn beside(&self) -> u32 {
        2 * self.bits - 32
    }

    /// The counts as of `now`, and the ticks of their window that are gone. In a window yet to come none are.
    #[inline(always)]
    fn current(&self, state: Counts, now: u64) -> (Counts, u64) {
        // Not past the end of time, unless a state was made up.
        let start = state.window.saturating_mul(self.period());
        let gone = now.saturating_sub(start);
        if gone < self.period() {
            return (state, gone);
        }
        self.later(state, now)
    }

    /// As `current`, in a later window.
    #[inline]
    fn later(&self, state: Counts, now: u64) -> (Counts, u64) {
        let window = now / self.period;
        let previous = if window - state.window == 1 { state.current } else { 0 };
        (Counts { window, previous, current: 0 }, now % self.period)
    }

    /// Whether no more than `room` units are left of so many, with so many ticks of the window gone.
    #[inline(always)]
    fn has_faded(&self, previous: u32, gone: u64, room: u64) -> bool {
        let fading = u128::from(self.fading(previous)) * u128::from(self.period() - gone);
        u128::from(room) * u128::from(self.period()) >= fading
    }

    /// What there is of a count once its window is over.
    #[inline(always)]
    fn fading(&self, count: u32) -> u32 {
        count.min(self.limit() as u32)
    }

    /// The count of a key that is penalized.
    const fn penalty(&self) -> u32 {
        self.limit() as u32 + 1
    }

    /// Whether nothing is admitted at `at` whatever is refunded.
    pub(crate) fn is_penalized(&self, word: Word, at: u64) -> bool {
        let (counts, _) = self.current(self.unpack(word), at);
        u64::from(counts.current) > self.limit()
    }

    /// `limit · period` less what counts as used.
    #[inline(always)]
    fn free(&self, counts: Counts, gone: u64) -> i128 {
        let period = i128::from(self.period());
        let fading = i128::from(self.fading(counts.previous)) * i128::from(self.period() - gone);
        (i128::from(self.limit()) - i128::from(counts.current)) * period - fading
    }

    /// Ticks until `units`, at least one, can have been taken by somebody who takes each as soon as it fits.
    pub(super) fn wait_spread(&self, state: Counts, now: u64, units: u64) -> u64 {
        let (counts, gone) = self.current(state, now);
        let period = u128::from(self.period());
        let room = self.limit().saturating_sub(counts.current.into());
        if units <= room {
            // In this window, as the one before fades.
            let fits = self.free(counts, gone) >= i128::from(units) * period as i128;
            return if fits { 0 } else { self.wait(counts, gone, now, units) };
        }
        // From its end on no more than the limit per period, for what is taken in one window has to fade in the next.
        let further = (u128::from(units - room) * period).div_ceil(self.limit().into());
        let start = u128::from(now.max(counts.window.saturating_mul(self.period())));
        u64::try_from(start + u128::from(self.period() - gone) + further)
            .map_or(NEVER, |instant| instant - now)
    }

    /// Ticks until `cost` units fit, at most the limit, which they do not now.
    // Inline, so that it is left out where nobody asks: 128 bits are divided.
    #[inline]
    fn wait(&self, counts: Counts, gone: u64, now: u64, cost: u64) -> u64 {
        let period = u128::from(self.period());
        // The ticks into a window after which `room` units fit beside what is left of `fading`.
        let fits_after = |room: u64, fading: u32| {
            let left = u128::from(room) * period / u128::from(self.fading(fading).max(1));
            period.saturating_sub(left)
        };
        let current = u64::from(counts.current);
        let ticks = match (self.limit() - cost).checked_sub(current) {
            Some(room) => fits_after(room, counts.previous).saturating_sub(u128::from(gone)),
            None => u128::from(self.period() - gone) + fits_after(self.limit() - cost, counts.current),
        };
        // From `now` or, if that is later, the beginning of the window.
        let start = u128::from(now.max(counts.window.saturating_mul(self.period())));
        // What is past the end of time never comes.
        u64::try_from(start + ticks).map_or(NEVER, |instant| instant - now)
    }
}

impl Algorithm for SlidingWindow {
    type State = Counts;

    #[inline]
    fn fresh(&self) -> Counts {
        Counts::default()
    }

    #[inline(always)]
    fn admit(&self, state: Counts, now: u64, cost: u64) -> Result<Counts, u64> {
        if cost == 0 {
            return Ok(state);
        }
        if cost > self.limit() {
            return Err(NEVER);
        }
        let (counts, gone) = self.current(state, now);
        let fits = match self.limit().checked_sub(u64::from(counts.current) + cost) {
            // For what is left of the window before; mostly that need not be multiplied.
            Some(room) => room >= u64::from(counts.previous) || self.has_faded(counts.previous, gone, room),
            None => false,
        };
        if fits {
            return Ok(Counts { current: counts.current + cost as u32, ..counts });
        }
        Err(self.wait(counts, gone, now, cost))
    }

    #[inline]
    fn standing(&self, state: Counts, now: u64) -> Standing {
        let (counts, gone) = self.current(state, now);
        let free = self.free(counts, gone).max(0) as u128;
        // A divisor that is known not to be zero: there is no panic then, and what nobody reads is not divided.
        let remaining = NonZeroU128::new(self.period().into()).map_or(0, |period| (free / period) as u64);
        Standing { remaining, reset_after: self.fresh_from(counts).saturating_sub(now) }
    }

    fn fresh_from(&self, state: Counts) -> u64 {
        // What was taken in a window fades during the next, and counts for nothing with the one after that.
        let windows = match (state.current, state.previous) {
            (0, 0) => return 0,
            (0, _) => 1,
            _ => 2,
        };
        state.window.saturating_add(windows).saturating_mul(self.period())
    }

    #[inline]
    fn capacity(&self) -> u64 {
        self.limit()
    }

    /// Everything in the last ticks of one window, and in the next as much as has faded a tick before the first of them is
    /// a period old.
    fn bounds(&self) -> Bounds {
        let (limit, period) = (u128::from(self.limit()), u128::from(self.period()));
        let both = (2 * limit).saturating_sub((2 * limit).div_ceil(period));
        Bounds::new(both.max(limit) as u64, self.period())
    }

    fn penalized(&self, state: Counts, now: u64, until: u64) -> Counts {
        if until <= now {
            return state;
        }
        let (counts, _) = self.current(state, now);
        // Full to the end of the window of the last tick.
        let window = ((until - 1) / self.period()).max(counts.window);
        let previous = match window - counts.window {
            0 => counts.previous,
            1 => counts.current,
            _ => 0,
        };
        Counts { window, previous, current: self.penalty() }
    }
}

impl Refund for SlidingWindow {
    /// From the count of the window that was charged, as long as that counts at all. Where it fades, units are given back whole
    /// that count in part.
    fn refund(&self, state: Counts, charge: Charged, now: u64) -> (Counts, u64) {
        let (counts, _) = self.current(state, now);
        let charged = charge.at / self.period();
        let units = |count: u32| match u64::from(count) {
            penalty if penalty > self.limit() => 0,
            count => charge.units.min(count) as u32,
        };
        let (next, units) = if charged >= counts.window {
            let units = units(counts.current);
            (Counts { current: counts.current - units, ..counts }, units)
        } else if charged + 1 == counts.window {
            let units = units(counts.previous);
            (Counts { previous: counts.previous - units, ..counts }, units)
        } else {
            (state, 0)
        };
        // Nothing is written down for nothing: in a later window the counts of a late request would be forgotten.
        (if units > 0 { next } else { state }, units.into())
    }
}

#[cfg(test)]
mod tests;
