//! From one algorithm to another while keys are in use: nobody gains by it, whenever it is said to have happened.

use std::time::Duration;

use rate_core::algorithm::{
    AlgorithmName, AnyAlgorithm, CalendarWindow, FixedWindow, Refund, SlidingLog, SlidingWindow,
};
use rate_core::{Kept, KeyedLimiter, Quota, Secret, Timestamp};

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
fn whoever_has_taken_everything_has_nothing_left_under_any_other_algorithm() {
    for (old, new) in pairs() {
        let mut limiter = small(old);
        assert_eq!(limiter.take_up_to_at("ann", u64::MAX, NOW), 10, "{old}");
        for _ in 0..20 {
            limiter = limiter.with_limit_at(new, NOW);
            assert_eq!(limiter.take_up_to_at("ann", u64::MAX, NOW), 0, "{old}, then {new}");
            limiter = limiter.with_limit_at(old, NOW);
            assert_eq!(limiter.take_up_to_at("ann", u64::MAX, NOW), 0, "{new}, then {old}");
        }
        assert_eq!(limiter.take_up_to_at("bob", u64::MAX, NOW), 10, "{old}");
    }
}

#[test]
fn a_change_with_a_late_timestamp_frees_nobody() {
    // What a window or a log held was written down as taken at the late instant, and was past by the time of everybody else.
    for (old, new) in pairs() {
        // By less than a day is by what comes back in that time: a window does not know when its units were taken.
        for late in [1, DAY, 2 * DAY, 50 * DAY] {
            let limiter = small(old);
            assert_eq!(limiter.take_up_to_at("ann", u64::MAX, NOW), 10, "{old}");
            let limiter = limiter.with_limit_at(new, before(late));
            assert!(!limiter.check_at("ann", NOW).is_allowed(), "{old}, then {new}, {late} ns late");
            assert_eq!(limiter.peek_at("ann", after(3 * DAY)).remaining(), 10, "{old}, then {new}");
        }
    }
}

#[test]
fn a_penalty_of_many_periods_is_not_over_when_the_limit_changes() {
    // It was carried over as a limit that is used up, which it was for the rest of one period.
    for (old, new) in pairs() {
        let limiter = small(old);
        limiter.penalize_at("ann", Duration::from_nanos(10 * DAY), NOW);
        let limiter = limiter.with_limit_at(new, NOW);
        for later in [0, DAY, 5 * DAY, 9 * DAY - 1] {
            let decision = limiter.check_at("ann", after(later));
            assert!(!decision.is_allowed(), "{old}, then {new}: free after {later} ns");
        }
        assert_eq!(limiter.peek_at("ann", after(13 * DAY)).remaining(), 10, "{old}, then {new}");
    }
}

/// That nothing is admitted to a key that was penalized under one limit, when what it had taken is refunded under another.
fn assert_not_lifted<A: Kept + Refund>(old: A, new: A) {
    let limiter = KeyedLimiter::of(old);
    assert!(limiter.check_n_at("ann", 5, NOW).is_allowed());
    limiter.penalize_at("ann", Duration::from_nanos(1), NOW);
    let limiter = limiter.with_limit_at(new, NOW);
    assert_eq!(limiter.refund_at("ann", 5, NOW, NOW), 0);
    assert!(!limiter.check_at("ann", NOW).is_allowed());
}

#[test]
fn a_refund_lifts_no_penalty_that_was_carried_over_to_another_window() {
    // What it became was units like any other, and who said to have taken them had them back.
    let (old, new) = (Quota::per_day(10), Quota::per_day(20));
    assert_not_lifted(FixedWindow::new(old), FixedWindow::new(new));
    assert_not_lifted(SlidingWindow::new(old), SlidingWindow::new(new));
    assert_not_lifted(CalendarWindow::day(10), CalendarWindow::day(20));
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

#[test]
fn a_limit_by_a_log_that_is_raised_admits_all_of_it() {
    // Logs kept the room that the first limit needed. Of a raised one each new unit then counted longer than it had to: 195 of
    // 3,000 were refused that came at six tenths of the limit.
    let minute = |limit| SlidingLog::new(Quota::per_minute(limit));
    let secret = Secret::from_bytes([7; 16]);
    let small =
        KeyedLimiter::builder_of(minute(5)).capacity(4).secret(secret).build().expect("four keys fit");
    assert_eq!(small.take_up_to_at("ann", 4, NOW), 4);
    let raised = small.with_limit_at(minute(1_000), NOW);
    assert_eq!(raised.peek_at("ann", NOW).remaining(), 200, "four fifths are used");
    // As fast as a tenth of a second: six hundred in each minute.
    for step in 600..3_600 {
        assert!(raised.check_at("ann", after(step * 100_000_000)).is_allowed(), "{step}");
    }

    // And a lowered one does not forget.
    let end = after(3_599 * 100_000_000);
    assert_eq!(raised.peek_at("ann", end).remaining(), 400);
    let lowered = raised.with_limit_at(minute(10), end);
    assert_eq!(lowered.take_up_to_at("ann", 10, end), 4);
}

#[test]
fn nothing_can_be_asked_of_a_penalized_log() {
    // A cost of nothing was once refused by the quickest way to a refusal.
    let limiter = small(SlidingLog::new(Quota::per_day(10)).into());
    assert_eq!(limiter.take_up_to_at("ann", 5, NOW), 5);
    limiter.penalize_at("ann", Duration::from_secs(60), NOW);
    assert!(limiter.check_n_at("ann", 0, NOW).is_allowed());
    assert!(!limiter.check_at("ann", NOW).is_allowed());
}

#[test]
fn an_older_clone_gives_back_what_was_charged_since_the_change_and_nothing_from_before() {
    // It gave back nothing at all any more; and whoever waits by it cannot replace it.
    for (old, new) in pairs().into_iter().filter(|(old, new)| old != new) {
        let limiter = small(old);
        let take = |key, now| limiter.take_up_to_at(key, 4, now);
        assert_eq!(take("before", NOW), 4);
        let _ = limiter.with_limit_at(new, NOW);
        let now = after(1_000);
        assert_eq!((take("since", now), take("at once", NOW)), (4, 4));
        let back = [("since", now), ("before", NOW), ("at once", NOW)]
            .map(|(key, charged)| limiter.refund_at(key, 4, charged, now));
        let expected = if new.name() == AlgorithmName::LeakyBucket { 0 } else { 4 };
        assert_eq!(back, [expected, 0, 0], "{old}, then {new}");
    }
}
