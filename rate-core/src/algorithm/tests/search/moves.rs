//! What one may do with a key.

use super::{Charged, Held, LATE, Move, Position};
use crate::algorithm::{Algorithm, Debit, Refund, Reserve};

/// How long, in ticks, a reservation may wait, and how many units may be owed.
const LONGEST_WAIT: u64 = 2;
const MOST_DEBT: u64 = 2;

impl<S: Clone> Position<S> {
    fn in_state(&self, state: S) -> Self {
        Self { state, ..self.clone() }
    }
}

impl<S> Position<S> {
    /// The tick at which something counts that is taken by somebody who says it is `now`.
    fn counted(&mut self, now: u64) -> u64 {
        self.newest = self.newest.max(now);
        self.newest
    }

    fn due_at(mut self, at: u64, units: u64) -> Self {
        if let Some(due) = self.due.iter_mut().find(|due| due.0 == at) {
            due.1 += units;
        } else if at >= self.tick {
            self.due.push((at, units));
            self.due.sort_unstable();
        }
        self
    }

    fn holding(mut self, held: Held<S>, most: usize) -> Option<Self> {
        self.held.push(held);
        (self.held.len() <= most).then_some(self)
    }
}

fn count(units: u64) -> i64 {
    i64::try_from(units).expect("few")
}

/// Checks of every cost.
pub(in super::super) fn checks<A: Algorithm>(
    algorithm: &A,
    from: &Position<A::State>,
    moves: &mut Vec<Move<A::State>>,
) {
    check_at(algorithm, from, from.tick, moves);
}

/// Checks of every cost by a thread that has read the clock before others.
pub(in super::super) fn late_checks<A: Algorithm>(
    algorithm: &A,
    from: &Position<A::State>,
    moves: &mut Vec<Move<A::State>>,
) {
    for late in 1..=LATE.min(from.tick) {
        check_at(algorithm, from, from.tick - late, moves);
    }
}

fn check_at<A: Algorithm>(
    algorithm: &A,
    from: &Position<A::State>,
    now: u64,
    moves: &mut Vec<Move<A::State>>,
) {
    for cost in 1..=algorithm.capacity() {
        if let Ok(state) = algorithm.admit(from.state.clone(), now, cost) {
            let mut to = from.in_state(state);
            let at = to.counted(now);
            moves.push(Move { to, units: count(cost), at });
        }
    }
}

/// Penalties.
pub(in super::super) fn penalties<A: Algorithm>(
    algorithm: &A,
    from: &Position<A::State>,
    moves: &mut Vec<Move<A::State>>,
) {
    for time in 1..=2 {
        let state = algorithm.penalized(from.state.clone(), from.tick, from.tick + time);
        if state != from.state {
            moves.push(Move { to: from.in_state(state), units: 0, at: from.tick });
        }
    }
}

/// Checks, on time and late, whose charge may be taken back. So many are remembered; others may have been made as well, and
/// stand.
pub(in super::super) fn charges<A: Refund, const HELD: usize>(
    algorithm: &A,
    from: &Position<A::State>,
    moves: &mut Vec<Move<A::State>>,
) {
    for late in 0..=1.min(from.tick) {
        for units in 1..=algorithm.capacity() {
            let charge = Charged { units, at: from.tick - late };
            let Ok(state) = algorithm.admit(from.state.clone(), charge.at, units) else { continue };
            let mut to = from.in_state(state);
            let used = to.counted(charge.at);
            if let Some(to) = to.holding(Held { asked: from.tick, used, charge, after: None }, HELD) {
                moves.push(Move { to, units: count(units), at: used });
            }
        }
    }
}

/// Refunds of all or a part of a charge.
pub(in super::super) fn refunds<A: Refund>(
    algorithm: &A,
    from: &Position<A::State>,
    moves: &mut Vec<Move<A::State>>,
) {
    for (index, held) in from.held.iter().enumerate() {
        if held.asked == from.tick || held.after.is_some() {
            continue;
        }
        for units in 1..=held.charge.units {
            let charge = Charged { units, ..held.charge };
            let (state, given) = algorithm.refund(from.state.clone(), charge, from.tick);
            let mut to = from.in_state(state);
            to.held[index].charge.units -= units;
            if to.held[index].charge.units == 0 {
                to.held.remove(index);
            }
            let given = taken_back(given, units, to.state != from.state);
            moves.push(Move { to, units: -count(given), at: held.used });
        }
    }
}

/// Units that count no longer: those that were given back, and the one of which only a part was, because the rest of it had
/// come back by itself.
fn taken_back(given: u64, units: u64, changed: bool) -> u64 {
    assert!(given <= units, "more was given back than had been taken");
    if changed { (given + 1).min(units) } else { given }
}

/// Reservations of every cost.
pub(in super::super) fn reservations<A: Reserve>(
    algorithm: &A,
    from: &Position<A::State>,
    moves: &mut Vec<Move<A::State>>,
) {
    reserve_at(algorithm, from, from.tick, 0, moves);
}

/// Reservations by a thread that has read the clock before others.
pub(in super::super) fn late_reservations<A: Reserve>(
    algorithm: &A,
    from: &Position<A::State>,
    moves: &mut Vec<Move<A::State>>,
) {
    for late in 1..=LATE.min(from.tick) {
        reserve_at(algorithm, from, from.tick - late, 0, moves);
    }
}

/// Reservations that may be cancelled, of which so many are remembered.
pub(in super::super) fn reservations_to_cancel<A: Reserve, const HELD: usize>(
    algorithm: &A,
    from: &Position<A::State>,
    moves: &mut Vec<Move<A::State>>,
) {
    reserve_at(algorithm, from, from.tick, HELD, moves);
}

fn reserve_at<A: Reserve>(
    algorithm: &A,
    from: &Position<A::State>,
    now: u64,
    most: usize,
    moves: &mut Vec<Move<A::State>>,
) {
    for cost in 1..=algorithm.capacity() {
        let Ok((state, wait)) = algorithm.reserve(from.state.clone(), now, cost, LONGEST_WAIT) else {
            continue;
        };
        assert!(wait <= LONGEST_WAIT, "longer than one is willing to");
        let mut to = from.in_state(state.clone());
        // Whoever comes late may be told an instant that is past.
        let used = (now + wait).max(to.counted(now));
        to = to.due_at(used, cost);
        if most > 0 {
            let charge = Charged { units: cost, at: now + wait };
            match to.holding(Held { asked: from.tick, used, charge, after: Some(state) }, most) {
                Some(holding) => to = holding,
                None => continue,
            }
        }
        moves.push(Move { to, units: count(cost), at: used });
    }
}

/// Cancellations of reservations.
pub(in super::super) fn cancellations<A: Reserve>(
    algorithm: &A,
    from: &Position<A::State>,
    moves: &mut Vec<Move<A::State>>,
) {
    for (index, held) in from.held.iter().enumerate() {
        let Some(after) = held.after.clone().filter(|_| held.asked < from.tick) else { continue };
        let (state, given) = algorithm.cancel(from.state.clone(), after, held.charge, from.tick);
        let mut to = from.in_state(state);
        to.held.remove(index);
        let given = taken_back(given, held.charge.units, to.state != from.state);
        if let Some(due) = to.due.iter_mut().find(|due| due.0 == held.used) {
            due.1 -= given;
        }
        to.due.retain(|due| due.1 > 0);
        moves.push(Move { to, units: -count(given), at: held.used });
    }
}

/// Debts.
pub(in super::super) fn debits<A: Debit>(
    algorithm: &A,
    from: &Position<A::State>,
    moves: &mut Vec<Move<A::State>>,
) {
    for units in 1..=algorithm.capacity() + MOST_DEBT {
        let (state, taken) = algorithm.debit(from.state.clone(), from.tick, units, MOST_DEBT);
        if taken > 0 {
            // Not asked for, so not counted.
            moves.push(Move { to: from.in_state(state), units: 0, at: from.tick });
        }
    }
}
