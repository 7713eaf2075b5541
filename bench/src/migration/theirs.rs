//! governor's side. What stands in the left column of the page stands here.

#![allow(deprecated, reason = "`Quota::new` is, and is still written")]

use std::time::Duration;

use governor::clock::{Clock, FakeRelativeClock, Reference};
use governor::middleware::{NoOpMiddleware, StateInformationMiddleware};
use governor::nanos::Nanos;
use governor::state::keyed::DashMapStateStore;
use governor::state::{InMemoryState, NotKeyed};
use governor::{DefaultDirectRateLimiter, DefaultKeyedRateLimiter, InsufficientCapacity, Quota, RateLimiter};
use nonzero_ext::nonzero;
use tower_governor::governor::GovernorConfigBuilder;

use super::Answer;

pub(super) type Direct = RateLimiter<NotKeyed, InMemoryState, FakeRelativeClock, NoOpMiddleware<Nanos>>;
pub(super) type Keyed =
    RateLimiter<&'static str, DashMapStateStore<&'static str>, FakeRelativeClock, NoOpMiddleware<Nanos>>;

pub(super) fn quotas() -> Vec<Quota> {
    vec![
        Quota::per_second(nonzero!(10u32)),
        Quota::per_minute(nonzero!(100u32)).allow_burst(nonzero!(5u32)),
        Quota::per_hour(nonzero!(3u32)),
        Quota::with_period(Duration::from_millis(100)).unwrap(),
        Quota::new(nonzero!(10u32), Duration::from_secs(5)).unwrap(),
    ]
}

/// What a quota comes to: most at once, and the times in which one and all come back.
pub(super) fn facts(quota: Quota) -> (u64, Duration, Duration) {
    (u64::from(quota.burst_size().get()), quota.replenish_interval(), quota.burst_size_replenished_in())
}

pub(super) fn tower() -> Quota {
    let config = GovernorConfigBuilder::default().per_second(60).burst_size(10).finish().unwrap();
    let client = std::net::IpAddr::from([192, 0, 2, 1]);
    // A limiter tells its quota when it refuses.
    loop {
        if let Err(not_until) = config.limiter().check_key(&client) {
            return not_until.quota();
        }
    }
}

pub(super) fn clock() -> FakeRelativeClock {
    FakeRelativeClock::default()
}

pub(super) fn advance(clock: &FakeRelativeClock, step: Duration) {
    clock.advance(step);
}

pub(super) fn default_direct(quota: Quota) -> DefaultDirectRateLimiter {
    RateLimiter::direct(quota)
}

pub(super) fn default_keyed(quota: Quota) -> DefaultKeyedRateLimiter<&'static str> {
    RateLimiter::keyed(quota)
}

pub(super) fn direct(quota: Quota, clock: FakeRelativeClock) -> Direct {
    RateLimiter::direct_with_clock(quota, clock)
}

pub(super) fn keyed(quota: Quota, clock: FakeRelativeClock) -> Keyed {
    RateLimiter::dashmap_with_clock(quota, clock)
}

pub(super) fn check(limiter: &Direct) -> bool {
    limiter.check().is_ok()
}

pub(super) fn check_key(limiter: &Keyed) -> bool {
    limiter.check_key(&"ann").is_ok()
}

pub(super) fn check_five(limiter: &Direct) -> Answer {
    match limiter.check_n(nonzero!(5u32)) {
        Ok(Ok(())) => Answer::Allowed,
        Ok(Err(not_until)) => Answer::NotYet(not_until.wait_time_from(limiter.clock().now())),
        Err(InsufficientCapacity(_)) => Answer::Never,
    }
}

pub(super) fn check_key_five(limiter: &Keyed) -> Answer {
    match limiter.check_key_n(&"ann", nonzero!(5u32)) {
        Ok(Ok(())) => Answer::Allowed,
        Ok(Err(not_until)) => {
            // By the instant itself instead of the wait until then.
            Answer::NotYet(not_until.earliest_possible().duration_since(limiter.clock().now()).into())
        }
        Err(InsufficientCapacity(_)) => Answer::Never,
    }
}

/// What remains after each of some checks, while they are allowed.
pub(super) fn remaining(quota: Quota, clock: FakeRelativeClock) -> Vec<u64> {
    let limiter =
        RateLimiter::direct_with_clock(quota, clock).with_middleware::<StateInformationMiddleware>();
    std::iter::from_fn(|| limiter.check().ok())
        .map(|snapshot| u64::from(snapshot.remaining_burst_capacity()))
        .collect()
}

pub(super) fn house_keeping(limiter: &Keyed) -> (usize, bool) {
    limiter.retain_recent();
    limiter.shrink_to_fit();
    (limiter.len(), limiter.is_empty())
}

pub(super) async fn wait(limiter: &DefaultDirectRateLimiter) {
    limiter.until_ready().await;
}

pub(super) async fn wait_for_key(limiter: &DefaultKeyedRateLimiter<&'static str>) {
    limiter.until_key_ready(&"ann").await;
}

pub(super) async fn wait_for_five(limiter: &DefaultDirectRateLimiter) -> Result<(), InsufficientCapacity> {
    limiter.until_n_ready(nonzero!(5u32)).await
}
