//! What is written into a log.

use super::{Count, Entries, Header, RingMut};

impl<R: RingMut> Entries<R> {
    #[inline(always)]
    fn set(&mut self, index: usize, expiry: u64) {
        let place = self.place(index);
        self.ring.set_instant(place, expiry);
    }

    #[inline(always)]
    fn set_header(&mut self, header: Header) {
        self.header = header;
        self.ring.set_header(header.pack());
    }

    /// Writes down `units`, at least one, that are taken at `now`. What has expired is dropped.
    pub(crate) fn push(&mut self, period: u64, now: u64, units: u64) {
        self.push_to(self.count(now), period, now, units);
    }

    /// As [`push`](Self::push), with what is known to count at `now`: there is a place for each unit of the limit.
    #[inline(always)]
    pub(crate) fn push_to(&mut self, count: Count, period: u64, now: u64, units: u64) {
        // Not past the end of time, or it would not have been admitted.
        let expiry = self.expiry(period, now).unwrap_or(u64::MAX);
        let kept = self.header.len - count.live;
        let len = kept + units as usize;
        self.header.head = self.place(count.live);
        for index in kept..len {
            self.set(index, expiry);
        }
        self.set_header(Header {
            len,
            units: len as u64,
            oldest: if kept > 0 { count.oldest } else { expiry },
            last: expiry,
            newest: expiry,
            ..self.header
        });
    }

    /// Takes back up to `units` of what was written down since the tick `at` and still counts. Returns how many.
    ///
    /// From the earliest on: what is left then counts longest. The newest instant stays what it was.
    pub(crate) fn refund(&mut self, limit: u64, period: u64, at: u64, units: u64, now: u64) -> u64 {
        let start = self.since(limit, period, at, now);
        let refunded = units.min((self.header.len - start) as u64);
        if refunded == 0 {
            return 0;
        }
        let len = self.header.len - refunded as usize;
        for index in start..len {
            let later = self.get(index + refunded as usize);
            self.set(index, later);
        }
        let (oldest, last) = if len > 0 { (self.get(0), self.get(len - 1)) } else { (0, 0) };
        self.set_header(Header { len, units: len as u64, oldest, last, ..self.header });
        refunded
    }

    /// Everything taken until the tick `until`, or what was taken before has expired, and one unit more: a penalty, of which nothing
    /// can be given back.
    pub(crate) fn fill(&mut self, limit: u64, until: u64) {
        let until = self.until(until);
        self.header.head = 0;
        self.set(0, until);
        let (oldest, last, newest) = (until, until, until);
        self.set_header(Header { head: 0, len: 1, units: limit + 1, oldest, last, newest });
    }

    /// Counts at least `units`, from one to the limit, until the tick `until`, and what counts later or besides as before.
    pub(crate) fn keep(&mut self, limit: u64, units: u64, until: u64) {
        let Header { head, len, last, newest, .. } = self.header;
        if self.header.units > limit {
            // There is one instant for all of a penalty.
            return self.fill(limit, until.max(last));
        }
        let units = units as usize;
        let added = units.saturating_sub(len);
        // In front of those that expire first.
        self.header.head = head.wrapping_sub(added) & (self.ring.capacity() - 1);
        self.header.len = len + added;
        for index in self.header.len - units..self.header.len {
            let expiry = if index < added { 0 } else { self.get(index) };
            self.set(index, expiry.max(until));
        }
        let len = self.header.len;
        let (oldest, last) = (self.get(0), self.get(len - 1));
        let newest = newest.max(until);
        self.set_header(Header { units: len as u64, oldest, last, newest, ..self.header });
    }

    /// Writes the same shares of the limit `to` into `ring`, which may be the one that they are read from: what is left of `from`
    /// at any instant is the same part of it, rounded up, and a penalty stays one.
    ///
    /// `later` says when what expires at an instant does so in the new limit, which a penalty does when it did; what is before `start`
    /// is left out.
    pub(crate) fn scale_to(
        &self,
        (from, to): (u64, u64),
        start: usize,
        later: impl Fn(u64) -> u64,
        ring: &mut impl RingMut,
    ) {
        let Header { head, len, units, last, newest, .. } = self.header;
        if units > from {
            // It is in the first place, which every ring has.
            ring.set_instant(head, last);
            ring.set_header(Header { units: to + 1, ..self.header }.pack());
            return;
        }
        // Counted from the last unit on, which keeps its place: each is as late as what it is the share of.
        let scaled = ((len - start) as u64 * to).div_ceil(from);
        let last_place = ring.capacity() - 1;
        let place = |index: u64| (head + len).wrapping_sub(1 + index as usize) & last_place;
        let mut scale = |index: u64| {
            let expiry = self.get(len - 1 - (index * from / to) as usize);
            ring.set_instant(place(index), later(expiry));
        };
        // Nothing is overwritten that is still to be read.
        if to > from {
            (0..scaled).rev().for_each(&mut scale);
        } else {
            (0..scaled).for_each(&mut scale);
        }
        let head = place(scaled - 1);
        let (len, oldest) = (scaled as usize, ring.instant(head));
        let (last, newest) = (later(last), later(newest));
        ring.set_header(Header { head, len, units: scaled, oldest, last, newest }.pack());
    }

    /// Writes the same into a ring of the same size.
    pub(crate) fn copy_to(&self, ring: &mut impl RingMut) {
        ring.set_header(self.header.pack());
        for place in (0..self.header.len).map(|index| self.place(index)) {
            ring.set_instant(place, self.ring.instant(place));
        }
    }
}

#[cfg(all(test, feature = "std", not(loom)))]
mod tests;
