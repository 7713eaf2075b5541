//! What a quota would have done to the traffic in an access log.
//!
//! Run with
//!
//! ```text
//! cargo run --release --example replay -- access.log.gz --quota '10/s burst 20' --quota 100/min
//! cargo run --release --example replay -- --help
//! ```
//!
//! Every request of the log passes through a real layered service, under a clock that the log's own times drive. One
//! client is one value of the first column.
//!
//! A log whose first column is a load balancer shows one client: have the server log the address behind it first.

use std::error::Error;
use std::io::{self, ErrorKind, Write};
use std::process::ExitCode;

use tower_ratelimit::Secret;

#[path = "replay/distinct.rs"]
mod distinct;
#[path = "replay/input.rs"]
mod input;
#[path = "replay/line.rs"]
mod line;
#[path = "replay/log.rs"]
mod log;
#[path = "replay/options.rs"]
mod options;
#[path = "replay/progress.rs"]
mod progress;
#[path = "replay/report.rs"]
mod report;
#[path = "replay/run.rs"]
mod run;

use input::Input;
use log::Log;
use options::Options;
use progress::Progress;

type Result<T, E = Box<dyn Error>> = std::result::Result<T, E>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match replay().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&format!("replay: {error}"));
            ExitCode::from(2)
        }
    }
}

async fn replay() -> Result<()> {
    let Some(options) = Options::parse(lexopt::Parser::from_env())? else {
        return print(options::HELP);
    };

    let input = Input::open(options.log.as_deref())?;
    let name = input.name().to_owned();
    let log = Log::read(input)?;
    log.complaints().for_each(|complaint| complain(&complaint));
    if log.requests.is_empty() {
        return Err(log.nothing_in(&name).into());
    }

    let mut progress = Progress::of_requests(log.requests.len() * options.quotas.len());
    // One secret for all runs, so that a client has one digest throughout.
    let secret = Secret::random();
    let mut outcomes = Vec::with_capacity(options.quotas.len());
    for quota in &options.quotas {
        outcomes.push(run::replay(&log, *quota, secret, &options, &mut progress).await?);
    }
    drop(progress);

    let report = if options.json { report::json } else { report::table };
    print(&report(&log, &outcomes))
}

/// Writes to standard output. A reader that has seen enough (`| head`) is no error, and `println!` would panic.
fn print(text: &str) -> Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(format!("cannot write to standard output: {error}").into())
        }
        _ => Ok(()),
    }
}

/// Writes a line to standard error, if anybody still listens there.
fn complain(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}
