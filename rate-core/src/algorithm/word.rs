//! The 96 bits in which the limiters keep a state.

use super::{Algorithm, Standing};

/// A state as it is stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Word {
    pub(crate) low: u64,
    pub(crate) high: u32,
}

/// An algorithm whose states fit a word.
pub(crate) trait Packed: Algorithm + Copy {
    fn pack(&self, state: Self::State) -> Word;

    fn unpack(&self, word: Word) -> Self::State;

    /// The state of a key that was dropped when it was fresh from tick `instant` on: full before, for whoever comes late. To be
    /// asked only then.
    fn full_until(&self, instant: u64) -> Word;

    /// A state that cannot be told from a fresh one from tick `by` on, and is as full as it then can be before `instant`, which
    /// is not later.
    fn fresh_at(&self, instant: u64, _by: u64) -> Word {
        self.full_until(instant)
    }

    /// The last tick at which what counts at `at` can have been taken, if that is later.
    fn last_taken(&self, word: Word, at: u64) -> u64;

    /// Units that losing this state at `now` would admit: an order among the keys of one table, not a number.
    fn strength(&self, word: Word, now: u64) -> u64;
}

/// What a check needs of an algorithm, on words.
pub(crate) trait Engine: Copy {
    /// Whether a word's upper 32 bits are always zero.
    const NARROW: bool;

    /// Whether a key may be written in another quota, which has to be looked at.
    const TIERED: bool = false;

    fn admit_word(&self, word: Word, now: u64, cost: u64) -> Result<Word, u64>;

    fn standing_word(&self, word: Word, now: u64) -> Standing;

    fn most(&self) -> u64;
}

impl<A: Packed> Engine for A {
    const NARROW: bool = false;

    #[inline(always)]
    fn admit_word(&self, word: Word, now: u64, cost: u64) -> Result<Word, u64> {
        Ok(self.pack(self.admit(self.unpack(word), now, cost)?))
    }

    #[inline(always)]
    fn standing_word(&self, word: Word, now: u64) -> Standing {
        self.standing(self.unpack(word), now)
    }

    #[inline(always)]
    fn most(&self) -> u64 {
        self.capacity()
    }
}
