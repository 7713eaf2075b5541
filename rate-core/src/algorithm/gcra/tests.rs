use super::*;

fn gcra(limit: u64, period: u64, burst: u64) -> Gcra {
    Gcra::from_ticks(limit, period, burst).expect("a quota")
}

const SECOND: u64 = 1_000_000_000;

/// One quota of each kind: whole ticks, fractions of a tick, several units per tick, and the most parts there are.
fn kinds() -> [Gcra; 5] {
    [
        gcra(10, SECOND, 20),
        gcra(7, SECOND, 3),
        gcra(3_000_000_019, SECOND, 1_000_000),
        gcra(1 << 32, (1 << 32) + 1, 5),
        gcra(2, 1, 1),
    ]
}

#[test]
fn a_state_fits_the_96_bits_of_a_store_however_late_it_is() {
    for gcra in kinds() {
        for now in [0, 1, SECOND, u64::MAX - HORIZON, u64::MAX - SECOND, u64::MAX - 1, u64::MAX] {
            let (mut state, mut admitted) = (gcra.fresh(), 0);
            while let Ok(next) = gcra.admit(state, now, 1) {
                assert!(next > state, "charged nothing at {now}");
                assert!(u64::from(next.parts()) < gcra.parts.get(), "cut off at {now}");
                (state, admitted) = (next, admitted + 1);
            }
            assert!(admitted <= gcra.capacity() && (admitted == gcra.capacity() || now > u64::MAX - HORIZON));
        }
    }
}

#[test]
fn the_same_code_counts_in_microseconds() {
    // Seven per second: 142,857.14… µs apart.
    let gcra = gcra(7, 1_000_000, 2);
    let mut state = gcra.admit(gcra.fresh(), 0, 1).expect("a new key");
    // One unit in reserve, so that the fraction of a tick that everybody waits too long is not lost.
    for unit in 0..70_000_u64 {
        let due = (unit * 1_000_000).div_ceil(7);
        if unit > 0 {
            assert_eq!(gcra.admit(state, due - 1, 1), Err(1), "unit {unit}");
        }
        state = gcra.admit(state, due, 1).expect("due");
    }
    assert_eq!(gcra.fresh_from(state), (70_001_u64 * 1_000_000).div_ceil(7));
}

#[test]
fn a_key_is_fresh_from_the_first_tick_at_which_it_cannot_be_told_from_a_new_one() {
    for gcra in kinds() {
        let state = gcra.admit(gcra.fresh(), SECOND, 1).expect("a new key");
        let fresh_from = gcra.fresh_from(state);
        assert_eq!(gcra.standing(state, fresh_from), gcra.standing(gcra.fresh(), fresh_from));
        assert_ne!(gcra.standing(state, fresh_from - 1), gcra.standing(gcra.fresh(), fresh_from - 1));
        assert_eq!(gcra.fresh_from(gcra.fresh_at(fresh_from)), fresh_from);
    }
}

#[test]
fn a_torn_or_impossible_state_is_answered_without_a_panic() {
    // A reader may see half of one state and half of the next; it finds out afterwards.
    for gcra in kinds() {
        for (low, high) in
            [(0, u32::MAX), (u64::MAX, 0), (u64::MAX, u32::MAX), (1, 1), (SECOND, u32::MAX - 1)]
        {
            let state = Tat::new(low, high);
            for (now, cost) in
                [(0, 0), (0, 1), (SECOND, gcra.capacity()), (u64::MAX, u64::MAX), (u64::MAX, 1)]
            {
                let _ = gcra.admit(state, now, cost);
                assert!(gcra.standing(state, now).remaining <= gcra.capacity());
                let _ = gcra.fresh_from(state);
                for next in kinds() {
                    let _ = gcra.carry_over(&next, state, now);
                }
            }
        }
    }
}

#[test]
fn carrying_over_to_the_same_quota_moves_a_state_by_at_most_a_tick() {
    for gcra in kinds() {
        for cost in [1, gcra.capacity()] {
            let state = gcra.admit(gcra.fresh(), SECOND, cost).expect("a new key");
            // Before, at, and after the charge, and long after everything is earned back.
            for at in [0, SECOND - 1, SECOND, SECOND + 1, gcra.fresh_from(state), 100 * SECOND] {
                let carried = gcra.carry_over(&gcra, state, at);
                assert!(carried >= state, "{gcra:?} at {at}: rewound");
                assert!(gcra.fresh_from(carried) <= gcra.fresh_from(state) + 2, "{gcra:?} at {at}: delayed");
            }
        }
    }
}

#[test]
fn carrying_over_never_leaves_more_than_the_share_that_was_free() {
    for from in kinds() {
        for to in kinds() {
            for cost in 0..=from.capacity().min(20) {
                let cost = if from.capacity() > 20 { cost * (from.capacity() / 20) } else { cost };
                let state = from.admit(from.fresh(), SECOND, cost).expect("a new key");
                let carried = from.carry_over(&to, state, SECOND);
                let left = u128::from(to.standing(carried, SECOND).remaining);
                let free = u128::from(from.capacity() - cost);
                assert!(
                    left * u128::from(from.capacity()) <= free * u128::from(to.capacity()),
                    "{from:?} to {to:?}"
                );
                assert!(
                    cost > 0 || left == u128::from(to.capacity()),
                    "an idle key was charged for the change"
                );
            }
        }
    }
}

#[test]
fn what_was_taken_after_the_instant_of_a_change_is_not_given_back() {
    // At 0 the state looks like more than everything used. It used to be cut down to one burst from 0 on, and the key
    // was fresh again when the burst had hardly been spent.
    let (slow, fast) = (gcra(10, SECOND, 10), gcra(1_000, SECOND, 10));
    let exhausted = slow.admit(slow.fresh(), 5 * SECOND, 10).expect("a new key");
    let carried = slow.carry_over(&fast, exhausted, 0);
    assert_eq!(fast.admit(carried, 5 * SECOND, 1), Err(SECOND / 1_000));
}

#[test]
fn carrying_over_at_the_end_of_time_saturates() {
    let (slow, large) = (gcra(1, SECOND, 1), gcra(7, SECOND, 10_000));
    let now = u64::MAX - SECOND - 1;
    let exhausted = slow.admit(slow.fresh(), now, 1).expect("a new key");
    let carried = slow.carry_over(&large, exhausted, now);
    assert!(u64::from(carried.parts()) < large.parts.get(), "cut off");
    assert!(large.admit(carried, now, 1).is_err(), "freed");
}
