//! How long somebody waits behind others, on a state as the limiters keep it.

use super::run::absent_until;
use super::{AtomicLog, Operation};
use crate::algorithm::{Algorithm, AnyAlgorithm, Behind, Entries, NEVER, Packed, Word};

impl AnyAlgorithm {
    /// What `cost` units have to wait that are taken after `ahead` others; nothing if there is nothing to wait for.
    pub(crate) fn wait(
        &self,
        word: Word,
        log: AtomicLog<'_>,
        now: u64,
        ahead: u64,
        cost: u64,
    ) -> Option<u64> {
        // As long as if nobody were before them, at least: all of them have to be there at once.
        let alone = self.run(word, log, now, Operation::Take(cost)).result.err();
        let behind = if ahead > 0 { self.wait_behind(word, log, now, ahead, cost) } else { 0 };
        alone.max((behind > 0).then_some(behind))
    }

    /// Ticks until `cost` units could be taken at the earliest, if before them `ahead` others are taken as early as they
    /// can; zero if now, [`NEVER`] if at no time.
    fn wait_behind(&self, word: Word, log: AtomicLog<'_>, now: u64, ahead: u64, cost: u64) -> u64 {
        if cost > self.capacity() {
            return NEVER;
        }
        if cost == 0 {
            return 0;
        }
        match self {
            Self::Gcra(gcra) => gcra.wait_behind(gcra.unpack(word), now, ahead, cost),
            Self::LeakyBucket(bucket) => bucket.wait_behind(bucket.unpack(word), now, ahead, cost),
            Self::FixedWindow(window) => window.wait_behind(window.unpack(word), now, ahead, cost),
            Self::CalendarWindow(window) => window.wait_behind(window.unpack(word), now, ahead, cost),
            Self::SlidingWindow(window) => window.wait_behind(window.unpack(word), now, ahead, cost),
            Self::SlidingLog(algorithm) => {
                let entries = Entries::read(log);
                let absent = absent_until(word, &entries, now);
                let alone = |units| match absent {
                    0 => algorithm.fits(&entries, now, units).err().unwrap_or(0),
                    absent => absent,
                };
                algorithm.wait_behind(alone, ahead, cost)
            }
        }
    }
}
