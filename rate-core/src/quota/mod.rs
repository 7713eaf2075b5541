//! How much is allowed: units per period, and how many at once.

pub(crate) mod error;
mod message;
#[cfg(feature = "serde")]
mod serde;
pub(crate) mod text;

use core::time::Duration;

pub use error::{ParseQuotaError, QuotaError};

use crate::algorithm::Gcra;

/// `limit` units per `period`, of which at most `burst` can be taken at once.
///
/// A key that has been idle long enough may take `burst` units at one instant; from then on it gets back `limit` units
/// per `period`, spread evenly, each as soon as it is due. In any window of one period at most `burst + limit` units
/// are admitted.
///
/// Every quota that can be built is exact: `7/s` admits seven per second for ever, though a seventh of a second is no
/// whole number of nanoseconds. What cannot be represented exactly is refused when it is built.
///
/// # Text
///
/// `N "/" [k] unit [" burst " B]`, where the unit is `ms`, `s`, `min`, `h` or `day` (also read: `ns`, `us`, `sec`,
/// `second`, `minute`, `hour`, `d`): `10/s`, `100/min burst 20`, `3/day`, `1/90s`. `Display` writes the shortest such
/// form, and `FromStr` reads it back.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use rate_core::{Limiter, ManualClock, Quota};
///
/// const API: Quota = Quota::per_second(10).burst(2);
/// assert_eq!(API.to_string(), "10/s burst 2");
/// assert_eq!("10/s burst 2".parse::<Quota>()?, API);
///
/// let clock = ManualClock::new();
/// let limiter = Limiter::with_clock(API, clock.clone());
/// assert!(limiter.check().is_allowed());
/// assert!(limiter.check().is_allowed());
/// assert!(!limiter.check().is_allowed());
/// clock.advance(Duration::from_millis(100));
/// assert!(limiter.check().is_allowed());
/// # Ok::<_, rate_core::ParseQuotaError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[must_use]
pub struct Quota {
    limit: u64,
    period: u64,
    burst: u64,
}

impl Quota {
    /// `limit` units per second, all of which may be taken at once.
    ///
    /// # Panics
    ///
    /// If `limit` is zero or cannot be represented exactly; in a `const` that is a compile error. [`Quota::new`]
    /// returns the error instead.
    #[track_caller]
    pub const fn per_second(limit: u64) -> Self {
        Self::or_panic(Self::new(limit, Duration::from_secs(1)))
    }

    /// `limit` units per minute, all of which may be taken at once.
    ///
    /// # Panics
    ///
    /// As [`Quota::per_second`].
    #[track_caller]
    pub const fn per_minute(limit: u64) -> Self {
        Self::or_panic(Self::new(limit, Duration::from_secs(60)))
    }

    /// `limit` units per hour, all of which may be taken at once.
    ///
    /// # Panics
    ///
    /// As [`Quota::per_second`].
    #[track_caller]
    pub const fn per_hour(limit: u64) -> Self {
        Self::or_panic(Self::new(limit, Duration::from_secs(3_600)))
    }

    /// `limit` units per 24 hours, all of which may be taken at once.
    ///
    /// # Panics
    ///
    /// As [`Quota::per_second`].
    #[track_caller]
    pub const fn per_day(limit: u64) -> Self {
        Self::or_panic(Self::new(limit, Duration::from_secs(86_400)))
    }

    /// One unit per `period`, one at a time; `.burst(b)` lets `b` of them be saved up.
    ///
    /// # Panics
    ///
    /// If `period` is zero, or so long that it overflows 64-bit nanoseconds within ten years.
    #[track_caller]
    pub const fn every(period: Duration) -> Self {
        Self::or_panic(Self::new(1, period))
    }

    /// `limit` units per `period`, all of which may be taken at once.
    ///
    /// # Errors
    ///
    /// When `limit` or `period` is zero, when the two cannot be represented exactly (the limit, divided by its greatest
    /// common divisor with the period in nanoseconds, exceeds 2³²), or when the period is so long that timestamps would
    /// overflow within ten years.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use rate_core::Quota;
    ///
    /// assert_eq!(Quota::new(10, Duration::from_secs(1))?, Quota::per_second(10));
    /// assert!(Quota::new(0, Duration::from_secs(1)).is_err());
    /// # Ok::<_, rate_core::QuotaError>(())
    /// ```
    pub const fn new(limit: u64, period: Duration) -> Result<Self, QuotaError> {
        Self::over(limit, period.as_nanos())
    }

    /// As [`Quota::new`], with a period in nanoseconds that need not fit a `Duration`.
    const fn over(limit: u64, nanos: u128) -> Result<Self, QuotaError> {
        if nanos > u64::MAX as u128 {
            return Err(QuotaError::period_beyond(nanos));
        }
        Self { limit, period: nanos as u64, burst: limit }.checked()
    }

    /// Sets how many units can be taken at once; the default is the limit itself.
    ///
    /// # Panics
    ///
    /// If `burst` is zero, or so large that it would take longer than 64-bit nanoseconds can hold to earn it.
    /// [`Quota::try_burst`] returns the error instead.
    #[track_caller]
    pub const fn burst(self, burst: u64) -> Self {
        Self::or_panic(self.try_burst(burst))
    }

    /// Sets how many units can be taken at once.
    ///
    /// # Errors
    ///
    /// As [`Quota::burst`] panics.
    pub const fn try_burst(self, burst: u64) -> Result<Self, QuotaError> {
        Self { burst, ..self }.checked()
    }

    /// Units per period: the 10 of `10/s burst 20`, at which a busy key gets units back.
    ///
    /// Not what [`Decision::limit`](crate::Decision::limit) says, and the IETF draft's `q`: that is the most at once, 20,
    /// and here [`burst_size`](Self::burst_size).
    #[must_use]
    pub const fn limit(&self) -> u64 {
        self.limit
    }

    /// The period in which [`limit`](Self::limit) units come back.
    #[must_use]
    pub const fn period(&self) -> Duration {
        Duration::from_nanos(self.period)
    }

    /// Most units available at once, the 20 of `10/s burst 20`: the largest cost that can ever be admitted.
    ///
    /// [`Decision::limit`](crate::Decision::limit) reports it, and the IETF draft's `q`.
    #[must_use]
    pub const fn burst_size(&self) -> u64 {
        self.burst
    }

    /// Time in which an exhausted key earns its whole burst back, rounded up to a nanosecond.
    #[must_use]
    pub const fn refill_time(&self) -> Duration {
        self.time_for(self.burst)
    }

    /// Time in which `units` come back, rounded up to a nanosecond; at most 584 years.
    #[must_use]
    pub const fn time_for(&self, units: u64) -> Duration {
        // A division of 128 bits costs more than the check whether it is needed.
        let wait = match units.checked_mul(self.period) {
            Some(product) => product.div_ceil(self.limit) as u128,
            None => (units as u128 * self.period as u128).div_ceil(self.limit as u128),
        };
        Duration::from_nanos(if wait > u64::MAX as u128 { u64::MAX } else { wait as u64 })
    }

    /// What an algorithm was made for; its own checks were no weaker than those of a quota.
    pub(crate) const fn described(limit: u64, period: u64, burst: u64) -> Self {
        Self { limit, period, burst }
    }

    pub(crate) const fn period_nanos(&self) -> u64 {
        self.period
    }

    const fn checked(self) -> Result<Self, QuotaError> {
        match Gcra::from_ticks(self.limit, self.period, self.burst) {
            Ok(_) => Ok(self),
            Err(error) => Err(error),
        }
    }

    #[track_caller]
    const fn or_panic(result: Result<Self, QuotaError>) -> Self {
        match result {
            Ok(quota) => quota,
            Err(error) => error.panic(),
        }
    }
}
