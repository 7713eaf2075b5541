//! One limit per key, against governor over its own map.

use std::net::IpAddr;

use governor::clock::{Clock, DefaultClock};
use rate_core::{Fingerprint, KeyedLimiter, Quota, Timestamp};

use crate::harness::{INSTANCES, Track, compare_over, side};
use crate::keys::{Fingerprinted, Key, hashed, tracks};
use crate::peer::{ConstantClock, Trio, precomputed, quota, uneven_quota};
use crate::report::{Outcome, Point, Report, Time};

const THREADS: [u64; 2] = [1, 2];

/// A large table: most of its keys are in nobody's cache.
const MANY: u64 = 1_000_000;

pub(crate) fn run(report: &mut Report) {
    for keys in [1, 10_000, MANY] {
        of_type::<u64>(report, keys);
        of_type::<String>(report, keys);
        of_type::<IpAddr>(report, keys);
    }
    uneven(report);
}

fn of_type<K: Key>(report: &mut Report, keys: u64) {
    let mut prepared = None;
    for outcome in Outcome::BOTH {
        for time in Time::BOTH {
            let hot = if keys == 1 { "/hot" } else { "" };
            let points: Vec<Point> = THREADS
                .map(|threads| Point {
                    case: format!("keyed/{}{hot}", K::NAME),
                    keys: Some(keys),
                    threads: Some(threads),
                    outcome: Some(outcome),
                    time: Some(time),
                })
                .into_iter()
                .filter(|point| report.wants(point))
                .collect();
            if !points.is_empty() {
                let tracks = prepared.get_or_insert_with(|| tracks::<K>(keys, THREADS[1]));
                measure_at(report, &points, tracks, quota(outcome), (outcome, time));
            }
        }
    }
}

/// An interval that rate-core counts in parts of a nanosecond: what exactness costs where it is not free.
fn uneven(report: &mut Report) {
    let keys = 10_000;
    for outcome in Outcome::BOTH {
        let point = Point {
            case: "keyed/u64/uneven".to_owned(),
            keys: Some(keys),
            threads: Some(1),
            outcome: Some(outcome),
            time: Some(Time::Precomputed),
        };
        if report.wants(&point) {
            let tracks = tracks::<u64>(keys, 1);
            measure_at(report, &[point], &tracks, uneven_quota(outcome), (outcome, Time::Precomputed));
        }
    }
}

/// Measures points that differ in nothing but the number of threads.
fn measure_at<K: Key>(
    report: &mut Report,
    points: &[Point],
    tracks: &[Track<Fingerprinted<K>>],
    quota: Quota,
    (outcome, time): (Outcome, Time),
) {
    match time {
        Time::Precomputed => {
            let now = |_: &KeyedLimiter| precomputed();
            measure(report, points, tracks, quota, outcome, now, &ConstantClock::new());
        }
        Time::Default => {
            measure(report, points, tracks, quota, outcome, KeyedLimiter::now, &DefaultClock::default());
        }
    }
}

fn measure<K: Key, C: Clock + Clone + Send + Sync>(
    report: &mut Report,
    points: &[Point],
    tracks: &[Track<Fingerprinted<K>>],
    quota: Quota,
    outcome: Outcome,
    now: impl Fn(&KeyedLimiter) -> Timestamp + Copy + Sync,
    clock: &C,
) {
    let decide = |ours: &KeyedLimiter, key: &K| ours.check_at(key, now(ours)).is_allowed();
    let keys = points[0].keys.unwrap_or(1);
    let trios: Vec<Trio<K, C>> = (0..INSTANCES).map(|_| Trio::new(quota, keys, clock)).collect();
    trios.iter().for_each(|trio| trio.fill(keys, decide));
    let hashed = hashed(tracks);
    for point in points {
        let threads = point.threads.unwrap_or(1) as usize;
        let (tracks, hashed) = (&tracks[..threads], &hashed[..threads]);
        let allow = outcome == Outcome::Allow;
        let sides = [
            side(tracks, &trios, allow, |trio| move |key: &Fingerprinted<K>| decide(&trio.ours, &key.0)),
            side(tracks, &trios, allow, |trio| {
                move |key: &Fingerprinted<K>| trio.governor.check_key(&key.0).is_ok()
            }),
            side(tracks, &trios, allow, |trio| {
                move |key: &Fingerprinted<K>| trio.governor_ours.check_key(key).is_ok()
            }),
            // What is left of ours when the key is hashed already.
            side(hashed, &trios, allow, |Trio { ours, .. }| {
                move |key: &Fingerprint| ours.charge_fingerprint(*key, 1).check_at(now(ours)).is_allowed()
            }),
        ];
        let [ours, governor, governor_ours, known] = compare_over(tracks, sides);
        report.add(point, ours, ("governor", governor), bar(point));
        report.add(point, ours, ("governor+our-hasher", governor_ours), None);
        report.add(point, ours, ("rate-core, hash known", known), None);
    }
}

/// How many times faster than governor a keyed decision is meant to be.
fn bar(point: &Point) -> Option<f64> {
    if point.case.ends_with("/uneven") {
        // governor rounds such an interval and decides on something else.
        return None;
    }
    Some(match (point.time, point.keys, point.threads) {
        (Some(Time::Precomputed), Some(1), Some(2)) => 3.0,
        (Some(Time::Precomputed), Some(MANY), _) => 1.8,
        (Some(Time::Precomputed), ..) => 2.0,
        _ => 1.0,
    })
}
