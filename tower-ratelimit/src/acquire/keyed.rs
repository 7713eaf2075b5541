//! A line per key.

use std::fmt;
use std::hash::Hash;
use std::sync::Arc;

use rate_core::algorithm::Gcra;
use rate_core::{Decision, Kept, KeyedLimiter, Timestamp};

use super::future::Acquire;
use super::queue::{Limit, Place, Queue, Request};

/// A [`KeyedLimiter`] for which one can wait. Clones share the lines. See the [module's page](super).
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// use tower_ratelimit::Quota;
/// use tower_ratelimit::acquire::{AcquireError, AsyncKeyedLimiter, KeyedLimiter};
///
/// #[tokio::main(flavor = "current_thread")]
/// async fn main() -> Result<(), AcquireError> {
///     let api = AsyncKeyedLimiter::new(KeyedLimiter::new(Quota::per_hour(3)));
///     assert_eq!(api.acquire_n("a.example", 3).await?.remaining(), 0);
///     // The units were taken just now. Two of them were not needed, and of those only a fraction has come back by itself.
///     let taken = api.limiter().now();
///     assert!(api.limiter().refund("a.example", 2, taken) >= 1);
///
///     // Nobody waits a third of an hour here; and another key does not have to.
///     let denied = api.acquire_n("a.example", 3).within(Duration::from_secs(1)).await;
///     assert!(matches!(denied, Err(AcquireError::TooLate { .. })));
///     assert_eq!(api.acquire("b.example").await?.remaining(), 2);
///     Ok(())
/// }
/// ```
pub struct AsyncKeyedLimiter<A = Gcra> {
    queue: Arc<Queue<KeyedLimiter<A>>>,
    max_waiting: usize,
}

impl<A: Kept> AsyncKeyedLimiter<A> {
    /// Futures that may wait for one key unless [`max_waiting`](Self::max_waiting) says otherwise.
    pub const DEFAULT_MAX_WAITING: usize = 10_000;

    /// Puts a line before each key of `limiter`.
    #[must_use]
    pub fn new(limiter: KeyedLimiter<A>) -> Self {
        Self { queue: Arc::new(Queue::new(limiter)), max_waiting: Self::DEFAULT_MAX_WAITING }
    }

    /// Lets no more than `futures` wait for one key: whoever comes then is refused at once. With zero nobody waits.
    ///
    /// Holds for this limiter and for the clones that are made of it.
    #[must_use]
    pub fn max_waiting(self, futures: usize) -> Self {
        Self { max_waiting: futures, ..self }
    }

    /// Waits in the line of `key` for one unit and takes it: when those who came before have been served, and it is there.
    ///
    /// Nothing is taken before the future is ready. It answers with what is left, or with why it is not worth waiting.
    pub fn acquire<Q: Hash + ?Sized>(&self, key: &Q) -> Acquire {
        self.acquire_n(key, 1)
    }

    /// Waits in the line of `key` for `cost` units and takes them together: when those who came before have been served, and all
    /// are there.
    ///
    /// A cost of zero is admitted without waiting; a cost above the burst is refused without waiting.
    pub fn acquire_n<Q: Hash + ?Sized>(&self, key: &Q, cost: u64) -> Acquire {
        let place = Some(self.queue.limit.fingerprint(key));
        let max_waiting = self.max_waiting;
        let request = Request { place, cost, deadline: None, max_waiting, ticket: None };
        Acquire::new(self.queue.clone(), request)
    }

    /// How many wait for `key` now.
    #[must_use]
    pub fn waiting<Q: Hash + ?Sized>(&self, key: &Q) -> usize {
        self.queue.waiting(Some(self.queue.limit.fingerprint(key)))
    }

    /// Lets the first of every line look again, for units that came otherwise than by time passing: after a refund, a reset, a
    /// raised quota.
    pub fn recheck(&self) {
        self.queue.recheck();
    }

    /// The limiter behind the lines. Who checks it does not stand in line.
    #[must_use]
    pub fn limiter(&self) -> &KeyedLimiter<A> {
        &self.queue.limit
    }
}

impl<A: Kept> Limit for KeyedLimiter<A> {
    fn now(&self) -> Timestamp {
        self.now()
    }

    fn check(&self, place: Place, cost: u64, now: Timestamp) -> Decision {
        self.charge_fingerprint(place.expect(KEYED), cost).check_at(now)
    }

    fn peek_behind(&self, place: Place, ahead: u64, cost: u64, now: Timestamp) -> Decision {
        self.charge_fingerprint(place.expect(KEYED), cost).peek_behind_at(ahead, now)
    }
}

const KEYED: &str = "every line before a keyed limiter is a key's";

// Not derived: that would ask the algorithm to be `Clone` too.
impl<A> Clone for AsyncKeyedLimiter<A> {
    fn clone(&self) -> Self {
        Self { queue: self.queue.clone(), ..*self }
    }
}

impl<A> fmt::Debug for AsyncKeyedLimiter<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsyncKeyedLimiter")
            .field("queue", &self.queue)
            .field("max_waiting", &self.max_waiting)
            .finish()
    }
}
