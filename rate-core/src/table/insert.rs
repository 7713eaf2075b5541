//! Room for a newcomer.

use super::line::{EMPTY, SLOTS};
use super::{Rate, Table};
use crate::algorithm::{Algorithm, Tat};
use crate::sync::Ordering;

impl Table {
    /// Stores a new key in one of its two lines, which the caller holds locked.
    ///
    /// Constant work: at most the two lines and the other lines of their twelve keys are looked at.
    pub(super) fn insert(&self, rate: &Rate, tag: u64, homes: (usize, usize), state: Tat, now: u64) {
        let (first, first_state) = self.lines[homes.0].weakest();
        if self.is_spare(rate, homes.0, first, first_state, now) {
            return self.replace(rate, homes.0, first, tag, state, now);
        }
        let (second, second_state) = self.lines[homes.1].weakest();
        if self.is_spare(rate, homes.1, second, second_state, now) {
            return self.replace(rate, homes.1, second, tag, state, now);
        }
        if self.move_neighbour(rate, tag, homes, state, first_state.min(second_state), now) {
            return;
        }
        // Every key in reach is live: the one whose loss admits least has to go.
        if first_state <= second_state {
            self.replace(rate, homes.0, first, tag, state, now);
        } else {
            self.replace(rate, homes.1, second, tag, state, now);
        }
    }

    /// Makes room by moving one of the twelve neighbours to its own other line: into a spare slot if one is found, else
    /// over the weakest key there if that is weaker than the `weakest` here.
    fn move_neighbour(
        &self,
        rate: &Rate,
        tag: u64,
        homes: (usize, usize),
        state: Tat,
        weakest: Tat,
        now: u64,
    ) -> bool {
        let mut best = None;
        let mut best_state = weakest;
        for home in [homes.0, homes.1] {
            for slot in 0..SLOTS {
                let neighbour = self.lines[home].tag(slot);
                let other = self.first_home(neighbour);
                let other = if other == home { self.second_home(neighbour) } else { other };
                if other == homes.0 || other == homes.1 {
                    continue;
                }
                // Read without a lock, to choose; what was chosen is looked at again under its lock.
                let (other_slot, other_state) = self.lines[other].weakest();
                if other_state < best_state {
                    (best, best_state) = (Some((home, slot, other)), other_state);
                }
                if self.is_spare(rate, other, other_slot, other_state, now)
                    && self.relocate(rate, (home, slot), other, best_state, now)
                {
                    self.lines[home].set(slot, tag, state);
                    return true;
                }
            }
        }
        let Some((home, slot, other)) = best else { return false };
        let moved = self.relocate(rate, (home, slot), other, best_state, now);
        if moved {
            self.lines[home].set(slot, tag, state);
        }
        moved
    }

    /// Copies the key at `from` over the weakest key of line `to`, if that is still no stronger than `expected`.
    ///
    /// Never waits: the caller holds other lines, and waiting for one more could wait for ever.
    fn relocate(&self, rate: &Rate, from: (usize, usize), to: usize, expected: Tat, now: u64) -> bool {
        let line = &self.lines[to];
        let guard = line.guard();
        if guard.epoch() != rate.epoch || !line.try_lock(guard) {
            return false;
        }
        let (slot, state) = line.weakest();
        if state > expected {
            line.release(guard);
            return false;
        }
        let source = &self.lines[from.0];
        self.replace(rate, to, slot, source.tag(from.1), source.state(from.1), now);
        line.unlock(guard);
        true
    }

    /// Whether a slot is empty or its key as good as new.
    fn is_spare(&self, rate: &Rate, line: usize, slot: usize, state: Tat, now: u64) -> bool {
        self.lines[line].tag(slot) == EMPTY || rate.gcra.fresh_from(state) <= now
    }

    /// Overwrites a slot and keeps the books about what was in it.
    fn replace(&self, rate: &Rate, line: usize, slot: usize, tag: u64, state: Tat, now: u64) {
        let line = &self.lines[line];
        let fresh_from = rate.gcra.fresh_from(line.state(slot));
        if line.tag(slot) == EMPTY {
            // Relaxed: a figure for people, ordered with nothing.
            self.occupied.fetch_add(1, Ordering::Relaxed);
        } else if fresh_from <= now {
            // Relaxed: published by the unlocking of the line. The load spares other cores the shared write.
            if self.floor.load(Ordering::Relaxed) < fresh_from {
                self.floor.fetch_max(fresh_from, Ordering::Relaxed);
            }
        } else {
            // Relaxed: as for `occupied`.
            self.evictions.fetch_add(1, Ordering::Relaxed);
        }
        line.set(slot, tag, state);
    }
}
