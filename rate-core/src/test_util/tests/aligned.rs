//! Windows that do not begin when the clock does.

use core::cell::OnceCell;
use core::time::Duration;

use super::difference::{Instants, Run};
use super::subject::{Keyed, One};
use super::tested::Tested;
use crate::algorithm::{Algorithm, AnyAlgorithm, Calendar, CalendarWindow, FixedWindow};
use crate::test_util::model::{AnyModel, Windows};
use crate::test_util::random::Random;
use crate::{Clock, KeyedLimiter, Limiter, Timestamp};

/// A clock whose first instant lies so long after the beginning of 1970.
#[derive(Debug)]
struct Since(Duration);

impl Clock for Since {
    fn now(&self) -> Timestamp {
        Timestamp::ZERO
    }

    fn utc_at_zero(&self) -> Duration {
        self.0
    }
}

const KEYS: usize = 3;

fn run(seed: u64, model: &dyn Fn(AnyAlgorithm, usize) -> AnyModel) -> Run<'_> {
    Run {
        seed,
        steps: 300,
        keys: KEYS,
        abilities: FixedWindow::ABILITIES,
        instants: Instants::All,
        operation: None,
        same: PartialEq::eq,
        model,
    }
}

fn windows(limit: AnyAlgorithm) -> Windows {
    match limit {
        AnyAlgorithm::CalendarWindow(window) => Windows::calendar(window.capacity(), window.calendar()),
        limit => Windows::fixed(limit.quota()),
    }
}

/// With an origin of each size, and that of this century.
fn assert_begin_with_utc<A: Tested + core::fmt::Debug>(seeds: core::ops::Range<u64>) {
    for seed in seeds {
        let mut random = Random::new(!seed);
        let limit = A::random(&mut random);
        let utc = match random.below(4) {
            0 => Duration::from_nanos(random.bits()),
            1 => Duration::MAX,
            2 => Duration::from_nanos(random.magnitude(u64::MAX)),
            _ => Duration::from_secs(1_700_000_000 + random.below(1_000_000_000)),
        };
        let model = |limit, _| AnyModel::Windows(windows(limit).begun_before(utc));
        let limiter = Limiter::of_with_clock(limit, Since(utc));
        let compared =
            Run { keys: 1, ..run(seed, &model) }.compare(&mut One::new(&limiter), &[limit], |_, _, _| ());
        compared.unwrap_or_else(|difference| panic!("{utc:?}: {difference}"));

        let limiter =
            KeyedLimiter::builder_of(limit).capacity(8).clock(Since(utc)).build().expect("eight fit");
        let cells = [const { OnceCell::new() }; 1];
        let compared =
            run(seed, &model).compare(&mut Keyed::new(&cells, limiter, KEYS), &[limit], |_, _, _| ());
        compared.unwrap_or_else(|difference| panic!("{utc:?}: {difference}"));
    }
}

#[test]
fn fixed_windows_begin_with_utc() {
    assert_begin_with_utc::<FixedWindow>(0..250);
}

#[test]
fn calendar_windows_begin_with_utc() {
    assert_begin_with_utc::<CalendarWindow>(500..750);
}

#[test]
fn staggered_windows_differ_by_key_and_in_nothing_else() {
    let mut shifted = 0;
    for seed in 1_000..1_300 {
        let limit = FixedWindow::random(&mut Random::new(!seed)).staggered();
        let period = AnyAlgorithm::from(limit).quota().period();
        if period > Duration::from_secs(80 * 365 * 86_400) {
            // The time of such a key ends earlier, and a run may end up to three periods after the year 2116.
            continue;
        }
        let limiter = KeyedLimiter::builder_of(limit).capacity(8).clock(Since(Duration::ZERO)).build();
        let limiter = limiter.expect("eight keys fit");
        // At the first instant a key is told how much of its window is left.
        let shifts: Vec<Duration> = (0..KEYS)
            .map(|key| {
                assert!(limiter.check_at(&key, Timestamp::ZERO).is_allowed());
                period - limiter.peek_at(&key, Timestamp::ZERO).reset_after()
            })
            .collect();
        assert!(shifts.iter().all(|shift| *shift < period));
        shifted += usize::from(period > Duration::from_secs(1) && shifts[0] != shifts[1]);
        limiter.clear();

        let model = |limit, key: usize| AnyModel::Windows(windows(limit).begun_before(shifts[key]));
        let run = Run { instants: Instants::Early, ..run(seed, &model) };
        let cells = [const { OnceCell::new() }; 1];
        let compared = run.compare(&mut Keyed::new(&cells, limiter, KEYS), &[limit], |_, _, _| ());
        compared.unwrap_or_else(|difference| panic!("{shifts:?}: {difference}"));
    }
    assert!(shifted > 50, "only {shifted} limits had keys that differed");
}

#[test]
fn a_calendar_counts_days_of_any_number_of_ticks() {
    // A microsecond, at a store; and the shortest and longest ticks there can be.
    for second in [1, 1_000_000, u64::MAX / (31 * 86_400)] {
        for calendar in [Calendar::Day, Calendar::Month] {
            let window = CalendarWindow::from_ticks(7, calendar, second).expect("a month of these fits");
            let model = |_, _| AnyModel::Windows(Windows::calendar_of_ticks(7, calendar, second));
            for seed in 2_000..2_050 {
                let mut subject = super::subject::Pure::new(window, KEYS);
                let compared = run(seed, &model).compare(&mut subject, &[window], |_, _, _| ());
                compared.unwrap_or_else(|difference| panic!("{second} ticks a second: {difference}"));
            }
        }
    }
}
