//! What the comparison with the models has found.

use crate::algorithm::{AnyAlgorithm, SlidingWindow};
use crate::{KeyedLimiter, Limiter, ManualClock, Timestamp};

fn at(nanos: u64) -> Timestamp {
    Timestamp::from_nanos(nanos)
}

fn keyed(limit: impl Into<AnyAlgorithm>) -> KeyedLimiter<AnyAlgorithm> {
    KeyedLimiter::builder_of(limit.into())
        .capacity(8)
        .clock(ManualClock::new())
        .build()
        .expect("eight keys fit")
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
