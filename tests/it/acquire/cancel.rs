//! Who does not wait any longer has taken nothing, and is in nobody's way.

use tokio::time::Instant;
use tower_ratelimit::Quota;

use super::support::{ByHand, ms, spent};

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
