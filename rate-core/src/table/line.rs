//! One line of the table: six keys and the word that guards them.
//!
//! # Protocol
//!
//! The guard holds a version (upper half) and an epoch (lower half): which quota the states are written in. Epochs are
//! even; the lowest bit is set while a writer is inside.
//!
//! 1. A reader loads the guard, then tags and states, then decides.
//! 2. If the decision changes nothing it loads the guard again: the same version means nothing moved in between. A
//!    denial therefore writes nothing at all, and refusing the same key on many cores never makes them wait.
//! 3. If it changes something it swaps the guard from the version it read to "writer inside". Success proves that
//!    nothing moved since step 1, so what was decided is still right, and the line is locked: one atomic
//!    read-modify-write per admission. The writer stores the state and then the next version.
//!
//! # Orderings
//!
//! This is the sequence lock of Boehm, "Can seqlocks get along with programming language memory models?" (2012).
//!
//! * Reader: the guard is loaded with Acquire, so states are read no earlier; `fence(Acquire)` before the second load
//!   keeps them from being read later.
//! * Writer: the swap is an Acquire, so it sees the last writer's stores; `fence(Release)` after it keeps a reader that
//!   sees a new state from still seeing the old guard; the closing store is a Release that publishes the states.
//!
//! The version has 32 bits. A reader would have to sleep through an exact multiple of 2³² admissions on its own line,
//! over a minute of nothing else, in the few nanoseconds between two loads, to be deceived.

use crate::algorithm::Word;
use crate::sync::{AtomicU32, AtomicU64, Backoff, Ordering, fence, fetch_or, spin_loop};

/// Keys per line. Six tags of 8 bytes, six states of 12 and the guard are exactly two cache lines.
pub(crate) const SLOTS: usize = 6;

/// How often a reader looks whether a writer has left, before it goes the long way: a microsecond or two. Each look
/// multiplies what loom has to try.
const LOOKS: u32 = if cfg!(all(test, loom)) { 1 } else { 100 };

/// The tag of an empty slot.
pub(crate) const EMPTY: u64 = 0;

#[derive(Debug, Default)]
#[repr(C, align(128))]
pub(crate) struct Line {
    guard: AtomicU64,
    tags: [AtomicU64; SLOTS],
    /// The states' lower 64 bits.
    lows: [AtomicU64; SLOTS],
    /// The states' upper 32 bits.
    highs: [AtomicU32; SLOTS],
}

#[cfg(not(all(test, loom)))]
const _: () = assert!(size_of::<Line>() == 128);

/// Which of its quotas a table's states are written in: an even number, beside which a guard has room for its lock. The highest
/// bit says that keys may be written in quotas of their own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Epoch(u32);

impl Epoch {
    /// In lines some of whose keys have quotas of their own.
    const TIERED: u32 = 1 << 31;

    pub(super) fn next(self) -> Self {
        Self(self.0.wrapping_add(2) & !Self::TIERED)
    }

    #[inline]
    pub(super) fn is_tiered(self) -> bool {
        self.0 & Self::TIERED != 0
    }

    pub(super) fn tiered(self) -> Self {
        Self(self.0 | Self::TIERED)
    }

    pub(super) fn untiered(self) -> Self {
        Self(self.0 & !Self::TIERED)
    }
}

/// A guard that was read: a version to return to, and the epoch of the states.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Guard(u64);

impl Guard {
    const WRITER: u64 = 1;
    const VERSION: u64 = 1 << 32;

    #[inline]
    pub(crate) fn is_locked(self) -> bool {
        self.0 & Self::WRITER != 0
    }

    /// Whether no writer is inside and the states are written in the quota of this epoch.
    #[inline]
    pub(crate) fn is_open_in(self, epoch: Epoch) -> bool {
        self.0 as u32 == epoch.0
    }

    #[inline]
    pub(crate) fn epoch(self) -> Epoch {
        Epoch((self.0 & !Self::WRITER) as u32)
    }

    #[inline]
    fn locked(self) -> u64 {
        self.0 | Self::WRITER
    }

    /// The next version. The carry out of the upper half is dropped, which is what a version wants.
    #[inline]
    fn next(self) -> Self {
        Self(self.0.wrapping_add(Self::VERSION))
    }

    fn in_epoch(self, epoch: Epoch) -> Self {
        Self(self.0 & !u64::from(u32::MAX) | u64::from(epoch.0))
    }
}

impl Line {
    #[inline]
    pub(crate) fn guard(&self) -> Guard {
        // Acquire: step 1 of the protocol.
        Guard(self.guard.load(Ordering::Acquire))
    }

    /// The guard of a line that is written in this quota, without a writer inside. One that is gets the time for its few
    /// stores.
    // The loop has a second use. In the innermost loop of a program LLVM makes branches of what `find` selects, which
    // nobody can predict; with this one in it, a loop that checks key after key is not innermost.
    #[inline(always)]
    pub(crate) fn open_in(&self, epoch: Epoch) -> Option<Guard> {
        let mut guard = self.guard();
        if guard.is_open_in(epoch) {
            return Some(guard);
        }
        let mut looks = 0;
        while guard.is_locked() && looks < LOOKS {
            spin_loop();
            guard = self.guard();
            looks += 1;
        }
        guard.is_open_in(epoch).then_some(guard)
    }

    /// Whether everything read since `guard` was loaded belongs to that version.
    #[inline]
    pub(crate) fn is_still(&self, guard: Guard) -> bool {
        fence(Ordering::Acquire);
        // Relaxed: the fence above orders it after the reads it judges.
        self.guard.load(Ordering::Relaxed) == guard.0
    }

    /// Locks the line if nothing moved since `guard` was read.
    #[inline]
    pub(crate) fn try_lock(&self, guard: Guard) -> bool {
        !guard.is_locked() && self.try_lock_open(guard)
    }

    /// Locks the line if nothing moved since `guard` was read, which is known to be open.
    #[inline]
    pub(crate) fn try_lock_open(&self, guard: Guard) -> bool {
        // Relaxed on failure: the caller reads again from the start.
        let result =
            self.guard.compare_exchange(guard.0, guard.locked(), Ordering::Acquire, Ordering::Relaxed);
        if result.is_ok() {
            fence(Ordering::Release);
        }
        result.is_ok()
    }

    /// Locks the line whatever moved, and returns the guard it had.
    pub(crate) fn lock(&self, backoff: &mut Backoff) -> Guard {
        loop {
            // Acquire: as in `try_lock`.
            let guard = Guard(fetch_or(&self.guard, Guard::WRITER, Ordering::Acquire));
            if !guard.is_locked() {
                fence(Ordering::Release);
                return guard;
            }
            backoff.wait();
        }
    }

    /// Starts fetching the second half of the line, where most states are.
    ///
    /// Which state it will be is known only when the tags have arrived. Without this the two cache misses of a cold key
    /// come one after the other instead of together.
    #[inline]
    pub(crate) fn warm(&self) {
        // Relaxed: the value is not used.
        let _ = self.highs[SLOTS - 1].load(Ordering::Relaxed);
    }

    /// Unlocks after a change.
    #[inline]
    pub(crate) fn unlock(&self, guard: Guard) {
        self.guard.store(guard.next().0, Ordering::Release);
    }

    /// Unlocks after a change that wrote all states in another quota.
    #[inline]
    pub(crate) fn unlock_in(&self, guard: Guard, epoch: Epoch) {
        self.guard.store(guard.next().in_epoch(epoch).0, Ordering::Release);
    }

    /// Unlocks without a change: readers that began before the lock stay right.
    #[inline]
    pub(crate) fn release(&self, guard: Guard) {
        self.guard.store(guard.0, Ordering::Release);
    }

    /// The slot that holds `tag`.
    ///
    /// Compares with all and selects, without a branch: which slot it is cannot be predicted, and a wrong guess costs more
    /// than five comparisons.
    #[inline]
    pub(crate) fn find(&self, tag: u64) -> Option<usize> {
        // The first, unless it is another; whether it is the first is looked at last.
        let mut found = 0;
        for (slot, held) in self.tags.iter().enumerate().skip(1) {
            // Relaxed: judged by `is_still` or `try_lock`.
            found = if held.load(Ordering::Relaxed) == tag { slot } else { found };
        }
        (self.tags[found].load(Ordering::Relaxed) == tag).then_some(found)
    }

    /// The first slot that is empty, found in the same way.
    #[inline]
    pub(super) fn find_empty(&self) -> Option<usize> {
        let mut found = SLOTS;
        for (slot, held) in self.tags.iter().enumerate().rev() {
            // Relaxed: as in `find`.
            found = if held.load(Ordering::Relaxed) == EMPTY { slot } else { found };
        }
        (found < SLOTS).then_some(found)
    }

    #[inline]
    pub(crate) fn tag(&self, slot: usize) -> u64 {
        // Relaxed: as in `find`.
        self.tags[slot].load(Ordering::Relaxed)
    }

    /// The lower 64 bits of a state, whose upper 32 are known to be zero.
    #[inline]
    pub(super) fn narrow(&self, slot: usize) -> Word {
        // Relaxed: as in `find`.
        Word { low: self.lows[slot].load(Ordering::Relaxed), high: 0 }
    }

    /// Writes such a state; only while the line is locked.
    #[inline]
    pub(super) fn set_narrow(&self, slot: usize, state: Word) {
        // Relaxed: published by the unlocking store.
        self.lows[slot].store(state.low, Ordering::Relaxed);
    }

    #[inline]
    pub(crate) fn state(&self, slot: usize) -> Word {
        // Relaxed: as in `find`.
        Word { low: self.lows[slot].load(Ordering::Relaxed), high: self.highs[slot].load(Ordering::Relaxed) }
    }

    /// Writes a state; only while the line is locked.
    #[inline]
    pub(crate) fn set_state(&self, slot: usize, state: Word) {
        // Relaxed: published by the unlocking store.
        self.lows[slot].store(state.low, Ordering::Relaxed);
        self.highs[slot].store(state.high, Ordering::Relaxed);
    }

    /// Writes a key with its state; only while the line is locked.
    #[inline]
    pub(crate) fn set(&self, slot: usize, tag: u64, state: Word) {
        // Relaxed: as in `set_state`.
        self.tags[slot].store(tag, Ordering::Relaxed);
        self.set_state(slot, state);
    }
}
