//! That a refund makes nobody better off than if the charge had never been made, which the models take for granted.
//!
//! Two keys are asked the same. To one some charges are made besides, and refunded: all of them or a part, early or late, once
//! or as often as one likes.

use core::fmt::Debug;

use super::difference::{Instants, cost};
use super::operation::Found;
use super::tested::Tested;
use super::timeline::Timeline;
use crate::Decision;
use crate::algorithm::{AnyAlgorithm, CalendarWindow, Charged, FixedWindow, Gcra, SlidingLog, SlidingWindow};
use crate::test_util::random::Random;

/// Charges that were made to one key only.
#[derive(Debug)]
struct Extra {
    charge: Charged,
    /// Units that may yet be given back of it.
    left: u64,
}

fn assert_no_better_off<A: Tested + Debug>() {
    let (mut refunded, mut equal) = (0, 0);
    for seed in 0..2_000 {
        let mut random = Random::new(seed);
        let limit = A::random(&mut random);
        let any: AnyAlgorithm = limit.into();
        let quota = any.quota();
        let mut timeline = Timeline::new(&mut random, Instants::All, quota.limit(), quota.period_nanos());
        let (mut with, mut without) = (limit.fresh(), limit.fresh());
        let mut extras: Vec<Extra> = Vec::new();
        let mut now = 0;
        for step in 0..120 {
            // In order: a late request counts as of the newest instant, and there is another one with the charge.
            now = timeline.next(&mut random).max(now);
            let units = cost(&mut random, limit.capacity());
            match random.below(8) {
                0 | 1 => {
                    if let Ok(next) = limit.admit(with.clone(), now, units) {
                        with = next;
                        extras.push(Extra { charge: Charged { units, at: now }, left: units });
                    }
                }
                2..=4 if !extras.is_empty() => {
                    let index = random.below(extras.len() as u64) as usize;
                    let extra = &mut extras[index];
                    // A part, or all that is left of it, or more.
                    let units = if random.below(2) == 0 { units } else { extra.left };
                    let charge = Charged { units: units.min(extra.left), ..extra.charge };
                    let (next, back) = limit.refunded(with, charge, now);
                    assert!(back <= charge.units);
                    (with, extra.left) = (next, extra.left - charge.units);
                    refunded += u64::from(back > 0);
                }
                _ => {
                    if let Ok(next) = limit.admit(with.clone(), now, units) {
                        with = next;
                        without = limit.admit(without, now, units).unwrap_or_else(|wait| {
                            panic!("seed {seed}, step {step}: {limit:?}, {units} at {now}: admitted, and without the charges not for {wait}")
                        });
                    }
                }
            }
            let (left, right) = (limit.standing(with.clone(), now), limit.standing(without.clone(), now));
            assert!(
                left.remaining <= right.remaining,
                "seed {seed}, step {step}: {limit:?} at {now}, {extras:?}: {left:?} of {with:?}, without them {right:?} of {without:?}"
            );
            equal += u64::from(left == right && !extras.is_empty());
            let wait = limit.admit(with.clone(), now, 1).err();
            timeline.learn(Found::Answer(Decision::new(limit.capacity(), left, wait).into()), now);
        }
    }
    assert!(refunded > 2_000 && equal > 20_000, "{refunded} refunds, {equal} times all was as without");
}

#[test]
fn a_refund_of_the_token_bucket_makes_nobody_better_off() {
    assert_no_better_off::<Gcra>();
}

#[test]
fn a_refund_of_the_fixed_window_makes_nobody_better_off() {
    assert_no_better_off::<FixedWindow>();
}

#[test]
fn a_refund_of_the_calendar_window_makes_nobody_better_off() {
    assert_no_better_off::<CalendarWindow>();
}

#[test]
fn a_refund_of_the_sliding_window_makes_nobody_better_off() {
    assert_no_better_off::<SlidingWindow>();
}

#[test]
fn a_refund_of_the_sliding_log_makes_nobody_better_off() {
    assert_no_better_off::<SlidingLog>();
}
