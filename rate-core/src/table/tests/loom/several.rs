//! Several limits in one decision.

use super::{KEY, LINES, Limit, OTHER_KEY, PAIR};
use crate::sync::tests::in_every_order;

/// Two lines of one table, each with a key that has one unit left.
///
/// Lines are locked in the order of their addresses. Those of two tables would differ from run to run, and loom needs
/// every run to be the same.
fn two_lines() -> (Limit, [u64; 2]) {
    let limit = Limit::new(PAIR, 8);
    assert!(limit.take_both(LINES));
    assert_eq!(LINES.map(|key| limit.lines_with(key)), [[0], [1]]);
    (limit, LINES)
}

#[test]
fn loom_a_decision_over_two_limits_is_charged_to_both_or_to_neither() {
    for reversed in [false, true] {
        in_every_order(move |race| {
            let (limit, [a, b]) = two_lines();
            let keys = if reversed { [b, a] } else { [a, b] };
            let (both, alone) = race.between(
                &limit,
                move |limit| limit.take_both([a, b]),
                move |limit| keys.map(|key| limit.take(key)),
            );
            assert_eq!(both, alone == [false, false], "both {both}, alone {alone:?}");
            for (key, alone) in keys.into_iter().zip(alone) {
                assert_eq!(limit.remaining(key), u64::from(!alone && !both));
            }
        });
    }
}

#[test]
fn loom_decisions_over_the_same_limits_in_either_order_do_not_wait_for_each_other() {
    in_every_order(|race| {
        let (limit, [a, b]) = two_lines();
        let (straight, reversed) =
            race.between(&limit, move |limit| limit.take_both([a, b]), move |limit| limit.take_both([b, a]));
        assert_ne!(straight, reversed, "one unit of each, and not one admission");
        assert_eq!([limit.remaining(a), limit.remaining(b)], [0, 0]);
    });
}

#[test]
fn loom_a_newcomer_to_two_limits_is_charged_to_both_or_to_neither() {
    in_every_order(|race| {
        let limit = Limit::new(PAIR.burst(1), 1);
        let (both, alone) =
            race.between(&limit, |limit| limit.take_both([KEY, OTHER_KEY]), |limit| limit.take(OTHER_KEY));
        assert_ne!(both, alone);
        assert_eq!((limit.remaining(KEY), limit.remaining(OTHER_KEY)), (u64::from(alone), 0));
        assert_eq!(limit.table.len(), if both { 2 } else { 1 });
    });
}
