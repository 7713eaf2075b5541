//! Compares the family with its peers, side by side in one run.
//!
//! `cargo run --release -p rate-limit-bench`, with `-- --help` for what it prints.

#![allow(missing_docs)]

mod algorithms;
mod facts;
mod harness;
mod keyed;
mod keys;
mod layer;
mod load;
mod many_keys;
mod memory;
#[cfg(test)]
mod migration;
mod new_keys;
mod other_crates;
mod peer;
mod report;
mod several;
mod single;

use std::io::{IsTerminal, stderr};
use std::process::ExitCode;
use std::time::Instant;

use lexopt::{Arg, ValueExt};
use report::Report;

const HELP: &str = "\
Compares the family with its peers, side by side in one run.

Usage: rate-limit-bench [--json] [--only SUBSTR]

  --json         print one JSON array of
                 {case, keys, threads, outcome, clock, ours_ns, peer, peer_ns, ratio}
                 with ratio = peer_ns / ours_ns; null where it does not apply
  --only SUBSTR  measure only the rows whose label contains SUBSTR, for example
                 \"keyed/ip keys=10000 threads=1 allow precomputed\" or \"threads=2\"
  --help         print this

Rows:
  single         one limiter without keys; /uneven: an interval of no whole number of nanoseconds,
                 /gcra, /sliding-log and so on: by each algorithm, beside ratelimit, leaky-bucket and pingora-limits
  keyed          one limit per key; /hot: one key for everybody, /answer-read: what remains or the wait is read too,
                 /new: keys that were never seen, until that many are, /many: ten million against one,
                 /leaky-bucket, /sliding-log and so on: by each algorithm, against the token bucket
  two-policies   two limits on one request
  layer          a request to an axum router: /total, and /added to the same router without a limiter
  memory         bytes per key, in the columns for nanoseconds

\"precomputed\" is a constant clock on both sides, \"default\" what each side reads unless told otherwise.
Times are nanoseconds per operation; on two threads, wall time per operation of each thread.
In the table `bar` is the ratio that the row should reach, and `<` marks one that does not.
";

struct Args {
    json: bool,
    only: Option<String>,
}

fn main() -> ExitCode {
    let args = match parse() {
        Ok(Some(args)) => args,
        Ok(None) => {
            print!("{HELP}");
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            eprintln!("error: {error}; --help lists what is understood");
            return ExitCode::from(2);
        }
    };
    if cfg!(debug_assertions) {
        eprintln!("warning: built without optimisation, the figures mean nothing; use `cargo run --release`");
    }
    let start = Instant::now();
    let mut report = Report::new(args.only, stderr().is_terminal());
    // Counting costs a few nanoseconds per allocation, and only the rows about memory want it.
    allocation_counter::opt_out(|| {
        single::run(&mut report);
        other_crates::run(&mut report);
        keyed::run(&mut report);
        algorithms::run(&mut report);
        facts::run(&mut report);
        new_keys::run(&mut report);
        many_keys::run(&mut report);
        several::run(&mut report);
        layer::run(&mut report);
    });
    memory::run(&mut report);
    if report.is_empty() {
        eprintln!("error: no row matches --only; --help shows what a label looks like");
        return ExitCode::from(2);
    }
    let shared = harness::laps_not_together();
    if shared > 0 {
        eprintln!("warning: the machine is busy: in {shared} laps on two threads, one waited for a core");
    }
    if args.json {
        report.print_json();
    } else {
        report.print_table();
        println!("\n{} s in all", start.elapsed().as_secs());
    }
    ExitCode::SUCCESS
}

/// The arguments, or nothing if help was asked for.
fn parse() -> Result<Option<Args>, lexopt::Error> {
    let mut args = Args { json: false, only: None };
    let mut parser = lexopt::Parser::from_env();
    while let Some(arg) = parser.next()? {
        match arg {
            Arg::Long("json") => args.json = true,
            Arg::Long("only") => args.only = Some(parser.value()?.string()?),
            Arg::Short('h') | Arg::Long("help") => return Ok(None),
            _ => return Err(arg.unexpected()),
        }
    }
    Ok(Some(args))
}
