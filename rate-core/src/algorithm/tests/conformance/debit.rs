//! Debts.

use super::super::relative::Relative;
use super::subject::Subject;
use crate::algorithm::Debit;

pub(super) fn a_debit_takes_what_there_is_and_as_much_as_may_be_owed<A: Relative + Debit>(
    subject: &Subject<A>,
) {
    let algorithm = subject.algorithm;
    subject.each(|state, now| {
        let remaining = algorithm.standing(state.clone(), now).remaining;
        for units in subject.costs().into_iter().chain([0, algorithm.capacity() + 7, u64::MAX]) {
            for most in [0, 1, 5, algorithm.capacity(), u64::MAX] {
                let (after, taken) = algorithm.debit(state.clone(), now, units, most);
                if remaining > 0 && now < u64::MAX / 2 && units.min(most) < u64::from(u32::MAX) {
                    assert_eq!(taken, units.min(remaining.saturating_add(most)), "{state:?} at {now}");
                }
                assert!(taken <= units.min(remaining.saturating_add(most)), "{state:?} at {now}");
                assert!(taken > 0 || after == *state);
                subject.assert_no_better(&after, state, &subject.instants(state, now));
                // Together no more than once.
                if algorithm.capacity().checked_add(most).is_some_and(|most| units >= most) {
                    assert_eq!(algorithm.debit(after.clone(), now, units, most), (after, 0));
                }
            }
        }
    });
}

pub(super) fn a_debit_is_earned_back_before_anything_is_admitted<A: Relative + Debit>(subject: &Subject<A>) {
    let algorithm = subject.algorithm;
    subject.each(|state, now| {
        let remaining = algorithm.standing(state.clone(), now).remaining;
        let (owing, taken) = algorithm.debit(state.clone(), now, remaining + 3, 3);
        if taken < remaining + 3 {
            return;
        }
        // Three units are owed, so what comes first is the fourth: a check says when a third and a fourth have come.
        let wait = algorithm.admit(owing.clone(), now, 1).expect_err("nothing is left");
        let (even, _) = algorithm.debit(state.clone(), now, remaining, 0);
        let one = algorithm.admit(even, now, 1).expect_err("nothing is left");
        assert!(wait > one, "{state:?} at {now} waits {wait} for one of what it owes, and {one} for one");
        assert_eq!(algorithm.standing(owing, now).remaining, 0);
    });
}
