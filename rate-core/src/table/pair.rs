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
    #[inline(always)]
    fn look<const WHOLE: bool>(ask: &Ask<'a>, line: &'a Line) -> Option<Self> {
        let guard = line.open_in(ask.rate.epoch)?;
        let slot = line.find(ask.tag)?;
        let state = if WHOLE { Tat::new(line.word(slot), 0) } else { line.state(slot) };
        Some(Self { line, guard, slot, state })
    }

    #[inline(always)]
    fn admit<const WHOLE: bool>(&self, ask: &Ask<'_>, now: u64) -> Result<Tat, u64> {
        if WHOLE {
            let next = ask.rate.gcra.admit_word(self.state.ticks(), now, ask.cost)?;
            Ok(Tat::new(next, 0))
        } else {
            ask.rate.gcra.admit(self.state, now, ask.cost)
        }
    }

    #[inline(always)]
    fn write<const WHOLE: bool>(&self, state: Tat) {
        if WHOLE {
            self.line.set_word(self.slot, state.ticks());
        } else {
            self.line.set_state(self.slot, state);
        }
        self.line.unlock(self.guard);
    }
}

/// Decides both as one, or says nothing.
// Inlined always, as a single decision is: what the caller does not ask of the answers is then not computed.
#[inline(always)]
pub(crate) fn decide_pair(a: &Ask<'_>, b: &Ask<'_>, now: u64) -> Option<[Verdict; 2]> {
    if a.rate.gcra.is_whole() && b.rate.gcra.is_whole() {
        decide::<true>(a, b, now)
    } else {
        decide_long(a, b, now)
    }
}

/// As [`decide_pair`], for quotas whose states have 96 bits.
#[inline(never)]
fn decide_long(a: &Ask<'_>, b: &Ask<'_>, now: u64) -> Option<[Verdict; 2]> {
    decide::<false>(a, b, now)
}

#[inline(always)]
fn decide<const WHOLE: bool>(a: &Ask<'_>, b: &Ask<'_>, now: u64) -> Option<[Verdict; 2]> {
    let line_of = |ask: &Ask<'_>| ask.table.first_home(ask.tag);
    let (a_line, b_line) = (&a.table.lines[line_of(a)], &b.table.lines[line_of(b)]);
    if core::ptr::eq(a_line, b_line) {
        return None;
    }
    // Both lines are on their way before either is needed.
    a_line.warm();
    b_line.warm();
    let (a_seen, b_seen) = (Seen::look::<WHOLE>(a, a_line)?, Seen::look::<WHOLE>(b, b_line)?);
    match (a_seen.admit::<WHOLE>(a, now), b_seen.admit::<WHOLE>(b, now)) {
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
            a_seen.write::<WHOLE>(a_next);
            b_seen.write::<WHOLE>(b_next);
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
