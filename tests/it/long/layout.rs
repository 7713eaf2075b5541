//! How many keys a full table loses: the simulation of the decision record on store layout, on the shipped table.

use std::time::Duration;

use rate_core::{KeyedLimiter, Quota, Secret, Timestamp};

use super::asked_for;

const KEYS_PER_CAPACITY: u64 = 50_000_000;

fn limiter(quota: Quota, capacity: u64, seed: u64) -> KeyedLimiter {
    let secret = Secret::from_bytes((u128::from(capacity) << 64 | u128::from(seed)).to_le_bytes());
    KeyedLimiter::builder(quota).capacity(capacity as usize).secret(secret).build().expect("it fits")
}

fn fewer_than_one_in_a_million(what: &str, capacity: u64, keys: u64, lost: u64) {
    let per_million = lost as f64 * 1e6 / keys as f64;
    println!("{what} {capacity:>9} keys: lost {lost} of {keys}, {per_million:.3} per million");
    assert!(lost * 1_000_000 < keys, "{what} {capacity} keys: {per_million} per million");
}

#[test]
fn a_table_filled_to_its_capacity_loses_fewer_than_one_key_in_a_million() {
    if !asked_for("2·10^8 keys in tables filled to their capacity") {
        return;
    }
    for capacity in [64, 1_000, 100_000, 1_000_000] {
        let rounds = KEYS_PER_CAPACITY / capacity;
        let mut lost = 0;
        for seed in 0..rounds {
            let limiter = limiter(Quota::per_hour(5), capacity, seed);
            for key in 0..capacity {
                assert!(limiter.check_at(&key, Timestamp::ZERO).is_allowed());
            }
            lost += limiter.evictions();
        }
        fewer_than_one_in_a_million("filled to", capacity, rounds * capacity, lost);
    }
}

#[test]
fn a_table_at_its_capacity_loses_fewer_than_one_key_in_a_million_while_keys_come_and_go() {
    if !asked_for("2·10^8 keys through tables that are always at their capacity") {
        return;
    }
    for capacity in [64, 1_000, 100_000, 1_000_000] {
        // A key is live for as many ticks as the table guarantees keys, and one comes with every tick.
        let quota = Quota::every(Duration::from_nanos(capacity)).burst(5);
        let limiter = limiter(quota, capacity, 1);
        for key in 0..KEYS_PER_CAPACITY {
            assert!(limiter.check_at(&key, Timestamp::from_nanos(key)).is_allowed());
        }
        fewer_than_one_in_a_million("always at", capacity, KEYS_PER_CAPACITY, limiter.evictions());
    }
}
