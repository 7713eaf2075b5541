//! What a table of many keys asks of a state besides.

use super::{AtomicLog, Change, Operation, Outcome, no_log};
use crate::algorithm::{Algorithm, AnyAlgorithm, Engine, Entries, Gcra, Packed, Word};

/// A state that is told from others, and never all zeros.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) low: u64,
    pub(crate) high: u64,
}

impl AnyAlgorithm {
    /// The first tick of the key's own time from which its state cannot be told from a fresh one.
    pub(crate) fn fresh_from_word(&self, word: Word) -> u64 {
        match self {
            Self::Gcra(gcra) => gcra.fresh_from(gcra.unpack(word)),
            Self::LeakyBucket(bucket) => bucket.fresh_from(bucket.unpack(word)),
            Self::FixedWindow(window) => window.fresh_from(window.unpack(word)),
            Self::CalendarWindow(window) => window.fresh_from(window.unpack(word)),
            Self::SlidingWindow(window) => window.fresh_from(window.unpack(word)),
            Self::SlidingLog(_) => word.low,
        }
    }

    /// The state of a key that was dropped when it was as good as new from `instant` on, for a request that comes before.
    pub(crate) fn word_full_until(&self, instant: u64) -> Word {
        match self {
            Self::Gcra(gcra) => gcra.full_until(instant),
            Self::LeakyBucket(bucket) => bucket.full_until(instant),
            Self::FixedWindow(window) => window.full_until(instant),
            Self::CalendarWindow(window) => window.full_until(instant),
            Self::SlidingWindow(window) => window.full_until(instant),
            Self::SlidingLog(_) => Word { low: instant, high: 0 },
        }
    }

    /// The same, if it has to be as good as new by the tick `by`.
    fn word_fresh_at(&self, instant: u64, by: u64) -> Word {
        match self {
            Self::SlidingWindow(window) => window.fresh_at(instant, by),
            _ => self.word_full_until(instant),
        }
    }

    /// What tells a state from any other that the same key can have come from it by taking something.
    pub(crate) fn mark(&self, word: Word, log: AtomicLog<'_>) -> Mark {
        let entries = Entries::read(log);
        match self {
            Self::SlidingLog(_) if !entries.is_new() => {
                let (low, high) = entries.mark();
                Mark { low, high }
            }
            _ => Mark { low: word.low, high: 1 << 32 | u64::from(word.high) },
        }
    }

    /// Ticks after which nothing is left of what is used, if that is everything, and was taken last by now.
    pub(crate) fn time_to_reset(&self) -> u64 {
        match self {
            Self::Gcra(gcra) => gcra.time_to_fill(),
            Self::LeakyBucket(bucket) => bucket.gcra().time_to_fill(),
            Self::FixedWindow(window) => window.period(),
            Self::CalendarWindow(window) => window.longest(),
            Self::SlidingWindow(window) => window.period().saturating_mul(2),
            Self::SlidingLog(log) => log.period(),
        }
    }

    /// Whether what was used of `left` may come back sooner by this limit: for certain not in a bucket that fills no faster, nor
    /// where it expires with the same windows. Any other window may be over at once, and a longer log has what it found when it was
    /// come to as long as that would have lasted.
    pub(crate) fn forgets_sooner_than(&self, left: &Self) -> bool {
        match (self, left) {
            (Self::FixedWindow(window), Self::FixedWindow(left)) => !window.has_windows_of(left),
            (Self::CalendarWindow(window), Self::CalendarWindow(left)) => !window.has_windows_of(left),
            (Self::SlidingWindow(window), Self::SlidingWindow(left)) => window.period() != left.period(),
            (Self::SlidingLog(log), Self::SlidingLog(left)) => log.period() != left.period(),
            _ => match (self.intervals(), left.intervals()) {
                (Some(gcra), Some(left)) => gcra.time_to_fill() < left.time_to_fill(),
                _ => true,
            },
        }
    }

    /// Carries the used share of a state over to the limit `to`: half spent stays half spent.
    ///
    /// `at` is the instant of the change in the key's time under either. Rounded up to a unit, or less, so that changing a
    /// limit back and forth never frees anybody; and for a log the new one is to begin with what is returned, at the instant
    /// that is returned too.
    pub(crate) fn carry_over(
        &self,
        to: &Self,
        (word, log): (Word, AtomicLog<'_>),
        at: (u64, u64),
    ) -> (Outcome, u64) {
        if let (Some(from), Some(next)) = (self.intervals(), to.intervals()) {
            let state = from.carry_over(next, from.unpack(word), at.0);
            return (Outcome::of(next, (state, 0)), at.1);
        }
        let left = match self.intervals() {
            // What is in the queue, where the queue itself would say that nothing can pass.
            Some(gcra) => gcra.standing_word(word, at.0),
            None => self.left(word, log, at.0),
        };
        let (all, next_all) = (u128::from(self.capacity()), u128::from(to.capacity()));
        let used = (all - u128::from(left.remaining).min(all)) * next_all;
        // At most all of it, so it fits.
        let units = used.div_ceil(all) as u64;
        if units == 0 {
            return (self.left_idle(to, word, at), at.1);
        }
        let is_penalized = self.is_penalized(word, log, at.0);
        // A window would be over too early if it began before the one in which the units were taken.
        let at = at.1.saturating_add(self.last_taken(word, log, at.0) - at.0);
        let queue = to.intervals().map(|gcra| Self::Gcra(*gcra));
        let taken = queue.as_ref().unwrap_or(to).run(Word::default(), no_log(), at, Operation::Take(units));
        let carried = match taken.result {
            // Of which a refund gives nothing back here either.
            Ok(_) if is_penalized => to.marked(taken, at),
            Ok(_) => taken,
            // Past the end of representable time: refused rather than forgotten.
            Err(_) => Outcome::unchanged(to.word_full_until(u64::MAX), Ok(0)),
        };
        (carried, at)
    }

    /// The state in the limit `to` of a key in a state of which nothing counts, or is to count, at `at`.
    pub(crate) fn left_idle(&self, to: &Self, word: Word, at: (u64, u64)) -> Outcome {
        // Not moved to `at`: an idle key has nothing to carry, and `at` may lie far ahead of everybody else's time. Nor past
        // it: a queue is not wholly as good as new before the end of the tick in which it is idle.
        let fresh_from = self.fresh_from_word(word).min(at.0);
        let fresh_from = match at.1.checked_sub(at.0) {
            Some(later) => fresh_from.saturating_add(later),
            None => fresh_from.saturating_sub(at.0 - at.1),
        };
        Outcome::unchanged(to.word_fresh_at(fresh_from, at.1), Ok(0))
    }

    /// The last instant at which what counts at `at` can have been taken: `at` itself, but for a timestamp that is late, or a
    /// key that is penalized or has reserved.
    pub(crate) fn last_taken(&self, word: Word, log: AtomicLog<'_>, at: u64) -> u64 {
        let last = match self {
            Self::Gcra(gcra) => gcra.last_taken(word, at),
            Self::LeakyBucket(bucket) => bucket.last_taken(word, at),
            Self::FixedWindow(window) => window.last_taken(word, at),
            Self::CalendarWindow(window) => window.last_taken(word, at),
            Self::SlidingWindow(window) => window.last_taken(word, at),
            // A log that is empty is that of a key that was dropped, and the word all there is.
            Self::SlidingLog(log_of) => match Entries::read(log).fresh_from() {
                0 => word.low.saturating_sub(log_of.period()),
                fresh_from => fresh_from.saturating_sub(log_of.period()),
            },
        };
        last.max(at)
    }

    /// Whether it is written down that nothing is admitted at `at` whatever is refunded.
    fn is_penalized(&self, word: Word, log: AtomicLog<'_>, at: u64) -> bool {
        match self {
            Self::FixedWindow(window) => window.is_penalized(word, at),
            Self::CalendarWindow(window) => window.is_penalized(word, at),
            Self::SlidingWindow(window) => window.is_penalized(word, at),
            Self::SlidingLog(algorithm) => algorithm.is_penalized(&Entries::read(log), at),
            Self::Gcra(_) | Self::LeakyBucket(_) => false,
        }
    }

    /// What was taken at `at`, as a penalty where that can be written down in the same window.
    fn marked(&self, taken: Outcome, at: u64) -> Outcome {
        match self {
            Self::FixedWindow(_) | Self::CalendarWindow(_) | Self::SlidingWindow(_) => {
                self.run(taken.word, no_log(), at, Operation::Penalize { time: 1 })
            }
            Self::SlidingLog(algorithm) => {
                let until = at.saturating_add(algorithm.period());
                Outcome { change: Change::Fill { until }, ..taken }
            }
            Self::Gcra(_) | Self::LeakyBucket(_) => taken,
        }
    }

    /// The arithmetic of those whose state is an instant.
    pub(crate) fn intervals(&self) -> Option<&Gcra> {
        match self {
            Self::Gcra(gcra) => Some(gcra),
            Self::LeakyBucket(bucket) => Some(bucket.gcra()),
            _ => None,
        }
    }

    /// Ticks by which the own time of the key with this hash is ahead.
    #[inline(always)]
    pub(crate) fn shift(&self, hash: u64) -> u64 {
        if let Self::FixedWindow(window) = self { window.shift(hash) } else { 0 }
    }

    /// Admissions that a log has room for; zero where there is none.
    pub(crate) fn entries(&self) -> usize {
        if let Self::SlidingLog(log) = self { log.entries() } else { 0 }
    }
}
