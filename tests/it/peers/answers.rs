//! Rows about one decision: what is never admitted, what is always, and how long one waits.

use std::time::Duration;

use rate_core::{KeyedLimiter, Quota};

use super::START;
use crate::core::random::{Random, TEN_YEARS, cost, quotas};
use crate::core::six::Subject;

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).expect("shorter than 584 years")
}

/// Quotas without a burst of their own, which every algorithm but the calendar can count, and some that it can.
fn plain(random: &mut Random, count: usize) -> Vec<Quota> {
    let second = |limit| Quota::new(limit, Duration::from_secs(1));
    let any = (0..count)
        .map(|_| Quota::new(random.magnitude(1_000), Duration::from_nanos(random.magnitude(1 << 45))));
    let mut all: Vec<_> = [1, 7, 999].into_iter().map(second).chain(any).filter_map(Result::ok).collect();
    all.extend([Quota::per_day(1), Quota::per_day(3), Quota::per_day(100)]);
    all
}

#[test]
fn never_fits_keeps_state() {
    // gcra reset the key, so that an oversized request freed whoever sent it.
    for quota in
        [Quota::per_second(7).burst(3), Quota::per_hour(1).burst(3), Quota::per_day(3), Quota::per_second(3)]
    {
        for subject in Subject::all(quota, 8) {
            assert_eq!(subject.drain(START), 3);
            for cost in [4, 5, 1_000, u64::MAX - 1, u64::MAX] {
                let before = subject.peek(START);
                let never = subject.check(cost, START);
                assert!(!never.is_allowed());
                assert_eq!(never.retry_after(), None, "{subject:?}");
                if let Some(place) = subject.limit.reserve(0, cost, u64::MAX, START) {
                    assert_eq!(place.expect_err("too much").retry_after(), None, "{subject:?}");
                }
                assert_eq!(subject.peek(START), before, "{subject:?}");
            }
            assert!(!subject.check(1, START).is_allowed(), "{subject:?}");
        }
    }
}

#[test]
fn cost_equals_burst() {
    // governor#11 and #12, redis#14826: an off-by-one made whoever asked for the whole burst wait for ever.
    let mut random = Random::new(12);
    let bursts = quotas(&mut random, 40);
    for quota in plain(&mut random, 20).into_iter().chain(bursts) {
        for subject in Subject::all(quota, 8) {
            let burst = subject.most();
            assert!(subject.check(burst, START).is_allowed(), "{subject:?}");
            let denied = subject.check(burst, START);
            assert!(!denied.is_allowed());
            let wait = denied.retry_after().expect("it fits");
            if subject.is_gcra() {
                assert_eq!((wait, denied.reset_after()), (quota.refill_time(), wait), "{subject:?}");
            }
            let then = START + nanos(wait);
            assert!(!subject.check(burst, then - 1).is_allowed(), "{subject:?}");
            assert!(subject.check(burst, then).is_allowed(), "{subject:?}");
        }
    }
}

#[test]
fn cost_zero() {
    // Asked of a full key, of one in use, of one that has nothing and of one that nobody knows: a look, and nothing more.
    for quota in [Quota::per_second(7).burst(3), Quota::per_day(3)] {
        for subject in Subject::all(quota, 8) {
            for _ in 0..=3 {
                let before = subject.peek(START);
                let nothing = subject.check(0, START);
                assert!(nothing.is_allowed(), "{subject:?}");
                assert_eq!(nothing.remaining(), before.remaining(), "{subject:?}");
                assert_eq!(nothing.retry_after(), Some(Duration::ZERO));
                assert_eq!(subject.limit.up_to(0, 0, START), 0);
                assert!(subject.limit.refund(0, 0, START, START).is_none_or(|units| units == 0));
                assert!(subject.limit.debit(0, 0, 3, START).is_none_or(|units| units == 0));
                let place = subject.limit.reserve(0, 0, 0, START);
                assert!(
                    place.is_none_or(|place| place.is_ok_and(|place| place.wait().is_zero())),
                    "{subject:?}"
                );
                assert_eq!(subject.peek(START), before, "{subject:?}");
                let _ = subject.check(1, START);
            }
        }
    }
    let limiter = KeyedLimiter::new(Quota::per_second(7));
    assert!(limiter.check_n("nobody", 0).is_allowed());
    assert_eq!(limiter.take_up_to("nobody", 0) + limiter.refund("nobody", 0, limiter.now()), 0);
    assert_eq!(limiter.debit("nobody", 0, 5), 0);
    assert!(limiter.reserve("nobody", 0, Duration::ZERO).is_ok());
    assert!(limiter.is_empty(), "a key was stored for nothing");
}

#[test]
fn retry_after_contract() {
    // redis-cell#56, tower-governor#65: waits that were rounded down, so that whoever obeyed was refused again.
    let mut random = Random::new(11);
    let mut waits = 0;
    let bursts = quotas(&mut random, 60);
    for quota in plain(&mut random, 30).into_iter().chain(bursts) {
        for subject in Subject::all(quota, 8) {
            let mut now = random.magnitude(1 << 50);
            for _ in 0..100 {
                let cost = cost(&mut random, subject.most());
                let decision = subject.check(cost, now);
                let Some(wait) = decision.retry_after() else {
                    assert!(cost > subject.most(), "{subject:?}: {cost} is never admitted");
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
    assert!(waits > 10_000, "{waits} waits are too few to mean anything");
}

#[test]
fn reset_not_counting_denied() {
    // tower-rate-tier: the reset of a refusal counted the refused request.
    for quota in [Quota::per_second(10), Quota::per_day(10)] {
        for subject in Subject::all(quota, 8) {
            assert!(subject.check(8, START).is_allowed());
            let before = subject.peek(START);
            for cost in [5, 10, 11, 5] {
                let denied = subject.check(cost, START);
                assert_eq!((denied.is_allowed(), denied.limit()), (false, 10), "{subject:?}");
                assert_eq!(denied.remaining(), before.remaining(), "{subject:?}");
                assert_eq!(denied.reset_after(), before.reset_after(), "{subject:?}");
            }
            if subject.is_gcra() {
                assert_eq!(before.reset_after(), quota.period() * 8 / 10, "{subject:?}");
                assert_eq!(
                    subject.check(5, START).retry_after(),
                    Some(quota.period() * 3 / 10),
                    "{subject:?}"
                );
            }
        }
    }
}
