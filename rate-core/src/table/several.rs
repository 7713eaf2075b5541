//! Several limits, decided all or nothing.
//!
//! 1. Every key is looked up and decided on without a lock. If one refuses, nothing was written and nothing is undone.
//! 2. If all admit, the lines are locked in the order of their addresses, each only if nothing moved in it since step 1.
//!    One that did move sends everybody back to step 1 with empty hands, so nobody waits while holding a lock.
//! 3. With all lines locked the decisions are still right: all are written, then all are unlocked.

use super::insert::Newcomer;
use super::line::{Guard, Line};
use super::{Again, Ask, Place, Rate, Table};
use crate::Decision;
use crate::algorithm::{Standing, Word};
use crate::kept::{Change, Operation, Outcome};
use crate::sync::Backoff;

/// What became of one ask.
#[derive(Clone, Copy)]
struct Answer {
    outcome: Outcome,
    /// What the key has left if all admit, and if not.
    left: [Standing; 2],
}

impl Default for Answer {
    fn default() -> Self {
        let outcome = Outcome { word: Word::default(), change: Change::Nothing, result: Ok(0) };
        Self { outcome, left: [Standing { remaining: 0, reset_after: 0 }; 2] }
    }
}

/// Decides up to `N` asks as one and hands each answer to `each`; `LINES` is twice `N`. On `true` all were charged; on
/// `false` none was, and the states are as they were.
///
/// The same key in the same table twice counts as one ask for both costs.
pub(crate) fn decide_all<const N: usize, const LINES: usize>(
    asks: &[Ask<'_>],
    now: u64,
    each: &mut impl FnMut(usize, Decision),
) -> bool {
    decide_in_these_quotas::<N, LINES>(asks, now, each)
        .unwrap_or_else(|| decide_in_new_quotas::<N, LINES>(asks, now, each))
}

/// Nothing if one of the keys is written in another quota than it is asked for.
fn decide_in_these_quotas<const N: usize, const LINES: usize>(
    asks: &[Ask<'_>],
    now: u64,
    each: &mut impl FnMut(usize, Decision),
) -> Option<bool> {
    let twins = Twins::<N>::of(asks);
    let mut answers = [Answer::default(); N];
    let mut backoff = Backoff::default();
    let allowed = loop {
        match attempt::<N, LINES>(asks, &twins, now, &mut answers) {
            Ok(allowed) => break allowed,
            Err(Again::Busy) => backoff.wait(),
            Err(Again::Epoch(_)) => return None,
        }
    };
    for (index, &first) in twins.first[..asks.len()].iter().enumerate() {
        let answer = &answers[first];
        let left = answer.left[usize::from(!allowed)];
        each(index, Decision::new(asks[first].rate.most(), left, answer.outcome.result.err()));
    }
    Some(allowed)
}

/// Repeats a decision in the quotas that the keys are to be decided in by now.
#[cold]
fn decide_in_new_quotas<const N: usize, const LINES: usize>(
    asks: &[Ask<'_>],
    now: u64,
    each: &mut impl FnMut(usize, Decision),
) -> bool {
    let mut rates: Vec<Rate> = asks.iter().map(|ask| ask.rate.clone()).collect();
    let twins = Twins::<N>::of(asks);
    let mut backoff = Backoff::default();
    loop {
        // Not in the quota of a twin: the key is decided in that of the first, which would find it in another for ever.
        let firsts = |index: &usize| twins.stands_for_itself(*index);
        for index in (0..asks.len()).filter(firsts) {
            let (ask, rate) = (&asks[index], &mut rates[index]);
            for line in [ask.table.first_home(ask.tag), ask.table.second_home(ask.tag)] {
                *rate = ask.table.catch_up(rate, line, ask.tag, || now);
            }
        }
        let asks: Vec<_> = asks.iter().zip(&rates).map(|(ask, rate)| Ask { rate, ..*ask }).collect();
        if let Some(allowed) = decide_in_these_quotas::<N, LINES>(&asks, now, each) {
            return allowed;
        }
        backoff.wait();
    }
}

/// Which asks are for one and the same key: the first of them stands for all.
struct Twins<const N: usize> {
    first: [usize; N],
    costs: [u64; N],
}

impl<const N: usize> Twins<N> {
    fn of(asks: &[Ask<'_>]) -> Self {
        let mut twins = Self { first: [0; N], costs: [0; N] };
        for (index, ask) in asks.iter().enumerate() {
            let same = |other: &Ask<'_>| ask.tag == other.tag && core::ptr::eq(ask.table, other.table);
            let first = asks[..index].iter().position(same).unwrap_or(index);
            twins.first[index] = first;
            twins.costs[first] = twins.costs[first].saturating_add(ask.cost);
        }
        twins
    }

    fn stands_for_itself(&self, index: usize) -> bool {
        self.first[index] == index
    }
}

/// One run of the three steps.
fn attempt<const N: usize, const LINES: usize>(
    asks: &[Ask<'_>],
    twins: &Twins<N>,
    now: u64,
    answers: &mut [Answer; N],
) -> Result<bool, Again> {
    let mut places: [Option<Place>; N] = [None; N];
    let mut allowed = true;
    for (index, ask) in asks.iter().enumerate().filter(|&(index, _)| twins.stands_for_itself(index)) {
        let place = ask.table.look(ask.rate, ask.tag, now)?;
        let own = ask.rate.time_of(ask.tag, now);
        let algorithm = &ask.rate.algorithm;
        let (word, log) = ask.table.found(ask.rate, &place);
        let outcome = algorithm.run(word, log, own, Operation::Take(twins.costs[index]));
        let left = [algorithm.left_after(&outcome, log, own), algorithm.left(word, log, own)];
        allowed &= outcome.result.is_ok();
        answers[index] = Answer { outcome, left };
        places[index] = Some(place);
    }
    let found = || {
        asks.iter()
            .enumerate()
            .zip(&places)
            .filter_map(|((index, ask), place)| Some((index, ask, place.as_ref()?)))
    };

    if !allowed {
        for (_, ask, place) in found() {
            if !ask.table.confirm(place) {
                return Err(Again::Busy);
            }
        }
        return Ok(false);
    }

    let mut locks = Locks::<LINES>::default();
    for (_, ask, place) in found() {
        locks.add(ask.table, place)?;
    }
    if !locks.lock() {
        return Err(Again::Busy);
    }
    // Keys that have a slot first: a newcomer may take any slot, and must find the other states up to date.
    for (index, ask, place) in found() {
        if let Place::Held { line, slot, .. } = *place {
            let Outcome { word, change, .. } = answers[index].outcome;
            ask.table.write(ask.rate, (line, slot), word, change, ask.rate.time_of(ask.tag, now));
        }
    }
    for (index, ask, place) in found() {
        match *place {
            Place::Absent { first, second, .. } if twins.costs[index] > 0 => {
                let Outcome { word: state, change, .. } = answers[index].outcome;
                let newcomer = Newcomer { tag: ask.tag, state, change };
                ask.table.insert(ask.rate, newcomer, (first.0, second.0), now);
            }
            _ => {}
        }
    }
    locks.unlock();
    Ok(true)
}

/// Lines to lock, in the order of their addresses.
pub(super) struct Locks<'a, const LINES: usize> {
    lines: [Option<(&'a Line, Guard)>; LINES],
    count: usize,
}

impl<const LINES: usize> Default for Locks<'_, LINES> {
    fn default() -> Self {
        Self { lines: [None; LINES], count: 0 }
    }
}

impl<'a, const LINES: usize> Locks<'a, LINES> {
    pub(super) fn of(table: &'a Table, place: &Place) -> Result<Self, Again> {
        let mut locks = Self::default();
        locks.add(table, place)?;
        Ok(locks)
    }

    fn add(&mut self, table: &'a Table, place: &Place) -> Result<(), Again> {
        match *place {
            Place::Held { line, guard, .. } => self.add_line(&table.lines[line], guard),
            Place::Absent { first, second, .. } => {
                self.add_line(&table.lines[first.0], first.1)?;
                self.add_line(&table.lines[second.0], second.1)
            }
        }
    }

    fn add_line(&mut self, line: &'a Line, guard: Guard) -> Result<(), Again> {
        let address = |line: &Line| core::ptr::from_ref(line).addr();
        let mut at = self.count;
        while at > 0 {
            let Some((before, before_guard)) = self.lines[at - 1] else { break };
            if core::ptr::eq(before, line) {
                // Two keys in one line: one lock serves both, if both saw the same version.
                return if before_guard == guard { Ok(()) } else { Err(Again::Busy) };
            }
            if address(before) < address(line) {
                break;
            }
            at -= 1;
        }
        self.lines[at..=self.count].rotate_right(1);
        self.lines[at] = Some((line, guard));
        self.count += 1;
        Ok(())
    }

    pub(super) fn lock(&self) -> bool {
        for (held, (line, guard)) in self.lines.iter().flatten().enumerate() {
            if !line.try_lock(*guard) {
                self.lines[..held].iter().flatten().for_each(|(line, guard)| line.release(*guard));
                return false;
            }
        }
        true
    }

    pub(super) fn unlock(&self) {
        self.lines.iter().flatten().for_each(|(line, guard)| line.unlock(*guard));
    }
}
