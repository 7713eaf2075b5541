//! Whom which quota is for.

use crate::Quota;

/// What limits one caller, where not all are limited alike.
///
/// # Examples
///
/// ```
/// use rate_core::{KeyedLimiter, Quota, Tier, Timestamp};
///
/// let limiter = KeyedLimiter::new(Quota::per_minute(10));
/// let now = Timestamp::ZERO;
/// let tier_of = |user: &str| match user {
///     "root" => Tier::Unlimited,
///     "gold" => Tier::Limit(Quota::per_minute(100)),
///     "gone" => Tier::Blocked,
///     _ => Tier::Limit(limiter.quota()),
/// };
/// let take = |user: &str, cost| limiter.check_tier_at(user, tier_of(user), cost, now);
/// assert!(take("ann", 10).is_allowed());
/// assert!(!take("ann", 1).is_allowed());
/// assert_eq!(take("gold", 50).remaining(), 50);
/// assert!(take("root", 1_000_000).is_allowed());
/// assert_eq!(take("gone", 1).retry_after(), None);
///
/// // Half of it was used, and half stays used.
/// let downgraded = Tier::Limit(Quota::per_minute(10));
/// assert_eq!(limiter.check_tier_at("gold", downgraded, 1, now).remaining(), 4);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Tier {
    /// Everything is admitted, and nothing counted.
    Unlimited,
    /// So much is admitted.
    Limit(Quota),
    /// Nothing is admitted, and nothing counted. No wait helps.
    Blocked,
}
