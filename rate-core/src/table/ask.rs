//! One key's request, decided and charged.

use super::insert::Newcomer;
use super::several::Locks;
use super::{Again, Place, Rate, Table};
use crate::Decision;
use crate::algorithm::{AlgorithmName, AnyAlgorithm, Engine, Standing, Whole, Word};
use crate::kept::{Kept, Operation, Outcome};
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
pub(crate) struct Verdict {
    pub(crate) state: Word,
    pub(crate) wait: Option<u64>,
}

/// What keeps a request from being decided in the shortest way.
enum Hindrance {
    /// Somebody else is busy with the key's line.
    Contended,
    /// The key is in another line, or this one is written in another quota, or its writer stays.
    Elsewhere,
}

/// How a request ended that went the long way.
enum Settled {
    /// In the quota that was asked for.
    Here(Verdict),
    /// In another, or newly stored.
    Done(Decision),
}

impl Ask<'_> {
    /// Decides and charges. `A` says as much of the algorithm as is known when the program is compiled.
    // Inlined always, and each algorithm by itself: so when the caller does not ask what remains, nobody divides.
    #[inline(always)]
    pub(crate) fn decide<A: Kept>(self, now: u64) -> Decision {
        use AlgorithmName as Name;
        let may_be = |name| A::NAME.is_none_or(|known| known == name);
        match &self.rate.algorithm {
            // Has to look beside the state whose quota it is written in.
            _ if self.rate.is_tiered() => self.decide_anywhere(now),
            AnyAlgorithm::Gcra(gcra) if may_be(Name::Gcra) => {
                if gcra.is_whole() {
                    self.decide_by(&Whole(gcra), now)
                } else {
                    self.decide_by(gcra, now)
                }
            }
            _ if A::NAME.is_none() => self.decide_by_any(now),
            AnyAlgorithm::LeakyBucket(bucket) if may_be(Name::LeakyBucket) => self.decide_by(bucket, now),
            AnyAlgorithm::FixedWindow(window) if may_be(Name::FixedWindow) => {
                self.decide_by(window, self.rate.time_of(self.tag, now))
            }
            AnyAlgorithm::CalendarWindow(window) if may_be(Name::CalendarWindow) => {
                self.decide_by(window, now)
            }
            AnyAlgorithm::SlidingWindow(window) if may_be(Name::SlidingWindow) => self.decide_by(window, now),
            _ => self.decide_anywhere(now),
        }
    }

    /// As [`decide`](Self::decide), for all but the token bucket.
    #[inline(never)]
    fn decide_by_any(self, now: u64) -> Decision {
        match &self.rate.algorithm {
            AnyAlgorithm::LeakyBucket(bucket) => self.decide_by(bucket, now),
            AnyAlgorithm::FixedWindow(window) => self.decide_by(window, self.rate.time_of(self.tag, now)),
            AnyAlgorithm::CalendarWindow(window) => self.decide_by(window, now),
            AnyAlgorithm::SlidingWindow(window) => self.decide_by(window, now),
            AnyAlgorithm::SlidingLog(_) | AnyAlgorithm::Gcra(_) => self.decide_anywhere(now),
        }
    }

    /// Decides at `now`, which is the key's own time.
    #[inline(always)]
    fn decide_by<E: Engine>(self, engine: &E, now: u64) -> Decision {
        let answer = |verdict: Verdict| {
            Decision::new(engine.most(), engine.standing_word(verdict.state, now), verdict.wait)
        };
        let line = self.table.first_home(self.tag);
        let settled = match self.decide_in(engine, line, now) {
            Ok(verdict) => return answer(verdict),
            Err(Hindrance::Contended) => decide_contended(engine, self, now),
            Err(Hindrance::Elsewhere) => decide_in_second(engine, self, now),
        };
        match settled {
            Settled::Here(verdict) => answer(verdict),
            Settled::Done(decision) => decision,
        }
    }

    /// The common case and nothing else: a key in this line, and nobody in the way.
    #[inline(always)]
    fn decide_in<E: Engine>(&self, engine: &E, line: usize, now: u64) -> Result<Verdict, Hindrance> {
        let Self { table, rate, tag, cost } = *self;
        let line = &table.lines[line];
        line.warm();
        let Some(guard) = line.open_in(rate.epoch) else { return Err(Hindrance::Elsewhere) };
        let Some(slot) = line.find(tag) else { return Err(Hindrance::Elsewhere) };
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

    /// Decides wherever the key is, or stores it, in whatever quota the table has by now. `now` is everybody's time.
    #[inline(never)]
    fn decide_anywhere(self, now: u64) -> Decision {
        self.run(now, Operation::Take(self.cost), |rate, outcome, left| {
            Decision::new(rate.most(), left(outcome), outcome.result.err())
        })
    }

    /// Runs an operation wherever the key is, or stores it, in whatever quota the table has by now.
    pub(crate) fn run<T>(
        self,
        now: u64,
        mut operation: Operation,
        answer: impl Fn(&Rate, &Outcome, &dyn Fn(&Outcome) -> Standing) -> T,
    ) -> T {
        let mut backoff = Backoff::default();
        let mut other = None;
        loop {
            match self.attempt(other.as_ref().unwrap_or(self.rate), now, operation, &answer) {
                Ok(answer) => return answer,
                Err(Again::Busy) => backoff.wait(),
                Err(Again::Epoch(line)) => {
                    let rate = other.as_ref().unwrap_or(self.rate);
                    let on = |next: &Rate| match next.algorithm == rate.algorithm {
                        true => operation,
                        false => operation.under_another_limit(),
                    };
                    let (next, done) = self.table.catch_up_and(
                        rate,
                        line,
                        self.tag,
                        || now,
                        |next, slot| self.run_locked(next, (line, slot), now, on(next), &answer),
                    );
                    if let Some(answer) = done {
                        return answer;
                    }
                    operation = on(&next);
                    other = Some(next);
                }
            }
        }
    }

    /// Runs an operation on the key in a slot whose line the caller has locked.
    fn run_locked<T>(
        &self,
        rate: &Rate,
        place: (usize, usize),
        now: u64,
        operation: Operation,
        answer: &impl Fn(&Rate, &Outcome, &dyn Fn(&Outcome) -> Standing) -> T,
    ) -> T {
        let own = rate.time_of(self.tag, now);
        let (word, log) = (self.table.lines[place.0].state(place.1), self.table.log(rate, place.0, place.1));
        let outcome = rate.algorithm.run(word, log, own, operation);
        let answered = answer(rate, &outcome, &|outcome| rate.algorithm.left_after(outcome, log, own));
        self.table.write(rate, place, outcome.word, outcome.change, own);
        answered
    }

    fn attempt<T>(
        &self,
        rate: &Rate,
        now: u64,
        operation: Operation,
        answer: &impl Fn(&Rate, &Outcome, &dyn Fn(&Outcome) -> Standing) -> T,
    ) -> Result<T, Again> {
        let place = self.table.look(rate, self.tag)?;
        let own = rate.time_of(self.tag, now);
        let (word, log) = self.table.found(rate, &place);
        let outcome = rate.algorithm.run(word, log, own, operation);
        // While the log is as it was.
        let answered = answer(rate, &outcome, &|outcome| rate.algorithm.left_after(outcome, log, own));
        if outcome.leaves(word) {
            // Nothing to write; and a key that is not there is not stored.
            return if self.table.confirm(&place) { Ok(answered) } else { Err(Again::Busy) };
        }
        let locks = Locks::<2>::of(self.table, &place)?;
        if !locks.lock() {
            return Err(Again::Busy);
        }
        let Outcome { word: state, change, .. } = outcome;
        match place {
            Place::Held { line, slot, .. } => self.table.write(rate, (line, slot), state, change, own),
            Place::Absent { first, second, .. } => {
                self.table.insert(rate, Newcomer { tag: self.tag, state, change }, (first.0, second.0), now);
            }
        }
        locks.unlock();
        Ok(answered)
    }

    /// What `decide` would answer now, with the state as it is.
    pub(crate) fn peek(&self, now: u64) -> Decision {
        let mut backoff = Backoff::default();
        let mut rate = self.rate.clone();
        loop {
            match self.table.look(&rate, self.tag) {
                Ok(place) => {
                    let own = rate.time_of(self.tag, now);
                    let (word, log) = self.table.found(&rate, &place);
                    let outcome = rate.algorithm.run(word, log, own, Operation::Take(self.cost));
                    let standing = rate.algorithm.left(word, log, own);
                    if self.table.confirm(&place) {
                        return Decision::new(rate.most(), standing, outcome.result.err());
                    }
                    backoff.wait();
                }
                Err(Again::Busy) => backoff.wait(),
                Err(Again::Epoch(line)) => rate = self.table.catch_up(&rate, line, self.tag, || now),
            }
        }
    }
}

/// As [`Ask::decide`], for a key that is in its second line: one in twenty, or more where keys come and go.
#[inline(never)]
fn decide_in_second<E: Engine>(engine: &E, ask: Ask<'_>, now: u64) -> Settled {
    match ask.decide_in(engine, ask.table.second_home(ask.tag), now) {
        Ok(verdict) => Settled::Here(verdict),
        Err(_) => Settled::Done(ask.decide_anywhere(ask.rate.everybodys(ask.tag, now))),
    }
}

/// Decides on a key that somebody else is busy with too.
///
/// Looking first and locking afterwards would lose again and again. Here the line is locked first, in one step that
/// cannot fail unless a writer is inside just now; and not at once, so that the winner, who has the line in its cache,
/// gets several requests done in the meantime.
#[cold]
fn decide_contended<E: Engine>(engine: &E, ask: Ask<'_>, now: u64) -> Settled {
    let mut backoff = Backoff::contended();
    let line = &ask.table.lines[ask.table.first_home(ask.tag)];
    backoff.wait();
    let guard = line.lock(&mut backoff);
    if guard.is_open_in(ask.rate.epoch) {
        if let Some(slot) = line.find(ask.tag) {
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
    Settled::Done(ask.decide_anywhere(ask.rate.everybodys(ask.tag, now)))
}
