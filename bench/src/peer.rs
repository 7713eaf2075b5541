//! What both sides are asked to do, and governor's side of it.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::hint::black_box;
use std::num::NonZeroU32;

use governor::RateLimiter;
use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::keyed::DashMapStateStore;
use rate_core::{KeyedLimiter, Quota, Timestamp};

use crate::keys::{BuildThrough, Fingerprinted, Key, SECRET};
use crate::report::Outcome;

/// Where a constant clock stands.
const NOW: u64 = 1_000_000_000_000;

/// The same for ours, to be passed to the `_at` forms.
#[inline]
pub(crate) fn precomputed() -> Timestamp {
    black_box(Timestamp::from_nanos(NOW))
}

pub(crate) type Governor<K, S, C> =
    RateLimiter<K, DashMapStateStore<K, S>, C, NoOpMiddleware<<C as Clock>::Instant>>;

/// The clock for "precomputed": an instant that is ready to be read.
///
/// Not known to the compiler, which would otherwise take everything that depends on it out of the loop.
#[derive(Clone, Debug)]
pub(crate) struct ConstantClock(pub(crate) Nanos);

impl ConstantClock {
    pub(crate) fn new() -> Self {
        Self(Nanos::new(NOW))
    }
}

impl Clock for ConstantClock {
    type Instant = Nanos;

    #[inline]
    fn now(&self) -> Nanos {
        black_box(self.0)
    }
}

/// More than a run can spend: a burst near the largest that governor takes.
const PLENTY: u32 = 4_000_000_000;

/// A quota that allows everything, or all but the first request.
pub(crate) fn quota(outcome: Outcome) -> Quota {
    match outcome {
        Outcome::Allow => Quota::per_second(1_000_000_000).burst(PLENTY.into()),
        Outcome::Deny => Quota::per_hour(1),
    }
}

/// The same with an interval that is no whole number of nanoseconds, which governor rounds and rate-core does not.
pub(crate) fn uneven_quota(outcome: Outcome) -> Quota {
    match outcome {
        Outcome::Allow => Quota::per_second(7).burst(PLENTY.into()),
        Outcome::Deny => Quota::per_hour(7).burst(1),
    }
}

/// governor's form of one of ours.
pub(crate) fn governor_quota(quota: Quota) -> governor::Quota {
    let burst = u32::try_from(quota.burst_size()).ok().and_then(NonZeroU32::new).expect("a burst of 32 bits");
    governor::Quota::with_period(quota.period() / u32::try_from(quota.limit()).expect("a limit of 32 bits"))
        .expect("an interval of at least a nanosecond")
        .allow_burst(burst)
}

/// One limiter of each side, built at the same time and holding the same keys.
pub(crate) struct Trio<K: Key, C: Clock> {
    pub(crate) ours: KeyedLimiter,
    pub(crate) governor: Governor<K, RandomState, C>,
    pub(crate) governor_ours: Governor<Fingerprinted<K>, BuildThrough, C>,
}

impl<K: Key, C: Clock + Clone> Trio<K, C> {
    /// Limiters that are to hold `keys` keys: ours has that number as its capacity, which is the tightest it may be.
    pub(crate) fn new(quota: Quota, keys: u64, clock: &C) -> Self {
        let capacity = usize::try_from(keys).expect("a table that fits into memory");
        Self {
            ours: KeyedLimiter::builder(quota)
                .capacity(capacity)
                .secret(SECRET)
                .build()
                .expect("memory for the table"),
            governor: keyed(quota, clock),
            governor_ours: keyed(quota, clock),
        }
    }

    /// Shows every key to all three, in an order that has nothing to do with the one in which they are timed.
    ///
    /// `decide` is how ours is asked: by its own clock or at the constant instant.
    pub(crate) fn fill(&self, keys: u64, decide: impl Fn(&KeyedLimiter, &K) -> bool) {
        for index in 0..keys {
            let key = Fingerprinted(K::nth(index));
            assert!(decide(&self.ours, &key.0), "a new key is admitted");
            assert!(self.governor.check_key(&key.0).is_ok());
            assert!(self.governor_ours.check_key(&key).is_ok());
        }
    }
}

fn keyed<K, S, C>(quota: Quota, clock: &C) -> Governor<K, S, C>
where
    K: Clone + Eq + std::hash::Hash,
    S: BuildHasher + Clone + Default,
    C: Clock + Clone,
{
    RateLimiter::dashmap_with_clock_and_hasher(governor_quota(quota), clock.clone(), S::default())
}
