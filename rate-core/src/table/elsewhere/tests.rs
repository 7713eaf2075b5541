use super::super::residue::units_of;
use super::*;
use crate::test_util::random::Random;

const HOUR: u64 = 3_600_000_000_000;
const SECOND: u64 = 1_000_000_000;
const NONE: LimitId = LimitId(0);

fn small(random: &mut Random) -> Residue {
    super::super::residue::tests::small(random)
}

/// A window that ends then.
fn window(units: u32, of: u32, until: u64) -> Residue {
    Residue { until, span: 0, most: (units, of) }
}

/// A bucket that is full then.
fn bucket(until: u64, span: u64) -> Residue {
    Residue { until, span, most: (1, 1) }
}

#[test]
fn two_limits_are_remembered_as_they_were() {
    // One of ten a day, and then everything of five a second: that is over in a second.
    let day = window(1, 10, 24 * HOUR);
    let second = window(5, 5, SECOND);
    let both = Elsewhere::default().with(day, NONE, 0, 0).with(second, NONE, 0, 0);
    assert_eq!(both, Elsewhere { left: [(day, NONE), (second, NONE)], ..Elsewhere::default() });
    assert_eq!(both, Elsewhere::default().with(second, NONE, 0, 0).with(day, NONE, 0, 0), "in either order");
    let used = |at| units_of(both.share(at), 10);
    assert_eq!([0, SECOND - 1, SECOND, 24 * HOUR - 1, 24 * HOUR].map(used), [10, 10, 1, 1, 0]);
    assert_eq!(both.pack()[UNTIL], 24 * HOUR);
    // Of two, what is more does not take the place of what is less, for it may be given back.
    let more = window(3, 10, 24 * HOUR);
    assert_eq!(both.with(more, NONE, 0, HOUR).left, [(more, NONE), (day, NONE)]);
    // A new key has left nothing.
    assert_eq!(both.with(Residue::default(), NONE, 0, 0), both);
    assert_eq!(both.with(Residue::default(), NONE, 0, 24 * HOUR), Elsewhere::default());
}

#[test]
fn of_three_the_two_become_one_that_last_most_nearly_as_long() {
    let (day, hour, second) = (window(1, 10, 24 * HOUR), bucket(HOUR, 4 * HOUR), window(4, 5, SECOND));
    let all =
        [day, hour, second].into_iter().fold(Elsewhere::default(), |all, one| all.with(one, NONE, 0, 0));
    assert_eq!(all.left[1].0, second, "a day is 24 hours, and an hour 3,600 seconds");
    assert_eq!(all.left[0].0.until, 24 * HOUR);
    let minute = window(4, 5, 60 * SECOND);
    let all =
        [minute, hour, day].into_iter().fold(Elsewhere::default(), |all, one| all.with(one, NONE, 0, 0));
    assert_eq!(all.left[1].0, minute);
    let half = bucket(HOUR / 2, HOUR);
    let all =
        [day, half, minute].into_iter().fold(Elsewhere::default(), |all, one| all.with(one, NONE, 0, 0));
    assert_eq!((all.left[0].0, all.left[1].0.until), (day, HOUR / 2));
    assert!(all.left[1].0.covers(half, 0) && all.left[1].0.covers(minute, 0));
}

#[test]
fn what_is_remembered_is_no_less_than_what_was_left_and_ends_with_it() {
    let mut merged = 0;
    for seed in 0..5_000 {
        let mut random = Random::new(seed);
        let (mut all, mut left, mut at) = (Elsewhere::default(), Vec::new(), 0);
        for _ in 0..4 {
            let residue = small(&mut random);
            left.push(residue);
            all = all.with(residue, NONE, 0, at);
            for tick in at..41 {
                let share = all.share(tick);
                let most = left.iter().map(|one| one.share(tick));
                assert!(
                    most.clone().all(|one| !is_more(one, share)),
                    "seed {seed} at {tick}: {all:?} of {left:?}"
                );
                assert_eq!(share.0 == 0, most.clone().all(|one| one.0 == 0), "seed {seed} at {tick}");
                merged += u64::from(most.clone().all(|one| is_more(share, one)));
            }
            at += random.below(6);
        }
    }
    assert!(merged > 1_000, "{merged}");
}

#[test]
fn what_is_taken_in_time_to_come_is_known_as_long_as_anything_is_left() {
    let penalty = window(5, 5, 100);
    let all = Elsewhere::default().with(penalty, NONE, 90, 10);
    assert_eq!(all.taken, 90);
    assert_eq!(all.with(window(1, 5, 50), NONE, 20, 20).taken, 90);
    assert_eq!(all.with(window(1, 5, 120), NONE, 89, 95).taken, 90);
    assert_eq!(all.with(Residue::default(), NONE, 95, 100).taken, 0);
    // Of a key that has used nothing, nothing is taken.
    assert_eq!(Elsewhere::default().with(Residue::default(), NONE, 90, 10).taken, 0);
    assert_eq!(Elsewhere::default().with(window(5, 5, 10), NONE, 90, 10).taken, 0);
    let left = [(penalty, LimitId(7)), (window(1, 9, 3), LimitId(1 << 31))];
    let all = Elsewhere { left, came: 8, arrived: Mark { low: 1, high: 2 }, ..all };
    assert_eq!(Elsewhere::unpack(all.pack()), all);
}

#[test]
fn what_is_left_of_a_limit_takes_the_place_of_what_was_left_of_it_before() {
    let (day, second) = (LimitId(1), LimitId(2));
    let both = Elsewhere::default().with(window(9, 10, 24 * HOUR), day, 0, 0).with(
        bucket(SECOND, SECOND),
        second,
        0,
        0,
    );
    // As it is after a refund.
    let less = both.with(window(2, 10, 24 * HOUR), day, 0, 1);
    assert_eq!(less.left, [(window(2, 10, 24 * HOUR), day), (bucket(SECOND, SECOND), second)]);
    let none = less.with(Residue::default(), day, 0, 2);
    assert_eq!(none.left[0], (bucket(SECOND, SECOND), second));
    // Of one that is not known it is not told that it is the same.
    let unknown = Elsewhere::default().with(window(9, 10, HOUR), NONE, 0, 0);
    assert_eq!(unknown.with(window(2, 10, HOUR), NONE, 0, 0).left[1], unknown.left[0]);
    // Nor of two that became one.
    let three = Elsewhere::default().with(window(1, 10, 24 * HOUR), day, 0, 0).with(
        bucket(SECOND, SECOND),
        second,
        0,
        0,
    );
    let merged = three.with(window(2, 10, 60 * SECOND), LimitId(3), 0, 0);
    assert_eq!(merged.left.map(|(_, id)| id), [day, NONE]);
    assert_eq!(none.with(Residue::default(), second, 0, 2), Elsewhere::default());
}
