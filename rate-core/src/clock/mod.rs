//! Where the time comes from.

#[cfg(feature = "std")]
mod anchored;
#[cfg(feature = "std")]
mod counter;
#[cfg(feature = "std")]
mod monotonic;

use core::fmt;
use core::time::Duration;

use alloc::sync::Arc;

#[cfg(feature = "std")]
pub use monotonic::MonotonicClock;

use crate::Timestamp;
use crate::sync::{AtomicU64, Ordering};
use crate::time::nanos;

/// A source of [`Timestamp`]s.
///
/// A clock should not go backwards. When it does all the same (racing threads, a virtual machine that moved), limits
/// stay safe: an older timestamp may refuse more, never admits more, and delays nobody later. There is one exception: a
/// refund or a cancellation of a token bucket that comes late gives back, besides, what comes back by itself in the time by which it
/// is late.
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// Reads the clock.
    fn now(&self) -> Timestamp;

    /// The time from the beginning of 1970, in UTC, to this clock's [`Timestamp::ZERO`]: what windows are aligned to.
    ///
    /// Zero unless said otherwise, as if timestamps were Unix time.
    fn utc_at_zero(&self) -> Duration {
        Duration::ZERO
    }
}

impl<C: Clock + ?Sized> Clock for Arc<C> {
    fn now(&self) -> Timestamp {
        (**self).now()
    }

    fn utc_at_zero(&self) -> Duration {
        (**self).utc_at_zero()
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
    #[cfg(feature = "std")]
    Monotonic(MonotonicClock),
    Custom(Arc<dyn Clock>),
}

#[cfg(feature = "std")]
impl Default for ClockSource {
    fn default() -> Self {
        Self::Monotonic(MonotonicClock::new())
    }
}

impl ClockSource {
    #[inline]
    pub(crate) fn now(&self) -> Timestamp {
        match self {
            #[cfg(feature = "std")]
            Self::Monotonic(clock) => clock.now(),
            Self::Custom(clock) => clock.now(),
        }
    }

    pub(crate) fn utc_at_zero(&self) -> Duration {
        match self {
            #[cfg(feature = "std")]
            Self::Monotonic(clock) => clock.utc_at_zero(),
            Self::Custom(clock) => clock.utc_at_zero(),
        }
    }
}
