//! The leaky bucket, in water.

use core::time::Duration;

use super::change::Backlog;
use super::contract::{refused, until};
use super::{Answer, Model, Place, bucket};
use crate::algorithm::Standing;
use crate::time::nanos;
use crate::{Quota, Timestamp};

/// The model of [`LeakyBucket`](crate::algorithm::LeakyBucket): a bucket from which `limit` units leak per period, and that
/// holds `burst` of them.
///
/// Water is counted in shares, of which one unit has `unit` and one nanosecond lets out `leak`, so nothing is rounded.
///
/// * A unit passes when the bucket is empty, and then fills it by one: so the next waits one interval.
/// * A unit that passes in the very tick in which the bucket has run dry is not late: the fraction of the tick for which it
///   was dry is taken off what it fills.
/// * A *reservation* pours its units on top, and has its turn when what was there before has leaked. It needs room.
/// * The last one in line can be *cancelled* while its turn is yet to come.
/// * A *penalty* fills the bucket with as much as leaks until its end, unless there is more, and may fill it over the brim.
/// * A *late* timestamp finds more water than there was at the last change.
/// * Whatever would not have leaked before the end of representable time is refused.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use rate_core::test_util::model::{Model, Queue};
/// use rate_core::{Quota, Timestamp};
///
/// let mut queue = Queue::new(Quota::per_second(10));
/// assert!(queue.check(1, Timestamp::ZERO).allowed);
/// let denied = queue.check(1, Timestamp::ZERO);
/// assert!(!denied.allowed);
/// assert_eq!(denied.retry_after, Some(Duration::from_millis(100)));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queue {
    unit: i128,
    leak: i128,
    holds: u64,
    /// An instant, and the water there was at it: less than none where it has run dry before.
    instant: u64,
    water: i128,
}

impl Queue {
    /// An empty queue.
    #[must_use]
    pub fn new(quota: Quota) -> Self {
        let (unit, leak) = bucket::shares(quota);
        Self { unit, leak, holds: quota.burst_size(), instant: 0, water: 0 }
    }

    /// Empty from the tick `instant` on, and before with as much water as leaks until then.
    pub(super) fn empty_at(mut self, instant: u64) -> Self {
        self.set(0, instant);
        self
    }

    pub(super) fn backlog(&self, now: u64) -> Backlog {
        Backlog {
            used: self.water_at(now).max(0),
            full: i128::from(self.holds) * self.unit,
            unit: self.unit,
            gain: self.leak,
            gone_from: self.dry_from(),
        }
    }

    /// At `now`. Less than none where it has run dry before.
    fn water_at(&self, now: u64) -> i128 {
        self.water - (i128::from(now) - i128::from(self.instant)) * self.leak
    }

    /// The instant at which the bucket runs dry, in units of which a nanosecond has `leak`.
    fn dry_from(&self) -> i128 {
        i128::from(self.instant) * self.leak + self.water
    }

    /// The first tick at which nothing tells that there ever was water: the one after a tick in the middle of which the
    /// bucket runs dry.
    pub(super) fn fresh_from(&self) -> u64 {
        let dry = self.dry_from();
        let tick = dry / self.leak + 2 * i128::from(dry % self.leak > 0);
        u64::try_from(tick).unwrap_or(u64::MAX)
    }

    /// With `units` poured in at `now`; nothing if they would not have leaked before the end of representable time.
    fn filled(&self, units: u64, now: u64) -> Option<i128> {
        let water = self.water_at(now);
        // Dry for a whole tick or more: what was dry is lost.
        let water = if water <= -self.leak { 0 } else { water };
        let filled = water + i128::from(units) * self.unit;
        (filled < (i128::from(u64::MAX - now) + 1) * self.leak).then_some(filled)
    }

    /// A wait after which `units` can be poured in, unless they would not have leaked before the end of representable time.
    fn if_filled_after(&self, wait: u64, units: u64, now: Timestamp) -> Option<u64> {
        let then = now.as_nanos().checked_add(wait)?;
        self.filled(units, then).map(|_| wait)
    }

    fn set(&mut self, water: i128, now: u64) {
        (self.instant, self.water) = (now, water);
    }

    /// Nanoseconds in which so much water leaks; or all there are, from the first instant to after the last.
    fn time_for(&self, water: i128) -> u64 {
        u64::try_from((water.max(0) + self.leak - 1) / self.leak).unwrap_or(u64::MAX)
    }
}

impl Model for Queue {
    fn capacity(&self) -> u64 {
        self.holds
    }

    fn standing(&self, now: Timestamp) -> Standing {
        let now = now.as_nanos();
        let remaining = if self.water_at(now) <= 0 { self.holds } else { 0 };
        Standing { remaining, reset_after: self.fresh_from().saturating_sub(now) }
    }

    /// Until the bucket is empty, if anything can be poured in then.
    fn wait(&self, cost: u64, now: Timestamp) -> Option<u64> {
        self.if_filled_after(self.time_for(self.water_at(now.as_nanos())), cost, now)
    }

    fn take(&mut self, units: u64, now: Timestamp) {
        if let Some(filled) = self.filled(units, now.as_nanos()) {
            self.set(filled, now.as_nanos());
        }
    }

    fn penalize(&mut self, time: Duration, now: Timestamp) {
        if let Some(until) = until(time, now) {
            self.set(self.water_at(until).max(0), until);
        }
    }

    fn reset(&mut self) {
        self.set(0, 0);
    }

    fn reserve(&mut self, cost: u64, max_wait: Duration, now: Timestamp) -> Option<Result<Place, Answer>> {
        let water = self.water_at(now.as_nanos());
        let accepted = |model: &Self, wait| {
            let ready = now.saturating_add(Duration::from_nanos(wait));
            Place { units: cost, ready, wait, left: model.dry_from() }
        };
        if cost == 0 {
            return Some(Ok(accepted(self, 0)));
        }
        if cost > self.holds {
            return Some(Err(refused(self.standing(now), None)));
        }
        // Until there is room, and until the turn is near enough.
        let over = water.max(0) + i128::from(cost) * self.unit - i128::from(self.holds) * self.unit;
        let wait = self.time_for(water);
        let longer = self.time_for(over).max(wait.saturating_sub(nanos(max_wait)));
        if longer > 0 {
            return Some(Err(refused(self.standing(now), self.if_filled_after(longer, cost, now))));
        }
        let Some(filled) = self.filled(cost, now.as_nanos()) else {
            return Some(Err(refused(self.standing(now), None)));
        };
        self.set(filled, now.as_nanos());
        Some(Ok(accepted(self, wait)))
    }

    fn cancel(&mut self, place: Place, now: Timestamp) -> Option<u64> {
        if place.left != self.dry_from() || place.ready <= now {
            return Some(0);
        }
        self.set(self.water_at(now.as_nanos()) - i128::from(place.units) * self.unit, now.as_nanos());
        Some(place.units)
    }
}
