//! One limit for everybody.

mod operation;
mod single;

use core::fmt;
use core::marker::PhantomData;
use core::time::Duration;

use alloc::sync::Arc;

pub(crate) use single::Single;

use crate::algorithm::{Algorithm, AlgorithmName, AnyAlgorithm, Bounds, Gcra};
use crate::clock::ClockSource;
use crate::kept::{Kept, Operation};
use crate::time::nanos;
use crate::{Clock, Decision, Quota, Timestamp};

/// One limit without keys: for a job, a client, a whole process.
///
/// Behind a shared reference or an `Arc` any number of threads may check; together they are admitted what the quota
/// says, to the unit. For a limit per caller there is [`KeyedLimiter`](crate::KeyedLimiter).
///
/// The limit is the one it was made with: a new one would begin with a full burst. Where a limit has to change while it runs
/// and what was used has to count, take a `KeyedLimiter` with a capacity of 1, always ask it for the same key, and change it by
/// `with_quota`.
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

    /// What somebody can hope for who asks for `cost` units after others that will take `ahead` units; takes nothing. See
    /// [`Charge::peek_behind_at`](crate::Charge::peek_behind_at).
    pub fn peek_behind_at(&self, ahead: u64, cost: u64, now: Timestamp) -> Decision {
        self.single.peek_behind(ahead, now.as_nanos(), cost)
    }

    /// Takes as many units as there are, up to `units`, and returns how many. Never waits.
    pub fn take_up_to(&self, units: u64) -> u64 {
        self.take_up_to_at(units, self.clock.now())
    }

    /// Takes as many units as there are at `now`, up to `units`, and returns how many.
    pub fn take_up_to_at(&self, units: u64, now: Timestamp) -> u64 {
        self.amount(Operation::TakeUpTo(units), now)
    }

    /// Admits nothing for at least so long, and shortens no wait.
    ///
    /// How long exactly depends on the [algorithm](crate::algorithm#how-long-a-penalty-is): a token bucket, a leaky bucket and a
    /// log that are as good as new admit nothing for just as long; windows, to the end of the window in which it ends, which may be
    /// a month later, and sliding ones until a unit of that has faded; a log that has units in it, until a period after its newest
    /// one. After it a token bucket has one unit and not its burst.
    ///
    /// No refund of what was taken before ends it early, but for one case: a token bucket keeps no more of a penalty than an
    /// instant, and a refund can end it by up to the time in which one unit comes back. One that is no longer than that it can
    /// end at once. A reservation that was made before and keeps the limit busy for longer than the penalty takes it along when it
    /// is cancelled.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use rate_core::{Limiter, Quota, Timestamp};
    ///
    /// let limiter = Limiter::new(Quota::per_second(10));
    /// let now = Timestamp::ZERO;
    /// assert!(limiter.check_at(now).is_allowed());
    /// limiter.penalize_at(Duration::from_secs(1), now);
    /// assert_eq!(limiter.check_at(now).retry_after(), Some(Duration::from_secs(1)));
    ///
    /// let after = now.saturating_add(Duration::from_secs(1));
    /// assert!(limiter.check_at(after).is_allowed());
    /// assert!(!limiter.check_at(after).is_allowed());
    /// ```
    pub fn penalize(&self, time: Duration) {
        self.penalize_at(time, self.clock.now());
    }

    /// As [`penalize`](Self::penalize), from `now` on.
    pub fn penalize_at(&self, time: Duration, now: Timestamp) {
        self.amount(Operation::Penalize { time: nanos(time) }, now);
    }

    /// Makes the limit as good as new. What was charged before can still be refunded or cancelled, which then gives back units
    /// that were taken since.
    pub fn reset(&self) {
        self.single.reset();
    }

    /// The quota in force. Where windows are months, its period is that of the longest one.
    pub fn quota(&self) -> Quota {
        self.single.algorithm().quota()
    }

    /// The limit in all its parts; equal to the one this was made of.
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

impl<A> fmt::Debug for Limiter<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Limiter")
            .field("limit", &format_args!("{}", self.single.algorithm()))
            .field("clock", &self.clock)
            .finish_non_exhaustive()
    }
}
