//! Two limits on one request, in the case that nearly always holds: both keys known, each in its first line, and nobody
//! in the way.
//!
//! The steps are those of [`several`](super::several), without the lists it needs for anything else. Whatever does not
//! fit is left to it.

use super::line::{Guard, Line};
use super::{Ask, Verdict};
use crate::Decision;
use crate::algorithm::{Engine, Gcra, Whole, Word};

/// A key in its first line, as of a guard.
struct Seen<'a> {
    line: &'a Line,
    guard: Guard,
    slot: usize,
    state: Word,
}

impl<'a> Seen<'a> {
    #[inline(always)]
    fn look<E: Engine>(ask: &Ask<'a>, line: &'a Line) -> Option<Self> {
        let guard = line.open_in(ask.rate.epoch)?;
        let slot = line.find(ask.tag)?;
        let state = if E::NARROW { line.narrow(slot) } else { line.state(slot) };
        Some(Self { line, guard, slot, state })
    }

    #[inline(always)]
    fn write<E: Engine>(&self, state: Word) {
        if E::NARROW {
            self.line.set_narrow(self.slot, state);
        } else {
            self.line.set_state(self.slot, state);
        }
        self.line.unlock(self.guard);
    }
}

/// Both in the case that nearly always holds, each a token bucket of whole ticks.
pub(crate) struct Usual<'a>([(Ask<'a>, &'a Gcra); 2]);

impl<'a> Usual<'a> {
    #[inline(always)]
    pub(crate) fn of(a: &Ask<'a>, b: &Ask<'a>) -> Option<Self> {
        Some(Self([(*a, a.rate.usual.as_ref()?), (*b, b.rate.usual.as_ref()?)]))
    }

    /// Decides both as one, or says nothing.
    // Inlined always, as a single decision is: what the caller does not ask of the answers is then not computed.
    #[inline(always)]
    pub(crate) fn decide(&self, now: u64) -> Option<[Decision; 2]> {
        let [(a, first), (b, second)] = &self.0;
        decide((a, &Whole(first), now), (b, &Whole(second), now))
    }
}

/// Each with its key's own time.
#[inline(always)]
fn decide<A: Engine, B: Engine>(
    (a, a_engine, a_now): (&Ask<'_>, &A, u64),
    (b, b_engine, b_now): (&Ask<'_>, &B, u64),
) -> Option<[Decision; 2]> {
    let line_of = |ask: &Ask<'_>| ask.table.first_home(ask.tag);
    let (a_line, b_line) = (&a.table.lines[line_of(a)], &b.table.lines[line_of(b)]);
    if core::ptr::eq(a_line, b_line) {
        return None;
    }
    // Both lines are on their way before either is needed.
    a_line.warm();
    b_line.warm();
    let (a_seen, b_seen) = (Seen::look::<A>(a, a_line)?, Seen::look::<B>(b, b_line)?);
    let a_answer = a_engine.admit_word(a_seen.state, a_now, a.cost);
    let b_answer = b_engine.admit_word(b_seen.state, b_now, b.cost);
    let verdicts = match (a_answer, b_answer) {
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
            a_seen.write::<A>(a_next);
            b_seen.write::<B>(b_next);
            [Verdict { state: a_next, wait: None }, Verdict { state: b_next, wait: None }]
        }
        (a_answer, b_answer) => {
            if !a_line.is_still(a_seen.guard) || !b_line.is_still(b_seen.guard) {
                return None;
            }
            [
                Verdict { state: a_seen.state, wait: a_answer.err() },
                Verdict { state: b_seen.state, wait: b_answer.err() },
            ]
        }
    };
    let [a_verdict, b_verdict] = verdicts;
    Some([
        Decision::new(a_engine.most(), a_engine.standing_word(a_verdict.state, a_now), a_verdict.wait),
        Decision::new(b_engine.most(), b_engine.standing_word(b_verdict.state, b_now), b_verdict.wait),
    ])
}
