//! One limit for everybody.

use core::fmt;

use crate::algorithm::{Algorithm, Gcra, Tat};
use crate::clock::ClockSource;
use crate::sync::{AtomicU32, AtomicU64, Backoff, Ordering, fence};
use crate::{Clock, Decision, Quota, Timestamp};

/// One limit without keys: for a job, a client, a whole process.
///
/// Behind a shared reference or an `Arc` any number of threads may check; together they are admitted what the quota
/// says, to the unit. For a limit per caller there is [`KeyedLimiter`](crate::KeyedLimiter).
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use rate_core::{Limiter, Quota, Timestamp};
///
/// let limiter = Limiter::new(Quota::per_second(5).burst(1));
/// let start = Timestamp::ZERO;
/// assert!(limiter.check_at(start).is_allowed());
///
/// let denied = limiter.check_at(start);
/// assert!(!denied.is_allowed());
/// let wait = denied.retry_after().expect("one unit fits the burst");
/// assert_eq!(wait, Duration::from_millis(200));
/// assert!(limiter.check_at(start.saturating_add(wait)).is_allowed());
/// ```
pub struct Limiter {
    quota: Quota,
    gcra: Gcra,
    clock: ClockSource,
    state: Cell,
}

impl Limiter {
    /// A limit for `quota` on the monotonic clock.
    #[must_use]
    pub fn new(quota: Quota) -> Self {
        Self::on(quota, ClockSource::default())
    }

    /// A limit for `quota` on a clock of your own.
    #[must_use]
    pub fn with_clock(quota: Quota, clock: impl Clock) -> Self {
        Self::on(quota, ClockSource::Custom(std::sync::Arc::new(clock)))
    }

    fn on(quota: Quota, clock: ClockSource) -> Self {
        Self { quota, gcra: Gcra::new(quota), clock, state: Cell::default() }
    }

    /// Takes one unit if there is one. Never waits.
    #[inline(always)]
    pub fn check(&self) -> Decision {
        self.check_n(1)
    }

    /// Takes one unit if there is one at `now`.
    #[inline(always)]
    pub fn check_at(&self, now: Timestamp) -> Decision {
        self.check_n_at(1, now)
    }

    /// Takes `cost` units, all or none. Never waits.
    ///
    /// A cost of zero is always admitted and changes nothing; a cost above the burst is refused for ever.
    #[inline(always)]
    pub fn check_n(&self, cost: u64) -> Decision {
        self.check_n_at(cost, self.clock.now())
    }

    /// Takes `cost` units at `now`, all or none.
    #[inline(always)]
    pub fn check_n_at(&self, cost: u64, now: Timestamp) -> Decision {
        let Self { gcra, state, .. } = self;
        // Answered at once, not together with the long way: its result is in memory, and then this one would have to be.
        if let Some((state, wait)) = state.attempt(gcra, now.as_nanos(), cost) {
            return self.answer(state, wait, now);
        }
        let (state, wait) = state.decide_contended(gcra, now.as_nanos(), cost);
        self.answer(state, wait, now)
    }

    /// What [`check`](Self::check) would answer now; takes nothing. `remaining` is the number before such a check.
    #[inline]
    pub fn peek(&self) -> Decision {
        self.peek_at(self.clock.now())
    }

    /// What [`check_at`](Self::check_at) would answer; takes nothing.
    #[inline]
    pub fn peek_at(&self, now: Timestamp) -> Decision {
        let state = self.state.load();
        self.answer(state, self.gcra.admit(state, now.as_nanos(), 1).err(), now)
    }

    /// The quota in force.
    pub fn quota(&self) -> Quota {
        self.quota
    }

    #[inline]
    fn answer(&self, state: Tat, wait: Option<u64>, now: Timestamp) -> Decision {
        Decision::new(self.gcra.capacity(), self.gcra.standing(state, now.as_nanos()), wait)
    }
}

impl fmt::Debug for Limiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Limiter")
            .field("quota", &self.quota)
            .field("clock", &self.clock)
            .finish_non_exhaustive()
    }
}

/// One state.
///
/// A state that fits one word is swapped as one. A longer one stands behind a version, by the protocol of a
/// [line](crate::table): read, decide, and write only if the version can still be moved to the next odd number.
#[derive(Debug, Default)]
#[repr(align(64))]
struct Cell {
    version: AtomicU32,
    high: AtomicU32,
    low: AtomicU64,
}

impl Cell {
    /// The new state, or the old one and the wait; nothing if somebody was in the way.
    #[inline(always)]
    fn attempt(&self, gcra: &Gcra, now: u64, cost: u64) -> Option<(Tat, Option<u64>)> {
        if gcra.is_whole() { self.attempt_word(gcra, now, cost) } else { self.attempt_long(gcra, now, cost) }
    }

    #[inline(always)]
    fn attempt_word(&self, gcra: &Gcra, now: u64, cost: u64) -> Option<(Tat, Option<u64>)> {
        // Relaxed, here and below: the word is all there is, and what a limiter admits publishes nothing.
        let state = self.low.load(Ordering::Relaxed);
        match gcra.admit_word(state, now, cost) {
            Ok(next) => self.swap_word(state, next).then_some((Tat::new(next, 0), None)),
            Err(wait) => Some((Tat::new(state, 0), Some(wait))),
        }
    }

    #[inline(always)]
    fn attempt_long(&self, gcra: &Gcra, now: u64, cost: u64) -> Option<(Tat, Option<u64>)> {
        // Acquire: the state is read no earlier.
        let version = self.version.load(Ordering::Acquire);
        let state = self.read();
        match gcra.admit(state, now, cost) {
            Ok(next) => self.try_write(version, next).then_some((next, None)),
            Err(wait) => self.is_still(version).then_some((state, Some(wait))),
        }
    }

    /// The same, until nobody is in the way.
    #[cold]
    fn decide_contended(&self, gcra: &Gcra, now: u64, cost: u64) -> (Tat, Option<u64>) {
        let mut backoff = Backoff::default();
        // At once first: the lost swap has brought the state here. A pause before it lets the winner get more done where cores
        // are far apart, 20 ns instead of 25, and costs 32 instead of 18 where they share a cache.
        loop {
            if let Some(answer) = self.attempt(gcra, now, cost) {
                return answer;
            }
            backoff.wait();
        }
    }

    #[inline]
    fn swap_word(&self, state: u64, next: u64) -> bool {
        self.low.compare_exchange(state, next, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    #[inline]
    fn try_write(&self, version: u32, state: Tat) -> bool {
        // Acquire: sees the last writer's stores. Relaxed on failure: everything is read again.
        let won = version % 2 == 0
            && self
                .version
                .compare_exchange(version, version.wrapping_add(1), Ordering::Acquire, Ordering::Relaxed)
                .is_ok();
        if won {
            fence(Ordering::Release);
            // Relaxed: between the fence above and the Release below.
            self.low.store(state.ticks(), Ordering::Relaxed);
            self.high.store(state.parts(), Ordering::Relaxed);
            self.version.store(version.wrapping_add(2), Ordering::Release);
        }
        won
    }

    fn load(&self) -> Tat {
        let mut backoff = Backoff::default();
        loop {
            // Acquire: as in `attempt_long`.
            let version = self.version.load(Ordering::Acquire);
            let state = self.read();
            if self.is_still(version) {
                return state;
            }
            backoff.wait();
        }
    }

    #[inline]
    fn read(&self) -> Tat {
        // Relaxed: judged by the version.
        Tat::new(self.low.load(Ordering::Relaxed), self.high.load(Ordering::Relaxed))
    }

    #[inline]
    fn is_still(&self, version: u32) -> bool {
        fence(Ordering::Acquire);
        // Relaxed: the fence orders it after the reads it judges.
        version % 2 == 0 && self.version.load(Ordering::Relaxed) == version
    }
}

#[cfg(all(test, loom))]
mod tests;
