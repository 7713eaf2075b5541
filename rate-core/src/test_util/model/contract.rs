//! What every model does.

use core::fmt::Debug;
use core::time::Duration;

use super::Answer;
use crate::Timestamp;
use crate::algorithm::{NEVER, Standing};
use crate::time::nanos;

/// One key under one limit, as the limit's definition reads.
///
/// Asked the same questions at the same instants in the same order, it answers as a limiter does.
pub trait Model: Debug {
    /// Most units available at once.
    fn capacity(&self) -> u64;

    /// What is left at `now`, in units and nanoseconds.
    fn standing(&self, now: Timestamp) -> Standing;

    /// Nanoseconds from `now` until `cost` units, from 1 to the capacity, are admitted; nothing when they never are.
    fn wait(&self, cost: u64, now: Timestamp) -> Option<u64>;

    /// Takes units that are there.
    fn take(&mut self, units: u64, now: Timestamp);

    /// Admits nothing for so long, as [`Limiter::penalize_at`](crate::Limiter::penalize_at).
    fn penalize(&mut self, time: Duration, now: Timestamp);

    /// Forgets everything.
    fn reset(&mut self);

    /// Takes `cost` units, all or none.
    fn check(&mut self, cost: u64, now: Timestamp) -> Answer {
        let before = self.peek(cost, now);
        if !before.allowed || cost == 0 {
            return before;
        }
        self.take(cost, now);
        let Standing { remaining, reset_after } = self.standing(now);
        Answer { remaining, reset_after: Duration::from_nanos(reset_after), ..before }
    }

    /// What [`check`](Self::check) would answer, with what remains before it.
    fn peek(&self, cost: u64, now: Timestamp) -> Answer {
        let wait = match cost {
            0 => Some(0),
            cost if cost > self.capacity() => None,
            cost => self.wait(cost, now),
        };
        let Standing { remaining, reset_after } = self.standing(now);
        Answer {
            allowed: wait == Some(0),
            remaining,
            reset_after: Duration::from_nanos(reset_after),
            retry_after: retry_after(wait),
        }
    }

    /// Takes as many units as there are, up to `units`, and returns how many.
    fn take_up_to(&mut self, units: u64, now: Timestamp) -> u64 {
        let most = self.standing(now).remaining.min(units);
        // All that is there or none: only at the end of representable time can something be there and not be had.
        if self.check(most, now).allowed { most } else { 0 }
    }

    /// Gives back what is left of `units` that were taken at `charged`, and returns how many that is. Nothing is returned
    /// by an algorithm that has no such operation; so it is below.
    fn refund(&mut self, _units: u64, _charged: Timestamp, _now: Timestamp) -> Option<u64> {
        None
    }

    /// Takes `cost` units for the earliest instant they may be used at, at most `max_wait` after `now`. The error says what
    /// a [`Denied`](crate::Denied) would.
    fn reserve(&mut self, _cost: u64, _max_wait: Duration, _now: Timestamp) -> Option<Result<Place, Answer>> {
        None
    }

    /// Gives a reservation back, and returns how many units that is.
    fn cancel(&mut self, _place: Place, _now: Timestamp) -> Option<u64> {
        None
    }

    /// Takes `units` whether they are there or not, as long as no more than `max_debt` are owed then, and returns how many.
    fn debit(&mut self, _units: u64, _max_debt: u64, _now: Timestamp) -> Option<u64> {
        None
    }
}

/// A reservation that a model has accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    pub(super) units: u64,
    pub(super) ready: Timestamp,
    pub(super) wait: u64,
    /// How the model stood with it, which says whether anything was taken after it.
    pub(super) left: i128,
}

impl Place {
    /// Time to wait, from the reservation on.
    #[must_use]
    pub const fn wait(&self) -> Duration {
        Duration::from_nanos(self.wait)
    }

    /// The instant from which on the units can be used.
    #[must_use]
    pub const fn ready_at(&self) -> Timestamp {
        self.ready
    }

    /// How many units were taken.
    #[must_use]
    pub const fn units(&self) -> u64 {
        self.units
    }
}

/// The answer to a reservation that is refused, to be asked for again after `wait`.
pub(super) fn refused(Standing { remaining, reset_after }: Standing, wait: Option<u64>) -> Answer {
    Answer {
        allowed: false,
        remaining,
        reset_after: Duration::from_nanos(reset_after),
        retry_after: retry_after(wait),
    }
}

/// To wait for all of representable time is to wait for ever.
fn retry_after(wait: Option<u64>) -> Option<Duration> {
    wait.filter(|wait| *wait < NEVER).map(Duration::from_nanos)
}

/// The last tick before which a penalty admits nothing, if it is not over already.
pub(super) fn until(time: Duration, now: Timestamp) -> Option<u64> {
    let until = now.as_nanos().saturating_add(nanos(time));
    (until > now.as_nanos()).then_some(until)
}
