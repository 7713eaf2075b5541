//! A program without std that limits something: `tests/run` builds it, and runs its tests.
//!
//! It has its own handler of panics, and so has std. If std comes back by whatever way, rust refuses to build this
//! (E0152: duplicate lang item). The tests are a program with std, but the rate-core in it is the one without.

#![cfg_attr(not(test), no_std)]

extern crate alloc;

use alloc::string::{String, ToString};
use core::time::Duration;

use rate_core::algorithm::AnyAlgorithm;
use rate_core::{Decision, Limiter, ManualClock, ParseQuotaError, Quota};

#[cfg(not(test))]
#[global_allocator]
static HEAP: static_alloc::Bump<[u8; 1 << 16]> = static_alloc::Bump::uninit();

#[cfg(not(test))]
#[panic_handler]
fn halt(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {
        core::hint::spin_loop();
    }
}

/// One unit, another one at once, and a third after the wait that the second was told.
pub fn three_checks() -> [Decision; 3] {
    let clock = ManualClock::new();
    let limiter = Limiter::with_clock(Quota::per_second(1), clock.clone());
    let [first, second] = [limiter.check(), limiter.check()];
    clock.advance(second.retry_after().unwrap_or(Duration::MAX));
    [first, second, limiter.check()]
}

/// A limit by its text form: the canonical text, and how many of 10 units it has at once.
pub fn by_text(text: &str) -> Result<(String, u64), ParseQuotaError> {
    let algorithm: AnyAlgorithm = text.parse()?;
    let limiter = Limiter::of_with_clock(algorithm, ManualClock::new());
    Ok((algorithm.to_string(), limiter.take_up_to(10)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spent_limit_refuses_until_the_wait_is_over() {
        assert_eq!(three_checks().map(|decision| decision.is_allowed()), [true, false, true]);
    }

    #[test]
    fn every_algorithm_limits_without_std() {
        for (text, at_once) in [
            ("4/s", 4),
            ("4/s burst 7", 7),
            ("4/s leaky-bucket", 4),
            ("4/s fixed-window", 4),
            ("4/day calendar-window", 4),
            ("4/s sliding-window", 4),
            ("4/s sliding-log", 4),
        ] {
            assert_eq!(by_text(text), Ok((text.to_owned(), at_once)));
        }
    }
}
