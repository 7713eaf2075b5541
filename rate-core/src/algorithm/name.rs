//! The algorithms by name.

use core::fmt;
use core::str::FromStr;

use super::{
    AnyAlgorithm, Calendar, CalendarWindow, FixedWindow, Gcra, LeakyBucket, SlidingLog, SlidingWindow, window,
};
use crate::quota::error::{Cause, ParseQuotaError};
use crate::quota::{Quota, QuotaError};

/// Which algorithm counts a quota: for configuration, and where the choice is made at run time.
///
/// # Examples
///
/// ```
/// use rate_core::{KeyedLimiter, Quota, algorithm::AlgorithmName};
///
/// let name: AlgorithmName = "sliding-log".parse()?;
/// assert_eq!(name, AlgorithmName::SlidingLog);
/// let limiter = KeyedLimiter::of(name.over(Quota::per_minute(2))?);
/// assert!(limiter.check_n("ann", 2).is_allowed());
/// assert!(!limiter.check("ann").is_allowed());
///
/// // A window has no burst.
/// assert!(name.over(Quota::per_minute(2).burst(5)).is_err());
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AlgorithmName {
    /// [`Gcra`]: the token bucket, and the default.
    #[default]
    Gcra,
    /// [`LeakyBucket`].
    LeakyBucket,
    /// [`FixedWindow`].
    FixedWindow,
    /// [`CalendarWindow`]: of a day when the quota's period is one, of a month when it is 28 to 31 of them.
    CalendarWindow,
    /// [`SlidingWindow`].
    SlidingWindow,
    /// [`SlidingLog`].
    SlidingLog,
}

/// Nanoseconds in a day.
const DAY: u64 = 86_400 * 1_000_000_000;

impl AlgorithmName {
    /// All there are.
    pub const ALL: [Self; 6] = [
        Self::Gcra,
        Self::LeakyBucket,
        Self::FixedWindow,
        Self::CalendarWindow,
        Self::SlidingWindow,
        Self::SlidingLog,
    ];

    /// The name as it is written in configuration: `gcra`, `leaky-bucket`, `fixed-window`, `calendar-window`, `sliding-window`
    /// or `sliding-log`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Gcra => "gcra",
            Self::LeakyBucket => "leaky-bucket",
            Self::FixedWindow => "fixed-window",
            Self::CalendarWindow => "calendar-window",
            Self::SlidingWindow => "sliding-window",
            Self::SlidingLog => "sliding-log",
        }
    }

    /// This algorithm for `quota`.
    ///
    /// # Errors
    ///
    /// When the algorithm cannot count such a quota: a window with a burst of its own, a limit too large, or a period that
    /// is neither a day nor a month for the calendar.
    pub fn over(self, quota: Quota) -> Result<AnyAlgorithm, QuotaError> {
        Ok(match self {
            Self::Gcra => Gcra::new(quota).into(),
            Self::LeakyBucket => LeakyBucket::new(quota).into(),
            Self::FixedWindow => FixedWindow::try_new(quota)?.into(),
            Self::SlidingWindow => SlidingWindow::try_new(quota)?.into(),
            Self::SlidingLog => SlidingLog::try_new(quota)?.into(),
            Self::CalendarWindow => {
                window::without_burst(quota)?;
                let calendar = match (quota.period_nanos() / DAY, quota.period_nanos() % DAY) {
                    (1, 0) => Calendar::Day,
                    (28..=31, 0) => Calendar::Month,
                    _ => return Err(QuotaError::no_calendar(quota.period_nanos())),
                };
                CalendarWindow::try_new(quota.limit(), calendar)?.into()
            }
        })
    }

    pub(super) fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|name| name.as_str() == word).or(match word {
            "token-bucket" => Some(Self::Gcra),
            "calendar" => Some(Self::CalendarWindow),
            "sliding-window-counter" => Some(Self::SlidingWindow),
            _ => None,
        })
    }
}

impl fmt::Display for AlgorithmName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Also reads `token-bucket`, `calendar` and `sliding-window-counter`.
impl FromStr for AlgorithmName {
    type Err = ParseQuotaError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::of_word(text).ok_or_else(|| ParseQuotaError::new(text, Cause::Algorithm))
    }
}
