//! The log of a key's admissions: a ring of instants, each with the units taken until then.
//!
//! Units are kept as running totals, so what was taken since an instant is one subtraction, however many admissions lie
//! between, and what has expired needs no walk: the place where the live ones begin is searched for.
//!
//! ```text
//! word 0    head and number of entries
//! word 1    total before the first entry
//! word 2…   instant and total of each
//! ```

use core::fmt;

use super::{NEVER, Standing};

/// Where a log is kept: in a state of its own, or among the atomics of a limiter.
pub(crate) trait Ring {
    fn words(&self) -> usize;
    fn load(&self, word: usize) -> u64;
    fn store(&mut self, word: usize, value: u64);
}

/// Words before the entries.
const HEADER: usize = 2;

/// Words that a log of so many entries takes.
pub(crate) const fn words(entries: usize) -> usize {
    HEADER + 2 * entries
}

/// A log and what is read of it often.
pub(crate) struct Entries<R> {
    ring: R,
    head: usize,
    len: usize,
    capacity: usize,
}

#[derive(Clone, Copy)]
struct Entry {
    time: u64,
    /// Units taken up to and with this one.
    total: u64,
}

impl<R: Ring> Entries<R> {
    #[inline]
    pub(crate) fn read(ring: R) -> Self {
        let header = ring.load(0);
        let capacity = (ring.words() - HEADER) / 2;
        // Within the ring even if the header is read while it is written.
        let (head, len) = ((header >> 32) as usize, header as u32 as usize);
        Self { head: head.min(capacity - 1), len: len.min(capacity), ring, capacity }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    #[inline]
    fn place(&self, index: usize) -> usize {
        let place = self.head + index;
        HEADER + 2 * if place < self.capacity { place } else { place - self.capacity }
    }

    #[inline]
    fn get(&self, index: usize) -> Entry {
        let place = self.place(index);
        Entry { time: self.ring.load(place), total: self.ring.load(place + 1) }
    }

    fn set(&mut self, index: usize, entry: Entry) {
        let place = self.place(index);
        self.ring.store(place, entry.time);
        self.ring.store(place + 1, entry.total);
    }

    fn set_range(&mut self, head: usize, len: usize) {
        (self.head, self.len) = (head, len);
        self.ring.store(0, (head as u64) << 32 | len as u64);
    }

    #[inline]
    fn newest(&self) -> Option<Entry> {
        self.len.checked_sub(1).map(|last| self.get(last))
    }

    /// The total before the entry at `index`.
    #[inline]
    fn before(&self, index: usize) -> u64 {
        match index.checked_sub(1) {
            Some(index) => self.get(index).total,
            None => self.ring.load(1),
        }
    }

    /// The first index from `start` on that is not `skipped`, which holds up to some index and not from there on. The nearer,
    /// the cheaper.
    #[inline]
    fn first(&self, start: usize, skipped: impl Fn(Entry) -> bool) -> usize {
        let (mut low, mut step) = (start, 1);
        let mut high = self.len;
        while low < high {
            let probe = low + step - 1;
            if probe >= high {
                break;
            }
            if skipped(self.get(probe)) {
                low = probe + 1;
                step *= 2;
            } else {
                high = probe;
                break;
            }
        }
        while low < high {
            let middle = low + (high - low) / 2;
            if skipped(self.get(middle)) { low = middle + 1 } else { high = middle }
        }
        low
    }

    /// The first entry that still counts at `now`, in windows of `period`.
    #[inline]
    fn live(&self, period: u64, now: u64) -> usize {
        match now.checked_sub(period) {
            Some(expired) => self.first(0, |entry| entry.time <= expired),
            None => 0,
        }
    }

    /// Units that count from the entry `live` on.
    #[inline]
    fn used(&self, live: usize) -> u64 {
        self.newest().map_or(0, |newest| newest.total.wrapping_sub(self.before(live)))
    }

    /// Whether `cost` units, from 1 to `limit`, fit at `now`.
    ///
    /// # Errors
    ///
    /// The wait until they do.
    #[inline]
    pub(crate) fn admit(&self, limit: u64, period: u64, now: u64, cost: u64) -> Result<(), u64> {
        let live = self.live(period, now);
        let used = self.used(live);
        // What is charged counts until a period after the newest instant, and that has to be an instant too.
        let newest = self.newest().map_or(now, |newest| newest.time.max(now));
        if newest.checked_add(period).is_none() {
            return Err(NEVER);
        }
        if used.checked_add(cost).is_some_and(|used| used <= limit) {
            return Ok(());
        }
        // The entry with which enough has expired.
        let enough = self.before(live).wrapping_add(used.wrapping_add(cost).wrapping_sub(limit));
        let before = self.before(live);
        let needed = enough.wrapping_sub(before);
        let last = self.first(live, |entry| entry.total.wrapping_sub(before) < needed);
        if last >= self.len {
            return Err(NEVER);
        }
        let expiry = self.get(last).time.checked_add(period);
        // And then there has to be a period left, as above.
        let expiry = expiry.filter(|expiry| expiry.checked_add(period).is_some());
        Err(expiry.map_or(NEVER, |expiry| expiry.saturating_sub(now)))
    }

    pub(crate) fn standing(&self, limit: u64, period: u64, now: u64) -> Standing {
        let used = self.used(self.live(period, now));
        let reset_after = if used == 0 { 0 } else { self.fresh_from(period).saturating_sub(now) };
        Standing { remaining: limit.saturating_sub(used), reset_after }
    }

    pub(crate) fn fresh_from(&self, period: u64) -> u64 {
        self.newest().map_or(0, |newest| newest.time.saturating_add(period))
    }

    /// Writes down `units` at `now`, or at the newest instant if that is later.
    ///
    /// What has expired is dropped. When the ring is full all the same, because the limit was raised since it was made, the
    /// newest entry moves up: its units then count longer than they have to.
    pub(crate) fn push(&mut self, period: u64, now: u64, units: u64) {
        let total =
            self.newest().map_or_else(|| self.ring.load(1), |newest| newest.total).wrapping_add(units);
        let newest = self.newest().map_or(now, |newest| newest.time.max(now));
        let live = self.live(period, now);
        if live > 0 {
            let base = self.before(live);
            self.ring.store(1, base);
            let head = self.head + live;
            self.set_range(if head < self.capacity { head } else { head - self.capacity }, self.len - live);
        }
        let same = self.newest().is_some_and(|entry| entry.time == newest);
        if !same && self.len < self.capacity {
            self.set_range(self.head, self.len + 1);
        }
        self.set(self.len - 1, Entry { time: newest, total });
    }

    /// How many of `units` that were written down since the tick `at` still count.
    pub(crate) fn refundable(&self, period: u64, at: u64, units: u64, now: u64) -> u64 {
        self.used(self.since(period, at, now)).min(units)
    }

    /// The first entry from the tick `at` on, if what was taken then still counts.
    fn since(&self, period: u64, at: u64, now: u64) -> usize {
        if now.checked_sub(period).is_some_and(|expired| at <= expired) {
            // It has come back by itself. What is later was taken by others.
            return self.len;
        }
        self.first(self.live(period, now), |entry| entry.time < at)
    }

    /// Takes back up to `units` of what was written down since the tick `at` and still counts. Returns how many.
    ///
    /// From the earliest on: what is left then counts longest.
    pub(crate) fn refund(&mut self, period: u64, at: u64, units: u64, now: u64) -> u64 {
        let start = self.since(period, at, now);
        let before = self.before(start);
        let refunded = self.used(start).min(units);
        let mut kept = start;
        for index in start..self.len {
            let entry = self.get(index);
            let left = entry.total.wrapping_sub(before).saturating_sub(refunded);
            if left > 0 {
                self.set(kept, Entry { total: before.wrapping_add(left), ..entry });
                kept += 1;
            }
        }
        // Entries of nothing would take the room of units to come.
        self.set_range(self.head, kept);
        refunded
    }

    /// Everything taken until a period after `time`.
    pub(crate) fn fill(&mut self, limit: u64, time: u64) {
        let time = self.newest().map_or(time, |newest| newest.time.max(time));
        self.clear();
        self.set_range(0, 1);
        self.ring.store(1, 0);
        self.set(0, Entry { time, total: limit });
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        self.set_range(0, 0);
        self.ring.store(1, 0);
    }
}

/// What a key was admitted, and when.
///
/// As long as the limit allows: 16 bytes for each admission of the last period.
#[derive(Clone)]
pub struct Log(alloc::vec::Vec<u64>);

impl Log {
    pub(super) fn new(entries: usize) -> Self {
        Self(alloc::vec![0; words(entries)])
    }

    pub(super) fn entries(&mut self) -> Entries<&mut Self> {
        Entries::read(self)
    }

    /// Each instant at which units were taken, and how many.
    pub fn iter(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        let entries = Entries::read(self);
        (0..entries.len).map(move |index| {
            let entry = entries.get(index);
            (entry.time, entry.total.wrapping_sub(entries.before(index)))
        })
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
    fn words(&self) -> usize {
        self.0.len()
    }

    fn load(&self, word: usize) -> u64 {
        self.0[word]
    }

    fn store(&mut self, _: usize, _: u64) {
        unreachable!("a log that is only read");
    }
}

impl Ring for &mut Log {
    fn words(&self) -> usize {
        self.0.len()
    }

    fn load(&self, word: usize) -> u64 {
        self.0[word]
    }

    fn store(&mut self, word: usize, value: u64) {
        self.0[word] = value;
    }
}

#[cfg(test)]
mod tests;
