//! What a layer accepts as policies.

use rate_core::Quota;
use rate_core::algorithm::AnyAlgorithm;

use super::Policy;

/// One or more policies: a [`Quota`] or [`AnyAlgorithm`] (counted by peer, named `default`), a [`Policy`], an array or a `Vec` of them.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a policy",
    note = "give a `Quota`, a `Policy`, or an array or `Vec` of policies"
)]
pub trait IntoPolicies {
    /// The policies.
    fn into_policies(self) -> Vec<Policy>;
}

impl IntoPolicies for Quota {
    fn into_policies(self) -> Vec<Policy> {
        vec![Policy::new("default", self)]
    }
}

/// A limit that is counted by any algorithm.
impl IntoPolicies for AnyAlgorithm {
    fn into_policies(self) -> Vec<Policy> {
        vec![Policy::of("default", self)]
    }
}

impl IntoPolicies for Policy {
    fn into_policies(self) -> Vec<Policy> {
        vec![self]
    }
}

impl<const N: usize> IntoPolicies for [Policy; N] {
    fn into_policies(self) -> Vec<Policy> {
        self.into()
    }
}

impl IntoPolicies for Vec<Policy> {
    fn into_policies(self) -> Vec<Policy> {
        self
    }
}
