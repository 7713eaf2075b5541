//! Timestamps older than one that was seen already: racing threads, a clock that steps back.
//!
//! They may refuse more. They never admit more, never rewind a limit, and never make anybody wait longer later. What a late
//! refund of a token bucket gives back too much is with the refunds.

use std::time::Duration;

use rate_core::algorithm::SlidingWindow;
use rate_core::test_util::model::{Answer, Bucket, Model};
use rate_core::{Decision, KeyedLimiter, Limiter, Quota, Timestamp};

use super::random::{Random, cost, quotas};
use super::subject::Subject;

const HOUR: u64 = 3_600_000_000_000;

#[test]
fn a_late_timestamp_admits_no_more_than_the_latest_would_and_delays_nobody_later() {
    let mut random = Random::new(21);
    let mut late_admissions = 0;
    for quota in quotas(&mut random, 50) {
        for subject in Subject::all(quota) {
            let mut exact = Bucket::new(quota);
            let mut latest = 2 * HOUR + random.magnitude(1 << 50);
            for _ in 0..400 {
                let late = random.below(3) == 0;
                let now = if late { latest - random.magnitude(HOUR) } else { latest };
                let cost = cost(&mut random, quota.burst_size());
                let (before, mut in_time) = (subject.peek(latest), exact.clone());
                let found = subject.check(cost, now);
                assert_eq!(
                    Answer::from(found),
                    exact.check(cost, Timestamp::from_nanos(now)),
                    "{subject:?} {cost} at {now}, {latest}"
                );

                let after = subject.peek(latest);
                if found.is_allowed() {
                    let at_latest = in_time.check(cost, Timestamp::from_nanos(latest));
                    assert!(at_latest.allowed, "{subject:?}: {cost} late at {now}, but not at {latest}");
                    assert!(after.reset_after() <= at_latest.reset_after, "{subject:?}: {cost} at {now}");
                    late_admissions += u64::from(late && cost > 0);
                } else {
                    assert_eq!(after, before, "{subject:?}: refused, and something changed");
                }
                assert!(after.remaining() <= before.remaining(), "{subject:?}: rewound by {now}");
                latest += random.below(2 * quota.time_for(1).as_nanos() as u64 + 2).min(HOUR);
            }
        }
    }
    assert!(late_admissions > 500, "{late_admissions} late admissions are too few to mean anything");
}

/// A table of one line, in which the seventh key replaces one that is as good as new.
fn tiny(quota: Quota) -> KeyedLimiter {
    let limiter = KeyedLimiter::builder(quota).capacity(1).build().expect("one key fits");
    assert_eq!(
        limiter.allocated_bytes(),
        128,
        "the table has more than the one line that these tests are about"
    );
    limiter
}

#[test]
fn a_key_that_was_dropped_as_fresh_is_still_spent_for_a_late_timestamp() {
    let limiter = tiny(Quota::per_second(1));
    let at = |millis: u64| Timestamp::from_nanos(HOUR + millis * 1_000_000);
    assert!(limiter.check_at("spent", at(0)).is_allowed());
    for other in 0..6 {
        assert!(limiter.check_at(&other, at(2_000)).is_allowed());
    }
    assert_eq!((limiter.len(), limiter.evictions()), (6, 0), "`spent` was to be dropped as fresh");

    let late = limiter.check_at("spent", at(400));
    assert!(!late.is_allowed(), "a late request found a full bucket where a spent one had been");
    assert_eq!(late.retry_after(), Some(Duration::from_millis(600)));
    assert!(limiter.check_at("spent", at(1_000)).is_allowed());
}

#[test]
fn dropping_fresh_keys_changes_no_decision_in_time_and_admits_no_more_late() {
    let quota = Quota::new(2, Duration::from_micros(2)).expect("a unit per microsecond").burst(2);
    let mut random = Random::new(22);
    let (mut dropped, mut late_denials) = (0, 0);
    for _ in 0..300 {
        let limiter = tiny(quota);
        // Nothing is ever dropped here. Charged with what the limiter admits, not with what it would admit itself.
        let mut exact = vec![Bucket::new(quota); 30];
        let mut latest = HOUR;
        for step in 0..200 {
            latest += 500 + random.below(1_000);
            let late = random.below(4) == 0;
            let now = if late { latest - random.magnitude(10_000) } else { latest };
            let key = random.below(30);
            let expected = exact[key as usize].clone().check(1, Timestamp::from_nanos(now));
            let found = limiter.check_at(&key, Timestamp::from_nanos(now));
            if limiter.evictions() > 0 {
                // A late newcomer found six keys in use at its own time; what was lost is counted, and not the matter here.
                break;
            }
            if found.is_allowed() {
                assert!(expected.allowed, "step {step}: key {key} at {now}, latest {latest}");
                // A dropped key is charged as of when it was fresh, which may be after `now` but never after `latest`.
                let charged = exact[key as usize].check(1, Timestamp::from_nanos(now));
                assert!(found.remaining() <= charged.remaining);
            } else if !late {
                assert!(!expected.allowed, "step {step}: key {key} in time at {now}");
            } else {
                late_denials += u64::from(expected.allowed);
            }
        }
        dropped += u64::from(limiter.len() == 6);
    }
    assert!(dropped > 200, "only {dropped} of the tables were ever full");
    assert!(late_denials > 0, "no late request ever met a dropped key");
}

#[test]
fn a_key_that_is_not_late_is_new_however_many_were_dropped() {
    let limiter = tiny(Quota::per_second(10).burst(3));
    for key in 0..1_000_u64 {
        let now = Timestamp::from_nanos(key * 100_000_000);
        let Decision::Allowed(allowed) = limiter.check_at(&key, now) else {
            panic!("newcomer {key} refused")
        };
        assert_eq!(allowed.remaining(), 2, "newcomer {key} is not new");
    }
    assert_eq!(limiter.evictions(), 0);
}

#[test]
fn what_is_late_counts_at_the_latest_instant_at_which_units_were_taken_or_given_back() {
    // Counted at 74, the latest at which any was taken, 21 units would be in [66, 76), and the bound is 18.
    let window = SlidingWindow::new(Quota::new(10, Duration::from_nanos(10)).expect("a quota"));
    let (limiter, at) = (Limiter::of(window), Timestamp::from_nanos);
    assert_eq!(limiter.bounds().units(), 18);
    assert!(limiter.check_n_at(10, at(66)).is_allowed());
    assert!(limiter.check_n_at(4, at(74)).is_allowed());
    assert_eq!(limiter.refund_at(1, at(74), at(80)), 1);
    assert!(limiter.check_n_at(7, at(70)).is_allowed());
    // At 80 they count: 10 and 3 in [66, 76), 3 and 7 in [74, 84), and no more.
    assert!(!limiter.check_at(at(80)).is_allowed());

    // That somebody asked in vain at an hour does not make what is late count there.
    let limiter = Limiter::new(Quota::per_second(10));
    let (mut taken, hour) = (0, at(HOUR));
    assert_eq!(limiter.bounds().units(), 19);
    assert!(!limiter.check_n_at(11, hour).is_allowed());
    assert_eq!(limiter.refund_at(10, at(0), hour), 0);
    for second in 0..3 {
        taken += limiter.take_up_to_at(10, at(second * 1_000_000_000));
    }
    assert_eq!(taken, 30);
}
