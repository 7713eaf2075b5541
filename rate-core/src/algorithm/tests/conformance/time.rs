//! What passing time does, and what a clock that steps back does not.

use super::super::relative::Relative;
use super::super::search::LATE;
use super::subject::Subject;

pub(super) fn it_is_as_good_as_new_after_the_reset<A: Relative>(subject: &Subject<A>) {
    let algorithm = subject.algorithm;
    subject.each(|state, now| {
        let reset = now + algorithm.standing(state.clone(), now).reset_after;
        assert_eq!(reset, algorithm.fresh_from(state.clone()).max(now), "{algorithm:?}: {state:?} at {now}");
        let new = algorithm.standing(algorithm.fresh(), reset);
        let at = |now| algorithm.standing(state.clone(), now);
        assert_eq!(at(reset), new, "{algorithm:?}: {state:?} at {reset}");
        if reset > now {
            assert_eq!(at(reset - 1).reset_after, 1);
            // A queue has room a tick earlier, but what joins it then has its turns from within that tick.
            let full = at(reset - 1).remaining == new.remaining;
            assert!(!full || algorithm.is_queue(), "{algorithm:?}: {state:?} before {reset}");
        }
    });
}

pub(super) fn it_is_fresh_from_the_first_tick_at_which_it_cannot_be_told_from_a_new_one<A: Relative>(
    subject: &Subject<A>,
) {
    let algorithm = subject.algorithm;
    subject.each(|state, now| {
        let fresh_from = algorithm.fresh_from(state.clone());
        let from = fresh_from.max(now);
        subject.assert_alike(state, &algorithm.fresh(), &subject.instants(state, from));
        if fresh_from > now {
            let before = fresh_from - 1;
            assert!(
                subject.tells_apart(state, &algorithm.fresh(), before),
                "{algorithm:?}: {state:?} at {before}"
            );
        }
    });
}

pub(super) fn an_idle_key_is_never_better_than_a_new_one<A: Relative>(subject: &Subject<A>) {
    // Others let a key that was idle for just the wrong time have a burst twice.
    let algorithm = subject.algorithm;
    subject.each(|state, now| {
        let instants = subject.instants(state, now);
        subject.assert_no_better(state, &algorithm.fresh(), &instants);
        for (gap, at) in instants.iter().enumerate() {
            let Ok(taken) = algorithm.admit(state.clone(), *at, algorithm.capacity()) else { continue };
            // Not even later does it matter that it was idle, but for the fraction of a tick that a queue does not lose.
            let came = at.saturating_sub(u64::from(algorithm.is_queue()));
            let new = algorithm.admit(algorithm.fresh(), came, algorithm.capacity()).expect("a new key");
            subject.assert_no_better(&taken, &new, &instants[gap..]);
        }
    });
}

pub(super) fn waiting_takes_nothing_away<A: Relative>(subject: &Subject<A>) {
    subject.each(|state, now| {
        let instants = subject.instants(state, now);
        for pair in instants.windows(2) {
            let (earlier, later) = (subject.answers(state, pair[0]), subject.answers(state, pair[1]));
            assert!(earlier.0.remaining <= later.0.remaining, "{state:?} from {} to {}", pair[0], pair[1]);
            for (earlier, later) in earlier.1.iter().zip(&later.1) {
                assert!(earlier >= later, "{state:?} from {} to {}", pair[0], pair[1]);
            }
        }
    });
}

/// Instants before `now` that somebody may claim.
fn late(now: u64, ticks: u64) -> impl Iterator<Item = u64> {
    [1, 2, LATE, ticks - 1, ticks, 2 * ticks, now].into_iter().filter_map(move |late| now.checked_sub(late))
}

pub(super) fn a_late_request_is_admitted_no_more<A: Relative>(subject: &Subject<A>) {
    let algorithm = subject.algorithm;
    subject.each(|state, now| {
        for late in late(now, algorithm.ticks()) {
            let (then, on_time) = (subject.answers(state, late), subject.answers(state, now));
            assert!(then.0.remaining <= on_time.0.remaining, "{state:?} at {late} and {now}");
            for (then, on_time) in then.1.iter().zip(&on_time.1) {
                let until = now.saturating_add(*on_time);
                assert!(
                    *on_time == 0 || late.saturating_add(*then) >= until,
                    "{state:?} at {late} and {now}"
                );
            }
        }
    });
}

pub(super) fn a_late_request_rewinds_nothing_and_delays_nobody<A: Relative>(subject: &Subject<A>) {
    let algorithm = subject.algorithm;
    subject.each(|state, now| {
        for late in late(now, algorithm.ticks()) {
            for cost in subject.costs() {
                let Ok(then) = algorithm.admit(state.clone(), late, cost) else { continue };
                let instants = subject.instants(state, now);
                subject.assert_no_better(&then, state, &instants);
                if let Ok(on_time) = algorithm.admit(state.clone(), now, cost) {
                    subject.assert_no_better(&on_time, &then, &instants);
                }
            }
        }
    });
}
