//! States as the limiters keep them.

use super::super::relative::Relative;
use super::subject::Subject;
use crate::algorithm::{Engine, Packed};

pub(super) fn a_state_fits_a_word<A: Relative + Packed>(subject: &Subject<A>) {
    subject.each(|state, _| {
        let word = subject.algorithm.pack(state.clone());
        assert_eq!(&subject.algorithm.unpack(word), state, "{word:?}");
    });
}

pub(super) fn words_are_answered_as_states_are<A: Relative + Packed>(subject: &Subject<A>) {
    let algorithm = subject.algorithm;
    subject.each(|state, now| {
        let word = algorithm.pack(state.clone());
        assert_eq!(algorithm.standing_word(word, now), algorithm.standing(state.clone(), now));
        for cost in subject.costs().into_iter().chain([0, u64::MAX]) {
            let next = algorithm.admit(state.clone(), now, cost).map(|next| algorithm.pack(next));
            assert_eq!(algorithm.admit_word(word, now, cost), next, "{state:?} at {now}: {cost}");
        }
    });
    assert_eq!(algorithm.most(), algorithm.capacity());
}

pub(super) fn a_state_that_was_dropped_leaves_no_less_behind<A: Relative + Packed>(subject: &Subject<A>) {
    // Of a key that was dropped a table remembers only when it was fresh, and late requests may still come.
    let algorithm = subject.algorithm;
    subject.each(|state, now| {
        let fresh_from = algorithm.fresh_from(state.clone());
        let left = algorithm.unpack(algorithm.fresh_at(fresh_from, fresh_from));
        let late = [now.saturating_sub(algorithm.ticks()), now.saturating_sub(2), now.saturating_sub(1)];
        subject.assert_no_better(&left, state, &late);
        subject.assert_no_better(&left, state, &subject.instants(state, now));
        subject.assert_alike(&left, &algorithm.fresh(), &subject.instants(state, fresh_from.max(now)));
    });
}

pub(super) fn who_comes_late_finds_a_dropped_key_full<A: Relative + Packed>(subject: &Subject<A>) {
    // Whatever limit it was counted by when it was dropped: the instant can be any.
    let algorithm = subject.algorithm;
    for now in subject.nows() {
        for instant in [now, now + 1, now + algorithm.ticks() / 2, now + algorithm.ticks()] {
            let left = algorithm.unpack(algorithm.full_until(instant));
            for late in [instant.saturating_sub(1), instant.saturating_sub(algorithm.ticks())] {
                let standing = algorithm.standing(left.clone(), late);
                assert!(late >= instant || standing.reset_after >= instant - late, "{left:?} at {late}");
                assert!(late >= instant || standing.remaining < algorithm.capacity(), "{left:?} at {late}");
            }
        }
    }
}

pub(super) fn what_was_taken_later_is_known_to_have_been<A: Relative + Packed>(subject: &Subject<A>) {
    let (algorithm, ticks) = (subject.algorithm, subject.algorithm.ticks());
    for now in subject.nows() {
        let spent = algorithm.admit(algorithm.fresh(), now, algorithm.capacity()).expect("a fresh key");
        let last = |at| algorithm.last_taken(algorithm.pack(spent.clone()), at);
        for at in [now, now + 1, now + ticks] {
            // To the tick, where a whole bucket is no whole number of them.
            assert!((at..=at + 1).contains(&last(at)), "{algorithm:?}: {spent:?} at {at}");
        }
        for at in [now.saturating_sub(1), now.saturating_sub(ticks), now.saturating_sub(2 * ticks)] {
            assert!(last(at) >= at, "{algorithm:?}: {spent:?} at {at}");
        }
        if let Some(long_ago) = now.checked_sub(2 * ticks) {
            // Of a window it is known only which one it was.
            let end = (now + 2 * ticks).min(algorithm.fresh_from(spent.clone()));
            assert!((now..end).contains(&last(long_ago)), "{algorithm:?}: {spent:?} at {long_ago}");
        }
    }
}

pub(super) fn losing_who_has_taken_more_admits_more<A: Relative + Packed>(subject: &Subject<A>) {
    let algorithm = subject.algorithm;
    let strength = |state: &A::State, now| algorithm.strength(algorithm.pack(state.clone()), now);
    subject.each(|state, now| {
        assert!(strength(state, now) >= strength(&algorithm.fresh(), now), "{state:?} at {now}");
        for cost in subject.costs() {
            let Ok(next) = algorithm.admit(state.clone(), now, cost) else { continue };
            assert!(strength(&next, now) >= strength(state, now), "{algorithm:?}: {next:?} at {now}");
            if cost == algorithm.capacity() && now > 0 {
                assert!(strength(&next, now) > strength(&algorithm.fresh(), now), "{algorithm:?}: {next:?}");
            }
        }
        let penalized = algorithm.penalized(state.clone(), now, now + algorithm.ticks());
        assert!(strength(&penalized, now) >= strength(state, now), "{algorithm:?}: {penalized:?} at {now}");
    });
}
