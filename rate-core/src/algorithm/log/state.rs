//! A log as a state of its own.

use alloc::vec::Vec;
use core::fmt;

use super::{Entries, HEADER, Header, Ring, RingMut, ring_of};

/// What a key was admitted, and when.
///
/// As long as the limit allows: 8 bytes for each unit of it, rounded up to a power of two of them.
#[derive(Clone)]
pub struct Log {
    header: [u64; HEADER],
    ring: Vec<u64>,
}

impl Log {
    pub(in crate::algorithm) fn new(units: usize) -> Self {
        Self { header: [0; HEADER], ring: alloc::vec![0; ring_of(units)] }
    }

    /// The same with room for so many units: a limit that was raised has more than the log was made for.
    pub(in crate::algorithm) fn with_room(self, units: usize) -> Self {
        if self.ring.len() >= ring_of(units) {
            return self;
        }
        let (old, mut new) = (Entries::read(&self), Self::new(units));
        for index in 0..old.header.len {
            new.ring[index] = self.ring[old.place(index)];
        }
        new.header = Header { head: 0, ..old.header }.pack();
        new
    }

    pub(in crate::algorithm) fn entries(&mut self) -> Entries<&mut Self> {
        Entries::read(self)
    }

    /// Each instant at which units expire, a period after they were taken, and how many; and the latest there was, even if all its
    /// units were given back.
    pub fn iter(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        let entries = Entries::read(self);
        let Header { len, units, last, newest, .. } = entries.header;
        let mut next = 0;
        let taken = core::iter::from_fn(move || {
            let instant = (next < len).then(|| entries.get(next))?;
            let start = next;
            next = entries.first(start, |later| later <= instant);
            // All of a penalty are one.
            Some((instant, if units > len as u64 { units } else { (next - start) as u64 }))
        });
        taken.chain((newest > last).then_some((newest, 0)))
    }

    #[cfg(test)]
    pub(super) fn set_range(&mut self, range: u64) {
        self.header[0] = range;
    }
}

/// What is in them, not where in the ring it is.
impl PartialEq for Log {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl Ring for &Log {
    fn capacity(&self) -> usize {
        self.ring.len()
    }

    fn header(&self) -> [u64; HEADER] {
        self.header
    }

    fn instant(&self, place: usize) -> u64 {
        self.ring.get(place).map_or(0, |instant| *instant)
    }
}

impl Ring for &mut Log {
    fn capacity(&self) -> usize {
        Ring::capacity(&&**self)
    }

    fn header(&self) -> [u64; HEADER] {
        Ring::header(&&**self)
    }

    fn instant(&self, place: usize) -> u64 {
        Ring::instant(&&**self, place)
    }
}

impl RingMut for &mut Log {
    fn set_header(&mut self, header: [u64; HEADER]) {
        self.header = header;
    }

    fn set_instant(&mut self, place: usize, instant: u64) {
        self.ring[place] = instant;
    }
}
