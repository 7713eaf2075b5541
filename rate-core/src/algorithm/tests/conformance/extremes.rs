//! Long gaps, the end of time, and whatever else 64 bits can hold.

use super::super::relative::Relative;
use super::subject::Subject;
use crate::algorithm::NEVER;

pub(super) fn a_long_gap_is_like_any_other<A: Relative>(subject: &Subject<A>) {
    let algorithm = subject.algorithm;
    subject.each(|state, now| {
        for at in [1 << 40, 1 << 62, u64::MAX / 2, u64::MAX - 20 * algorithm.ticks()] {
            if at >= algorithm.fresh_from(state.clone()).max(now) {
                subject.assert_alike(state, &algorithm.fresh(), &[at, at + 1, at + algorithm.ticks()]);
            }
        }
    });
}

pub(super) fn nobody_is_unlimited_at_the_end_of_time<A: Relative>(subject: &Subject<A>) {
    let (algorithm, ticks) = (subject.algorithm, subject.algorithm.ticks());
    for first in [3 * ticks, 2 * ticks, ticks + 1, ticks, ticks - 1, 2, 1, 0].map(|left| u64::MAX - left) {
        let (mut state, mut admitted) = (algorithm.fresh(), 0);
        for now in [first, first.saturating_add(1), u64::MAX - 1, u64::MAX] {
            // Units that are had at once, and one by one.
            let (next, taken) = algorithm.admit_up_to(state, now, algorithm.capacity() / 2);
            (state, admitted) = (next, admitted + taken);
            while let Ok(next) = algorithm.admit(state.clone(), now, 1) {
                assert_ne!(next, state, "{algorithm:?} charged nothing at {now}");
                (state, admitted) = (next, admitted + 1);
                assert!(admitted <= 4 * algorithm.bounds().units(), "{algorithm:?} from {first} on");
            }
            if first > u64::MAX - ticks {
                assert!(admitted <= algorithm.bounds().units(), "{algorithm:?} from {first} on");
            }
        }
        assert!(algorithm.admit(state, u64::MAX, 1).is_err(), "{algorithm:?} from {first} on");
    }
}

/// A wait was told that was over before the end of time, at an instant at which what was to be charged ended after it: who had
/// waited three hundred years was refused for ever.
pub(super) fn no_wait_is_told_that_does_not_help<A: Relative>(subject: &Subject<A>) {
    let (algorithm, ticks) = (subject.algorithm, subject.algorithm.ticks());
    for left in [5 * ticks, 3 * ticks, 2 * ticks, ticks + 1, ticks, ticks - 1, 2, 1, 0] {
        let (mut state, now) = (algorithm.fresh(), u64::MAX - left);
        for units in subject.costs() {
            (state, _) = algorithm.admit_up_to(state, now, units);
            for (at, cost) in [0, left / 2, left]
                .into_iter()
                .flat_map(|later| subject.costs().into_iter().map(move |cost| (now + later, cost)))
            {
                let then = match algorithm.admit(state.clone(), at, cost) {
                    Ok(_) => continue,
                    Err(NEVER) => u64::MAX,
                    Err(wait) => at.checked_add(wait).expect("what is past the end of time is never"),
                };
                let helps = algorithm.admit(state.clone(), then, cost);
                let told = algorithm.admit(state.clone(), at, cost) != Err(NEVER);
                assert_eq!(
                    helps.is_ok(),
                    told,
                    "{algorithm:?}: {state:?} at {at}: {cost}, at {then}: {helps:?}"
                );
            }
        }
    }
}

pub(super) fn nothing_panics_or_wraps<A: Relative>(subject: &Subject<A>) {
    let algorithm = subject.algorithm;
    let extremes = [0, 1, 1 << 31, 1 << 32, 1 << 63, u64::MAX - 1, u64::MAX];
    subject.each(|state, _| {
        for now in extremes {
            assert!(algorithm.standing(state.clone(), now).remaining <= algorithm.capacity());
            for units in extremes {
                let (next, taken) = algorithm.admit_up_to(state.clone(), now, units);
                assert!(taken <= algorithm.capacity().min(units));
                let penalized = algorithm.penalized(next, now, units);
                assert!(algorithm.standing(penalized.clone(), now).remaining <= algorithm.capacity());
                let _ = algorithm.fresh_from(penalized);
            }
        }
    });
}
