//! The header fields of the layer's own responses.

use http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER};

use super::fields::{PolicyFields, RATELIMIT, RATELIMIT_POLICY};
use super::number::header_value;

/// All fields that a rejection can have, with the values that never change.
///
/// Copying a map takes half of what filling one takes: nothing is hashed.
#[derive(Clone, Debug)]
pub(crate) struct RejectionHeaders(HeaderMap);

impl RejectionHeaders {
    pub(crate) fn new(fields: &PolicyFields) -> Self {
        let unknown = HeaderValue::from_static("");
        let mut headers = HeaderMap::with_capacity(6);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(CONTENT_LENGTH, unknown.clone());
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(RETRY_AFTER, unknown.clone());
        if let Some(policies) = fields.policies() {
            headers.insert(RATELIMIT, unknown);
            headers.insert(RATELIMIT_POLICY, policies.clone());
        }
        Self(headers)
    }

    /// The fields of one rejection: `Retry-After` when a wait helps, the quota fields when there are `limits` to tell.
    pub(super) fn of(&self, length: usize, wait: Option<u64>, limits: Option<HeaderValue>) -> HeaderMap {
        let mut headers = self.0.clone();
        if wait.is_none() {
            headers.remove(RETRY_AFTER);
        }
        if limits.is_none() {
            headers.remove(RATELIMIT);
            headers.remove(RATELIMIT_POLICY);
        }
        let mut limits = limits;
        for (name, value) in &mut headers {
            if name == CONTENT_LENGTH {
                *value = header_value(length as u64);
            } else if name == RETRY_AFTER {
                if let Some(wait) = wait {
                    *value = header_value(wait);
                }
            } else if name == RATELIMIT {
                if let Some(limits) = limits.take() {
                    *value = limits;
                }
            }
        }
        headers
    }
}

#[cfg(test)]
mod tests {
    use rate_core::Quota;

    use super::*;
    use crate::policy::Policy;
    use crate::response::Fields;

    #[test]
    fn no_field_is_sent_with_a_value_that_is_not_known() {
        let policies = [Policy::new("p", Quota::per_hour(1))];
        for fields in [Fields::Draft11, Fields::None] {
            let rejection = RejectionHeaders::new(&PolicyFields::new(&policies, fields));
            for wait in [None, Some(1), Some(3_600)] {
                for limits in [None, Some(HeaderValue::from_static("\"p\";r=0;t=1"))] {
                    let limits = limits.filter(|_| fields == Fields::Draft11);
                    let headers = rejection.of(7, wait, limits.clone());
                    assert!(headers.values().all(|value| !value.is_empty()), "{headers:?}");
                    assert_eq!(headers[CONTENT_LENGTH], "7");
                    assert_eq!(headers.get(RETRY_AFTER).cloned(), wait.map(HeaderValue::from));
                    assert_eq!(headers.contains_key(RATELIMIT_POLICY), limits.is_some());
                    assert_eq!(headers.get(RATELIMIT).cloned(), limits);
                }
            }
        }
    }
}
