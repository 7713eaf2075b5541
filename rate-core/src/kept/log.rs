//! A log in the memory of a limiter.

use alloc::boxed::Box;

use crate::algorithm::{LOG_HEADER, Ring, RingMut, ring_of};
use crate::sync::{AtomicU64, Ordering};

/// A log, wherever a limiter has it.
// Relaxed, all of it: what is read is judged by the guard of the state it belongs to, and what is written is published by
// unlocking that.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AtomicLog<'a> {
    pub(crate) header: &'a [AtomicU64; LOG_HEADER],
    /// Empty until something is written down.
    pub(crate) ring: &'a [AtomicU64],
}

/// A header as it is.
#[inline(always)]
pub(crate) fn read(header: &[AtomicU64; LOG_HEADER]) -> [u64; LOG_HEADER] {
    header.each_ref().map(|word| word.load(Ordering::Relaxed))
}

/// Room for so many units.
pub(crate) fn ring(units: usize) -> Box<[AtomicU64]> {
    (0..ring_of(units)).map(|_| AtomicU64::new(0)).collect()
}

/// What a key has that has no log yet.
pub(crate) fn no_log() -> AtomicLog<'static> {
    #[cfg(not(all(test, loom)))]
    {
        static NONE: [AtomicU64; LOG_HEADER] = [const { AtomicU64::new(0) }; LOG_HEADER];
        AtomicLog { header: &NONE, ring: &[] }
    }
    // Loom's atomics belong to one run of a model.
    #[cfg(all(test, loom))]
    AtomicLog { header: Box::leak(Box::new([0; LOG_HEADER].map(AtomicU64::new))), ring: &[] }
}

impl AtomicLog<'_> {
    /// Forgets everything.
    pub(crate) fn clear(&self) {
        self.header.iter().for_each(|word| word.store(0, Ordering::Relaxed));
    }
}

impl Ring for AtomicLog<'_> {
    #[inline(always)]
    fn capacity(&self) -> usize {
        self.ring.len()
    }

    #[inline(always)]
    fn header(&self) -> [u64; LOG_HEADER] {
        read(self.header)
    }

    #[inline(always)]
    fn instant(&self, place: usize) -> u64 {
        self.ring.get(place).map_or(0, |instant| instant.load(Ordering::Relaxed))
    }
}

impl RingMut for AtomicLog<'_> {
    #[inline(always)]
    fn set_header(&mut self, header: [u64; LOG_HEADER]) {
        for (word, value) in self.header.iter().zip(header) {
            word.store(value, Ordering::Relaxed);
        }
    }

    #[inline(always)]
    fn set_instant(&mut self, place: usize, instant: u64) {
        self.ring[place].store(instant, Ordering::Relaxed);
    }
}
