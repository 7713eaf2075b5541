//! Whose loss admits least.

use super::line::{EMPTY, Line, SLOTS};
use super::residue::units_of;
use super::tiers::Numbers;
use super::{Rate, Table};
use crate::algorithm::{Algorithm, AnyAlgorithm, Entries, Gcra, Packed, Word};

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

    /// Where keys are of different quotas, or have used what they find again when they come back: in units, which all have in
    /// common.
    #[inline(never)]
    fn weakest_of_any(&self, numbers: &Numbers, rate: &Rate, index: usize, now: u64) -> (usize, u64) {
        let line = &self.lines[index];
        let is_tiered = line.guard().epoch().is_tiered();
        let number = |slot| if is_tiered { numbers.get(index, slot) } else { rate.tier };
        let are_alike = (0..SLOTS).all(|slot| number(slot) == rate.tier);
        if are_alike && numbers.is_over(index, now) {
            let (slot, strength) = self.weakest_of_one_limit(rate, index, now);
            let units = match rate.algorithm.intervals() {
                Some(gcra) if strength > 0 => units_in(gcra, line.state(slot), now).saturating_add(1),
                _ => strength,
            };
            return (slot, units);
        }
        // Not waited for: who holds it may wait for a line that is locked here.
        let rates = if are_alike { None } else { self.rates.try_read().ok() };
        let limit = |slot| match (&rates, number(slot)) {
            (Some(rates), other) if other != rate.tier => rates.numbered(other),
            _ => &rate.algorithm,
        };
        let here = |slot| match (limit(slot), line.state(slot)) {
            (AnyAlgorithm::Gcra(gcra), word) => units_in(gcra, word, now),
            (AnyAlgorithm::LeakyBucket(bucket), word) => units_in(bucket.gcra(), word, now),
            (other, word) => {
                let own = rate.time_of(line.tag(slot), now);
                let all = other.capacity();
                all - other.left(word, self.log(rate, index, slot), own).remaining.min(all)
            }
        };
        let elsewhere = |slot| {
            let (limit, share) = (limit(slot), numbers.elsewhere(index, slot).share(now));
            match limit.intervals() {
                Some(gcra) => units_in(gcra, gcra.kept(Word::default(), share, now), now),
                None => units_of(share, limit.capacity()),
            }
        };
        least(line, here, elsewhere)
    }
}

/// As [`weakest`] says, each by the larger of what it has used here and elsewhere. Who has used more here than another in both is
/// not asked for what it has used elsewhere: that lies in other lines of the cache.
fn least(line: &Line, here: impl Fn(usize) -> u64, elsewhere: impl Fn(usize) -> u64) -> (usize, u64) {
    let mut strengths: [u64; SLOTS] = core::array::from_fn(|slot| match line.tag(slot) {
        EMPTY => 0,
        _ => here(slot).saturating_add(1),
    });
    let mut asked = [false; SLOTS];
    loop {
        let (slot, strength) = (0..SLOTS).fold((0, strengths[0]), |least, slot| {
            if strengths[slot] < least.1 { (slot, strengths[slot]) } else { least }
        });
        if strength == 0 || asked[slot] {
            return (slot, strength);
        }
        asked[slot] = true;
        strengths[slot] = strength.max(elsewhere(slot).saturating_add(1));
    }
}

fn units_in(gcra: &Gcra, word: Word, now: u64) -> u64 {
    gcra.units_used(gcra.unpack(word), now)
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
