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
        // Where it took anything: of who takes nothing all there is is what was brought.
        let mut stayed: Vec<Option<Vec<u64>>> = vec![None; limits.len()];
        let (mut current, mut limiter, mut has_taken) = (0, limiter(limits[0]), false);
        for (step, now) in instants.iter().enumerate() {
            match random.below(4) {
                0 => {
                    let next = random.below(limits.len() as u64) as usize;
                    if limits[next] == limits[current] {
                        continue;
                    }
                    if has_taken {
                        stayed[current] = Some(course(&limiter, &instants));
                    }
                    has_taken = false;
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
                1 => {
                    let before = course(&limiter, &instants);
                    limiter.penalize_at(KEY, Duration::from_nanos(random.below(3) * 20), *now);
                    has_taken |= course(&limiter, &instants) != before;
                }
                _ => has_taken |= limiter.take_up_to_at(KEY, 1 + random.below(6), *now) > 0,
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
    // A third of their period goes in the first twenty seconds, a sixth in the next. And then they are no less than if they had
    // stayed in the longer one.
    for (seconds, limit, left) in [(20, longer, 80), (40, minute, 30), (60, longer, 40), (80, minute, 20)] {
        limiter = limiter.with_limit_at(limit, at(seconds));
        let wait = limiter.check_at(KEY, at(seconds)).retry_after();
        assert_eq!(wait, Some(Duration::from_secs(left)), "since {seconds} s");
    }
    assert!(limiter.check_n_at(KEY, 10, at(100)).is_allowed());
}

#[test]
fn a_change_that_comes_late_takes_nobody_back() {
    // To an instant of the window before: a nanosecond late was enough for ten more, as often as anybody liked.
    for name in [AlgorithmName::FixedWindow, AlgorithmName::SlidingLog, AlgorithmName::LeakyBucket] {
        let limit = name.over(Quota::per_minute(10)).expect("a limit");
        for other in ["600/h fixed-window", "1000/day calendar-window", "600/h", "600/h sliding-window"] {
            let mut limiter = limiter(limit);
            let mut taken = 0;
            for _ in 0..20 {
                taken += limiter.take_up_to_at(KEY, 10, at(60));
                let late = Timestamp::from_nanos(at(60).as_nanos() - 1);
                limiter =
                    limiter.with_limit_at(other.parse().expect("a limit"), at(60)).with_limit_at(limit, late);
            }
            assert_eq!(taken, 10, "{limit}, and {other}");
        }
    }
}

#[test]
fn requests_through_tiers_that_come_late_take_nobody_back() {
    // A millisecond late, each of them gave back the unit that comes back in a millisecond.
    let fast =
        KeyedLimiter::builder(Quota::per_second(1_000)).clock(ManualClock::new()).build().expect("memory");
    let slow = fast.tier(Quota::per_day(1_000));
    let mut taken = fast.take_up_to_at(KEY, 500, at(1));
    for _ in 0..2_000 {
        let _ = slow.peek_at(KEY, at(1));
        let late = Timestamp::from_nanos(at(1).as_nanos() - 1_000_000);
        let _ = fast.peek_at(KEY, late);
        taken += fast.take_up_to_at(KEY, 1, at(1));
    }
    assert!(taken <= 1_000, "{taken} at one instant, of a burst of a thousand");
}

#[test]
fn what_is_given_back_is_not_found_again() {
    let day = KeyedLimiter::builder(Quota::per_day(10)).clock(ManualClock::new()).build().expect("memory");
    let fast = day.tier(Quota::per_second(5));
    let there_and_back = || {
        let _ = fast.check_at(KEY, at(1));
        day.peek_at(KEY, at(3)).remaining()
    };
    assert!(day.check_n_at(KEY, 10, at(0)).is_allowed());
    assert_eq!(there_and_back(), 0);
    assert_eq!(day.refund_at(KEY, 10, at(0), at(3)), 9, "and what has come back by itself");
    assert_eq!(there_and_back(), 10);
}

#[test]
fn what_was_used_of_a_much_slower_limit_does_not_count_in_one_that_is_adjusted_later() {
    // Ten per day, used up, were all of it at each time that a minute's limit was lowered, all day.
    let bucket = |limit| AnyAlgorithm::from(Quota::per_minute(limit).burst(10));
    let mut limiter = limiter(Quota::per_day(10).into());
    assert!(limiter.check_n_at(KEY, 10, at(0)).is_allowed());
    limiter = limiter.with_limit_at(bucket(60), at(1));
    assert_eq!(limiter.peek_at(KEY, at(2)).remaining(), 1, "a second of sixty");
    for minute in 1..10 {
        assert!(limiter.check_at(KEY, at(60 * minute)).is_allowed());
        limiter = limiter.with_limit_at(bucket(if minute % 2 == 0 { 60 } else { 30 }), at(60 * minute + 30));
        assert_eq!(limiter.peek_at(KEY, at(60 * minute + 30)).remaining(), 10);
    }
    // In the slow one it does.
    limiter = limiter.with_limit_at(Quota::per_day(10).into(), at(600));
    assert_eq!(limiter.peek_at(KEY, at(8_639)).remaining(), 0);
    assert_eq!(limiter.peek_at(KEY, at(8_640)).remaining(), 1);
}

#[test]
fn a_limit_that_is_corrected_at_once_leaves_no_trace() {
    // One unit of a thousand was all of one per second, and then all of a thousand per day.
    for name in AlgorithmName::ALL {
        let day = name.over(Quota::per_day(1_000)).expect("a limit");
        for typo in ["1/s", "1/s leaky-bucket", "1/s fixed-window", "1/s sliding-window", "1/s sliding-log"] {
            let limiter = limiter(day);
            assert!(limiter.check_at(KEY, at(0)).is_allowed());
            let stayed = limiter.peek_at(KEY, at(100));
            let corrected =
                limiter.with_limit_at(typo.parse().expect("a limit"), at(1)).with_limit_at(day, at(1));
            assert_eq!(corrected.peek_at(KEY, at(100)), stayed, "{day}, and {typo}");
        }
    }
}

#[test]
fn a_refund_in_one_tier_gives_nothing_back_in_another() {
    // Who was given back what it had used per day had, besides, what it had used per second.
    let fast =
        KeyedLimiter::builder(Quota::per_second(10)).clock(ManualClock::new()).build().expect("memory");
    let day = fast.tier(Quota::per_day(10));
    assert_eq!(day.take_up_to_at(KEY, 10, at(0)), 10);
    let _ = fast.peek_at(KEY, at(0));
    assert_eq!(fast.take_up_to_at(KEY, 10, at(1)), 10);
    let _ = day.peek_at(KEY, at(1));
    assert_eq!(day.refund_at(KEY, 10, at(0), at(1)), 9);
    assert_eq!(fast.take_up_to_at(KEY, 10, at(1)), 0);
    assert_eq!(fast.take_up_to_at(KEY, 10, at(2)), 10);
}

#[test]
fn who_takes_nothing_is_free_when_all_it_has_used_has_come_back_wherever_it_is() {
    // Of three limits that took turns each began anew what it was brought: for ever.
    for ways in [
        ["10/min", "10/min sliding-window", "10/s"],
        ["10/min fixed-window", "10/min sliding-window", "10/h leaky-bucket"],
        ["10/min sliding-window", "10/h fixed-window", "10/min leaky-bucket"],
        ["10/h fixed-window", "10/h sliding-window", "10/s sliding-log"],
        ["10/min sliding-log", "10/h sliding-log", "10/min"],
    ] {
        let limits = ways.map(|way| way.parse::<AnyAlgorithm>().expect("a limit"));
        let mut limiter = limiter(limits[0]);
        assert!(limiter.check_n_at(KEY, 10, at(0)).is_allowed());
        // Twice as long as a window of the longest fades.
        let end = 4 * limits.map(|limit| limit.quota().period().as_secs()).into_iter().max().expect("three");
        for step in 1..=end / 7 + 3 {
            limiter = limiter.with_limit_at(limits[step as usize % 3], at(7 * step));
            let left = limiter.peek_at(KEY, at(7 * step)).remaining();
            assert!(7 * step < end || left == 10, "{left} of {} at {} s", limiter.limit(), 7 * step);
        }
    }
}
