#![doc = include_str!("algorithms.md")]

mod any;
mod behind;
mod bounds;
mod calendar_window;
mod civil;
mod fixed_window;
mod gcra;
mod leaky_bucket;
mod log;
mod name;
mod operation;
mod sliding_log;
mod sliding_window;
#[cfg(all(test, not(loom)))]
mod tests;
mod window;
mod word;

pub use any::{AnyAlgorithm, AnyState};
pub use bounds::Bounds;
pub use calendar_window::{Calendar, CalendarWindow};
pub use fixed_window::FixedWindow;
pub use gcra::{Gcra, Tat};
pub use leaky_bucket::LeakyBucket;
pub use log::Log;
pub use name::AlgorithmName;
pub use operation::{Charged, Debit, Refund, Reserve};
pub use sliding_log::SlidingLog;
pub use sliding_window::{Counts, SlidingWindow};
pub use window::Count;

pub(crate) use behind::Behind;
pub(crate) use gcra::{Fractions, Whole};
pub(crate) use log::{Count as LogCount, Entries, HEADER as LOG_HEADER, Ring, RingMut, ring_of};
pub(crate) use word::{Engine, Packed, Word};

/// A rate-limit algorithm: decides one request on one key's state.
///
/// What every implementation promises, for any state it returned and any `now` and `cost`:
///
/// * It never panics and never wraps.
/// * A cost of zero is admitted and leaves the state as it is.
/// * After exactly the ticks it says to wait, and no other admission meanwhile, the same cost is admitted; one tick
///   earlier it is not. Where 64 bits of ticks end before, or before what would be charged then, it says [`NEVER`].
/// * A `now` older than one already seen may refuse more; it never admits more and never rewinds the state. A late
///   [refund](Refund) of a token bucket does: by what comes back in the time by which it is late.
/// * What [`bounds`](Self::bounds) says is never exceeded, and is reached by somebody who tries.
///
/// # Examples
///
/// ```
/// use rate_core::{Quota, algorithm::{Algorithm, Gcra, NEVER}};
///
/// let gcra = Gcra::new(Quota::per_second(1));
/// let spent = gcra.admit(gcra.fresh(), 0, 1).expect("a fresh key has its burst");
/// assert_eq!(gcra.admit(spent, 0, 1), Err(1_000_000_000));
/// assert_eq!(gcra.admit(spent, 0, 2), Err(NEVER));
/// assert_eq!(gcra.standing(spent, 250_000_000).reset_after, 750_000_000);
/// ```
pub trait Algorithm {
    /// What is remembered of one key.
    type State: Clone + PartialEq + core::fmt::Debug;

    /// The state of a key that was never seen.
    fn fresh(&self) -> Self::State;

    /// Takes `cost` units at `now` and returns the new state.
    ///
    /// # Errors
    ///
    /// The ticks to wait when there are not enough units, [`NEVER`] when no wait can help. The key's state stays as it was.
    fn admit(&self, state: Self::State, now: u64, cost: u64) -> Result<Self::State, u64>;

    /// What a key in `state` has left at `now`.
    fn standing(&self, state: Self::State, now: u64) -> Standing;

    /// The first tick at which `state` can no longer be told from a fresh one.
    fn fresh_from(&self, state: Self::State) -> u64;

    /// Most units available at once: the largest cost that can ever be admitted.
    fn capacity(&self) -> u64;

    /// Most units that are ever admitted in any window of one period.
    fn bounds(&self) -> Bounds;

    /// The state of a key that is admitted nothing before the tick `until`, and as little as before after it. Where there is room
    /// to write down that it is a penalty, which there is everywhere but in an instant, no [refund](Refund) ends it.
    fn penalized(&self, state: Self::State, now: u64, until: u64) -> Self::State;

    /// Takes up to `units` at `now`, as many as there are. Returns the new state and how many were taken.
    fn admit_up_to(&self, state: Self::State, now: u64, units: u64) -> (Self::State, u64) {
        let taken = self.standing(state.clone(), now).remaining.min(units);
        match self.admit(state.clone(), now, taken) {
            Ok(next) => (next, taken),
            // Past the end of representable time nothing can be charged.
            Err(_) => (state, 0),
        }
    }
}

/// The wait of a cost that can never be admitted.
pub const NEVER: u64 = u64::MAX;

/// What a key has left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Whole units that could be taken now, rounded down.
    pub remaining: u64,
    /// Ticks until the key is as good as new, rounded up.
    pub reset_after: u64,
}
