//! Any operation, wherever the key is.

use super::insert::Newcomer;
use super::several::Locks;
use super::{Again, Ask, Place, Rate};
use crate::Decision;
use crate::algorithm::{Charged, Word};
use crate::kept::{AtomicLog, Operation, Outcome, no_log};
use crate::sync::{Backoff, Ordering};

impl Ask<'_> {
    /// Runs an operation wherever the key is, or stores it, in whatever quota the table has by now.
    pub(crate) fn run<T>(
        self,
        now: u64,
        mut operation: Operation,
        answer: impl Fn(&Rate, &Outcome, AtomicLog<'_>, u64) -> T,
    ) -> T {
        let mut backoff = Backoff::default();
        let mut other = None;
        if let Operation::Refund(Charged { at, .. }) = operation {
            // In another limit than there is: its units are no units of this one.
            if self.rate.tier == 0 && !self.is_charged_since(self.rate.everybodys(self.tag, at)) {
                operation = operation.under_another_limit();
            }
        }
        loop {
            match self.attempt(other.as_ref().unwrap_or(self.rate), now, operation, &answer) {
                Ok(answer) => return answer,
                Err(Again::Busy) => backoff.wait(),
                Err(Again::Epoch(line)) => {
                    let rate = other.as_ref().unwrap_or(self.rate);
                    if operation.is_given_back() && self.table.is_elsewhere(rate, line, self.tag) {
                        // Nothing, and not written in this one for it: the next refund would find it there.
                        let nothing = Outcome::unchanged(Word::default(), Ok(0));
                        return answer(rate, &nothing, no_log(), rate.time_of(self.tag, now));
                    }
                    let on = |next: &Rate| self.meant_in(next, rate, operation);
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
        answer: &impl Fn(&Rate, &Outcome, AtomicLog<'_>, u64) -> T,
    ) -> T {
        let own = rate.time_of(self.tag, now);
        let (word, log) = (self.table.lines[place.0].state(place.1), self.table.log(rate, place.0, place.1));
        let outcome = rate.algorithm.run(word, log, own, operation);
        let answered = answer(rate, &outcome, log, own);
        self.table.write(rate, place, outcome.word, outcome.change, own);
        answered
    }

    fn attempt<T>(
        &self,
        rate: &Rate,
        now: u64,
        operation: Operation,
        answer: &impl Fn(&Rate, &Outcome, AtomicLog<'_>, u64) -> T,
    ) -> Result<T, Again> {
        let place = self.table.look(rate, self.tag, now)?;
        let own = rate.time_of(self.tag, now);
        let (word, log) = self.table.found(rate, &place);
        let outcome = rate.algorithm.run(word, log, own, operation);
        // While the log is as it was.
        let answered = answer(rate, &outcome, log, own);
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
        self.peek_behind(0, now)
    }

    /// The same, with the wait of somebody before whom `ahead` units are taken.
    pub(crate) fn peek_behind(&self, ahead: u64, now: u64) -> Decision {
        let mut backoff = Backoff::default();
        let mut rate = self.rate.clone();
        loop {
            match self.table.look(&rate, self.tag, now) {
                Ok(place) => {
                    let own = rate.time_of(self.tag, now);
                    let (word, log) = self.table.found(&rate, &place);
                    let wait = rate.algorithm.wait(word, log, own, ahead, self.cost);
                    let standing = rate.algorithm.left(word, log, own);
                    if self.table.confirm(&place) {
                        return Decision::new(rate.most(), standing, wait);
                    }
                    backoff.wait();
                }
                Err(Again::Busy) => backoff.wait(),
                Err(Again::Epoch(line)) => rate = self.table.catch_up(&rate, line, self.tag, || now),
            }
        }
    }

    /// What an operation that was meant for the limit `rate` comes to in `next`.
    fn meant_in(&self, next: &Rate, rate: &Rate, operation: Operation) -> Operation {
        if next.is_of_the_limit_of(rate) {
            return operation;
        }
        if let Operation::Refund(charge) = operation {
            let charged = rate.everybodys(self.tag, charge.at);
            if next.tier == 0 && self.is_charged_since(charged) {
                // In the limit there is, whatever the caller knew of it.
                return Operation::Refund(Charged { at: next.time_of(self.tag, charged), ..charge });
            }
        }
        operation.under_another_limit()
    }

    /// Whether what was charged at an instant was charged in the limit there is.
    fn is_charged_since(&self, charged: u64) -> bool {
        // Relaxed: stored before the line was written in this limit, or else the largest instant there is.
        match self.table.since.load(Ordering::Relaxed) {
            // It was never another.
            0 => true,
            u64::MAX => false,
            since => charged >= since,
        }
    }
}
