//! The six algorithms behind one interface, each asked in every way there is.

use std::fmt::Debug;
use std::time::Duration;

use rate_core::algorithm::{
    Algorithm, AlgorithmName, AnyAlgorithm, Bounds, CalendarWindow, FixedWindow, Gcra, LeakyBucket,
    SlidingLog, SlidingWindow,
};
use rate_core::{
    Decision, Denied, Kept, KeyedLimiter, Limiter, ManualClock, Quota, Reservation, Secret, Timestamp,
    check_all,
};

/// What can be asked of a limit. One without keys is the same for all; an operation that an algorithm does not have is none.
pub(crate) trait Limit: Debug + Sync {
    fn check(&self, key: u64, cost: u64, now: u64) -> Decision;
    fn peek(&self, key: u64, cost: u64, now: u64) -> Decision;
    fn up_to(&self, key: u64, units: u64, now: u64) -> u64;
    fn penalize(&self, key: u64, nanos: u64, now: u64);

    fn refund(&self, _key: u64, _units: u64, _charged: u64, _now: u64) -> Option<u64> {
        None
    }

    fn reserve(&self, _: u64, _cost: u64, _wait: u64, _now: u64) -> Option<Result<Reservation<'_>, Denied>> {
        None
    }

    fn debit(&self, _key: u64, _units: u64, _debt: u64, _now: u64) -> Option<u64> {
        None
    }

    /// Makes the key new.
    fn forget(&self, key: u64);

    /// Keys that lost their state.
    fn evictions(&self) -> u64 {
        0
    }
}

/// A limit and what it is made of.
#[derive(Debug)]
pub(crate) struct Subject {
    pub(crate) algorithm: AnyAlgorithm,
    pub(crate) limit: Box<dyn Limit>,
}

impl Subject {
    /// Each algorithm that can count this quota, in each way to ask it. Keyed ones have room for `capacity` keys.
    pub(crate) fn all(quota: Quota, capacity: usize) -> Vec<Self> {
        let mut all = Vec::new();
        for algorithm in algorithms(quota) {
            let mut add = |limit| all.push(Self { algorithm, limit });
            add(Box::new(keyed(algorithm, capacity)));
            add(Box::new(Combined(keyed(algorithm, capacity), plenty())));
            add(typed(algorithm, capacity));
            if let AnyAlgorithm::Gcra(_) = algorithm {
                add(Box::new(keyed(Gcra::new(Quota::per_second(7).burst(3)), capacity).tier(quota)));
            }
            // Without a key there is nothing to shift windows by.
            add(Box::new(Limiter::of_with_clock(algorithm, ManualClock::new())));
        }
        all
    }

    /// One way for each algorithm: that with all its operations.
    pub(crate) fn six(quota: Quota, capacity: usize) -> Vec<Self> {
        let all = algorithms(quota).into_iter();
        all.map(|algorithm| Self { algorithm, limit: typed(algorithm, capacity) }).collect()
    }

    pub(crate) fn most(&self) -> u64 {
        self.algorithm.capacity()
    }

    pub(crate) fn bounds(&self) -> Bounds {
        self.algorithm.bounds()
    }

    pub(crate) fn name(&self) -> AlgorithmName {
        self.algorithm.name()
    }

    pub(crate) fn is_gcra(&self) -> bool {
        self.name() == AlgorithmName::Gcra
    }

    pub(crate) fn is_staggered(&self) -> bool {
        self.algorithm.to_string().ends_with("staggered")
    }

    pub(crate) fn check(&self, cost: u64, now: u64) -> Decision {
        self.limit.check(0, cost, now)
    }

    pub(crate) fn peek(&self, now: u64) -> Decision {
        self.limit.peek(0, 1, now)
    }

    /// Takes everything there is, and returns how much that was.
    pub(crate) fn drain(&self, now: u64) -> u64 {
        self.limit.up_to(0, u64::MAX, now)
    }
}

/// Each algorithm that can count this quota; fixed windows also staggered.
pub(crate) fn algorithms(quota: Quota) -> Vec<AnyAlgorithm> {
    let mut all: Vec<_> = AlgorithmName::ALL.iter().filter_map(|name| name.over(quota).ok()).collect();
    all.extend(FixedWindow::try_new(quota).map(|window| AnyAlgorithm::from(window.staggered())));
    all
}

/// Limiters of one secret, so that equal keys have equal windows.
pub(crate) fn keyed<A: Kept>(algorithm: A, capacity: usize) -> KeyedLimiter<A> {
    let builder = KeyedLimiter::builder_of(algorithm).capacity(capacity).clock(ManualClock::new());
    builder.secret(Secret::from_bytes(*b"of all the tests")).build().expect("it fits")
}

/// The limiter that knows at compile time what it counts by.
fn typed(algorithm: AnyAlgorithm, capacity: usize) -> Box<dyn Limit> {
    match algorithm {
        AnyAlgorithm::Gcra(gcra) => Box::new(keyed(gcra, capacity)),
        AnyAlgorithm::LeakyBucket(bucket) => Box::new(keyed(bucket, capacity)),
        AnyAlgorithm::FixedWindow(window) => Box::new(keyed(window, capacity)),
        AnyAlgorithm::CalendarWindow(window) => Box::new(keyed(window, capacity)),
        AnyAlgorithm::SlidingWindow(window) => Box::new(keyed(window, capacity)),
        AnyAlgorithm::SlidingLog(log) => Box::new(keyed(log, capacity)),
        other => panic!("{other} is new"),
    }
}

fn at(nanos: u64) -> Timestamp {
    Timestamp::from_nanos(nanos)
}

impl<A: Operations> Limit for KeyedLimiter<A> {
    fn check(&self, key: u64, cost: u64, now: u64) -> Decision {
        self.check_n_at(&key, cost, at(now))
    }

    fn peek(&self, key: u64, cost: u64, now: u64) -> Decision {
        self.peek_n_at(&key, cost, at(now))
    }

    fn up_to(&self, key: u64, units: u64, now: u64) -> u64 {
        self.take_up_to_at(&key, units, at(now))
    }

    fn penalize(&self, key: u64, nanos: u64, now: u64) {
        self.penalize_at(&key, Duration::from_nanos(nanos), at(now));
    }

    fn refund(&self, key: u64, units: u64, charged: u64, now: u64) -> Option<u64> {
        A::refund(self, key, units, charged, now)
    }

    fn reserve(&self, key: u64, cost: u64, wait: u64, now: u64) -> Option<Result<Reservation<'_>, Denied>> {
        A::reserve(self, key, cost, wait, now)
    }

    fn debit(&self, key: u64, units: u64, debt: u64, now: u64) -> Option<u64> {
        A::debit(self, key, units, debt, now)
    }

    fn forget(&self, key: u64) {
        self.forget(&key);
    }

    fn evictions(&self) -> u64 {
        self.evictions()
    }
}

/// The operations that not every algorithm has.
pub(crate) trait Operations: Kept {
    fn refund(_: &KeyedLimiter<Self>, _key: u64, _units: u64, _charged: u64, _now: u64) -> Option<u64> {
        None
    }

    fn reserve(
        _: &KeyedLimiter<Self>,
        _key: u64,
        _cost: u64,
        _wait: u64,
        _now: u64,
    ) -> Option<Result<Reservation<'_>, Denied>> {
        None
    }

    fn debit(_: &KeyedLimiter<Self>, _key: u64, _units: u64, _debt: u64, _now: u64) -> Option<u64> {
        None
    }
}

macro_rules! operations {
    ($algorithm:ident: $($operation:ident)*) => {
        impl Operations for $algorithm {
            $(operations!(@$operation);)*
        }
    };
    (@refund) => {
        fn refund(limit: &KeyedLimiter<Self>, key: u64, units: u64, charged: u64, now: u64) -> Option<u64> {
            Some(limit.refund_at(&key, units, at(charged), at(now)))
        }
    };
    (@reserve) => {
        fn reserve(
            limit: &KeyedLimiter<Self>,
            key: u64,
            cost: u64,
            wait: u64,
            now: u64,
        ) -> Option<Result<Reservation<'_>, Denied>> {
            Some(limit.reserve_at(&key, cost, Duration::from_nanos(wait), at(now)))
        }
    };
    (@debit) => {
        fn debit(limit: &KeyedLimiter<Self>, key: u64, units: u64, debt: u64, now: u64) -> Option<u64> {
            Some(limit.debit_at(&key, units, debt, at(now)))
        }
    };
}

operations!(Gcra: refund reserve debit);
operations!(LeakyBucket: reserve);
operations!(FixedWindow: refund);
operations!(CalendarWindow: refund);
operations!(SlidingWindow: refund);
operations!(SlidingLog: refund);
// Which of them it has is not known when it is compiled.
operations!(AnyAlgorithm:);

/// Without keys: the same limit whoever asks.
impl<A: Kept> Limit for Limiter<A> {
    fn check(&self, _: u64, cost: u64, now: u64) -> Decision {
        self.check_n_at(cost, at(now))
    }

    fn peek(&self, _: u64, cost: u64, now: u64) -> Decision {
        self.peek_n_at(cost, at(now))
    }

    fn up_to(&self, _: u64, units: u64, now: u64) -> u64 {
        self.take_up_to_at(units, at(now))
    }

    fn penalize(&self, _: u64, nanos: u64, now: u64) {
        self.penalize_at(Duration::from_nanos(nanos), at(now));
    }

    fn forget(&self, _: u64) {
        self.reset();
    }
}

/// Beside a second limit that always has enough.
#[derive(Debug)]
struct Combined(KeyedLimiter<AnyAlgorithm>, KeyedLimiter);

fn plenty() -> KeyedLimiter {
    keyed(Gcra::new(Quota::per_second(1_000_000_000).burst(1 << 62)), 8)
}

impl Limit for Combined {
    fn check(&self, key: u64, cost: u64, now: u64) -> Decision {
        check_all([self.0.charge(&key, cost), self.1.charge(&0, cost)], at(now)).each()[0]
    }

    fn peek(&self, key: u64, cost: u64, now: u64) -> Decision {
        self.0.peek_n_at(&key, cost, at(now))
    }

    fn up_to(&self, key: u64, units: u64, now: u64) -> u64 {
        self.0.take_up_to_at(&key, units, at(now))
    }

    fn penalize(&self, key: u64, nanos: u64, now: u64) {
        self.0.penalize_at(&key, Duration::from_nanos(nanos), at(now));
    }

    fn forget(&self, key: u64) {
        self.0.forget(&key);
    }

    fn evictions(&self) -> u64 {
        self.0.evictions()
    }
}
