//! Rows about many keys: memory has a bound, and who makes room changes no decision.

use rate_core::algorithm::LeakyBucket;
use rate_core::{KeyedLimiter, ManualClock, Quota, Timestamp};

use super::START;
use crate::core::random::Random;
use crate::core::six::{Subject, algorithms, keyed};

const DAY: u64 = 86_400 * 1_000_000_000;
const NOW: Timestamp = Timestamp::from_nanos(START);

#[test]
fn adaptive_insert_scaling() {
    // throttlecrab took quadratic time for new keys once its map was nearly full. Ours are looked for in two lines, whatever
    // came before; what a newcomer costs is in the bench. Here: none of them makes the table grow.
    for algorithm in algorithms(Quota::per_day(3)) {
        let limiter = keyed(algorithm, 300);
        let mut bytes = 0;
        for key in 0..6_000_u64 {
            assert_eq!(limiter.take_up_to_at(&key, 1, NOW), 1, "{algorithm}: newcomer {key} is not served");
            if key == 3_000 {
                bytes = limiter.allocated_bytes();
            }
        }
        assert_eq!(limiter.allocated_bytes(), bytes, "{algorithm}");
        assert_eq!(limiter.len() + limiter.evictions() as usize, 6_000, "{algorithm}");
        assert!(limiter.len() >= 300 && limiter.len() <= 450, "{algorithm}: {}", limiter.len());
    }
}

#[test]
fn key_flood_cap() {
    // axum-governor and rater: more keys than expected meant no bound on memory, a free burst for everybody, or nobody new.
    const CAPACITY: u64 = 5_000;
    const FLOOD: u64 = 50_000;
    let limiter = KeyedLimiter::builder(Quota::per_hour(5))
        .capacity(CAPACITY as usize)
        .clock(ManualClock::new())
        .build()
        .expect("5,000 keys fit");
    let bytes = limiter.allocated_bytes();
    assert!(bytes <= 32 * CAPACITY as usize);
    for key in 0..CAPACITY {
        assert!((0..5).all(|_| limiter.check(&key).is_allowed()));
    }
    assert_eq!((limiter.len() as u64, limiter.evictions()), (CAPACITY, 0));
    assert!((0..CAPACITY).all(|key| !limiter.check(&key).is_allowed()), "the capacity is not kept");
    for stranger in CAPACITY..CAPACITY + FLOOD {
        let decision = limiter.check(&stranger);
        assert!(decision.is_allowed() && decision.remaining() == 4, "stranger {stranger} is not served");
    }
    assert!((0..CAPACITY).all(|key| !limiter.check(&key).is_allowed()), "freed by the flood");
    assert_eq!(limiter.allocated_bytes(), bytes);
    // Each newcomer is either held or took the place of one that is counted.
    assert_eq!(limiter.len() as u64 + limiter.evictions(), CAPACITY + FLOOD);
    assert!(limiter.evictions() >= FLOOD - bytes as u64 / 128 * 6 + CAPACITY);
    assert!((0..5).all(|_| limiter.check("a new key").is_allowed()));
    assert!(!limiter.check("a new key").is_allowed());

    for algorithm in algorithms(Quota::per_day(5)) {
        let limiter = keyed(algorithm, 300);
        assert!((0..100_u64).all(|key| limiter.take_up_to_at(&key, 5, NOW) == 5), "{algorithm}");
        let served = (100..4_000_u64).all(|stranger| limiter.check_at(&stranger, NOW).is_allowed());
        assert!(served, "{algorithm}: a stranger is not served");
        let freed = (0..100_u64).filter(|key| limiter.check_at(key, NOW).is_allowed()).count();
        assert_eq!(freed, 0, "{algorithm}");
        assert!(limiter.evictions() > 3_000 && limiter.len() <= 450, "{algorithm}");
    }
    // In a queue a key that takes its turns one by one is like any of the flood, and makes room: its page says so.
    let queue = keyed(LeakyBucket::new(Quota::per_day(5)), 300);
    for key in 0..100_u64 {
        assert!(queue.check_at(&key, NOW).is_allowed() && !queue.check_at(&key, NOW).is_allowed());
    }
    assert!((100..4_000_u64).all(|stranger| queue.check_at(&stranger, NOW).is_allowed()));
    assert!((0..100_u64).any(|key| queue.check_at(&key, NOW).is_allowed()));
}

#[test]
fn sweep_preserves_denials() {
    // Where others sweep, keys as good as new make room one by one. One table has room for six keys, the other for all: they
    // decide alike, but for a late request to a key that was dropped, which may be refused and never gets more.
    let mut random = Random::new(22);
    let mut late_denials = 0;
    for round in 0..60 {
        let quota = Quota::per_day(2);
        for (small, large) in Subject::six(quota, 1).into_iter().zip(Subject::six(quota, 400)) {
            let mut latest = 50 * DAY;
            for step in 0..60 {
                // So slow that the six are rarely in use all at once.
                latest += random.below(DAY);
                let is_late = random.below(4) == 0;
                let now = if is_late { latest - random.magnitude(2 * DAY) } else { latest };
                let key = random.below(20);
                let cost = 1 + random.below(2);
                let expected = large.limit.peek(key, cost, now);
                let found = small.limit.check(key, cost, now);
                if small.limit.evictions() > 0 {
                    // What was lost is counted, and not the matter here.
                    break;
                }
                let place = format!("{small:?}: round {round}, step {step}, key {key} at {now} of {latest}");
                if found.is_allowed() {
                    assert!(expected.is_allowed(), "{place}");
                    let _ = large.limit.check(key, cost, now);
                } else if is_late {
                    late_denials += u64::from(expected.is_allowed());
                } else {
                    assert_eq!(found, expected, "{place}");
                }
            }
        }
    }
    assert!(late_denials > 0, "no late request ever met a dropped key");
}
