//! Rows about time: a clock that steps back, and the edges of windows.

use std::time::Duration;

use rate_core::algorithm::AlgorithmName;
use rate_core::{KeyedLimiter, ManualClock, Quota, Timestamp};

use crate::core::six::{Subject, algorithms};

const HOUR: u64 = 3_600 * 1_000_000_000;
const DAY: u64 = 24 * HOUR;

#[test]
fn clock_backwards() {
    // governor#299: a clock that was not monotonic across cores refused before the burst was spent.
    for algorithm in
        algorithms(Quota::per_day(5)).into_iter().chain(algorithms(Quota::per_second(10).burst(5)))
    {
        for step in [1, 1_000, 1_000_000, 1_000_000_000, HOUR].map(Duration::from_nanos) {
            let clock = ManualClock::new();
            let limiter = KeyedLimiter::builder_of(algorithm)
                .capacity(8)
                .clock(clock.clone())
                .build()
                .expect("eight keys fit");
            let start = Timestamp::from_nanos(3 * DAY + 2 * HOUR);
            clock.set(start);
            assert_eq!(limiter.take_up_to("key", 9), 5);
            let (wait, reset) = (limiter.check("key").retry_after(), limiter.peek("key").reset_after());
            let wait = wait.expect("one unit fits");

            clock.set(Timestamp::from_nanos(start.as_nanos() - step.as_nanos() as u64));
            assert!(!limiter.check("key").is_allowed(), "{algorithm}: freed by a step of {step:?}");
            assert_eq!(limiter.take_up_to("key", 9), 0, "{algorithm}: freed by a step of {step:?}");
            assert_eq!(limiter.check("key").retry_after(), Some(wait + step), "{algorithm}, {step:?}");

            // From where the clock was before, everything is as if it had not stepped.
            clock.set(start.saturating_add(wait - Duration::from_nanos(1)));
            assert!(!limiter.check("key").is_allowed(), "{algorithm}, after a step of {step:?}");
            clock.advance(Duration::from_nanos(1));
            assert!(limiter.peek("key").is_allowed(), "{algorithm}, after a step of {step:?}");
            clock.set(start.saturating_add(reset));
            assert_eq!(limiter.peek("key").remaining(), 5, "{algorithm}, after a step of {step:?}");
        }
    }
}

#[test]
fn fixed_window_edge() {
    // Twice the limit around the end of a window is what a fixed window is, and is said of it; a log has no such edge.
    let end = 20 * DAY;
    for subject in Subject::six(Quota::per_day(100), 4) {
        if subject.is_staggered() {
            continue;
        }
        let window = subject.bounds().ticks();
        let instants: Vec<u64> = match subject.name() {
            // Singly at first, and as many as the queue holds at the end.
            AlgorithmName::LeakyBucket => (0..99).map(|place| end + place * (DAY / 100)).collect(),
            _ => vec![end - 1, end, end + 1],
        };
        let mut total = 0;
        for now in &instants {
            total += match subject.name() {
                AlgorithmName::LeakyBucket => subject.limit.up_to(0, 1, *now),
                _ => subject.drain(*now),
            };
        }
        total += subject.drain(instants[0] + window - 1);
        let most = match subject.name() {
            AlgorithmName::FixedWindow | AlgorithmName::CalendarWindow => 200,
            AlgorithmName::SlidingLog => 100,
            _ => 199,
        };
        assert_eq!((total, subject.bounds().units()), (most, most), "{subject:?}");
    }
}
