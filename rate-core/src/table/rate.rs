//! Which quota the states of a table are written in, and how they change to another.
//!
//! A state is an instant in one quota's arithmetic, so a new quota has to rewrite it: the used *share* carries over. Each
//! line says in its guard which quota it is written in. A change publishes the new quota and then rewrites line by line;
//! whoever meets a line that is behind rewrites it first. No request waits for the whole walk, and none is ever decided
//! on a state of the wrong quota.

use super::carry::Numbered;
use super::elsewhere::LimitId;
use super::line::{EMPTY, Epoch, SLOTS};
use super::tiers::Registry;
use super::{Table, ignore_poison};
use crate::algorithm::{Algorithm, AnyAlgorithm, Gcra};
use crate::sync::{Backoff, Ordering};

/// A limit's arithmetic and which of the table's limits it is.
#[derive(Clone, Debug)]
pub(crate) struct Rate {
    pub(crate) algorithm: AnyAlgorithm,
    pub(super) epoch: Epoch,
    /// The number of a quota that only some keys are counted by, or 0.
    pub(super) tier: u32,
    /// The algorithm in the case that nearly always holds, so that a check finds that out by one look.
    pub(super) usual: Option<Gcra>,
}

impl Rate {
    /// The first limit of a table.
    pub(crate) fn new(algorithm: impl Into<AnyAlgorithm>) -> Self {
        Self::of(algorithm.into(), Epoch::default(), 0)
    }

    fn of(algorithm: AnyAlgorithm, epoch: Epoch, tier: u32) -> Self {
        let usual = match algorithm {
            AnyAlgorithm::Gcra(gcra) if gcra.is_whole() && !epoch.is_tiered() => Some(gcra),
            _ => None,
        };
        Self { algorithm, epoch, tier, usual }
    }

    pub(super) fn in_epoch(&self, epoch: Epoch) -> Self {
        Self::of(self.algorithm, epoch, self.tier)
    }

    /// Most units at once.
    pub(crate) fn most(&self) -> u64 {
        self.algorithm.capacity()
    }

    /// Whether this is not the limit of those without a quota of their own.
    pub(crate) fn is_tier(&self) -> bool {
        self.tier > 0
    }

    /// Whether a state has to say that it is written in this one.
    #[inline(always)]
    pub(super) fn is_tiered(&self) -> bool {
        self.epoch.is_tiered()
    }

    /// Whether no change of the limit lies between this and `other`, and both are of one tier. What was changed and changed
    /// back is equal and another one: a key may have earned more meanwhile than this quota knows.
    pub(super) fn is_of_the_limit_of(&self, other: &Self) -> bool {
        self.tier == other.tier && (self.tier > 0 || self.epoch.untiered() == other.epoch.untiered())
    }

    /// The own time of the key with this tag at `now`.
    #[inline(always)]
    pub(crate) fn time_of(&self, tag: u64, now: u64) -> u64 {
        now.saturating_add(self.algorithm.shift(tag))
    }

    /// The way back.
    pub(super) fn everybodys(&self, tag: u64, own: u64) -> u64 {
        own.saturating_sub(self.algorithm.shift(tag))
    }
}

#[derive(Debug)]
pub(super) struct Rates {
    pub(super) current: Rate,
    /// The one before and the instant of the announcement, for lines that are still written in it.
    previous: Option<(Rate, u64)>,
    /// When the change before the last was complete, and how many there were.
    changed: u64,
    changes: u32,
    pub(super) registry: Registry,
}

impl Rates {
    pub(super) fn new(rate: &Rate) -> Self {
        Self { current: rate.clone(), previous: None, changed: 0, changes: 0, registry: Registry::default() }
    }

    pub(super) fn tier(&self, gcra: Gcra, tier: u32) -> Rate {
        Rate::of(gcra.into(), self.current.epoch.tiered(), tier)
    }

    /// The limit with this number: 0 is that of those without a quota of their own.
    pub(super) fn numbered(&self, number: u32) -> &AnyAlgorithm {
        self.registry.get(number).unwrap_or(&self.current.algorithm)
    }

    /// The limit of those without a quota of their own, so many changes ago.
    fn own(&self, ago: u32) -> LimitId {
        LimitId(1 << 31 | self.changes.wrapping_sub(ago))
    }

    /// What decides a request in `rate` by now, on a line that is tiered or not.
    fn as_of_now(&self, rate: &Rate, is_tiered: bool) -> Rate {
        let epoch = self.current.epoch;
        match rate.tier {
            0 if is_tiered => self.current.in_epoch(epoch.tiered()),
            0 => self.current.clone(),
            _ => rate.in_epoch(epoch.tiered()),
        }
    }
}

impl Table {
    /// The limit there is, if it is this one already.
    pub(crate) fn already(&self, algorithm: &AnyAlgorithm) -> Option<Rate> {
        let current = ignore_poison(self.rates.read()).current.clone();
        current.algorithm.is_aligned_with(algorithm).then_some(current)
    }

    /// Changes the limit as of `now`; every key keeps its used share.
    pub(crate) fn change(&self, algorithm: AnyAlgorithm, now: impl Fn() -> u64) -> Rate {
        let _one_at_a_time = ignore_poison(self.changing.lock());
        if algorithm.forgets_sooner_than(&ignore_poison(self.rates.read()).current.algorithm) {
            // Not where it was used, to which the limit may change back.
            self.numbers();
        }
        if let AnyAlgorithm::SlidingLog(log) = &algorithm {
            // Before a line is locked: allocating takes a while.
            self.logs.of(log, self.lines.len());
        }
        let rate = self.announce(algorithm, now());
        for line in 0..self.lines.len() {
            self.catch_up(&rate, line, EMPTY, &now);
        }
        // Relaxed: whoever reads this locks the rates, or a line that was unlocked before.
        self.since.store(now().saturating_add(1), Ordering::Relaxed);
        rate
    }

    /// Makes `algorithm` the current limit, in which no line is written yet.
    fn announce(&self, algorithm: AnyAlgorithm, now: u64) -> Rate {
        let mut rates = ignore_poison(self.rates.write());
        // Relaxed: published by the unlocking of the rates, and stored by nobody but who is changing the limit.
        let since = self.since.swap(u64::MAX, Ordering::Relaxed);
        if since < u64::MAX {
            // Or else a clock has panicked.
            rates.changed = rates.changed.max(since.saturating_sub(1));
        }
        let rate = Rate::of(algorithm, rates.current.epoch.next(), 0);
        rates.previous = Some((core::mem::replace(&mut rates.current, rate.clone()), now));
        rates.changes = rates.changes.wrapping_add(1);
        rate
    }

    /// Rewrites what a request in `rate` to the key `tag` finds in a line in another limit than it is to be decided in, and
    /// returns that one.
    ///
    /// As of `now`, not of the instant at which a limit was announced: until it is rewritten a line goes on admitting
    /// in the old one, and what it admitted would have been earned back at once in a new one that is much faster.
    pub(super) fn catch_up(&self, rate: &Rate, index: usize, tag: u64, now: impl Fn() -> u64) -> Rate {
        self.catch_up_and(rate, index, tag, now, |_, _| ()).0
    }

    /// As [`catch_up`](Self::catch_up); and if the key is in this line and was rewritten, runs `meanwhile` on its slot before
    /// anybody else can rewrite it again.
    #[cold]
    pub(super) fn catch_up_and<T>(
        &self,
        rate: &Rate,
        index: usize,
        tag: u64,
        now: impl Fn() -> u64,
        meanwhile: impl FnOnce(&Rate, usize) -> T,
    ) -> (Rate, Option<T>) {
        let rates = ignore_poison(self.rates.read());
        let line = &self.lines[index];
        let mut backoff = Backoff::default();
        loop {
            let guard = line.guard();
            let epoch = guard.epoch();
            let is_tiered = epoch.is_tiered() || rate.is_tiered();
            let target = rates.as_of_now(rate, is_tiered);
            if is_tiered {
                // Before the line is locked: allocating takes a while.
                self.numbers();
            }
            let own = line.find(tag).filter(|_| is_tiered && tag != EMPTY);
            let is_own =
                own.is_none_or(|slot| epoch.is_tiered() && self.numbers().get(index, slot) == rate.tier);
            if epoch == target.epoch && is_own && !guard.is_locked() && line.is_still(guard) {
                return (target, None);
            }
            // Read between guard and lock: whatever is in the line was decided at an earlier reading, but for what clocks of
            // two threads differ by; and an earlier instant carries over more use, not less.
            let at = now();
            if line.try_lock(guard) {
                for slot in (0..SLOTS).filter(|&slot| line.tag(slot) != EMPTY) {
                    self.rewrite(&rates, epoch, (index, slot), (own == Some(slot)).then_some(&target), at);
                }
                let done = own.map(|slot| meanwhile(&target, slot));
                line.unlock_in(guard, target.epoch);
                return (target, done);
            }
            backoff.wait();
        }
    }

    /// Rewrites the state in a slot of a locked line that was of `epoch`: in `own`, if this is the key that is asked for, and
    /// else in the quota it has, or the table's own.
    fn rewrite(
        &self,
        rates: &Rates,
        epoch: Epoch,
        (line, slot): (usize, usize),
        own: Option<&Rate>,
        at: u64,
    ) {
        let number = if epoch.is_tiered() { self.numbers().get(line, slot) } else { 0 };
        let current = &rates.current;
        // The instant of the announcement, where the clock that is read here is behind.
        let (from, id, at) = match (rates.registry.get(number), &rates.previous) {
            (Some(tier), _) => (*tier, LimitId(number), at),
            (None, Some((previous, announced))) if epoch.untiered() != current.epoch => {
                (previous.algorithm, rates.own(1), at.max(*announced))
            }
            _ => (current.algorithm, rates.own(0), at),
        };
        let (to, next_number) = match (own, rates.registry.get(number)) {
            (Some(own), _) => (own.algorithm, own.tier),
            (None, Some(tier)) => (*tier, number),
            (None, None) => (current.algorithm, 0),
        };
        let next_id = if next_number > 0 { LimitId(next_number) } else { rates.own(0) };
        if let Some(numbers) = self.numbers.get() {
            numbers.set_quota(line, slot, next_number);
        }
        // A state that stays in its quota is not touched: rewriting rounds.
        if next_number == number && (number > 0 || epoch.untiered() == current.epoch) {
            return;
        }
        let from = Numbered { rate: &Rate::new(from), id };
        let to = Numbered { rate: &Rate::new(to), id: next_id };
        self.carry_over(from, to, (line, slot), at, rates.changed);
    }
}

#[cfg(all(test, not(loom)))]
mod tests;
