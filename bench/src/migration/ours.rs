//! Our side. What stands in the right column of the page stands here.

use std::time::Duration;

use rate_core::{Decision, Denied, KeyedLimiter, Limiter, ManualClock, Quota};

use super::Answer;

pub(super) fn quotas() -> Vec<Quota> {
    vec![
        Quota::per_second(10),
        Quota::per_minute(100).burst(5),
        Quota::per_hour(3),
        Quota::every(Duration::from_millis(100)),
        Quota::new(10, Duration::from_secs(5)).unwrap(),
    ]
}

pub(super) fn facts(quota: Quota) -> (u64, Duration, Duration) {
    (quota.burst_size(), quota.time_for(1), quota.refill_time())
}

pub(super) fn tower() -> Quota {
    Quota::every(Duration::from_secs(60)).burst(10)
}

pub(super) fn clock() -> ManualClock {
    ManualClock::new()
}

pub(super) fn advance(clock: &ManualClock, step: Duration) {
    clock.advance(step);
}

pub(super) fn default_direct(quota: Quota) -> Limiter {
    Limiter::new(quota)
}

pub(super) fn default_keyed(quota: Quota) -> KeyedLimiter {
    KeyedLimiter::new(quota)
}

pub(super) fn direct(quota: Quota, clock: ManualClock) -> Limiter {
    Limiter::with_clock(quota, clock)
}

pub(super) fn keyed(quota: Quota, clock: ManualClock) -> KeyedLimiter {
    KeyedLimiter::builder(quota).clock(clock).build().unwrap()
}

pub(super) fn check(limiter: &Limiter) -> bool {
    limiter.check().is_allowed()
}

pub(super) fn check_key(limiter: &KeyedLimiter) -> bool {
    limiter.check("ann").is_allowed()
}

pub(super) fn check_five(limiter: &Limiter) -> Answer {
    answer(limiter.check_n(5))
}

pub(super) fn check_key_five(limiter: &KeyedLimiter) -> Answer {
    answer(limiter.check_n("ann", 5))
}

fn answer(decision: Decision) -> Answer {
    match decision {
        Decision::Allowed(_) => Answer::Allowed,
        Decision::Denied(denied) => match denied.retry_after() {
            Some(wait) => Answer::NotYet(wait),
            None => Answer::Never,
        },
    }
}

pub(super) fn remaining(quota: Quota, clock: ManualClock) -> Vec<u64> {
    let limiter = Limiter::with_clock(quota, clock);
    let mut remaining = Vec::new();
    while let Decision::Allowed(allowed) = limiter.check() {
        remaining.push(allowed.remaining());
    }
    remaining
}

pub(super) fn house_keeping(limiter: &KeyedLimiter) -> (usize, bool) {
    (limiter.len(), limiter.is_empty())
}

/// The time to sleep, for whoever has no runtime to do it for them.
pub(super) fn wait(limiter: &Limiter, longest: Duration) -> Result<Duration, Denied> {
    Ok(limiter.reserve(1, longest)?.wait())
}

pub(super) fn wait_for_key(limiter: &KeyedLimiter, longest: Duration) -> Result<Duration, Denied> {
    Ok(limiter.reserve("ann", 1, longest)?.wait())
}

pub(super) fn wait_for_five(limiter: &Limiter, longest: Duration) -> Result<Duration, Denied> {
    Ok(limiter.reserve(5, longest)?.wait())
}
