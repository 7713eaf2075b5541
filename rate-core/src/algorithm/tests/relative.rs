//! Moving states in time: where everything repeats, the states of one period stand for those of all.

use std::fmt::Debug;
use std::hash::Hash;

use crate::algorithm::{
    Algorithm, AnyAlgorithm, AnyState, Calendar, CalendarWindow, Count, Counts, FixedWindow, Gcra,
    LeakyBucket, Log, SlidingLog, SlidingWindow, Tat,
};

/// An algorithm whose states can be told apart by a key and moved in time.
pub(super) trait Relative: Algorithm + Copy + Debug {
    /// What tells one state from another.
    type Key: Clone + Eq + Hash + Debug;

    fn key(state: &Self::State) -> Self::Key;

    /// After so many ticks everything repeats; never where months differ in length.
    fn repeats(&self) -> Option<u64>;

    /// The state as it would be had everything happened `ticks` ago. What counts for nothing since the tick `forget`, in the
    /// new time, is forgotten.
    fn earlier(&self, state: Self::State, ticks: u64, forget: u64) -> Self::State;

    /// Whether units pass one after the other, and turns are counted from within the last tick.
    fn is_queue(&self) -> bool {
        false
    }

    /// The period, in ticks.
    fn ticks(&self) -> u64 {
        self.bounds().ticks()
    }
}

fn earlier_tat(state: Tat, ticks: u64, forget: u64) -> Tat {
    match state.ticks().checked_sub(ticks) {
        Some(at) if at >= forget => Tat::new(at, state.parts()),
        _ => Tat::default(),
    }
}

fn earlier_count(state: Count, ticks: u64, forget: u64) -> Count {
    match state.end().checked_sub(ticks) {
        Some(end) if end > forget => Count::new(end, state.used()),
        _ => Count::default(),
    }
}

impl Relative for Gcra {
    type Key = (u64, u32);

    fn key(state: &Tat) -> (u64, u32) {
        (state.ticks(), state.parts())
    }

    fn repeats(&self) -> Option<u64> {
        Some(1)
    }

    fn earlier(&self, state: Tat, ticks: u64, forget: u64) -> Tat {
        earlier_tat(state, ticks, forget)
    }
}

impl Relative for LeakyBucket {
    type Key = (u64, u32);

    fn key(state: &Tat) -> (u64, u32) {
        (state.ticks(), state.parts())
    }

    fn repeats(&self) -> Option<u64> {
        Some(1)
    }

    fn is_queue(&self) -> bool {
        true
    }

    fn earlier(&self, state: Tat, ticks: u64, forget: u64) -> Tat {
        // Turns are counted from a tick that is over, as long as it is the last one.
        earlier_tat(state, ticks, forget.saturating_sub(1))
    }
}

impl Relative for FixedWindow {
    type Key = (u64, u32);

    fn key(state: &Count) -> (u64, u32) {
        (state.end(), state.used())
    }

    fn repeats(&self) -> Option<u64> {
        Some(self.period())
    }

    fn earlier(&self, state: Count, ticks: u64, forget: u64) -> Count {
        earlier_count(state, ticks, forget)
    }
}

impl Relative for CalendarWindow {
    type Key = (u64, u32);

    fn key(state: &Count) -> (u64, u32) {
        (state.end(), state.used())
    }

    fn repeats(&self) -> Option<u64> {
        match self.calendar() {
            Calendar::Day => Some(self.ticks()),
            Calendar::Month => None,
        }
    }

    fn earlier(&self, state: Count, ticks: u64, forget: u64) -> Count {
        earlier_count(state, ticks, forget)
    }
}

impl Relative for SlidingWindow {
    type Key = (u64, u32, u32);

    fn key(state: &Counts) -> (u64, u32, u32) {
        (state.window(), state.previous(), state.current())
    }

    fn repeats(&self) -> Option<u64> {
        Some(self.period())
    }

    fn earlier(&self, state: Counts, ticks: u64, forget: u64) -> Counts {
        assert_eq!(ticks % self.period(), 0, "windows have numbers");
        match state.window().checked_sub(ticks / self.period()) {
            Some(window) if (window + 2) * self.period() > forget => {
                Counts::new(window, state.previous(), state.current())
            }
            _ => Counts::default(),
        }
    }
}

impl Relative for SlidingLog {
    type Key = Vec<(u64, u64)>;

    fn key(state: &Log) -> Self::Key {
        state.iter().collect()
    }

    fn repeats(&self) -> Option<u64> {
        Some(1)
    }

    fn earlier(&self, state: Log, ticks: u64, forget: u64) -> Log {
        let mut moved = self.fresh();
        for (expiry, units) in state.iter() {
            match expiry.checked_sub(ticks) {
                Some(expiry) if expiry > forget => {
                    let mut entries = moved.entries();
                    // Of more than the limit: a penalty. Of nothing: all were given back, and the instant stays.
                    match expiry.checked_sub(self.period()) {
                        Some(at) if units <= self.capacity() => {
                            entries.push(self.period(), at, units.max(1));
                            if units == 0 {
                                entries.refund(self.capacity(), self.period(), at, 1, at);
                            }
                        }
                        _ => entries.fill(self.capacity(), expiry),
                    }
                }
                _ => {}
            }
        }
        moved
    }
}

impl Relative for AnyAlgorithm {
    type Key = String;

    fn key(state: &AnyState) -> String {
        format!("{state:?}")
    }

    fn repeats(&self) -> Option<u64> {
        match self {
            Self::Gcra(gcra) => gcra.repeats(),
            Self::LeakyBucket(bucket) => bucket.repeats(),
            Self::FixedWindow(window) => window.repeats(),
            Self::CalendarWindow(window) => window.repeats(),
            Self::SlidingWindow(window) => window.repeats(),
            Self::SlidingLog(log) => log.repeats(),
        }
    }

    fn is_queue(&self) -> bool {
        matches!(self, Self::LeakyBucket(_))
    }

    fn earlier(&self, state: AnyState, ticks: u64, forget: u64) -> AnyState {
        match (self, state) {
            (Self::Gcra(gcra), AnyState::Tat(tat)) => AnyState::Tat(gcra.earlier(tat, ticks, forget)),
            (Self::LeakyBucket(bucket), AnyState::Tat(tat)) => {
                AnyState::Tat(bucket.earlier(tat, ticks, forget))
            }
            (Self::FixedWindow(window), AnyState::Count(count)) => {
                AnyState::Count(window.earlier(count, ticks, forget))
            }
            (Self::CalendarWindow(window), AnyState::Count(count)) => {
                AnyState::Count(window.earlier(count, ticks, forget))
            }
            (Self::SlidingWindow(window), AnyState::Counts(counts)) => {
                AnyState::Counts(window.earlier(counts, ticks, forget))
            }
            (Self::SlidingLog(log), AnyState::Log(state)) => AnyState::Log(log.earlier(state, ticks, forget)),
            (algorithm, state) => panic!("{state:?} is no state of {algorithm:?}"),
        }
    }
}
