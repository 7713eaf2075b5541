//! The algorithms as the limiters keep them: every operation on the 96 bits of a state, and on the log beside it if there
//! is one.
//!
//! An operation is decided on a state that was read without a lock, and says what to write; whoever writes it makes sure
//! that nothing has moved since.

use crate::algorithm::{
    Algorithm, AlgorithmName, AnyAlgorithm, CalendarWindow, Charged, Debit, Engine, Entries, FixedWindow,
    Gcra, LeakyBucket, NEVER, Packed, Refund, Reserve, Ring, SlidingLog, SlidingWindow, Standing, Word,
};
use crate::sync::{AtomicU64, Ordering};

/// An algorithm that the limiters of this crate can count by.
///
/// All of them: the trait cannot be implemented elsewhere.
pub trait Kept: Algorithm + Copy + Into<AnyAlgorithm> + sealed::Sealed {
    /// Which one, if that is known when the program is compiled.
    #[doc(hidden)]
    const NAME: Option<AlgorithmName>;
}

mod sealed {
    pub trait Sealed {}
}

macro_rules! kept {
    ($($algorithm:ident)*) => {$(
        impl sealed::Sealed for $algorithm {}

        impl Kept for $algorithm {
            const NAME: Option<AlgorithmName> = Some(AlgorithmName::$algorithm);
        }
    )*};
}

kept!(Gcra LeakyBucket FixedWindow CalendarWindow SlidingWindow SlidingLog);

impl sealed::Sealed for AnyAlgorithm {}

impl Kept for AnyAlgorithm {
    const NAME: Option<AlgorithmName> = None;
}

/// What is asked of a key.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Operation {
    Take(u64),
    TakeUpTo(u64),
    Refund(Charged),
    Reserve { cost: u64, max_wait: u64 },
    Cancel { after: Word, charge: Charged },
    Debit { units: u64, max_debt: u64 },
    Penalize { until: u64 },
}

impl Operation {
    /// The same where the limit has changed since the caller has read it: units of the old one cannot be given back to a state
    /// that is written in the new one.
    pub(crate) fn under_another_limit(self) -> Self {
        match self {
            Self::Refund(charge) | Self::Cancel { charge, .. } => {
                Self::Refund(Charged { units: 0, ..charge })
            }
            other => other,
        }
    }
}

/// How an operation ends if nothing has moved since the state was read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outcome {
    /// The state afterwards.
    pub(crate) word: Word,
    /// What becomes of the log.
    pub(crate) change: Change,
    /// Units taken or given back, or ticks to wait for a reservation; or the wait after which to ask again.
    pub(crate) result: Result<u64, u64>,
}

/// What an operation writes into a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    Nothing,
    Push(u64),
    Refund(Charged),
    Fill { until: u64 },
}

/// A log in the memory of a limiter.
pub(crate) type AtomicLog = [AtomicU64];

/// What a key has that has no log yet.
pub(crate) fn no_log() -> &'static AtomicLog {
    #[cfg(not(all(test, loom)))]
    {
        static NONE: [AtomicU64; 4] = [const { AtomicU64::new(0) }; 4];
        &NONE
    }
    // Loom's atomics belong to one run of a model.
    #[cfg(all(test, loom))]
    std::boxed::Box::leak(std::boxed::Box::new([0; 4].map(AtomicU64::new)))
}

// Relaxed, all of it: what is read is judged by the guard of the slot, and what is written is published by unlocking it.
impl Ring for &AtomicLog {
    #[inline]
    fn words(&self) -> usize {
        self.len()
    }

    #[inline]
    fn load(&self, word: usize) -> u64 {
        self[word].load(Ordering::Relaxed)
    }

    #[inline]
    fn store(&mut self, word: usize, value: u64) {
        self[word].store(value, Ordering::Relaxed);
    }
}

impl Outcome {
    /// What is to be written, nothing.
    fn unchanged(word: Word, result: Result<u64, u64>) -> Self {
        Self { word, change: Change::Nothing, result }
    }

    fn of<A: Packed>(algorithm: &A, (state, result): (A::State, u64)) -> Self {
        Self { word: algorithm.pack(state), change: Change::Nothing, result: Ok(result) }
    }

    /// Whether there is nothing to write.
    pub(crate) fn leaves(&self, word: Word) -> bool {
        self.word == word && self.change == Change::Nothing
    }
}

/// What every algorithm can do whose states fit a word.
fn run<A: Packed>(algorithm: &A, word: Word, now: u64, operation: Operation) -> Outcome {
    let state = algorithm.unpack(word);
    match operation {
        Operation::Take(cost) => match algorithm.admit(state, now, cost) {
            Ok(state) => Outcome::of(algorithm, (state, cost)),
            Err(wait) => Outcome::unchanged(word, Err(wait)),
        },
        Operation::TakeUpTo(units) => Outcome::of(algorithm, algorithm.admit_up_to(state, now, units)),
        Operation::Penalize { until } => Outcome::of(algorithm, (algorithm.penalized(state, now, until), 0)),
        // Not to be reached: the limiters have these only where the algorithm has.
        Operation::Refund(_) | Operation::Cancel { .. } | Operation::Debit { .. } => {
            Outcome::unchanged(word, Ok(0))
        }
        Operation::Reserve { .. } => Outcome::unchanged(word, Err(NEVER)),
    }
}

fn run_refund<A: Packed + Refund>(algorithm: &A, word: Word, now: u64, operation: Operation) -> Outcome {
    match operation {
        Operation::Refund(charge) => {
            Outcome::of(algorithm, algorithm.refund(algorithm.unpack(word), charge, now))
        }
        other => run(algorithm, word, now, other),
    }
}

fn run_reserve<A: Packed + Reserve>(algorithm: &A, word: Word, now: u64, operation: Operation) -> Outcome {
    let state = algorithm.unpack(word);
    match operation {
        Operation::Reserve { cost, max_wait } => match algorithm.reserve(state, now, cost, max_wait) {
            Ok(reserved) => Outcome::of(algorithm, reserved),
            Err(wait) => Outcome::unchanged(word, Err(wait)),
        },
        Operation::Cancel { after, charge } => {
            Outcome::of(algorithm, algorithm.cancel(state, algorithm.unpack(after), charge, now))
        }
        other => run(algorithm, word, now, other),
    }
}

fn run_gcra(gcra: &Gcra, word: Word, now: u64, operation: Operation) -> Outcome {
    match operation {
        Operation::Refund(_) => run_refund(gcra, word, now, operation),
        Operation::Debit { units, max_debt } => {
            Outcome::of(gcra, gcra.debit(gcra.unpack(word), now, units, max_debt))
        }
        other => run_reserve(gcra, word, now, other),
    }
}

/// Ticks until a key without a log is as good as new: what the word says of one that was dropped, to a late request.
fn absent_until(word: Word, entries: &Entries<&AtomicLog>, now: u64) -> u64 {
    if entries.is_empty() { word.low.saturating_sub(now) } else { 0 }
}

/// On a log, which is left as it is.
fn run_log(
    log: &SlidingLog,
    word: Word,
    entries: &Entries<&AtomicLog>,
    now: u64,
    operation: Operation,
) -> Outcome {
    let taken = |units: u64| {
        // As the log will have it: a period after the newest entry.
        let fresh_from = now.saturating_add(log.period()).max(entries.fresh_from(log.period()));
        Outcome { word: Word { low: fresh_from, high: 0 }, change: Change::Push(units), result: Ok(units) }
    };
    let absent = absent_until(word, entries, now);
    match operation {
        Operation::Take(0) => Outcome::unchanged(word, Ok(0)),
        Operation::Take(cost) if cost <= log.capacity() && absent > 0 => {
            Outcome::unchanged(word, Err(absent))
        }
        Operation::TakeUpTo(_) if absent > 0 => Outcome::unchanged(word, Ok(0)),
        Operation::Take(cost) => match log.fits(entries, now, cost) {
            Ok(()) => taken(cost),
            Err(wait) => Outcome::unchanged(word, Err(wait)),
        },
        Operation::TakeUpTo(units) => {
            let units = log.standing_of(entries, now).remaining.min(units);
            match log.fits(entries, now, units) {
                Ok(()) if units > 0 => taken(units),
                _ => Outcome::unchanged(word, Ok(0)),
            }
        }
        Operation::Refund(charge) => {
            let units = entries.refundable(log.period(), charge.at, charge.units, now);
            let all = units > 0 && units == log.capacity() - log.standing_of(entries, now).remaining;
            let change = if units > 0 { Change::Refund(charge) } else { Change::Nothing };
            Outcome { word: if all { Word::default() } else { word }, change, result: Ok(units) }
        }
        Operation::Penalize { until } if until > now => {
            let fresh_from = until.max(log.period()).max(entries.fresh_from(log.period()));
            Outcome { word: Word { low: fresh_from, high: 0 }, change: Change::Fill { until }, result: Ok(0) }
        }
        Operation::Penalize { .. } | Operation::Cancel { .. } | Operation::Debit { .. } => {
            Outcome::unchanged(word, Ok(0))
        }
        Operation::Reserve { .. } => Outcome::unchanged(word, Err(NEVER)),
    }
}

impl AnyAlgorithm {
    /// What an operation comes to at `now`, which is the key's own time.
    pub(crate) fn run(&self, word: Word, log: &AtomicLog, now: u64, operation: Operation) -> Outcome {
        match self {
            Self::Gcra(gcra) => run_gcra(gcra, word, now, operation),
            Self::LeakyBucket(bucket) => run_reserve(bucket, word, now, operation),
            Self::FixedWindow(window) => run_refund(window, word, now, operation),
            Self::CalendarWindow(window) => run_refund(window, word, now, operation),
            Self::SlidingWindow(window) => run_refund(window, word, now, operation),
            Self::SlidingLog(algorithm) => run_log(algorithm, word, &Entries::read(log), now, operation),
        }
    }

    /// Writes into a log what an operation at `now` has decided.
    pub(crate) fn write(&self, log: &AtomicLog, now: u64, change: Change) {
        let Self::SlidingLog(algorithm) = self else { return };
        let mut entries = Entries::read(log);
        match change {
            Change::Nothing => {}
            Change::Push(units) => entries.push(algorithm.period(), now, units),
            Change::Refund(charge) => {
                entries.refund(algorithm.period(), charge.at, charge.units, now);
            }
            Change::Fill { until } => {
                entries.fill(algorithm.capacity(), until.saturating_sub(algorithm.period()));
            }
        }
    }

    /// What a key has left.
    pub(crate) fn left(&self, word: Word, log: &AtomicLog, now: u64) -> Standing {
        match self {
            Self::Gcra(gcra) => gcra.standing_word(word, now),
            Self::LeakyBucket(bucket) => bucket.standing_word(word, now),
            Self::FixedWindow(window) => window.standing_word(word, now),
            Self::CalendarWindow(window) => window.standing_word(word, now),
            Self::SlidingWindow(window) => window.standing_word(word, now),
            Self::SlidingLog(algorithm) => {
                let entries = Entries::read(log);
                match absent_until(word, &entries, now) {
                    0 => algorithm.standing_of(&entries, now),
                    reset_after => Standing { remaining: 0, reset_after },
                }
            }
        }
    }

    /// What a key has left after an outcome that is not written yet.
    pub(crate) fn left_after(&self, outcome: &Outcome, log: &AtomicLog, now: u64) -> Standing {
        let (Self::SlidingLog(_), Change::Push(units)) = (self, outcome.change) else {
            return self.left(outcome.word, log, now);
        };
        // The log as it was: the outcome's word is that of a key that has one.
        let before = self.left(Word::default(), log, now);
        Standing {
            remaining: before.remaining.saturating_sub(units),
            reset_after: outcome.word.low.saturating_sub(now),
        }
    }

    /// The first tick of the key's own time from which its state cannot be told from a fresh one.
    pub(crate) fn fresh_from_word(&self, word: Word) -> u64 {
        match self {
            Self::Gcra(gcra) => gcra.fresh_from(gcra.unpack(word)),
            Self::LeakyBucket(bucket) => bucket.fresh_from(bucket.unpack(word)),
            Self::FixedWindow(window) => window.fresh_from(window.unpack(word)),
            Self::CalendarWindow(window) => window.fresh_from(window.unpack(word)),
            Self::SlidingWindow(window) => window.fresh_from(window.unpack(word)),
            Self::SlidingLog(_) => word.low,
        }
    }

    /// A state that is as good as new from `instant` on, and that of a key that is full before.
    ///
    pub(crate) fn word_fresh_at(&self, instant: u64) -> Word {
        match self {
            Self::Gcra(gcra) => Packed::fresh_at(gcra, instant),
            Self::LeakyBucket(bucket) => bucket.fresh_at(instant),
            Self::FixedWindow(window) => window.fresh_at(instant),
            Self::CalendarWindow(window) => window.fresh_at(instant),
            Self::SlidingWindow(window) => window.fresh_at(instant),
            Self::SlidingLog(_) => Word { low: instant, high: 0 },
        }
    }

    /// What losing a state would admit, in an order among the keys of one table.
    pub(crate) fn strength(&self, word: Word, log: &AtomicLog, now: u64) -> u64 {
        match self {
            Self::Gcra(gcra) => gcra.strength(word, now),
            Self::LeakyBucket(bucket) => bucket.strength(word, now),
            Self::FixedWindow(window) => window.strength(word, now),
            Self::CalendarWindow(window) => window.strength(word, now),
            Self::SlidingWindow(window) => window.strength(word, now),
            Self::SlidingLog(algorithm) => {
                algorithm.capacity() - algorithm.standing_of(&Entries::read(log), now).remaining
            }
        }
    }

    /// Carries the used share of a state over to the limit `to`: half spent stays half spent.
    ///
    /// `at` is the instant of the change in the key's time under either. Rounded up to a unit, or less, so that changing a
    /// limit back and forth never frees anybody; and for a log the new one is to begin with what is returned.
    pub(crate) fn carry_over(&self, to: &Self, (word, log): (Word, &AtomicLog), at: (u64, u64)) -> Outcome {
        if let (Some(from), Some(next)) = (self.intervals(), to.intervals()) {
            let state = from.carry_over(next, from.unpack(word), at.0);
            return Outcome::of(next, (state, 0));
        }
        let left = match self.intervals() {
            // What is in the queue, where the queue itself would say that nothing can pass.
            Some(gcra) => gcra.standing_word(word, at.0),
            None => self.left(word, log, at.0),
        };
        let (all, next_all) = (u128::from(self.capacity()), u128::from(to.capacity()));
        let used = (all - u128::from(left.remaining).min(all)) * next_all;
        // At most all of it, so it fits.
        let units = used.div_ceil(all) as u64;
        if units == 0 {
            // Not moved to `at`: an idle key has nothing to carry, and `at` may lie far ahead of everybody else's time.
            let fresh_from = self.fresh_from_word(word);
            let fresh_from = match at.1.checked_sub(at.0) {
                Some(later) => fresh_from.saturating_add(later),
                None => fresh_from.saturating_sub(at.0 - at.1),
            };
            return Outcome::unchanged(to.word_fresh_at(fresh_from), Ok(0));
        }
        let queue = to.intervals().map(|gcra| Self::Gcra(*gcra));
        let taken = queue.as_ref().unwrap_or(to).run(Word::default(), no_log(), at.1, Operation::Take(units));
        match taken.result {
            Ok(_) => taken,
            // Past the end of representable time: refused rather than forgotten.
            Err(_) => Outcome::unchanged(to.word_fresh_at(u64::MAX), Ok(0)),
        }
    }

    /// The arithmetic of those whose state is an instant.
    fn intervals(&self) -> Option<&Gcra> {
        match self {
            Self::Gcra(gcra) => Some(gcra),
            Self::LeakyBucket(bucket) => Some(bucket.gcra()),
            _ => None,
        }
    }

    /// Ticks by which the own time of the key with this hash is ahead.
    #[inline(always)]
    pub(crate) fn shift(&self, hash: u64) -> u64 {
        if let Self::FixedWindow(window) = self { window.shift(hash) } else { 0 }
    }

    /// Admissions that a log has room for; zero where there is none.
    pub(crate) fn entries(&self) -> usize {
        if let Self::SlidingLog(log) = self { log.entries() } else { 0 }
    }
}
