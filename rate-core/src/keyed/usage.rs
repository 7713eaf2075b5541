//! What can be done with a key besides asking for units, whatever the algorithm.

use core::hash::Hash;
use core::time::Duration;

use super::KeyedLimiter;
use crate::Timestamp;
use crate::kept::{Kept, Operation};
use crate::time::nanos;

impl<A: Kept> KeyedLimiter<A> {
    /// Takes as many units as there are for `key`, up to `units`, and returns how many. Never waits.
    ///
    /// # Examples
    ///
    /// ```
    /// use rate_core::{KeyedLimiter, Quota, Timestamp};
    ///
    /// let limiter = KeyedLimiter::new(Quota::per_second(10));
    /// let now = Timestamp::ZERO;
    /// assert_eq!(limiter.take_up_to_at("ann", 6, now), 6);
    /// assert_eq!(limiter.take_up_to_at("ann", 6, now), 4);
    /// assert_eq!(limiter.take_up_to_at("ann", 6, now), 0);
    /// ```
    pub fn take_up_to<Q: Hash + ?Sized>(&self, key: &Q, units: u64) -> u64 {
        self.take_up_to_at(key, units, self.now())
    }

    /// Takes as many units as there are for `key` at `now`, up to `units`, and returns how many.
    pub fn take_up_to_at<Q: Hash + ?Sized>(&self, key: &Q, units: u64, now: Timestamp) -> u64 {
        self.amount(key, Operation::TakeUpTo(units), now)
    }

    /// Admits nothing for `key` for at least so long, and shortens no wait. [`reset`](Self::reset) ends it.
    ///
    /// How long exactly depends on the [algorithm](crate::algorithm#how-long-a-penalty-is): a token bucket, a leaky bucket and a
    /// log that are as good as new admit nothing for just as long; windows, to the end of the window in which it ends, which may be
    /// a month later, and sliding ones until a unit of that has faded; a log that has units in it, until a period after its newest
    /// one. After it a token bucket has one unit and not its burst.
    ///
    /// No refund of what was taken before ends it early, but for one case: a token bucket keeps no more of a penalty than an
    /// instant, and a refund can end it by up to the time in which one unit comes back. One that is no longer than that it can
    /// end at once. A reservation that was made before and keeps the key busy for longer than the penalty takes it along when it
    /// is cancelled.
    ///
    /// Under another limit or tier that it is carried over to, a penalty of a window or a log counts as everything used in its last
    /// period. That of a token bucket is used units like any others, all but one as of its end, and their share is what it takes
    /// along: whoever is to be kept out whatever happens to limits is [`Blocked`](crate::Tier::Blocked).
    ///
    /// In a table that is full a penalty counts by what it keeps from being taken: in a token or leaky bucket one that is shorter than
    /// the interval of a unit counts less than a unit, and its key is the first to make room.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use rate_core::{KeyedLimiter, Quota, Timestamp};
    ///
    /// let limiter = KeyedLimiter::new(Quota::per_second(10));
    /// let now = Timestamp::ZERO;
    /// limiter.penalize_at("ann", Duration::from_secs(60), now);
    /// assert_eq!(limiter.check_at("ann", now).retry_after(), Some(Duration::from_secs(60)));
    /// assert!(limiter.check_at("bob", now).is_allowed());
    ///
    /// let after = now.saturating_add(Duration::from_secs(60));
    /// assert!(limiter.check_at("ann", after).is_allowed());
    /// assert!(!limiter.check_at("ann", after).is_allowed());
    /// ```
    pub fn penalize<Q: Hash + ?Sized>(&self, key: &Q, time: Duration) {
        self.penalize_at(key, time, self.now());
    }

    /// As [`penalize`](Self::penalize), from `now` on.
    pub fn penalize_at<Q: Hash + ?Sized>(&self, key: &Q, time: Duration, now: Timestamp) {
        self.amount(key, Operation::Penalize { time: nanos(time) }, now);
    }

    /// Makes `key` as good as new. What it was charged before can still be refunded or cancelled, which then gives back units that
    /// it has taken since.
    ///
    /// # Examples
    ///
    /// ```
    /// use rate_core::{KeyedLimiter, Quota, Timestamp};
    ///
    /// let limiter = KeyedLimiter::new(Quota::per_hour(1));
    /// let now = Timestamp::ZERO;
    /// assert!(limiter.check_at("ann", now).is_allowed());
    /// assert!(!limiter.check_at("ann", now).is_allowed());
    /// limiter.reset("ann");
    /// assert!(limiter.check_at("ann", now).is_allowed());
    /// ```
    pub fn reset<Q: Hash + ?Sized>(&self, key: &Q) {
        self.forget(key);
    }

    pub(super) fn amount<Q: Hash + ?Sized>(&self, key: &Q, operation: Operation, now: Timestamp) -> u64 {
        let ask = self.ask(self.fingerprint(key), 0);
        ask.run(now.as_nanos(), operation, |_, outcome, _, _| outcome.result).unwrap_or(0)
    }
}
