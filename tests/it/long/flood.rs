//! A million keys at their limit, and ten million strangers.

use rate_core::{KeyedLimiter, ManualClock, Quota};

use super::asked_for;

const CAPACITY: u64 = 1_000_000;
const STRANGERS: u64 = 10_000_000;

/// Resident memory in bytes, where the system tells.
fn resident() -> Option<u64> {
    let statm = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = statm.split_whitespace().nth(1)?.parse().ok()?;
    Some(pages * 4_096)
}

#[test]
fn ten_million_strangers_free_nobody_and_take_no_memory() {
    if !asked_for("10^7 strangers through a capacity of 10^6 keys") {
        return;
    }
    let limiter = KeyedLimiter::builder(Quota::per_hour(5))
        .capacity(CAPACITY as usize)
        .clock(ManualClock::new())
        .build()
        .expect("32 MB fit");
    for key in 0..CAPACITY {
        assert!((0..5).all(|_| limiter.check(&key).is_allowed()));
        assert!(!limiter.check(&key).is_allowed());
    }
    assert_eq!((limiter.len() as u64, limiter.evictions()), (CAPACITY, 0), "the capacity is not kept");
    assert!((0..CAPACITY).all(|key| !limiter.check(&key).is_allowed()));

    let before = resident();
    let quarters = [1, 2, 3, 4].map(|quarter| CAPACITY + STRANGERS * quarter / 4);
    let mut stranger = CAPACITY;
    for end in quarters {
        while stranger < end {
            assert!(limiter.check(&stranger).is_allowed(), "stranger {stranger} is not served");
            stranger += 1;
        }
        let freed = (0..CAPACITY).filter(|key| limiter.check(key).is_allowed()).count();
        assert_eq!(freed, 0, "keys at their limit were freed by {} strangers", end - CAPACITY);
    }
    match (before, resident()) {
        (Some(before), Some(after)) => {
            println!("resident before {before} and after {after} bytes");
            assert!(after < before + (1 << 20), "memory grew from {before} to {after} bytes");
        }
        _ => println!("no /proc/self/statm here: resident memory was not looked at"),
    }
    assert_eq!(limiter.allocated_bytes() as u64, 32 * CAPACITY);
    assert_eq!(limiter.len() as u64 + limiter.evictions(), CAPACITY + STRANGERS);
    assert!(limiter.evictions() > STRANGERS - CAPACITY);
    println!("{} keys held, {} evictions counted", limiter.len(), limiter.evictions());

    assert!((0..5).all(|_| limiter.check("a new key").is_allowed()));
    assert!(!limiter.check("a new key").is_allowed());
}
