//! Reservations.

use super::super::relative::Relative;
use super::subject::Subject;
use crate::algorithm::{Charged, NEVER, Reserve};

/// Waits that one may be willing to take.
fn waits<A: Relative>(subject: &Subject<A>) -> [u64; 6] {
    let ticks = subject.algorithm.ticks();
    [0, 1, ticks / 2, ticks, 3 * ticks, u64::MAX]
}

pub(super) fn a_reservation_that_need_not_wait_is_a_check<A: Relative + Reserve>(subject: &Subject<A>) {
    subject.each(|state, now| {
        for cost in subject.costs() {
            let checked = subject.algorithm.admit(state.clone(), now, cost);
            let reserved = subject.algorithm.reserve(state.clone(), now, cost, 0);
            assert_eq!(reserved, checked.map(|next| (next, 0)), "{state:?} at {now}: {cost}");
        }
    });
}

pub(super) fn a_reservation_waits_until_its_turn_and_no_longer_than_it_wants_to<A: Relative + Reserve>(
    subject: &Subject<A>,
) {
    subject.each(|state, now| {
        for cost in subject.costs() {
            // Until then a check of as much is refused.
            let turn = subject.algorithm.admit(state.clone(), now, cost).err().unwrap_or(0);
            for most in waits(subject) {
                match subject.algorithm.reserve(state.clone(), now, cost, most) {
                    Ok((_, wait)) => assert!(wait == turn && wait <= most, "{state:?} at {now}: {cost}"),
                    Err(more) => assert!(more > 0 && turn > 0, "{state:?} at {now}: {cost}, {most}"),
                }
            }
        }
    });
}

pub(super) fn a_refused_reservation_is_accepted_after_exactly_the_wait<A: Relative + Reserve>(
    subject: &Subject<A>,
) {
    subject.each(|state, now| {
        for cost in subject.costs() {
            for most in waits(subject) {
                let after = |ticks| subject.algorithm.reserve(state.clone(), now + ticks, cost, most);
                let Err(wait) = after(0) else { continue };
                assert!(wait != NEVER, "{state:?} at {now}: {cost}");
                assert!(after(wait).is_ok(), "{state:?} at {now}: {cost}, {most} after {wait}");
                for early in (1..=wait.min(20)).chain([wait]) {
                    assert_eq!(after(wait - early), Err(early), "{state:?} at {now}: {cost}, {most}");
                }
            }
        }
    });
}

pub(super) fn reservations_are_kept_in_the_order_they_are_made_in<A: Relative + Reserve>(
    subject: &Subject<A>,
) {
    let algorithm = subject.algorithm;
    subject.each(|state, now| {
        for first in subject.costs() {
            let Ok((after, wait)) = algorithm.reserve(state.clone(), now, first, u64::MAX) else { continue };
            for at in subject.instants(state, now) {
                for second in subject.costs() {
                    let Ok((_, later)) = algorithm.reserve(after.clone(), at, second, u64::MAX) else {
                        continue;
                    };
                    assert!(at + later >= now + wait, "{state:?}: {first} at {now}, {second} at {at}");
                }
            }
        }
    });
}

pub(super) fn no_check_passes_a_reservation<A: Relative + Reserve>(subject: &Subject<A>) {
    let algorithm = subject.algorithm;
    subject.each(|state, now| {
        for cost in subject.costs() {
            let Ok((after, wait)) = algorithm.reserve(state.clone(), now, cost, u64::MAX) else { continue };
            for at in (now..now + wait).take(20).chain((now + wait).checked_sub(1).filter(|_| wait > 0)) {
                let refused = algorithm.admit(after.clone(), at, 1).expect_err("somebody else's turn");
                assert!(refused >= now + wait - at, "{state:?} at {now}: {cost}, then one at {at}");
                assert_eq!(algorithm.standing(after.clone(), at).remaining, 0);
            }
        }
    });
}

pub(super) fn cancelling_the_last_reservation_leaves_no_trace<A: Relative + Reserve>(subject: &Subject<A>) {
    let algorithm = subject.algorithm;
    subject.each(|state, now| {
        for units in subject.costs() {
            let Ok((after, wait)) = algorithm.reserve(state.clone(), now, units, u64::MAX) else { continue };
            let charge = Charged { units, at: now + wait };
            for at in (now..now + wait).take(20).chain((now + wait).checked_sub(1).filter(|_| wait > 0)) {
                let (cancelled, given) = algorithm.cancel(after.clone(), after.clone(), charge, at);
                assert_eq!(given, units, "{state:?} at {now}: {charge:?} at {at}");
                subject.assert_alike(&cancelled, state, &subject.instants(state, at));
            }
        }
    });
}

pub(super) fn cancelling_a_reservation_before_others_gives_nothing<A: Relative + Reserve>(
    subject: &Subject<A>,
) {
    let algorithm = subject.algorithm;
    subject.each(|state, now| {
        for units in subject.costs() {
            let Ok((first, wait)) = algorithm.reserve(state.clone(), now, units, u64::MAX) else { continue };
            let charge = Charged { units, at: now + wait };
            let Ok((second, behind)) = algorithm.reserve(first.clone(), now, 1, u64::MAX) else { continue };
            if behind > 0 {
                assert_eq!(algorithm.cancel(second.clone(), first, charge, now), (second, 0));
            }
        }
    });
}

pub(super) fn a_reservation_of_nothing_or_too_much_changes_nothing<A: Relative + Reserve>(
    subject: &Subject<A>,
) {
    let algorithm = subject.algorithm;
    subject.each(|state, now| {
        for most in waits(subject) {
            assert_eq!(algorithm.reserve(state.clone(), now, 0, most), Ok((state.clone(), 0)));
            for cost in [algorithm.capacity() + 1, u64::MAX] {
                assert_eq!(algorithm.reserve(state.clone(), now, cost, most), Err(NEVER));
            }
        }
    });
}
