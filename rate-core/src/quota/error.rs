//! Why a quota was refused.

use core::fmt;

use alloc::string::String;

use super::message::Message;
use super::text::unit_of;
use crate::algorithm::AlgorithmName;

/// A quota that cannot be built.
///
/// The message names the field, its value and the way out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuotaError {
    kind: Kind,
    value: u128,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    ZeroLimit,
    ZeroPeriod,
    ZeroBurst,
    Inexact,
    PeriodTooLong,
    BurstTooLong,
    BurstInWindow,
    LimitTooLarge,
    NoCalendar,
}

impl QuotaError {
    pub(crate) const fn zero_limit() -> Self {
        Self { kind: Kind::ZeroLimit, value: 0 }
    }

    pub(crate) const fn zero_period() -> Self {
        Self { kind: Kind::ZeroPeriod, value: 0 }
    }

    pub(crate) const fn zero_burst() -> Self {
        Self { kind: Kind::ZeroBurst, value: 0 }
    }

    pub(crate) const fn inexact(limit: u64) -> Self {
        Self { kind: Kind::Inexact, value: limit as u128 }
    }

    pub(crate) const fn period_too_long(nanos: u64) -> Self {
        Self::period_beyond(nanos as u128)
    }

    /// A period that need not even fit 64 bits.
    pub(super) const fn period_beyond(nanos: u128) -> Self {
        Self { kind: Kind::PeriodTooLong, value: nanos }
    }

    pub(crate) const fn burst_too_long(burst: u64) -> Self {
        Self { kind: Kind::BurstTooLong, value: burst as u128 }
    }

    pub(crate) const fn burst_in_window(burst: u64) -> Self {
        Self { kind: Kind::BurstInWindow, value: burst as u128 }
    }

    pub(crate) const fn limit_too_large(limit: u64) -> Self {
        Self { kind: Kind::LimitTooLarge, value: limit as u128 }
    }

    pub(crate) const fn no_calendar(nanos: u64) -> Self {
        Self { kind: Kind::NoCalendar, value: nanos as u128 }
    }

    /// The name of the field at fault: `limit`, `period` or `burst`.
    #[must_use]
    pub const fn field(&self) -> &'static str {
        match self.kind {
            Kind::ZeroLimit | Kind::Inexact | Kind::LimitTooLarge => "limit",
            Kind::ZeroPeriod | Kind::PeriodTooLong | Kind::NoCalendar => "period",
            Kind::ZeroBurst | Kind::BurstTooLong | Kind::BurstInWindow => "burst",
        }
    }

    const fn reason(&self) -> &'static str {
        match self.kind {
            Kind::ZeroLimit => "quota limit must be at least 1 unit per period",
            Kind::ZeroPeriod => "quota period must be at least 1 nanosecond",
            Kind::ZeroBurst => "quota burst must be at least 1 unit",
            Kind::Inexact => {
                "quota limit has no exact spacing: divided by its greatest common divisor with the period in \
                 nanoseconds it must not exceed 2^32; use a rounder number"
            }
            Kind::PeriodTooLong => {
                "quota period does not fit 64-bit nanoseconds with ten years to spare; shorten it"
            }
            Kind::BurstTooLong => {
                "quota burst takes longer to earn back than 64-bit nanoseconds hold with ten years to spare; lower it"
            }
            Kind::BurstInWindow => {
                "quota burst has no meaning for an algorithm that counts in windows; leave it out, or use gcra"
            }
            Kind::LimitTooLarge => {
                "quota limit is more than this algorithm can count per window; lower it, shorten the period, or use gcra"
            }
            Kind::NoCalendar => {
                "quota period of a calendar window must be a day, or 28 to 31 of them for a month; write `N/day` or \
                 `N/month`, or use fixed-window"
            }
        }
    }
    const fn message(&self) -> Message {
        let message = Message::new().text(self.reason()).text(" (got ");
        let message = match self.kind {
            // As it was written, not in nanoseconds: a duration of more of them than 64 bits hold was not written so.
            Kind::PeriodTooLong if self.value > u64::MAX as u128 && self.value % 1_000 > 0 => {
                const SECOND: u128 = 1_000_000_000;
                message.number(self.value / SECOND).text(".").digits(self.value % SECOND, 9).text("s")
            }
            Kind::PeriodTooLong | Kind::NoCalendar => {
                let (unit, name) = unit_of(self.value);
                message.number(self.value / unit).text(name)
            }
            _ => message.number(self.value),
        };
        message.text(")")
    }

    /// Panics with what `Display` says, in a `const` too.
    #[cold]
    #[track_caller]
    pub(crate) const fn panic(&self) -> ! {
        panic!("{}", self.message().as_str())
    }
}

impl fmt::Display for QuotaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message().as_str())
    }
}

impl core::error::Error for QuotaError {}

/// A text that is not a quota.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseQuotaError {
    text: String,
    cause: Cause,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    Shape,
    Number(&'static str),
    Unit,
    /// Of a month, by this algorithm.
    Month(AlgorithmName),
    /// In the text of a quota.
    NotAQuota,
    Algorithm,
    Quota(QuotaError),
}

impl ParseQuotaError {
    pub(crate) fn new(text: &str, cause: Cause) -> Self {
        // An error message is no place for a megabyte of somebody's input.
        let text = text.chars().take(64).collect();
        Self { text, cause }
    }
}

impl fmt::Display for ParseQuotaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "quota {:?}: ", self.text)?;
        match &self.cause {
            Cause::Shape => f.write_str("expected `N/PERIOD` or `N/PERIOD burst B`, such as `10/s burst 20`"),
            Cause::Number(field) => write!(f, "{field} must be a whole number up to {}", u64::MAX),
            Cause::Unit => {
                f.write_str("the period must end in ns, us, ms, s, min, h or day, such as `100/min` or `5/10s`")
            }
            Cause::Month(name) => write!(
                f,
                "a month is counted by calendar-window only; leave the algorithm out, or write 30day for {name}"
            ),
            Cause::NotAQuota => f.write_str(
                "an algorithm's name or a month is no part of a quota; read the text as an `AnyAlgorithm`, or leave it out",
            ),
            Cause::Algorithm => {
                f.write_str("the algorithm must be one of ")?;
                for (index, name) in AlgorithmName::ALL.iter().enumerate() {
                    write!(f, "{}{name}", if index == 0 { "" } else { ", " })?;
                }
                f.write_str("; only fixed-window may be followed by `staggered`")
            }
            Cause::Quota(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for ParseQuotaError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match &self.cause {
            Cause::Quota(error) => Some(error),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_constant_has_room_for_the_longest_message() {
        const KINDS: [Kind; 9] = [
            Kind::ZeroLimit,
            Kind::ZeroPeriod,
            Kind::ZeroBurst,
            Kind::Inexact,
            Kind::PeriodTooLong,
            Kind::BurstTooLong,
            Kind::BurstInWindow,
            Kind::LimitTooLarge,
            Kind::NoCalendar,
        ];
        const MESSAGES: [Message; KINDS.len()] = {
            let mut messages = [Message::new(); KINDS.len()];
            let mut at = 0;
            while at < KINDS.len() {
                messages[at] = QuotaError { kind: KINDS[at], value: u128::MAX }.message();
                at += 1;
            }
            messages
        };
        for (kind, message) in KINDS.into_iter().zip(MESSAGES) {
            let error = QuotaError { kind, value: u128::MAX };
            assert_eq!(message.as_str(), error.to_string());
            let value = u128::MAX.to_string();
            // A period is told in seconds.
            let value = if kind == Kind::PeriodTooLong { &value[..value.len() - 9] } else { &value };
            assert!(message.as_str().contains(value), "{error}");
        }
    }
}
