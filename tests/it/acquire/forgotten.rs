//! Futures that are kept and never polled again, or leaked: nothing can tell them from slow ones.

use tokio::time::Instant;
use tower_ratelimit::Quota;
use tower_ratelimit::acquire::AcquireError;

use super::support::{ByHand, ms, spent};

#[expect(clippy::mem_forget, reason = "what these tests are about")]
fn forget(future: ByHand) {
    std::mem::forget(future);
}

#[tokio::test(start_paused = true)]
async fn a_leaked_future_holds_up_the_line_for_a_fifth_of_a_second() {
    // leaky-bucket: the task that slept for all was leaked, and nobody was ever served again.
    let lines = spent(Quota::per_second(10).burst(5));
    let start = Instant::now();
    forget(ByHand::waiting(lines.acquire("key")));
    let served = [(); 3].map(|()| tokio::spawn(lines.acquire("key")));
    for task in served {
        task.await.unwrap().unwrap();
    }
    // Due at 100 ms, called at 200, passed over at 300; three units are there then.
    assert_eq!(start.elapsed(), ms(300));
    assert_eq!(lines.waiting("key"), 0, "it still has a place");
    assert_eq!(lines.limiter().peek("key").remaining(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_thousand_leaked_together_hold_it_up_no_longer() {
    let lines = spent(Quota::per_second(1_000).burst(1));
    let start = Instant::now();
    for _ in 0..1_000 {
        forget(ByHand::waiting(lines.acquire("key")));
    }
    lines.acquire("key").await.unwrap();
    // Due at 1 s as it seemed when it came, and nobody looked before.
    assert_eq!(start.elapsed(), ms(1_000) + ms(200));

    // Who comes when the first one is overdue already need not wait for that.
    for _ in 0..1_000 {
        forget(ByHand::waiting(lines.acquire("key")));
    }
    tokio::time::advance(ms(500)).await;
    let start = Instant::now();
    lines.acquire("key").await.unwrap();
    assert_eq!(start.elapsed(), ms(100));
}

#[tokio::test(start_paused = true)]
async fn leaked_in_the_middle_they_hold_up_only_those_behind() {
    let lines = spent(Quota::per_second(10).burst(10));
    let start = Instant::now();
    let first = tokio::spawn(lines.acquire("key"));
    tokio::task::yield_now().await;
    for _ in 0..3 {
        forget(ByHand::waiting(lines.acquire("key")));
    }
    let last = tokio::spawn(lines.acquire("key"));
    first.await.unwrap().unwrap();
    assert_eq!(start.elapsed(), ms(100));
    last.await.unwrap().unwrap();
    // It watches its predecessor, whose turn was at 400 ms.
    assert_eq!(start.elapsed(), ms(600));
    assert_eq!(lines.limiter().peek("key").remaining(), 4);
}

#[tokio::test(start_paused = true)]
async fn when_many_have_left_the_next_one_looks_after_the_first_in_time() {
    let lines = spent(Quota::per_second(1).burst(1));
    let start = Instant::now();
    let gone: Vec<_> = (0..500).map(|_| ByHand::waiting(lines.acquire("key"))).collect();
    let mut leaked = ByHand::waiting(lines.acquire("key"));
    let last = tokio::spawn(lines.acquire("key"));
    tokio::task::yield_now().await;
    drop(gone);
    assert!(leaked.is_woken() && leaked.poll().is_none());
    forget(leaked);
    last.await.unwrap().unwrap();
    // Its own turn was to be at 502 s.
    assert_eq!(start.elapsed(), ms(1_200));
}

#[tokio::test(start_paused = true)]
async fn who_was_passed_over_is_first_again_when_polled() {
    let lines = spent(Quota::per_second(10).burst(1));
    let start = Instant::now();
    let mut slow = ByHand::waiting(lines.acquire("key"));
    let [second, third] = [(); 2].map(|()| tokio::spawn(lines.acquire("key")));
    second.await.unwrap().unwrap();
    assert_eq!((start.elapsed(), lines.waiting("key")), (ms(300), 1));

    assert!(slow.is_woken());
    assert!(slow.poll().is_none(), "there is no unit");
    assert_eq!(lines.waiting("key"), 2);
    let (slow, instant) = slow.finish().await;
    assert!(slow.is_ok());
    assert_eq!(instant, start + ms(400), "before the third");
    third.await.unwrap().unwrap();
    assert_eq!(start.elapsed(), ms(500));
}

#[tokio::test(start_paused = true)]
async fn who_was_passed_over_can_be_dropped() {
    let lines = spent(Quota::per_second(10).burst(1));
    let slow = ByHand::waiting(lines.acquire("key"));
    lines.acquire("key").await.unwrap();
    let third = ByHand::waiting(lines.acquire("key"));
    drop(slow);
    assert!(!third.is_woken(), "it was first already");
    third.finish().await.0.unwrap();
    assert_eq!(lines.waiting("key"), 0);
}

#[tokio::test(start_paused = true)]
async fn a_call_is_answered_by_who_is_there() {
    let lines = spent(Quota::per_second(10).burst(4));
    let start = Instant::now();
    let mut slow = ByHand::waiting(lines.acquire_n("key", 3));
    let other = tokio::spawn(lines.acquire("key"));
    // Due at 300 ms; woken, and busy for 190 ms with something else.
    tokio::time::advance(ms(490)).await;
    tokio::task::yield_now().await;
    assert!(slow.poll().unwrap().is_ok(), "it lost its place within its time");
    other.await.unwrap().unwrap();
    assert_eq!(start.elapsed(), ms(490));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_was_answered_is_over() {
    let lines = spent(Quota::per_second(10).burst(1));
    let mut first = ByHand::waiting(lines.acquire("key"));
    let mut second = ByHand::waiting(lines.acquire("key"));
    let mut third = ByHand::waiting(lines.acquire("key"));
    tokio::time::advance(ms(200)).await;
    // The second one misses the first and calls; the unit is somebody else's.
    assert!(second.poll().is_none());
    assert!(lines.limiter().check("key").is_allowed());
    assert!(first.is_woken() && first.poll().is_none());
    // What is ahead is certain again.
    let hurry = ByHand::new(lines.acquire("key").within(ms(350))).poll();
    assert_eq!(hurry, Some(Err(AcquireError::TooLate { wait: Some(ms(400)) })));

    // Next time it is the third that misses the first; the second is polled as soon as it is called, and loses nothing.
    tokio::time::advance(ms(250)).await;
    assert!(third.poll().is_none());
    tokio::time::advance(ms(50)).await;
    assert!(second.is_woken() && second.poll().is_none());
    tokio::time::advance(ms(50)).await;
    assert!(third.poll().is_none(), "it passed the second");
    assert!(second.poll().unwrap().is_ok());
    assert_eq!(lines.waiting("key"), 1, "the first is passed over");
}

#[tokio::test(start_paused = true)]
async fn leaked_futures_refuse_nobody_for_long() {
    // What they want is counted as ahead as long as they are in line; who is refused for it would never learn that they
    // are not there.
    let lines = spent(Quota::per_second(10).burst(100)).max_waiting(3);
    for _ in 0..3 {
        forget(ByHand::waiting(lines.acquire_n("key", 50)));
    }
    let full = Err(AcquireError::Full { waiting: 3 });
    assert_eq!(lines.acquire("key").await, full);
    tokio::time::advance(ms(5_100)).await;
    assert_eq!(lines.acquire("key").await, full, "the first one may be on its way");
    tokio::time::advance(ms(100)).await;
    assert!(lines.acquire("key").await.is_ok());

    let lines = spent(Quota::per_second(10).burst(100));
    for _ in 0..3 {
        forget(ByHand::waiting(lines.acquire_n("key", 50)));
    }
    let hurry = || lines.acquire("key").within(ms(150));
    assert!(hurry().await.is_err());
    tokio::time::advance(ms(5_100)).await;
    // No longer certain: whether the fifteen seconds of units ahead will be taken is in question.
    hurry().await.unwrap();
}
