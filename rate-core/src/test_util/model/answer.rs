//! What is compared.

use core::time::Duration;

use crate::{Decision, Denied};

/// What can be asked of a decision, of a limiter's or of a model's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Whether the request may proceed.
    pub allowed: bool,
    /// Whole units left, after the request when it was admitted.
    pub remaining: u64,
    /// Time until the key is as good as new.
    pub reset_after: Duration,
    /// Time until the same request is admitted: zero when it was, nothing when it never is.
    pub retry_after: Option<Duration>,
}

impl From<Decision> for Answer {
    fn from(decision: Decision) -> Self {
        Self {
            allowed: decision.is_allowed(),
            remaining: decision.remaining(),
            reset_after: decision.reset_after(),
            retry_after: decision.retry_after(),
        }
    }
}

impl From<Denied> for Answer {
    fn from(denied: Denied) -> Self {
        Self::from(Decision::Denied(denied))
    }
}
