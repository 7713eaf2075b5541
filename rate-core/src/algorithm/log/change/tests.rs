use core::cell::Cell;

use super::super::{HEADER, Ring, ring_of};
use super::*;
use crate::test_util::random::Random;

/// A ring that two can look at.
#[derive(Clone, Copy)]
struct Shared<'a> {
    header: &'a Cell<[u64; HEADER]>,
    ring: &'a [Cell<u64>],
}

impl Ring for Shared<'_> {
    fn capacity(&self) -> usize {
        self.ring.len()
    }

    fn header(&self) -> [u64; HEADER] {
        self.header.get()
    }

    fn instant(&self, place: usize) -> u64 {
        self.ring[place].get()
    }
}

impl RingMut for Shared<'_> {
    fn set_header(&mut self, header: [u64; HEADER]) {
        self.header.set(header);
    }

    fn set_instant(&mut self, place: usize, instant: u64) {
        self.ring[place].set(instant);
    }
}

/// When each unit expires, what the header says of the ends, and the newest instant.
fn units(log: Shared<'_>) -> (Vec<u64>, [u64; 3], u64) {
    let entries = Entries::read(log);
    let Header { len, units, oldest, last, newest, .. } = entries.header;
    ((0..len).map(|index| entries.get(index)).collect(), [units, oldest, last], newest)
}

#[test]
fn shares_of_another_limit_are_those_that_were_left_at_any_instant() {
    let mut random = Random::new(5);
    for round in 0..4_000 {
        let (from, to) = (1 + random.below(40), 1 + random.below(40));
        let room = ring_of(from.max(to) as usize);
        let [mine, other] = [(); 2].map(|()| Cell::new([0; HEADER]));
        let [ring, other_ring] = [room, ring_of(to as usize)].map(|places| vec![Cell::new(0); places]);
        let log = Shared { header: &mine, ring: &ring };
        let target = if round % 2 == 0 { log } else { Shared { header: &other, ring: &other_ring } };
        let mut now = 100;
        for _ in 0..random.below(30) {
            let mut entries = Entries::read(log);
            let cost = 1 + random.below(from);
            if entries.take(from, 100, now, cost).wait.is_none() {
                entries.push(100, now, cost);
            }
            now += random.below(30);
        }
        if random.below(9) == 0 {
            Entries::read(log).fill(from, now);
        }
        if Entries::read(log).is_empty() {
            continue;
        }
        let (before, [used, _, last], newest) = units(log);
        Entries::read(log).scale_to((from, to), 0, |expiry| expiry, &mut { target });
        let (after, ends, newest_after) = units(target);
        assert_eq!(newest_after, newest);
        if used > from {
            assert_eq!((after, ends), (vec![last], [to + 1, last, last]), "a penalty");
            continue;
        }
        let left = |units: &[u64], now| units.iter().filter(|expiry| **expiry > now).count() as u64;
        for now in before.iter().flat_map(|expiry| [expiry - 1, *expiry]) {
            let share = (left(&before, now) * to).div_ceil(from);
            assert_eq!(left(&after, now), share, "{before:?} of {from}, {after:?} of {to} at {now}");
        }
        assert!(after.is_sorted());
        assert_eq!(ends, [after.len() as u64, after[0], last], "{after:?}");
    }
}

#[test]
fn what_is_kept_counts_until_then_and_all_else_as_before() {
    const PERIOD: u64 = 100;
    let mut random = Random::new(6);
    let (mut earlier, mut expired) = (0, 0);
    for _ in 0..8_000 {
        let limit = 1 + random.below(40);
        let (header, ring) = (Cell::new([0; HEADER]), vec![Cell::new(0); ring_of(limit as usize)]);
        let log = Shared { header: &header, ring: &ring };
        let mut now = 1_000;
        for _ in 0..random.below(30) {
            let mut entries = Entries::read(log);
            let cost = 1 + random.below(limit);
            if entries.take(limit, PERIOD, now, cost).wait.is_none() {
                entries.push(PERIOD, now, cost);
            }
            now += random.below(30);
        }
        let (before, _, newest_before) = units(log);
        let (kept, until) = (1 + random.below(limit), now - 150 + random.below(300));
        Entries::read(log).keep(limit, kept, until);
        let (after, ends, newest) = units(log);
        assert_eq!(newest, newest_before.max(until));
        let live = |units: &[u64], at| units.iter().filter(|expiry| **expiry > at).count() as u64;
        for at in before.iter().copied().chain([until]).flat_map(|at| [at - 1, at]) {
            let expected = live(&before, at).max(if at < until { kept } else { 0 });
            assert_eq!(live(&after, at), expected, "{before:?}, {kept} until {until}: {after:?} at {at}");
        }
        assert!(after.is_sorted(), "{after:?}");
        let (oldest, last) = (after.first().copied().unwrap_or(0), after.last().copied().unwrap_or(0));
        assert_eq!(ends, [after.len() as u64, oldest, last]);
        earlier += u64::from(until < newest && after != before);
        expired += u64::from(until <= newest_before.saturating_sub(PERIOD));
        // And it goes on as any log.
        let later = newest.max(now);
        let left = limit - live(&after, later);
        assert_eq!(Entries::read(log).standing(limit, later).remaining, left);
        if left > 0 {
            Entries::read(log).push(PERIOD, later, left);
            assert_eq!(Entries::read(log).standing(limit, later).remaining, 0);
        }
    }
    assert!(earlier > 100 && expired > 100, "{earlier} before others, {expired} over");
}

#[test]
fn what_is_kept_in_a_penalty_is_part_of_it() {
    let (header, ring) = (Cell::new([0; HEADER]), vec![Cell::new(0); 8]);
    let log = Shared { header: &header, ring: &ring };
    Entries::read(log).fill(8, 200);
    for (until, end) in [(150, 200), (200, 200), (210, 210)] {
        Entries::read(log).keep(8, 3, until);
        assert_eq!(units(log), (vec![end], [9, end, end], end));
    }
}
