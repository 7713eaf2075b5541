//! The most that anybody gets in one period out of "100 per second": what `bounds()` says, and somebody who gets it.

use std::fmt::Write as _;
use std::iter;

use super::page::assert_printed;
use crate::algorithm::{Algorithm, AnyAlgorithm};

const SECOND: u64 = 1_000_000_000;
const LIMIT: u64 = 100;

/// Requests: the instant and the cost of each.
type Requests = Vec<(u64, u64)>;

/// A limit as it is written, whoever gets the most out of it, and what they do.
struct Row {
    text: &'static str,
    requests: Requests,
    how: &'static str,
}

/// `first` units at once, and the others one by one as they come back.
fn burst_and_refill(first: u64) -> Requests {
    iter::once((0, first)).chain((1..LIMIT).map(|unit| (unit * SECOND / LIMIT, 1))).collect()
}

/// One by one in turn, and `last` with the last turn.
fn line_and_burst(last: u64) -> Requests {
    (0..LIMIT - 1)
        .map(|unit| (unit * SECOND / LIMIT, 1))
        .chain([((LIMIT - 1) * SECOND / LIMIT, last)])
        .collect()
}

fn rows() -> Vec<Row> {
    let row = |text, requests, how| Row { text, requests, how };
    let bucket = "the burst, and each unit as it comes back";
    let queue = "one unit in each turn, and all the queue holds in the last";
    vec![
        row("100/s sliding-log", vec![(0, 100)], "everything at any time"),
        row("100/s burst 1", burst_and_refill(1), bucket),
        row("100/s burst 10", burst_and_refill(10), bucket),
        row("100/s burst 50", burst_and_refill(50), bucket),
        row("100/s", burst_and_refill(100), bucket),
        row("100/s burst 1 leaky-bucket", line_and_burst(1), queue),
        row("100/s burst 10 leaky-bucket", line_and_burst(10), queue),
        row("100/s leaky-bucket", line_and_burst(100), queue),
        row(
            "100/s sliding-window",
            vec![(SECOND - 1, 100), (2 * SECOND - 2, 99)],
            "everything as one window ends, and again when nearly all of it has faded",
        ),
        row(
            "100/s fixed-window",
            vec![(SECOND - 1, 100), (SECOND, 100)],
            "everything as one window ends, and again as the next begins",
        ),
    ]
}

/// The units of requests that are all admitted, one after the other, and lie within one second.
fn admitted(limit: &AnyAlgorithm, requests: &[(u64, u64)]) -> u64 {
    let (first, last) = (requests[0].0, requests[requests.len() - 1].0);
    assert!(last - first < SECOND, "{limit}: longer than a second");
    let mut state = limit.fresh();
    for (now, cost) in requests {
        state = limit
            .admit(state, *now, *cost)
            .unwrap_or_else(|wait| panic!("{limit}: {wait} too early at {now}"));
    }
    requests.iter().map(|request| request.1).sum()
}

#[test]
fn the_page_has_the_most_that_anybody_gets_in_one_period() {
    let mut table = String::from("| limit | most units in any second | for whom |\n|---|---:|---|\n");
    for Row { text, requests, how } in rows() {
        let limit: AnyAlgorithm = text.parse().expect("a limit");
        let bounds = limit.bounds();
        assert_eq!(admitted(&limit, &requests), bounds.units(), "{text}");
        assert_eq!(bounds.ticks(), SECOND);
        writeln!(table, "| `{text}` | {} | who takes {how} |", bounds.units()).expect("a string grows");
    }
    assert_printed("worst window", &table);
}
