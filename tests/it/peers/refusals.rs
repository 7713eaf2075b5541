//! The row about what a refusal costs. How long it takes is a matter for the bench; what it must not do can be seen.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use rate_core::Quota;
use tower::{Layer, Service};
use tower_ratelimit::{Fields, RateLimitLayer};

use super::START;
use crate::core::six::Subject;
use crate::layer::support::{from, hello};

#[test]
fn deny_path_cost() {
    // tower_governor took 17 times as long to refuse as to admit.
    for subject in Subject::all(Quota::per_day(5), 300) {
        assert_eq!(subject.limit.up_to(0, 5, START), 5);
        let before = subject.peek(START);
        let spent = allocation_counter::measure(|| {
            for _ in 0..1_000 {
                assert!(!subject.limit.check(0, 1, START).is_allowed());
            }
        });
        assert_eq!(spent.count_total, 0, "{subject:?}: a refusal allocates");
        assert_eq!(subject.peek(START), before, "{subject:?}: a refusal is written down");
        assert_eq!(subject.limit.evictions(), 0, "{subject:?}");
    }

    // A key that nobody knows and that asks for too much is not stored for that.
    for subject in Subject::all(Quota::per_day(5), 1) {
        for key in 0..100 {
            assert!(!subject.limit.check(key, 6, START).is_allowed());
        }
        assert_eq!(subject.limit.evictions(), 0, "{subject:?}");
    }

    // Through the layer the answer takes what it is made of: fields, the body, and the reason beside it.
    for (fields, most) in [(Fields::default(), 8), (Fields::None, 6)] {
        let counts = refusals(&RateLimitLayer::new(Quota::per_day(5)).fields(fields));
        assert!(counts.iter().all(|count| *count <= most), "{most}: {counts:?}");
    }
}

/// What each of a thousand refusals allocates.
fn refusals(layer: &RateLimitLayer) -> Vec<u64> {
    let mut service = layer.layer(hello());
    let mut send = |status| {
        let request = from("192.0.2.1");
        let mut context = Context::from_waker(Waker::noop());
        let mut found = None;
        let spent = allocation_counter::measure(|| {
            assert!(service.poll_ready(&mut context).is_ready());
            let Poll::Ready(response) = pin!(service.call(request)).poll(&mut context) else {
                panic!("it waited")
            };
            found = Some(response.unwrap().status());
        });
        assert_eq!(found.unwrap(), status);
        spent.count_total
    };
    for _ in 0..5 {
        send(200);
    }
    send(429);
    (0..1_000).map(|_| send(429)).collect()
}
