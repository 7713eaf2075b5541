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

/// How a request ended.
struct Settled {
    verdict: Verdict,
    /// The quota that decided, if it is not the one that was asked for any more.
    rate: Option<Rate>,
}

/// What keeps a request from being decided in the shortest way.
enum Hindrance {
    /// Somebody else is busy with the key's line.
    Contended,
    /// The key is in another line, or this one is written in another quota, or its writer stays.
    Elsewhere,
}

impl Ask<'_> {
    /// Decides and charges.
    ///
    /// What the long ways return is put together with the short way's result before the answer is made of it: so when
    /// the caller does not ask what remains, nobody divides.
    // Inlined always, for the same reason.
    #[inline(always)]
    pub(crate) fn decide(self, now: u64) -> Decision {
        let Self { table, rate, tag, cost } = self;
        let line = table.first_home(tag);
        let short = if rate.gcra.is_whole() {
            self.decide_in::<true>(line, now)
        } else {
            self.decide_in::<false>(line, now)
        };
        let settled = match short {
            Ok(verdict) => return rate.answer(verdict, now),
            Err(Hindrance::Contended) => decide_contended(table, rate, tag, cost, now),
            Err(Hindrance::Elsewhere) => decide_in_second(table, rate, tag, cost, now),
        };
        settled.rate.as_ref().unwrap_or(rate).answer(settled.verdict, now)
    }

    /// The common case and nothing else: a key in this line, and nobody in the way.
    #[inline(always)]
    fn decide_in<const WHOLE: bool>(&self, line: usize, now: u64) -> Result<Verdict, Hindrance> {
        let Self { table, rate, tag, cost } = *self;
        let line = &table.lines[line];
        line.warm();
        let Some(guard) = line.open_in(rate.epoch) else { return Err(Hindrance::Elsewhere) };
        let Some(slot) = line.find(tag) else { return Err(Hindrance::Elsewhere) };
        let (state, result) = if WHOLE {
            let word = line.word(slot);
            (Tat::new(word, 0), rate.gcra.admit_word(word, now, cost).map(|next| Tat::new(next, 0)))
        } else {
            let state = line.state(slot);
            (state, rate.gcra.admit(state, now, cost))
        };
        match result {
            Ok(next) if line.try_lock_open(guard) => {
                if WHOLE {
                    line.set_word(slot, next.ticks());
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

/// As [`Ask::decide`], for a key that is in its second line: one in twenty, or more where keys come and go.
#[inline(never)]
fn decide_in_second(table: &Table, rate: &Rate, tag: u64, cost: u64, now: u64) -> Settled {
    let ask = Ask { table, rate, tag, cost };
    match ask.decide_in::<false>(table.second_home(tag), now) {
        Ok(verdict) => Settled { verdict, rate: None },
        Err(_) => decide_anywhere(table, rate, tag, cost, now),
    }
}

/// Decides on a key that somebody else is busy with too.
///
/// Looking first and locking afterwards would lose again and again. Here the line is locked first, in one step that
/// cannot fail unless a writer is inside just now; and not at once, so that the winner, who has the line in its cache,
/// gets several requests done in the meantime.
#[cold]
fn decide_contended(table: &Table, rate: &Rate, tag: u64, cost: u64, now: u64) -> Settled {
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
            return Settled { verdict, rate: None };
        }
    }
    line.release(guard);
    decide_anywhere(table, rate, tag, cost, now)
}

/// Decides wherever the key is, or stores it, in whatever quota the table has by now.
#[inline(never)]
fn decide_anywhere(table: &Table, rate: &Rate, tag: u64, cost: u64, now: u64) -> Settled {
    let ask = Ask { table, rate, tag, cost };
    let mut backoff = Backoff::default();
    let mut other = None;
    loop {
        match ask.attempt(other.as_ref().unwrap_or(rate), now) {
            Ok(verdict) => return Settled { verdict, rate: other },
            Err(Again::Busy) => backoff.wait(),
            Err(Again::Epoch(line)) => other = Some(table.catch_up(line, || now)),
        }
    }
}
