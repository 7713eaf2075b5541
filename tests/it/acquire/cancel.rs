//! Who does not wait any longer has taken nothing, and is in nobody's way.

use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};
use tower_ratelimit::acquire::{Limiter, TokioClock};
use tower_ratelimit::{Quota, Timestamp};

use super::support::{ByHand, lines, ms, spent};
use crate::core::random::Random;

#[tokio::test(start_paused = true)]
async fn half_of_a_thousand_cancelled_at_random_consume_nothing() {
    let mut random = Random::new(42);
    let quota = Quota::per_second(1_000).burst(10);
    let (lines, replayed) = (lines(quota), Limiter::with_clock(quota, TokioClock::new()));
    let start = Instant::now();
    let mut tasks = JoinSet::new();
    for number in 0..1_000_u64 {
        let lines = lines.clone();
        let patience = if random.below(2) == 0 { ms(random.below(number + 1)) } else { ms(10_000) };
        tasks.spawn(async move {
            let answer = timeout(patience, lines.acquire_n("key", 1 + number % 3)).await;
            (number, Instant::now(), answer.map(Result::unwrap).is_ok())
        });
    }
    let mut left = tasks.join_all().await;
    left.sort_by_key(|&(number, ..)| number);
    let (served, gone): (Vec<_>, Vec<_>) = left.into_iter().partition(|&(_, _, served)| served);
    assert!((450..700).contains(&served.len()), "{} of a thousand were served", served.len());
    assert!(served.is_sorted_by_key(|&(_, instant, _)| instant), "somebody was passed");

    // They were admitted what they would have been without the others, each as soon as nobody was before it.
    let mut before = start;
    for (number, instant, _) in served {
        let cost = 1 + number % 3;
        let at = |instant: Instant| Timestamp::from_nanos((instant - start).as_nanos() as u64);
        let ahead = gone.iter().filter(|&&(other, left, _)| other < number && left <= instant);
        let free = ahead.map(|&(_, left, _)| left).fold(before, Instant::max);
        assert!(
            instant == free || !replayed.peek_n_at(cost, at(instant - ms(1))).is_allowed(),
            "{number} waited for nobody"
        );
        assert!(replayed.check_n_at(cost, at(instant)).is_allowed(), "{number} had no unit");
        before = instant;
    }
    assert_eq!(lines.limiter().peek("key"), replayed.peek());
    assert_eq!(lines.waiting("key"), 0);
}

/// When a future is dropped.
#[derive(Clone, Copy, Debug)]
enum Moment {
    NotPolled,
    First,
    Behind,
    FirstWhenDue,
    BehindWhenCalled,
    Ready,
}

#[tokio::test(start_paused = true)]
async fn a_future_can_be_dropped_in_every_state() {
    use Moment::{Behind, BehindWhenCalled, First, FirstWhenDue, NotPolled, Ready};
    for moment in [NotPolled, First, Behind, FirstWhenDue, BehindWhenCalled, Ready] {
        let lines = spent(Quota::per_second(10).burst(1));
        let start = Instant::now();
        let due = match moment {
            NotPolled => {
                drop(lines.acquire("key"));
                ms(100)
            }
            First => {
                let first = ByHand::waiting(lines.acquire("key"));
                let other = ByHand::waiting(lines.acquire("key"));
                drop(first);
                assert!(other.is_woken(), "nobody told the next one");
                assert_eq!(lines.waiting("key"), 1);
                other.finish().await.0.unwrap();
                assert_eq!(start.elapsed(), ms(100));
                ms(200)
            }
            Behind => {
                let first = ByHand::waiting(lines.acquire("key"));
                let behind = ByHand::waiting(lines.acquire("key"));
                drop(behind);
                assert!(!first.is_woken(), "woken for nothing");
                first.finish().await.0.unwrap();
                ms(200)
            }
            FirstWhenDue => {
                let first = ByHand::waiting(lines.acquire("key"));
                let other = ByHand::waiting(lines.acquire("key"));
                tokio::time::advance(ms(100)).await;
                assert!(first.is_woken());
                drop(first);
                // Its unit is the next one's.
                assert!(other.is_woken());
                assert_eq!(other.finish().await.1, start + ms(100));
                ms(200)
            }
            BehindWhenCalled => {
                let mut first = ByHand::waiting(lines.acquire("key"));
                let called = ByHand::waiting(lines.acquire("key"));
                tokio::time::advance(ms(100)).await;
                assert!(first.poll().unwrap().is_ok());
                assert!(called.is_woken());
                drop(called);
                ms(200)
            }
            Ready => {
                let mut first = ByHand::waiting(lines.acquire("key"));
                tokio::time::advance(ms(100)).await;
                assert!(first.poll().unwrap().is_ok());
                ms(200)
            }
        };
        assert_eq!(lines.waiting("key"), 0, "{moment:?}");
        lines.acquire("key").await.unwrap();
        assert_eq!(start.elapsed(), due, "{moment:?}: a unit is missing, or there is one too many");
        assert_eq!(lines.limiter().peek("key").remaining(), 0, "{moment:?}");
    }
}

#[test]
fn a_future_that_cannot_wait_for_want_of_a_runtime_is_in_nobodys_way() {
    let lines = spent(Quota::per_hour(1));
    let alone = std::thread::spawn({
        let lines = lines.clone();
        move || ByHand::new(lines.acquire("key")).poll().is_some()
    });
    assert!(alone.join().is_err(), "there is no timer");
    assert_eq!(lines.waiting("key"), 0);
    // Who has nothing to wait for needs none.
    assert!(ByHand::new(lines.acquire("other")).poll().unwrap().is_ok());
}

#[tokio::test(start_paused = true)]
async fn nobody_is_admitted_without_a_unit_however_often_he_is_woken() {
    // tower-resilience#363: a waiter that was told to wait twice was admitted without a permit.
    let lines = spent(Quota::per_second(10).burst(1));
    let mut first = ByHand::waiting(lines.acquire("key"));
    for _ in 0..5 {
        tokio::time::advance(ms(100)).await;
        assert!(lines.limiter().check("key").is_allowed(), "somebody else is faster each time");
        assert!(first.is_woken());
        assert!(first.poll().is_none());
    }
    for _ in 0..10 {
        assert!(first.poll().is_none());
    }
    tokio::time::advance(ms(100)).await;
    assert!(first.poll().unwrap().is_ok());
    assert!(!lines.limiter().check("key").is_allowed());
}
