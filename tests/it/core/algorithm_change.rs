//! From one algorithm to another while keys are in use: nobody gains by it, whenever it is said to have happened.

use std::time::Duration;

use rate_core::algorithm::{AlgorithmName, AnyAlgorithm, FixedWindow, SlidingLog};
use rate_core::{KeyedLimiter, Quota, Secret, Timestamp};

const DAY: u64 = 86_400 * 1_000_000_000;
/// Half of a day: not where any window begins.
const NOW: Timestamp = Timestamp::from_nanos(100 * DAY + DAY / 2);

fn after(nanos: u64) -> Timestamp {
    NOW.saturating_add(Duration::from_nanos(nanos))
}

fn before(nanos: u64) -> Timestamp {
    Timestamp::from_nanos(NOW.as_nanos() - nanos)
}

/// Each way to count ten per day.
fn ten_a_day() -> Vec<AnyAlgorithm> {
    let mut all: Vec<_> = AlgorithmName::ALL
        .iter()
        .map(|name| name.over(Quota::per_day(10)).expect("it can be counted"))
        .collect();
    all.push(FixedWindow::new(Quota::per_day(10)).staggered().into());
    all
}

fn pairs() -> Vec<(AnyAlgorithm, AnyAlgorithm)> {
    ten_a_day().into_iter().flat_map(|old| ten_a_day().into_iter().map(move |new| (old, new))).collect()
}

fn small(algorithm: AnyAlgorithm) -> KeyedLimiter<AnyAlgorithm> {
    let secret = Secret::from_bytes([7; 16]);
    KeyedLimiter::builder_of(algorithm).capacity(4).secret(secret).build().expect("four keys fit")
}

#[test]
fn an_older_clone_penalizes_for_as_long_as_it_says() {
    // It told the end of the penalty in the time of the limit it was made for, where no key has windows of its own: to one
    // whose windows are shifted by more than the penalty that was in the past.
    let hour = Duration::from_secs(3_600);
    for (old, new) in pairs() {
        for key in 0..8 {
            let limiter = small(old);
            let _ = limiter.with_limit_at(new, NOW);
            limiter.penalize_at(&key, hour, NOW);
            assert!(
                !limiter.check_at(&key, after(3_599_999_999_999)).is_allowed(),
                "{old}, then {new}, {key}"
            );
        }
    }
}

#[test]
fn a_late_request_finds_a_log_that_was_fresh_when_it_changed_as_it_was() {
    // Whatever has no entry was taken for new in the short way, and looked at twice in every other.
    let limiter = small(SlidingLog::new(Quota::per_day(10)).into());
    assert!(limiter.check_n_at("ann", 10, NOW).is_allowed());
    let limiter = limiter.with_limit_at(SlidingLog::new(Quota::per_day(20)).into(), after(2 * DAY));
    assert!(!limiter.peek_at("ann", after(DAY / 2)).is_allowed());
    assert!(!limiter.check_at("ann", after(DAY / 2)).is_allowed());
    assert_eq!(limiter.peek_at("ann", after(DAY)).remaining(), 20);
}
