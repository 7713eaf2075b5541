//! Rows about what goes over the wire, and about the service inside.

use std::time::Duration;

use http::Request;
use sfv::{BareItem, FieldType, List, ListEntry, Parser};
use tower::Layer;
use tower_ratelimit::algorithm::AlgorithmName;
use tower_ratelimit::{ManualClock, Policy, Quota, RateLimitLayer, global};

use crate::layer::readiness::{Strict, everybody, slow};
use crate::layer::support::{admitted, field, limited, send};

#[tokio::test]
async fn retry_after_header_ceil() {
    // tower-governor#65, axum-governor: waits below a second were told as 0, and obeyed at once.
    let ms = Duration::from_millis;
    for (wait, seconds) in [
        (Duration::from_nanos(1), "1"),
        (ms(1), "1"),
        (ms(999), "1"),
        (Duration::from_nanos(999_999_000), "1"),
        (ms(1_000), "1"),
        (Duration::from_nanos(1_000_000_001), "2"),
        (ms(1_001), "2"),
        (ms(2_950), "3"),
        (ms(59_500), "60"),
        (Duration::from_secs(2_147_483_647), "2147483647"),
        (Duration::from_secs(5_000_000_000), "2147483647"),
    ] {
        // One unit per period is used up for exactly one period, and a window begins where the clock does.
        for name in [
            AlgorithmName::Gcra,
            AlgorithmName::LeakyBucket,
            AlgorithmName::FixedWindow,
            AlgorithmName::SlidingLog,
        ] {
            let policy = Policy::new("api", Quota::every(wait)).key(global()).algorithm(name);
            let mut service = limited(&RateLimitLayer::new(policy).clock(ManualClock::new()));
            assert_eq!(send(&mut service, Request::new(())).await.status(), 200);
            let refusal = send(&mut service, Request::new(())).await;
            assert_eq!(refusal.status(), 429, "{name}, {wait:?}");
            assert_eq!(field(refusal.headers(), "retry-after").as_deref(), Some(seconds), "{name}, {wait:?}");
            let window = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            let left = format!(r#""api";r=0;t={window}"#);
            assert_eq!(field(refusal.headers(), "ratelimit"), Some(left), "{name}, {wait:?}");
        }
    }
}

#[tokio::test]
async fn header_format() {
    // Names that break the syntax of a structured field: either the policy is refused, or the fields are read back as written.
    let mut refused = 0;
    let odd = [
        "plain",
        "",
        " ",
        "a b",
        "a\"b",
        "a\\b",
        "\"",
        "a;q=9, b",
        "*",
        "?1",
        ":YWJj:",
        "ü",
        "名前",
        "a\tb",
        "a\r\nb: c",
        "\0",
    ];
    for name in odd {
        let Ok(policy) = Policy::try_new(name, Quota::per_second(5)) else {
            refused += 1;
            continue;
        };
        assert!(name.is_ascii());
        let layer = RateLimitLayer::new(policy.key(global())).clock(ManualClock::new());
        let answer = send(&mut limited(&layer), Request::new(())).await;
        for (line, parameters) in [("ratelimit-policy", ["q", "w"]), ("ratelimit", ["r", "t"])] {
            let text = field(answer.headers(), line).unwrap();
            let list: List = Parser::new(&text).parse().unwrap_or_else(|error| panic!("{text}: {error}"));
            let [ListEntry::Item(item)] = list.as_slice() else { panic!("{text} is not one item") };
            assert!(matches!(&item.bare_item, BareItem::String(read) if read.as_str() == name), "{text}");
            assert!(item.params.keys().map(|key| key.as_str()).eq(parameters), "{text}");
            assert_eq!(list.serialize().as_deref(), Some(text.as_str()), "not canonical");
        }
    }
    assert_eq!(refused, 6);
}

#[tokio::test(start_paused = true)]
async fn inner_readiness() {
    // axum_gcra and tower-redis-cell called a clone that nobody had asked whether it is ready.
    for layer in [everybody(3), slow(3)] {
        let strict = Strict::default();
        let seen = strict.seen.clone();
        let mut service = layer.layer(strict);
        assert_eq!(admitted(&mut service, 10, || Request::new(())).await, 3);
        assert_eq!(seen.calls(), 3, "a refused request reached the service inside");
    }
}
