//! Two limits on one request that are counted by any algorithms.
//!
//! As in [`pair`](super::pair), which has the steps. A token bucket beside something else gets code of its own for each; what is
//! rarer asks again and again which algorithm it is. What is left of words is not computed here, but by whoever wants to know.

use super::Ask;
use super::logged::{Log, Logged};
use super::pair::{Counted, Found, Half, Side, decide};
use crate::algorithm::{AnyAlgorithm, Engine, Fractions, NEVER, Standing, Whole, Word};

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
        AnyAlgorithm::Gcra(gcra) => gcra.standing_word(word, now),
        AnyAlgorithm::LeakyBucket(bucket) => bucket.standing_word(word, now),
        AnyAlgorithm::FixedWindow(window) => window.standing_word(word, now),
        AnyAlgorithm::CalendarWindow(window) => window.standing_word(word, now),
        AnyAlgorithm::SlidingWindow(window) => window.standing_word(word, now),
        // Says what is left itself.
        AnyAlgorithm::SlidingLog(_) => Standing { remaining: 0, reset_after: NEVER },
    }
}

/// Decides both as one, or says nothing.
#[inline(never)]
pub(crate) fn decide_mixed<'a>(a: &Ask<'a>, b: &Ask<'a>, now: u64) -> Option<[Half; 2]> {
    if a.rate.is_tiered() || b.rate.is_tiered() {
        return None;
    }
    match (&a.rate.usual, &b.rate.usual) {
        (Some(gcra), _) => decide_beside(&Whole(gcra), a, b, now, |usual, other| [usual, other]),
        (_, Some(gcra)) => decide_beside(&Whole(gcra), b, a, now, |usual, other| [other, usual]),
        _ => decide((a, Any::of(a, now)), (b, Any::of(b, now)), |a, b| [a, b]),
    }
}

/// As [`decide_mixed`], where one is a token bucket of whole ticks.
#[inline(always)]
fn decide_beside<'a>(
    engine: &Whole<'_>,
    usual: &Ask<'a>,
    other: &Ask<'a>,
    now: u64,
    in_order: impl Fn(Half, Half) -> [Half; 2],
) -> Option<[Half; 2]> {
    let usual = (usual, Counted { engine, now });
    let now = other.rate.time_of(other.tag, now);
    match &other.rate.algorithm {
        AnyAlgorithm::Gcra(gcra) => {
            decide(usual, (other, Counted { engine: &Fractions::<false>(gcra), now }), in_order)
        }
        AnyAlgorithm::LeakyBucket(engine) => decide(usual, (other, Counted { engine, now }), in_order),
        AnyAlgorithm::FixedWindow(engine) => decide(usual, (other, Counted { engine, now }), in_order),
        AnyAlgorithm::CalendarWindow(engine) => decide(usual, (other, Counted { engine, now }), in_order),
        AnyAlgorithm::SlidingWindow(engine) => decide(usual, (other, Counted { engine, now }), in_order),
        AnyAlgorithm::SlidingLog(algorithm) => decide(usual, (other, Logged { algorithm, now }), in_order),
    }
}

/// A limit of any algorithm, and its key's own time.
struct Any<'e> {
    algorithm: &'e AnyAlgorithm,
    now: u64,
}

/// What was read of a key of one.
enum Read<'a> {
    Word(Word),
    Log(Logged<'a>, Log<'a>),
}

impl<'a> Any<'a> {
    #[inline(always)]
    fn of(ask: &Ask<'a>, now: u64) -> Self {
        Self { algorithm: &ask.rate.algorithm, now: ask.rate.time_of(ask.tag, now) }
    }

    fn admit(&self, state: Word, cost: u64) -> Result<Word, u64> {
        let now = self.now;
        match self.algorithm {
            AnyAlgorithm::Gcra(gcra) => Engine::admit_word(gcra, state, now, cost),
            AnyAlgorithm::LeakyBucket(bucket) => bucket.admit_word(state, now, cost),
            AnyAlgorithm::FixedWindow(window) => window.admit_word(state, now, cost),
            AnyAlgorithm::CalendarWindow(window) => window.admit_word(state, now, cost),
            AnyAlgorithm::SlidingWindow(window) => window.admit_word(state, now, cost),
            // Not on words.
            AnyAlgorithm::SlidingLog(_) => Err(NEVER),
        }
    }
}

impl<'a> Side<'a> for Any<'a> {
    type Read = Read<'a>;

    fn look(&self, ask: &Ask<'a>, place: &Found<'a>) -> Option<(Read<'a>, Result<Word, u64>)> {
        if let AnyAlgorithm::SlidingLog(algorithm) = self.algorithm {
            let side = Logged { algorithm, now: self.now };
            return side.look(ask, place).map(|(log, answer)| (Read::Log(side, log), answer));
        }
        let state = place.line.state(place.slot);
        Some((Read::Word(state), self.admit(state, ask.cost)))
    }

    fn write(&self, ask: &Ask<'a>, place: &Found<'a>, read: &mut Read<'a>, next: Word) {
        match read {
            Read::Log(side, log) => side.write(ask, place, log, next),
            Read::Word(_) => place.line.set_state(place.slot, next),
        }
    }

    fn changed(&self, read: &Read<'a>, next: Word) -> Half {
        match read {
            Read::Log(side, log) => side.changed(log, next),
            Read::Word(_) => Half { state: next, wait: None, left: None },
        }
    }

    fn unchanged(&self, read: &Read<'a>, wait: Option<u64>) -> Half {
        match read {
            Read::Log(side, log) => side.unchanged(log, wait),
            Read::Word(state) => Half { state: *state, wait, left: None },
        }
    }
}
