//! Whose loss admits least.

use super::line::{EMPTY, Line, SLOTS};
use super::{Rate, Table};
use crate::algorithm::{AnyAlgorithm, Packed, Word};

impl Table {
    /// The slot of a line whose loss admits least, and how much that is: an empty one, else the one with the fewest units taken.
    ///
    /// A newcomer to a full table asks fourteen lines. So the algorithm is asked for once in each, not once in each slot.
    pub(super) fn weakest_in(&self, rate: &Rate, index: usize, now: u64) -> (usize, u64) {
        let line = &self.lines[index];
        match &rate.algorithm {
            AnyAlgorithm::Gcra(gcra) => weakest(line, |_, word| gcra.strength(word, now)),
            AnyAlgorithm::LeakyBucket(bucket) => weakest(line, |_, word| bucket.strength(word, now)),
            AnyAlgorithm::FixedWindow(window) => {
                weakest(line, |tag, word| window.strength(word, now.saturating_add(window.shift(tag))))
            }
            AnyAlgorithm::CalendarWindow(window) => weakest(line, |_, word| window.strength(word, now)),
            AnyAlgorithm::SlidingWindow(window) => weakest(line, |_, word| window.strength(word, now)),
            // What was taken is not in the word.
            AnyAlgorithm::SlidingLog(_) => self.weakest(rate, index, now),
        }
    }
}

#[inline(always)]
fn weakest(line: &Line, strength: impl Fn(u64, Word) -> u64) -> (usize, u64) {
    let strength = |slot| match line.tag(slot) {
        EMPTY => 0,
        // More than nothing, which a state within the first tick there is would be.
        tag => strength(tag, line.state(slot)).saturating_add(1),
    };
    let mut weakest = (0, strength(0));
    for slot in 1..SLOTS {
        let strength = strength(slot);
        // Selected: nobody can predict it.
        weakest = if strength < weakest.1 { (slot, strength) } else { weakest };
    }
    weakest
}
