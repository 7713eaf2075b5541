//! The handle and the hooks of a layer that is already serving.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::Duration;

use http::Request;
use tower_ratelimit::{
    ClientIp, Decision, Event, ManualClock, MemoryStore, Policy, Quota, RateLimitLayer, Rejection,
    RequestHead, Secret, global, header,
};

use super::support::{Log, admitted, costing, field, from, hello, limited, metered, send, with};

#[tokio::test]
async fn a_disabled_layer_lets_everybody_pass_and_comes_back_as_it_was() {
    let (layer, _) = metered([("api", Quota::per_hour(3))]);
    let handle = layer.handle();
    let mut service = limited(&layer);
    assert_eq!(admitted(&mut service, 2, || Request::new(())).await, 2);

    handle.disable();
    assert!(!handle.is_enabled());
    assert_eq!(admitted(&mut service, 50, || Request::new(())).await, 50);
    let page = send(&mut service, Request::new(())).await;
    assert_eq!((field(page.headers(), "ratelimit"), page.extensions().len()), (None, 0));

    handle.enable();
    assert!(handle.is_enabled());
    assert_eq!(
        admitted(&mut service, 50, || Request::new(())).await,
        1,
        "usage was lost, or pauses were charged"
    );
    let stats = handle.stats();
    assert_eq!((stats.allowed, stats.denied, stats.rejected, stats.bypassed), (3, 49, 0, 51));
}

#[tokio::test]
async fn a_disabled_layer_asks_nobody_who_they_are() {
    // The kill switch has to help when the extractor, the clock or the cost is what is broken.
    fn broken(_: &RequestHead<'_>) -> u64 {
        panic!("the cost was asked for")
    }
    let layer =
        RateLimitLayer::new(Policy::new("api", Quota::per_hour(1)).key(header("x-user")).cost(broken));
    let layer = layer.on_decision(|_, _| panic!("a decision was told of"));
    layer.handle().disable();
    assert_eq!(admitted(&mut limited(&layer), 3, || Request::new(())).await, 3);
}

#[tokio::test]
async fn clones_services_and_handles_are_one_limiter() {
    let clock = ManualClock::new();
    let layer =
        RateLimitLayer::new(Policy::new("all", Quota::per_hour(4)).key(global())).clock(clock.clone());
    let twin = layer.clone();
    let (mut one, mut two) = (limited(&layer), limited(&twin));
    let mut three = two.clone();
    assert_eq!(send(&mut one, Request::new(())).await.status(), 200);
    assert_eq!(send(&mut two, Request::new(())).await.status(), 200);
    assert_eq!(send(&mut three, Request::new(())).await.status(), 200);
    // A setting of a clone is a setting of all.
    let quiet = twin.fields(tower_ratelimit::Fields::None);
    let page = send(&mut one, Request::new(())).await;
    assert_eq!((page.status().as_u16(), field(page.headers(), "ratelimit")), (200, None));
    for service in [&mut one, &mut two, &mut three] {
        assert_eq!(send(service, Request::new(())).await.status(), 429);
    }
    three.handle().disable();
    assert!(!layer.handle().is_enabled() && !quiet.handle().is_enabled() && !one.handle().is_enabled());
    assert_eq!(layer.handle().stats(), two.handle().stats());

    // Another layer is another limiter, unless it is given the same store.
    let other = || Policy::new("all", Quota::per_hour(4)).key(global());
    assert_eq!(admitted(&mut limited(&RateLimitLayer::new(other())), 9, || Request::new(())).await, 4);
    let store = MemoryStore::new();
    let mut through = 0;
    for _ in 0..3 {
        let layer = RateLimitLayer::new(other()).clock(clock.clone()).store(store.clone());
        through += admitted(&mut limited(&layer), 9, || Request::new(())).await;
    }
    assert_eq!(through, 4);
}

#[tokio::test]
async fn forgetting_a_key_frees_it_under_every_policy_and_nobody_else() {
    let key = || header("x-user").or(ClientIp::peer());
    let policies = [
        Policy::new("hour", Quota::per_hour(1)).key(key()),
        Policy::new("day", Quota::per_day(1)).key(key()),
        Policy::new("all", Quota::per_day(100)).key(global()),
    ];
    let layer = RateLimitLayer::new(policies).clock(ManualClock::new());
    let handle = layer.handle();
    let mut service = limited(&layer);
    let ann = || with("x-user", "ann");
    let peer = || from("2001:db8::7");
    for request in [ann, peer] {
        assert_eq!(send(&mut service, request()).await.status(), 200);
        assert_eq!(send(&mut service, request()).await.status(), 429);
    }

    assert!(handle.forget(&header("x-user").key_of("ann").unwrap()));
    assert_eq!(send(&mut service, peer()).await.status(), 429);
    assert_eq!(send(&mut service, ann()).await.status(), 200);
    assert_eq!(send(&mut service, ann()).await.status(), 429);

    // By address, in any form of the same network.
    assert!(handle.forget(&ClientIp::peer().key_of("2001:db8::abcd".parse().unwrap())));
    assert_eq!(send(&mut service, peer()).await.status(), 200);

    assert!(!handle.forget(&ClientIp::peer().key_of("192.0.2.9".parse().unwrap())), "nobody was known");
}

#[tokio::test]
async fn totals_count_each_request_once() {
    let policies = [
        Policy::new("peer", Quota::per_hour(2)),
        Policy::new("all", "5/h".parse().unwrap()).key(global()),
        Policy::new("free", Quota::per_hour(1)).key(global()).cost(|_: &RequestHead<'_>| 0),
    ];
    let layer = RateLimitLayer::new(policies).clock(ManualClock::new());
    let mut service =
        limited(&layer.clone().on_event(|_| ()).store(MemoryStore::with_capacity(1_000).unwrap()));
    let mut through = 0;
    for address in ["192.0.2.1", "192.0.2.2", "192.0.2.3"] {
        through += admitted(&mut service, 4, || from(address)).await;
    }
    send(&mut service, Request::new(())).await;
    let stats = layer.handle().stats();
    assert_eq!(through, 5);
    assert_eq!((stats.allowed, stats.denied, stats.rejected, stats.bypassed), (5, 7, 1, 0));
    let policies: Vec<_> =
        stats.policies.iter().map(|policy| (&*policy.name, &*policy.quota, policy.keys)).collect();
    assert_eq!(policies, [("peer", "2/h", 3), ("all", "5/h", 1), ("free", "1/h", 0)]);
    assert!(
        stats.policies.iter().all(|policy| policy.capacity >= 1_000 && policy.evictions == 0),
        "{stats:?}"
    );
}

#[tokio::test]
async fn every_decision_is_told_once_with_its_facts() {
    let log = Log::default();
    let writer = log.clone();
    let (layer, clock) = metered([("second", Quota::per_second(2)), ("hour", Quota::per_hour(3))]);
    let layer = layer.on_decision(move |decision, head| {
        let (kind, wait) = match decision {
            Decision::Allowed(_) => ("allowed", Some(Duration::ZERO)),
            Decision::Denied(denied) => ("denied", denied.retry_after()),
        };
        assert_eq!(wait, decision.retry_after());
        let (left, of) = (decision.remaining(), decision.limit());
        let (path, policy) = (head.uri().path(), head.policy().unwrap());
        writer.write(format!("{path} {kind} by {policy} {left}/{of} wait {wait:?}"));
    });
    let mut service = limited(&layer);
    let at = |path: &str, costs: [(&str, u64); 2]| {
        let mut request = costing(costs);
        *request.uri_mut() = path.parse().unwrap();
        request
    };
    let one = [("second", 1), ("hour", 1)];
    for path in ["/a", "/b", "/c"] {
        send(&mut service, at(path, one)).await;
    }
    clock.advance(Duration::from_secs(1));
    send(&mut service, at("/d", one)).await;
    send(&mut service, at("/e", one)).await;
    send(&mut service, at("/f", [("second", 3), ("hour", 1)])).await;
    assert_eq!(
        log.take(),
        [
            // Of two that admit, the one with fewer units left.
            "/a allowed by second 1/2 wait Some(0ns)",
            "/b allowed by second 0/2 wait Some(0ns)",
            "/c denied by second 0/2 wait Some(500ms)",
            "/d allowed by hour 0/3 wait Some(0ns)",
            "/e denied by hour 0/3 wait Some(1199s)",
            // Of two that refuse, the one that waits longer, and for ever is longest.
            "/f denied by second 1/2 wait None",
        ]
    );
    // A request that was not decided on is none.
    layer.handle().disable();
    send(&mut service, at("/g", one)).await;
    assert_eq!(log.take().len(), 0);
}

#[tokio::test]
async fn handlers_read_the_decision_when_they_are_given_it() {
    use std::convert::Infallible;
    use tower::{Layer, service_fn};

    let seen = Arc::new(AtomicU64::new(u64::MAX));
    let writer = seen.clone();
    let inner = service_fn(move |request: Request<()>| {
        let decision = request.extensions().get::<Decision>();
        writer.store(decision.map_or(99, Decision::remaining), SeqCst);
        std::future::ready(Ok::<_, Infallible>(http::Response::new(
            http_body_util::Empty::<bytes::Bytes>::new(),
        )))
    });
    let (layer, _) = metered([("api", Quota::per_hour(5))]);
    send(&mut layer.layer(inner.clone()), Request::new(())).await;
    assert_eq!(seen.load(SeqCst), 99, "a decision that nobody asked for");

    let layer = layer.with_decision();
    send(&mut layer.layer(inner.clone()), Request::new(())).await;
    assert_eq!(seen.load(SeqCst), 3);
    // A forged one from outside does not survive.
    let mut request = Request::new(());
    request.extensions_mut().insert(tower_ratelimit::Decision::clone(&forged()));
    send(&mut layer.layer(inner), request).await;
    assert_eq!(seen.load(SeqCst), 2);
}

fn forged() -> Decision {
    rate_core::Limiter::new(Quota::per_hour(1_000)).check()
}

fn instance<B>(refusal: &http::Response<B>) -> String {
    refusal.extensions().get::<Rejection>().unwrap().instance()
}

#[tokio::test]
async fn every_event_has_its_code_and_says_it_first() {
    let log = Log::default();
    let writer = log.clone();
    let policy = || Policy::new("api", Quota::per_hour(1)).key(header("x-user").or(ClientIp::peer()));
    let layer = RateLimitLayer::new(policy())
        .store(MemoryStore::new().secret(Secret::from_bytes([7; 16])))
        .clock(ManualClock::new())
        .on_event(move |event| {
            assert!(event.to_string().starts_with(&format!("{}: ", event.code())), "{event}");
            assert!(event.code().starts_with("ratelimit-"), "{}", event.code());
            writer.write(event.code());
            writer.write(event);
        });
    let mut service = limited(&layer);
    let key = ClientIp::peer().key_of([192, 0, 2, 1].into());
    let digest = layer.handle().digest(&key);
    assert_eq!(log.take().len(), 0, "asking for a digest is no event");

    let told = |code: &str, text: String| {
        assert_eq!(log.take(), [code.to_owned(), format!("{code}: {text}")]);
    };
    send(&mut service, from("192.0.2.1")).await;
    let instance = instance(&send(&mut service, from("192.0.2.1")).await);
    let text = format!("policy \"api\" refused key {digest}, to retry in 3600s ({instance})");
    told("ratelimit-denied", text);
    layer.handle().set_policies(policy().cost(|_: &RequestHead<'_>| 2)).unwrap();
    told("ratelimit-policies-changed", "policies in force now: 1".into());
    let instance = self::instance(&send(&mut service, from("192.0.2.1")).await);
    let text = format!("policy \"api\" refused key {digest}: the cost exceeds the burst ({instance})");
    told("ratelimit-denied", text);

    send(&mut service, with("x-user", "")).await;
    let text = "policy \"api\" found no key: a header is empty or not visible ASCII";
    told("ratelimit-key-rejected", text.into());
    send(&mut service, Request::new(())).await;
    let text = "the server does not say who the peer is, so requests are refused with 500. Insert the peer's \
                `std::net::SocketAddr` into each request's extensions.";
    told("ratelimit-no-peer", text.into());
    layer.handle().forget(&key);
    told("ratelimit-forgotten", format!("key {digest} was erased"));
    layer.handle().disable();
    told("ratelimit-disabled", "the limits are switched off, every request passes".into());
    layer.handle().enable();
    told("ratelimit-enabled", "the limits are switched on".into());

    // The two that need a store of their own are in `stores`; the codes are these for ever.
    let error = tower_ratelimit::StoreError::new("gone");
    assert_eq!(Event::SharedPeer { policy: "api", fix: "" }.code(), "ratelimit-shared-peer");
    assert_eq!(Event::StoreFailed { error: &error }.code(), "ratelimit-store-failed");
    assert_eq!(Event::Evicted { policy: "api", total: 1 }.code(), "ratelimit-evicted");
}

#[tokio::test]
async fn each_refusing_policy_is_told_of_by_itself() {
    let log = Log::default();
    let writer = log.clone();
    let (layer, _) =
        metered([("a", Quota::per_hour(1)), ("b", Quota::per_hour(9)), ("c", Quota::per_hour(1))]);
    let layer = layer.on_event(move |event| {
        if let Event::Denied { policy, instance, .. } = event {
            writer.write(policy);
            writer.write(instance);
        }
    });
    let mut service = limited(&layer);
    assert_eq!(admitted(&mut service, 1, || Request::new(())).await, 1);
    // Under the name that its user was given.
    let instance = instance(&send(&mut service, Request::new(())).await);
    assert_eq!(log.take(), ["a", &instance, "c", &instance]);
}

#[tokio::test]
async fn hooks_may_use_the_handle() {
    // An operator's hook that reacts, say by switching off: it must not meet a lock that the layer holds.
    let layer =
        RateLimitLayer::new(Policy::new("all", Quota::per_hour(1)).key(global())).clock(ManualClock::new());
    let (on_event, on_decision) = (layer.handle(), layer.handle());
    let layer = layer
        .on_event(move |event| {
            if matches!(event, Event::Denied { .. }) {
                on_event.disable();
            }
        })
        .on_decision(move |decision, _| {
            if !decision.is_allowed() {
                on_decision.set_policies(Quota::per_second(7)).unwrap();
            }
        });
    let mut service = tower::Layer::layer(&layer, hello());
    assert_eq!(admitted(&mut service, 2, || Request::new(())).await, 1);
    assert!(!layer.handle().is_enabled());
    assert_eq!(layer.handle().stats().policies[0].quota, "7/s");
}
