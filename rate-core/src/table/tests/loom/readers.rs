//! Readers, who never lock.

use std::time::Duration;

use super::{KEY, LINES, Limit, NOW};
use crate::algorithm::{Algorithm, Gcra, Packed, SlidingLog, Tat, Word};
use crate::sync::Backoff;
use crate::sync::tests::in_every_order;
use crate::table::{Ask, Usual, decide_all, decide_mixed};
use crate::{Decision, Quota};

#[test]
fn loom_a_reader_never_sees_half_a_state() {
    // A tick and a half between two units, so that the charge that is made meanwhile changes both words. Either half of it
    // would be a state that was never there.
    let quota = Quota::new(2, Duration::from_nanos(3)).expect("a quota").burst(3);
    let (gcra, now) = (Gcra::new(quota), NOW);
    let one = gcra.admit(gcra.fresh(), now, 1).expect("fresh");
    let two = gcra.admit(one, now, 1).expect("two of three left");
    assert_eq!((one, two), (Tat::new(now + 1, 1), Tat::new(now + 3, 0)));
    let two = gcra.pack(two);
    let seen = |decision: Decision| (decision.remaining(), decision.reset_after());
    let model = move |write: fn(&Limit, u64, Word), read: fn(&Limit, u64) -> Decision| {
        in_every_order(move |race| {
            let limit = Limit::new(quota, 8);
            assert!(LINES.iter().all(|key| limit.decide(*key, 1, now).is_allowed()));
            let before = seen(limit.peek(LINES[0], now));
            let ((), read) =
                race.between(&limit, move |limit| write(limit, now, two), move |limit| read(limit, now));
            let after = seen(limit.peek(LINES[0], now));
            assert_eq!((before.0, after.0), (2, 1));
            assert!([before, after].contains(&seen(read)), "{read:?} is neither {before:?} nor {after:?}");
        });
    };

    let decide = |limit: &Limit, now, _| assert!(limit.decide(LINES[0], 1, now).is_allowed());
    // As a check does that lost a race, without having read the state before.
    let locked = |limit: &Limit, _, two| {
        let line = &limit.table.lines[0];
        let guard = line.lock(&mut Backoff::default());
        line.set_state(line.find(LINES[0]).expect("held"), two);
        line.unlock(guard);
    };
    for write in [decide, locked] {
        model(write, |limit, now| limit.peek(LINES[0], now));
        model(write, |limit, now| refusal(limit, now, [(LINES[0], 3)]));
        model(write, |limit, now| refusal(limit, now, [(LINES[0], 3), (LINES[1], 1)]));
        model(write, |limit, now| refusal_of_pair(limit, now, [(LINES[0], 3), (LINES[1], 1)]));
        model(write, |limit, now| refusal(limit, now, [(LINES[0], 3), (LINES[1], 1), (KEY, 1)]));
    }
}

/// The first of two answers in the short form, which leaves to the long one what somebody is in the way of.
fn refusal_of_pair(limit: &Limit, now: u64, costs: [(u64, u64); 2]) -> Decision {
    let [first, second] = costs.map(|(tag, cost)| Ask { table: &limit.table, rate: &limit.rate, tag, cost });
    let decision = match Usual::of(&first, &second) {
        Some(usual) => usual.decide(now).map(|[decision, _]| decision),
        None => decide_mixed(&first, &second, now)
            .map(|[half, _]| Decision::new(limit.rate.most(), half.left(&first, now), half.wait)),
    };
    decision.unwrap_or_else(|| refusal(limit, now, costs))
}

/// The first of several answers, all of them refused together.
fn refusal<const N: usize>(limit: &Limit, now: u64, costs: [(u64, u64); N]) -> Decision {
    if let [(tag, cost)] = costs[..] {
        return limit.decide(tag, cost, now);
    }
    let asks = costs.map(|(tag, cost)| Ask { table: &limit.table, rate: &limit.rate, tag, cost });
    let mut first = None;
    assert!(!decide_all::<4, 8>(&asks, now, &mut |index, decision| if index == 0 {
        first = Some(decision)
    }));
    first.expect("an answer for each")
}

#[test]
fn loom_a_reader_never_sees_half_a_log() {
    in_every_order(|race| {
        let limit = Limit::of(SlidingLog::from_ticks(4, 1_000).expect("a log"), 1);
        assert!(limit.decide(KEY, 1, NOW).is_allowed());
        // The first entry has expired, and goes as the second is written.
        let later = NOW + 1_000;
        let (written, read) = race.between(
            &limit,
            move |limit| limit.decide(KEY, 3, later).is_allowed(),
            move |limit| limit.peek(KEY, later).remaining(),
        );
        assert!(written);
        assert!(read == 4 || read == 1, "{read} left");
        assert_eq!(limit.peek(KEY, later).remaining(), 1);
    });
}
