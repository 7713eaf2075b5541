//! Whose loss admits least.

use super::line::{EMPTY, Line, SLOTS};
use super::{Rate, Table};
use crate::algorithm::{AnyAlgorithm, Entries, Packed};

impl Table {
    /// The slot of a line whose loss admits least, and how much that is: an empty one, else the one with the fewest units taken,
    /// each by its own quota.
    ///
    /// A newcomer to a full table asks fourteen lines. So the algorithm is asked for once in each, not once in each slot.
    pub(super) fn weakest_in(&self, rate: &Rate, index: usize, now: u64) -> (usize, u64) {
        let line = &self.lines[index];
        match &rate.algorithm {
            AnyAlgorithm::Gcra(gcra) => match self.numbers.get() {
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
                        let state = own.unpack(line.state(slot));
                        own.units_used(numbers.elsewhere(index, slot).applied(own, state, now), now)
                    })
                }
            },
            AnyAlgorithm::LeakyBucket(bucket) => weakest(line, |slot| bucket.strength(line.state(slot), now)),
            AnyAlgorithm::FixedWindow(window) => {
                weakest(line, |slot| window.strength(line.state(slot), rate.time_of(line.tag(slot), now)))
            }
            AnyAlgorithm::CalendarWindow(window) => {
                weakest(line, |slot| window.strength(line.state(slot), now))
            }
            AnyAlgorithm::SlidingWindow(window) => {
                weakest(line, |slot| window.strength(line.state(slot), now))
            }
            AnyAlgorithm::SlidingLog(log) => {
                weakest(line, |slot| log.strength(&Entries::read(self.log(rate, index, slot)), now))
            }
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
