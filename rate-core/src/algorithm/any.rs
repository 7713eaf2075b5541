//! Any of the algorithms, where the choice is made at run time.

use core::fmt;
use core::str::FromStr;

use super::log::Log;
use super::{
    Algorithm, AlgorithmName, Bounds, Calendar, CalendarWindow, Charged, Count, Counts, FixedWindow, Gcra,
    LeakyBucket, Refund, SlidingLog, SlidingWindow, Standing, Tat,
};
use crate::quota::error::{Cause, ParseQuotaError};
use crate::quota::{Quota, text};

/// One of the algorithms.
///
/// # Text
///
/// A [`Quota`] and the algorithm's [name](AlgorithmName::as_str), which may be left out for GCRA: `10/s burst 20`,
/// `100/min sliding-window`, `100/min fixed-window staggered`, `1000/day calendar-window`. A month is written `1000/month`,
/// and always one of the calendar.
///
/// # Examples
///
/// ```
/// use rate_core::algorithm::{AlgorithmName, AnyAlgorithm};
///
/// let limit: AnyAlgorithm = "100/min sliding-window".parse()?;
/// assert_eq!(limit.name(), AlgorithmName::SlidingWindow);
/// assert_eq!(limit.quota().limit(), 100);
/// assert_eq!(limit.to_string(), "100/min sliding-window");
///
/// assert!("100/min burst 5 sliding-window".parse::<AnyAlgorithm>().is_err());
/// # Ok::<_, rate_core::ParseQuotaError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AnyAlgorithm {
    /// The token bucket.
    Gcra(Gcra),
    /// The queue.
    LeakyBucket(LeakyBucket),
    /// Windows of one period.
    FixedWindow(FixedWindow),
    /// Days or months.
    CalendarWindow(CalendarWindow),
    /// Two windows, of which one fades.
    SlidingWindow(SlidingWindow),
    /// Every admission.
    SlidingLog(SlidingLog),
}

/// A state of one of the algorithms.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum AnyState {
    /// Of [`Gcra`] and [`LeakyBucket`].
    Tat(Tat),
    /// Of [`FixedWindow`] and [`CalendarWindow`].
    Count(Count),
    /// Of [`SlidingWindow`].
    Counts(Counts),
    /// Of [`SlidingLog`].
    Log(Log),
}

/// The days of the longest month, by which its quota is described.
const MONTH: u64 = 31 * 86_400 * 1_000_000_000;

impl AnyAlgorithm {
    /// Which one it is.
    #[must_use]
    pub const fn name(&self) -> AlgorithmName {
        match self {
            Self::Gcra(_) => AlgorithmName::Gcra,
            Self::LeakyBucket(_) => AlgorithmName::LeakyBucket,
            Self::FixedWindow(_) => AlgorithmName::FixedWindow,
            Self::CalendarWindow(_) => AlgorithmName::CalendarWindow,
            Self::SlidingWindow(_) => AlgorithmName::SlidingWindow,
            Self::SlidingLog(_) => AlgorithmName::SlidingLog,
        }
    }

    /// The quota it counts, where a tick is a nanosecond. A month's period is that of the longest one.
    pub fn quota(&self) -> Quota {
        let (period, burst) = match self {
            Self::Gcra(gcra) => return Quota::described(gcra.limit(), gcra.period(), gcra.burst()),
            Self::LeakyBucket(bucket) => return Self::Gcra(*bucket.gcra()).quota(),
            Self::FixedWindow(window) => (window.period(), window.capacity()),
            Self::SlidingWindow(window) => (window.period(), window.capacity()),
            Self::SlidingLog(log) => (log.period(), log.capacity()),
            Self::CalendarWindow(window) => match window.calendar() {
                Calendar::Month => (MONTH, window.capacity()),
                Calendar::Day => (window.bounds().ticks(), window.capacity()),
            },
        };
        Quota::described(burst, period, burst)
    }

    /// The same, where [`Timestamp::ZERO`](crate::Timestamp::ZERO) is `utc` nanoseconds after the beginning of 1970. Windows
    /// that are aligned to the time of day need to know. It is equal to what it was, and to what is anchored elsewhere.
    #[must_use]
    pub fn anchored(self, utc: u64) -> Self {
        match self {
            Self::FixedWindow(window) => Self::FixedWindow(window.anchored(utc)),
            Self::CalendarWindow(window) => Self::CalendarWindow(window.anchored(utc)),
            other => other,
        }
    }

    /// Whether both are the same limit and their windows begin at the same instants, which `==` does not ask.
    #[must_use]
    pub fn is_aligned_with(&self, other: &Self) -> bool {
        self == other
            && match (self, other) {
                (Self::FixedWindow(one), Self::FixedWindow(other)) => one.is_aligned_with(other),
                (Self::CalendarWindow(one), Self::CalendarWindow(other)) => one.is_aligned_with(other),
                _ => true,
            }
    }

    /// The same, unless it was said already.
    pub(crate) fn or_anchored(self, utc: u64) -> Self {
        match self {
            Self::FixedWindow(window) if window.is_anchored() => self,
            Self::CalendarWindow(window) if window.is_anchored() => self,
            other => other.anchored(utc),
        }
    }
}

/// The default algorithm.
impl From<Quota> for AnyAlgorithm {
    fn from(quota: Quota) -> Self {
        Self::Gcra(Gcra::new(quota))
    }
}

impl From<Gcra> for AnyAlgorithm {
    fn from(gcra: Gcra) -> Self {
        Self::Gcra(gcra)
    }
}

impl From<LeakyBucket> for AnyAlgorithm {
    fn from(bucket: LeakyBucket) -> Self {
        Self::LeakyBucket(bucket)
    }
}

impl From<FixedWindow> for AnyAlgorithm {
    fn from(window: FixedWindow) -> Self {
        Self::FixedWindow(window)
    }
}

impl From<CalendarWindow> for AnyAlgorithm {
    fn from(window: CalendarWindow) -> Self {
        Self::CalendarWindow(window)
    }
}

impl From<SlidingWindow> for AnyAlgorithm {
    fn from(window: SlidingWindow) -> Self {
        Self::SlidingWindow(window)
    }
}

impl From<SlidingLog> for AnyAlgorithm {
    fn from(log: SlidingLog) -> Self {
        Self::SlidingLog(log)
    }
}

impl fmt::Display for AnyAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gcra(_) => self.quota().fmt(f),
            Self::CalendarWindow(window) if window.calendar() == Calendar::Month => {
                write!(f, "{}/month {}", window.capacity(), self.name())
            }
            Self::FixedWindow(window) if window.is_staggered() => {
                write!(f, "{} {} staggered", self.quota(), self.name())
            }
            _ => write!(f, "{} {}", self.quota(), self.name()),
        }
    }
}

impl FromStr for AnyAlgorithm {
    type Err = ParseQuotaError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        read(text).map_err(|cause| ParseQuotaError::new(text, cause))
    }
}

fn read(text: &str) -> Result<AnyAlgorithm, Cause> {
    let mut words = text.split_ascii_whitespace();
    let month = words.clone().next().and_then(|rate| rate.strip_suffix("/month"));
    let quota = match month {
        Some(limit) => {
            words.next();
            text::quota_of(text::number(limit, "limit")?, MONTH.into(), &mut words)?
        }
        None => text::quota(&mut words)?,
    };
    let name = match words.next() {
        Some(word) => AlgorithmName::of_word(word).ok_or(Cause::Algorithm)?,
        None if month.is_some() => AlgorithmName::CalendarWindow,
        None => AlgorithmName::Gcra,
    };
    if month.is_some() && name != AlgorithmName::CalendarWindow {
        return Err(Cause::Month(name));
    }
    let algorithm = name.over(quota).map_err(Cause::Quota)?;
    match (algorithm, words.next(), words.next()) {
        (algorithm, None, _) => Ok(algorithm),
        (AnyAlgorithm::FixedWindow(window), Some("staggered"), None) => Ok(window.staggered().into()),
        _ => Err(Cause::Algorithm),
    }
}

/// Of another algorithm's state nothing is known, and the key is taken to be new.
impl AnyState {
    fn tat(self) -> Tat {
        if let Self::Tat(tat) = self { tat } else { Tat::default() }
    }

    fn count(self) -> Count {
        if let Self::Count(count) = self { count } else { Count::default() }
    }

    fn counts(self) -> Counts {
        if let Self::Counts(counts) = self { counts } else { Counts::default() }
    }

    fn log(self, of: &SlidingLog) -> Log {
        if let Self::Log(log) = self { log } else { of.fresh() }
    }
}

impl Algorithm for AnyAlgorithm {
    type State = AnyState;

    fn fresh(&self) -> AnyState {
        match self {
            Self::Gcra(_) | Self::LeakyBucket(_) => AnyState::Tat(Tat::default()),
            Self::FixedWindow(_) | Self::CalendarWindow(_) => AnyState::Count(Count::default()),
            Self::SlidingWindow(_) => AnyState::Counts(Counts::default()),
            Self::SlidingLog(log) => AnyState::Log(log.fresh()),
        }
    }

    fn admit(&self, state: AnyState, now: u64, cost: u64) -> Result<AnyState, u64> {
        match self {
            Self::Gcra(gcra) => gcra.admit(state.tat(), now, cost).map(AnyState::Tat),
            Self::LeakyBucket(bucket) => bucket.admit(state.tat(), now, cost).map(AnyState::Tat),
            Self::FixedWindow(window) => window.admit(state.count(), now, cost).map(AnyState::Count),
            Self::CalendarWindow(window) => window.admit(state.count(), now, cost).map(AnyState::Count),
            Self::SlidingWindow(window) => window.admit(state.counts(), now, cost).map(AnyState::Counts),
            Self::SlidingLog(log) => log.admit(state.log(log), now, cost).map(AnyState::Log),
        }
    }

    fn standing(&self, state: AnyState, now: u64) -> Standing {
        match self {
            Self::Gcra(gcra) => gcra.standing(state.tat(), now),
            Self::LeakyBucket(bucket) => bucket.standing(state.tat(), now),
            Self::FixedWindow(window) => window.standing(state.count(), now),
            Self::CalendarWindow(window) => window.standing(state.count(), now),
            Self::SlidingWindow(window) => window.standing(state.counts(), now),
            Self::SlidingLog(log) => log.standing(state.log(log), now),
        }
    }

    fn fresh_from(&self, state: AnyState) -> u64 {
        match self {
            Self::Gcra(gcra) => gcra.fresh_from(state.tat()),
            Self::LeakyBucket(bucket) => bucket.fresh_from(state.tat()),
            Self::FixedWindow(window) => window.fresh_from(state.count()),
            Self::CalendarWindow(window) => window.fresh_from(state.count()),
            Self::SlidingWindow(window) => window.fresh_from(state.counts()),
            Self::SlidingLog(log) => log.fresh_from(state.log(log)),
        }
    }

    #[inline]
    fn capacity(&self) -> u64 {
        match self {
            Self::Gcra(gcra) => gcra.capacity(),
            Self::LeakyBucket(bucket) => bucket.capacity(),
            Self::FixedWindow(window) => window.capacity(),
            Self::CalendarWindow(window) => window.capacity(),
            Self::SlidingWindow(window) => window.capacity(),
            Self::SlidingLog(log) => log.capacity(),
        }
    }

    fn bounds(&self) -> Bounds {
        match self {
            Self::Gcra(gcra) => gcra.bounds(),
            Self::LeakyBucket(bucket) => bucket.bounds(),
            Self::FixedWindow(window) => window.bounds(),
            Self::CalendarWindow(window) => window.bounds(),
            Self::SlidingWindow(window) => window.bounds(),
            Self::SlidingLog(log) => log.bounds(),
        }
    }

    fn penalized(&self, state: AnyState, now: u64, until: u64) -> AnyState {
        match self {
            Self::Gcra(gcra) => AnyState::Tat(gcra.penalized(state.tat(), now, until)),
            Self::LeakyBucket(bucket) => AnyState::Tat(bucket.penalized(state.tat(), now, until)),
            Self::FixedWindow(window) => AnyState::Count(window.penalized(state.count(), now, until)),
            Self::CalendarWindow(window) => AnyState::Count(window.penalized(state.count(), now, until)),
            Self::SlidingWindow(window) => AnyState::Counts(window.penalized(state.counts(), now, until)),
            Self::SlidingLog(log) => AnyState::Log(log.penalized(state.log(log), now, until)),
        }
    }
}

/// For who learns only from a text which algorithm it is: a queue gives nothing back, for what has passed it has passed.
impl Refund for AnyAlgorithm {
    fn refund(&self, state: AnyState, charge: Charged, now: u64) -> (AnyState, u64) {
        match self {
            Self::Gcra(gcra) => refunded(gcra.refund(state.tat(), charge, now), AnyState::Tat),
            Self::FixedWindow(window) => refunded(window.refund(state.count(), charge, now), AnyState::Count),
            Self::CalendarWindow(window) => {
                refunded(window.refund(state.count(), charge, now), AnyState::Count)
            }
            Self::SlidingWindow(window) => {
                refunded(window.refund(state.counts(), charge, now), AnyState::Counts)
            }
            Self::SlidingLog(log) => refunded(log.refund(state.log(log), charge, now), AnyState::Log),
            Self::LeakyBucket(_) => (state, 0),
        }
    }
}

fn refunded<S>((state, units): (S, u64), of: fn(S) -> AnyState) -> (AnyState, u64) {
    (of(state), units)
}

#[cfg(test)]
mod tests;
