//! How long somebody waits who comes after others.

use super::super::relative::Relative;
use super::subject::Subject;
use crate::algorithm::{Behind, NEVER};

/// Never too long, however the others portion what they take; and to the tick where they take one by one.
pub(super) fn who_comes_after_others_waits_no_longer_than_they_take<A: Relative + Behind>(
    subject: &Subject<A>,
) {
    let algorithm = subject.algorithm;
    let most = algorithm.capacity().min(100);
    subject.each(|state, now| {
        for ahead in [1, 2, most, most + 1, 2 * most + 1] {
            for cost in subject.costs() {
                let told = algorithm.wait_behind(state.clone(), now, ahead, cost);
                // Somebody at most as large as the others' whole, and they in portions as large as they can be.
                for portion in [1, 2, most] {
                    if let Some(waits) = after_others(&algorithm, state, now, ahead, portion.min(most), cost)
                    {
                        assert!(
                            told <= waits,
                            "{algorithm:?}: {state:?} at {now}: {told} for {cost} behind {ahead}, not {waits}"
                        );
                    }
                }
            }
        }
    });
}

/// Where units come back one by one, or one is all that is wanted; but for months, of which the shortest is reckoned with, and
/// for a bucket of one, which loses the fraction of a tick by which each of the others comes later than it could.
pub(super) fn who_comes_after_others_waits_until_they_have_taken_theirs<A: Relative + Behind>(
    subject: &Subject<A>,
) {
    let algorithm = subject.algorithm;
    let most = algorithm.capacity().min(100);
    if algorithm.repeats().is_none() || most == 1 && !algorithm.is_queue() {
        return;
    }
    subject.each(|state, now| {
        for ahead in [1, 2, most, most + 1, 2 * most + 1] {
            // What has no windows has no ends of them that a cost may not fit before.
            let costs = if algorithm.repeats() == Some(1) { subject.costs() } else { vec![1] };
            for cost in costs {
                let told = algorithm.wait_behind(state.clone(), now, ahead, cost);
                let waits = after_others(&algorithm, state, now, ahead, 1, cost).unwrap_or(NEVER);
                assert_eq!(told, waits, "{algorithm:?}: {state:?} at {now}: {cost} behind {ahead}");
            }
        }
    });
}

/// What somebody waits who takes `cost` units once others have taken `ahead`, each portion as early as it can be; nothing if that
/// is never.
fn after_others<A: Relative>(
    algorithm: &A,
    state: &A::State,
    now: u64,
    ahead: u64,
    portion: u64,
    cost: u64,
) -> Option<u64> {
    let (mut state, mut at, mut left) = (state.clone(), now, ahead);
    while left > 0 {
        let units = portion.min(left);
        match algorithm.admit(state.clone(), at, units) {
            Ok(next) => {
                state = next;
                left -= units;
            }
            Err(NEVER) => return None,
            Err(wait) => at += wait,
        }
    }
    match algorithm.admit(state, at, cost) {
        Ok(_) => Some(at - now),
        Err(NEVER) => None,
        Err(wait) => Some(at + wait - now),
    }
}
