//! Why a request has no key.

use std::borrow::Cow;
use std::convert::Infallible;
use std::fmt;

use http::HeaderName;

use super::MAX_PART;

/// A request that has no usable key.
///
/// Missing, malformed and too long are different errors: only a missing key may fall back to another one, or to the
/// bucket that all such requests share. The message never contains what the client sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyError {
    kind: KeyErrorKind,
    detail: Detail,
}

/// Told without an allocation where a key falls back to another on every request.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Detail {
    Text(Cow<'static, str>),
    TooLong(usize),
    NoHeader(HeaderName),
    NoExtension(&'static str),
    NoPeer,
}

/// What is wrong with a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyErrorKind {
    /// The request does not carry it: a client's mistake, answered with 400.
    Missing,
    /// The client sent something that is no key: answered with 400.
    Malformed,
    /// The client sent more than 256 bytes: answered with 400.
    TooLong,
    /// The server does not tell the layer who the peer is: answered with 500, for it is the server that needs mending.
    NoPeer,
    /// A layer that should have left the key in the extensions did not run, or the peer has no address: answered with
    /// 500, for the same reason.
    Unconfigured,
}

impl KeyError {
    /// The request does not carry the key; `what` says which, for the error's text.
    pub fn missing(what: impl Into<Cow<'static, str>>) -> Self {
        Self { kind: KeyErrorKind::Missing, detail: Detail::Text(what.into()) }
    }

    /// The request carries something that is no key. Do not put what the client sent into `what`.
    pub fn malformed(what: impl Into<Cow<'static, str>>) -> Self {
        Self { kind: KeyErrorKind::Malformed, detail: Detail::Text(what.into()) }
    }

    /// The server is not set up to know the key; `what` should name the line of code that mends it.
    pub fn unconfigured(what: impl Into<Cow<'static, str>>) -> Self {
        Self { kind: KeyErrorKind::Unconfigured, detail: Detail::Text(what.into()) }
    }

    pub(crate) fn too_long(bytes: usize) -> Self {
        Self { kind: KeyErrorKind::TooLong, detail: Detail::TooLong(bytes) }
    }

    pub(crate) fn no_header(name: HeaderName) -> Self {
        Self { kind: KeyErrorKind::Missing, detail: Detail::NoHeader(name) }
    }

    pub(crate) fn no_extension(type_name: &'static str) -> Self {
        Self { kind: KeyErrorKind::Unconfigured, detail: Detail::NoExtension(type_name) }
    }

    /// No framework said who the peer is. The layer adds the line that mends it, which depends on the framework.
    pub(crate) fn no_peer() -> Self {
        Self { kind: KeyErrorKind::NoPeer, detail: Detail::NoPeer }
    }

    /// What is wrong.
    #[must_use]
    pub fn kind(&self) -> KeyErrorKind {
        self.kind
    }

    /// Whether another source of keys may be asked instead: nothing was sent that had to be refused.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        matches!(self.kind, KeyErrorKind::Missing | KeyErrorKind::NoPeer | KeyErrorKind::Unconfigured)
    }
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.detail {
            Detail::Text(text) => f.write_str(text),
            Detail::TooLong(bytes) => {
                write!(f, "a part of the key has {bytes} bytes, at most {MAX_PART} are allowed")
            }
            Detail::NoHeader(name) => write!(f, "the request has no `{name}` header"),
            Detail::NoExtension(name) => write!(
                f,
                "the request has no `{name}` extension; add the layer that inserts it after (outside) the rate limit, \
                 or give requests without one another key: `extension::<{name}>().or(ClientIp::peer())`"
            ),
            Detail::NoPeer => f.write_str("the server does not say who the peer is"),
        }
    }
}

impl std::error::Error for KeyError {}

impl From<Infallible> for KeyError {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}
