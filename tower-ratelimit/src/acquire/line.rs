//! The line before one key.
//!
//! # Who acts
//!
//! The first in line. It has been woken, or its timer wakes it, and then it takes its units and leaves, which wakes the
//! next; or finds them missing and sleeps again. `due` is when it is to do that.
//!
//! # Who makes sure that it does
//!
//! A future that is never polled again cannot be told from one whose task is slow. If it held its place for ever, leaking
//! one would end the line (as it does in leaky-bucket); if its units were taken for it, dropping it would have consumed
//! some. So everybody behind has a timer too, set to some [patience](PATIENCE) after the predecessor's turn, which never fires
//! as long as the line moves. Who then finds the first one overdue wakes all before it, a *roll call*; and who has not been
//! polled after another patience loses its place until it is. Waking all, and not the next one only, is for the sake of many
//! that were leaked together: they are passed over together.

use std::collections::BTreeMap;
use std::task::Waker;
use std::time::Duration;

use smallvec::SmallVec;
use tokio::time::Instant;

/// How long the first in line may be late before it is called, and how long those called have to answer.
///
/// Far above what a runtime takes to poll a task that is awake, so that nobody is passed over who is only slow.
pub(super) const PATIENCE: Duration = Duration::from_millis(100);

/// A place in the order of arrival, over all lines of a queue: who lost a place finds it again in a new line too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Ticket(pub(super) u64);

/// Those who wait for one key.
#[derive(Debug)]
pub(super) struct Line {
    waiting: BTreeMap<Ticket, Waiter>,
    /// The sum of their costs.
    units: u128,
    /// When the first one is to act.
    due: Instant,
    roll_call: Option<RollCall>,
}

#[derive(Debug)]
struct Waiter {
    cost: u64,
    waker: Waker,
    /// When its turn was to be, as things stood when it came.
    expected: Instant,
    /// When it was polled last.
    seen: Instant,
    /// When its timer wakes it, unless it has a deadline before.
    until: Instant,
}

#[derive(Clone, Copy, Debug)]
struct RollCall {
    at: Instant,
    /// Whoever came before this one was called.
    before: Ticket,
}

/// What is to be done with wakers once the lock is released.
///
/// Waking and dropping one runs code of an executor, which may drop a future, which leaves its line under that same lock.
#[derive(Debug, Default)]
pub(super) struct Afterwards {
    wake: SmallVec<[Waker; 1]>,
    drop: SmallVec<[Waker; 1]>,
}

impl Afterwards {
    pub(super) fn run(self) {
        drop(self.drop);
        self.wake.into_iter().for_each(Waker::wake);
    }
}

impl Line {
    pub(super) fn new(now: Instant) -> Self {
        Self { waiting: BTreeMap::new(), units: 0, due: now, roll_call: None }
    }

    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Units that are wanted by those in line.
    pub(super) fn units(&self) -> u64 {
        u64::try_from(self.units).unwrap_or(u64::MAX)
    }

    fn first(&self) -> Option<Ticket> {
        self.waiting.keys().next().copied()
    }

    pub(super) fn is_first(&self, ticket: Ticket) -> bool {
        self.first() == Some(ticket)
    }

    /// Whether the units ahead will be taken, and not be those of futures that nobody polls.
    pub(super) fn moves(&self) -> bool {
        self.roll_call.is_none()
    }

    /// Notes that a future was polled; it is in line then, wherever it belongs.
    pub(super) fn poll(
        &mut self,
        ticket: Ticket,
        cost: u64,
        waker: &Waker,
        (now, expected): (Instant, Instant),
        after: &mut Afterwards,
    ) {
        if let Some(waiter) = self.waiting.get_mut(&ticket) {
            waiter.seen = now;
            if !waiter.waker.will_wake(waker) {
                after.drop.push(std::mem::replace(&mut waiter.waker, waker.clone()));
            }
            return;
        }
        let waiter = Waiter { cost, waker: waker.clone(), expected, seen: now, until: now };
        self.waiting.insert(ticket, waiter);
        self.units += u128::from(cost);
    }

    /// Takes somebody out of the line, who may have lost its place before.
    pub(super) fn leave(&mut self, ticket: Ticket, now: Instant, after: &mut Afterwards) {
        let was_first = self.is_first(ticket);
        self.remove(ticket, after);
        if was_first {
            self.call_next(now, after);
        }
    }

    fn remove(&mut self, ticket: Ticket, after: &mut Afterwards) {
        if let Some(waiter) = self.waiting.remove(&ticket) {
            self.units -= u128::from(waiter.cost);
            after.drop.push(waiter.waker);
        }
    }

    fn call_next(&mut self, now: Instant, after: &mut Afterwards) {
        self.roll_call = None;
        self.due = now;
        after.wake.extend(self.waiting.values().next().map(|first| first.waker.clone()));
    }

    /// Wakes the first one, so that it looks whether its units are there already.
    pub(super) fn recheck(&self, after: &mut Afterwards) {
        after.wake.extend(self.waiting.values().next().map(|first| first.waker.clone()));
    }

    /// The first one sleeps until `due`.
    pub(super) fn sleep_first(&mut self, due: Instant, after: &mut Afterwards) {
        self.roll_call = None;
        self.due = due;
        // When many have left, the second has become so sooner than it could know when it set its timer.
        let second = self.waiting.values().nth(1);
        after.wake.extend(
            second.filter(|second| second.until > due + 2 * PATIENCE).map(|second| second.waker.clone()),
        );
    }

    /// When somebody who is not the first is to look after those before it.
    pub(super) fn watch(&mut self, ticket: Ticket) -> Instant {
        let until = match self.roll_call {
            Some(call) => call.at + PATIENCE,
            None => {
                // As long after the first one as they were to be, however early or late the line is.
                let expected = |waiter: Option<&Waiter>| waiter.map_or(self.due, |waiter| waiter.expected);
                let first = expected(self.waiting.values().next());
                let before = expected(self.waiting.range(..ticket).next_back().map(|(_, waiter)| waiter));
                self.due + before.saturating_duration_since(first) + PATIENCE
            }
        };
        if let Some(waiter) = self.waiting.get_mut(&ticket) {
            waiter.until = until;
        }
        until
    }

    /// Sees to it that the first one acts, on behalf of somebody who comes after it.
    pub(super) fn attend(&mut self, ticket: Ticket, now: Instant, after: &mut Afterwards) {
        if self.first().is_none_or(|first| first >= ticket) || now < self.due + PATIENCE {
            return;
        }
        match self.roll_call {
            None => {
                self.roll_call = Some(RollCall { at: now, before: ticket });
                after.wake.extend(self.waiting.range(..ticket).map(|(_, waiter)| waiter.waker.clone()));
            }
            Some(call) if now >= call.at + PATIENCE => {
                let called = self.waiting.range(..call.before);
                let silent = called.filter(|(_, waiter)| waiter.seen < call.at).map(|(ticket, _)| *ticket);
                for ticket in silent.collect::<Vec<_>>() {
                    self.remove(ticket, after);
                }
                self.call_next(now, after);
            }
            Some(_) => {}
        }
    }
}
