//! Rows about several limits and several threads: all or nothing, to the unit, and nobody refused for being in the way.

use std::sync::Barrier;

use rate_core::algorithm::{AlgorithmName, AnyAlgorithm};
use rate_core::{KeyedLimiter, Quota, Timestamp, check_all, check_slice};

use crate::core::random::Random;
use crate::core::six::{algorithms, keyed};

const DAY: u64 = 86_400 * 1_000_000_000;
/// Half of a day: not where any window begins.
const NOW: Timestamp = Timestamp::from_nanos(100 * DAY + DAY / 2);
const THREADS: u64 = 8;
const KEYS: u64 = 6;

/// Each way to count this quota but the queue, which lets one request pass at a time.
fn limits(quota: Quota) -> Vec<KeyedLimiter<AnyAlgorithm>> {
    let counted = algorithms(quota).into_iter().filter(|limit| limit.name() != AlgorithmName::LeakyBucket);
    counted.map(|algorithm| keyed(algorithm, 64)).collect()
}

fn used(limiter: &KeyedLimiter<AnyAlgorithm>, key: u64) -> u64 {
    limiter.quota().burst_size() - limiter.peek_at(&key, NOW).remaining()
}

/// Runs `work` on eight threads that start together, and returns what each of them counted.
fn on_threads<T: Send>(work: impl Fn(Random) -> T + Sync) -> Vec<T> {
    let start = &Barrier::new(THREADS as usize);
    std::thread::scope(|scope| {
        let work = &work;
        let run = move |thread| {
            start.wait();
            work(Random::new(51 + thread))
        };
        let threads: Vec<_> = (0..THREADS).map(|thread| scope.spawn(move || run(thread))).collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    })
}

/// A key for some of the limits, in an order of their own.
fn some(random: &mut Random, limits: usize) -> Vec<(usize, u64)> {
    let mut asked: Vec<_> = (0..limits).map(|limit| (limit, random.below(KEYS))).collect();
    for end in (1..limits).rev() {
        asked.swap(end, random.below(end as u64 + 1) as usize);
    }
    // Pairs, a few and many are decided in different ways.
    asked.truncate([2, 2, 3, limits][random.below(4) as usize]);
    asked
}

fn admits(limits: &[KeyedLimiter<AnyAlgorithm>], asked: &[(usize, u64)]) -> bool {
    let charges: Vec<_> = asked.iter().map(|(limit, key)| limits[*limit].charge(key, 1)).collect();
    check_slice(&charges, NOW, |_, _| {})
}

#[test]
fn multi_limit_no_leak() {
    // pubky-homeserver#573: requests refused by the second used up the day.
    for short in algorithms(Quota::per_second(1)) {
        for long in algorithms(Quota::per_day(1_000)) {
            let [second, day, alone] = [short, long, long].map(|algorithm| keyed(algorithm, 4));
            let mut admitted = 0;
            for call in 0..1_000_u64 {
                let now = NOW.saturating_add(std::time::Duration::from_millis(call * 3));
                let both = [second.charge("ann", 1), day.charge("ann", 1)];
                if check_all(if call % 2 == 0 { [both[1], both[0]] } else { both }, now).is_allowed() {
                    admitted += 1;
                    assert!(alone.check_at("ann", now).is_allowed());
                }
                assert_eq!(
                    day.peek_at("ann", now),
                    alone.peek_at("ann", now),
                    "{short} and {long}, call {call}"
                );
            }
            let is_queue = long.name() == AlgorithmName::LeakyBucket;
            assert!((if is_queue { 1 } else { 2 }..=4).contains(&admitted), "{short} and {long}: {admitted}");
        }
    }
}

#[test]
fn multi_limit_concurrent() {
    // limitador and trypema admitted 101 and 102 of 100.
    let limits = limits(Quota::per_day(100));
    let counted = on_threads(|mut random| {
        let mut counted = vec![[0; KEYS as usize]; limits.len()];
        for _ in 0..2_500 {
            let asked = some(&mut random, limits.len());
            if admits(&limits, &asked) {
                asked.into_iter().for_each(|(limit, key)| counted[limit][key as usize] += 1);
            }
        }
        counted
    });
    let mut full = 0;
    for (index, limit) in limits.iter().enumerate() {
        for key in 0..KEYS {
            let total: u64 = counted.iter().map(|one| one[index][key as usize]).sum();
            assert_eq!(used(limit, key), total, "{limit:?}, key {key}: a partial charge");
            assert!(total <= 100, "{limit:?}, key {key}: {total} of 100");
            full += usize::from(total == 100);
        }
    }
    assert!(full >= limits.len(), "the load was too light to reach the limits");
}

#[test]
fn no_spurious_deny() {
    // governor#203, rater and ratelimit refused requests because two threads got into each other's way.
    let limits = limits(Quota::per_day(50_000));
    let refused = on_threads(|mut random| {
        let mut counted = (0, 0);
        for _ in 0..1_500 {
            let asked = some(&mut random, limits.len());
            counted.0 += usize::from(!admits(&limits, &asked));
            counted.1 += asked.len() as u64;
        }
        counted
    });
    assert_eq!(refused.iter().map(|(refused, _)| refused).sum::<usize>(), 0);
    let charged: u64 = limits.iter().map(|limit| (0..KEYS).map(|key| used(limit, key)).sum::<u64>()).sum();
    assert_eq!(charged, refused.iter().map(|(_, asked)| asked).sum::<u64>());
}
