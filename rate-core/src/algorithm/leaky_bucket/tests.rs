use super::*;

fn bucket(limit: u64, period: u64, queue: u64) -> LeakyBucket {
    LeakyBucket::from_ticks(limit, period, queue).expect("a quota")
}

#[test]
fn units_leave_one_interval_apart_whatever_the_queue_holds() {
    let bucket = bucket(10, 1_000, 5);
    let mut state = bucket.fresh();
    for now in [0, 100, 200, 350, 450] {
        state = bucket.admit(state, now, 1).expect("its turn");
        assert_eq!(bucket.admit(state, now, 1), Err(100));
        assert_eq!(bucket.standing(state, now), Standing { remaining: 0, reset_after: 100 });
        assert_eq!(bucket.standing(state, now + 100), Standing { remaining: 5, reset_after: 0 });
    }
    // Several leave at once, and then nobody for as many intervals.
    let state = bucket.admit(state, 550, 3).expect("its turn");
    assert_eq!(bucket.admit(state, 550, 1), Err(300));
}

#[test]
fn turns_are_not_delayed_by_fractions_of_a_tick() {
    // A unit each three and a third ticks. Who comes at every turn gets as many as if there were no ticks.
    let bucket = bucket(3, 10, 1);
    let mut state = bucket.fresh();
    for unit in 0..3_000_u64 {
        let turn = (unit * 10).div_ceil(3);
        if unit > 0 {
            assert_eq!(bucket.admit(state, turn - 1, 1), Err(1), "unit {unit}");
        }
        state = bucket.admit(state, turn, 1).expect("its turn");
    }
    // Who comes a tick after it gets nothing back.
    let once = bucket.admit(bucket.fresh(), 10, 1).expect("a new key");
    assert_eq!(once, Tat::new(13, 1));
    assert_eq!(bucket.admit(once, 14, 1), Ok(Tat::new(16, 2)));
    assert_eq!(bucket.admit(once, 15, 1), Ok(Tat::new(18, 1)));
    assert_eq!(bucket.fresh_from(once), 15);
    // A turn with a whole tick is over with it.
    let whole = Tat::new(13, 0);
    assert_eq!(bucket.admit(whole, 13, 1), Ok(Tat::new(16, 1)));
    assert_eq!(bucket.admit(whole, 14, 1), Ok(Tat::new(17, 1)));
    assert_eq!(bucket.fresh_from(whole), 13);
}

#[test]
fn the_queue_holds_its_units_and_no_more() {
    let bucket = bucket(10, 1_000, 3);
    let (mut state, mut turns) = (bucket.fresh(), Vec::new());
    for _ in 0..10 {
        let Ok((next, wait)) = bucket.reserve(state, 0, 1, u64::MAX) else { break };
        turns.push(wait);
        state = next;
    }
    assert_eq!(turns, [0, 100, 200]);
    // For one more there is room after one interval, and the wait it is ready for comes on top.
    for (max_wait, wait) in [(u64::MAX, 100), (200, 100), (199, 101), (50, 250), (0, 300)] {
        assert_eq!(bucket.reserve(state, 0, 1, max_wait), Err(wait), "{max_wait}");
        assert!(bucket.reserve(state, wait, 1, max_wait).is_ok());
    }
    assert_eq!(bucket.reserve(state, 0, 3, u64::MAX), Err(300));
    assert_eq!(bucket.reserve(state, 100, 2, u64::MAX), Err(100));
}

#[test]
fn only_the_last_who_waits_can_leave_the_queue() {
    let bucket = bucket(10, 1_000, 3);
    let (first, _) = bucket.reserve(bucket.fresh(), 0, 1, 0).expect("nobody waits");
    let (second, wait) = bucket.reserve(first, 0, 1, 100).expect("room");
    let (third, _) = bucket.reserve(second, 0, 1, 200).expect("room");
    let charge = Charged { units: 1, at: wait };
    assert_eq!(bucket.cancel(third, second, charge, 0), (third, 0));
    assert_eq!(bucket.cancel(second, second, charge, 0), (first, 1));
    assert_eq!(bucket.cancel(second, second, charge, 99), (first, 1));
    // It may pass already.
    assert_eq!(bucket.cancel(second, second, charge, 100), (second, 0));
    assert_eq!(bucket.cancel(second, second, charge, 101), (second, 0));
    // Nobody has more to leave with than there is.
    assert_eq!(bucket.cancel(second, second, Charged { units: 3, at: 100 }, 0), (second, 0));
}

#[test]
fn who_must_wait_longest_is_kept_longest() {
    let bucket = bucket(10, 1_000, 3);
    let strength = |ticks| bucket.strength(bucket.pack(Tat::new(ticks, 0)), 0);
    assert!(strength(200) > strength(100) && strength(100) > strength(2) && strength(2) > strength(1));
    assert!(strength(1) > strength(0));
    assert_eq!(bucket.gcra(), &Gcra::from_ticks(10, 1_000, 3).expect("a quota"));
}

#[test]
fn a_penalty_lasts_as_long_as_it_says() {
    let bucket = bucket(10, 1_000, 3);
    let spent = bucket.admit(bucket.fresh(), 0, 3).expect("a new key");
    assert_eq!(bucket.penalized(spent, 0, 0), spent);
    assert_eq!(bucket.penalized(spent, 0, 299), spent);
    assert_eq!(bucket.penalized(spent, 0, 301), Tat::new(301, 0));
}
