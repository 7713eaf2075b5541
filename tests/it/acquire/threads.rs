//! Many tasks on several threads, in real time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::task::JoinSet;
use tower_ratelimit::Quota;
use tower_ratelimit::acquire::{AsyncKeyedLimiter, KeyedLimiter};

use crate::core::random::Random;

#[test]
fn on_several_threads_no_unit_is_given_twice_and_nobody_is_left_behind() {
    const KEYS: usize = 3;
    let quota = Quota::per_second(20_000).burst(50);
    let lines = AsyncKeyedLimiter::new(KeyedLimiter::new(quota));
    let admitted: Arc<[AtomicU64; KEYS]> = Arc::default();
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_time().build().unwrap();
    let start = lines.limiter().now();
    let served: u64 = runtime.block_on(async {
        let mut tasks = JoinSet::new();
        for seed in 0..60 {
            let (lines, admitted) = (lines.clone(), admitted.clone());
            tasks.spawn(async move {
                let mut random = Random::new(seed);
                let mut served = 0;
                for _ in 0..200 {
                    let (key, cost) = (random.below(KEYS as u64) as usize, 1 + random.below(5));
                    let mut future = lines.acquire_n(&key, cost);
                    // Some of them are dropped, after so many polls.
                    let polls = random.below(8);
                    let answer = tokio::select! {
                        biased;
                        answer = &mut future => Some(answer),
                        () = yields(polls), if polls < 3 => None,
                    };
                    drop(future);
                    if let Some(answer) = answer {
                        answer.unwrap();
                        admitted[key].fetch_add(cost, Ordering::Relaxed);
                        served += 1;
                    }
                }
                served
            });
        }
        tasks.join_all().await.into_iter().sum()
    });
    let elapsed = lines.limiter().now().saturating_duration_since(start);
    let most =
        u128::from(quota.burst_size()) + u128::from(quota.limit()) * elapsed.as_nanos() / 1_000_000_000;
    for (key, admitted) in admitted.iter().enumerate() {
        let admitted = admitted.load(Ordering::Relaxed);
        assert!(
            u128::from(admitted) <= most,
            "{admitted} of key {key} in {elapsed:?}, at most {most} were due"
        );
        assert_eq!(lines.waiting(&key), 0);
    }
    assert!(served > 60 * 100, "{served} are too few to mean anything");
}

async fn yields(times: u64) {
    for _ in 0..times {
        tokio::task::yield_now().await;
    }
}
