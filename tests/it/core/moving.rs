//! Keys that are moved, dropped and evicted, by every algorithm: with its state goes the log, and each has its own time.

use rate_core::{KeyedLimiter, ManualClock, Quota, Timestamp};

use super::random::Random;
use super::six::Subject;

const NOW: Timestamp = Timestamp::from_nanos(1_000_000_000_000);

const DAY: u64 = 86_400 * 1_000_000_000;

#[test]
fn an_eviction_costs_the_key_that_is_counted_and_no_other() {
    // Fourteen lines, and more keys at work than fit: each newcomer moves a neighbour, with its log, or replaces one.
    let mut random = Random::new(61);
    let quota = Quota::per_day(5);
    for (small, large) in Subject::six(quota, 56).into_iter().zip(Subject::six(quota, 20_000)) {
        let mut now = 50 * DAY;
        let (mut lost, mut held, mut refused) = (0, 0, 0);
        for _ in 0..6_000 {
            now += random.below(DAY / 500);
            let (key, cost) = (random.below(160), random.below(3));
            let (here, there) = (small.limit.peek(key, 1, now), large.limit.peek(key, 1, now));
            if here != there {
                lost += 1;
                assert_eq!(here.remaining(), 5, "{small:?}: key {key} at {now}, not {there:?}");
                assert!(lost <= small.limit.evictions(), "{small:?}: {lost} lost");
                large.limit.forget(key);
            }
            held += u64::from(here.remaining() < 5);
            let found = small.limit.check(key, cost, now);
            assert_eq!(found, large.limit.check(key, cost, now), "{small:?}: key {key} at {now}");
            refused += u64::from(!found.is_allowed());
        }
        assert!(lost > 200 && held > 1_000 && refused > 100, "{small:?}: {lost}, {held}, {refused}");
        assert_eq!(large.limit.evictions(), 0);
    }
}

#[test]
fn a_key_at_its_limit_outlives_a_flood_of_keys_of_a_slower_quota() {
    // Who has to wait longest was kept: a single unit of ten per day takes longer to come back than all of a hundred per second.
    let limiter = KeyedLimiter::builder(Quota::per_day(10)).capacity(100).clock(ManualClock::new()).build();
    let limiter = limiter.expect("a hundred keys fit");
    let gold = limiter.tier(Quota::per_second(100));
    assert!(gold.check_n_at("gold", 100, NOW).is_allowed());
    for stranger in 0..20_000 {
        assert!(limiter.check_at(&stranger, NOW).is_allowed());
    }
    assert!(!gold.check_at("gold", NOW).is_allowed());
    // And who has spent what is slow outlives those who use what is fast.
    assert!(limiter.check_n_at("spent", 10, NOW).is_allowed());
    assert!(!gold.check_at("spent", NOW).is_allowed());
    for stranger in 20_000..40_000 {
        assert!(gold.check_n_at(&stranger, 9, NOW).is_allowed());
    }
    assert!(!limiter.check_at("spent", NOW).is_allowed());
}
