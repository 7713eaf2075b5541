//! Which operations an algorithm has, as the compiler has it.

use std::fmt::Write as _;
use std::marker::PhantomData;
use std::time::Duration;

use super::page::assert_printed;
use crate::algorithm::{
    AlgorithmName, AnyAlgorithm, CalendarWindow, Debit, FixedWindow, Gcra, LeakyBucket, Refund, Reserve,
    SlidingLog, SlidingWindow,
};
use crate::{Kept, Limiter};

/// Asks whether an algorithm implements a trait. A method of the type itself, which it has only then, is preferred to the one
/// of [`HasNot`].
struct Has<A>(PhantomData<A>);

trait HasNot {
    fn refund(&self) -> bool {
        false
    }

    fn reserve(&self) -> bool {
        false
    }

    fn debit(&self) -> bool {
        false
    }
}

impl<A> HasNot for Has<A> {}

impl<A: Refund> Has<A> {
    fn refund(&self) -> bool {
        true
    }
}

impl<A: Reserve> Has<A> {
    fn reserve(&self) -> bool {
        true
    }
}

impl<A: Debit> Has<A> {
    fn debit(&self) -> bool {
        true
    }
}

/// An operation's name, and one that changes nothing.
type Operation<A> = (&'static str, fn(&Limiter<A>));

/// The operations that every algorithm has; called, so that this compiles only while it does.
fn of_all<A: Kept>() -> [Operation<A>; 6] {
    [
        ("check", |limiter| assert!(limiter.check().is_allowed())),
        ("check_n", |limiter| assert!(limiter.check_n(0).is_allowed())),
        ("peek", |limiter| assert!(limiter.peek_n_at(0, limiter.now()).is_allowed())),
        ("take_up_to", |limiter| assert_eq!(limiter.take_up_to(0), 0)),
        ("penalize", |limiter| limiter.penalize(Duration::ZERO)),
        ("reset", Limiter::reset),
    ]
}

/// An algorithm, and the operations it has.
struct Column {
    name: String,
    has: Vec<&'static str>,
}

macro_rules! column {
    ($name:expr, $algorithm:ty, $value:expr) => {{
        let limiter = Limiter::of($value);
        let mut has = Vec::new();
        for (operation, run) in of_all::<$algorithm>() {
            run(&limiter);
            has.push(operation);
        }
        let asked = Has::<$algorithm>(PhantomData);
        let some = [("refund", asked.refund()), ("reserve", asked.reserve()), ("debit", asked.debit())];
        has.extend(some.into_iter().filter(|operation| operation.1).map(|operation| operation.0));
        Column { name: $name.to_string(), has }
    }};
}

fn columns() -> Vec<Column> {
    let quota = crate::Quota::per_second(10);
    vec![
        column!(AlgorithmName::Gcra, Gcra, Gcra::new(quota)),
        column!(AlgorithmName::LeakyBucket, LeakyBucket, LeakyBucket::new(quota)),
        column!(AlgorithmName::FixedWindow, FixedWindow, FixedWindow::new(quota)),
        column!(AlgorithmName::CalendarWindow, CalendarWindow, CalendarWindow::day(10)),
        column!(AlgorithmName::SlidingWindow, SlidingWindow, SlidingWindow::new(quota)),
        column!(AlgorithmName::SlidingLog, SlidingLog, SlidingLog::new(quota)),
        column!("`AnyAlgorithm`", AnyAlgorithm, AnyAlgorithm::from(quota)),
    ]
}

#[test]
fn the_page_has_the_operations_of_every_algorithm() {
    let columns = columns();
    for name in AlgorithmName::ALL {
        assert!(columns.iter().any(|column| column.name == name.as_str()), "{name} is missing");
    }
    let row = |first: &str, cells: Vec<&str>| format!("| {first} | {} |\n", cells.join(" | "));
    let mut table = row("", columns.iter().map(|column| column.name.as_str()).collect());
    writeln!(table, "|---{}|", "|---".repeat(columns.len())).expect("a string grows");
    for operation in
        ["check", "check_n", "peek", "take_up_to", "penalize", "reset", "refund", "reserve", "debit"]
    {
        let cell = |column: &Column| if column.has.contains(&operation) { "yes" } else { "–" };
        table += &row(&format!("`{operation}`"), columns.iter().map(cell).collect());
    }
    assert_printed("operations", &table);
}
