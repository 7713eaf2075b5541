//! The ways to ask for a decision about one key. The contract holds for each of them.

use rate_core::{Decision, KeyedLimiter, Limiter, Quota, Timestamp, check_all};

#[derive(Debug)]
pub(crate) enum Subject {
    One(Limiter),
    Keyed(KeyedLimiter),
    /// Beside a second limit that always has enough.
    Combined(KeyedLimiter, KeyedLimiter),
}

impl Subject {
    pub(crate) fn all(quota: Quota) -> [Self; 3] {
        let keyed = |quota| KeyedLimiter::builder(quota).capacity(8).build().expect("eight keys fit");
        let plenty = Quota::per_second(1_000_000_000).burst(1 << 62);
        [
            Self::One(Limiter::new(quota)),
            Self::Keyed(keyed(quota)),
            Self::Combined(keyed(quota), keyed(plenty)),
        ]
    }

    pub(crate) fn check(&self, cost: u64, now: u64) -> Decision {
        let now = Timestamp::from_nanos(now);
        match self {
            Self::One(limiter) => limiter.check_n_at(cost, now),
            Self::Keyed(limiter) => limiter.check_n_at("key", cost, now),
            Self::Combined(limiter, plenty) => {
                check_all([limiter.charge("key", cost), plenty.charge("key", cost)], now).each()[0]
            }
        }
    }

    pub(crate) fn peek(&self, now: u64) -> Decision {
        let now = Timestamp::from_nanos(now);
        match self {
            Self::One(limiter) => limiter.peek_at(now),
            Self::Keyed(limiter) | Self::Combined(limiter, _) => limiter.peek_at("key", now),
        }
    }

    /// Takes single units until one is refused, and returns how many there were.
    pub(crate) fn drain(&self, now: u64) -> u64 {
        let mut taken = 0;
        while self.check(1, now).is_allowed() {
            taken += 1;
            assert!(taken <= 1_000_000, "{self:?} does not limit");
        }
        taken
    }
}
