//! Every interleaving of two threads on the shipped cell, by each of its two protocols.

use std::sync::Arc;
use std::time::Duration;

use super::Cell;
use crate::Quota;
use crate::algorithm::{Algorithm, Engine, Gcra, Packed, Tat, Whole, Word};
use crate::sync::Backoff;
use crate::sync::tests::in_every_order;

const NOW: u64 = 1_000_000_007;

/// As a check does.
fn decide(cell: &Cell, gcra: &Gcra, now: u64, cost: u64) -> (Word, Option<u64>) {
    if gcra.is_whole() { decide_by(cell, &Whole(gcra), now, cost) } else { decide_by(cell, gcra, now, cost) }
}

fn decide_by<E: Engine>(cell: &Cell, engine: &E, now: u64, cost: u64) -> (Word, Option<u64>) {
    cell.attempt(engine, now, cost).unwrap_or_else(|| cell.decide_contended(engine, now, cost))
}

fn word(gcra: &Gcra, cell: &Cell) -> Word {
    let mut backoff = Backoff::default();
    loop {
        let (guard, word) = cell.guarded(gcra.is_whole());
        if cell.is_still(guard) {
            return word;
        }
        backoff.wait();
    }
}

fn two_threads_get_one_unit_between_them(quota: Quota) {
    let gcra = Gcra::new(quota.burst(2));
    in_every_order(move |race| {
        let cell = Arc::new(Cell::default());
        let take = move |cell: &Arc<Cell>| decide(cell, &gcra, NOW, 1).1.is_none();
        assert!(take(&cell));
        let (one, other) = race.between(&cell, take, take);
        assert_ne!(one, other, "one unit, and not one admission");
        assert!(!take(&cell));
        assert_eq!(gcra.standing_word(word(&gcra, &cell), NOW).remaining, 0);
    });
}

#[test]
fn loom_two_threads_share_a_state_of_one_word() {
    two_threads_get_one_unit_between_them(Quota::per_second(10));
}

#[test]
fn loom_two_threads_share_a_state_of_two_words() {
    two_threads_get_one_unit_between_them(Quota::per_second(7));
}

#[test]
fn loom_a_reader_never_sees_half_a_state() {
    // As in the model of the table: the second unit changes both words.
    let gcra = Gcra::new(Quota::new(2, Duration::from_nanos(3)).expect("a quota").burst(3));
    let now = NOW;
    let one = gcra.admit(gcra.fresh(), now, 1).expect("fresh");
    let two = gcra.admit(one, now, 1).expect("two of three left");
    assert_eq!((one, two), (Tat::new(now + 1, 1), Tat::new(now + 3, 0)));
    let (one, two) = (gcra.pack(one), gcra.pack(two));

    in_every_order(move |race| {
        let cell = Arc::new(Cell::default());
        assert_eq!(decide(&cell, &gcra, now, 1), (one, None));
        let (written, read) =
            race.between(&cell, move |cell| decide(cell, &gcra, now, 1), move |cell| word(&gcra, cell));
        assert_eq!(written, (two, None));
        assert!(read == one || read == two, "{read:?}");
    });
    in_every_order(move |race| {
        let cell = Arc::new(Cell::default());
        assert_eq!(decide(&cell, &gcra, now, 1), (one, None));
        let (written, (state, wait)) = race.between(
            &cell,
            move |cell| decide(cell, &gcra, now, 1),
            move |cell| decide(cell, &gcra, now, 3),
        );
        assert_eq!(written, (two, None));
        assert!((state == one || state == two) && wait.is_some(), "{state:?}, {wait:?}");
        assert_eq!(word(&gcra, &cell), two);
    });
}
