use super::*;
use crate::algorithm::gcra::LONGEST;

/// Found by the fuzzer: what was taken at the start had come back by itself, and its refund gave back units that
/// had been taken since. Then a hundred were admitted in one period of a limit of 99.
#[test]
fn a_refund_of_what_has_expired_gives_back_nothing_of_what_was_taken_since() {
    let log = SlidingLog::from_ticks(99, 1_000).expect("a small log");
    let state = log.admit(log.fresh(), 0, 52).expect("fresh");
    let state = log.admit(state, 1_000, 99).expect("the 52 have expired");
    let (state, units) = log.refund(state, Charged { units: 52, at: 0 }, 1_000);
    assert_eq!(units, 0);
    assert_eq!(log.admit(state.clone(), 1_000, 1), Err(1_000));

    // Nor does one that comes late, when the charge still seems to count.
    let (state, units) = log.refund(state, Charged { units: 52, at: 0 }, 999);
    assert_eq!(units, 0);
    assert_eq!(log.admit(state, 1_000, 1), Err(1_000));
}

/// Five units that were refunded in a penalty could be taken at once.
#[test]
fn a_refund_does_not_end_a_penalty() {
    let log = SlidingLog::from_ticks(10, 60).expect("a small log");
    let state = log.admit(log.fresh(), 0, 5).expect("fresh");
    let (state, units) = log.refund(log.penalized(state, 0, 30), Charged { units: 5, at: 0 }, 0);
    assert_eq!(units, 0);
    // What was taken counts after it as it did before.
    assert_eq!(log.admit(state, 1, 1), Err(59));
    // A new key is free again when it is over, however young the clock is.
    let penalized = log.penalized(log.fresh(), 0, 30);
    assert_eq!(log.admit(penalized.clone(), 1, 1), Err(29));
    assert!(log.admit(penalized, 30, 10).is_ok());
}

#[test]
fn a_header_refuses_as_the_log_does_or_says_nothing() {
    use crate::algorithm::Ring;

    let mut told = 0;
    for (limit, period, start) in [(3, 10, 0), (3, 10, 100), (1, 5, 7), (4, 1, 9), (2, 10, u64::MAX - 19)] {
        let log = SlidingLog::from_ticks(limit, period).expect("a small log");
        let mut state = log.fresh();
        for step in [0, 0, 1, 3, 3, 4, 9, 10, 11, 13, 14, 19_u64] {
            let now = start + step;
            for cost in (0..=limit + 1).chain([u64::MAX]) {
                let whole = Entries::read(&state);
                let alone = log.refused((&state).header(), now, cost);
                let taken = log.take(&whole, now, cost.max(1));
                match alone {
                    Some((wait, left)) => {
                        assert_eq!(
                            (Some(wait), left),
                            (taken.wait, taken.left),
                            "{cost} at {now}: {state:?}"
                        );
                        told += 1;
                    }
                    // Of one unit it says no more than the log only once something has expired, or time is nearly over.
                    None if cost == 1 && taken.wait.is_some() => {
                        assert!(state.iter().any(|(expiry, _)| expiry <= now || expiry > u64::MAX - period));
                    }
                    None => {}
                }
            }
            state = log.admit(state.clone(), now, 1).unwrap_or(state);
        }
        assert_eq!(log.refused((&log.penalized(state.clone(), start, start + 1)).header(), start, 0), None);
    }
    assert!(told > 20, "{told}");
}

#[test]
fn who_comes_after_others_waits_until_they_have_expired() {
    let log = SlidingLog::from_ticks(2, 10).expect("a small log");
    let state = log.admit(log.fresh(), 100, 1).expect("fresh");
    let alone = |units| log.admit(state.clone(), 104, units).err().unwrap_or(0);
    let behind = |ahead, cost| log.wait_behind(alone, ahead, cost);
    assert_eq!(
        [(0, 1), (1, 1), (2, 1), (3, 1), (4, 1)].map(|(ahead, cost)| behind(ahead, cost)),
        [0, 6, 10, 16, 20]
    );
    assert_eq!([(0, 2), (1, 2), (2, 2)].map(|(ahead, cost)| behind(ahead, cost)), [6, 10, 16]);
}

#[test]
fn a_log_whose_limit_was_raised_has_room_for_all_of_it() {
    let [small, large] = [2, 1_000].map(|limit| SlidingLog::from_ticks(limit, 1_000).expect("a log"));
    let state = small.admit(small.fresh(), 0, 1).expect("fresh");
    let state = (0..999).try_fold(state, |state, now| large.admit(state, now, 1)).expect("a thousand fit");
    assert_eq!(state.iter().count(), 999);
    assert_eq!(large.admit(state.clone(), 999, 1), Err(1));
    assert!(large.admit(state, 1_000, 2).is_ok());
}

#[test]
fn the_log_whose_loss_admits_most_is_kept_longest() {
    let log = SlidingLog::from_ticks(5, 100).expect("a quota");
    let strength = |state: &Log, now| log.strength(&Entries::read(state), now);
    let used = log.admit(log.fresh(), 10, 1).and_then(|state| log.admit(state, 20, 2)).expect("three fit");
    assert_eq!([20, 110, 119, 120].map(|now| strength(&used, now)), [3, 2, 2, 0]);
    let spent = log.admit(used.clone(), 30, 2).expect("five fit");
    let penalized = log.penalized(used, 30, 31);
    assert_eq!([strength(&spent, 30), strength(&penalized, 30)], [5, 6]);
    let is_penalized = |state: &Log, now| log.is_penalized(&Entries::read(state), now);
    assert!(!is_penalized(&log.fresh(), 30) && !is_penalized(&spent, 30));
    assert_eq!([30, 119, 120].map(|now| is_penalized(&penalized, now)), [true, true, false]);
}

#[test]
fn of_each_unit_that_is_taken_over_the_same_part_of_its_period_is_left() {
    let [old, same, short, long] = [(4, 100), (8, 100), (4, 50), (8, 1_000)]
        .map(|(limit, period)| SlidingLog::from_ticks(limit, period).expect("a log"));
    let mut used = old.admit(old.fresh(), 10, 1).and_then(|log| old.admit(log, 41, 2)).expect("three fit");
    let taken = |to: &SlidingLog, from: &mut Log, at| {
        let mut target = to.fresh();
        let done = to.take_over(&old, &Entries::read(from), at, || &mut target);
        (done, target.iter().collect::<Vec<_>>())
    };
    assert_eq!(taken(&same, &mut used, 120), (true, vec![(110, 2), (141, 4)]));
    // Nine tenths less one, and nine tenths and a half.
    assert_eq!(taken(&short, &mut used, 50), (true, vec![(80, 1), (96, 2)]));
    assert_eq!(taken(&long, &mut used, 50), (true, vec![(650, 2), (960, 4)]));
    // Of which one has expired.
    assert_eq!(taken(&long, &mut used, 110), (true, vec![(420, 4)]));
    // As of when the last was taken.
    assert_eq!(taken(&short, &mut used, 7), (true, vec![(76, 1), (91, 2)]));
    for at in [141, u64::MAX] {
        assert_eq!(taken(&short, &mut used, at), (false, vec![]));
    }
    assert_eq!(taken(&same, &mut old.fresh(), 0), (false, vec![]));
    assert_eq!(taken(&short, &mut old.fresh(), 0), (false, vec![]));
    let mut penalized = old.penalized(used, 50, 300);
    assert_eq!(taken(&same, &mut penalized, 50), (true, vec![(300, 9)]));
    assert_eq!(taken(&short, &mut penalized, 50), (false, vec![]));
    // No part of a period that would end after the end of time.
    let mut last = old.admit(old.fresh(), u64::MAX - 100, 1).expect("a period is left");
    assert_eq!(taken(&long, &mut last, u64::MAX - 50), (true, vec![(u64::MAX, 2)]));
}

#[test]
fn a_log_cannot_be_made_of_nothing_or_of_more_than_is_remembered() {
    let field = |limit, period| SlidingLog::from_ticks(limit, period).err().map(|error| error.field());
    assert_eq!(field(SlidingLog::MAX_LIMIT, LONGEST), None);
    assert_eq!(field(0, 1), Some("limit"));
    assert_eq!(field(SlidingLog::MAX_LIMIT + 1, 1), Some("limit"));
    assert_eq!(field(u64::MAX, 1), Some("limit"));
    assert_eq!(field(1, 0), Some("period"));
    assert_eq!(field(1, LONGEST + 1), Some("period"));
    assert_eq!(field(1, u64::MAX), Some("period"));
}

#[test]
fn a_log_has_no_burst_of_its_own() {
    let quota = Quota::per_second(10);
    assert_eq!(SlidingLog::try_new(quota), SlidingLog::from_ticks(10, 1_000_000_000));
    for burst in [9, 11] {
        let error = SlidingLog::try_new(quota.burst(burst)).expect_err("a burst");
        assert_eq!(error.field(), "burst");
    }
}

#[test]
fn a_log_has_room_for_each_unit_of_its_limit() {
    let log = SlidingLog::from_ticks(5, 100).expect("a quota");
    assert_eq!((log.entries(), log.capacity(), log.period(), 1 << log.size()), (5, 5, 100, 8));
    let one_by_one =
        (10..15).try_fold(log.fresh(), |state, now| log.admit(state, now, 1)).expect("five are allowed");
    assert_eq!(one_by_one.iter().collect::<Vec<_>>(), [(110, 1), (111, 1), (112, 1), (113, 1), (114, 1)]);
    assert_eq!(log.admit(one_by_one, 14, 1), Err(96));
}

#[test]
fn a_penalty_counts_as_a_unit_more_than_everything_so_that_it_expires_then() {
    let log = SlidingLog::from_ticks(5, 100).expect("a quota");
    let spent = log.admit(log.fresh(), 150, 2).expect("a new key");
    let penalized = |until| log.penalized(spent.clone(), 150, until).iter().collect::<Vec<_>>();
    assert_eq!(penalized(150), [(250, 2)]);
    // No sooner than what was taken.
    assert_eq!(penalized(151), [(250, 6)]);
    assert_eq!(penalized(250), [(250, 6)]);
    assert_eq!(penalized(300), [(300, 6)]);
}
