//! Where a limiter without keys has its state.

use crate::algorithm::{Engine, Word};
use crate::sync::{AtomicU32, AtomicU64, Backoff, Ordering, fence};

/// One state.
///
/// A state that fits 64 bits is swapped as one word. A longer one stands behind a version, by the protocol of a
/// [line](crate::table): read, decide, and write only if the version can still be moved to the next odd number.
#[derive(Debug, Default)]
#[repr(align(64))]
pub(super) struct Cell {
    version: AtomicU32,
    high: AtomicU32,
    low: AtomicU64,
}

/// What has to be unchanged for a state that was read to be the state still.
#[derive(Clone, Copy)]
pub(super) enum Guard {
    Narrow(u64),
    Version(u32),
}

pub(super) type Verdict = (Word, Option<u64>);

impl Cell {
    /// The new state, or the old one and the wait; nothing if somebody was in the way.
    #[inline(always)]
    pub(super) fn attempt<E: Engine>(&self, engine: &E, now: u64, cost: u64) -> Option<Verdict> {
        if E::NARROW { self.attempt_narrow(engine, now, cost) } else { self.attempt_long(engine, now, cost) }
    }

    #[inline(always)]
    fn attempt_narrow<E: Engine>(&self, engine: &E, now: u64, cost: u64) -> Option<Verdict> {
        // Relaxed, here and below: the word is all there is, and what a limiter admits publishes nothing.
        let state = Word { low: self.low.load(Ordering::Relaxed), high: 0 };
        match engine.admit_word(state, now, cost) {
            Ok(next) => self.swap_word(state.low, next.low).then_some((next, None)),
            Err(wait) => Some((state, Some(wait))),
        }
    }

    #[inline(always)]
    fn attempt_long<E: Engine>(&self, engine: &E, now: u64, cost: u64) -> Option<Verdict> {
        // Acquire: the state is read no earlier.
        let version = self.version.load(Ordering::Acquire);
        let state = self.word();
        match engine.admit_word(state, now, cost) {
            Ok(next) => self.try_write(version, next, || ()).then_some((next, None)),
            Err(wait) => self.is_version(version).then_some((state, Some(wait))),
        }
    }

    /// The same, until nobody is in the way.
    #[cold]
    pub(super) fn decide_contended<E: Engine>(&self, engine: &E, now: u64, cost: u64) -> Verdict {
        let mut backoff = Backoff::default();
        // At once first: the lost swap has brought the state here. A pause before it lets the winner get more done where cores
        // are far apart, 20 ns instead of 25, and costs 32 instead of 18 where they share a cache.
        loop {
            if let Some(answer) = self.attempt(engine, now, cost) {
                return answer;
            }
            backoff.wait();
        }
    }

    /// The state, and what to judge by whether it is the state still.
    pub(super) fn guarded(&self, narrow: bool) -> (Guard, Word) {
        if narrow {
            let low = self.low.load(Ordering::Relaxed);
            return (Guard::Narrow(low), Word { low, high: 0 });
        }
        // Acquire: as in `attempt_long`.
        let version = self.version.load(Ordering::Acquire);
        (Guard::Version(version), self.word())
    }

    /// Whether what was read since is what belongs to the guard. A narrow state is all there is to read.
    pub(super) fn is_still(&self, guard: Guard) -> bool {
        match guard {
            Guard::Narrow(_) => true,
            Guard::Version(version) => self.is_version(version),
        }
    }

    /// Writes a state, and what belongs to it, if nothing has moved.
    pub(super) fn write_if(&self, guard: Guard, next: Word, beside: impl FnOnce()) -> bool {
        match guard {
            Guard::Narrow(state) => self.swap_word(state, next.low),
            Guard::Version(version) => self.try_write(version, next, beside),
        }
    }

    #[inline]
    fn swap_word(&self, state: u64, next: u64) -> bool {
        self.low.compare_exchange(state, next, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    #[inline]
    fn try_write(&self, version: u32, state: Word, beside: impl FnOnce()) -> bool {
        // Acquire: sees the last writer's stores. Relaxed on failure: everything is read again.
        let won = version % 2 == 0
            && self
                .version
                .compare_exchange(version, version.wrapping_add(1), Ordering::Acquire, Ordering::Relaxed)
                .is_ok();
        if won {
            fence(Ordering::Release);
            // Relaxed: between the fence above and the Release below.
            self.low.store(state.low, Ordering::Relaxed);
            self.high.store(state.high, Ordering::Relaxed);
            beside();
            self.version.store(version.wrapping_add(2), Ordering::Release);
        }
        won
    }

    #[inline]
    fn word(&self) -> Word {
        // Relaxed: judged by the version.
        Word { low: self.low.load(Ordering::Relaxed), high: self.high.load(Ordering::Relaxed) }
    }

    #[inline]
    fn is_version(&self, version: u32) -> bool {
        fence(Ordering::Acquire);
        // Relaxed: the fence orders it after the reads it judges.
        version % 2 == 0 && self.version.load(Ordering::Relaxed) == version
    }
}
