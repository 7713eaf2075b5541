//! One key's request, decided and charged.

use super::line::Guard;
use super::{Rate, Table};
use crate::Decision;
use crate::algorithm::{
    Algorithm, AlgorithmName, AnyAlgorithm, Engine, Entries, Fractions, Gcra, SlidingLog, Standing, Whole,
    Word,
};
use crate::kept::{Kept, Operation};
use crate::sync::Backoff;

/// One key's request against one table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ask<'a> {
    pub(crate) table: &'a Table,
    pub(crate) rate: &'a Rate,
    pub(crate) tag: u64,
    pub(crate) cost: u64,
}

/// The state a key is left in, and the wait if it was refused.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Verdict {
    pub(crate) state: Word,
    pub(crate) wait: Option<u64>,
}

/// What keeps a request from being decided in the shortest way.
enum Hindrance {
    /// Somebody else is busy with the key's line.
    Contended,
    /// The key is not in this line as of its guard.
    Absent(Guard),
    /// The key, or its line, is written in another quota, or the line's writer stays.
    Unreadable,
}

/// What a decision is made of.
#[derive(Clone, Copy)]
struct Answer {
    most: u64,
    left: Standing,
    wait: Option<u64>,
}

/// How a request ended that went the long way.
enum Settled {
    /// In the quota that was asked for.
    Here(Verdict),
    /// In another, or newly stored.
    Done(Answer),
}

impl Ask<'_> {
    /// Decides and charges. `A` says as much of the algorithm as is known when the program is compiled.
    ///
    /// What the ways to an answer return is put together before a decision is made of it: so when the caller does not ask
    /// what remains, nobody divides. And what is not in line takes its arguments apart, in registers: a request that is built
    /// in memory for it would be built for everybody.
    // Inlined always, for the same reasons.
    #[inline(always)]
    pub(crate) fn decide<A: Kept>(self, now: u64) -> Decision {
        let Answer { most, left, wait } = match &self.rate.usual {
            Some(gcra) if A::NAME.is_none_or(|known| known == AlgorithmName::Gcra) => {
                self.decide_by(Whole(gcra), now)
            }
            _ if A::NAME.is_none() => decide_by_any(self.table, self.rate, self.tag, self.cost, now),
            _ => self.decide_by_name::<A>(now),
        };
        Decision::new(most, left, wait)
    }

    #[inline(always)]
    fn decide_by_name<A: Kept>(self, now: u64) -> Answer {
        use AlgorithmName as Name;
        let may_be = |name| A::NAME.is_none_or(|known| known == name);
        match &self.rate.algorithm {
            AnyAlgorithm::Gcra(gcra) if may_be(Name::Gcra) => {
                if self.rate.is_tiered() {
                    decide_by_tier(gcra, self.table, self.rate, self.tag, self.cost, now)
                } else {
                    self.decide_by(Fractions::<false>(gcra), now)
                }
            }
            AnyAlgorithm::LeakyBucket(bucket) if may_be(Name::LeakyBucket) => self.decide_by(*bucket, now),
            AnyAlgorithm::FixedWindow(window) if may_be(Name::FixedWindow) => {
                self.decide_by(*window, self.rate.time_of(self.tag, now))
            }
            AnyAlgorithm::CalendarWindow(window) if may_be(Name::CalendarWindow) => {
                self.decide_by(*window, now)
            }
            AnyAlgorithm::SlidingWindow(window) if may_be(Name::SlidingWindow) => {
                self.decide_by(*window, now)
            }
            AnyAlgorithm::SlidingLog(log) if may_be(Name::SlidingLog) => self.decide_by_log(log, now),
            // The limiter's type says which one it is.
            _ => decide_anywhere(self.table, self.rate, self.tag, self.cost, now),
        }
    }

    /// Decides at `now`, which is the key's own time.
    #[inline(always)]
    fn decide_by<E: Engine>(self, engine: E, now: u64) -> Answer {
        let Self { table, rate, tag, cost } = self;
        let settled = match self.decide_in(&engine, table.first_home(tag), now) {
            Ok(verdict) => Settled::Here(verdict),
            Err(Hindrance::Contended) => decide_contended(engine, table, rate, tag, cost, now),
            Err(Hindrance::Absent(guard)) => {
                decide_in_second(engine, table, rate, tag, cost, now, Some(guard))
            }
            Err(Hindrance::Unreadable) => decide_in_second(engine, table, rate, tag, cost, now, None),
        };
        match settled {
            Settled::Here(Verdict { state, wait }) => {
                Answer { most: engine.most(), left: engine.standing_word(state, now), wait }
            }
            Settled::Done(answer) => answer,
        }
    }

    /// The common case on a log, and what is not common the general way.
    #[inline(always)]
    fn decide_by_log(self, algorithm: &SlidingLog, now: u64) -> Answer {
        let Self { table, rate, tag, cost } = self;
        match self.decide_in_log(algorithm, table.first_home(tag), now) {
            Some(answer) => answer,
            None => decide_in_other_log(algorithm, table, rate, tag, cost, now),
        }
    }

    #[inline(always)]
    fn decide_in_log(&self, algorithm: &SlidingLog, index: usize, now: u64) -> Option<Answer> {
        let Self { table, rate, tag, cost } = *self;
        let line = &table.lines[index];
        let guard = line.open_in(rate.epoch)?;
        let slot = line.find(tag)?;
        let logs = table.logs.known(algorithm)?;
        let most = algorithm.capacity();
        if let Some((wait, left)) = algorithm.refused(logs.header(index, slot), now, cost) {
            return line.is_still(guard).then_some(Answer { most, left, wait: Some(wait) });
        }
        let mut entries = Entries::read(logs.get(index, slot));
        // An empty one is the general way's: it may have no ring, and the key not be fresh all the same to a late request.
        if entries.is_empty() || cost == 0 {
            return None;
        }
        let taken = algorithm.take(&entries, now, cost);
        if taken.wait.is_none() {
            if !line.try_lock_open(guard) {
                return None;
            }
            line.set_narrow(slot, Word { low: now.saturating_add(taken.left.reset_after), high: 0 });
            entries.push_to(taken.count, algorithm.period(), now, cost);
            line.unlock(guard);
        } else if !line.is_still(guard) {
            return None;
        }
        Some(Answer { most, left: taken.left, wait: taken.wait })
    }

    /// The common case and nothing else: a key in this line, and nobody in the way.
    #[inline(always)]
    fn decide_in<E: Engine>(&self, engine: &E, line: usize, now: u64) -> Result<Verdict, Hindrance> {
        let Self { table, rate, tag, cost } = *self;
        let (index, line) = (line, &table.lines[line]);
        line.warm();
        let Some(guard) = line.open_in(rate.epoch) else { return Err(Hindrance::Unreadable) };
        let Some(slot) = line.find(tag) else { return Err(Hindrance::Absent(guard)) };
        if E::TIERED && !table.is_own(rate, index, slot) {
            return Err(Hindrance::Unreadable);
        }
        let state = if E::NARROW { line.narrow(slot) } else { line.state(slot) };
        match engine.admit_word(state, now, cost) {
            Ok(next) if line.try_lock_open(guard) => {
                if E::NARROW {
                    line.set_narrow(slot, next);
                } else {
                    line.set_state(slot, next);
                }
                line.unlock(guard);
                Ok(Verdict { state: next, wait: None })
            }
            Err(wait) if line.is_still(guard) => Ok(Verdict { state, wait: Some(wait) }),
            _ => Err(Hindrance::Contended),
        }
    }
}

/// As [`Ask::decide`], for all that is not usual, and out of line.
#[inline(never)]
fn decide_by_any(table: &Table, rate: &Rate, tag: u64, cost: u64, now: u64) -> Answer {
    Ask { table, rate, tag, cost }.decide_by_name::<AnyAlgorithm>(now)
}

/// As [`Ask::decide`], for a key that may be written in another quota.
#[inline(never)]
fn decide_by_tier(gcra: &Gcra, table: &Table, rate: &Rate, tag: u64, cost: u64, now: u64) -> Answer {
    Ask { table, rate, tag, cost }.decide_by(Fractions::<true>(gcra), now)
}

/// Decides wherever the key is, or stores it, in whatever quota the table has by now. `now` is everybody's time.
#[inline(never)]
fn decide_anywhere(table: &Table, rate: &Rate, tag: u64, cost: u64, now: u64) -> Answer {
    Ask { table, rate, tag, cost }.run(now, Operation::Take(cost), |rate, outcome, log, own| Answer {
        most: rate.most(),
        left: rate.algorithm.left_after(outcome, log, own),
        wait: outcome.result.err(),
    })
}

/// As [`Ask::decide`], for a key that is in its second line: one in twenty, or more where keys come and go; or in neither.
///
/// The first was looked at, as of its guard if that could be read.
#[inline(never)]
fn decide_in_second<E: Engine>(
    engine: E,
    table: &Table,
    rate: &Rate,
    tag: u64,
    cost: u64,
    now: u64,
    first_guard: Option<Guard>,
) -> Settled {
    let ask = Ask { table, rate, tag, cost };
    let decided = match (ask.decide_in(&engine, ask.table.second_home(ask.tag), now), first_guard) {
        (Err(Hindrance::Absent(guard)), Some(first_guard)) => {
            ask.decide_absent(&engine, (first_guard, guard), now)
        }
        (decided, _) => decided.ok(),
    };
    match decided {
        Some(verdict) => Settled::Here(verdict),
        None => Settled::Done(decide_anywhere(table, rate, tag, cost, rate.everybodys(tag, now))),
    }
}

/// As [`Ask::decide`], on the log of a key that is in its second line, or where that is not all.
#[inline(never)]
fn decide_in_other_log(
    algorithm: &SlidingLog,
    table: &Table,
    rate: &Rate,
    tag: u64,
    cost: u64,
    now: u64,
) -> Answer {
    match (Ask { table, rate, tag, cost }).decide_in_log(algorithm, table.second_home(tag), now) {
        Some(answer) => answer,
        None => decide_anywhere(table, rate, tag, cost, now),
    }
}

/// Decides on a key that somebody else is busy with too.
///
/// Looking first and locking afterwards would lose again and again. Here the line is locked first, in one step that
/// cannot fail unless a writer is inside just now; and not at once, so that the winner, who has the line in its cache,
/// gets several requests done in the meantime.
#[cold]
fn decide_contended<E: Engine>(
    engine: E,
    table: &Table,
    rate: &Rate,
    tag: u64,
    cost: u64,
    now: u64,
) -> Settled {
    let ask = Ask { table, rate, tag, cost };
    let mut backoff = Backoff::contended();
    let index = ask.table.first_home(ask.tag);
    let line = &ask.table.lines[index];
    backoff.wait();
    let guard = line.lock(&mut backoff);
    if guard.is_open_in(ask.rate.epoch) {
        let found = line.find(ask.tag).filter(|&slot| !E::TIERED || ask.table.is_own(ask.rate, index, slot));
        if let Some(slot) = found {
            let state = line.state(slot);
            let verdict = match engine.admit_word(state, now, ask.cost) {
                Ok(next) => {
                    line.set_state(slot, next);
                    line.unlock(guard);
                    Verdict { state: next, wait: None }
                }
                Err(wait) => {
                    line.release(guard);
                    Verdict { state, wait: Some(wait) }
                }
            };
            return Settled::Here(verdict);
        }
    }
    line.release(guard);
    Settled::Done(decide_anywhere(table, rate, tag, cost, rate.everybodys(tag, now)))
}
