//! Quotas, costs and instants at the ends of what can be written down.

use std::time::Duration;

use proptest::prelude::*;
use rate_core::test_util::model::{Answer, Bucket, Model};
use rate_core::{Clock, KeyedLimiter, ManualClock, Quota, Timestamp};

use super::random::TEN_YEARS;
use super::subject::Subject;

const LIMITS: [u64; 12] = [
    1,
    2,
    7,
    999_983,
    1_000_000_007,
    u32::MAX as u64,
    1 << 32,
    (1 << 32) + 1,
    (1 << 32) + 2,
    1 << 63,
    u64::MAX - 1,
    u64::MAX,
];

const BURSTS: [u64; 9] =
    [1, 2, 1_000_000, u32::MAX as u64, 1 << 32, (1 << 32) + 2, 1 << 62, u64::MAX - 1, u64::MAX];

const PERIODS: [Duration; 11] = [
    Duration::from_nanos(1),
    Duration::from_nanos(2),
    Duration::from_nanos(1_000_003),
    Duration::from_secs(1),
    // A divisor of u64::MAX, so that even that limit has an exact spacing.
    Duration::from_nanos((1 << 32) + 1),
    Duration::from_secs(86_400),
    Duration::from_secs(10 * 365 * 86_400),
    Duration::from_secs(570 * 365 * 86_400),
    Duration::from_secs(584 * 365 * 86_400),
    Duration::from_nanos(u64::MAX),
    Duration::MAX,
];

#[test]
fn any_quota_that_can_be_built_is_exact_and_any_other_is_an_error() {
    // governor wrapped or panicked, throttlecrab cast: the same text meant another limit.
    let (mut built, mut refused) = (0, 0);
    for (limit, period) in LIMITS.into_iter().flat_map(|limit| PERIODS.map(|period| (limit, period))) {
        for burst in BURSTS {
            let Ok(quota) = Quota::new(limit, period).and_then(|quota| quota.try_burst(burst)) else {
                refused += 1;
                continue;
            };
            built += 1;
            assert_eq!((quota.limit(), quota.period(), quota.burst_size()), (limit, period, burst));
            for subject in Subject::all(quota) {
                let mut bucket = Bucket::new(quota);
                for now in [0, 1, 1_000, 1_000_000_007, TEN_YEARS / 3, TEN_YEARS - 1, TEN_YEARS] {
                    for cost in [0, 1, 2, burst / 2, burst - 1, burst, burst.saturating_add(1), u64::MAX] {
                        if matches!(subject, Subject::Combined(..)) && cost > 1 << 60 {
                            // More than the second limit has.
                            continue;
                        }
                        let expected = bucket.check(cost, Timestamp::from_nanos(now));
                        assert_eq!(
                            Answer::from(subject.check(cost, now)),
                            expected,
                            "{subject:?} {cost} {now}"
                        );
                    }
                }
            }
        }
    }
    assert!(built > 100 && refused > 100, "{built} built, {refused} refused");
}

#[test]
fn a_quota_that_cannot_be_represented_names_the_field_and_the_way_out() {
    let new = |limit, period| Quota::new(limit, period).expect_err("not a quota");
    let second = Duration::from_secs(1);
    for (error, field, text) in [
        (new(0, second), "limit", "at least 1"),
        (new(1, Duration::ZERO), "period", "at least 1"),
        (new(1, Duration::MAX), "period", "shorten it"),
        (new(1, Duration::from_secs(580 * 365 * 86_400)), "period", "shorten it"),
        (new((1 << 32) + 15, second), "limit", "rounder number"),
        (Quota::per_second(1).try_burst(0).expect_err("no burst"), "burst", "at least 1"),
        (Quota::per_hour(1).try_burst(u32::MAX.into()).expect_err("500,000 years"), "burst", "lower it"),
        (
            Quota::per_second(1).try_burst(u64::MAX).expect_err("longer still"),
            "burst",
            "got 18446744073709551615",
        ),
    ] {
        assert_eq!(error.field(), field);
        assert!(error.to_string().contains(text), "{error}");
    }
}

#[test]
fn a_capacity_that_does_not_fit_memory_is_an_error() {
    for keys in [0, usize::MAX, usize::MAX / 2, 1 << 60] {
        let built = KeyedLimiter::builder(Quota::per_second(1)).capacity(keys).build();
        let error = built.expect_err("no machine has this").to_string();
        assert!(error.contains(&keys.to_string()), "{error}");
    }
}

#[test]
fn the_last_instants_refuse_rather_than_forget_what_was_charged() {
    for quota in [
        Quota::per_second(1),
        Quota::per_second(7).burst(3),
        Quota::per_day(3),
        Quota::per_second(999_983).burst(500),
    ] {
        for before_the_end in [0, 1, 2, 1_000, 1_000_000_000, 3_600_000_000_000] {
            for subject in Subject::all(quota) {
                let mut admitted = 0;
                for now in [u64::MAX - before_the_end, u64::MAX - before_the_end / 2, u64::MAX] {
                    // A bound, for else a limit that forgets would be polled for ever.
                    admitted +=
                        (0..2 * quota.burst_size()).filter(|_| subject.check(1, now).is_allowed()).count();
                }
                let earned =
                    u128::from(before_the_end) * u128::from(quota.limit()) / quota.period().as_nanos();
                let most = u128::from(quota.burst_size()) + earned;
                assert!(admitted as u128 <= most, "{subject:?}: {admitted} in the last {before_the_end} ns");
            }
        }
    }
}

#[test]
fn the_first_instant_is_as_good_as_any() {
    for subject in Subject::all(Quota::per_second(7).burst(3)) {
        assert_eq!(subject.drain(0), 3, "{subject:?}");
        assert_eq!(subject.drain(142_857_142), 0, "{subject:?}");
        assert_eq!(subject.drain(142_857_143), 1, "{subject:?}");
    }
}

#[test]
fn a_key_that_was_idle_for_all_of_time_is_as_good_as_new() {
    for subject in Subject::all(Quota::per_second(7).burst(3)) {
        assert_eq!(subject.drain(0), 3);
        assert_eq!(subject.peek(u64::MAX).remaining(), 3, "{subject:?}");
    }
}

#[test]
fn a_manual_clock_stops_at_the_last_instant() {
    let clock = ManualClock::new();
    clock.set(Timestamp::from_nanos(u64::MAX - 5));
    clock.advance(Duration::from_nanos(5));
    assert_eq!(clock.now(), Timestamp::from_nanos(u64::MAX));
    for step in [Duration::from_nanos(1), Duration::from_secs(1), Duration::MAX] {
        clock.advance(step);
        assert_eq!(clock.now(), Timestamp::from_nanos(u64::MAX), "wrapped by {step:?}");
    }
}

fn any_quota() -> impl Strategy<Value = Quota> {
    let period = prop_oneof![
        1..=u64::MAX,
        1..=100_000_u64,
        (1..=1_000_u64).prop_map(|count| count * 1_000_000),
        (1..=1_000_u64).prop_map(|count| count * 60_000_000_000),
        (1..=20_000_u64).prop_map(|count| count * 86_400_000_000_000),
    ];
    let number = || prop_oneof![1..=100_u64, 1..=u64::from(u32::MAX), 1..=u64::MAX];
    (number(), period, prop::option::of(number())).prop_filter_map("not a quota", |(limit, period, burst)| {
        let quota = Quota::new(limit, Duration::from_nanos(period)).ok()?;
        quota.try_burst(burst.unwrap_or(limit)).ok()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_quota_survives_its_text_and_its_json(quota in any_quota()) {
        let text = quota.to_string();
        prop_assert_eq!(text.parse::<Quota>().expect("its own text"), quota);
        let json = serde_json::to_string(&quota).expect("a string");
        prop_assert_eq!(&json, &format!("\"{text}\""));
        prop_assert_eq!(serde_json::from_str::<Quota>(&json).expect("its own JSON"), quota);
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in "[0-9]{0,21}/?[0-9]{0,21}(ns|us|ms|s|min|h|day|x)?( burst [0-9]{0,21})?") {
        if let Ok(quota) = text.parse::<Quota>() {
            prop_assert_eq!(quota.to_string().parse::<Quota>().expect("its own text"), quota);
        }
    }

    #[test]
    fn timestamps_never_wrap(nanos in any::<u64>(), seconds in any::<u64>(), part in 0..1_000_000_000_u32) {
        let (start, wait) = (Timestamp::from_nanos(nanos), Duration::new(seconds, part));
        let exact = u128::from(nanos) + wait.as_nanos();
        prop_assert_eq!(u128::from(start.saturating_add(wait).as_nanos()), exact.min(u64::MAX.into()));
    }
}
