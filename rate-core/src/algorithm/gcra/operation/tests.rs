use super::*;

const SECOND: u64 = 1_000_000_000;

fn gcra(limit: u64, period: u64, burst: u64) -> Gcra {
    Gcra::from_ticks(limit, period, burst).expect("a quota")
}

#[test]
fn a_refund_ends_a_penalty_by_no_more_than_one_interval() {
    for gcra in [gcra(10, SECOND, 20), gcra(7, SECOND, 3), gcra(999_983, SECOND, 5), gcra(1, SECOND, 1)] {
        let most = gcra.capacity();
        for time in [1, 10, SECOND, 10 * SECOND] {
            let (now, until) = (SECOND, SECOND + time);
            let spent = gcra.admit(gcra.fresh(), now, most).expect("a new key");
            let penalized = gcra.penalized(spent, now, until);
            // Nobody is served early of whom nothing is left to refund.
            let interval = gcra.step.up();
            for at in
                [now, until.saturating_sub(interval + 1).max(now), until.saturating_sub(interval).max(now)]
            {
                let (refunded, _) = gcra.refund(penalized, Charged { units: most, at: now }, at);
                let free = at + gcra.admit(refunded, at, 1).err().unwrap_or(0);
                assert!(free + interval >= until, "{gcra:?}: free at {free}, not at {until}");
            }
        }
    }
    // A penalty of one interval is one that a refund ends.
    let gcra = gcra(10, SECOND, 10);
    let spent = gcra.admit(gcra.fresh(), 0, 10).expect("a new key");
    let penalized = gcra.penalized(spent, 0, SECOND / 10);
    assert_eq!(gcra.refund(penalized, Charged { units: 5, at: 0 }, 0).1, 5);
}

#[test]
fn a_debit_takes_as_many_units_as_time_has_room_for() {
    // It took none where it could not take all.
    let gcra = gcra(1, SECOND, 1);
    let all = u64::MAX / SECOND;
    let (owing, taken) = gcra.debit(gcra.fresh(), 0, 100_000_000_000, u64::MAX);
    assert_eq!((owing, taken), (Tat::new(all * SECOND, 0), all));
    assert_eq!(gcra.debit(owing, 0, 1, u64::MAX), (owing, 0));
    assert_eq!(gcra.debit(gcra.fresh(), u64::MAX - 5 * SECOND, 7, u64::MAX).1, 5);
    assert_eq!(gcra.debit(gcra.fresh(), u64::MAX, 7, u64::MAX), (gcra.fresh(), 0));
    // To the last part of the last tick.
    let thirds = self::gcra(3, 1, 3);
    assert_eq!(thirds.debit(thirds.fresh(), u64::MAX, 9, 9), (Tat::new(u64::MAX, 2), 2));
}

#[test]
fn nobody_waits_behind_others_past_the_end_of_time() {
    use crate::algorithm::Behind;

    let gcra = Gcra::from_ticks(2, 21, 2).expect("a quota");
    // Each unit takes ten ticks and a half.
    let now = u64::MAX - 42;
    let behind = |ahead, cost| gcra.wait_behind(gcra.fresh(), now, ahead, cost);
    assert_eq!([(1, 1), (2, 1), (3, 1), (2, 2)].map(|(ahead, cost)| behind(ahead, cost)), [0, 11, 21, 21]);
    assert_eq!([(4, 1), (3, 2), (u64::MAX, 1)].map(|(ahead, cost)| behind(ahead, cost)), [NEVER; 3]);
}

#[test]
fn a_refund_of_nothing_leaves_a_state_where_it_is() {
    // Moved to the present, an idle key would be worse off by a request that comes late.
    for gcra in [gcra(10, SECOND, 20), gcra(7, SECOND, 3)] {
        let state = gcra.admit(gcra.fresh(), 0, 3).expect("a new key");
        for (units, at, now) in [(0, 0, 0), (0, 0, 5 * SECOND), (3, 0, 5 * SECOND), (3, 0, SECOND)] {
            assert_eq!(gcra.refund(state, Charged { units, at }, now), (state, 0), "{units} at {now}");
        }
    }
}
