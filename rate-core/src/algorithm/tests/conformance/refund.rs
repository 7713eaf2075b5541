//! Refunds.

use super::super::relative::Relative;
use super::subject::Subject;
use crate::algorithm::{Charged, Refund};

/// Calls `check` with each state, the state after a charge, and the charge.
fn each_charge<A: Relative + Refund>(subject: &Subject<A>, check: impl Fn(&A::State, &A::State, Charged)) {
    subject.each(|state, now| {
        for units in subject.costs() {
            if let Ok(charged) = subject.algorithm.admit(state.clone(), now, units) {
                check(state, &charged, Charged { units, at: now });
            }
        }
    });
}

pub(super) fn a_refund_at_once_undoes_the_charge<A: Relative + Refund>(subject: &Subject<A>) {
    each_charge(subject, |state, charged, charge| {
        let (refunded, units) = subject.algorithm.refund(charged.clone(), charge, charge.at);
        assert_eq!(units, charge.units, "{:?}: {charge:?} of {charged:?}", subject.algorithm);
        subject.assert_alike(&refunded, state, &subject.instants(state, charge.at));
    });
}

pub(super) fn a_refund_makes_nobody_better_off_than_without_the_charge<A: Relative + Refund>(
    subject: &Subject<A>,
) {
    let algorithm = subject.algorithm;
    each_charge(subject, |state, charged, charge| {
        let instants = subject.instants(charged, charge.at);
        for (index, now) in instants.iter().enumerate() {
            let (refunded, units) = algorithm.refund(charged.clone(), charge, *now);
            assert!(units <= charge.units);
            subject.assert_no_better(&refunded, state, &instants[index..]);
            // With another request in between.
            let (Ok(other), Ok(alone)) =
                (algorithm.admit(charged.clone(), *now, 1), algorithm.admit(state.clone(), *now, 1))
            else {
                continue;
            };
            for (later, at) in instants.iter().enumerate().skip(index).step_by(3) {
                let (refunded, _) = algorithm.refund(other.clone(), charge, *at);
                subject.assert_no_better(&refunded, &alone, &instants[later..]);
            }
        }
    });
}

pub(super) fn a_refund_takes_nothing_away<A: Relative + Refund>(subject: &Subject<A>) {
    let algorithm = subject.algorithm;
    each_charge(subject, |_, charged, charge| {
        let instants = subject.instants(charged, charge.at);
        for (index, now) in instants.iter().enumerate() {
            let (refunded, units) = algorithm.refund(charged.clone(), charge, *now);
            subject.assert_no_better(charged, &refunded, &instants[index..]);
            let gained = algorithm.standing(refunded, *now).remaining
                - algorithm.standing(charged.clone(), *now).remaining;
            // Of one unit a part may have been given back, and of those that fade it always is.
            assert!(gained <= units + 1, "{charge:?} of {charged:?} at {now}");
            let (nothing, none) = algorithm.refund(charged.clone(), Charged { units: 0, ..charge }, *now);
            assert_eq!(none, 0);
            subject.assert_alike(&nothing, charged, &instants[index..]);
        }
    });
}

pub(super) fn a_second_refund_of_a_charge_gives_nothing<A: Relative + Refund>(subject: &Subject<A>) {
    let algorithm = subject.algorithm;
    for now in subject.nows() {
        for units in subject.costs() {
            let charge = Charged { units, at: now };
            let charged = algorithm.admit(algorithm.fresh(), now, units).expect("a new key");
            for at in subject.instants(&charged, now) {
                let (once, first) = algorithm.refund(charged.clone(), charge, at);
                let (twice, second) = algorithm.refund(once.clone(), charge, at);
                assert!(first <= units && second == 0, "{algorithm:?}: {charge:?} at {at}");
                subject.assert_alike(&twice, &once, &subject.instants(&once, at));
            }
        }
    }
}

pub(super) fn a_refund_of_what_has_come_back_gives_nothing<A: Relative + Refund>(subject: &Subject<A>) {
    // Not out of what others have taken since: a log did that.
    let algorithm = subject.algorithm;
    subject.each(|state, now| {
        for units in subject.costs() {
            for at in subject.instants(state, now).into_iter().map(|at| now - (at - now).min(now)) {
                let Ok(charged) = algorithm.admit(algorithm.fresh(), at, units) else { continue };
                if algorithm.fresh_from(charged) <= now {
                    let (same, none) = algorithm.refund(state.clone(), Charged { units, at }, now);
                    assert_eq!(none, 0, "{algorithm:?}: {units} from {at} at {now} of {state:?}");
                    subject.assert_alike(&same, state, &subject.instants(state, now));
                }
            }
        }
    });
}

pub(super) fn a_refund_gives_no_more_than_was_taken<A: Relative + Refund>(subject: &Subject<A>) {
    let algorithm = subject.algorithm;
    subject.each(|state, now| {
        for units in subject.costs().into_iter().chain([u64::from(u32::MAX), u64::MAX]) {
            for at in [0, now.saturating_sub(1), now, now.saturating_add(1), u64::MAX] {
                let (refunded, given) = algorithm.refund(state.clone(), Charged { units, at }, now);
                assert!(given <= units.min(algorithm.capacity()), "{algorithm:?}: {units} of {state:?}");
                assert!(given == 0 || algorithm.standing(state.clone(), now).reset_after > 0);
                subject.assert_no_better(&refunded, &algorithm.fresh(), &subject.instants(state, now));
            }
        }
    });
}
