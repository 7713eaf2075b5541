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

/// What became of a request.
#[derive(Clone, Copy)]
pub(crate) struct Answer {
    /// What is left after it.
    pub(crate) left: Standing,
    /// The wait if it was refused.
    pub(crate) wait: Option<u64>,
    /// What was found.
    pub(crate) count: Count,
}

/// What counts at an instant.
#[derive(Clone, Copy)]
pub(crate) struct Count {
    /// The first entry that does.
    live: usize,
    /// The total before it.
    before: u64,
    /// The total of all.
    total: u64,
    /// The instant of the last one.
    newest: u64,
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

    /// The newest instant that is written down.
    pub(crate) fn newest_instant(&self) -> u64 {
        self.newest().map_or(0, |newest| newest.time)
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
    #[inline(always)]
    fn first(&self, start: usize, skipped: impl Fn(Entry) -> bool) -> usize {
        // Where nearly all searches end: what has expired was dropped when the last unit was written down.
        if start >= self.len || !skipped(self.get(start)) { start } else { self.first_after(start, skipped) }
    }

    /// As `first`, where the entry at `start` is skipped: looks twice as far each time, and then between.
    #[inline]
    fn first_after(&self, start: usize, skipped: impl Fn(Entry) -> bool) -> usize {
        let (mut low, mut high, mut step) = (start + 1, self.len, 1);
        while low + step <= high {
            if !skipped(self.get(low + step - 1)) {
                high = low + step - 1;
                break;
            }
            low += step;
            step *= 2;
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

    /// What counts at `now`.
    #[inline(always)]
    fn count(&self, period: u64, now: u64) -> Count {
        let live = self.live(period, now);
        let before = self.before(live);
        match self.newest() {
            Some(newest) => Count { live, before, total: newest.total, newest: newest.time },
            None => Count { live, before, total: before, newest: 0 },
        }
    }

    /// Whether `cost` units, from 1 to `limit`, fit at `now`, and what is left after that.
    #[inline]
    pub(crate) fn take(&self, limit: u64, period: u64, now: u64, cost: u64) -> Answer {
        let count = self.count(period, now);
        let used = count.total.wrapping_sub(count.before);
        // What is charged counts until a period after the newest instant, and that has to be an instant too.
        let fresh_from = count.newest.max(now).checked_add(period);
        match (used.checked_add(cost), fresh_from) {
            (Some(used), Some(fresh_from)) if used <= limit => {
                let left = Standing { remaining: limit - used, reset_after: fresh_from - now };
                Answer { left, wait: None, count }
            }
            (_, fresh_from) => {
                let needed = used.wrapping_add(cost).wrapping_sub(limit);
                let wait = fresh_from.map_or(NEVER, |_| self.wait(period, now, count.live, needed));
                Answer { left: self.left(count, limit, period, now), wait: Some(wait), count }
            }
        }
    }

    /// Ticks until `needed` of the units that count from the entry `live` on have expired.
    #[inline]
    fn wait(&self, period: u64, now: u64, live: usize, needed: u64) -> u64 {
        let before = self.before(live);
        let last = self.first(live, |entry| entry.total.wrapping_sub(before) < needed);
        if last >= self.len {
            return NEVER;
        }
        // And then there has to be a period left for what is charged.
        let expiry = self.get(last).time.checked_add(period);
        let expiry = expiry.filter(|expiry| expiry.checked_add(period).is_some());
        expiry.map_or(NEVER, |expiry| expiry.saturating_sub(now))
    }

    pub(crate) fn standing(&self, limit: u64, period: u64, now: u64) -> Standing {
        self.left(self.count(period, now), limit, period, now)
    }

    #[inline]
    pub(super) fn left(&self, count: Count, limit: u64, period: u64, now: u64) -> Standing {
        let used = count.total.wrapping_sub(count.before);
        let reset_after = if used == 0 { 0 } else { self.fresh_from(period).saturating_sub(now) };
        Standing { remaining: limit.saturating_sub(used), reset_after }
    }

    /// The first tick at which nothing counts any more.
    #[inline]
    pub(crate) fn fresh_from(&self, period: u64) -> u64 {
        self.fresh_from_before(period, self.len)
    }

    /// The same if nothing were written down from the entry `end` on.
    #[inline]
    fn fresh_from_before(&self, period: u64, mut end: usize) -> u64 {
        while let Some(last) = end.checked_sub(1) {
            if !self.is_void(last) {
                return self.get(last).time.saturating_add(period);
            }
            end = last;
        }
        0
    }

    /// Whether all units of an entry were given back.
    #[inline]
    fn is_void(&self, index: usize) -> bool {
        self.get(index).total == self.before(index)
    }

    /// Writes down `units` at `now`, or at the newest instant if that is later.
    ///
    /// What has expired is dropped, and when the ring is full what is void too. When it is full all the same, because the limit
    /// was raised since it was made, the newest entry moves up: its units then count longer than they have to.
    pub(crate) fn push(&mut self, period: u64, now: u64, units: u64) {
        self.push_to(self.count(period, now), now, units);
    }

    /// As [`push`](Self::push), with what is known to count at `now`.
    #[inline]
    pub(crate) fn push_to(&mut self, count: Count, now: u64, units: u64) {
        let Count { live, before, total, newest } = count;
        let (time, mut kept) = (newest.max(now), self.len - live);
        if kept == self.capacity && time != newest {
            self.drop_void(false);
            kept = self.len;
        }
        let is_new = kept == 0 || time != newest && kept < self.capacity;
        if live > 0 {
            self.ring.store(1, before);
        }
        if live > 0 || is_new {
            let head = self.head + live;
            let head = if head < self.capacity { head } else { head - self.capacity };
            self.set_range(head, kept + usize::from(is_new));
        }
        self.set(self.len - 1, Entry { time, total: total.wrapping_add(units) });
    }

    /// How many of `units` that were written down since the tick `at` still count, and the first tick at which the log is as
    /// good as new once they are taken back.
    pub(crate) fn refundable(&self, period: u64, at: u64, units: u64, now: u64) -> (u64, u64) {
        let start = self.since(period, at, now);
        let used = self.used(start);
        let end = if units < used { self.len } else { start };
        (units.min(used), self.fresh_from_before(period, end))
    }

    /// The first entry from the tick `at` on that still counts; none once what was taken at `at` does not.
    fn since(&self, period: u64, at: u64, now: u64) -> usize {
        // A refund that comes late finds no charge that was dropped since: what is there from `at` on is others'.
        let now = self.newest().map_or(now, |newest| newest.time.max(now));
        if now.saturating_sub(at) >= period {
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
        for index in start..self.len {
            let entry = self.get(index);
            let left = entry.total.wrapping_sub(before).saturating_sub(refunded);
            self.set(index, Entry { total: before.wrapping_add(left), ..entry });
        }
        // The newest instant stays: late requests count as made at it.
        self.drop_void(true);
        refunded
    }

    /// Drops entries whose units were given back, which would take the place of others to come; but not the newest, if that is
    /// to stay.
    #[cold]
    fn drop_void(&mut self, newest_stays: bool) {
        let mut kept = 0;
        for index in 0..self.len {
            let entry = self.get(index);
            if entry.total != self.before(kept) || newest_stays && index + 1 == self.len {
                self.set(kept, entry);
                kept += 1;
            }
        }
        self.set_range(self.head, kept);
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

    /// Each instant at which units were taken, and how many; and the newest even if all its units were given back.
    pub fn iter(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        let entries = Entries::read(self);
        let kept = (0..entries.len).filter(move |index| !entries.is_void(*index) || index + 1 == entries.len);
        let entries = Entries::read(self);
        kept.map(move |index| {
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
