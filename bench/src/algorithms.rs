//! One limit per key by each algorithm, against the token bucket's.

use rate_core::algorithm::{
    AnyAlgorithm, CalendarWindow, FixedWindow, Gcra, LeakyBucket, SlidingLog, SlidingWindow,
};

use crate::harness::{compare_over, side};
use crate::keys::{Fingerprinted, tracks};
use crate::load::{KEYS, Loaded, Subject};
use crate::report::{Outcome, Point, Report, Time};

/// At most so many times as long as the token bucket's.
const LONGEST: f64 = 1.5;

/// The same for a log, of which each check reads and writes more memory.
const LONGEST_OF_LOG: f64 = 3.0;

pub(crate) fn run(report: &mut Report) {
    for outcome in Outcome::BOTH {
        of::<LeakyBucket>(report, "leaky-bucket", outcome, Some(LONGEST));
        of::<FixedWindow>(report, "fixed-window", outcome, Some(LONGEST));
        of::<CalendarWindow>(report, "calendar-window", outcome, Some(LONGEST));
        of::<SlidingWindow>(report, "sliding-window", outcome, Some(LONGEST));
        of::<SlidingLog>(report, "sliding-log", outcome, Some(LONGEST_OF_LOG));
        of::<AnyAlgorithm>(report, "any", outcome, None);
    }
}

fn of<A: Loaded + Send + Sync>(report: &mut Report, name: &str, outcome: Outcome, longest: Option<f64>) {
    let point = Point {
        case: format!("keyed/u64/{name}"),
        keys: Some(KEYS),
        threads: Some(1),
        outcome: Some(outcome),
        time: Some(Time::Precomputed),
    };
    if !report.wants(&point) {
        return;
    }
    let (ours, gcra) = (Subject::<A>::several(outcome), Subject::<Gcra>::several(outcome));
    let tracks = tracks::<u64>(KEYS, 1);
    let allow = outcome == Outcome::Allow;
    let sides = [
        side(&tracks, &ours, allow, |subject| |key: &Fingerprinted<u64>| subject.check(&key.0)),
        side(&tracks, &gcra, allow, |subject| |key: &Fingerprinted<u64>| subject.check(&key.0)),
    ];
    let [ours, gcra] = compare_over(&tracks, sides);
    report.add(&point, ours, ("rate-core, gcra", gcra), longest.map(f64::recip));
}
