use super::*;
use crate::algorithm::Behind;
use crate::algorithm::gcra::LONGEST;

const SECOND: u64 = 1_000_000_000;

fn window(limit: u64, period: u64) -> SlidingWindow {
    SlidingWindow::from_ticks(limit, period).expect("a quota")
}

#[test]
fn a_window_cannot_be_made_of_nothing_or_of_more_than_fits_beside_its_number() {
    let field = |limit, period| SlidingWindow::from_ticks(limit, period).err().map(|error| error.field());
    assert_eq!(field(0, 1), Some("limit"));
    assert_eq!(field(1, 0), Some("period"));
    assert_eq!(field(1, LONGEST), None);
    assert_eq!(field(1, LONGEST + 1), Some("period"));
    for (period, most) in [
        (1, (1 << 16) - 2),
        (2, (1 << 16) - 2),
        (4, (1 << 17) - 2),
        (SECOND / 1_000, 33_554_430),
        (SECOND, (1 << 30) - 2),
        (60 * SECOND, u64::from(u32::MAX) - 1),
        (LONGEST, u64::from(u32::MAX) - 1),
    ] {
        assert_eq!(field(most, period), None, "{most} in {period}");
        assert_eq!(field(most + 1, period), Some("limit"), "{most} in {period}");
        assert_eq!(field(u64::MAX, period), Some("limit"));
    }
}

#[test]
fn a_window_has_no_burst_of_its_own() {
    let quota = Quota::per_second(10);
    assert_eq!(SlidingWindow::try_new(quota), SlidingWindow::from_ticks(10, SECOND));
    for burst in [9, 11] {
        let error = SlidingWindow::try_new(quota.burst(burst)).expect_err("a burst");
        assert_eq!(error.field(), "burst");
    }
}

#[test]
fn the_largest_counts_fit_a_word_beside_the_last_number() {
    for (limit, period) in [
        ((1 << 16) - 2, 1),
        (33_554_430, SECOND / 1_000),
        ((1 << 30) - 2, SECOND),
        (u64::from(u32::MAX) - 1, LONGEST),
    ] {
        let window = window(limit, period);
        let limit = limit as u32;
        for number in [0, 1, u64::MAX / period / 2, u64::MAX / period] {
            for (previous, current) in
                [(0, 0), (limit, 0), (0, limit), (limit, limit), (limit + 1, limit + 1), (1, 2)]
            {
                let counts = Counts::new(number, previous, current);
                assert_eq!(window.unpack(window.pack(counts)), counts, "{window:?}");
            }
        }
    }
}

#[test]
fn what_was_taken_fades_as_its_window_is_left_behind() {
    let window = window(10, 8);
    let spent = window.admit(window.fresh(), 3, 10).expect("a new key");
    let remaining = |now| window.standing(spent, now).remaining;
    // In the first window nothing, then ten eighths for each tick.
    assert_eq!([3, 7, 8, 9, 12, 15].map(remaining), [0, 0, 0, 1, 5, 8]);
    assert_eq!([16, 24, 1_000].map(remaining), [10, 10, 10]);
    assert_eq!(window.standing(spent, 9).reset_after, 7);
    // Of two windows both count.
    let both = window.admit(spent, 12, 5).expect("half has faded");
    assert_eq!(both, Counts::new(1, 10, 5));
    assert_eq!((window.standing(both, 12).remaining, window.standing(both, 12).reset_after), (0, 12));
    assert_eq!(window.admit(both, 12, 1), Err(1));
    // Six tenths of the period have to pass in the next window.
    assert_eq!(window.admit(both, 12, 10), Err(12));
    assert_eq!((window.fresh_from(both), window.fresh_from(spent)), (24, 16));
}

#[test]
fn a_window_beyond_the_last_tick_is_not_waited_for() {
    let window = window(10, 1 << 62);
    let last = 3 << 62;
    let spent = window.admit(window.fresh(), last, 10).expect("a new key");
    for (cost, now) in [(1, last), (10, u64::MAX)] {
        assert_eq!(window.admit(spent, now, cost), Err(NEVER));
    }
    assert_eq!(window.fresh_from(spent), u64::MAX);
    // What fades before it is over can be had.
    let fading = Counts::new(3, 10, 0);
    assert_eq!(window.admit(fading, last, 1), Err((1 << 62) / 10 + 1));
}

#[test]
fn a_refund_is_taken_from_the_window_that_was_charged() {
    let window = window(10, 8);
    let counts = Counts::new(1, 6, 3);
    let refund = |at, units, now| window.refund(counts, Charged { units, at }, now);
    assert_eq!(refund(8, 2, 15), (Counts::new(1, 6, 1), 2));
    assert_eq!(refund(15, 9, 15), (Counts::new(1, 6, 0), 3));
    assert_eq!(refund(7, 2, 15), (Counts::new(1, 4, 3), 2));
    assert_eq!(refund(0, 9, 15), (Counts::new(1, 0, 3), 6));
    // A window later, and another.
    assert_eq!(refund(7, 2, 16), (counts, 0));
    assert_eq!(refund(8, 2, 16), (Counts::new(2, 1, 0), 2));
    assert_eq!(refund(8, 2, 24), (counts, 0));
}

#[test]
fn a_key_that_was_dropped_counts_as_one_that_had_everything() {
    let window = window(10, 8);
    let full = |instant| window.unpack(window.full_until(instant));
    assert_eq!(
        [1, 8, 9, 24].map(full),
        [(0, 11), (0, 11), (1, 11), (2, 11)].map(|(at, count)| Counts::new(at, 0, count))
    );
    assert_eq!(window.full_until(0), Word::default());
    assert_eq!(full(u64::MAX), Counts::new(u64::MAX / 8, 0, 11));
}

#[test]
fn a_key_that_is_idle_is_as_full_before_as_what_is_over_by_then_can_be() {
    let window = window(10, 8);
    let fresh = |instant, by| window.unpack(window.fresh_at(instant, by));
    for (instant, by, counts) in [
        (9, 24, Counts::new(1, 0, 11)),
        (16, 24, Counts::new(1, 0, 11)),
        (16, 23, Counts::new(1, 11, 0)),
        (16, 16, Counts::new(1, 11, 0)),
        (9, 15, Counts::new(0, 11, 0)),
        (3, 7, Counts::default()),
        (0, 0, Counts::default()),
        (0, 100, Counts::default()),
    ] {
        assert_eq!(fresh(instant, by), counts, "{instant}, by {by}");
        assert!(window.fresh_from(counts) <= by);
    }
}

#[test]
fn the_key_whose_loss_admits_most_is_kept_longest() {
    let window = window(10, 8);
    let word = window.pack(Counts::new(1, 3, 4));
    assert_eq!([0, 8, 15, 16, 23, 24, 1_000].map(|now| window.strength(word, now)), [7, 7, 7, 4, 4, 0, 0]);
}

#[test]
fn a_penalty_fills_the_window_until_it_is_over() {
    let window = window(10, 8);
    let counts = Counts::new(1, 6, 3);
    let penalized = |now, until| window.penalized(counts, now, until);
    assert_eq!(penalized(10, 10), counts);
    assert_eq!(penalized(10, 11), Counts::new(1, 6, 11));
    assert_eq!(penalized(10, 16), Counts::new(1, 6, 11));
    assert_eq!(penalized(10, 17), Counts::new(2, 3, 11));
    assert_eq!(penalized(10, 24), Counts::new(2, 3, 11));
    assert_eq!(penalized(10, 25), Counts::new(3, 0, 11));
    // Late, when the key is further already.
    assert_eq!(penalized(0, 3), Counts::new(1, 6, 11));
}

#[test]
fn a_penalty_fades_as_the_limit_does_and_cannot_be_refunded() {
    let window = window(10, 8);
    let penalized = window.penalized(Counts::new(1, 0, 5), 10, 16);
    let spent = Counts::new(1, 0, 10);
    let charge = Charged { units: 5, at: 10 };
    for now in [10, 15, 16, 20, 23, 24] {
        assert_eq!(window.standing(penalized, now), window.standing(spent, now), "{now}");
        for cost in [1, 5, 10] {
            let ends = |state| window.admit(state, now, cost).map(Counts::current);
            assert_eq!(ends(penalized), ends(spent), "{cost} at {now}");
        }
        assert_eq!(window.refund(penalized, charge, now), (penalized, 0), "{now}");
    }
    // What is taken while it fades can be given back.
    let taken = window.admit(penalized, 20, 3).expect("half has faded");
    assert_eq!(window.refund(taken, Charged { units: 3, at: 20 }, 20), (Counts::new(2, 11, 0), 3));
    assert_eq!(window.refund(taken, charge, 20), (taken, 0));
}

#[test]
fn a_penalty_can_be_told_from_what_was_taken() {
    let window = window(3, 10);
    let spent = Algorithm::admit(&window, window.fresh(), 12, 3).expect("a fresh key");
    let word = |state| Packed::pack(&window, state);
    assert!([0, 12, 19, 20].iter().all(|at| !window.is_penalized(word(spent), *at)));
    let penalized = word(Algorithm::penalized(&window, spent, 12, 13));
    assert_eq!([0, 12, 19, 20].map(|at| window.is_penalized(penalized, at)), [true, true, true, false]);
}

#[test]
fn who_comes_after_others_waits_for_what_fades_and_then_for_whole_windows() {
    let window = window(10, 100);
    // Ten in the window before, of which half has faded by 150.
    let state = Counts::new(1, 10, 0);
    assert_eq!((state.window(), state.previous(), state.current()), (1, 10, 0));
    let behind = |units| window.wait_spread(state, 150, units);
    assert_eq!([1, 5, 6, 7, 10].map(behind), [0, 0, 10, 20, 50]);
    // From the end of this window on, the limit per period.
    assert_eq!([11, 20, 30].map(behind), [60, 150, 250]);
    // Whoever is first, and whatever is too much to be counted.
    let others = |ahead, cost| window.wait_behind(state, 150, ahead, cost);
    assert_eq!(
        [(0, 5), (5, 1), (1, 5), (10, 1), (25, 5)].map(|(ahead, cost)| others(ahead, cost)),
        [0, 10, 10, 60, 250]
    );
    assert_eq!(others(u64::MAX, 1), others(u64::MAX - 1, 1));
}

#[test]
fn a_limit_of_the_same_windows_takes_over_the_share_of_each() {
    let (old, new) = (window(10, 100), window(25, 100));
    let scaled = |from: &SlidingWindow, to: &SlidingWindow, previous, current| {
        let counts = to.scaled(from, Counts::new(7, previous, current));
        (counts.window(), counts.previous(), counts.current())
    };
    assert_eq!(scaled(&old, &new, 4, 10), (7, 10, 25));
    // Rounded up, both ways.
    assert_eq!(scaled(&old, &new, 1, 3), (7, 3, 8));
    assert_eq!(scaled(&new, &old, 3, 8), (7, 2, 4));
    assert_eq!(scaled(&new, &old, 0, 0), (7, 0, 0));
    // A penalty stays one, whichever window it was in.
    assert_eq!(scaled(&old, &new, 11, 11), (7, 26, 26));
}

#[test]
fn what_counts_was_taken_by_the_last_tick_of_its_window() {
    let window = window(10, 100);
    let last = |counts, at| window.last_taken(window.pack(counts), at);
    assert_eq!([0, 299, 300, 350, 900].map(|at| last(Counts::new(3, 2, 1), at)), [399, 399, 300, 350, 900]);
    // Nothing is in the later one.
    assert_eq!([0, 199, 200, 350].map(|at| last(Counts::new(3, 2, 0), at)), [299, 299, 200, 350]);
    assert_eq!(last(window.fresh(), 5), 5);
}
