//! Rows about limits that change, and about callers that nobody has a limit for.

use rate_core::algorithm::AlgorithmName;
use rate_core::{KeyedLimiter, Quota, Tier, Timestamp};

use super::START;
use crate::core::random::{Random, quotas};
use crate::core::six::keyed;

const NOW: Timestamp = Timestamp::from_nanos(START);

#[test]
fn quota_raise_lower_live() {
    // limitador#522: a maximum lowered below the usage made `remaining` underflow.
    let mut random = Random::new(31);
    for (first, second) in quotas(&mut random, 40).into_iter().zip(quotas(&mut random, 80).into_iter().rev())
    {
        let mut limiter = keyed(rate_core::algorithm::Gcra::new(first), 100);
        assert!(limiter.check_n_at("exhausted", first.burst_size(), NOW).is_allowed());
        assert!(limiter.check_n_at("half", first.burst_size().div_ceil(2), NOW).is_allowed());
        let half = limiter.peek_at("half", NOW);
        for change in 0..300 {
            let quota = if change % 2 == 0 { second } else { first };
            limiter = limiter.with_quota_at(quota, NOW);
            let place = format!("{first:?} and {second:?}, change {change}");
            assert!(!limiter.check_at("exhausted", NOW).is_allowed(), "{place}");
            assert_eq!(limiter.check_n_at("new", 0, NOW).remaining(), quota.burst_size(), "{place}");
            if change % 2 == 1 {
                let now = limiter.peek_at("half", NOW);
                assert!(
                    now.remaining() <= half.remaining() && now.reset_after() >= half.reset_after(),
                    "{place}"
                );
            }
        }
    }
    for name in AlgorithmName::ALL {
        let of = |limit| name.over(Quota::per_day(limit)).expect("it can be counted");
        let mut limiter = keyed(of(10), 100);
        assert_eq!(limiter.take_up_to_at("exhausted", 10, NOW), 10);
        assert_eq!(limiter.take_up_to_at("some", 4, NOW), 4);
        for limit in [3, 1_000, 7, 1, 60_000, 2, 10, 10, 5, 40, 10] {
            limiter = limiter.with_limit_at(of(limit), NOW);
            assert_eq!(limiter.take_up_to_at("exhausted", 10, NOW), 0, "{name}, {limit}");
            let some = limiter.peek_at("some", NOW);
            // Four tenths of it, and what rounding made more.
            assert!(some.limit() == limit && some.remaining() * 10 <= limit * 6, "{name}, {limit}: {some:?}");
            assert_eq!(limiter.peek_at("new", NOW).remaining(), limit, "{name}");
        }
    }
}

#[test]
fn unknown_tier() {
    // Of a tier that nobody has heard of, others have made "no limit". Here a caller has a quota or is named unlimited.
    let limiter = KeyedLimiter::builder(Quota::per_minute(10)).capacity(8).build().expect("eight keys fit");
    let tier_of = |plan: &str| match plan {
        "gold" => Tier::Limit(Quota::per_minute(100)),
        "staff" => Tier::Unlimited,
        _ => Tier::Limit(limiter.quota()),
    };
    let admitted = |user: &str, plan: &str| {
        let taken = |_: &u64| limiter.check_tier_at(user, tier_of(plan), 1, NOW).is_allowed();
        (0..1_000).filter(taken).count()
    };
    assert_eq!(admitted("ann", "gold"), 100);
    assert_eq!(admitted("bob", "platinum"), 10);
    assert_eq!(admitted("eve", ""), 10);
    assert_eq!(admitted("root", "staff"), 1_000);
    // Nor is an unknown one a way out of a known one.
    assert_eq!(admitted("ann", "platinum"), 0);
    // A quota that the limiter meets for the first time is counted from the first request on.
    let never_seen = limiter.tier(Quota::per_hour(3));
    assert_eq!((0..10).filter(|_| never_seen.check_at("new", NOW).is_allowed()).count(), 3);
    assert!(!limiter.tier(Quota::per_day(1_000_000)).check_at("ann", NOW).is_allowed());
}
