//! One state and the algorithm that it is counted by.

use alloc::boxed::Box;

use crate::Decision;
use crate::algorithm::{
    Algorithm, AlgorithmName, AnyAlgorithm, Engine, Fractions, Gcra, Standing, Whole, Word, log_words,
};
use crate::kept::{AtomicLog, Kept, Operation, Outcome};
use crate::sync::{AtomicU32, AtomicU64, Backoff, Ordering, fence};

/// What a limiter without keys is, whatever its algorithm.
pub(crate) struct Single {
    algorithm: AnyAlgorithm,
    /// The algorithm in the case that nearly always holds, so that a check finds that out by one look.
    usual: Option<Gcra>,
    cell: Cell,
    /// Guarded by the cell's version.
    log: Box<AtomicLog>,
}

impl Single {
    pub(super) fn new(algorithm: AnyAlgorithm) -> Self {
        let words = log_words(algorithm.entries());
        let usual = match algorithm {
            AnyAlgorithm::Gcra(gcra) if gcra.is_whole() => Some(gcra),
            _ => None,
        };
        let log = (0..words).map(|_| AtomicU64::new(0)).collect();
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
            _ => self.run(now, Operation::Take(cost), |outcome, left| {
                Decision::new(self.most(), left(outcome), outcome.result.err())
            }),
        }
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
            let wait = self.algorithm.wait(word, &self.log, now, ahead, cost);
            (self.algorithm.left(word, &self.log, now), wait)
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
            let outcome = self.algorithm.run(word, &self.log, now, operation);
            let answered = answer(&outcome, &|outcome| self.algorithm.left_after(outcome, &self.log, now));
            let done = if outcome.leaves(word) {
                self.cell.is_still(guard)
            } else {
                self.cell
                    .write_if(guard, outcome.word, || self.algorithm.write(&self.log, now, outcome.change))
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
            // Relaxed: published by the version.
            let cleared = || self.log.iter().take(1).for_each(|head| head.store(0, Ordering::Relaxed));
            if self.cell.write_if(guard, Word::default(), cleared) {
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

    fn is_narrow(&self) -> bool {
        self.usual.is_some()
    }
}

/// One state.
///
/// A state that fits 64 bits is swapped as one word. A longer one stands behind a version, by the protocol of a
/// [line](crate::table): read, decide, and write only if the version can still be moved to the next odd number.
#[derive(Debug, Default)]
#[repr(align(64))]
struct Cell {
    version: AtomicU32,
    high: AtomicU32,
    low: AtomicU64,
}

/// What has to be unchanged for a state that was read to be the state still.
#[derive(Clone, Copy)]
enum Guard {
    Narrow(u64),
    Version(u32),
}

type Verdict = (Word, Option<u64>);

impl Cell {
    /// The new state, or the old one and the wait; nothing if somebody was in the way.
    #[inline(always)]
    fn attempt<E: Engine>(&self, engine: &E, now: u64, cost: u64) -> Option<Verdict> {
        if E::NARROW { self.attempt_narrow(engine, now, cost) } else { self.attempt_long(engine, now, cost) }
    }

    #[inline(always)]
    fn attempt_narrow<E: Engine>(&self, engine: &E, now: u64, cost: u64) -> Option<Verdict> {
        // Relaxed, here and below: the word is all there is, and what a limiter admits publishes nothing.
        let state = Word { low: self.low.load(Ordering::Relaxed), high: 0 };
        match engine.admit_word(state, now, cost) {
            Ok(next) => self.swap_word(state.low, next.low).then_some((next, None)),
            Err(wait) => Some((state, Some(wait))),
        }
    }

    #[inline(always)]
    fn attempt_long<E: Engine>(&self, engine: &E, now: u64, cost: u64) -> Option<Verdict> {
        // Acquire: the state is read no earlier.
        let version = self.version.load(Ordering::Acquire);
        let state = self.word();
        match engine.admit_word(state, now, cost) {
            Ok(next) => self.try_write(version, next, || ()).then_some((next, None)),
            Err(wait) => self.is_version(version).then_some((state, Some(wait))),
        }
    }

    /// The same, until nobody is in the way.
    #[cold]
    fn decide_contended<E: Engine>(&self, engine: &E, now: u64, cost: u64) -> Verdict {
        let mut backoff = Backoff::default();
        // At once first: the lost swap has brought the state here. A pause before it lets the winner get more done where cores
        // are far apart, 20 ns instead of 25, and costs 32 instead of 18 where they share a cache.
        loop {
            if let Some(answer) = self.attempt(engine, now, cost) {
                return answer;
            }
            backoff.wait();
        }
    }

    /// The state, and what to judge by whether it is the state still.
    fn guarded(&self, narrow: bool) -> (Guard, Word) {
        if narrow {
            let low = self.low.load(Ordering::Relaxed);
            return (Guard::Narrow(low), Word { low, high: 0 });
        }
        // Acquire: as in `attempt_long`.
        let version = self.version.load(Ordering::Acquire);
        (Guard::Version(version), self.word())
    }

    /// Whether what was read since is what belongs to the guard. A narrow state is all there is to read.
    fn is_still(&self, guard: Guard) -> bool {
        match guard {
            Guard::Narrow(_) => true,
            Guard::Version(version) => self.is_version(version),
        }
    }

    /// Writes a state, and what belongs to it, if nothing has moved.
    fn write_if(&self, guard: Guard, next: Word, beside: impl FnOnce()) -> bool {
        match guard {
            Guard::Narrow(state) => self.swap_word(state, next.low),
            Guard::Version(version) => self.try_write(version, next, beside),
        }
    }

    #[inline]
    fn swap_word(&self, state: u64, next: u64) -> bool {
        self.low.compare_exchange(state, next, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    #[inline]
    fn try_write(&self, version: u32, state: Word, beside: impl FnOnce()) -> bool {
        // Acquire: sees the last writer's stores. Relaxed on failure: everything is read again.
        let won = version % 2 == 0
            && self
                .version
                .compare_exchange(version, version.wrapping_add(1), Ordering::Acquire, Ordering::Relaxed)
                .is_ok();
        if won {
            fence(Ordering::Release);
            // Relaxed: between the fence above and the Release below.
            self.low.store(state.low, Ordering::Relaxed);
            self.high.store(state.high, Ordering::Relaxed);
            beside();
            self.version.store(version.wrapping_add(2), Ordering::Release);
        }
        won
    }

    #[inline]
    fn word(&self) -> Word {
        // Relaxed: judged by the version.
        Word { low: self.low.load(Ordering::Relaxed), high: self.high.load(Ordering::Relaxed) }
    }

    #[inline]
    fn is_version(&self, version: u32) -> bool {
        fence(Ordering::Acquire);
        // Relaxed: the fence orders it after the reads it judges.
        version % 2 == 0 && self.version.load(Ordering::Relaxed) == version
    }
}

#[cfg(all(test, loom))]
mod tests;
