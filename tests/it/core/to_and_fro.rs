//! A limit that changes to another and back: whoever went along has no more than if everybody had stayed.

use std::time::Duration;

use rate_core::algorithm::{AlgorithmName, AnyAlgorithm, FixedWindow, SlidingLog};
use rate_core::{KeyedLimiter, ManualClock, Quota, Timestamp};

use super::random::Random;

const KEY: &str = "eve";

fn limiter(limit: AnyAlgorithm) -> KeyedLimiter<AnyAlgorithm> {
    KeyedLimiter::builder_of(limit).clock(ManualClock::new()).capacity(8).build().expect("eight keys fit")
}

/// Seconds after a day has begun.
fn at(seconds: u64) -> Timestamp {
    Timestamp::ZERO.saturating_add(Duration::from_secs(10 * 86_400 + seconds))
}

/// What the key has left at each of the instants.
fn course(limiter: &KeyedLimiter<AnyAlgorithm>, instants: &[Timestamp]) -> Vec<u64> {
    instants.iter().map(|now| limiter.peek_at(KEY, *now).remaining()).collect()
}

#[test]
fn no_algorithm_begins_anew_when_a_limit_comes_back() {
    // Two seconds of five per second gave back all of five per day, but to a token bucket: fifty in forty seconds.
    for name in AlgorithmName::ALL {
        let slow = name.over(Quota::per_day(5)).expect("a limit");
        // Of a calendar's windows there is none of a second.
        let fast = name.over(Quota::per_second(5));
        let fast = fast.unwrap_or_else(|_| FixedWindow::new(Quota::per_second(5)).into());
        let mut limiter = limiter(slow);
        let mut taken = 0;
        for step in 0..10 {
            taken += limiter.take_up_to_at(KEY, 5, at(4 * step));
            limiter = limiter.with_limit_at(fast, at(4 * step + 1));
            assert!(limiter.check_n_at("new", 0, at(4 * step + 1)).is_allowed());
            limiter = limiter.with_limit_at(slow, at(4 * step + 3));
        }
        assert_eq!(taken, 5, "{name}");
    }
}

/// A limit whose periods are some ten to ten thousand ticks.
fn small(random: &mut Random) -> AnyAlgorithm {
    loop {
        let limit = 1 + random.below(12);
        let period = Duration::from_nanos(random.one_of(&[10, 12, 100, 144, 1_000, 10_000]));
        let name = random.one_of(&AlgorithmName::ALL);
        let Ok(quota) = Quota::new(limit, period) else { continue };
        match name.over(quota) {
            Ok(AnyAlgorithm::FixedWindow(window)) if random.below(2) == 0 => {
                return window.staggered().into();
            }
            Ok(limit) => return limit,
            Err(_) => {}
        }
    }
}

#[test]
fn whoever_goes_to_and_fro_has_no_more_at_any_time_than_who_stayed() {
    let (mut returned, mut spent) = (0, 0);
    for seed in 0..1_000 {
        let mut random = Random::new(seed);
        let limits: Vec<_> = (0..2 + seed % 3).map(|_| small(&mut random)).collect();
        // Every instant at which anything is asked, and some more: nearer to each other at times.
        let mut now = 1_000_000 + random.below(10_000);
        let instants: Vec<_> = (0..120)
            .map(|_| {
                let pause = random.one_of(&[0, 1, 12, 1_000]);
                now += random.below(pause + 1);
                Timestamp::from_nanos(now)
            })
            .collect();
        let mut stayed: Vec<Option<Vec<u64>>> = vec![None; limits.len()];
        let (mut current, mut limiter) = (0, limiter(limits[0]));
        for (step, now) in instants.iter().enumerate() {
            match random.below(4) {
                0 => {
                    let next = random.below(limits.len() as u64) as usize;
                    if limits[next] == limits[current] {
                        continue;
                    }
                    stayed[current] = Some(course(&limiter, &instants));
                    // Now and then by a clock that is late.
                    let late = if random.below(4) == 0 { random.below(50) } else { 0 };
                    let then = Timestamp::from_nanos(now.as_nanos() - late);
                    (current, limiter) = (next, limiter.with_limit_at(limits[next], then));
                    let Some(stayed) = &stayed[current] else { continue };
                    let found = course(&limiter, &instants);
                    for later in step..instants.len() {
                        assert!(
                            found[later] <= stayed[later],
                            "seed {seed}: {} of {} at {:?}, back since {now:?}, and {} had it stayed",
                            found[later],
                            limits[current],
                            instants[later],
                            stayed[later],
                        );
                        spent += u64::from(found[later] < limits[current].quota().limit());
                    }
                    returned += 1;
                }
                1 => limiter.penalize_at(KEY, Duration::from_nanos(random.below(3) * 20), *now),
                _ => {
                    let _ = limiter.take_up_to_at(KEY, 1 + random.below(6), *now);
                }
            }
        }
    }
    assert!(returned > 5_000 && spent > 100_000, "{returned} returns, {spent} times with anything used");
}

#[test]
fn whoever_takes_nothing_elsewhere_is_no_worse_off_than_who_stayed() {
    // As a log, or a counter, what had been used counted as used at each return: who went to and fro oftener than once a period never
    // had it back.
    let elsewhere = ["5/s", "5/s leaky-bucket", "5/s fixed-window", "5/s sliding-window", "5/s sliding-log"];
    let instants: Vec<_> = (0..200).map(at).collect();
    for name in AlgorithmName::ALL {
        for other in elsewhere {
            let quota =
                if name == AlgorithmName::CalendarWindow { Quota::per_day(8) } else { Quota::per_minute(8) };
            let (limit, other) = (name.over(quota).expect("a limit"), other.parse().expect("a limit"));
            for used in [1, 3, 8] {
                let limiter = limiter(limit);
                let taken = limiter.take_up_to_at(KEY, used, at(0)) > 0;
                assert!(taken, "{limit}");
                let stayed = course(&limiter, &instants);
                let mut limiter = limiter;
                for seconds in (5..190).step_by(10) {
                    limiter = limiter.with_limit_at(other, at(seconds)).with_limit_at(limit, at(seconds + 5));
                    let found = course(&limiter, &instants[seconds as usize + 5..]);
                    assert_eq!(
                        found,
                        stayed[seconds as usize + 5..],
                        "{limit}, {used} used, and {other} at {seconds} s"
                    );
                }
            }
        }
    }
}

#[test]
fn a_log_whose_period_changes_gives_its_units_back() {
    // Each change counted them as taken then: while the period changed three times a minute they never expired.
    let minute = AnyAlgorithm::from(SlidingLog::new(Quota::per_minute(10)));
    let longer: AnyAlgorithm = "10/2min sliding-log".parse().expect("a limit");
    let mut limiter = limiter(minute);
    assert!(limiter.check_n_at(KEY, 10, at(0)).is_allowed());
    // A third of their period goes in the first twenty seconds, a sixth in the next. And back in either they are there no less than if
    // they had stayed in the longer one.
    for (seconds, limit, left) in [(20, longer, 80), (40, minute, 30), (60, longer, 40), (80, minute, 20)] {
        limiter = limiter.with_limit_at(limit, at(seconds));
        let wait = limiter.check_at(KEY, at(seconds)).retry_after();
        assert_eq!(wait, Some(Duration::from_secs(left)), "since {seconds} s");
    }
    assert!(limiter.check_n_at(KEY, 10, at(100)).is_allowed());
}
