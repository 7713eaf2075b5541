//! Tokio's time as a limiter's clock.

use std::time::Duration;

use rate_core::{Clock, Timestamp};
use tokio::time::Instant;

/// The clock by which tokio's timers run, so that tests with paused time travel through limits too.
///
/// Zero is the instant at which it is made, in the runtime that is to use it; clones share it. In production a limiter's own
/// clock is the better one.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// use tower_ratelimit::Quota;
/// use tower_ratelimit::acquire::{Limiter, TokioClock};
///
/// #[tokio::main(flavor = "current_thread", start_paused = true)]
/// async fn main() {
///     let limiter = Limiter::with_clock(Quota::per_hour(1), TokioClock::new());
///     assert!(limiter.check().is_allowed());
///     assert!(!limiter.check().is_allowed());
///
///     tokio::time::advance(Duration::from_secs(3_600)).await;
///     assert!(limiter.check().is_allowed());
/// }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct TokioClock {
    origin: Instant,
    utc: Duration,
}

impl TokioClock {
    /// A clock that stands at zero now, as if that were the beginning of 1970: windows begin now.
    #[must_use]
    pub fn new() -> Self {
        Self::starting_at(Duration::ZERO)
    }

    /// A clock that stands at zero now, as if that were `utc` after the beginning of 1970: for windows of the calendar.
    #[must_use]
    pub fn starting_at(utc: Duration) -> Self {
        Self { origin: Instant::now(), utc }
    }
}

impl Default for TokioClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for TokioClock {
    fn now(&self) -> Timestamp {
        Timestamp::ZERO.saturating_add(self.origin.elapsed())
    }

    fn utc_at_zero(&self) -> Duration {
        self.utc
    }
}
