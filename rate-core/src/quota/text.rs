//! The text form of a quota, written and read.

use core::fmt;
use core::str::FromStr;

use super::Quota;
use super::error::{Cause, ParseQuotaError};
use crate::algorithm::AlgorithmName;

/// Units in nanoseconds with their canonical name, longest first.
const UNITS: [(u128, &str); 7] = [
    (86_400_000_000_000, "day"),
    (3_600_000_000_000, "h"),
    (60_000_000_000, "min"),
    (1_000_000_000, "s"),
    (1_000_000, "ms"),
    (1_000, "us"),
    (1, "ns"),
];

/// The longest unit that these nanoseconds are a whole number of.
pub(super) const fn unit_of(nanos: u128) -> (u128, &'static str) {
    let mut at = 0;
    // The last one is a nanosecond.
    while nanos % UNITS[at].0 != 0 {
        at += 1;
    }
    UNITS[at]
}

impl fmt::Display for Quota {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let period = u128::from(self.period_nanos());
        let (unit, name) = unit_of(period);
        write!(f, "{}/", self.limit())?;
        if period != unit {
            write!(f, "{}", period / unit)?;
        }
        f.write_str(name)?;
        if self.burst_size() != self.limit() {
            write!(f, " burst {}", self.burst_size())?;
        }
        Ok(())
    }
}

impl fmt::Debug for Quota {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Quota({self})")
    }
}

impl FromStr for Quota {
    type Err = ParseQuotaError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut words = text.split_ascii_whitespace();
        let is_month = words.clone().next().is_some_and(|rate| rate.ends_with("/month"));
        let cause = match (quota(&mut words), words.next()) {
            (Ok(quota), None) => return Ok(quota),
            (Ok(_), Some(word)) if AlgorithmName::of_word(word).is_some() => Cause::NotAQuota,
            (Ok(_), Some(_)) => Cause::Shape,
            (Err(Cause::Unit), _) if is_month => Cause::NotAQuota,
            (Err(cause), _) => cause,
        };
        Err(ParseQuotaError::new(text, cause))
    }
}

/// Reads a quota, and leaves the words behind it.
pub(crate) fn quota(words: &mut core::str::SplitAsciiWhitespace<'_>) -> Result<Quota, Cause> {
    let (limit, period) = words.next().and_then(|rate| rate.split_once('/')).ok_or(Cause::Shape)?;
    let limit = number(limit, "limit")?;
    let period = period_from(period)?;
    quota_of(limit, period, words)
}

/// `limit` units in so many nanoseconds, with the burst that is written behind it.
pub(crate) fn quota_of(
    limit: u64,
    nanos: u128,
    words: &mut core::str::SplitAsciiWhitespace<'_>,
) -> Result<Quota, Cause> {
    let burst = match words.clone().next() {
        Some("burst") => number(words.nth(1).ok_or(Cause::Shape)?, "burst")?,
        _ => limit,
    };
    Quota::over(limit, nanos).and_then(|quota| quota.try_burst(burst)).map_err(Cause::Quota)
}

/// Digits only: `u64::from_str` would also take a plus sign.
pub(crate) fn number(text: &str, field: &'static str) -> Result<u64, Cause> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Cause::Number(field));
    }
    text.parse().map_err(|_| Cause::Number(field))
}

/// Nanoseconds, all of them: a count that is too much reaches the quota's own check instead of wrapping here.
fn period_from(text: &str) -> Result<u128, Cause> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (count, unit) = text.split_at(digits);
    let count = if count.is_empty() { 1 } else { number(count, "period")? };
    let canonical = match unit {
        "sec" | "second" => "s",
        "minute" => "min",
        "hour" => "h",
        "d" => "day",
        unit => unit,
    };
    let (nanos, _) = UNITS.into_iter().find(|(_, name)| *name == canonical).ok_or(Cause::Unit)?;
    Ok(u128::from(count) * nanos)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_quota_survives_its_text_form() {
        for text in [
            "10/s",
            "10/s burst 20",
            "100/min burst 1",
            "3/day",
            "1/90s",
            "5/500ms",
            "9/h",
            "2/36h",
            "1/3us",
            "7/7ns",
        ] {
            assert_eq!(text.parse::<Quota>().expect(text).to_string(), text);
        }
    }

    #[test]
    fn longer_spellings_are_read_and_written_short() {
        for (long, short) in [
            ("10/sec", "10/s"),
            ("10/second", "10/s"),
            ("10/minute", "10/min"),
            ("10/hour", "10/h"),
            ("10/d", "10/day"),
            ("10/60s", "10/min"),
            ("10/1000ms", "10/s"),
            ("10/24h burst 10", "10/day"),
            ("  10/s   burst 3 ", "10/s burst 3"),
        ] {
            assert_eq!(long.parse::<Quota>().expect(long).to_string(), short);
        }
    }

    #[test]
    fn malformed_texts_name_the_field_and_the_fix() {
        for (text, part) in [
            ("", "expected `N/PERIOD`"),
            ("10", "expected `N/PERIOD`"),
            ("10/s burst", "expected `N/PERIOD`"),
            ("10/s burst 2 3", "expected `N/PERIOD`"),
            ("10/s brust 2", "expected `N/PERIOD`"),
            ("/s", "limit must be a whole number"),
            ("+1/s", "limit must be a whole number"),
            ("1.5/s", "limit must be a whole number"),
            ("-1/s", "limit must be a whole number"),
            ("99999999999999999999/s", "limit must be a whole number"),
            ("10/s burst x", "burst must be a whole number"),
            ("10/week", "the period must end in"),
            ("10/", "the period must end in"),
            ("10/S", "the period must end in"),
            ("0/s", "limit must be at least 1"),
            ("10/0s", "period must be at least 1"),
            ("10/s burst 0", "burst must be at least 1"),
            ("1/99999999999day", "period does not fit"),
            ("1/18446744073709551615day", "period does not fit"),
            ("1/h burst 4294967295", "burst takes longer"),
            ("4294967311/s", "no exact spacing"),
        ] {
            let error = text.parse::<Quota>().expect_err(text).to_string();
            assert!(error.contains(part), "{text}: {error}");
            assert!(error.starts_with(&format!("quota {text:?}: ")), "{error}");
        }
    }
}
