//! Runs a subject beside its model, and tells the first answer in which they differ.

use core::fmt::Debug;

use super::elsewhere::{Way, is_sooner};
use super::operation::{Abilities, Found, Modelled, Operation};
use super::subject::Subject;
use super::tally::Tally;
use super::timeline::Timeline;
use crate::algorithm::AnyAlgorithm;
use crate::test_util::model::{AnyModel, Model};
use crate::test_util::random::Random;

/// A run of random operations.
pub(super) struct Run<'m> {
    pub(super) seed: u64,
    pub(super) steps: usize,
    pub(super) keys: usize,
    pub(super) abilities: Abilities,
    pub(super) instants: Instants,
    /// What is asked for next, of a key with such a capacity, instead of what is mostly awkward.
    pub(super) operation: Option<fn(&mut Random, u64) -> Operation>,
    /// What is the same about two answers that agree.
    pub(super) same: fn(&Found, &Found) -> bool,
    /// The model of a key under a limit.
    pub(super) model: &'m dyn Fn(AnyAlgorithm, usize) -> AnyModel,
}

/// What happened in a run, at an instant.
enum Event<A> {
    Changed(A),
    /// Which key was asked what, and the answer of the model.
    Asked(usize, Operation, Found),
}

/// The last that happened to a key, as it is printed.
fn told<A: Debug>(history: &[(u64, Event<A>)], key: usize) -> String {
    let lines = history.iter().rev().filter_map(|(now, event)| match event {
        Event::Changed(limit) => Some(format!("{now}: changed to {limit:?}\n")),
        Event::Asked(index, operation, found) if *index == key => {
            Some(format!("{now}: {operation:?}: {found:?}\n"))
        }
        Event::Asked(..) => None,
    });
    let last: Vec<String> = lines.take(30).collect();
    last.into_iter().rev().collect()
}

/// At which instants something is asked.
#[derive(Clone, Copy, Debug)]
pub(super) enum Instants {
    /// Wherever something may change.
    All,
    /// The same, until the year 2116.
    Early,
    /// As they are drawn, in no order.
    Any(fn(&mut Random) -> u64),
}

/// What may be asked for next of one key.
struct Key {
    modelled: Modelled,
    /// Units that were taken, and when.
    charges: Vec<(u64, u64)>,
}

impl Run<'_> {
    /// `change` puts the subject under the next limit.
    pub(super) fn compare<A: Copy + Debug + Into<AnyAlgorithm>, S: Subject>(
        &self,
        subject: &mut S,
        limits: &[A],
        change: impl Fn(&mut S, A, u64),
    ) -> Result<Tally, String> {
        let mut random = Random::new(self.seed);
        let mut limits = limits.iter().copied();
        let mut limit: AnyAlgorithm = limits.next().expect("a limit to begin with").into();
        let key = |key| Key { modelled: Modelled::new((self.model)(limit, key)), charges: vec![(1, 0)] };
        let mut keys: Vec<Key> = (0..self.keys).map(key).collect();
        let quota = limit.quota();
        let mut timeline = Timeline::new(&mut random, self.instants, quota.limit(), quota.period_nanos());
        let mut tally = Tally::default();
        let mut history = Vec::new();
        // The latest instant of a change; and whether there was one to a limit in which what was used may come back sooner.
        let (mut changed, mut remembers) = (0, false);
        for step in 0..self.steps {
            if timeline.is_over() {
                break;
            }
            let now = timeline.next(&mut random);
            tally.operations += 1;
            tally.late += u64::from(now < timeline.latest());
            if random.below(50) == 0 {
                if let Some(next) = limits.next() {
                    change(subject, next, now);
                    let is_another = !next.into().is_aligned_with(&limit);
                    let left = core::mem::replace(&mut limit, next.into());
                    remembers |= is_sooner(&limit, &left);
                    // A limit that is what it was changes nothing.
                    for (index, key) in keys.iter_mut().enumerate().filter(|_| is_another) {
                        let left = (&left, tally.changed);
                        let next = (&limit, tally.changed + 1);
                        let way = Way { left, next, at: now, changed, remembers };
                        key.modelled.change((self.model)(limit, index), way);
                        key.modelled.changed = Some(now);
                    }
                    if is_another && now < u64::MAX - 1 {
                        // Later it is not told from a change that is not complete.
                        changed = now.max(changed);
                    }
                    tally.changed += 1;
                    history.push((now, Event::Changed(next)));
                    continue;
                }
            }
            let index = random.below(self.keys as u64) as usize;
            let key = &mut keys[index];
            let operation = self.choose(&mut random, key, &timeline);
            let expected = key.modelled.run(operation, now);
            let found = subject.run(index, operation, now);
            history.push((now, Event::Asked(index, operation, expected)));
            if !(self.same)(&found, &expected) {
                let seed = self.seed;
                let history = told(&history, index);
                return Err(format!(
                    "seed {seed}, step {step}: {found:?}, and not the last of what key {index} under {limit} was told\n{history}"
                ));
            }
            timeline.learn(expected, now);
            key.learn(operation, expected, now);
            tally.count(operation, expected);
        }
        Ok(tally)
    }

    fn choose(&self, random: &mut Random, key: &Key, timeline: &Timeline) -> Operation {
        let capacity = key.modelled.model.capacity();
        let held = key.modelled.places.len();
        if let Some(operation) = self.operation {
            // One reservation is enough where all values are extreme.
            return match operation(random, capacity) {
                Operation::Reserve { .. } if held > 0 => Operation::Cancel(0),
                operation => operation,
            };
        }
        let Abilities { refund, reserve, debit } = self.abilities;
        match random.below(64) {
            0..=5 => Operation::Peek(cost(random, capacity)),
            6..=10 => Operation::TakeUpTo(cost(random, capacity)),
            11..=20 if refund => key.refund(random, timeline),
            21..=26 if reserve && held < 4 => {
                Operation::Reserve { cost: cost(random, capacity), max_wait: timeline.span(random) }
            }
            27..=30 if held > 0 => {
                // The last in line, mostly.
                let last = held - 1;
                Operation::Cancel(if random.below(2) == 0 {
                    last
                } else {
                    random.below(held as u64) as usize
                })
            }
            31..=32 if debit => {
                let max_debt = match random.below(4) {
                    0 => 0,
                    1 => random.magnitude(u64::MAX),
                    _ => random.magnitude(capacity),
                };
                Operation::Debit { units: cost(random, capacity), max_debt }
            }
            33 => Operation::Penalize(timeline.span(random)),
            34 => Operation::Reset,
            _ => Operation::Check(cost(random, capacity)),
        }
    }
}

impl Key {
    /// Of something that was taken, or near it: late, twice, more than it was, of a time at which nothing was.
    fn refund(&self, random: &mut Random, timeline: &Timeline) -> Operation {
        let (units, at) = random.one_of(&self.charges);
        let units = match random.below(6) {
            0 => units / 2,
            1 => units.saturating_add(1),
            2 => random.magnitude(u64::MAX),
            _ => units,
        };
        let charged = match random.below(8) {
            0 => at.saturating_sub(timeline.span(random)),
            1 => at.saturating_add(timeline.span(random)),
            _ => at,
        };
        Operation::Refund { units, charged }
    }

    fn learn(&mut self, operation: Operation, found: Found, now: u64) {
        let units = match (operation, found) {
            (Operation::Check(cost), Found::Answer(answer)) if answer.allowed => cost,
            (Operation::TakeUpTo(_) | Operation::Debit { .. }, Found::Units(units)) => units,
            _ => return,
        };
        if self.charges.len() == 4 {
            self.charges.remove(0);
        }
        self.charges.push((units, now));
    }
}

/// A cost that is sometimes nothing, sometimes too much, and mostly in between.
pub(super) fn cost(random: &mut Random, capacity: u64) -> u64 {
    match random.below(16) {
        0 => 0,
        1 => capacity,
        2 => capacity.saturating_add(1),
        3 => capacity.saturating_add(random.magnitude(u64::MAX)),
        4..=7 => random.magnitude(capacity),
        _ => 1,
    }
}
