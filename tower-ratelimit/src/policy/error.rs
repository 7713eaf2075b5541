//! Settings that were refused.

use std::fmt;

use rate_core::QuotaError;
use rate_core::algorithm::AlgorithmName;

use super::{MAX_NAME, MAX_POLICIES};

/// Settings that cannot be built.
///
/// The message names the field, the value and the way out; [`code`](Self::code) is stable and fit for a search.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    kind: Kind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    PolicyName(String),
    PolicyNameLength { start: String, length: usize },
    DuplicateName(String),
    NoPolicies,
    TooManyPolicies(usize),
    CostZero { policy: String },
    CostAboveBurst { policy: String, cost: u64, burst: u64 },
    Algorithm { policy: String, name: AlgorithmName, error: String },
    Capacity(String),
    Ipv6Prefix(u8),
    Other { code: &'static str, message: String },
}

impl ConfigError {
    /// An error of your own [`Store`](crate::store::Store): its stable code, and a message that names field, value and
    /// fix.
    pub fn other(code: &'static str, message: impl Into<String>) -> Self {
        Self { kind: Kind::Other { code, message: message.into() } }
    }

    pub(super) fn policy_name(name: &str) -> Self {
        Self { kind: Kind::PolicyName(start_of(name)) }
    }

    pub(super) fn policy_name_length(name: &str) -> Self {
        Self { kind: Kind::PolicyNameLength { start: start_of(name), length: name.len() } }
    }

    pub(crate) fn duplicate_name(name: &str) -> Self {
        Self { kind: Kind::DuplicateName(name.into()) }
    }

    pub(crate) fn no_policies() -> Self {
        Self { kind: Kind::NoPolicies }
    }

    pub(crate) fn too_many_policies(count: usize) -> Self {
        Self { kind: Kind::TooManyPolicies(count) }
    }

    /// `None` for a cost that fits the burst.
    pub(super) fn cost(policy: &str, cost: u64, burst: u64) -> Option<Self> {
        let policy = || policy.to_owned();
        let kind = match cost {
            0 => Kind::CostZero { policy: policy() },
            _ if cost > burst => Kind::CostAboveBurst { policy: policy(), cost, burst },
            _ => return None,
        };
        Some(Self { kind })
    }

    pub(super) fn algorithm(policy: &str, name: AlgorithmName, error: &QuotaError) -> Self {
        Self { kind: Kind::Algorithm { policy: policy.to_owned(), name, error: error.to_string() } }
    }

    pub(crate) fn capacity(error: rate_core::BuildError) -> Self {
        Self { kind: Kind::Capacity(error.to_string()) }
    }

    pub(crate) fn no_capacity() -> Self {
        Self { kind: Kind::Capacity("capacity must be at least 1 key, got 0".into()) }
    }

    pub(crate) fn ipv6_prefix(bits: u8) -> Self {
        Self { kind: Kind::Ipv6Prefix(bits) }
    }

    /// The stable code of this error.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self.kind {
            Kind::PolicyName(_) | Kind::PolicyNameLength { .. } => "config-policy-name",
            Kind::DuplicateName(_) => "config-duplicate-name",
            Kind::NoPolicies => "config-no-policies",
            Kind::TooManyPolicies(_) => "config-too-many-policies",
            Kind::CostZero { .. } => "config-cost-zero",
            Kind::CostAboveBurst { .. } => "config-cost-above-burst",
            Kind::Algorithm { .. } => "config-algorithm",
            Kind::Capacity(_) => "config-capacity",
            Kind::Ipv6Prefix(_) => "config-ipv6-prefix",
            Kind::Other { code, .. } => code,
        }
    }
}

/// Enough of a name to know it by: an error message is no place for a megabyte.
fn start_of(name: &str) -> String {
    name.chars().take(64).collect()
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::PolicyName(name) => write!(
                f,
                "policy name {name:?} must be one or more printable ASCII characters, for it is sent in a header field; \
                 rename the policy"
            ),
            Kind::PolicyNameLength { start, length } => write!(
                f,
                "policy name {start:?}… has {length} bytes, at most {MAX_NAME} are allowed, for it is sent with every \
                 response; shorten it"
            ),
            Kind::DuplicateName(name) => {
                write!(f, "policy name {name:?} is used twice in one layer; give each policy a name of its own")
            }
            Kind::NoPolicies => f.write_str(
                "policies: none given, which would limit nobody; give at least one, or switch the layer off with \
                 `handle().disable()`",
            ),
            Kind::TooManyPolicies(count) => {
                write!(f, "policies: {count} given, at most {MAX_POLICIES} can be decided together; use fewer")
            }
            Kind::CostZero { policy } => write!(
                f,
                "policy {policy:?}: cost is 0, which would limit nobody; give at least 1, or a closure that returns 0 for \
                 the requests that are free"
            ),
            Kind::CostAboveBurst { policy, cost, burst } => write!(
                f,
                "policy {policy:?}: cost {cost} is above the burst of {burst}, so nobody would ever be admitted; lower the \
                 cost, or raise the burst with `Quota::burst`"
            ),
            Kind::Algorithm { policy, name, error } => write!(f, "policy {policy:?}: {name} cannot count it: {error}"),
            Kind::Capacity(error) => f.write_str(error),
            Kind::Ipv6Prefix(bits) => {
                write!(f, "ipv6_prefix must be from 32 to 128 bits, got {bits}; 64 is one site's smallest network")
            }
            Kind::Other { message, .. } => f.write_str(message),
        }
    }
}

impl std::error::Error for ConfigError {}
