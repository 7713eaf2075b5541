//! Quotas that cannot be built: a panic and an error say the same, which is field, value and fix.

use std::panic::catch_unwind;
use std::time::Duration;

use rate_core::Quota;

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
            "got 18446744073709551615999999999ns",
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
