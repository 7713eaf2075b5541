//! What the fuzzer found, as what it did to whom.

use rate_core::algorithm::SlidingLog;
use rate_core::{KeyedLimiter, Quota, Timestamp};

const HOUR: u64 = 3_600_000_000_000;

#[test]
fn a_late_refund_of_nothing_frees_no_key_whose_log_was_dropped() {
    // A log that was as good as new made room for another key, and left word until when it had counted. A refund that came
    // late found no entries to take back, took that for all of them, and erased the word too.
    let limiter = KeyedLimiter::builder_of(SlidingLog::new(Quota::per_second(1)));
    let limiter = limiter.capacity(1).build().expect("one key fits");
    let at = |millis: u64| Timestamp::from_nanos(HOUR + millis * 1_000_000);
    assert!(limiter.check_at("spent", at(0)).is_allowed());
    for other in 0..6 {
        assert!(limiter.check_at(&other, at(2_000)).is_allowed());
    }
    assert!(!limiter.check_at("spent", at(400)).is_allowed());
    assert_eq!(limiter.refund_at("spent", 1, at(300), at(400)), 0);
    assert!(!limiter.check_at("spent", at(400)).is_allowed(), "freed by a refund of nothing");
}

#[test]
fn a_late_request_after_a_change_of_the_limit_finds_what_an_empty_log_has_left_word_of() {
    // What was in the log had expired when the limit was changed, and only until when it had counted was carried over. A
    // peek looked at that; a check took a shorter way, saw an empty log, and admitted.
    let limiter = KeyedLimiter::of(SlidingLog::new(Quota::per_second(1)));
    let at = |millis: u64| Timestamp::from_nanos(HOUR + millis * 1_000_000);
    assert!(limiter.check_at("spent", at(0)).is_allowed());
    let limiter = limiter.with_limit_at(SlidingLog::new(Quota::per_minute(1)), at(2_000));
    assert!(!limiter.peek_at("spent", at(400)).is_allowed());
    assert!(!limiter.check_at("spent", at(400)).is_allowed(), "a peek knew better");
    assert!(limiter.check_at("spent", at(2_000)).is_allowed());
}
