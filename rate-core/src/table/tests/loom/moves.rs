//! Keys that are moved, replaced or forgotten.

use super::{KEY, LINES, Limit, OTHER_KEY, PAIR, spent, tag_at};
use crate::Quota;
use crate::sync::Ordering;
use crate::sync::tests::in_every_order;
use crate::table::line::{EMPTY, SLOTS};

/// Three lines, of which a newcomer with the homes 0 and 1 finds both full, and only `neighbour`, which has one unit left
/// and lives in line 0, has a spare slot elsewhere.
fn crowded(quota: Quota, neighbour: u64) -> (Limit, u64) {
    let limit = Limit::new(quota, 12);
    let used = |cost| spent(quota, cost);
    for (slot, salt) in (0..SLOTS).zip(0..) {
        limit.table.lines[0].set(slot, tag_at(3, 0, 1, salt), used(2));
        limit.table.lines[1].set(slot, tag_at(3, 1, 0, salt), used(2));
    }
    limit.table.lines[0].set(3, neighbour, used(1));
    limit.table.occupied.store(2 * SLOTS, Ordering::Relaxed);
    (limit, tag_at(3, 0, 1, 1_000))
}

#[test]
fn loom_newcomers_that_reach_a_line_from_two_sides_are_both_kept() {
    in_every_order(|race| {
        let limit = Limit::new(PAIR, 8);
        let full = spent(PAIR, 2);
        for (slot, salt) in (0..SLOTS).zip(1..) {
            limit.table.lines[0].set(slot, tag_at(2, 0, 1, salt), full);
        }
        // One comes because its first line is full, the other because this is its first line.
        let both = race.between(&limit, |limit| limit.take(LINES[0]), |limit| limit.take(LINES[1]));
        assert_eq!(both, (true, true));
        assert_eq!(LINES.map(|key| limit.remaining(key)), [1, 1]);
        assert_eq!(LINES.map(|key| limit.lines_with(key)), [[1], [1]]);
    });
}

/// A neighbour is moved by a newcomer while another thread checks it.
fn a_moved_neighbour_keeps_its_charge(neighbour: u64) {
    // States of two words and of one, which are decided on by different code.
    for quota in [PAIR, Quota::per_second(5).burst(2)] {
        in_every_order(move |race| {
            let (limit, newcomer) = crowded(quota, neighbour);
            let (served, charged) =
                race.between(&limit, move |limit| limit.take(newcomer), move |limit| limit.take(neighbour));
            assert!(served, "a newcomer is always served");
            assert!(charged, "one unit was left");
            assert!(!limit.take(neighbour), "the move lost a charge");
            assert_eq!(limit.remaining(newcomer), 1);
            assert_eq!(limit.lines_with(neighbour), [2], "nobody moved, or not wholly");
            assert_eq!((limit.table.len(), limit.table.evictions()), (2 * SLOTS + 1, 0));
        });
    }
}

#[test]
fn loom_a_neighbour_moved_to_its_second_home_keeps_its_charge() {
    a_moved_neighbour_keeps_its_charge(tag_at(3, 0, 2, 1));
}

#[test]
fn loom_a_neighbour_moved_back_to_its_first_home_keeps_its_charge() {
    a_moved_neighbour_keeps_its_charge(tag_at(3, 2, 0, 1));
}

#[test]
fn loom_a_neighbour_that_moves_while_it_is_one_of_two_keeps_its_charge() {
    for neighbour in [tag_at(3, 0, 2, 1), tag_at(3, 2, 0, 1)] {
        for quota in [PAIR, Quota::per_second(5).burst(2)] {
            in_every_order(move |race| {
                let (limit, newcomer) = crowded(quota, neighbour);
                // Where the neighbour would go.
                let other = tag_at(3, 2, 1, 9);
                limit.table.lines[2].set(0, other, spent(quota, 1));
                limit.table.occupied.fetch_add(1, Ordering::Relaxed);
                let (served, charged) = race.between(
                    &limit,
                    move |limit| limit.take(newcomer),
                    move |limit| limit.take_both([neighbour, other]),
                );
                assert!(served && charged);
                assert_eq!([newcomer, other].map(|key| limit.remaining(key)), [1, 0]);
                // Whoever holds a line never waits for another, so the neighbour may have to go; but then it is counted.
                if limit.table.evictions() == 0 {
                    assert_eq!(limit.remaining(neighbour), 0, "the move lost a charge");
                    assert_eq!(limit.lines_with(neighbour), [2]);
                }
            });
        }
    }
}

#[test]
fn loom_newcomers_that_get_in_each_others_way_count_whom_they_replace() {
    // The line that the neighbour can move to gets a newcomer of its own at the same time. Whoever holds a line never
    // waits for another, so the neighbour may have to go; but then it is counted, and nobody else is lost.
    in_every_order(|race| {
        let neighbour = tag_at(3, 0, 2, 1);
        let (limit, newcomer) = crowded(PAIR, neighbour);
        let elsewhere = tag_at(3, 2, 1, 7);
        let served =
            race.between(&limit, move |limit| limit.take(newcomer), move |limit| limit.take(elsewhere));
        assert_eq!(served, (true, true));
        assert_eq!([newcomer, elsewhere].map(|key| limit.remaining(key)), [1, 1]);
        let lost = u64::from(limit.lines_with(neighbour).is_empty());
        assert_eq!(limit.remaining(neighbour), 1 + lost);
        assert_eq!((limit.table.len() as u64, limit.table.evictions()), (2 * SLOTS as u64 + 2 - lost, lost));
    });
}

#[test]
fn loom_a_key_that_is_checked_while_it_is_evicted_is_charged_or_counted_as_lost() {
    in_every_order(|race| {
        // One line of live keys, of which `KEY` has taken the least.
        let limit = Limit::new(PAIR, 1);
        for (slot, salt) in (1..SLOTS).zip(0..) {
            limit.table.lines[0].set(slot, tag_at(1, 0, 0, salt), spent(PAIR, 2));
        }
        limit.table.lines[0].set(0, KEY, spent(PAIR, 1));
        limit.table.occupied.store(SLOTS, Ordering::Relaxed);
        let both = race.between(&limit, |limit| limit.take(OTHER_KEY), |limit| limit.take(KEY));
        assert_eq!(both, (true, true), "a newcomer is always served, and one unit was left");
        // Whoever is evicted is counted: the key, and perhaps the newcomer when the key came back.
        let held = [KEY, OTHER_KEY].map(|key| !limit.lines_with(key).is_empty());
        assert!(held[0] || held[1]);
        let lost = limit.table.evictions();
        assert!((1..=2).contains(&lost), "{lost}");
        assert_eq!(limit.table.len(), SLOTS);
        // Of the others, who had taken everything, nobody was freed while somebody weaker was there.
        let strong =
            (0..SLOTS as u64 - 1).filter(|&salt| !limit.lines_with(tag_at(1, 0, 0, salt)).is_empty());
        assert_eq!(strong.count(), SLOTS - 1 - usize::from(held == [true, true]));
    });
}

#[test]
fn loom_a_key_forgotten_while_it_moves_is_gone() {
    for neighbour in [tag_at(3, 0, 2, 1), tag_at(3, 2, 0, 1)] {
        in_every_order(move |race| {
            let (limit, newcomer) = crowded(PAIR, neighbour);
            let (served, forgotten) = race.between(
                &limit,
                move |limit| limit.take(newcomer),
                move |limit| limit.table.forget(neighbour),
            );
            assert!(served && forgotten, "it was there all the time");
            assert_eq!(limit.lines_with(neighbour), []);
            assert_eq!((limit.table.len(), limit.table.evictions()), (2 * SLOTS, 0));
            assert_eq!(limit.lines_with(EMPTY).len(), if limit.lines_with(newcomer) == [0] { 1 } else { 2 });
        });
    }
}
