//! Bytes per key, counted by the allocator.
//!
//! Counted is what was asked for; a general allocator adds a header to each block, which is in governor's disfavour for
//! keys that own memory and is left out here.

use std::net::IpAddr;

use allocation_counter::measure;
use governor::RateLimiter;
use rate_core::KeyedLimiter;

use crate::keys::Key;
use crate::peer::{governor_quota, quota};
use crate::report::{Outcome, Point, Report};

const KEYS: u32 = 1_000_000;

pub(crate) fn run(report: &mut Report) {
    of_type::<IpAddr>(report);
    of_type::<String>(report);
}

fn of_type<K: Key>(report: &mut Report) {
    let point = Point {
        case: format!("memory/{} (bytes per key)", K::NAME),
        keys: Some(KEYS.into()),
        threads: None,
        outcome: None,
        time: None,
    };
    if !report.wants(&point) {
        return;
    }
    let quota = quota(Outcome::Deny);
    let ours = bytes_per_key(|| {
        let limiter =
            KeyedLimiter::builder(quota).capacity(KEYS as usize).build().expect("memory for the table");
        (0..KEYS).for_each(|index| assert!(limiter.check(&K::nth(index.into())).is_allowed()));
        limiter
    });
    let governor = bytes_per_key(|| {
        let limiter = RateLimiter::keyed(governor_quota(quota));
        (0..KEYS).for_each(|index| assert!(limiter.check_key(&K::nth(index.into())).is_ok()));
        limiter
    });
    report.add(&point, ours, ("governor", governor), None);
}

/// What is allocated once `fill` is done and its result still alive.
fn bytes_per_key<T>(fill: impl FnOnce() -> T) -> f64 {
    let mut filled = None;
    let info = measure(|| filled = Some(fill()));
    drop(filled);
    info.bytes_current as f64 / f64::from(KEYS)
}
