//! The most a limit ever admits.

use core::fmt;
use core::time::Duration;

/// The most units that are admitted in any half-open window of a length: `[start, start + window)`, wherever it starts.
///
/// A unit counts at the instant at which it was taken, or from which it may be used if it was reserved; when a timestamp comes
/// late, at the latest one at which units of the key were taken or given back. Units that are refunded or cancelled do not count,
/// even if a part had come back by itself; those of a debit do not either, for they were not asked for.
///
/// Each refund of a token bucket that comes late itself adds at most what comes back in the time by which it is late.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use rate_core::{Limiter, Quota, algorithm::FixedWindow};
///
/// let bounds = Limiter::new(Quota::per_second(100)).bounds();
/// assert_eq!(bounds.units(), 199);
/// assert_eq!(bounds.to_string(), "at most 199 units in any 1s");
///
/// // Everything at the end of one window, and everything at the start of the next.
/// assert_eq!(Limiter::of(FixedWindow::new(Quota::per_second(100))).bounds().units(), 200);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    units: u64,
    window: u64,
}

impl Bounds {
    pub(super) const fn new(units: u64, window: u64) -> Self {
        Self { units, window }
    }

    /// Most units in any such window.
    #[must_use]
    pub const fn units(&self) -> u64 {
        self.units
    }

    /// The window, in ticks.
    #[must_use]
    pub const fn ticks(&self) -> u64 {
        self.window
    }

    /// The window, where a tick is a nanosecond.
    #[must_use]
    pub const fn window(&self) -> Duration {
        Duration::from_nanos(self.window)
    }
}

/// The sentence, where a tick is a nanosecond.
impl fmt::Display for Bounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = if self.units == 1 { "unit" } else { "units" };
        write!(f, "at most {} {units} in any {:?}", self.units, self.window())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sentence_has_the_numbers() {
        for (units, window, sentence) in [
            (199, 1_000_000_000, "at most 199 units in any 1s"),
            (1, 60_000_000_000, "at most 1 unit in any 60s"),
            (2, 1_500_000, "at most 2 units in any 1.5ms"),
        ] {
            let bounds = Bounds::new(units, window);
            assert_eq!(bounds.to_string(), sentence);
            assert_eq!((bounds.units(), bounds.ticks()), (units, window));
            assert_eq!(bounds.window(), Duration::from_nanos(window));
        }
    }
}
