//! Ten million keys, against a million: what a table costs that is ten times as large.

use rate_core::KeyedLimiter;

use crate::harness::{INSTANCES, compare_over, side};
use crate::keys::{Fingerprinted, Key, SECRET, tracks};
use crate::peer::{precomputed, quota};
use crate::report::{Outcome, Point, Report, Time};

const MANY: u64 = 10_000_000;
const FEWER: u64 = 1_000_000;

/// At most so many times as long per check.
const LONGEST: f64 = 1.5;

pub(crate) fn run(report: &mut Report) {
    for outcome in Outcome::BOTH {
        let point = Point {
            case: "keyed/u64/many".to_owned(),
            keys: Some(MANY),
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
    // One table, which is 320 MB, in the place of several.
    let [many, fewer] = [MANY, FEWER].map(|keys| filled(keys, outcome));
    let (many, fewer) = ([&many; INSTANCES], [&fewer; INSTANCES]);
    let (many_tracks, fewer_tracks) = (tracks::<u64>(MANY, 1), tracks::<u64>(FEWER, 1));
    let of = |tracks, limiters| side(tracks, limiters, outcome == Outcome::Allow, check);
    let sides = [of(&many_tracks, &many), of(&fewer_tracks, &fewer)];
    let [many, fewer] = compare_over(&fewer_tracks, sides);
    report.add(point, many, ("rate-core, 1 M keys", fewer), Some(LONGEST.recip()));
}

fn check<'a>(limiter: &&'a KeyedLimiter) -> impl Fn(&Fingerprinted<u64>) -> bool + 'a {
    let limiter = *limiter;
    move |key| limiter.check_at(&key.0, precomputed()).is_allowed()
}

fn filled(keys: u64, outcome: Outcome) -> KeyedLimiter {
    let limiter = KeyedLimiter::builder(quota(outcome)).capacity(keys as usize).secret(SECRET);
    let limiter = limiter.build().expect("memory for the table");
    for key in (0..keys).map(<u64 as Key>::nth) {
        assert!(limiter.check_at(&key, precomputed()).is_allowed(), "a new key is admitted");
    }
    limiter
}
