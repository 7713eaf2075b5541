//! Two counts and the number of their window in 96 bits.

use super::{Counts, SlidingWindow};
use crate::algorithm::{Packed, Word};

impl Packed for SlidingWindow {
    // In 64 bits at a time: both counts together have at least 32, and the window's number begins above those.
    #[inline(always)]
    fn pack(&self, state: Counts) -> Word {
        let counts = u64::from(state.previous) << self.bits | u64::from(state.current);
        Word { low: state.window << self.beside() | counts >> 32, high: counts as u32 }
    }

    #[inline(always)]
    fn unpack(&self, word: Word) -> Counts {
        let counts = word.low << 32 | u64::from(word.high);
        let mask = u32::MAX >> (32 - self.bits);
        Counts {
            window: word.low >> self.beside(),
            previous: (counts >> self.bits) as u32 & mask,
            current: counts as u32 & mask,
        }
    }

    /// To the end of the window: the instant need not be where one ends, for it may come from another limit.
    fn full_until(&self, instant: u64) -> Word {
        match instant.checked_sub(1) {
            Some(last) => {
                self.pack(Counts { window: last / self.period(), previous: 0, current: self.penalty() })
            }
            None => Word::default(),
        }
    }

    fn fresh_at(&self, instant: u64, by: u64) -> Word {
        // What was taken in one window fades in the next. Where that one is not over in time it fades earlier.
        let full = instant.saturating_sub(1) / self.period();
        let over = by / self.period();
        match over.checked_sub(1) {
            Some(last) if last > full || instant == 0 => self.full_until(instant),
            Some(last) => self.pack(Counts { window: last, previous: self.penalty(), current: 0 }),
            None => Word::default(),
        }
    }

    fn last_taken(&self, word: Word, at: u64) -> u64 {
        let counts = self.unpack(word);
        // Of the later window with anything in it, which may be the last one there is.
        let window = counts.window.saturating_sub(u64::from(counts.current == 0));
        let start = window.saturating_mul(self.period());
        if at < start { start.saturating_add(self.period() - 1) } else { at }
    }

    fn strength(&self, word: Word, now: u64) -> u64 {
        let counts = self.unpack(word);
        let gone = now / self.period();
        match gone.saturating_sub(counts.window) {
            0 => u64::from(counts.current) + u64::from(counts.previous),
            1 => u64::from(counts.current),
            _ => 0,
        }
    }
}
