//! Rows about waiting in line. More of it is with the tests of `acquire`.

use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};
use tower_ratelimit::acquire::{Limiter, TokioClock};
use tower_ratelimit::{Quota, Timestamp};

use crate::acquire::support::{ByHand, lines, ms, serve};
use crate::core::random::Random;

#[tokio::test(start_paused = true)]
async fn fifo_wait() {
    // governor's `until_ready` woke everybody for each unit, and of a thousand five hundred left out of order.
    let (start, lines) = (Instant::now(), lines(Quota::per_second(1_000).burst(1)));
    let expected: Vec<_> = (0..1_000).map(|number| (number, start + ms(number as u64))).collect();
    assert_eq!(serve(&lines, &[1; 1_000]).await, expected);
}

#[tokio::test(start_paused = true)]
async fn cancel_wait() {
    // tower-resilience#363: a waiter that was told to wait twice was admitted without a permit.
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

    // And one that neither leaves nor is polled again holds nobody up for long.
    let forgotten = ByHand::waiting(lines.acquire_n("key", 10));
    let start = Instant::now();
    lines.acquire("key").await.unwrap();
    assert!(start.elapsed() <= ms(10 + 200 + 1), "{:?}", start.elapsed());
    drop(forgotten);
}
