//! Limiters on the default clock that were made at different moments.

use std::time::{Duration, Instant};

use rate_core::{KeyedLimiter, Quota, check_all};

/// Lets `time` pass. Elsewhere time is passed in; here it is the default clock itself that has to move on.
pub(crate) fn later(time: Duration) {
    std::thread::sleep(time);
}

#[test]
fn limiters_made_at_different_moments_admit_one_burst_together() {
    // Clocks began at zero when they were made. By the older limiter's clock everything that was charged by the younger
    // one's was long past, and both of them were as good as new.
    const QUOTA: Quota = Quota::per_second(2_000).burst(100);
    for used_before in [false, true] {
        let older = KeyedLimiter::new(QUOTA);
        if used_before {
            assert!(older.check("ann").is_allowed());
        }
        later(Duration::from_millis(60));
        let younger = KeyedLimiter::new(QUOTA);

        let start = Instant::now();
        let mut admitted = 0;
        for clock in [&younger, &older, &younger, &older] {
            for _ in 0..100 {
                let both = [older.charge("ann", 1), younger.charge("ann", 1)];
                admitted += u64::from(check_all(both, clock.now()).is_allowed());
            }
        }
        // What came back meanwhile is owed, however slow the machine is just now.
        let earned = (start.elapsed().as_secs_f64() * 2_000.0) as u64;
        assert!((100..=101 + earned).contains(&admitted), "{admitted}, of which {earned} were earned");
    }
}
