//! What only some algorithms can do.

use core::time::Duration;

use super::Limiter;
use crate::algorithm::{Charged, Debit, Refund, Reserve};
use crate::kept::{Kept, Operation};
use crate::reservation::{Reservation, Source};
use crate::time::nanos;
use crate::{Denied, Timestamp};

impl<A: Kept + Refund> Limiter<A> {
    /// Gives back what is left of `units` that were taken at `charged`, and returns how many that is.
    ///
    /// Nothing of an earlier window, and nothing that has come back by itself: a token bucket gives back the charge less what
    /// it has earned since, fractions of a unit as well, of which the number returned says nothing. So nobody is ever better off
    /// than without the charge.
    ///
    /// Nothing says which charge it was but the instant and the units: whoever refunds one twice, or more than it took, is given
    /// what others have taken. So the caller answers for it that each charge is refunded once, and no more of it than it took.
    /// `charged` is the instant of the charge: that of [`check_n_at`](Self::check_n_at), or [`now`](Self::now) read before
    /// [`check_n`](Self::check_n), which gives back a trifle less. After an `acquire(..).await` of `tower-ratelimit` read it
    /// when that has returned, for in this moment the units are taken: the instant before it is before the wait, and what has come
    /// back in the wait is not given back.
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
    ///
    /// ```
    /// # use rate_core::{Limiter, Quota, Timestamp, algorithm::FixedWindow};
    /// Limiter::of(FixedWindow::new(Quota::per_second(1))).refund(1, Timestamp::ZERO);
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
    ///
    /// ```compile_fail,E0599
    /// # use std::time::Duration;
    /// # use rate_core::{Limiter, algorithm::CalendarWindow};
    /// let _ = Limiter::of(CalendarWindow::day(1)).reserve(1, Duration::ZERO);
    /// ```
    ///
    /// ```compile_fail,E0599
    /// # use std::time::Duration;
    /// # use rate_core::{Limiter, Quota, algorithm::SlidingWindow};
    /// let _ = Limiter::of(SlidingWindow::new(Quota::per_second(1))).reserve(1, Duration::ZERO);
    /// ```
    ///
    /// ```compile_fail,E0599
    /// # use std::time::Duration;
    /// # use rate_core::{Limiter, Quota, algorithm::SlidingLog};
    /// let _ = Limiter::of(SlidingLog::new(Quota::per_second(1))).reserve(1, Duration::ZERO);
    /// ```
    ///
    /// A queue does:
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use rate_core::{Limiter, Quota, algorithm::LeakyBucket};
    /// let _ = Limiter::of(LeakyBucket::new(Quota::per_second(1))).reserve(1, Duration::ZERO);
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
    ///
    /// ```compile_fail,E0599
    /// # use rate_core::{Limiter, Quota, algorithm::SlidingWindow};
    /// Limiter::of(SlidingWindow::new(Quota::per_second(1))).debit(1, 1);
    /// ```
    ///
    /// ```compile_fail,E0599
    /// # use rate_core::{Limiter, Quota, algorithm::FixedWindow};
    /// Limiter::of(FixedWindow::new(Quota::per_second(1))).debit(1, 1);
    /// ```
    ///
    /// ```compile_fail,E0599
    /// # use rate_core::{Limiter, algorithm::CalendarWindow};
    /// Limiter::of(CalendarWindow::day(1)).debit(1, 1);
    /// ```
    ///
    /// And a queue holds no more than it has room for:
    ///
    /// ```compile_fail,E0599
    /// # use rate_core::{Limiter, Quota, algorithm::LeakyBucket};
    /// Limiter::of(LeakyBucket::new(Quota::per_second(1))).debit(1, 1);
    /// ```
    ///
    /// ```
    /// # use rate_core::{Limiter, Quota, algorithm::Gcra};
    /// Limiter::of(Gcra::new(Quota::per_second(1))).debit(1, 1);
    /// ```
    pub fn debit(&self, units: u64, max_debt: u64) -> u64 {
        self.debit_at(units, max_debt, self.clock.now())
    }

    /// As [`debit`](Self::debit), at `now`.
    pub fn debit_at(&self, units: u64, max_debt: u64, now: Timestamp) -> u64 {
        self.amount(Operation::Debit { units, max_debt }, now)
    }
}
