//! Every operation on many threads at once, by every algorithm, on a clock that stands: what was given out is counted outside.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering::SeqCst};
use std::sync::{Barrier, Mutex};

use rate_core::algorithm::{AlgorithmName, AnyAlgorithm, Gcra};
use rate_core::{KeyedLimiter, Quota, Timestamp, check_all};

use super::random::Random;
use super::six::{Subject, algorithms, keyed};

const DAY: u64 = 86_400 * 1_000_000_000;
/// Half of a day: not where any window begins.
const NOW: u64 = 100 * DAY + DAY / 2;
const THREADS: u64 = 6;

/// Runs `work` on all threads and returns the sum of what they count.
fn on_threads(work: impl Fn(Random) -> u64 + Sync) -> u64 {
    // Together: one alone would be through before the next one is there.
    let start = &Barrier::new(THREADS as usize);
    std::thread::scope(|scope| {
        let work = &work;
        let run = move |thread| {
            start.wait();
            work(Random::new(70 + thread))
        };
        let threads: Vec<_> = (0..THREADS).map(|thread| scope.spawn(move || run(thread))).collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).sum()
    })
}

#[test]
fn threads_that_take_what_there_is_take_all_and_no_more() {
    for subject in Subject::six(Quota::per_day(2_000), 4) {
        let taken =
            on_threads(|mut random| (0..1_000).map(|_| subject.limit.up_to(0, random.below(4), NOW)).sum());
        // From a queue the first one takes all it asks for, and then nothing leaves it for a while.
        let is_queue = subject.name() == AlgorithmName::LeakyBucket;
        assert_eq!(
            taken + subject.peek(NOW).remaining(),
            if is_queue { taken } else { 2_000 },
            "{subject:?}"
        );
        assert!(taken <= if is_queue { 3 } else { 2_000 });
    }
}

#[test]
fn threads_that_give_back_what_they_took_never_hold_more_than_there_is() {
    for subject in Subject::six(Quota::per_day(9), 4) {
        if subject.limit.refund(0, 0, NOW, NOW).is_none() {
            continue;
        }
        let (out, most) = (AtomicI64::new(0), AtomicI64::new(0));
        let admitted = on_threads(|mut random| {
            let (mut held, mut admitted) = (Vec::new(), 0);
            for _ in 0..1_500 {
                let cost = 1 + random.below(3);
                if random.below(3) > 0 && subject.check(cost, NOW).is_allowed() {
                    // Counted after it was taken, and no more before it is given back: never more than is out.
                    most.fetch_max(out.fetch_add(cost as i64, SeqCst) + cost as i64, SeqCst);
                    (held, admitted) = ([held, vec![cost]].concat(), admitted + 1);
                } else if let Some(units) = held.pop() {
                    out.fetch_sub(units as i64, SeqCst);
                    assert_eq!(subject.limit.refund(0, units, NOW, NOW), Some(units), "{subject:?}");
                }
            }
            admitted
        });
        assert!(admitted > 300 && most.load(SeqCst) <= 9, "{subject:?}: {admitted}, {most:?} at once");
        assert_eq!(subject.peek(NOW).remaining() as i64, 9 - out.load(SeqCst), "{subject:?}");
    }
}

#[test]
fn places_in_line_that_threads_take_and_leave_are_each_promised_once() {
    for subject in Subject::six(Quota::per_day(5), 4) {
        let places = Mutex::new(Vec::new());
        let kept = on_threads(|mut random| {
            let mut kept = 0;
            for _ in 0..200 {
                let Some(Ok(place)) = subject.limit.reserve(0, 1 + random.below(2), 40 * DAY, NOW) else {
                    continue;
                };
                let (ready, units) = (place.ready_at().as_nanos(), place.units());
                if random.below(2) == 0 && place.cancel_at(Timestamp::from_nanos(NOW)) == units {
                    continue;
                }
                places.lock().expect("no panic").push((ready, units));
                kept += 1;
            }
            kept
        });
        let mut places = places.into_inner().expect("no panic");
        places.sort_unstable();
        for (first, (start, _)) in places.iter().enumerate() {
            let window =
                places[first..].iter().take_while(|(ready, _)| ready - start < subject.bounds().ticks());
            let units: u64 = window.map(|(_, units)| units).sum();
            assert!(units <= subject.bounds().units(), "{subject:?}: {units} from {start}");
        }
        assert!(kept >= 3 || subject.limit.reserve(0, 0, 0, NOW).is_none(), "{subject:?}: {kept}");
    }
}

#[test]
fn keys_that_are_forgotten_under_load_are_new_and_the_count_stays_right() {
    for algorithm in algorithms(Quota::per_day(3)) {
        let limiter = keyed(algorithm, 40);
        let at = Timestamp::from_nanos(NOW);
        on_threads(|mut random| {
            for step in 0..2_000 {
                let key = random.below(50);
                match step % 50 {
                    0 => limiter.clear(),
                    1..=9 => drop(limiter.forget(&key)),
                    10 => limiter.penalize_at(&key, std::time::Duration::from_secs(10), at),
                    _ => assert!(limiter.check_at(&key, at).remaining() <= 3, "{algorithm}"),
                }
            }
            0
        });
        let held = (0..50_u64).filter(|key| limiter.forget(key)).count();
        assert!(held > 0 && limiter.is_empty(), "{algorithm}: {} keys counted besides {held}", limiter.len());
        let all = if algorithm.name() == AlgorithmName::LeakyBucket { 1 } else { 3 };
        for key in 0..50_u64 {
            let admitted = (0..5).filter(|_| limiter.check_at(&key, at).is_allowed()).count();
            assert_eq!(admitted, all, "{algorithm}: key {key}");
        }
        limiter.clear();
        assert!(limiter.is_empty());
        assert!((0..50_u64).all(|key| limiter.take_up_to_at(&key, 9, at) == 3), "{algorithm}");
    }
}

#[test]
fn an_algorithm_that_changes_under_load_gives_nobody_a_second_share() {
    const KEYS: u64 = 60;
    let at = Timestamp::from_nanos(NOW);
    let kinds = algorithms(Quota::per_day(12));
    let oldest: KeyedLimiter<AnyAlgorithm> = keyed(kinds[0], 100);
    let newest = Mutex::new(oldest.clone());
    let totals: Vec<AtomicI64> = (0..KEYS).map(|_| AtomicI64::new(0)).collect();
    let done = AtomicBool::new(false);
    let changes = std::thread::scope(|scope| {
        let changer = scope.spawn(|| {
            let mut changes = 0;
            while !done.load(SeqCst) {
                let current = newest.lock().expect("no panic").clone();
                *newest.lock().expect("no panic") = current.with_limit_at(kinds[changes % kinds.len()], at);
                changes += 1;
            }
            changes
        });
        on_threads(|mut random| {
            for step in 0..2_000 {
                let current = newest.lock().expect("no panic").clone();
                let limiter = if step % 3 == 0 { &oldest } else { &current };
                let key = random.below(KEYS);
                let taken = match step % 2 {
                    0 => limiter.take_up_to_at(&key, 1 + random.below(3), at),
                    _ => u64::from(limiter.check_at(&key, at).is_allowed()),
                };
                totals[key as usize].fetch_add(taken as i64, SeqCst);
            }
            0
        });
        done.store(true, SeqCst);
        changer.join().expect("no panic")
    });
    assert_eq!(oldest.evictions(), 0);
    assert!(changes > 7, "only {changes} changes");
    for (key, total) in totals.iter().enumerate() {
        let total = total.load(SeqCst);
        assert!((1..=12).contains(&total), "key {key} was admitted {total} of 12");
    }
}

#[test]
fn tiers_that_share_keys_while_the_quota_changes_give_nobody_a_second_share() {
    // In twelfths of a burst, which every quota here has a whole number of units of.
    const KEYS: u64 = 20;
    let at = Timestamp::from_nanos(NOW);
    let quotas = [Quota::per_day(12), Quota::per_hour(24), Quota::per_day(36).burst(60)];
    let base = keyed(Gcra::new(quotas[0]), 100);
    let aside = keyed(Gcra::new(quotas[0]), 4);
    assert!(aside.check_at(&0, at).is_allowed());
    let newest = Mutex::new(base.clone());
    let totals: Vec<AtomicI64> = (0..KEYS).map(|_| AtomicI64::new(0)).collect();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for quota in quotas.iter().cycle() {
                let current = newest.lock().expect("no panic").clone();
                *newest.lock().expect("no panic") = current.with_quota_at(*quota, at);
                if done.load(SeqCst) {
                    break;
                }
            }
        });
        on_threads(|mut random| {
            for _ in 0..2_000 {
                let key = random.below(KEYS);
                let quota = quotas[random.below(3) as usize];
                let tier = if random.below(2) == 0 {
                    base.tier(quota)
                } else {
                    newest.lock().expect("no panic").tier(quota)
                };
                let twelfth = tier.charge(&key, quota.burst_size() / 12);
                // Some beside another key in another tier, which somebody else rewrites at the same time.
                let beside = aside.tier(quotas[random.below(3) as usize]);
                let allowed = match random.below(2) {
                    0 => twelfth.check_at(at).is_allowed(),
                    _ => check_all([beside.charge(&0, 0), twelfth], at).is_allowed(),
                };
                if allowed {
                    totals[key as usize].fetch_add(1, SeqCst);
                }
            }
            0
        });
        done.store(true, SeqCst);
    });
    for (key, total) in totals.iter().enumerate() {
        let total = total.load(SeqCst);
        // Rewriting rounds against the key, by less than a unit each time.
        assert!((1..=12).contains(&total), "key {key} was admitted {total} twelfths");
    }
}
