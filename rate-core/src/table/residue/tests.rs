use super::*;
use crate::test_util::random::Random;

/// All shapes that fit into some ticks, of few units.
pub(in crate::table) fn small(random: &mut Random) -> Residue {
    let of = 1 + random.below(9) as u32;
    let units = 1 + random.below(of.into()) as u32;
    Residue { until: random.below(40), span: random.below(30), most: (units, of) }
}

#[test]
fn a_share_ends_at_once_or_falls_to_nothing() {
    let share_of_twelve = |residue: Residue, at| units_of(residue.share(at), 12);
    let ending = Residue { until: 20, span: 0, most: (1, 3) };
    assert_eq!([0, 19, 20, u64::MAX].map(|at| share_of_twelve(ending, at)), [4, 4, 0, 0]);
    let falling = Residue { until: 20, span: 8, most: (2, 3) };
    assert_eq!([0, 12, 13, 14, 16, 19, 20].map(|at| share_of_twelve(falling, at)), [8, 8, 7, 6, 4, 1, 0]);
    assert_eq!([11, 12, 19].map(|at| falling.is_falling(at)), [false, true, true]);
    assert!(!ending.is_falling(19));
    // From twelve of thirty in twelve ticks.
    assert_eq!([(8, 12), (4, 12), (8, 30)].map(|(ticks, all)| falling.falling_in(ticks, all)), [8, 4, 20]);
    assert_eq!(share_of_twelve(Residue::default(), 0), 0);
}

#[test]
fn one_that_covers_another_is_no_less_at_any_tick() {
    let mut covered = 0;
    for seed in 0..20_000 {
        let mut random = Random::new(seed);
        let (one, other, at) = (small(&mut random), small(&mut random), random.below(40));
        let is_no_less = (at..41).all(|tick| !is_more(other.share(tick), one.share(tick)));
        let lasts = one.until >= other.until;
        assert_eq!(one.covers(other, at), is_no_less && lasts, "{one:?} and {other:?} from {at} on");
        covered += u64::from(is_no_less && lasts);
    }
    assert!((2_000..18_000).contains(&covered), "{covered}");
}

#[test]
fn the_line_over_two_is_no_less_and_could_hardly_be_lower() {
    let mut lower = 0;
    for seed in 0..20_000 {
        let mut random = Random::new(seed);
        let (one, other, at) = (small(&mut random), small(&mut random), random.below(40));
        if one.until.min(other.until) <= at {
            continue;
        }
        let over = one.over(other, at);
        let covers = |over: Residue| {
            (at..41).all(|tick| [one, other].iter().all(|one| !is_more(one.share(tick), over.share(tick))))
        };
        assert!(covers(over), "{over:?} over {one:?} and {other:?} from {at} on");
        assert_eq!(over.until, one.until.max(other.until));
        assert!(!is_more(over.share(at), one.share(at)) || !is_more(over.share(at), other.share(at)));
        // One that begins to fall earlier, but for rounding twice, is less than one of them somewhere.
        let earlier = Residue { span: over.span + 2, ..over };
        assert!(!covers(earlier), "{earlier:?} is over {one:?} and {other:?} from {at} on");
        lower += u64::from(over.span > 1);
    }
    assert!(lower > 1_000, "{lower}");
}

#[test]
fn nothing_wraps_at_the_ends_of_time_and_of_numbers() {
    const MOST: u32 = u32::MAX - 1;
    let instants = [0, 1, u64::MAX / 2, u64::MAX - 1, u64::MAX];
    for (until, span) in instants.into_iter().flat_map(|until| instants.map(|span| (until, span))) {
        for most in [(1, 1), (1, MOST), (MOST, MOST), (MOST - 1, MOST)] {
            let residue = Residue { until, span, most };
            assert_eq!(Residue::unpack(residue.pack()), residue);
            for at in instants {
                let share = residue.share(at);
                assert!(share.1 > 0 && share.0 <= share.1 && (share.0 == 0) == (at >= until), "{residue:?}");
                assert!(units_of(share, u64::MAX) >= units_of(share, u64::from(MOST)));
                assert!(residue.covers(residue, at));
                let short = Residue { until: until.min(9), span: 3, most: (1, 2) };
                if at < short.until {
                    assert!(residue.over(short, at).covers(residue, at), "{residue:?} from {at} on");
                }
                let _ = residue.falling_in(span, MOST.into());
            }
        }
    }
}

#[test]
fn a_share_in_fewer_bits_is_no_less_and_one_at_most() {
    assert_eq!(narrow(3, 7, 32), (3, 7));
    assert_eq!(narrow(3 << 40, 7 << 40, 32), (3 << 29, 7 << 29));
    assert_eq!(narrow(1, 1 << 80, 64), (1, 1 << 63));
    assert_eq!(narrow((1 << 80) - 1, 1 << 80, 64), (1 << 63, 1 << 63));
}
