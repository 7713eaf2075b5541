//! Policies that change while requests run: nobody is freed by it, ever.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use http::Request;
use tower::{Service, ServiceExt};
use tower_ratelimit::{
    ClientIp, ConfigError, Handle, ManualClock, MemoryStore, Policy, Quota, RateLimitLayer, RequestHead,
    SlowStore, global, header,
};

use super::support::{admitted, field, from, limited, metered, send};

fn named(name: &str, quota: &str) -> Policy {
    Policy::new(name, quota.parse().unwrap()).key(global())
}

fn layer(policy: Policy) -> (RateLimitLayer, ManualClock) {
    let clock = ManualClock::new();
    // Small, for every change walks the whole table.
    let store = MemoryStore::with_capacity(100).unwrap();
    (RateLimitLayer::new(policy).clock(clock.clone()).store(store), clock)
}

async fn left(handle: &Handle, layer: &RateLimitLayer) -> String {
    // A request that costs nothing is a look.
    let policies = handle.stats().policies;
    let free = |_: &RequestHead<'_>| 0;
    let looks: Vec<_> = policies.iter().map(|policy| named(&policy.name, &policy.quota).cost(free)).collect();
    handle.set_policies(looks).unwrap();
    field(send(&mut limited(layer), Request::new(())).await.headers(), "ratelimit").unwrap()
}

#[tokio::test]
async fn the_used_share_of_a_quota_carries_over_both_ways() {
    for (before, spend, after, limit) in [
        ("10/h", 5, "20/h", r#""api";r=10;t=1800"#),
        ("20/h", 10, "10/h", r#""api";r=5;t=1800"#),
        ("10/h", 10, "1000/h", r#""api";r=0;t=4"#),
        ("1000/h", 1_000, "10/h", r#""api";r=0;t=360"#),
        ("10/h", 0, "20/h", r#""api";r=20;t=3600"#),
        ("10/h", 5, "10/h burst 20", r#""api";r=10;t=3600"#),
        ("10/h", 5, "10/s", r#""api";r=5;t=1"#),
        ("3/h", 1, "10/h", r#""api";r=6;t=2160"#), // two thirds of ten, rounded down
        ("10/h", 5, "10/h", r#""api";r=5;t=1800"#),
        ("7/h", 3, "1/h burst 1", r#""api";r=0;t=1543"#), // 3/7 of an hour
    ] {
        let (layer, _) = layer(named("api", before));
        let mut service = limited(&layer);
        assert_eq!(admitted(&mut service, spend, || Request::new(())).await, spend);
        layer.handle().set_policies(named("api", after)).unwrap();
        assert_eq!(left(&layer.handle(), &layer).await, limit, "{spend} of {before}, then {after}");
    }
}

#[tokio::test]
async fn switching_back_and_forth_frees_nobody() {
    for (one, other) in [
        ("10/h", "20/h"),
        ("10/h", "10/h burst 1000"),
        ("7/h", "13/h burst 11"),
        ("999983/s burst 100", "3/day burst 10"),
        ("1/h burst 10", "10/us"),
    ] {
        let (layer, _) = layer(named("api", one));
        let handle = layer.handle();
        let mut service = limited(&layer);
        let burst = burst_of(one);
        let used = burst / 2 + 1;
        assert_eq!(admitted(&mut service, used, || Request::new(())).await, used);
        for _ in 0..100 {
            handle.set_policies(named("api", other)).unwrap();
            handle.set_policies(named("api", one)).unwrap();
        }
        // What rounding costs is less than a unit, and never to the client's favour.
        let regained = admitted(&mut service, 2 * burst, || Request::new(())).await;
        let fair = burst - used;
        assert!(regained <= fair && regained + 1 >= fair, "{one}, {other}: {regained} of {fair}");

        // An admission takes its share of the quota in force, and all shares together are one whole.
        let (mut by_one, mut by_other) = (used + regained, 0);
        for _ in 0..100 {
            handle.set_policies(named("api", other)).unwrap();
            by_other += admitted(&mut service, 1, || Request::new(())).await;
            handle.set_policies(named("api", one)).unwrap();
            by_one += admitted(&mut service, 1, || Request::new(())).await;
        }
        let (whole, other_whole) = (burst, burst_of(other));
        assert!(
            by_one * other_whole + by_other * whole <= whole * other_whole,
            "{one}: {by_one}, {other}: {by_other}"
        );
    }
}

fn burst_of(quota: &str) -> usize {
    usize::try_from(quota.parse::<Quota>().unwrap().burst_size()).unwrap()
}

#[tokio::test]
async fn a_wait_that_was_told_before_a_change_is_not_stretched_by_a_looser_one() {
    let (layer, clock) = layer(named("api", "1/h"));
    let mut service = limited(&layer);
    assert_eq!(admitted(&mut service, 2, || Request::new(())).await, 1);
    clock.advance(Duration::from_secs(1_800));
    layer.handle().set_policies(named("api", "2/h")).unwrap();
    // Half of the quota is earned back: half of two is one.
    assert_eq!(admitted(&mut service, 9, || Request::new(())).await, 1);
    clock.advance(Duration::from_secs(1_800));
    assert_eq!(admitted(&mut service, 9, || Request::new(())).await, 1);
}

#[tokio::test]
async fn a_policy_that_was_taken_out_finds_its_usage_when_it_is_put_back() {
    let (layer, clock) = layer(named("api", "5/h"));
    let handle = layer.handle();
    let mut service = limited(&layer);
    assert_eq!(admitted(&mut service, 9, || Request::new(())).await, 5);
    for _ in 0..100 {
        handle.set_policies(named("other", "1000/h")).unwrap();
        handle.set_policies([named("other", "1000/h"), named("api", "5/h")]).unwrap();
        assert_eq!(admitted(&mut service, 1, || Request::new(())).await, 0, "a fresh burst for the asking");
    }
    // With another quota, and after the share of it that time has earned back.
    handle.set_policies(named("other", "1000/h")).unwrap();
    clock.advance(Duration::from_secs(1_800));
    handle.set_policies(named("api", "10/h")).unwrap();
    assert_eq!(admitted(&mut service, 99, || Request::new(())).await, 5);

    // When everything is earned back there is nothing to remember.
    handle.set_policies(named("other", "1000/h")).unwrap();
    clock.advance(Duration::from_secs(3_600));
    handle.set_policies(named("api", "10/h")).unwrap();
    assert_eq!(admitted(&mut service, 99, || Request::new(())).await, 10);
}

#[tokio::test]
async fn a_new_name_is_a_new_limit_and_order_is_nothing() {
    let (layer, _) = layer(named("api", "2/h"));
    let handle = layer.handle();
    let mut service = limited(&layer);
    assert_eq!(admitted(&mut service, 9, || Request::new(())).await, 2);
    handle.set_policies(named("API", "2/h")).unwrap();
    assert_eq!(admitted(&mut service, 9, || Request::new(())).await, 2, "names differ by case");
    handle.set_policies([named("z", "9/h"), named("api", "2/h"), named("a", "9/h")]).unwrap();
    let refusal = send(&mut service, Request::new(())).await;
    assert_eq!(
        field(refusal.headers(), "ratelimit").unwrap(),
        r#""z";r=9;t=3600, "api";r=0;t=1800, "a";r=9;t=3600"#
    );
}

#[tokio::test]
async fn a_change_of_key_or_cost_is_in_force_at_once() {
    let (layer, _) = layer(named("api", "4/h"));
    let handle = layer.handle();
    let mut service = limited(&layer);
    assert_eq!(admitted(&mut service, 9, || from("192.0.2.1")).await, 4);
    handle.set_policies(named("api", "4/h").key(ClientIp::peer())).unwrap();
    assert_eq!(admitted(&mut service, 9, || from("192.0.2.1")).await, 4);
    handle.set_policies(named("api", "4/h").key(ClientIp::peer()).cost(3)).unwrap();
    assert_eq!(admitted(&mut service, 9, || from("192.0.2.2")).await, 1);
    handle.set_policies(named("api", "4/h").key(header("x-user"))).unwrap();
    assert_eq!(send(&mut service, from("192.0.2.3")).await.status(), 400);
}

#[tokio::test]
async fn a_bad_set_is_refused_and_the_old_one_stays() {
    let (layer, _) = metered([("api", Quota::per_hour(2))]);
    let handle = layer.handle();
    let mut service = limited(&layer);
    assert_eq!(admitted(&mut service, 1, || Request::new(())).await, 1);
    let before = handle.stats();

    let seventeen: Vec<_> = (0..17).map(|index| named(&format!("p{index}"), "1/h")).collect();
    for (policies, code, told) in [
        (vec![], "config-no-policies", "none given"),
        (vec![named("a", "1/h"), named("b", "1/h"), named("a", "2/h")], "config-duplicate-name", "\"a\""),
        (seventeen, "config-too-many-policies", "17 given, at most 16"),
    ] {
        let error: ConfigError = handle.set_policies(policies).unwrap_err();
        assert_eq!(error.code(), code);
        assert!(error.to_string().contains(told), "{error}");
        assert_eq!(handle.stats(), before);
    }
    assert_eq!(admitted(&mut service, 9, || Request::new(())).await, 1);
    for name in ["", "naïve", "a\nb", "\u{1b}[31m"] {
        assert_eq!(Policy::try_new(name, Quota::per_hour(1)).unwrap_err().code(), "config-policy-name");
    }
    assert!(RateLimitLayer::try_new([named("a", "1/h"), named("a", "1/h")]).is_err());
    assert!(RateLimitLayer::try_new(Vec::new()).is_err());
    let sixteen: Vec<_> = (0..16).map(|index| named(&format!("p{index}"), "1/h")).collect();
    handle.set_policies(sixteen).unwrap();
    assert_eq!(admitted(&mut service, 9, || Request::new(())).await, 1);
}

#[test]
fn a_store_that_cannot_hold_the_new_set_changes_nothing() {
    let huge = MemoryStore::with_capacity(usize::MAX / 64).unwrap();
    let (layer, _) = layer(named("api", "2/h"));
    let before = layer.handle().stats();
    let error = layer.clone().try_store(huge).unwrap_err();
    assert_eq!(error.code(), "config-capacity");
    assert!(error.to_string().contains("does not fit into memory"), "{error}");
    assert_eq!(layer.handle().stats(), before);
    assert_eq!(
        MemoryStore::with_capacity(0).unwrap_err().to_string(),
        "capacity must be at least 1 key, got 0"
    );
}

/// Many tasks and one thread that swaps between two sets as fast as it can: how many got through.
fn under_swaps(store: Option<Duration>, sets: [Vec<Policy>; 2], requests: usize) -> usize {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_time().build().unwrap();
    let layer = RateLimitLayer::new(sets[0].clone()).clock(ManualClock::new());
    let layer = match store {
        Some(delay) => layer.store(SlowStore::new(MemoryStore::with_capacity(100).unwrap(), delay)),
        None => layer.store(MemoryStore::with_capacity(100).unwrap()),
    };
    let through = Arc::new(AtomicUsize::new(0));
    let tasks = async {
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..8 {
            let (mut service, through) = (limited(&layer), through.clone());
            tasks.spawn(async move {
                for _ in 0..requests / 8 {
                    let answer = service.ready().await.unwrap().call(Request::new(())).await.unwrap();
                    through.fetch_add(usize::from(answer.status() == 200), SeqCst);
                    tokio::task::yield_now().await;
                }
            });
        }
        tasks.join_all().await
    };
    std::thread::scope(|scope| {
        let requests = scope.spawn(|| runtime.block_on(tasks));
        let mut swaps = 0;
        while swaps < 10 || !requests.is_finished() {
            layer.handle().set_policies(sets[swaps % 2].clone()).unwrap();
            swaps += 1;
        }
        requests.join().unwrap();
    });
    through.load(SeqCst)
}

#[test]
fn swaps_under_load_free_nobody() {
    for store in [None, Some(Duration::ZERO)] {
        let requests = if store.is_some() { 800 } else { 8_000 };
        // The same set over and over: exactly the burst.
        let same = [vec![named("api", "300/day")], vec![named("api", "300/day")]];
        assert_eq!(under_swaps(store, same, requests), 300);
        // A quota that changes: no more than the larger one.
        let quotas = [vec![named("api", "100/day")], vec![named("api", "300/day")]];
        let through = under_swaps(store, quotas, requests);
        assert!((1..=300).contains(&through), "{through}");
        // A policy that comes and goes beside one that stays: exactly the one that stays.
        let comes =
            [vec![named("api", "300/day")], vec![named("other", "99999/day"), named("api", "300/day")]];
        assert_eq!(under_swaps(store, comes, requests), 300);
        // Two that take turns: each its own burst and no more.
        let turns = [vec![named("a", "100/day")], vec![named("b", "50/day")]];
        let through = under_swaps(store, turns, requests);
        assert!((1..=150).contains(&through), "{through}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_that_waits_finishes_under_the_set_it_started_with() {
    let clock = ManualClock::new();
    let layer = RateLimitLayer::new([named("old", "1/h"), named("both", "4/h")])
        .clock(clock.clone())
        .store(SlowStore::new(MemoryStore::new(), Duration::from_millis(50)));
    let handle = layer.handle();
    let mut service = limited(&layer);
    let first = service.ready().await.unwrap().call(Request::new(()));
    let second = service.ready().await.unwrap().call(Request::new(()));
    handle.set_policies([named("both", "8/h"), named("new", "9/h")]).unwrap();

    let first = first.await.unwrap();
    assert_eq!(first.status(), 200);
    // The names it started with; the numbers are those of the quota now in force.
    let limits = field(first.headers(), "ratelimit").unwrap();
    assert!(limits.starts_with(r#""old";r=0;"#) && limits.contains(r#""both";r=7;"#), "{limits}");
    let policies = field(first.headers(), "ratelimit-policy").unwrap();
    assert_eq!(policies, r#""old";q=1;w=3600, "both";q=4;w=3600"#);
    assert_eq!(second.await.unwrap().status(), 429, "refused by the policy it started with");

    let third = send(&mut service, Request::new(())).await;
    assert_eq!(field(third.headers(), "ratelimit").unwrap(), r#""both";r=6;t=2700, "new";r=8;t=3200"#);
    // What the waiting ones took of the old policy is there when it comes back.
    handle.set_policies(named("old", "1/h")).unwrap();
    assert_eq!(send(&mut service, Request::new(())).await.status(), 429);
}

#[tokio::test]
async fn layers_that_share_a_store_do_not_make_each_other_forget() {
    // The second layer knew nothing of the first one's policy and put it aside; an hour later its table was dropped
    // while it was at work, and the next change of the first layer freed everybody.
    let clock = ManualClock::new();
    let store = MemoryStore::with_capacity(100).unwrap();
    let layer = |policy| RateLimitLayer::new(policy).clock(clock.clone()).store(store.clone());
    let (first, second) = (layer(named("first", "2/h")), layer(named("second", "2/h")));
    clock.advance(Duration::from_secs(7_200));
    assert_eq!(admitted(&mut limited(&first), 9, || Request::new(())).await, 2);
    for _ in 0..3 {
        second.handle().set_policies(named("second", "3/h")).unwrap();
        first.handle().set_policies(named("first", "2/h")).unwrap();
        assert_eq!(admitted(&mut limited(&first), 9, || Request::new(())).await, 0);
    }
    assert_eq!(admitted(&mut limited(&layer(named("first", "2/h"))), 9, || Request::new(())).await, 0);
}

#[tokio::test]
async fn policies_that_nobody_remembers_are_dropped() {
    // A table of the default capacity is three megabytes: names that change for ever must not add up.
    let (layer, clock) = layer(named("p0", "1/min"));
    let spent = allocation_counter::measure(|| {
        for round in 0..200 {
            clock.advance(Duration::from_secs(61));
            layer.handle().set_policies(named(&format!("p{round}"), "1/min")).unwrap();
        }
    });
    let table = 100 * 32;
    assert!(spent.bytes_total > 200 * table && spent.bytes_current < 10 * table as i64, "{spent:?}");
}
