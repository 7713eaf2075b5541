//! Those who do not stand in line: other users of the limiter, and whoever changes it.

use std::time::Duration;

use tokio::time::Instant;
use tower_ratelimit::Quota;
use tower_ratelimit::acquire::AcquireError;

use super::support::{ByHand, lines, ms, spent};

#[tokio::test(start_paused = true)]
async fn who_checks_the_limiter_does_not_stand_in_line_and_those_who_do_wait_longer() {
    let lines = spent(Quota::per_second(10).burst(1));
    let start = Instant::now();
    let first = tokio::spawn(lines.acquire("key"));
    let second = tokio::spawn(lines.acquire("key"));
    tokio::task::yield_now().await;
    tokio::time::advance(ms(99)).await;
    lines.limiter().reset("key");
    assert!(lines.limiter().check("key").is_allowed());
    first.await.unwrap().unwrap();
    assert_eq!(start.elapsed(), ms(199));
    second.await.unwrap().unwrap();
    assert_eq!(start.elapsed(), ms(299));
}

#[tokio::test(start_paused = true)]
async fn a_lowered_quota_makes_the_first_one_sleep_again() {
    let lines = spent(Quota::per_second(10).burst(1));
    let start = Instant::now();
    let first = tokio::spawn(lines.acquire("key"));
    let second = tokio::spawn(lines.acquire("key"));
    tokio::task::yield_now().await;
    let _new = lines.limiter().with_quota(Quota::per_second(1).burst(1));
    first.await.unwrap().unwrap();
    assert_eq!(start.elapsed(), ms(1_000));
    second.await.unwrap().unwrap();
    assert_eq!(start.elapsed(), ms(2_000));
}

#[tokio::test(start_paused = true)]
async fn a_raised_quota_is_used_as_soon_as_the_first_one_looks() {
    let lines = spent(Quota::per_hour(1));
    let start = Instant::now();
    let first = tokio::spawn(lines.acquire("key"));
    let second = tokio::spawn(lines.acquire("key"));
    tokio::task::yield_now().await;
    let _new = lines.limiter().with_quota(Quota::per_second(1));
    lines.recheck();
    first.await.unwrap().unwrap();
    assert_eq!(start.elapsed(), ms(1_000));
    second.await.unwrap().unwrap();
    assert_eq!(start.elapsed(), ms(2_000));
}

#[tokio::test(start_paused = true)]
async fn what_is_given_back_is_taken_as_soon_as_the_first_one_looks() {
    let lines = lines(Quota::per_hour(3));
    let charged = lines.limiter().now();
    assert!(lines.limiter().check_n("key", 3).is_allowed());
    let mut first = ByHand::waiting(lines.acquire_n("key", 2));
    assert_eq!(lines.limiter().refund("key", 2, charged), 2);
    assert!(!first.is_woken());
    lines.recheck();
    assert!(first.is_woken());
    assert!(first.poll().unwrap().is_ok());
    // Nobody to be woken.
    lines.recheck();
}

#[tokio::test(start_paused = true)]
async fn who_wants_more_than_a_lowered_burst_learns_it_when_it_is_his_turn() {
    let lines = spent(Quota::per_second(10).burst(5));
    let first = tokio::spawn(lines.acquire("key"));
    let large = tokio::spawn(lines.acquire_n("key", 5));
    let small = tokio::spawn(lines.acquire_n("key", 2));
    tokio::task::yield_now().await;
    let _new = lines.limiter().with_quota(Quota::per_second(10).burst(2));
    first.await.unwrap().unwrap();
    assert_eq!(large.await.unwrap(), Err(AcquireError::Never { cost: 5, limit: 2 }));
    small.await.unwrap().unwrap();
    assert_eq!(lines.waiting("key"), 0);
}

#[tokio::test(start_paused = true)]
async fn a_key_that_is_closed_for_ever_is_no_reason_to_wait() {
    let lines = spent(Quota::per_second(10).burst(1));
    let waiting = tokio::spawn(lines.acquire("key"));
    tokio::task::yield_now().await;
    lines.limiter().penalize("key", Duration::MAX);
    assert_eq!(waiting.await.unwrap(), Err(AcquireError::Never { cost: 1, limit: 1 }));
    assert_eq!(lines.acquire("key").await, Err(AcquireError::Never { cost: 1, limit: 1 }));
}

#[tokio::test(start_paused = true)]
async fn a_wait_longer_than_any_timer_is_a_wait_all_the_same() {
    let century = Quota::new(1, Duration::from_secs(100 * 365 * 86_400)).unwrap();
    let lines = spent(century);
    let start = Instant::now();
    lines.acquire("key").await.unwrap();
    assert_eq!(start.elapsed(), century.period());
}

#[tokio::test(start_paused = true)]
async fn what_was_waited_for_is_refunded_as_of_the_instant_after_the_wait() {
    for (after, given_back) in [(false, 0), (true, 10)] {
        let lines = spent(Quota::per_second(10));
        let limiter = lines.limiter();
        let before = limiter.now();
        lines.acquire_n("key", 10).await.unwrap();
        let charged = if after { limiter.now() } else { before };
        // As of an instant before the wait all of it has come back: in the wait.
        assert_eq!(limiter.refund("key", 10, charged), given_back);
    }
}
