//! A game in which the player wants as much as it can get in one period, and may do whatever an algorithm allows: every
//! pattern of arrivals there is, played to its end.
//!
//! First all positions are found that any past can lead to. Time goes on for ever, but where everything repeats a position is
//! moved back as soon as it has been seen a period before, so there are few of them, and no past is too long. Then, from each
//! of them, the most that can be got in the window that begins there.

mod moves;

use std::collections::{HashMap, HashSet};

pub(super) use moves::{
    cancellations, charges, checks, debits, late_checks, late_reservations, penalties, refunds, reservations,
    reservations_to_cancel,
};

use super::relative::Relative;
use crate::algorithm::{Algorithm, Charged};

/// How late, in ticks, a request may come.
pub(super) const LATE: u64 = 2;

/// More positions than a small limit has, in which case states do not repeat as they should.
const MOST_POSITIONS: usize = 50_000;

/// Where the player stands.
#[derive(Clone, Debug)]
pub(super) struct Position<S> {
    pub(super) tick: u64,
    pub(super) state: S,
    /// The latest tick at which something was taken. Whoever claims to come earlier counts there: units are charged in the order
    /// in which they are taken.
    newest: u64,
    /// Units that were reserved and may be used only later: the tick, and how many.
    due: Vec<(u64, u64)>,
    /// What the player may yet take back.
    held: Vec<Held<S>>,
}

/// Units that may be taken back.
#[derive(Clone, Debug)]
struct Held<S> {
    /// The tick at which they were asked for. In that very tick they are not taken back: that would be no move at all.
    asked: u64,
    /// The tick at which they may be used, where they count.
    used: u64,
    charge: Charged,
    /// What a reservation left behind.
    after: Option<S>,
}

/// What one may do in a position: where it leads to, and units that count, or no longer do, at a tick.
pub(super) struct Move<S> {
    to: Position<S>,
    units: i64,
    at: u64,
}

/// A kind of moves.
pub(super) type Moves<A> = fn(&A, &Position<State<A>>, &mut Vec<Move<State<A>>>);

type State<A> = <A as Algorithm>::State;

type Key<A> = (u64, <A as Relative>::Key, u64, Vec<(u64, u64)>, Vec<HeldKey<A>>);
type HeldKey<A> = (u64, u64, u64, u64, Option<<A as Relative>::Key>);

/// All positions of an algorithm in which moves of some kinds are allowed.
pub(super) struct Search<'a, A: Relative> {
    algorithm: &'a A,
    kinds: &'a [Moves<A>],
    /// The first tick that is played.
    start: u64,
    /// Ticks that are played, after which everything repeats or the search ends.
    ticks: u64,
    most: HashMap<(Key<A>, u64), i64>,
}

impl<'a, A: Relative> Search<'a, A> {
    /// Where nothing repeats, only the first `ticks` are played.
    pub(super) fn new(algorithm: &'a A, ticks: u64, kinds: &'a [Moves<A>]) -> Self {
        // Late enough for what is long past to lie behind tick 0.
        let (start, ticks) = match algorithm.repeats() {
            Some(ticks) => (4 * algorithm.ticks().max(LATE), ticks),
            None => (0, ticks),
        };
        // Aligned to whatever is.
        let start = start.next_multiple_of(ticks);
        Self { algorithm, kinds, start, ticks, most: HashMap::new() }
    }

    /// Every position that a key can be in, whatever happened to it.
    pub(super) fn positions(&self) -> Vec<Position<A::State>> {
        let fresh = |tick| Position {
            tick,
            state: self.algorithm.fresh(),
            newest: 0,
            due: Vec::new(),
            held: Vec::new(),
        };
        let mut found: Vec<_> = (self.start..self.start + self.ticks).map(fresh).collect();
        let mut seen: HashSet<_> = found.iter().map(key::<A>).collect();
        let mut next = 0;
        while let Some(position) = found.get(next).cloned() {
            next += 1;
            let reached = self.moves(&position).into_iter().map(|made| made.to);
            for reached in reached.chain(self.ticked(position.clone())) {
                if seen.insert(key::<A>(&reached)) {
                    found.push(reached);
                }
                assert!(found.len() < MOST_POSITIONS, "{:?}: there is no end of it", self.algorithm);
            }
        }
        found
    }

    /// The most units that can be got in any window of one period.
    pub(super) fn most(&mut self) -> u64 {
        let period = self.algorithm.ticks();
        let mut most = 0;
        for position in self.positions() {
            let end = position.tick + period;
            // What was reserved before.
            let due: u64 = position.due.iter().filter(|(at, _)| *at < end).map(|(_, units)| units).sum();
            let due = i64::try_from(due).expect("few");
            most = most.max(due + self.most_from(Position { due: Vec::new(), ..position }, period));
        }
        u64::try_from(most).expect("doing nothing costs nothing")
    }

    /// The most that can be got in the `left` ticks that are left of a window, this one included.
    fn most_from(&mut self, position: Position<A::State>, left: u64) -> i64 {
        let key = (key::<A>(&position), left);
        if let Some(most) = self.most.get(&key) {
            return *most;
        }
        let end = position.tick + left;
        let start = end.saturating_sub(self.algorithm.ticks());
        // A window may begin before the first tick, and then nothing was taken earlier in it.
        let mut most = 0;
        for made in self.moves(&position) {
            let gain = if (start..end).contains(&made.at) { made.units } else { 0 };
            let to = Position { due: Vec::new(), ..made.to };
            most = most.max(gain + self.most_from(to, left));
        }
        if left > 1 {
            let next = Position { tick: position.tick + 1, ..position };
            most = most.max(self.most_from(self.moved_back(next), left - 1));
        }
        self.most.insert(key, most);
        most
    }

    fn moves(&self, position: &Position<A::State>) -> Vec<Move<A::State>> {
        let mut moves = Vec::new();
        for kind in self.kinds {
            kind(self.algorithm, position, &mut moves);
        }
        moves
    }

    /// The position a tick later, unless the search ends there.
    fn ticked(&self, position: Position<A::State>) -> Option<Position<A::State>> {
        let tick = position.tick + 1;
        let ends = self.algorithm.repeats().is_none() && tick == self.start + self.ticks;
        let due = position.due.iter().filter(|(at, _)| *at >= tick).copied().collect();
        (!ends).then(|| self.moved_back(Position { tick, due, ..position }))
    }

    /// The same position where it was seen first.
    fn moved_back(&self, position: Position<A::State>) -> Position<A::State> {
        let Some(repeats) = self.algorithm.repeats() else { return position };
        if position.tick < self.start + repeats {
            return position;
        }
        let tick = position.tick - repeats;
        let forget = tick - LATE;
        let state = |state| self.algorithm.earlier(state, repeats, forget);
        let held = position.held.into_iter().filter_map(|held| {
            // A whole period and more later nothing is to be had of it.
            let charge = Charged { at: held.charge.at.checked_sub(repeats)?, ..held.charge };
            let (asked, used) = (held.asked.checked_sub(repeats)?, held.used - repeats);
            let old = tick.saturating_sub(used) >= 2 * self.algorithm.ticks();
            (!old).then(|| Held { asked, used, charge, after: held.after.map(state) })
        });
        Position {
            tick,
            state: state(position.state),
            newest: position.newest.saturating_sub(repeats),
            due: position.due.into_iter().map(|(at, units)| (at - repeats, units)).collect(),
            held: held.collect(),
        }
    }
}

fn key<A: Relative>(position: &Position<A::State>) -> Key<A> {
    let held = position.held.iter().map(|held| {
        (held.asked, held.used, held.charge.at, held.charge.units, held.after.as_ref().map(A::key))
    });
    // Earlier than anybody can claim to come.
    let newest = position.newest.max(position.tick.saturating_sub(LATE));
    (position.tick, A::key(&position.state), newest, position.due.clone(), held.collect())
}
