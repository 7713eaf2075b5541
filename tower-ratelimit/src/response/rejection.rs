//! A request that was not forwarded, and why.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use http::StatusCode;
use smallvec::SmallVec;

use super::instance::Instance;
use super::text::Text;
use super::wording::Wording;
use crate::key::{KeyError, KeyErrorKind};
use crate::store::Charges;

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
#[derive(Clone)]
pub struct Rejection {
    pub(super) kind: RejectionKind,
    pub(super) cause: Cause,
    pub(super) retry_after: Option<Duration>,
    pub(super) instance: Instance,
}

/// What the response explains.
#[derive(Clone)]
pub(super) enum Cause {
    /// These policies, whose wording is ready.
    Refusals(Wording, SmallVec<[Refusal; 1]>),
    /// Anything else, in a sentence.
    Sentence(Cow<'static, str>),
}

/// One policy's part in a refusal.
#[derive(Clone, Copy)]
pub(super) struct Refusal {
    pub(super) policy: usize,
    /// The cost, when it is more than can ever be admitted.
    pub(super) too_much: Option<u64>,
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
        Self { kind, cause, retry_after, instance: Instance::new() }
    }

    /// What kept the request from being forwarded.
    #[must_use]
    pub fn kind(&self) -> RejectionKind {
        self.kind
    }

    /// The status of the response.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.kind.status()
    }

    /// The policies that refused, in the order of the layer.
    #[must_use]
    pub fn violated_policies(&self) -> Vec<&str> {
        match &self.cause {
            Cause::Refusals(wording, refusals) => {
                refusals.iter().map(|refusal| wording.of(refusal.policy).name.as_str()).collect()
            }
            Cause::Sentence(_) => Vec::new(),
        }
    }

    /// The longest wait among the policies that refused; `None` when no wait helps.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// The explanation in the response's body.
    #[must_use]
    pub fn detail(&self) -> Cow<'_, str> {
        match &self.cause {
            Cause::Refusals(wording, refusals) => {
                let mut text = Text::<256>::new();
                self.write_detail(refusals, wording, |policy| &policy.allowance, &mut text);
                String::from_utf8_lossy(text.as_bytes()).into_owned().into()
            }
            Cause::Sentence(sentence) => Cow::Borrowed(sentence),
        }
    }

    /// The `instance` in the response's body, `urn:uuid:…`: what a user can quote.
    ///
    /// [`Event::Denied`](crate::Event::Denied) carries it, so an operator whose
    /// [`on_event`](crate::RateLimitLayer::on_event) logs denials finds it there. Other events do not: a layer outside this
    /// one can log the rejection itself.
    #[must_use]
    pub fn instance(&self) -> String {
        self.instance.text().into_iter().map(char::from).collect()
    }
}

impl fmt::Debug for Rejection {
    /// What a log line needs, without the sentences.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rejection")
            .field("kind", &self.kind)
            .field("status", &self.status())
            .field("retry_after", &self.retry_after)
            .field("violated_policies", &self.violated_policies())
            .field("instance", &self.instance())
            .finish()
    }
}
