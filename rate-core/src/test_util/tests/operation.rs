//! What can be asked of a key, and what can be answered.

use super::elsewhere::{Elsewhere, Way};
use core::time::Duration;

use crate::Timestamp;
use crate::test_util::model::{Answer, AnyModel, Model, Place};

#[derive(Clone, Copy, Debug)]
pub(super) enum Operation {
    Check(u64),
    Peek(u64),
    TakeUpTo(u64),
    Refund {
        units: u64,
        charged: u64,
    },
    Reserve {
        cost: u64,
        max_wait: u64,
    },
    /// The reservation at this place among those that are held.
    Cancel(usize),
    Debit {
        units: u64,
        max_debt: u64,
    },
    Penalize(u64),
    Reset,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    Answer(Answer),
    Units(u64),
    Reserved { wait: Duration, ready: u64 },
    Done,
}

/// Which operations an algorithm has besides those that all have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Abilities {
    pub(super) refund: bool,
    pub(super) reserve: bool,
    pub(super) debit: bool,
}

/// So many nanoseconds; or, if it is all there are, the longest time that can be written down.
pub(super) fn time(nanos: u64) -> Duration {
    if nanos == u64::MAX { Duration::MAX } else { Duration::from_nanos(nanos) }
}

/// A model and the reservations that are held of it.
#[derive(Debug)]
pub(super) struct Modelled {
    pub(super) model: AnyModel,
    /// None in the place of one that was made before the limit changed: nothing is given back of it.
    pub(super) places: Vec<Option<Place>>,
    elsewhere: Elsewhere,
    /// When the limit was last changed for everybody: nothing is given back of what was charged before.
    pub(super) changed: Option<u64>,
}

impl Modelled {
    pub(super) fn new(model: AnyModel) -> Self {
        Self { model, places: Vec::new(), elsewhere: Elsewhere::default(), changed: None }
    }

    /// From one limit to another, of which `next` is the model.
    pub(super) fn change(&mut self, next: AnyModel, way: Way<'_>) {
        self.elsewhere.change(&mut self.model, next, way);
        self.places.fill(None);
    }

    /// As [`Subject::run`](super::subject::Subject::run).
    pub(super) fn run(&mut self, operation: Operation, now: u64) -> Found {
        const HAS: &str = "only what the algorithm has is asked";
        let Self { model, places, elsewhere, changed } = self;
        let now = Timestamp::from_nanos(now);
        match operation {
            Operation::Check(cost) => Found::Answer(model.check(cost, now)),
            Operation::Peek(cost) => Found::Answer(model.peek(cost, now)),
            Operation::TakeUpTo(units) => Found::Units(model.take_up_to(units, now)),
            Operation::Refund { charged, .. }
                if changed.is_some_and(|at| charged <= at || at >= u64::MAX - 1) =>
            {
                Found::Units(0)
            }
            Operation::Refund { units, charged } => {
                Found::Units(model.refund(units, Timestamp::from_nanos(charged), now).expect(HAS))
            }
            Operation::Reserve { cost, max_wait } => {
                match model.reserve(cost, time(max_wait), now).expect(HAS) {
                    Ok(place) => {
                        places.push(Some(place));
                        Found::Reserved { wait: place.wait(), ready: place.ready_at().as_nanos() }
                    }
                    Err(denied) => Found::Answer(denied),
                }
            }
            Operation::Cancel(index) => Found::Units(match places.remove(index) {
                Some(place) => model.cancel(place, now).expect(HAS),
                None => 0,
            }),
            Operation::Debit { units, max_debt } => {
                Found::Units(model.debit(units, max_debt, now).expect(HAS))
            }
            Operation::Penalize(nanos) => {
                model.penalize(time(nanos), now);
                Found::Done
            }
            Operation::Reset => {
                model.reset();
                *elsewhere = Elsewhere::default();
                Found::Done
            }
        }
    }
}
