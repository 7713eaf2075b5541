//! What a caller may rely on, whatever the quota and the history. Time moves forward here; see `late` for when it does
//! not, and `peers` for what others got wrong.

use std::time::Duration;

use rate_core::{KeyedLimiter, Quota, Timestamp};

use super::random::{Random, TEN_YEARS, quotas};
use super::subject::Subject;

const START: u64 = 1_234_567_891;

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).expect("shorter than 584 years")
}

#[test]
fn polling_slower_than_the_rate_is_always_admitted() {
    for quota in [Quota::per_second(1_000_000), Quota::per_second(1), Quota::per_minute(1)] {
        for tenths in 10..=20 {
            let poll = nanos(quota.time_for(1)) * tenths / 10;
            for subject in Subject::all(quota.burst(1)) {
                let all = (0..2_000).all(|number| subject.check(1, START + number * poll).is_allowed());
                assert!(all, "{subject:?}, every {poll} ns");
            }
        }
    }
}

#[test]
fn a_cost_above_the_burst_does_not_store_the_key() {
    let limiter = KeyedLimiter::new(Quota::per_second(7));
    assert_eq!(limiter.check_n_at("key", 8, Timestamp::ZERO).retry_after(), None);
    assert!(limiter.is_empty());
}

#[test]
fn a_peek_answers_as_a_check_would_and_takes_nothing() {
    let mut random = Random::new(13);
    for quota in quotas(&mut random, 40) {
        for subject in Subject::all(quota) {
            let mut now = random.magnitude(1 << 50);
            for _ in 0..200 {
                let (peek, again, check) = (subject.peek(now), subject.peek(now), subject.check(1, now));
                assert_eq!(peek, again, "{subject:?}");
                assert_eq!(peek.is_allowed(), check.is_allowed(), "{subject:?}");
                if check.is_allowed() {
                    assert_eq!(peek.remaining(), check.remaining() + 1, "{subject:?}");
                } else {
                    assert_eq!(peek, check, "{subject:?}");
                }
                let _ = subject.check(random.below(quota.burst_size()), now);
                now = (now + random.below(2 * nanos(quota.time_for(1)) + 1)).min(TEN_YEARS);
            }
        }
    }
}
