//! The logs beside the slots of a table, where the algorithm keeps any.
//!
//! A slot's log is allocated when the first key comes to it, stays with the slot, and is guarded by the slot's line as the
//! state is. There are as many as there are slots, so memory is bounded from the start, and used as keys come.

use std::sync::OnceLock;

use super::line::SLOTS;
use crate::algorithm::log_words;
use crate::kept::AtomicLog;
use crate::sync::AtomicU64;

#[derive(Debug)]
pub(super) struct Logs {
    entries: usize,
    slots: Box<[OnceLock<Box<AtomicLog>>]>,
}

impl Logs {
    /// Room for a log of so many entries beside each slot of so many lines.
    pub(super) fn new(entries: usize, lines: usize) -> Self {
        Self { entries, slots: (0..lines * SLOTS).map(|_| OnceLock::new()).collect() }
    }

    /// The log of a slot, if a key has ever been there.
    pub(super) fn get(&self, line: usize, slot: usize) -> Option<&AtomicLog> {
        self.slots[line * SLOTS + slot].get().map(|log| &**log)
    }

    /// The log of a slot.
    pub(super) fn of(&self, line: usize, slot: usize) -> &AtomicLog {
        self.slots[line * SLOTS + slot]
            .get_or_init(|| (0..log_words(self.entries)).map(|_| AtomicU64::new(0)).collect())
    }

    /// Bytes that are taken by now.
    pub(super) fn bytes(&self) -> usize {
        let used = self.slots.iter().filter(|log| log.get().is_some()).count();
        size_of_val(&*self.slots) + used * log_words(self.entries) * size_of::<AtomicU64>()
    }
}
