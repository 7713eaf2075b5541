//! The response to a request that was not forwarded.
//!
//! An attack is mostly refusals, so a refusal is joined from parts that were written before, with room for all of it taken
//! at once.

use std::time::Duration;

use bytes::Bytes;
use http::{Extensions, HeaderValue, Method, Response};

use super::fields::seconds;
use super::headers::RejectionHeaders;
use super::problem::Problem;
use super::rejection::{Cause, Refusal, Rejection, RejectionKind};
use super::text::Text;
use super::wording::{PolicyWording, Wording};

/// Largest `Retry-After`, which many clients keep in 31 bits.
const MAX_RETRY_AFTER: u64 = 2_147_483_647;

/// The beginning of a refusal's body; a test compares the whole with what the JSON library writes.
const QUOTA_EXCEEDED: &str = "{\"type\":\"https://iana.org/assignments/http-problem-types#quota-exceeded\",\
    \"title\":\"Quota Exceeded\",\"status\":429,\"detail\":\"";

const REDUCED_CAPACITY: &str = "https://iana.org/assignments/http-problem-types#temporary-reduced-capacity";

impl Rejection {
    /// The response: problem+json, `Retry-After` when a wait helps, and never to be stored by a cache.
    ///
    /// `extensions` are the request's, which nobody needs any more: emptied, they spare the response a map of its own.
    pub(crate) fn response(
        self,
        headers: &RejectionHeaders,
        limits: Option<HeaderValue>,
        method: &Method,
        mut extensions: Extensions,
    ) -> Response<Bytes> {
        let json = self.json();
        let headers = headers.of(json.len(), self.retry_after.map(whole_seconds), limits);
        // A response to HEAD says how long the body would be, and has none.
        let mut response = Response::new(if method == Method::HEAD { Bytes::new() } else { json });
        *response.status_mut() = self.status();
        *response.headers_mut() = headers;
        extensions.clear();
        extensions.insert(self);
        *response.extensions_mut() = extensions;
        response
    }

    /// The problem as JSON.
    fn json(&self) -> Bytes {
        let status = self.status();
        match &self.cause {
            Cause::Refusals(wording, refusals) => self.refusal_json(wording, refusals),
            Cause::Sentence(detail) => {
                let (kind, title) = match self.kind {
                    RejectionKind::Store => (REDUCED_CAPACITY, "Temporary Reduced Capacity"),
                    _ => ("about:blank", status.canonical_reason().unwrap_or_default()),
                };
                let instance = self.instance();
                Problem { kind, title, status: status.as_u16(), detail, instance: &instance }.to_json().into()
            }
        }
    }

    /// A refusal's, from parts that were serialized before, and numbers.
    fn refusal_json(&self, wording: &Wording, refusals: &[Refusal]) -> Bytes {
        let mut json = Text::<512>::new();
        json.push(QUOTA_EXCEEDED.as_bytes());
        self.write_detail(refusals, wording, |policy| &policy.json_allowance, &mut json);
        json.push(b"\",\"instance\":\"");
        json.push(&self.instance.text());
        json.push(b"\",\"violated-policies\":[");
        for (index, refusal) in refusals.iter().enumerate() {
            json.push(if index == 0 { b"" } else { b"," });
            json.push(wording.of(refusal.policy).json_name.as_bytes());
        }
        json.push(b"]}");
        json.to_bytes()
    }

    /// The sentences of a refusal, each policy's allowance as `allowance` words it.
    pub(super) fn write_detail<const N: usize>(
        &self,
        refusals: &[Refusal],
        wording: &Wording,
        allowance: impl Fn(&PolicyWording) -> &str,
        text: &mut Text<N>,
    ) {
        for (index, refusal) in refusals.iter().enumerate() {
            let policy = wording.of(refusal.policy);
            text.push(if index == 0 { b"" } else { b" " });
            text.push(allowance(policy).as_bytes());
            if let Some(cost) = refusal.too_much {
                text.push(b" This request costs ");
                text.push_number(cost);
                text.push(b", and at most ");
                text.push_number(policy.burst);
                text.push(b" can ever be admitted at once.");
            }
        }
        if let Some(wait) = self.retry_after {
            let wait = whole_seconds(wait);
            text.push(b" Retry in ");
            text.push_number(wait);
            text.push(if wait == 1 { b" second." } else { b" seconds." });
        }
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
