//! One key's request, decided and charged.

use super::several::Locks;
use super::{Again, Place, Rate, Table};
use crate::Decision;
use crate::algorithm::{Algorithm, Tat};
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
    pub(crate) state: Tat,
    pub(crate) wait: Option<u64>,
}

impl Verdict {
    #[inline]
    pub(super) fn of(rate: &Rate, state: Tat, now: u64, cost: u64) -> Self {
        match rate.gcra.admit(state, now, cost) {
            Ok(state) => Self { state, wait: None },
            Err(wait) => Self { state, wait: Some(wait) },
        }
    }
}

impl Ask<'_> {
    /// Decides and charges.
    // Inlined always: what the caller does not ask of the decision is then not computed.
    #[inline(always)]
    pub(crate) fn decide(self, now: u64) -> Decision {
        let Self { table, rate, tag, cost } = self;
        // The common case and nothing else: a key in its first line, and nobody in the way.
        let line = &table.lines[table.first_home(tag)];
        let guard = line.guard();
        line.warm();
        if guard.is_open_in(rate.epoch) {
            if let Some(slot) = line.find(tag) {
                let state = line.state(slot);
                match rate.gcra.admit(state, now, cost) {
                    Ok(next) => {
                        if line.try_lock_open(guard) {
                            line.set_state(slot, next);
                            line.unlock(guard);
                            return rate.answer(Verdict { state: next, wait: None }, now);
                        }
                    }
                    Err(wait) => {
                        if line.is_still(guard) {
                            return rate.answer(Verdict { state, wait: Some(wait) }, now);
                        }
                    }
                }
                return decide_contended(table, rate, tag, cost, now);
            }
        }
        decide_anywhere(table, rate, tag, cost, now)
    }
    fn attempt(&self, rate: &Rate, now: u64) -> Result<Verdict, Again> {
        let place = self.table.look(rate, self.tag)?;
        let verdict = Verdict::of(rate, place.state(), now, self.cost);
        if verdict.wait.is_some() || self.cost == 0 {
            // Nothing to write; and a key that is not there is not stored.
            return if self.table.confirm(&place) { Ok(verdict) } else { Err(Again::Busy) };
        }
        let locks = Locks::<2>::of(self.table, &place)?;
        if !locks.lock() {
            return Err(Again::Busy);
        }
        match place {
            Place::Held { line, slot, .. } => self.table.lines[line].set_state(slot, verdict.state),
            Place::Absent { first, second, .. } => {
                self.table.insert(rate, self.tag, (first.0, second.0), verdict.state, now);
            }
        }
        locks.unlock();
        Ok(verdict)
    }

    /// What `decide` would answer now, with the state as it is.
    pub(crate) fn peek(&self, now: u64) -> Decision {
        let mut backoff = Backoff::default();
        let mut rate = self.rate.clone();
        loop {
            match self.table.look(&rate, self.tag) {
                Ok(place) if self.table.confirm(&place) => {
                    let state = place.state();
                    return rate.answer(Verdict { state, ..Verdict::of(&rate, state, now, self.cost) }, now);
                }
                Ok(_) | Err(Again::Busy) => backoff.wait(),
                Err(Again::Epoch(line)) => rate = self.table.catch_up(line, || now),
            }
        }
    }
}

/// Decides on a key that somebody else is busy with too.
///
/// Looking first and locking afterwards would lose again and again. Here the line is locked first, in one step that
/// cannot fail unless a writer is inside just now; and not at once, so that the winner, who has the line in its cache,
/// gets several requests done in the meantime.
#[cold]
fn decide_contended(table: &Table, rate: &Rate, tag: u64, cost: u64, now: u64) -> Decision {
    let mut backoff = Backoff::contended();
    let line = &table.lines[table.first_home(tag)];
    backoff.wait();
    let guard = line.lock(&mut backoff);
    if guard.is_open_in(rate.epoch) {
        if let Some(slot) = line.find(tag) {
            let verdict = Verdict::of(rate, line.state(slot), now, cost);
            if verdict.wait.is_none() {
                line.set_state(slot, verdict.state);
                line.unlock(guard);
            } else {
                line.release(guard);
            }
            return rate.answer(verdict, now);
        }
    }
    line.release(guard);
    decide_anywhere(table, rate, tag, cost, now)
}

/// Decides wherever the key is, or stores it, in whatever quota the table has by now.
#[inline(never)]
fn decide_anywhere(table: &Table, rate: &Rate, tag: u64, cost: u64, now: u64) -> Decision {
    let ask = Ask { table, rate, tag, cost };
    let mut backoff = Backoff::default();
    let mut rate = rate.clone();
    loop {
        match ask.attempt(&rate, now) {
            // In the quota that decided: to the caller's the state may mean nothing.
            Ok(verdict) => return rate.answer(verdict, now),
            Err(Again::Busy) => backoff.wait(),
            Err(Again::Epoch(line)) => rate = table.catch_up(line, || now),
        }
    }
}
