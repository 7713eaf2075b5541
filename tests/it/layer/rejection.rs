//! What a refused request gets: status, header fields, problem+json, and nothing that tells on anybody.

use std::collections::HashSet;
use std::time::Duration;

use http::{HeaderMap, Method, Request};
use serde_json::{Value, json};
use tower_ratelimit::{
    ManualClock, Policy, Quota, RateLimitLayer, Rejection, RejectionKind, RequestHead, global,
};

use super::support::{costing, field, from, json, limited, metered, send, text};

/// `urn:uuid:` and a version 4 UUID of RFC 9562, in lower case.
fn assert_is_uuid_urn(instance: &str) {
    let uuid = instance.strip_prefix("urn:uuid:").unwrap_or_else(|| panic!("{instance}"));
    let groups: Vec<_> = uuid.split('-').collect();
    assert_eq!(groups.iter().map(|group| group.len()).collect::<Vec<_>>(), [8, 4, 4, 4, 12], "{instance}");
    let hex = |text: &str| text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    assert!(groups.iter().all(|group| hex(group)), "{instance}");
    assert!(groups[2].starts_with('4') && groups[3].starts_with(['8', '9', 'a', 'b']), "{instance}");
}

fn single(headers: &HeaderMap, name: &str) -> Option<String> {
    assert!(headers.get_all(name).iter().count() <= 1, "{name} came more than once");
    field(headers, name)
}

#[tokio::test]
async fn a_refusal_is_the_documented_answer() {
    let (layer, _) = metered([("default", Quota::per_minute(100))]);
    let mut service = limited(&layer);
    send(&mut service, costing([("default", 100)])).await;
    let refusal = send(&mut service, costing([("default", 50)])).await;

    assert_eq!(refusal.status(), 429);
    let headers = refusal.headers().clone();
    for (name, value) in [
        ("content-type", "application/problem+json"),
        ("cache-control", "no-store"),
        ("retry-after", "30"),
        ("ratelimit-policy", r#""default";q=100;w=60"#),
        ("ratelimit", r#""default";r=0;t=30"#),
    ] {
        assert_eq!(single(&headers, name).as_deref(), Some(value), "{name}");
    }
    assert_eq!(headers.len(), 6, "{headers:?}");

    let text = text(refusal).await;
    assert_eq!(single(&headers, "content-length"), Some(text.len().to_string()));
    let mut problem: Value = serde_json::from_str(&text).unwrap();
    let instance = problem.as_object_mut().unwrap().remove("instance").unwrap();
    assert_is_uuid_urn(instance.as_str().unwrap());
    let expected = json!({
        "type": "https://iana.org/assignments/http-problem-types#quota-exceeded",
        "title": "Quota Exceeded",
        "status": 429,
        "detail": "Policy \"default\" allows 100 requests per 60 seconds. Retry in 30 seconds.",
        "violated-policies": ["default"],
    });
    assert_eq!(problem, expected);
}

#[tokio::test]
async fn every_refusal_has_an_instance_of_its_own() {
    let (layer, _) = metered([("default", Quota::per_hour(1))]);
    let mut service = limited(&layer);
    send(&mut service, Request::new(())).await;
    let mut instances = HashSet::new();
    for _ in 0..1_000 {
        let refusal = send(&mut service, Request::new(())).await;
        let instance = refusal.extensions().get::<Rejection>().unwrap().instance().to_owned();
        assert_is_uuid_urn(&instance);
        assert!(instances.insert(instance), "an instance came twice");
    }
}

#[tokio::test]
async fn waiting_retry_after_is_enough_and_a_second_less_is_not() {
    for quota in
        ["1/s", "7/s burst 3", "100/min burst 1", "3/day", "1/90s burst 2", "999983/s burst 1", "1/1500ms"]
    {
        let quota: Quota = quota.parse().unwrap();
        let (layer, clock) = metered([("api", quota)]);
        let mut service = limited(&layer);
        for cost in [1, quota.burst_size().div_ceil(2), quota.burst_size()] {
            send(&mut service, costing([("api", quota.burst_size())])).await;
            let refusal = send(&mut service, costing([("api", cost)])).await;
            assert_eq!(refusal.status(), 429, "{quota} at {cost}");
            let wait: u64 = field(refusal.headers(), "retry-after").unwrap().parse().unwrap();
            assert!(wait >= 1);

            clock.advance(Duration::from_secs(wait - 1));
            let early = send(&mut service, costing([("api", cost)])).await;
            assert_eq!(early.status(), 429, "{quota} at {cost}: a second early, or told to wait too long");
            clock.advance(Duration::from_secs(1));
            let answer = send(&mut service, costing([("api", cost)])).await;
            assert_eq!(answer.status(), 200, "{quota} at {cost}: waited {wait} s in vain");
            clock.advance(Duration::from_secs(200_000));
        }
    }
}

#[tokio::test]
async fn several_refusals_wait_for_the_longest_and_are_all_named() {
    let (layer, clock) = metered([
        ("second", Quota::per_second(2)),
        ("ample", Quota::per_second(90)),
        ("hour", Quota::per_hour(4)),
    ]);
    let mut service = limited(&layer);
    send(&mut service, costing([("second", 2), ("hour", 4)])).await;
    let refusal = send(&mut service, Request::new(())).await;
    assert_eq!(field(refusal.headers(), "retry-after").as_deref(), Some("900"));
    let problem = json(refusal).await;
    assert_eq!(problem["violated-policies"], json!(["second", "hour"]));
    assert_eq!(
        problem["detail"],
        "Policy \"second\" allows 2 requests per second. Policy \"hour\" allows 4 requests per 3600 seconds. \
         Retry in 900 seconds."
    );

    clock.advance(Duration::from_secs(900));
    assert_eq!(send(&mut service, Request::new(())).await.status(), 200);
}

#[tokio::test]
async fn what_can_never_be_admitted_is_told_no_wait() {
    let (layer, _) = metered([("api", Quota::per_second(1).burst(5)), ("hour", Quota::per_hour(4))]);
    let mut service = limited(&layer);
    send(&mut service, costing([("api", 0), ("hour", 4)])).await;
    // Refused by both, by one of them for ever: no wait helps.
    let refusal = send(&mut service, costing([("api", 6)])).await;
    assert_eq!((refusal.status().as_u16(), field(refusal.headers(), "retry-after")), (429, None));
    let rejection = refusal.extensions().get::<Rejection>().unwrap().clone();
    assert_eq!((rejection.kind(), rejection.retry_after()), (RejectionKind::Denied, None));
    let problem = json(refusal).await;
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("This request costs 6, and at most 5 can ever be admitted at once."), "{detail}");
    assert!(!detail.contains("Retry"), "{detail}");
    assert_eq!(problem["violated-policies"], json!(["api", "hour"]));

    // Nothing was spent, and nobody is stored for asking.
    let answer = send(&mut service, costing([("api", 5), ("hour", 0)])).await;
    assert_eq!(answer.status(), 200);
}

#[tokio::test]
async fn head_is_counted_as_get_and_answered_without_a_body() {
    let (layer, _) = metered([("default", Quota::per_hour(2))]);
    let mut service = limited(&layer);
    let method = |method: Method| Request::builder().method(method).body(()).unwrap();
    assert_eq!(send(&mut service, method(Method::GET)).await.status(), 200);
    assert_eq!(send(&mut service, method(Method::HEAD)).await.status(), 200);

    let get = send(&mut service, method(Method::GET)).await;
    let head = send(&mut service, method(Method::HEAD)).await;
    assert_eq!((get.status().as_u16(), head.status().as_u16()), (429, 429));
    assert_eq!(get.headers(), head.headers());
    assert!(head.extensions().get::<Rejection>().is_some());
    assert_eq!(text(head).await, "");
    assert!(!text(get).await.is_empty());
}

#[tokio::test]
async fn layers_outside_read_the_reason_from_the_extensions() {
    let (layer, _) =
        metered([("a", Quota::per_hour(1)), ("b", Quota::per_second(1)), ("c", Quota::per_hour(9))]);
    let mut service = limited(&layer);
    let answer = send(&mut service, Request::new(())).await;
    assert!(answer.extensions().get::<Rejection>().is_none());

    let refusal = send(&mut service, Request::new(())).await;
    let rejection = refusal.extensions().get::<Rejection>().unwrap().clone();
    assert_eq!(rejection.kind(), RejectionKind::Denied);
    assert_eq!(rejection.status(), refusal.status());
    assert_eq!(rejection.violated_policies(), ["a", "b"]);
    assert_eq!(rejection.retry_after(), Some(Duration::from_secs(3_600)));
    let problem = json(refusal).await;
    assert_eq!(problem["instance"], rejection.instance());
    assert_eq!(problem["detail"].as_str().unwrap(), rejection.detail());
}

#[tokio::test]
async fn a_rejection_is_short_in_a_debug_line() {
    let (layer, _) = metered([("a", Quota::per_hour(1)), ("b", Quota::per_hour(9))]);
    let mut service = limited(&layer);
    send(&mut service, Request::new(())).await;
    let refusal = send(&mut service, Request::new(())).await;
    let rejection = refusal.extensions().get::<Rejection>().unwrap();
    let expected = format!(
        "Rejection {{ kind: Denied, status: 429, retry_after: Some(3600s), violated_policies: [\"a\"], instance: {:?} }}",
        rejection.instance()
    );
    assert_eq!(format!("{rejection:?}"), expected);
}

#[tokio::test]
async fn no_refusal_tells_who_was_refused() {
    let secret = "5ecret-of-ann";
    let key = |head: &RequestHead<'_>| tower_ratelimit::Key::text(head.header_str("authorization")?);
    let layer = RateLimitLayer::new([
        Policy::new("by-key", Quota::per_hour(1)).key(key),
        Policy::new("by-peer", Quota::per_hour(1)),
    ])
    .clock(ManualClock::new());
    let mut service = limited(&layer);
    let request = || {
        let mut request = from("203.0.113.77");
        *request.uri_mut() = "/private?token=5ecret-token".parse().unwrap();
        request.headers_mut().insert("authorization", secret.parse().unwrap());
        request
    };
    send(&mut service, request()).await;
    let denied = send(&mut service, request()).await;
    let malformed = {
        let mut request = request();
        request.headers_mut().append("authorization", secret.parse().unwrap());
        send(&mut service, request).await
    };
    for (refusal, status) in [(denied, 429), (malformed, 400)] {
        assert_eq!(refusal.status(), status);
        let told = format!("{:?} {:?}", refusal.headers(), refusal.extensions().get::<Rejection>());
        let told = told + &text(refusal).await;
        for raw in ["5ecret", "203.0.113.77", "token", "private", "authorization: "] {
            assert!(!told.contains(raw), "{raw} in {told}");
        }
    }
}

#[tokio::test]
async fn odd_policy_names_stay_valid_json() {
    let name = r#"a"b\c </script>"#;
    let layer = RateLimitLayer::new(Policy::new(name, Quota::per_hour(1)).key(global()));
    let mut service = limited(&layer);
    send(&mut service, Request::new(())).await;
    let problem = json(send(&mut service, Request::new(())).await).await;
    assert_eq!(problem["violated-policies"], json!([name]));
}

#[tokio::test]
async fn details_read_like_english() {
    for (quota, sentence) in [
        ("1/s", "Policy \"api\" allows 1 request per second. Retry in 1 second."),
        ("1/min", "Policy \"api\" allows 1 request per 60 seconds. Retry in 60 seconds."),
        ("2/500ms burst 1", "Policy \"api\" allows 2 requests per 500ms. Retry in 1 second."),
        ("3/1500ms burst 1", "Policy \"api\" allows 3 requests per 1.5s. Retry in 1 second."),
    ] {
        let (layer, _) = metered([("api", quota.parse().unwrap())]);
        let mut service = limited(&layer);
        send(&mut service, costing([("api", quota.parse::<Quota>().unwrap().burst_size())])).await;
        assert_eq!(json(send(&mut service, Request::new(())).await).await["detail"], sentence);
    }
}
