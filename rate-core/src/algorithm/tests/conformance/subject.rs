//! An algorithm, the states it is tried in, and the instants it is asked at.

use std::collections::HashSet;

use super::super::relative::Relative;
use super::super::search::{Moves, Search};
use crate::algorithm::{NEVER, Standing};

/// An algorithm and states that a key can be in, each with the latest instant that anybody has told it.
pub(super) struct Subject<A: Relative> {
    pub(super) algorithm: A,
    pub(super) seen: Vec<(A::State, u64)>,
    /// Whether every instant and every cost is tried.
    small: bool,
}

/// What a key is answered at an instant: what it has, and for each cost the ticks to wait.
pub(super) type Answers = (Standing, Vec<u64>);

impl<A: Relative> Subject<A> {
    /// So small that every state can be tried that moves of some kinds lead to.
    pub(super) fn small(algorithm: A, kinds: &[Moves<A>]) -> Self {
        let positions = Search::new(&algorithm, 0, kinds).positions();
        let mut known = HashSet::new();
        let seen = positions.into_iter().map(|position| (position.state, position.tick));
        let seen = seen.filter(|(state, now)| known.insert((A::key(state), *now))).collect();
        Self { algorithm, seen, small: true }
    }

    /// Of the size that people use, in states that it may come to.
    pub(super) fn usual(algorithm: A) -> Self {
        let period = algorithm.ticks();
        let mut random = Random(period);
        let mut seen = vec![(algorithm.fresh(), 0)];
        for start in [0, 1, period / 3, 5 * period, 5 * period + period / 7, 1 << 60] {
            let (mut state, mut now) = (algorithm.fresh(), start);
            for _ in 0..5 {
                let cost = match random.below(4) {
                    0 => algorithm.capacity(),
                    1 => 1,
                    _ => 1 + random.below(algorithm.capacity()),
                };
                let wait = match algorithm.admit(state.clone(), now, cost) {
                    Ok(next) => {
                        state = next;
                        0
                    }
                    Err(NEVER) => 0,
                    Err(wait) => wait,
                };
                if random.below(8) == 0 {
                    let time = random.below(2 * period);
                    state = algorithm.penalized(state, now, now.saturating_add(time));
                }
                seen.push((state.clone(), now));
                let gap = match random.below(6) {
                    0 => 0,
                    1 => 1,
                    2 => wait,
                    3 => period / 10,
                    _ => random.below(period),
                };
                now = now.saturating_add(gap);
            }
        }
        Self { algorithm, seen, small: false }
    }

    pub(super) fn each(&self, check: impl Fn(&A::State, u64)) {
        for (state, now) in &self.seen {
            check(state, *now);
        }
    }

    /// The instants of these states.
    pub(super) fn nows(&self) -> Vec<u64> {
        let mut nows: Vec<_> = self.seen.iter().map(|seen| seen.1).collect();
        nows.sort_unstable();
        nows.dedup();
        nows
    }

    /// Costs from one to the capacity.
    pub(super) fn costs(&self) -> Vec<u64> {
        let most = self.algorithm.capacity();
        if self.small {
            return (1..=most).collect();
        }
        let mut costs = vec![1, 2, most / 2, most - 1, most];
        costs.retain(|cost| (1..=most).contains(cost));
        costs.sort_unstable();
        costs.dedup();
        costs
    }

    /// Instants from `now` on for three periods: all there are, or those at which something may change for a state.
    pub(super) fn instants(&self, state: &A::State, now: u64) -> Vec<u64> {
        let period = self.algorithm.ticks();
        if self.small {
            return (now..=now + 3 * period).collect();
        }
        let mut around = vec![now, now + period.min(u64::MAX - now)];
        let standing = self.algorithm.standing(state.clone(), now);
        around.push(now.saturating_add(standing.reset_after));
        around.push(self.algorithm.fresh_from(state.clone()));
        for cost in self.costs() {
            if let Err(wait) = self.algorithm.admit(state.clone(), now, cost) {
                around.push(now.saturating_add(wait));
            }
        }
        let mut random = Random(now);
        for periods in 1..=3 {
            // Where windows may begin.
            around.push((now / period).saturating_add(periods).saturating_mul(period));
            around.push(now.saturating_add(random.below(3 * period)));
        }
        let mut instants: Vec<_> =
            around.into_iter().flat_map(|at| [at.saturating_sub(1), at, at.saturating_add(1)]).collect();
        instants.retain(|at| *at >= now);
        instants.sort_unstable();
        instants.dedup();
        instants
    }

    pub(super) fn answers(&self, state: &A::State, now: u64) -> Answers {
        let wait = |cost| self.algorithm.admit(state.clone(), now, cost).err().unwrap_or(0);
        (self.algorithm.standing(state.clone(), now), self.costs().into_iter().map(wait).collect())
    }

    /// That nobody can tell two states apart at these instants, not even by what a request makes of them.
    #[track_caller]
    pub(super) fn assert_alike(&self, one: &A::State, other: &A::State, instants: &[u64]) {
        let told = instants.iter().find(|now| self.tells_apart(one, other, **now));
        assert_eq!(told, None, "{:?}: {one:?} is not {other:?}", self.algorithm);
    }

    pub(super) fn tells_apart(&self, one: &A::State, other: &A::State, now: u64) -> bool {
        let takes = |state: &A::State, cost| self.algorithm.admit(state.clone(), now, cost);
        self.algorithm.standing(one.clone(), now) != self.algorithm.standing(other.clone(), now)
            || self.costs().into_iter().any(|cost| takes(one, cost) != takes(other, cost))
    }

    /// That whoever is in the state `less` is never admitted more than in the state `more`, nor earlier.
    #[track_caller]
    pub(super) fn assert_no_better(&self, less: &A::State, more: &A::State, instants: &[u64]) {
        for now in instants {
            let ((less_has, less_waits), (more_has, more_waits)) =
                (self.answers(less, *now), self.answers(more, *now));
            let better = less_has.remaining > more_has.remaining
                || less_waits.iter().zip(&more_waits).any(|(less, more)| less < more);
            assert!(!better, "{:?} at {now}: {less:?} is better than {more:?}", self.algorithm);
        }
    }
}

/// Numbers that look random and are always the same.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        // Vigna, "An experimental exploration of Marsaglia's xorshift generators, scrambled" (2016).
        self.0 |= 1;
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16) % end.max(1)
    }
}
