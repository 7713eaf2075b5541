//! What is refused, and when.

use std::time::Duration;

use tokio::time::Instant;
use tower_ratelimit::Quota;
use tower_ratelimit::acquire::AcquireError;

use super::support::{ByHand, lines, ms, spent};

#[tokio::test(start_paused = true)]
async fn more_than_the_burst_is_refused_at_once_whoever_waits() {
    let lines = lines(Quota::per_second(10).burst(3));
    let never = |cost| Some(Err(AcquireError::Never { cost, limit: 3 }));
    assert_eq!(ByHand::new(lines.acquire_n("key", 4)).poll(), never(4));
    assert_eq!(lines.limiter().len(), 0, "a key was stored for nothing");

    lines.acquire_n("key", 3).await.unwrap();
    let mut line: Vec<_> = (0..5).map(|_| ByHand::waiting(lines.acquire_n("key", 2))).collect();
    for cost in [4, u64::MAX] {
        assert_eq!(ByHand::new(lines.acquire_n("key", cost)).poll(), never(cost));
        let within = lines.acquire_n("key", cost).within(ms(10_000));
        assert_eq!(ByHand::new(within).poll(), never(cost));
    }
    assert_eq!(lines.waiting("key"), 5);
    line.drain(..4);
    assert!(line.remove(0).finish().await.0.is_ok());
}

#[tokio::test(start_paused = true)]
async fn who_is_certain_to_be_too_late_is_refused_at_once() {
    let lines = spent(Quota::per_second(10).burst(5));
    let late = |wait| Some(Err(AcquireError::TooLate { wait: Some(ms(wait)) }));
    // By the limiter's own wait.
    assert_eq!(ByHand::new(lines.acquire_n("key", 3).within(ms(299))).poll(), late(300));
    assert_eq!(ByHand::new(lines.acquire_n("key", 3).within(Duration::ZERO)).poll(), late(300));

    // By that and what is ahead: 300 ms, and five units.
    let line: Vec<_> = [2, 1].map(|cost| ByHand::waiting(lines.acquire_n("key", cost))).into();
    assert_eq!(ByHand::new(lines.acquire_n("key", 5).within(ms(799))).poll(), late(800));
    assert_eq!(lines.waiting("key"), 2);

    // To the millisecond: this one is just in time.
    let start = Instant::now();
    let just = tokio::spawn(lines.acquire_n("key", 5).within(ms(800)));
    for ahead in line {
        tokio::spawn(ahead.future);
    }
    just.await.unwrap().unwrap();
    assert_eq!(start.elapsed(), ms(800));
}

#[tokio::test(start_paused = true)]
async fn a_long_line_is_no_reason_to_refuse_somebody_who_has_time() {
    // Beyond the burst, for which a limiter alone would have no answer.
    let lines = spent(Quota::per_second(10).burst(1));
    let line: Vec<_> = (0..1_000).map(|_| ByHand::waiting(lines.acquire("key"))).collect();
    let refused = ByHand::new(lines.acquire("key").within(ms(100_099))).poll();
    assert_eq!(refused, Some(Err(AcquireError::TooLate { wait: Some(ms(100_100)) })));
    let _in_time = ByHand::waiting(lines.acquire("key").within(ms(100_100)));
    assert_eq!(lines.waiting("key"), 1_001);
    drop(line);
    assert_eq!(lines.waiting("key"), 1);
    // Nobody is ahead any more but one.
    let _soon = ByHand::waiting(lines.acquire("key").within(ms(200)));
}

#[tokio::test(start_paused = true)]
async fn a_deadline_that_is_reached_waiting_ends_the_wait() {
    let lines = spent(Quota::per_second(10).burst(1));
    let start = Instant::now();
    let mut behind: Vec<_> = (0..3).map(|_| ByHand::waiting(lines.acquire("key").within(ms(350)))).collect();
    // Somebody who does not stand in line takes the first two units.
    for _ in 0..2 {
        tokio::time::advance(ms(100)).await;
        assert!(lines.limiter().check("key").is_allowed());
        assert!(behind[0].poll().is_none());
    }
    tokio::time::advance(ms(100)).await;
    assert!(behind[0].poll().unwrap().is_ok());
    // The second one is called, and cannot be in time any more.
    assert!(behind[1].is_woken());
    assert_eq!(behind[1].poll(), Some(Err(AcquireError::TooLate { wait: Some(ms(100)) })));
    assert!(behind[2].is_woken(), "it was its turn then");
    assert_eq!(behind[2].poll(), Some(Err(AcquireError::TooLate { wait: Some(ms(100)) })));
    assert_eq!((start.elapsed(), lines.waiting("key")), (ms(300), 0));
}

#[tokio::test(start_paused = true)]
async fn a_deadline_is_kept_behind_somebody_who_has_more_time() {
    let lines = spent(Quota::per_second(10).burst(1));
    let start = Instant::now();
    let first = tokio::spawn(lines.acquire("key"));
    let second = tokio::spawn(lines.acquire("key").within(ms(250)));
    tokio::task::yield_now().await;
    // Nothing of that was known when it came.
    lines.limiter().penalize("key", Duration::from_secs(60));
    assert_eq!(second.await.unwrap(), Err(AcquireError::TooLate { wait: None }));
    assert_eq!((start.elapsed(), lines.waiting("key")), (ms(250), 1));
    first.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_deadline_itself_is_in_time() {
    let lines = spent(Quota::per_second(10).burst(1));
    lines.acquire("key").within(ms(100)).await.unwrap();
    // Units that are there need no time.
    tokio::time::advance(ms(100)).await;
    lines.acquire("key").within(Duration::ZERO).await.unwrap();
    // Counted from when it was asked for, not from the first poll.
    let asked = lines.acquire("key").within(ms(50));
    tokio::time::advance(ms(60)).await;
    assert_eq!(asked.await, Err(AcquireError::TooLate { wait: Some(ms(40)) }));
    // As good as none.
    lines.acquire("key").within(Duration::MAX).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_full_line_refuses_the_next_one_and_no_other_key() {
    let lines = spent(Quota::per_second(10).burst(1)).max_waiting(2);
    assert!(lines.limiter().check("other").is_allowed());
    let line = [(); 2].map(|()| ByHand::waiting(lines.acquire("key")));
    let full = ByHand::new(lines.acquire("key")).poll();
    assert_eq!(full, Some(Err(AcquireError::Full { waiting: 2 })));
    let _other = ByHand::waiting(lines.acquire("other"));

    drop(line);
    let _room = ByHand::waiting(lines.acquire("key"));
    let nobody = lines.clone().max_waiting(0);
    assert_eq!(nobody.acquire("third").await.unwrap().remaining(), 0);
    assert_eq!(nobody.acquire("third").await, Err(AcquireError::Full { waiting: 0 }));
}

#[tokio::test(start_paused = true)]
async fn ten_thousand_may_wait_for_a_key_unless_told_otherwise() {
    let lines = spent(Quota::per_second(10).burst(1));
    let line: Vec<_> = (0..10_000).map(|_| ByHand::waiting(lines.acquire("key"))).collect();
    assert_eq!(ByHand::new(lines.acquire("key")).poll(), Some(Err(AcquireError::Full { waiting: 10_000 })));
    assert_eq!(lines.waiting("key"), line.len());
}

#[tokio::test(start_paused = true)]
async fn a_cost_of_nothing_does_not_wait() {
    let lines = spent(Quota::per_second(10).burst(1));
    let _first = ByHand::waiting(lines.acquire("key"));
    assert!(ByHand::new(lines.acquire_n("key", 0)).poll().unwrap().is_ok());
}

#[test]
fn errors_say_what_to_do_about_them() {
    let say = |error: AcquireError| error.to_string();
    assert_eq!(
        say(AcquireError::Never { cost: 12, limit: 10 }),
        "a cost of 12 can never be admitted: at most 10 units are available at once"
    );
    assert_eq!(say(AcquireError::Never { cost: 1, limit: 10 }), "a cost of 1 can never be admitted any more");
    assert_eq!(
        say(AcquireError::TooLate { wait: Some(ms(1_500)) }),
        "the deadline cannot be met: it takes another 1.5s at least"
    );
    assert_eq!(
        say(AcquireError::TooLate { wait: None }),
        "the deadline was reached before it was one's turn"
    );
    assert_eq!(say(AcquireError::Full { waiting: 7 }), "the line is full: 7 are waiting already");
}
