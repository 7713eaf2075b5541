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
pub trait Refund: Algorithm {
    /// Gives back what is left of a charge at `now`. Returns the new state and the whole units given back.
    ///
    /// Never more than `charge` has, and never what has come back by itself. Which charges were made, and refunded, is nowhere
    /// written down: the caller answers for it that each is refunded once, for no more units than it took and as of the tick of
    /// [`admit`](Algorithm::admit). A second refund of the same gives back what others have taken.
    fn refund(&self, state: Self::State, charge: Charged, now: u64) -> (Self::State, u64);
}

/// An algorithm that can promise units for later.
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
pub trait Debit: Algorithm {
    /// Takes `units` whether they are there or not, as long as no more than `max_debt` units are owed then. Returns the new
    /// state and how many were taken: fewer when the debt would be too large, or not be earned back before the end of time.
    ///
    /// For what is known only afterwards, when it was used already. Nothing is admitted until the debt is earned back.
    fn debit(&self, state: Self::State, now: u64, units: u64, max_debt: u64) -> (Self::State, u64);
}
