use super::super::residue::units_of;
use super::*;
use crate::test_util::random::Random;

const HOUR: u64 = 3_600_000_000_000;
const SECOND: u64 = 1_000_000_000;

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
    let both = Elsewhere::default().with(day, 0, 0).with(second, 0, 0);
    assert_eq!(both, Elsewhere { residues: [day, second], ..Elsewhere::default() });
    assert_eq!(both, Elsewhere::default().with(second, 0, 0).with(day, 0, 0), "in either order");
    let used = |at| units_of(both.share(at), 10);
    assert_eq!([0, SECOND - 1, SECOND, 24 * HOUR - 1, 24 * HOUR].map(used), [10, 10, 1, 1, 0]);
    assert_eq!(both.pack()[UNTIL], 24 * HOUR);
    // What was remembered of a limit that is left again is part of what is left of it now.
    let more = window(3, 10, 24 * HOUR);
    assert_eq!(
        both.with(more, 0, HOUR),
        Elsewhere { residues: [more, Residue::default()], ..Elsewhere::default() }
    );
    // A new key has left nothing.
    assert_eq!(both.with(Residue::default(), 0, 0), both);
    assert_eq!(both.with(Residue::default(), 0, 24 * HOUR), Elsewhere::default());
}

#[test]
fn of_three_the_two_become_one_that_last_most_nearly_as_long() {
    let (day, hour, second) = (window(1, 10, 24 * HOUR), bucket(HOUR, 4 * HOUR), window(4, 5, SECOND));
    let all = [day, hour, second].into_iter().fold(Elsewhere::default(), |all, one| all.with(one, 0, 0));
    assert_eq!(all.residues[1], second, "a day is 24 hours, and an hour 3,600 seconds");
    assert_eq!(all.residues[0].until, 24 * HOUR);
    let minute = window(4, 5, 60 * SECOND);
    let all = [minute, hour, day].into_iter().fold(Elsewhere::default(), |all, one| all.with(one, 0, 0));
    assert_eq!(all.residues[1], minute);
    let half = bucket(HOUR / 2, HOUR);
    let all = [day, half, minute].into_iter().fold(Elsewhere::default(), |all, one| all.with(one, 0, 0));
    assert_eq!((all.residues[0], all.residues[1].until), (day, HOUR / 2));
    assert!(all.residues[1].covers(half, 0) && all.residues[1].covers(minute, 0));
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
            all = all.with(residue, 0, at);
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
fn what_is_taken_in_time_to_come_is_known_until_then() {
    let penalty = window(5, 5, 100);
    let all = Elsewhere::default().with(penalty, 90, 10);
    assert_eq!(all.taken, 90);
    assert_eq!(all.with(window(1, 5, 50), 20, 20).taken, 90);
    assert_eq!(all.with(window(1, 5, 120), 89, 90).taken, 0);
    // Of a key that has used nothing, nothing is taken.
    assert_eq!(Elsewhere::default().with(Residue::default(), 90, 10).taken, 0);
    assert_eq!(Elsewhere::default().with(window(5, 5, 10), 90, 10).taken, 0);
    let all = Elsewhere { came: 8, ..all };
    assert_eq!(Elsewhere::unpack(all.pack()), all);
}
