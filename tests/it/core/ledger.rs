//! A book kept outside of what was admitted: in no window more than `bounds()` says, whatever was given back, reserved, left,
//! owed and punished meanwhile.
//!
//! Units count at the instant from which they may be used. Those that were offered back do not count: they were not used,
//! whether or not they had come back by themselves.

use std::time::Duration;

use rate_core::{Quota, Reservation, Timestamp};

use super::random::Random;
use super::six::Subject;
use super::window::most_in_a_window;

const DAY: u64 = 86_400 * 1_000_000_000;
const KEYS: u64 = 4;

/// Units that one key was admitted.
#[derive(Clone, Copy, Debug)]
struct Entry {
    key: u64,
    /// When they may be used, and so what a refund calls the instant of the charge.
    at: u64,
    units: u64,
}

/// The most units of a key in any window of so many ticks.
fn most_of(book: &[Entry], key: u64, window: u64) -> u64 {
    let mut entries: Vec<_> =
        book.iter().filter(|entry| entry.key == key).map(|entry| (entry.at, entry.units)).collect();
    entries.sort_unstable();
    most_in_a_window(&entries, window)
}

/// How often something came up, so that the test can tell that it tested anything.
#[derive(Debug, Default)]
struct Seen {
    full: u64,
    refunds: u64,
    cancelled: u64,
    debits: u64,
    penalties: u64,
}

fn play(random: &mut Random, subject: &Subject, seen: &mut Seen) {
    let (most, period) = (subject.most(), subject.bounds().ticks());
    let limit = &subject.limit;
    let mut now = 20 * period + random.below(period);
    let mut book: Vec<Entry> = Vec::new();
    let mut waiting: Vec<(usize, Reservation<'_>)> = Vec::new();
    // Until when a key is punished. Giving back what was taken before may end that, so it is not looked at any longer then.
    let mut until = [0_u64; KEYS as usize];
    for _ in 0..150 {
        now += match random.below(6) {
            0 => random.below(period),
            1..=2 => random.below(period / most.min(period) + 2),
            3 => 1,
            _ => 0,
        };
        let key = random.below(KEYS);
        let cost = if random.below(3) == 0 { random.below(most + 2) } else { 1 };
        match random.below(11) {
            0..=4 => {
                let taken = match random.below(3) {
                    0 => limit.up_to(key, cost, now),
                    _ if limit.check(key, cost, now).is_allowed() => cost,
                    _ => 0,
                };
                assert!(taken == 0 || now >= until[key as usize], "{subject:?}: {key} is punished at {now}");
                book.push(Entry { key, at: now, units: taken });
            }
            5..=7 => {
                let free =
                    |index: &usize| waiting.iter().all(|(held, _)| held != index) && book[*index].units > 0;
                let recent = (book.len().saturating_sub(12)..book.len()).filter(free).collect::<Vec<_>>();
                let Some(index) = recent.get(random.below(recent.len().max(1) as u64) as usize) else {
                    continue;
                };
                let Entry { key, at, units } = book[*index];
                let offered = 1 + random.below(units);
                if let Some(back) = limit.refund(key, offered, at, now) {
                    assert!(back <= offered, "{subject:?}: {back} of {offered}");
                    book[*index].units -= offered;
                    until[key as usize] = 0;
                    seen.refunds += back;
                }
            }
            8 => {
                if let Some(Ok(place)) = limit.reserve(key, cost, random.below(3 * period), now) {
                    book.push(Entry { key, at: place.ready_at().as_nanos(), units: cost });
                    waiting.push((book.len() - 1, place));
                }
            }
            9 if !waiting.is_empty() => {
                let (index, place) = waiting.swap_remove(random.below(waiting.len() as u64) as usize);
                seen.cancelled += place.cancel_at(Timestamp::from_nanos(now));
                book[index].units = 0;
                until[book[index].key as usize] = 0;
            }
            _ if random.below(3) == 0 => {
                let time = 1 + random.below(2 * period);
                limit.penalize(key, time, now);
                until[key as usize] = until[key as usize].max(now + time);
                seen.penalties += 1;
            }
            _ => seen.debits += limit.debit(key, random.below(4), random.below(4), now).unwrap_or(0),
        }
        let peek = limit.peek(key, 1, now);
        assert!(peek.remaining() <= peek.limit(), "{subject:?}");
        if let (false, Some(wait)) = (peek.is_allowed(), peek.retry_after()) {
            let then = now + wait.as_nanos() as u64;
            assert!(limit.peek(key, 1, then).is_allowed(), "{subject:?}: {key} waits from {now} to {then}");
            assert!(
                !limit.peek(key, 1, then - 1).is_allowed(),
                "{subject:?}: {key} waits from {now} to {then}"
            );
        }
    }
    assert_eq!(limit.evictions(), 0);
    let bounds = subject.bounds();
    for key in 0..KEYS {
        let units = most_of(&book, key, bounds.ticks());
        assert!(units <= bounds.units(), "{subject:?}: {units} units of {key} in a window\n{book:?}");
        seen.full += u64::from(units == bounds.units());
    }
}

#[test]
fn no_sequence_of_operations_gets_more_than_the_bound() {
    let mut random = Random::new(63);
    let mut seen = Seen::default();
    for round in 0..120 {
        // The shorter the period, the more often everything happens in the same tick.
        let period = [7, 10, 100, 1_000, DAY][round % 5];
        let quota = Quota::new(1 + random.below(12), Duration::from_nanos(period)).expect("a quota");
        let bursts = [quota, quota.burst(1 + random.below(12))];
        for quota in bursts {
            for subject in Subject::six(quota, 60) {
                play(&mut random, &subject, &mut seen);
            }
        }
    }
    assert!(seen.full > 100 && seen.refunds > 1_000 && seen.cancelled > 100, "{seen:?}");
    assert!(seen.debits > 100 && seen.penalties > 1_000, "{seen:?}");
}
