//! Lines in paused time, and futures that are polled by hand.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::Instant;
use tower_ratelimit::acquire::{Acquire, AcquireError, AsyncKeyedLimiter, KeyedLimiter, TokioClock};
use tower_ratelimit::{Allowed, Quota};

pub(crate) type Answer = Result<Allowed, AcquireError>;

pub(crate) const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// A line per key, in tokio's time.
pub(crate) fn lines(quota: Quota) -> AsyncKeyedLimiter {
    let limiter = KeyedLimiter::builder(quota).capacity(100).clock(TokioClock::new()).build().unwrap();
    AsyncKeyedLimiter::new(limiter)
}

/// The same, of which the burst is spent.
pub(crate) fn spent(quota: Quota) -> AsyncKeyedLimiter {
    let lines = lines(quota);
    assert!(lines.limiter().check_n("key", quota.burst_size()).is_allowed());
    lines
}

/// Lets one task for each of `costs` wait, in this order, and returns who was served when.
pub(crate) async fn serve(lines: &AsyncKeyedLimiter, costs: &[u64]) -> Vec<(usize, Instant)> {
    let served = Arc::new(Mutex::new(Vec::new()));
    let mut tasks = JoinSet::new();
    for (number, &cost) in costs.iter().enumerate() {
        let (lines, served) = (lines.clone(), served.clone());
        tasks.spawn(async move {
            lines.acquire_n("key", cost).await.unwrap();
            served.lock().unwrap().push((number, Instant::now()));
        });
    }
    tasks.join_all().await;
    assert_eq!(lines.waiting("key"), 0);
    std::mem::take(&mut *served.lock().unwrap())
}

/// A future that is polled when the test says so.
#[derive(Debug)]
pub(crate) struct ByHand {
    pub(crate) future: Acquire,
    wakes: Arc<Wakes>,
    seen: usize,
}

#[derive(Debug, Default)]
struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl ByHand {
    pub(crate) fn new(future: Acquire) -> Self {
        Self { future, wakes: Arc::default(), seen: 0 }
    }

    /// A future that is in line.
    pub(crate) fn waiting(future: Acquire) -> Self {
        let mut itself = Self::new(future);
        assert!(itself.poll().is_none(), "it did not have to wait");
        itself
    }

    pub(crate) fn poll(&mut self) -> Option<Answer> {
        self.seen = self.wakes.0.load(Ordering::Relaxed);
        let waker = Waker::from(self.wakes.clone());
        match Pin::new(&mut self.future).poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(answer) => Some(answer),
            Poll::Pending => None,
        }
    }

    /// Whether it was woken since it was polled.
    pub(crate) fn is_woken(&self) -> bool {
        self.wakes.0.load(Ordering::Relaxed) != self.seen
    }

    /// Polls it whenever it is woken, as a task would, while time goes on.
    pub(crate) async fn finish(mut self) -> (Answer, Instant) {
        if let Some(answer) = self.poll() {
            return (answer, Instant::now());
        }
        for _ in 0..1_000_000 {
            if self.is_woken() {
                if let Some(answer) = self.poll() {
                    return (answer, Instant::now());
                }
            } else {
                tokio::time::advance(ms(1)).await;
            }
        }
        panic!("{:?} is never ready", self.future);
    }
}
