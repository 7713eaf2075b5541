//! Rates whose spacing is no whole number of nanoseconds, over months and years of virtual time.

use rate_core::{Decision, KeyedLimiter, Limiter, Quota, Timestamp};

use super::asked_for;
use crate::core::random::Random;

const CHECKS: u64 = 1_000_000_000;
const CHECKPOINT: u64 = 10_000_000;

#[test]
fn a_limiter_does_not_drift() {
    if !asked_for("10^9 checks each of 999,983/s and 7/s") {
        return;
    }
    for quota in [Quota::per_second(999_983), Quota::per_second(7)] {
        let limiter = Limiter::new(quota);
        every_unit_is_accounted_for(quota, CHECKS, |now| limiter.check_at(now), |now| limiter.peek_at(now));
    }
}

#[test]
fn a_key_does_not_drift() {
    if !asked_for("10^8 checks each of a key at 999,983/s and 7/s") {
        return;
    }
    for quota in [Quota::per_second(999_983), Quota::per_second(7)] {
        let limiter = KeyedLimiter::new(quota);
        let check = |now| limiter.check_at("key", now);
        every_unit_is_accounted_for(quota, CHECKS / 10, check, |now| limiter.peek_at("key", now));
    }
}

/// Checks about twice as often as units come back, so that the bucket is never full again and nothing earned is lost.
fn every_unit_is_accounted_for(
    quota: Quota,
    checks: u64,
    check: impl Fn(Timestamp) -> Decision,
    peek: impl Fn(Timestamp) -> Decision,
) {
    let mut random = Random::new(61);
    let start = random.magnitude(1 << 50);
    let step = quota.time_for(1).as_nanos() as u64;
    let (mut now, mut admitted) = (start, 0);
    for number in 1..=checks {
        admitted += u64::from(check(Timestamp::from_nanos(now)).is_allowed());
        if number % CHECKPOINT == 0 {
            let elapsed = u128::from(now - start);
            let earned = (elapsed * u128::from(quota.limit()) / quota.period().as_nanos()) as u64;
            let left = peek(Timestamp::from_nanos(now)).remaining();
            assert_eq!(admitted + left, quota.burst_size() + earned, "{quota:?} after {number} checks");
        }
        now += random.below(step);
    }
    let seconds = (now - start) / 1_000_000_000;
    println!(
        "{quota:?}: {checks} checks in {seconds} s of virtual time, {admitted} admitted, none too many or few"
    );
}
