//! One limiter without keys by each algorithm, beside three crates that people use for one.
//!
//! They are not the same thing, and the figures say only what one decision costs. `ratelimit` is a token bucket of several
//! atomic words, which refills at most once per microsecond. `leaky-bucket` is a bucket to wait for; what is measured is the way
//! it takes when a permit is there, for which it reads no clock. `pingora-limits` counts all keys in one sketch, by whole
//! intervals, and refuses nobody by itself.

use std::hint::black_box;
use std::time::Duration;

use leaky_bucket::RateLimiter;
use pingora_limits::rate::Rate;
use rate_core::algorithm::{CalendarWindow, FixedWindow, Gcra, LeakyBucket, SlidingLog, SlidingWindow};
use rate_core::{Kept, Limiter, Quota};
use ratelimit::{Builder, Clock, Ratelimiter, StdClock};

use crate::harness::{INSTANCES, Track, compare_over, side};
use crate::load::Ticks;
use crate::report::{Outcome, Point, Report, Time};

const HOUR: Duration = Duration::from_secs(3_600);

/// More than a run can spend.
const PLENTY: u32 = 4_000_000_000;

pub(crate) fn run(report: &mut Report) {
    for outcome in Outcome::BOTH {
        let allow = outcome == Outcome::Allow;
        let quota = if allow { Quota::per_hour(PLENTY.into()) } else { Quota::per_hour(1) };
        // A unit comes back in no time.
        let fast = if allow { Quota::per_second(1_000_000_000) } else { quota };
        // A log has an entry for each unit.
        let short = if allow { Quota::new(1_000, Duration::from_micros(1)).expect("exact") } else { quota };
        of(report, "gcra", Gcra::new(fast.burst(quota.burst_size())), outcome);
        of(report, "leaky-bucket", LeakyBucket::new(fast), outcome);
        of(report, "fixed-window", FixedWindow::new(quota), outcome);
        of(report, "calendar-window", CalendarWindow::day(quota.limit()), outcome);
        of(report, "sliding-window", SlidingWindow::new(quota), outcome);
        of(report, "sliding-log", SlidingLog::new(short), outcome);
    }
}

fn of<A: Kept + Send + Sync>(report: &mut Report, name: &str, algorithm: A, outcome: Outcome) {
    for time in Time::BOTH {
        let point = Point {
            case: format!("single/{name}"),
            keys: None,
            threads: Some(1),
            outcome: Some(outcome),
            time: Some(time),
        };
        // A turn takes a nanosecond, and a clock that is read twice within one refuses the second.
        let is_too_fast = allowed_by_turns(name, outcome) && time == Time::Default;
        if report.wants(&point) && !is_too_fast {
            match time {
                Time::Precomputed => on_precomputed(report, &point, algorithm, outcome),
                Time::Default => on_default(report, &point, algorithm, outcome),
            }
        }
    }
}

fn allowed_by_turns(name: &str, outcome: Outcome) -> bool {
    name == "leaky-bucket" && outcome == Outcome::Allow
}

/// Ours on an instant that is ready, a nanosecond later each time or always the same.
fn on_precomputed<A: Kept + Send + Sync>(report: &mut Report, point: &Point, algorithm: A, outcome: Outcome) {
    let allow = outcome == Outcome::Allow;
    let ours: Vec<_> =
        (0..INSTANCES).map(|_| (Limiter::of(algorithm), Ticks::new(u64::from(allow)))).collect();
    for (limiter, ticks) in &ours {
        // Not by the closure below, which is compiled into its loop only if it is called nowhere else.
        assert!(limiter.check_at(ticks.next()).is_allowed(), "the first request is admitted");
    }
    let theirs: Vec<_> = (0..INSTANCES).map(|_| ratelimit_on(ConstantClock, outcome)).collect();
    let buckets: Vec<_> = (0..INSTANCES).map(|_| leaky_bucket(outcome)).collect();
    let tracks = [Track::new(vec![()])];
    let sides = [
        side(&tracks, &ours, allow, |(limiter, ticks)| |(): &()| limiter.check_at(ticks.next()).is_allowed()),
        side(&tracks, &theirs, allow, |theirs| |(): &()| theirs.try_wait().is_ok()),
        side(&tracks, &buckets, allow, |bucket| |(): &()| bucket.try_acquire(1)),
    ];
    let [ours, ratelimit, bucket] = compare_over(&tracks, sides);
    report.add(point, ours, ("ratelimit", ratelimit), None);
    // Before it refuses it looks at its own clock.
    if allow {
        report.add(point, ours, ("leaky-bucket, fast path", bucket), None);
    }
}

/// Everybody on the clock that they read unless told otherwise.
fn on_default<A: Kept + Send + Sync>(report: &mut Report, point: &Point, algorithm: A, outcome: Outcome) {
    let allow = outcome == Outcome::Allow;
    let ours: Vec<Limiter<A>> = (0..INSTANCES).map(|_| Limiter::of(algorithm)).collect();
    ours.iter().for_each(|ours| assert!(ours.check().is_allowed(), "the first request is admitted"));
    let theirs: Vec<_> = (0..INSTANCES).map(|_| ratelimit_on(StdClock::new(), outcome)).collect();
    let buckets: Vec<_> = (0..INSTANCES).map(|_| leaky_bucket(outcome)).collect();
    let rates: Vec<_> = (0..INSTANCES).map(|_| Rate::new(HOUR)).collect();
    let most = if allow { isize::MAX } else { 0 };
    let tracks = [Track::new(vec![()])];
    let sides = [
        side(&tracks, &ours, allow, |ours| |(): &()| ours.check().is_allowed()),
        side(&tracks, &theirs, allow, |theirs| |(): &()| theirs.try_wait().is_ok()),
        side(&tracks, &buckets, allow, |bucket| |(): &()| bucket.try_acquire(1)),
        side(&tracks, &rates, allow, |rate| move |(): &()| rate.observe(&"everybody", 1) <= most),
    ];
    let [ours, ratelimit, bucket, pingora] = compare_over(&tracks, sides);
    report.add(point, ours, ("ratelimit", ratelimit), None);
    let bucket_name = if allow { "leaky-bucket, fast path" } else { "leaky-bucket" };
    report.add(point, ours, (bucket_name, bucket), None);
    report.add(point, ours, ("pingora-limits", pingora), None);
}

/// As [`crate::peer::ConstantClock`].
struct ConstantClock;

impl Clock for ConstantClock {
    #[inline]
    fn elapsed(&self) -> Duration {
        black_box(HOUR)
    }
}

/// A bucket with plenty in it, or with nothing.
fn ratelimit_on<C: Clock>(clock: C, outcome: Outcome) -> Ratelimiter<C> {
    let builder = match outcome {
        Outcome::Allow => Builder::with_clock(1_000_000_000, clock)
            .max_tokens(PLENTY.into())
            .initial_available(PLENTY.into()),
        // It begins with what has come back since its clock began: less than a unit.
        Outcome::Deny => Builder::with_clock(1, clock).period(1_000 * HOUR),
    };
    builder.build().expect("a bucket")
}

fn leaky_bucket(outcome: Outcome) -> RateLimiter {
    let plenty = match outcome {
        Outcome::Allow => PLENTY as usize,
        Outcome::Deny => 0,
    };
    RateLimiter::builder().max(PLENTY as usize).initial(plenty).interval(HOUR).build()
}
