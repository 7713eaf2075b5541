//! The log of a key's admissions: a ring of instants, one for each unit, and a header that answers most requests.
//!
//! What is written down is when a unit expires, a period after it was taken: as many count as there are instants to come. The
//! header has the ends of the ring, so that a request reads nothing else as long as nothing has expired since the one before.
//!
//! ```text
//! word 0   place of the first instant, how many there are, and the units that they stand for
//! word 1   the first
//! word 2   the last
//! word 3   the latest that was ever written down: what a late request takes expires no earlier
//! ```

mod change;
mod state;

use super::{NEVER, Standing};

pub use state::Log;

/// Words of a header.
pub(crate) const HEADER: usize = 4;

/// Places in a ring for so many units: a power of two, so that nobody has to ask where it ends.
pub(crate) const fn ring_of(units: usize) -> usize {
    units.next_power_of_two()
}

/// Where a log is kept: in a state of its own, or among the atomics of a limiter.
pub(crate) trait Ring {
    /// How many instants there is room for: a power of two, or none.
    fn capacity(&self) -> usize;

    fn header(&self) -> [u64; HEADER];

    /// The instant at a place; any where there is none, for a header may be read while it is written.
    fn instant(&self, place: usize) -> u64;
}

/// One that can be written.
pub(crate) trait RingMut: Ring {
    fn set_header(&mut self, header: [u64; HEADER]);

    fn set_instant(&mut self, place: usize, instant: u64);
}

/// The ends of a ring.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Header {
    head: usize,
    len: usize,
    /// As many as there are instants; or one more than the limit in a penalty, which is one instant for all of them.
    units: u64,
    oldest: u64,
    last: u64,
    newest: u64,
}

impl Header {
    /// Bits for a place in the largest ring, or the number of its instants.
    const PLACE: u32 = 20;
    /// Bits for the units.
    const UNITS: u32 = 24;

    #[inline(always)]
    fn pack(self) -> [u64; HEADER] {
        let (head, len) =
            ((self.head as u64) << (Self::PLACE + Self::UNITS), (self.len as u64) << Self::UNITS);
        [head | len | self.units, self.oldest, self.last, self.newest]
    }

    #[inline(always)]
    fn unpack([range, oldest, last, newest]: [u64; HEADER]) -> Self {
        let place = |bits: u64| (bits & ((1 << Self::PLACE) - 1)) as usize;
        Self {
            head: place(range >> (Self::PLACE + Self::UNITS)),
            len: place(range >> Self::UNITS),
            units: range & ((1 << Self::UNITS) - 1),
            oldest,
            last,
            newest,
        }
    }
}

/// A log, with its header at hand.
pub(crate) struct Entries<R> {
    ring: R,
    header: Header,
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
    /// The first unit that does.
    pub(super) live: usize,
    /// When it expires, if there is one.
    oldest: u64,
    pub(super) units: u64,
}

/// The wait and what is left, if a request of `cost` units is refused and a header alone says so: nothing has expired, and the
/// oldest unit is the only one to wait for.
#[inline(always)]
pub(super) fn refused(
    header: [u64; HEADER],
    limit: u64,
    period: u64,
    now: u64,
    cost: u64,
) -> Option<(u64, Standing)> {
    let Header { units, oldest, last, .. } = Header::unpack(header);
    let further = cost.wrapping_sub(1);
    // Later than that what is charged then does not count for a whole period.
    if further >= limit || units != limit - further || oldest <= now || oldest > u64::MAX - period {
        return None;
    }
    let left = Standing { remaining: limit.saturating_sub(units), reset_after: last.saturating_sub(now) };
    Some((oldest - now, left))
}

impl<R: Ring> Entries<R> {
    #[inline(always)]
    pub(crate) fn read(ring: R) -> Self {
        Self { header: Header::unpack(ring.header()), ring }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.header.len == 0
    }

    #[inline(always)]
    fn place(&self, index: usize) -> usize {
        self.header.head.wrapping_add(index) & self.ring.capacity().wrapping_sub(1)
    }

    #[inline(always)]
    fn get(&self, index: usize) -> u64 {
        self.ring.instant(self.place(index))
    }

    /// Units that count at `now`: more than the limit in a penalty.
    pub(crate) fn units(&self, now: u64) -> u64 {
        self.count(now).units
    }

    /// When a unit expires that is taken at `now`; nothing if that is past the end of representable time.
    #[inline(always)]
    pub(crate) fn expiry(&self, period: u64, now: u64) -> Option<u64> {
        now.checked_add(period).map(|expiry| expiry.max(self.header.newest))
    }

    /// The end of a penalty that is to last until then.
    pub(crate) fn until(&self, until: u64) -> u64 {
        until.max(self.header.newest)
    }

    /// When what was written down last expires, or would.
    pub(crate) fn newest(&self) -> u64 {
        self.header.newest
    }

    /// What tells a log from any that the same key can have come from it by taking something.
    pub(crate) fn mark(&self) -> (u64, u64) {
        let [range, _, _, newest] = self.header.pack();
        (newest, range)
    }

    /// Whether there was never anything written down.
    pub(crate) fn is_new(&self) -> bool {
        self.header == Header::default()
    }

    /// The first index from `start` on that is not `skipped`, which holds up to some index and not from there on. The nearer,
    /// the cheaper: looks twice as far each time, and then between.
    #[inline(always)]
    fn first(&self, start: usize, skipped: impl Fn(u64) -> bool) -> usize {
        let (mut low, mut high, mut step) = (start, self.header.len, 1);
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

    /// What counts at `now`.
    #[inline(always)]
    pub(crate) fn count(&self, now: u64) -> Count {
        let Header { len, units, oldest, .. } = self.header;
        if len == 0 || oldest > now { Count { live: 0, oldest, units } } else { self.count_after(now) }
    }

    /// What counts of a log whose first unit does not.
    #[inline(always)]
    fn count_after(&self, now: u64) -> Count {
        let Header { len, last, .. } = self.header;
        if last <= now {
            return Count { live: len, oldest: 0, units: 0 };
        }
        let live = self.first(1, |expiry| expiry <= now);
        Count { live, oldest: self.get(live), units: (len - live) as u64 }
    }

    /// Whether `cost` units, at least one, fit at `now`, and what is left after that.
    #[inline(always)]
    pub(crate) fn take(&self, limit: u64, period: u64, now: u64, cost: u64) -> Answer {
        let count = self.count(now);
        let Some(expiry) = self.expiry(period, now).filter(|_| cost <= limit) else {
            return Answer { left: self.left(count, limit, now), wait: Some(NEVER), count };
        };
        if count.units <= limit - cost {
            let left = Standing { remaining: limit - cost - count.units, reset_after: expiry - now };
            return Answer { left, wait: None, count };
        }
        let wait = self.wait(period, now, count, count.units - (limit - cost));
        Answer { left: self.left(count, limit, now), wait: Some(wait), count }
    }

    /// Ticks until `needed` of the units that count have expired.
    #[inline(always)]
    fn wait(&self, period: u64, now: u64, count: Count, needed: u64) -> u64 {
        let Count { live, oldest, .. } = count;
        let expiry = if needed == 1 { oldest } else { self.get(self.last_of(live, needed)) };
        // And then there has to be a period left for what is charged.
        if expiry <= u64::MAX - period { expiry.saturating_sub(now) } else { NEVER }
    }

    /// The last of so many units from `live` on.
    #[inline(always)]
    fn last_of(&self, live: usize, units: u64) -> usize {
        // All of a penalty are one; and half a header may say anything.
        (live + units as usize).min(self.header.len).saturating_sub(1)
    }

    pub(crate) fn standing(&self, limit: u64, now: u64) -> Standing {
        self.left(self.count(now), limit, now)
    }

    #[inline(always)]
    pub(super) fn left(&self, count: Count, limit: u64, now: u64) -> Standing {
        let reset_after = if count.units == 0 { 0 } else { self.header.last.saturating_sub(now) };
        Standing { remaining: limit.saturating_sub(count.units), reset_after }
    }

    /// How many of `units` that were written down since the tick `at` still count, and the first tick at which the log is as
    /// good as new once they are taken back.
    pub(crate) fn refundable(&self, limit: u64, period: u64, at: u64, units: u64, now: u64) -> (u64, u64) {
        let start = self.since(limit, period, at, now);
        let taken = (self.header.len - start) as u64;
        let fresh_from = match start.checked_sub(1) {
            _ if units < taken => self.fresh_from(),
            Some(last) => self.get(last),
            None => 0,
        };
        (units.min(taken), fresh_from)
    }

    /// The first unit from the tick `at` on that still counts; none once what was taken at `at` does not, or in a penalty.
    fn since(&self, limit: u64, period: u64, at: u64, now: u64) -> usize {
        // A refund that comes late finds no charge that was dropped since: what is there from `at` on is others'.
        let now = self.header.newest.saturating_sub(period).max(now);
        let count = self.count(now);
        match at.checked_add(period) {
            Some(expiry) if expiry > now && count.units <= limit => {
                self.first(count.live, |other| other < expiry)
            }
            _ => self.header.len,
        }
    }

    /// The first tick at which nothing counts any more.
    #[inline(always)]
    pub(crate) fn fresh_from(&self) -> u64 {
        if self.is_empty() { 0 } else { self.header.last }
    }
}

#[cfg(test)]
mod tests;
