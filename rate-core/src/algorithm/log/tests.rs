use core::cell::Cell;

use super::*;

/// A ring that counts how often an entry is looked at.
struct Counting {
    log: Log,
    looks: Cell<u32>,
}

impl Ring for &mut Counting {
    fn capacity(&self) -> usize {
        (&self.log).capacity()
    }

    fn header(&self) -> [u64; HEADER] {
        (&self.log).header()
    }

    fn instant(&self, place: usize) -> u64 {
        self.looks.set(self.looks.get() + 1);
        (&self.log).instant(place)
    }
}

impl RingMut for &mut Counting {
    fn set_header(&mut self, header: [u64; HEADER]) {
        (&mut self.log).set_header(header);
    }

    fn set_instant(&mut self, place: usize, instant: u64) {
        (&mut self.log).set_instant(place, instant);
    }
}

/// The same as a list, searched from one end to the other: when units expire, and how many.
struct List {
    limit: u64,
    period: u64,
    newest: u64,
    entries: Vec<(u64, u64)>,
}

impl List {
    fn used(&self, now: u64) -> u64 {
        self.entries.iter().filter(|(expiry, _)| *expiry > now).map(|(_, units)| units).sum()
    }

    fn admit(&self, now: u64, cost: u64) -> Result<(), u64> {
        let ends = |at: u64| at.checked_add(self.period).is_none();
        if ends(now) {
            return Err(NEVER);
        }
        if self.used(now) + cost <= self.limit {
            return Ok(());
        }
        // The first expiry after which it fits.
        let expiries = self.entries.iter().map(|(expiry, _)| *expiry).filter(|expiry| *expiry > now);
        let fits = expiries.clone().find(|expiry| self.used(*expiry) + cost <= self.limit);
        Err(fits.filter(|expiry| !ends(*expiry)).map_or(NEVER, |expiry| expiry - now))
    }

    fn push(&mut self, now: u64, units: u64) {
        self.newest = self.newest.max(now + self.period);
        self.entries.retain(|(expiry, _)| *expiry > now);
        match self.entries.last_mut() {
            Some(last) if last.0 == self.newest => last.1 += units,
            _ => self.entries.push((self.newest, units)),
        }
    }

    fn refund(&mut self, at: u64, units: u64, now: u64) -> u64 {
        // Neither of what has expired, nor in a penalty.
        let late = now.max(self.newest.saturating_sub(self.period));
        let charged = u128::from(at) + u128::from(self.period);
        let is_taken = charged > u128::from(late) && self.used(late) <= self.limit;
        let mut left = if is_taken { units } else { 0 };
        let mut given = 0;
        for (expiry, taken) in &mut self.entries {
            if *expiry > late && u128::from(*expiry) >= charged {
                let back = left.min(*taken);
                *taken -= back;
                (left, given) = (left - back, given + back);
            }
        }
        self.entries.retain(|entry| entry.1 > 0);
        given
    }
}

/// Numbers that look random and are always the same.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}

#[test]
fn a_log_is_a_list_of_what_was_taken() {
    let mut random = Random(3);
    for round in 0..3_000 {
        let (limit, period) = (1 + random.below(6), 1 + random.below(12));
        let mut log = Log::new(limit as usize);
        let mut list = List { limit, period, newest: 0, entries: Vec::new() };
        let mut now = if round % 4 == 0 { u64::MAX - 4 * period } else { random.below(3 * period) };
        for _ in 0..20 {
            let (units, at) = (1 + random.below(limit), now.saturating_sub(random.below(2 * period)));
            let mut entries = log.entries();
            let taken = entries.take(limit, period, now, units);
            let fits = taken.wait.map_or(Ok(()), Err);
            assert_eq!(fits, list.admit(now, units), "{:?} of {limit} in {period} at {now}", list.entries);
            match random.below(6) {
                0 => {
                    let most = entries.refundable(limit, period, at, units, now);
                    let given = entries.refund(limit, period, at, units, now);
                    let fresh_from = entries.fresh_from();
                    assert_eq!((most.0, given), (given, list.refund(at, units, now)));
                    assert!(given == 0 || most.1 == fresh_from, "{most:?} and {fresh_from}");
                }
                1 if random.below(4) == 0 => {
                    entries.fill(limit, at);
                    list.newest = list.newest.max(at);
                    list.entries = vec![(list.newest, limit + 1)];
                }
                _ if fits.is_ok() => {
                    entries.push(period, now, units);
                    list.push(now, units);
                    assert_eq!(taken.left, entries.standing(limit, now));
                }
                _ => {}
            }
            let used = list.used(now);
            let last = list.entries.last().map_or(0, |(expiry, _)| *expiry);
            let reset_after = if used == 0 { 0 } else { last - now };
            let standing = log.entries().standing(limit, now);
            assert_eq!(standing, Standing { remaining: limit.saturating_sub(used), reset_after });
            assert_eq!(log.entries().fresh_from(), last);
            // What has expired may be dropped sooner or later.
            let live = |(expiry, _): &(u64, u64)| *expiry > now;
            let kept: Vec<_> = list.entries.iter().copied().filter(live).collect();
            let is_taken = |(_, units): &(u64, u64)| *units > 0;
            assert_eq!(log.iter().filter(is_taken).filter(live).collect::<Vec<_>>(), kept);
            assert_eq!(log.entries().is_empty(), !log.iter().any(|entry| is_taken(&entry)));
            assert_eq!(log.entries().until(0), list.newest);
            now = match random.below(4) {
                0 => now,
                1 => now.saturating_sub(random.below(period)),
                _ => now.saturating_add(random.below(period)),
            };
        }
    }
}

#[test]
fn what_was_refunded_leaves_room_for_others() {
    // What stayed in the place of them made the newest unit count longer than it had to.
    let mut log = Log::new(2);
    for now in [10, 20] {
        log.entries().push(100, now, 1);
    }
    assert_eq!(log.entries().refund(2, 100, 10, 1, 20), 1);
    log.entries().push(100, 30, 1);
    assert_eq!(log.iter().collect::<Vec<_>>(), [(120, 1), (130, 1)]);
}

#[test]
fn the_newest_instant_is_remembered_when_its_units_are_given_back() {
    let mut log = Log::new(2);
    log.entries().push(100, 10, 1);
    log.entries().push(100, 20, 1);
    assert_eq!(log.entries().refund(2, 100, 20, 1, 20), 1);
    assert_eq!(log.iter().collect::<Vec<_>>(), [(110, 1), (120, 0)]);
    // A late request counts as made at it.
    log.entries().push(100, 15, 1);
    assert_eq!(log.iter().collect::<Vec<_>>(), [(110, 1), (120, 1)]);
}

#[test]
fn a_log_that_needs_more_room_moves_to_a_larger_ring() {
    let mut log = Log::new(2);
    for now in [10, 20, 30] {
        log.entries().push(15, now, 1);
    }
    let mut larger = log.clone().with_room(3);
    assert_eq!(larger, log);
    for now in [31, 32] {
        larger.entries().push(15, now, 1);
    }
    assert_eq!(larger.iter().collect::<Vec<_>>(), [(35, 1), (45, 1), (46, 1), (47, 1)]);
}

#[test]
fn what_has_expired_is_found_in_few_steps_and_the_nearer_the_fewer() {
    const ENTRIES: usize = 1 << 10;
    let mut counting = Counting { log: Log::new(ENTRIES), looks: Cell::new(0) };
    let mut entries = Entries::read(&mut counting);
    for at in 0..ENTRIES as u64 {
        entries.push(ENTRIES as u64, at, 1);
    }
    for expired in 0..=ENTRIES {
        entries.ring.looks.set(0);
        assert_eq!(entries.count((ENTRIES + expired) as u64 - 1).live, expired);
        let looks = entries.ring.looks.get();
        if expired == 0 || expired == ENTRIES {
            assert_eq!(looks, 0, "the header says that");
            continue;
        }
        // One more for each time that what is passed has doubled, there and back; and what was found is read once more.
        let digits = usize::BITS - expired.leading_zeros();
        assert!(looks < 2 * digits + 1, "{looks} looks for {expired}");
    }
}

#[test]
fn a_header_that_is_read_half_written_stays_within_the_ring() {
    let ranges = [0, u64::MAX, u64::MAX << 44, (1 << 44) - 1, 3 << 44 | 3 << 24 | 3, 4 << 44 | 4 << 24 | 4];
    for (range, room) in ranges.into_iter().flat_map(|range| [(range, 1), (range, 4)]) {
        let mut log = Log::new(room);
        log.set_range(range);
        assert!(log.iter().count() <= 1 << 20);
        let entries = log.entries();
        assert!(entries.standing(3, 0).remaining <= 3);
        for now in [0, 100] {
            let _ = entries.take(3, 10, now, 2).wait;
            let _ = entries.refundable(3, 10, 0, 2, now);
        }
    }
}

#[test]
fn logs_are_told_apart_by_what_is_in_them() {
    let mut one = Log::new(2);
    for now in [10, 20, 30] {
        one.entries().push(15, now, 1);
    }
    // Elsewhere in the ring, after other totals.
    let mut same = Log::new(2);
    for now in [20, 30] {
        same.entries().push(15, now, 1);
    }
    assert_eq!(one, same);
    assert_eq!(format!("{one:?}"), "[(35, 1), (45, 1)]");
    same.entries().push(15, 30, 1);
    assert_ne!(one, same);
}

#[test]
fn a_log_is_new_until_something_is_written_down() {
    let mut log = Log::new(2);
    assert!(log.entries().is_new());
    log.entries().push(15, 10, 1);
    assert!(!log.entries().is_new());
    // Its newest instant is still to be minded.
    assert_eq!(log.entries().refund(2, 15, 10, 1, 10), 1);
    assert!(log.entries().is_empty() && !log.entries().is_new());
}

#[test]
fn a_log_is_copied_with_all_that_is_in_it() {
    let (mut log, mut copy) = (Log::new(4), Log::new(4));
    for (now, units) in [(10, 3), (20, 1), (30, 2)] {
        log.entries().push(15, now, units);
    }
    log.entries().refund(4, 15, 30, 1, 30);
    for now in [1, 2, 3] {
        copy.entries().push(100, now, 1);
    }
    log.entries().copy_to(&mut &mut copy);
    assert_eq!(copy, log);
    assert_eq!(copy.iter().collect::<Vec<_>>(), [(35, 1), (45, 1)]);
    assert_eq!(copy.entries().header, log.entries().header);
}

#[test]
fn a_log_is_told_from_what_it_becomes_when_anything_is_taken() {
    let mut log = Log::new(4);
    log.entries().push(15, 10, 1);
    let mut marks = vec![log.entries().mark()];
    let mut next = |change: fn(&mut Entries<&mut Log>)| {
        change(&mut log.entries());
        marks.push(log.entries().mark());
    };
    next(|log| log.push(15, 10, 1));
    // Later, and late; and as many as have expired.
    next(|log| log.push(15, 20, 1));
    next(|log| log.push(15, 12, 1));
    next(|log| log.push(15, 25, 2));
    next(|log| assert_eq!(log.refund(4, 15, 25, 1, 25), 1));
    next(|log| log.fill(4, 40));
    for (index, mark) in marks.iter().enumerate() {
        assert!(!marks[..index].contains(mark), "{marks:?}");
    }
    assert_eq!(log.entries().mark(), log.entries().mark());
}
