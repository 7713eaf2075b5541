//! A key that goes from one limit to another: what it takes along, leaves behind, and finds where it comes to.

use super::elsewhere::Elsewhere;
use super::residue::{Residue, Share, units_of};
use super::{Rate, Table};
use crate::algorithm::{Algorithm, AnyAlgorithm, Entries, Gcra, Packed, Word};
use crate::kept::{AtomicLog, Operation, no_log};

impl Gcra {
    /// With at least such a share used at `at`.
    pub(super) fn kept(&self, word: Word, share: Share, at: u64) -> Word {
        match units_of(share, self.time_to_fill()) {
            // Not moved to `at`, which may lie far ahead of everybody else's time.
            0 => word,
            ahead => self.pack(self.unpack(word).max(self.fresh_at(at.saturating_add(ahead)))),
        }
    }
}

impl AnyAlgorithm {
    /// What is left of what a key in this state has used, if it goes at `at`, which is `own` in its own time.
    fn residue(&self, word: Word, log: AtomicLog<'_>, own: u64, at: u64) -> Residue {
        if let Some(gcra) = self.intervals() {
            let until = gcra.fresh_from(gcra.unpack(word));
            return Residue { until, span: gcra.time_to_fill(), most: (1, 1) };
        }
        let left = self.left(word, log, own);
        let used = self.capacity().saturating_sub(left.remaining);
        if used == 0 {
            return Residue::default();
        }
        let (units, span) = match self {
            Self::SlidingWindow(window) => window.falling(window.unpack(word), own),
            // All of it, until a window ends or the last unit of a log expires.
            _ => (used, 0),
        };
        let until = at.saturating_add(left.reset_after);
        // Limits that have no burst are of 32 bits.
        Residue { until, span, most: (units as u32, self.capacity() as u32) }
    }
}

impl Table {
    /// Takes the key in a slot from the limit it is written in to another; only while the line is locked. `changed` says when the limit
    /// was changed last for everybody, before.
    pub(super) fn carry_over(
        &self,
        from: &Rate,
        to: &Rate,
        (line, slot): (usize, usize),
        at: u64,
        changed: u64,
    ) {
        let (tag, word) = (self.lines[line].tag(slot), self.lines[line].state(slot));
        let elsewhere = self.numbers.get().map(|numbers| numbers.elsewhere(line, slot));
        let came = elsewhere.map_or(0, |elsewhere| elsewhere.came).max(changed);
        let is_used_at = |rate: &Rate, word, at| rate.algorithm.fresh_from_word(word) > rate.time_of(tag, at);
        let at = if at < came && is_used_at(from, word, came) { came } else { at };
        let (log, own) = (self.log(from, line, slot), from.time_of(tag, at));
        let left = elsewhere.map(|elsewhere| match to.algorithm.forgets_sooner_than(&from.algorithm) {
            true => {
                let taken = from.everybodys(tag, from.algorithm.last_taken(word, log, own));
                elsewhere.with(from.algorithm.residue(word, log, own, at), taken, at)
            }
            false => elsewhere,
        });
        let is_taken_over = match (&from.algorithm, &to.algorithm) {
            (AnyAlgorithm::SlidingLog(from), AnyAlgorithm::SlidingLog(to)) => {
                self.take_over_log(from, to, (line, slot), at)
            }
            _ => false,
        };
        if !is_taken_over {
            let (carried, own) =
                from.algorithm.carry_over(&to.algorithm, (word, log), (own, to.time_of(tag, at)));
            self.logs.clear(line, slot);
            self.write(to, (line, slot), carried.word, carried.change, own);
        }
        let (Some(before), Some(mut left), Some(numbers)) = (elsewhere, left, self.numbers.get()) else {
            return;
        };
        // But for what it has used in the limit it comes from, which it has taken along.
        if from.algorithm.forgets_sooner_than(&to.algorithm) {
            self.keep_used(to, (line, slot), before, at);
        }
        if is_used_at(to, self.lines[line].state(slot), at) {
            left.came = left.came.max(at);
        }
        numbers.set_elsewhere(line, slot, left);
    }

    /// Takes of a key that comes to `rate` at `at` what it has used elsewhere, where that is more than what it has used by now; only
    /// while the line is locked.
    fn keep_used(&self, rate: &Rate, place: (usize, usize), elsewhere: Elsewhere, at: u64) {
        let (line, (index, slot)) = (&self.lines[place.0], place);
        let (tag, word) = (line.tag(slot), line.state(slot));
        let (share, all) = (elsewhere.share(at), rate.algorithm.capacity());
        let units = |residue: Residue| units_of(residue.share(at), all);
        // A window would be over too early that began before the one in which the units were taken.
        let taken = elsewhere.taken.max(at);
        match &rate.algorithm {
            AnyAlgorithm::Gcra(gcra) => line.set_state(slot, gcra.kept(word, share, taken)),
            AnyAlgorithm::LeakyBucket(bucket) => line.set_state(slot, bucket.gcra().kept(word, share, taken)),
            AnyAlgorithm::SlidingWindow(window) => {
                // What lasts longer first: of what counts in the next window too, some may be all that is needed in this one.
                let counts = elsewhere.residues.iter().fold(window.unpack(word), |counts, residue| {
                    let is_falling = taken == at && residue.is_falling(at);
                    let fading =
                        is_falling.then(|| (residue.until, residue.falling_in(window.period(), all)));
                    window.kept(counts, taken, units(*residue), fading)
                });
                line.set_state(slot, window.pack(counts));
            }
            AnyAlgorithm::SlidingLog(log) => {
                for residue in elsewhere.residues.into_iter().filter(|residue| units(*residue) > 0) {
                    let until = residue.until.min(taken.saturating_add(log.period()));
                    let mut entries = Entries::read(self.logs.of(log, self.lines.len()).of(index, slot));
                    entries.keep(all, units(residue), until);
                    line.set_state(slot, Word { low: entries.fresh_from(), high: 0 });
                }
            }
            AnyAlgorithm::FixedWindow(_) | AnyAlgorithm::CalendarWindow(_) => {
                let own = rate.time_of(tag, taken);
                let used = all - rate.algorithm.left(word, no_log(), own).remaining;
                let missing = units_of(share, all).saturating_sub(used);
                // Past the end of time there is nothing that could be admitted instead.
                line.set_state(slot, rate.algorithm.run(word, no_log(), own, Operation::Take(missing)).word);
            }
        }
    }
}
