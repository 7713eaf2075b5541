//! Several layers on one store: they count together, whenever they were made and whatever they say.

use std::time::{Duration, Instant};

use http::Request;
use tower_ratelimit::{ManualClock, MemoryStore, Policy, Quota, RateLimitLayer, global};

use super::support::{admitted, field, limited, send};
use crate::core::later;

fn named(name: &str, quota: &str) -> Policy {
    Policy::new(name, quota.parse().unwrap()).key(global())
}

#[tokio::test]
async fn layers_made_at_different_moments_admit_one_burst_on_the_default_clock() {
    // Each layer's clock began at zero when the layer was made. To the older one whatever the younger had charged was
    // long past, and it admitted a burst of its own.
    const RATE: usize = 2_000;
    for used_before in [false, true] {
        let store = MemoryStore::with_capacity(100).unwrap();
        let layer = || RateLimitLayer::new(named("api", "2000/s burst 100")).store(store.clone());
        let older = layer();
        if used_before {
            assert_eq!(admitted(&mut limited(&older), 1, || Request::new(())).await, 1);
        }
        later(Duration::from_millis(60));
        let younger = layer();

        let start = Instant::now();
        let mut through = 0;
        for layer in [&younger, &older, &younger, &older] {
            through += admitted(&mut limited(layer), 100, || Request::new(())).await;
        }
        // What came back meanwhile is owed, however slow the machine is just now.
        let earned = (start.elapsed().as_secs_f64() * RATE as f64) as usize;
        assert!((100..=101 + earned).contains(&through), "{through}, of which {earned} were earned");
    }
}

#[tokio::test]
async fn of_two_quotas_under_one_name_the_last_bound_is_in_force_and_nobody_is_freed() {
    let clock = ManualClock::new();
    let store = MemoryStore::with_capacity(100).unwrap();
    let layer = |quota| RateLimitLayer::new(named("api", quota)).clock(clock.clone()).store(store.clone());
    let one = layer("10/h");
    assert_eq!(admitted(&mut limited(&one), 5, || Request::new(())).await, 5);

    // Half of ten is used, so half of twenty is left, for both of them.
    let two = layer("20/h");
    let answer = send(&mut limited(&one), Request::new(())).await;
    assert_eq!(field(answer.headers(), "ratelimit").unwrap().split(';').nth(1), Some("r=9"));
    assert_eq!(admitted(&mut limited(&two), 4, || Request::new(())).await, 4);
    assert_eq!(admitted(&mut limited(&one), 50, || Request::new(())).await, 5);

    // Whoever comes later, and with whatever quota: what is used up stays used up, for all.
    let others = ["10/h", "1000/h burst 5000", "1/h", "20/h"].map(layer);
    for layer in others.iter().chain([&one, &two]) {
        assert_eq!(admitted(&mut limited(layer), 50, || Request::new(())).await, 0);
    }
    // A change of policies binds too; it need not change anything to be the last.
    one.handle().set_policies(named("api", "10/h")).unwrap();
    clock.advance(Duration::from_secs(360));
    assert_eq!(admitted(&mut limited(&two), 50, || Request::new(())).await, 1);
    two.handle().set_policies(named("api", "20/h")).unwrap();
    clock.advance(Duration::from_secs(360));
    assert_eq!(admitted(&mut limited(&one), 50, || Request::new(())).await, 2);
    clock.advance(Duration::from_secs(3_600));
    assert_eq!(admitted(&mut limited(&one), 50, || Request::new(())).await, 20);
}

#[tokio::test]
async fn quotas_that_two_layers_keep_taking_from_each_other_admit_no_more_than_the_larger() {
    let clock = ManualClock::new();
    let store = MemoryStore::with_capacity(100).unwrap();
    let layer = |quota| RateLimitLayer::new(named("api", quota)).clock(clock.clone()).store(store.clone());
    let (small, large) = (layer("10/day"), layer("30/day"));
    let mut through = 0;
    for _ in 0..100 {
        small.handle().set_policies(named("api", "10/day")).unwrap();
        through += admitted(&mut limited(&large), 1, || Request::new(())).await;
        large.handle().set_policies(Policy::new("api", Quota::per_day(30)).key(global())).unwrap();
        through += admitted(&mut limited(&small), 1, || Request::new(())).await;
    }
    assert!((10..=30).contains(&through), "{through}");
}
