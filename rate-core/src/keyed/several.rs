//! Several limits on one request, all or nothing.

use core::fmt;
use core::time::Duration;

use crate::algorithm::{AnyAlgorithm, Standing};
use crate::table::{Ask, Half, Usual, decide_all, decide_mixed};
use crate::{Decision, Timestamp};

/// Most limits that one decision can combine.
pub const MAX_LIMITS: usize = 16;

/// A number of units to take from one key of one limiter; made by [`KeyedLimiter::charge`](crate::KeyedLimiter::charge).
///
/// Nothing is taken before it is checked, alone or by [`check_all`] with others, and each check takes the units again.
///
/// # Examples
///
/// ```
/// use rate_core::{KeyedLimiter, Quota, Timestamp};
///
/// let limiter = KeyedLimiter::new(Quota::per_hour(3));
/// let (charge, now) = (limiter.charge("ann", 2), Timestamp::ZERO);
/// assert!(charge.check_at(now).is_allowed());
/// // One is left, of two.
/// assert!(!charge.check_at(now).is_allowed());
/// ```
#[derive(Clone, Copy)]
#[must_use = "a charge does nothing until it is checked"]
pub struct Charge<'a>(pub(super) Ask<'a>);

impl Charge<'_> {
    /// Decides this charge alone.
    #[inline]
    pub fn check_at(&self, now: Timestamp) -> Decision {
        self.0.decide::<AnyAlgorithm>(now.as_nanos())
    }

    /// What somebody can hope for who comes after others that will take `ahead` units; takes nothing.
    ///
    /// Others take what they want as early as they can, in portions that are not known: the wait is at least what
    /// [`retry_after`](Decision::retry_after) says, where `None` is never. It is just that, to a nanosecond per portion, where
    /// units come back one by one: in a token bucket and a leaky bucket.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use rate_core::{KeyedLimiter, Quota, Timestamp};
    ///
    /// let limiter = KeyedLimiter::new(Quota::per_second(10));
    /// let now = Timestamp::ZERO;
    /// let behind = |ahead| limiter.charge("ann", 2).peek_behind_at(ahead, now).retry_after();
    /// assert_eq!(behind(8), Some(Duration::ZERO));
    /// assert_eq!(behind(100), Some(Duration::from_millis(9_200)));
    ///
    /// // More than the burst, whoever comes before.
    /// assert_eq!(limiter.charge("ann", 11).peek_behind_at(0, now).retry_after(), None);
    /// ```
    pub fn peek_behind_at(&self, ahead: u64, now: Timestamp) -> Decision {
        self.0.peek_behind(ahead, now.as_nanos())
    }
}

// Not derived: that would show the key's fingerprint, and with the table behind it everybody else's.
impl fmt::Debug for Charge<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Charge").field("cost", &self.0.cost).finish_non_exhaustive()
    }
}

/// The answers of several limits to one request.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use rate_core::{KeyedLimiter, Quota, Timestamp, check_all};
///
/// let burst = KeyedLimiter::new(Quota::per_second(1));
/// let daily = KeyedLimiter::new(Quota::per_day(1_000));
/// let now = Timestamp::ZERO;
/// let decisions = check_all([burst.charge("ann", 1), daily.charge("ann", 1)], now);
/// assert!(decisions.is_allowed());
///
/// let decisions = check_all([burst.charge("ann", 1), daily.charge("ann", 1)], now);
/// assert!(!decisions.is_allowed());
/// assert_eq!(decisions.each().map(|decision| decision.is_allowed()), [false, true]);
/// assert_eq!(decisions.retry_after(), Some(Duration::from_secs(1)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a decision that nobody reads limits nobody"]
pub struct Decisions<const N: usize>([Decision; N]);

impl<const N: usize> Decisions<N> {
    /// Whether the request may proceed: every limit admitted it, and all were charged.
    #[must_use]
    pub fn is_allowed(&self) -> bool {
        self.0.iter().all(Decision::is_allowed)
    }

    /// Each limit's own answer, in the order of the charges. When the request was refused, an `Allowed` in here says
    /// that this limit was not the reason; it was not charged either.
    pub fn each(&self) -> &[Decision; N] {
        &self.0
    }

    /// The longest wait among the refusing limits: zero when admitted, `None` when one of them never admits this cost.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.iter().try_fold(Duration::ZERO, |longest, decision| Some(longest.max(decision.retry_after()?)))
    }
}

/// Decides several limits as one: all admit and all are charged, or nothing is.
///
/// The decision is atomic, whatever other threads do to any of the keys meanwhile. The same key of the same limiter may
/// come up twice; it is then charged the sum, by the limit of the first of them if they are
/// [tiers](crate::KeyedLimiter::tier) of one limiter. Limiters may differ in quota, algorithm and key type; a limit for
/// everybody among them is a `KeyedLimiter` that is always asked for the same key.
///
/// # Panics
///
/// At compile time, for more than [`MAX_LIMITS`] charges.
///
/// # Examples
///
/// ```
/// use rate_core::{KeyedLimiter, Quota, Timestamp, check_all};
///
/// let burst = KeyedLimiter::new(Quota::per_second(1));
/// let daily = KeyedLimiter::new(Quota::per_day(1_000));
/// let now = Timestamp::ZERO;
///
/// let both = || check_all([burst.charge("ann", 1), daily.charge("ann", 1)], now);
/// assert!(both().is_allowed());
/// for _ in 0..10_000 {
///     assert!(!both().is_allowed());
/// }
/// // The refusals of the first limit spent nothing of the second.
/// assert_eq!(daily.peek_at("ann", now).remaining(), 999);
/// ```
#[inline(always)]
pub fn check_all<const N: usize>(charges: [Charge<'_>; N], now: Timestamp) -> Decisions<N> {
    const { assert!(N > 0 && N <= MAX_LIMITS, "between 1 and 16 limits can be combined") };
    if let [first, second] = charges.as_slice() {
        // Each returns by itself: put together their results would be in memory, and all of them be computed.
        if let Some(usual) = Usual::of(&first.0, &second.0) {
            if let Some(decisions) = usual.decide(now.as_nanos()) {
                return Decisions(core::array::from_fn(|index| decisions[index]));
            }
        } else if let Some(halves) = decide_mixed(&first.0, &second.0, now.as_nanos()) {
            let decisions = decisions_of(&first.0, &second.0, halves, now);
            return Decisions(core::array::from_fn(|index| decisions[index]));
        }
    }
    check_all_anywhere(&charges, now)
}

#[inline(always)]
fn decisions_of(first: &Ask<'_>, second: &Ask<'_>, halves: [Half; 2], now: Timestamp) -> [Decision; 2] {
    let [one, other] = halves;
    [
        Decision::new(first.rate.most(), one.left(first, now.as_nanos()), one.wait),
        Decision::new(second.rate.most(), other.left(second, now.as_nanos()), other.wait),
    ]
}

#[inline(never)]
fn check_all_anywhere<const N: usize>(charges: &[Charge<'_>; N], now: Timestamp) -> Decisions<N> {
    // Overwritten: every charge is answered.
    let mut decisions = [Decision::new(0, Standing { remaining: 0, reset_after: 0 }, None); N];
    check_slice(charges, now, |index, decision| decisions[index] = decision);
    Decisions(decisions)
}

/// As [`check_all`], for a number of limits that is known only at run time. Returns whether all admitted, and hands each
/// charge's place and answer to `each`, in order. Without charges the request is admitted, for there is nobody to refuse it.
///
/// # Panics
///
/// If there are more than [`MAX_LIMITS`] charges.
///
/// # Examples
///
/// ```
/// use rate_core::{KeyedLimiter, Quota, Timestamp, check_slice};
///
/// let limiters = [Quota::per_second(2), Quota::per_hour(1)].map(KeyedLimiter::new);
/// let now = Timestamp::ZERO;
/// let charges: Vec<_> = limiters.iter().map(|limiter| limiter.charge("ann", 1)).collect();
/// assert!(check_slice(&charges, now, |_, decision| assert!(decision.is_allowed())));
///
/// let mut refused = Vec::new();
/// let is_allowed = check_slice(&charges, now, |place, decision| {
///     if !decision.is_allowed() {
///         refused.push(place);
///     }
/// });
/// assert!(!is_allowed);
/// assert_eq!(refused, [1]);
///
/// assert!(check_slice(&[], now, |_, _| unreachable!()));
/// ```
pub fn check_slice(charges: &[Charge<'_>], now: Timestamp, mut each: impl FnMut(usize, Decision)) -> bool {
    match charges {
        [] => true,
        [only] => {
            let decision = only.check_at(now);
            each(0, decision);
            decision.is_allowed()
        }
        [first, second] => {
            let decisions = match Usual::of(&first.0, &second.0) {
                Some(usual) => usual.decide(now.as_nanos()),
                None => decide_mixed(&first.0, &second.0, now.as_nanos())
                    .map(|halves| decisions_of(&first.0, &second.0, halves, now)),
            };
            let Some([first, second]) = decisions else {
                return check_up_to::<2, 4>(charges, now, &mut each);
            };
            each(0, first);
            each(1, second);
            first.is_allowed() && second.is_allowed()
        }
        [_, _, _] | [_, _, _, _] => check_up_to::<4, 8>(charges, now, &mut each),
        _ => check_up_to::<MAX_LIMITS, { 2 * MAX_LIMITS }>(charges, now, &mut each),
    }
}

fn check_up_to<const N: usize, const LINES: usize>(
    charges: &[Charge<'_>],
    now: Timestamp,
    each: &mut impl FnMut(usize, Decision),
) -> bool {
    assert!(charges.len() <= N, "at most {MAX_LIMITS} limits can be combined, got {}", charges.len());
    let Some(first) = charges.first() else { return true };
    let mut asks = [first.0; N];
    for (ask, charge) in asks.iter_mut().zip(charges) {
        *ask = charge.0;
    }
    decide_all::<N, LINES>(&asks[..charges.len()], now.as_nanos(), each)
}
