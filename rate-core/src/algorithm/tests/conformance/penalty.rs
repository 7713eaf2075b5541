//! Penalties.

use super::super::relative::Relative;
use super::subject::Subject;
use crate::algorithm::{Charged, Refund};

/// Instants until which a key may be penalized.
fn untils<A: Relative>(subject: &Subject<A>, now: u64) -> Vec<u64> {
    let ticks = subject.algorithm.ticks();
    let mut times = vec![1, 2, 3, ticks / 2, ticks - 1, ticks, ticks + 1, 2 * ticks, 5 * ticks];
    times.retain(|time| *time > 0);
    times.into_iter().map(|time| now + time).collect()
}

pub(super) fn a_penalized_key_is_admitted_nothing_until_then<A: Relative>(subject: &Subject<A>) {
    let algorithm = subject.algorithm;
    subject.each(|state, now| {
        for until in untils(subject, now) {
            let penalized = algorithm.penalized(state.clone(), now, until);
            let instants = subject.instants(&penalized, now);
            for at in instants.into_iter().chain([until - 1]).filter(|at| *at < until) {
                let (standing, waits) = subject.answers(&penalized, at);
                assert_eq!(standing.remaining, 0, "{algorithm:?}: {penalized:?} at {at} until {until}");
                assert!(waits.iter().all(|wait| *wait >= until - at), "{penalized:?} at {at} until {until}");
            }
            // But not for ever.
            let waits = |state: &A::State| algorithm.admit(state.clone(), now, 1).err().unwrap_or(0);
            assert!(
                waits(&penalized) <= waits(state).max(until - now) + 2 * algorithm.ticks(),
                "{algorithm:?}: {penalized:?} at {now} until {until}"
            );
        }
    });
}

pub(super) fn a_penalty_makes_nobody_better_off<A: Relative>(subject: &Subject<A>) {
    let algorithm = subject.algorithm;
    subject.each(|state, now| {
        for until in untils(subject, now) {
            let penalized = algorithm.penalized(state.clone(), now, until);
            let mut instants = subject.instants(state, now);
            instants.extend(subject.instants(&penalized, until));
            subject.assert_no_better(&penalized, state, &instants);
        }
    });
}

pub(super) fn a_penalty_that_is_over_is_none<A: Relative>(subject: &Subject<A>) {
    subject.each(|state, now| {
        for until in [0, now.saturating_sub(1), now] {
            assert_eq!(&subject.algorithm.penalized(state.clone(), now, until), state);
        }
    });
}

/// Who had taken five of ten and was penalized had them again once they were refunded: the penalty was a count like any other.
pub(super) fn no_refund_lifts_a_penalty<A: Relative + Refund>(subject: &Subject<A>) {
    let algorithm = subject.algorithm;
    let costs = [1, algorithm.capacity().div_ceil(2), algorithm.capacity()];
    subject.each(|state, now| {
        for (units, until) in
            costs.iter().flat_map(|units| [1, 3, algorithm.ticks() + 1].map(|time| (*units, now + time)))
        {
            let taken = algorithm.admit(state.clone(), now, units).unwrap_or_else(|_| state.clone());
            let penalized = algorithm.penalized(taken, now, until);
            let alone = algorithm.penalized(state.clone(), now, until);
            for at in [now, until - 1, until, until + algorithm.ticks() - 1] {
                for charge in [now, until - 1, at].map(|at| Charged { units, at }) {
                    let (refunded, _) = algorithm.refund(penalized.clone(), charge, at);
                    // Not before either, for nothing is lost by waiting.
                    let last = algorithm.standing(refunded.clone(), until - 1).remaining;
                    assert_eq!(last, 0, "{algorithm:?}: {charge:?} of {penalized:?} at {at} until {until}");
                    subject.assert_no_better(&refunded, &alone, &[at, until + algorithm.ticks() / 2]);
                }
            }
        }
    });
}
