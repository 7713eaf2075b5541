//! Policies that are counted by other algorithms: what they admit, what the fields say, and how they change while they serve.

use std::time::Duration;

use http::Response;
use tower_layer::Layer;
use tower_ratelimit::algorithm::{AlgorithmName, AnyAlgorithm, CalendarWindow, FixedWindow};
use tower_ratelimit::{ManualClock, Policy, Quota, RateLimitLayer};

use super::support::{admitted, field, from, hello, json, send};

const MINUTE: Duration = Duration::from_secs(60);

fn line<B>(response: &Response<B>, name: &str) -> String {
    field(response.headers(), name).expect("a field")
}

fn ten_by(name: AlgorithmName) -> Policy {
    let quota =
        if name == AlgorithmName::CalendarWindow { Quota::per_day(10) } else { Quota::per_minute(10) };
    Policy::new("api", quota).algorithm(name)
}

#[tokio::test]
async fn every_algorithm_limits_a_layer() {
    for name in AlgorithmName::ALL {
        let clock = ManualClock::new();
        clock.advance(MINUTE);
        let layer = RateLimitLayer::new(ten_by(name)).clock(clock.clone());
        let mut service = layer.layer(hello());
        // A queue lets one pass at a time.
        let at_once = if name == AlgorithmName::LeakyBucket { 1 } else { 10 };
        assert_eq!(admitted(&mut service, 20, || from("192.0.2.1")).await, at_once, "{name}");
        assert_eq!(admitted(&mut service, 20, || from("192.0.2.2")).await, at_once, "{name}: another client");

        let refused = send(&mut service, from("192.0.2.1")).await;
        assert_eq!(refused.status(), 429, "{name}");
        let wait: u64 = line(&refused, "retry-after").parse().expect("seconds");
        clock.advance(Duration::from_secs(wait));
        assert_eq!(send(&mut service, from("192.0.2.1")).await.status(), 200, "{name}: after {wait} s");
        assert_eq!(layer.handle().stats().policies[0].quota, ten_by(name).limit().to_string());
    }
}

#[tokio::test]
async fn the_fields_of_a_window_tell_when_it_ends() {
    let clock = ManualClock::new();
    clock.advance(Duration::from_secs(45));
    let layer = RateLimitLayer::new(ten_by(AlgorithmName::FixedWindow)).clock(clock);
    let mut service = layer.layer(hello());
    let response = send(&mut service, from("192.0.2.1")).await;
    assert_eq!(line(&response, "ratelimit-policy"), "\"api\";q=10;w=60");
    assert_eq!(line(&response, "ratelimit"), "\"api\";r=9;t=15");
}

#[tokio::test]
async fn a_refusal_names_the_calendar() {
    let clock = ManualClock::new();
    let layer = RateLimitLayer::new(Policy::of("plan", CalendarWindow::month(1))).clock(clock);
    let mut service = layer.layer(hello());
    assert_eq!(send(&mut service, from("192.0.2.1")).await.status(), 200);
    let problem = json(send(&mut service, from("192.0.2.1")).await).await;
    let detail = problem["detail"].as_str().expect("a text");
    assert!(detail.starts_with("Policy \"plan\" allows 1 request per calendar month."), "{detail}");
}

#[tokio::test]
async fn another_algorithm_finds_the_share_that_was_used() {
    let clock = ManualClock::new();
    clock.advance(MINUTE);
    let layer = RateLimitLayer::new(ten_by(AlgorithmName::Gcra)).clock(clock.clone());
    let handle = layer.handle();
    let mut service = layer.layer(hello());
    assert_eq!(admitted(&mut service, 6, || from("192.0.2.1")).await, 6);
    for (name, left) in [
        (AlgorithmName::FixedWindow, 4),
        (AlgorithmName::SlidingWindow, 3),
        (AlgorithmName::SlidingLog, 2),
        (AlgorithmName::Gcra, 1),
        (AlgorithmName::SlidingLog, 0),
        (AlgorithmName::FixedWindow, 0),
    ] {
        handle.set_policies(ten_by(name)).expect("a policy");
        let charged = admitted(&mut service, 1, || from("192.0.2.1")).await;
        assert_eq!(charged, left.min(1), "{name}");
    }
    // Six, and one under each of four: ten, by whatever they were counted.
    assert_eq!(handle.stats().allowed, 10);
}

#[tokio::test]
async fn several_algorithms_decide_one_request_together() {
    let clock = ManualClock::new();
    let policies = [
        Policy::new("burst", Quota::per_second(2)),
        Policy::new("log", Quota::per_minute(3)).algorithm(AlgorithmName::SlidingLog),
        Policy::of("day", CalendarWindow::day(100)),
        Policy::new("window", Quota::per_hour(50)).algorithm(AlgorithmName::SlidingWindow),
    ];
    let layer = RateLimitLayer::new(policies).clock(clock.clone());
    let mut service = layer.layer(hello());
    for _ in 0..100 {
        let _ = send(&mut service, from("192.0.2.1")).await;
    }
    clock.advance(Duration::from_secs(1));
    // The refusals of the first spent nothing of the others.
    let response = send(&mut service, from("192.0.2.1")).await;
    assert_eq!(response.status(), 200);
    let left = line(&response, "ratelimit");
    assert_eq!(left, "\"burst\";r=1;t=1, \"log\";r=0;t=60, \"day\";r=97;t=86399, \"window\";r=47;t=7199");
    assert_eq!(admitted(&mut service, 10, || from("192.0.2.1")).await, 0);
}

#[test]
fn what_an_algorithm_cannot_count_is_refused_with_the_reason() {
    let burst = Policy::new("api", Quota::per_minute(10).burst(20));
    let error = burst.try_algorithm(AlgorithmName::SlidingLog).expect_err("a window has no burst");
    assert_eq!(error.code(), "config-algorithm");
    assert_eq!(
        error.to_string(),
        "policy \"api\": sliding-log cannot count it: quota burst has no meaning for an algorithm that counts in windows; \
         leave it out, or use gcra (got 20)"
    );
    let hour = Policy::new("api", Quota::per_hour(10)).try_algorithm(AlgorithmName::CalendarWindow);
    assert!(hour.expect_err("no hour").to_string().contains("must be a day, or 28 to 31 of them"));
    let long = Policy::new("api", Quota::per_hour(100_000)).try_algorithm(AlgorithmName::SlidingLog);
    assert!(long.expect_err("half a megabyte each").to_string().contains("(got 100000)"));
}

#[tokio::test]
async fn a_limit_can_be_given_as_text() {
    let limit: AnyAlgorithm = "2/min fixed-window staggered".parse().expect("a limit");
    assert_eq!(limit, FixedWindow::new(Quota::per_minute(2)).staggered().into());
    let mut service = RateLimitLayer::new(limit).clock(ManualClock::new()).layer(hello());
    assert_eq!(admitted(&mut service, 5, || from("192.0.2.1")).await, 2);
}
