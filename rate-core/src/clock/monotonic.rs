//! The operating system's clock.

use std::sync::OnceLock;
use std::time::{Duration, Instant, SystemTime};

use super::anchored::{Anchor, Base, Clocks};
use super::{Clock, counter};
use crate::Timestamp;
use crate::time::nanos;

/// The operating system's monotonic clock, counted from the first time this process asked.
///
/// All of them tell the same time, so limiters and layers that were made at different moments can count together.
///
/// On x86-64 it is read from the processor, in half the time, and each thread compares that with the operating system's
/// clock ten thousand times a second: the two normally differ by less than a microsecond. A processor whose counter turns
/// out to be unfit is not asked again. Elsewhere this is [`Instant`].
///
/// For each thread time never runs backwards. Between threads it may differ by some nanoseconds, which limits take as they
/// take any late timestamp.
///
/// # Examples
///
/// ```
/// use rate_core::{Clock, MonotonicClock};
///
/// let clock = MonotonicClock::new();
/// assert!(clock.now() <= clock.now());
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct MonotonicClock(());

impl MonotonicClock {
    /// The clock of this process.
    #[must_use]
    pub fn new() -> Self {
        Self(())
    }
}

impl Clock for MonotonicClock {
    #[inline]
    fn now(&self) -> Timestamp {
        Timestamp::from_nanos(monotonic())
    }

    /// Read once per process, so that all its windows end together: a system clock that is set later is not followed.
    fn utc_at_zero(&self) -> Duration {
        static UTC: OnceLock<Duration> = OnceLock::new();
        *UTC.get_or_init(|| {
            let now = Duration::from_nanos(monotonic());
            SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().saturating_sub(now)
        })
    }
}

/// Nanoseconds of the operating system's monotonic clock, since this process first asked.
#[inline]
fn monotonic() -> u64 {
    static BASE: Base = Base::new();
    thread_local! {
        static ANCHOR: Anchor = const { Anchor::new() };
    }
    if counter::COUNTS { ANCHOR.with(|anchor| anchor.now(&BASE, &System)) } else { System.os() }
}

/// The clocks of this machine.
struct System;

impl Clocks for System {
    #[inline]
    fn ticks(&self) -> u64 {
        counter::ticks()
    }

    fn os(&self) -> u64 {
        static START: OnceLock<Instant> = OnceLock::new();
        nanos(START.get_or_init(Instant::now).elapsed())
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn clocks_made_at_different_moments_tell_the_same_time() {
        // Each had an origin of its own, and two layers on one store admitted a burst each.
        let one = MonotonicClock::new();
        std::thread::sleep(Duration::from_millis(20));
        let other = MonotonicClock::new();
        let times = [one.now(), other.now(), one.now(), other.now()];
        assert!(times.is_sorted(), "{times:?}");
    }

    #[test]
    fn the_monotonic_clock_agrees_with_the_systems() {
        // Far more than it differs by, and far less than any error that could grow.
        const TOLERANCE: Duration = Duration::from_micros(200);
        let threads = (0..3).map(|_| {
            std::thread::spawn(|| {
                let (clock, start) = (MonotonicClock::new(), Instant::now());
                let first = clock.now();
                let mut before = first;
                while start.elapsed() < Duration::from_millis(200) {
                    let earliest = start.elapsed();
                    let now = clock.now();
                    let latest = start.elapsed();
                    let elapsed = now.saturating_duration_since(first);
                    assert!(
                        elapsed + TOLERANCE > earliest && elapsed < latest + TOLERANCE,
                        "{earliest:?}, {elapsed:?}"
                    );
                    assert!(now >= before);
                    before = now;
                }
            })
        });
        threads
            .collect::<Vec<_>>()
            .into_iter()
            .for_each(|thread| thread.join().expect("no thread disagrees"));
    }
}
