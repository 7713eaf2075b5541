//! Two policies on one request.
//!
//! governor has no decision over several limits, so its users ask one limiter after the other; when the second refuses,
//! the first has charged already. Ours is all or nothing and is also compared with two decisions of its own, which
//! shows what that promise costs. In the rows that deny, the second policy is the one that refuses.

use std::net::IpAddr;

use governor::clock::{Clock, DefaultClock};
use rate_core::algorithm::{Gcra, SlidingLog, SlidingWindow};
use rate_core::{KeyedLimiter, Timestamp, check_all};

use crate::harness::{INSTANCES, compare_over, side};
use crate::keys::{Fingerprinted, tracks};
use crate::load::{KEYS, Loaded, Subject};
use crate::peer::{ConstantClock, Trio, precomputed, quota};
use crate::report::{Outcome, Point, Report, Time};

/// At most so many times as long as two checks, one after the other.
const LONGEST: f64 = 1.3;

pub(crate) fn run(report: &mut Report) {
    for keys in [1, 10_000] {
        for outcome in Outcome::BOTH {
            for time in Time::BOTH {
                let point = Point {
                    case: "two-policies/ip".to_owned(),
                    keys: Some(keys),
                    threads: Some(1),
                    outcome: Some(outcome),
                    time: Some(time),
                };
                if report.wants(&point) {
                    measure_at(report, &point, keys, outcome, time);
                }
            }
        }
    }
    for outcome in Outcome::BOTH {
        mixed::<SlidingWindow>(report, "gcra+sliding-window", outcome);
        mixed::<SlidingLog>(report, "gcra+sliding-log", outcome);
    }
}

/// A token bucket that admits, and another algorithm that decides.
fn mixed<A: Loaded + Send + Sync>(report: &mut Report, name: &str, outcome: Outcome) {
    let point = Point {
        case: format!("two-policies/u64/{name}"),
        keys: Some(KEYS),
        threads: Some(1),
        outcome: Some(outcome),
        time: Some(Time::Precomputed),
    };
    if !report.wants(&point) {
        return;
    }
    let pairs: Vec<(Subject<Gcra>, Subject<A>)> =
        (0..INSTANCES).map(|_| (Subject::new(Outcome::Allow), Subject::new(outcome))).collect();
    let tracks = tracks::<u64>(KEYS, 1);
    let allow = outcome == Outcome::Allow;
    let sides = [
        side(&tracks, &pairs, allow, |(first, second)| {
            move |key: &Fingerprinted<u64>| {
                let charges = [first.limiter.charge(&key.0, 1), second.limiter.charge(&key.0, 1)];
                check_all(charges, second.ticks.next()).is_allowed()
            }
        }),
        side(&tracks, &pairs, allow, |(first, second)| {
            move |key: &Fingerprinted<u64>| {
                let now = second.ticks.next();
                first.limiter.check_at(&key.0, now).is_allowed()
                    && second.limiter.check_at(&key.0, now).is_allowed()
            }
        }),
    ];
    let [together, in_a_row] = compare_over(&tracks, sides);
    report.add(&point, together, ("rate-core, two checks", in_a_row), Some(LONGEST.recip()));
}

fn measure_at(report: &mut Report, point: &Point, keys: u64, outcome: Outcome, time: Time) {
    match time {
        Time::Precomputed => {
            measure(report, point, keys, outcome, |_: &KeyedLimiter| precomputed(), &ConstantClock::new());
        }
        Time::Default => {
            measure(report, point, keys, outcome, KeyedLimiter::now, &DefaultClock::default());
        }
    }
}

fn measure<C: Clock + Clone + Send + Sync>(
    report: &mut Report,
    point: &Point,
    keys: u64,
    outcome: Outcome,
    now: impl Fn(&KeyedLimiter) -> Timestamp + Copy + Sync,
    clock: &C,
) {
    let tracks = tracks::<IpAddr>(keys, 1);
    let decide = |limiter: &KeyedLimiter, key: &IpAddr| limiter.check_at(key, now(limiter)).is_allowed();
    let pairs: Vec<[Trio<IpAddr, C>; 2]> = (0..INSTANCES)
        .map(|_| [Outcome::Allow, outcome].map(|outcome| Trio::new(quota(outcome), keys, clock)))
        .collect();
    pairs.iter().flatten().for_each(|trio| trio.fill(keys, decide));

    let allow = outcome == Outcome::Allow;
    let sides = [
        side(&tracks, &pairs, allow, |[first, second]| {
            move |key: &Fingerprinted<IpAddr>| {
                let charges = [first.ours.charge(&key.0, 1), second.ours.charge(&key.0, 1)];
                check_all(charges, now(&first.ours)).is_allowed()
            }
        }),
        side(&tracks, &pairs, allow, |[first, second]| {
            move |key: &Fingerprinted<IpAddr>| {
                first.governor.check_key(&key.0).is_ok() && second.governor.check_key(&key.0).is_ok()
            }
        }),
        side(&tracks, &pairs, allow, |[first, second]| {
            move |key: &Fingerprinted<IpAddr>| decide(&first.ours, &key.0) && decide(&second.ours, &key.0)
        }),
    ];
    let [together, governor, in_a_row] = compare_over(&tracks, sides);
    report.add(point, together, ("governor, two checks", governor), Some(1.0));
    report.add(point, together, ("rate-core, two checks", in_a_row), Some(LONGEST.recip()));
}
