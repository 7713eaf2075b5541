use super::*;
use crate::algorithm::NEVER;
use crate::algorithm::gcra::LONGEST;

const SECOND: u64 = 1_000_000_000;

#[test]
fn a_window_cannot_be_made_of_nothing_or_of_more_than_can_be_counted() {
    let field = |limit, period| FixedWindow::from_ticks(limit, period).err().map(|error| error.field());
    assert_eq!(field(1, 1), None);
    assert_eq!(field((1 << 32) - 2, LONGEST), None);
    // A penalty is one more than the limit.
    assert_eq!(field((1 << 32) - 1, LONGEST), Some("limit"));
    assert_eq!(field(0, 1), Some("limit"));
    assert_eq!(field(1 << 32, 1), Some("limit"));
    assert_eq!(field(1 << 33, 1), Some("limit"));
    assert_eq!(field(1, 0), Some("period"));
    assert_eq!(field(1, LONGEST + 1), Some("period"));
    assert_eq!(field(1, u64::MAX), Some("period"));
}

#[test]
fn a_window_has_no_burst_of_its_own() {
    let quota = Quota::per_second(10);
    assert_eq!(FixedWindow::try_new(quota), FixedWindow::from_ticks(10, SECOND));
    for burst in [9, 11] {
        let error = FixedWindow::try_new(quota.burst(burst)).expect_err("a burst");
        assert_eq!(error.field(), "burst");
    }
}

#[test]
fn windows_begin_at_multiples_of_the_period_in_utc() {
    let window = FixedWindow::from_ticks(3, 10).expect("a quota");
    for (utc, end) in [(0, 10), (1, 9), (9, 1), (10, 10), (123, 7), (u64::MAX, 5)] {
        let anchored = window.anchored(utc);
        assert_eq!(anchored.end_of(0), Some(end), "{utc}");
        assert_eq!(anchored.end_of(end - 1), Some(end), "{utc}");
        assert_eq!(anchored.end_of(end), Some(end + 10), "{utc}");
        assert_eq!((anchored.start_of(end), anchored.start_of(end + 10)), (0, end));
    }
    assert_eq!(window.anchored(1).period(), 10);
}

#[test]
fn a_window_that_no_tick_ends_is_never_charged() {
    // Twice 2⁶⁴ and more is divided where the sum of time and phase is more than 64 bits.
    for phase in 0..10 {
        let window = FixedWindow::from_ticks(3, 10).expect("a quota").anchored(phase);
        // Ticks since a window began, at the last one there is.
        let gone = (u128::from(u64::MAX) + u128::from(phase)) % 10;
        let last = u64::MAX - gone as u64;
        assert_eq!(window.end_of(last - 1), Some(last));
        assert_eq!(window.end_of(last), if gone == 9 { None } else { last.checked_add(10) });
        assert_eq!(window.end_of(u64::MAX), None);
        assert_eq!(Algorithm::admit(&window, window.fresh(), u64::MAX, 1), Err(NEVER));

        // Before, windows end, but where none ends after one there is none to wait for.
        let spent = Algorithm::admit(&window, window.fresh(), last - 11, 3).expect("a new key");
        assert_eq!(Algorithm::admit(&window, spent, last - 11, 1), Err(1));
        let spent = Algorithm::admit(&window, window.fresh(), last - 1, 3).expect("a new key");
        assert_eq!(Algorithm::admit(&window, spent, last - 1, 1), Err(NEVER));
    }
}

#[test]
fn a_penalty_ends_with_the_window_of_its_last_tick() {
    let window = FixedWindow::from_ticks(3, 10).expect("a quota");
    for (until, end) in [(1, 10), (9, 10), (10, 10), (11, 20), (20, 20)] {
        assert_eq!(Algorithm::penalized(&window, window.fresh(), 0, until), Count::new(end, 4));
    }
}

#[test]
fn a_penalty_beyond_all_windows_lasts_for_ever() {
    let window = FixedWindow::from_ticks(3, 10).expect("a quota");
    let penalized = Algorithm::penalized(&window, window.fresh(), 0, u64::MAX);
    assert_eq!(penalized, Count::new(u64::MAX, 4));
    assert_eq!(Algorithm::admit(&window, penalized, u64::MAX - 1, 1), Err(NEVER));
}

#[test]
fn staggered_windows_begin_all_over_the_period() {
    let window = FixedWindow::from_ticks(3, 1_000).expect("a quota");
    assert!(!window.is_staggered() && window.staggered().is_staggered());
    assert_eq!(window.staggered().capacity(), 3);
    for (hash, shift) in [(0, 0), (1 << 63, 500), (1 << 62, 250), (u64::MAX, 999)] {
        assert_eq!(window.staggered().shift(hash), shift);
        assert_eq!(window.shift(hash), 0);
    }
}

#[test]
fn a_window_of_centuries_that_is_shifted_ends_before_time_does() {
    // The time of a key that was shifted by most of a window ended as much early, and nothing was admitted from then on.
    const YEARS: u64 = 366 * 86_400 * SECOND;
    for period in [1, SECOND, 100 * YEARS, 286 * YEARS, 290 * YEARS, 400 * YEARS, LONGEST - 1, LONGEST] {
        let window = FixedWindow::from_ticks(1, period).expect("a quota").staggered();
        assert!(window.is_staggered());
        for hash in [0, 1 << 63, u64::MAX] {
            let shift = window.shift(hash);
            assert!(shift < period);
            let own = (10 * YEARS).saturating_add(shift);
            assert!(Algorithm::admit(&window, window.fresh(), own, 1).is_ok(), "{window:?} by {shift}");
        }
        assert_eq!(window.shift(1 << 63) > 0, period > 1 && period < LONGEST, "{window:?}");
    }
}

#[test]
fn a_refund_stays_within_the_window() {
    let window = FixedWindow::from_ticks(5, 10).expect("a quota").anchored(3);
    let spent = Algorithm::admit(&window, window.fresh(), 8, 5).expect("a new key");
    let refund = |at, now| Refund::refund(&window, spent, Charged { units: 2, at }, now);
    assert_eq!(refund(6, 8), (spent, 0));
    assert_eq!(refund(7, 8), (Count::new(17, 3), 2));
    assert_eq!(refund(8, 16), (Count::new(17, 3), 2));
    assert_eq!(refund(8, 17), (spent, 0));
}

#[test]
fn the_key_that_has_taken_most_is_kept_longest() {
    let window = FixedWindow::from_ticks(5, 10).expect("a quota");
    let strength = |used, now| window.strength(window.pack(Count::new(10, used)), now);
    assert!(strength(3, 0) > strength(2, 0) && strength(2, 9) > strength(5, 10));
    assert_eq!(strength(5, 10), strength(0, 0));
}

#[test]
fn a_penalty_can_be_told_from_what_was_taken() {
    let window = FixedWindow::from_ticks(3, 10).expect("a quota");
    let spent = Algorithm::admit(&window, window.fresh(), 12, 3).expect("a fresh key");
    let word = |state| Packed::pack(&window, state);
    assert!([0, 12, 19, 20].iter().all(|at| !window.is_penalized(word(spent), *at)));
    let penalized = word(Algorithm::penalized(&window, spent, 12, 13));
    assert_eq!([0, 12, 19, 20].map(|at| window.is_penalized(penalized, at)), [true, true, true, false]);
}

#[test]
fn a_window_that_was_carried_over_is_the_last_only_if_none_ends_after_it() {
    let window = FixedWindow::from_ticks(3, 10).expect("a quota");
    // The last tick is 18446744073709551615: the window from ..1600 on ends at ..1610, and none after that.
    let last = u64::MAX - 5;
    assert_eq!((window.end_of(last - 1), window.end_of(last)), (Some(last), None));
    // In the middle of a window, so that a whole period after it would be past the end of time.
    assert!([last - 11, last - 10, last - 3, last - 1].iter().all(|end| !Windows::is_last(&window, *end)));
    assert!(Windows::is_last(&window, last));
}

#[test]
fn windows_are_the_same_whatever_fits_into_them() {
    let of = |limit, period| FixedWindow::from_ticks(limit, period).expect("a quota");
    let window = of(3, 10);
    assert!(window.has_windows_of(&of(7, 10)) && window.has_windows_of(&window.anchored(20)));
    for other in [of(3, 11), window.staggered(), window.anchored(5)] {
        assert!(!window.has_windows_of(&other) && !other.has_windows_of(&window), "{other:?}");
    }
}
