//! A request that was not forwarded, and the response it gets.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use http::{Method, Response, StatusCode};
use rate_core::{Quota, Secret};

use super::fields::seconds;
use super::problem::Problem;
use crate::key::{KeyError, KeyErrorKind};
use crate::policy::Policy;
use crate::store::Charges;

/// Largest `Retry-After`, which many clients keep in 31 bits.
const MAX_RETRY_AFTER: u64 = 2_147_483_647;

const QUOTA_EXCEEDED: &str = "https://iana.org/assignments/http-problem-types#quota-exceeded";
const REDUCED_CAPACITY: &str = "https://iana.org/assignments/http-problem-types#temporary-reduced-capacity";

/// Why a request was not forwarded.
///
/// In the extensions of every response the layer itself makes, whatever that response looks like, for layers outside it
/// to log, count or replace.
///
/// # Examples
///
/// ```
/// use http::{Request, Response, StatusCode};
/// use tower::{Layer, ServiceExt, service_fn};
/// use tower_ratelimit::{Quota, RateLimitLayer, Rejection, RejectionKind, Policy, global};
///
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// let layer = RateLimitLayer::new(Policy::new("everybody", Quota::per_hour(1)).key(global()));
/// let service = layer.layer(service_fn(async |_: Request<()>| {
///     Ok::<_, std::convert::Infallible>(Response::new(http_body_util::Empty::<bytes::Bytes>::new()))
/// }));
/// let first = service.clone().oneshot(Request::new(())).await?;
/// assert!(first.extensions().get::<Rejection>().is_none());
///
/// let second = service.oneshot(Request::new(())).await?;
/// let rejection = second.extensions().get::<Rejection>().expect("the layer answered");
/// assert_eq!(rejection.kind(), RejectionKind::Denied);
/// assert_eq!(rejection.status(), StatusCode::TOO_MANY_REQUESTS);
/// assert_eq!(rejection.violated_policies(), ["everybody"]);
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Rejection(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    kind: RejectionKind,
    violated: Vec<String>,
    retry_after: Option<Duration>,
    detail: String,
    instance: String,
}

/// What kept a request from being forwarded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RejectionKind {
    /// A limit refused it.
    Denied,
    /// It has no usable key.
    Key(KeyErrorKind),
    /// The store could not decide.
    Store,
}

impl RejectionKind {
    /// The status this kind is answered with.
    #[must_use]
    pub fn status(self) -> StatusCode {
        match self {
            Self::Denied => StatusCode::TOO_MANY_REQUESTS,
            Self::Key(KeyErrorKind::NoPeer | KeyErrorKind::Unconfigured) => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Key(_) => StatusCode::BAD_REQUEST,
            Self::Store => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

impl Rejection {
    pub(crate) fn denied(policies: &[Policy], charges: &Charges) -> Self {
        let refusals = || {
            charges.as_slice().iter().filter_map(|charge| {
                let decision = charge.decision.filter(|decision| !decision.is_allowed())?;
                Some((&policies[charge.policy], charge.cost, decision))
            })
        };
        let retry_after = charges.decisive().and_then(rate_core::Decision::retry_after);
        let mut detail = String::new();
        for (policy, cost, decision) in refusals() {
            if !detail.is_empty() {
                detail.push(' ');
            }
            detail.push_str(&allowance(policy.name(), &policy.quota()));
            if decision.retry_after().is_none() {
                let most = policy.quota().burst_size();
                detail.push_str(&format!(
                    " This request costs {cost}, and at most {most} can ever be admitted at once."
                ));
            }
        }
        if let Some(wait) = retry_after {
            let wait = whole_seconds(wait);
            detail.push_str(&format!(" Retry in {wait} second{}.", if wait == 1 { "" } else { "s" }));
        }
        let violated = refusals().map(|(policy, ..)| policy.name().to_owned()).collect();
        Self::of(RejectionKind::Denied, violated, retry_after, detail)
    }

    pub(crate) fn key(error: &KeyError, hint: Option<&str>) -> Self {
        let kind = RejectionKind::Key(error.kind());
        let detail = match hint {
            // A release build tells the world nothing about how the server is built.
            Some(hint) if cfg!(debug_assertions) => format!("{error}. {hint}"),
            None if cfg!(debug_assertions) || kind.status().is_client_error() => format!("{error}."),
            _ => "The server could not tell who is asking.".to_owned(),
        };
        Self::of(kind, Vec::new(), None, detail)
    }

    pub(crate) fn store() -> Self {
        let detail = "The service cannot check its limits just now.".to_owned();
        Self::of(RejectionKind::Store, Vec::new(), Some(Duration::from_secs(1)), detail)
    }

    fn of(kind: RejectionKind, violated: Vec<String>, retry_after: Option<Duration>, detail: String) -> Self {
        Self(Arc::new(Inner { kind, violated, retry_after, detail, instance: new_instance() }))
    }

    /// What kept the request from being forwarded.
    #[must_use]
    pub fn kind(&self) -> RejectionKind {
        self.0.kind
    }

    /// The status of the response.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.0.kind.status()
    }

    /// The policies that refused, in the order of the layer.
    #[must_use]
    pub fn violated_policies(&self) -> &[String] {
        &self.0.violated
    }

    /// The longest wait among the policies that refused; `None` when no wait helps.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// The explanation in the response's body.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.0.detail
    }

    /// The `instance` in the response's body, `urn:uuid:…`: what a user can quote and an operator can find in the log.
    #[must_use]
    pub fn instance(&self) -> &str {
        &self.0.instance
    }

    /// The response: problem+json, `Retry-After` when a wait helps, and never to be stored by a cache.
    pub(crate) fn response(&self, method: &Method) -> Response<Bytes> {
        let status = self.status();
        let violated: Vec<_> = self.0.violated.iter().map(String::as_str).collect();
        let (kind, title) = match self.0.kind {
            RejectionKind::Denied => (QUOTA_EXCEEDED, "Quota Exceeded"),
            RejectionKind::Store => (REDUCED_CAPACITY, "Temporary Reduced Capacity"),
            RejectionKind::Key(_) => ("about:blank", status.canonical_reason().unwrap_or_default()),
        };
        let (detail, instance) = (self.detail(), self.instance());
        let json =
            Problem { kind, title, status: status.as_u16(), detail, instance, violated: &violated }.to_json();

        // A response to HEAD says how long the body would be, and has none.
        let length = json.len();
        let body = if method == Method::HEAD { Bytes::new() } else { Bytes::from(json) };
        let mut response = Response::new(body);
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(wait) = self.0.retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(whole_seconds(wait)));
        }
        response.extensions_mut().insert(self.clone());
        response
    }
}

/// A wait in the seconds of `Retry-After`: rounded up, never zero, so that waiting it out is always enough.
fn whole_seconds(wait: Duration) -> u64 {
    seconds(wait).clamp(1, MAX_RETRY_AFTER)
}

/// `Policy "default" allows 100 requests per 60 seconds.`
fn allowance(name: &str, quota: &Quota) -> String {
    let (limit, period) = (quota.limit(), quota.period());
    let requests = if limit == 1 { "request" } else { "requests" };
    let period = match (period.as_secs(), period.subsec_nanos()) {
        (1, 0) => "second".to_owned(),
        (seconds, 0) => format!("{seconds} seconds"),
        _ => format!("{period:?}"),
    };
    format!("Policy {name:?} allows {limit} {requests} per {period}.")
}

/// A random UUID (version 4 of RFC 9562) as a URN.
///
/// A counter under a secret function: as unpredictable as the secret, at the price of two short hashes.
fn new_instance() -> String {
    static SECRET: OnceLock<Secret> = OnceLock::new();
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let secret = SECRET.get_or_init(Secret::random);
    // Relaxed: only the numbers have to differ.
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let high = secret.fingerprint(&(count, 0_u64)).as_u64() & 0xffff_ffff_ffff_0fff | 0x4000;
    let low = secret.fingerprint(&(count, 1_u64)).as_u64() >> 2 | 1 << 63;
    format!(
        "urn:uuid:{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        high >> 32,
        high >> 16 & 0xffff,
        high & 0xffff,
        low >> 48,
        low & 0xffff_ffff_ffff
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_rounded_up_between_a_second_and_what_31_bits_hold() {
        for (nanos, seconds) in [
            (0, 1),
            (1, 1),
            (999_999_000, 1),
            (1_000_000_000, 1),
            (1_000_000_001, 2),
            (59_500_000_000, 60),
            (2_147_483_647_000_000_000, 2_147_483_647),
            (2_147_483_647_000_000_001, 2_147_483_647),
            (u64::MAX, 2_147_483_647),
        ] {
            assert_eq!(whole_seconds(Duration::from_nanos(nanos)), seconds, "{nanos} ns");
        }
        assert_eq!(whole_seconds(Duration::MAX), 2_147_483_647);
    }
}
