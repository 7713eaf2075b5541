//! A check whose answer is read: what remains when it was allowed, how long to wait when it was not.
//!
//! The other rows read only whether it was allowed, and then nobody has to divide. governor tells what remains through a
//! middleware, a type parameter of the limiter.

use std::hash::RandomState;
use std::hint::black_box;

use governor::RateLimiter;
use governor::clock::{Clock, Reference};
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::DashMapStateStore;
use rate_core::{Decision, KeyedLimiter};

use crate::harness::{INSTANCES, compare_over, side};
use crate::keys::{Fingerprinted, Key, tracks};
use crate::peer::{ConstantClock, governor_quota, precomputed, quota};
use crate::report::{Outcome, Point, Report, Time};

const KEYS: u64 = 10_000;

type Telling =
    RateLimiter<u64, DashMapStateStore<u64, RandomState>, ConstantClock, StateInformationMiddleware>;

pub(crate) fn run(report: &mut Report) {
    for outcome in Outcome::BOTH {
        let point = Point {
            case: "keyed/u64/answer-read".to_owned(),
            keys: Some(KEYS),
            threads: Some(1),
            outcome: Some(outcome),
            time: Some(Time::Precomputed),
        };
        if report.wants(&point) {
            measure(report, &point, outcome);
        }
    }
}

fn measure(report: &mut Report, point: &Point, outcome: Outcome) {
    let quota = quota(outcome);
    let clock = ConstantClock::new();
    let pairs: Vec<(KeyedLimiter, Telling)> = (0..INSTANCES)
        .map(|_| {
            let ours =
                KeyedLimiter::builder(quota).capacity(KEYS as usize).build().expect("memory for the table");
            let hasher = RandomState::new();
            let governor =
                RateLimiter::dashmap_with_clock_and_hasher(governor_quota(quota), clock.clone(), hasher);
            (ours, governor.with_middleware())
        })
        .collect();
    let ours = |limiter: &KeyedLimiter, key: &u64| match limiter.check_at(key, precomputed()) {
        Decision::Allowed(allowed) => {
            black_box(allowed.remaining());
            true
        }
        Decision::Denied(denied) => {
            black_box(denied.retry_after());
            false
        }
    };
    let governor = |limiter: &Telling, key: &u64| match limiter.check_key(key) {
        Ok(snapshot) => {
            black_box(snapshot.remaining_burst_capacity());
            true
        }
        Err(refused) => {
            black_box(refused.earliest_possible().duration_since(clock.now()));
            false
        }
    };
    for (one, other) in &pairs {
        for key in (0..KEYS).map(<u64 as Key>::nth) {
            assert!(ours(one, &key) && governor(other, &key), "a new key is admitted");
        }
    }
    let tracks = tracks::<u64>(KEYS, 1);
    let allow = outcome == Outcome::Allow;
    let sides = [
        side(&tracks, &pairs, allow, |(limiter, _)| move |key: &Fingerprinted<u64>| ours(limiter, &key.0)),
        side(&tracks, &pairs, allow, |(_, limiter)| {
            move |key: &Fingerprinted<u64>| governor(limiter, &key.0)
        }),
    ];
    let [ours, governor] = compare_over(&tracks, sides);
    report.add(point, ours, ("governor, telling", governor), None);
}
