//! Where the time comes from.

mod anchored;
mod counter;

use core::fmt;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use anchored::{Anchor, Base, Clocks};

use crate::Timestamp;
use crate::sync::{AtomicU64, Ordering};
use crate::time::nanos;

/// A source of [`Timestamp`]s.
///
/// A clock should not go backwards. When it does all the same (racing threads, a virtual machine that moved), limits
/// stay safe: an older timestamp may refuse more, never admits more, and delays nobody later.
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// Reads the clock.
    fn now(&self) -> Timestamp;
}

impl<C: Clock + ?Sized> Clock for Arc<C> {
    fn now(&self) -> Timestamp {
        (**self).now()
    }
}

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

/// A clock that stands still until it is told to move; clones share the time.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use rate_core::{KeyedLimiter, ManualClock, Quota};
///
/// let clock = ManualClock::new();
/// let limiter = KeyedLimiter::builder(Quota::per_second(1)).clock(clock.clone()).build()?;
/// assert!(limiter.check("a").is_allowed());
/// assert!(!limiter.check("a").is_allowed());
///
/// clock.advance(Duration::from_secs(1));
/// assert!(limiter.check("a").is_allowed());
/// # Ok::<_, rate_core::BuildError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct ManualClock {
    nanos: Arc<AtomicU64>,
}

impl ManualClock {
    /// A clock that stands at [`Timestamp::ZERO`].
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Moves the clock forward by `step`; the last representable instant is the furthest it goes.
    pub fn advance(&self, step: Duration) {
        let step = nanos(step);
        // Relaxed: the clock orders nothing but itself.
        let _ = self
            .nanos
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |now| Some(now.saturating_add(step)));
    }

    /// Sets the clock to `now`, which may be earlier than before: that is how a test makes a clock step back.
    pub fn set(&self, now: Timestamp) {
        // Relaxed: as in `advance`.
        self.nanos.store(now.as_nanos(), Ordering::Relaxed);
    }
}

impl Clock for ManualClock {
    #[inline]
    fn now(&self) -> Timestamp {
        // Relaxed: as in `advance`.
        Timestamp::from_nanos(self.nanos.load(Ordering::Relaxed))
    }
}

/// The clock inside a limiter: the default one without a virtual call, any other behind one.
///
/// An enum instead of a type parameter, so that `KeyedLimiter` can be named without naming its clock.
#[derive(Clone, Debug)]
pub(crate) enum ClockSource {
    Monotonic(MonotonicClock),
    Custom(Arc<dyn Clock>),
}

impl Default for ClockSource {
    fn default() -> Self {
        Self::Monotonic(MonotonicClock::new())
    }
}

impl ClockSource {
    #[inline]
    pub(crate) fn now(&self) -> Timestamp {
        match self {
            Self::Monotonic(clock) => clock.now(),
            Self::Custom(clock) => clock.now(),
        }
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
