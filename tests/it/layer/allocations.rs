//! What the layer takes from the allocator for a request that it lets through: nothing.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use http::{HeaderValue, Request, Response};
use tower::{Layer, Service};
use tower_ratelimit::{
    ClientIp, Fields, Key, KeyError, KeyExtractor, OnMissingKey, Policy, Quota, RateLimitLayer, RequestHead,
    extension, global, header,
};

use super::support::{from, hello};

const AMPLE: Quota = Quota::per_second(1_000_000);

/// More than the layer lets pass between two looks after itself, so that what is rare is seen too.
const REQUESTS: u64 = 3_000;

/// What so many requests allocate in a service that is warm.
fn allocations<S, B>(mut service: S, request: impl Fn() -> Request<()>) -> u64
where
    S: Service<Request<()>, Response = Response<B>>,
    S::Error: std::fmt::Debug,
{
    let mut send = || {
        let request = request();
        let mut cx = Context::from_waker(Waker::noop());
        let mut status = None;
        let spent = allocation_counter::measure(|| {
            assert!(service.poll_ready(&mut cx).is_ready());
            let Poll::Ready(response) = pin!(service.call(request)).poll(&mut cx) else {
                panic!("it waited")
            };
            status = Some(response.unwrap().status());
        });
        assert_eq!(status.unwrap(), 200);
        spent.count_total
    };
    send();
    (0..REQUESTS).map(|_| send()).sum()
}

/// What the layer adds.
fn added<const N: usize>(policies: [Policy; N], request: impl Fn() -> Request<()> + Copy) -> u64 {
    let layer = RateLimitLayer::new(policies).fields(Fields::None);
    allocations(layer.layer(hello()), request) - allocations(hello(), request)
}

#[derive(Clone)]
struct Account(u64);

impl From<&Account> for Key {
    fn from(account: &Account) -> Self {
        Self::id(account.0)
    }
}

/// In no request.
struct Session;

impl From<&Session> for Key {
    fn from(_: &Session) -> Self {
        Self::id(0)
    }
}

struct Tenant;

impl KeyExtractor for Tenant {
    fn extract(&self, request: &RequestHead<'_>) -> Result<Key, KeyError> {
        Key::text(request.header_str("x-tenant")?)
    }
}

fn request() -> Request<()> {
    let mut request = from("2001:db8::1");
    request.extensions_mut().insert(Account(7));
    // As long as the usual API key.
    request
        .headers_mut()
        .insert("x-api-key", HeaderValue::from_static("sk-0123456789abcdef0123456789abcdef0123"));
    request.headers_mut().insert("x-tenant", HeaderValue::from_static("blue"));
    request
}

#[test]
fn an_allowed_request_without_fields_adds_none() {
    let policy = || Policy::new("p", AMPLE);
    for (case, policy) in [
        ("the peer", policy()),
        ("everybody", policy().key(global())),
        ("a header", policy().key(header("x-api-key"))),
        ("an extension", policy().key(extension::<Account>())),
        ("a pair", policy().key((header("x-tenant"), ClientIp::peer()))),
        ("a key that falls back", policy().key(header("x-other").or(ClientIp::peer()))),
        (
            "an extension that falls back",
            policy().key(extension::<Session>().or(header("x-none")).or(ClientIp::peer())),
        ),
        ("an extractor of one's own", policy().key(Tenant)),
        (
            "a closure, and a cost",
            policy().key(|head: &RequestHead<'_>| Key::text(head.uri().path())).cost(3),
        ),
    ] {
        assert_eq!(added([policy], request), 0, "{case}");
    }
}

#[test]
fn a_bucket_that_is_shared_adds_none() {
    let shared = || Policy::new("p", AMPLE).on_missing_key(OnMissingKey::SharedBucket);
    assert_eq!(added([shared()], request), 0);
    assert_eq!(added([shared().key(header("x-none"))], request), 0);
    // The peer is missing in every request, which is told with the first.
    assert_eq!(added([shared()], || Request::new(())), 0);
}

#[test]
fn two_and_three_policies_add_none() {
    let policies = || {
        [
            Policy::new("peer", AMPLE),
            Policy::new("key", AMPLE).key(header("x-api-key")),
            Policy::new("all", AMPLE).key(global()),
        ]
    };
    let [one, two, three] = policies();
    assert_eq!(added([one.clone(), two.clone()], request), 0);
    assert_eq!(added([one, two, three], request), 0);
}

#[test]
fn hooks_and_a_disabled_layer_add_none() {
    let layer = RateLimitLayer::new(AMPLE).fields(Fields::None).on_decision(|decision, head| {
        assert!(decision.is_allowed() && head.peer().is_some());
    });
    assert_eq!(allocations(layer.layer(hello()), request), allocations(hello(), request));
    let layer = RateLimitLayer::new(AMPLE);
    layer.handle().disable();
    assert_eq!(allocations(layer.layer(hello()), request), allocations(hello(), request));
}

#[test]
fn what_is_documented_to_allocate_is_seen_to() {
    // Or the zeros above would prove nothing but a broken counter.
    let fields = RateLimitLayer::new(AMPLE);
    assert!(allocations(fields.layer(hello()), request) >= REQUESTS);
    let decision = RateLimitLayer::new(AMPLE).fields(Fields::None).with_decision();
    assert_eq!(allocations(decision.layer(hello()), request), REQUESTS, "one a request");
}
