//! Keys that lie close together are not stored close together: a table holds them like any others.

use std::hash::Hash;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use rate_core::{KeyedLimiter, Quota, Secret, Timestamp};

const KEYS: u64 = 1_000;
const SECRETS: u128 = 200;

/// How many of the keys lost their state in tables that have room for exactly as many.
fn lost<K: Hash>(key: impl Fn(u64) -> K) -> u64 {
    let tables = (0..SECRETS).map(|seed| {
        let builder = KeyedLimiter::builder(Quota::per_hour(5)).capacity(KEYS as usize);
        let limiter = builder.secret(Secret::from_bytes(seed.to_le_bytes())).build().expect("it fits");
        for index in 0..KEYS {
            assert!(limiter.check_at(&key(index), Timestamp::ZERO).is_allowed());
        }
        limiter.evictions()
    });
    tables.sum()
}

#[test]
fn evenly_spaced_keys_fill_a_table_to_its_capacity() {
    // The sum of products alone leaves them evenly spaced: then one table in thirty loses keys, some of them most.
    assert_eq!(lost(|index| index), 0, "consecutive");
    assert_eq!(lost(|index| index << 32), 0, "far apart");
    assert_eq!(lost(u64::reverse_bits), 0, "reversed");
    assert_eq!(lost(|index| (index % 32, index / 32)), 0, "a grid");
    assert_eq!(lost(|index| format!("user:{index:010}")), 0, "numbered texts");
    assert_eq!(lost(|index| IpAddr::from(Ipv4Addr::from_bits((index as u32) << 8))), 0, "networks");
    assert_eq!(lost(|index| IpAddr::from(Ipv6Addr::from_bits(u128::from(index) << 64))), 0, "IPv6 networks");
}
