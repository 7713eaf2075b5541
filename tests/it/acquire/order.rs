//! First come, first served.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;

use tokio::task::JoinSet;
use tokio::time::Instant;
use tower_ratelimit::acquire::{AsyncKeyedLimiter, AsyncLimiter, KeyedLimiter, Limiter, TokioClock};
use tower_ratelimit::{Quota, Timestamp};

use super::support::{ByHand, lines, ms, serve, spent};
use crate::core::random::Random;

#[tokio::test(start_paused = true)]
async fn nobody_passes_somebody_who_wants_more() {
    let mut random = Random::new(41);
    for burst in [1, 2, 7, 50] {
        let quota = Quota::per_second(1_000).burst(burst);
        let (start, lines) = (Instant::now(), lines(quota));
        let costs: Vec<_> = (0..300).map(|_| 1 + random.below(burst)).collect();

        // The same requests one after the other, on a limiter that does not know of lines.
        let (alone, mut now) = (Limiter::new(quota), Timestamp::ZERO);
        let expected = costs.iter().enumerate().map(|(number, &cost)| {
            now = now.saturating_add(alone.peek_n_at(cost, now).retry_after().unwrap());
            assert!(alone.check_n_at(cost, now).is_allowed());
            (number, start + now.saturating_duration_since(Timestamp::ZERO))
        });
        let expected: Vec<_> = expected.collect();
        assert_eq!(serve(&lines, &costs).await, expected, "burst {burst}");
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_finds_a_line_joins_it_even_if_units_are_there() {
    let lines = spent(Quota::per_second(10).burst(10));
    let mut large = ByHand::waiting(lines.acquire_n("key", 5));
    tokio::time::advance(ms(400)).await;
    assert_eq!(lines.limiter().peek("key").remaining(), 4);
    // There is enough for a small one, but somebody was here before.
    let mut small = ByHand::waiting(lines.acquire("key"));
    tokio::time::advance(ms(100)).await;
    assert!(small.poll().is_none(), "it passed the line");
    assert!(large.poll().unwrap().is_ok());
    assert!(small.is_woken() && small.poll().is_none(), "five units were there, for six");
    assert_eq!(small.finish().await.0.unwrap().remaining(), 0);
}

#[tokio::test(start_paused = true)]
async fn when_the_first_one_wakes_late_those_whose_units_are_there_follow_at_once() {
    // A millisecond each, and one timer of a millisecond's resolution: with a timer each they would take twice as long.
    let lines = spent(Quota::per_second(1_000).burst(100));
    let start = Instant::now();
    let mut line: Vec<_> = (0..60).map(|_| ByHand::waiting(lines.acquire("key"))).collect();
    tokio::time::advance(ms(50)).await;
    let mut served = 0;
    while let Some(next) = line.iter_mut().skip(served).find(|next| next.is_woken()) {
        if next.poll().is_none() {
            break;
        }
        served += 1;
    }
    assert_eq!((served, start.elapsed()), (50, ms(50)));
}

#[tokio::test(start_paused = true)]
async fn one_admission_wakes_one_of_those_who_wait() {
    // governor's `until_ready` woke all of them for each, and of a thousand five hundred left out of order.
    let lines = lines(Quota::per_second(1_000).burst(1));
    let mut tasks = JoinSet::new();
    for _ in 0..1_000 {
        let lines = lines.clone();
        tasks.spawn(async move {
            let (mut future, mut polls) = (pin!(lines.acquire("key")), 0);
            poll_fn(|context| {
                polls += 1;
                Pin::as_mut(&mut future).poll(context)
            })
            .await
            .unwrap();
            polls
        });
    }
    let polls = tasks.join_all().await;
    // When it comes, when it is called, when its timer is over.
    assert!(polls.iter().all(|&polls| polls <= 3), "{:?}", polls.iter().max());
}

#[tokio::test(start_paused = true)]
async fn keys_do_not_wait_for_each_other() {
    let lines = lines(Quota::per_second(10).burst(1));
    let start = Instant::now();
    let mut tasks = JoinSet::new();
    for number in 0..50_u64 {
        let lines = lines.clone();
        tasks.spawn(async move {
            lines.acquire(&(number % 5)).await.unwrap();
            (number / 5, Instant::now())
        });
    }
    for (before, instant) in tasks.join_all().await {
        assert_eq!(instant, start + ms(100 * before));
    }
}

#[tokio::test(start_paused = true)]
async fn a_line_is_there_as_long_as_somebody_waits_in_it() {
    let lines = lines(Quota::per_second(10).burst(1));
    let count =
        || format!("{lines:?}").split_once("lines: ").unwrap().1.split(',').next().unwrap().to_owned();
    for key in 0..10 {
        lines.acquire(&key).await.unwrap();
    }
    assert_eq!(count(), "0");
    let mut waiting: Vec<_> = (0..10).map(|key| ByHand::waiting(lines.acquire(&key))).collect();
    waiting.extend((0..10).map(|key| ByHand::waiting(lines.acquire(&key))));
    assert_eq!(count(), "10");
    waiting.drain(..13);
    assert_eq!(count(), "7");
    for waiting in waiting {
        waiting.finish().await.0.unwrap();
    }
    assert_eq!(count(), "0");
}

#[tokio::test(start_paused = true)]
async fn a_future_that_moves_to_another_task_is_woken_there() {
    let lines = spent(Quota::per_second(10).burst(1));
    let first = ByHand::waiting(lines.acquire("key"));
    let ByHand { future, .. } = ByHand::waiting(lines.acquire("key"));
    let mut moved = ByHand::waiting(future);
    drop(first);
    assert!(moved.is_woken(), "its first task was woken");
    assert!(moved.poll().is_none());
    tokio::time::advance(ms(100)).await;
    assert!(moved.is_woken() && moved.poll().unwrap().is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_line_without_keys_is_one_and_the_same_for_all_its_clones() {
    let limiter = Arc::new(Limiter::with_clock(Quota::per_second(10).burst(2), TokioClock::new()));
    let one = AsyncLimiter::new(limiter.clone());
    let (start, other) = (Instant::now(), one.clone());
    assert_eq!(one.acquire_n(2).await.unwrap().remaining(), 0);
    let first = ByHand::waiting(one.acquire_n(2));
    let second = ByHand::waiting(other.acquire());
    assert_eq!((one.waiting(), other.waiting()), (2, 2));
    assert!(!limiter.check().is_allowed());
    let (first, second) = tokio::join!(first.future, second.future);
    assert!(first.is_ok() && second.is_ok());
    assert_eq!((start.elapsed(), one.waiting()), (ms(300), 0));
}

#[tokio::test]
async fn in_real_time_a_line_leaves_in_order_too() {
    let lines = AsyncKeyedLimiter::new(KeyedLimiter::new(Quota::per_second(5_000).burst(20)));
    let served = serve(&lines, &[1; 200]).await;
    assert!(served.iter().map(|(number, _)| *number).eq(0..200), "{served:?}");
}
