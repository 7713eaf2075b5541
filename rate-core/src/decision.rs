//! The answer to a check.

use core::fmt;
use core::time::Duration;

use crate::algorithm::{NEVER, Standing};

/// The answer to a check: admitted, or not now, or never.
///
/// Both arms carry the same facts. A denial is an answer and no error: nothing was charged.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use rate_core::{Decision, KeyedLimiter, Quota, Timestamp};
///
/// let limiter = KeyedLimiter::new(Quota::per_minute(60).burst(2));
/// let now = Timestamp::ZERO;
/// let Decision::Allowed(allowed) = limiter.check_at("ann", now) else { unreachable!() };
/// assert_eq!(allowed.remaining(), 1);
///
/// assert!(limiter.check_at("ann", now).is_allowed());
/// let Decision::Denied(denied) = limiter.check_at("ann", now) else { unreachable!() };
/// assert_eq!(denied.retry_after(), Some(Duration::from_secs(1)));
///
/// // More than the burst can never be admitted, however long one waits.
/// let Decision::Denied(never) = limiter.check_n_at("ann", 3, now) else { unreachable!() };
/// assert_eq!(never.retry_after(), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a decision that nobody reads limits nobody"]
pub enum Decision {
    /// The request may proceed; its cost was charged.
    Allowed(Allowed),
    /// The request may not proceed; nothing was charged.
    Denied(Denied),
}

/// The facts of an admission.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use rate_core::{Decision, Limiter, Quota, Timestamp};
///
/// let limiter = Limiter::new(Quota::per_second(10));
/// let Decision::Allowed(allowed) = limiter.check_n_at(4, Timestamp::ZERO) else { unreachable!() };
/// assert_eq!((allowed.limit(), allowed.remaining()), (10, 6));
/// assert_eq!(allowed.reset_after(), Duration::from_millis(400));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowed {
    facts: Facts,
}

/// The facts of a denial. It is an error too, so that what was refused can be passed on by `?`.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use rate_core::{Decision, Limiter, Quota, Timestamp};
///
/// let limiter = Limiter::new(Quota::per_second(10));
/// let now = Timestamp::ZERO;
/// assert!(limiter.check_n_at(8, now).is_allowed());
/// let Decision::Denied(denied) = limiter.check_n_at(4, now) else { unreachable!() };
/// assert_eq!((denied.limit(), denied.remaining()), (10, 2));
/// assert_eq!(denied.retry_after(), Some(Duration::from_millis(200)));
/// assert_eq!(denied.to_string(), "limited to 10 at once: retry after 200ms");
///
/// // More than the limit is never admitted.
/// let Decision::Denied(denied) = limiter.check_n_at(11, now) else { unreachable!() };
/// assert_eq!(denied.retry_after(), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Denied {
    facts: Facts,
    retry_after: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Facts {
    limit: u64,
    remaining: u64,
    reset_after: u64,
}

impl Decision {
    /// The answer of a store of your own: admitted when there is nothing to wait for.
    ///
    /// `limit` is the most units available at once, `standing` what the key has left after this request, in units and
    /// nanoseconds, and `wait` the nanoseconds until the same request is admitted, [`NEVER`] when no wait can help.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use rate_core::{Decision, algorithm::{NEVER, Standing}};
    ///
    /// let standing = Standing { remaining: 2, reset_after: 3_000_000_000 };
    /// let admitted = Decision::new(5, standing, None);
    /// assert!(admitted.is_allowed());
    /// assert_eq!((admitted.limit(), admitted.remaining()), (5, 2));
    ///
    /// let refused = Decision::new(5, standing, Some(1_000_000_000));
    /// assert!(!refused.is_allowed());
    /// assert_eq!(refused.retry_after(), Some(Duration::from_secs(1)));
    /// assert_eq!(Decision::new(5, standing, Some(NEVER)).retry_after(), None);
    /// ```
    #[inline]
    pub const fn new(limit: u64, standing: Standing, wait: Option<u64>) -> Self {
        let facts = Facts { limit, remaining: standing.remaining, reset_after: standing.reset_after };
        match wait {
            None => Self::Allowed(Allowed { facts }),
            Some(retry_after) => Self::Denied(Denied::new(limit, standing, retry_after)),
        }
    }

    /// Whether the request may proceed.
    #[inline]
    #[must_use]
    pub const fn is_allowed(&self) -> bool {
        matches!(self, Self::Allowed(_))
    }

    /// Most units available at once: the [burst](crate::Quota::burst_size), which is 20 for `10/s burst 20`. The field
    /// `RateLimit-Policy` calls it `q`; [`Quota::limit`](crate::Quota::limit) is another number, the units per period.
    #[must_use]
    pub const fn limit(&self) -> u64 {
        self.facts().limit
    }

    /// Whole units left, after this request when it was admitted.
    #[must_use]
    pub const fn remaining(&self) -> u64 {
        self.facts().remaining
    }

    /// Time from now until the key is as good as new.
    #[must_use]
    pub const fn reset_after(&self) -> Duration {
        Duration::from_nanos(self.facts().reset_after)
    }

    /// Time to wait before the same request is admitted, if nobody else takes units meanwhile: zero when it was
    /// admitted now, `None` when it never can be.
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Allowed(_) => Some(Duration::ZERO),
            Self::Denied(denied) => denied.retry_after(),
        }
    }

    #[inline]
    const fn facts(&self) -> &Facts {
        match self {
            Self::Allowed(allowed) => &allowed.facts,
            Self::Denied(denied) => &denied.facts,
        }
    }
}

impl fmt::Display for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.retry_after() {
            Some(wait) => write!(f, "limited to {} at once: retry after {wait:?}", self.limit()),
            // Only of a tier that is: no quota has a limit of nothing.
            None if self.limit() == 0 => f.write_str("blocked: nothing is ever admitted"),
            // A denial does not know of the cost.
            None => write!(
                f,
                "limited to {} at once: no wait helps, for more was asked for or nothing is admitted any more",
                self.limit()
            ),
        }
    }
}

/// So that what was refused can be passed on by `?`.
impl core::error::Error for Denied {}

impl Denied {
    #[inline]
    pub(crate) const fn new(limit: u64, standing: Standing, retry_after: u64) -> Self {
        let facts = Facts { limit, remaining: standing.remaining, reset_after: standing.reset_after };
        Self { facts, retry_after }
    }
}

impl Allowed {
    /// Most units available at once: the burst.
    #[must_use]
    pub const fn limit(&self) -> u64 {
        self.facts.limit
    }

    /// Whole units left after this request.
    #[must_use]
    pub const fn remaining(&self) -> u64 {
        self.facts.remaining
    }

    /// Time from now until the key is as good as new.
    #[must_use]
    pub const fn reset_after(&self) -> Duration {
        Duration::from_nanos(self.facts.reset_after)
    }
}

impl Denied {
    /// Most units available at once: the burst.
    #[must_use]
    pub const fn limit(&self) -> u64 {
        self.facts.limit
    }

    /// Whole units left; fewer than the request asked for.
    #[must_use]
    pub const fn remaining(&self) -> u64 {
        self.facts.remaining
    }

    /// Time from now until the key is as good as new.
    #[must_use]
    pub const fn reset_after(&self) -> Duration {
        Duration::from_nanos(self.facts.reset_after)
    }

    /// Time to wait before the same request is admitted, if nobody else takes units meanwhile; `None` when no wait can help:
    /// its cost exceeds the burst, its [tier](crate::Tier) is blocked, or the wait is past the end of representable time.
    ///
    /// Waiting exactly this long succeeds, one nanosecond less does not.
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        if self.retry_after == NEVER { None } else { Some(Duration::from_nanos(self.retry_after)) }
    }
}
