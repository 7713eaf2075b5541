//! Quotas that cannot be built: a panic and an error say the same, which is field, value and fix. And what a denial says.

use std::panic::catch_unwind;
use std::time::Duration;

use rate_core::algorithm::{AlgorithmName, AnyAlgorithm};
use rate_core::{Decision, KeyedLimiter, Limiter, Quota, Tier, Timestamp};

const SECOND: Duration = Duration::from_secs(1);

/// What the panic of `build` says.
fn panic_of(build: fn() -> Quota) -> String {
    let payload = catch_unwind(build).expect_err("not a quota");
    payload.downcast_ref::<String>().cloned().unwrap_or_else(|| {
        let text = payload.downcast_ref::<&str>();
        text.expect("a text").to_string()
    })
}

#[test]
fn a_panic_says_what_the_error_says() {
    // The panics had a sentence without the value. Who reads `per_second(limit)` in a backtrace does not see it.
    let limit_too_fine = (1 << 32) + 15;
    for (build, error, field, value) in [
        (
            (|| Quota::per_second(0)) as fn() -> Quota,
            Quota::new(0, SECOND),
            "quota limit must be at least 1",
            "got 0",
        ),
        (
            || Quota::per_second(u64::MAX),
            Quota::new(u64::MAX, SECOND),
            "quota limit has no exact spacing",
            "got 18446744073709551615",
        ),
        (
            || Quota::per_day((1 << 32) + 15),
            Quota::new(limit_too_fine, SECOND * 86_400),
            "quota limit has no exact spacing",
            "got 4294967311",
        ),
        (
            || Quota::every(Duration::ZERO),
            Quota::new(1, Duration::ZERO),
            "quota period must be at least 1 nanosecond",
            "got 0",
        ),
        (
            || Quota::every(Duration::MAX),
            Quota::new(1, Duration::MAX),
            "quota period does not fit",
            "got 18446744073709551615.999999999s",
        ),
        (
            || Quota::per_minute(5).burst(0),
            Quota::per_minute(5).try_burst(0),
            "quota burst must be at least 1",
            "got 0",
        ),
        (
            || Quota::per_second(1).burst(u64::MAX),
            Quota::per_second(1).try_burst(u64::MAX),
            "quota burst takes longer",
            "got 18446744073709551615",
        ),
    ] {
        let (panic, error) = (panic_of(build), error.expect_err("not a quota"));
        assert_eq!(panic, error.to_string());
        assert!(panic.starts_with(field) && panic.ends_with(&format!("({value})")), "{panic}");
    }
}

#[test]
fn a_period_that_is_too_long_is_told_as_it_was_written() {
    // It was cut off at 64 bits first, and the error then named nanoseconds that nobody had written.
    for (period, told) in [
        (Duration::from_secs(99_999_999_999 * 86_400), "99999999999day"),
        (Duration::from_secs(u64::MAX), "18446744073709551615s"),
        (Duration::from_nanos(u64::MAX), "18446744073709551615ns"),
        (Duration::from_secs(580 * 365 * 86_400), "211700day"),
    ] {
        let error = Quota::new(1, period).expect_err(told).to_string();
        assert!(error.ends_with(&format!("(got {told})")), "{error}");
    }
    for text in ["1/99999999999day", "1/18446744073709551615day", "1/5124095576030431h burst 3"] {
        let error = text.parse::<Quota>().expect_err(text).to_string();
        let period = text.split(['/', ' ']).nth(1).expect(text);
        assert!(error.ends_with(&format!("(got {period})")), "{error}");
    }
}

#[test]
fn a_text_that_is_no_limit_is_told_what_to_write_instead() {
    // "Must be one of gcra, ..." was said of `burst`, and of a month that it must end in min, h or day.
    for (text, told) in [
        (
            "100/month gcra",
            "a month is counted by calendar-window only; leave the algorithm out, or write 30day for gcra",
        ),
        ("100/month sliding-log staggered", "a month is counted by calendar-window only"),
        (
            "10/month burst 3",
            "quota burst has no meaning for an algorithm that counts in windows; leave it out",
        ),
        ("10/month burst x", "burst must be a whole number"),
        ("10/month burst", "expected `N/PERIOD`"),
        ("10/month never", "the algorithm must be one of"),
        ("10/3month", "the period must end in ns, us, ms, s, min, h or day"),
        ("5/2day calendar-window", "write `N/day` or `N/month`, or use fixed-window (got 2day)"),
    ] {
        let error = text.parse::<AnyAlgorithm>().expect_err(text).to_string();
        assert!(error.contains(told), "{error}");
    }
    assert_eq!("10/month burst 10".parse::<AnyAlgorithm>(), "10/month".parse());

    for text in
        ["100/min sliding-log", "100/min token-bucket", "100/min fixed-window staggered", "1000/month"]
    {
        let error = text.parse::<Quota>().expect_err(text).to_string();
        assert!(error.contains("read the text as an `AnyAlgorithm`"), "{error}");
        assert!(text.parse::<AnyAlgorithm>().is_ok());
    }
    for text in ["100/min sliding-lag", "10/week", "10/3month"] {
        let error = text.parse::<Quota>().expect_err(text).to_string();
        assert!(!error.contains("AnyAlgorithm"), "{error}");
    }
    let days = Quota::new(5, SECOND * 86_400 * 7).expect("a week");
    let error = AlgorithmName::CalendarWindow.over(days).expect_err("not one of the calendar").to_string();
    assert!(error.ends_with("or use fixed-window (got 7day)"), "{error}");
}

#[test]
fn a_denial_says_why_no_wait_helps() {
    let told = |decision: Decision| match decision {
        Decision::Denied(denied) => denied.to_string(),
        Decision::Allowed(_) => panic!("it was admitted"),
    };
    let limiter = KeyedLimiter::new(Quota::per_second(10).burst(2));
    let blocked = limiter.check_tier_at("ann", Tier::Blocked, 1, Timestamp::ZERO);
    assert_eq!(told(blocked), "blocked: nothing is ever admitted");

    let never = "limited to 2 at once: no wait helps, for more was asked for or nothing is admitted any more";
    assert_eq!(told(limiter.check_n_at("ann", 3, Timestamp::ZERO)), never);
    // One is not more than two.
    let limiter = Limiter::new(Quota::per_second(10).burst(2));
    assert_eq!(limiter.take_up_to_at(1, Timestamp::from_nanos(u64::MAX)), 0);
    assert_eq!(told(limiter.check_at(Timestamp::from_nanos(u64::MAX))), never);
    limiter.penalize_at(Duration::MAX, Timestamp::ZERO);
    assert_eq!(told(limiter.check_at(Timestamp::ZERO)), never);

    assert!(limiter.check_n_at(2, Timestamp::ZERO).retry_after().is_none());
    limiter.reset();
    assert!(limiter.check_n_at(2, Timestamp::ZERO).is_allowed());
    assert_eq!(told(limiter.check_at(Timestamp::ZERO)), "limited to 2 at once: retry after 100ms");
}
