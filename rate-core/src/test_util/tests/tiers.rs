//! Quotas of the call: a key that comes with another one is carried over to it, and it alone.

use super::difference::{Instants, cost};
use super::elsewhere::Way;
use super::operation::{Found, Modelled, Operation};
use super::tested::Tested;
use super::timeline::Timeline;
use crate::algorithm::{AnyAlgorithm, Gcra};
use crate::test_util::model::{AnyModel, Model};
use crate::test_util::random::Random;
use crate::{KeyedLimiter, ManualClock, Quota, Timestamp};

const KEYS: usize = 3;

/// What is asked with a quota, of a limiter that was made for another.
fn found(limiter: &KeyedLimiter, key: usize, operation: Operation, now: u64) -> Found {
    let now = Timestamp::from_nanos(now);
    match operation {
        Operation::Check(cost) => Found::Answer(limiter.check_n_at(&key, cost, now).into()),
        Operation::Peek(cost) => Found::Answer(limiter.peek_n_at(&key, cost, now).into()),
        Operation::TakeUpTo(units) => Found::Units(limiter.take_up_to_at(&key, units, now)),
        Operation::Refund { units, charged } => {
            Found::Units(limiter.refund_at(&key, units, Timestamp::from_nanos(charged), now))
        }
        Operation::Debit { units, max_debt } => Found::Units(limiter.debit_at(&key, units, max_debt, now)),
        _ => unreachable!("not chosen here"),
    }
}

fn choose(random: &mut Random, capacity: u64, now: u64) -> Operation {
    let cost = cost(random, capacity);
    match random.below(16) {
        0 | 1 => Operation::Peek(cost),
        2 => Operation::TakeUpTo(cost),
        3 => Operation::Refund { units: cost, charged: now - random.below(now.min(100) + 1) },
        4 => Operation::Debit { units: cost, max_debt: random.magnitude(capacity) },
        _ => Operation::Check(cost),
    }
}

fn compare(seed: u64) -> u64 {
    let mut random = Random::new(seed);
    let quotas: Vec<Quota> = (0..4).map(|_| AnyAlgorithm::from(Gcra::random(&mut random)).quota()).collect();
    let limiter = KeyedLimiter::builder(quotas[0]).capacity(8).clock(ManualClock::new()).build();
    let limiter = limiter.expect("eight keys fit");
    let model = |quota| AnyModel::of(Gcra::new(quota));
    let new = |_| (quotas[0], Modelled::new(model(quotas[0])));
    let mut keys: Vec<_> = (0..KEYS).map(new).collect();
    let mut timeline =
        Timeline::new(&mut random, Instants::All, quotas[1].limit(), quotas[1].period().as_nanos() as u64);
    let (mut changed, mut history) = (0, Vec::new());
    for step in 0..250 {
        let now = timeline.next(&mut random);
        let index = random.below(KEYS as u64) as usize;
        let (quota, modelled) = &mut keys[index];
        let next = if random.below(8) == 0 { random.one_of(&quotas) } else { *quota };
        let operation = choose(&mut random, modelled.model.capacity(), now);
        let expected = match operation {
            // What was taken in one tier is not given back through another, nor does the key come to it for that.
            Operation::Refund { .. } if next != *quota => Found::Units(0),
            _ => {
                if next != *quota {
                    let (left, limit) = ((*quota).into(), next.into());
                    let id = |quota| quotas.iter().position(|one| *one == quota).expect("one of them") as u64;
                    let way = Way {
                        left: (&left, id(*quota)),
                        next: (&limit, id(next)),
                        at: now,
                        changed: 0,
                        remembers: true,
                    };
                    modelled.change(model(next), way);
                    (*quota, changed) = (next, changed + 1);
                }
                modelled.run(operation, now)
            }
        };
        let found = if next == quotas[0] {
            found(&limiter, index, operation, now)
        } else {
            found(&limiter.tier(next), index, operation, now)
        };
        history.push(format!("{now}: key {index} in {next}: {operation:?}: {expected:?}"));
        let last = &history[history.len().saturating_sub(30)..];
        assert_eq!(found, expected, "seed {seed}, step {step}, the last of\n{}", last.join("\n"));
        timeline.learn(expected, now);
    }
    assert_eq!(limiter.evictions(), 0);
    changed
}

#[test]
fn a_key_is_counted_by_the_quota_it_comes_with_and_keeps_the_share_it_has_used() {
    let changed: u64 = (0..400).map(compare).sum();
    assert!(changed > 5_000, "{changed} changes are too few to mean anything");
}
