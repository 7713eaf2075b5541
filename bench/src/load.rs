//! Limiters of any algorithm under a load that they admit for ever, or refuse.
//!
//! What an algorithm remembers depends on when it was asked, so time goes on here: by a tick with each check, on an
//! instant that is ready to be read. Each key comes back 900 times per second, of a thousand that are allowed; a log has then
//! nine hundred entries, and for each that is written down one expires. Where everything is refused the clock stands, and a log
//! has a thousand entries.

use std::sync::atomic::{AtomicU64, Ordering};

use rate_core::algorithm::{
    AlgorithmName, AnyAlgorithm, Calendar, CalendarWindow, FixedWindow, Gcra, LeakyBucket, SlidingLog,
    SlidingWindow,
};
use rate_core::{Kept, KeyedLimiter, Quota, Timestamp};

use crate::harness::INSTANCES;
use crate::keys::{Key, SECRET, shuffled};
use crate::report::Outcome;

pub(crate) const KEYS: u64 = 10_000;

/// Units of a limit, per second where they are admitted.
const LIMIT: u64 = 1_000;

/// How often a key comes back while the whole limit comes back once.
const ROUNDS: u64 = 900;

const SECOND: u64 = 1_000_000_000;

/// Nanoseconds between two checks, whatever their keys.
const TICK: u64 = SECOND / ROUNDS / KEYS;

/// A limit that admits the load, or is spent by it.
pub(crate) trait Loaded: Kept {
    fn loaded(outcome: Outcome) -> Self;
}

fn quota(outcome: Outcome) -> Quota {
    match outcome {
        Outcome::Allow => Quota::per_second(LIMIT),
        Outcome::Deny => Quota::per_hour(LIMIT),
    }
}

impl Loaded for Gcra {
    fn loaded(outcome: Outcome) -> Self {
        Self::new(quota(outcome))
    }
}

impl Loaded for LeakyBucket {
    fn loaded(outcome: Outcome) -> Self {
        match outcome {
            // Where one lap ends and another begins a key may come back at once.
            Outcome::Allow => Self::new(Quota::per_second(SECOND)),
            Outcome::Deny => Self::new(quota(outcome)),
        }
    }
}

impl Loaded for FixedWindow {
    fn loaded(outcome: Outcome) -> Self {
        Self::new(quota(outcome))
    }
}

impl Loaded for CalendarWindow {
    fn loaded(outcome: Outcome) -> Self {
        let limit = match outcome {
            Outcome::Allow => 1 << 31,
            Outcome::Deny => LIMIT,
        };
        Self::try_new(limit, Calendar::Day).expect("a limit of 32 bits")
    }
}

impl Loaded for SlidingWindow {
    fn loaded(outcome: Outcome) -> Self {
        Self::new(quota(outcome))
    }
}

impl Loaded for SlidingLog {
    fn loaded(outcome: Outcome) -> Self {
        Self::new(quota(outcome))
    }
}

/// The default algorithm, where that is known only when the program runs.
impl Loaded for AnyAlgorithm {
    fn loaded(outcome: Outcome) -> Self {
        Gcra::loaded(outcome).into()
    }
}

/// An instant that is the next one each time it is read.
#[derive(Debug)]
pub(crate) struct Ticks {
    now: AtomicU64,
    step: u64,
}

impl Ticks {
    pub(crate) fn new(step: u64) -> Self {
        // Away from the beginning, where differences would be cut off at zero.
        Self { now: AtomicU64::new(1_000 * SECOND), step }
    }

    #[inline(always)]
    pub(crate) fn next(&self) -> Timestamp {
        // Relaxed, and no exchange: on one thread it is an addition.
        let now = self.now.load(Ordering::Relaxed) + self.step;
        self.now.store(now, Ordering::Relaxed);
        Timestamp::from_nanos(now)
    }
}

/// A limiter that knows all its keys.
pub(crate) struct Subject<A> {
    pub(crate) limiter: KeyedLimiter<A>,
    pub(crate) ticks: Ticks,
}

impl<A: Loaded> Subject<A> {
    pub(crate) fn new(outcome: Outcome) -> Self {
        // Twice the keys: a queue that admits is as good as new, and in a line that overflows keys would take turns to replace each
        // other.
        let limiter = KeyedLimiter::builder_of(A::loaded(outcome)).capacity(2 * KEYS as usize).secret(SECRET);
        let mut subject =
            Self { limiter: limiter.build().expect("memory for the table"), ticks: Ticks::new(TICK) };
        subject.fill(outcome);
        subject
    }

    /// As many as a run compares.
    pub(crate) fn several(outcome: Outcome) -> Vec<Self> {
        (0..INSTANCES).map(|_| Self::new(outcome)).collect()
    }

    fn fill(&mut self, outcome: Outcome) {
        let keys: Vec<u64> = shuffled(KEYS, 1).map(Key::nth).collect();
        let has_log = self.limiter.algorithm() == AlgorithmName::SlidingLog;
        // Of a log each entry is another instant; of everything else the last one is all that shows.
        let (rounds, cost) = match (outcome, has_log) {
            (Outcome::Allow, true) => (ROUNDS, 1),
            (Outcome::Allow, false) => (1, 1),
            (Outcome::Deny, true) => (LIMIT, 1),
            (Outcome::Deny, false) => (1, LIMIT),
        };
        for key in (0..rounds).flat_map(|_| &keys) {
            let now = self.ticks.next();
            assert!(self.limiter.check_n_at(key, cost, now).is_allowed(), "there is room for it");
        }
        if outcome == Outcome::Deny {
            self.ticks.step = 0;
        }
    }

    #[inline(always)]
    pub(crate) fn check(&self, key: &u64) -> bool {
        self.limiter.check_at(key, self.ticks.next()).is_allowed()
    }
}
