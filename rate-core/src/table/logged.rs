//! A limit with a log as one of two on a request.

use super::Ask;
use super::pair::{Found, Half, Side};
use crate::algorithm::{Entries, LogCount, SlidingLog, Standing, Word};
use crate::kept::AtomicLog;

pub(super) struct Logged<'e> {
    pub(super) algorithm: &'e SlidingLog,
    pub(super) now: u64,
}

/// The log of a key, and what was decided on it.
pub(super) struct Log<'a> {
    /// Nothing where its header was enough to refuse.
    read: Option<(Entries<AtomicLog<'a>>, LogCount)>,
    /// What is left once the units are taken, or anyway if they are refused.
    left: Standing,
}

impl<'a> Side<'a> for Logged<'_> {
    type Read = Log<'a>;

    #[inline(always)]
    fn look(&self, ask: &Ask<'a>, place: &Found<'a>) -> Option<(Log<'a>, Result<Word, u64>)> {
        let logs = ask.table.logs.known(self.algorithm)?;
        let header = logs.header(place.index, place.slot);
        if let Some((wait, left)) = self.algorithm.refused(header, self.now, ask.cost) {
            return Some((Log { read: None, left }, Err(wait)));
        }
        let entries = Entries::read(logs.get(place.index, place.slot));
        // An empty one may have no ring, and the key not be fresh all the same; and nothing is written for nothing.
        if ask.cost == 0 || entries.is_empty() {
            return None;
        }
        let taken = self.algorithm.take(&entries, self.now, ask.cost);
        let next = Word { low: self.now.saturating_add(taken.left.reset_after), high: 0 };
        let answer = taken.wait.map_or(Ok(next), Err);
        Some((Log { read: Some((entries, taken.count)), left: taken.left }, answer))
    }

    #[inline(always)]
    fn write(&self, ask: &Ask<'a>, place: &Found<'a>, log: &mut Log<'a>, next: Word) {
        place.line.set_narrow(place.slot, next);
        if let Some((entries, count)) = &mut log.read {
            entries.push_to(*count, self.algorithm.period(), self.now, ask.cost);
        }
    }

    #[inline(always)]
    fn changed(&self, log: &Log<'a>, next: Word) -> Half {
        Half { state: next, wait: None, left: Some(log.left) }
    }

    #[inline(always)]
    fn unchanged(&self, log: &Log<'a>, wait: Option<u64>) -> Half {
        let left = match (wait, &log.read) {
            (None, Some((entries, count))) => self.algorithm.left_of(entries, *count, self.now),
            _ => log.left,
        };
        // Not asked for: what is left says it all.
        Half { state: Word::default(), wait, left: Some(left) }
    }
}
