//! The atomics this crate uses, swapped for loom's when its own models run.
//!
//! Only `cfg(all(test, loom))` swaps them: a user who builds with `--cfg loom` for another crate gets the real ones.

#[cfg(not(all(test, loom)))]
pub(crate) use core::{
    hint::spin_loop,
    sync::atomic::{AtomicU32, AtomicU64, Ordering, fence},
};
#[cfg(all(feature = "std", not(all(test, loom))))]
pub(crate) use std::sync::{Mutex, RwLock, atomic::AtomicUsize};

#[cfg(all(test, loom))]
pub(crate) use loom::{
    hint::spin_loop,
    sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering, fence},
    sync::{Mutex, RwLock},
};

/// Sets `bits` and returns what was there before.
#[cfg(not(all(test, loom)))]
#[inline(always)]
pub(crate) fn fetch_or(word: &AtomicU64, bits: u64, order: Ordering) -> u64 {
    word.fetch_or(bits, order)
}

/// The same, without a write that changes nothing: loom does not know that such a write comes right after what it read,
/// and lets it overwrite the unlocking that it raced with.
#[cfg(all(test, loom))]
pub(crate) fn fetch_or(word: &AtomicU64, bits: u64, order: Ordering) -> u64 {
    let mut before = word.load(order);
    while before & bits != bits {
        // Relaxed on failure: a lock that somebody else got is only waited for.
        match word.compare_exchange(before, before | bits, order, Ordering::Relaxed) {
            Ok(_) => break,
            Err(other) => before = other,
        }
    }
    before
}

/// Waits a little longer after each lost race, and gives the processor away once waiting is not cheap any more.
///
/// The exclusive section this waits for is a handful of stores, so a waiter normally spins once or twice. Long pauses
/// matter on a contended key: the winner then decides several times while the line stays in its cache.
#[derive(Debug, Default)]
pub(crate) struct Backoff {
    step: u32,
}

impl Backoff {
    const SPIN_STEPS: u32 = 8;

    /// For a key that others are known to be busy with: begins with a pause in which they get something done.
    pub(crate) fn contended() -> Self {
        Self { step: 4 }
    }

    #[cold]
    pub(crate) fn wait(&mut self) {
        if cfg!(all(test, loom)) || self.step > Self::SPIN_STEPS {
            #[cfg(all(test, loom))]
            loom::thread::yield_now();
            // The holder may have been descheduled inside its section: let it run.
            #[cfg(all(feature = "std", not(all(test, loom))))]
            std::thread::yield_now();
            #[cfg(not(feature = "std"))]
            (0..1_u32 << Self::SPIN_STEPS).for_each(|_| spin_loop());
            return;
        }
        for _ in 0..1_u32 << self.step {
            spin_loop();
        }
        self.step += 1;
    }
}

#[cfg(all(test, loom))]
pub(crate) mod tests;
