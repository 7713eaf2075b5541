//! Requests without a usable key: whose mistake it is decides the status, and nobody passes by accident.

use std::time::Duration;

use http::{HeaderValue, Request};
use tower_ratelimit::{
    ClientIp, Event, Key, KeyError, KeyErrorKind, ManualClock, OnMissingKey, Peer, Policy, Quota,
    RateLimitLayer, Rejection, RejectionKind, RequestHead, header,
};

use super::support::{Log, admitted, field, from, json, limited, send, text, with};

const ONCE: Quota = Quota::per_hour(1);

fn layer(policy: Policy) -> (RateLimitLayer, Log) {
    let log = Log::default();
    let writer = log.clone();
    let layer = RateLimitLayer::new(policy).clock(ManualClock::new());
    (layer.on_event(move |event| writer.write(event)), log)
}

#[tokio::test]
async fn a_header_that_is_no_key_is_the_clients_mistake() {
    let (layer, log) = layer(Policy::new("own", ONCE).key(header("x-user")));
    let mut service = limited(&layer);
    let two_lines = {
        let mut request = with("x-user", "ann");
        request.headers_mut().append("x-user", HeaderValue::from_static("bob"));
        request
    };
    use KeyErrorKind::{Malformed, Missing, TooLong};
    for (case, request, kind) in [
        ("missing", Request::new(()), Missing),
        ("another header", with("x-users", "ann"), Missing),
        ("empty", with("x-user", ""), Malformed),
        ("two lines", two_lines, Malformed),
        ("UTF-8", with("x-user", "änn"), Malformed),
        ("Latin-1", with("x-user", b"\xe4nn"), Malformed),
        ("a tab", with("x-user", "a\tb"), Malformed),
        ("257 bytes", with("x-user", "a".repeat(257)), TooLong),
        ("64 KiB", with("x-user", "a".repeat(65_536)), TooLong),
    ] {
        let refusal = send(&mut service, request).await;
        assert_eq!(refusal.status(), 400, "{case}");
        let rejection = refusal.extensions().get::<Rejection>().unwrap().clone();
        assert_eq!(rejection.kind(), RejectionKind::Key(kind), "{case}");
        assert!(rejection.violated_policies().is_empty(), "{case}");
        assert_eq!(field(refusal.headers(), "retry-after"), None, "{case}");
        assert_eq!(field(refusal.headers(), "cache-control").as_deref(), Some("no-store"), "{case}");
        assert_eq!(field(refusal.headers(), "content-type").as_deref(), Some("application/problem+json"));
        let problem = json(refusal).await;
        assert_eq!((&problem["status"], &problem["title"]), (&400.into(), &"Bad Request".into()), "{case}");
        assert_eq!(problem["type"], "about:blank", "{case}");
        assert!(problem.get("violated-policies").is_none(), "{case}");

        let events = log.take();
        assert_eq!(events.len(), 1, "{case}: {events:?}");
        assert!(events[0].starts_with("ratelimit-key-rejected: policy \"own\" found no key: "), "{events:?}");
        assert!(!events[0].contains("aaa") && !events[0].contains("nn\""), "{case}: {events:?}");
    }
    let stats = layer.handle().stats();
    assert_eq!((stats.rejected, stats.allowed, stats.denied), (9, 0, 0));
    // The longest that is a key.
    assert_eq!(send(&mut service, with("x-user", "a".repeat(256))).await.status(), 200);
}

#[test]
fn a_huge_header_is_refused_before_a_key_is_made() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let text_key = |head: &RequestHead<'_>| Key::text(head.headers()["x-user"].to_str().unwrap());
    let policies = [
        Policy::new("header", ONCE).key(header("x-user")),
        Policy::new("pair", ONCE).key((header("x-user"), ClientIp::peer())),
        Policy::new("text", ONCE).key(text_key),
    ];
    for policy in policies {
        let (layer, _) = layer(policy);
        let mut service = limited(&layer);
        let request = with("x-user", "a".repeat(65_536));
        let mut status = None;
        let spent = allocation_counter::measure(|| {
            status = Some(runtime.block_on(send(&mut service, request)).status());
        });
        assert_eq!(status.unwrap(), 400);
        // The answer itself takes some; a copy of the value alone would be sixteen times as much.
        assert!(spent.bytes_total < 4_096, "{spent:?}");
    }
}

#[tokio::test]
async fn a_missing_peer_is_the_servers_mistake_and_names_the_fix() {
    let (layer, log) = layer(Policy::new("default", ONCE));
    let mut service = limited(&layer);
    for _ in 0..2 {
        let refusal = send(&mut service, Request::new(())).await;
        assert_eq!(refusal.status(), 500);
        let kind = refusal.extensions().get::<Rejection>().unwrap().kind();
        assert_eq!(kind, RejectionKind::Key(KeyErrorKind::NoPeer));
        assert_eq!(field(refusal.headers(), "cache-control").as_deref(), Some("no-store"));
        let problem = json(refusal).await;
        let detail = problem["detail"].as_str().unwrap();
        // A release build tells the world nothing about how the server is built.
        assert_eq!(detail.contains("std::net::SocketAddr"), cfg!(debug_assertions), "{detail}");
        let events = log.take();
        assert_eq!(events.len(), 1);
        assert!(events[0].starts_with("ratelimit-no-peer: "), "{events:?}");
        assert!(
            events[0].contains("Insert the peer's `std::net::SocketAddr` into each request's extensions.")
        );
    }
    assert_eq!(send(&mut service, from("192.0.2.1")).await.status(), 200);
}

#[tokio::test]
async fn a_framework_names_its_own_fix() {
    let (layer, log) = layer(Policy::new("default", ONCE));
    let mut service = limited(&layer.peer_fix("Turn the brass key twice."));
    let body = text(send(&mut service, Request::new(())).await).await;
    assert_eq!(body.contains("Turn the brass key twice."), cfg!(debug_assertions), "{body}");
    assert!(log.take()[0].ends_with("Turn the brass key twice."));
}

#[tokio::test]
async fn a_unix_peer_has_no_address_to_count_by() {
    let (layer, log) = layer(Policy::new("default", ONCE));
    let mut service = limited(&layer);
    let unix = || Request::builder().extension(Peer::Unix).body(()).unwrap();
    let refusal = send(&mut service, unix()).await;
    assert_eq!(refusal.status(), 500);
    let kind = refusal.extensions().get::<Rejection>().unwrap().kind();
    assert_eq!(kind, RejectionKind::Key(KeyErrorKind::Unconfigured));
    let told = log.take().join("\n");
    assert!(told.contains("Unix socket") && told.contains("give the policy another key"), "{told}");
}

#[tokio::test]
async fn an_extension_that_no_layer_inserted_is_the_servers_mistake() {
    #[derive(Clone)]
    struct Account;
    impl From<&Account> for Key {
        fn from(_: &Account) -> Self {
            Self::id(1)
        }
    }
    let (layer, log) = layer(Policy::new("own", ONCE).key(tower_ratelimit::extension::<Account>()));
    let refusal = send(&mut limited(&layer), from("192.0.2.1")).await;
    assert_eq!(refusal.status(), 500);
    let body = text(refusal).await;
    assert_eq!(body.contains("Account"), cfg!(debug_assertions), "{body}");
    assert!(log.take()[0].contains("Account` extension"));
}

#[tokio::test]
async fn one_bucket_is_shared_by_all_that_leave_the_key_out() {
    let (layer, log) = layer(
        Policy::new("own", ONCE.burst(3)).key(header("x-user")).on_missing_key(OnMissingKey::SharedBucket),
    );
    let mut service = limited(&layer);
    let addresses = ["192.0.2.1", "192.0.2.2", "2001:db8::1", "192.0.2.3", "192.0.2.4"];
    let mut through = 0;
    for address in addresses {
        through += usize::from(send(&mut service, from(address)).await.status() == 200);
    }
    assert_eq!(through, 3);
    // Not the bucket of anybody who has a key, however it is spelled.
    for name in ["ann", "missing", "-", "global"] {
        assert_eq!(admitted(&mut service, 4, || with("x-user", name)).await, 3, "{name}");
    }
    log.take();

    // Nonsense is no way into it.
    let refusal = send(&mut service, with("x-user", "")).await;
    assert_eq!(refusal.status(), 400);
    assert_eq!(log.take().len(), 1);
}

#[tokio::test]
async fn a_shared_bucket_takes_those_without_a_peer_too_and_says_so_once() {
    // A server without connect info had one bucket for all its clients, and nobody was told.
    let shared = |name| Policy::new(name, ONCE.burst(2)).on_missing_key(OnMissingKey::SharedBucket);
    let (layer, log) = layer(shared("default"));
    let mut service = limited(&layer);
    assert_eq!(admitted(&mut service, 2, || from("192.0.2.1")).await, 2);
    assert_eq!(log.take().len(), 0, "all is well");

    assert_eq!(send(&mut service, Request::new(())).await.status(), 200);
    let told = "ratelimit-shared-peer: the server does not say who the peer is, so all requests share one bucket of policy \
                \"default\". Insert the peer's `std::net::SocketAddr` into each request's extensions.";
    assert_eq!(log.take(), [told]);

    // Once, whatever of the layer is asked and however often its policies change.
    assert_eq!(admitted(&mut limited(&layer.clone()), 5, || Request::new(())).await, 1);
    layer.handle().set_policies([shared("default"), shared("other")]).unwrap();
    assert_eq!(admitted(&mut service, 5, || Request::new(())).await, 0);
    assert!(log.take().iter().all(|line| !line.starts_with("ratelimit-shared-peer")));
    assert_eq!(admitted(&mut service, 5, || from("192.0.2.2")).await, 2);
}

#[tokio::test]
async fn a_key_that_is_left_out_or_a_source_that_steps_in_is_no_missing_peer() {
    let layers = [
        layer(Policy::new("own", ONCE).key(header("x-user")).on_missing_key(OnMissingKey::SharedBucket)),
        layer(Policy::new("own", ONCE).key(ClientIp::peer().or(header("x-user")))),
    ];
    for ((layer, log), request) in layers.into_iter().zip([Request::new(()), with("x-user", "ann")]) {
        assert_eq!(send(&mut limited(&layer), request).await.status(), 200);
        assert_eq!(log.take().len(), 0);
    }
}

#[tokio::test]
async fn another_key_is_asked_for_what_is_missing_and_never_for_what_is_malformed() {
    let (layer, _) = layer(Policy::new("own", ONCE.burst(2)).key(header("x-user").or(ClientIp::peer())));
    let mut service = limited(&layer);
    let both = |value: &[u8]| {
        let mut request = from("192.0.2.1");
        request.headers_mut().insert("x-user", HeaderValue::from_bytes(value).unwrap());
        request
    };
    assert_eq!(admitted(&mut service, 5, || from("192.0.2.1")).await, 2);
    assert_eq!(admitted(&mut service, 5, || both(b"ann")).await, 2);
    // A client whose address is used up gets no second bucket by sending nonsense.
    for nonsense in [&b""[..], b"\xff", &[b'a'; 300]] {
        assert_eq!(send(&mut service, both(nonsense)).await.status(), 400);
    }
    assert_eq!(send(&mut service, from("192.0.2.2")).await.status(), 200);
    // Neither: the last one asked says whose mistake it is.
    assert_eq!(send(&mut service, Request::new(())).await.status(), 500);
}

#[tokio::test]
async fn an_extractors_own_errors_keep_their_status() {
    let own = |head: &RequestHead<'_>| match head.uri().path() {
        "/missing" => Err(KeyError::missing("no account in the path")),
        "/malformed" => Err(KeyError::malformed("the account has letters")),
        "/unconfigured" => Err(KeyError::unconfigured("add the account layer")),
        path => Key::text(path),
    };
    let (layer, log) = layer(Policy::new("own", ONCE).key(own));
    let mut service = limited(&layer);
    for (path, status, detail) in [
        ("/missing", 400, "no account in the path"),
        ("/malformed", 400, "the account has letters"),
        ("/unconfigured", 500, "add the account layer"),
        ("/%00", 200, ""),
    ] {
        let answer = send(&mut service, Request::builder().uri(path).body(()).unwrap()).await;
        assert_eq!(answer.status(), status, "{path}");
        assert!(log.take().iter().all(|event| event.contains(detail)), "{path}");
        let hidden = status == 500 && !cfg!(debug_assertions);
        assert_ne!(text(answer).await.contains(detail), hidden, "{path}");
    }
}

#[tokio::test]
async fn one_policy_without_a_key_charges_none_of_the_others() {
    let clock = ManualClock::new();
    let policies = [Policy::new("peer", ONCE), Policy::new("own", ONCE).key(header("x-user"))];
    let layer = RateLimitLayer::new(policies).clock(clock.clone()).on_event(|event| {
        assert!(matches!(event, Event::KeyRejected { policy: "own", .. } | Event::Denied { .. }), "{event}");
    });
    let mut service = limited(&layer);
    for _ in 0..10 {
        assert_eq!(send(&mut service, from("192.0.2.1")).await.status(), 400);
    }
    let mut request = from("192.0.2.1");
    request.headers_mut().insert("x-user", HeaderValue::from_static("ann"));
    assert_eq!(send(&mut service, request.clone()).await.status(), 200);
    assert_eq!(send(&mut service, request.clone()).await.status(), 429);
    clock.advance(Duration::from_secs(3_600));
    assert_eq!(send(&mut service, request).await.status(), 200);
}
