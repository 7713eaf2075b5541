//! The sliding log: every admission of the last period is remembered, so no window of one period ever has too many.

use super::log::{self, Answer, Entries, HEADER, Log, ring_of};
use super::window;
use super::{Algorithm, Bounds, Charged, Refund, RingMut, Standing};
use crate::quota::{Quota, QuotaError};

/// At most `limit` units in any window of one period, exactly.
///
/// It costs memory: 8 bytes per key for each unit of the limit, rounded up to a power of two, and of a charge a store for each of
/// its units.
/// For limits of up to some hundreds that protect something.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use rate_core::{KeyedLimiter, Quota, Timestamp, algorithm::SlidingLog};
///
/// // Five attempts to log in within any quarter of an hour.
/// let attempts = KeyedLimiter::of(SlidingLog::new(Quota::new(5, Duration::from_secs(900))?));
/// let at = |seconds| Timestamp::ZERO.saturating_add(Duration::from_secs(seconds));
/// assert!(attempts.check_at("ann", at(0)).is_allowed());
/// assert!(attempts.check_n_at("ann", 4, at(600)).is_allowed());
/// assert_eq!(attempts.check_at("ann", at(600)).retry_after(), Some(Duration::from_secs(300)));
/// assert!(attempts.check_at("ann", at(900)).is_allowed());
/// assert!(!attempts.check_at("ann", at(900)).is_allowed());
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlidingLog {
    limit: u64,
    period: u64,
    /// Two to this power is the size of the ring that a log has.
    size: u32,
}

impl SlidingLog {
    /// The largest limit: what is remembered of one key is then half a megabyte.
    pub const MAX_LIMIT: u64 = 65_536;

    /// The log of `quota`.
    ///
    /// # Panics
    ///
    /// As [`try_new`](Self::try_new) returns an error.
    #[must_use]
    #[track_caller]
    pub const fn new(quota: Quota) -> Self {
        match Self::try_new(quota) {
            Ok(log) => log,
            Err(error) => error.panic(),
        }
    }

    /// The log of `quota`.
    ///
    /// # Errors
    ///
    /// If the quota has a burst other than its limit, which a window cannot have, or a limit above
    /// [`MAX_LIMIT`](Self::MAX_LIMIT).
    pub const fn try_new(quota: Quota) -> Result<Self, QuotaError> {
        match window::without_burst(quota) {
            Ok(()) => Self::from_ticks(quota.limit(), quota.period_nanos()),
            Err(error) => Err(error),
        }
    }

    /// At most `limit` units in any window of `period` ticks, whatever a tick is.
    ///
    /// # Errors
    ///
    /// If either is zero or the limit above [`MAX_LIMIT`](Self::MAX_LIMIT).
    pub const fn from_ticks(limit: u64, period: u64) -> Result<Self, QuotaError> {
        if let Err(error) = window::checked(limit, period) {
            return Err(error);
        }
        if limit > Self::MAX_LIMIT {
            return Err(QuotaError::limit_too_large(limit));
        }
        Ok(Self { limit, period, size: ring_of(limit as usize).ilog2() })
    }

    pub(super) const fn limit(&self) -> u64 {
        self.limit
    }

    pub(crate) const fn period(&self) -> u64 {
        self.period
    }

    /// Two to this power is the size of the ring that a log has.
    pub(crate) const fn size(&self) -> u32 {
        self.size
    }

    /// Admissions that a log has to have room for: each unit may have been taken at another instant.
    pub(crate) const fn entries(&self) -> usize {
        self.limit as usize
    }

    /// Whether `cost` units fit into `log` at `now`.
    pub(crate) fn fits<R: super::Ring>(&self, log: &Entries<R>, now: u64, cost: u64) -> Result<(), u64> {
        match cost {
            0 => Ok(()),
            cost => self.take(log, now, cost).wait.map_or(Ok(()), Err),
        }
    }

    /// Whether `cost` units, at least one, fit at `now`, and what is left then; if not, the wait and what is left anyway.
    #[inline(always)]
    pub(crate) fn take<R: super::Ring>(&self, log: &Entries<R>, now: u64, cost: u64) -> Answer {
        log.take(self.limit, self.period, now, cost)
    }

    /// The wait and what is left, if `cost` units are refused and the header of the log alone says so.
    #[inline(always)]
    pub(crate) fn refused(&self, header: [u64; HEADER], now: u64, cost: u64) -> Option<(u64, Standing)> {
        log::refused(header, self.limit, self.period, now, cost)
    }

    /// What is left where so much of a log counts.
    #[inline]
    pub(crate) fn left_of<R: super::Ring>(
        &self,
        log: &Entries<R>,
        count: super::LogCount,
        now: u64,
    ) -> Standing {
        log.left(count, self.limit, now)
    }

    /// Units that losing a log at `now` would admit.
    pub(crate) fn strength<R: super::Ring>(&self, log: &Entries<R>, now: u64) -> u64 {
        log.units(now)
    }

    /// Whether nothing is admitted at `now` whatever is refunded.
    pub(crate) fn is_penalized<R: super::Ring>(&self, log: &Entries<R>, now: u64) -> bool {
        log.units(now) > self.limit
    }

    /// Writes into another ring, which may be its own, what `log` has taken of the limit `from` by `at`: the same shares, and of each
    /// unit the same part of its period is left. Not if there is nothing, or a penalty, which is no part of a period.
    pub(crate) fn take_over<R: RingMut>(
        &self,
        from: &Self,
        log: &Entries<R>,
        at: u64,
        ring: impl FnOnce() -> R,
    ) -> bool {
        let limits = (from.limit, self.limit);
        if self.period == from.period {
            // Late requests find what has expired by now, too.
            let can = !log.is_empty();
            if can {
                log.scale_to(limits, 0, |expiry| expiry, &mut ring());
            }
            return can;
        }
        // What was taken last was taken then, if the change is late.
        let at = at.max(log.newest().saturating_sub(from.period));
        let count = log.count(at);
        let can = count.units > 0 && count.units <= from.limit;
        if can {
            let later = |expiry: u64| {
                let left = u128::from(expiry - at) * u128::from(self.period);
                u64::try_from(u128::from(at) + left.div_ceil(from.period.into())).unwrap_or(u64::MAX)
            };
            log.scale_to(limits, count.live, later, &mut ring());
        }
        can
    }

    pub(crate) fn standing_of<R: super::Ring>(&self, log: &Entries<R>, now: u64) -> Standing {
        log.standing(self.limit, now)
    }
}

impl Algorithm for SlidingLog {
    type State = Log;

    fn fresh(&self) -> Log {
        Log::new(self.entries())
    }

    fn admit(&self, state: Log, now: u64, cost: u64) -> Result<Log, u64> {
        let mut state = state.with_room(self.entries());
        let mut log = state.entries();
        self.fits(&log, now, cost)?;
        if cost > 0 {
            log.push(self.period, now, cost);
        }
        Ok(state)
    }

    fn standing(&self, state: Log, now: u64) -> Standing {
        self.standing_of(&Entries::read(&state), now)
    }

    fn fresh_from(&self, state: Log) -> u64 {
        Entries::read(&state).fresh_from()
    }

    fn capacity(&self) -> u64 {
        self.limit
    }

    fn bounds(&self) -> Bounds {
        Bounds::new(self.limit, self.period)
    }

    fn penalized(&self, mut state: Log, now: u64, until: u64) -> Log {
        if until > now {
            state.entries().fill(self.limit, until);
        }
        state
    }
}

impl Refund for SlidingLog {
    fn refund(&self, mut state: Log, charge: Charged, now: u64) -> (Log, u64) {
        let units = state.entries().refund(self.limit, self.period, charge.at, charge.units, now);
        (state, units)
    }
}

#[cfg(test)]
mod tests;
