//! Every interleaving of two threads on the shipped table.
//!
//! `RUSTFLAGS="--cfg loom" LOOM_MAX_PREEMPTIONS=3 cargo test -p rate-core --lib --release loom`
//!
//! With three preemptions the dearest of them takes a second or two, all together six on one core.

mod changes;
mod keys;
mod moves;
mod readers;
mod several;

use std::sync::Arc;

use crate::algorithm::{Algorithm, AnyAlgorithm, Gcra, Packed, Word};
use crate::table::{Ask, Rate, Table, Usual, decide_all, decide_mixed};
use crate::{Decision, Quota};

const KEY: u64 = 42;
const OTHER_KEY: u64 = 43;
const NOW: u64 = 1_000_000_007;

/// Two units whose states are no whole ticks.
const PAIR: Quota = Quota::per_second(7).burst(2);

/// A table and the quota its user knows.
#[derive(Clone)]
struct Limit {
    table: Arc<Table>,
    rate: Rate,
}

impl Limit {
    fn new(quota: Quota, capacity: usize) -> Self {
        Self::of(quota, capacity)
    }

    fn of(algorithm: impl Into<AnyAlgorithm>, capacity: usize) -> Self {
        let rate = Rate::new(algorithm);
        Self { table: Arc::new(Table::new(capacity, &rate).expect("a few keys fit")), rate }
    }

    fn decide(&self, tag: u64, cost: u64, now: u64) -> Decision {
        Ask { table: &self.table, rate: &self.rate, tag, cost }.decide::<AnyAlgorithm>(now)
    }

    fn peek(&self, tag: u64, now: u64) -> Decision {
        Ask { table: &self.table, rate: &self.rate, tag, cost: 1 }.peek(now)
    }

    fn take(&self, tag: u64) -> bool {
        self.decide(tag, 1, NOW).is_allowed()
    }

    /// One unit from each of two keys, or from neither.
    fn take_both(&self, keys: [u64; 2]) -> bool {
        let asks = keys.map(|tag| Ask { table: &self.table, rate: &self.rate, tag, cost: 1 });
        // As `check_slice` does.
        let decided = match Usual::of(&asks[0], &asks[1]) {
            Some(usual) => usual.decide(NOW).map(|decisions| decisions.iter().all(Decision::is_allowed)),
            None => {
                let halves = decide_mixed(&asks[0], &asks[1], NOW);
                halves.map(|halves| halves.iter().all(|half| half.wait.is_none()))
            }
        };
        match decided {
            Some(allowed) => allowed,
            None => decide_all::<2, 4>(&asks, NOW, &mut |_, _| {}),
        }
    }

    fn remaining(&self, tag: u64) -> u64 {
        self.peek(tag, NOW).remaining()
    }

    fn lines_with(&self, tag: u64) -> Vec<usize> {
        (0..self.table.lines.len()).filter(|line| self.table.lines[*line].find(tag).is_some()).collect()
    }
}

/// A tag whose first home of `lines` is `first` and whose second one is `second`.
const fn tag_at(lines: u64, first: u64, second: u64, salt: u64) -> u64 {
    let (first, second) =
        ((first << 32) / lines + (1 << 20) + salt, (second << 32) / lines + (1 << 20) + salt);
    first << 32 | second
}

/// Keys at home in the first and in the second of two lines.
const LINES: [u64; 2] = [tag_at(2, 0, 1, 0), tag_at(2, 1, 0, 0)];

/// The state of a key that has just taken `cost` units.
fn spent(quota: Quota, cost: u64) -> Word {
    let gcra = Gcra::new(quota);
    gcra.pack(gcra.admit(gcra.fresh(), NOW, cost).expect("fresh"))
}
