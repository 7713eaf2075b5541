//! A key that goes from one limit to another: what it takes along, leaves behind, and finds where it comes to.

use super::elsewhere::{Elsewhere, LimitId};
use super::residue::{Residue, Share, units_of};
use super::{Rate, Table};
use crate::algorithm::{Algorithm, AnyAlgorithm, Entries, Gcra, Packed, Word};
use crate::kept::{AtomicLog, Mark, Operation, no_log};

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

/// A limit, and which of the table's it is.
#[derive(Clone, Copy)]
pub(super) struct Numbered<'r> {
    pub(super) rate: &'r Rate,
    pub(super) id: LimitId,
}

impl Table {
    /// Takes the key in a slot from the limit it is written in to another; only while the line is locked. `changed` says when the limit
    /// was changed last for everybody, before.
    pub(super) fn carry_over(
        &self,
        Numbered { rate: from, id }: Numbered<'_>,
        Numbered { rate: to, id: next_id }: Numbered<'_>,
        (line, slot): (usize, usize),
        at: u64,
        changed: u64,
    ) {
        let numbers = self.numbers.get();
        let before = numbers.map_or(Elsewhere::default(), |numbers| numbers.elsewhere(line, slot));
        let (tag, word) = (self.lines[line].tag(slot), self.lines[line].state(slot));
        let came = before.came.max(changed);
        let is_late = at < came && from.algorithm.fresh_from_word(word) > from.time_of(tag, came);
        let at = if is_late { came } else { at };
        let (log, own) = (self.log(from, line, slot), from.time_of(tag, at));
        let has_taken = from.algorithm.mark(word, log) != before.arrived;
        let mut after = before;
        if has_taken && numbers.is_some() {
            let taken = from.everybodys(tag, from.algorithm.last_taken(word, log, own));
            after = before.with(from.algorithm.residue(word, log, own, at), id, taken, at);
        }
        let is_slower = from.algorithm.forgets_sooner_than(&to.algorithm);
        let is_alike = !is_slower && !to.algorithm.forgets_sooner_than(&from.algorithm);
        let has_brought = self.bring(from, to, (line, slot), at, (has_taken, is_alike));
        let others = match (has_brought, is_slower) {
            // What is remembered is all it has.
            (false, _) => before,
            (true, true) => {
                // Where it has been for so long, all would have come back in this one.
                let since = before.came.max(before.taken);
                let is_recent = at.saturating_sub(since) <= to.algorithm.time_to_reset();
                if is_recent { before.without(id) } else { before.only(next_id) }
            }
            // It brings no less, unless it was given back what it had used before.
            (true, false) => before.only(next_id),
        };
        self.keep_used(to, (line, slot), others, at);
        if after != Elsewhere::default() {
            after.came = after.came.max(at);
            let is_longer = to.algorithm.time_to_reset() > from.algorithm.time_to_reset();
            after.arrived = match has_taken && is_longer {
                // What it has used comes back more slowly here, whether it takes anything or not.
                true => Mark::default(),
                false => to.algorithm.mark(self.lines[line].state(slot), self.log(to, line, slot)),
            };
        }
        if let Some(numbers) = numbers {
            numbers.set_elsewhere(line, slot, after);
        }
    }

    /// Writes what a key that comes from one limit brings along to another. Whether that is anything: who has taken nothing has only
    /// what it brought there, which is remembered; but where both are alike it may be counted as it was.
    fn bring(
        &self,
        from: &Rate,
        to: &Rate,
        (line, slot): (usize, usize),
        at: u64,
        (has_taken, is_alike): (bool, bool),
    ) -> bool {
        if (has_taken || is_alike) && self.take_over(from, to, (line, slot), at) {
            return true;
        }
        let (tag, word) = (self.lines[line].tag(slot), self.lines[line].state(slot));
        let times = (from.time_of(tag, at), to.time_of(tag, at));
        let (carried, own) = match has_taken {
            true => from.algorithm.carry_over(&to.algorithm, (word, self.log(from, line, slot)), times),
            false => (from.algorithm.left_idle(&to.algorithm, word, times), times.1),
        };
        self.logs.clear(line, slot);
        self.write(to, (line, slot), carried.word, carried.change, own);
        has_taken
    }

    /// Takes over what is counted in the other limit in the same way: each window, or each unit, by itself. Whether it could.
    fn take_over(&self, from: &Rate, to: &Rate, place: (usize, usize), at: u64) -> bool {
        match (&from.algorithm, &to.algorithm) {
            (AnyAlgorithm::SlidingLog(from), AnyAlgorithm::SlidingLog(to)) => {
                self.take_over_log(from, to, place, at)
            }
            (AnyAlgorithm::SlidingWindow(from), AnyAlgorithm::SlidingWindow(to))
                if from.period() == to.period() =>
            {
                let line = &self.lines[place.0];
                let counts = to.scaled(from, from.unpack(line.state(place.1)));
                line.set_state(place.1, to.pack(counts));
                true
            }
            _ => false,
        }
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
                let counts = elsewhere.left.iter().fold(window.unpack(word), |counts, (residue, _)| {
                    let is_falling = taken == at && residue.is_falling(at);
                    let fading =
                        is_falling.then(|| (residue.until, residue.falling_in(window.period(), all)));
                    window.kept(counts, taken, units(*residue), fading)
                });
                line.set_state(slot, window.pack(counts));
            }
            AnyAlgorithm::SlidingLog(log) => {
                for (residue, _) in elsewhere.left.into_iter().filter(|(residue, _)| units(*residue) > 0) {
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
