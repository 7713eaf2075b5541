//! Code of the user's own that calls back at the worst moment, clocks that lie, settings that change from all sides: nobody
//! is freed, and what is told stays true.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use http::Request;
use tower::{Layer, Service, ServiceExt};
use tower_ratelimit::{
    Event, Key, KeyError, ManualClock, MemoryStore, Policy, Quota, RateLimitLayer, RequestHead, SlowStore,
    Timestamp, global, header,
};

use super::support::{Log, admitted, costing, field, hello, limited, metered, send, with};

#[tokio::test]
async fn an_extractor_and_a_cost_may_use_the_handle_of_their_own_layer() {
    // They run in the middle of a decision; whatever they change is in force for the next one.
    let layer = RateLimitLayer::new(Quota::per_hour(1)).clock(ManualClock::new());
    let (in_key, in_cost) = (layer.handle(), layer.handle());
    let asked = Arc::new(AtomicUsize::new(0));
    let policy = Policy::new("api", Quota::per_hour(3))
        .key(move |_: &RequestHead<'_>| -> Result<Key, KeyError> {
            let key = Key::text("all")?;
            match asked.fetch_add(1, SeqCst) {
                0 => in_key.set_policies(Policy::new("api", Quota::per_hour(6)).key(global())).unwrap(),
                _ => unreachable!("it was replaced"),
            }
            in_key.forget(&key);
            Ok(key)
        })
        .cost(move |_: &RequestHead<'_>| in_cost.stats().allowed + 1);
    layer.handle().set_policies(policy).unwrap();
    let mut service = limited(&layer);
    let first = send(&mut service, Request::new(())).await;
    assert_eq!(field(first.headers(), "ratelimit-policy").unwrap(), r#""api";q=3;w=3600"#);
    assert_eq!(admitted(&mut service, 20, || Request::new(())).await, 6);
}

#[test]
fn settings_that_threads_change_at_once_are_all_kept() {
    let layer = RateLimitLayer::new(Policy::new("api", Quota::per_hour(1)).key(global()))
        .store(MemoryStore::with_capacity(10).unwrap());
    std::thread::scope(|scope| {
        for thread in 0..4_u64 {
            let (layer, handle) = (layer.clone(), layer.handle());
            scope.spawn(move || {
                for round in 1..=200 {
                    match thread {
                        0 => handle
                            .set_policies(Policy::new("api", Quota::per_hour(round)).key(global()))
                            .unwrap(),
                        1 => handle.disable(),
                        2 => drop(layer.clone().fields(tower_ratelimit::Fields::None)),
                        _ => drop(layer.clone().peer_fix("Turn the brass key twice.")),
                    }
                }
            });
        }
    });
    let handle = layer.handle();
    assert_eq!((handle.is_enabled(), handle.stats().policies[0].quota.as_str()), (false, "200/h"));
    handle.enable();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let page = runtime.block_on(send(&mut limited(&layer), Request::new(())));
    assert_eq!(field(page.headers(), "ratelimit"), None);
}

#[tokio::test]
async fn a_clock_that_steps_back_between_changes_frees_nobody() {
    let (layer, clock) = metered([("api", Quota::per_minute(10))]);
    let (handle, mut service) = (layer.handle(), limited(&layer));
    let at = |seconds: u64| Timestamp::from_nanos(seconds * 1_000_000_000);
    clock.set(at(1_000));
    assert_eq!(admitted(&mut service, 20, || Request::new(())).await, 10);
    for (seconds, quota) in [(900, "20/min"), (0, "10/min"), (1_000, "30/min burst 90"), (1, "10/min")] {
        clock.set(at(seconds));
        handle.set_policies(Policy::new("api", quota.parse().unwrap()).key(global())).unwrap();
        assert_eq!(admitted(&mut service, 200, || Request::new(())).await, 0, "{seconds} s, {quota}");
        // Nor does taking it out and putting it back.
        handle.set_policies(Policy::new("other", Quota::per_hour(1)).key(global())).unwrap();
        handle.set_policies(Policy::new("api", quota.parse().unwrap()).key(global())).unwrap();
        assert_eq!(admitted(&mut service, 200, || Request::new(())).await, 0, "{seconds} s, {quota}");
    }
}

#[tokio::test]
async fn at_the_end_of_time_limits_refuse_and_say_nothing_absurd() {
    for start in [u64::MAX, u64::MAX - 1, u64::MAX - 3_600_000_000_000] {
        let (layer, clock) = metered([("api", Quota::per_hour(2)), ("day", Quota::per_day(3).burst(50))]);
        clock.set(Timestamp::from_nanos(start));
        let mut service = limited(&layer);
        assert!(admitted(&mut service, 50, || Request::new(())).await <= 2, "{start}");
        clock.advance(Duration::MAX);
        layer.handle().set_policies([Policy::new("api", Quota::per_second(1)).key(global())]).unwrap();
        let last = send(&mut service, costing([("api", 1)])).await;
        let fields = field(last.headers(), "ratelimit").unwrap();
        assert!(fields.len() < 40, "{fields}");
    }
}

#[tokio::test]
async fn evictions_are_told_of_again_when_the_keys_are_kept_elsewhere() {
    // The number that was told last was that of the old tables, and what happened in the new ones was told of when there
    // was twice as much of it.
    let log = Log::default();
    let writer = log.clone();
    let own = |name| Policy::new(name, Quota::per_day(1)).key(header("x-user"));
    let small = || MemoryStore::with_capacity(10).unwrap();
    let layer = RateLimitLayer::new(own("old")).store(small()).on_event(move |event| {
        if let Event::Evicted { policy, total } = event {
            writer.write(format!("{policy} {}", if *total < 5_000 { "early" } else { "late" }));
        }
    });
    let flood = async |users: std::ops::Range<u32>| {
        let mut service = limited(&layer);
        for user in users {
            send(&mut service, with("x-user", user.to_string())).await;
        }
    };
    flood(0..20_000).await;
    assert!(log.take().len() > 3);

    layer.handle().set_policies(own("new")).unwrap();
    flood(20_000..23_000).await;
    assert_eq!(log.take().first().unwrap(), "new early", "another policy");

    let layer = layer.clone().store(small());
    flood(0..3_000).await;
    assert_eq!(log.take().first().unwrap(), "new early", "another store");

    // The same keys in the same tables are no news.
    layer.handle().set_policies(own("new")).unwrap();
    flood(3_000..3_001).await;
    assert_eq!(log.take().len(), 0);
}

#[tokio::test]
async fn a_wait_for_the_store_ends_under_the_name_of_the_policy_that_was_asked() {
    // Places in the set have changed in the meantime, and a name of the new set would be another's.
    let log = Log::default();
    let writer = log.clone();
    let store = SlowStore::new(MemoryStore::with_capacity(10).unwrap(), Duration::ZERO);
    let policy = |name, quota| Policy::new(name, quota).key(global());
    let layer = RateLimitLayer::new([policy("a", Quota::per_hour(9)), policy("b", Quota::per_hour(1))])
        .store(store)
        .on_decision(move |_, head| writer.write(head.policy().unwrap()));
    let mut service = layer.layer(hello());
    let waiting = service.ready().await.unwrap().call(Request::new(()));
    layer.handle().set_policies([policy("c", Quota::per_hour(9))]).unwrap();
    assert_eq!(waiting.await.unwrap().status(), 200);
    assert_eq!(log.take(), ["b"]);
}
