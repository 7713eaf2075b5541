//! The row about quotas that are as large, as long or as fine as they can be written down.

use std::time::Duration;

use rate_core::algorithm::AlgorithmName;
use rate_core::{Quota, Timestamp};

use crate::core::random::TEN_YEARS;
use crate::core::six::keyed;
use crate::core::subject::Subject;
use rate_core::test_util::model::{Answer, Bucket, Model};

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
fn huge_quota_construct() {
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
    assert_other_algorithms_are_exact_or_an_error();
}

/// Whatever can be built has all of its units at once, and none more.
fn assert_other_algorithms_are_exact_or_an_error() {
    let (mut built, mut refused) = (0, 0);
    for quota in
        LIMITS.into_iter().flat_map(|limit| PERIODS.map(|period| Quota::new(limit, period))).flatten()
    {
        for name in AlgorithmName::ALL {
            let Ok(algorithm) = name.over(quota) else {
                refused += 1;
                continue;
            };
            built += 1;
            let (limiter, most) = (keyed(algorithm, 4), quota.limit());
            for (key, now) in [0, 1, 1_000_000_007, TEN_YEARS].into_iter().enumerate() {
                let check = |cost| limiter.check_n_at(&key, cost, Timestamp::from_nanos(now));
                for never in [most.saturating_add(1), u64::MAX] {
                    assert!(
                        never == most || check(never).retry_after().is_none(),
                        "{algorithm} at {now}: {never}"
                    );
                }
                assert!(check(most).is_allowed(), "{algorithm} at {now}: a new key has {most}");
                let denied = check(1);
                assert!(!denied.is_allowed(), "{algorithm} at {now}: {denied:?}");
                let then =
                    Timestamp::from_nanos(now).saturating_add(denied.retry_after().unwrap_or_default());
                // Near the end of time there is none left for what would be charged then.
                let in_time = then > Timestamp::from_nanos(now) && then.as_nanos() <= 2 * TEN_YEARS;
                assert!(
                    !in_time || limiter.check_at(&key, then).is_allowed(),
                    "{algorithm} at {now}: {denied:?}"
                );
            }
        }
    }
    assert!(built > 100 && refused > 20, "{built} built, {refused} refused");
}
