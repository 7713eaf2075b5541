//! A limiter without keys and one key of a limiter with them, asked in the same words.

use std::time::Duration;

use rate_core::algorithm::{Debit, Refund, Reserve};
use rate_core::{Decision, Denied, Kept, KeyedLimiter, Limiter, Reservation, Timestamp};

/// The key that is asked for.
pub(super) const KEY: u64 = 7;

pub(super) trait Subject<A: Kept> {
    fn check(&self, cost: u64, now: Timestamp) -> Decision;
    fn peek(&self, cost: u64, now: Timestamp) -> Decision;
    fn take_up_to(&self, units: u64, now: Timestamp) -> u64;
    fn penalize(&self, time: Duration, now: Timestamp);
    fn reset(&self);

    fn refund(&self, units: u64, charged: Timestamp, now: Timestamp) -> u64
    where
        A: Refund;

    fn reserve(&self, cost: u64, max_wait: Duration, now: Timestamp) -> Result<Reservation<'_>, Denied>
    where
        A: Reserve;

    fn debit(&self, units: u64, max_debt: u64, now: Timestamp) -> u64
    where
        A: Debit;
}

impl<A: Kept> Subject<A> for Limiter<A> {
    fn check(&self, cost: u64, now: Timestamp) -> Decision {
        self.check_n_at(cost, now)
    }

    fn peek(&self, cost: u64, now: Timestamp) -> Decision {
        self.peek_n_at(cost, now)
    }

    fn take_up_to(&self, units: u64, now: Timestamp) -> u64 {
        self.take_up_to_at(units, now)
    }

    fn penalize(&self, time: Duration, now: Timestamp) {
        self.penalize_at(time, now);
    }

    fn reset(&self) {
        self.reset();
    }

    fn refund(&self, units: u64, charged: Timestamp, now: Timestamp) -> u64
    where
        A: Refund,
    {
        self.refund_at(units, charged, now)
    }

    fn reserve(&self, cost: u64, max_wait: Duration, now: Timestamp) -> Result<Reservation<'_>, Denied>
    where
        A: Reserve,
    {
        self.reserve_at(cost, max_wait, now)
    }

    fn debit(&self, units: u64, max_debt: u64, now: Timestamp) -> u64
    where
        A: Debit,
    {
        self.debit_at(units, max_debt, now)
    }
}

impl<A: Kept> Subject<A> for KeyedLimiter<A> {
    fn check(&self, cost: u64, now: Timestamp) -> Decision {
        self.check_n_at(&KEY, cost, now)
    }

    fn peek(&self, cost: u64, now: Timestamp) -> Decision {
        self.peek_n_at(&KEY, cost, now)
    }

    fn take_up_to(&self, units: u64, now: Timestamp) -> u64 {
        self.take_up_to_at(&KEY, units, now)
    }

    fn penalize(&self, time: Duration, now: Timestamp) {
        self.penalize_at(&KEY, time, now);
    }

    fn reset(&self) {
        self.reset(&KEY);
    }

    fn refund(&self, units: u64, charged: Timestamp, now: Timestamp) -> u64
    where
        A: Refund,
    {
        self.refund_at(&KEY, units, charged, now)
    }

    fn reserve(&self, cost: u64, max_wait: Duration, now: Timestamp) -> Result<Reservation<'_>, Denied>
    where
        A: Reserve,
    {
        self.reserve_at(&KEY, cost, max_wait, now)
    }

    fn debit(&self, units: u64, max_debt: u64, now: Timestamp) -> u64
    where
        A: Debit,
    {
        self.debit_at(&KEY, units, max_debt, now)
    }
}
