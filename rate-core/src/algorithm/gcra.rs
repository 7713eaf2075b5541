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
//! 999,983/s, for ever. So a tick has `limit / gcd(limit, period)` *parts*, of which `T` is then a whole number,
//! `period / gcd(limit, period)`, and every instant is counted in whole ticks and parts of the next one. A tick has at most
//! 2³² parts, so 96 bits hold every instant, and nothing is ever rounded but what is reported: remaining units down, waits up.

mod engine;
mod operation;
mod tat;

use core::num::NonZeroU64;

use super::{Algorithm, Bounds, NEVER, Standing};
use crate::quota::{Quota, QuotaError};
pub(crate) use engine::{Fractions, Whole};
pub use tat::Tat;

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
    /// `T`.
    step: Tat,
    /// τ, `(burst - 1) · T`: how far ahead the TAT may be for one more unit.
    tolerance: Tat,
    burst: NonZeroU64,
    period: u64,
}

/// Ten years of nanoseconds: how much later than its start a limiter must still be able to count.
const HORIZON: u64 = 10 * 366 * 86_400 * 1_000_000_000;

/// The longest period, in ticks.
pub(super) const LONGEST: u64 = u64::MAX - HORIZON;

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
        if period > LONGEST {
            return Err(QuotaError::period_too_long(period));
        }
        let divisor = gcd(limit, period);
        let (interval, parts) = (period / divisor, limit / divisor);
        if parts > 1 << 32 {
            return Err(QuotaError::inexact(limit));
        }
        // No overflow: both factors are 64 bits wide, here and in all products below.
        let full = burst as u128 * interval as u128;
        if full > LONGEST as u128 * parts as u128 {
            return Err(QuotaError::burst_too_long(burst));
        }
        // A divisor of both leaves at least 1 of either.
        let (Some(parts), Some(interval), Some(burst)) =
            (NonZeroU64::new(parts), NonZeroU64::new(interval), NonZeroU64::new(burst))
        else {
            return Err(QuotaError::zero_period());
        };
        let step = Self::of_parts(interval.get() as u128, parts);
        let tolerance = Self::of_parts(full - interval.get() as u128, parts);
        Ok(Self { parts, interval, step, tolerance, burst, period })
    }

    /// So many parts, of which there are `parts` to a tick. What does not fit is cut off.
    #[inline]
    const fn of_parts(count: u128, parts: NonZeroU64) -> Tat {
        // Most divisions are of 64 bits.
        if count <= u64::MAX as u128 {
            let count = count as u64;
            return Tat { ticks: count / parts.get(), parts: (count % parts.get()) as u32 };
        }
        let parts = parts.get() as u128;
        Tat { ticks: (count / parts) as u64, parts: (count % parts) as u32 }
    }

    /// The state that is as good as new from tick `instant` on, and not earlier.
    #[inline]
    pub(crate) const fn fresh_at(&self, instant: u64) -> Tat {
        Tat { ticks: instant, parts: 0 }
    }

    /// Carries the used share of `state` from this quota to `next` as of the instant `at`: half spent stays half spent.
    ///
    /// Rounded up, by less than a tick, so that changing a quota back and forth never frees anybody.
    #[must_use]
    pub(crate) const fn carry_over(&self, next: &Self, state: Tat, at: u64) -> Tat {
        // In whole ticks, so that the product below fits; but not in 64 bits, or the last tick there is would round down.
        let ahead = state.ahead_of(at);
        let used = ahead.ticks as u128 + (ahead.parts > 0) as u128;
        if used == 0 {
            // Not moved to `at`: an idle key has nothing to carry, and `at` may lie far ahead of everybody else's time.
            return next.fresh_at(state.up());
        }
        let full = self.full() / self.parts.get() as u128;
        let next_full = next.full().div_ceil(next.parts.get() as u128);
        // More than everything: the last units were taken later than `at`, and the change is as of then.
        let late = used.saturating_sub(full);
        let share = if used >= full { next_full } else { (used * next_full).div_ceil(full) };
        let instant = at as u128 + late + share;
        next.fresh_at(if instant > u64::MAX as u128 { u64::MAX } else { instant as u64 })
    }

    /// Ticks in which an empty bucket fills, of which there is one at least.
    pub(crate) fn time_to_fill(&self) -> u64 {
        // As long as there is time.
        ((self.full() / u128::from(self.parts.get())) as u64).max(1)
    }

    /// Units that are used at `at`, in 65,536ths of one: what quotas of different rates have in common.
    pub(crate) fn units_used(&self, state: Tat, at: u64) -> u64 {
        const ONE: u64 = 1 << 16;
        let ahead = state.ahead_of(at).up();
        match ahead.checked_mul(self.parts.get()).and_then(|parts| parts.checked_mul(ONE)) {
            // In 64 bits that is quicker, and a newcomer to a full table asks of eighty keys.
            Some(parts) => parts / self.interval,
            None => {
                let parts = u128::from(ahead) * u128::from(self.parts.get()) * u128::from(ONE);
                u64::try_from(parts / u128::from(self.interval.get())).unwrap_or(u64::MAX)
            }
        }
    }

    /// The bounds where the last of `limit` units that pass one interval apart may be a burst.
    pub(super) const fn spaced(&self) -> Bounds {
        let limit = self.limit();
        Bounds::new(self.burst.get().saturating_add(limit - 1), self.period)
    }

    pub(crate) const fn limit(&self) -> u64 {
        // What both were divided by.
        self.parts.get() * (self.period / self.interval.get())
    }

    pub(crate) const fn period(&self) -> u64 {
        self.period
    }

    pub(crate) const fn burst(&self) -> u64 {
        self.burst.get()
    }

    /// `burst · T` in parts: the time in which an empty bucket fills.
    #[inline]
    const fn full(&self) -> u128 {
        self.burst.get() as u128 * self.interval.get() as u128
    }

    /// For `cost` units, at most the burst: how far they move the TAT, and how far ahead it may be for them.
    #[inline]
    pub(super) const fn terms(&self, cost: u64) -> (Tat, Tat) {
        if cost == 1 {
            // What callers write, and nothing is divided for it.
            return (self.step, self.tolerance);
        }
        let charge = cost as u128 * self.interval.get() as u128;
        (Self::of_parts(charge, self.parts), Self::of_parts(self.full() - charge, self.parts))
    }

    /// The state after a charge at `now` that moves it by `step`, unless that is past the end of representable time.
    #[inline]
    pub(super) const fn charged(&self, state: Tat, now: u64, step: Tat) -> Option<Tat> {
        let start = if state.ticks < now { self.fresh_at(now) } else { state };
        self.moved(start, step)
    }

    /// A wait, or [`NEVER`] where time ends before what is charged then.
    // Inline, so that it is left out where nobody asks.
    #[inline]
    pub(super) const fn if_it_helps(&self, wait: u64, state: Tat, now: u64, step: Tat) -> u64 {
        match now.checked_add(wait) {
            Some(then) if self.charged(state, then, step).is_some() => wait,
            _ => NEVER,
        }
    }

    /// `state` moved forward by `step`, unless that is past the end of representable time.
    #[inline]
    pub(super) const fn moved(&self, state: Tat, step: Tat) -> Option<Tat> {
        let parts = state.parts as u64 + step.parts as u64;
        let (carry, parts) =
            if parts < self.parts.get() { (0, parts) } else { (1, parts - self.parts.get()) };
        // The step has fewer ticks than there are, by years.
        match state.ticks.checked_add(step.ticks + carry) {
            Some(ticks) => Some(Tat { ticks, parts: parts as u32 }),
            None => None,
        }
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
        let (step, tolerance) = self.terms(cost);
        let ahead = state.ahead_of(now);
        if ahead > tolerance {
            // The difference, rounded up: what its parts come to is less than a tick, either way.
            let wait =
                (ahead.ticks - tolerance.ticks).saturating_add(u64::from(ahead.parts > tolerance.parts));
            return Err(self.if_it_helps(wait, state, now, step));
        }
        // Past the end of representable time the state could no longer move: refuse rather than forget to charge.
        self.charged(state, now, step).ok_or(NEVER)
    }

    #[inline]
    fn standing(&self, state: Tat, now: u64) -> Standing {
        let ahead = state.ahead_of(now);
        let used = u128::from(ahead.ticks) * u128::from(self.parts.get()) + u128::from(ahead.parts);
        let free = self.full().saturating_sub(used);
        // At most the burst, so it fits.
        let remaining = match u64::try_from(free) {
            Ok(free) => free / self.interval,
            Err(_) => (free / u128::from(self.interval.get())) as u64,
        };
        Standing { remaining, reset_after: ahead.up() }
    }

    #[inline]
    fn fresh_from(&self, state: Tat) -> u64 {
        state.up()
    }

    #[inline]
    fn capacity(&self) -> u64 {
        self.burst.get()
    }

    /// A full bucket at the first tick of the window, and what comes back up to its last one.
    ///
    /// Checks alone reach it where the limit is at most the period's ticks and the burst at least two units. A bucket of one
    /// loses the fraction of a tick by which each check comes later than it could; reservations do not.
    fn bounds(&self) -> Bounds {
        self.spaced()
    }

    /// Without a unit until the tick `until`, and with one from then on.
    ///
    /// An instant cannot say that it is a penalty: in the last interval before `until` there is no more used than a bucket
    /// has, and a refund gives back of it.
    fn penalized(&self, state: Tat, now: u64, until: u64) -> Tat {
        if until <= now {
            return state;
        }
        let spent = self.moved(self.fresh_at(until), self.tolerance).unwrap_or(Tat::new(u64::MAX, 0));
        state.max(spent)
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
