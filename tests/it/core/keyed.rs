//! Keys: who they are, how many are kept, and what happens to one too many.

use std::net::{IpAddr, Ipv4Addr};

use rate_core::algorithm::SlidingLog;
use rate_core::{KeyedLimiter, ManualClock, Quota, Secret, Timestamp, check_all};

use super::random::Random;

const NOW: Timestamp = Timestamp::from_nanos(1_000_000_007);

#[test]
fn the_key_that_used_least_makes_room() {
    // One line of six: whoever is seventh replaces the one whose loss admits least.
    let limiter = KeyedLimiter::builder(Quota::per_hour(10)).capacity(1).build().expect("one key fits");
    for key in 1..=6_u64 {
        assert!(limiter.check_n_at(&key, 10 - key, NOW).is_allowed());
    }
    assert!(limiter.check_n_at(&7_u64, 10, NOW).is_allowed());
    assert_eq!((limiter.len(), limiter.evictions()), (6, 1));
    assert_eq!(limiter.peek_at(&6_u64, NOW).remaining(), 10, "key 6 had used least");
    for key in 1..=5_u64 {
        assert_eq!(limiter.peek_at(&key, NOW).remaining(), key, "key {key} had used more");
    }
    assert!(!limiter.check_at(&7_u64, NOW).is_allowed());
}

#[test]
fn a_key_as_good_as_new_makes_room_before_any_other() {
    let limiter = KeyedLimiter::builder(Quota::per_second(10)).capacity(1).build().expect("one key fits");
    let later = NOW.saturating_add(std::time::Duration::from_millis(500));
    assert!(limiter.check_n_at("idle", 5, NOW).is_allowed());
    for key in 0..5_u64 {
        assert!(limiter.check_at(&key, later).is_allowed());
    }
    assert!(limiter.check_at("newcomer", later).is_allowed());
    assert_eq!((limiter.len(), limiter.evictions()), (6, 0), "nothing was lost");
    assert!((0..5_u64).all(|key| limiter.peek_at(&key, later).remaining() == 9));
    assert_eq!(limiter.peek_at("idle", later).remaining(), 10);
}

#[test]
fn a_forgotten_key_is_new() {
    let limiter = KeyedLimiter::new(Quota::per_hour(1));
    assert!(limiter.is_empty());
    for key in 0..1_000_u64 {
        assert!(limiter.check_at(&key, NOW).is_allowed());
        assert!(!limiter.check_at(&key, NOW).is_allowed());
    }
    assert_eq!(limiter.len(), 1_000);
    for key in 0..1_000_u64 {
        if key % 2 == 0 {
            assert!(limiter.forget(&key));
        } else {
            assert!(limiter.forget_fingerprint(limiter.fingerprint(&key)));
        }
        assert!(!limiter.forget(&key), "forgotten twice");
    }
    assert!(limiter.is_empty());
    assert!((0..1_000_u64).all(|key| limiter.check_at(&key, NOW).is_allowed()));
    assert_eq!((limiter.len(), limiter.evictions()), (1_000, 0));
    assert!(!limiter.forget("never seen"));
}

#[test]
fn distinct_keys_are_held_or_counted_whatever_the_capacity() {
    let mut random = Random::new(41);
    for capacity in [1, 2, 3, 4, 5, 7, 8, 9, 13, 64, 100, 1_000] {
        let limiter = KeyedLimiter::builder(Quota::per_hour(3)).capacity(capacity).build().expect("it fits");
        assert_eq!(limiter.capacity(), capacity);
        for key in 0..capacity as u64 {
            assert!(limiter.check_n_at(&key, 1 + random.below(3), NOW).is_allowed());
        }
        assert_eq!((limiter.len(), limiter.evictions()), (capacity, 0), "capacity {capacity}");
        for key in 0..10 * capacity as u64 {
            let _ = limiter.check_n_at(&(key, "more"), 1 + random.below(3), NOW);
        }
        assert_eq!(limiter.len() + limiter.evictions() as usize, 11 * capacity, "capacity {capacity}");
        assert!(limiter.len() >= capacity && limiter.len() * 32 <= limiter.allocated_bytes() * 3 / 2);
    }
}

#[test]
fn a_key_is_what_it_hashes_to_owned_or_borrowed() {
    let limiter = KeyedLimiter::new(Quota::per_hour(3));
    let owned = String::from("user:42");
    assert_eq!(limiter.check_at("user:42", NOW).remaining(), 2);
    assert_eq!(limiter.check_at(&owned, NOW).remaining(), 1);
    assert_eq!(limiter.check_at(owned.as_str(), NOW).remaining(), 0);
    assert!(!limiter.check_at(&&*owned, NOW).is_allowed());
    assert!(!limiter.check_at(&Box::<str>::from("user:42"), NOW).is_allowed());
    assert_eq!(limiter.len(), 1);

    let address = IpAddr::from([192, 0, 2, 1]);
    assert!(limiter.check_n_at(&address, 3, NOW).is_allowed());
    assert!(!limiter.check_at(&IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), NOW).is_allowed());
    assert!(limiter.check_at(&("user", 42_u32), NOW).is_allowed());
    assert!(limiter.check_at(&["user", "42"][..], NOW).is_allowed());
    assert_eq!(limiter.len(), 4);
}

#[test]
fn keys_of_any_length_are_keys_of_their_own() {
    let limiter = KeyedLimiter::new(Quota::per_hour(1));
    let long = "x".repeat(10_000);
    for length in (0..600).chain([9_999, 10_000]) {
        assert!(
            limiter.check_at(&long[..length], NOW).is_allowed(),
            "{length} bytes are not a key of their own"
        );
    }
    for length in (0..600).chain([9_999, 10_000]) {
        assert!(
            !limiter.check_at(&long[..length], NOW).is_allowed(),
            "{length} bytes are another key the next time"
        );
    }
    assert_eq!(limiter.len(), 602);
}

#[test]
fn equal_secrets_mean_equal_digests_and_no_others_do() {
    let with = |secret| {
        KeyedLimiter::builder(Quota::per_hour(2))
            .secret(secret)
            .build()
            .expect("the default capacity is valid")
    };
    let secret = Secret::from_bytes(*b"sixteen bytes ok");
    let (one, other, foreign) = (with(secret), with(secret), with(Secret::random()));
    assert_eq!(one.fingerprint("ann"), other.fingerprint("ann"));
    assert_eq!(one.digest("ann"), other.digest("ann"));
    assert_ne!(one.digest("ann"), one.digest("bob"));
    assert_ne!(one.fingerprint("ann"), foreign.fingerprint("ann"));
    assert_ne!(one.digest("ann"), foreign.digest("ann"));
    assert_ne!(with(Secret::random()).digest("ann"), with(Secret::random()).digest("ann"));
    assert_eq!(one.digest("ann").to_string(), format!("{:016x}", one.digest("ann").as_u64()));

    // Equal names for a key, but limits of their own.
    assert!(one.check_n_at("ann", 2, NOW).is_allowed());
    assert!(!one.check_at("ann", NOW).is_allowed());
    assert!(other.check_at("ann", NOW).is_allowed());
    let by_fingerprint =
        || check_all([other.charge_fingerprint(one.fingerprint("ann"), 1)], NOW).is_allowed();
    assert!(by_fingerprint());
    assert!(!by_fingerprint());
}

#[test]
fn clones_share_their_limits() {
    let clock = ManualClock::new();
    let limiter = KeyedLimiter::builder(Quota::per_second(3)).clock(clock.clone()).build().expect("valid");
    let clone = limiter.clone();
    assert!(limiter.check("a").is_allowed());
    assert!(clone.check("a").is_allowed());
    assert!(limiter.clone().check("a").is_allowed());
    assert!(!limiter.check("a").is_allowed() && !clone.check("a").is_allowed());
    assert_eq!((limiter.len(), clone.len()), (1, 1));
    assert!(clone.forget("a"));
    assert!(limiter.check_n("a", 3).is_allowed());
    clock.advance(std::time::Duration::from_secs(1));
    assert_eq!(clone.peek("a").remaining(), 3);
    assert_eq!(clone.now(), limiter.now());
}

#[test]
fn debug_shows_neither_secret_nor_keys() {
    let bytes = [0xa7; 16];
    let secret = Secret::from_bytes(bytes);
    let builder = KeyedLimiter::builder(Quota::per_second(3)).secret(secret);
    let limiter = builder.clone().build().expect("the default capacity is valid");
    assert!(limiter.check_at("topsecret", NOW).is_allowed());
    assert_eq!(format!("{secret:?}"), "Secret(..)");
    assert!(format!("{builder:?}").contains("Secret(..)"));
    let charge = limiter.charge("topsecret", 1);
    let digest = limiter.digest("topsecret");
    for text in
        [format!("{secret:?}"), format!("{builder:?}"), format!("{limiter:?}"), format!("{limiter:#?}")]
    {
        for part in
            ["a7", "167", "12080808", "topsecret", &format!("{digest}"), &format!("{}", digest.as_u64())]
        {
            assert!(!text.contains(part), "{part} in {text}");
        }
    }
    // It used to show the fingerprint, and those of all other keys besides: the whole table.
    assert_eq!(format!("{charge:?}"), "Charge { cost: 1, .. }");
    assert_eq!(format!("{:?}", limiter.fingerprint("topsecret")), "Fingerprint(..)");
    assert!(format!("{limiter:?}").contains("3/s"));
}

#[test]
fn logs_have_a_bound_that_nobody_has_to_ask_for() {
    // 100,000 keys with logs of 65,536 units would be 79 GB, and whoever sends as many names as one would fill memory.
    for (limit, capacity) in [(5, 100_000), (100, 100_000), (1_000, 21_697), (65_536, 341)] {
        let limiter = KeyedLimiter::of(SlidingLog::new(Quota::per_day(limit)));
        assert_eq!(limiter.capacity(), capacity, "a log of {limit}");
        for key in 0..(1_000_000 / limit).min(1_000) {
            assert!(limiter.check_at(&key, NOW).is_allowed(), "a newcomer is always served");
        }
        assert!(limiter.allocated_bytes() < 300 << 20, "{} bytes", limiter.allocated_bytes());
    }
}
