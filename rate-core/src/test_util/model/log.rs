//! The sliding log, as a list.

use alloc::vec::Vec;
use core::time::Duration;

use super::Model;
use super::contract::until;
use crate::algorithm::Standing;
use crate::{Quota, Timestamp};

/// The model of [`SlidingLog`](crate::algorithm::SlidingLog): a list of every admission, each with the instant until which it
/// counts, a period later.
///
/// * A *late* request counts as made at the newest instant that was written down.
/// * A *refund* takes back units that were written down since the charge, the earliest first, as long as the charge itself
///   would count. The instants stay.
/// * A *penalty* is a list with a unit more than the limit until its end, or until all counted that was taken before if that is
///   later. Nothing of it is given back.
/// * What would count past the end of representable time is refused.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use rate_core::test_util::model::{Log, Model};
/// use rate_core::{Quota, Timestamp};
///
/// let mut log = Log::new(Quota::per_second(2));
/// let at = |millis| Timestamp::ZERO.saturating_add(Duration::from_millis(millis));
/// assert!(log.check(1, at(0)).allowed);
/// assert!(log.check(1, at(900)).allowed);
/// assert_eq!(log.check(1, at(999)).retry_after, Some(Duration::from_millis(1)));
/// assert!(log.check(1, at(1_000)).allowed);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    limit: u64,
    period: u64,
    /// Until when they count, in order, and the units.
    taken: Vec<(u64, u64)>,
    /// Everything is refused before this tick if nothing is written down.
    refused_until: u64,
}

impl Log {
    /// An empty log.
    #[must_use]
    pub fn new(quota: Quota) -> Self {
        Self { limit: quota.limit(), period: quota.period_nanos(), taken: Vec::new(), refused_until: 0 }
    }

    /// Empty, but refused everything before the tick `instant`.
    pub(super) fn refused_until(self, instant: u64) -> Self {
        Self { refused_until: instant, ..self }
    }

    /// The newest instant at which anything was taken that counts.
    pub(super) fn last_taken(&self) -> u64 {
        self.fresh_from().saturating_sub(self.period)
    }

    /// Whether there is more than can be taken.
    pub(super) fn is_penalized(&self, at: u64) -> bool {
        self.used(at) > self.limit
    }

    /// Makes a penalty of what was taken, which is everything.
    pub(super) fn mark(&mut self) {
        if let Some((_, units)) = self.taken.last_mut() {
            *units += 1;
        }
    }

    /// Whether units of `from` that count at `at` can be its own: there are any, and no penalty but for as long as before.
    pub(super) fn can_take_over(&self, from: &Self, at: u64) -> bool {
        if self.period == from.period { from.used(0) > 0 } else { (1..=from.limit).contains(&from.used(at)) }
    }

    /// With the share that counts of another limit, at each instant; of a unit as much of its period is left as was at `at`.
    pub(super) fn with_shares_of(mut self, from: &Self, at: u64) -> Self {
        let share = |taken: u64| match taken {
            // A penalty stays one.
            all if all > from.limit => self.limit + 1,
            taken => (u128::from(taken) * u128::from(self.limit)).div_ceil(from.limit.into()) as u64,
        };
        // Late requests of the same period find what has expired by now.
        let at = if self.period == from.period { 0 } else { from.decided_at(at) };
        let stretched = |until: u64| match self.period == from.period {
            true => until,
            false => {
                let left = u128::from(until - at) * u128::from(self.period);
                u64::try_from(u128::from(at) + left.div_ceil(from.period.into())).unwrap_or(u64::MAX)
            }
        };
        let mut left = from.used(at);
        for (until, units) in &from.taken[from.counting(at)..] {
            self.taken.push((stretched(*until), share(left) - share(left - units)));
            left -= units;
        }
        self
    }

    #[cfg(all(test, feature = "std", not(loom)))]
    pub(super) fn state(&self) -> String {
        // Each unit by itself.
        let units = self.taken.iter();
        let units: Vec<u64> =
            units.flat_map(|(until, units)| core::iter::repeat_n(*until, *units as usize)).collect();
        std::format!(
            "{:?}",
            (units, self.newest(), if self.taken.is_empty() { self.refused_until } else { 0 })
        )
    }

    /// Counts at least `units` until `until`, or a period after `at` if that is earlier: what expires before then is taken for what is
    /// missing, as far as there is any.
    #[cfg(all(test, feature = "std", not(loom)))]
    pub(super) fn keep(&mut self, units: u64, at: u64, until: u64) {
        let until = until.min(at.saturating_add(self.period));
        if self.used(0) > self.limit {
            self.taken = alloc::vec![(until.max(self.newest()), self.limit + 1)];
            return;
        }
        let later = self.taken.iter().position(|(expiry, _)| *expiry >= until).unwrap_or(self.taken.len());
        let counting: u64 = self.taken[later..].iter().map(|(_, units)| units).sum();
        let missing = units.saturating_sub(counting);
        let mut replaced = missing;
        for (_, units) in self.taken[..later].iter_mut().rev() {
            let less = replaced.min(*units);
            (*units, replaced) = (*units - less, replaced - less);
        }
        if missing > 0 {
            self.taken.insert(later, (until, missing));
        }
    }

    /// The latest instant that is written down.
    fn newest(&self) -> u64 {
        self.taken.last().map_or(0, |(until, _)| *until)
    }

    /// The instant as of which a request at `now` is decided: a late one, as of the newest admission.
    fn decided_at(&self, now: u64) -> u64 {
        now.max(self.newest().saturating_sub(self.period))
    }

    /// The tick from which on nothing counts that is written down.
    pub(super) fn fresh_from(&self) -> u64 {
        if self.taken.is_empty() {
            return self.refused_until;
        }
        let newest = self.taken[self.counting(0)..].iter().rev().find(|(_, units)| *units > 0);
        newest.map_or(0, |(until, _)| *until)
    }

    /// The first place in the list that counts at `now`.
    fn counting(&self, now: u64) -> usize {
        // In order, so all that follow count too.
        self.taken.iter().position(|(until, _)| *until > now).unwrap_or(self.taken.len())
    }

    fn used(&self, now: u64) -> u64 {
        self.taken[self.counting(now)..].iter().map(|(_, units)| units).sum()
    }

    /// Ticks for which a key of which nothing is written down is refused.
    fn refused_for(&self, now: u64) -> u64 {
        if self.taken.is_empty() { self.refused_until.saturating_sub(now) } else { 0 }
    }
}

impl Model for Log {
    fn capacity(&self) -> u64 {
        self.limit
    }

    fn standing(&self, now: Timestamp) -> Standing {
        let now = now.as_nanos();
        let refused_for = self.refused_for(now);
        if refused_for > 0 {
            return Standing { remaining: 0, reset_after: refused_for };
        }
        match self.used(now) {
            0 => Standing { remaining: self.limit, reset_after: 0 },
            used => Standing {
                remaining: self.limit.saturating_sub(used),
                reset_after: self.fresh_from().saturating_sub(now),
            },
        }
    }

    fn wait(&self, cost: u64, now: Timestamp) -> Option<u64> {
        let now = now.as_nanos();
        let counts_until = |time: u64| time.checked_add(self.period);
        if self.refused_for(now) > 0 {
            return counts_until(self.refused_until).map(|_| self.refused_for(now));
        }
        counts_until(now)?;
        let mut used = self.used(now);
        if used + cost <= self.limit {
            return Some(0);
        }
        for (until, units) in &self.taken[self.counting(now)..] {
            used -= units;
            if used + cost <= self.limit {
                return counts_until(*until).map(|_| until - now);
            }
        }
        None
    }

    fn take(&mut self, units: u64, now: Timestamp) {
        let until = now.as_nanos().saturating_add(self.period);
        let until = until.max(self.newest());
        self.taken.retain(|(until, _)| *until > now.as_nanos());
        self.taken.push((until, units));
    }

    fn penalize(&mut self, time: Duration, now: Timestamp) {
        let Some(until) = until(time, now) else { return };
        self.taken = alloc::vec![(until.max(self.newest()), self.limit + 1)];
    }

    fn reset(&mut self) {
        self.taken.clear();
        self.refused_until = 0;
    }

    fn refund(&mut self, units: u64, charged: Timestamp, now: Timestamp) -> Option<u64> {
        let mut left = units;
        let as_of = self.decided_at(now.as_nanos());
        let Some(until) = charged.as_nanos().checked_add(self.period) else { return Some(0) };
        if until <= as_of || self.is_penalized(as_of) {
            // It has come back by itself, and what is there was taken since; or the key is penalized.
            return Some(0);
        }
        let counting = self.counting(now.as_nanos());
        for (counts_until, taken) in &mut self.taken[counting..] {
            if *counts_until >= until {
                let back = left.min(*taken);
                *taken -= back;
                left -= back;
            }
        }
        Some(units - left)
    }
}
