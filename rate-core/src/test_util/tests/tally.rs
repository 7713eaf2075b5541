//! What came up during a run.

use super::operation::{Found, Operation};

/// What was done, so that a test can tell whether its agreement means anything.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tally {
    pub(super) operations: u64,
    pub(super) allowed: u64,
    pub(super) denied: u64,
    pub(super) never: u64,
    pub(super) late: u64,
    pub(super) refunded: u64,
    pub(super) reserved: u64,
    pub(super) cancelled: u64,
    pub(super) debited: u64,
    pub(super) penalized: u64,
    pub(super) changed: u64,
}

impl Tally {
    pub(super) fn count(&mut self, operation: Operation, found: Found) {
        match (operation, found) {
            (_, Found::Answer(answer)) if answer.allowed => self.allowed += 1,
            (_, Found::Answer(answer)) if answer.retry_after.is_some() => self.denied += 1,
            (_, Found::Answer(_)) => self.never += 1,
            (_, Found::Reserved { .. }) => self.reserved += 1,
            (Operation::Refund { .. }, Found::Units(1..)) => self.refunded += 1,
            (Operation::Cancel(_), Found::Units(1..)) => self.cancelled += 1,
            (Operation::Debit { .. }, Found::Units(1..)) => self.debited += 1,
            (Operation::Penalize(_), _) => self.penalized += 1,
            _ => {}
        }
    }

    pub(super) fn add(&mut self, other: Self) {
        self.operations += other.operations;
        self.allowed += other.allowed;
        self.denied += other.denied;
        self.never += other.never;
        self.late += other.late;
        self.refunded += other.refunded;
        self.reserved += other.reserved;
        self.cancelled += other.cancelled;
        self.debited += other.debited;
        self.penalized += other.penalized;
        self.changed += other.changed;
    }
}
