//! Room for a newcomer.

use super::line::{EMPTY, SLOTS};
use super::tiers::Numbers;
use super::{Rate, Table};
use crate::algorithm::Word;
use crate::kept::Change;
use crate::sync::Ordering;

/// A key that is to be stored.
#[derive(Clone, Copy)]
pub(super) struct Newcomer {
    pub(super) tag: u64,
    pub(super) state: Word,
    /// What its log begins with.
    pub(super) change: Change,
}

impl Table {
    /// Stores a new key in one of its two lines, which the caller holds locked.
    ///
    /// Constant work: at most the two lines and the other lines of their twelve keys are looked at.
    #[inline]
    pub(super) fn insert(&self, rate: &Rate, newcomer: Newcomer, homes: (usize, usize), now: u64) {
        // Up to the capacity nineteen of twenty; and it is found without asking how strong anybody is.
        match self.lines[homes.0].find_empty() {
            Some(slot) => self.settle(rate, newcomer, (homes.0, slot), now),
            None => self.insert_for(rate, newcomer, homes, now),
        }
    }

    /// Stores a new key whose first line is full.
    #[inline(never)]
    fn insert_for(&self, rate: &Rate, newcomer: Newcomer, homes: (usize, usize), now: u64) {
        let (first, first_strength) = self.weakest_in(rate, homes.0, now);
        if self.is_spare(rate, homes.0, first, now) {
            return self.settle(rate, newcomer, (homes.0, first), now);
        }
        let (second, second_strength) = self.weakest_in(rate, homes.1, now);
        if self.is_spare(rate, homes.1, second, now) {
            return self.settle(rate, newcomer, (homes.1, second), now);
        }
        let weakest = first_strength.min(second_strength);
        if let Some(freed) = self.move_neighbour(rate, homes, weakest, now) {
            return self.occupy(rate, newcomer, freed, now);
        }
        // Every key in reach is live: the one whose loss admits least has to go.
        let place = if first_strength <= second_strength { (homes.0, first) } else { (homes.1, second) };
        self.settle(rate, newcomer, place, now);
    }

    /// Makes room by moving one of the twelve neighbours to its own other line: into a spare slot if one is found, else
    /// over the weakest key there if that is weaker than the `weakest` here. Returns the place it has left.
    fn move_neighbour(
        &self,
        rate: &Rate,
        homes: (usize, usize),
        weakest: u64,
        now: u64,
    ) -> Option<(usize, usize)> {
        let mut best = None;
        let mut best_strength = weakest;
        for home in [homes.0, homes.1] {
            for slot in 0..SLOTS {
                let neighbour = self.lines[home].tag(slot);
                let other = self.first_home(neighbour);
                let other = if other == home { self.second_home(neighbour) } else { other };
                if other == homes.0 || other == homes.1 {
                    continue;
                }
                // Read without a lock, to choose; what was chosen is looked at again under its lock.
                let (other_slot, strength) = self.weakest_in(rate, other, now);
                if strength < best_strength {
                    (best, best_strength) = (Some((home, slot, other)), strength);
                }
                if self.is_spare(rate, other, other_slot, now)
                    && self.relocate(rate, (home, slot), other, best_strength, now)
                {
                    return Some((home, slot));
                }
            }
        }
        let (home, slot, other) = best?;
        self.relocate(rate, (home, slot), other, best_strength, now).then_some((home, slot))
    }

    /// Copies the key at `from` over the weakest key of line `to`, if that is still no stronger than `expected`.
    ///
    /// Never waits: the caller holds other lines, and waiting for one more could wait for ever.
    fn relocate(&self, rate: &Rate, from: (usize, usize), to: usize, expected: u64, now: u64) -> bool {
        let line = &self.lines[to];
        let guard = line.guard();
        if guard.epoch() != rate.epoch || !line.try_lock(guard) {
            return false;
        }
        let (slot, strength) = self.weakest_in(rate, to, now);
        if strength > expected {
            line.release(guard);
            return false;
        }
        self.leave(rate, (to, slot), now);
        let source = &self.lines[from.0];
        line.set(slot, source.tag(from.1), source.state(from.1));
        if let Some(numbers) = self.numbers.get() {
            numbers.copy(from, (to, slot));
        }
        // Whatever the newcomer is counted by: who moves may be counted by another limit.
        for logs in self.logs.all() {
            logs.copy(from, (to, slot));
        }
        line.unlock(guard);
        true
    }

    /// Whether a slot is empty or its key as good as new.
    fn is_spare(&self, rate: &Rate, line: usize, slot: usize, now: u64) -> bool {
        let tag = self.lines[line].tag(slot);
        tag == EMPTY || self.fresh_from(rate, line, slot) <= rate.time_of(tag, now)
    }

    /// The first tick of a key's own time from which it cannot be told from a new one.
    fn fresh_from(&self, rate: &Rate, line: usize, slot: usize) -> u64 {
        let fresh_from = rate.algorithm.fresh_from_word(self.lines[line].state(slot));
        match self.numbers.get() {
            None => fresh_from,
            Some(numbers) => self.gone_from(numbers, rate, (line, slot), fresh_from),
        }
    }

    /// The same, but no sooner than what it has used elsewhere is gone.
    // Last of all that is done, so that whoever has no numbers saves no registers for it.
    #[inline(never)]
    fn gone_from(
        &self,
        numbers: &Numbers,
        rate: &Rate,
        (line, slot): (usize, usize),
        fresh_from: u64,
    ) -> u64 {
        fresh_from.max(rate.time_of(self.lines[line].tag(slot), numbers.until(line, slot)))
    }

    /// Puts a newcomer in the place of whoever is there.
    #[inline]
    fn settle(&self, rate: &Rate, newcomer: Newcomer, place: (usize, usize), now: u64) {
        self.leave(rate, place, now);
        self.occupy(rate, newcomer, place, now);
    }

    /// Puts a newcomer in a place that is free.
    #[inline]
    fn occupy(&self, rate: &Rate, newcomer: Newcomer, place: (usize, usize), now: u64) {
        let Newcomer { tag, state, .. } = newcomer;
        if let Some(numbers) = self.numbers.get() {
            numbers.begin(place.0, place.1, rate.tier);
        }
        self.lines[place.0].set(place.1, tag, state);
        // Beside others there are logs only where keys have quotas of their own.
        if rate.algorithm.entries() > 0 || rate.is_tiered() {
            self.begin_log(rate, newcomer, place, now);
        }
    }

    /// Begins the log of a newcomer, and forgets that of whoever was there before.
    #[inline(never)]
    fn begin_log(&self, rate: &Rate, newcomer: Newcomer, place: (usize, usize), now: u64) {
        let Newcomer { tag, state, change } = newcomer;
        self.logs.clear(place.0, place.1);
        self.write(rate, place, state, change, rate.time_of(tag, now));
    }

    /// Keeps the books about who was in a slot that is about to be overwritten.
    #[inline]
    fn leave(&self, rate: &Rate, (line, slot): (usize, usize), now: u64) {
        if self.lines[line].tag(slot) == EMPTY {
            // Relaxed: a figure for people, ordered with nothing.
            self.occupied.fetch_add(1, Ordering::Relaxed);
        } else {
            self.replace(rate, (line, slot), now);
        }
    }

    /// Keeps the books about a key that is about to be overwritten.
    fn replace(&self, rate: &Rate, (line, slot): (usize, usize), now: u64) {
        let tag = self.lines[line].tag(slot);
        let fresh_from = self.fresh_from(rate, line, slot);
        if fresh_from <= rate.time_of(tag, now) {
            // In everybody's time. Relaxed: published by the unlocking of the line. The load spares other cores the write.
            let fresh_from = fresh_from.saturating_sub(rate.algorithm.shift(tag));
            if self.floor.load(Ordering::Relaxed) < fresh_from {
                self.floor.fetch_max(fresh_from, Ordering::Relaxed);
            }
        } else {
            // Relaxed: as for `occupied`.
            self.evictions.fetch_add(1, Ordering::Relaxed);
        }
    }
}
