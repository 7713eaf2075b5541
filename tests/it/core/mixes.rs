//! Several limits of any algorithms on one request, against the same limits asked one by one.

use rate_core::algorithm::{AnyAlgorithm, Gcra};
use rate_core::{Charge, Decision, KeyedLimiter, Quota, Timestamp, check_all, check_slice};

use super::random::Random;
use super::six::{algorithms, keyed};

const DAY: u64 = 86_400 * 1_000_000_000;
const KEYS: u64 = 3;

/// A limiter of any kind.
#[derive(Debug)]
enum Any {
    Chosen(KeyedLimiter<AnyAlgorithm>),
    Tier(KeyedLimiter),
}

impl Any {
    /// Sixteen of them: each algorithm twice, some in fractions of a nanosecond, some a tier among others.
    fn sixteen() -> Vec<Self> {
        let quotas = [Quota::per_day(7), Quota::per_day(20)];
        let mut all: Vec<_> = quotas
            .iter()
            .flat_map(|quota| algorithms(*quota))
            .map(|algorithm| Self::Chosen(keyed(algorithm, 4)))
            .collect();
        let other = keyed(Gcra::new(Quota::per_day(11)), 4);
        all.push(Self::Tier(other.tier(Quota::per_hour(3).burst(5))));
        all.push(Self::Tier(other));
        assert_eq!(all.len(), 16);
        all
    }

    fn charge(&self, key: u64, cost: u64) -> Charge<'_> {
        match self {
            Self::Chosen(limiter) => limiter.charge(&key, cost),
            Self::Tier(limiter) => limiter.charge(&key, cost),
        }
    }

    fn peek(&self, key: u64, cost: u64, now: Timestamp) -> Decision {
        match self {
            Self::Chosen(limiter) => limiter.peek_n_at(&key, cost, now),
            Self::Tier(limiter) => limiter.peek_n_at(&key, cost, now),
        }
    }
}

/// What limits that are asked one by one come to: each charge's answer, and what was charged if all admit.
fn one_by_one(limits: &[Any], asked: &[(usize, u64, u64)], now: Timestamp) -> (bool, Vec<Decision>) {
    let together = |&(limit, key, _): &(usize, u64, u64)| {
        let same = asked.iter().filter(|other| (other.0, other.1) == (limit, key));
        same.fold(0_u64, |sum, (_, _, cost)| sum.saturating_add(*cost))
    };
    let peeks: Vec<_> = asked.iter().map(|ask| limits[ask.0].peek(ask.1, together(ask), now)).collect();
    if !peeks.iter().all(Decision::is_allowed) {
        return (false, peeks);
    }
    let mut answers = Vec::new();
    for (index, ask) in asked.iter().enumerate() {
        let first = asked.iter().position(|other| (other.0, other.1) == (ask.0, ask.1)).expect("itself");
        answers.push(match first == index {
            true => limits[ask.0].charge(ask.1, together(ask)).check_at(now),
            false => answers[first],
        });
    }
    (true, answers)
}

#[test]
fn a_mix_of_all_algorithms_is_decided_as_each_of_them_would() {
    let mut random = Random::new(62);
    let (limits, apart) = (Any::sixteen(), Any::sixteen());
    let mut now = 30 * DAY;
    let (mut admitted, mut twice) = (0, 0);
    for step in 0..4_000 {
        now += random.below(DAY / 20);
        let at = Timestamp::from_nanos(now);
        let count = match step % 4 {
            0 => 2,
            1 => 16,
            _ => 1 + random.below(16) as usize,
        };
        let asked: Vec<(usize, u64, u64)> = (0..count)
            .map(|index| match random.below(4) {
                // Out of order, and now and then the same one again.
                0 => (random.below(14) as usize, random.below(KEYS), random.below(3)),
                _ => (index, random.below(KEYS), u64::from(random.below(4) > 0)),
            })
            .collect();
        // A key that is in two tiers at once is counted by the first of them: `tiers` has that.
        if asked.iter().any(|ask| ask.0 == 14) && asked.iter().any(|ask| ask.0 == 15) {
            continue;
        }
        twice +=
            u64::from((1..count).any(|last| {
                asked[..last].iter().any(|ask| (ask.0, ask.1) == (asked[last].0, asked[last].1))
            }));
        let (expected, answers) = one_by_one(&apart, &asked, at);
        let charges: Vec<_> =
            asked.iter().map(|&(limit, key, cost)| limits[limit].charge(key, cost)).collect();
        let (found, decisions) = match *charges.as_slice() {
            [first, second] if step % 8 == 0 => {
                let both = check_all([first, second], at);
                (both.is_allowed(), both.each().to_vec())
            }
            _ => {
                let mut decisions = Vec::new();
                (check_slice(&charges, at, |_, decision| decisions.push(decision)), decisions)
            }
        };
        assert_eq!((found, decisions), (expected, answers), "step {step}: {asked:?} at {now}");
        admitted += u64::from(found);
        for limit in 0..14 {
            for key in 0..KEYS {
                assert_eq!(
                    limits[limit].peek(key, 1, at),
                    apart[limit].peek(key, 1, at),
                    "step {step}: {asked:?}"
                );
            }
        }
    }
    assert!(
        admitted > 300 && admitted < 3_000 && twice > 100,
        "{admitted} admitted, {twice} with a key twice"
    );
}
