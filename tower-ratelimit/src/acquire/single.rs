//! One line for everybody.

use std::fmt;
use std::sync::Arc;

use rate_core::algorithm::Gcra;
use rate_core::{Decision, Kept, Limiter, Timestamp};

use super::future::Acquire;
use super::queue::{Limit, Place, Queue, Request};

/// A [`Limiter`] for which one can wait. Clones share the line. See the [module's page](super).
///
/// # Examples
///
/// ```
/// use tower_ratelimit::Quota;
/// use tower_ratelimit::acquire::{AcquireError, AsyncLimiter, Limiter};
///
/// #[tokio::main(flavor = "current_thread")]
/// async fn main() -> Result<(), AcquireError> {
///     let limiter = AsyncLimiter::new(Limiter::new(Quota::per_second(1_000).burst(5)));
///     for left in (0..5).rev() {
///         assert!(limiter.acquire().await?.remaining() >= left);
///     }
///     // Here it waits.
///     limiter.acquire_n(5).await?;
///     assert_eq!(limiter.acquire_n(6).await, Err(AcquireError::Never { cost: 6, limit: 5 }));
///     Ok(())
/// }
/// ```
pub struct AsyncLimiter<A = Gcra> {
    queue: Arc<Queue<Arc<Limiter<A>>>>,
    max_waiting: usize,
}

impl<A: Kept> AsyncLimiter<A> {
    /// Futures that may wait unless [`max_waiting`](Self::max_waiting) says otherwise.
    pub const DEFAULT_MAX_WAITING: usize = 10_000;

    /// Puts a line before `limiter`, which may be one that others check: an `Arc` of it.
    #[must_use]
    pub fn new(limiter: impl Into<Arc<Limiter<A>>>) -> Self {
        Self { queue: Arc::new(Queue::new(limiter.into())), max_waiting: Self::DEFAULT_MAX_WAITING }
    }

    /// Lets no more than `futures` wait: whoever comes then is refused at once. With zero nobody waits.
    ///
    /// Holds for this limiter and for the clones that are made of it.
    #[must_use]
    pub fn max_waiting(self, futures: usize) -> Self {
        Self { max_waiting: futures, ..self }
    }

    /// Waits in line for one unit and takes it: when those who came before have been served, and it is there.
    ///
    /// Nothing is taken before the future is ready. It answers with what is left, or with why it is not worth waiting.
    pub fn acquire(&self) -> Acquire {
        self.acquire_n(1)
    }

    /// Waits in line for `cost` units and takes them together: when those who came before have been served, and all are there.
    ///
    /// A cost of zero is admitted without waiting; a cost above the burst is refused without waiting.
    pub fn acquire_n(&self, cost: u64) -> Acquire {
        let max_waiting = self.max_waiting;
        let request = Request { place: None, cost, deadline: None, max_waiting, ticket: None };
        Acquire::new(self.queue.clone(), request)
    }

    /// How many wait now.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.queue.waiting(None)
    }

    /// Lets the first in line look again, for units that came otherwise than by time passing: after a refund or a reset.
    pub fn recheck(&self) {
        self.queue.recheck();
    }

    /// The limiter behind the line. Who checks it does not stand in line.
    #[must_use]
    pub fn limiter(&self) -> &Limiter<A> {
        &self.queue.limit
    }
}

impl<A: Kept> Limit for Arc<Limiter<A>> {
    fn now(&self) -> Timestamp {
        (**self).now()
    }

    fn check(&self, _: Place, cost: u64, now: Timestamp) -> Decision {
        self.check_n_at(cost, now)
    }

    fn peek_behind(&self, _: Place, ahead: u64, cost: u64, now: Timestamp) -> Decision {
        self.peek_behind_at(ahead, cost, now)
    }
}

// Not derived: that would ask the algorithm to be `Clone` too.
impl<A> Clone for AsyncLimiter<A> {
    fn clone(&self) -> Self {
        Self { queue: self.queue.clone(), ..*self }
    }
}

impl<A> fmt::Debug for AsyncLimiter<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsyncLimiter")
            .field("queue", &self.queue)
            .field("max_waiting", &self.max_waiting)
            .finish()
    }
}
