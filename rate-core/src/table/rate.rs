//! Which quota the states of a table are written in, and how they change to another.
//!
//! A state is an instant in one quota's arithmetic, so a new quota has to rewrite it: the used *share* carries over. Each
//! line says in its guard which quota it is written in. A change publishes the new quota and then rewrites line by line;
//! whoever meets a line that is behind rewrites it first. No request waits for the whole walk, and none is ever decided
//! on a state of the wrong quota.

use super::line::{EMPTY, Epoch, SLOTS};
use super::{Table, ignore_poison};
use crate::algorithm::{Algorithm, AnyAlgorithm, Entries};
use crate::sync::Backoff;

/// A limit's arithmetic and which of the table's limits it is.
#[derive(Clone, Debug)]
pub(crate) struct Rate {
    pub(crate) algorithm: AnyAlgorithm,
    pub(super) epoch: Epoch,
}

impl Rate {
    /// The first limit of a table.
    pub(crate) fn new(algorithm: impl Into<AnyAlgorithm>) -> Self {
        Self { algorithm: algorithm.into(), epoch: Epoch::default() }
    }

    /// Most units at once.
    pub(crate) fn most(&self) -> u64 {
        self.algorithm.capacity()
    }

    /// The own time of the key with this tag at `now`.
    #[inline(always)]
    pub(crate) fn time_of(&self, tag: u64, now: u64) -> u64 {
        now.saturating_add(self.algorithm.shift(tag))
    }

    /// The way back.
    pub(super) fn everybodys(&self, tag: u64, own: u64) -> u64 {
        own.saturating_sub(self.algorithm.shift(tag))
    }
}

#[derive(Debug)]
pub(super) struct Rates {
    current: Rate,
    /// The one before and the instant of the announcement, for lines that are still written in it.
    previous: Option<(Rate, u64)>,
}

impl Rates {
    pub(super) fn new(rate: &Rate) -> Self {
        Self { current: rate.clone(), previous: None }
    }
}

impl Table {
    /// Changes the quota as of `now`; every key keeps its used share.
    pub(crate) fn change(&self, algorithm: AnyAlgorithm, now: impl Fn() -> u64) -> Rate {
        let _one_at_a_time = ignore_poison(self.changing.lock());
        let rate = self.announce(algorithm, now());
        for line in 0..self.lines.len() {
            self.catch_up(line, &now);
        }
        rate
    }

    /// Makes `algorithm` the current limit, in which no line is written yet.
    fn announce(&self, algorithm: AnyAlgorithm, now: u64) -> Rate {
        let mut rates = ignore_poison(self.rates.write());
        let rate = Rate { algorithm, epoch: rates.current.epoch.next() };
        *rates = Rates { previous: Some((rates.current.clone(), now)), current: rate.clone() };
        rate
    }

    /// Rewrites a line in the current quota, if it is not yet, and returns that quota.
    ///
    /// As of `now`, not of the instant at which the quota was announced: until it is rewritten a line goes on admitting
    /// in the old quota, and what it admitted would have been earned back at once in a new one that is much faster.
    #[cold]
    pub(super) fn catch_up(&self, index: usize, now: impl Fn() -> u64) -> Rate {
        let rates = ignore_poison(self.rates.read());
        let line = &self.lines[index];
        let mut backoff = Backoff::default();
        loop {
            let guard = line.guard();
            let stale = guard.epoch() != rates.current.epoch;
            let Some((previous, at)) = rates.previous.as_ref().filter(|_| stale) else {
                return rates.current.clone();
            };
            // Read between guard and lock: whatever is in the line was decided at an earlier reading, but for what clocks of
            // two threads differ by; and an earlier instant carries over more use, not less.
            let at = now().max(*at);
            if line.try_lock(guard) {
                for slot in (0..SLOTS).filter(|&slot| line.tag(slot) != EMPTY) {
                    self.rewrite(previous, &rates.current, (index, slot), at);
                }
                line.unlock_in(guard, rates.current.epoch);
                return rates.current.clone();
            }
            backoff.wait();
        }
    }
}

impl Table {
    /// Rewrites the state in a slot of a locked line, so that as large a share is used of the new limit as was of the old.
    fn rewrite(&self, from: &Rate, to: &Rate, (line, slot): (usize, usize), at: u64) {
        let (tag, word) = (self.lines[line].tag(slot), self.lines[line].state(slot));
        let carried = from.algorithm.carry_over(
            &to.algorithm,
            (word, self.log(from, line, slot)),
            (from.time_of(tag, at), to.time_of(tag, at)),
        );
        if let Some(log) = self.logs.get().and_then(|logs| logs.get(line, slot)) {
            Entries::read(log).clear();
        }
        self.write(to, (line, slot), carried.word, carried.change, to.time_of(tag, at));
    }
}

#[cfg(all(test, not(loom)))]
mod tests;
