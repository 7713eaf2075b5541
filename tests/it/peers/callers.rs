//! Rows about who is asking, seen through the layer.

use std::net::{IpAddr, Ipv6Addr};

use axum_ratelimit::RateLimitLayer as AxumLayer;
use http::Request;
use tower::ServiceExt;
use tower_ratelimit::{
    ClientIp, KeyErrorKind, KeyExtractor, ManualClock, OnMissingKey, Policy, Quota, RateLimitLayer,
    Rejection, RejectionKind, RequestHead, header,
};

use crate::layer::support::{Log, admitted, from, limited, send, with};

/// Once per hour for each key.
const ONCE: Quota = Quota::per_hour(1);

#[tokio::test]
async fn ipv4_mapped() {
    // axum-governor and actix-governor masked ::ffff:a.b.c.d as IPv6, so that all IPv4 clients of a dual-stack server shared
    // one limit.
    let mut service = limited(&RateLimitLayer::new(ONCE).clock(ManualClock::new()));
    for (address, is_new) in [
        ("::ffff:1.2.3.4", true),
        ("::ffff:5.6.7.8", true),
        ("1.2.3.4", false),
        ("5.6.7.8", false),
        ("::ffff:102:304", false),
        ("9.9.9.9", true),
        ("::ffff:9.9.9.9", false),
    ] {
        let status = send(&mut service, from(address)).await.status();
        assert_eq!(status == 200, is_new, "{address}");
    }
}

#[tokio::test]
async fn ipv6_rotation() {
    // axum-governor, tower_governor: whoever has a network of 2^64 addresses had as many limits.
    let layer = RateLimitLayer::new(Quota::per_hour(10)).clock(ManualClock::new());
    let mut service = limited(&layer);
    let network = "2001:db8:7:7::".parse::<Ipv6Addr>().unwrap().to_bits();
    let mut admitted = 0;
    for host in 0..1_000_u128 {
        // Hosts all over the network, its last bit and its first included.
        let address = Ipv6Addr::from_bits(network | host << 54 | host);
        admitted += usize::from(send(&mut service, from(&address.to_string())).await.status() == 200);
    }
    assert_eq!((admitted, layer.handle().stats().policies[0].keys), (10, 1));
}

#[tokio::test]
async fn no_connect_info() {
    // tower-governor#10: all requests were 500, without a word of why, and tests had not shown it.
    let app = |layer: AxumLayer| {
        axum::Router::new().route("/", axum::routing::get(|| async { "hello" })).layer(layer)
    };
    let ask = |app: axum::Router| async move {
        let request = Request::builder().uri("/").body(axum::body::Body::empty()).unwrap();
        app.oneshot(request).await.unwrap()
    };
    let log = Log::default();
    let writer = log.clone();
    let strict = app(AxumLayer::new(ONCE).on_event(move |event| writer.write(event)));
    let refusal = ask(strict).await;
    assert_eq!(refusal.status(), 500);
    let kind = refusal.extensions().get::<Rejection>().unwrap().kind();
    assert_eq!(kind, RejectionKind::Key(KeyErrorKind::NoPeer));
    let told = log.take();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("into_make_service_with_connect_info::<std::net::SocketAddr>()"), "{told:?}");

    // Who says so serves everybody from one bucket.
    let policy = Policy::new("shared", Quota::per_hour(2)).on_missing_key(OnMissingKey::SharedBucket);
    let shared = app(AxumLayer::new(policy));
    let mut statuses = Vec::new();
    for _ in 0..3 {
        statuses.push(ask(shared.clone()).await.status().as_u16());
    }
    assert_eq!(statuses, [200, 200, 429]);
}

#[tokio::test]
async fn missing_key() {
    // A request without an identity passes unlimited elsewhere. Here it is refused, or counted with its like if one says so.
    let policy = Policy::new("own", ONCE).key(header("x-api-key"));
    let layer = RateLimitLayer::new(policy.clone()).on_event(|_| ());
    for _ in 0..3 {
        let refusal = send(&mut limited(&layer), Request::new(())).await;
        assert_eq!(refusal.status(), 400);
        let kind = refusal.extensions().get::<Rejection>().unwrap().kind();
        assert_eq!(kind, RejectionKind::Key(KeyErrorKind::Missing));
    }
    let shared = RateLimitLayer::new(policy.on_missing_key(OnMissingKey::SharedBucket));
    assert_eq!(admitted(&mut limited(&shared), 5, || Request::new(())).await, 1);
    assert_eq!(admitted(&mut limited(&shared), 5, || with("x-api-key", "ann")).await, 1);
    assert_eq!(admitted(&mut limited(&shared), 5, || from("192.0.2.1")).await, 0);
}

#[tokio::test]
async fn key_collision() {
    // tower-rate-tier: user "a:b" in tier "c" was user "a" in tier "b:c".
    let limiter = rate_core::KeyedLimiter::new(ONCE);
    let pairs = [("ab", "c"), ("a", "bc"), ("abc", ""), ("", "abc"), ("a:b", "c"), ("a", "b:c")];
    for key in pairs {
        assert!(limiter.check(&key).is_allowed(), "{key:?} shares a limit");
    }
    let policy = Policy::new("own", ONCE).key((header("x-user"), header("x-tier")));
    let mut service = limited(&RateLimitLayer::new(policy).clock(ManualClock::new()));
    for (user, tier) in [("ab", "c"), ("a", "bc"), ("a:b", "c"), ("a", "b:c"), ("a,b", "c"), ("c", "ab")] {
        let request = || Request::builder().header("x-user", user).header("x-tier", tier).body(()).unwrap();
        assert_eq!(admitted(&mut service, 3, request).await, 1, "{user}, {tier}");
    }
}

#[tokio::test]
async fn key_redaction() {
    // tower_governor writes the keys of those it refuses to the log.
    let log = Log::default();
    let (events, decisions) = (log.clone(), log.clone());
    let layer =
        RateLimitLayer::new(Policy::new("own", Quota::per_hour(1)).key((header("x-user"), ClientIp::peer())))
            .on_event(move |event| events.write(format!("{event} {event:?}")))
            .on_decision(move |decision, head| decisions.write(format!("{decision:?} {head:?}")));
    let mut service = limited(&layer);
    let ann = |name: &str| {
        let mut request = from("203.0.113.77");
        request.headers_mut().insert("x-user", name.parse().unwrap());
        request
    };
    for name in ["ann@example.org", "ann@example.org", "ann@example.org\texample.org"] {
        send(&mut service, ann(name)).await;
    }
    let key =
        (header("x-user"), ClientIp::peer()).extract(&RequestHead::of(&ann("ann@example.org"))).unwrap();
    assert!(layer.handle().forget(&key));
    log.write(format!("{key:?} {service:?} {layer:?} {:?} {:?}", layer.handle(), layer.handle().stats()));
    let told = log.take();
    assert_eq!(told.len(), 2 + 1 + 1 + 1 + 1, "{told:#?}");
    for line in &told {
        for raw in ["ann", "example.org", "203.0.113.77", "203, 0, 113"] {
            assert!(!line.contains(raw), "{raw} in {line}");
        }
    }
    // What an operator can use: the digest, and how to ask for it.
    let digest = layer.handle().digest(&key).to_string();
    assert_eq!(digest.len(), 16);
    assert_eq!(told.iter().filter(|line| line.contains(&digest)).count(), 2, "denied and forgotten");
    assert_ne!(
        layer.handle().digest(&ClientIp::peer().key_of(IpAddr::from([203, 0, 113, 77]))).to_string(),
        digest
    );
}
