//! From one limit to another.

use core::time::Duration;

use super::{AnyModel, Model};
use crate::Timestamp;

/// What is used of a bucket or queue, in shares.
pub(super) struct Backlog {
    pub(super) used: i128,
    /// What a whole bucket has.
    pub(super) full: i128,
    /// What a unit has.
    pub(super) unit: i128,
    /// What comes back in a nanosecond.
    pub(super) gain: i128,
    /// When all of it has come back, in units of which a nanosecond has `gain`.
    pub(super) gone_from: i128,
}

impl Backlog {
    /// Nanoseconds in which so many shares come back.
    fn time_for(&self, shares: i128) -> i128 {
        (shares + self.gain - 1) / self.gain
    }

    /// The first tick at which all of it has come back.
    pub(super) fn gone_by(&self) -> u64 {
        u64::try_from(self.time_for(self.gone_from)).unwrap_or(u64::MAX)
    }
}

impl AnyModel {
    /// Changes the limit at `at` to that of `next`, a model that was asked nothing yet. The share that is used of the limit
    /// carries over, as with [`KeyedLimiter::with_limit_at`](crate::KeyedLimiter::with_limit_at).
    ///
    /// * From bucket to bucket it is the time in which it comes back that counts, in whole nanoseconds and rounded up. What is
    ///   owed beyond a whole bucket is owed as long as before.
    /// * Else it is units, and the new limit begins with so many taken, rounded up: at `at`, or at the last instant at which
    ///   they can have been taken, if `at` is late or the key was penalized or owes more than a whole bucket. Between windows
    ///   they are a penalty still, of which nothing is given back.
    /// * An idle key stays idle, and to a request that is late is as spent as it was.
    /// * A counter that becomes one of the same period keeps the share of each window, rounded up.
    /// * A log that becomes one keeps the share that counts, and of each unit in it the part of its period that is left; in one of
    ///   the same period it counts as long as before.
    ///
    /// # Examples
    ///
    /// ```
    /// use rate_core::algorithm::FixedWindow;
    /// use rate_core::test_util::model::{AnyModel, Model};
    /// use rate_core::{Quota, Timestamp};
    ///
    /// let mut model = AnyModel::of(Quota::per_second(10));
    /// assert!(model.check(4, Timestamp::ZERO).allowed);
    /// // Four tenths stay used.
    /// model.change(AnyModel::of(FixedWindow::new(Quota::per_minute(60))), Timestamp::ZERO);
    /// assert!(model.check(36, Timestamp::ZERO).allowed);
    /// assert!(!model.check(1, Timestamp::ZERO).allowed);
    /// ```
    pub fn change(&mut self, next: Self, at: Timestamp) {
        *self = match (self.backlog(at), next.backlog(at)) {
            (Some(from), Some(to)) => next.with_time_of(&from, &to, at),
            _ => match (&*self, next) {
                (Self::Counter(from), Self::Counter(next)) if next.has_windows_of(from) => {
                    Self::Counter(next.with_shares_of(from))
                }
                (Self::Log(from), Self::Log(next)) if next.can_take_over(from, at.as_nanos()) => {
                    Self::Log(next.with_shares_of(from, at.as_nanos()))
                }
                (_, next) => next.with_units_of(self, at),
            },
        };
    }

    /// Between two limits of which a whole bucket comes back in a time.
    fn with_time_of(self, from: &Backlog, to: &Backlog, at: Timestamp) -> Self {
        let used = from.time_for(from.used);
        if used == 0 {
            return self.fresh_by(from.gone_by(), at.as_nanos());
        }
        let (all, next_all) = (from.full / from.gain, to.time_for(to.full));
        let share = if used >= all { next_all } else { (used * next_all + all - 1) / all };
        let instant = i128::from(at.as_nanos()) + (used - all).max(0) + share;
        let instant = u64::try_from(instant).unwrap_or(u64::MAX);
        self.fresh_by(instant, instant)
    }

    /// Between any two limits.
    fn with_units_of(mut self, old: &Self, at: Timestamp) -> Self {
        let (all, next_all) = (u128::from(old.capacity()), u128::from(self.capacity()));
        let left = match old.backlog(at) {
            // What a queue has room for, though nothing may pass.
            Some(backlog) => ((backlog.full - backlog.used).max(0) / backlog.unit) as u128,
            None => old.standing(at).remaining.into(),
        };
        let units = ((all - left) * next_all).div_ceil(all) as u64;
        if units == 0 {
            return self.fresh_by(old.fresh_from().min(at.as_nanos()), at.as_nanos());
        }
        let taken = Timestamp::from_nanos(old.last_taken(at.as_nanos()).max(at.as_nanos()));
        if self.wait(units, taken) != Some(0) {
            // Past the end of representable time.
            return self.fresh_by(u64::MAX, u64::MAX);
        }
        self.take(units, taken);
        if old.is_penalized(at.as_nanos()) {
            match &mut self {
                Self::Windows(_) | Self::Counter(_) => self.penalize(Duration::from_nanos(1), taken),
                Self::Log(log) => log.mark(),
                Self::Bucket(_) | Self::Queue(_) => {}
            }
        }
        self
    }

    /// Whether it is written down that nothing is admitted at `at` whatever is refunded.
    fn is_penalized(&self, at: u64) -> bool {
        match self {
            Self::Windows(windows) => windows.is_penalized(at),
            Self::Counter(counter) => counter.is_penalized(at),
            Self::Log(log) => log.is_penalized(at),
            Self::Bucket(_) | Self::Queue(_) => false,
        }
    }

    pub(super) fn backlog(&self, at: Timestamp) -> Option<Backlog> {
        match self {
            Self::Bucket(bucket) => Some(bucket.backlog(at.as_nanos())),
            Self::Queue(queue) => Some(queue.backlog(at.as_nanos())),
            _ => None,
        }
    }

    /// The last tick at which what counts at `at` can have been taken, if that is later.
    pub(super) fn last_taken(&self, at: u64) -> u64 {
        match self {
            Self::Windows(windows) => windows.last_taken(at),
            Self::Counter(counter) => counter.last_taken(at),
            Self::Log(log) => log.last_taken(),
            // What is owed beyond a whole bucket was taken later.
            Self::Bucket(_) | Self::Queue(_) => self.backlog(Timestamp::from_nanos(at)).map_or(at, |from| {
                let over = (from.time_for(from.used) - from.full / from.gain).max(0);
                at.saturating_add(u64::try_from(over).unwrap_or(u64::MAX))
            }),
        }
    }

    /// The first tick at which nothing tells that anything was ever taken.
    pub(in crate::test_util) fn fresh_from(&self) -> u64 {
        match self {
            Self::Bucket(bucket) => bucket.backlog(0).gone_by(),
            Self::Queue(queue) => queue.fresh_from(),
            Self::Windows(windows) => windows.fresh_from(),
            Self::Counter(counter) => counter.fresh_from(),
            Self::Log(log) => log.fresh_from(),
        }
    }

    /// As good as new from the tick `instant` on, or from `by` if there is no such state, and before as spent as a key can be of
    /// which that is true.
    pub(super) fn fresh_by(self, instant: u64, by: u64) -> Self {
        match self {
            Self::Bucket(bucket) => Self::Bucket(bucket.full_at(instant)),
            Self::Queue(queue) => Self::Queue(queue.empty_at(instant)),
            Self::Windows(windows) => Self::Windows(windows.full_until(instant)),
            Self::Counter(counter) => Self::Counter(counter.faded_by(instant, by)),
            Self::Log(log) => Self::Log(log.refused_until(instant)),
        }
    }
}
