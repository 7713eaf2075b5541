//! The ways to ask: the pure algorithm, the limiter without keys, and the one with keys.

use core::cell::OnceCell;
use core::time::Duration;

use super::operation::{Found, Operation, time};
use super::tested::Tested;
use crate::algorithm::Charged;
use crate::{Decision, Denied, KeyedLimiter, Limiter, Reservation, Timestamp};

/// Something that is asked beside a model.
pub(super) trait Subject {
    fn run(&mut self, key: usize, operation: Operation, now: u64) -> Found;
}

/// One that can be put under another limit.
pub(super) trait Changing<A> {
    fn change(&mut self, limit: A, at: u64);
}

/// The algorithm itself, with a state for each key.
pub(super) struct Pure<A: Tested> {
    algorithm: A,
    keys: Vec<PureKey<A>>,
}

struct PureKey<A: Tested> {
    state: A::State,
    /// The state that each reservation left, and what it was.
    places: Vec<(A::State, Charged)>,
}

impl<A: Tested> Pure<A> {
    pub(super) fn new(algorithm: A, keys: usize) -> Self {
        let key = || PureKey { state: algorithm.fresh(), places: Vec::new() };
        Self { algorithm, keys: (0..keys).map(|_| key()).collect() }
    }
}

fn decision<A: Tested>(algorithm: &A, state: &A::State, wait: Option<u64>, now: u64) -> Found {
    let standing = algorithm.standing(state.clone(), now);
    Found::Answer(Decision::new(algorithm.capacity(), standing, wait).into())
}

impl<A: Tested> Subject for Pure<A> {
    fn run(&mut self, key: usize, operation: Operation, now: u64) -> Found {
        let algorithm = self.algorithm;
        let state = self.keys[key].state.clone();
        let places = &mut self.keys[key].places;
        let (next, found) = match operation {
            Operation::Check(cost) => match algorithm.admit(state.clone(), now, cost) {
                Ok(next) => (next.clone(), decision(&algorithm, &next, None, now)),
                Err(wait) => (state.clone(), decision(&algorithm, &state, Some(wait), now)),
            },
            Operation::Peek(cost) => {
                let wait = algorithm.admit(state.clone(), now, cost).err();
                (state.clone(), decision(&algorithm, &state, wait, now))
            }
            Operation::TakeUpTo(units) => {
                let (next, taken) = algorithm.admit_up_to(state, now, units);
                (next, Found::Units(taken))
            }
            Operation::Refund { units, charged } => {
                let (next, back) = algorithm.refunded(state, Charged { units, at: charged }, now);
                (next, Found::Units(back))
            }
            Operation::Reserve { cost, max_wait } => {
                match algorithm.reserved(state.clone(), now, cost, max_wait) {
                    Ok((next, wait)) => {
                        let at = now.saturating_add(wait);
                        places.push((next.clone(), Charged { units: cost, at }));
                        (next, Found::Reserved { wait: Duration::from_nanos(wait), ready: at })
                    }
                    Err(wait) => (state.clone(), decision(&algorithm, &state, Some(wait), now)),
                }
            }
            Operation::Cancel(index) => {
                let (after, charge) = places.remove(index);
                let (next, back) = algorithm.cancelled(state, after, charge, now);
                (next, Found::Units(back))
            }
            Operation::Debit { units, max_debt } => {
                let (next, taken) = algorithm.debited(state, now, units, max_debt);
                (next, Found::Units(taken))
            }
            Operation::Penalize(time) => {
                (algorithm.penalized(state, now, now.saturating_add(time)), Found::Done)
            }
            Operation::Reset => (algorithm.fresh(), Found::Done),
        };
        self.keys[key].state = next;
        found
    }
}

/// A limiter without keys, which is one key.
pub(super) struct One<'a, A> {
    limiter: &'a Limiter<A>,
    places: Vec<Reservation<'a>>,
}

impl<'a, A> One<'a, A> {
    pub(super) fn new(limiter: &'a Limiter<A>) -> Self {
        Self { limiter, places: Vec::new() }
    }
}

impl<A: Tested> Subject for One<'_, A> {
    fn run(&mut self, _: usize, operation: Operation, now: u64) -> Found {
        let limiter = self.limiter;
        let now = Timestamp::from_nanos(now);
        match operation {
            Operation::Check(cost) => Found::Answer(limiter.check_n_at(cost, now).into()),
            Operation::Peek(cost) => Found::Answer(limiter.peek_n_at(cost, now).into()),
            Operation::TakeUpTo(units) => Found::Units(limiter.take_up_to_at(units, now)),
            Operation::Refund { units, charged } => {
                Found::Units(A::refund_one(limiter, units, Timestamp::from_nanos(charged), now))
            }
            Operation::Reserve { cost, max_wait } => {
                let reserved = A::reserve_one(limiter, cost, time(max_wait), now);
                keep(&mut self.places, reserved)
            }
            Operation::Cancel(index) => Found::Units(self.places.remove(index).cancel_at(now)),
            Operation::Debit { units, max_debt } => Found::Units(A::debit_one(limiter, units, max_debt, now)),
            Operation::Penalize(nanos) => {
                limiter.penalize_at(time(nanos), now);
                Found::Done
            }
            Operation::Reset => {
                limiter.reset();
                Found::Done
            }
        }
    }
}

/// A limiter with keys, and those that it was before its limit changed.
pub(super) struct Keyed<'a, A> {
    limiters: &'a [OnceCell<KeyedLimiter<A>>],
    newest: usize,
    calls: usize,
    places: Vec<Vec<Reservation<'a>>>,
}

impl<'a, A: Tested> Keyed<'a, A> {
    /// Of which the limit may change as often as there are cells after the first.
    pub(super) fn new(
        limiters: &'a [OnceCell<KeyedLimiter<A>>],
        limiter: KeyedLimiter<A>,
        keys: usize,
    ) -> Self {
        assert!(limiters[0].set(limiter).is_ok());
        Self { limiters, newest: 0, calls: 0, places: (0..keys).map(|_| Vec::new()).collect() }
    }

    pub(super) fn newest(&self) -> &'a KeyedLimiter<A> {
        self.limiters[self.newest].get().expect("set before it was the newest")
    }

    /// The newest, and in turn those that are older, which decide as it does.
    fn any(&mut self) -> &'a KeyedLimiter<A> {
        self.calls += 1;
        self.limiters[self.calls % (self.newest + 1)].get().expect("older than the newest")
    }
}

impl<A: Tested> Changing<A> for Keyed<'_, A> {
    fn change(&mut self, limit: A, at: u64) {
        let next = self.newest().with_limit_at(limit, Timestamp::from_nanos(at));
        self.newest += 1;
        assert!(self.limiters[self.newest].set(next).is_ok());
    }
}

impl<A: Tested> Subject for Keyed<'_, A> {
    fn run(&mut self, key: usize, operation: Operation, now: u64) -> Found {
        let limiter = self.newest();
        let now = Timestamp::from_nanos(now);
        match operation {
            Operation::Check(cost) => Found::Answer(self.any().check_n_at(&key, cost, now).into()),
            Operation::Peek(cost) => Found::Answer(self.any().peek_n_at(&key, cost, now).into()),
            Operation::TakeUpTo(units) => Found::Units(self.any().take_up_to_at(&key, units, now)),
            Operation::Refund { units, charged } => {
                Found::Units(A::refund_keyed(limiter, &key, units, Timestamp::from_nanos(charged), now))
            }
            Operation::Reserve { cost, max_wait } => {
                let reserved = A::reserve_keyed(limiter, &key, cost, time(max_wait), now);
                keep(&mut self.places[key], reserved)
            }
            Operation::Cancel(index) => Found::Units(self.places[key].remove(index).cancel_at(now)),
            Operation::Debit { units, max_debt } => {
                Found::Units(A::debit_keyed(limiter, &key, units, max_debt, now))
            }
            Operation::Penalize(nanos) => {
                limiter.penalize_at(&key, time(nanos), now);
                Found::Done
            }
            Operation::Reset => {
                limiter.reset(&key);
                Found::Done
            }
        }
    }
}

fn keep<'a>(places: &mut Vec<Reservation<'a>>, reserved: Result<Reservation<'a>, Denied>) -> Found {
    match reserved {
        Ok(place) => {
            let found = Found::Reserved { wait: place.wait(), ready: place.ready_at().as_nanos() };
            places.push(place);
            found
        }
        Err(denied) => Found::Answer(denied.into()),
    }
}
