//! Why somebody was sent away.

use std::fmt;
use std::time::Duration;

/// Why the units were not acquired. None were taken.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// use tower_ratelimit::Quota;
/// use tower_ratelimit::acquire::{AcquireError, AsyncLimiter, Limiter};
///
/// #[tokio::main(flavor = "current_thread")]
/// async fn main() -> Result<(), AcquireError> {
///     let limiter = AsyncLimiter::new(Limiter::new(Quota::per_hour(2))).max_waiting(0);
///     limiter.acquire_n(2).await?;
///     assert_eq!(limiter.acquire_n(3).await, Err(AcquireError::Never { cost: 3, limit: 2 }));
///     // Nobody may wait here.
///     assert_eq!(limiter.acquire().await, Err(AcquireError::Full { waiting: 0 }));
///
///     let limiter = limiter.max_waiting(10);
///     let denied = limiter.acquire().within(Duration::from_secs(1)).await;
///     let Err(AcquireError::TooLate { wait: Some(wait) }) = denied else { unreachable!() };
///     assert!(wait > Duration::from_secs(1_700));
///     Ok(())
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AcquireError {
    /// No wait can help: the cost is above the burst, or the limit admits nothing any more.
    Never {
        /// The units that were asked for.
        cost: u64,
        /// Most units available at once.
        limit: u64,
    },
    /// The deadline is over, or certain to be over before the units are there.
    TooLate {
        /// When it was certain: how long it would have taken at the least. None when the deadline was reached waiting.
        wait: Option<Duration>,
    },
    /// So many wait for the key as may.
    Full {
        /// How many that is.
        waiting: usize,
    },
}

impl fmt::Display for AcquireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Never { cost, limit } if cost > limit => {
                write!(
                    f,
                    "a cost of {cost} can never be admitted: at most {limit} units are available at once"
                )
            }
            Self::Never { cost, .. } => write!(f, "a cost of {cost} can never be admitted any more"),
            Self::TooLate { wait: Some(wait) } => {
                write!(f, "the deadline cannot be met: it takes another {wait:?} at least")
            }
            Self::TooLate { wait: None } => f.write_str("the deadline was reached before it was one's turn"),
            Self::Full { waiting } => write!(f, "the line is full: {waiting} are waiting already"),
        }
    }
}

impl std::error::Error for AcquireError {}
