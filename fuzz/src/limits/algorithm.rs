//! A limit from numbers.

use std::time::Duration;

use rate_core::Quota;
use rate_core::algorithm::{AlgorithmName, AnyAlgorithm};

use super::super::input::Input;

/// The largest limit of a log: what matters happens with a few entries, and memory is what makes an input slow.
const LONGEST_LOG: u64 = 300;

/// A limit, unless the numbers make none.
pub(super) fn of(input: &mut Input<'_>) -> Option<AnyAlgorithm> {
    let names = AlgorithmName::ALL;
    let name = names[usize::from(input.choice(names.len() as u8))];
    let limit = match name {
        AlgorithmName::SlidingLog => 1 + input.number() % LONGEST_LOG,
        _ => input.number(),
    };
    let quota = Quota::new(limit, Duration::from_nanos(period(input, name))).ok()?;
    let quota = if matches!(name, AlgorithmName::Gcra | AlgorithmName::LeakyBucket) && input.flag() {
        quota.try_burst(input.number()).ok()?
    } else {
        quota
    };
    match name.over(quota).ok()? {
        AnyAlgorithm::FixedWindow(window) if input.flag() => Some(window.staggered().into()),
        algorithm => Some(algorithm),
    }
}

fn period(input: &mut Input<'_>, name: AlgorithmName) -> u64 {
    const SECOND: u64 = 1_000_000_000;
    const DAY: u64 = 86_400 * SECOND;
    if name == AlgorithmName::CalendarWindow {
        return if input.flag() { 31 * DAY } else { DAY };
    }
    match input.choice(6) {
        0 => SECOND,
        1 => 60 * SECOND,
        2 => DAY,
        3 => 1_000_000,
        _ => input.number(),
    }
}
