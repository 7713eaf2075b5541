use core::cell::Cell;

use super::*;

/// A ring that counts how often it is read.
struct Counting<'a> {
    words: &'a mut [u64],
    reads: Cell<u32>,
}

impl Ring for &mut Counting<'_> {
    fn words(&self) -> usize {
        self.words.len()
    }

    fn load(&self, word: usize) -> u64 {
        self.reads.set(self.reads.get() + 1);
        self.words[word]
    }

    fn store(&mut self, word: usize, value: u64) {
        self.words[word] = value;
    }
}

/// The same as a list, searched from one end to the other.
struct List {
    limit: u64,
    period: u64,
    room: usize,
    entries: Vec<(u64, u64)>,
}

impl List {
    fn counts(&self, at: u64, now: u64) -> bool {
        u128::from(at) + u128::from(self.period) > u128::from(now)
    }

    fn used(&self, now: u64) -> u64 {
        self.entries.iter().filter(|(at, _)| self.counts(*at, now)).map(|(_, units)| units).sum()
    }

    fn newest(&self, now: u64) -> u64 {
        self.entries.last().map_or(now, |(at, _)| now.max(*at))
    }

    fn admit(&self, now: u64, cost: u64) -> Result<(), u64> {
        let ends = |at: u64| at.checked_add(self.period).is_none();
        if ends(self.newest(now)) {
            return Err(NEVER);
        }
        if self.used(now) + cost <= self.limit {
            return Ok(());
        }
        // The first expiry after which it fits.
        let expiries = self.entries.iter().map(|(at, _)| at + self.period).filter(|expiry| *expiry > now);
        let fits = expiries.clone().find(|expiry| self.used(*expiry) + cost <= self.limit);
        Err(fits.filter(|expiry| !ends(*expiry)).map_or(NEVER, |expiry| expiry - now))
    }

    fn push(&mut self, now: u64, units: u64) {
        let newest = self.newest(now);
        let entries = std::mem::take(&mut self.entries);
        self.entries = entries.into_iter().filter(|(at, _)| self.counts(*at, now)).collect();
        match self.entries.last_mut() {
            Some(last) if last.0 == newest => last.1 += units,
            _ => self.entries.push((newest, units)),
        }
        if self.entries.len() > self.room {
            // The newest two become one, at the later instant.
            let (at, units) = self.entries.pop().expect("more than there is room for");
            let last = self.entries.last_mut().expect("some room");
            *last = (at, last.1 + units);
        }
    }

    fn refund(&mut self, at: u64, units: u64, now: u64) -> u64 {
        let mut left = if self.counts(at, now) { units } else { 0 };
        let mut given = 0;
        for entry in &mut self.entries {
            if entry.0 >= at && u128::from(entry.0) + u128::from(self.period) > u128::from(now) {
                let back = entry.1.min(left);
                entry.1 -= back;
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
        // Less room than units where the limit was raised since the log was made.
        let room = if random.below(3) == 0 { 1 + random.below(limit) } else { limit } as usize;
        let mut log = Log::new(room);
        // Totals that wrap soon.
        log.0[1] = u64::MAX - random.below(4);
        let mut list = List { limit, period, room, entries: Vec::new() };
        let mut now = if round % 4 == 0 { u64::MAX - 4 * period } else { random.below(3 * period) };
        for _ in 0..20 {
            let (units, at) = (1 + random.below(limit), now.saturating_sub(random.below(2 * period)));
            let mut entries = log.entries();
            let fits = entries.admit(limit, period, now, units);
            assert_eq!(fits, list.admit(now, units), "{:?} of {limit} in {period} at {now}", list.entries);
            match random.below(6) {
                0 => {
                    let most = entries.refundable(period, at, units, now);
                    let given = entries.refund(period, at, units, now);
                    assert_eq!((most, given), (given, list.refund(at, units, now)));
                }
                1 if random.below(4) == 0 => {
                    entries.fill(limit, at);
                    list.entries = vec![(list.newest(at), limit)];
                }
                _ if fits.is_ok() => {
                    entries.push(period, now, units);
                    list.push(now, units);
                }
                _ => {}
            }
            let used = list.used(now);
            let last = list.entries.last().map_or(0, |(at, _)| at.saturating_add(period));
            let reset_after = if used == 0 { 0 } else { last - now };
            let standing = log.entries().standing(limit, period, now);
            assert_eq!(standing, Standing { remaining: limit - used, reset_after });
            assert_eq!(log.entries().fresh_from(period), last);
            // What has expired may be dropped sooner or later.
            let live = |(at, _): &(u64, u64)| list.counts(*at, now);
            let kept: Vec<_> = list.entries.iter().copied().filter(live).collect();
            assert_eq!(log.iter().filter(live).collect::<Vec<_>>(), kept);
            assert_eq!(log.entries().is_empty(), log.iter().next().is_none());
            now = match random.below(4) {
                0 => now,
                1 => now.saturating_sub(random.below(period)),
                _ => now.saturating_add(random.below(period)),
            };
        }
    }
}

#[test]
fn a_log_that_is_full_counts_the_newest_units_for_longer() {
    let mut log = Log::new(2);
    for now in [10, 20, 30] {
        log.entries().push(100, now, 1);
    }
    assert_eq!(log.iter().collect::<Vec<_>>(), [(10, 1), (30, 2)]);
}

#[test]
fn what_was_refunded_leaves_room_for_others() {
    // Entries of nothing stayed, and where one too many of them did, the newest unit was counted longer than it had to.
    let mut log = Log::new(2);
    for now in [10, 20] {
        log.entries().push(100, now, 1);
    }
    assert_eq!(log.entries().refund(100, 10, 1, 20), 1);
    log.entries().push(100, 30, 1);
    assert_eq!(log.iter().collect::<Vec<_>>(), [(20, 1), (30, 1)]);
}

#[test]
fn what_has_expired_is_found_in_few_steps_and_the_nearer_the_fewer() {
    const ENTRIES: usize = 1 << 10;
    let mut words = vec![0; words(ENTRIES)];
    let mut counting = Counting { words: &mut words, reads: Cell::new(0) };
    let mut entries = Entries::read(&mut counting);
    for at in 0..ENTRIES as u64 {
        entries.push(u64::MAX / 2, at, 1);
    }
    for expired in 0..=ENTRIES {
        entries.ring.reads.set(0);
        assert_eq!(entries.live(1, expired as u64), expired);
        // Two words for each look; one look more for each time that what is passed has doubled, there and back.
        let digits = usize::BITS - (expired + 1).leading_zeros();
        let looks = entries.ring.reads.get() / 2;
        assert!(looks < 2 * digits, "{looks} looks for {expired}");
    }
}

#[test]
fn a_header_that_is_read_half_written_stays_within_the_ring() {
    for header in [u64::MAX, 0, u64::from(u32::MAX), u64::from(u32::MAX) << 32, 3 << 32 | 3, 4 << 32 | 4] {
        let mut log = Log::new(3);
        log.0[0] = header;
        assert!(log.iter().count() <= 3);
        let entries = log.entries();
        assert!(entries.standing(3, 10, 0).remaining <= 3);
        let _ = entries.admit(3, 10, 0, 2);
        let _ = entries.refundable(10, 0, 2, 0);
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
    assert_eq!(format!("{one:?}"), "[(20, 1), (30, 1)]");
    same.entries().push(15, 30, 1);
    assert_ne!(one, same);
    same.entries().clear();
    assert_eq!(same, Log::new(2));
}
