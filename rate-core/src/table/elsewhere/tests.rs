use super::*;

const DAY: u64 = 86_400_000_000_000;
const MILLISECOND: u64 = 1_000_000;

fn gcra(limit: u64, period: u64, burst: u64) -> Gcra {
    Gcra::from_ticks(limit, period, burst).expect("a quota")
}

#[test]
fn what_is_used_where_a_key_has_left_falls_as_if_it_had_stayed() {
    let slow = gcra(10, DAY, 10);
    let left = Elsewhere::default().with(&slow, Tat::new(DAY / 2, 0), 0);
    assert_eq!(left, Elsewhere { until: DAY / 2, span: DAY });
    for (at, used) in [(0, 5), (1, 5), (DAY / 10, 4), (DAY / 2 - 1, 1), (DAY / 2, 0), (DAY, 0), (u64::MAX, 0)]
    {
        // Of a thousand ticks, rounded up.
        let state = left.applied(&gcra(10, 1_000, 10), Tat::default(), at);
        let ahead = state.ticks().saturating_sub(at);
        assert_eq!(ahead.div_ceil(100), used, "{ahead} at {at}");
    }
}

#[test]
fn a_key_that_was_elsewhere_has_no_less_used_than_it_takes_along() {
    let (slow, fast) = (gcra(10, DAY, 10), gcra(100, 1_000 * MILLISECOND, 1));
    let left = Elsewhere::default().with(&slow, Tat::new(DAY / 10, 0), 0);
    let half = Tat::new(5 * MILLISECOND, 0);
    assert_eq!(left.applied(&fast, half, 0), half, "a tenth is less than a half");
    assert_eq!(left.applied(&fast, Tat::default(), 0), Tat::new(MILLISECOND, 0));
    // Nor is it moved by nothing to an instant that may be far ahead of other requests.
    assert_eq!(left.applied(&fast, Tat::new(7, 0), u64::MAX), Tat::new(7, 0));
}

#[test]
fn two_tiers_that_were_left_are_reckoned_as_one_that_is_no_less_than_either() {
    let (slow, fast) = (gcra(10, DAY, 10), gcra(10, 1_000, 10));
    // A tenth of the slow one, for as long as that takes; and all of the fast one.
    let one = Elsewhere::default().with(&slow, Tat::new(DAY / 10, 0), 0);
    let both = one.with(&fast, Tat::new(1_000, 0), 0);
    assert_eq!(both, Elsewhere { until: DAY / 10, span: DAY / 10 });
    // In the other order the same.
    assert_eq!(
        Elsewhere::default().with(&fast, Tat::new(1_000, 0), 0).with(&slow, Tat::new(DAY / 10, 0), 0),
        both
    );
    // A fresh one changes nothing.
    assert_eq!(both.with(&fast, Tat::default(), 0), both);
    assert_eq!(Elsewhere::default().with(&fast, Tat::new(7, 0), 7), Elsewhere::default());
}

#[test]
fn nothing_wraps_at_the_ends_of_time() {
    let century = gcra(1, u64::MAX / 2, 1);
    let left = Elsewhere::default().with(&century, Tat::new(u64::MAX, 0), u64::MAX / 2);
    assert_eq!(left.until, u64::MAX);
    for at in [0, u64::MAX / 2, u64::MAX - 1, u64::MAX] {
        let state = left.applied(&century, Tat::default(), at);
        assert!(at == u64::MAX || state.ticks() > at, "{state:?} at {at}");
        let again = left.with(&gcra(1, 1, 1), Tat::new(u64::MAX, 0), at);
        assert!(again == Elsewhere::default() || again.until == u64::MAX);
    }
    // So little that the line is longer than there is time.
    let little = Elsewhere::default().with(&century, Tat::new(1, 0), 0);
    assert_eq!(little, Elsewhere { until: 1, span: u64::MAX / 2 });
    assert_eq!(little.with(&gcra(1, 1, 1), Tat::new(2, 0), 1).until, 2);
}

#[test]
fn what_is_owed_is_all_of_it_until_the_last_burst_comes_back() {
    let (slow, fast) = (gcra(10, DAY, 10), gcra(10, 1_000, 10));
    // Nine buckets and a half.
    let until = 9 * DAY + DAY / 2;
    let owed = Elsewhere::default().with(&slow, Tat::new(until, 0), 0);
    assert_eq!(owed, Elsewhere { until, span: DAY });
    // For as long as that is, whatever else is left meanwhile; and then for as long as the later of the two.
    for at in [1_000, DAY, 8 * DAY] {
        assert_eq!(owed.with(&fast, Tat::new(at + 500, 0), at), owed, "{at}");
        assert_eq!(owed.applied(&fast, Tat::default(), at), Tat::new(at + 1_000, 0), "{at}");
    }
    let longer = owed.with(&slow, Tat::new(until + DAY, 0), DAY);
    assert_eq!(longer, Elsewhere { until: until + DAY, span: DAY });
    assert_eq!(owed.applied(&fast, Tat::default(), 9 * DAY), Tat::new(9 * DAY + 500, 0));
}
