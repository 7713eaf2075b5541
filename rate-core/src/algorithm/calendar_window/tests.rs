use super::*;
use crate::algorithm::NEVER;

const NANOS: u64 = 1_000_000_000;
const NIGHT: u64 = 86_400 * NANOS;

/// Days from the beginning of 1970 to the first of each month of 2024, and of January 2025.
const MONTHS_OF_2024: [u64; 13] =
    [19_723, 19_754, 19_783, 19_814, 19_844, 19_875, 19_905, 19_936, 19_967, 19_997, 20_028, 20_058, 20_089];

#[test]
fn a_window_cannot_be_made_of_nothing_or_of_more_than_can_be_counted() {
    let field = |limit, second| {
        CalendarWindow::from_ticks(limit, Calendar::Month, second).err().map(|error| error.field())
    };
    assert_eq!(field(1, 1), None);
    assert_eq!(field((1 << 32) - 2, NANOS), None);
    assert_eq!(field(0, NANOS), Some("limit"));
    // A penalty is one more than the limit.
    assert_eq!(field((1 << 32) - 1, NANOS), Some("limit"));
    assert_eq!(field(u64::MAX, NANOS), Some("limit"));
    assert_eq!(field(1, 0), Some("period"));
    // A month of 31 days has to fit 64 bits.
    let longest = u64::MAX / (31 * 86_400);
    assert_eq!(field(1, longest), None);
    assert_eq!(field(1, longest + 1), Some("period"));
    assert_eq!(field(1, u64::MAX), Some("period"));
    for limit in [0, (1 << 32) - 1] {
        assert!(CalendarWindow::try_new(limit, Calendar::Day).is_err());
    }
}

#[test]
fn days_and_months_are_what_they_are_called() {
    let (day, month) = (CalendarWindow::day(5), CalendarWindow::month(7));
    assert_eq!((day.calendar(), month.calendar()), (Calendar::Day, Calendar::Month));
    assert_eq!((day.capacity(), month.capacity()), (5, 7));
    assert_eq!(Algorithm::bounds(&day), Bounds::new(10, NIGHT));
    assert_eq!(Algorithm::bounds(&month), Bounds::new(14, 28 * NIGHT));
    assert_eq!(CalendarWindow::from_ticks(5, Calendar::Day, NANOS), Ok(day));
}

#[test]
#[should_panic(expected = "limit must be at least 1 unit")]
fn a_limit_of_nothing_panics() {
    let _ = CalendarWindow::day(0);
}

#[test]
fn a_window_ends_at_midnight_or_with_the_month() {
    let origin = MONTHS_OF_2024[0] * NIGHT + 3 * NIGHT / 4;
    let (day, month) = (CalendarWindow::day(1).anchored(origin), CalendarWindow::month(1).anchored(origin));
    // Tick 0 is six hours before the end of the first of January.
    assert_eq!((day.start_of(NIGHT / 4), day.end_of(0)), (0, Some(NIGHT / 4)));
    for now in [NIGHT / 4, NIGHT / 2, NIGHT / 4 + NIGHT - 1] {
        assert_eq!(day.end_of(now), Some(NIGHT / 4 + NIGHT));
    }
    assert_eq!(day.start_of(NIGHT / 4 + NIGHT), NIGHT / 4);
    for months in MONTHS_OF_2024.windows(2) {
        let [first, next] = [months[0], months[1]].map(|day| (day * NIGHT).saturating_sub(origin));
        for now in [first, first + 1, next - NIGHT, next - 1] {
            assert_eq!(month.end_of(now), Some(next));
        }
        assert_eq!(month.start_of(next), first);
    }
    // Nothing ends with tick 0.
    assert_eq!((day.start_of(0), month.start_of(0)), (0, 0));
}

#[test]
fn a_month_that_no_tick_ends_is_never_charged() {
    for origin in [0, 12_345, u64::MAX] {
        for window in [CalendarWindow::day(3), CalendarWindow::month(3)] {
            let window = window.anchored(origin);
            assert_eq!(window.end_of(u64::MAX), None);
            assert_eq!(Algorithm::admit(&window, window.fresh(), u64::MAX, 1), Err(NEVER));
            // The last one that ends: what does not fit waits for no other.
            let last = window.start_of(u64::MAX);
            let now = if window.is_last(last) { last - 1 } else { last };
            let end = window.end_of(now).expect("a window before the last");
            if window.is_last(end) {
                let spent = Algorithm::admit(&window, window.fresh(), now, 3).expect("a new key");
                assert_eq!(Algorithm::admit(&window, spent, now, 1), Err(NEVER));
            }
        }
    }
}

#[test]
fn a_refund_stays_within_the_month() {
    let window = CalendarWindow::month(5);
    let february = 31 * NIGHT;
    let spent = Algorithm::admit(&window, window.fresh(), february, 5).expect("a new key");
    let refund = |at, now| Refund::refund(&window, spent, Charged { units: 2, at }, now);
    assert_eq!(refund(february - 1, february), (spent, 0));
    assert_eq!(refund(february, february), (Count::new(february + 28 * NIGHT, 3), 2));
    assert_eq!(refund(february, february + 28 * NIGHT - 1).1, 2);
    assert_eq!(refund(february, february + 28 * NIGHT), (spent, 0));
}

#[test]
fn the_key_that_has_taken_most_is_kept_longest() {
    let window = CalendarWindow::day(5);
    let strength = |used, now| window.strength(window.pack(Count::new(NIGHT, used)), now);
    assert!(strength(3, 0) > strength(1, 0) && strength(1, NIGHT - 1) > strength(5, NIGHT));
    assert_eq!(strength(5, NIGHT), strength(0, 0));
}

#[test]
fn a_penalty_can_be_told_from_what_was_taken() {
    let window = CalendarWindow::of_short_days(3, Calendar::Day, 10);
    let spent = Algorithm::admit(&window, window.fresh(), 12, 3).expect("a fresh key");
    let word = |state| Packed::pack(&window, state);
    assert!([0, 12, 19, 20].iter().all(|at| !window.is_penalized(word(spent), *at)));
    let penalized = word(Algorithm::penalized(&window, spent, 12, 13));
    assert_eq!([0, 12, 19, 20].map(|at| window.is_penalized(penalized, at)), [true, true, true, false]);
}

#[test]
fn a_window_is_the_last_only_if_none_ends_after_it() {
    let days = CalendarWindow::try_new(3, Calendar::Day).expect("a limit");
    let months = CalendarWindow::try_new(3, Calendar::Month).expect("a limit");
    let last = u64::MAX - u64::MAX % NIGHT;
    assert_eq!((days.end_of(last - 1), days.end_of(last)), (Some(last), None));
    assert_eq!(
        [0, 1, 2, 30, 31].map(|ago| days.is_last(last - ago * NIGHT)),
        [true, false, false, false, false]
    );
    // Time ends in July 2554: June does, and July does not.
    let june = (0..60).map(|ago| last - ago * NIGHT).find(|end| months.end_of(end - 1) == Some(*end));
    let june = june.expect("a month ends within sixty days");
    assert_eq!((months.is_last(june), months.is_last(june - 1)), (true, false));
}

#[test]
fn windows_are_the_same_whatever_fits_into_them() {
    let of = |limit, calendar, second| CalendarWindow::from_ticks(limit, calendar, second).expect("a limit");
    let day = of(3, Calendar::Day, 10);
    assert!(day.has_windows_of(&of(7, Calendar::Day, 10)) && day.has_windows_of(&day.anchored(0)));
    for other in [of(3, Calendar::Month, 10), of(3, Calendar::Day, 11), day.anchored(5)] {
        assert!(!day.has_windows_of(&other) && !other.has_windows_of(&day), "{other:?}");
    }
}

#[test]
fn no_window_is_longer_than_the_longest() {
    for calendar in [Calendar::Day, Calendar::Month] {
        let windows = CalendarWindow::of_short_days(3, calendar, 3);
        let lengths = (1..60_000).filter_map(|day| {
            let end = windows.end_of(day)?;
            Some(end - windows.start_of(end))
        });
        assert_eq!(lengths.max(), Some(windows.longest()));
    }
}
