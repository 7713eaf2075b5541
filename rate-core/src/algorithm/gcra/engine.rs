//! The token bucket on the words that limiters keep: in 96 bits, and in 64 where that is enough.

use super::{Gcra, Tat};
use crate::algorithm::word::{Engine, Packed, Word};
use crate::algorithm::{Algorithm, NEVER, Standing};

impl Gcra {
    /// Whether a tick is one part, so that every state fits 64 bits. Most quotas people write are like that.
    #[inline]
    pub(crate) const fn is_whole(&self) -> bool {
        self.parts.get() == 1
    }

    /// [`admit`](Algorithm::admit) in 64 bits, for a quota whose tick is one part.
    ///
    /// The same comparison with the same result: `full` is below 2⁶⁴ minus ten years here, so nothing overflows but
    /// what is checked. For one unit, the cost that callers write, nothing is multiplied.
    #[inline]
    pub(super) const fn admit_word(&self, state: u64, now: u64, cost: u64) -> Result<u64, u64> {
        if cost == 0 {
            return Ok(state);
        }
        if cost > self.burst.get() {
            return Err(NEVER);
        }
        // Within `full`, because the cost is within the burst.
        let further = (cost - 1) * self.interval.get();
        let (ahead, tolerance) = (state.saturating_sub(now), self.tolerance.ticks - further);
        let step = self.interval.get() + further;
        if ahead > tolerance {
            // The state is later than the instant waited for, so it is from there that the charge moves it.
            return Err(if state.checked_add(step).is_some() { ahead - tolerance } else { NEVER });
        }
        // Few steps from the state to the next one: on a busy limiter they are what everybody waits for.
        let start = if state > now { state } else { now };
        match start.checked_add(step) {
            Some(next) => Ok(next),
            None => Err(NEVER),
        }
    }
}

impl Packed for Gcra {
    #[inline(always)]
    fn pack(&self, state: Tat) -> Word {
        Word { low: state.ticks, high: state.parts }
    }

    #[inline(always)]
    fn unpack(&self, word: Word) -> Tat {
        Tat { ticks: word.low, parts: word.high }
    }

    #[inline]
    fn full_until(&self, instant: u64) -> Word {
        self.pack(self.fresh_at(instant))
    }

    /// What is ahead by more than everything was taken later.
    fn last_taken(&self, word: Word, at: u64) -> u64 {
        let full = self.full() / u128::from(self.parts.get());
        let late = u128::from(self.unpack(word).ahead_of(at).up()).saturating_sub(full);
        // At most as far ahead as the state is.
        at.saturating_add(late as u64)
    }

    #[inline]
    fn strength(&self, word: Word, _: u64) -> u64 {
        // Of one quota: who is fresh later has taken more.
        word.low
    }
}

/// A [`Gcra`] that is not, or need not be, [whole](Gcra::is_whole): by reference, for it is large. It may be one of several in
/// one table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fractions<'a, const TIERED: bool>(pub(crate) &'a Gcra);

impl<const TIERED: bool> Engine for Fractions<'_, TIERED> {
    const NARROW: bool = false;

    const TIERED: bool = TIERED;

    #[inline(always)]
    fn admit_word(&self, word: Word, now: u64, cost: u64) -> Result<Word, u64> {
        Engine::admit_word(self.0, word, now, cost)
    }

    #[inline(always)]
    fn standing_word(&self, word: Word, now: u64) -> Standing {
        Engine::standing_word(self.0, word, now)
    }

    #[inline(always)]
    fn most(&self) -> u64 {
        self.0.burst.get()
    }
}

/// A [`Gcra`] that [is whole](Gcra::is_whole), in 64 bits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Whole<'a>(pub(crate) &'a Gcra);

impl Engine for Whole<'_> {
    const NARROW: bool = true;

    #[inline(always)]
    fn admit_word(&self, word: Word, now: u64, cost: u64) -> Result<Word, u64> {
        Ok(Word { low: self.0.admit_word(word.low, now, cost)?, high: 0 })
    }

    #[inline(always)]
    fn standing_word(&self, word: Word, now: u64) -> Standing {
        self.0.standing(Tat { ticks: word.low, parts: 0 }, now)
    }

    #[inline(always)]
    fn most(&self) -> u64 {
        self.0.burst.get()
    }
}
