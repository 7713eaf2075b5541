//! A limiter and the lines before it.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::Duration;

use rate_core::{Allowed, Decision, Fingerprint, Timestamp};
use tokio::time::Instant;

use super::error::AcquireError;
use super::line::{Afterwards, Line, Ticket};

/// Whose line it is: a key's, or everybody's.
pub(super) type Place = Option<Fingerprint>;

/// A limiter as seen from the line.
pub(super) trait Limit: Send + Sync {
    fn now(&self) -> Timestamp;

    fn check(&self, place: Place, cost: u64, now: Timestamp) -> Decision;

    fn peek_behind(&self, place: Place, ahead: u64, cost: u64, now: Timestamp) -> Decision;
}

/// One lock for all lines: it is held for as long as a check takes, and whoever is in a hurry does not wait in line.
///
/// The limiter is asked under it. Otherwise somebody could come, find units that have just become due, and pass the line.
pub(super) struct Queue<L: ?Sized> {
    lines: Mutex<Lines>,
    pub(super) limit: L,
}

#[derive(Debug, Default)]
struct Lines {
    /// Only those in which somebody waits.
    of: HashMap<Place, Line>,
    tickets: u64,
}

/// What a future asks for.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) place: Place,
    pub(super) cost: u64,
    pub(super) deadline: Option<Instant>,
    pub(super) max_waiting: usize,
    /// Once it has come.
    pub(super) ticket: Option<Ticket>,
}

pub(super) type Answer = Result<Allowed, AcquireError>;

impl Request {
    /// Whether so long a wait, from `now` on, is too long.
    fn is_late(&self, now: Instant, wait: Duration) -> bool {
        self.deadline.is_some_and(|deadline| wait > deadline.saturating_duration_since(now))
    }
}

impl<L> Queue<L> {
    pub(super) fn new(limit: L) -> Self {
        Self { lines: Mutex::default(), limit }
    }
}

impl<L: Limit + ?Sized> Queue<L> {
    fn lock(&self) -> MutexGuard<'_, Lines> {
        // Only the limiter's clock, which is read before anything is changed, could have panicked under it.
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Polls a request: the answer, or when to ask again at the latest.
    pub(super) fn poll(&self, request: &mut Request, waker: &Waker) -> Result<Answer, Instant> {
        let mut after = Afterwards::default();
        let mut lines = self.lock();
        let result = match request.ticket {
            None => self.arrive(&mut lines, request, waker, &mut after),
            Some(ticket) => self.wait(&mut lines, ticket, request, waker, &mut after),
        };
        if result.is_ok() {
            request.ticket = None;
        }
        drop(lines);
        after.run();
        result
    }

    fn arrive(
        &self,
        lines: &mut Lines,
        request: &mut Request,
        waker: &Waker,
        after: &mut Afterwards,
    ) -> Result<Answer, Instant> {
        let (now, at) = (Instant::now(), self.limit.now());
        let Request { place, cost, max_waiting, .. } = *request;
        let ticket = lines.next_ticket();
        lines.with(place, |line| line.attend(ticket, now, after));
        // A cost of zero takes nothing from anybody.
        let line = lines.of.get(&place).filter(|_| cost > 0);
        let decision = match line {
            None => self.limit.check(place, cost, at),
            Some(line) => self.limit.peek_behind(place, line.units(), cost, at),
        };
        let wait = match (decision, decision.retry_after()) {
            (Decision::Allowed(allowed), _) if line.is_none() => return Ok(Ok(allowed)),
            (_, None) => return Ok(Err(AcquireError::Never { cost, limit: decision.limit() })),
            (_, Some(wait)) => wait,
        };
        let waiting = line.map_or(0, Line::len);
        if waiting >= max_waiting {
            return Ok(Err(AcquireError::Full { waiting }));
        }
        if line.is_none_or(Line::moves) && request.is_late(now, wait) {
            return Ok(Err(AcquireError::TooLate { wait: Some(wait) }));
        }
        let turn = now + wait;
        let line = lines.of.entry(place).or_insert_with(|| Line::new(now));
        line.poll(ticket, cost, waker, (now, turn), after);
        request.ticket = Some(ticket);
        if line.is_first(ticket) {
            line.sleep_first(turn, after);
            return Err(turn);
        }
        Err(line.watch(ticket))
    }

    fn wait(
        &self,
        lines: &mut Lines,
        ticket: Ticket,
        request: &Request,
        waker: &Waker,
        after: &mut Afterwards,
    ) -> Result<Answer, Instant> {
        let (now, at) = (Instant::now(), self.limit.now());
        let Request { place, cost, .. } = *request;
        let line = lines.of.entry(place).or_insert_with(|| Line::new(now));
        line.poll(ticket, cost, waker, (now, now), after);
        line.attend(ticket, now, after);
        let answer = if line.is_first(ticket) {
            let decision = self.limit.check(place, cost, at);
            match (decision, decision.retry_after()) {
                (Decision::Allowed(allowed), _) => Ok(allowed),
                (_, None) => Err(AcquireError::Never { cost, limit: decision.limit() }),
                (_, Some(wait)) if request.is_late(now, wait) => {
                    Err(AcquireError::TooLate { wait: Some(wait) })
                }
                (_, Some(wait)) => {
                    let due = now + wait;
                    line.sleep_first(due, after);
                    return Err(due);
                }
            }
        } else if request.deadline.is_some_and(|deadline| deadline <= now) {
            Err(AcquireError::TooLate { wait: None })
        } else {
            return Err(line.watch(ticket));
        };
        lines.with(place, |line| line.leave(ticket, now, after));
        Ok(answer)
    }

    /// Takes a request out of its line, if it is in one.
    pub(super) fn leave(&self, request: &Request) {
        let Some(ticket) = request.ticket else { return };
        let mut after = Afterwards::default();
        self.lock().with(request.place, |line| line.leave(ticket, Instant::now(), &mut after));
        after.run();
    }

    /// Wakes the first of every line.
    pub(super) fn recheck(&self) {
        let mut after = Afterwards::default();
        self.lock().of.values().for_each(|line| line.recheck(&mut after));
        after.run();
    }

    pub(super) fn waiting(&self, place: Place) -> usize {
        self.lock().of.get(&place).map_or(0, Line::len)
    }
}

impl Lines {
    fn next_ticket(&mut self) -> Ticket {
        // 64 bits of them last.
        self.tickets += 1;
        Ticket(self.tickets)
    }

    /// Changes a line if there is one, and forgets it when that leaves nobody in it.
    fn with(&mut self, place: Place, change: impl FnOnce(&mut Line)) {
        if let Some(line) = self.of.get_mut(&place) {
            change(line);
            if line.is_empty() {
                self.of.remove(&place);
            }
        }
    }
}

// Not derived: that would show fingerprints.
impl<L: fmt::Debug + ?Sized> fmt::Debug for Queue<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner).of.len();
        f.debug_struct("Queue").field("lines", &lines).field("limiter", &&self.limit).finish()
    }
}
