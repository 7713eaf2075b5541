//! Keys that are counted by quotas of their own.
//!
//! A line is plain, and all its states are written in the table's own limit, or tiered, and each state says beside it which
//! quota it is written in. The first request with another quota makes a line tiered. A key stays in the quota it was last asked
//! in, so it earns at that quota's rate; a request in another one rewrites it first, and its used share carries over.

use std::collections::HashMap;
use std::sync::OnceLock;

use super::elsewhere::{Elsewhere, UNTIL, WORDS};
use super::line::SLOTS;
use super::rate::{Rate, Rates};
use super::{Table, ignore_poison};
use crate::algorithm::{AnyAlgorithm, Gcra};
use crate::quota::Quota;
use crate::sync::{AtomicU32, AtomicU64, Backoff, Ordering};

/// Most quotas of their own that the keys of one table can have: some hundred bytes each.
const MOST: usize = 1 << 20;

/// The quotas by number, of which 0 is the table's own limit.
#[derive(Debug, Default)]
pub(super) struct Registry {
    algorithms: Vec<AnyAlgorithm>,
    numbers: HashMap<Quota, u32>,
}

impl Registry {
    pub(super) fn bytes(&self) -> usize {
        // As a hash map has them: a byte beside each entry, and room for an eighth more.
        let entry = size_of::<(Quota, u32)>() + 1;
        self.algorithms.capacity() * size_of::<AnyAlgorithm>() + self.numbers.capacity() * entry * 8 / 7
    }

    pub(super) fn get(&self, number: u32) -> Option<&AnyAlgorithm> {
        self.algorithms.get((number as usize).checked_sub(1)?)
    }

    fn add(&mut self, gcra: Gcra) -> Option<u32> {
        if self.algorithms.len() == MOST {
            return None;
        }
        let algorithm = AnyAlgorithm::Gcra(gcra);
        self.algorithms.push(algorithm);
        let number = self.algorithms.len() as u32;
        self.numbers.insert(algorithm.quota(), number);
        Some(number)
    }
}

/// For each slot the number of its quota, which is of no meaning in a plain line, and what its key has used in others.
#[derive(Debug)]
pub(super) struct Numbers {
    quotas: Box<[AtomicU32]>,
    elsewhere: Box<[Left]>,
}

/// What the keys of a line have used elsewhere.
#[derive(Debug, Default)]
struct Left {
    /// The tick from which on none of them has: whoever looks for room asks this of fourteen lines.
    until: AtomicU64,
    /// From when on one of them has left a limit of which it had used anything.
    words: OnceLock<Box<Words>>,
}

/// The words of each slot.
type Words = [[AtomicU64; WORDS]; SLOTS];

impl Numbers {
    pub(super) fn new(lines: usize) -> Self {
        Self {
            quotas: (0..lines * SLOTS).map(|_| AtomicU32::new(0)).collect(),
            elsewhere: (0..lines).map(|_| Left::default()).collect(),
        }
    }

    // Relaxed, all of it: guarded by the slot's line, as its state is.
    pub(super) fn get(&self, line: usize, slot: usize) -> u32 {
        self.quotas[line * SLOTS + slot].load(Ordering::Relaxed)
    }

    pub(super) fn elsewhere(&self, line: usize, slot: usize) -> Elsewhere {
        let Some(words) = self.elsewhere[line].words.get() else { return Elsewhere::default() };
        Elsewhere::unpack(words[slot].each_ref().map(|word| word.load(Ordering::Relaxed)))
    }

    /// The tick from which on a key has used nothing elsewhere.
    #[inline]
    pub(super) fn until(&self, line: usize, slot: usize) -> u64 {
        self.elsewhere[line].words.get().map_or(0, |words| words[slot][UNTIL].load(Ordering::Relaxed))
    }

    /// Whether no key in a line has used anything elsewhere by `now`.
    #[inline]
    pub(super) fn is_over(&self, line: usize, now: u64) -> bool {
        self.elsewhere[line].until.load(Ordering::Relaxed) <= now
    }

    pub(super) fn set_quota(&self, line: usize, slot: usize, number: u32) {
        self.quotas[line * SLOTS + slot].store(number, Ordering::Relaxed);
    }

    pub(super) fn set_elsewhere(&self, line: usize, slot: usize, elsewhere: Elsewhere) {
        let Left { until, words } = &self.elsewhere[line];
        let words = match words.get() {
            None if elsewhere == Elsewhere::default() => return,
            None => words.get_or_init(Numbers::words),
            Some(words) => words,
        };
        for (word, value) in words[slot].iter().zip(elsewhere.pack()) {
            word.store(value, Ordering::Relaxed);
        }
        let latest = words.iter().map(|words| words[UNTIL].load(Ordering::Relaxed)).max();
        until.store(latest.unwrap_or(0), Ordering::Relaxed);
    }

    fn words() -> Box<Words> {
        Box::new([[0; WORDS]; SLOTS].map(|words| words.map(AtomicU64::new)))
    }

    /// Begins a key that is new.
    pub(super) fn begin(&self, line: usize, slot: usize, number: u32) {
        self.set_quota(line, slot, number);
        if !self.is_over(line, 0) {
            self.set_elsewhere(line, slot, Elsewhere::default());
        }
    }

    /// Copies what there is of a key to another slot.
    pub(super) fn copy(&self, from: (usize, usize), to: (usize, usize)) {
        self.set_quota(to.0, to.1, self.get(from.0, from.1));
        if !self.is_over(from.0, 0) || !self.is_over(to.0, 0) {
            self.set_elsewhere(to.0, to.1, self.elsewhere(from.0, from.1));
        }
    }

    pub(super) fn bytes(&self) -> usize {
        let lines = self.elsewhere.iter().filter(|left| left.words.get().is_some()).count();
        size_of_val(&*self.quotas) + size_of_val(&*self.elsewhere) + lines * size_of::<Words>()
    }
}

impl Table {
    /// Whether the key in a slot of a tiered line is written in `rate`.
    #[inline]
    pub(super) fn is_own(&self, rate: &Rate, line: usize, slot: usize) -> bool {
        self.numbers().get(line, slot) == rate.tier
    }

    /// Whether the key `tag` is in a line and counted in another tier than that of `rate`.
    pub(super) fn is_elsewhere(&self, rate: &Rate, index: usize, tag: u64) -> bool {
        let line = &self.lines[index];
        let mut backoff = Backoff::default();
        loop {
            let guard = line.guard();
            let number = line.find(tag).map(|slot| match guard.epoch().is_tiered() {
                true => self.numbers().get(index, slot),
                // All of a plain line.
                false => 0,
            });
            if !guard.is_locked() && line.is_still(guard) {
                return number.is_some_and(|number| number != rate.tier);
            }
            backoff.wait();
        }
    }

    pub(super) fn numbers(&self) -> &Numbers {
        self.numbers.get_or_init(|| Numbers::new(self.lines.len()))
    }

    /// What decides requests in a quota of their own: beyond a million different ones in the table's own limit.
    pub(crate) fn tier(&self, gcra: Gcra) -> Rate {
        let quota = AnyAlgorithm::Gcra(gcra).quota();
        let found =
            |rates: &Rates| rates.registry.numbers.get(&quota).map(|number| rates.tier(gcra, *number));
        let known = {
            let rates = ignore_poison(self.rates.read());
            found(&rates)
        };
        if let Some(rate) = known {
            return rate;
        }
        let mut rates = ignore_poison(self.rates.write());
        if let Some(rate) = found(&rates) {
            return rate;
        }
        match rates.registry.add(gcra) {
            Some(number) => rates.tier(gcra, number),
            None => rates.current.clone(),
        }
    }
}
