//! What is given back, and what is not: charges that have come back by themselves, late, twice changed, in the middle of
//! a log.

use std::time::Duration;

use rate_core::algorithm::SlidingLog;
use rate_core::{KeyedLimiter, Limiter, Quota, Timestamp};

use super::random::{Random, TEN_YEARS, quotas};

const SECOND: u64 = 1_000_000_000;

fn at(nanos: u64) -> Timestamp {
    Timestamp::from_nanos(nanos)
}

/// A log of so many units in any hundred nanoseconds.
fn log(limit: u64) -> SlidingLog {
    SlidingLog::new(Quota::new(limit, Duration::from_nanos(100)).expect("a quota"))
}

#[test]
fn a_charge_that_has_come_back_gives_back_nothing_of_what_was_taken_later() {
    // The log looked for what was taken since the charge, and found somebody else's: three units in one period of two.
    let limiter = Limiter::of(log(2));
    assert!(limiter.check_at(at(1_000)).is_allowed());
    assert!(limiter.check_at(at(1_050)).is_allowed());
    assert_eq!(limiter.refund_at(1, at(1_000), at(1_100)), 0);
    assert!(limiter.check_at(at(1_100)).is_allowed());
    assert!(!limiter.check_at(at(1_100)).is_allowed());
    // Those that count still can be.
    assert_eq!(limiter.refund_at(1, at(1_050), at(1_149)), 1);
    assert!(limiter.check_at(at(1_149)).is_allowed());
}

#[test]
fn a_late_refund_does_not_free_a_key_that_was_dropped() {
    // Giving back nothing of nothing was "all of it", and the key was stored as new.
    let limiter = KeyedLimiter::builder_of(log(2)).capacity(1).build().expect("one key fits");
    assert!(limiter.check_n_at("ann", 2, at(1_000)).is_allowed());
    for other in 0..6 {
        assert!(limiter.check_at(&other, at(1_100)).is_allowed());
    }
    assert_eq!((limiter.len(), limiter.evictions()), (6, 0), "`ann` was to be dropped as fresh");
    assert!(!limiter.check_at("ann", at(1_050)).is_allowed());
    assert_eq!(limiter.refund_at("ann", 2, at(1_050), at(1_050)), 0);
    assert!(!limiter.check_at("ann", at(1_050)).is_allowed());
    assert_eq!(limiter.peek_at("ann", at(1_100)).remaining(), 2);
}

#[test]
fn a_refund_from_the_middle_of_a_log_leaves_room_for_another_admission() {
    // What was given back kept its place in the ring, so the next admission had none of its own and moved the one before it up.
    let limiter = Limiter::of(log(3));
    for taken in [1_000, 1_010, 1_020] {
        assert!(limiter.check_at(at(taken)).is_allowed());
    }
    assert_eq!(limiter.refund_at(1, at(1_000), at(1_025)), 1);
    assert!(limiter.check_at(at(1_030)).is_allowed());
    // 1,010 and 1,020 are past, 1,030 counts.
    assert_eq!(limiter.peek_at(at(1_120)).remaining(), 2);
    assert!(limiter.check_n_at(2, at(1_120)).is_allowed());
}

#[test]
fn a_key_whose_last_charge_was_given_back_is_no_loss_when_the_one_before_has_come_back() {
    // It was counted as lost: the instant of the refunded charge still said until when the key mattered.
    let limiter = KeyedLimiter::builder_of(log(5)).capacity(1).build().expect("one key fits");
    assert!(limiter.check_at("ann", at(1_000)).is_allowed());
    assert!(limiter.check_at("ann", at(1_090)).is_allowed());
    assert_eq!(limiter.refund_at("ann", 1, at(1_090), at(1_090)), 1);
    for other in 0..6 {
        assert!(limiter.check_at(&other, at(1_100)).is_allowed());
    }
    assert_eq!(limiter.evictions(), 0);
}

#[test]
fn a_clone_from_before_a_change_and_a_change_back_gives_nothing_back() {
    // Equal quotas were taken for the same one, but under the quota between them the key had earned a whole burst, and spent it.
    let slow = Quota::per_hour(10);
    let before = KeyedLimiter::builder(slow).capacity(4).build().expect("four keys fit");
    assert!(before.check_n_at("ann", 10, at(0)).is_allowed());
    let fast = before.with_quota_at(Quota::per_second(1_000).burst(10), at(0));
    assert!(fast.check_n_at("ann", 10, at(SECOND)).is_allowed());
    let after = fast.with_quota_at(slow, at(SECOND));
    assert_eq!(before.refund_at("ann", 10, at(0), at(SECOND)), 0);
    assert!(!after.check_at("ann", at(SECOND)).is_allowed());
}

#[test]
fn what_was_charged_before_a_reset_can_still_be_given_back() {
    // It is nowhere written down which of two charges is refunded; `reset` says so.
    let limiter = Limiter::new(Quota::per_hour(10));
    assert!(limiter.check_n_at(10, at(0)).is_allowed());
    limiter.reset();
    assert!(limiter.check_n_at(10, at(0)).is_allowed());
    assert_eq!(limiter.refund_at(10, at(0), at(0)), 10);
}

#[test]
fn fractions_are_given_back_and_not_counted() {
    let limiter = Limiter::new(Quota::per_second(1).burst(10));
    assert!(limiter.check_n_at(10, at(0)).is_allowed());
    // Of one unit a half has come back by itself.
    assert_eq!(limiter.refund_at(1, at(0), at(SECOND / 2)), 0);
    assert_eq!(limiter.peek_at(at(SECOND / 2)).remaining(), 1);
}

#[test]
fn a_refund_that_comes_late_gives_back_what_came_back_in_the_time_it_is_late_and_no_more() {
    // The instant of a token bucket is not the latest that was seen: it has come back by then, and the refund does not know.
    let limiter = Limiter::new(Quota::per_second(10));
    let (half, second) = (at(SECOND / 2), at(SECOND));
    assert!(limiter.check_n_at(10, at(0)).is_allowed());
    assert!(limiter.check_n_at(5, second).is_allowed());
    // At one second nothing of it was left to be given back.
    assert_eq!(limiter.refund_at(10, at(0), half), 5);
    assert_eq!(limiter.peek_at(second).remaining(), 10);

    let mut random = Random::new(52);
    let mut more = 0;
    for quota in quotas(&mut random, 60) {
        for _ in 0..200 {
            let [late, in_time] = [Limiter::new(quota), Limiter::new(quota)];
            let charged = TEN_YEARS / 10 + random.magnitude(1 << 50);
            let cost = 1 + random.below(quota.burst_size());
            let since = random.magnitude(quota.refill_time().as_nanos() as u64);
            let (latest, again) = (charged + since, random.below(quota.burst_size() + 1));
            for limiter in [&late, &in_time] {
                assert!(limiter.check_n_at(cost, at(charged)).is_allowed());
                limiter.take_up_to_at(again, at(latest));
            }
            let lateness = random.below(since + 1);
            let free = |limiter: &Limiter| limiter.peek_at(at(latest)).reset_after();
            in_time.refund_at(cost, at(charged), at(latest));
            late.refund_at(cost, at(charged), at(latest - lateness));
            let won = free(&in_time).saturating_sub(free(&late));
            // `reset_after` is rounded up to a nanosecond.
            assert!(won <= Duration::from_nanos(lateness + 1), "{quota}: {won:?} for {lateness} ns");
            more += u64::from(won > Duration::ZERO);
        }
    }
    assert!(more > 1_000, "{more} that won something are too few to mean anything");
}
