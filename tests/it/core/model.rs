//! What a limit means, in exact integers and in the plainest words: a bucket of tokens.
//!
//! Written from the definition and not from the implementation, which never counts tokens: it keeps the one instant at
//! which the bucket will be full.

use std::time::Duration;

use rate_core::{Decision, Quota};

/// A bucket that holds `burst` tokens and gains `limit` of them per `period`.
///
/// Tokens are counted in shares of which one token has `token` and one nanosecond brings `gain`, so nothing is rounded.
#[derive(Clone, Debug)]
pub(crate) struct Bucket {
    token: i128,
    gain: i128,
    burst: u64,
    /// Shares at the last admission; a key never seen has none.
    charged: Option<(u64, i128)>,
}

/// What a limiter may be asked about a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) allowed: bool,
    pub(crate) remaining: u64,
    pub(crate) reset_after: Duration,
    pub(crate) retry_after: Option<Duration>,
}

impl Bucket {
    pub(crate) fn new(quota: Quota) -> Self {
        let (limit, period) = (u128::from(quota.limit()), quota.period().as_nanos());
        // In lowest terms, so that the longest times of the largest quotas fit 128 bits.
        let common = gcd(limit, period);
        Self {
            token: (period / common) as i128,
            gain: (limit / common) as i128,
            burst: quota.burst_size(),
            charged: None,
        }
    }

    pub(crate) fn check(&mut self, cost: u64, now: u64) -> Answer {
        let shares = self.shares_at(now);
        if cost > self.burst {
            return self.answer(shares, None);
        }
        let price = i128::from(cost) * self.token;
        if cost > 0 && shares < price {
            return self.answer(shares, Some(self.time_for(price - shares)));
        }
        if cost > 0 {
            self.charged = Some((now, shares - price));
        }
        self.answer(shares - price, Some(Duration::ZERO))
    }

    /// Tokens at an instant. Before the last admission there are fewer than after it: what was taken was taken.
    fn shares_at(&self, now: u64) -> i128 {
        let full = i128::from(self.burst) * self.token;
        let Some((instant, shares)) = self.charged else { return full };
        (shares + (i128::from(now) - i128::from(instant)) * self.gain).min(full)
    }

    fn answer(&self, shares: i128, retry_after: Option<Duration>) -> Answer {
        Answer {
            allowed: retry_after == Some(Duration::ZERO),
            remaining: (shares.max(0) / self.token) as u64,
            reset_after: self.time_for(i128::from(self.burst) * self.token - shares),
            retry_after,
        }
    }

    fn time_for(&self, shares: i128) -> Duration {
        Duration::from_nanos(((shares + self.gain - 1) / self.gain) as u64)
    }
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

fn gcd(a: u128, b: u128) -> u128 {
    if b == 0 { a } else { gcd(b, a % b) }
}
