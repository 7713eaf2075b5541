//! Many at once: what a limit says holds to the unit, and a client that leaves wins nothing and breaks nothing.

use std::convert::Infallible;
use std::future::{Future, pending};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use http::Request;
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinSet;
use tower::{Layer, Service, ServiceExt, service_fn};
use tower_ratelimit::{ManualClock, MemoryStore, Policy, Quota, RateLimitLayer, SlowStore, global, header};

use super::support::{Page, admitted, costing, field, limited, metered, send, with};

fn threads() -> Runtime {
    Builder::new_multi_thread().worker_threads(4).enable_time().build().unwrap()
}

fn slow() -> SlowStore<MemoryStore> {
    // The shortest that tokio's timer knows: every decision is made by a task that was woken.
    SlowStore::new(MemoryStore::new(), Duration::ZERO)
}

/// Sends these requests, each from a task of its own with a service of its own, and counts those let through.
async fn at_once(layer: &RateLimitLayer, requests: impl Iterator<Item = Request<()>>) -> usize {
    let mut tasks = JoinSet::new();
    for request in requests {
        let mut service = limited(layer);
        tasks.spawn(async move { send(&mut service, request).await.status() == 200 });
    }
    tasks.join_all().await.into_iter().filter(|allowed| *allowed).count()
}

#[test]
fn a_thousand_tasks_on_one_key_admit_exactly_the_burst() {
    threads().block_on(async {
        for burst in [1, 10, 137, 999, 1_000] {
            let layer = || {
                let policy = Policy::new("all", Quota::per_hour(1).burst(burst)).key(global());
                RateLimitLayer::new(policy).clock(ManualClock::new())
            };
            for layer in [layer(), layer().store(slow())] {
                let through = at_once(&layer, (0..1_000).map(|_| Request::new(()))).await;
                assert_eq!(through as u64, burst);
                let stats = layer.handle().stats();
                assert_eq!((stats.allowed, stats.denied), (burst, 1_000 - burst));
            }
        }
    });
}

#[test]
fn keys_at_once_do_not_take_from_each_other() {
    threads().block_on(async {
        let policies = || {
            [
                Policy::new("own", Quota::per_hour(7)).key(header("x-user")),
                Policy::new("all", Quota::per_hour(1_000)).key(global()),
            ]
        };
        let layer = || RateLimitLayer::new(policies()).clock(ManualClock::new());
        for layer in [layer(), layer().store(slow())] {
            let users = (0..1_000).map(|index| with("x-user", format!("user {}", index % 50)));
            assert_eq!(at_once(&layer, users).await, 50 * 7);
            assert_eq!(layer.handle().stats().policies[0].keys, 50);
        }
    });
}

#[test]
fn a_quota_far_above_the_demand_refuses_nobody() {
    threads().block_on(async {
        let policies =
            ["a", "b", "c"].map(|name| Policy::new(name, Quota::per_hour(1_000_000)).key(global()));
        let layer = RateLimitLayer::new(policies);
        assert_eq!(at_once(&layer, (0..2_000).map(|_| Request::new(()))).await, 2_000);
    });
}

/// Sends through a service that answers at once.
fn now(
    service: &mut impl Service<Request<()>, Response = http::Response<impl Sized>, Error = Infallible>,
) -> u16 {
    let mut cx = Context::from_waker(Waker::noop());
    assert!(service.poll_ready(&mut cx).is_ready());
    let Poll::Ready(Ok(answer)) = std::pin::pin!(service.call(Request::new(()))).poll(&mut cx) else {
        panic!("memory answers at once")
    };
    answer.status().as_u16()
}

#[tokio::test]
async fn two_policies_never_leak_a_charge_under_eight_threads() {
    // What pubky saw with two limiters in a row: refusals by the short limit drained the daily one.
    let (layer, clock) = metered([("daily", Quota::per_day(1_000_000)), ("burst", Quota::per_second(50))]);
    let through = Arc::new(AtomicUsize::new(0));
    thread::scope(|scope| {
        for thread in 0..8 {
            let (mut service, clock, through) = (limited(&layer), clock.clone(), through.clone());
            scope.spawn(move || {
                for turn in 0..2_000 {
                    through.fetch_add(usize::from(now(&mut service) == 200), SeqCst);
                    if thread == 0 && turn % 100 == 0 {
                        clock.advance(Duration::from_millis(100));
                    }
                }
            });
        }
    });
    // Fifty at the start, five for each of the twenty steps that somebody was there to take.
    let through = through.load(SeqCst);
    assert!((50..=150).contains(&through), "{through}");
    let look = send(&mut limited(&layer), costing([("daily", 0), ("burst", 0)])).await;
    let daily = field(look.headers(), "ratelimit").unwrap();
    let earned_back = 2 * 1_000_000 / 86_400; // in the two seconds that have passed
    let left: usize =
        daily.strip_prefix(r#""daily";r="#).unwrap().split(';').next().unwrap().parse().unwrap();
    assert!(
        (1_000_000 - through..=1_000_000 - through + earned_back + 1).contains(&left),
        "{through}: {left}"
    );

    // With a clock that stands there is nothing to allow for.
    let (layer, _) = metered([("daily", Quota::per_day(1_000_000)), ("burst", Quota::per_second(50))]);
    thread::scope(|scope| {
        for _ in 0..8 {
            let mut service = limited(&layer);
            scope.spawn(move || (0..1_000).map(|_| now(&mut service)).max());
        }
    });
    let look = send(&mut limited(&layer), costing([("daily", 0), ("burst", 0)])).await;
    let left = field(look.headers(), "ratelimit").unwrap();
    assert!(left.starts_with(r#""daily";r=999950;"#), "{left}");
    let stats = layer.handle().stats();
    assert_eq!((stats.allowed, stats.denied), (51, 7_950));
}

#[tokio::test]
async fn a_refusal_costs_nothing_however_often() {
    let (layer, clock) = metered([("burst", Quota::per_second(1)), ("daily", Quota::per_day(1_000))]);
    let mut service = limited(&layer);
    assert_eq!(admitted(&mut service, 10_000, || Request::new(())).await, 1);
    let refusal = send(&mut service, Request::new(())).await;
    assert_eq!(field(refusal.headers(), "ratelimit").unwrap(), r#""burst";r=0;t=1, "daily";r=999;t=86314"#);
    // Nor does it put off the moment at which the next is admitted.
    clock.advance(Duration::from_nanos(999_999_999));
    assert_eq!(send(&mut service, Request::new(())).await.status(), 429);
    clock.advance(Duration::from_nanos(1));
    assert_eq!(send(&mut service, Request::new(())).await.status(), 200);
}

#[tokio::test(start_paused = true)]
async fn leaving_while_the_store_decides_admits_nobody_and_wedges_nothing() {
    let served = Arc::new(AtomicUsize::new(0));
    let counter = served.clone();
    let inner = service_fn(move |_: Request<()>| {
        counter.fetch_add(1, SeqCst);
        std::future::ready(Ok::<_, Infallible>(Page::default()))
    });
    let store = SlowStore::new(MemoryStore::new(), Duration::from_secs(1));
    let policies = ["a", "b"].map(|name| Policy::new(name, Quota::per_hour(100)).key(global()));
    let layer = RateLimitLayer::new(policies).clock(ManualClock::new()).store(store);
    let mut service = layer.layer(inner);

    let mut staying = JoinSet::new();
    let mut leaving = Vec::new();
    for index in 0..80 {
        let answer = service.ready().await.unwrap().call(Request::new(()));
        if index % 2 == 0 {
            staying.spawn(answer);
        } else {
            leaving.push(tokio::spawn(answer));
        }
    }
    tokio::time::advance(Duration::from_millis(500)).await;
    leaving.iter().for_each(tokio::task::JoinHandle::abort);
    for task in leaving {
        assert!(task.await.unwrap_err().is_cancelled());
    }
    for answer in staying.join_all().await {
        assert_eq!(answer.unwrap().status(), 200);
    }
    assert_eq!(served.load(SeqCst), 40, "somebody was served who had left");

    // Those who left may have been charged and nothing else: the others find at least what they have not taken.
    let rest = admitted(&mut service, 200, || Request::new(())).await;
    assert!((20..=60).contains(&rest), "{rest}");
    let look = send(&mut service, Request::new(())).await;
    assert_eq!(field(look.headers(), "ratelimit").unwrap(), r#""a";r=0;t=36, "b";r=0;t=36"#);
}

#[tokio::test(start_paused = true)]
async fn leaving_while_the_handler_works_refunds_nothing() {
    let stuck = service_fn(|_: Request<()>| async {
        pending::<()>().await;
        Ok::<_, Infallible>(Page::default())
    });
    let policy = || Policy::new("all", Quota::per_hour(10)).key(global());
    let layer = || RateLimitLayer::new(policy()).clock(ManualClock::new());
    for layer in [layer(), layer().store(SlowStore::new(MemoryStore::new(), Duration::from_secs(1)))] {
        let mut service = layer.layer(stuck);
        for _ in 0..10 {
            let answer = service.ready().await.unwrap().call(Request::new(()));
            let left = tokio::time::timeout(Duration::from_secs(30), answer).await;
            assert!(left.is_err(), "the handler never answers");
        }
        assert_eq!(send(&mut limited(&layer), Request::new(())).await.status(), 429);
    }
}

#[tokio::test(start_paused = true)]
async fn a_waiting_request_outlives_its_service_and_its_layer() {
    let policy = Policy::new("all", Quota::per_hour(1)).key(global());
    let layer = RateLimitLayer::new(policy).store(SlowStore::new(MemoryStore::new(), Duration::from_secs(1)));
    let mut service = limited(&layer);
    let first = service.ready().await.unwrap().call(Request::new(()));
    let second = service.ready().await.unwrap().call(Request::new(()));
    drop((service, layer));
    assert_eq!(first.await.unwrap().status(), 200);
    assert_eq!(second.await.unwrap().status(), 429);
}
