//! One limiter without keys.

use governor::RateLimiter;
use governor::clock::{Clock, DefaultClock};
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use rate_core::{Limiter, Quota};

use crate::harness::{INSTANCES, Track, compare_over, side};
use crate::peer::{ConstantClock, governor_quota, precomputed, quota, uneven_quota};
use crate::report::{Outcome, Point, Report, Time};

type Direct<C> = RateLimiter<NotKeyed, InMemoryState, C, NoOpMiddleware<<C as Clock>::Instant>>;

pub(crate) fn run(report: &mut Report) {
    for time in Time::BOTH {
        for outcome in Outcome::BOTH {
            for threads in [1, 2] {
                point(report, ("single", Some(1.0)), quota(outcome), threads, outcome, time);
            }
        }
    }
    for outcome in Outcome::BOTH {
        // No bar: governor rounds the interval, and only looks faster.
        point(report, ("single/uneven", None), uneven_quota(outcome), 1, outcome, Time::Precomputed);
    }
}

fn point(
    report: &mut Report,
    (case, bar): (&str, Option<f64>),
    quota: Quota,
    threads: u64,
    outcome: Outcome,
    time: Time,
) {
    let point = Point {
        case: case.to_owned(),
        keys: None,
        threads: Some(threads),
        outcome: Some(outcome),
        time: Some(time),
    };
    if !report.wants(&point) {
        return;
    }
    let [ours, governor] = match time {
        Time::Precomputed => measure(
            quota,
            threads,
            outcome,
            |ours| ours.check_at(precomputed()).is_allowed(),
            |ours| ours.check_at(precomputed()).is_allowed(),
            &ConstantClock::new(),
        ),
        Time::Default => measure(
            quota,
            threads,
            outcome,
            |ours| ours.check().is_allowed(),
            |ours| ours.check().is_allowed(),
            &DefaultClock::default(),
        ),
    };
    report.add(&point, ours, ("governor", governor), bar);
}

/// `first` does the same as `check`, which is compiled into the loop only if it is called nowhere else.
fn measure<C>(
    quota: Quota,
    threads: u64,
    outcome: Outcome,
    first: impl Fn(&Limiter) -> bool,
    check: impl Fn(&Limiter) -> bool + Copy + Sync,
    clock: &C,
) -> [f64; 2]
where
    C: Clock + Clone + Sync,
{
    let pairs: Vec<(Limiter, Direct<C>)> = (0..INSTANCES)
        .map(|_| (Limiter::new(quota), RateLimiter::direct_with_clock(governor_quota(quota), clock.clone())))
        .collect();
    for (ours, governor) in &pairs {
        assert!(first(ours) && governor.check().is_ok(), "the first request is admitted");
    }
    let tracks: Vec<_> = (0..threads).map(|_| Track::new(vec![()])).collect();
    let allow = outcome == Outcome::Allow;
    let sides = [
        side(&tracks, &pairs, allow, |(ours, _)| move |(): &()| check(ours)),
        side(&tracks, &pairs, allow, |(_, governor)| move |(): &()| governor.check().is_ok()),
    ];
    compare_over(&tracks, sides)
}
