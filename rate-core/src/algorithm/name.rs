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

    pub(crate) fn of_word(word: &str) -> Option<Self> {
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

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use super::*;

    #[test]
    fn every_name_is_read_as_it_is_written() {
        for name in AlgorithmName::ALL {
            assert_eq!(name.to_string().parse(), Ok(name));
            assert_eq!(name.to_string(), name.as_str());
        }
        let names = AlgorithmName::ALL.map(AlgorithmName::as_str);
        assert_eq!(
            names,
            ["gcra", "leaky-bucket", "fixed-window", "calendar-window", "sliding-window", "sliding-log"]
        );
        assert_eq!(format!("{:>6}", AlgorithmName::Gcra), "  gcra");
    }

    #[test]
    fn what_others_call_them_is_understood() {
        for (word, name) in [
            ("token-bucket", AlgorithmName::Gcra),
            ("calendar", AlgorithmName::CalendarWindow),
            ("sliding-window-counter", AlgorithmName::SlidingWindow),
        ] {
            assert_eq!(word.parse(), Ok(name));
        }
        for word in ["", "GCRA", "gcra ", "bucket"] {
            assert!(word.parse::<AlgorithmName>().is_err(), "{word:?}");
        }
    }

    #[test]
    fn each_counts_the_quota_it_is_put_over() {
        let quota = Quota::per_day(7);
        for name in AlgorithmName::ALL {
            let algorithm = name.over(quota).expect("no burst, and a day");
            assert_eq!((algorithm.name(), algorithm.quota()), (name, quota));
        }
        let burst = quota.burst(3);
        for name in AlgorithmName::ALL {
            let has_bursts = matches!(name, AlgorithmName::Gcra | AlgorithmName::LeakyBucket);
            assert_eq!(name.over(burst).ok().map(|algorithm| algorithm.quota()), has_bursts.then_some(burst));
        }
    }

    #[test]
    fn a_calendar_has_days_and_months() {
        let days = |days: u64| Quota::new(5, Duration::from_nanos(days * DAY)).expect("a quota");
        let over = |quota| AlgorithmName::CalendarWindow.over(quota);
        assert_eq!(over(days(1)), Ok(CalendarWindow::day(5).into()));
        for month in 28..=31 {
            assert_eq!(over(days(month)), Ok(CalendarWindow::month(5).into()));
        }
        for other in [2, 7, 27, 32, 365] {
            assert!(over(days(other)).is_err(), "{other} days");
        }
        for nanos in [1, DAY - 1, DAY + 1, 30 * DAY + 1] {
            assert!(
                over(Quota::new(5, Duration::from_nanos(nanos)).expect("a quota")).is_err(),
                "{nanos} ns"
            );
        }
    }
}
