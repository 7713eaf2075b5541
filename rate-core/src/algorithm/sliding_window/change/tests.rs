use super::*;
use crate::algorithm::Algorithm;
use crate::algorithm::gcra::LONGEST;

fn window(limit: u64, period: u64) -> SlidingWindow {
    SlidingWindow::from_ticks(limit, period).expect("a quota")
}

/// Every state that a key can be in a window, and tick at which that may be asked for.
fn states(window: SlidingWindow) -> impl Iterator<Item = (Counts, u64)> {
    let counts = 0..=window.limit() as u32 + 1;
    let both =
        counts.clone().flat_map(move |previous| counts.clone().map(move |current| (previous, current)));
    both.flat_map(move |(previous, current)| {
        (0..6 * window.period()).map(move |at| (Counts::new(2, previous, current), at))
    })
}

/// What counts at a tick, in parts of a unit of which it has as many as the period ticks: more than all of it, too.
fn used(window: SlidingWindow, state: Counts, at: u64) -> u64 {
    let (counts, gone) = window.current(state, at);
    let limit = i128::from(window.limit() * window.period());
    u64::try_from(limit - window.free(counts, gone)).expect("not less than nothing")
}

#[test]
fn what_falls_is_no_less_than_what_counts_and_over_when_that_is() {
    let mut exact = 0;
    for window in [window(1, 1), window(3, 4), window(5, 12), window(4, 7)] {
        let (limit, period) = (window.limit(), window.period());
        for (state, at) in states(window) {
            let (units, span) = window.falling(state, at);
            let until = window.fresh_from(state);
            if until <= at {
                continue;
            }
            assert!(units <= limit);
            for tick in at..until {
                let counts = used(window, state, tick).min(limit * period);
                // Of `units` so many in the last ticks.
                let (falling, ticks) = (units * period * (until - tick).min(span.max(1)), span.max(1));
                assert!(falling >= counts * ticks, "{units} in {span} of {state:?} from {at} on, at {tick}");
                exact += u64::from(falling == counts * ticks);
            }
            if window.current(state, at).0.current > 0 {
                assert_eq!(
                    units,
                    used(window, state, at).min(limit * period).div_ceil(period),
                    "no more than there is"
                );
            }
        }
    }
    assert!(exact > 1_000, "{exact}");
}

#[test]
fn one_line_over_two_windows_is_as_low_as_it_can_be() {
    let window = window(10, 100);
    let falling = |previous, current, at| window.falling(Counts::new(2, previous, current), at);
    // Seven until five of them are left at the end of the window, and those in the next.
    assert_eq!(falling(2, 5, 200), (7, 140));
    assert_eq!(falling(2, 5, 250), (6, 120));
    // The one before fades faster than this one will.
    assert_eq!(falling(9, 1, 200), (10, 200));
    assert_eq!(falling(9, 1, 220), (9, 180));
    // Fifteen of ten; and as many to a request that is late.
    assert_eq!([150, 200].map(|at| falling(10, 5, at)), [(10, 133); 2]);
}

#[test]
fn one_window_alone_fades_exactly() {
    for window in [window(1, 1), window(3, 4), window(5, 12), window(4, 7)] {
        let (limit, period) = (window.limit(), window.period());
        for (state, at) in states(window).filter(|(state, _)| state.previous() == 0 && state.current() > 0) {
            let (units, span) = window.falling(state, at);
            let until = window.fresh_from(state);
            for tick in at..until {
                let counts = used(window, state, tick).min(limit * period);
                assert_eq!(
                    units * period * (until - tick).min(span),
                    counts * span,
                    "{state:?} from {at} on, at {tick}"
                );
            }
        }
    }
}

#[test]
fn what_falls_past_the_end_of_time_stays() {
    let window = window(5, u64::MAX / 4);
    let state =
        |number, previous, current| window.falling(Counts::new(number, previous, current), u64::MAX - 9);
    assert_eq!(state(2, 1, 2), (2, window.period()));
    assert_eq!(state(4, 0, 3), (3, 0));
    assert_eq!(state(4, 4, 1), (5, 0));
    assert_eq!(state(4, 4, 0), (4, window.period()));
    // As long as there is time, and counts, it is counted.
    let longest = SlidingWindow::from_ticks(u64::from(u32::MAX) - 1, LONGEST).expect("a quota");
    assert_eq!(longest.falling(Counts::new(0, u32::MAX - 1, 1), 1), (u64::from(u32::MAX) - 1, 0));
    assert_eq!(longest.falling(Counts::new(0, 7, 0), u64::MAX / 2), (7, LONGEST));
}

#[test]
fn units_that_are_kept_count_and_fade_with_the_window_before_if_they_may() {
    let (mut before, mut now) = (0, 0);
    for window in [window(1, 1), window(3, 4), window(5, 12)] {
        let (limit, period) = (window.limit(), window.period());
        let asked = || (0..=limit).flat_map(|units| (0..3 * period).map(move |until| (units, until)));
        for (state, at) in states(window).filter(|(_, at)| (2 * period..3 * period).contains(at)) {
            assert_eq!(window.kept(state, at, 0, None), state, "nothing is written down for nothing");
            let has = |state, tick| used(window, state, tick);
            for units in 1..=limit {
                let kept = window.kept(state, at, units, None);
                assert_eq!(u64::from(kept.current()), units.max(state.current().into()));
                assert_eq!((kept.window(), kept.previous()), (2, state.previous()));
            }
            for (units, ticks) in asked() {
                let until = at + ticks;
                let kept = window.kept(state, at, units, Some((until, u64::MAX)));
                assert!(
                    (at..at + 4 * period).all(|tick| has(kept, tick) >= has(state, tick)),
                    "nor is any lost"
                );
                // A line from so many to none, as far as the window reaches.
                for tick in at..until.min(3 * period) {
                    assert!(
                        has(kept, tick) * ticks >= units * period * (until - tick),
                        "{units} until {until} of {state:?} at {at}: {kept:?}, at {tick}"
                    );
                }
                if kept.current() == state.current() {
                    before += u64::from(kept != state);
                } else {
                    now += 1;
                    assert!(until > 3 * period || units * period > limit * (3 * period - at));
                }
            }
        }
    }
    assert!(before > 1_000 && now > 1_000, "{before} in the window before, {now} in this one");
}

#[test]
fn the_rest_of_a_window_is_the_window_it_was() {
    let window = window(10, 12);
    let mut more = 0;
    for gone in 0..12_u64 {
        let units = (7 * (12 - gone)).div_ceil(12);
        let kept = |of| window.kept(Counts::default(), 12 + gone, units, Some((24, of)));
        assert_eq!(kept(7), Counts::new(1, 7, 0));
        more += u64::from(kept(u64::MAX).previous() > 7);
    }
    assert!(more > 3, "{more} would be more: of a rest of four of seven, rounded up, eight");
}
