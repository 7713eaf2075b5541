//! The command line.

use std::ffi::OsString;

use lexopt::{Arg, Parser, ValueExt};
use tower_ratelimit::Quota;

use crate::Result;

pub(crate) const HELP: &str = "\
What a quota would have done to the traffic in an access log.

Usage: replay [OPTIONS] [LOG]

  LOG              an access log in common or combined format, plain or gzip;
                   standard input when it is absent or `-`

  --quota QUOTA    the limit for each client: `10/s burst 20` (the default),
                   `100/min`, `3/day`; repeat it to compare several, each by itself
  --top N          list the N clients that were denied most (default 10)
  --show-keys      name clients as the log does; the default is a digest, because
                   addresses are personal data
  --json           print JSON and nothing else
  -h, --help       print this

A client is the first column. Time is the log's own and never goes back: a line
older than one before it counts at the time of the newest. Lines that are in no
such format are counted, and the first ten reported on standard error.

Exits with 2 when there is nothing to replay or an option makes no sense.
";

#[derive(Debug)]
pub(crate) struct Options {
    /// A path, or `None` for standard input.
    pub(crate) log: Option<OsString>,
    pub(crate) quotas: Vec<Quota>,
    pub(crate) top: usize,
    pub(crate) show_keys: bool,
    pub(crate) json: bool,
}

impl Options {
    /// Reads the command line; `None` when only help was asked for.
    pub(crate) fn parse(mut parser: Parser) -> Result<Option<Self>> {
        let mut logs = Vec::new();
        let mut options = Self { log: None, quotas: Vec::new(), top: 10, show_keys: false, json: false };
        while let Some(arg) = parser.next().map_err(with_advice)? {
            match arg {
                Arg::Long("quota") => {
                    let text = parser.value().and_then(ValueExt::string).map_err(with_advice)?;
                    let quota = text.parse().map_err(|error| format!("--quota: {error}"))?;
                    options.quotas.push(quota);
                }
                Arg::Long("top") => {
                    let text = parser.value().and_then(ValueExt::string).map_err(with_advice)?;
                    let number = text.parse();
                    options.top =
                        number.map_err(|_| format!("--top: {text:?} is no whole number, such as 10"))?;
                }
                Arg::Long("show-keys") => options.show_keys = true,
                Arg::Long("json") => options.json = true,
                Arg::Short('h') | Arg::Long("help") => return Ok(None),
                Arg::Value(path) => logs.push(path),
                other => return Err(with_advice(other.unexpected())),
            }
        }
        if logs.len() > 1 {
            return Err(format!(
                "{} logs were given, one can be replayed at a time; join them with `cat` (gzip files too)",
                logs.len()
            )
            .into());
        }
        if options.quotas.is_empty() {
            options.quotas.push(const { Quota::per_second(10).burst(20) });
        }
        options.log = logs.pop().filter(|path| path != "-");
        Ok(Some(options))
    }
}

fn with_advice(error: lexopt::Error) -> Box<dyn std::error::Error> {
    format!("{error}; `--help` lists the options").into()
}
