//! What the comparison with the models has found.

use core::time::Duration;

use crate::algorithm::{AnyAlgorithm, FixedWindow, LeakyBucket, SlidingLog, SlidingWindow};
use crate::{KeyedLimiter, Limiter, ManualClock, Quota, Timestamp};

fn at(nanos: u64) -> Timestamp {
    Timestamp::from_nanos(nanos)
}

fn log(limit: u64, period: u64) -> SlidingLog {
    SlidingLog::from_ticks(limit, period).expect("a limit")
}

fn keyed(limit: impl Into<AnyAlgorithm>) -> KeyedLimiter<AnyAlgorithm> {
    KeyedLimiter::builder_of(limit.into())
        .capacity(8)
        .clock(ManualClock::new())
        .build()
        .expect("eight keys fit")
}

#[test]
fn a_late_request_counts_as_of_an_instant_that_was_refunded() {
    // The instant went with its units, and that of the admission before had expired by it and was dropped. So a request two
    // ticks late was written down as of then, and there were two in [9, 19) under a limit of one.
    let limiter = Limiter::of_with_clock(log(1, 10), ManualClock::new());
    assert!(limiter.check_at(at(9)).is_allowed());
    assert!(limiter.check_at(at(20)).is_allowed());
    assert_eq!(limiter.refund_at(1, at(20), at(20)), 1);
    assert!(limiter.check_at(at(18)).is_allowed());
    assert!(!limiter.check_at(at(29)).is_allowed());
    assert!(limiter.check_at(at(30)).is_allowed());
}

#[test]
fn a_refund_of_nothing_leaves_a_sliding_window_where_it_is() {
    // It was written down in the window of the refund, and the counts of a late request's window were forgotten.
    let window = SlidingWindow::from_ticks(1, 11).expect("a limit");
    let limiter = Limiter::of_with_clock(window, ManualClock::new());
    assert!(limiter.check_at(at(812)).is_allowed());
    assert_eq!(limiter.refund_at(1, at(840), at(840)), 0);
    assert!(!limiter.check_at(at(813)).is_allowed());

    // And a key that was never seen was stored for it, in the place of another.
    let limiter = KeyedLimiter::builder_of(window).capacity(8).clock(ManualClock::new()).build();
    let limiter = limiter.expect("eight keys fit");
    assert_eq!(limiter.refund_at("nobody", 1, at(840), at(840)), 0);
    assert!(limiter.is_empty());
}

#[test]
fn a_late_change_carries_over_what_was_taken_in_the_last_window() {
    // The window after it was counted, which is one more than can be: a panic where overflow is checked, and else nothing of
    // it was left.
    let limiter = keyed(SlidingWindow::from_ticks(5, 1).expect("a limit"));
    assert!(limiter.check_n_at("key", 5, at(u64::MAX)).is_allowed());
    let limiter = limiter.with_limit_at(SlidingWindow::from_ticks(5, 7).expect("a limit").into(), at(0));
    assert!(!limiter.check_at("key", at(u64::MAX)).is_allowed());
}

#[test]
fn a_queue_that_is_idle_stays_idle_when_its_limit_changes() {
    // Not wholly idle before the end of the tick in which the turn came, and a window was closed until then.
    let limiter = keyed(LeakyBucket::new(Quota::per_second(7)));
    assert!(limiter.check_at("key", at(0)).is_allowed());
    let now = at(142_857_143);
    assert!(limiter.peek_at("key", now).is_allowed());
    let limiter = limiter.with_limit_at(FixedWindow::new(Quota::per_second(7)).into(), now);
    assert!(limiter.check_at("key", now).is_allowed());
}

#[test]
fn a_queue_of_several_units_per_tick_spaces_them_at_the_last_tick_too() {
    // The turn of the next unit was a tick that cannot be written down, and the one before it was taken for it.
    let queue = LeakyBucket::from_ticks(3, 1, 3).expect("a limit");
    let limiter = Limiter::of_with_clock(queue, ManualClock::new());
    assert!(limiter.check_at(at(u64::MAX)).is_allowed());
    assert!(!limiter.check_at(at(u64::MAX)).is_allowed());
}

#[test]
fn a_reservation_of_nothing_that_is_cancelled_late_changes_nothing() {
    // The queue was busy until then.
    let queue = LeakyBucket::from_ticks(1, 1, 1).expect("a limit");
    let limiter = Limiter::of_with_clock(queue, ManualClock::new());
    assert!(limiter.check_at(at(5)).is_allowed());
    let nothing = limiter.reserve_at(0, Duration::ZERO, at(20)).expect("nothing is always there");
    assert_eq!(nothing.cancel_at(at(12)), 0);
    assert!(limiter.check_at(at(8)).is_allowed());
}

#[test]
fn a_penalty_to_the_end_of_time_is_not_refunded_from_the_window_before() {
    // The last window is shorter than the others, and was taken to have begun a whole period before its end.
    let window = FixedWindow::from_ticks(5, 1 << 62).expect("a limit");
    let limiter = Limiter::of_with_clock(window, ManualClock::new());
    let charged = at((3 << 62) - 1);
    assert!(limiter.check_n_at(3, charged).is_allowed());
    limiter.penalize_at(Duration::MAX, charged);
    assert_eq!(limiter.refund_at(3, charged, charged), 0);
    assert!(!limiter.check_at(charged).is_allowed());
}

#[test]
fn a_key_that_a_log_can_never_charge_is_not_told_to_come_back() {
    // After twenty years an exhausted key came to a log of five hundred and seventy, which time has no room for: it was told to
    // wait for the end of time, and was refused there.
    const YEAR: u64 = 365 * 86_400 * 1_000_000_000;
    let limiter = keyed(AnyAlgorithm::from(Quota::per_hour(1)));
    let now = at(20 * YEAR);
    assert!(limiter.check_at("ann", now).is_allowed());
    let changed = limiter.with_limit_at(log(1, 570 * YEAR).into(), now);
    let denied = changed.check_at("ann", now);
    assert_eq!((denied.is_allowed(), denied.retry_after()), (false, None));
    assert!(!changed.check_at("ann", at(u64::MAX)).is_allowed());
}
