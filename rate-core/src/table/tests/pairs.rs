//! Two limits decided in the short way, against the general one.

use super::layout::tags as tags_of;
use crate::algorithm::{
    AnyAlgorithm, Calendar, CalendarWindow, FixedWindow, Gcra, LeakyBucket, SlidingLog, SlidingWindow,
};
use crate::table::{Ask, Rate, Table, Usual, decide_all, decide_mixed};
use crate::{Decision, Quota};

const KEYS: usize = 200;

fn algorithms() -> [AnyAlgorithm; 7] {
    let quota = Quota::per_second(3);
    [
        Gcra::new(Quota::per_second(5).burst(3)).into(),
        Gcra::new(Quota::per_second(7).burst(3)).into(),
        LeakyBucket::new(quota).into(),
        FixedWindow::new(quota).staggered().into(),
        CalendarWindow::try_new(20, Calendar::Day).expect("a limit").into(),
        SlidingWindow::new(quota).into(),
        SlidingLog::new(quota).into(),
    ]
}

/// A full table of each limit: some of the keys are in their second line.
fn tables(rates: &[Rate; 2]) -> [Table; 2] {
    [0, 1].map(|index| {
        let (rate, table) = (&rates[index], Table::new(KEYS, &rates[index]).expect("it fits"));
        for tag in tags_of(11).take(KEYS) {
            assert!(Ask { table: &table, rate, tag, cost: 1 }.decide::<AnyAlgorithm>(0).is_allowed());
        }
        table
    })
}

fn in_short(asks: &[Ask<'_>; 2], now: u64) -> Option<[Decision; 2]> {
    let [first, second] = asks;
    if let Some(usual) = Usual::of(first, second) {
        return usual.decide(now);
    }
    let [one, other] = decide_mixed(first, second, now)?;
    Some([
        Decision::new(first.rate.most(), one.left(first, now), one.wait),
        Decision::new(second.rate.most(), other.left(second, now), other.wait),
    ])
}

fn in_general(asks: &[Ask<'_>; 2], now: u64) -> [Decision; 2] {
    let mut decisions = [None; 2];
    decide_all::<2, 4>(asks, now, &mut |index, decision| decisions[index] = Some(decision));
    decisions.map(|decision| decision.expect("an answer for each"))
}

#[test]
fn two_limits_are_decided_in_the_short_way_as_in_the_general_one() {
    let tags: Vec<u64> = tags_of(11).take(KEYS).collect();
    for first in algorithms() {
        for second in algorithms() {
            let rates = [Rate::new(first), Rate::new(second)];
            let (tables, twins) = (tables(&rates), tables(&rates));
            let (mut short, mut in_second, mut allowed) = (0, 0, 0);
            let draws = tags_of(12).take(4_000);
            let mut now = 0;
            for draw in draws {
                now += draw % 3_000_000;
                let keys = [tags[(draw >> 8) as usize % KEYS], tags[(draw >> 32) as usize % KEYS]];
                let costs = [draw >> 24 & 3, draw >> 27 & 1];
                // At times late.
                let at = if draw >> 60 == 0 { now / 2 } else { now };
                let asks = |tables| {
                    let [one, other]: &[Table; 2] = tables;
                    [
                        Ask { table: one, rate: &rates[0], tag: keys[0], cost: costs[0] },
                        Ask { table: other, rate: &rates[1], tag: keys[1], cost: costs[1] },
                    ]
                };
                let decided = in_short(&asks(&tables), at);
                short += usize::from(decided.is_some());
                let expected = in_general(&asks(&twins), at);
                assert_eq!(
                    decided.unwrap_or_else(|| in_general(&asks(&tables), at)),
                    expected,
                    "{first} with {second}, keys {keys:x?}, costs {costs:?} at {at}"
                );
                let lies_second = asks(&tables)
                    .iter()
                    .any(|ask| ask.table.lines[ask.table.first_home(ask.tag)].find(ask.tag).is_none());
                in_second += usize::from(decided.is_some() && lies_second);
                allowed += usize::from(expected.iter().all(Decision::is_allowed));
            }
            assert!(
                short > 1_500 && in_second > 50,
                "{first} with {second}: {short} in short, {in_second} of them in a second line"
            );
            assert!((200..3_900).contains(&allowed), "{first} with {second}: {allowed} allowed");
        }
    }
}
