//! Many threads on one key, while the clock stands still: together they are admitted the burst, to the unit.

use std::sync::{Arc, Barrier};

use rate_core::{Clock, KeyedLimiter, Limiter, ManualClock, Quota, Timestamp};

const THREADS: usize = 8;
const CALLS: u64 = 5_000;

/// A whole number of nanoseconds between two units, and not: the state is one word, or two behind a version.
const WHOLE_AND_FRACTIONAL: [Quota; 4] = [
    Quota::per_second(1_000).burst(7_777),
    Quota::per_second(7).burst(7_777),
    Quota::per_second(999_983).burst(1),
    Quota::per_second(1_000_000_007).burst(7_777),
];

/// Units that eight threads were admitted by `check`, which answers with the units it got.
fn admitted_to_all(check: impl Fn(u64) -> u64 + Sync) -> u64 {
    // Together, for one thread alone would be through before the next one is there, and nobody would be in its way.
    let start = &Barrier::new(THREADS);
    std::thread::scope(|scope| {
        let check = &check;
        let all = move || {
            start.wait();
            (0..CALLS).map(check).sum::<u64>()
        };
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(all)).collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).sum()
    })
}

#[test]
fn threads_on_one_limiter_are_admitted_exactly_the_burst() {
    for quota in WHOLE_AND_FRACTIONAL {
        let limiter = Limiter::with_clock(quota, ManualClock::new());
        let admitted = admitted_to_all(|_| u64::from(limiter.check().is_allowed()));
        assert_eq!(admitted, quota.burst_size(), "{quota:?}");
    }
}

#[test]
fn threads_with_clones_of_a_keyed_limiter_are_admitted_exactly_the_burst_of_a_key() {
    for quota in WHOLE_AND_FRACTIONAL {
        let limiter = KeyedLimiter::builder(quota).clock(ManualClock::new()).build().expect("valid");
        let admitted = admitted_to_all(|_| u64::from(limiter.clone().check("key").is_allowed()));
        assert_eq!(admitted, quota.burst_size(), "{quota:?}");
        assert_eq!(limiter.len(), 1);
    }
}

#[test]
fn threads_that_race_to_bring_in_the_same_new_keys_are_admitted_one_burst_each() {
    let limiter =
        KeyedLimiter::builder(Quota::per_second(7)).clock(ManualClock::new()).build().expect("valid");
    // All threads walk over the same keys at about the same time, so most are new to several of them at once.
    let admitted = admitted_to_all(|call| u64::from(limiter.check(&(call / 2)).is_allowed()));
    assert_eq!(admitted, 7 * CALLS / 2);
    assert_eq!((limiter.len() as u64, limiter.evictions()), (CALLS / 2, 0));
}

#[test]
fn threads_with_different_costs_are_charged_exactly_what_they_were_admitted() {
    for quota in WHOLE_AND_FRACTIONAL {
        let (one, keyed) = (Limiter::new(quota), KeyedLimiter::new(quota));
        let now = Timestamp::from_nanos(1_000_000_007);
        let of_one = admitted_to_all(|call| {
            let cost = call % 4;
            if one.check_n_at(cost, now).is_allowed() { cost } else { 0 }
        });
        assert_eq!(one.peek_at(now).remaining(), quota.burst_size() - of_one, "{quota:?}");
        let of_key = admitted_to_all(|call| {
            let cost = call % 4;
            if keyed.check_n_at("key", cost, now).is_allowed() { cost } else { 0 }
        });
        assert_eq!(keyed.peek_at("key", now).remaining(), quota.burst_size() - of_key, "{quota:?}");
    }
}

#[test]
fn threads_on_a_moving_clock_are_admitted_the_burst_and_what_was_earned() {
    for quota in [Quota::per_second(1_000).burst(10), Quota::per_second(999_983).burst(10)] {
        let clock = ManualClock::new();
        let one = Limiter::with_clock(quota, clock.clone());
        let keyed = KeyedLimiter::builder(quota).clock(clock.clone()).build().expect("valid");
        // Ten calls per unit: the bucket never fills up again, so nothing earned is lost.
        let tick = quota.time_for(1) / 10;
        let of_one = admitted_to_all(|_| {
            clock.advance(tick);
            u64::from(one.check().is_allowed())
        });
        let half_time = clock.now().as_nanos();
        let of_key = admitted_to_all(|_| {
            clock.advance(tick);
            u64::from(keyed.check("key").is_allowed())
        });
        for (admitted, elapsed) in [(of_one, half_time), (of_key, clock.now().as_nanos() - half_time)] {
            let earned = (u128::from(elapsed) * u128::from(quota.limit()) / 1_000_000_000) as u64;
            assert!(admitted <= earned + quota.burst_size(), "{quota:?}: {admitted} of {earned}");
            assert!(admitted + 1 >= earned, "{quota:?}: starved, {admitted} of {earned}");
        }
    }
}

#[test]
fn limiters_can_be_shared_sent_and_debugged() {
    fn shared<T: Send + Sync + std::fmt::Debug + 'static>(_: &T) {}
    let limiter = Arc::new(Limiter::new(Quota::per_second(1)));
    shared(&limiter);
    shared(&KeyedLimiter::new(Quota::per_second(1)));
    shared(&limiter.check());
}
