//! One state and the algorithm that it is counted by.

mod cell;

use alloc::boxed::Box;

use crate::Decision;
use crate::algorithm::{
    Algorithm, AlgorithmName, AnyAlgorithm, Engine, Entries, Fractions, Gcra, LOG_HEADER, NEVER, Ring,
    SlidingLog, Standing, Whole, Word,
};
use crate::kept::{AtomicLog, Kept, Operation, Outcome, ring};
use crate::sync::{AtomicU64, Backoff};
use cell::Cell;

/// What a limiter without keys is, whatever its algorithm.
pub(crate) struct Single {
    algorithm: AnyAlgorithm,
    /// The algorithm in the case that nearly always holds, so that a check finds that out by one look.
    usual: Option<Gcra>,
    cell: Cell,
    /// Guarded by the cell's version.
    log: OwnLog,
}

/// A log, where the algorithm keeps one.
struct OwnLog {
    header: [AtomicU64; LOG_HEADER],
    ring: Box<[AtomicU64]>,
}

impl Single {
    pub(super) fn new(algorithm: AnyAlgorithm) -> Self {
        let usual = match algorithm {
            AnyAlgorithm::Gcra(gcra) if gcra.is_whole() => Some(gcra),
            _ => None,
        };
        let log = OwnLog {
            header: [0; LOG_HEADER].map(AtomicU64::new),
            ring: if algorithm.entries() > 0 { ring(algorithm.entries()) } else { Box::default() },
        };
        Self { algorithm, usual, cell: Cell::default(), log }
    }

    pub(super) fn algorithm(&self) -> &AnyAlgorithm {
        &self.algorithm
    }

    pub(super) fn most(&self) -> u64 {
        self.algorithm.capacity()
    }

    /// Decides and charges. `A` says as much of the algorithm as is known when the program is compiled.
    #[inline(always)]
    pub(super) fn decide<A: Kept>(&self, now: u64, cost: u64) -> Decision {
        use AlgorithmName as Name;
        let may_be = |name| A::NAME.is_none_or(|known| known == name);
        if may_be(Name::Gcra) {
            if let Some(gcra) = &self.usual {
                return self.decide_by(&Whole(gcra), now, cost);
            }
        }
        match &self.algorithm {
            AnyAlgorithm::Gcra(gcra) if may_be(Name::Gcra) => {
                self.decide_by(&Fractions::<false>(gcra), now, cost)
            }
            AnyAlgorithm::LeakyBucket(bucket) if may_be(Name::LeakyBucket) => {
                self.decide_by(bucket, now, cost)
            }
            AnyAlgorithm::FixedWindow(window) if may_be(Name::FixedWindow) => {
                self.decide_by(window, now, cost)
            }
            AnyAlgorithm::CalendarWindow(window) if may_be(Name::CalendarWindow) => {
                self.decide_by(window, now, cost)
            }
            AnyAlgorithm::SlidingWindow(window) if may_be(Name::SlidingWindow) => {
                self.decide_by(window, now, cost)
            }
            AnyAlgorithm::SlidingLog(log) if may_be(Name::SlidingLog) => {
                match self.decide_in_log(log, now, cost) {
                    Some(decision) => decision,
                    None => self.decide_anyhow(now, cost),
                }
            }
            _ if A::NAME.is_none() => self.decide_anyhow(now, cost),
            // Not to be reached: the limiter's type says which one it is. And no call, which would make all answers go through
            // memory.
            _ => Decision::new(0, Standing { remaining: 0, reset_after: 0 }, Some(NEVER)),
        }
    }

    /// As a key's in a table, on a log that is not empty and with nobody in the way.
    #[inline(always)]
    fn decide_in_log(&self, algorithm: &SlidingLog, now: u64, cost: u64) -> Option<Decision> {
        let (guard, _) = self.cell.guarded(false);
        let most = algorithm.capacity();
        if let Some((wait, left)) = algorithm.refused(self.log().header(), now, cost) {
            return self.cell.is_still(guard).then(|| Decision::new(most, left, Some(wait)));
        }
        let mut entries = Entries::read(self.log());
        if entries.is_empty() || cost == 0 {
            return None;
        }
        let taken = algorithm.take(&entries, now, cost);
        let done = if taken.wait.is_none() {
            let next = Word { low: now.saturating_add(taken.left.reset_after), high: 0 };
            self.cell.write_if(guard, next, || entries.push_to(taken.count, algorithm.period(), now, cost))
        } else {
            self.cell.is_still(guard)
        };
        done.then(|| Decision::new(most, taken.left, taken.wait))
    }

    #[inline(never)]
    fn decide_anyhow(&self, now: u64, cost: u64) -> Decision {
        self.run(now, Operation::Take(cost), |outcome, left| {
            Decision::new(self.most(), left(outcome), outcome.result.err())
        })
    }

    #[inline(always)]
    fn decide_by<E: Engine>(&self, engine: &E, now: u64, cost: u64) -> Decision {
        let answer = |(state, wait)| Decision::new(engine.most(), engine.standing_word(state, now), wait);
        // Answered at once, not together with the long way: its result is in memory, and then this one would have to be.
        if let Some(verdict) = self.cell.attempt(engine, now, cost) {
            return answer(verdict);
        }
        answer(self.cell.decide_contended(engine, now, cost))
    }

    /// What `decide` would answer, with the state as it is.
    pub(super) fn peek(&self, now: u64, cost: u64) -> Decision {
        self.peek_behind(0, now, cost)
    }

    /// The same, with the wait of somebody before whom `ahead` units are taken.
    pub(super) fn peek_behind(&self, ahead: u64, now: u64, cost: u64) -> Decision {
        let (standing, wait) = self.read(|word| {
            let wait = self.algorithm.wait(word, self.log(), now, ahead, cost);
            (self.algorithm.left(word, self.log(), now), wait)
        });
        Decision::new(self.most(), standing, wait)
    }

    /// Runs an operation; the answer is made while the state is as it was found.
    pub(crate) fn run<T>(
        &self,
        now: u64,
        operation: Operation,
        answer: impl Fn(&Outcome, &dyn Fn(&Outcome) -> Standing) -> T,
    ) -> T {
        let mut backoff = Backoff::default();
        loop {
            let (guard, word) = self.cell.guarded(self.is_narrow());
            let outcome = self.algorithm.run(word, self.log(), now, operation);
            let answered = answer(&outcome, &|outcome| self.algorithm.left_after(outcome, self.log(), now));
            let done = if outcome.leaves(word) {
                self.cell.is_still(guard)
            } else {
                self.cell
                    .write_if(guard, outcome.word, || self.algorithm.write(self.log(), now, outcome.change))
            };
            if done {
                return answered;
            }
            backoff.wait();
        }
    }

    pub(super) fn reset(&self) {
        let mut backoff = Backoff::default();
        loop {
            let (guard, _) = self.cell.guarded(self.is_narrow());
            if self.cell.write_if(guard, Word::default(), || self.log().clear()) {
                return;
            }
            backoff.wait();
        }
    }

    /// Reads the state and whatever belongs to it as of one moment.
    fn read<T>(&self, read: impl Fn(Word) -> T) -> T {
        let mut backoff = Backoff::default();
        loop {
            let (guard, word) = self.cell.guarded(self.is_narrow());
            let result = read(word);
            if self.cell.is_still(guard) {
                return result;
            }
            backoff.wait();
        }
    }

    fn log(&self) -> AtomicLog<'_> {
        AtomicLog { header: &self.log.header, ring: &self.log.ring }
    }

    fn is_narrow(&self) -> bool {
        self.usual.is_some()
    }
}

#[cfg(all(test, loom))]
mod tests;
