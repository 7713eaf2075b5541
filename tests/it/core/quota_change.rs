//! A quota that changes while keys are in use: the used share carries over, for every clone, and nobody gains by it.

use std::sync::Mutex;
use std::time::Duration;

use rate_core::{Kept, KeyedLimiter, ManualClock, Quota, Timestamp, check_all};

use super::random::{Random, TEN_YEARS, cost, quotas};

const NOW: Timestamp = Timestamp::from_nanos(1_234_567_890_123);

fn small(quota: Quota) -> KeyedLimiter {
    KeyedLimiter::builder(quota).capacity(100).build().expect("a hundred keys fit")
}

#[test]
fn the_used_share_carries_over() {
    for (old, used, new, remaining) in [
        (Quota::per_second(10), 5, Quota::per_minute(100), 50),
        (Quota::per_minute(100), 50, Quota::per_second(10), 5),
        (Quota::per_second(7).burst(14), 7, Quota::per_day(3).burst(1_000), 500),
        (Quota::per_hour(1).burst(100), 25, Quota::per_second(10).burst(8), 6),
        // Rounded against the key, never for it.
        (Quota::per_second(10), 5, Quota::per_second(10).burst(5), 2),
        (Quota::per_second(10), 0, Quota::per_second(999_983), 999_983),
        (Quota::per_second(10), 10, Quota::per_second(999_983), 0),
    ] {
        let limiter = small(old);
        assert!(limiter.check_n_at("key", used, NOW).is_allowed());
        let limiter = limiter.with_quota_at(new, NOW);
        assert_eq!(limiter.peek_at("key", NOW).remaining(), remaining, "{used} of {old:?}, then {new:?}");
        assert_eq!(limiter.peek_at("key", NOW).limit(), new.burst_size());
        assert_eq!(limiter.quota(), new);
    }
}

#[test]
fn an_exhausted_key_stays_exhausted_and_earns_at_the_new_rate() {
    let limiter = small(Quota::per_hour(60));
    assert!(limiter.check_n_at("key", 60, NOW).is_allowed());
    let limiter = limiter.with_quota_at(Quota::per_second(10), NOW);
    let denied = limiter.check_at("key", NOW);
    assert_eq!(denied.retry_after(), Some(Duration::from_millis(100)));
    assert!(limiter.check_at("key", NOW.saturating_add(Duration::from_millis(100))).is_allowed());
}

#[test]
fn changes_during_use_never_admit_more_than_the_larger_quota() {
    let mut random = Random::new(32);
    let mut admitted = 0;
    for (first, second) in quotas(&mut random, 40).into_iter().zip(quotas(&mut random, 80).into_iter().rev())
    {
        let mut limiter = small(first);
        // In shares of a burst: what is used may never exceed one burst and what was earned since.
        let whole = 1_u128 << 32;
        let (mut quota, mut now, mut budget) = (first, NOW.as_nanos(), whole);
        for _ in 0..300 {
            let pause = random.below(quota.time_for(1).as_nanos() as u64 + 2);
            now = (now + pause).min(TEN_YEARS);
            let refill = u128::from(quota.burst_size()) * quota.period().as_nanos();
            let earned = u128::from(pause) * u128::from(quota.limit());
            budget = (budget + (earned.min(refill) * whole).div_ceil(refill)).min(whole);
            let cost = cost(&mut random, quota.burst_size());
            let decision = limiter.check_n_at("key", cost, Timestamp::from_nanos(now));
            assert!(decision.remaining() <= quota.burst_size());
            if decision.is_allowed() {
                let share = u128::from(cost) * whole / u128::from(quota.burst_size());
                assert!(share <= budget, "{cost} of {quota:?} at {now}: {share} of {budget}");
                budget -= share;
                admitted += u64::from(cost > 0);
            }
            if random.below(3) == 0 {
                quota = if quota == first { second } else { first };
                limiter = limiter.with_quota_at(quota, Timestamp::from_nanos(now));
            }
        }
    }
    assert!(admitted > 1_000, "{admitted} admissions are too few to mean anything");
}

#[test]
fn older_clones_answer_as_the_new_limiter_does() {
    // They decided by the new quota and then reported `remaining` and `reset_after` in the arithmetic of the old one.
    let mut random = Random::new(33);
    for (old, new) in quotas(&mut random, 40).into_iter().zip(quotas(&mut random, 80).into_iter().rev()) {
        let older = small(old);
        assert!(older.check_n_at("key", old.burst_size().div_ceil(2), NOW).is_allowed());
        let newer = older.with_quota_at(new, NOW);
        for key in ["key", "unknown"] {
            assert_eq!(older.peek_at(key, NOW), newer.peek_at(key, NOW), "{old:?}, then {new:?}");
            assert_eq!(older.check_n_at(key, 0, NOW), newer.check_n_at(key, 0, NOW), "{old:?}, then {new:?}");
            let pair = |limiter: &KeyedLimiter| {
                check_all([limiter.charge(key, 0), limiter.charge("another", 0)], NOW)
            };
            assert_eq!(pair(&older), pair(&newer), "{old:?}, then {new:?}");
        }
        let denied = older.check_n_at("key", new.burst_size(), NOW);
        assert_eq!(denied, newer.check_n_at("key", new.burst_size(), NOW), "{old:?}, then {new:?}");
        assert_eq!(denied.limit(), new.burst_size());
    }
}

#[test]
fn a_change_with_a_late_timestamp_frees_nobody() {
    // The state was cut down to one burst from the late instant on, so the key was fresh before it had earned anything.
    for quota in [Quota::per_second(10), Quota::per_second(7).burst(3), Quota::per_day(3)] {
        let limiter = small(quota);
        assert!(limiter.check_n_at("key", quota.burst_size(), NOW).is_allowed());
        let before = limiter.peek_at("key", NOW);
        for late in [0, 1, NOW.as_nanos() / 2, NOW.as_nanos() - 1] {
            let limiter = limiter.with_quota_at(quota, Timestamp::from_nanos(late));
            let after = limiter.peek_at("key", NOW);
            assert!(!after.is_allowed(), "{quota:?}, changed at {late}");
            let longer = after.reset_after() - before.reset_after();
            assert!(longer <= Duration::from_nanos(20), "{quota:?}, changed at {late}: {longer:?} longer");
        }
    }
}

#[test]
fn a_change_with_a_timestamp_far_ahead_locks_nobody_out() {
    let limiter = small(Quota::per_second(10));
    assert!(limiter.check_at("key", NOW).is_allowed());
    for ahead in [u64::MAX, u64::MAX / 2, NOW.as_nanos() * 2] {
        let limiter = limiter.with_quota_at(Quota::per_second(7), Timestamp::from_nanos(ahead));
        assert_eq!(limiter.peek_at("key", NOW.saturating_add(Duration::from_secs(2))).remaining(), 7);
        assert!(limiter.check_at("new", NOW).is_allowed());
    }
}

#[test]
fn an_idle_key_of_a_quota_faster_than_the_clock_stays_idle() {
    // A burst worth less than a nanosecond was taken for a burst worth nothing, and so for all used up.
    let limiter = small(Quota::per_second(2_000_000_000).burst(1));
    assert!(limiter.check_at("key", Timestamp::ZERO).is_allowed());
    let limiter = limiter.with_quota_at(Quota::per_hour(10), NOW);
    assert_eq!(limiter.peek_at("key", NOW).remaining(), 10);
}

#[test]
fn a_change_at_the_end_of_time_frees_nobody() {
    // The instant at which the key would be fresh did not fit, wrapped, and lay in the past.
    let now = Timestamp::from_nanos(u64::MAX - 1_100_000_000);
    for next in [
        Quota::per_second(1_000).burst(1_000_000),
        Quota::per_second(7).burst(10_000),
        Quota::per_second(999_983).burst(1_000_000_000),
    ] {
        let limiter = small(Quota::per_second(1));
        assert!(limiter.check_at("key", now).is_allowed());
        let limiter = limiter.with_quota_at(next, now);
        assert!(!limiter.check_at("key", now).is_allowed(), "freed by {next:?}");
    }
}

#[test]
fn changes_under_load_admit_nobody_more_than_the_larger_burst() {
    const KEYS: u64 = 500;
    const QUOTAS: [Quota; 3] =
        [Quota::per_second(10), Quota::per_second(7).burst(15), Quota::per_minute(60).burst(5)];
    let clock = ManualClock::new();
    clock.set(NOW);
    let limiter =
        KeyedLimiter::builder(QUOTAS[0]).capacity(1_000).clock(clock).build().expect("a thousand keys fit");
    let current = Mutex::new(limiter.clone());
    let admitted: Vec<Vec<u64>> = std::thread::scope(|scope| {
        let checkers: Vec<_> = (0..4_u64)
            .map(|checker| {
                let (current, oldest) = (&current, &limiter);
                scope.spawn(move || {
                    let mut random = Random::new(34 + checker);
                    let mut admitted = vec![0; KEYS as usize];
                    for _ in 0..400 {
                        let newest = current.lock().expect("nobody panicked").clone();
                        // Requests in flight finish under the set they started with: some threads lag behind.
                        let limiter = if checker == 0 { oldest } else { &newest };
                        for _ in 0..100 {
                            let key = random.below(KEYS);
                            let decision = limiter.check(&key);
                            assert!(decision.remaining() <= 15);
                            admitted[key as usize] += u64::from(decision.is_allowed());
                        }
                    }
                    admitted
                })
            })
            .collect();
        let mut change = 0;
        while !checkers.iter().all(std::thread::ScopedJoinHandle::is_finished) {
            change += 1;
            let next = current.lock().expect("nobody panicked").with_quota(QUOTAS[change % QUOTAS.len()]);
            *current.lock().expect("nobody panicked") = next;
        }
        assert!(change > 10, "only {change} changes");
        checkers.into_iter().map(|checker| checker.join().expect("no panic")).collect()
    });
    assert_eq!(limiter.evictions(), 0);
    let totals: Vec<u64> = (0..KEYS as usize).map(|key| admitted.iter().map(|one| one[key]).sum()).collect();
    let most = totals.iter().max().expect("some keys");
    assert!(*most <= 15, "a key was admitted {most} times on a clock that stood still");
    assert!(totals.iter().all(|total| *total >= 1), "the load did not reach every key");
}

#[test]
fn a_quota_that_changes_to_and_fro_is_no_fresh_burst() {
    // A hundredth of a second under a quota whose burst comes back in that time was a fresh burst of ten per day, a thousand in a
    // second.
    let (slow, fast) = (Quota::per_day(10), Quota::per_second(100).burst(1));
    let mut limiter = small(slow);
    let (mut taken, mut size) = (0, 0);
    for step in 0..100 {
        let now = NOW.saturating_add(Duration::from_millis(10 * step));
        taken += limiter.take_up_to_at("eve", 10, now);
        // Others are new under either of them.
        assert!(limiter.check_at(&step, now).is_allowed());
        limiter = limiter
            .with_quota_at(fast, now)
            .with_quota_at(slow, now.saturating_add(Duration::from_millis(10)));
        size = size.max(limiter.allocated_bytes());
    }
    assert_eq!(taken, 10);
    // Once, and beside each of 25 lines in which any key has left anything behind.
    let (once, beside) = (25 * (6 * 4 + 24), 6 * 11 * 8);
    let lines = (size - small(slow).allocated_bytes() - once) / beside;
    assert_eq!(size, small(slow).allocated_bytes() + once + lines * beside);
    assert!((20..=25).contains(&lines), "{lines} lines");
    let day = NOW.saturating_add(Duration::from_secs(86_400) - Duration::from_nanos(1));
    assert_eq!(limiter.take_up_to_at("eve", 10, day), 9);

    // Of who has used nothing there is nothing to remember, nor where it comes back in the same time.
    let limiter = small(slow);
    let before = limiter.allocated_bytes();
    let limiter = limiter.with_quota_at(fast, NOW).with_quota_at(slow, NOW);
    assert_eq!(limiter.allocated_bytes(), before + 25 * (6 * 4 + 24));
    let limiter = small(Quota::per_minute(10));
    assert!(limiter.check_at("eve", NOW).is_allowed());
    let raised = limiter.with_quota_at(Quota::per_minute(1_000), NOW);
    assert_eq!(raised.with_quota_at(Quota::per_hour(60), NOW).allocated_bytes(), before);
}

#[test]
fn a_quota_that_is_set_to_what_it_is_changes_nothing() {
    use rate_core::algorithm::AlgorithmName;

    // A log that was set again every half minute counted all it had as taken then: of three in each minute of ten, ten were admitted
    // and no more.
    for name in AlgorithmName::ALL {
        let algorithm = name.over(Quota::per_day(300)).expect("a limit");
        let mut limiter = KeyedLimiter::of(algorithm);
        for step in 0..600 {
            let now = NOW.saturating_add(Duration::from_secs(step * 300));
            limiter = limiter.with_limit_at(algorithm, now);
            assert!(limiter.check_at("ann", now).is_allowed(), "{algorithm}: {step}");
        }
    }
}

#[test]
fn what_was_charged_in_another_quota_is_not_given_back_in_this_one() {
    // Ten of a thousand were all of ten.
    let many = small(Quota::per_minute(1_000));
    assert!(many.check_n_at("ann", 1_000, NOW).is_allowed());
    let few = many.with_quota_at(Quota::per_minute(10), NOW);
    for limiter in [&many, &few] {
        assert_eq!(limiter.refund_at("ann", 10, NOW, NOW), 0);
    }
    let later = NOW.saturating_add(Duration::from_secs(60));
    assert!(few.check_n_at("ann", 4, later).is_allowed());
    assert_eq!(few.refund_at("ann", 4, later, later), 4);
}

/// Seconds after a minute has begun.
fn at(seconds: u64) -> Timestamp {
    Timestamp::from_nanos(6_000_000_000_000).saturating_add(Duration::from_secs(seconds))
}

/// Asserts that three a minute are allowed of limits of ten and more that take turns.
fn adjusted_twice_a_minute<A: Kept>(limits: [A; 2]) {
    let mut limiter = KeyedLimiter::of(limits[0]);
    for step in 0..300 {
        if step % 3 == 0 {
            limiter = limiter.with_limit_at(limits[step as usize % 2], at(10 * step));
        }
        assert!(step % 2 > 0 || limiter.check_at("ann", at(10 * step)).is_allowed(), "{step}");
    }
}

#[test]
fn a_sliding_window_whose_limit_changes_goes_on_fading() {
    use rate_core::algorithm::SlidingWindow;

    // All that counted was counted as taken at the change, so a limit that was adjusted twice a minute kept it for ever.
    let minute = |limit| SlidingWindow::new(Quota::per_minute(limit));
    adjusted_twice_a_minute([10, 20].map(minute));
    // A share is a share.
    let limiter = KeyedLimiter::of(minute(10));
    assert!(limiter.check_n_at("ann", 10, at(30)).is_allowed());
    let raised = limiter.with_limit_at(minute(100), at(75));
    assert_eq!(raised.peek_at("ann", at(75)).remaining(), 25);
    assert_eq!(raised.peek_at("ann", at(90)).remaining(), 50);
    assert_eq!(raised.peek_at("ann", at(120)).remaining(), 100);
}

#[test]
fn a_log_whose_limit_changes_keeps_each_unit_as_long_as_before() {
    use rate_core::algorithm::SlidingLog;

    // All that was taken counted as taken at the change, so a limit that was adjusted twice a minute kept it for ever.
    let minute = |limit| SlidingLog::new(Quota::per_minute(limit));
    adjusted_twice_a_minute([10, 1_010].map(minute));
    // A share is a share, in a ring of the same size and in others; and it ends when it did.
    for (limit, left) in [(8, [0, 4, 6, 8]), (12, [0, 6, 9, 12]), (100, [0, 50, 75, 100]), (2, [0, 1, 1, 2])]
    {
        let limiter = KeyedLimiter::of(minute(16));
        for (units, seconds) in [(8, 10), (4, 20), (4, 30)] {
            assert!(limiter.check_n_at("ann", units, at(seconds)).is_allowed());
        }
        let changed = limiter.with_limit_at(minute(limit), at(40));
        let remaining = [69, 70, 80, 90].map(|seconds| changed.peek_at("ann", at(seconds)).remaining());
        assert_eq!(remaining, left, "of {limit}");
        assert_eq!(changed.check_at("ann", at(41)).retry_after(), Some(Duration::from_secs(29)));
    }
    // A penalty stays one, as long as it was.
    let limiter = KeyedLimiter::of(minute(16));
    limiter.penalize_at("ann", Duration::from_secs(100), at(0));
    let changed = limiter.with_limit_at(minute(5), at(40));
    assert_eq!(changed.check_at("ann", at(99)).retry_after(), Some(Duration::from_secs(1)));
    assert_eq!(changed.refund_at("ann", 5, at(40), at(99)), 0);
    assert!(changed.check_n_at("ann", 5, at(100)).is_allowed());
}

#[test]
fn a_bucket_that_was_a_window_for_a_second_is_as_empty_as_before() {
    use rate_core::algorithm::{AnyAlgorithm, Calendar, CalendarWindow, FixedWindow, Gcra, SlidingLog};

    // A second before an hour and a day end, and the windows with them.
    let now = Timestamp::from_nanos((86_400 - 1) * 1_000_000_000);
    let bucket = AnyAlgorithm::from(Gcra::new(Quota::per_hour(10)));
    let day = CalendarWindow::try_new(10, Calendar::Day).expect("a limit");
    let log = [SlidingLog::new(Quota::per_day(100)).into(), Gcra::new(Quota::per_second(10)).into()];
    let ways: [&[AnyAlgorithm]; 4] = [
        &[FixedWindow::new(Quota::per_hour(10)).into()],
        &[FixedWindow::new(Quota::new(10, Duration::from_secs(7_200)).expect("a quota")).into()],
        &[day.into()],
        &log,
    ];
    for way in ways {
        let mut limiter = KeyedLimiter::builder_of(bucket).clock(ManualClock::new()).build().expect("memory");
        assert!(limiter.check_n_at("ann", 10, now).is_allowed());
        for limit in way {
            limiter = limiter.with_limit_at(*limit, now);
        }
        let later = now.saturating_add(Duration::from_secs(2));
        let _ = limiter.check_n_at("ann", 0, later);
        let limiter = limiter.with_limit_at(bucket, later);
        assert!(!limiter.check_at("ann", later).is_allowed(), "{way:?}");
    }
}
