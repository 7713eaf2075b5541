//! The token bucket, in tokens.

use core::time::Duration;

use super::change::Backlog;
use super::contract::{refused, until};
use super::{Answer, Model, Place};
use crate::algorithm::Standing;
use crate::time::nanos;
use crate::{Quota, Timestamp};

/// The model of [`Gcra`](crate::algorithm::Gcra): a bucket that holds `burst` tokens and gains `limit` of them per period.
///
/// Tokens are counted in shares, of which one token has `token` and one nanosecond brings `gain`, so nothing is rounded.
///
/// * A *late* timestamp finds fewer tokens than there were at the last change: what was taken was taken.
/// * *Reservations* and *debts* leave less than no token.
/// * A *refund* gives back the charge less what one bucket gains in the time since, and nothing while there is less than no
///   token.
/// * A *penalty* leaves one token at its end, unless there is less.
/// * Whatever would take longer to come back than there is representable time is refused.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use rate_core::test_util::model::{Bucket, Model};
/// use rate_core::{Quota, Timestamp};
///
/// let mut bucket = Bucket::new(Quota::per_second(7).burst(1));
/// assert!(bucket.check(1, Timestamp::ZERO).allowed);
/// let denied = bucket.check(1, Timestamp::ZERO);
/// assert!(!denied.allowed);
/// assert_eq!(denied.retry_after, Some(Duration::from_nanos(142_857_143)));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bucket {
    token: i128,
    gain: i128,
    burst: u64,
    /// An instant, and the shares there were at it.
    level: Level,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Level {
    instant: u64,
    shares: i128,
}

impl Bucket {
    /// A full bucket.
    #[must_use]
    pub fn new(quota: Quota) -> Self {
        let (token, gain) = shares(quota);
        let burst = quota.burst_size();
        Self { token, gain, burst, level: Level { instant: 0, shares: i128::from(burst) * token } }
    }

    /// Full from the tick `instant` on, and before with as much less as is gained until then.
    pub(super) fn full_at(mut self, instant: u64) -> Self {
        self.set(self.full(), instant);
        self
    }

    fn full(&self) -> i128 {
        i128::from(self.burst) * self.token
    }

    fn shares_at(&self, now: u64) -> i128 {
        let Level { instant, shares } = self.level;
        (shares + (i128::from(now) - i128::from(instant)) * self.gain).min(self.full())
    }

    pub(super) fn backlog(&self, now: u64) -> Backlog {
        Backlog {
            used: self.full() - self.shares_at(now),
            full: self.full(),
            unit: self.token,
            gain: self.gain,
            gone_from: self.full_from(),
        }
    }

    /// The instant at which the bucket is full, in units of which a nanosecond has `gain`.
    fn full_from(&self) -> i128 {
        i128::from(self.level.instant) * self.gain + self.full() - self.level.shares
    }

    /// Nanoseconds in which so many shares are gained; or all there are, from the first instant to after the last.
    fn time_for(&self, shares: i128) -> u64 {
        u64::try_from((shares.max(0) + self.gain - 1) / self.gain).unwrap_or(u64::MAX)
    }

    /// Whether a bucket with so many shares at `now` is full again while time can be written down.
    fn is_earned_in_time(&self, shares: i128, now: u64) -> bool {
        self.full() - shares < (i128::from(u64::MAX - now) + 1) * self.gain
    }

    /// A wait after which `cost` tokens can be taken or reserved, unless they are not earned back while time can be written down.
    fn if_taken_after(&self, wait: u64, cost: u64, now: u64) -> Option<u64> {
        let then = now.checked_add(wait)?;
        self.is_earned_in_time(self.shares_at(then) - i128::from(cost) * self.token, then).then_some(wait)
    }

    fn set(&mut self, shares: i128, now: u64) {
        self.level = Level { instant: now, shares };
    }
}

impl Model for Bucket {
    fn capacity(&self) -> u64 {
        self.burst
    }

    fn standing(&self, now: Timestamp) -> Standing {
        let shares = self.shares_at(now.as_nanos());
        Standing {
            remaining: (shares.max(0) / self.token) as u64,
            reset_after: self.time_for(self.full() - shares),
        }
    }

    /// Until there are as many tokens, if they can be taken then.
    fn wait(&self, cost: u64, now: Timestamp) -> Option<u64> {
        let now = now.as_nanos();
        let left = self.shares_at(now) - i128::from(cost) * self.token;
        self.if_taken_after(self.time_for(-left), cost, now)
    }

    fn take(&mut self, units: u64, now: Timestamp) {
        let now = now.as_nanos();
        self.set(self.shares_at(now) - i128::from(units) * self.token, now);
    }

    fn penalize(&mut self, time: Duration, now: Timestamp) {
        let Some(until) = until(time, now) else { return };
        let shares = self.shares_at(until).min(self.token);
        if self.is_earned_in_time(shares, until) {
            self.set(shares, until);
        } else if self.full_from() < i128::from(u64::MAX) * self.gain {
            // Full again at the very end.
            self.set(self.full(), u64::MAX);
        }
    }

    fn reset(&mut self) {
        self.set(self.full(), 0);
    }

    fn refund(&mut self, units: u64, charged: Timestamp, now: Timestamp) -> Option<u64> {
        let shares = self.shares_at(now.as_nanos());
        if shares < 0 {
            return Some(0);
        }
        let since = now.as_nanos().saturating_sub(charged.as_nanos());
        let charge = i128::from(units.min(self.burst)) * self.token;
        let back = (charge - i128::from(since) * self.gain).clamp(0, self.full() - shares);
        if back > 0 {
            self.set(shares + back, now.as_nanos());
        }
        Some((back / self.token) as u64)
    }

    fn reserve(&mut self, cost: u64, max_wait: Duration, now: Timestamp) -> Option<Result<Place, Answer>> {
        if cost > self.burst {
            return Some(Err(refused(self.standing(now), None)));
        }
        let shares = self.shares_at(now.as_nanos());
        let left = shares - i128::from(cost) * self.token;
        // Nothing can be had at once, even when there is less than no token.
        let wait = if cost == 0 { 0 } else { self.time_for(-left) };
        if wait > nanos(max_wait) {
            let wait = self.if_taken_after(wait - nanos(max_wait), cost, now.as_nanos());
            return Some(Err(refused(self.standing(now), wait)));
        }
        let ready = now.saturating_add(Duration::from_nanos(wait));
        if cost > 0 {
            if !self.is_earned_in_time(left, now.as_nanos()) {
                return Some(Err(refused(self.standing(now), None)));
            }
            self.set(left, now.as_nanos());
        }
        Some(Ok(Place { units: cost, ready, wait, left: self.full_from() }))
    }

    /// The last one in line leaves it without a trace. When nobody waits any more, it is a refund of units taken when they
    /// could be used.
    fn cancel(&mut self, place: Place, now: Timestamp) -> Option<u64> {
        let shares = self.shares_at(now.as_nanos());
        if shares >= 0 {
            return self.refund(place.units, place.ready, now);
        }
        if place.left != self.full_from() {
            return Some(0);
        }
        self.set(shares + i128::from(place.units) * self.token, now.as_nanos());
        Some(place.units)
    }

    fn debit(&mut self, units: u64, max_debt: u64, now: Timestamp) -> Option<u64> {
        let shares = self.shares_at(now.as_nanos());
        // More than 128 bits is more than any time there is.
        let allowed = shares.saturating_add(i128::from(max_debt).saturating_mul(self.token));
        // Of which all have to be earned back while time can be written down.
        let time = (i128::from(u64::MAX - now.as_nanos()) + 1) * self.gain - 1;
        let room = allowed.min(time - (self.full() - shares)).max(0);
        let taken = (room / self.token).min(i128::from(units));
        if taken == 0 {
            return Some(0);
        }
        let left = shares - taken * self.token;
        self.set(left, now.as_nanos());
        Some(taken as u64)
    }
}

/// Shares that a unit has, and that a nanosecond brings: in lowest terms, so that the longest times of the largest quotas
/// fit 128 bits.
pub(super) fn shares(quota: Quota) -> (i128, i128) {
    let (limit, period) = (u128::from(quota.limit()), quota.period().as_nanos());
    let common = gcd(limit, period);
    ((period / common) as i128, (limit / common) as i128)
}

fn gcd(a: u128, b: u128) -> u128 {
    if b == 0 { a } else { gcd(b, a % b) }
}
