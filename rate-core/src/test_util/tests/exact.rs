//! A million random operations of each algorithm, answered as by its model.
//!
//! A third of them is asked of the algorithm itself, a third of a limiter, and a third of a limiter with keys whose limit
//! changes meanwhile. What a failing test prints is one run, which `seed` repeats.

use core::cell::OnceCell;
use core::fmt::Debug;

use super::difference::{Instants, Run};
use super::operation::Abilities;
use super::subject::{Changing, Keyed, One, Pure};
use super::tally::Tally;
use super::tested::Tested;
use crate::algorithm::{
    AnyAlgorithm, CalendarWindow, FixedWindow, Gcra, LeakyBucket, SlidingLog, SlidingWindow,
};
use crate::test_util::model::AnyModel;
use crate::test_util::random::Random;
use crate::{KeyedLimiter, Limiter, ManualClock};

/// Of each algorithm in each way. `tests/long` makes it more.
const OPERATIONS: u64 = 350_000;
const LONG: u64 = 150;
/// Few, for what a limit has to go wrong it has to go wrong soon.
const STEPS: usize = 350;
const KEYS: usize = 3;
const CHANGES: usize = 4;

fn run<'m, A: Tested>(seed: u64, keys: usize) -> Run<'m> {
    Run {
        seed,
        steps: STEPS,
        keys,
        abilities: A::ABILITIES,
        instants: Instants::All,
        operation: None,
        same: PartialEq::eq,
        model: &|limit, _| AnyModel::of(limit),
    }
}

fn pure<A: Tested + Debug>(seed: u64) -> Result<Tally, String> {
    let limit = A::random(&mut Random::new(!seed));
    run::<A>(seed, KEYS).compare(&mut Pure::new(limit, KEYS), &[limit], |_, _, _| ())
}

fn one<A: Tested + Debug>(seed: u64) -> Result<Tally, String> {
    let limit = A::random(&mut Random::new(!seed));
    let limiter = Limiter::of_with_clock(limit, ManualClock::new());
    run::<A>(seed, 1).compare(&mut One::new(&limiter), &[limit], |_, _, _| ())
}

fn keyed<A: Tested + Debug>(seed: u64) -> Result<Tally, String> {
    let mut random = Random::new(!seed);
    let limits: Vec<A> = (0..=CHANGES).map(|_| A::random(&mut random)).collect();
    let limiter = KeyedLimiter::builder_of(limits[0]).capacity(8).clock(ManualClock::new()).build();
    let cells = [const { OnceCell::new() }; CHANGES + 1];
    let mut subject = Keyed::new(&cells, limiter.expect("eight keys fit"), KEYS);
    let compared = run::<A>(seed, KEYS).compare(&mut subject, &limits, Changing::change);
    assert_eq!(subject.newest().evictions(), 0, "seed {seed}");
    compared
}

/// Asserts that all runs agree, and that the agreement means something: every answer and every operation came up often.
fn assert_agree<A: Tested>(seed: u64, way: impl Fn(u64) -> Result<Tally, String>) -> Tally {
    let operations = if std::env::var_os("RATE_LONG").is_some() { OPERATIONS * LONG } else { OPERATIONS };
    let mut tally = Tally::default();
    for seed in seed.. {
        tally.add(way(seed).unwrap_or_else(|difference| panic!("{difference}")));
        if tally.operations >= operations {
            break;
        }
    }
    let often = OPERATIONS / 20;
    assert!(tally.allowed.min(tally.denied).min(tally.never).min(tally.late) > often, "{tally:?}");
    assert!(tally.penalized > OPERATIONS / 100, "{tally:?}");
    let Abilities { refund, reserve, debit } = A::ABILITIES;
    assert!(!refund || tally.refunded > OPERATIONS / 100, "{tally:?}");
    assert!(!reserve || tally.reserved > OPERATIONS / 50 && tally.cancelled > 200, "{tally:?}");
    assert!(!debit || tally.debited > OPERATIONS / 50, "{tally:?}");
    tally
}

macro_rules! agree {
    ($($name:ident $algorithm:ident)*) => {$(
        mod $name {
            use super::*;

            #[test]
            fn the_algorithm_answers_as_its_model_does() {
                assert_agree::<$algorithm>(1_000_000, pure::<$algorithm>);
            }

            #[test]
            fn a_limiter_answers_as_its_model_does() {
                assert_agree::<$algorithm>(2_000_000, one::<$algorithm>);
            }

            #[test]
            fn a_keyed_limiter_answers_as_its_model_does() {
                let tally = assert_agree::<$algorithm>(3_000_000, keyed::<$algorithm>);
                assert!(tally.changed > OPERATIONS / 200, "{tally:?}");
            }
        }
    )*};
}

agree! {
    gcra Gcra
    leaky_bucket LeakyBucket
    fixed_window FixedWindow
    calendar_window CalendarWindow
    sliding_window SlidingWindow
    sliding_log SlidingLog
    any_to_any AnyAlgorithm
}
