//! One limit for everybody.

mod single;

use core::fmt;
use core::marker::PhantomData;
use core::time::Duration;

use alloc::sync::Arc;

pub(crate) use single::Single;

use crate::algorithm::{AlgorithmName, AnyAlgorithm, Bounds, Charged, Debit, Gcra, Refund, Reserve};
use crate::clock::ClockSource;
use crate::kept::{Kept, Operation};
use crate::reservation::{Reservation, Source};
use crate::time::nanos;
use crate::{Clock, Decision, Denied, Quota, Timestamp};

/// One limit without keys: for a job, a client, a whole process.
///
/// Behind a shared reference or an `Arc` any number of threads may check; together they are admitted what the quota
/// says, to the unit. For a limit per caller there is [`KeyedLimiter`](crate::KeyedLimiter).
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use rate_core::{Limiter, Quota, Timestamp};
///
/// let limiter = Limiter::new(Quota::per_second(5).burst(1));
/// let start = Timestamp::ZERO;
/// assert!(limiter.check_at(start).is_allowed());
///
/// let denied = limiter.check_at(start);
/// assert!(!denied.is_allowed());
/// let wait = denied.retry_after().expect("one unit fits the burst");
/// assert_eq!(wait, Duration::from_millis(200));
/// assert!(limiter.check_at(start.saturating_add(wait)).is_allowed());
/// ```
pub struct Limiter<A = Gcra> {
    single: Single,
    clock: ClockSource,
    algorithm: PhantomData<A>,
}

impl Limiter {
    /// A limit for `quota` on the monotonic clock.
    #[cfg(feature = "std")]
    #[must_use]
    pub fn new(quota: Quota) -> Self {
        Self::of(Gcra::new(quota))
    }

    /// A limit for `quota` on a clock of your own.
    #[must_use]
    pub fn with_clock(quota: Quota, clock: impl Clock) -> Self {
        Self::of_on(Gcra::new(quota), ClockSource::Custom(Arc::new(clock)))
    }
}

impl<A: Kept> Limiter<A> {
    /// A limit that is counted by another algorithm, on the monotonic clock.
    ///
    /// # Examples
    ///
    /// ```
    /// use rate_core::{Limiter, Quota, Timestamp, algorithm::SlidingLog};
    ///
    /// let limiter = Limiter::of(SlidingLog::new(Quota::per_second(2)));
    /// let at = Timestamp::from_nanos;
    /// assert!(limiter.check_n_at(2, at(999_999_999)).is_allowed());
    /// assert!(!limiter.check_at(at(1_999_999_998)).is_allowed());
    /// assert!(limiter.check_n_at(2, at(1_999_999_999)).is_allowed());
    /// ```
    #[cfg(feature = "std")]
    #[must_use]
    pub fn of(algorithm: A) -> Self {
        Self::of_on(algorithm, ClockSource::default())
    }

    /// A limit that is counted by another algorithm, on a clock of your own.
    #[must_use]
    pub fn of_with_clock(algorithm: A, clock: impl Clock) -> Self {
        Self::of_on(algorithm, ClockSource::Custom(Arc::new(clock)))
    }

    fn of_on(algorithm: A, clock: ClockSource) -> Self {
        let single = Single::new(algorithm.into().or_anchored(nanos(clock.utc_at_zero())));
        Self { single, clock, algorithm: PhantomData }
    }

    /// Takes one unit if there is one. Never waits.
    #[inline(always)]
    pub fn check(&self) -> Decision {
        self.check_n(1)
    }

    /// Takes one unit if there is one at `now`.
    #[inline(always)]
    pub fn check_at(&self, now: Timestamp) -> Decision {
        self.check_n_at(1, now)
    }

    /// Takes `cost` units, all or none. Never waits.
    ///
    /// A cost of zero is always admitted and changes nothing; a cost above the burst is refused for ever.
    #[inline(always)]
    pub fn check_n(&self, cost: u64) -> Decision {
        self.check_n_at(cost, self.clock.now())
    }

    /// Takes `cost` units at `now`, all or none.
    #[inline(always)]
    pub fn check_n_at(&self, cost: u64, now: Timestamp) -> Decision {
        self.single.decide::<A>(now.as_nanos(), cost)
    }

    /// What [`check`](Self::check) would answer now; takes nothing. `remaining` is the number before such a check.
    #[inline]
    pub fn peek(&self) -> Decision {
        self.peek_at(self.clock.now())
    }

    /// What [`check_at`](Self::check_at) would answer; takes nothing.
    #[inline]
    pub fn peek_at(&self, now: Timestamp) -> Decision {
        self.peek_n_at(1, now)
    }

    /// What [`check_n_at`](Self::check_n_at) would answer; takes nothing.
    #[inline]
    pub fn peek_n_at(&self, cost: u64, now: Timestamp) -> Decision {
        self.single.peek(now.as_nanos(), cost)
    }

    /// Takes as many units as there are, up to `units`, and returns how many. Never waits.
    pub fn take_up_to(&self, units: u64) -> u64 {
        self.take_up_to_at(units, self.clock.now())
    }

    /// Takes as many units as there are at `now`, up to `units`, and returns how many.
    pub fn take_up_to_at(&self, units: u64, now: Timestamp) -> u64 {
        self.amount(Operation::TakeUpTo(units), now)
    }

    /// Admits nothing for so long. What is refused already stays refused for at least as long as it would have been.
    pub fn penalize(&self, time: Duration) {
        self.penalize_at(time, self.clock.now());
    }

    /// As [`penalize`](Self::penalize), from `now` on.
    pub fn penalize_at(&self, time: Duration, now: Timestamp) {
        self.amount(Operation::Penalize { until: now.saturating_add(time).as_nanos() }, now);
    }

    /// Makes the limit as good as new.
    pub fn reset(&self) {
        self.single.reset();
    }

    /// The quota in force. Where windows are months, its period is that of the longest one.
    pub fn quota(&self) -> Quota {
        self.single.algorithm().quota()
    }

    /// The limit in all its parts.
    #[must_use]
    pub fn limit(&self) -> AnyAlgorithm {
        *self.single.algorithm()
    }

    /// Which algorithm counts.
    #[must_use]
    pub fn algorithm(&self) -> AlgorithmName {
        self.single.algorithm().name()
    }

    /// Most units that are ever admitted in any window of one period.
    #[must_use]
    pub fn bounds(&self) -> Bounds {
        use crate::algorithm::Algorithm;
        self.single.algorithm().bounds()
    }

    /// Reads this limiter's clock.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn amount(&self, operation: Operation, now: Timestamp) -> u64 {
        self.single.run(now.as_nanos(), operation, |outcome, _| outcome.result).unwrap_or(0)
    }
}

impl<A: Kept + Refund> Limiter<A> {
    /// Gives back what is left of `units` that were taken at `charged`, and returns how many that is.
    ///
    /// Never more than were taken, nothing of an earlier window, and nothing that has come back by itself: a token bucket
    /// gives back the charge less what it has earned since. So nobody is ever better off than without the charge.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use rate_core::{Limiter, Quota, Timestamp};
    ///
    /// let limiter = Limiter::new(Quota::per_minute(10));
    /// let start = Timestamp::ZERO;
    /// assert!(limiter.check_n_at(10, start).is_allowed());
    /// assert!(!limiter.check_at(start).is_allowed());
    /// assert_eq!(limiter.refund_at(4, start, start), 4);
    /// assert_eq!(limiter.peek_at(start).remaining(), 4);
    ///
    /// // A minute later everything has come back.
    /// assert_eq!(limiter.refund_at(4, start, start.saturating_add(Duration::from_secs(60))), 0);
    /// ```
    ///
    /// The leaky bucket has no refund, for what has passed it has passed:
    ///
    /// ```compile_fail,E0599
    /// # use rate_core::{Limiter, Quota, Timestamp, algorithm::LeakyBucket};
    /// Limiter::of(LeakyBucket::new(Quota::per_second(1))).refund(1, Timestamp::ZERO);
    /// ```
    pub fn refund(&self, units: u64, charged: Timestamp) -> u64 {
        self.refund_at(units, charged, self.clock.now())
    }

    /// As [`refund`](Self::refund), at `now`.
    pub fn refund_at(&self, units: u64, charged: Timestamp, now: Timestamp) -> u64 {
        self.amount(Operation::Refund(Charged { units, at: charged.as_nanos() }), now)
    }
}

impl<A: Kept + Reserve> Limiter<A> {
    /// Takes `cost` units for the earliest instant at which they may be used, at most `max_wait` from now. Does not wait.
    ///
    /// Reservations are served in the order they are made in, and a [`check`](Self::check) passes none of them.
    ///
    /// # Errors
    ///
    /// When the units could be used later only, or never. The wait is until the same reservation is accepted.
    ///
    /// Windows promise nothing, for they do not know of a window after the next:
    ///
    /// ```compile_fail,E0599
    /// # use std::time::Duration;
    /// # use rate_core::{Limiter, Quota, algorithm::FixedWindow};
    /// let _ = Limiter::of(FixedWindow::new(Quota::per_second(1))).reserve(1, Duration::ZERO);
    /// ```
    pub fn reserve(&self, cost: u64, max_wait: Duration) -> Result<Reservation<'_>, Denied> {
        self.reserve_at(cost, max_wait, self.clock.now())
    }

    /// As [`reserve`](Self::reserve), at `now`.
    ///
    /// # Errors
    ///
    /// As [`reserve`](Self::reserve).
    pub fn reserve_at(
        &self,
        cost: u64,
        max_wait: Duration,
        now: Timestamp,
    ) -> Result<Reservation<'_>, Denied> {
        let operation = Operation::Reserve { cost, max_wait: nanos(max_wait) };
        let (after, wait) =
            self.single.run(now.as_nanos(), operation, |outcome, left| match outcome.result {
                Ok(wait) => Ok((outcome.word, wait)),
                Err(wait) => Err(Denied::new(self.single.most(), left(outcome), wait)),
            })?;
        let wait = Duration::from_nanos(wait);
        let ready = now.saturating_add(wait);
        let source = Source::Single(&self.single);
        Ok(Reservation { source, clock: &self.clock, after, units: cost, ready, wait })
    }
}

impl<A: Kept + Debit> Limiter<A> {
    /// Takes `units` whether they are there or not, as long as no more than `max_debt` units are owed then, and returns how
    /// many were taken. Nothing is admitted until the debt is earned back.
    ///
    /// For what is known only afterwards: the tokens an answer turned out to have, the bytes an upload turned out to be.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use rate_core::{Limiter, Quota, Timestamp};
    ///
    /// let limiter = Limiter::new(Quota::per_second(10));
    /// let now = Timestamp::ZERO;
    /// assert_eq!(limiter.debit_at(12, 5, now), 12);
    /// assert_eq!(limiter.debit_at(12, 5, now), 3);
    /// // Five are owed, and the sixth is the first to be had.
    /// assert_eq!(limiter.check_at(now).retry_after(), Some(Duration::from_millis(600)));
    /// ```
    ///
    /// A window forgets, and a debt with it:
    ///
    /// ```compile_fail,E0599
    /// # use rate_core::{Limiter, Quota, algorithm::SlidingLog};
    /// Limiter::of(SlidingLog::new(Quota::per_second(1))).debit(1, 1);
    /// ```
    pub fn debit(&self, units: u64, max_debt: u64) -> u64 {
        self.debit_at(units, max_debt, self.clock.now())
    }

    /// As [`debit`](Self::debit), at `now`.
    pub fn debit_at(&self, units: u64, max_debt: u64, now: Timestamp) -> u64 {
        self.amount(Operation::Debit { units, max_debt }, now)
    }
}

impl<A> fmt::Debug for Limiter<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Limiter")
            .field("limit", &format_args!("{}", self.single.algorithm()))
            .field("clock", &self.clock)
            .finish_non_exhaustive()
    }
}
