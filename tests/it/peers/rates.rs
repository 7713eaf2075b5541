//! Rows about rates: what an idle key has, and how much comes through in the long run.

use std::time::Duration;

use rate_core::Quota;
use rate_core::algorithm::AlgorithmName;

use super::START;
use crate::core::six::Subject;

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).expect("shorter than 584 years")
}

/// Units that come back in so many nanoseconds.
fn earned(quota: Quota, time: u64) -> u64 {
    (u128::from(time) * u128::from(quota.limit()) / quota.period().as_nanos()) as u64
}

#[test]
fn idle_key_equals_new_key() {
    // governor#249, axum_gcra and throttlecrab: one unit more, or twice the burst, after a pause.
    let rates =
        [Quota::per_second(7), Quota::per_second(999_983), Quota::per_day(3), Quota::per_second(700_000_000)];
    let bursts = rates.into_iter().flat_map(|rate| [1, 2, 5, 40].map(|burst| rate.burst(burst)));
    // Windows have no burst of their own.
    let plain = [Quota::per_day(1), Quota::per_day(5), Quota::per_second(7), Quota::per_minute(40)];
    for quota in bursts.chain(plain) {
        for (idle, new) in Subject::all(quota, 200).into_iter().zip(Subject::all(quota, 200)) {
            assert_eq!(idle.drain(START), idle.most());
            let refill = idle.peek(START).reset_after().as_nanos();
            let eighths = (0..=24).map(|eighth| (refill * eighth / 8) as u64);
            let gaps = eighths.flat_map(|gap| [gap.saturating_sub(1), gap, gap + 1]);
            for (key, gap) in (1..).zip(gaps) {
                idle.limit.forget(key);
                new.limit.forget(key);
                assert_eq!(idle.limit.up_to(key, u64::MAX, START), idle.most(), "{idle:?}");
                let reset = nanos(idle.limit.peek(key, 1, START).reset_after());
                let (now, cost) = (START + gap, key % 2 + 1);
                let ask = |subject: &Subject| {
                    let (limit, key) = (&subject.limit, key);
                    (limit.peek(key, cost, now), limit.check(key, cost, now), limit.up_to(key, u64::MAX, now))
                };
                let (found, expected) = (ask(&idle), ask(&new));
                // A queue owes what is left of the tick in which its turn comes.
                if gap >= reset + u64::from(idle.name() == AlgorithmName::LeakyBucket) {
                    assert_eq!(found, expected, "{idle:?} after {gap} ns");
                    continue;
                }
                let units = found.2 + if found.1.is_allowed() { cost } else { 0 };
                assert!(units <= idle.most(), "{idle:?}: {units} after {gap} ns");
                if idle.is_gcra() {
                    assert_eq!(units, earned(quota, gap), "{idle:?} after {gap} ns");
                }
            }
        }
    }
}

#[test]
fn burst_one_limits() {
    // throttlecrab: the state of a burst of one expired at once, and nothing was limited.
    for quota in [Quota::per_hour(1), Quota::per_day(1)] {
        for subject in Subject::all(quota, 8) {
            let admitted = (0..1_000).filter(|call| subject.check(1, START + call * 10_000).is_allowed());
            assert_eq!(admitted.count(), 1, "{subject:?}");
        }
    }
}

#[test]
fn polling_does_not_starve() {
    // ratelimit threw away the elapsed part of a tick at each poll, up to half of the rate.
    let admitted = |subject: &Subject, poll: u64, polls: u64| {
        (0..polls).filter(|number| subject.check(1, START + number * poll).is_allowed()).count() as u64
    };
    for (quota, poll, polls) in [
        (Quota::per_second(1), 1_999, 520_000),
        (Quota::per_second(1), 119_000, 26_000),
        (Quota::per_minute(1), 1_999_000, 65_000),
        (Quota::per_second(500_000), 1_999, 30_000),
        (Quota::per_second(10_000), 119_000, 20_000),
    ] {
        for subject in Subject::six(quota.burst(2), 4) {
            if subject.is_gcra() {
                let all = polls.min(2 + earned(quota, (polls - 1) * poll));
                assert_eq!(admitted(&subject, poll, polls), all, "{subject:?}, every {poll} ns");
            }
        }
    }
    for (quota, poll) in [(Quota::per_second(1), 119_000), (Quota::per_second(40), 1_999_000)] {
        for subject in Subject::six(quota, 4) {
            let polls = 10_000_000_000 / poll;
            let admitted = admitted(&subject, poll, polls);
            // Whatever counts from an admission on is asked again up to a poll late; and a count that fades lets its last unit
            // pass in every second window.
            let spaced = 10_000_000_000 / (nanos(quota.time_for(1)) + poll);
            let least = match subject.name() {
                AlgorithmName::SlidingWindow => spaced - 10_u64.div_ceil(2),
                _ => spaced,
            };
            let most = 10 * quota.limit() + subject.most();
            assert!((least..=most).contains(&admitted), "{subject:?}: {admitted}, not {least} to {most}");
        }
    }
}

#[test]
fn exact_rate_high() {
    // governor turned 700 million per second into a thousand million.
    let (step, steps) = (10_000_019, 2_000);
    let last = START + steps * step;
    for limit in [3, 7, 600_000_000, 700_000_000, 1_000_000_001] {
        let rate = Quota::per_second(limit);
        let total =
            |subject: &Subject| (0..=steps).map(|number| subject.drain(START + number * step)).sum::<u64>();
        // Of two steps, so that no step finds the bucket full and something lost.
        let quota = rate.burst(limit / 50 + 2);
        for subject in Subject::all(quota, 4) {
            if subject.is_gcra() {
                assert_eq!(total(&subject), quota.burst_size() + earned(quota, steps * step), "{subject:?}");
            }
        }
        let windows = last / 1_000_000_000 - START / 1_000_000_000 + 1;
        for subject in Subject::six(rate, 4) {
            match subject.name() {
                AlgorithmName::FixedWindow if !subject.is_staggered() => {
                    assert_eq!(total(&subject), limit * windows, "{subject:?}");
                }
                AlgorithmName::LeakyBucket => assert_evenly_spaced(&subject, rate),
                _ => {}
            }
        }
    }
}

/// Reserves a hundred times a part of a second: each turn comes to the nanosecond.
fn assert_evenly_spaced(queue: &Subject, rate: Quota) {
    let (cost, mut now) = (rate.limit().div_ceil(50), START);
    for place in 0..100_u64 {
        let place_after = u128::from(place * cost) * 1_000_000_000;
        let turn = START + place_after.div_ceil(u128::from(rate.limit())) as u64;
        let reserved = queue.limit.reserve(0, cost, u64::MAX, now).expect("a queue").expect("there is room");
        assert_eq!(reserved.ready_at().as_nanos(), turn, "{queue:?}: place {place}");
        now = turn;
    }
}
