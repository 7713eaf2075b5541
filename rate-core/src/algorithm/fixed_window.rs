//! The fixed window: so many units per window, and all windows begin at multiples of the period.

use super::gcra::LONGEST;
use super::window::{self, Count, Windows};
use super::word::{Packed, Word};
use super::{Algorithm, Bounds, Charged, Refund, Standing};
use crate::quota::{Quota, QuotaError};

/// At most `limit` units in each window of one period. Windows are aligned to UTC: those of a minute begin with the minute.
///
/// The state is one count, and easy to explain; but whoever spends the end of one window and the start of the next gets
/// twice the limit in no time. Not for limits that protect anything: see [`SlidingWindow`](super::SlidingWindow).
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use rate_core::{KeyedLimiter, ManualClock, Quota, algorithm::FixedWindow};
///
/// let clock = ManualClock::new();
/// let limiter = KeyedLimiter::builder_of(FixedWindow::new(Quota::per_minute(2))).clock(clock.clone()).build()?;
/// clock.advance(Duration::from_secs(59));
/// assert!(limiter.check_n("ann", 2).is_allowed());
/// assert_eq!(limiter.check("ann").retry_after(), Some(Duration::from_secs(1)));
///
/// clock.advance(Duration::from_secs(1));
/// assert!(limiter.check_n("ann", 2).is_allowed());
/// # Ok::<_, rate_core::BuildError>(())
/// ```
///
/// Two of these are equal if limit, period and staggering are, wherever their windows begin: a limiter's is equal to the one it was
/// made of, which did not know yet.
#[derive(Clone, Copy, Debug)]
pub struct FixedWindow {
    limit: u32,
    period: u64,
    /// How far into a window tick 0 is, once that was said.
    phase: Option<u64>,
    /// Ticks below which keys are shifted; zero where they are not.
    spread: u64,
}

impl FixedWindow {
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
    /// If the quota has a burst other than its limit, which a window cannot have, or a limit above 4,294,967,294.
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
    /// If either is zero or the limit above 4,294,967,294.
    pub const fn from_ticks(limit: u64, period: u64) -> Result<Self, QuotaError> {
        if let Err(error) = window::checked(limit, period) {
            return Err(error);
        }
        if limit > window::LARGEST {
            return Err(QuotaError::limit_too_large(limit));
        }
        Ok(Self { limit: limit as u32, period, phase: None, spread: 0 })
    }

    /// Shifts each key's windows by a part of the period that depends on the key, so that not everybody's begin at once.
    ///
    /// Only limiters that know keys do that; they take the shift from the key's hash. Periods of centuries are not spread all
    /// over: every key's time lasts for ten years and the window they end in.
    #[must_use]
    pub const fn staggered(self) -> Self {
        // A key that is shifted runs out of time as much earlier.
        let room = LONGEST - self.period + 1;
        Self { spread: if self.period < room { self.period } else { room }, ..self }
    }

    /// The windows where tick 0 is `utc` ticks after the beginning of 1970.
    pub(super) const fn anchored(self, utc: u64) -> Self {
        Self { phase: Some(utc % self.period), ..self }
    }

    pub(super) fn is_aligned_with(&self, other: &Self) -> bool {
        self.phase.unwrap_or(0) == other.phase.unwrap_or(0)
    }

    /// Whether each key's windows are the same, whatever fits into them.
    pub(crate) fn has_windows_of(&self, other: &Self) -> bool {
        (self.period, self.spread) == (other.period, other.spread) && self.is_aligned_with(other)
    }

    pub(super) const fn is_anchored(&self) -> bool {
        self.phase.is_some()
    }

    /// Ticks by which the time of the key with this hash is shifted.
    #[inline(always)]
    pub(crate) fn shift(&self, hash: u64) -> u64 {
        if self.is_staggered() { ((u128::from(hash) * u128::from(self.spread)) >> 64) as u64 } else { 0 }
    }

    /// Whether nothing is admitted at `at` whatever is refunded.
    pub(crate) fn is_penalized(&self, word: Word, at: u64) -> bool {
        at < word.low && Windows::is_penalized(self, window::unpack(word))
    }

    pub(crate) const fn period(&self) -> u64 {
        self.period
    }

    pub(crate) const fn is_staggered(&self) -> bool {
        self.spread > 0
    }
}

// Not derived: a limit that was read from a text would differ from the limiter's that was made of it.
impl PartialEq for FixedWindow {
    fn eq(&self, other: &Self) -> bool {
        (self.limit, self.period, self.spread) == (other.limit, other.period, other.spread)
    }
}

impl Eq for FixedWindow {}

impl Windows for FixedWindow {
    #[inline(always)]
    fn end_of(&self, now: u64) -> Option<u64> {
        let phase = self.phase.unwrap_or(0);
        let into = match now.checked_add(phase) {
            Some(sum) => sum % self.period,
            None => ((u128::from(now) + u128::from(phase)) % u128::from(self.period)) as u64,
        };
        now.checked_add(self.period - into)
    }

    fn start_of(&self, end: u64) -> u64 {
        // Not a period before `end`: a window that time ends before ends there.
        let Some(last) = end.checked_sub(1) else { return 0 };
        let into = (u128::from(last) + u128::from(self.phase.unwrap_or(0))) % u128::from(self.period);
        last.saturating_sub(into as u64)
    }

    #[inline(always)]
    fn is_last(&self, end: u64) -> bool {
        // Mostly an addition. A state that was carried over from another limit may end in the middle of a window.
        end.checked_add(self.period).is_none() && self.end_of(end).is_none()
    }

    #[inline(always)]
    fn limit(&self) -> u32 {
        self.limit
    }

    fn shortest(&self) -> u64 {
        self.period
    }
}

impl Algorithm for FixedWindow {
    type State = Count;

    #[inline]
    fn fresh(&self) -> Count {
        Count::default()
    }

    #[inline(always)]
    fn admit(&self, state: Count, now: u64, cost: u64) -> Result<Count, u64> {
        Windows::admit(self, state, now, cost)
    }

    #[inline(always)]
    fn standing(&self, state: Count, now: u64) -> Standing {
        Windows::standing(self, state, now)
    }

    fn fresh_from(&self, state: Count) -> u64 {
        Windows::fresh_from(self, state)
    }

    #[inline]
    fn capacity(&self) -> u64 {
        u64::from(self.limit)
    }

    fn bounds(&self) -> Bounds {
        Windows::bounds(self, self.period)
    }

    fn penalized(&self, state: Count, now: u64, until: u64) -> Count {
        Windows::penalized(self, state, now, until)
    }
}

impl Refund for FixedWindow {
    fn refund(&self, state: Count, charge: Charged, now: u64) -> (Count, u64) {
        Windows::refund(self, state, charge, now)
    }
}

impl Packed for FixedWindow {
    #[inline(always)]
    fn pack(&self, state: Count) -> Word {
        window::pack(state)
    }

    #[inline(always)]
    fn unpack(&self, word: Word) -> Count {
        window::unpack(word)
    }

    fn full_until(&self, instant: u64) -> Word {
        window::full_until(instant, self.limit)
    }

    fn last_taken(&self, word: Word, at: u64) -> u64 {
        Windows::last_taken(self, window::unpack(word), at)
    }

    fn strength(&self, word: Word, now: u64) -> u64 {
        window::strength(word, now)
    }
}

#[cfg(test)]
mod tests;
