//! Which quota the states of a table are written in, and how they change to another.
//!
//! A state is an instant in one quota's arithmetic, so a new quota has to rewrite it: the used *share* carries over. Each
//! line says in its guard which quota it is written in. A change publishes the new quota and then rewrites line by line;
//! whoever meets a line that is behind rewrites it first. No request waits for the whole walk, and none is ever decided
//! on a state of the wrong quota.

use super::line::{EMPTY, Epoch, SLOTS};
use super::{Table, Verdict, ignore_poison};
use crate::Decision;
use crate::algorithm::{Algorithm, Gcra};
use crate::sync::Backoff;

/// A quota's arithmetic and which of the table's quotas it is.
#[derive(Clone, Debug)]
pub(crate) struct Rate {
    pub(crate) gcra: Gcra,
    pub(super) epoch: Epoch,
}

impl Rate {
    /// The first quota of a table.
    pub(crate) fn new(gcra: Gcra) -> Self {
        Self { gcra, epoch: Epoch::default() }
    }

    #[inline]
    pub(crate) fn answer(&self, verdict: Verdict, now: u64) -> Decision {
        let standing = self.gcra.standing(verdict.state, now);
        Decision::new(self.gcra.capacity(), standing, verdict.wait)
    }
}

#[derive(Debug)]
pub(super) struct Rates {
    current: Rate,
    /// The one before and the instant of the announcement, for lines that are still written in it.
    previous: Option<(Gcra, u64)>,
}

impl Rates {
    pub(super) fn new(rate: &Rate) -> Self {
        Self { current: rate.clone(), previous: None }
    }
}

impl Table {
    /// Changes the quota as of `now`; every key keeps its used share.
    pub(crate) fn change(&self, gcra: Gcra, now: impl Fn() -> u64) -> Rate {
        let _one_at_a_time = ignore_poison(self.changing.lock());
        let rate = self.announce(gcra, now());
        for line in 0..self.lines.len() {
            self.catch_up(line, &now);
        }
        rate
    }

    /// Makes `gcra` the current quota, in which no line is written yet.
    fn announce(&self, gcra: Gcra, now: u64) -> Rate {
        let mut rates = ignore_poison(self.rates.write());
        let rate = Rate { gcra, epoch: rates.current.epoch.next() };
        *rates = Rates { previous: Some((rates.current.gcra, now)), current: rate.clone() };
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
            let Some((previous, at)) = rates.previous.filter(|_| guard.epoch() != rates.current.epoch) else {
                return rates.current.clone();
            };
            // Read between guard and lock: whatever is in the line was decided at an earlier reading, but for what clocks of
            // two threads differ by; and an earlier instant carries over more use, not less.
            let at = now().max(at);
            if line.try_lock(guard) {
                for slot in (0..SLOTS).filter(|&slot| line.tag(slot) != EMPTY) {
                    line.set_state(slot, previous.carry_over(&rates.current.gcra, line.state(slot), at));
                }
                line.unlock_in(guard, rates.current.epoch);
                return rates.current.clone();
            }
            backoff.wait();
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests;
