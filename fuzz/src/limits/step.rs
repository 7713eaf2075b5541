//! One operation after the other, and whether each did what it says.

use std::time::Duration;

use rate_core::algorithm::{Algorithm, AlgorithmName, AnyAlgorithm};
use rate_core::{Decision, Timestamp, check_slice};

use super::super::input::Input;
use super::admitted::Charge;
use super::algorithm;
use super::kind::Kind;
use super::run::Run;
use super::subject::KEY;

impl<A: Kind> Run<'_, A> {
    pub(super) fn step(&mut self, input: &mut Input<'_>) {
        let now = self.instant(input);
        self.arrive(now);
        let at = Timestamp::from_nanos(now);
        match input.choice(16) {
            0..=4 => self.check(self.cost(input), at),
            5 => self.check_with_others(self.cost(input), input.choice(4), at),
            6 => self.take_up_to(input.number(), at),
            7..=8 => self.refund(input, at),
            9 => self.reserve(self.cost(input), Duration::from_nanos(input.number()), at),
            10 => self.cancel(at),
            11 => self.debit(input.number(), input.number(), at),
            12 => self.penalize(Duration::from_nanos(input.number()), at),
            13 => self.reset(input.flag()),
            14 => self.crowd(input, at),
            _ => self.change_limit(algorithm::of(input), input.flag(), at),
        }
        self.put_to_the_test(self.cost(input), at);
        self.admitted.verify(self.algorithm.bounds());
    }

    /// Mostly near the instants at which something changes.
    fn instant(&self, input: &mut Input<'_>) -> u64 {
        let period = || self.algorithm.quota().period().as_nanos() as u64;
        match input.choice(8) {
            0..=1 => self.latest,
            2 => self.latest.saturating_add(self.wait),
            3 => self.latest.saturating_add(self.wait).saturating_sub(1),
            4 => self.latest.saturating_add(period()),
            5 => self.latest.saturating_add(input.number()),
            6 => self.latest.saturating_sub(input.number()),
            _ => input.number(),
        }
    }

    fn cost(&self, input: &mut Input<'_>) -> u64 {
        match input.choice(4) {
            0..=1 => 1,
            2 => self.algorithm.capacity(),
            _ => input.number(),
        }
    }

    fn admit(&mut self, units: u64, at: Timestamp) {
        self.admitted.admit(Charge { units, told: at, at: at.as_nanos() });
    }

    fn check(&mut self, cost: u64, at: Timestamp) {
        let before = self.ask(|subject| subject.peek(cost, at));
        let decision = self.ask(|subject| subject.check(cost, at));
        self.compare(cost, at, before, decision);
    }

    /// What a peek announced is what happened, and what was said is what is left.
    fn compare(&mut self, cost: u64, at: Timestamp, before: Decision, decision: Decision) {
        assert_eq!(decision.retry_after(), before.retry_after(), "announced {before:?}");
        let after = self.ask(|subject| subject.peek(0, at));
        assert_eq!(decision.remaining(), after.remaining(), "{decision:?}, then {after:?}");
        assert_eq!(decision.reset_after(), after.reset_after(), "{decision:?}, then {after:?}");
        if cost == 0 || !decision.is_allowed() {
            assert_eq!(decision, before);
            return;
        }
        if self.algorithm.name() != AlgorithmName::LeakyBucket {
            assert_eq!(decision.remaining(), before.remaining() - cost, "{cost} of {before:?}");
        }
        self.admit(cost, at);
    }

    /// Together with charges of another limit, which is charged if both admit.
    fn check_with_others(&mut self, cost: u64, others: u8, at: Timestamp) {
        let other = |run: &Self| run.other().peek_n_at(&KEY, 0, at);
        let (before, other_before) = (self.ask(|subject| subject.peek(cost, at)), other(self));
        let mut charges = vec![self.keyed().charge(&KEY, cost)];
        charges.extend((0..others).map(|_| self.other().charge(&KEY, 1)));
        let mut answers = Vec::new();
        let allowed = check_slice(&charges, at, |_, answer| answers.push(answer));

        assert_eq!(allowed, answers.iter().all(Decision::is_allowed), "{answers:?}");
        assert_eq!(answers[0].retry_after(), before.retry_after(), "announced {before:?}");
        if allowed {
            if let Some(twin) = self.twin() {
                assert_eq!(twin.check_n_at(cost, at), answers[0]);
            }
            self.compare(cost, at, before, answers[0]);
            assert_eq!(other(self).remaining(), other_before.remaining() - u64::from(others));
        } else {
            assert_eq!(self.ask(|subject| subject.peek(cost, at)), before, "refused by {answers:?}");
            assert_eq!(other(self), other_before, "refused by {answers:?}");
        }
    }

    fn take_up_to(&mut self, units: u64, at: Timestamp) {
        let before = self.ask(|subject| subject.peek(0, at));
        let taken = self.ask(|subject| subject.take_up_to(units, at));
        if at.as_nanos() < self.beyond {
            assert_eq!(taken, units.min(before.remaining()), "of {before:?}");
        }
        assert!(taken <= units.min(before.remaining()), "{taken} of {before:?}");
        self.admit(taken, at);
    }

    /// What was taken, or something else.
    fn refund(&mut self, input: &mut Input<'_>, at: Timestamp) {
        let count = self.admitted.charges.len();
        let index = usize::from(input.byte()).checked_rem(count).filter(|_| input.choice(8) > 0);
        let (units, told) = match index.map(|index| self.admitted.charges[index]) {
            Some(charge) => (input.number().min(charge.units), charge.told),
            None => (input.number(), Timestamp::from_nanos(input.number())),
        };
        let before = self.ask(|subject| subject.peek(0, at));
        let Some(back) = self.ask(|subject| A::refund(subject, units, told, at)) else { return };
        let after = self.ask(|subject| subject.peek(0, at));
        assert!(back <= units, "{back} of {units}");
        assert!(after.remaining() >= before.remaining(), "{before:?}, then {after:?}");
        // A part of a unit may have been given back besides.
        assert!(
            after.remaining() - before.remaining() <= back.saturating_add(1),
            "{before:?} and {back}, then {after:?}"
        );
        // A part of a unit counts as one that was not taken.
        let part = u64::from(after.reset_after() < before.reset_after());
        // By when it was taken a charge can be told from others; but not when everything that came after is forgotten too.
        let is_known = at.as_nanos() >= self.latest;
        match index.filter(|_| is_known) {
            Some(index) => self.admitted.give_back(index, back.saturating_add(part)),
            None => self.admitted.go_beyond(),
        }
    }

    fn reserve(&mut self, cost: u64, max_wait: Duration, at: Timestamp) {
        let Some(reserved) = self.ask_to_reserve(cost, max_wait, at) else { return };
        self.is_pushed = true;
        match reserved {
            Ok(reservations) => {
                let (wait, ready) = (reservations[0].wait(), reservations[0].ready_at());
                assert!(wait <= max_wait, "{wait:?}, and not {max_wait:?}");
                if cost > 0 {
                    let charge = Charge { units: cost, told: ready, at: ready.as_nanos() };
                    self.admitted.admit(charge);
                    self.reserved.push((self.admitted.charges.len() - 1, reservations));
                }
            }
            Err(denied) => {
                let Some(wait) = denied.retry_after() else { return };
                let then = at.saturating_add(wait);
                if then.as_nanos() >= self.beyond {
                    return;
                }
                let too_early = Timestamp::from_nanos(then.as_nanos() - 1);
                let early = self.ask_to_reserve(cost, max_wait, too_early);
                assert!(early.is_some_and(|early| early.is_err()), "{cost} before {then:?}: {denied:?}");
                self.arrive(then.as_nanos());
                self.reserve(cost, max_wait, then);
            }
        }
    }

    fn cancel(&mut self, at: Timestamp) {
        let Some((index, reservations)) = self.reserved.pop() else { return };
        let units = reservations[0].units();
        let given: Vec<u64> = if self.twin().is_some() {
            reservations.into_iter().map(|reservation| reservation.cancel_at(at)).collect()
        } else {
            reservations.into_iter().take(1).map(|reservation| reservation.cancel_at(at)).collect()
        };
        assert!(given.iter().all(|back| *back == given[0] && *back <= units), "{given:?} of {units}");
        if self.admitted.charges[index].units < units {
            // Refunded before, and now a second time.
            self.admitted.go_beyond();
        }
        // As of a refund.
        self.admitted.give_back(index, given[0].saturating_add(1));
    }

    fn debit(&mut self, units: u64, max_debt: u64, at: Timestamp) {
        self.is_pushed = true;
        let taken = self.ask(|subject| A::debit(subject, units, max_debt, at));
        assert!(taken.is_none_or(|taken| taken <= units), "{taken:?} of {units}");
    }

    fn penalize(&mut self, time: Duration, at: Timestamp) {
        self.is_pushed = true;
        let before = self.ask(|subject| subject.peek(1, at));
        self.ask(|subject| subject.penalize(time, at));
        let after = self.ask(|subject| subject.peek(1, at));
        let until = at.saturating_add(time).as_nanos();
        if until > at.as_nanos() && until < self.beyond {
            assert!(!after.is_allowed(), "penalized for {time:?}: {after:?}");
            assert!(after.retry_after().is_none_or(|wait| wait >= time), "penalized for {time:?}: {after:?}");
        }
        assert!(after.remaining() <= before.remaining(), "{before:?}, then {after:?}");
    }

    fn reset(&mut self, everybody: bool) {
        if everybody {
            self.keyed().clear();
            if let Some(twin) = self.twin() {
                twin.reset();
            }
        } else {
            self.ask(|subject| subject.reset());
        }
        self.admitted.clear();
        self.reserved.clear();
        let (fresh, start) = (self.algorithm.capacity(), Timestamp::from_nanos(self.latest));
        assert_eq!(self.ask(|subject| subject.peek(0, start)).remaining(), fresh);
    }

    /// Other keys, which have nothing to do with this one.
    fn crowd(&mut self, input: &mut Input<'_>, at: Timestamp) {
        let before = self.ask(|subject| subject.peek(1, at));
        self.is_crowded = true;
        for key in 0..input.choice(5).into() {
            let cost = self.cost(input);
            assert!(self.keyed().check_n_at(&(KEY + 1 + key), cost, at).limit() == self.algorithm.capacity());
        }
        assert_eq!(self.keyed().evictions(), 0);
        assert_eq!(self.keyed().peek_n_at(&KEY, 1, at), before);
    }

    fn change_limit(&mut self, next: Option<AnyAlgorithm>, for_some: bool, at: Timestamp) {
        match next {
            Some(next @ AnyAlgorithm::Gcra(_)) if for_some => self.change_tier(next.quota()),
            Some(next) => {
                if let Some(next) = A::of(next) {
                    self.change(next, at);
                }
            }
            None => {}
        }
    }
}
