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
