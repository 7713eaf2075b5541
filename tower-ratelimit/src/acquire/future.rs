//! Waiting in line.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use rate_core::Allowed;
use tokio::time::{Instant, Sleep, sleep_until};

use super::error::AcquireError;
use super::queue::{Limit, Queue, Request};

/// Units that are waited for: the future of [`AsyncKeyedLimiter::acquire`](super::AsyncKeyedLimiter::acquire) and its like.
///
/// It joins the line when it is polled for the first time, and leaves it when it is dropped. It borrows nothing, and can be
/// kept in a struct; but who keeps it has to go on polling it, or is passed over. See the [module's page](super).
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// use tower_ratelimit::Quota;
/// use tower_ratelimit::acquire::{Acquire, AcquireError, AsyncLimiter, Limiter};
///
/// /// A call that has to be made within a second or not at all.
/// async fn call(permission: Acquire) -> Result<&'static str, AcquireError> {
///     permission.within(Duration::from_secs(1)).await?;
///     Ok("called")
/// }
///
/// #[tokio::main(flavor = "current_thread")]
/// async fn main() {
///     let limiter = AsyncLimiter::new(Limiter::new(Quota::per_hour(1)));
///     assert_eq!(call(limiter.acquire()).await, Ok("called"));
///     assert!(call(limiter.acquire()).await.is_err());
/// }
/// ```
///
/// # Errors
///
/// See [`AcquireError`].
///
/// # Panics
///
/// When it has to wait and there is no tokio runtime with its timer enabled; and when it is polled after it was ready.
#[must_use = "futures do nothing unless they are awaited"]
pub struct Acquire {
    queue: Arc<Queue<dyn Limit>>,
    request: Request,
    /// Made when there is something to wait for.
    timer: Option<Pin<Box<Sleep>>>,
    done: bool,
}

impl Acquire {
    pub(super) fn new(queue: Arc<Queue<dyn Limit>>, request: Request) -> Self {
        Self { queue, request, timer: None, done: false }
    }

    /// Waits no longer than `time` from now. Without it, as long as it takes.
    ///
    /// Who is certain to be too late, as things stand, is refused at once. At the deadline units that are there are taken still,
    /// by the first in line.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use tower_ratelimit::Quota;
    /// use tower_ratelimit::acquire::{AcquireError, AsyncLimiter, Limiter};
    ///
    /// #[tokio::main(flavor = "current_thread")]
    /// async fn main() -> Result<(), AcquireError> {
    ///     let limiter = AsyncLimiter::new(Limiter::new(Quota::per_hour(1)));
    ///     limiter.acquire().within(Duration::from_secs(60)).await?;
    ///
    ///     let denied = limiter.acquire().within(Duration::from_secs(60)).await;
    ///     assert!(matches!(denied, Err(AcquireError::TooLate { .. })));
    ///     Ok(())
    /// }
    /// ```
    pub fn within(mut self, time: Duration) -> Self {
        self.request.deadline = Instant::now().checked_add(time);
        self
    }
}

impl Future for Acquire {
    type Output = Result<Allowed, AcquireError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { queue, request, timer, done } = &mut *self;
        assert!(!*done, "`Acquire` polled after it was ready");
        loop {
            let until = match queue.poll(request, context.waker()) {
                Ok(answer) => {
                    *done = true;
                    return Poll::Ready(answer);
                }
                Err(until) => request.deadline.map_or(until, |deadline| until.min(deadline)),
            };
            let timer = timer.get_or_insert_with(|| Box::pin(sleep_until(until)));
            if timer.deadline() != until {
                timer.as_mut().reset(until);
            }
            // Over already when this task was held up in between.
            if timer.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
        }
    }
}

impl Drop for Acquire {
    fn drop(&mut self) {
        self.queue.leave(&self.request);
    }
}

impl fmt::Debug for Acquire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Acquire")
            .field("cost", &self.request.cost)
            .field("deadline", &self.request.deadline)
            .field("is_waiting", &self.request.ticket.is_some())
            .finish_non_exhaustive()
    }
}
