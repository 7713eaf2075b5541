//! Every interleaving of two threads on the shipped cell, by each of its two protocols.

use std::sync::Arc;

use super::Cell;
use crate::Quota;
use crate::algorithm::{Algorithm, Gcra};
use crate::sync::tests::in_every_order;

const NOW: u64 = 1_000_000_007;

fn two_threads_get_one_unit_between_them(quota: Quota) {
    let gcra = Gcra::new(quota.burst(2));
    in_every_order(move |race| {
        let cell = Arc::new(Cell::default());
        let take = move |cell: &Arc<Cell>| cell.decide(&gcra, NOW, 1).1.is_none();
        assert!(take(&cell));
        let (one, other) = race.between(&cell, take, take);
        assert_ne!(one, other, "one unit, and not one admission");
        assert!(!take(&cell));
        assert_eq!(gcra.standing(cell.load(), NOW).remaining, 0);
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
    let gcra = Gcra::new(Quota::per_second(1_000_000_007).burst(3));
    // As in the model of the table: the second unit carries into the upper word.
    let now = u64::try_from(((1_u128 << 64) - 1_000_000_001) / 1_000_000_007).expect("18 s");
    let one = gcra.admit(gcra.fresh(), now, 1).expect("fresh");
    let two = gcra.admit(one, now, 1).expect("two of three left");
    assert_eq!((Gcra::pack(one).1, Gcra::pack(two).1), (0, 1));

    in_every_order(move |race| {
        let cell = Arc::new(Cell::default());
        assert_eq!(cell.decide(&gcra, now, 1), (one, None));
        let (written, read) = race.between(&cell, move |cell| cell.decide(&gcra, now, 1), |cell| cell.load());
        assert_eq!(written, (two, None));
        assert!(read == one || read == two, "{read:?}");
    });
    in_every_order(move |race| {
        let cell = Arc::new(Cell::default());
        assert_eq!(cell.decide(&gcra, now, 1), (one, None));
        let (written, (state, wait)) = race.between(
            &cell,
            move |cell| cell.decide(&gcra, now, 1),
            move |cell| cell.decide(&gcra, now, 3),
        );
        assert_eq!(written, (two, None));
        assert!((state == one || state == two) && wait.is_some(), "{state:?}, {wait:?}");
        assert_eq!(cell.load(), two);
    });
}
