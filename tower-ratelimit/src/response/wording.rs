//! What refusals say, written once for each policy.
//!
//! All that varies between two refusals are numbers; everything else is serialized when the policies are set, and joined
//! when a request is refused.

use std::sync::Arc;

use rate_core::algorithm::{AnyAlgorithm, Calendar};

use crate::policy::Policy;

/// The wording of a set of policies.
#[derive(Clone, Debug)]
pub(crate) struct Wording(Arc<[PolicyWording]>);

/// The wording of one policy.
#[derive(Debug)]
pub(super) struct PolicyWording {
    pub(super) name: String,
    /// The name as a JSON string, quotes included.
    pub(super) json_name: String,
    /// `Policy "default" allows 100 requests per 60 seconds.`
    pub(super) allowance: String,
    /// The same as the inside of a JSON string.
    pub(super) json_allowance: String,
    /// Most units that can ever be admitted at once.
    pub(super) burst: u64,
}

impl Wording {
    pub(crate) fn new(policies: &[Policy]) -> Self {
        let word = |policy: &Policy| {
            let allowance = allowance(policy.name(), policy.limit());
            let json_allowance = json(&allowance);
            PolicyWording {
                name: policy.name().to_owned(),
                json_name: json(policy.name()),
                json_allowance: json_allowance.trim_matches('"').to_owned(),
                allowance,
                burst: policy.quota().burst_size(),
            }
        };
        Self(policies.iter().map(word).collect())
    }

    pub(super) fn of(&self, policy: usize) -> &PolicyWording {
        &self.0[policy]
    }
}

/// A JSON string, quotes included.
fn json(text: &str) -> String {
    // A string cannot fail to serialize into memory.
    serde_json::to_string(text).unwrap_or_default()
}

fn allowance(name: &str, limit: &AnyAlgorithm) -> String {
    let calendar = match limit {
        AnyAlgorithm::CalendarWindow(window) => Some(window.calendar()),
        _ => None,
    };
    let (limit, period) = (limit.quota().limit(), limit.quota().period());
    let requests = if limit == 1 { "request" } else { "requests" };
    let period = match (period.as_secs(), period.subsec_nanos()) {
        _ if calendar == Some(Calendar::Month) => "calendar month".to_owned(),
        _ if calendar == Some(Calendar::Day) => "calendar day".to_owned(),
        (1, 0) => "second".to_owned(),
        (seconds, 0) => format!("{seconds} seconds"),
        _ => format!("{period:?}"),
    };
    format!("Policy {name:?} allows {limit} {requests} per {period}.")
}
