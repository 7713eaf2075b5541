use super::*;
use crate::Quota;
use crate::algorithm::SlidingWindow;
use crate::table::Ask;

const TAG: u64 = 42;

fn rate(quota: Quota) -> Rate {
    Rate::new(quota)
}

fn take(table: &Table, rate: &Rate, cost: u64, now: u64) -> bool {
    take_of(table, rate, TAG, cost, now)
}

fn take_of(table: &Table, rate: &Rate, tag: u64, cost: u64, now: u64) -> bool {
    Ask { table, rate, tag, cost }.decide::<AnyAlgorithm>(now).is_allowed()
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

const SECOND: u64 = 1_000_000_000;

/// A table whose only key spent ten per minute at 30 s and has them back at 90 s.
fn spent() -> (Table, Rate) {
    let bucket = rate(Quota::per_minute(10));
    let table = Table::new(1, &bucket).expect("one key fits");
    assert!(take(&table, &bucket, 10, 30 * SECOND));
    (table, bucket)
}

#[test]
fn a_dropped_key_is_still_spent_for_a_late_request_under_windows_that_end_later() {
    // When it was fresh was rounded down to the end of a window, before which the request came that found it fresh.
    let (table, bucket) = spent();
    for other in 1..=6 {
        assert!(take_of(&table, &bucket, other, 1, 100 * SECOND));
    }
    assert_eq!(table.lines[0].find(TAG), None, "dropped as fresh");
    let windows = table.change(SlidingWindow::new(Quota::per_minute(10)).into(), || 100 * SECOND);
    for late in [31, 59, 60, 65, 89] {
        assert!(!take(&table, &windows, 1, late * SECOND), "late, at {late} s");
    }
    // Nor is anybody refused for it who is not late.
    assert!(take(&table, &windows, 10, 90 * SECOND));
}

#[test]
fn an_idle_key_is_idle_after_a_change_and_spent_for_late_requests_before_the_window() {
    for (changed, late) in [(100, 1), (130, 31), (130, 65), (200, 65), (200, 89)] {
        let (table, _) = spent();
        let windows = table.change(SlidingWindow::new(Quota::per_minute(10)).into(), || changed * SECOND);
        assert!(!take(&table, &windows, 1, late * SECOND), "at {late} s, changed at {changed} s");
        assert!(take(&table, &windows, 10, changed * SECOND), "changed at {changed} s");
    }
}
