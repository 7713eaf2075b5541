//! Two limits on one request that are counted by any algorithms, both keys known and each in its first line.
//!
//! As in [`pair`](super::pair), with what a log needs besides; and what is left of words is not computed here, but by whoever
//! wants to know.

use super::{Ask, Verdict, pair};
use super::line::{Guard, Line};
use crate::algorithm::{
    Algorithm, AnyAlgorithm, Engine, Entries, LogCount, NEVER, Packed, SlidingLog, Standing, Whole, Word,
};
use crate::kept::AtomicLog;

/// What became of one of the two.
#[derive(Clone, Copy)]
pub(crate) struct Half {
    /// The state it is left in.
    state: Word,
    pub(crate) wait: Option<u64>,
    /// What is left, if it was known for nothing: that of a log.
    left: Option<Standing>,
}

impl Half {
    /// What the key has left.
    // Inlined, and without a panic, so that it is left out where nobody asks.
    #[inline(always)]
    pub(crate) fn left(&self, ask: &Ask<'_>, now: u64) -> Standing {
        match self.left {
            Some(left) => left,
            None => standing(&ask.rate.algorithm, self.state, ask.rate.time_of(ask.tag, now)),
        }
    }
}

#[inline(always)]
fn standing(algorithm: &AnyAlgorithm, word: Word, now: u64) -> Standing {
    match algorithm {
        AnyAlgorithm::Gcra(gcra) => gcra.standing(gcra.unpack(word), now),
        AnyAlgorithm::LeakyBucket(bucket) => bucket.standing_word(word, now),
        AnyAlgorithm::FixedWindow(window) => window.standing_word(word, now),
        AnyAlgorithm::CalendarWindow(window) => window.standing_word(word, now),
        AnyAlgorithm::SlidingWindow(window) => window.standing_word(word, now),
        // Says what is left itself.
        AnyAlgorithm::SlidingLog(_) => Standing { remaining: 0, reset_after: NEVER },
    }
}

/// A key in its first line, as of a guard, and what its limit says.
struct Reached<'a> {
    line: &'a Line,
    guard: Guard,
    slot: usize,
    state: Word,
    /// The key's own time.
    now: u64,
    cost: u64,
    answer: Result<Word, u64>,
    log: Option<Logged<'a>>,
}

/// The log of a key.
struct Logged<'a> {
    algorithm: &'a SlidingLog,
    entries: Entries<&'a AtomicLog>,
    count: LogCount,
    /// What is left once the units are taken.
    left: Standing,
}

impl<'a> Reached<'a> {
    #[inline(always)]
    fn look(ask: &Ask<'a>, index: usize, now: u64) -> Option<Self> {
        let line = &ask.table.lines[index];
        let guard = line.open_in(ask.rate.epoch)?;
        let slot = line.find(ask.tag)?;
        let (state, now, cost) = (line.state(slot), ask.rate.time_of(ask.tag, now), ask.cost);
        let mut log = None;
        let answer = match &ask.rate.algorithm {
            AnyAlgorithm::Gcra(gcra) => Engine::admit_word(gcra, state, now, cost),
            AnyAlgorithm::LeakyBucket(bucket) => bucket.admit_word(state, now, cost),
            AnyAlgorithm::FixedWindow(window) => window.admit_word(state, now, cost),
            AnyAlgorithm::CalendarWindow(window) => window.admit_word(state, now, cost),
            AnyAlgorithm::SlidingWindow(window) => window.admit_word(state, now, cost),
            AnyAlgorithm::SlidingLog(algorithm) => {
                let entries = Entries::read(ask.table.logs.get()?.get(index, slot)?);
                // A key without a log may not be fresh all the same, to a late request; and nothing is written for nothing.
                if cost == 0 || entries.is_empty() && state.low > now {
                    return None;
                }
                let taken = algorithm.take(&entries, now, cost);
                log = Some(Logged { algorithm, entries, count: taken.count, left: taken.left });
                let next = Word { low: now.saturating_add(taken.left.reset_after), high: 0 };
                taken.wait.map_or(Ok(next), Err)
            }
        };
        Some(Self { line, guard, slot, state, now, cost, answer, log })
    }

    /// Writes what was decided into the locked line, and unlocks it.
    #[inline(always)]
    fn write(self, next: Word) -> Half {
        self.line.set_state(self.slot, next);
        let left = self.log.map(|mut log| {
            log.entries.push_to(log.count, self.now, self.cost);
            log.left
        });
        self.line.unlock(self.guard);
        Half { state: next, wait: None, left }
    }

    /// What is said where nothing is written.
    #[inline(always)]
    fn unchanged(self) -> Half {
        let left = self.log.map(|log| log.algorithm.left_of(&log.entries, log.count, self.now));
        Half { state: self.state, wait: self.answer.err(), left }
    }
}

/// Decides both as one, or says nothing.
#[inline(never)]
pub(crate) fn decide_mixed(a: &Ask<'_>, b: &Ask<'_>, now: u64) -> Option<[Half; 2]> {
    match (&a.rate.usual, &b.rate.usual) {
        (Some(gcra), _) => decide_beside(Whole(gcra), a, b, now, |usual, other| [usual, other]),
        (_, Some(gcra)) => decide_beside(Whole(gcra), b, a, now, |usual, other| [other, usual]),
        _ => decide_anyhow(a, b, now),
    }
}

/// As [`decide_mixed`], where one is a token bucket of whole ticks.
#[inline(always)]
fn decide_beside(
    engine: Whole<'_>,
    ask: &Ask<'_>,
    other: &Ask<'_>,
    now: u64,
    in_order: impl Fn(Half, Half) -> [Half; 2],
) -> Option<[Half; 2]> {
    let own = other.rate.time_of(other.tag, now);
    let usual = (ask, &engine, now);
    let half = |Verdict { state, wait }| Half { state, wait, left: None };
    let halves = |usual, other| in_order(half(usual), half(other));
    match &other.rate.algorithm {
        AnyAlgorithm::LeakyBucket(bucket) => pair::decide(usual, (other, bucket, own), halves),
        AnyAlgorithm::FixedWindow(window) => pair::decide(usual, (other, window, own), halves),
        AnyAlgorithm::CalendarWindow(window) => pair::decide(usual, (other, window, own), halves),
        AnyAlgorithm::SlidingWindow(window) => pair::decide(usual, (other, window, own), halves),
        AnyAlgorithm::Gcra(_) | AnyAlgorithm::SlidingLog(_) => {
            let [usual, other] = decide_anyhow(ask, other, now)?;
            Some(in_order(usual, other))
        }
    }
}

/// As [`decide_mixed`], whatever the algorithms are.
#[inline(never)]
fn decide_anyhow(a: &Ask<'_>, b: &Ask<'_>, now: u64) -> Option<[Half; 2]> {
    if a.rate.is_tiered() || b.rate.is_tiered() {
        return None;
    }
    let (a_index, b_index) = (a.table.first_home(a.tag), b.table.first_home(b.tag));
    let (a_line, b_line) = (&a.table.lines[a_index], &b.table.lines[b_index]);
    if core::ptr::eq(a_line, b_line) {
        return None;
    }
    // Both lines are on their way before either is needed.
    a_line.warm();
    b_line.warm();
    let (a, b) = (Reached::look(a, a_index, now)?, Reached::look(b, b_index, now)?);
    let (Ok(a_next), Ok(b_next)) = (a.answer, b.answer) else {
        let (a_guard, b_guard) = (a.guard, b.guard);
        // Before it is known that nothing moved, for it reads the logs once more.
        let halves = [a.unchanged(), b.unchanged()];
        return (a_line.is_still(a_guard) && b_line.is_still(b_guard)).then_some(halves);
    };
    let a_first = core::ptr::from_ref(a_line).addr() < core::ptr::from_ref(b_line).addr();
    let (lower, upper) = if a_first { (&a, &b) } else { (&b, &a) };
    if !lower.line.try_lock_open(lower.guard) {
        return None;
    }
    if !upper.line.try_lock_open(upper.guard) {
        lower.line.release(lower.guard);
        return None;
    }
    Some([a.write(a_next), b.write(b_next)])
}
