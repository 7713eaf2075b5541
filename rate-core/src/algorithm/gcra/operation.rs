//! Refunds, reservations and debts of the token bucket.
//!
//! # What may be given back
//!
//! Had a charge never been made, the bucket would by now hold at most as much more as was charged, and less if it had been
//! full meanwhile, for a full bucket earns nothing. Whether it would have been full, the state does not tell. What it cannot
//! have lost is the charge less what one bucket earns in the time since; so that is what a refund gives back. From then on the
//! key is no better off than without the charge, in whatever order charges and refunds come: both change the distance to the
//! bucket without the charge by the same amount, and nothing else shrinks that distance faster than a full bucket would.
//!
//! # Reservations
//!
//! A reservation moves the theoretical arrival time further ahead than the burst allows, so whoever comes later waits
//! longer: promises are kept in order. While one is pending, giving anything back would hand an instant that was promised to
//! a second caller as well; so only the last of the line can leave it without a trace.

use super::{Gcra, Tat};
use crate::algorithm::{Algorithm, Charged, Debit, NEVER, Refund, Reserve};

impl Gcra {
    /// So many parts of a tick as `tat` is ahead.
    fn count(&self, tat: Tat) -> u128 {
        u128::from(tat.ticks) * u128::from(self.parts.get()) + u128::from(tat.parts)
    }

    fn of_units(&self, units: u64) -> u128 {
        u128::from(units) * u128::from(self.interval.get())
    }

    /// The state that lies so many parts ahead of `now`; nothing if that is past the end of representable time.
    fn ahead_by(&self, now: u64, parts: u128) -> Option<Tat> {
        let ticks = u64::try_from(parts / u128::from(self.parts.get())).ok()?;
        Some(Tat { ticks: now.checked_add(ticks)?, parts: (parts % u128::from(self.parts.get())) as u32 })
    }

    /// Ticks until `cost` units, at most the burst, conform; zero if they do at once.
    pub(in crate::algorithm) fn wait(&self, state: Tat, now: u64, tolerance: Tat) -> u64 {
        let ahead = state.ahead_of(now);
        if ahead <= tolerance {
            return 0;
        }
        (ahead.ticks - tolerance.ticks).saturating_add(u64::from(ahead.parts > tolerance.parts))
    }

    /// The tick at which `cost` units, at most the burst, conform if `ahead` others are taken first, from `state` on.
    pub(in crate::algorithm) fn conforms_behind(&self, state: Tat, ahead: u64, cost: u64) -> u128 {
        let last = self.count(state).saturating_add(self.of_units(ahead));
        last.saturating_sub(self.full() - self.of_units(cost)).div_ceil(self.parts.get().into())
    }

    /// Whether time does not end before what lies `units` intervals after `state`.
    pub(in crate::algorithm) fn is_in_time(&self, state: Tat, units: u64) -> bool {
        // Not rounded up: the last tick has parts like any other.
        let last = self.count(state).saturating_add(self.of_units(units)) / u128::from(self.parts.get());
        last <= u128::from(u64::MAX)
    }

    /// The tick that lies `units` intervals after `state`.
    pub(in crate::algorithm) fn after(&self, state: Tat, units: u64) -> u128 {
        self.count(state).saturating_add(self.of_units(units)).div_ceil(self.parts.get().into())
    }

    /// Accepts a reservation that would wait so long.
    pub(in crate::algorithm) fn accept(
        &self,
        state: Tat,
        now: u64,
        cost: u64,
        wait: u64,
        max_wait: u64,
    ) -> Result<(Tat, u64), u64> {
        let (step, _) = self.terms(cost);
        if wait > max_wait {
            return Err(self.if_it_helps(wait - max_wait, state, now, step));
        }
        self.charged(state, now, step).map(|next| (next, wait)).ok_or(NEVER)
    }

    /// Takes the last reservation of the line back, as if it had never been made.
    pub(in crate::algorithm) fn undone(&self, state: Tat, now: u64, units: u64) -> Option<Tat> {
        let ahead = self.count(state.ahead_of(now));
        self.ahead_by(now, ahead.checked_sub(self.of_units(units))?)
    }
}

impl Refund for Gcra {
    fn refund(&self, state: Tat, charge: Charged, now: u64) -> (Tat, u64) {
        let ahead = self.count(state.ahead_of(now));
        if ahead > self.full() {
            // A reservation is pending, or a debt.
            return (state, 0);
        }
        let earned = u128::from(now.saturating_sub(charge.at)) * u128::from(self.parts.get());
        let charged = self.of_units(charge.units.min(self.burst.get()));
        let back = charged.saturating_sub(earned).min(ahead);
        match self.ahead_by(now, ahead - back) {
            Some(next) if back > 0 => (next, (back / u128::from(self.interval.get())) as u64),
            _ => (state, 0),
        }
    }
}

impl Reserve for Gcra {
    fn reserve(&self, state: Tat, now: u64, cost: u64, max_wait: u64) -> Result<(Tat, u64), u64> {
        if cost == 0 {
            return Ok((state, 0));
        }
        if cost > self.capacity() {
            return Err(NEVER);
        }
        let (_, tolerance) = self.terms(cost);
        self.accept(state, now, cost, self.wait(state, now, tolerance), max_wait)
    }

    fn cancel(&self, state: Tat, after: Tat, charge: Charged, now: u64) -> (Tat, u64) {
        if self.count(state.ahead_of(now)) <= self.full() {
            return self.refund(state, charge, now);
        }
        match self.undone(state, now, charge.units) {
            Some(before) if state == after => (before, charge.units),
            _ => (state, 0),
        }
    }
}

impl Debit for Gcra {
    fn debit(&self, state: Tat, now: u64, units: u64, max_debt: u64) -> (Tat, u64) {
        let ahead = self.count(state.ahead_of(now));
        let room = self.full().saturating_add(self.of_units(max_debt)).saturating_sub(ahead);
        // Past the end of representable time nothing can be charged.
        let time = (u128::from(u64::MAX - now) + 1) * u128::from(self.parts.get()) - 1;
        let room = room.min(time.saturating_sub(ahead));
        let taken = (room / u128::from(self.interval.get())).min(u128::from(units)) as u64;
        match self.ahead_by(now, ahead + self.of_units(taken)) {
            Some(next) if taken > 0 => (next, taken),
            _ => (state, 0),
        }
    }
}

#[cfg(test)]
mod tests;
