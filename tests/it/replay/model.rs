//! What a replay has to find, from the meaning of a quota and of an access log alone: none of our crates is used here,
//! nor the calendar that the example uses.

use std::collections::BTreeMap;

/// A quota in numbers, beside the text that the program is given and prints.
#[derive(Debug)]
pub(super) struct Limit {
    pub(super) text: &'static str,
    limit: u128,
    period: u128,
    burst: u128,
}

const SECOND: u128 = 1_000_000_000;

const fn limit(text: &'static str, limit: u128, period: u128, burst: u128) -> Limit {
    Limit { text, limit, period, burst }
}

/// With the least burst, with periods from half a second to a day, with a limit that does not divide a second.
pub(super) const LIMITS: [Limit; 10] = [
    limit("10/s burst 20", 10, SECOND, 20),
    limit("1/s", 1, SECOND, 1),
    limit("100/min burst 20", 100, 60 * SECOND, 20),
    limit("3/day", 3, 86_400 * SECOND, 3),
    limit("7/s burst 3", 7, SECOND, 3),
    limit("30/min burst 5", 30, 60 * SECOND, 5),
    limit("7/min burst 1", 7, 60 * SECOND, 1),
    limit("1/90s burst 4", 1, 90 * SECOND, 4),
    limit("5/500ms burst 2", 5, SECOND / 2, 2),
    limit("100/h", 100, 3_600 * SECOND, 100),
];

/// Who asked and when, in seconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) client: String,
    pub(super) second: i64,
}

/// What became of a log under a limit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) allowed: u64,
    pub(super) denied: u64,
    /// Of every client that was denied at all.
    pub(super) denied_by_client: BTreeMap<String, u64>,
}

/// A bucket for each client, full at first. One token has `period` shares, and one nanosecond brings `limit` of them.
pub(super) fn verdict(entries: &[Entry], quota: &Limit) -> Verdict {
    let full = quota.burst * quota.period;
    let mut buckets: BTreeMap<&str, (i64, u128)> = BTreeMap::new();
    let mut verdict = Verdict::default();
    let mut now = i64::MIN;
    for entry in entries {
        now = now.max(entry.second);
        let (since, shares) = buckets.entry(&entry.client).or_insert((now, full));
        let elapsed = u128::from(now.abs_diff(*since)) * SECOND;
        *shares = (*shares + elapsed * quota.limit).min(full);
        *since = now;
        if *shares >= quota.period {
            *shares -= quota.period;
            verdict.allowed += 1;
        } else {
            verdict.denied += 1;
            *verdict.denied_by_client.entry(entry.client.clone()).or_default() += 1;
        }
    }
    verdict
}

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// A line of an access log, or `None` for one that is none.
pub(super) fn read(line: &[u8]) -> Option<Entry> {
    let (client, _) = line.split_at(line.iter().position(|byte| *byte == b' ')?);
    let client = std::str::from_utf8(client).ok()?;
    if client.is_empty() || client.len() > 256 || client.contains(char::is_control) {
        return None;
    }
    let line = String::from_utf8_lossy(line);
    let (before, after) = line.split_once("] \"")?;
    let (names, time) = before.rsplit_once('[')?;
    let has_an_end = after.match_indices("\" ").any(|(end, quote)| {
        let mut columns = after[end + quote.len()..].split(' ');
        let (status, size) = (columns.next().unwrap_or(""), columns.next().unwrap_or(""));
        status.len() == 3 && is_number(status) && (size == "-" || is_number(size))
    });
    if !has_an_end || names.split_whitespace().count() < 3 {
        return None;
    }
    Some(Entry { client: client.to_owned(), second: seconds(time)? })
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// `17/May/2015:10:05:03 +0000` in seconds since 1970.
fn seconds(time: &str) -> Option<i64> {
    let number =
        |from: usize, to: usize| time.get(from..to).filter(|text| is_number(text))?.parse::<i64>().ok();
    let month = MONTHS.iter().position(|month| time.get(3..6) == Some(month))?;
    let days = days_before(number(7, 11)?, month) + number(0, 2)? - 1;
    let local = days * 86_400 + number(12, 14)? * 3_600 + number(15, 17)? * 60 + number(18, 20)?;
    let offset = number(22, 24)? * 3_600 + number(24, 26)? * 60;
    Some(if time.get(21..22)? == "-" { local + offset } else { local - offset })
}

/// The other way round, at an offset in minutes.
pub(super) fn timestamp(second: i64, offset: i64) -> String {
    let local = second + offset * 60;
    let (mut day, rest) = (local.div_euclid(86_400), local.rem_euclid(86_400));
    let mut year = 1970;
    while day >= days_before(year + 1, 0) - days_before(year, 0) {
        day -= days_before(year + 1, 0) - days_before(year, 0);
        year += 1;
    }
    let month = (0..12).rfind(|month| days_before(year, *month) - days_before(year, 0) <= day).unwrap_or(0);
    let day = day - (days_before(year, month) - days_before(year, 0)) + 1;
    let sign = if offset < 0 { '-' } else { '+' };
    let (hours, minutes) = (offset.abs() / 60, offset.abs() % 60);
    format!(
        "{day:02}/{}/{year}:{:02}:{:02}:{:02} {sign}{hours:02}{minutes:02}",
        MONTHS[month],
        rest / 3_600,
        rest / 60 % 60,
        rest % 60
    )
}

/// Days from 1970 to the first of a month (0 is January).
fn days_before(year: i64, month: usize) -> i64 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let lengths = [31, if leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let leap_days = |year: i64| year / 4 - year / 100 + year / 400;
    (year - 1970) * 365 + leap_days(year - 1) - leap_days(1969) + lengths[..month].iter().sum::<i64>()
}

#[test]
fn the_calendar_of_the_model_is_right() {
    // From `date -u -d @SECONDS`.
    for (second, text) in [
        (0, "01/Jan/1970:00:00:00 +0000"),
        (951_782_400, "29/Feb/2000:00:00:00 +0000"),
        (951_868_800, "01/Mar/2000:00:00:00 +0000"),
        (1_431_857_103, "17/May/2015:10:05:03 +0000"),
        (1_483_228_799, "31/Dec/2016:23:59:59 +0000"),
        (4_107_542_400, "01/Mar/2100:00:00:00 +0000"),
    ] {
        assert_eq!(timestamp(second, 0), text);
        for offset in [0, -210, 345, 840, -720] {
            assert_eq!(seconds(&timestamp(second, offset)), Some(second), "{text} at {offset} minutes");
        }
    }
}
