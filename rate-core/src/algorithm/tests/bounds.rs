//! `bounds()` against everything that one may do: reached exactly, never exceeded.
//!
//! Every limit up to 4 in every period of up to 8 ticks with every burst up to 4, requests of every cost at every tick, several
//! in one, on time and late, after any past. Where something is taken back the search is larger, and the limits are smaller.

use super::relative::Relative;
use super::search::{
    Moves, Search, cancellations, charges, checks, debits, late_checks, late_reservations, penalties,
    refunds, reservations, reservations_to_cancel,
};
use crate::algorithm::{
    Algorithm, Calendar, CalendarWindow, FixedWindow, Gcra, LeakyBucket, SlidingLog, SlidingWindow,
};

/// The most units that moves of some kinds get in a window. Where nothing repeats, only the first hundred ticks are played.
fn most<A: Relative>(algorithm: &A, kinds: &[Moves<A>]) -> u64 {
    Search::new(algorithm, 100, kinds).most()
}

fn reaches_its_bounds<A: Relative>(algorithm: &A, kinds: &[Moves<A>]) {
    assert_eq!(most(algorithm, kinds), algorithm.bounds().units(), "{algorithm:?}");
}

/// Every limit up to one number in every period up to another.
fn small(limits: u64, periods: u64) -> impl Iterator<Item = (u64, u64)> {
    (1..=limits).flat_map(move |limit| (1..=periods).map(move |period| (limit, period)))
}

/// The same with every burst that the limit may have.
fn small_bursts(limits: u64, periods: u64) -> impl Iterator<Item = (u64, u64, u64)> {
    small(limits, periods)
        .flat_map(move |(limit, period)| (1..=limits).map(move |burst| (limit, period, burst)))
}

fn gcra((limit, period, burst): (u64, u64, u64)) -> Gcra {
    Gcra::from_ticks(limit, period, burst).expect("a quota")
}

fn leaky_bucket((limit, period, queue): (u64, u64, u64)) -> LeakyBucket {
    LeakyBucket::from_ticks(limit, period, queue).expect("a quota")
}

fn fixed_window((limit, period): (u64, u64)) -> FixedWindow {
    // Windows that begin somewhere within the search's own.
    FixedWindow::from_ticks(limit, period).expect("a quota").anchored(1)
}

fn day((limit, period): (u64, u64)) -> CalendarWindow {
    CalendarWindow::of_short_days(limit as u32, Calendar::Day, period)
}

fn sliding_window((limit, period): (u64, u64)) -> SlidingWindow {
    SlidingWindow::from_ticks(limit, period).expect("a quota")
}

fn sliding_log((limit, period): (u64, u64)) -> SlidingLog {
    SlidingLog::from_ticks(limit, period).expect("a quota")
}

#[test]
fn a_token_bucket_admits_burst_and_limit_but_one() {
    for gcra in small_bursts(4, 8).map(gcra) {
        reaches_its_bounds(&gcra, &[checks, late_checks, penalties, debits, reservations, late_reservations]);
    }
}

#[test]
fn checks_alone_reach_the_bounds_of_a_token_bucket_unless_fractions_of_a_tick_are_lost() {
    for (limit, period, burst) in small_bursts(4, 8) {
        let gcra = gcra((limit, period, burst));
        let most = most(&gcra, &[checks, late_checks]);
        assert!(most <= gcra.bounds().units(), "{gcra:?}");
        if limit <= period && (burst > 1 || period % limit == 0) {
            assert_eq!(most, gcra.bounds().units(), "{gcra:?}");
        }
    }
}

#[test]
fn a_leaky_bucket_passes_its_limit_but_one_and_then_the_queue() {
    for bucket in small_bursts(4, 8).map(leaky_bucket) {
        reaches_its_bounds(&bucket, &[checks, late_checks, penalties]);
        reaches_its_bounds(&bucket, &[checks, late_checks, reservations, late_reservations]);
    }
}

#[test]
fn a_leaky_bucket_passes_its_limit_while_nobody_takes_more_than_one_unit() {
    for bucket in small(4, 8).map(|(limit, period)| leaky_bucket((limit, period, 1))) {
        assert_eq!(most(&bucket, &[checks, reservations]), bucket.gcra().limit(), "{bucket:?}");
    }
}

#[test]
fn a_fixed_window_admits_its_limit_twice() {
    for window in small(4, 8).map(fixed_window) {
        reaches_its_bounds(&window, &[checks, late_checks, penalties]);
    }
}

#[test]
fn a_calendar_window_admits_its_limit_twice_in_a_day() {
    for window in small(4, 8).map(day) {
        reaches_its_bounds(&window, &[checks, late_checks, penalties]);
    }
}

#[test]
fn a_calendar_window_admits_its_limit_twice_in_28_days() {
    for limit in 1..=2 {
        let month = CalendarWindow::of_short_days(limit, Calendar::Month, 1);
        // January to March of 1970, and of 1972 with its leap day.
        for first in [0, 2 * 365] {
            reaches_its_bounds(&month.anchored(first), &[checks, late_checks, penalties]);
        }
    }
}

#[test]
fn a_sliding_window_admits_its_limit_twice_less_what_has_not_faded() {
    for window in small(4, 8).map(sliding_window) {
        reaches_its_bounds(&window, &[checks, late_checks, penalties]);
    }
}

#[test]
fn a_sliding_log_admits_its_limit() {
    for log in small(4, 8).map(sliding_log) {
        reaches_its_bounds(&log, &[checks, late_checks, penalties]);
        assert_eq!(log.bounds().units(), log.capacity());
    }
}

// With refunds and cancellations: what was not taken back stays within the bounds.

#[test]
fn units_that_a_token_bucket_did_not_take_back_are_within_its_bounds() {
    for gcra in small_bursts(3, 3).map(gcra) {
        reaches_its_bounds(&gcra, &[checks, charges::<_, 1>, refunds, penalties, reservations]);
        reaches_its_bounds(
            &gcra,
            &[checks, reservations, reservations_to_cancel::<_, 1>, cancellations, debits],
        );
    }
    for gcra in small_bursts(2, 2).map(gcra) {
        reaches_its_bounds(&gcra, &[charges::<_, 2>, refunds, reservations]);
        reaches_its_bounds(&gcra, &[reservations, reservations_to_cancel::<_, 2>, cancellations]);
    }
}

#[test]
fn units_that_a_leaky_bucket_did_not_take_back_are_within_its_bounds() {
    for bucket in small_bursts(3, 3).map(leaky_bucket) {
        reaches_its_bounds(&bucket, &[checks, penalties, reservations_to_cancel::<_, 2>, cancellations]);
    }
}

#[test]
fn units_that_a_window_did_not_take_back_are_within_its_bounds() {
    for size in small(3, 3) {
        reaches_its_bounds(&fixed_window(size), &[checks, charges::<_, 1>, refunds, penalties]);
        reaches_its_bounds(&day(size), &[checks, charges::<_, 1>, refunds, penalties]);
        reaches_its_bounds(&sliding_window(size), &[checks, charges::<_, 1>, refunds, penalties]);
    }
    for size in small(2, 3) {
        reaches_its_bounds(&fixed_window(size), &[charges::<_, 2>, refunds]);
        reaches_its_bounds(&sliding_window(size), &[charges::<_, 2>, refunds]);
    }
}

#[test]
fn units_that_a_sliding_log_did_not_take_back_are_within_its_bounds() {
    // A charge that had come back by itself was refunded all the same, out of what others had taken since.
    for size in small(3, 4) {
        reaches_its_bounds(&sliding_log(size), &[checks, charges::<_, 1>, refunds, penalties]);
    }
    for size in small(2, 3) {
        reaches_its_bounds(&sliding_log(size), &[charges::<_, 2>, refunds]);
    }
}
