//! What each algorithm can do, and limits for it that are awkward.

use core::time::Duration;

use super::operation::Abilities;
use crate::algorithm::{
    AnyAlgorithm, Calendar, CalendarWindow, Charged, Debit, FixedWindow, Gcra, LeakyBucket, Refund, Reserve,
    SlidingLog, SlidingWindow,
};
use crate::kept::Kept;
use crate::test_util::random::Random;
use crate::{Denied, KeyedLimiter, Limiter, Reservation, Timestamp};

/// An algorithm with all operations in one trait, of which only those are called that it has.
pub(super) trait Tested: Kept {
    const ABILITIES: Abilities;

    /// A limit that is awkward in some way: tiny and crowded, of primes, or at the ends of what can be written down.
    fn random(random: &mut Random) -> Self;

    fn refunded(&self, _: Self::State, _: Charged, _now: u64) -> (Self::State, u64) {
        unreachable!()
    }

    fn refund_one(_: &Limiter<Self>, _units: u64, _charged: Timestamp, _now: Timestamp) -> u64 {
        unreachable!()
    }

    fn refund_keyed(
        _: &KeyedLimiter<Self>,
        _key: &usize,
        _units: u64,
        _charged: Timestamp,
        _now: Timestamp,
    ) -> u64 {
        unreachable!()
    }

    fn reserved(
        &self,
        _: Self::State,
        _now: u64,
        _cost: u64,
        _max_wait: u64,
    ) -> Result<(Self::State, u64), u64> {
        unreachable!()
    }

    fn cancelled(&self, _: Self::State, _after: Self::State, _: Charged, _now: u64) -> (Self::State, u64) {
        unreachable!()
    }

    fn reserve_one(
        _: &Limiter<Self>,
        _cost: u64,
        _max_wait: Duration,
        _now: Timestamp,
    ) -> Result<Reservation<'_>, Denied> {
        unreachable!()
    }

    fn reserve_keyed<'a>(
        _: &'a KeyedLimiter<Self>,
        _key: &usize,
        _cost: u64,
        _max_wait: Duration,
        _now: Timestamp,
    ) -> Result<Reservation<'a>, Denied> {
        unreachable!()
    }

    fn debited(&self, _: Self::State, _now: u64, _units: u64, _max_debt: u64) -> (Self::State, u64) {
        unreachable!()
    }

    fn debit_one(_: &Limiter<Self>, _units: u64, _max_debt: u64, _now: Timestamp) -> u64 {
        unreachable!()
    }

    fn debit_keyed(_: &KeyedLimiter<Self>, _: &usize, _units: u64, _max_debt: u64, _now: Timestamp) -> u64 {
        unreachable!()
    }
}

macro_rules! refunds {
    () => {
        fn refunded(&self, state: Self::State, charge: Charged, now: u64) -> (Self::State, u64) {
            self.refund(state, charge, now)
        }

        fn refund_one(limiter: &Limiter<Self>, units: u64, charged: Timestamp, now: Timestamp) -> u64 {
            limiter.refund_at(units, charged, now)
        }

        fn refund_keyed(
            limiter: &KeyedLimiter<Self>,
            key: &usize,
            units: u64,
            charged: Timestamp,
            now: Timestamp,
        ) -> u64 {
            limiter.refund_at(key, units, charged, now)
        }
    };
}

macro_rules! reserves {
    () => {
        fn reserved(
            &self,
            state: Self::State,
            now: u64,
            cost: u64,
            max_wait: u64,
        ) -> Result<(Self::State, u64), u64> {
            self.reserve(state, now, cost, max_wait)
        }

        fn cancelled(
            &self,
            state: Self::State,
            after: Self::State,
            charge: Charged,
            now: u64,
        ) -> (Self::State, u64) {
            self.cancel(state, after, charge, now)
        }

        fn reserve_one(
            limiter: &Limiter<Self>,
            cost: u64,
            max_wait: Duration,
            now: Timestamp,
        ) -> Result<Reservation<'_>, Denied> {
            limiter.reserve_at(cost, max_wait, now)
        }

        fn reserve_keyed<'a>(
            limiter: &'a KeyedLimiter<Self>,
            key: &usize,
            cost: u64,
            max_wait: Duration,
            now: Timestamp,
        ) -> Result<Reservation<'a>, Denied> {
            limiter.reserve_at(key, cost, max_wait, now)
        }
    };
}

macro_rules! debits {
    () => {
        fn debited(&self, state: Self::State, now: u64, units: u64, max_debt: u64) -> (Self::State, u64) {
            self.debit(state, now, units, max_debt)
        }

        fn debit_one(limiter: &Limiter<Self>, units: u64, max_debt: u64, now: Timestamp) -> u64 {
            limiter.debit_at(units, max_debt, now)
        }

        fn debit_keyed(
            limiter: &KeyedLimiter<Self>,
            key: &usize,
            units: u64,
            max_debt: u64,
            now: Timestamp,
        ) -> u64 {
            limiter.debit_at(key, units, max_debt, now)
        }
    };
}

const NONE: Abilities = Abilities { refund: false, reserve: false, debit: false };

impl Tested for Gcra {
    const ABILITIES: Abilities = Abilities { refund: true, reserve: true, debit: true };

    fn random(random: &mut Random) -> Self {
        until(random, |random| {
            let (limit, period, burst) = bucket(random);
            Self::from_ticks(limit, period, burst).ok()
        })
    }

    refunds!();
    reserves!();
    debits!();
}

impl Tested for LeakyBucket {
    const ABILITIES: Abilities = Abilities { reserve: true, ..NONE };

    fn random(random: &mut Random) -> Self {
        until(random, |random| {
            let (limit, period, burst) = bucket(random);
            Self::from_ticks(limit, period, burst).ok()
        })
    }

    reserves!();
}

impl Tested for FixedWindow {
    const ABILITIES: Abilities = Abilities { refund: true, ..NONE };

    fn random(random: &mut Random) -> Self {
        until(random, |random| Self::from_ticks(limit(random, (1 << 32) - 2), period(random)).ok())
    }

    refunds!();
}

impl Tested for CalendarWindow {
    const ABILITIES: Abilities = Abilities { refund: true, ..NONE };

    fn random(random: &mut Random) -> Self {
        let calendar = random.one_of(&[Calendar::Day, Calendar::Month]);
        until(random, |random| Self::try_new(limit(random, (1 << 32) - 2), calendar).ok())
    }

    refunds!();
}

impl Tested for SlidingWindow {
    const ABILITIES: Abilities = Abilities { refund: true, ..NONE };

    fn random(random: &mut Random) -> Self {
        until(random, |random| Self::from_ticks(limit(random, (1 << 32) - 2), period(random)).ok())
    }

    refunds!();
}

impl Tested for SlidingLog {
    const ABILITIES: Abilities = Abilities { refund: true, ..NONE };

    fn random(random: &mut Random) -> Self {
        let most = if random.below(16) == 0 { 1_000 } else { 30 };
        until(random, |random| Self::from_ticks(limit(random, most), period(random)).ok())
    }

    refunds!();
}

impl Tested for AnyAlgorithm {
    const ABILITIES: Abilities = NONE;

    fn random(random: &mut Random) -> Self {
        match random.below(6) {
            0 => Gcra::random(random).into(),
            1 => LeakyBucket::random(random).into(),
            2 => FixedWindow::random(random).into(),
            3 => CalendarWindow::random(random).into(),
            4 => SlidingWindow::random(random).into(),
            _ => SlidingLog::random(random).into(),
        }
    }
}

fn until<T>(random: &mut Random, mut draw: impl FnMut(&mut Random) -> Option<T>) -> T {
    loop {
        if let Some(drawn) = draw(random) {
            return drawn;
        }
    }
}

fn limit(random: &mut Random, most: u64) -> u64 {
    match random.below(4) {
        0 | 1 => 1 + random.below(5),
        2 => 1 + random.below(most.min(30)),
        _ => random.magnitude(most),
    }
}

const SECOND: u64 = 1_000_000_000;

fn period(random: &mut Random) -> u64 {
    const YEAR: u64 = 365 * 86_400 * SECOND;
    match random.below(4) {
        0 | 1 => 1 + random.below(12),
        2 => random.one_of(&[
            1_000,
            1_000_003,
            SECOND,
            60 * SECOND,
            86_400 * SECOND,
            100 * YEAR,
            // The longest there can be.
            u64::MAX - 10 * 366 * 86_400 * SECOND,
        ]),
        _ => random.magnitude(u64::MAX),
    }
}

/// Limit, period and burst.
fn bucket(random: &mut Random) -> (u64, u64, u64) {
    match random.below(4) {
        0 | 1 => (1 + random.below(5), 1 + random.below(12), 1 + random.below(5)),
        2 => random.one_of(&[
            (7, SECOND, 7),
            (7, SECOND, 1),
            (999_983, SECOND, 999_983),
            (999_983, SECOND, 1),
            (3, 86_400 * SECOND, 3),
            (3, 86_400 * SECOND, 1),
            (700_000_000, SECOND, 5),
            (1_000_000_007, SECOND, 1_000),
            (10, SECOND, 20),
            (1, 3_600 * SECOND, 1_000_000),
            (3_000_000_019, SECOND, 1_000_000),
            (1 << 32, (1 << 32) + 1, 5),
            (3, 1, 2),
            (u64::MAX, (1 << 32) + 1, 1 << 40),
        ]),
        _ => (random.magnitude(1 << 33), period(random), random.magnitude(1_000_000)),
    }
}
