//! A slot of a line, with the log beside it.

use super::line::EMPTY;
use super::logs::Logbook;
use super::{Rate, Table};
use crate::algorithm::{AnyAlgorithm, Entries, SlidingLog, Word};
use crate::kept::{AtomicLog, Change, no_log};

impl Table {
    pub(super) fn logs(&self, rate: &Rate) -> Option<&Logbook> {
        match &rate.algorithm {
            AnyAlgorithm::SlidingLog(log) => Some(self.logs.of(log, self.lines.len())),
            _ => None,
        }
    }

    /// The log of a slot as it is.
    pub(super) fn log(&self, rate: &Rate, line: usize, slot: usize) -> AtomicLog<'_> {
        match self.logs(rate) {
            Some(logs) => logs.get(line, slot),
            None => no_log(),
        }
    }

    /// Writes a state and what becomes of the log; only while the line is locked. `now` is the key's own time.
    pub(super) fn write(
        &self,
        rate: &Rate,
        (line, slot): (usize, usize),
        word: Word,
        change: Change,
        now: u64,
    ) {
        self.lines[line].set_state(slot, word);
        if let Some(logs) = self.logs(rate).filter(|_| change != Change::Nothing) {
            rate.algorithm.write(logs.of(line, slot), now, change);
        }
    }

    /// Turns a log of the limit `from` into one of `to` at `at`, if there is anything in it that can be taken over; only while the
    /// line is locked.
    pub(super) fn take_over_log(
        &self,
        from: &SlidingLog,
        to: &SlidingLog,
        (line, slot): (usize, usize),
        at: u64,
    ) -> bool {
        let [old, new] = [from, to].map(|log| self.logs.of(log, self.lines.len()));
        let log = old.get(line, slot);
        let done = to.take_over(from, &Entries::read(log), at, || new.of(line, slot));
        if done {
            if from.size() != to.size() {
                log.clear();
            }
            let fresh_from = Entries::read(new.get(line, slot)).fresh_from();
            self.lines[line].set_state(slot, Word { low: fresh_from, high: 0 });
        }
        done
    }

    /// Takes the key in a slot away; only while the line is locked.
    pub(super) fn clear_slot(&self, line: usize, slot: usize) {
        self.lines[line].set(slot, EMPTY, Word::default());
        self.logs.clear(line, slot);
    }
}
