//! Keys that were never seen, shown to an empty limiter until it is full: what a newcomer costs, however many came before.
//!
//! governor's map grows on the way and moves what it holds; our table has its size from the start, which is not timed.

use std::hash::RandomState;
use std::time::Instant;

use governor::RateLimiter;
use governor::state::keyed::DashMapStateStore;
use rate_core::KeyedLimiter;

use crate::harness::{Contest, INSTANCES, compare, verify};
use crate::keys::{Key, shuffled};
use crate::peer::{ConstantClock, Governor, governor_quota, precomputed, quota};
use crate::report::{Outcome, Point, Report, Time};

pub(crate) fn run(report: &mut Report) {
    for count in [10_000, 1_000_000] {
        let point = Point {
            case: "keyed/u64/new".to_owned(),
            keys: Some(count),
            threads: Some(1),
            outcome: Some(Outcome::Allow),
            time: Some(Time::Precomputed),
        };
        if report.wants(&point) {
            let keys: Vec<u64> = shuffled(count, 1).map(Key::nth).collect();
            let sides =
                [newcomers(&keys, ours, |ours, key| ours.check_at(key, precomputed()).is_allowed()), {
                    newcomers(&keys, |_| theirs(), |governor, key| governor.check_key(key).is_ok())
                }];
            let times = compare(&sides);
            report.add(&point, times[0], ("governor", times[1]), None);
        }
    }
}

fn ours(keys: usize) -> KeyedLimiter {
    KeyedLimiter::builder(quota(Outcome::Allow)).capacity(keys).build().expect("memory for the table")
}

fn theirs() -> Governor<u64, RandomState, ConstantClock> {
    let (clock, hasher) = (ConstantClock::new(), RandomState::new());
    RateLimiter::<u64, DashMapStateStore<_, _>, _, _>::dashmap_with_clock_and_hasher(
        governor_quota(quota(Outcome::Allow)),
        clock,
        hasher,
    )
}

fn newcomers<'a, L: 'a>(
    keys: &'a [u64],
    make: impl Fn(usize) -> L + Copy + 'a,
    check: impl Fn(&L, &u64) -> bool + Copy + 'a,
) -> Vec<Box<dyn Contest + 'a>> {
    (0..INSTANCES).map(|_| Box::new(Newcomers { keys, make, check }) as Box<dyn Contest>).collect()
}

/// Shows all keys to a limiter that has seen none, again and again.
struct Newcomers<'a, M, C> {
    keys: &'a [u64],
    make: M,
    check: C,
}

impl<L, M: Fn(usize) -> L, C: Fn(&L, &u64) -> bool> Contest for Newcomers<'_, M, C> {
    fn lap(&self, _: usize, operations: usize) -> f64 {
        let limiters = operations.div_ceil(self.keys.len());
        let (mut nanos, mut wrong) = (0, 0);
        for _ in 0..limiters {
            let limiter = (self.make)(self.keys.len());
            let start = Instant::now();
            wrong += self.keys.iter().filter(|key| !(self.check)(&limiter, key)).count();
            nanos += start.elapsed().as_nanos();
        }
        let checks = limiters * self.keys.len();
        verify(checks, wrong);
        nanos as f64 / checks as f64
    }
}
