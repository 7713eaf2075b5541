//! The algorithms, each in several sizes.

use std::sync::LazyLock;

use super::super::relative::Relative;
use super::super::search::{Moves, checks, debits, late_checks, penalties, reservations};
use super::subject::Subject;
use crate::algorithm::{
    AnyAlgorithm, Calendar, CalendarWindow, FixedWindow, Gcra, LeakyBucket, SlidingLog, SlidingWindow,
};

/// Ticks in a second.
const NANOS: u64 = 1_000_000_000;
const MICROS: u64 = 1_000_000;

/// Limit, period and burst: fractions of a tick, several units in one, and the shortest there are.
const SMALL: [(u64, u64, u64); 7] =
    [(1, 1, 1), (1, 3, 2), (2, 3, 1), (2, 3, 3), (3, 2, 2), (2, 5, 2), (3, 4, 4)];

const USUAL: [(u64, u64, u64); 6] = [
    (10, NANOS, 20),
    (7, NANOS, 3),
    (1_000, 86_400 * NANOS, 1_000),
    (7, MICROS, 1),
    (999_983, MICROS, 100),
    (60, 60 * MICROS, 60),
];

/// Of windows, which have no burst.
const SMALL_WINDOWS: [(u64, u64); 6] = [(1, 1), (2, 1), (1, 3), (3, 2), (2, 5), (3, 4)];

const USUAL_WINDOWS: [(u64, u64); 4] = [(10, NANOS), (7, NANOS), (7, MICROS), (100, 60 * MICROS)];

fn of_gcra((limit, period, burst): (u64, u64, u64)) -> Gcra {
    Gcra::from_ticks(limit, period, burst).expect("a quota")
}

fn of_leaky_bucket((limit, period, queue): (u64, u64, u64)) -> LeakyBucket {
    LeakyBucket::from_ticks(limit, period, queue).expect("a quota")
}

fn of_fixed_window((limit, period): (u64, u64)) -> FixedWindow {
    FixedWindow::from_ticks(limit, period).expect("a quota").anchored(1)
}

fn of_sliding_window((limit, period): (u64, u64)) -> SlidingWindow {
    SlidingWindow::from_ticks(limit, period).expect("a quota")
}

fn of_sliding_log((limit, period): (u64, u64)) -> SlidingLog {
    SlidingLog::from_ticks(limit, period).expect("a quota")
}

fn of_short_days((limit, day): (u64, u64)) -> CalendarWindow {
    CalendarWindow::of_short_days(limit as u32, Calendar::Day, day)
}

fn usual_calendars() -> [CalendarWindow; 4] {
    let of = |limit, calendar, second| {
        CalendarWindow::from_ticks(limit, calendar, second).expect("a quota").anchored(1_234_567_890 * second)
    };
    [
        of(1_000, Calendar::Day, NANOS),
        of(5, Calendar::Month, NANOS),
        of(10, Calendar::Day, MICROS),
        of(1_000, Calendar::Month, MICROS),
    ]
}

/// All subjects of an algorithm: the small ones in every state that these moves lead to.
fn subjects<A: Relative>(
    small: impl IntoIterator<Item = A>,
    moves: &[Moves<A>],
    usual: impl IntoIterator<Item = A>,
) -> Vec<Subject<A>> {
    let small = small.into_iter().map(|algorithm| Subject::small(algorithm, moves));
    small.chain(usual.into_iter().map(Subject::usual)).collect()
}

// Found once, for many tests.

pub(super) static GCRA: LazyLock<Vec<Subject<Gcra>>> = LazyLock::new(|| {
    let moves: [Moves<_>; 5] = [checks, late_checks, penalties, reservations, debits];
    subjects(SMALL.map(of_gcra), &moves, USUAL.map(of_gcra))
});

pub(super) static LEAKY_BUCKET: LazyLock<Vec<Subject<LeakyBucket>>> = LazyLock::new(|| {
    let moves: [Moves<_>; 4] = [checks, late_checks, penalties, reservations];
    subjects(SMALL.map(of_leaky_bucket), &moves, USUAL.map(of_leaky_bucket))
});

pub(super) static FIXED_WINDOW: LazyLock<Vec<Subject<FixedWindow>>> = LazyLock::new(|| {
    let moves: [Moves<_>; 3] = [checks, late_checks, penalties];
    subjects(SMALL_WINDOWS.map(of_fixed_window), &moves, USUAL_WINDOWS.map(of_fixed_window))
});

pub(super) static CALENDAR_WINDOW: LazyLock<Vec<Subject<CalendarWindow>>> = LazyLock::new(|| {
    let moves: [Moves<_>; 3] = [checks, late_checks, penalties];
    // A day is more than a tick.
    let small = SMALL_WINDOWS.into_iter().filter(|(_, day)| *day > 1).map(of_short_days);
    subjects(small, &moves, usual_calendars())
});

pub(super) static SLIDING_WINDOW: LazyLock<Vec<Subject<SlidingWindow>>> = LazyLock::new(|| {
    let moves: [Moves<_>; 3] = [checks, late_checks, penalties];
    subjects(SMALL_WINDOWS.map(of_sliding_window), &moves, USUAL_WINDOWS.map(of_sliding_window))
});

pub(super) static SLIDING_LOG: LazyLock<Vec<Subject<SlidingLog>>> = LazyLock::new(|| {
    let moves: [Moves<_>; 3] = [checks, late_checks, penalties];
    subjects(SMALL_WINDOWS.map(of_sliding_log), &moves, USUAL_WINDOWS.map(of_sliding_log))
});

pub(super) static ANY: LazyLock<Vec<Subject<AnyAlgorithm>>> = LazyLock::new(|| {
    let moves: [Moves<_>; 3] = [checks, late_checks, penalties];
    let small: [AnyAlgorithm; 6] = [
        of_gcra((2, 3, 3)).into(),
        of_leaky_bucket((2, 3, 3)).into(),
        of_fixed_window((2, 3)).into(),
        of_short_days((2, 3)).into(),
        of_sliding_window((2, 3)).into(),
        of_sliding_log((2, 3)).into(),
    ];
    let usual: [AnyAlgorithm; 6] = [
        of_gcra((7, NANOS, 3)).into(),
        of_leaky_bucket((7, NANOS, 3)).into(),
        of_fixed_window((7, NANOS)).into(),
        usual_calendars()[1].into(),
        of_sliding_window((7, MICROS)).into(),
        of_sliding_log((7, MICROS)).into(),
    ];
    subjects(small, &moves, usual)
});
