//! What is admitted, what it takes, and how long to wait.

use super::super::relative::Relative;
use super::subject::Subject;
use crate::algorithm::{NEVER, Standing};

pub(super) fn a_fresh_key_has_its_capacity<A: Relative>(subject: &Subject<A>) {
    let (algorithm, most) = (subject.algorithm, subject.algorithm.capacity());
    for now in subject.nows() {
        let fresh = algorithm.fresh();
        assert_eq!(algorithm.standing(fresh.clone(), now), Standing { remaining: most, reset_after: 0 });
        assert!(algorithm.admit(fresh, now, most).is_ok(), "{algorithm:?} at {now}");
    }
}

pub(super) fn nothing_is_free_and_changes_nothing<A: Relative>(subject: &Subject<A>) {
    subject.each(|state, now| {
        for at in [0, now.saturating_sub(1), now, now.saturating_add(1), u64::MAX] {
            assert_eq!(subject.algorithm.admit(state.clone(), at, 0).as_ref(), Ok(state));
            assert_eq!(subject.algorithm.admit_up_to(state.clone(), at, 0), (state.clone(), 0));
        }
    });
}

pub(super) fn more_than_the_capacity_is_never_admitted<A: Relative>(subject: &Subject<A>) {
    let most = subject.algorithm.capacity();
    subject.each(|state, now| {
        for at in [now, now.saturating_add(1), u64::MAX] {
            for cost in [most + 1, 2 * most + 1, u64::from(u32::MAX) + 1, u64::MAX] {
                assert_eq!(subject.algorithm.admit(state.clone(), at, cost), Err(NEVER), "{state:?}");
            }
        }
    });
}

pub(super) fn after_exactly_the_wait_it_is_admitted<A: Relative>(subject: &Subject<A>) {
    subject.each(|state, now| {
        for cost in subject.costs() {
            let Err(wait) = subject.algorithm.admit(state.clone(), now, cost) else { continue };
            assert!(wait > 0 && wait < NEVER, "{:?} {state:?} at {now}: {cost}", subject.algorithm);
            let after = |ticks| subject.algorithm.admit(state.clone(), now + ticks, cost);
            assert!(after(wait).is_ok(), "{:?} {state:?} at {now}: {cost} after {wait}", subject.algorithm);
            for early in (1..=wait.min(20)).chain([wait / 2, wait]).filter(|early| *early > 0) {
                assert_eq!(
                    after(wait - early),
                    Err(early),
                    "{:?} {state:?} at {now}: {cost} after {wait} less {early}",
                    subject.algorithm
                );
            }
        }
    });
}

pub(super) fn what_remains_can_be_taken_and_no_more<A: Relative>(subject: &Subject<A>) {
    subject.each(|state, now| {
        for at in subject.instants(state, now) {
            let Standing { remaining, .. } = subject.algorithm.standing(state.clone(), at);
            let takes = |cost| subject.algorithm.admit(state.clone(), at, cost);
            assert!(takes(remaining).is_ok(), "{state:?} at {at} has {remaining}");
            assert!(takes(remaining + 1).is_err(), "{state:?} at {at} has {remaining}");
        }
    });
}

pub(super) fn as_much_as_there_is_can_be_taken_at_once<A: Relative>(subject: &Subject<A>) {
    subject.each(|state, now| {
        for units in subject.costs().into_iter().chain([u64::MAX]) {
            let (next, taken) = subject.algorithm.admit_up_to(state.clone(), now, units);
            let remaining = subject.algorithm.standing(state.clone(), now).remaining;
            // Nothing, where there is nothing; and then the state is the same.
            assert_eq!(taken, remaining.min(units), "{:?} {state:?} at {now}", subject.algorithm);
            assert_eq!(subject.algorithm.admit(state.clone(), now, taken), Ok(next));
        }
    });
}

pub(super) fn what_is_admitted_is_charged<A: Relative>(subject: &Subject<A>) {
    subject.each(|state, now| {
        for cost in subject.costs() {
            let Ok(next) = subject.algorithm.admit(state.clone(), now, cost) else { continue };
            let remaining = |state| subject.algorithm.standing(state, now).remaining;
            let (before, after) = (remaining(state.clone()), remaining(next.clone()));
            // In a queue it is somebody's turn or it is not.
            if !subject.algorithm.is_queue() {
                assert_eq!(after, before - cost, "{:?}: {state:?} at {now}", subject.algorithm);
            }
            assert_ne!(&next, state);
            subject.assert_no_better(&next, state, &subject.instants(state, now));
        }
    });
}
