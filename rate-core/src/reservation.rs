//! Units promised for later.

use core::fmt;
use core::time::Duration;

use crate::Timestamp;
use crate::algorithm::{Charged, Word};
use crate::clock::ClockSource;
use crate::kept::Operation;
use crate::limiter::Single;
#[cfg(feature = "std")]
use crate::table::Ask;

/// Units that are the caller's from an instant on: made by [`Limiter::reserve`](crate::Limiter::reserve) and
/// [`KeyedLimiter::reserve`](crate::KeyedLimiter::reserve).
///
/// They are taken already: dropping a reservation keeps them. [`cancel`](Self::cancel) gives them back, once.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use rate_core::{Limiter, Quota, Timestamp};
///
/// let limiter = Limiter::new(Quota::per_second(10).burst(1));
/// let now = Timestamp::ZERO;
/// let wait = Duration::from_millis(250);
/// assert_eq!(limiter.reserve_at(1, wait, now)?.wait(), Duration::ZERO);
/// assert_eq!(limiter.reserve_at(1, wait, now)?.wait(), Duration::from_millis(100));
/// let last = limiter.reserve_at(1, wait, now)?;
/// assert_eq!(last.ready_at(), now.saturating_add(Duration::from_millis(200)));
///
/// // The fourth would have to wait longer than it wants to.
/// let denied = limiter.reserve_at(1, wait, now).expect_err("300 ms are too long");
/// assert_eq!(denied.retry_after(), Some(Duration::from_millis(50)));
///
/// assert_eq!(last.cancel_at(now), 1);
/// assert_eq!(limiter.reserve_at(1, wait, now)?.wait(), Duration::from_millis(200));
/// # Ok::<_, rate_core::Denied>(())
/// ```
#[must_use = "the units are taken: wait before you use them, or cancel"]
pub struct Reservation<'a> {
    pub(crate) source: Source<'a>,
    pub(crate) clock: &'a ClockSource,
    /// The state it left behind, which says whether somebody came after it.
    pub(crate) after: Word,
    pub(crate) units: u64,
    pub(crate) ready: Timestamp,
    pub(crate) wait: Duration,
}

/// What the units were taken from.
#[derive(Clone, Copy)]
pub(crate) enum Source<'a> {
    Single(&'a Single),
    #[cfg(feature = "std")]
    Keyed(Ask<'a>),
}

impl Reservation<'_> {
    /// Time to wait from the reservation on, zero if the units can be used at once.
    #[must_use]
    pub const fn wait(&self) -> Duration {
        self.wait
    }

    /// The instant from which on the units can be used.
    #[must_use]
    pub const fn ready_at(&self) -> Timestamp {
        self.ready
    }

    /// How many units were taken.
    #[must_use]
    pub const fn units(&self) -> u64 {
        self.units
    }

    /// Gives back what is still to be had of the units, and returns how many that is.
    ///
    /// All of them as long as nothing was taken after them. None while others wait behind them, whose instants are promised.
    /// Once they could be used, as many as have not come back by themselves; fractions of a unit too, even when it returns 0.
    #[expect(clippy::must_use_candidate, reason = "giving back is the point, how much is extra")]
    pub fn cancel(self) -> u64 {
        let now = self.clock.now();
        self.cancel_at(now)
    }

    /// As [`cancel`](Self::cancel), at `now`.
    #[expect(clippy::must_use_candidate, reason = "as above")]
    pub fn cancel_at(self, now: Timestamp) -> u64 {
        let charge = Charged { units: self.units, at: self.ready.as_nanos() };
        let operation = Operation::Cancel { after: self.after, charge };
        match self.source {
            Source::Single(single) => {
                single.run(now.as_nanos(), operation, |outcome, _| outcome.result).unwrap_or(0)
            }
            #[cfg(feature = "std")]
            Source::Keyed(ask) => {
                ask.run(now.as_nanos(), operation, |_, outcome, _, _| outcome.result).unwrap_or(0)
            }
        }
    }
}

// Not derived: that would show the key's fingerprint.
impl fmt::Debug for Reservation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reservation")
            .field("units", &self.units)
            .field("ready_at", &self.ready)
            .field("wait", &self.wait)
            .finish_non_exhaustive()
    }
}
