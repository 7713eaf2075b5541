//! Mistakes that limiters have made, which the comparison must not let pass: one of each algorithm, and the same without it.

use core::fmt::Debug;
use core::time::Duration;

use super::difference::{Instants, Run, cost};
use super::operation::{Abilities, Found, Operation};
use super::subject::Subject;
use super::tested::Tested;
use crate::algorithm::{
    Algorithm, AnyAlgorithm, CalendarWindow, FixedWindow, Gcra, LeakyBucket, SlidingLog, SlidingWindow,
};
use crate::test_util::model::{Answer, AnyModel};
use crate::test_util::random::Random;

/// The most naive limiter there is: whether `cost` units pass at `now`, and nothing else.
struct Verdict<F>(F);

impl<F: FnMut(u64, u64) -> bool> Subject for Verdict<F> {
    fn run(&mut self, _: usize, operation: Operation, now: u64) -> Found {
        let Operation::Check(cost) = operation else { unreachable!("only checks are compared") };
        let allowed = (self.0)(cost, now);
        let (reset_after, retry_after) = (Duration::ZERO, None);
        Found::Answer(Answer { allowed, remaining: 0, reset_after, retry_after })
    }
}

fn same_verdict(found: &Found, expected: &Found) -> bool {
    match (found, expected) {
        (Found::Answer(found), Found::Answer(expected)) => found.allowed == expected.allowed,
        _ => unreachable!("only checks are compared"),
    }
}

const CENTURY: Duration = Duration::from_secs(100 * 365 * 86_400);

/// Asserts that the limiter which `of` makes is caught with the mistake, and is exact without.
fn assert_caught<A: Tested + Debug, F: FnMut(u64, u64) -> bool>(of: impl Fn(A, bool) -> F) {
    let compared = |seed: u64, mistaken: bool| {
        let mut random = Random::new(!seed);
        let mut limit = A::random(&mut random);
        // So that no window is the last one.
        while limit.into().quota().period() > CENTURY {
            limit = A::random(&mut random);
        }
        Run {
            seed,
            steps: 200,
            keys: 1,
            abilities: Abilities::default(),
            instants: Instants::Early,
            operation: Some(|random, capacity| Operation::Check(cost(random, capacity))),
            same: same_verdict,
            model: &|limit: AnyAlgorithm, _| AnyModel::of(limit),
        }
        .compare(&mut Verdict(of(limit, mistaken)), &[limit], |_, _, _| ())
        .err()
    };
    assert_eq!((0..500).find_map(|seed| compared(seed, false)), None, "caught without the mistake");
    assert!((0..500).any(|seed| compared(seed, true).is_some()), "passed for exact");
}

/// As the crate `ratelimit` did: of what is earned between two requests only whole units are counted.
#[test]
fn a_bucket_that_forgets_fractions_of_a_unit_does_not_pass() {
    assert_caught(|limit: Gcra, mistaken| {
        let quota = AnyAlgorithm::from(limit).quota();
        let (limit, period) = (i128::from(quota.limit()), i128::from(quota.period_nanos()));
        let full = i128::from(quota.burst_size()) * period;
        let (mut shares, mut last) = (full, 0);
        move |cost, now| {
            let earned = (i128::from(now) - last) * limit;
            let there = (shares + if mistaken { earned / period * period } else { earned }).min(full);
            let price = i128::from(cost) * period;
            let allowed = cost == 0 || there >= price;
            if allowed && cost > 0 || mistaken {
                (shares, last) = (if allowed { there - price } else { there }, now.into());
            }
            allowed
        }
    });
}

/// The next turn counted from when the last unit has passed, not from its turn: slower than the limit by up to a tick a unit.
#[test]
fn a_queue_that_rounds_its_turns_does_not_pass() {
    assert_caught(|limit: LeakyBucket, mistaken| {
        let quota = AnyAlgorithm::from(limit).quota();
        let (limit, period) = (i128::from(quota.limit()), i128::from(quota.period_nanos()));
        // In units of which a tick has `limit`.
        let mut turn = 0;
        move |cost, now| {
            let now = i128::from(now) * limit;
            let allowed = cost == 0 || u128::from(cost) <= u128::from(quota.burst_size()) && turn <= now;
            if allowed && cost > 0 {
                let start = if mistaken || turn <= now - limit { now } else { turn };
                turn = start + i128::from(cost) * period;
            }
            allowed
        }
    });
}

/// The end taken for the last tick of the window.
#[test]
fn a_fixed_window_off_by_one_at_its_end_does_not_pass() {
    assert_caught(|limit: FixedWindow, mistaken| {
        let quota = AnyAlgorithm::from(limit).quota();
        let (limit, period) = (quota.limit(), quota.period_nanos());
        let (mut end, mut used) = (0, 0);
        move |cost, now| {
            let is_over = now >= end && !(mistaken && now == end && end > 0);
            let (current, before) = if is_over { ((now / period + 1) * period, 0) } else { (end, used) };
            let allowed = cost <= limit - before;
            if allowed && cost > 0 {
                (end, used) = (current, before + cost);
            }
            allowed
        }
    });
}

/// A leap year each fourth, that of 2100 included.
#[test]
fn a_calendar_of_julius_caesar_does_not_pass() {
    assert_caught(|limit: CalendarWindow, mistaken| {
        const DAY: u64 = 86_400_000_000_000;
        let monthly = AnyAlgorithm::from(limit).quota().period_nanos() > DAY;
        let (mut window, mut used) = ((0, 0), 0);
        move |cost, now| {
            let current = if monthly { month_of(now / DAY, mistaken) } else { (now / DAY, 0) };
            let before = if current > window { 0 } else { used };
            let allowed = cost <= limit.capacity() - before;
            if allowed && cost > 0 {
                (window, used) = (current.max(window), before + cost);
            }
            allowed
        }
    });
}

/// Year by year from 1970.
fn month_of(mut day: u64, julian: bool) -> (u64, u64) {
    for year in 1970.. {
        let leap = year % 4 == 0 && (julian || year != 2100);
        for (month, days) in
            (0..).zip([31, if leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
        {
            if day < days {
                return (year, month);
            }
            day -= days;
        }
    }
    unreachable!()
}

/// As some counters for HTTP do: whether there is room is asked before the cost is known.
#[test]
fn a_counter_whose_check_leaves_the_cost_out_does_not_pass() {
    assert_caught(|limit: SlidingWindow, mistaken| {
        let quota = AnyAlgorithm::from(limit).quota();
        let (limit, period) = (i128::from(quota.limit()), i128::from(quota.period_nanos()));
        let mut counts = (0, 0, 0);
        move |cost, now| {
            let (now, cost) = (i128::from(now), i128::from(cost));
            let (mut window, mut previous, mut current) = counts;
            if now / period > window {
                previous = if now / period == window + 1 { current } else { 0 };
                (window, current) = (now / period, 0);
            }
            let gone = (now - window * period).max(0);
            let used = current * period + previous * (period - gone);
            let asked = if mistaken { cost.min(1) } else { cost };
            let allowed = cost == 0 || cost <= limit && used + asked * period <= limit * period;
            if allowed && cost > 0 {
                counts = (window, previous, current + cost);
            }
            allowed
        }
    });
}

/// What is exactly a period old counted once more.
#[test]
fn a_log_that_expires_one_tick_late_does_not_pass() {
    assert_caught(|limit: SlidingLog, mistaken| {
        let quota = AnyAlgorithm::from(limit).quota();
        let (limit, period) = (quota.limit(), i128::from(quota.period_nanos()));
        let mut taken: Vec<(i128, u64)> = Vec::new();
        move |cost, now| {
            let now = i128::from(now).max(taken.last().map_or(0, |(time, _)| *time));
            let counts = |time: i128| now - time < period + i128::from(mistaken);
            let used: u64 = taken.iter().filter(|(time, _)| counts(*time)).map(|(_, units)| units).sum();
            let allowed = cost == 0 || used.saturating_add(cost) <= limit && cost <= limit;
            if allowed && cost > 0 {
                taken.push((now, cost));
            }
            allowed
        }
    });
}
