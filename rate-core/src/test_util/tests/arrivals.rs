use core::time::Duration;

use crate::Timestamp;
use crate::test_util::Arrivals;

const SECOND: Duration = Duration::from_secs(1);

fn instants(arrivals: Arrivals, count: usize) -> Vec<u64> {
    arrivals.take(count).map(Timestamp::as_nanos).collect()
}

#[test]
fn steady_arrivals_are_an_interval_apart() {
    assert_eq!(instants(Arrivals::steady(Duration::from_nanos(7)), 4), [0, 7, 14, 21]);
    assert_eq!(instants(Arrivals::steady(Duration::ZERO), 4), [0, 0, 0, 0]);
}

#[test]
fn bursts_come_at_once_and_every_so_often() {
    let bursts = Arrivals::burst(3, Duration::from_nanos(10)).starting_at(Timestamp::from_nanos(5));
    assert_eq!(instants(bursts, 7), [5, 5, 5, 15, 15, 15, 25]);
}

#[test]
fn what_is_on_is_as_dense_as_the_interval_and_what_is_off_is_empty() {
    let nanos = Duration::from_nanos;
    // The fourth would come when it is off already.
    assert_eq!(instants(Arrivals::on_off(nanos(3), nanos(9), nanos(91)), 5), [0, 3, 6, 100, 103]);
    // It still comes in the last tick.
    assert_eq!(instants(Arrivals::on_off(nanos(3), nanos(10), nanos(90)), 6), [0, 3, 6, 9, 100, 103]);
    // Longer than it is on.
    assert_eq!(instants(Arrivals::on_off(nanos(300), nanos(10), nanos(90)), 3), [0, 100, 200]);
}

#[test]
fn heavy_tailed_pauses_have_the_distribution_of_pareto() {
    let mean = Duration::from_micros(200);
    let instants = instants(Arrivals::heavy_tailed(mean, 3), 100_001);
    let pauses: Vec<u64> = instants.windows(2).map(|pair| pair[1] - pair[0]).collect();
    // Longer than x times the shortest with a probability of 1/x².
    for (times, expected) in [(1, 100_000), (2, 25_000), (4, 6_250), (10, 1_000)] {
        let longer = pauses.iter().filter(|pause| **pause >= times * 100_000).count();
        let tolerance = expected / 10 + 1;
        assert!(longer.abs_diff(expected) < tolerance, "{longer} of 100,000 are {times} times the shortest");
    }
}

#[test]
fn a_seed_repeats_itself_and_another_does_not() {
    let of = |seed| instants(Arrivals::heavy_tailed(SECOND, seed), 50);
    assert_eq!(of(1), of(1));
    assert_ne!(of(1), of(2));
}

#[test]
fn nothing_comes_of_nothing() {
    assert_eq!(Arrivals::burst(0, SECOND).next(), None);
    assert_eq!(Arrivals::burst(0, SECOND).starting_at(Timestamp::from_nanos(1)).next(), None);
    assert_eq!(Arrivals::on_off(SECOND, Duration::ZERO, SECOND).next(), None);
}

#[test]
fn arrivals_end_where_time_does() {
    let late = Timestamp::from_nanos(u64::MAX - 5);
    for (arrivals, count) in [
        (Arrivals::steady(Duration::from_nanos(2)), 3),
        (Arrivals::steady(Duration::MAX), 1),
        (Arrivals::burst(4, Duration::from_nanos(5)), 8),
        (Arrivals::on_off(Duration::MAX, Duration::MAX, Duration::MAX), 1),
        (Arrivals::heavy_tailed(Duration::MAX, 0), 1),
    ] {
        let mut arrivals = arrivals.starting_at(late);
        assert_eq!(arrivals.by_ref().count(), count, "{arrivals:?}");
        assert_eq!(arrivals.next(), None);
    }
}

#[test]
#[should_panic(expected = "at least a nanosecond")]
fn an_interval_of_nothing_would_never_be_over() {
    let _ = Arrivals::on_off(Duration::ZERO, SECOND, SECOND);
}
