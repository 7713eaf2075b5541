//! How long a penalty is, by each algorithm.

use std::fmt::Write as _;
use std::time::Duration;

use super::page::assert_printed;
use crate::algorithm::{AlgorithmName, AnyAlgorithm};
use crate::{KeyedLimiter, Limiter, Quota, Timestamp};

const HOUR: u64 = 3_600;
const DAY: u64 = 24 * HOUR;

fn at(seconds: u64) -> Timestamp {
    Timestamp::ZERO.saturating_add(Duration::from_secs(seconds))
}

/// Half past midnight on the 15th of January, 1970.
fn now() -> Timestamp {
    at(14 * DAY + HOUR / 2)
}

const LIMITS: [&str; 7] = [
    "1000/h gcra",
    "1000/h leaky-bucket",
    "1000/h fixed-window",
    "1000/day calendar-window",
    "1000/month calendar-window",
    "1000/h sliding-window",
    "1000/h sliding-log",
];

/// The wait right after a penalty of a second at `now`, of a key that took so many units a minute before, and what there is
/// after it.
fn penalized(limit: AnyAlgorithm, taken: u64, now: Timestamp) -> (Duration, u64) {
    let second = Duration::from_secs(1);
    let before = Timestamp::from_nanos(now.as_nanos() - 60_000_000_000);
    let limit = limit.anchored(0);

    let one = Limiter::of(limit);
    assert!(one.check_n_at(taken, before).is_allowed(), "{limit}");
    one.penalize_at(second, now);
    let wait = one.peek_at(now).retry_after().expect("no penalty is for ever");
    assert!(!one.check_at(now).is_allowed(), "{limit}");
    assert!(wait >= second, "{limit}: {wait:?} is less than was asked for");
    let after = now.saturating_add(wait);
    let left = one.peek_at(after).remaining();
    assert_eq!(one.peek_at(Timestamp::from_nanos(after.as_nanos() - 1)).remaining(), 0, "{limit}");

    let many = KeyedLimiter::builder_of(limit).capacity(8).build().expect("eight keys fit");
    assert!(many.check_n_at("ann", taken, before).is_allowed(), "{limit}");
    many.penalize_at("ann", second, now);
    assert_eq!(many.peek_at("ann", now).retry_after(), Some(wait), "{limit}: with keys and without");
    assert_eq!(many.peek_at("ann", after).remaining(), left, "{limit}: with keys and without");
    (wait, left)
}

/// As one says it.
fn spoken(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    if time.as_secs() < 2 * HOUR { format!("{seconds} s") } else { format!("{} h", seconds / HOUR as f64) }
}

#[test]
fn the_page_has_how_long_a_penalty_is() {
    let mut table = String::from(
        "| limit | fresh key | with 500 units taken a minute ago | units after it |\n|---|---:|---:|---:|\n",
    );
    for text in LIMITS {
        let limit: AnyAlgorithm = text.parse().expect("a limit");
        let (fresh, left) = penalized(limit, 0, now());
        // Half of them, so that only a queue is waiting already.
        let (used, left_of_used) = penalized(limit, 500, now());
        assert_eq!(left, left_of_used, "{limit}: what was taken is over, or all is as if it had been taken");
        writeln!(table, "| `{text}` | {} | {} | {left} |", spoken(fresh), spoken(used))
            .expect("a string grows");
    }
    for name in AlgorithmName::ALL {
        assert!(table.contains(name.as_str()), "{name} is missing");
    }
    assert_printed("penalties", &table);
}

#[test]
fn a_penalty_shortens_no_wait() {
    for text in LIMITS {
        let limit: AnyAlgorithm = text.parse().expect("a limit");
        let limiter = Limiter::of(limit.anchored(0));
        assert!(limiter.check_n_at(1_000, now()).is_allowed(), "{limit}");
        let wait = limiter.peek_at(now()).retry_after();
        limiter.penalize_at(Duration::from_secs(1), now());
        assert!(limiter.peek_at(now()).retry_after() >= wait, "{limit}");
        // All of a queue is before the next; everything in a log is to be forgotten.
        let expected = match limit.name() {
            AlgorithmName::Gcra => Duration::from_millis(3_600),
            AlgorithmName::LeakyBucket | AlgorithmName::SlidingLog => Duration::from_secs(HOUR),
            _ => continue,
        };
        assert_eq!(limiter.peek_at(now()).retry_after(), Some(expected), "{limit}");
    }
}

#[test]
fn a_penalty_over_the_end_of_a_window_is_to_the_end_of_the_next() {
    for text in ["1000/h fixed-window", "1000/h sliding-window"] {
        let limit: AnyAlgorithm = text.parse().expect("a limit");
        let limiter = Limiter::of(limit.anchored(0));
        limiter.penalize_at(Duration::from_secs(1_801), now());
        let wait = limiter.peek_at(now()).retry_after().expect("not for ever");
        assert_eq!(wait.as_secs(), if text.contains("fixed") { 5_400 } else { 5_403 }, "{text}");
    }
}

#[test]
fn a_log_is_penalized_for_so_long_when_its_clock_is_younger_than_a_period_too() {
    // A penalty was a unit taken a period before its end, or at the beginning of time: until the process was as old as a period.
    let limiter = Limiter::of("1000/h sliding-log".parse::<AnyAlgorithm>().expect("a limit"));
    limiter.penalize_at(Duration::from_secs(1), at(600));
    assert_eq!(limiter.peek_at(at(600)).retry_after(), Some(Duration::from_secs(1)));
}

#[test]
fn a_refund_ends_a_penalty_of_a_token_bucket_that_is_no_longer_than_an_interval() {
    let limiter = Limiter::new(Quota::per_day(5));
    let interval = Duration::from_secs(DAY / 5);
    for (penalty, wait) in [(interval, Duration::ZERO), (2 * interval, interval)] {
        limiter.reset();
        assert!(limiter.check_at(now()).is_allowed());
        limiter.penalize_at(penalty, now());
        assert_eq!(limiter.peek_at(now()).retry_after(), Some(penalty));
        // A longer one is beyond what a bucket can have used: until its last interval nothing is given back.
        let last = now().saturating_add(wait);
        assert_eq!(limiter.refund_at(1, now(), now()), u64::from(wait.is_zero()));
        limiter.refund_at(1, last, last);
        assert_eq!(limiter.peek_at(last).retry_after(), Some(Duration::ZERO), "{penalty:?}");
    }
}
