//! What can be done with a key besides taking units, where the algorithm gives it a meaning.

use super::Algorithm;

/// Units that were taken, and when: what a [refund](Refund) gives back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Charged {
    /// How many.
    pub units: u64,
    /// The tick at which they were taken: the `now` of the [`admit`](Algorithm::admit) that took them.
    pub at: u64,
}

/// An algorithm that can take a charge back.
///
/// A refund makes the key no better off than if the charge had never been made, so the [bounds](Algorithm::bounds) hold
/// for what was not refunded, whatever is refunded in whatever order.
///
/// That is for a `now` that is not older than one already seen. The state of a token bucket does not hold the latest instant, so
/// a refund that comes late gives back what has come back by itself since: for each refund, at most what comes back in the time by
/// which it is late.
///
/// # Examples
///
/// ```
/// use rate_core::algorithm::{Algorithm, Charged, Gcra, Refund};
///
/// let gcra = Gcra::from_ticks(10, 100, 10)?;
/// let spent = gcra.admit(gcra.fresh(), 0, 10).expect("a fresh key has its burst");
/// assert_eq!(gcra.admit(spent, 20, 3), Err(10));
/// // Of the ten, two have come back.
/// let (state, units) = gcra.refund(spent, Charged { units: 10, at: 0 }, 20);
/// assert_eq!(units, 8);
/// assert!(gcra.admit(state, 20, 10).is_ok());
/// # Ok::<_, rate_core::QuotaError>(())
/// ```
pub trait Refund: Algorithm {
    /// Gives back what is left of a charge at `now`. Returns the new state and the whole units given back.
    ///
    /// Never more than `charge` has, and never what has come back by itself. Which charges were made, and refunded, is nowhere
    /// written down: the caller answers for it that each is refunded once, for no more units than it took and as of the tick of
    /// [`admit`](Algorithm::admit). A second refund of the same gives back what others have taken.
    fn refund(&self, state: Self::State, charge: Charged, now: u64) -> (Self::State, u64);
}

/// An algorithm that can promise units for later.
///
/// # Examples
///
/// ```
/// use rate_core::algorithm::{Algorithm, Charged, LeakyBucket, Reserve};
///
/// let queue = LeakyBucket::from_ticks(10, 100, 10)?;
/// let (state, wait) = queue.reserve(queue.fresh(), 0, 1, 15).expect("nobody is there");
/// assert_eq!(wait, 0);
/// let (after, wait) = queue.reserve(state, 0, 1, 15).expect("ten ticks are not too long");
/// assert_eq!(wait, 10);
/// // The third would wait twenty.
/// assert_eq!(queue.reserve(after, 0, 1, 15), Err(5));
/// // Who is last may leave.
/// let (state, units) = queue.cancel(after, after, Charged { units: 1, at: 10 }, 0);
/// assert_eq!(units, 1);
/// assert!(queue.reserve(state, 0, 1, 15).is_ok());
/// # Ok::<_, rate_core::QuotaError>(())
/// ```
pub trait Reserve: Algorithm {
    /// Takes `cost` units for the earliest tick they may be used at, at most `max_wait` ticks after `now`. Returns the new
    /// state and the ticks to wait.
    ///
    /// Promises are kept in the order they are made in.
    ///
    /// # Errors
    ///
    /// The ticks to wait before the same reservation is accepted, [`NEVER`](super::NEVER) when no wait can help.
    fn reserve(
        &self,
        state: Self::State,
        now: u64,
        cost: u64,
        max_wait: u64,
    ) -> Result<(Self::State, u64), u64>;

    /// Takes back a reservation of `charge.units`, to be used at the tick `charge.at`, that left the state `after`.
    /// Returns the new state and the whole units given back.
    ///
    /// All of them while nothing was taken after it; none while others wait behind it, whose instants were promised.
    fn cancel(&self, state: Self::State, after: Self::State, charge: Charged, now: u64)
    -> (Self::State, u64);
}

/// An algorithm that can owe.
///
/// # Examples
///
/// ```
/// use rate_core::algorithm::{Algorithm, Debit, Gcra};
///
/// let gcra = Gcra::from_ticks(10, 100, 10)?;
/// let (owing, taken) = gcra.debit(gcra.fresh(), 0, 12, 5);
/// assert_eq!(taken, 12);
/// assert_eq!(gcra.admit(owing, 0, 1), Err(30));
/// assert!(gcra.admit(owing, 30, 1).is_ok());
/// // No more than five are ever owed.
/// assert_eq!(gcra.debit(owing, 0, 12, 5).1, 3);
/// # Ok::<_, rate_core::QuotaError>(())
/// ```
pub trait Debit: Algorithm {
    /// Takes `units` whether they are there or not, as long as no more than `max_debt` units are owed then. Returns the new
    /// state and how many were taken: fewer when the debt would be too large, or not be earned back before the end of time.
    ///
    /// For what is known only afterwards, when it was used already. Nothing is admitted until the debt is earned back.
    fn debit(&self, state: Self::State, now: u64, units: u64, max_debt: u64) -> (Self::State, u64);
}
