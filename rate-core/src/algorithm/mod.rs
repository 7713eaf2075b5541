//! The arithmetic of limits: pure functions from a state, an instant and a cost to a new state and an answer.
//!
//! Nothing here reads a clock, touches an atomic or knows a key. Time is counted in *ticks*: nanoseconds in this
//! process, microseconds at a remote store, the same code for both.

mod gcra;

pub use gcra::{Gcra, Tat};

/// A rate-limit algorithm: decides one request on one key's state.
///
/// What every implementation promises, for any state it returned and any `now` and `cost`:
///
/// * It never panics and never wraps.
/// * A cost of zero is admitted and leaves the state as it is.
/// * After exactly the ticks it says to wait, and no other admission meanwhile, the same cost is admitted; one tick
///   earlier it is not.
/// * A `now` older than one already seen may refuse more; it never admits more and never rewinds the state.
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
    type State: Copy + PartialEq + core::fmt::Debug;

    /// The state of a key that was never seen.
    fn fresh(&self) -> Self::State;

    /// Takes `cost` units at `now` and returns the new state.
    ///
    /// # Errors
    ///
    /// The ticks to wait when there are not enough units, [`NEVER`] when no wait can help. The state stays as it is.
    fn admit(&self, state: Self::State, now: u64, cost: u64) -> Result<Self::State, u64>;

    /// What a key in `state` has left at `now`.
    fn standing(&self, state: Self::State, now: u64) -> Standing;

    /// The first tick at which `state` can no longer be told from a fresh one.
    fn fresh_from(&self, state: Self::State) -> u64;

    /// Most units available at once: the largest cost that can ever be admitted.
    fn capacity(&self) -> u64;
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
