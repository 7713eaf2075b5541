//! Whose loss admits least.

use super::line::{EMPTY, Line, SLOTS};
use super::residue::units_of;
use super::{Rate, Table};
use crate::algorithm::{Algorithm, AnyAlgorithm, Entries, Packed};

impl Table {
    /// The slot of a line whose loss admits least, and how much that is: an empty one, else the one with the fewest units taken,
    /// each by its own quota.
    ///
    /// A newcomer to a full table asks fourteen lines. So the algorithm is asked for once in each, not once in each slot.
    pub(super) fn weakest_in(&self, rate: &Rate, index: usize, now: u64) -> (usize, u64) {
        let line = &self.lines[index];
        let numbers = self.numbers.get();
        // What a key has used elsewhere it is not to have again when it comes back.
        let elsewhere = |slot| numbers.map(|numbers| numbers.elsewhere(index, slot).share(now));
        let or_elsewhere = |slot, units: u64, all: u64| match elsewhere(slot) {
            Some(share) => units.max(units_of(share, all)),
            None => units,
        };
        match &rate.algorithm {
            AnyAlgorithm::Gcra(gcra) => match numbers {
                None => weakest(line, |slot| gcra.strength(line.state(slot), now)),
                Some(numbers) => {
                    // Not waited for: who holds it may wait for a line that is locked here.
                    let rates = self.rates.try_read().ok();
                    let is_tiered = line.guard().epoch().is_tiered();
                    weakest(line, |slot| {
                        let number = if is_tiered { numbers.get(index, slot) } else { 0 };
                        let own = match rates.as_ref().map(|rates| rates.numbered(number)) {
                            Some(AnyAlgorithm::Gcra(own)) => own,
                            _ => gcra,
                        };
                        let share = numbers.elsewhere(index, slot).share(now);
                        own.units_used(own.unpack(own.kept(line.state(slot), share, now)), now)
                    })
                }
            },
            AnyAlgorithm::LeakyBucket(bucket) => weakest(line, |slot| match elsewhere(slot) {
                Some(share) => bucket.strength(bucket.gcra().kept(line.state(slot), share, now), now),
                None => bucket.strength(line.state(slot), now),
            }),
            AnyAlgorithm::FixedWindow(window) => weakest(line, |slot| {
                let used = window.strength(line.state(slot), rate.time_of(line.tag(slot), now));
                or_elsewhere(slot, used, window.capacity())
            }),
            AnyAlgorithm::CalendarWindow(window) => weakest(line, |slot| {
                or_elsewhere(slot, window.strength(line.state(slot), now), window.capacity())
            }),
            AnyAlgorithm::SlidingWindow(window) => weakest(line, |slot| {
                or_elsewhere(slot, window.strength(line.state(slot), now), window.capacity())
            }),
            AnyAlgorithm::SlidingLog(log) => weakest(line, |slot| {
                let used = log.strength(&Entries::read(self.log(rate, index, slot)), now);
                or_elsewhere(slot, used, log.capacity())
            }),
        }
    }
}

#[inline(always)]
fn weakest(line: &Line, strength: impl Fn(usize) -> u64) -> (usize, u64) {
    let strength = |slot| match line.tag(slot) {
        EMPTY => 0,
        // More than nothing, which a state within the first tick there is would be.
        _ => strength(slot).saturating_add(1),
    };
    let mut weakest = (0, strength(0));
    for slot in 1..SLOTS {
        let strength = strength(slot);
        // Selected: nobody can predict it.
        weakest = if strength < weakest.1 { (slot, strength) } else { weakest };
    }
    weakest
}
