//! What only some algorithms can do.

use core::hash::Hash;
use core::time::Duration;

use super::KeyedLimiter;
use crate::algorithm::{Charged, Debit, Refund, Reserve};
use crate::kept::{Kept, Operation};
use crate::reservation::{Reservation, Source};
use crate::table::Table;
use crate::time::nanos;
use crate::{Denied, Timestamp};

impl<A: Kept + Refund> KeyedLimiter<A> {
    /// Gives back what is left of `units` that `key` took at `charged`, and returns how many that is.
    ///
    /// Nothing of an earlier window, and nothing that has come back by itself: a token bucket gives back the charge less what
    /// it has earned since, fractions of a unit as well, of which the number returned says nothing. So nobody is ever better off
    /// than without the charge. Nothing is given back of what was charged before the limit was [changed](KeyedLimiter::with_limit),
    /// or in the same tick, nor through any but the [tier](KeyedLimiter::tier) that the key was last asked in, whose page says what
    /// is not known of a key that has been in another.
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
    /// use rate_core::{KeyedLimiter, Quota, Timestamp};
    ///
    /// let limiter = KeyedLimiter::new(Quota::per_hour(3));
    /// let now = Timestamp::ZERO;
    /// assert!(limiter.check_n_at("ann", 3, now).is_allowed());
    /// assert!(!limiter.check_at("ann", now).is_allowed());
    /// assert_eq!(limiter.refund_at("ann", 2, now, now), 2);
    /// assert_eq!(limiter.peek_at("ann", now).remaining(), 2);
    /// ```
    ///
    /// The leaky bucket has no refund, for what has passed it has passed:
    ///
    /// ```compile_fail,E0599
    /// # use rate_core::{KeyedLimiter, Quota, Timestamp, algorithm::LeakyBucket};
    /// KeyedLimiter::of(LeakyBucket::new(Quota::per_second(1))).refund("ann", 1, Timestamp::ZERO);
    /// ```
    ///
    /// ```
    /// # use rate_core::{KeyedLimiter, Quota, Timestamp, algorithm::FixedWindow};
    /// KeyedLimiter::of(FixedWindow::new(Quota::per_second(1))).refund("ann", 1, Timestamp::ZERO);
    /// ```
    pub fn refund<Q: Hash + ?Sized>(&self, key: &Q, units: u64, charged: Timestamp) -> u64 {
        self.refund_at(key, units, charged, self.clock.now())
    }

    /// As [`refund`](Self::refund), at `now`.
    pub fn refund_at<Q: Hash + ?Sized>(
        &self,
        key: &Q,
        units: u64,
        charged: Timestamp,
        now: Timestamp,
    ) -> u64 {
        let at = self.rate.time_of(Table::tag_of(self.fingerprint(key).0), charged.as_nanos());
        self.amount(key, Operation::Refund(Charged { units, at }), now)
    }
}

impl<A: Kept + Reserve> KeyedLimiter<A> {
    /// Takes `cost` units of `key` for the earliest instant at which they may be used, at most `max_wait` from now. Does not
    /// wait.
    ///
    /// Reservations are served in the order they are made in, and a [`check`](Self::check) passes none of them.
    ///
    /// # Errors
    ///
    /// When the units could be used later only, or never. The wait is until the same reservation is accepted.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use rate_core::{KeyedLimiter, Quota, Timestamp};
    ///
    /// let limiter = KeyedLimiter::new(Quota::per_second(10).burst(1));
    /// let (now, wait) = (Timestamp::ZERO, Duration::from_millis(150));
    /// assert_eq!(limiter.reserve_at("ann", 1, wait, now)?.wait(), Duration::ZERO);
    /// assert_eq!(limiter.reserve_at("ann", 1, wait, now)?.wait(), Duration::from_millis(100));
    /// // The third would have to wait longer than it wants to.
    /// let denied = limiter.reserve_at("ann", 1, wait, now).expect_err("200 ms are too long");
    /// assert_eq!(denied.retry_after(), Some(Duration::from_millis(50)));
    /// # Ok::<_, rate_core::Denied>(())
    /// ```
    ///
    /// Windows promise nothing, for they do not know of a window after the next:
    ///
    /// ```compile_fail,E0599
    /// # use std::time::Duration;
    /// # use rate_core::{KeyedLimiter, Quota, algorithm::FixedWindow};
    /// let _ = KeyedLimiter::of(FixedWindow::new(Quota::per_second(1))).reserve("ann", 1, Duration::ZERO);
    /// ```
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use rate_core::{KeyedLimiter, Quota, algorithm::LeakyBucket};
    /// let _ = KeyedLimiter::of(LeakyBucket::new(Quota::per_second(1))).reserve("ann", 1, Duration::ZERO);
    /// ```
    pub fn reserve<Q: Hash + ?Sized>(
        &self,
        key: &Q,
        cost: u64,
        max_wait: Duration,
    ) -> Result<Reservation<'_>, Denied> {
        self.reserve_at(key, cost, max_wait, self.clock.now())
    }

    /// As [`reserve`](Self::reserve), at `now`.
    ///
    /// # Errors
    ///
    /// As [`reserve`](Self::reserve).
    pub fn reserve_at<Q: Hash + ?Sized>(
        &self,
        key: &Q,
        cost: u64,
        max_wait: Duration,
        now: Timestamp,
    ) -> Result<Reservation<'_>, Denied> {
        let ask = self.ask(self.fingerprint(key), 0);
        let operation = Operation::Reserve { cost, max_wait: nanos(max_wait) };
        let (after, wait) =
            ask.run(now.as_nanos(), operation, |rate, outcome, log, own| match outcome.result {
                Ok(wait) => Ok((outcome.word, wait)),
                Err(wait) => {
                    Err(Denied::new(rate.most(), rate.algorithm.left_after(outcome, log, own), wait))
                }
            })?;
        let wait = Duration::from_nanos(wait);
        let ready = now.saturating_add(wait);
        Ok(Reservation { source: Source::Keyed(ask), clock: &self.clock, after, units: cost, ready, wait })
    }
}

impl<A: Kept + Debit> KeyedLimiter<A> {
    /// Takes `units` of `key` whether they are there or not, as long as no more than `max_debt` units are owed then, and
    /// returns how many were taken. Nothing is admitted until the debt is earned back.
    ///
    /// For what is known only afterwards: the tokens an answer turned out to have, the bytes an upload turned out to be.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use rate_core::{KeyedLimiter, Quota, Timestamp};
    ///
    /// let limiter = KeyedLimiter::new(Quota::per_second(10));
    /// let now = Timestamp::ZERO;
    /// assert_eq!(limiter.debit_at("ann", 12, 5, now), 12);
    /// // Two are owed, and the third is the first to be had.
    /// assert_eq!(limiter.check_at("ann", now).retry_after(), Some(Duration::from_millis(300)));
    /// assert!(limiter.check_at("bob", now).is_allowed());
    /// ```
    ///
    /// A window forgets, and a debt with it:
    ///
    /// ```compile_fail,E0599
    /// # use rate_core::{KeyedLimiter, Quota, algorithm::SlidingLog};
    /// KeyedLimiter::of(SlidingLog::new(Quota::per_second(1))).debit("ann", 1, 1);
    /// ```
    ///
    /// ```
    /// # use rate_core::{KeyedLimiter, Quota, algorithm::Gcra};
    /// KeyedLimiter::of(Gcra::new(Quota::per_second(1))).debit("ann", 1, 1);
    /// ```
    pub fn debit<Q: Hash + ?Sized>(&self, key: &Q, units: u64, max_debt: u64) -> u64 {
        self.debit_at(key, units, max_debt, self.clock.now())
    }

    /// As [`debit`](Self::debit), at `now`.
    pub fn debit_at<Q: Hash + ?Sized>(&self, key: &Q, units: u64, max_debt: u64, now: Timestamp) -> u64 {
        self.amount(key, Operation::Debit { units, max_debt }, now)
    }
}
