//! Several limits on one request: all admit and all are charged, or nothing is.

use std::time::Duration;

use rate_core::{Decision, KeyedLimiter, MAX_LIMITS, Quota, Secret, Timestamp, check_all, check_slice};

use super::random::Random;

const NOW: Timestamp = Timestamp::from_nanos(1_000_000_007);
/// Nothing comes back while a test runs, so what is used is what was charged.
const NEVER_BACK: Quota = Quota::per_day(1_000_000);
const THREADS: u64 = 8;

fn limiter(quota: Quota, capacity: usize) -> KeyedLimiter {
    KeyedLimiter::builder(quota).capacity(capacity).build().expect("a small table fits")
}

fn used(limiter: &KeyedLimiter, key: u64) -> u64 {
    limiter.quota().burst_size() - limiter.peek_at(&key, NOW).remaining()
}

/// Runs `work` on eight threads with a random number generator each, and returns what each of them counted.
fn on_threads<T: Send>(seed: u64, work: impl Fn(Random) -> T + Sync) -> Vec<T> {
    std::thread::scope(|scope| {
        let work = &work;
        let threads: Vec<_> =
            (0..THREADS).map(|thread| scope.spawn(move || work(Random::new(seed + thread)))).collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    })
}

#[test]
fn each_limit_gives_its_own_answer_and_the_longest_wait_counts() {
    let limits = [
        limiter(Quota::per_second(1), 8),
        limiter(Quota::per_minute(1), 8),
        limiter(Quota::per_second(10), 8),
    ];
    let ask = |costs: [u64; 3]| {
        let mut costs = costs.into_iter();
        check_all(limits.each_ref().map(|limit| limit.charge("key", costs.next().expect("three"))), NOW)
    };
    assert!(ask([1, 1, 1]).is_allowed());
    assert_eq!(ask([0, 0, 1]).each().map(|decision| decision.remaining()), [0, 0, 8]);

    let refused = ask([1, 1, 1]);
    assert_eq!(refused.each().map(|decision| decision.is_allowed()), [false, false, true]);
    assert_eq!(refused.each().map(|decision| decision.limit()), [1, 1, 10]);
    assert_eq!(refused.each().map(|decision| decision.remaining()), [0, 0, 8]);
    assert_eq!(refused.retry_after(), Some(Duration::from_secs(60)));
    assert_eq!(ask([1, 0, 1]).retry_after(), Some(Duration::from_secs(1)));

    // "Never" outweighs any wait, wherever it stands.
    for costs in [[2, 1, 1], [1, 2, 1], [1, 1, 11]] {
        assert_eq!(ask(costs).retry_after(), None);
    }
    assert_eq!(ask([0, 0, 8]).retry_after(), Some(Duration::ZERO), "the refusals above took something");
}

#[test]
fn the_same_key_twice_is_charged_the_sum() {
    let limit = limiter(Quota::per_hour(10), 8);
    assert!(check_all([limit.charge("key", 3), limit.charge("key", 4)], NOW).is_allowed());
    assert_eq!(limit.peek_at("key", NOW).remaining(), 3);
    // Each would fit, both do not.
    let refused = check_all([limit.charge("key", 2), limit.charge("key", 2)], NOW);
    assert!(refused.each().iter().all(|decision| !decision.is_allowed()));
    assert_eq!(refused.retry_after(), Some(Duration::from_secs(360)));
    assert_eq!(limit.peek_at("key", NOW).remaining(), 3);
    // A sum above the burst is never admitted, and one beyond 64 bits does not wrap to a small one.
    assert_eq!(check_all([limit.charge("key", 6), limit.charge("key", 6)], NOW).retry_after(), None);
    assert_eq!(check_all([limit.charge("key", u64::MAX), limit.charge("key", 2)], NOW).retry_after(), None);
    let new = [limit.charge("new", 5), limit.charge("key", 1), limit.charge("new", 5)];
    assert!(check_all(new, NOW).is_allowed());
    assert_eq!(limit.peek_at("new", NOW).remaining(), 0);
    assert_eq!(limit.peek_at("key", NOW).remaining(), 2);
}

#[test]
fn different_keys_of_one_limiter_are_charged_each_their_own() {
    // In a table of one line, so that both are behind the same lock.
    for capacity in [1, 8, 1_000] {
        let limit = limiter(Quota::per_hour(10), capacity);
        assert!(check_all([limit.charge("a", 3), limit.charge("b", 4)], NOW).is_allowed());
        assert!(check_all([limit.charge("b", 1), limit.charge("a", 1)], NOW).is_allowed());
        assert!(!check_all([limit.charge("a", 1), limit.charge("b", 6)], NOW).is_allowed());
        assert_eq!(limit.peek_at("a", NOW).remaining(), 6);
        assert_eq!(limit.peek_at("b", NOW).remaining(), 5);
        assert_eq!(limit.len(), 2);
    }
}

#[test]
fn one_key_of_limiters_with_one_secret_is_charged_to_each() {
    // The fingerprint is the same in all of them, as it is among the policies of one layer.
    let secret = Secret::random();
    let limits = [10, 20, 30]
        .map(|limit| KeyedLimiter::builder(Quota::per_hour(limit)).secret(secret).build().expect("valid"));
    for turn in 1..=4 {
        // New to the table at first, known to it afterwards.
        let [a, b, c] = limits.each_ref().map(|limit| limit.charge("key", 1));
        assert!(check_all([a, b], NOW).is_allowed());
        assert!(check_all([a, b, c], NOW).is_allowed());
        let left = limits.each_ref().map(|limit| limit.peek_at("key", NOW).remaining());
        assert_eq!(left, [10 - 2 * turn, 20 - 2 * turn, 30 - turn]);
    }
}

#[test]
fn a_refused_key_is_not_stored() {
    let (full, empty) = (limiter(NEVER_BACK, 8), limiter(Quota::per_hour(1), 8));
    assert!(empty.check_at("key", NOW).is_allowed());
    assert!(!check_all([full.charge("key", 1), empty.charge("key", 1)], NOW).is_allowed());
    assert!(!check_all([full.charge("key", 1), empty.charge("other", 2)], NOW).is_allowed());
    assert!(check_all([full.charge("key", 0), empty.charge("other", 0)], NOW).is_allowed());
    assert_eq!((full.len(), empty.len()), (0, 1));
}

#[test]
fn any_number_of_limits_up_to_sixteen_is_decided_as_one() {
    for count in 0..=MAX_LIMITS {
        let limits: Vec<_> =
            (0..count as u64).map(|number| limiter(Quota::per_hour(2 + number), 8)).collect();
        let charges: Vec<_> = limits.iter().map(|limit| limit.charge("key", 1)).collect();
        for turn in 0..4_u64 {
            let mut answers = Vec::new();
            let admitted = check_slice(&charges, NOW, |index, decision| answers.push((index, decision)));
            assert_eq!(admitted, turn < 2 || count == 0, "{count} limits, turn {turn}");
            assert!(answers.iter().map(|(index, _)| *index).eq(0..count), "one answer each, in order");
            for (number, (_, decision)) in answers.iter().enumerate() {
                let burst = 2 + number as u64;
                // After two turns the first limit refuses, and nobody is charged any more.
                assert_eq!(decision.remaining(), burst - (turn + 1).min(2), "{count} limits, turn {turn}");
                assert_eq!(decision.limit(), burst);
                assert_eq!(decision.is_allowed(), turn < 2 || number > 0, "{count} limits, turn {turn}");
            }
        }
    }
}

#[test]
#[should_panic(expected = "at most 16 limits can be combined, got 17")]
fn seventeen_limits_are_refused_with_a_message() {
    let limit = limiter(NEVER_BACK, 100);
    let charges: Vec<_> = (0..17_u64).map(|key| limit.charge(&key, 1)).collect();
    check_slice(&charges, NOW, |_, _| {});
}

#[test]
fn combined_and_single_checks_of_one_key_share_its_limit_to_the_unit() {
    let (shared, aside) = (limiter(Quota::per_hour(7_000), 8), limiter(NEVER_BACK, 8));
    let admitted = on_threads(52, |mut random| {
        let (mut single, mut combined) = (0, 0);
        for _ in 0..4_000 {
            if random.below(2) == 0 {
                single += u64::from(shared.check_at(&0_u64, NOW).is_allowed());
            } else {
                let both = [aside.charge(&0_u64, 1), shared.charge(&0_u64, 1)];
                combined += u64::from(check_all(both, NOW).is_allowed());
            }
        }
        (single, combined)
    });
    let (single, combined) = admitted.iter().fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
    assert_eq!(single + combined, 7_000);
    assert_eq!(used(&aside, 0), combined);
}

#[test]
fn one_key_under_many_threads_is_charged_for_each_admission_and_no_other() {
    let limit = limiter(Quota::per_hour(5_000), 1);
    let admitted: u64 = on_threads(54, |mut random| {
        (0..3_000)
            .map(|_| {
                // The same key twice: the pair is one charge of the sum.
                let cost = random.below(3);
                let pair = [limit.charge("key", cost), limit.charge("key", 1)];
                if check_all(pair, NOW).is_allowed() { cost + 1 } else { 0 }
            })
            .sum::<u64>()
    })
    .into_iter()
    .sum();
    assert_eq!(limit.peek_at("key", NOW).remaining(), 5_000 - admitted);
    assert!(admitted >= 4_998, "{admitted}: the last units are too few for a cost of three only");
}

#[test]
fn more_keys_than_fit_neither_block_nor_break_combined_decisions() {
    // Tables of one to three lines and far more keys: every decision moves or evicts somebody another thread looks at.
    for capacity in [1, 5, 12] {
        let limits = [limiter(Quota::per_hour(5), capacity), limiter(Quota::per_hour(7), capacity)];
        let counts = on_threads(55, |mut random| {
            let mut answered = 0;
            for step in 0..6_000 {
                let mut key = || random.below(40);
                let charges = [
                    limits[0].charge(&key(), 1),
                    limits[1].charge(&key(), 2),
                    limits[0].charge(&key(), 1),
                    limits[1].charge(&key(), 1),
                ];
                let count = 1 + step % 4;
                let admitted = check_slice(&charges[..count], NOW, |_, decision: Decision| {
                    assert!(decision.remaining() <= decision.limit());
                    answered += 1;
                });
                if !admitted && step % 7 == 0 {
                    limits[step % 2].forget(&key());
                }
            }
            answered
        });
        assert_eq!(counts.into_iter().sum::<usize>(), 6_000 / 4 * (1 + 2 + 3 + 4) * THREADS as usize);
        for limit in &limits {
            assert!(limit.evictions() > 0, "the table was not too small");
            assert!(limit.len() <= limit.allocated_bytes() / 128 * 6, "{} keys counted", limit.len());
            let held = (0..40_u64).filter(|key| limit.forget(key)).count();
            assert_eq!((limit.len(), held > 0), (0, true), "the count of keys went astray");
        }
    }
}
