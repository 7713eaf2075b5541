//! A model that is chosen at run time.

use core::time::Duration;

use super::{Answer, Bucket, Counter, Log, Model, Place, Queue, Windows};
use crate::Timestamp;
use crate::algorithm::{Algorithm, AnyAlgorithm, Standing};

/// The model of any limit, and of one that [changes](Self::change).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AnyModel {
    /// Of the token bucket.
    Bucket(Bucket),
    /// Of the leaky bucket.
    Queue(Queue),
    /// Of fixed and calendar windows.
    Windows(Windows),
    /// Of the sliding window counter.
    Counter(Counter),
    /// Of the sliding log.
    Log(Log),
}

impl AnyModel {
    /// The model of a key that was never seen.
    ///
    /// For timestamps that count from the beginning of 1970, as those of a [`ManualClock`](crate::ManualClock) do, and
    /// without regard to staggering, for a model has no key: see [`Windows::begun_before`] for both.
    #[must_use]
    pub fn of(limit: impl Into<AnyAlgorithm>) -> Self {
        let limit = limit.into();
        let quota = limit.quota();
        match limit {
            AnyAlgorithm::Gcra(_) => Self::Bucket(Bucket::new(quota)),
            AnyAlgorithm::LeakyBucket(_) => Self::Queue(Queue::new(quota)),
            AnyAlgorithm::FixedWindow(_) => Self::Windows(Windows::fixed(quota)),
            AnyAlgorithm::CalendarWindow(window) => {
                Self::Windows(Windows::calendar(window.capacity(), window.calendar()))
            }
            AnyAlgorithm::SlidingWindow(_) => Self::Counter(Counter::new(quota)),
            AnyAlgorithm::SlidingLog(_) => Self::Log(Log::new(quota)),
        }
    }

    pub(super) fn get(&self) -> &dyn Model {
        match self {
            Self::Bucket(bucket) => bucket,
            Self::Queue(queue) => queue,
            Self::Windows(windows) => windows,
            Self::Counter(counter) => counter,
            Self::Log(log) => log,
        }
    }

    fn get_mut(&mut self) -> &mut dyn Model {
        match self {
            Self::Bucket(bucket) => bucket,
            Self::Queue(queue) => queue,
            Self::Windows(windows) => windows,
            Self::Counter(counter) => counter,
            Self::Log(log) => log,
        }
    }
}

impl Model for AnyModel {
    fn capacity(&self) -> u64 {
        self.get().capacity()
    }

    fn standing(&self, now: Timestamp) -> Standing {
        self.get().standing(now)
    }

    fn wait(&self, cost: u64, now: Timestamp) -> Option<u64> {
        self.get().wait(cost, now)
    }

    fn take(&mut self, units: u64, now: Timestamp) {
        self.get_mut().take(units, now);
    }

    fn penalize(&mut self, time: Duration, now: Timestamp) {
        self.get_mut().penalize(time, now);
    }

    fn reset(&mut self) {
        self.get_mut().reset();
    }

    fn refund(&mut self, units: u64, charged: Timestamp, now: Timestamp) -> Option<u64> {
        self.get_mut().refund(units, charged, now)
    }

    fn reserve(&mut self, cost: u64, max_wait: Duration, now: Timestamp) -> Option<Result<Place, Answer>> {
        self.get_mut().reserve(cost, max_wait, now)
    }

    fn cancel(&mut self, place: Place, now: Timestamp) -> Option<u64> {
        self.get_mut().cancel(place, now)
    }

    fn debit(&mut self, units: u64, max_debt: u64, now: Timestamp) -> Option<u64> {
        self.get_mut().debit(units, max_debt, now)
    }
}
