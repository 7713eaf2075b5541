//! Each operation by each algorithm.

use super::{AtomicLog, Change, Operation, Outcome};
use crate::algorithm::{
    Algorithm, AnyAlgorithm, Debit, Engine, Entries, Gcra, NEVER, Packed, Refund, Reserve, SlidingLog,
    Standing, Word,
};

/// What every algorithm can do whose states fit a word.
fn run<A: Packed>(algorithm: &A, word: Word, now: u64, operation: Operation) -> Outcome {
    let state = algorithm.unpack(word);
    match operation {
        Operation::Take(cost) => match algorithm.admit(state, now, cost) {
            Ok(state) => Outcome::of(algorithm, (state, cost)),
            Err(wait) => Outcome::unchanged(word, Err(wait)),
        },
        Operation::TakeUpTo(units) => Outcome::of(algorithm, algorithm.admit_up_to(state, now, units)),
        Operation::Penalize { time } => {
            Outcome::of(algorithm, (algorithm.penalized(state, now, now.saturating_add(time)), 0))
        }
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
pub(super) fn absent_until(word: Word, entries: &Entries<AtomicLog<'_>>, now: u64) -> u64 {
    if entries.is_empty() { word.low.saturating_sub(now) } else { 0 }
}

/// On a log, which is left as it is.
fn run_log(
    log: &SlidingLog,
    word: Word,
    entries: &Entries<AtomicLog<'_>>,
    now: u64,
    operation: Operation,
) -> Outcome {
    let taken = |units: u64| {
        // As the log will have it. Not past the end of time, or it would not fit.
        let fresh_from = entries.expiry(log.period(), now).unwrap_or(u64::MAX);
        Outcome { word: Word { low: fresh_from, high: 0 }, change: Change::Push(units), result: Ok(units) }
    };
    let absent = absent_until(word, entries, now);
    match operation {
        Operation::Take(0) => Outcome::unchanged(word, Ok(0)),
        Operation::Take(cost) if cost <= log.capacity() && absent > 0 => {
            // And then there has to be a period left for what is charged.
            let helps = word.low.checked_add(log.period()).is_some();
            Outcome::unchanged(word, Err(if helps { absent } else { NEVER }))
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
            match entries.refundable(log.capacity(), log.period(), charge.at, charge.units, now) {
                // Nor is a key stored that is not there.
                (0, _) => Outcome::unchanged(word, Ok(0)),
                (units, fresh_from) => {
                    let word = Word { low: fresh_from, high: 0 };
                    Outcome { word, change: Change::Refund(charge), result: Ok(units) }
                }
            }
        }
        Operation::Penalize { time } if time > 0 && now < u64::MAX => {
            // And no sooner than what was taken has expired.
            let until = entries.until(now.saturating_add(time));
            Outcome { word: Word { low: until, high: 0 }, change: Change::Fill { until }, result: Ok(0) }
        }
        Operation::Penalize { .. } | Operation::Cancel { .. } | Operation::Debit { .. } => {
            Outcome::unchanged(word, Ok(0))
        }
        Operation::Reserve { .. } => Outcome::unchanged(word, Err(NEVER)),
    }
}

impl AnyAlgorithm {
    /// What an operation comes to at `now`, which is the key's own time.
    pub(crate) fn run(&self, word: Word, log: AtomicLog<'_>, now: u64, operation: Operation) -> Outcome {
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
    pub(crate) fn write(&self, log: AtomicLog<'_>, now: u64, change: Change) {
        let Self::SlidingLog(algorithm) = self else { return };
        let mut entries = Entries::read(log);
        match change {
            Change::Nothing => {}
            Change::Push(units) => entries.push(algorithm.period(), now, units),
            Change::Refund(charge) => {
                entries.refund(algorithm.capacity(), algorithm.period(), charge.at, charge.units, now);
            }
            Change::Fill { until } => {
                entries.fill(algorithm.capacity(), until);
            }
        }
    }

    /// What a key has left.
    pub(crate) fn left(&self, word: Word, log: AtomicLog<'_>, now: u64) -> Standing {
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
    pub(crate) fn left_after(&self, outcome: &Outcome, log: AtomicLog<'_>, now: u64) -> Standing {
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
}
