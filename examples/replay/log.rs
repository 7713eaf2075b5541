//! A whole log, read into what a replay needs.

use std::sync::Arc;

use http::{Method, Uri};
use tower_ratelimit::Timestamp;

use crate::Result;
use crate::distinct::Distinct;
use crate::input::{Input, LONGEST, Text};
use crate::line::Line;

/// How many lines that could not be read are shown.
const SHOWN: usize = 10;

/// How many characters of such a line are shown.
const EXCERPT: usize = 80;

/// The requests of a log, in its order.
///
/// Read as a whole before the replay, because the store is sized by the number of clients. Clients and targets are
/// kept once each, so a request takes 24 bytes.
#[derive(Debug, Default)]
pub(crate) struct Log {
    pub(crate) requests: Vec<LoggedRequest>,
    pub(crate) clients: Distinct<Arc<str>>,
    pub(crate) targets: Distinct<(Method, Uri)>,
    /// Lines that could not be read.
    pub(crate) unparsed: u64,
    /// Requests older than one before them.
    pub(crate) late: u64,
    shown: Vec<String>,
}

#[derive(Debug)]
pub(crate) struct LoggedRequest {
    /// Index into the clients.
    pub(crate) client: usize,
    /// Index into the targets.
    pub(crate) target: usize,
    /// Time since the first request, never less than that of the request before.
    pub(crate) at: Timestamp,
}

impl Log {
    pub(crate) fn read(mut input: Input) -> Result<Self> {
        let mut log = Self::default();
        let mut first = None;
        let mut newest = Timestamp::ZERO;
        // An empty line counts when another follows: many a log ends with one.
        let mut empty = None;
        while let Some((number, text)) = input.next_line()? {
            if let Some(number) = empty.take() {
                log.leave_out(number, "it is empty", b"");
            }
            let line = match text {
                Text::Whole(b"") => {
                    empty = Some(number);
                    continue;
                }
                Text::Whole(line) => line,
                Text::TooLong => {
                    log.leave_out(number, &format!("it is longer than {LONGEST} bytes"), b"");
                    continue;
                }
            };
            match Line::parse(line) {
                Ok(line) => {
                    let since_first = line.time.duration_since(*first.get_or_insert(line.time));
                    // A time before the first one is late, too.
                    let at = Timestamp::from_nanos(u64::try_from(since_first.as_nanos()).unwrap_or(0));
                    log.late += u64::from(since_first.is_negative() || at < newest);
                    newest = newest.max(at);
                    let client = log.clients.index(Arc::from(line.client));
                    let target = log.targets.index(target(line.request));
                    log.requests.push(LoggedRequest { client, target, at: newest });
                }
                Err(reason) => log.leave_out(number, &reason, line),
            }
        }
        Ok(log)
    }

    fn leave_out(&mut self, number: u64, reason: &str, line: &[u8]) {
        self.unparsed += 1;
        if self.shown.len() < SHOWN {
            let mut text: String = line.escape_ascii().take(EXCERPT + 1).map(char::from).collect();
            if text.len() > EXCERPT {
                text.truncate(EXCERPT);
                text.push_str("...");
            }
            let separator = if text.is_empty() { "" } else { ": " };
            self.shown.push(format!("line {number}: {reason}{separator}{text}"));
        }
    }

    /// What to tell of the lines that could not be read.
    pub(crate) fn complaints(&self) -> impl Iterator<Item = String> {
        let more = self.unparsed - self.shown.len() as u64;
        let more = (more > 0).then(|| format!("and {more} more: {} lines could not be read", self.unparsed));
        self.shown.iter().cloned().chain(more)
    }

    /// What to tell of a log without a request.
    pub(crate) fn nothing_in(&self, name: &str) -> String {
        let found = match self.unparsed {
            0 => "is empty".to_owned(),
            lines => format!("has no request (lines that could not be read: {lines})"),
        };
        format!(
            "{name} {found}; give an access log in common or combined format, with lines such as `192.0.2.1 - - \
             [17/May/2015:10:05:03 +0000] \"GET / HTTP/1.1\" 200 512`"
        )
    }
}

/// Method and target of a logged request line, each as far as it is one.
fn target(request: &[u8]) -> (Method, Uri) {
    let mut words = request.split(|byte| *byte == b' ');
    let method = words.next().and_then(|word| Method::from_bytes(word).ok());
    let uri = words.next().and_then(|word| Uri::try_from(word).ok());
    (method.unwrap_or_default(), uri.unwrap_or_default())
}
