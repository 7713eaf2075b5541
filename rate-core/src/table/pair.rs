//! Two limits on one request, in the case that nearly always holds: both keys known, and nobody in the way.
//!
//! The steps are those of [`several`](super::several), without the lists it needs for anything else. Whatever does not
//! fit is left to it.

use super::line::{Epoch, Guard, Line};
use super::{Ask, Table};
use crate::Decision;
use crate::algorithm::{Engine, Gcra, Standing, Whole, Word};

/// One of the two limits, and its key's own time.
pub(super) trait Side<'a> {
    /// What is read of a key, or decided, beside the state to write.
    type Read;

    /// Reads a key and decides on it, or says nothing where the general way has to.
    fn look(&self, ask: &Ask<'a>, place: &Found<'a>) -> Option<(Self::Read, Result<Word, u64>)>;

    /// Writes what was decided into the locked line.
    fn write(&self, ask: &Ask<'a>, place: &Found<'a>, read: &mut Self::Read, next: Word);

    /// What is said of it when it was written.
    fn changed(&self, read: &Self::Read, next: Word) -> Half;

    /// What is said of it when nothing was.
    fn unchanged(&self, read: &Self::Read, wait: Option<u64>) -> Half;
}

/// What became of one of the two.
#[derive(Clone, Copy)]
pub(crate) struct Half {
    /// The state it is left in.
    pub(super) state: Word,
    pub(crate) wait: Option<u64>,
    /// What is left, if that was known for nothing: that of a log.
    pub(super) left: Option<Standing>,
}

/// Where a key is, as of a guard.
pub(super) struct Found<'a> {
    pub(super) line: &'a Line,
    pub(super) index: usize,
    pub(super) slot: usize,
    guard: Guard,
}

impl<'a> Found<'a> {
    #[inline(always)]
    fn look(ask: &Ask<'a>, index: usize) -> Option<Self> {
        match Self::at(ask.table, index, ask.rate.epoch, ask.tag) {
            None => Self::in_second(ask.table, ask.rate.epoch, ask.tag),
            found => found,
        }
    }

    #[inline(always)]
    fn at(table: &'a Table, index: usize, epoch: Epoch, tag: u64) -> Option<Self> {
        let line = &table.lines[index];
        let guard = line.open_in(epoch)?;
        Some(Self { line, index, slot: line.find(tag)?, guard })
    }

    /// One key in twenty; the general way takes ten times as long.
    #[inline(never)]
    fn in_second(table: &'a Table, epoch: Epoch, tag: u64) -> Option<Self> {
        let index = table.second_home(tag);
        table.lines[index].warm();
        Self::at(table, index, epoch, tag)
    }
}

/// Decides both as one, or says nothing.
///
/// What is returned is made by `answer`, once for each way to end: halves that were put together first would be in memory.
#[inline(always)]
pub(super) fn decide<'a, A: Side<'a>, B: Side<'a>, T>(
    (a, a_side): (&Ask<'a>, A),
    (b, b_side): (&Ask<'a>, B),
    answer: impl Fn(Half, Half) -> T,
) -> Option<T> {
    let (a_first, b_first) = (a.table.first_home(a.tag), b.table.first_home(b.tag));
    // Both lines are on their way before either is needed.
    a.table.lines[a_first].warm();
    b.table.lines[b_first].warm();
    let (a_found, b_found) = (Found::look(a, a_first)?, Found::look(b, b_first)?);
    if core::ptr::eq(a_found.line, b_found.line) {
        return None;
    }
    let (mut a_read, a_answer) = a_side.look(a, &a_found)?;
    let (mut b_read, b_answer) = b_side.look(b, &b_found)?;
    let (Ok(a_next), Ok(b_next)) = (a_answer, b_answer) else {
        // Before it is known that nothing moved: a log is read once more for it.
        let halves = (a_side.unchanged(&a_read, a_answer.err()), b_side.unchanged(&b_read, b_answer.err()));
        let still = a_found.line.is_still(a_found.guard) && b_found.line.is_still(b_found.guard);
        return still.then(|| answer(halves.0, halves.1));
    };
    let a_is_lower = core::ptr::from_ref(a_found.line).addr() < core::ptr::from_ref(b_found.line).addr();
    let (lower, upper) = if a_is_lower { (&a_found, &b_found) } else { (&b_found, &a_found) };
    if !lower.line.try_lock_open(lower.guard) {
        return None;
    }
    if !upper.line.try_lock_open(upper.guard) {
        lower.line.release(lower.guard);
        return None;
    }
    a_side.write(a, &a_found, &mut a_read, a_next);
    a_found.line.unlock(a_found.guard);
    b_side.write(b, &b_found, &mut b_read, b_next);
    b_found.line.unlock(b_found.guard);
    Some(answer(a_side.changed(&a_read, a_next), b_side.changed(&b_read, b_next)))
}

/// A limit whose states are words.
pub(super) struct Counted<'e, E> {
    pub(super) engine: &'e E,
    pub(super) now: u64,
}

impl<'a, E: Engine> Side<'a> for Counted<'_, E> {
    /// The state as it was.
    type Read = Word;

    #[inline(always)]
    fn look(&self, ask: &Ask<'a>, place: &Found<'a>) -> Option<(Word, Result<Word, u64>)> {
        let Found { line, slot, .. } = *place;
        let state = if E::NARROW { line.narrow(slot) } else { line.state(slot) };
        Some((state, self.engine.admit_word(state, self.now, ask.cost)))
    }

    #[inline(always)]
    fn write(&self, _: &Ask<'a>, place: &Found<'a>, _: &mut Word, next: Word) {
        if E::NARROW {
            place.line.set_narrow(place.slot, next);
        } else {
            place.line.set_state(place.slot, next);
        }
    }

    #[inline(always)]
    fn changed(&self, _: &Word, next: Word) -> Half {
        Half { state: next, wait: None, left: None }
    }

    #[inline(always)]
    fn unchanged(&self, read: &Word, wait: Option<u64>) -> Half {
        Half { state: *read, wait, left: None }
    }
}

/// Each a token bucket of whole ticks, which most limits are.
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
        let side = |engine| Counted { engine, now };
        let [a, b] = decide((a, side(&first)), (b, side(&second)), |a, b| [a, b])?;
        Some([
            Decision::new(first.most(), first.standing_word(a.state, now), a.wait),
            Decision::new(second.most(), second.standing_word(b.state, now), b.wait),
        ])
    }
}
