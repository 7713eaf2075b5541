//! A key that is in neither of its lines, decided and stored in the shortest way.
//!
//! It has one of its own because a flood comes with keys that were never seen. The steps are those of any other operation;
//! whatever is in the way is left to that.

use super::ask::{Ask, Verdict};
use super::insert::Newcomer;
use super::line::Guard;
use crate::algorithm::Engine;
use crate::kept::Change;

impl Ask<'_> {
    /// Decides on a key that is in neither line as of their guards, and stores it if it is admitted. Says nothing if anybody
    /// is in the way.
    ///
    /// `now` is the key's own time.
    #[inline(always)]
    pub(super) fn decide_absent<E: Engine>(
        &self,
        engine: &E,
        (first_guard, second_guard): (Guard, Guard),
        now: u64,
    ) -> Option<Verdict> {
        let Self { table, rate, tag, cost } = *self;
        let homes = (table.first_home(tag), table.second_home(tag));
        let (first, second) = (&table.lines[homes.0], &table.lines[homes.1]);
        if homes.0 == homes.1 {
            // A table of one line, which is locked once.
            return None;
        }
        let state = table.absent(rate, tag, rate.everybodys(tag, now));
        let next = match engine.admit_word(state, now, cost) {
            Ok(next) if next != state => next,
            // Nothing to write, and nobody is stored for nothing.
            unchanged => {
                let still = first.is_still(first_guard) && second.is_still(second_guard);
                return still.then_some(Verdict { state, wait: unchanged.err() });
            }
        };
        // In the order of their addresses, as everybody does. Selected, for nobody can predict which one it is.
        let is_first = homes.0 < homes.1;
        let (lower, lower_guard) = if is_first { (first, first_guard) } else { (second, second_guard) };
        let (upper, upper_guard) = if is_first { (second, second_guard) } else { (first, first_guard) };
        if !lower.try_lock_open(lower_guard) {
            return None;
        }
        if !upper.try_lock_open(upper_guard) {
            lower.release(lower_guard);
            return None;
        }
        let newcomer = Newcomer { tag, state: next, change: Change::Nothing };
        table.insert(rate, newcomer, homes, rate.everybodys(tag, now));
        first.unlock(first_guard);
        second.unlock(second_guard);
        Some(Verdict { state: next, wait: None })
    }
}
