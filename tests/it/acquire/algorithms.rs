//! Every algorithm: those in line are admitted just what and when they would be if they asked one after the other.

use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::Instant;
use tower_ratelimit::acquire::{AsyncKeyedLimiter, AsyncLimiter, KeyedLimiter, Limiter, TokioClock};
use tower_ratelimit::algorithm::{
    AlgorithmName, AnyAlgorithm, CalendarWindow, FixedWindow, Gcra, LeakyBucket, SlidingLog, SlidingWindow,
};
use tower_ratelimit::{Quota, Timestamp};

use super::support::ms;

const COSTS: [u64; 24] = [1, 1, 4, 2, 1, 3, 1, 1, 1, 4, 4, 2, 1, 1, 1, 1, 3, 2, 1, 1, 1, 2, 4, 1];

/// When each of `COSTS` is admitted by a limiter that is asked by one after the other, in tokio's whole milliseconds.
fn one_by_one(limit: AnyAlgorithm) -> Vec<Duration> {
    let (limiter, mut now) =
        (Limiter::of_with_clock(limit, tower_ratelimit::ManualClock::new()), Duration::ZERO);
    let take = |cost| loop {
        let decision = limiter.check_n_at(cost, Timestamp::ZERO.saturating_add(now));
        let wait = decision.retry_after().unwrap();
        if decision.is_allowed() {
            return now;
        }
        now = Duration::from_millis((now + wait).as_nanos().div_ceil(1_000_000) as u64);
    };
    COSTS.into_iter().map(take).collect()
}

#[tokio::test(start_paused = true)]
async fn each_algorithm_serves_a_line_as_it_would_serve_one_after_the_other() {
    let window = Quota::per_second(4);
    for name in AlgorithmName::ALL {
        let quota = if name == AlgorithmName::CalendarWindow { Quota::per_day(4) } else { window };
        let limit = name.over(quota).unwrap();
        let limiter = KeyedLimiter::builder_of(limit).capacity(10).clock(TokioClock::new()).build().unwrap();
        let (start, lines) = (Instant::now(), AsyncKeyedLimiter::new(limiter));
        let mut tasks = JoinSet::new();
        for (number, cost) in COSTS.into_iter().enumerate() {
            let lines = lines.clone();
            tasks.spawn(async move {
                lines.acquire_n("key", cost).await.unwrap();
                (number, start.elapsed())
            });
        }
        let mut served = tasks.join_all().await;
        served.sort_unstable();
        let served: Vec<_> = served.into_iter().map(|(_, elapsed)| elapsed).collect();
        assert_eq!(served, one_by_one(limit), "{limit}");
        assert!(served[COSTS.len() - 1] > quota.period(), "{limit}: nobody had to wait");
    }
}

#[tokio::test(start_paused = true)]
async fn a_limiter_whose_algorithm_is_known_to_the_compiler_can_be_waited_for() {
    async fn wait<A: rate_core::Kept>(algorithm: A) -> Duration {
        let start = Instant::now();
        let lines = AsyncLimiter::new(Limiter::of_with_clock(algorithm, TokioClock::new()));
        lines.acquire_n(2).await.unwrap();
        lines.acquire_n(2).await.unwrap();
        start.elapsed()
    }
    let quota = Quota::per_second(2);
    assert_eq!(wait(Gcra::new(quota)).await, ms(1_000));
    assert_eq!(wait(LeakyBucket::new(quota)).await, ms(1_000));
    assert_eq!(wait(FixedWindow::new(quota)).await, ms(1_000));
    assert_eq!(wait(SlidingLog::new(quota)).await, ms(1_000));
    assert_eq!(wait(SlidingWindow::new(quota)).await, ms(2_000));
    assert_eq!(wait(CalendarWindow::day(2)).await, ms(86_400_000));
}

#[tokio::test(start_paused = true)]
async fn tokios_clock_begins_where_it_is_told_to() {
    // The last hour of January 1970.
    let hour = Duration::from_secs(3_600);
    let clock = TokioClock::starting_at(31 * 24 * hour - hour);
    let lines = AsyncLimiter::new(Limiter::of_with_clock(CalendarWindow::month(1), clock));
    let start = Instant::now();
    lines.acquire().await.unwrap();
    lines.acquire().await.unwrap();
    assert_eq!(start.elapsed(), hour);
    lines.acquire().await.unwrap();
    assert_eq!(start.elapsed(), hour + 28 * 24 * hour);
}
