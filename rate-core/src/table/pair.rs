//! Two limits on one request, in the case that nearly always holds: both keys known, and nobody in the
//! way.
//!
//! The steps are those of [`several`](super::several), without the lists it needs for anything else. Whatever does not
//! fit is left to it.

use super::line::{Epoch, Guard, Line};
use super::{Ask, Table, Verdict};
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
    fn look<E: Engine>(ask: &Ask<'a>, first: &'a Line) -> Option<Self> {
        let found = find(first, ask.rate.epoch, ask.tag);
        let (line, guard, slot) = match found {
            Some((guard, slot)) => (first, guard, slot),
            None => find_in_second(ask.table, ask.rate.epoch, ask.tag)?,
        };
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

#[inline(always)]
fn find(line: &Line, epoch: Epoch, tag: u64) -> Option<(Guard, usize)> {
    let guard = line.open_in(epoch)?;
    Some((guard, line.find(tag)?))
}

/// One key in twenty; going the general way for it would take as long as ten decisions.
#[inline(never)]
fn find_in_second(table: &Table, epoch: Epoch, tag: u64) -> Option<(&Line, Guard, usize)> {
    let line = &table.lines[table.second_home(tag)];
    line.warm();
    let (guard, slot) = find(line, epoch, tag)?;
    Some((line, guard, slot))
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
        let (first, second) = (Whole(first), Whole(second));
        let [a, b] = decide((a, &first, now), (b, &second, now), |a, b| [a, b])?;
        Some([
            Decision::new(first.most(), first.standing_word(a.state, now), a.wait),
            Decision::new(second.most(), second.standing_word(b.state, now), b.wait),
        ])
    }
}

/// Decides both as one, each in its key's own time, or says nothing.
///
/// What is returned is made by `answer`, once for each way to end: verdicts that were put together first would be in memory.
#[inline(always)]
pub(super) fn decide<A: Engine, B: Engine, T>(
    (a, a_engine, a_now): (&Ask<'_>, &A, u64),
    (b, b_engine, b_now): (&Ask<'_>, &B, u64),
    answer: impl Fn(Verdict, Verdict) -> T,
) -> Option<T> {
    let first_of = |ask: &Ask<'_>| ask.table.first_home(ask.tag);
    let (a_first, b_first) = (&a.table.lines[first_of(a)], &b.table.lines[first_of(b)]);
    // Both lines are on their way before either is needed.
    a_first.warm();
    b_first.warm();
    let (a_seen, b_seen) = (Seen::look::<A>(a, a_first)?, Seen::look::<B>(b, b_first)?);
    if core::ptr::eq(a_seen.line, b_seen.line) {
        return None;
    }
    let a_answer = a_engine.admit_word(a_seen.state, a_now, a.cost);
    let b_answer = b_engine.admit_word(b_seen.state, b_now, b.cost);
    let (Ok(a_next), Ok(b_next)) = (a_answer, b_answer) else {
        if !a_seen.line.is_still(a_seen.guard) || !b_seen.line.is_still(b_seen.guard) {
            return None;
        }
        return Some(answer(
            Verdict { state: a_seen.state, wait: a_answer.err() },
            Verdict { state: b_seen.state, wait: b_answer.err() },
        ));
    };
    let a_is_lower = core::ptr::from_ref(a_seen.line).addr() < core::ptr::from_ref(b_seen.line).addr();
    let (lower, upper) = if a_is_lower { (&a_seen, &b_seen) } else { (&b_seen, &a_seen) };
    if !lower.line.try_lock_open(lower.guard) {
        return None;
    }
    if !upper.line.try_lock_open(upper.guard) {
        lower.line.release(lower.guard);
        return None;
    }
    a_seen.write::<A>(a_next);
    b_seen.write::<B>(b_next);
    Some(answer(Verdict { state: a_next, wait: None }, Verdict { state: b_next, wait: None }))
}
