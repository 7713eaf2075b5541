//! The wait of somebody who comes after others, against those others really taken one after the other.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::time::Duration;

use rate_core::algorithm::{AlgorithmName, AnyAlgorithm, Calendar, CalendarWindow, FixedWindow, SlidingLog};
use rate_core::{KeyedLimiter, Limiter, Quota, Timestamp};

use super::random::Random;

const DAY: u64 = 86_400_000_000_000;

/// Every algorithm, with limits from 1 to 8.
fn limits(random: &mut Random) -> Vec<AnyAlgorithm> {
    let limit = random.magnitude(8);
    let period = [7, 1_000, 1_000_000_007][random.below(3) as usize];
    let window = Quota::new(limit, Duration::from_nanos(period)).unwrap();
    let bucket = window.burst(random.magnitude(8));
    vec![
        AlgorithmName::Gcra.over(bucket).unwrap(),
        AlgorithmName::LeakyBucket.over(bucket).unwrap(),
        AlgorithmName::FixedWindow.over(window).unwrap(),
        FixedWindow::new(window).staggered().into(),
        AlgorithmName::SlidingWindow.over(window).unwrap(),
        AlgorithmName::SlidingLog.over(window).unwrap(),
        CalendarWindow::day(limit).into(),
        CalendarWindow::try_new(limit, Calendar::Month).unwrap().into(),
    ]
}

/// One key, or none.
enum Subject {
    One(Limiter<AnyAlgorithm>),
    Keyed(KeyedLimiter<AnyAlgorithm>),
}

impl Subject {
    fn check(&self, cost: u64, now: u64) -> Option<u64> {
        let now = Timestamp::from_nanos(now);
        let decision = match self {
            Self::One(limiter) => limiter.check_n_at(cost, now),
            Self::Keyed(limiter) => limiter.check_n_at("key", cost, now),
        };
        decision.retry_after().map(|wait| wait.as_nanos() as u64)
    }

    fn behind(&self, ahead: u64, cost: u64, now: u64) -> Option<u64> {
        let now = Timestamp::from_nanos(now);
        let decision = match self {
            Self::One(limiter) => limiter.peek_behind_at(ahead, cost, now),
            Self::Keyed(limiter) => limiter.charge("key", cost).peek_behind_at(ahead, now),
        };
        decision.retry_after().map(|wait| wait.as_nanos() as u64)
    }

    /// Takes all of these one after the other, each as early as it can, and returns when the last was taken.
    fn serve(&self, line: &[u64], now: u64) -> u64 {
        let mut now = now;
        for &cost in line {
            while let Some(wait @ 1..) = self.check(cost, now) {
                now += wait;
            }
        }
        now
    }
}

#[test]
fn whoever_comes_after_others_waits_at_least_as_long_as_forecast() {
    let mut random = Random::new(31);
    let mut waited = [0_u128; 8];
    for round in 0..2_000 {
        let single_units = round % 2 == 0;
        for (index, limit) in limits(&mut random).into_iter().enumerate() {
            let subject = if round % 4 < 2 {
                Subject::One(Limiter::of(limit))
            } else {
                Subject::Keyed(KeyedLimiter::builder_of(limit).capacity(8).build().unwrap())
            };
            let most = limit.quota().burst_size();
            let portion = |random: &mut Random| if single_units { 1 } else { 1 + random.below(most) };
            let period = limit.quota().period().as_nanos() as u64;
            let mut now = random.below(3_000) * DAY + random.below(period);
            for _ in 0..random.below(12) {
                let _ = subject.check(portion(&mut random), now);
                now += random.below(period / 2);
            }
            // Where a line forms somebody has to wait; but whoever is first may come a little late.
            while random.below(4) > 0 && subject.check(1, now) == Some(0) {}

            let line: Vec<u64> = (0..1 + random.below(20)).map(|_| portion(&mut random)).collect();
            let (last, ahead) = line.split_last().unwrap();
            let forecast = subject.behind(ahead.iter().sum(), *last, now).unwrap();
            let wait = subject.serve(&line, now) - now;
            waited[index] += u128::from(wait);

            let case = format!("{limit}: {line:?} at {now}: {wait} ns, not {forecast}");
            assert!(forecast <= wait, "refused somebody who would have been in time: {case}");
            // A bucket that is full between two ticks loses the fraction, once a portion.
            let lost = if limit.name() == AlgorithmName::Gcra { line.len() as u64 } else { 0 };
            let is_exact = match limit.name() {
                AlgorithmName::Gcra | AlgorithmName::LeakyBucket => true,
                AlgorithmName::FixedWindow | AlgorithmName::SlidingLog => single_units,
                AlgorithmName::CalendarWindow => single_units && limit.quota().period().as_secs() == 86_400,
                _ => false,
            };
            assert!(!is_exact || wait <= forecast + lost, "{case}");
            // The counter lets a unit fewer through per window, or one in two windows where the limit is one.
            assert!(wait <= 2 * forecast + 2 * period, "not worth being asked: {case}");
        }
    }
    assert!(waited.iter().all(|&waited| waited > 0), "nobody ever waited: {waited:?}");
}

#[test]
fn a_forecast_takes_nothing_and_without_others_is_a_peek() {
    let mut random = Random::new(32);
    for _ in 0..300 {
        for limit in limits(&mut random) {
            let keyed = KeyedLimiter::builder_of(limit).capacity(8).build().unwrap();
            let mut now = 100 * DAY;
            for _ in 0..10 {
                let at = Timestamp::from_nanos(now);
                let cost = random.below(10);
                let before = keyed.peek_n_at("key", cost, at);
                assert_eq!(keyed.charge("key", cost).peek_behind_at(0, at), before, "{limit}");
                let behind = keyed.charge("key", cost).peek_behind_at(random.magnitude(1_000), at);
                assert_eq!(
                    (behind.limit(), behind.remaining(), behind.reset_after()),
                    (before.limit(), before.remaining(), before.reset_after()),
                );
                assert!(behind.retry_after().is_none() || behind.retry_after() >= before.retry_after());
                assert_eq!(keyed.peek_n_at("key", cost, at), before, "{limit}: something was taken");
                let _ = keyed.check_n_at("key", cost, at);
                now += random.below(limit.quota().period().as_nanos() as u64);
            }
        }
    }
}

#[test]
fn nothing_is_too_much_to_come_after() {
    let mut random = Random::new(33);
    for _ in 0..50 {
        for limit in limits(&mut random) {
            let most = limit.quota().burst_size();
            for now in [0, 100 * DAY, u64::MAX - 1, u64::MAX] {
                let one = Subject::One(Limiter::of(limit));
                let _ = one.check(most, now);
                for ahead in [0, 1, most, u64::MAX - 1, u64::MAX] {
                    assert_eq!(
                        one.behind(ahead, 0, now),
                        Some(0),
                        "{limit}: nothing has nothing to wait for"
                    );
                    assert_eq!(one.behind(ahead, most + 1, now), None, "{limit}");
                    assert_eq!(one.behind(ahead, u64::MAX, now), None, "{limit}");
                    // An answer, whatever it is, and a later one for more.
                    let waits = [1, most].map(|cost| one.behind(ahead, cost, now).unwrap_or(u64::MAX));
                    assert!(waits.is_sorted(), "{limit}: {waits:?} after {ahead}");
                }
            }
        }
    }
}

#[test]
fn a_forecast_is_of_the_quota_in_force() {
    // A clone made before the change would have said 99 s, and somebody in a hurry would have been sent away.
    let old = KeyedLimiter::new(Quota::per_second(1));
    let now = Timestamp::ZERO;
    assert!(old.check_at("ann", now).is_allowed());
    let _new = old.with_quota_at(Quota::per_second(1_000).burst(1), now);
    let behind = old.charge("ann", 1).peek_behind_at(98, now).retry_after();
    assert_eq!(behind, Some(Duration::from_millis(99)));
}

#[test]
fn a_late_forecast_for_a_key_that_was_dropped_as_fresh_is_none_too_short() {
    // One line of six slots: the seventh key replaces the first, whose log is gone then.
    let limiter =
        KeyedLimiter::builder_of(SlidingLog::new(Quota::per_second(2))).capacity(1).build().unwrap();
    let at = |millis: u64| Timestamp::from_nanos(DAY + millis * 1_000_000);
    assert!(limiter.check_n_at("spent", 2, at(0)).is_allowed());
    for other in 0..6 {
        assert!(limiter.check_at(&other, at(2_000)).is_allowed());
    }
    let late = limiter.charge("spent", 1);
    assert_eq!(late.check_at(at(400)).retry_after(), Some(Duration::from_millis(600)));
    let behind = late.peek_behind_at(3, at(400)).retry_after();
    assert_eq!(behind, Some(Duration::from_millis(1_600)), "as if nothing had been taken");
}
