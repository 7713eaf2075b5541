//! Counts the instructions of one check, which are the same in every run: valgrind's callgrind counts those of this program while
//! it checks one key so many times, and twice as many times, and an empty loop the same.
//!
//! `cargo run --release -p rate-limit-bench --bin instructions`; needs `valgrind`.

use std::hint::black_box;
use std::num::NonZeroU32;
use std::process::{Command, ExitCode};
use std::time::Duration;

use governor::clock::FakeRelativeClock;
use rate_core::algorithm::{CalendarWindow, FixedWindow, LeakyBucket, SlidingLog, SlidingWindow};
use rate_core::{Kept, KeyedLimiter, Limiter, Quota, Timestamp, check_all};

/// Enough that what is done once does not show.
const CHECKS: u64 = 10_000;
const SECOND: u64 = 1_000_000_000;

/// A limit that admits every check, one each millisecond, and with what it can have no more than; or one that is spent.
#[derive(Clone, Copy)]
struct Load {
    allow: bool,
}

impl Load {
    fn per_second(self, limit: u64) -> Quota {
        if self.allow { Quota::per_second(limit) } else { Quota::per_day(1) }
    }

    fn at(self, check: u64) -> Timestamp {
        // Away from the beginning, where differences would be cut off at zero.
        Timestamp::from_nanos(1_000 * SECOND + if self.allow { check * SECOND / 1_000 } else { 0 })
    }

    /// Checks as often as it is said, and returns how many were admitted.
    fn run(self, checks: u64, mut check: impl FnMut(Timestamp) -> bool) -> u64 {
        (0..checks).map(|index| u64::from(check(self.at(black_box(index))))).sum()
    }

    fn keyed<A: Kept>(self, checks: u64, limiter: &KeyedLimiter<A>) -> u64 {
        self.run(checks, |now| limiter.check_at(&7_u64, now).is_allowed())
    }
}

type Case = (&'static str, fn(Load, u64) -> u64);

const CASES: [Case; 13] = [
    ("empty loop", |load, checks| load.run(checks, |now| black_box(now) > Timestamp::ZERO)),
    ("gcra", |load, checks| load.keyed(checks, &KeyedLimiter::new(load.per_second(1_000)))),
    ("gcra, not whole", |load, checks| {
        load.keyed(checks, &KeyedLimiter::new(if load.allow { Quota::per_second(1_001) } else { seventh() }))
    }),
    ("leaky-bucket", |load, checks| {
        load.keyed(checks, &KeyedLimiter::of(LeakyBucket::new(load.per_second(1_000))))
    }),
    ("fixed-window", |load, checks| {
        load.keyed(checks, &KeyedLimiter::of(FixedWindow::new(load.per_second(1_000))))
    }),
    ("calendar-window", |load, checks| {
        let limit = if load.allow { 1 << 31 } else { 1 };
        load.keyed(checks, &KeyedLimiter::of(CalendarWindow::month(limit)))
    }),
    // Of which what was taken in the window before counts too.
    ("sliding-window", |load, checks| {
        load.keyed(checks, &KeyedLimiter::of(SlidingWindow::new(load.per_second(1_001))))
    }),
    ("sliding-log", |load, checks| {
        load.keyed(checks, &KeyedLimiter::of(SlidingLog::new(load.per_second(1_000))))
    }),
    ("gcra of a tier", |load, checks| {
        let limiter = KeyedLimiter::new(Quota::per_second(1));
        let tier = limiter.tier(load.per_second(1_000));
        load.run(checks, |now| tier.check_at(&7_u64, now).is_allowed())
    }),
    ("gcra, no keys", |load, checks| {
        let limiter = Limiter::new(load.per_second(1_000));
        load.run(checks, |now| limiter.check_at(now).is_allowed())
    }),
    ("two gcra", |load, checks| {
        let [one, other] = [0; 2].map(|_| KeyedLimiter::new(load.per_second(1_000)));
        load.run(checks, |now| check_all([one.charge(&7_u64, 1), other.charge(&7_u64, 1)], now).is_allowed())
    }),
    ("gcra + sliding-window", |load, checks| {
        let one = KeyedLimiter::new(load.per_second(1_000));
        let other = KeyedLimiter::of(SlidingWindow::new(load.per_second(1_001)));
        load.run(checks, |now| check_all([one.charge(&7_u64, 1), other.charge(&7_u64, 1)], now).is_allowed())
    }),
    ("governor", |load, checks| {
        // Its clock is part of it, and what moves it would be counted too: so many at once instead.
        let quota = governor::Quota::with_period(Duration::from_secs(86_400)).expect("more than nothing");
        let quota = if load.allow { quota.allow_burst(NonZeroU32::MAX) } else { quota };
        let limiter = governor::RateLimiter::dashmap_with_clock(quota, FakeRelativeClock::default());
        load.run(checks, |_| limiter.check_key(&7_u64).is_ok())
    }),
];

/// One in seven days, and a tick of several parts.
fn seventh() -> Quota {
    Quota::new(7, Duration::from_secs(7 * 86_400 + 1)).expect("a quota").burst(1)
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().collect();
    if let [_, case, outcome, checks] = &args[..] {
        let run = CASES.iter().find(|(name, _)| name == case).expect("one of the cases").1;
        let load = Load { allow: outcome == "allow" };
        println!("{}", run(load, checks.parse().expect("a number")));
        return ExitCode::SUCCESS;
    }
    match table() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn table() -> Result<(), String> {
    println!("instructions of one check of which only `is_allowed` is read, loop subtracted\n");
    println!("| | allowed | refused |\n|---|---:|---:|");
    let empty = [of_one("empty loop", "allow")?, of_one("empty loop", "deny")?];
    for (name, _) in &CASES[1..] {
        let [allow, deny] = [of_one(name, "allow")? - empty[0], of_one(name, "deny")? - empty[1]];
        println!("| {name} | {allow:.0} | {deny:.0} |");
    }
    Ok(())
}

fn of_one(case: &str, outcome: &str) -> Result<f64, String> {
    let (once, twice) = (of_all(case, outcome, CHECKS)?, of_all(case, outcome, 2 * CHECKS)?);
    Ok((twice - once) as f64 / CHECKS as f64)
}

fn of_all(case: &str, outcome: &str, checks: u64) -> Result<u64, String> {
    let this = std::env::current_exe().map_err(|error| error.to_string())?;
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(this)
        .args([case, outcome, &checks.to_string()])
        .output()
        .map_err(|error| {
            format!("valgrind does not start ({error}); on Debian 'apt-get install valgrind'")
        })?;
    let admitted: u64 = String::from_utf8_lossy(&output.stdout).trim().parse().unwrap_or(0);
    let expected = if outcome == "allow" { checks } else { 1 };
    if case != "empty loop" && admitted != expected {
        return Err(format!("{case}, {outcome}: {admitted} of {checks} were admitted, not {expected}"));
    }
    let report = String::from_utf8_lossy(&output.stderr);
    let count =
        report.split("Collected : ").nth(1).and_then(|rest| rest.split_whitespace().next()?.parse().ok());
    count.ok_or_else(|| format!("valgrind counted nothing:\n{report}"))
}
