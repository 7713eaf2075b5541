//! What a caller may rely on, whatever the quota and the history. Time moves forward here; see `late` for when it does
//! not.

use std::time::Duration;

use rate_core::{KeyedLimiter, Quota, Timestamp};

use super::random::{Random, TEN_YEARS, cost, quotas};
use super::subject::Subject;

const START: u64 = 1_234_567_891;

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).expect("shorter than 584 years")
}

#[test]
fn waiting_exactly_retry_after_succeeds_and_a_nanosecond_less_does_not() {
    // redis-cell#56, tower-governor#65: waits that were rounded down, so that whoever obeyed was refused again.
    let mut random = Random::new(11);
    let mut waits = 0;
    for quota in quotas(&mut random, 60) {
        for subject in Subject::all(quota) {
            let mut now = random.magnitude(1 << 50);
            for _ in 0..200 {
                let cost = cost(&mut random, quota.burst_size());
                let decision = subject.check(cost, now);
                let Some(wait) = decision.retry_after() else {
                    assert!(cost > quota.burst_size(), "{subject:?}: {cost} is never admitted");
                    continue;
                };
                if !decision.is_allowed() {
                    let then = now + nanos(wait);
                    assert!(then > now, "{subject:?}: refused, and nothing to wait for");
                    assert!(
                        !subject.check(cost, then - 1).is_allowed(),
                        "{subject:?}: {cost} at {}",
                        then - 1
                    );
                    if then > TEN_YEARS {
                        break;
                    }
                    assert!(subject.check(cost, then).is_allowed(), "{subject:?}: {cost} at {then}");
                    now = then;
                    waits += 1;
                }
                now += random.below(nanos(quota.time_for(1)) + 2);
            }
        }
    }
    assert!(waits > 5_000, "{waits} waits are too few to mean anything");
}

#[test]
fn an_idle_key_is_as_good_as_new_and_no_better() {
    // governor#249, axum_gcra and throttlecrab: one unit more, or twice the burst, after a pause.
    let rates =
        [Quota::per_second(7), Quota::per_second(999_983), Quota::per_day(3), Quota::per_second(700_000_000)];
    for quota in rates.into_iter().flat_map(|rate| [1, 2, 5, 40].map(|burst| rate.burst(burst))) {
        let refill = nanos(quota.refill_time());
        let eighths = (0..=24).map(|eighth| (u128::from(refill) * eighth / 8) as u64);
        for gap in eighths.flat_map(|gap| [gap.saturating_sub(1), gap, gap + 1]) {
            for (subject, new) in Subject::all(quota).into_iter().zip(Subject::all(quota)) {
                assert_eq!(subject.drain(START), quota.burst_size(), "{subject:?}");
                let now = START + gap;
                if gap >= refill {
                    assert_eq!(subject.peek(now), new.peek(now), "{quota:?} after {gap} ns");
                    assert_eq!(subject.check(1, now), new.check(1, now), "{quota:?} after {gap} ns");
                    assert_eq!(subject.drain(now) + 1, quota.burst_size(), "{quota:?} after {gap} ns");
                } else {
                    let earned = u128::from(gap) * u128::from(quota.limit()) / quota.period().as_nanos();
                    assert_eq!(u128::from(subject.drain(now)), earned, "{quota:?} after {gap} ns");
                }
            }
        }
    }
}

#[test]
fn a_burst_of_one_admits_one() {
    // throttlecrab: the state of a burst of one expired at once, and nothing was limited.
    for subject in Subject::all(Quota::per_hour(1).burst(1)) {
        let admitted = (0..1_000).filter(|call| subject.check(1, START + call * 10_000).is_allowed()).count();
        assert_eq!(admitted, 1, "{subject:?}");
    }
}

#[test]
fn polling_faster_than_the_rate_is_admitted_at_the_rate() {
    // The crate `ratelimit` threw away the elapsed part of a tick at each poll, up to half of the rate.
    for (quota, poll, polls) in [
        (Quota::per_second(1), 1_999, 600_000),
        (Quota::per_second(1), 119_000, 50_000),
        (Quota::per_minute(1), 119_000, 600_000),
        (Quota::per_minute(1), 1_999_000, 150_000),
        (Quota::per_second(500_000), 1_999, 100_000),
        (Quota::per_second(10_000), 119_000, 100_000),
    ] {
        for subject in Subject::all(quota.burst(2)) {
            let admitted: u64 = (0..polls)
                .map(|poll_number| START + poll_number * poll)
                .fold(0, |sum, now| sum + u64::from(subject.check(1, now).is_allowed()));
            let elapsed = u128::from((polls - 1) * poll);
            let earned = (elapsed * u128::from(quota.limit()) / quota.period().as_nanos()) as u64;
            assert_eq!(admitted, polls.min(2 + earned), "{subject:?}, every {poll} ns");
        }
    }
}

#[test]
fn polling_slower_than_the_rate_is_always_admitted() {
    for quota in [Quota::per_second(1_000_000), Quota::per_second(1), Quota::per_minute(1)] {
        for tenths in 10..=20 {
            let poll = nanos(quota.time_for(1)) * tenths / 10;
            for subject in Subject::all(quota.burst(1)) {
                let all = (0..2_000).all(|number| subject.check(1, START + number * poll).is_allowed());
                assert!(all, "{subject:?}, every {poll} ns");
            }
        }
    }
}

#[test]
fn a_rate_is_kept_to_the_unit_whether_or_not_its_spacing_is_a_whole_nanosecond() {
    // governor turned 700 million per second into a thousand million.
    for limit in [3, 7, 600_000_000, 700_000_000, 1_000_000_001] {
        let (step, steps) = (10_000_019, 10_000);
        // Of two steps, so that no step finds the bucket full and something lost.
        let quota = Quota::per_second(limit).burst(limit / 50 + 2);
        for subject in Subject::all(quota) {
            let mut admitted = 0;
            for number in 0..=steps {
                let now = START + number * step;
                let whole = subject.peek(now).remaining();
                assert!(subject.check(whole, now).is_allowed(), "{subject:?}");
                admitted += whole;
            }
            let earned = u128::from(limit) * u128::from(steps * step) / 1_000_000_000;
            assert_eq!(u128::from(admitted), u128::from(quota.burst_size()) + earned, "{subject:?}");
        }
    }
}

#[test]
fn a_cost_above_the_burst_is_never_admitted_and_changes_nothing() {
    // gcra reset the key, so that an oversized request freed whoever sent it.
    for quota in [Quota::per_second(7).burst(3), Quota::per_hour(1).burst(3)] {
        for subject in Subject::all(quota) {
            assert_eq!(subject.drain(START), 3);
            for cost in [4, 5, 1_000, u64::MAX - 1, u64::MAX] {
                let before = subject.peek(START);
                let never = subject.check(cost, START);
                assert!(!never.is_allowed());
                assert_eq!(never.retry_after(), None, "{subject:?}");
                assert_eq!(subject.peek(START), before, "{subject:?}");
            }
            assert!(!subject.check(1, START).is_allowed(), "{subject:?}");
        }
    }
}

#[test]
fn a_cost_above_the_burst_does_not_store_the_key() {
    let limiter = KeyedLimiter::new(Quota::per_second(7));
    assert_eq!(limiter.check_n_at("key", 8, Timestamp::ZERO).retry_after(), None);
    assert!(limiter.is_empty());
}

#[test]
fn the_whole_burst_is_admitted_at_once_and_again_when_it_was_earned_back() {
    // governor#11: an off-by-one made whoever asked for the whole burst wait for ever.
    let mut random = Random::new(12);
    for quota in quotas(&mut random, 40) {
        for subject in Subject::all(quota) {
            let burst = quota.burst_size();
            assert!(subject.check(burst, START).is_allowed(), "{subject:?}");
            let denied = subject.check(burst, START);
            assert!(!denied.is_allowed());
            assert_eq!(denied.retry_after(), Some(quota.refill_time()), "{subject:?}");
            assert_eq!(denied.reset_after(), quota.refill_time(), "{subject:?}");
            let then = START + nanos(quota.refill_time());
            assert!(!subject.check(burst, then - 1).is_allowed(), "{subject:?}");
            assert!(subject.check(burst, then).is_allowed(), "{subject:?}");
        }
    }
}

#[test]
fn nothing_is_always_admitted_and_takes_nothing() {
    for subject in Subject::all(Quota::per_second(7).burst(3)) {
        for remaining in [3, 2, 1, 0] {
            let before = subject.peek(START);
            let nothing = subject.check(0, START);
            assert!(nothing.is_allowed(), "{subject:?}");
            assert_eq!(nothing.remaining(), remaining, "{subject:?}");
            assert_eq!(nothing.retry_after(), Some(Duration::ZERO));
            assert_eq!(subject.peek(START), before, "{subject:?}");
            assert_eq!(subject.check(1, START).is_allowed(), remaining > 0, "{subject:?}");
        }
    }
}

#[test]
fn nothing_does_not_store_the_key() {
    let limiter = KeyedLimiter::new(Quota::per_second(7));
    assert!(limiter.check_n_at("key", 0, Timestamp::ZERO).is_allowed());
    assert!(limiter.peek_at("key", Timestamp::ZERO).is_allowed());
    assert!(limiter.is_empty());
}

#[test]
fn a_peek_answers_as_a_check_would_and_takes_nothing() {
    let mut random = Random::new(13);
    for quota in quotas(&mut random, 40) {
        for subject in Subject::all(quota) {
            let mut now = random.magnitude(1 << 50);
            for _ in 0..200 {
                let (peek, again, check) = (subject.peek(now), subject.peek(now), subject.check(1, now));
                assert_eq!(peek, again, "{subject:?}");
                assert_eq!(peek.is_allowed(), check.is_allowed(), "{subject:?}");
                if check.is_allowed() {
                    assert_eq!(peek.remaining(), check.remaining() + 1, "{subject:?}");
                } else {
                    assert_eq!(peek, check, "{subject:?}");
                }
                let _ = subject.check(random.below(quota.burst_size()), now);
                now = (now + random.below(2 * nanos(quota.time_for(1)) + 1)).min(TEN_YEARS);
            }
        }
    }
}

#[test]
fn a_refusal_reports_what_is_stored_and_not_what_was_asked() {
    // tower-rate-tier: the reset of a refusal counted the refused request.
    for subject in Subject::all(Quota::per_second(10)) {
        assert!(subject.check(8, START).is_allowed());
        let denied = subject.check(5, START);
        assert_eq!((denied.remaining(), denied.limit()), (2, 10), "{subject:?}");
        assert_eq!(denied.reset_after(), Duration::from_millis(800), "{subject:?}");
        assert_eq!(denied.retry_after(), Some(Duration::from_millis(300)), "{subject:?}");
    }
}
