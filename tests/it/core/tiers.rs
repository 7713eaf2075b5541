//! Quotas per call: a key is counted by the quota of its tier, and takes its used share along when that changes.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rate_core::test_util::model::{Answer, Bucket, Model};
use rate_core::{KeyedLimiter, Quota, Tier, Timestamp, check_all};

use super::random::{Random, TEN_YEARS, cost, quotas};
use super::window::most_in_a_window;

const NOW: Timestamp = Timestamp::from_nanos(1_234_567_890_123);

fn small(quota: Quota) -> KeyedLimiter {
    KeyedLimiter::builder(quota).capacity(100).build().expect("a hundred keys fit")
}

/// One line for everybody, so that keys of all tiers are each other's neighbours.
fn one_line(quota: Quota) -> KeyedLimiter {
    KeyedLimiter::builder(quota).capacity(4).build().expect("four keys fit")
}

fn later(duration: Duration) -> Timestamp {
    NOW.saturating_add(duration)
}

#[test]
fn each_key_is_counted_exactly_by_the_quota_it_is_asked_in() {
    let mut random = Random::new(41);
    let quotas = quotas(&mut random, 60);
    for set in quotas.chunks_exact(3) {
        let limiter = one_line(set[0]);
        let tiers = [limiter.clone(), limiter.tier(set[1]), limiter.tier(set[2])];
        let mut models: Vec<_> = set.iter().map(|quota| Bucket::new(*quota)).collect();
        let mut now = random.magnitude(1 << 50);
        for step in 0..3_000 {
            let key = random.below(3) as usize;
            now = (now + random.below(set[key].time_for(1).as_nanos() as u64 + 2)).min(TEN_YEARS);
            let cost = cost(&mut random, set[key].burst_size());
            let at = Timestamp::from_nanos(now);
            let found: Answer = match random.below(2) {
                0 => tiers[key].check_n_at(&key, cost, at).into(),
                _ if key == 0 => limiter.check_n_at(&key, cost, at).into(),
                _ => limiter.check_tier_at(&key, Tier::Limit(set[key]), cost, at).into(),
            };
            assert_eq!(found, models[key].check(cost, at), "{set:?}, key {key}, step {step}, cost {cost}");
        }
    }
}

#[test]
fn a_change_of_tier_keeps_the_used_share() {
    let limiter = small(Quota::per_minute(10));
    let (gold, silver) = (limiter.tier(Quota::per_minute(100)), limiter.tier(Quota::per_hour(50).burst(20)));
    assert!(gold.check_n_at("ann", 50, NOW).is_allowed());
    assert_eq!(silver.peek_at("ann", NOW).remaining(), 10);
    assert_eq!(limiter.peek_at("ann", NOW).remaining(), 5);
    assert_eq!(gold.peek_at("ann", NOW).remaining(), 50);
}

#[test]
fn going_back_and_forth_wins_nothing() {
    // Axum-governor and axum-limit hand out a fresh bucket with every change of plan.
    let mut random = Random::new(42);
    for pair in quotas(&mut random, 60).chunks_exact(2) {
        let limiter = one_line(pair[0]);
        let other = limiter.tier(pair[1]);
        assert!(limiter.check_n_at("ann", pair[0].burst_size(), NOW).is_allowed());
        for _ in 0..200 {
            assert!(!other.check_at("ann", NOW).is_allowed(), "{pair:?}");
            assert!(!limiter.check_at("ann", NOW).is_allowed(), "{pair:?}");
        }
    }
}

#[test]
fn a_refusal_in_another_tier_says_a_wait_that_is_enough() {
    // A key that was only refused since its plan changed went on earning at the old rate: with one unit per day it would have
    // been told to come back in a tenth of a second for ever.
    let limiter = small(Quota::per_day(1));
    let fast = limiter.tier(Quota::per_second(10));
    assert!(limiter.check_at("ann", NOW).is_allowed());
    let denied = fast.check_at("ann", NOW);
    let wait = denied.retry_after().expect("one unit fits");
    assert_eq!(wait, Duration::from_millis(100));
    assert!(!fast.check_at("ann", later(wait - Duration::from_nanos(1))).is_allowed());
    assert!(fast.check_at("ann", later(wait)).is_allowed());
}

#[test]
fn neighbours_in_other_tiers_are_left_alone() {
    let limiter = one_line(Quota::per_day(2));
    let fast = limiter.tier(Quota::per_second(1));
    assert!(fast.check_at("fast", NOW).is_allowed());
    assert!(limiter.check_n_at("slow", 2, NOW).is_allowed());
    for second in 1..100 {
        let now = later(Duration::from_secs(second));
        // Each rewrites what it finds of itself, and nobody else.
        assert!(!limiter.check_at("slow", now).is_allowed());
        assert!(fast.check_at("fast", now).is_allowed());
        assert!(!fast.check_at("fast", now).is_allowed());
    }
}

#[test]
fn a_live_change_is_for_those_without_a_tier() {
    let limiter = one_line(Quota::per_minute(10));
    let gold = limiter.tier(Quota::per_minute(100));
    assert!(limiter.check_n_at("ann", 5, NOW).is_allowed());
    assert!(gold.check_n_at("bob", 40, NOW).is_allowed());
    let changed = limiter.with_quota_at(Quota::per_minute(1_000), NOW);
    assert_eq!(changed.peek_at("ann", NOW).remaining(), 500);
    assert_eq!(limiter.peek_at("ann", NOW).limit(), 1_000);
    assert_eq!(gold.peek_at("bob", NOW).remaining(), 60);
    assert_eq!(changed.peek_at("bob", NOW).remaining(), 600);
}

#[test]
fn the_unlimited_and_the_blocked_leave_no_trace() {
    let limiter = small(Quota::per_minute(10));
    for cost in [0, 1, u64::MAX] {
        let decision = limiter.check_tier_at("root", Tier::Unlimited, cost, NOW);
        assert!(decision.is_allowed());
        let decision = limiter.check_tier_at("gone", Tier::Blocked, cost, NOW);
        assert_eq!((decision.is_allowed(), decision.retry_after(), decision.remaining()), (false, None, 0));
    }
    assert!(limiter.is_empty());
}

#[test]
fn several_limits_are_one_decision_in_any_tier() {
    let (minute, day) = (small(Quota::per_minute(10)), small(Quota::per_day(100)));
    let (gold_minute, gold_day) = (minute.tier(Quota::per_minute(20)), day.tier(Quota::per_day(30)));
    let take = |now| check_all([gold_minute.charge("ann", 15), gold_day.charge("ann", 15)], now);
    assert!(take(NOW).is_allowed());
    assert!(!take(NOW).is_allowed());
    assert_eq!(
        (gold_minute.peek_at("ann", NOW).remaining(), gold_day.peek_at("ann", NOW).remaining()),
        (5, 15)
    );
    // As many tiers as there are, in both orders, on keys that are rewritten each time.
    for _ in 0..50 {
        let plain = check_all([day.charge("ann", 1), minute.charge("ann", 100)], NOW);
        assert!(!plain.is_allowed());
        assert!(!take(NOW).is_allowed());
    }
    assert_eq!(gold_day.peek_at("ann", NOW).remaining(), 15);
}

#[test]
fn one_key_in_two_tiers_is_one_decision_in_the_first_of_them() {
    // The key was rewritten in the second tier to be decided in the first, for ever.
    let limiter = small(Quota::per_minute(10));
    let gold = limiter.tier(Quota::per_minute(100));
    assert!(limiter.check_at("ann", NOW).is_allowed());
    assert!(check_all([gold.charge("ann", 4), limiter.charge("ann", 6)], NOW).is_allowed());
    assert_eq!(gold.peek_at("ann", NOW).remaining(), 80);
    let three = [limiter.charge("ann", 1), gold.charge("ann", 1), limiter.charge("bob", 10)];
    assert!(check_all(three, NOW).is_allowed());
    assert_eq!((limiter.peek_at("ann", NOW).remaining(), limiter.peek_at("bob", NOW).remaining()), (6, 0));
}

#[test]
fn a_tier_survives_being_moved_to_another_line() {
    // Newcomers move their neighbours: 1,000 keys in room for 1,000, half of them in a tier of their own.
    let limiter = KeyedLimiter::builder(Quota::per_hour(2)).capacity(1_000).build().expect("they fit");
    // As many units, but not as much time: in the other's arithmetic no key has what it has in its own.
    let gold = limiter.tier(Quota::per_day(4));
    for key in 0..1_000_u64 {
        let of = if key % 2 == 0 { &gold } else { &limiter };
        assert!(of.check_n_at(&key, 1 + u64::from(key % 2 == 0), NOW).is_allowed());
    }
    assert_eq!(limiter.evictions(), 0);
    for key in 0..1_000_u64 {
        // Half of two per hour, and of four per day.
        let (of, left, minutes) = if key % 2 == 0 { (&gold, 2, 12 * 60) } else { (&limiter, 1, 30) };
        let found = of.peek_at(&key, NOW);
        assert_eq!(found.remaining(), left, "key {key}");
        assert_eq!(found.reset_after(), Duration::from_secs(minutes * 60), "key {key}");
    }
    assert!(limiter.allocated_bytes() > 32_000, "what is beside the states counts too");
}

#[test]
fn a_refund_through_a_tier_that_the_key_has_left_gives_nothing() {
    // In the faster tier the charge had come back and was spent again; through the slower one it was given back as well.
    for charges in [vec![10], vec![5, 5]] {
        let slow = small(Quota::per_hour(10));
        let fast = slow.tier(Quota::per_second(1_000).burst(10));
        for units in &charges {
            assert!(slow.check_n_at("ann", *units, NOW).is_allowed());
        }
        assert_eq!(fast.peek_at("ann", NOW).remaining(), 0);
        let now = later(Duration::from_secs(1));
        assert!(fast.check_n_at("ann", 10, now).is_allowed());
        for units in &charges {
            assert_eq!(slow.refund_at("ann", *units, NOW, now), 0);
        }
        assert!(!slow.check_at("ann", now).is_allowed());
        // Nor through the other one, where the charge is as long ago as it takes to come back.
        assert_eq!(fast.refund_at("ann", 10, NOW, now), 0);
    }
}

#[test]
fn a_cancellation_in_a_tier_that_the_key_has_left_gives_nothing() {
    let slow = small(Quota::per_hour(10));
    let fast = slow.tier(Quota::per_second(1_000).burst(10));
    let reservation = slow.reserve_at("ann", 10, Duration::ZERO, NOW).expect("a new key");
    assert_eq!(fast.peek_at("ann", NOW).remaining(), 0);
    let now = later(Duration::from_secs(1));
    assert!(fast.check_n_at("ann", 10, now).is_allowed());
    assert_eq!(reservation.cancel_at(now), 0);
    assert_eq!(fast.peek_at("ann", now).remaining(), 0);
}

#[test]
fn a_refund_after_another_tier_gives_back_no_more_than_the_charge() {
    // That the key was elsewhere is written down nowhere. `tier` says what that can cost, and it costs no more.
    let slow = small(Quota::per_hour(10));
    let fast = slow.tier(Quota::per_second(1_000).burst(10));
    assert!(slow.check_n_at("ann", 4, NOW).is_allowed());
    assert_eq!(fast.peek_at("ann", NOW).remaining(), 6);
    let now = later(Duration::from_secs(1));
    assert!(fast.check_n_at("ann", 10, now).is_allowed());
    assert!(!slow.check_at("ann", now).is_allowed());
    // Of the second since the charge the slow tier knows, and of the rate of the fast one it does not.
    assert_eq!(slow.refund_at("ann", 4, NOW, now), 3);
    assert_eq!(slow.take_up_to_at("ann", 10, now), 3);
}

#[test]
fn threads_in_different_tiers_share_one_burst() {
    // The same share in each of them, so whoever takes it takes as much from everybody.
    let limiter = small(Quota::per_day(1_200));
    let tiers = [
        limiter.clone(),
        limiter.tier(Quota::per_day(1_200).burst(600)),
        limiter.tier(Quota::per_hour(1_200)),
    ];
    let taken = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for (tier, share) in tiers.iter().zip([1, 2, 1]) {
            let taken = &taken;
            scope.spawn(move || {
                for _ in 0..2_000 {
                    if tier.check_at("ann", NOW).is_allowed() {
                        taken.fetch_add(share, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    // Rewriting rounds against the key, by less than a unit each time; so not more, and it came to an end.
    assert!(taken.load(Ordering::Relaxed) <= 1_200, "{taken:?} of 1200");
    assert!(!tiers[0].check_at("ann", NOW).is_allowed());
}

#[test]
fn who_goes_through_a_tier_that_comes_back_in_no_time_finds_as_much_used_as_if_it_had_stayed() {
    // A bucket of one that is full again after a hundredth of a second was a fresh burst of ten per day: a thousand in a second,
    // and the fast tier need not even have admitted anything.
    let free = small(Quota::per_day(10));
    let pro = free.tier(Quota::per_second(100).burst(1));
    let other = free.tier(Quota::per_second(10));
    let mut taken = 0;
    for step in 0..1_000 {
        let now = later(Duration::from_millis(10 * step));
        taken += free.take_up_to_at("eve", 10, now);
        for tier in [&pro, &other, &pro] {
            let _ = tier.check_n_at("eve", u64::MAX, now);
        }
    }
    assert_eq!(taken, 10);
    // It comes back as if nothing had been but this.
    let day = later(Duration::from_secs(86_400) - Duration::from_nanos(1));
    assert_eq!(free.take_up_to_at("eve", 10, day), 9);
}

#[test]
fn whoever_stays_in_a_tier_earns_at_its_rate_whatever_was_used_before() {
    let free = small(Quota::per_day(10));
    let gold = free.tier(Quota::per_minute(100));
    assert_eq!(free.take_up_to_at("ann", 10, NOW), 10);
    // An upgrade, with all of it used.
    assert!(!gold.check_at("ann", NOW).is_allowed());
    assert!(gold.check_n_at("ann", 100, later(Duration::from_secs(60))).is_allowed());
    let hour = later(Duration::from_secs(3_600));
    assert!(gold.check_n_at("ann", 100, hour).is_allowed());
    // Back where she came from, where nothing has come back yet; and once it has, there is no trace of it.
    assert!(!free.check_at("ann", hour).is_allowed());
    assert!(gold.check_n_at("ann", 100, later(Duration::from_secs(2 * 86_400))).is_allowed());
    assert_eq!(free.peek_at("ann", later(Duration::from_secs(2 * 86_400 + 60))).remaining(), 10);
}

#[test]
fn through_each_tier_no_more_is_admitted_than_it_bounds_wherever_the_key_goes_meanwhile() {
    let mut random = Random::new(43);
    let (mut hops, mut full) = (0, 0);
    for _ in 0..300 {
        let quotas: Vec<_> = (0..3)
            .map(|_| {
                let limit = random.magnitude(100);
                let quota =
                    Quota::new(limit, Duration::from_nanos(random.magnitude(1 << 40))).expect("a quota");
                quota.burst(random.magnitude(2 * limit))
            })
            .collect();
        let limiter = one_line(quotas[0]);
        let tiers = [limiter.clone(), limiter.tier(quotas[1]), limiter.tier(quotas[2])];
        let mut taken = [const { Vec::new() }; 3];
        let (mut now, mut tier) = (1 << 41, 0);
        for _ in 0..2_000 {
            if random.below(3) == 0 {
                (tier, hops) = (random.below(3) as usize, hops + 1);
            }
            let period = quotas[random.below(3) as usize].period().as_nanos() as u64;
            now += random.magnitude(period) / (1 + random.below(100));
            let at = Timestamp::from_nanos(now);
            let units = match random.below(4) {
                0 => u64::from(tiers[tier].check_at("ann", at).is_allowed()),
                1 => {
                    let cost = 1 + random.below(quotas[tier].burst_size());
                    if tiers[tier].check_n_at("ann", cost, at).is_allowed() { cost } else { 0 }
                }
                2 => tiers[tier].take_up_to_at("ann", u64::MAX, at),
                _ => u64::from(tiers[tier].peek_at("ann", at).limit() == 0),
            };
            taken[tier].push((now, units));
        }
        for (tier, taken) in tiers.iter().zip(&taken) {
            let bounds = tier.bounds();
            let most = most_in_a_window(taken, bounds.ticks());
            assert!(most <= bounds.units(), "{most} of {bounds} through {} of {quotas:?}", tier.quota());
            full += u64::from(most > tier.quota().burst_size());
        }
    }
    assert!(
        hops > 100_000 && full > 300,
        "{hops} changes of tier, {full} of 900 tiers used to more than a burst"
    );
}

#[test]
fn what_is_owed_or_promised_is_not_earned_back_elsewhere() {
    // The share is all of it until the last burst of it begins to come back; it fell from the instant at which the key left.
    let hours = |hours: u64, seconds| later(Duration::from_secs(hours * 3_600 + seconds));
    for debt in [true, false] {
        let free = small(Quota::per_hour(10));
        let gold = free.tier(Quota::per_second(100));
        if debt {
            assert_eq!(free.debit_at("ann", 100, 90, NOW), 100);
        } else {
            for _ in 0..10 {
                assert!(free.reserve_at("ann", 10, Duration::MAX, NOW).is_ok());
            }
        }
        assert!(!gold.check_at("ann", NOW).is_allowed());
        assert!(gold.check_at("ann", hours(9, 1)).is_allowed());
        // Staying would have been nothing after nine hours, and half after nine and a half.
        assert_eq!(free.peek_at("ann", hours(9, 1)).remaining(), 0);
        let half = hours(9, 1_800);
        assert_eq!(gold.peek_at("ann", half).remaining(), 50);
        assert_eq!(free.peek_at("ann", half).remaining(), 5);
    }
}

#[test]
fn a_tier_whose_limit_changes_is_another_tier() {
    let free = small(Quota::per_minute(10));
    let gold = free.tier(Quota::per_minute(100));
    let better = gold.with_quota_at(Quota::per_minute(200), NOW);
    let limits = |key| [&free, &gold, &better].map(|limiter| limiter.peek_at(key, NOW).limit());
    assert_eq!(limits("ann"), [10, 100, 200]);
    assert!(better.check_n_at("ann", 100, NOW).is_allowed());
    assert_eq!(better.peek_at("ann", NOW).remaining(), 100);
    assert_eq!(free.peek_at("ann", NOW).remaining(), 5);
    assert!(free.check_n_at("bob", 10, NOW).is_allowed());
    assert!(!free.check_at("bob", NOW).is_allowed());
}
