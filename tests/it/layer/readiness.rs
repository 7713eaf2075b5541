//! Tower's contract: readiness counts once, belongs to one service, and is asked of the inner service alone.

use std::future::{Future, Ready, poll_fn, ready};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use tower::{Layer, Service, ServiceExt};
use tower_ratelimit::{ManualClock, MemoryStore, Policy, Quota, RateLimitLayer, SlowStore, global};

use super::support::{Page, field, hello, send};

/// Panics when it is called without having been polled ready. Readiness takes two polls and reserves a place, which a
/// clone does not have: the way a pool of connections or a concurrency limit behaves.
#[derive(Debug, Default)]
pub(crate) struct Strict {
    asked: bool,
    place: Option<Arc<()>>,
    pub(crate) seen: Arc<Seen>,
}

#[derive(Debug, Default)]
pub(crate) struct Seen {
    polls: AtomicUsize,
    calls: AtomicUsize,
    places: Arc<()>,
}

impl Seen {
    pub(crate) fn calls(&self) -> usize {
        self.calls.load(SeqCst)
    }

    fn reserved(&self) -> usize {
        Arc::strong_count(&self.places) - 1
    }
}

impl Clone for Strict {
    fn clone(&self) -> Self {
        Self { asked: false, place: None, seen: self.seen.clone() }
    }
}

impl Service<Request<()>> for Strict {
    type Response = Page;
    type Error = Broken;
    type Future = Ready<Result<Page, Broken>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Broken>> {
        self.seen.polls.fetch_add(1, SeqCst);
        if !self.asked {
            self.asked = true;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        self.place.get_or_insert_with(|| self.seen.places.clone());
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<()>) -> Self::Future {
        self.place.take().expect("called without having been polled ready");
        self.asked = false;
        self.seen.calls.fetch_add(1, SeqCst);
        ready(if request.uri().path() == "/broken" {
            Err(Broken(42))
        } else {
            Ok(Response::new(Full::new(Bytes::new())))
        })
    }
}

/// An error that can be nothing but itself: no `Display`, no `Error`, no conversion.
#[derive(Debug, PartialEq)]
pub(crate) struct Broken(u32);

pub(crate) fn everybody(burst: u64) -> RateLimitLayer {
    RateLimitLayer::new(Policy::new("all", Quota::per_hour(1).burst(burst)).key(global()))
        .clock(ManualClock::new())
}

pub(crate) fn slow(burst: u64) -> RateLimitLayer {
    everybody(burst).store(SlowStore::new(MemoryStore::new(), Duration::from_millis(5)))
}

fn broken() -> Request<()> {
    Request::builder().uri("/broken").body(()).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_strict_service_survives_many_requests_at_once() {
    for layer in [everybody(50), slow(50)] {
        let strict = Strict::default();
        let seen = strict.seen.clone();
        let mut service = layer.layer(strict);
        let mut answers = Vec::new();
        // One service, called again while its earlier answers are still under way.
        for _ in 0..100 {
            answers.push(service.ready().await.unwrap().call(Request::new(())));
        }
        let mut clone = service.clone();
        answers.push(clone.ready().await.unwrap().call(Request::new(())));
        let mut admitted = 0;
        for answer in answers {
            admitted += usize::from(answer.await.unwrap().status() == 200);
        }
        assert_eq!((admitted, seen.calls()), (50, 50));
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_frees_the_place_that_was_reserved_for_it() {
    let strict = Strict::default();
    let seen = strict.seen.clone();
    let mut service = slow(1).layer(strict);
    send(&mut service, Request::new(())).await;
    assert_eq!(seen.reserved(), 0);

    let refusal = service.ready().await.unwrap().call(Request::new(()));
    assert_eq!(seen.reserved(), 1);
    let refusal = refusal.await.unwrap();
    assert_eq!(refusal.status(), 429);
    // With the answer, not with its body: a client that reads slowly must not hold a place it was refused.
    assert_eq!(seen.reserved(), 0);
}

#[test]
fn readiness_is_the_inner_services_and_costs_nothing() {
    let layer = everybody(2);
    let strict = Strict::default();
    let seen = strict.seen.clone();
    let mut service = layer.layer(strict);
    let mut cx = Context::from_waker(Waker::noop());

    assert!(Service::<Request<()>>::poll_ready(&mut service, &mut cx).is_pending());
    for polls in 2..100 {
        assert!(Service::<Request<()>>::poll_ready(&mut service, &mut cx).is_ready());
        assert_eq!(seen.polls.load(SeqCst), polls);
    }
    assert_eq!(layer.handle().stats(), everybody(2).handle().stats(), "being ready was counted");
}

#[tokio::test]
async fn an_exhausted_limit_is_still_ready() {
    // Or a load balancer would take the whole service out of use because one client asked too much.
    let mut service = everybody(1).layer(hello());
    send(&mut service, Request::new(())).await;
    for _ in 0..3 {
        poll_fn(|cx| Service::<Request<()>>::poll_ready(&mut service, cx)).await.unwrap();
        assert_eq!(service.call(Request::new(())).await.unwrap().status(), 429);
    }
}

#[tokio::test]
async fn an_error_of_readiness_passes_untouched() {
    #[derive(Clone)]
    struct Gone;
    impl Service<Request<()>> for Gone {
        type Response = Page;
        type Error = Broken;
        type Future = Ready<Result<Page, Broken>>;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Broken>> {
            Poll::Ready(Err(Broken(7)))
        }

        fn call(&mut self, _: Request<()>) -> Self::Future {
            unreachable!("it was never ready")
        }
    }

    let mut service = everybody(1).layer(Gone);
    assert_eq!(service.ready().await.err(), Some(Broken(7)));
}

#[tokio::test(start_paused = true)]
async fn errors_of_the_inner_service_pass_untouched_and_stay_charged() {
    for layer in [everybody(2), slow(2)] {
        let mut service = layer.layer(Strict::default());
        for _ in 0..2 {
            let error: Result<_, Broken> = service.ready().await.unwrap().call(broken()).await;
            assert_eq!(error.err(), Some(Broken(42)));
        }
        // A handler that can be made to fail would otherwise be free.
        let refusal = service.ready().await.unwrap().call(broken()).await.unwrap();
        assert_eq!(refusal.status(), 429);
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_decides_at_once_on_memory_and_only_when_polled_on_a_slow_store() {
    let mut service = everybody(1).layer(hello());
    drop(service.ready().await.unwrap().call(Request::new(())));
    assert_eq!(send(&mut service, Request::new(())).await.status(), 429, "a request counts when it arrives");

    let strict = Strict::default();
    let seen = strict.seen.clone();
    let mut service = slow(1).layer(strict);
    let mut answer = pin!(service.ready().await.unwrap().call(Request::new(())));
    let mut cx = Context::from_waker(Waker::noop());
    assert!(answer.as_mut().poll(&mut cx).is_pending());
    assert_eq!(seen.calls(), 0, "the service inside was called before the store had answered");
    let page = answer.await.unwrap();
    assert_eq!((page.status().as_u16(), seen.calls()), (200, 1));
    assert!(field(page.headers(), "ratelimit").is_some());
}
