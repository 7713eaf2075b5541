//! Two limits on one request, in the case that nearly always holds: both keys known, each in its first line, and nobody
//! in the way.
//!
//! The steps are those of [`several`](super::several), without the lists it needs for anything else. Whatever does not
//! fit is left to it.

use super::line::{Guard, Line};
use super::{Ask, Verdict};
use crate::algorithm::{Algorithm, Tat};

/// A key in its first line, as of a guard.
struct Seen<'a> {
    line: &'a Line,
    guard: Guard,
    slot: usize,
    state: Tat,
}

impl<'a> Seen<'a> {
    #[inline]
    fn look(ask: &Ask<'a>, line: &'a Line) -> Option<Self> {
        let guard = line.open_in(ask.rate.epoch)?;
        let slot = line.find(ask.tag)?;
        Some(Self { line, guard, slot, state: line.state(slot) })
    }

    #[inline]
    fn write(&self, state: Tat) {
        self.line.set_state(self.slot, state);
        self.line.unlock(self.guard);
    }
}

/// Decides both as one, or says nothing.
#[inline]
pub(super) fn decide(a: &Ask<'_>, b: &Ask<'_>, now: u64) -> Option<[Verdict; 2]> {
    let line_of = |ask: &Ask<'_>| ask.table.first_home(ask.tag);
    let (a_line, b_line) = (&a.table.lines[line_of(a)], &b.table.lines[line_of(b)]);
    if core::ptr::eq(a_line, b_line) {
        return None;
    }
    // Both lines are on their way before either is needed.
    a_line.warm();
    b_line.warm();
    let (a_seen, b_seen) = (Seen::look(a, a_line)?, Seen::look(b, b_line)?);

    let admit = |ask: &Ask<'_>, seen: &Seen<'_>| ask.rate.gcra.admit(seen.state, now, ask.cost);
    match (admit(a, &a_seen), admit(b, &b_seen)) {
        (Ok(a_next), Ok(b_next)) => {
            let a_first = core::ptr::from_ref(a_line).addr() < core::ptr::from_ref(b_line).addr();
            let (lower, upper) = if a_first { (&a_seen, &b_seen) } else { (&b_seen, &a_seen) };
            if !lower.line.try_lock_open(lower.guard) {
                return None;
            }
            if !upper.line.try_lock_open(upper.guard) {
                lower.line.release(lower.guard);
                return None;
            }
            a_seen.write(a_next);
            b_seen.write(b_next);
            Some([Verdict { state: a_next, wait: None }, Verdict { state: b_next, wait: None }])
        }
        (a_answer, b_answer) => {
            let unmoved = a_line.is_still(a_seen.guard) && b_line.is_still(b_seen.guard);
            unmoved.then_some([
                Verdict { state: a_seen.state, wait: a_answer.err() },
                Verdict { state: b_seen.state, wait: b_answer.err() },
            ])
        }
    }
}
