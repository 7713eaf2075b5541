//! The generic cell rate algorithm, which is the token bucket seen from the other side.
//!
//! A bucket that holds `burst` units and gains `limit` of them per `period` is described by one instant: the
//! *theoretical arrival time* (TAT), the instant at which the bucket will be full again. Taking a unit moves it one
//! emission interval `T = period / limit` into the future; a request conforms while the TAT is at most `burst · T`
//! ahead. Source: ITU-T I.371 annex A, "virtual scheduling".
//!
//! # Exactness
//!
//! `T` is rarely a whole number of ticks: 7/s is 142,857,142.857… ns. Rounding it loses 17 parts per million at
//! 999,983/s, for ever. So instants are counted in *parts*: a tick has `limit / gcd(limit, period)` of them, and `T` is
//! then the whole number `period / gcd(limit, period)`. A tick has at most 2³² parts, so 96 bits hold every instant, and
//! nothing is ever rounded but what is reported: remaining units down, waits up.

use core::num::NonZeroU64;

use super::{Algorithm, NEVER, Standing};
use crate::quota::{Quota, QuotaError};

/// The generic cell rate algorithm for one quota, over ticks.
///
/// A key's state never rewinds: it moves forward by exactly `cost · period / limit` per admission, so over any stretch
/// of time at most `burst + limit · elapsed / period` units are admitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gcra {
    /// Parts in a tick, `limit / gcd(limit, period)`: at most 2³².
    parts: NonZeroU64,
    /// `T` in parts, `period / gcd(limit, period)`.
    interval: NonZeroU64,
    /// τ in parts, `(burst - 1) · T`: how far ahead the TAT may be for one more unit.
    tolerance: u128,
    burst: NonZeroU64,
}

/// A theoretical arrival time, in parts of a tick since the clock's origin.
///
/// How many parts a tick has depends on the [`Gcra`], so two of these compare only within one of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tat(u128);

/// Ten years of nanoseconds: how much later than its start a limiter must still be able to count.
const HORIZON: u64 = 10 * 366 * 86_400 * 1_000_000_000;

impl Gcra {
    /// The algorithm for `quota` over nanoseconds.
    #[must_use]
    pub const fn new(quota: Quota) -> Self {
        match Self::from_ticks(quota.limit(), quota.period_nanos(), quota.burst_size()) {
            Ok(gcra) => gcra,
            // Quota's constructors ran this very check.
            Err(_) => unreachable!(),
        }
    }

    /// The algorithm for `limit` units per `period` ticks and at most `burst` at once, whatever a tick is.
    ///
    /// # Errors
    ///
    /// As [`Quota::new`] and [`Quota::try_burst`].
    pub const fn from_ticks(limit: u64, period: u64, burst: u64) -> Result<Self, QuotaError> {
        if limit == 0 {
            return Err(QuotaError::zero_limit());
        }
        if period == 0 {
            return Err(QuotaError::zero_period());
        }
        if burst == 0 {
            return Err(QuotaError::zero_burst());
        }
        if period > u64::MAX - HORIZON {
            return Err(QuotaError::period_too_long(period));
        }
        let divisor = gcd(limit, period);
        let (interval, parts) = (period / divisor, limit / divisor);
        if parts > 1 << 32 {
            return Err(QuotaError::inexact(limit));
        }
        // No overflow: both factors are 64 bits wide, here and in all products below.
        let full = burst as u128 * interval as u128;
        if full > (u64::MAX - HORIZON) as u128 * parts as u128 {
            return Err(QuotaError::burst_too_long(burst));
        }
        // A divisor of both leaves at least 1 of either.
        let (Some(parts), Some(interval), Some(burst)) =
            (NonZeroU64::new(parts), NonZeroU64::new(interval), NonZeroU64::new(burst))
        else {
            return Err(QuotaError::zero_period());
        };
        let tolerance = full - interval.get() as u128;
        Ok(Self { parts, interval, tolerance, burst })
    }

    /// The state's 96 bits, as a store keeps them.
    #[inline]
    pub(crate) const fn pack(state: Tat) -> (u64, u32) {
        (state.0 as u64, (state.0 >> 64) as u32)
    }

    /// The state of these 96 bits.
    #[inline]
    pub(crate) const fn unpack(low: u64, high: u32) -> Tat {
        Tat((high as u128) << 64 | low as u128)
    }

    /// The state that is as good as new from tick `instant` on, and not earlier.
    #[inline]
    pub(crate) const fn fresh_at(&self, instant: u64) -> Tat {
        Tat(self.in_parts(instant))
    }

    /// Carries the used share of `state` from this quota to `next` as of the instant `at`: half spent stays half spent.
    ///
    /// Rounded up, by less than a tick, so that changing a quota back and forth never frees anybody.
    #[must_use]
    pub(crate) const fn carry_over(&self, next: &Self, state: Tat, at: u64) -> Tat {
        // In whole ticks, so that the product below fits.
        let used = self.ahead(state, at).div_ceil(self.parts.get() as u128);
        if used == 0 {
            // Not moved to `at`: an idle key has nothing to carry, and `at` may lie far ahead of everybody else's time.
            return next.fresh_at(self.in_ticks(state.0));
        }
        let full = self.full() / self.parts.get() as u128;
        let next_full = next.full().div_ceil(next.parts.get() as u128);
        // More than everything: the last units were taken later than `at`, and the change is as of then.
        let late = used.saturating_sub(full);
        let share = if used >= full { next_full } else { (used * next_full).div_ceil(full) };
        let instant = at as u128 + late + share;
        next.fresh_at(if instant > u64::MAX as u128 { u64::MAX } else { instant as u64 })
    }

    #[inline]
    const fn in_parts(&self, ticks: u64) -> u128 {
        ticks as u128 * self.parts.get() as u128
    }

    /// Whole ticks in which `parts` have passed.
    #[inline]
    const fn in_ticks(&self, parts: u128) -> u64 {
        // Most quotas have a whole number of ticks between two units, and a division of 128 bits costs more than a check.
        let ticks = if self.is_whole() {
            parts
        } else if parts <= u64::MAX as u128 {
            (parts as u64).div_ceil(self.parts.get()) as u128
        } else {
            parts.div_ceil(self.parts.get() as u128)
        };
        if ticks > u64::MAX as u128 { u64::MAX } else { ticks as u64 }
    }

    /// Whether a tick is one part, so that every state fits 64 bits. Most quotas people write are like that.
    #[inline]
    pub(crate) const fn is_whole(&self) -> bool {
        self.parts.get() == 1
    }

    /// [`admit`](Algorithm::admit) in 64 bits, for a quota whose tick is one part.
    ///
    /// The same comparison with the same result: `full` is below 2⁶⁴ minus ten years here, so nothing overflows but
    /// what is checked. For one unit, the cost that callers write, nothing is multiplied.
    #[inline]
    pub(crate) const fn admit_word(&self, state: u64, now: u64, cost: u64) -> Result<u64, u64> {
        if cost == 0 {
            return Ok(state);
        }
        if cost > self.burst.get() {
            return Err(NEVER);
        }
        // Within `full`, because the cost is within the burst.
        let further = (cost - 1) * self.interval.get();
        let (ahead, tolerance) = (state.saturating_sub(now), self.tolerance as u64 - further);
        if ahead > tolerance {
            return Err(ahead - tolerance);
        }
        // Few steps from the state to the next one: on a busy limiter they are what everybody waits for.
        let start = if state > now { state } else { now };
        match start.checked_add(self.interval.get() + further) {
            Some(next) => Ok(next),
            None => Err(NEVER),
        }
    }

    /// `burst · T` in parts: the time in which an empty bucket fills.
    #[inline]
    const fn full(&self) -> u128 {
        self.tolerance + self.interval.get() as u128
    }

    /// How far `state` lies ahead of `now`, in parts.
    #[inline]
    const fn ahead(&self, state: Tat, now: u64) -> u128 {
        state.0.saturating_sub(self.in_parts(now))
    }
}

impl Algorithm for Gcra {
    type State = Tat;

    #[inline]
    fn fresh(&self) -> Tat {
        Tat::default()
    }

    #[inline]
    fn admit(&self, state: Tat, now: u64, cost: u64) -> Result<Tat, u64> {
        if cost == 0 {
            // Admitted even when a late timestamp makes the bucket look emptier than empty.
            return Ok(state);
        }
        if cost > self.burst.get() {
            return Err(NEVER);
        }
        if self.is_whole() {
            return self.admit_word(state.0 as u64, now, cost).map(|state| Tat(state.into()));
        }
        let charge = u128::from(cost) * u128::from(self.interval.get());
        let now = self.in_parts(now);
        let used = state.0.saturating_sub(now) + charge;
        if used > self.full() {
            return Err(self.in_ticks(used - self.full()));
        }
        let next = now + used;
        if next >= u128::from(self.parts.get()) << 64 {
            // Past the end of representable time the state could no longer move: refuse rather than forget to charge.
            return Err(NEVER);
        }
        Ok(Tat(next))
    }

    #[inline]
    fn standing(&self, state: Tat, now: u64) -> Standing {
        let ahead = self.ahead(state, now);
        let free = self.full().saturating_sub(ahead);
        // At most the burst, so it fits.
        let remaining = match u64::try_from(free) {
            Ok(free) => free / self.interval,
            Err(_) => (free / u128::from(self.interval.get())) as u64,
        };
        Standing { remaining, reset_after: self.in_ticks(ahead) }
    }

    #[inline]
    fn fresh_from(&self, state: Tat) -> u64 {
        self.in_ticks(state.0)
    }

    #[inline]
    fn capacity(&self) -> u64 {
        self.burst.get()
    }
}

const fn gcd(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

#[cfg(test)]
mod tests;
