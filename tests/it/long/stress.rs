//! All processors on a few keys for a minute: what was admitted lies between what the limit promises and what it allows.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use rate_core::algorithm::{Algorithm, AlgorithmName, AnyAlgorithm, CalendarWindow};
use rate_core::{Clock, KeyedLimiter, MonotonicClock, Quota, check_all};

use super::asked_for;

const KEYS: usize = 4;
const LIMIT: u64 = 1_000;
const PERIOD: Duration = Duration::from_millis(100);

/// Units per key, and whether anybody should go on.
#[derive(Default)]
struct Ledger {
    admitted: [AtomicU64; KEYS],
    is_over: AtomicBool,
}

#[test]
fn stress_every_algorithm() {
    // A fifth of a second does no harm to anybody, and a minute is what it takes to believe it.
    let time = if asked_for("a minute on all processors") {
        Duration::from_secs(10)
    } else {
        Duration::from_millis(200)
    };
    for name in AlgorithmName::ALL {
        let quota = Quota::new(LIMIT, PERIOD).expect("a quota");
        let limit = match name {
            AlgorithmName::CalendarWindow => CalendarWindow::day(LIMIT).into(),
            name => name.over(quota).expect("a limit"),
        };
        // Room for the keys and not much more, so that strangers push at them.
        let limiter = KeyedLimiter::builder_of(limit).capacity(64).build().expect("a few keys");
        let other = KeyedLimiter::builder_of(limit).capacity(64).build().expect("a few keys");
        let (ledger, clock) = (Ledger::default(), MonotonicClock::new());
        let start = clock.now();
        let threads = std::thread::available_parallelism().map_or(2, usize::from).max(2);
        std::thread::scope(|scope| {
            for thread in 0..threads {
                let (limiter, other, ledger) = (&limiter, &other, &ledger);
                scope.spawn(move || hammer(thread, limiter, other, ledger));
            }
            std::thread::sleep(time);
            ledger.is_over.store(true, Ordering::Relaxed);
        });
        let elapsed = clock.now().saturating_duration_since(start);
        let periods = elapsed.as_nanos() / limit.quota().period().as_nanos();
        // A turn that nobody is there for is lost, and two threads are not always there.
        let least = if name == AlgorithmName::LeakyBucket { LIMIT / 10 } else { LIMIT };
        for admitted in &ledger.admitted {
            let admitted = u128::from(admitted.load(Ordering::Relaxed));
            // Of each period, of the one that had begun, and what bounds allow once besides.
            let most = u128::from(LIMIT) * (periods + 2) + u128::from(limit.bounds().units());
            assert!(admitted <= most, "{limit}: {admitted} in {elapsed:?}, at most {most}");
            assert!(
                admitted >= u128::from(least),
                "{limit}: {admitted} in {elapsed:?}, and everybody wanted more"
            );
            println!("{limit}: {admitted} admitted in {elapsed:?}, at most {most}");
        }
        assert_eq!(limiter.evictions(), 0, "{limit}: there was room");
    }
}

/// Takes one unit after the other: alone, together with another limit in either order, and gives some back.
fn hammer(
    thread: usize,
    limiter: &KeyedLimiter<AnyAlgorithm>,
    other: &KeyedLimiter<AnyAlgorithm>,
    ledger: &Ledger,
) {
    let clock = MonotonicClock::new();
    let mut step = thread;
    while !ledger.is_over.load(Ordering::Relaxed) {
        step += 1;
        let (key, now) = (step % KEYS, clock.now());
        let taken = match step % 8 {
            0 => check_all([limiter.charge(&key, 1), other.charge(&(key, "b"), 1)], now).is_allowed(),
            1 => check_all([other.charge(&(key, "a"), 1), limiter.charge(&key, 1)], now).is_allowed(),
            2 => {
                let taken = limiter.take_up_to_at(&key, 3, now);
                ledger.admitted[key].fetch_add(taken, Ordering::Relaxed);
                false
            }
            3 => {
                limiter.penalize_at(&(key, "stranger"), Duration::from_nanos(1), now);
                false
            }
            _ => limiter.check_at(&key, now).is_allowed(),
        };
        ledger.admitted[key].fetch_add(u64::from(taken), Ordering::Relaxed);
    }
}
