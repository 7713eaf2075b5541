//! What one request asks of a store.

use rate_core::Decision;
use smallvec::SmallVec;

use crate::key::Key;

/// What one request asks of one policy, and the answer.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Charge {
    /// The policy's place in the set that the store was bound to.
    pub policy: usize,
    /// Who is charged.
    pub key: Key,
    /// Units to take.
    pub cost: u64,
    /// The answer, once there is one.
    pub decision: Option<Decision>,
}

/// All charges of one request. Up to three live without an allocation.
#[derive(Clone, Debug, Default)]
pub struct Charges(SmallVec<[Charge; 3]>);

impl Charges {
    #[inline]
    pub(crate) fn push(&mut self, policy: usize, key: Key, cost: u64) {
        self.0.push(Charge { policy, key, cost, decision: None });
    }

    /// The charges.
    #[must_use]
    pub fn as_slice(&self) -> &[Charge] {
        &self.0
    }

    /// The charges, to be decided.
    pub fn as_mut_slice(&mut self) -> &mut [Charge] {
        &mut self.0
    }

    /// Whether every charge was decided on. Not so when there is none: a store that has lost them admits nobody.
    #[must_use]
    pub fn is_decided(&self) -> bool {
        !self.0.is_empty() && self.0.iter().all(|charge| charge.decision.is_some())
    }

    /// Whether every charge was decided on and admitted.
    #[inline]
    #[must_use]
    pub fn is_allowed(&self) -> bool {
        !self.0.is_empty()
            && self.0.iter().all(|charge| charge.decision.is_some_and(|decision| decision.is_allowed()))
    }

    /// The decision that counts for the request as a whole: the longest wait among the refusals, else the fewest units
    /// left.
    pub(crate) fn decisive(&self) -> Option<&Decision> {
        self.decisive_of().map(|(_, decision)| decision)
    }

    /// The decision that counts, and the place of its policy.
    pub(crate) fn decisive_of(&self) -> Option<(usize, &Decision)> {
        let decisions =
            || self.0.iter().filter_map(|charge| Some((charge.policy, charge.decision.as_ref()?)));
        let refusals = decisions().filter(|(_, decision)| !decision.is_allowed());
        // A wait of `None` is for ever.
        let longest =
            refusals.max_by_key(|(_, refusal)| (refusal.retry_after().is_none(), refusal.retry_after()));
        longest.or_else(|| decisions().min_by_key(|(_, decision)| decision.remaining()))
    }
}
