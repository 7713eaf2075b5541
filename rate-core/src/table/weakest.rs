//! Whose loss admits least.

use super::line::{EMPTY, Line, SLOTS};
use super::residue::units_of;
use super::tiers::Numbers;
use super::{Rate, Table};
use crate::algorithm::{Algorithm, AnyAlgorithm, Entries, Packed};

impl Table {
    /// The slot of a line whose loss admits least, and how much that is: an empty one, else the one with the fewest units taken,
    /// each by its own quota.
    pub(super) fn weakest_in(&self, rate: &Rate, index: usize, now: u64) -> (usize, u64) {
        match self.numbers.get() {
            None => self.weakest_of_one_limit(rate, index, now),
            Some(numbers) => self.weakest_of_any(numbers, rate, index, now),
        }
    }

    /// A newcomer to a full table asks fourteen lines. So the algorithm is asked for once in each, not once in each slot.
    fn weakest_of_one_limit(&self, rate: &Rate, index: usize, now: u64) -> (usize, u64) {
        let line = &self.lines[index];
        match &rate.algorithm {
            AnyAlgorithm::Gcra(gcra) => weakest(line, |slot| gcra.strength(line.state(slot), now)),
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

    /// Where keys are of different quotas, or have used what they find again when they come back.
    #[inline(never)]
    fn weakest_of_any(&self, numbers: &Numbers, rate: &Rate, index: usize, now: u64) -> (usize, u64) {
        let line = &self.lines[index];
        // Not waited for: who holds it may wait for a line that is locked here.
        let is_tiered = line.guard().epoch().is_tiered();
        let rates = if is_tiered { self.rates.try_read().ok() } else { None };
        weakest(line, |slot| {
            let number = if is_tiered { numbers.get(index, slot) } else { 0 };
            let own = match &rates {
                Some(rates) if number != rate.tier => rates.numbered(number),
                _ => &rate.algorithm,
            };
            let (word, share) = (line.state(slot), numbers.elsewhere(index, slot).share(now));
            match own.intervals() {
                Some(gcra) => gcra.units_used(gcra.unpack(gcra.kept(word, share, now)), now),
                None => {
                    let all = own.capacity();
                    let left = own.left(word, self.log(rate, index, slot), rate.time_of(line.tag(slot), now));
                    (all - left.remaining.min(all)).max(units_of(share, all))
                }
            }
        })
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
