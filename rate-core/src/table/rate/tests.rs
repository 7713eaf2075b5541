use super::*;
use crate::Quota;
use crate::table::Ask;

const TAG: u64 = 42;

fn rate(quota: Quota) -> Rate {
    Rate::new(quota)
}

fn take(table: &Table, rate: &Rate, cost: u64, now: u64) -> bool {
    Ask { table, rate, tag: TAG, cost }.decide::<AnyAlgorithm>(now).is_allowed()
}

#[test]
fn what_the_old_quota_admits_until_a_line_is_rewritten_is_carried_over() {
    // A change takes a while to walk a large table. As of its beginning, nine units taken in the middle of the walk
    // were earned back at once under the faster quota: 19 at one instant from bursts of 10.
    const MILLISECOND: u64 = 1_000_000;
    let (slow, fast) = (rate(Quota::per_second(10)), AnyAlgorithm::from(Quota::per_second(1_000).burst(10)));
    let table = Table::new(1, &slow).expect("one key fits");
    let announced = table.announce(fast, 0);
    let middle = 25 * MILLISECOND;
    assert!(take(&table, &slow, 9, middle), "the line is still written in the old quota");

    assert!(!take(&table, &announced, 2, middle));
    assert!(take(&table, &announced, 1, middle), "a tenth was free and is free");
    assert!(!take(&table, &announced, 1, middle));
    assert!(take(&table, &announced, 1, middle + MILLISECOND));
}

#[test]
fn a_line_is_rewritten_once_and_then_left_alone() {
    let (first, second) = (rate(Quota::per_second(7)), AnyAlgorithm::from(Quota::per_minute(60)));
    let table = Table::new(1, &first).expect("one key fits");
    assert!(take(&table, &first, 7, 0));
    let changed = table.change(second, || 0);
    let state = || {
        let slot = table.lines[0].find(TAG).expect("held");
        table.lines[0].state(slot)
    };
    let before = state();
    for now in [0, 1, 60_000_000_000] {
        assert_eq!(table.catch_up(&changed, 0, TAG, || now).epoch, changed.epoch);
        assert_eq!(state(), before);
    }
}

#[test]
fn a_clock_is_read_for_each_line() {
    let quota = rate(Quota::per_second(7));
    let table = Table::new(100, &quota).expect("a hundred keys fit");
    let readings = core::cell::Cell::new(0_u64);
    let _ = table.change(quota.algorithm, || {
        readings.set(readings.get() + 1);
        readings.get()
    });
    assert!(readings.get() >= table.lines.len() as u64);
}

#[test]
fn a_clock_that_panics_leaves_no_line_locked() {
    let quota = rate(Quota::per_second(7));
    let table = Table::new(1, &quota).expect("one key fits");
    assert!(take(&table, &quota, 7, 0));
    let readings = core::cell::Cell::new(0);
    let change = std::panic::AssertUnwindSafe(|| {
        table.change(quota.algorithm, || {
            readings.set(readings.get() + 1);
            assert!(readings.get() < 2, "the clock broke");
            0
        })
    });
    assert!(std::panic::catch_unwind(change).is_err());
    assert!(!take(&table, &quota, 1, 0), "decided, and still exhausted");
    let changed = table.change(quota.algorithm, || 0);
    assert!(!take(&table, &changed, 1, 0));
}
