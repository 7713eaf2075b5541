//! Fixed and calendar windows: how much was taken in each.

use alloc::collections::BTreeMap;
use core::time::Duration;

use super::Model;
use super::contract::until;
use super::division::Division;
use crate::algorithm::{Calendar, Standing};
use crate::time::nanos;
use crate::{Quota, Timestamp};

/// The model of [`FixedWindow`](crate::algorithm::FixedWindow) and [`CalendarWindow`](crate::algorithm::CalendarWindow): a
/// map from each window to the units taken in it.
///
/// * A *late* timestamp is charged to the newest window in which anything was.
/// * A *refund* is of units taken since the newest window began, and given back before it ends.
/// * A *penalty* fills the window of its last tick, or the newest one if that is later. It counts as units
///   that were taken, of which none are given back.
/// * In a window that ends past the end of representable time nothing is admitted.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use rate_core::test_util::model::{Model, Windows};
/// use rate_core::{Timestamp, algorithm::Calendar};
///
/// let mut month = Windows::calendar(1, Calendar::Month);
/// let at = |day: u64| Timestamp::ZERO.saturating_add(Duration::from_secs(day * 86_400));
/// assert!(month.check(1, at(40)).allowed);
/// let denied = month.check(1, at(50));
/// assert!(!denied.allowed);
/// // February of 1970 ends with its 28th day.
/// assert_eq!(denied.retry_after, Some(Duration::from_secs((31 + 28 - 50) * 86_400)));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Windows {
    limit: u64,
    division: Division,
    /// By the first tick after the window.
    taken: BTreeMap<u64, u64>,
    /// The end of the last window that a penalty has filled.
    penalized: u64,
}

impl Windows {
    /// The windows of one period each, of which the first begins at [`Timestamp::ZERO`].
    #[must_use]
    pub fn fixed(quota: Quota) -> Self {
        Self::of(quota.limit(), Division::even(quota.period_nanos()))
    }

    /// Days or months, of which the first begins at [`Timestamp::ZERO`].
    #[must_use]
    pub fn calendar(limit: u64, calendar: Calendar) -> Self {
        Self::calendar_of_ticks(limit, calendar, 1_000_000_000)
    }

    pub(in crate::test_util) fn calendar_of_ticks(limit: u64, calendar: Calendar, second: u64) -> Self {
        Self::of(limit, Division::calendar(calendar, second))
    }

    fn of(limit: u64, division: Division) -> Self {
        Self { limit, division, taken: BTreeMap::new(), penalized: 0 }
    }

    /// The same windows, of which the first began `time` before [`Timestamp::ZERO`]: for a clock that counts from another
    /// instant than the beginning of 1970, and for a key whose windows are
    /// [staggered](crate::algorithm::FixedWindow::staggered).
    #[must_use]
    pub fn begun_before(self, time: Duration) -> Self {
        Self { division: self.division.shifted(nanos(time)), ..self }
    }

    /// Windows of which one is full that ends before the tick `end`.
    pub(super) fn full_until(mut self, end: u64) -> Self {
        self.fill(end);
        self
    }

    fn fill(&mut self, end: u64) {
        self.taken.insert(end, self.limit);
        self.penalized = end;
    }

    /// Whether at `now` nothing is admitted whatever is refunded.
    pub(super) fn is_penalized(&self, now: u64) -> bool {
        self.newest().is_some_and(|(end, _)| now < end && end == self.penalized)
    }

    /// The end of the newest window in which anything was taken, and how much that is.
    fn newest(&self) -> Option<(u64, u64)> {
        self.taken.last_key_value().map(|(end, taken)| (*end, *taken))
    }

    /// The end of the window that is charged at `now`, and what is taken in it already.
    fn charged(&self, now: u64) -> Option<(u64, u64)> {
        match self.newest() {
            Some(newest) if now < newest.0 => Some(newest),
            _ => Some((self.division.end(now)?, 0)),
        }
    }

    /// The first tick at which nothing tells that anything was ever taken.
    pub(super) fn fresh_from(&self) -> u64 {
        self.newest().filter(|(_, taken)| *taken > 0).map_or(0, |(end, _)| end)
    }

    /// The last tick of the newest window in which anything was taken, if that begins after `at`.
    pub(super) fn last_taken(&self, at: u64) -> u64 {
        self.newest().map_or(at, |(end, _)| if at < self.start_of(end) { end - 1 } else { at })
    }

    #[cfg(all(test, feature = "std", not(loom)))]
    pub(super) fn state(&self) -> String {
        std::format!("{:?}", self.newest().map(|newest| (newest, newest.0 == self.penalized)))
    }

    /// The first tick of the window that ends before the tick `end`.
    fn start_of(&self, end: u64) -> u64 {
        self.division.start(end.saturating_sub(1))
    }
}

impl Model for Windows {
    fn capacity(&self) -> u64 {
        self.limit
    }

    fn standing(&self, now: Timestamp) -> Standing {
        match self.newest() {
            Some((end, taken)) if taken > 0 && now.as_nanos() < end => {
                Standing { remaining: self.limit - taken, reset_after: end - now.as_nanos() }
            }
            _ => Standing { remaining: self.limit, reset_after: 0 },
        }
    }

    fn wait(&self, cost: u64, now: Timestamp) -> Option<u64> {
        let (end, taken) = self.charged(now.as_nanos())?;
        if taken + cost <= self.limit {
            return Some(0);
        }
        // Not at all if the next window has no end.
        self.division.end(end).map(|_| end - now.as_nanos())
    }

    fn take(&mut self, units: u64, now: Timestamp) {
        if let Some((end, taken)) = self.charged(now.as_nanos()) {
            self.taken.insert(end, taken + units);
        }
    }

    fn penalize(&mut self, time: Duration, now: Timestamp) {
        let Some(until) = until(time, now) else { return };
        let last = self.division.end(until - 1).unwrap_or(u64::MAX);
        self.fill(last.max(self.newest().map_or(0, |(end, _)| end)));
    }

    fn reset(&mut self) {
        self.taken.clear();
        self.penalized = 0;
    }

    fn refund(&mut self, units: u64, charged: Timestamp, now: Timestamp) -> Option<u64> {
        let Some((end, taken)) = self.newest() else { return Some(0) };
        if now.as_nanos() >= end || end == self.penalized || charged.as_nanos() < self.start_of(end) {
            return Some(0);
        }
        let back = units.min(taken);
        self.taken.insert(end, taken - back);
        Some(back)
    }
}
