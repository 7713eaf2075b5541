//! What each algorithm can do besides taking units.

use std::time::Duration;

use rate_core::algorithm::{
    AnyAlgorithm, CalendarWindow, FixedWindow, Gcra, LeakyBucket, SlidingLog, SlidingWindow,
};
use rate_core::{Denied, Kept, KeyedLimiter, Quota, Reservation, Timestamp};

use super::subject::Subject;

pub(super) type Reserved<'a> = Result<Reservation<'a>, Denied>;

/// Nothing where the operation has no meaning.
pub(super) trait Kind: Kept {
    /// This kind of limit, if it is one.
    fn of(any: AnyAlgorithm) -> Option<Self>;

    fn tier(_: &KeyedLimiter<Self>, _quota: Quota) -> Option<KeyedLimiter<Self>> {
        None
    }

    fn refund(_: &dyn Subject<Self>, _units: u64, _charged: Timestamp, _now: Timestamp) -> Option<u64> {
        None
    }

    fn reserve(
        _: &dyn Subject<Self>,
        _cost: u64,
        _max_wait: Duration,
        _now: Timestamp,
    ) -> Option<Reserved<'_>> {
        None
    }

    fn debit(_: &dyn Subject<Self>, _units: u64, _max_debt: u64, _now: Timestamp) -> Option<u64> {
        None
    }
}

macro_rules! of {
    ($name:ident) => {
        fn of(any: AnyAlgorithm) -> Option<Self> {
            if let AnyAlgorithm::$name(algorithm) = any { Some(algorithm) } else { None }
        }
    };
}

macro_rules! refund {
    () => {
        fn refund(of: &dyn Subject<Self>, units: u64, charged: Timestamp, now: Timestamp) -> Option<u64> {
            Some(of.refund(units, charged, now))
        }
    };
}

macro_rules! reserve {
    () => {
        fn reserve(
            of: &dyn Subject<Self>,
            cost: u64,
            max_wait: Duration,
            now: Timestamp,
        ) -> Option<Reserved<'_>> {
            Some(of.reserve(cost, max_wait, now))
        }
    };
}

impl Kind for Gcra {
    of!(Gcra);
    refund!();
    reserve!();

    fn tier(of: &KeyedLimiter, quota: Quota) -> Option<KeyedLimiter> {
        Some(of.tier(quota))
    }

    fn debit(of: &dyn Subject<Self>, units: u64, max_debt: u64, now: Timestamp) -> Option<u64> {
        Some(of.debit(units, max_debt, now))
    }
}

impl Kind for LeakyBucket {
    of!(LeakyBucket);
    reserve!();
}

impl Kind for FixedWindow {
    of!(FixedWindow);
    refund!();
}

impl Kind for CalendarWindow {
    of!(CalendarWindow);
    refund!();
}

impl Kind for SlidingWindow {
    of!(SlidingWindow);
    refund!();
}

impl Kind for SlidingLog {
    of!(SlidingLog);
    refund!();
}

impl Kind for AnyAlgorithm {
    fn of(any: AnyAlgorithm) -> Option<Self> {
        Some(any)
    }
}
