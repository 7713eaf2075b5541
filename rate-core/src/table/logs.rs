//! The logs beside the slots of a table, where the algorithm keeps any.
//!
//! A slot's log is guarded by the slot's line as the state is. Its header is there from the first request on; its ring is
//! allocated when the first key comes to it, and stays with the slot. There are as many as there are slots, so memory is bounded
//! from the start, and used as keys come.
//!
//! Rings come in sizes. A limit that is raised, and needs larger ones, begins them anew: a key's log moves when its line is
//! rewritten in the new limit. Only the logs of the size that a line is written in have anything in them.

use std::sync::OnceLock;

use super::line::SLOTS;
use crate::algorithm::{Entries, LOG_HEADER, SlidingLog, ring_of};
use crate::kept::{AtomicLog, log_header, ring};
use crate::sync::AtomicU64;

/// Rings of 1, 2, 4 and so on up to the largest limit.
const SIZES: usize = SlidingLog::MAX_LIMIT.ilog2() as usize + 1;

#[derive(Debug, Default)]
pub(super) struct Logs([OnceLock<Logbook>; SIZES]);

/// The logs of one size.
#[derive(Debug)]
pub(super) struct Logbook {
    /// Places in each ring.
    size: usize,
    /// By slot, and apart from the rings: these are all that a refusal looks at.
    headers: Box<[Header]>,
    rings: Box<[OnceLock<Box<[AtomicU64]>>]>,
}

/// Half a cache line, and never two halves of two.
#[derive(Debug)]
#[repr(align(32))]
struct Header([AtomicU64; LOG_HEADER]);

/// Bytes that a slot takes beside which there is a log of so many units.
pub(crate) const fn log_bytes(units: usize) -> usize {
    size_of::<Header>() + size_of::<OnceLock<Box<[AtomicU64]>>>() + ring_of(units) * size_of::<AtomicU64>()
}

impl Logs {
    /// The logs for this algorithm, beside each slot of so many lines.
    pub(super) fn of(&self, algorithm: &SlidingLog, lines: usize) -> &Logbook {
        self.0[algorithm.size() as usize].get_or_init(|| Logbook::new(1 << algorithm.size(), lines))
    }

    /// The same, if a key has ever been in one of them.
    #[inline(always)]
    pub(super) fn known(&self, algorithm: &SlidingLog) -> Option<&Logbook> {
        self.0.get(algorithm.size() as usize)?.get()
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Logbook> {
        self.0.iter().filter_map(OnceLock::get)
    }

    /// Forgets whatever is beside a slot.
    pub(super) fn clear(&self, line: usize, slot: usize) {
        self.all().for_each(|logs| logs.get(line, slot).clear());
    }

    /// Bytes that are taken by now.
    pub(super) fn bytes(&self) -> usize {
        self.all().map(Logbook::bytes).sum()
    }
}

impl Logbook {
    fn new(size: usize, lines: usize) -> Self {
        let slots = 0..lines * SLOTS;
        let header = |_| Header([0; LOG_HEADER].map(AtomicU64::new));
        let headers = slots.clone().map(header).collect();
        Self { size, headers, rings: slots.map(|_| OnceLock::new()).collect() }
    }

    /// The header of a slot's log.
    #[inline(always)]
    pub(super) fn header(&self, line: usize, slot: usize) -> [u64; LOG_HEADER] {
        log_header(&self.headers[line * SLOTS + slot].0)
    }

    /// The log of a slot as it is, which may have no ring yet.
    #[inline(always)]
    pub(super) fn get(&self, line: usize, slot: usize) -> AtomicLog<'_> {
        let slot = line * SLOTS + slot;
        let ring = self.rings[slot].get().map_or(&[][..], |ring| ring);
        AtomicLog { header: &self.headers[slot].0, ring }
    }

    /// The log of a slot, to be written.
    pub(super) fn of(&self, line: usize, slot: usize) -> AtomicLog<'_> {
        let slot = line * SLOTS + slot;
        let ring = self.rings[slot].get_or_init(|| ring(self.size));
        AtomicLog { header: &self.headers[slot].0, ring }
    }

    /// Copies a log to another slot.
    pub(super) fn copy(&self, from: (usize, usize), to: (usize, usize)) {
        let source = Entries::read(self.get(from.0, from.1));
        if source.is_new() {
            // Of somebody who is counted otherwise: no ring for that.
            self.get(to.0, to.1).clear();
        } else {
            source.copy_to(&mut self.of(to.0, to.1));
        }
    }

    fn bytes(&self) -> usize {
        let rings = self.rings.iter().filter(|ring| ring.get().is_some()).count();
        let slots = size_of_val(&*self.headers) + size_of_val(&*self.rings);
        slots + rings * self.size * size_of::<AtomicU64>()
    }
}
