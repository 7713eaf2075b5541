//! `RateLimit` and `RateLimit-Policy`, as draft-ietf-httpapi-ratelimit-headers has them since -08.
//!
//! Both are Lists of RFC 9651 whose members are Strings with parameters, in canonical form:
//!
//! ```text
//! RateLimit-Policy: "burst";q=20;w=2, "daily";q=10000;w=86400
//! RateLimit: "burst";r=19;t=2, "daily";r=740;t=51234
//! ```
//!
//! The draft is no standard yet; a later one may rename the parameters, which is why [`Fields`] can grow.

use std::time::Duration;

use http::header::{CACHE_CONTROL, HeaderMap, HeaderName, HeaderValue};
use http::{Response, StatusCode};
use rate_core::algorithm::{AlgorithmName, AnyAlgorithm};
use rate_core::{Decision, Quota};

use super::text::Text;
use crate::policy::Policy;
use crate::store::{Charge, Charges};

pub(super) const RATELIMIT: HeaderName = HeaderName::from_static("ratelimit");
pub(super) const RATELIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// Largest Integer of RFC 9651, section 3.3.1.
const MAX_INTEGER: u64 = 999_999_999_999_999;

/// Which quota fields are sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Fields {
    /// `RateLimit` and `RateLimit-Policy` in the syntax of the current IETF draft.
    #[default]
    Draft11,
    /// None. `Retry-After` is still sent with a refusal.
    None,
}

/// What never changes about the fields of a set of policies, written once.
#[derive(Clone, Debug)]
pub(crate) struct PolicyFields {
    /// What comes before each policy's remaining units in `RateLimit`, and what counts them.
    limits: Vec<(String, Counted)>,
    /// `RateLimit-Policy`.
    policies: Option<HeaderValue>,
}

/// The two fields of one response.
#[derive(Clone, Debug)]
pub(crate) struct FieldValues {
    limits: HeaderValue,
    policies: HeaderValue,
}

/// How a policy's units come back.
#[derive(Clone, Copy, Debug)]
enum Counted {
    /// One after the other.
    Evenly(Quota),
    /// All together, or as a window leaves them behind.
    InWindows(Quota),
}

impl From<&AnyAlgorithm> for Counted {
    fn from(limit: &AnyAlgorithm) -> Self {
        match limit.name() {
            AlgorithmName::Gcra => Self::Evenly(limit.quota()),
            _ => Self::InWindows(limit.quota()),
        }
    }
}

impl PolicyFields {
    pub(crate) fn new(policies: &[Policy], fields: Fields) -> Self {
        let names: Vec<_> = policies.iter().map(|policy| (quoted(policy.name()), policy.limit())).collect();
        let members: Vec<_> = names.iter().map(|(name, limit)| member(name, &limit.quota())).collect();
        let policies = match fields {
            Fields::Draft11 => HeaderValue::try_from(members.join(", ")).ok(),
            Fields::None => None,
        };
        let limits = names.into_iter().map(|(name, limit)| (format!("{name};r="), limit.into())).collect();
        Self { limits, policies }
    }

    /// `RateLimit-Policy`, if the fields are to be sent.
    pub(super) fn policies(&self) -> Option<&HeaderValue> {
        self.policies.as_ref()
    }

    /// The fields for these decisions; `None` when none are to be sent.
    #[inline]
    pub(crate) fn values(&self, charges: &Charges) -> Option<FieldValues> {
        let limits = self.limits(charges)?;
        Some(FieldValues { limits, policies: self.policies.clone()? })
    }

    /// `RateLimit` for these decisions; `None` when it is not to be sent.
    #[inline]
    pub(crate) fn limits(&self, charges: &Charges) -> Option<HeaderValue> {
        self.policies.as_ref().and_then(|_| self.written(charges))
    }

    #[inline(never)]
    fn written(&self, charges: &Charges) -> Option<HeaderValue> {
        let mut text = Text::<192>::new();
        for charge in charges.as_slice() {
            if let Some(decision) = &charge.decision {
                self.write_limit(charge, decision, &mut text);
            }
        }
        // A List without members is a field that is not there.
        let text = Some(text.as_bytes()).filter(|text| !text.is_empty());
        text.and_then(|text| HeaderValue::from_bytes(text).ok())
    }

    fn write_limit<const N: usize>(&self, charge: &Charge, decision: &Decision, text: &mut Text<N>) {
        let (start, counted) = &self.limits[charge.policy];
        if !text.as_bytes().is_empty() {
            text.push(b", ");
        }
        text.push(start.as_bytes());
        text.push_number(decision.remaining().min(MAX_INTEGER));
        text.push(b";t=");
        text.push_number(seconds(effective_window(decision, counted)));
    }
}

/// The time in which no more than the remaining units may be used (the `t` of the draft).
///
/// For a bucket that is the time in which as many units come back, so that `r / t` never exceeds the sustained rate; in
/// windows the time until all have. For a policy that refused, it is its own wait; for an exhausted bucket, the time to its
/// next unit.
fn effective_window(decision: &Decision, counted: &Counted) -> Duration {
    let wait = if decision.is_allowed() { None } else { decision.retry_after() };
    if let Some(wait) = wait {
        return wait;
    }
    match (counted, decision.remaining()) {
        (Counted::Evenly(quota), 0) => {
            decision.reset_after().saturating_sub(quota.time_for(quota.burst_size() - 1))
        }
        (Counted::Evenly(quota), remaining) => quota.time_for(remaining),
        // A request that took nothing, of a window that nobody has begun.
        (Counted::InWindows(quota), _) if decision.reset_after().is_zero() => quota.period(),
        (Counted::InWindows(_), _) => decision.reset_after(),
    }
}

impl FieldValues {
    /// Adds the fields to a response, after any that the inner service set for limits of its own.
    ///
    /// Left out on redirects, which a client that heeds a low `r` would stall on, and where a shared cache could replay
    /// one client's numbers to another.
    pub(crate) fn add_to<B>(self, response: &mut Response<B>) {
        if response.status().is_redirection() && response.status() != StatusCode::NOT_MODIFIED
            || is_shared(response.headers())
        {
            return;
        }
        let headers = response.headers_mut();
        if headers.append(RATELIMIT, self.limits) {
            keep_theirs(headers, &RATELIMIT);
        }
        if headers.append(RATELIMIT_POLICY, self.policies) {
            keep_theirs(headers, &RATELIMIT_POLICY);
        }
    }
}

/// Takes those members back from the last line whose names the lines before it have already: a name stands for one policy
/// in a response, and what the inner service says of its own is not ours to replace.
#[cold]
fn keep_theirs(headers: &mut HeaderMap, field: &HeaderName) {
    let mut lines: Vec<_> = headers.get_all(field).iter().cloned().collect();
    let Some(ours) = lines.pop() else { return };
    let has =
        |name| lines.iter().any(|line| split(line.as_bytes(), b',').any(|other| name_of(other) == name));
    let new: Vec<_> = split(ours.as_bytes(), b',').filter(|member| !has(name_of(member))).collect();
    if let (false, Ok(new)) = (new.is_empty(), HeaderValue::from_bytes(&new.join(&b", "[..]))) {
        lines.push(new);
    }
    headers.remove(field);
    for line in lines {
        headers.append(field, line);
    }
}

/// The String that a member of a List begins with.
fn name_of(member: &[u8]) -> &[u8] {
    split(member, b';').next().unwrap_or_default()
}

/// The parts of a structured field between these separators; inside a String one separates nothing.
fn split(text: &[u8], separator: u8) -> impl Iterator<Item = &[u8]> {
    let (mut quoted, mut escaped) = (false, false);
    let parts = text.split(move |&byte| {
        let separates = byte == separator && !quoted;
        quoted ^= byte == b'"' && !escaped;
        escaped = byte == b'\\' && quoted && !escaped;
        separates
    });
    parts.map(<[u8]>::trim_ascii)
}

/// Whether `Cache-Control` lets a cache hand this response to somebody else.
fn is_shared(headers: &HeaderMap) -> bool {
    headers.get_all(CACHE_CONTROL).iter().any(|value| {
        let directives = value.as_bytes().split(|&byte| byte == b',').map(<[u8]>::trim_ascii);
        directives.into_iter().any(|directive| {
            let name = directive.split(|&byte| byte == b'=').next().unwrap_or_default().trim_ascii();
            name.eq_ignore_ascii_case(b"public") || name.eq_ignore_ascii_case(b"s-maxage")
        })
    })
}

/// A String of RFC 9651. Policy names are printable ASCII by construction.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""))
}

/// A member of `RateLimit-Policy`: the most that can be taken at once, and the time to earn it back.
fn member(name: &str, quota: &Quota) -> String {
    let units = quota.burst_size().min(MAX_INTEGER);
    format!("{name};q={units};w={}", seconds(quota.refill_time()).max(1))
}

/// Whole seconds, rounded up and within RFC 9651's range.
pub(super) fn seconds(time: Duration) -> u64 {
    time.as_secs().saturating_add(u64::from(time.subsec_nanos() > 0)).min(MAX_INTEGER)
}
