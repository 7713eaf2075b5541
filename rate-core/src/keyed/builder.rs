//! Capacity, clock and secret of a keyed limiter.

use core::fmt;
use core::marker::PhantomData;
use std::sync::Arc;

use super::KeyedLimiter;
use crate::Clock;
use crate::algorithm::{AnyAlgorithm, Gcra};
use crate::clock::ClockSource;
use crate::hash::{Multilinear, Secret};
use crate::kept::Kept;
use crate::table::{Rate, Table, log_bytes};
use crate::time::nanos;

/// Builds a [`KeyedLimiter`].
///
/// # Examples
///
/// ```
/// use rate_core::{KeyedLimiter, ManualClock, Quota};
///
/// let limiter = KeyedLimiter::builder(Quota::per_hour(1))
///     .capacity(1_000_000)
///     .clock(ManualClock::new())
///     .build()?;
/// assert!(limiter.check("a").is_allowed());
/// assert!(!limiter.check("a").is_allowed());
/// assert_eq!(limiter.allocated_bytes(), 32_000_000);
///
/// assert!(KeyedLimiter::builder(Quota::per_hour(1)).capacity(0).build().is_err());
/// # Ok::<_, rate_core::BuildError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct KeyedLimiterBuilder<A = Gcra> {
    algorithm: A,
    capacity: Option<usize>,
    clock: ClockSource,
    secret: Option<Secret>,
}

impl<A: Kept> KeyedLimiterBuilder<A> {
    pub(super) fn new(algorithm: A) -> Self {
        Self { algorithm, capacity: None, clock: ClockSource::default(), secret: None }
    }

    /// How many keys are guaranteed to keep their state, at 32 bytes each; at least 1. The default is
    /// [`DEFAULT_CAPACITY`](KeyedLimiter::DEFAULT_CAPACITY), or as many as have logs of 256 MB together, if the algorithm keeps
    /// any. A log is [more](crate::algorithm#what-is-remembered-of-a-key) than the 32 bytes, and is allocated as keys come.
    pub fn capacity(mut self, keys: usize) -> Self {
        self.capacity = Some(keys);
        self
    }

    /// The clock; the default is the monotonic one.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = ClockSource::Custom(Arc::new(clock));
        self
    }

    /// The secret under which keys are hashed; the default is random.
    pub fn secret(mut self, secret: Secret) -> Self {
        self.secret = Some(secret);
        self
    }

    /// Allocates the table, and no logs yet.
    ///
    /// # Errors
    ///
    /// When the capacity is zero, or there is no memory for it.
    pub fn build(self) -> Result<KeyedLimiter<A>, BuildError> {
        let algorithm: AnyAlgorithm = self.algorithm.into();
        let capacity = self.capacity.unwrap_or_else(|| default_capacity(&algorithm));
        let error = BuildError { capacity };
        if capacity == 0 {
            return Err(error);
        }
        let rate = Rate::new(algorithm.or_anchored(nanos(self.clock.utc_at_zero())));
        let table = Table::new(capacity, &rate).map_err(|_| error)?;
        Ok(KeyedLimiter {
            rate,
            hash: Arc::new(Multilinear::new(self.secret.unwrap_or_else(Secret::random))),
            clock: self.clock,
            table: Arc::new(table),
            algorithm: PhantomData,
        })
    }
}

/// Bytes that all logs of a limiter may come to, unless somebody asks for more.
const LOGS: usize = 256 << 20;

fn default_capacity(algorithm: &AnyAlgorithm) -> usize {
    match algorithm.entries() {
        0 => KeyedLimiter::DEFAULT_CAPACITY,
        // There are three slots for two keys.
        entries => (LOGS / (log_bytes(entries) * 3 / 2)).min(KeyedLimiter::DEFAULT_CAPACITY),
    }
}

/// A keyed limiter that cannot be built: its capacity is zero or more than memory holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BuildError {
    capacity: usize,
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.capacity {
            0 => f.write_str("capacity must be at least 1 key, got 0"),
            keys => write!(f, "capacity of {keys} keys does not fit into memory at 32 bytes each; lower it"),
        }
    }
}

impl core::error::Error for BuildError {}
