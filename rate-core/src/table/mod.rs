//! The bounded table that keyed limits live in.
//!
//! A key's identity is its 64-bit keyed hash. It lives in one of two lines of six slots, the first if there is room.
//! Four keys per line are guaranteed, so a third of the slots is slack; a newcomer whose lines are both full moves a
//! neighbour to the neighbour's other line. That makes losing a live key rarer than one in a million up to the capacity,
//! at 32 bytes per key (`docs/decisions/0001-store-layout.md` has the simulation). Beyond the capacity the key whose loss
//! admits least makes room.
//!
//! Nothing is ever swept: a key that is as good as new is simply the first to be replaced.

mod absent;
mod ask;
mod carry;
mod elsewhere;
mod insert;
mod line;
mod logged;
mod logs;
mod mixed;
mod pair;
mod rate;
mod residue;
mod run;
mod several;
mod slot;
#[cfg(test)]
mod tests;
mod tiers;
mod weakest;

use std::collections::TryReserveError;
use std::sync::{OnceLock, PoisonError};

use crate::algorithm::Word;
use crate::kept::{AtomicLog, no_log};
use crate::sync::{AtomicU64, AtomicUsize, Backoff, Mutex, Ordering, RwLock};
pub(crate) use ask::Ask;
use line::{EMPTY, Guard, Line, SLOTS};
use logs::Logs;
pub(crate) use logs::log_bytes;
pub(crate) use mixed::decide_mixed;
pub(crate) use pair::{Half, Usual};
pub(crate) use rate::Rate;
use rate::Rates;
pub(crate) use several::decide_all;
use tiers::Numbers;

/// Keys guaranteed per line, of the six that fit.
const GUARANTEED: usize = 4;

#[derive(Debug)]
pub(crate) struct Table {
    lines: Box<[Line]>,
    capacity: usize,
    occupied: AtomicUsize,
    evictions: AtomicU64,
    /// The latest state that was dropped because it was as good as new.
    ///
    /// An absent key is normally new. For a timestamp older than the drop it is taken to be in this state, so that a late request
    /// never finds a full bucket where a spent one was dropped.
    floor: AtomicU64,
    /// For algorithms that keep any.
    logs: Logs,
    /// For keys that have quotas of their own, or have used what comes back sooner now than where it was used.
    numbers: OnceLock<Numbers>,
    rates: RwLock<Rates>,
    /// The first tick after the last change of the limit was complete, from which on what is charged is charged in the limit
    /// there is; 0 if it was never another.
    since: AtomicU64,
    /// Held while the quota changes, so that one change is complete before the next begins.
    changing: Mutex<()>,
}

/// Where a key is, as of the guards that were read.
#[derive(Clone, Copy, Debug)]
enum Place {
    Held {
        line: usize,
        slot: usize,
        guard: Guard,
        state: Word,
    },
    /// In neither line. For a table of one line both halves are the same.
    Absent {
        first: (usize, Guard),
        second: (usize, Guard),
        state: Word,
    },
}

/// Why a look at the table has to be repeated.
#[derive(Debug)]
enum Again {
    /// Somebody was writing.
    Busy,
    /// This line, or the key in it, is written in another quota than the caller's.
    Epoch(usize),
}

impl Table {
    /// # Errors
    ///
    /// When there is no memory for it.
    pub(crate) fn new(capacity: usize, rate: &Rate) -> Result<Self, TryReserveError> {
        let count = capacity.div_ceil(GUARANTEED);
        let mut lines = Vec::new();
        lines.try_reserve_exact(count)?;
        lines.resize_with(count, Line::default);
        Ok(Self {
            lines: lines.into_boxed_slice(),
            capacity,
            occupied: AtomicUsize::new(0),
            evictions: AtomicU64::new(0),
            floor: AtomicU64::new(0),
            logs: Logs::default(),
            numbers: OnceLock::new(),
            rates: RwLock::new(Rates::new(rate)),
            since: AtomicU64::new(0),
            changing: Mutex::new(()),
        })
    }

    pub(crate) fn capacity(&self) -> usize {
        self.capacity
    }

    pub(crate) fn bytes(&self) -> usize {
        let registry = ignore_poison(self.rates.read()).registry.bytes();
        let tiers = self.numbers.get().map_or(0, Numbers::bytes) + registry;
        size_of_val(&*self.lines) + self.logs.bytes() + tiers
    }

    pub(crate) fn len(&self) -> usize {
        // Relaxed: a figure for people, ordered with nothing.
        self.occupied.load(Ordering::Relaxed)
    }

    pub(crate) fn evictions(&self) -> u64 {
        // Relaxed: as in `len`.
        self.evictions.load(Ordering::Relaxed)
    }

    /// The stored tag of a hash: any but the one that means "empty".
    #[inline]
    pub(crate) fn tag_of(hash: u64) -> u64 {
        if hash == EMPTY { 1 } else { hash }
    }

    /// The line a key lives in if it can: the hash, scaled to the number of lines. Its upper half decides.
    #[inline]
    fn first_home(&self, tag: u64) -> usize {
        scale(tag, self.lines.len())
    }

    /// The other line it may live in: the lower half of the hash, and never the same line while there are two.
    fn second_home(&self, tag: u64) -> usize {
        let first = self.first_home(tag);
        let second = scale(tag.rotate_left(32), self.lines.len());
        if second != first {
            second
        } else if first + 1 < self.lines.len() {
            first + 1
        } else {
            0
        }
    }

    /// Finds a key. What is returned holds for the guards in it, which the caller still has to confirm.
    fn look(&self, rate: &Rate, tag: u64, now: u64) -> Result<Place, Again> {
        let first = self.first_home(tag);
        let first_guard = self.open(rate, first)?;
        if let Some(slot) = self.lines[first].find(tag) {
            return self.held(rate, (first, slot), first_guard);
        }
        let second = self.second_home(tag);
        let second_guard = self.open(rate, second)?;
        if let Some(slot) = self.lines[second].find(tag) {
            return self.held(rate, (second, slot), second_guard);
        }
        let state = self.absent(rate, tag, now);
        Ok(Place::Absent { first: (first, first_guard), second: (second, second_guard), state })
    }

    /// The state of a key that is in neither line, once their guards are known. `now` is everybody's time.
    #[inline]
    fn absent(&self, rate: &Rate, tag: u64, now: u64) -> Word {
        // Relaxed: stored before the unlocking of a line whose guard was loaded with Acquire.
        let floor = self.floor.load(Ordering::Relaxed);
        match now < floor {
            true => rate.algorithm.word_full_until(rate.time_of(tag, floor)),
            false => Word::default(),
        }
    }

    fn held(&self, rate: &Rate, (line, slot): (usize, usize), guard: Guard) -> Result<Place, Again> {
        if rate.is_tiered() && !self.is_own(rate, line, slot) {
            return Err(Again::Epoch(line));
        }
        Ok(Place::Held { line, slot, guard, state: self.lines[line].state(slot) })
    }

    /// The state of a key, and its log.
    fn found(&self, rate: &Rate, place: &Place) -> (Word, AtomicLog<'_>) {
        match *place {
            Place::Held { line, slot, state, .. } => (state, self.log(rate, line, slot)),
            Place::Absent { state, .. } => (state, no_log()),
        }
    }

    fn open(&self, rate: &Rate, line: usize) -> Result<Guard, Again> {
        let guard = self.lines[line].guard();
        if guard.is_open_in(rate.epoch) {
            Ok(guard)
        } else if guard.is_locked() {
            Err(Again::Busy)
        } else {
            Err(Again::Epoch(line))
        }
    }

    /// Whether nothing moved since the look.
    fn confirm(&self, place: &Place) -> bool {
        match *place {
            Place::Held { line, guard, .. } => self.lines[line].is_still(guard),
            Place::Absent { first, second, .. } => {
                self.lines[first.0].is_still(first.1) && self.lines[second.0].is_still(second.1)
            }
        }
    }

    /// Erases a key. Returns whether it was there.
    pub(crate) fn forget(&self, tag: u64) -> bool {
        let mut backoff = Backoff::default();
        let homes = [self.first_home(tag), self.second_home(tag)];
        loop {
            let guards = homes.map(|home| self.lines[home].guard());
            for (home, guard) in homes.into_iter().zip(guards) {
                let line = &self.lines[home];
                let Some(slot) = line.find(tag) else { continue };
                if line.try_lock(guard) {
                    self.clear_slot(home, slot);
                    line.unlock(guard);
                    // Relaxed: as in `len`.
                    self.occupied.fetch_sub(1, Ordering::Relaxed);
                    return true;
                }
            }
            // In neither line, unless it was on its way from one to the other.
            let found = homes.iter().any(|&home| self.lines[home].find(tag).is_some());
            let still =
                |(home, guard): (usize, Guard)| !guard.is_locked() && self.lines[home].is_still(guard);
            if !found && homes.into_iter().zip(guards).all(still) {
                return false;
            }
            backoff.wait();
        }
    }

    /// Erases all keys, those that come meanwhile excepted.
    pub(crate) fn clear(&self) {
        for (index, line) in self.lines.iter().enumerate() {
            let guard = line.lock(&mut Backoff::default());
            for slot in (0..SLOTS).filter(|&slot| line.tag(slot) != EMPTY) {
                self.clear_slot(index, slot);
                // Relaxed: as in `len`.
                self.occupied.fetch_sub(1, Ordering::Relaxed);
            }
            line.unlock(guard);
        }
    }
}

/// Scales a hash to an index below `count`. The upper bits decide, as many as `count` has.
#[inline]
fn scale(hash: u64, count: usize) -> usize {
    ((u128::from(hash) * count as u128) >> 64) as usize
}

fn ignore_poison<T>(result: Result<T, PoisonError<T>>) -> T {
    // Nothing panics while these locks are held, and what they guard is replaced as a whole.
    result.unwrap_or_else(PoisonError::into_inner)
}
