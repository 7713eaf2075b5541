//! Instants as the limiters see them.

use core::time::Duration;

/// An instant: whole nanoseconds since an origin that the [`Clock`](crate::Clock) chooses.
///
/// The algorithms only ever subtract timestamps of one clock, so the origin does not matter, and 64 bits last 584
/// years.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use rate_core::Timestamp;
///
/// let start = Timestamp::from_nanos(5_000);
/// let later = start.saturating_add(Duration::from_nanos(250));
/// assert_eq!(later.saturating_duration_since(start), Duration::from_nanos(250));
/// assert_eq!(start.saturating_duration_since(later), Duration::ZERO);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(u64);

impl Timestamp {
    /// The origin of the clock.
    pub const ZERO: Self = Self(0);

    /// The instant `nanos` nanoseconds after the clock's origin.
    #[must_use]
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds since the clock's origin.
    #[must_use]
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// The instant `wait` later, or the last representable one.
    #[must_use]
    pub const fn saturating_add(self, wait: Duration) -> Self {
        Self(self.0.saturating_add(nanos(wait)))
    }

    /// Time since `earlier`, or zero when `earlier` is the later one.
    #[must_use]
    pub const fn saturating_duration_since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

/// Whole nanoseconds of `duration`, or `u64::MAX` for anything longer than 584 years.
pub(crate) const fn nanos(duration: Duration) -> u64 {
    let nanos = duration.as_nanos();
    if nanos > u64::MAX as u128 { u64::MAX } else { nanos as u64 }
}
