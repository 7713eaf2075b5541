//! What `rate_core::migration` says of governor and rate-core, put to the test: both columns of the page are compiled
//! here, and both sides decide alike.

#![allow(clippy::unwrap_used, reason = "as the page writes it")]

mod ours;
mod page;
mod theirs;

use std::time::Duration;

/// An answer to a request of several units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    Allowed,
    NotYet(Duration),
    Never,
}

/// As long as nothing else is said, long enough for everything.
const LONG: Duration = Duration::from_secs(3_600);

/// Each quota as either side writes it.
fn quotas() -> impl Iterator<Item = (governor::Quota, rate_core::Quota)> {
    let (theirs, ours) = (theirs::quotas(), ours::quotas());
    assert_eq!(theirs.len(), ours.len());
    theirs.into_iter().zip(ours)
}

/// Pauses around the times at which units come back.
fn pauses() -> impl Iterator<Item = Duration> {
    let mut state = 1_u64;
    std::iter::from_fn(move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let nanos = [0, 99_999_999, 100_000_000, 600_000_000, 1_200_000_000_000];
        Some(Duration::from_nanos(nanos[(state >> 33) as usize % nanos.len()]))
    })
}

#[test]
fn a_quota_means_the_same_however_it_is_written() {
    for (theirs, ours) in quotas() {
        assert_eq!(theirs::facts(theirs), ours::facts(ours), "{ours}");
    }
}

#[test]
fn per_second_of_tower_governor_is_a_number_of_seconds() {
    let (theirs, ours) = (theirs::tower(), ours::tower());
    assert_eq!(theirs::facts(theirs), ours::facts(ours));
    assert_eq!(ours.time_for(1), Duration::from_secs(60));
    assert_ne!(ours, rate_core::Quota::per_second(60).burst(10), "what the name suggests");
}

#[test]
fn what_governor_rounds_is_exact_here() {
    use nonzero_ext::nonzero;
    let seven = governor::Quota::per_second(nonzero!(7_u32)).replenish_interval();
    assert_eq!(seven, Duration::from_nanos(142_857_142));
    assert!((1e9 / seven.as_nanos() as f64 - 7.000_000_042).abs() < 1e-9);

    let (their_clock, our_clock) = (theirs::clock(), ours::clock());
    let billions = governor::Quota::per_second(nonzero!(2_000_000_000_u32)).allow_burst(nonzero!(2_u32));
    let theirs = theirs::direct(billions, their_clock.clone());
    let ours = ours::direct(rate_core::Quota::per_second(2_000_000_000).burst(2), our_clock.clone());
    let twice = || [theirs::check(&theirs), theirs::check(&theirs), ours::check(&ours), ours::check(&ours)];
    assert_eq!(twice(), [true; 4]);
    theirs::advance(&their_clock, Duration::from_nanos(1));
    ours::advance(&our_clock, Duration::from_nanos(1));
    assert_eq!(twice(), [true, false, true, true]);
}

#[test]
fn limiters_on_clocks_of_a_test_decide_alike() {
    for (their_quota, our_quota) in quotas() {
        let (their_clock, our_clock) = (theirs::clock(), ours::clock());
        let theirs = theirs::direct(their_quota, their_clock.clone());
        let ours = ours::direct(our_quota, our_clock.clone());
        let mut seen = [false; 3];
        for (step, pause) in pauses().take(3_000).enumerate() {
            theirs::advance(&their_clock, pause);
            ours::advance(&our_clock, pause);
            if step % 4 == 0 {
                let (theirs, ours) = (theirs::check_five(&theirs), ours::check_five(&ours));
                assert_eq!(theirs, ours, "{our_quota}, step {step}");
                seen[match ours {
                    Answer::Allowed => 0,
                    Answer::NotYet(_) => 1,
                    Answer::Never => 2,
                }] = true;
            } else {
                assert_eq!(theirs::check(&theirs), ours::check(&ours), "{our_quota}, step {step}");
            }
        }
        let is_single = our_quota.burst_size() < 5;
        assert_eq!(seen, [!is_single, !is_single, is_single], "{our_quota}");
    }
}

#[test]
fn limiters_with_keys_decide_alike() {
    for (their_quota, our_quota) in quotas() {
        let (their_clock, our_clock) = (theirs::clock(), ours::clock());
        let theirs = theirs::keyed(their_quota, their_clock.clone());
        let ours = ours::keyed(our_quota, our_clock.clone());
        assert_eq!(theirs::house_keeping(&theirs), ours::house_keeping(&ours));
        for (step, pause) in pauses().take(3_000).enumerate() {
            theirs::advance(&their_clock, pause);
            ours::advance(&our_clock, pause);
            if step % 4 == 0 {
                let (theirs, ours) = (theirs::check_key_five(&theirs), ours::check_key_five(&ours));
                assert_eq!(theirs, ours, "{our_quota}, step {step}");
            } else {
                assert_eq!(theirs::check_key(&theirs), ours::check_key(&ours), "{our_quota}, step {step}");
            }
        }
        assert_eq!(theirs.len(), ours.len());
    }
}

#[test]
fn what_remains_is_told_alike() {
    for (theirs, ours) in quotas() {
        let told = ours::remaining(ours, ours::clock());
        assert_eq!(theirs::remaining(theirs, theirs::clock()), told, "{ours}");
        assert_eq!(told.len() as u64, ours.burst_size());
    }
}

#[test]
fn limiters_on_the_default_clock_admit_a_burst() {
    for (their_quota, our_quota) in quotas() {
        let (theirs, ours) = (theirs::default_direct(their_quota), ours::default_direct(our_quota));
        let (their_keyed, our_keyed) = (theirs::default_keyed(their_quota), ours::default_keyed(our_quota));
        for _ in 0..our_quota.burst_size() {
            assert!(theirs.check().is_ok() && ours.check().is_allowed());
            assert!(their_keyed.check_key(&"ann").is_ok() && our_keyed.check("ann").is_allowed());
        }
    }
}

#[test]
fn who_waits_is_next() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    // A millisecond each, where a wait has to be waited for.
    let (their_quota, our_quota) =
        (governor::Quota::per_second(nonzero_ext::nonzero!(1_000_u32)), rate_core::Quota::per_second(1_000));
    let (theirs, ours) = (theirs::default_direct(their_quota), ours::default_direct(our_quota));
    runtime.block_on(theirs::wait(&theirs));
    assert_eq!(ours::wait(&ours, LONG).unwrap(), Duration::ZERO);
    runtime.block_on(theirs::wait_for_five(&theirs)).unwrap();
    assert_eq!(ours::wait_for_five(&ours, LONG).unwrap(), Duration::ZERO);

    let (theirs, ours) = (theirs::default_keyed(their_quota), ours::default_keyed(our_quota));
    runtime.block_on(theirs::wait_for_key(&theirs));
    assert_eq!(ours::wait_for_key(&ours, LONG).unwrap(), Duration::ZERO);
    // Of a place in line the wait is known at once, and refused if it is too long.
    let slow = ours::default_keyed(rate_core::Quota::per_hour(1));
    assert_eq!(ours::wait_for_key(&slow, LONG).unwrap(), Duration::ZERO);
    assert!(ours::wait_for_key(&slow, LONG).unwrap() > LONG / 2);
    assert!(ours::wait_for_key(&slow, LONG).is_err());
    // Five at once are more than there ever are: both say so instead of waiting.
    let (theirs, ours) = (
        theirs::default_direct(governor::Quota::per_second(nonzero_ext::nonzero!(4_u32))),
        ours::default_direct(rate_core::Quota::per_second(4)),
    );
    assert!(runtime.block_on(theirs::wait_for_five(&theirs)).is_err());
    assert_eq!(ours::wait_for_five(&ours, LONG).expect_err("too many").retry_after(), None);
}
