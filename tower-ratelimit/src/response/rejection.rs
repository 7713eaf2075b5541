//! A request that was not forwarded, and the response it gets.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use http::{Method, Response, StatusCode};
use smallvec::SmallVec;

use super::fields::seconds;
use super::instance::Instance;
use super::problem::Problem;
use super::wording::Wording;
use crate::key::{KeyError, KeyErrorKind};
use crate::store::Charges;

/// Largest `Retry-After`, which many clients keep in 31 bits.
const MAX_RETRY_AFTER: u64 = 2_147_483_647;

const QUOTA_EXCEEDED: &str = "https://iana.org/assignments/http-problem-types#quota-exceeded";
/// The beginning of a refusal's body; a test compares the whole with what the JSON library writes.
const QUOTA_EXCEEDED_JSON: &str = "{\"type\":\"https://iana.org/assignments/http-problem-types#quota-exceeded\",\
    \"title\":\"Quota Exceeded\",\"status\":429,\"detail\":\"";

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
    cause: Cause,
    retry_after: Option<Duration>,
    instance: Instance,
}

/// What the response explains.
#[derive(Debug)]
enum Cause {
    /// These policies, whose wording is ready.
    Refusals(Wording, SmallVec<[Refusal; 1]>),
    /// Anything else, in a sentence.
    Sentence(Cow<'static, str>),
}

/// One policy's part in a refusal.
#[derive(Clone, Copy, Debug)]
struct Refusal {
    policy: usize,
    /// The cost, when it is more than can ever be admitted.
    too_much: Option<u64>,
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
    pub(crate) fn denied(wording: &Wording, charges: &Charges) -> Self {
        let refusals = charges.as_slice().iter().filter_map(|charge| {
            let decision = charge.decision.filter(|decision| !decision.is_allowed())?;
            let too_much = decision.retry_after().is_none().then_some(charge.cost);
            Some(Refusal { policy: charge.policy, too_much })
        });
        let cause = Cause::Refusals(wording.clone(), refusals.collect());
        Self::of(RejectionKind::Denied, cause, charges.decisive().and_then(rate_core::Decision::retry_after))
    }

    pub(crate) fn key(error: &KeyError, hint: Option<&str>) -> Self {
        let kind = RejectionKind::Key(error.kind());
        let sentence = match hint {
            // A release build tells the world nothing about how the server is built.
            Some(hint) if cfg!(debug_assertions) => format!("{error}. {hint}").into(),
            None if cfg!(debug_assertions) || kind.status().is_client_error() => format!("{error}.").into(),
            _ => Cow::Borrowed("The server could not tell who is asking."),
        };
        Self::of(kind, Cause::Sentence(sentence), None)
    }

    pub(crate) fn store() -> Self {
        let cause = Cause::Sentence(Cow::Borrowed("The service cannot check its limits just now."));
        Self::of(RejectionKind::Store, cause, Some(Duration::from_secs(1)))
    }

    fn of(kind: RejectionKind, cause: Cause, retry_after: Option<Duration>) -> Self {
        Self(Arc::new(Inner { kind, cause, retry_after, instance: Instance::new() }))
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
    pub fn violated_policies(&self) -> Vec<&str> {
        match &self.0.cause {
            Cause::Refusals(wording, refusals) => {
                refusals.iter().map(|refusal| wording.of(refusal.policy).name.as_str()).collect()
            }
            Cause::Sentence(_) => Vec::new(),
        }
    }

    /// The longest wait among the policies that refused; `None` when no wait helps.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// The explanation in the response's body.
    #[must_use]
    pub fn detail(&self) -> Cow<'_, str> {
        match &self.0.cause {
            Cause::Refusals(wording, refusals) => {
                let mut text = Vec::new();
                self.write_detail(refusals, |policy| &wording.of(policy).allowance, &mut text);
                Cow::Owned(String::from_utf8(text).unwrap_or_default())
            }
            Cause::Sentence(sentence) => Cow::Borrowed(sentence),
        }
    }

    /// The `instance` in the response's body, `urn:uuid:…`: what a user can quote and an operator can find in the log.
    #[must_use]
    pub fn instance(&self) -> String {
        self.0.instance.text().into_iter().map(char::from).collect()
    }

    /// The sentences of a refusal, each policy's allowance as `allowance` words it.
    fn write_detail<'a>(
        &self,
        refusals: &[Refusal],
        allowance: impl Fn(usize) -> &'a str,
        text: &mut impl Extend<u8>,
    ) {
        let mut push = |part: &str| text.extend(part.bytes());
        let mut number = itoa::Buffer::new();
        for (index, refusal) in refusals.iter().enumerate() {
            push(if index == 0 { "" } else { " " });
            push(allowance(refusal.policy));
            if let (Some(cost), Cause::Refusals(wording, _)) = (refusal.too_much, &self.0.cause) {
                push(" This request costs ");
                push(number.format(cost));
                push(", and at most ");
                push(number.format(wording.of(refusal.policy).burst));
                push(" can ever be admitted at once.");
            }
        }
        if let Some(wait) = self.0.retry_after {
            let wait = whole_seconds(wait);
            push(" Retry in ");
            push(number.format(wait));
            push(if wait == 1 { " second." } else { " seconds." });
        }
    }

    /// The problem as JSON. A refusal's is joined from parts that were serialized before, and numbers.
    fn json(&self) -> Vec<u8> {
        let status = self.status();
        let (kind, title) = match self.0.kind {
            RejectionKind::Denied => (QUOTA_EXCEEDED, "Quota Exceeded"),
            RejectionKind::Store => (REDUCED_CAPACITY, "Temporary Reduced Capacity"),
            RejectionKind::Key(_) => ("about:blank", status.canonical_reason().unwrap_or_default()),
        };
        match &self.0.cause {
            Cause::Sentence(detail) => {
                Problem { kind, title, status: status.as_u16(), detail, instance: &self.instance() }.to_json()
            }
            Cause::Refusals(wording, refusals) => {
                let mut json = Vec::with_capacity(512);
                json.extend_from_slice(QUOTA_EXCEEDED_JSON.as_bytes());
                self.write_detail(refusals, |policy| &wording.of(policy).json_allowance, &mut json);
                json.extend_from_slice(b"\",\"instance\":\"");
                json.extend_from_slice(&self.0.instance.text());
                json.extend_from_slice(b"\",\"violated-policies\":[");
                for (index, refusal) in refusals.iter().enumerate() {
                    json.extend_from_slice(if index == 0 { b"" } else { b"," });
                    json.extend_from_slice(wording.of(refusal.policy).json_name.as_bytes());
                }
                json.extend_from_slice(b"]}");
                json
            }
        }
    }

    /// The response: problem+json, `Retry-After` when a wait helps, and never to be stored by a cache.
    pub(crate) fn response(&self, method: &Method) -> Response<Bytes> {
        let json = self.json();

        // A response to HEAD says how long the body would be, and has none.
        let length = json.len();
        let body = if method == Method::HEAD { Bytes::new() } else { Bytes::from(json) };
        let mut response = Response::new(body);
        *response.status_mut() = self.status();
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
