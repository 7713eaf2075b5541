//! Values at the ends of what can be written down, for all operations of all algorithms: nothing panics, nothing wraps, and
//! what is answered is what the models answer, which count in 128 bits.
//!
//! Built with checks for overflow these tests say that there is none; and so that a release build answers the same.

use core::cell::OnceCell;
use core::fmt::Debug;

use super::difference::{Instants, Run, cost};
use super::operation::{Abilities, Operation};
use super::subject::{Changing, Keyed, One, Pure};
use super::tally::Tally;
use super::tested::Tested;
use crate::algorithm::{
    AnyAlgorithm, Calendar, CalendarWindow, FixedWindow, Gcra, LeakyBucket, SlidingLog, SlidingWindow,
};
use crate::test_util::model::{AnyModel, Model};
use crate::test_util::random::Random;
use crate::{KeyedLimiter, Limiter, ManualClock, QuotaError};

const SECOND: u64 = 1_000_000_000;
const YEAR: u64 = 365 * 86_400 * SECOND;

/// The longest period there can be.
const LONGEST: u64 = u64::MAX - 10 * 366 * 86_400 * SECOND;

/// From below a microsecond to centuries.
const PERIODS: [u64; 14] = [
    0,
    1,
    2,
    7,
    999_999,
    SECOND,
    // A divisor of u64::MAX, so that even that limit has an exact spacing.
    (1 << 32) + 1,
    86_400 * SECOND,
    10 * YEAR,
    100 * YEAR,
    1 << 63,
    LONGEST,
    LONGEST + 1,
    u64::MAX,
];

const LIMITS: [u64; 14] = [
    0,
    1,
    2,
    7,
    65_535,
    65_536,
    999_983,
    (1 << 32) - 2,
    (1 << 32) - 1,
    1 << 32,
    (1 << 32) + 1,
    1 << 63,
    u64::MAX - 1,
    u64::MAX,
];

/// All that can be built, and how many cannot.
fn all<A>(of: impl Fn(u64, u64) -> Result<A, QuotaError>) -> Vec<A> {
    let pairs = LIMITS.into_iter().flat_map(|limit| PERIODS.map(|period| (limit, period)));
    let (built, refused): (Vec<_>, Vec<_>) =
        pairs.map(|(limit, period)| of(limit, period)).partition(Result::is_ok);
    assert!(built.len() >= 10 && refused.len() >= 50, "{} built, {} refused", built.len(), refused.len());
    built.into_iter().filter_map(Result::ok).collect()
}

fn buckets<A>(of: impl Fn(u64, u64, u64) -> Result<A, QuotaError>) -> Vec<A> {
    LIMITS.into_iter().flat_map(|burst| all_or_none(&of, burst)).collect()
}

fn all_or_none<A>(of: &impl Fn(u64, u64, u64) -> Result<A, QuotaError>, burst: u64) -> Vec<A> {
    let pairs = LIMITS.into_iter().flat_map(|limit| PERIODS.map(|period| (limit, period)));
    pairs.filter_map(|(limit, period)| of(limit, period, burst).ok()).collect()
}

/// A number that is near a power of two, of a billion, or near all there is of something.
fn number(random: &mut Random, all: u64) -> u64 {
    let about = match random.below(8) {
        0 => 0,
        1 => u64::MAX,
        2 => 1 << random.below(64),
        3 => random.one_of(&PERIODS),
        4 => u64::MAX - random.one_of(&PERIODS),
        5 => random.bits(),
        _ => all,
    };
    match random.below(4) {
        0 => about.saturating_sub(1),
        1 => about.saturating_add(1),
        _ => about,
    }
}

fn operation<A: Tested>(random: &mut Random, capacity: u64) -> Operation {
    let Abilities { refund, reserve, debit } = A::ABILITIES;
    let any = |random: &mut Random| number(random, u64::MAX);
    let units = |random: &mut Random| {
        if random.below(2) == 0 { cost(random, capacity) } else { number(random, capacity) }
    };
    match random.below(32) {
        0..=3 => Operation::Peek(units(random)),
        4..=7 => Operation::TakeUpTo(units(random)),
        8..=11 if refund => Operation::Refund { units: units(random), charged: any(random) },
        12..=14 if reserve => Operation::Reserve { cost: units(random), max_wait: any(random) },
        15 if debit => Operation::Debit { units: units(random), max_debt: any(random) },
        16 => Operation::Penalize(any(random)),
        17 | 18 => Operation::Reset,
        _ => Operation::Check(units(random)),
    }
}

fn run<A: Tested + Debug>(limits: &[A]) -> Tally {
    let mut tally = Tally::default();
    let mut random = Random::new(0);
    for (seed, limit) in (0..).zip(limits.iter().cycle().take(limits.len().max(300))) {
        let run = Run {
            seed,
            steps: 100,
            keys: 1,
            abilities: A::ABILITIES,
            instants: Instants::Any(|random| number(random, u64::MAX)),
            operation: Some(operation::<A>),
            same: PartialEq::eq,
            model: &|limit: AnyAlgorithm, _| AnyModel::of(limit),
        };
        let mut count = |way: &str, compared: Result<Tally, String>| match compared {
            Ok(compared) => tally.add(compared),
            Err(difference) => panic!("{way}: {difference}"),
        };
        count("pure", run.compare(&mut Pure::new(*limit, 1), &[*limit], |_, _, _| ()));

        let limiter = Limiter::of_with_clock(*limit, ManualClock::new());
        count("one", run.compare(&mut One::new(&limiter), &[*limit], |_, _, _| ()));

        let next = random.one_of(limits);
        let limiter = KeyedLimiter::builder_of(*limit).capacity(1).clock(ManualClock::new()).build();
        let cells = [const { OnceCell::new() }; 2];
        let mut keyed = Keyed::new(&cells, limiter.expect("one key fits"), 1);
        let roomy = AnyModel::of(*limit).capacity() >= AnyModel::of(next).capacity();
        let limits = if roomy { vec![*limit, next] } else { vec![*limit] };
        count("keyed", run.compare(&mut keyed, &limits, Changing::change));
    }
    tally
}

fn assert_meant<A: Tested + Debug>(limits: &[A]) {
    let tally = run(limits);
    let few = tally.operations / 100;
    assert!(tally.allowed.min(tally.never) > 10 * few && tally.denied > few / 2, "{tally:?}");
    assert!(tally.late > 10 * few && tally.penalized > few, "{tally:?}");
}

#[test]
fn gcra_neither_panics_nor_wraps() {
    assert_meant(&buckets(Gcra::from_ticks));
}

#[test]
fn the_leaky_bucket_neither_panics_nor_wraps() {
    assert_meant(&buckets(LeakyBucket::from_ticks));
}

#[test]
fn the_fixed_window_neither_panics_nor_wraps() {
    assert_meant(&all(FixedWindow::from_ticks));
}

#[test]
fn the_calendar_window_neither_panics_nor_wraps() {
    let of =
        |limit| [Calendar::Day, Calendar::Month].map(|calendar| CalendarWindow::try_new(limit, calendar));
    let limits: Vec<CalendarWindow> = LIMITS.into_iter().flat_map(of).filter_map(Result::ok).collect();
    assert_eq!(limits.len(), 14);
    assert_meant(&limits);
}

#[test]
fn the_sliding_window_neither_panics_nor_wraps() {
    assert_meant(&all(SlidingWindow::from_ticks));
}

#[test]
fn the_sliding_log_neither_panics_nor_wraps() {
    // Logs of 65,536 admissions are slow to compare.
    let limits: Vec<SlidingLog> = all(SlidingLog::from_ticks);
    let small = |log: &&SlidingLog| AnyModel::of(**log).capacity() < 100;
    assert_meant(&limits.iter().filter(small).copied().collect::<Vec<_>>());
}
