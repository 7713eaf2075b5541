//! One line of an access log.

use std::borrow::Cow;
use std::str;

use jiff::Timestamp;
use jiff::fmt::strtime;
use jiff::tz::Offset;
use tower_ratelimit::Key;

/// What the replay needs of a line.
#[derive(Debug)]
pub(crate) struct Line<'a> {
    /// The first column as it stands, fit for a key.
    pub(crate) client: &'a str,
    pub(crate) time: Timestamp,
    /// `GET /path HTTP/1.1`, or whatever the client sent instead.
    pub(crate) request: &'a [u8],
}

/// Why a line is none of an access log.
type Reason = Cow<'static, str>;

impl<'a> Line<'a> {
    /// Reads `client identity user [time] "request" status size`; what follows, as in the combined format, may be
    /// anything.
    ///
    /// All of it has to be there, or a line that was cut off would pass for a request that never was.
    pub(crate) fn parse(line: &'a [u8]) -> Result<Self, Reason> {
        let (client, rest) = cut(line, b" ").ok_or("it has one column")?;
        let client = str::from_utf8(client).map_err(|_| "the client is not UTF-8")?;
        // The layer would refuse these requests for want of a key.
        Key::text(client).map_err(|error| format!("no client in the first column: {error}"))?;

        // A user name may contain brackets; a quotation mark in it is escaped.
        let (before, rest) = cut(rest, b"] \"").ok_or("no `[time] \"request\"`")?;
        let bracket = before.iter().rposition(|byte| *byte == b'[').ok_or("no `[time] \"request\"`")?;
        let names = before[..bracket].split(|byte| *byte == b' ').filter(|name| !name.is_empty());
        if names.count() < 2 {
            return Err("no identity and user between client and time".into());
        }
        let time = time(&before[bracket + 1..])?;

        let (request, rest) = quoted(rest).ok_or("the request has no closing quotation mark")?;
        let mut columns = rest.strip_prefix(b" ").unwrap_or_default().split(|byte| *byte == b' ');
        let status = columns.next().unwrap_or_default();
        let size = columns.next().unwrap_or_default();
        if status.len() != 3 || !number(status) {
            return Err("no status of three digits after the request".into());
        }
        if size != b"-" && !number(size) {
            return Err("no size after the status".into());
        }
        Ok(Self { client, time, request })
    }
}

/// `17/May/2015:10:05:03 +0000`
fn time(text: &[u8]) -> Result<Timestamp, Reason> {
    // Checked, because jiff also reads numbers with fewer digits.
    if text.len() != "17/May/2015:10:05:03 +0000".len() {
        return Err("the time is not of the form `17/May/2015:10:05:03 +0000`".into());
    }
    let parsed = strtime::parse("%d/%b/%Y:%H:%M:%S %z", text).and_then(|parts| parts.to_timestamp());
    let time = parsed.map_err(|error| format!("the time is none: {error}"))?;
    // One such line would stop the clock for all that follow, and 64-bit nanoseconds hold 584 years.
    let plausible = (1970..2500).contains(&Offset::UTC.to_datetime(time).year());
    if plausible { Ok(time) } else { Err("the time is not between the years 1970 and 2500".into()) }
}

/// Text up to its closing quotation mark, and what follows. A quotation mark inside is written `\"`.
fn quoted(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut escaped = false;
    let end = text.iter().position(|&byte| {
        let closing = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        closing
    })?;
    Some((&text[..end], &text[end + 1..]))
}

fn cut<'a>(text: &'a [u8], separator: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let at = text.windows(separator.len()).position(|window| window == separator)?;
    Some((&text[..at], &text[at + separator.len()..]))
}

fn number(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(u8::is_ascii_digit)
}
