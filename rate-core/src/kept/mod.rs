//! The algorithms as the limiters keep them: every operation on the 96 bits of a state, and on the log beside it if there
//! is one.
//!
//! An operation is decided on a state that was read without a lock, and says what to write; whoever writes it makes sure
//! that nothing has moved since.

mod behind;
mod log;
mod run;
mod slot;

use crate::algorithm::{
    Algorithm, AlgorithmName, AnyAlgorithm, CalendarWindow, Charged, FixedWindow, Gcra, LeakyBucket, Packed,
    SlidingLog, SlidingWindow, Word,
};
#[cfg(feature = "std")]
pub(crate) use log::read as log_header;
pub(crate) use log::{AtomicLog, no_log, ring};
#[cfg(feature = "std")]
pub(crate) use slot::Mark;

/// An algorithm that the limiters of this crate can count by.
///
/// All of them: the trait cannot be implemented elsewhere.
pub trait Kept: Algorithm + Copy + Into<AnyAlgorithm> + Send + Sync + sealed::Sealed + 'static {
    /// Which one, if that is known when the program is compiled.
    #[doc(hidden)]
    const NAME: Option<AlgorithmName>;
}

mod sealed {
    pub trait Sealed {}
}

macro_rules! kept {
    ($($algorithm:ident)*) => {$(
        impl sealed::Sealed for $algorithm {}

        impl Kept for $algorithm {
            const NAME: Option<AlgorithmName> = Some(AlgorithmName::$algorithm);
        }
    )*};
}

kept!(Gcra LeakyBucket FixedWindow CalendarWindow SlidingWindow SlidingLog);

impl sealed::Sealed for AnyAlgorithm {}

impl Kept for AnyAlgorithm {
    const NAME: Option<AlgorithmName> = None;
}

/// What is asked of a key.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Operation {
    Take(u64),
    TakeUpTo(u64),
    Refund(Charged),
    Reserve { cost: u64, max_wait: u64 },
    Cancel { after: Word, charge: Charged },
    Debit { units: u64, max_debt: u64 },
    Penalize { time: u64 },
}

impl Operation {
    /// Whether it gives units back, and takes none.
    pub(crate) fn is_given_back(self) -> bool {
        matches!(self, Self::Refund(_) | Self::Cancel { .. })
    }

    /// The same where the limit has changed since the caller has read it: units of the old one cannot be given back to a state
    /// that is written in the new one.
    pub(crate) fn under_another_limit(self) -> Self {
        match self {
            Self::Refund(charge) | Self::Cancel { charge, .. } => {
                Self::Refund(Charged { units: 0, ..charge })
            }
            other => other,
        }
    }
}

/// How an operation ends if nothing has moved since the state was read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outcome {
    /// The state afterwards.
    pub(crate) word: Word,
    /// What becomes of the log.
    pub(crate) change: Change,
    /// Units taken or given back, or ticks to wait for a reservation; or the wait after which to ask again.
    pub(crate) result: Result<u64, u64>,
}

/// What an operation writes into a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    Nothing,
    Push(u64),
    Refund(Charged),
    Fill { until: u64 },
}

impl Outcome {
    /// What is to be written, nothing.
    pub(crate) fn unchanged(word: Word, result: Result<u64, u64>) -> Self {
        Self { word, change: Change::Nothing, result }
    }

    fn of<A: Packed>(algorithm: &A, (state, result): (A::State, u64)) -> Self {
        Self { word: algorithm.pack(state), change: Change::Nothing, result: Ok(result) }
    }

    /// Whether there is nothing to write.
    pub(crate) fn leaves(&self, word: Word) -> bool {
        self.word == word && self.change == Change::Nothing
    }
}
