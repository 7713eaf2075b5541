//! What of a request the limiter looks at, and how a framework's own facts reach it.

use std::fmt;
use std::net::SocketAddr;

use http::header::{HeaderName, HeaderValue, ValueIter};
use http::request::Parts;
use http::{Extensions, HeaderMap, Method, Request, Uri};

use crate::key::{KeyError, MAX_PART};

/// A request without its body, as key extractors and hooks see it.
///
/// # Examples
///
/// ```
/// use http::Request;
/// use tower_ratelimit::RequestHead;
///
/// let request = Request::builder().uri("/search").header("x-tenant", "blue").body(())?;
/// let head = RequestHead::of(&request);
/// assert_eq!(head.uri().path(), "/search");
/// assert_eq!(head.header_str("x-tenant")?, "blue");
/// assert!(head.header_str("x-other").is_err());
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy)]
pub struct RequestHead<'a> {
    method: &'a Method,
    uri: &'a Uri,
    headers: &'a HeaderMap,
    extensions: &'a Extensions,
    framework: Framework,
    /// Only for those who are told of a decision.
    policy: Option<&'a str>,
}

impl<'a> RequestHead<'a> {
    /// The head of `request`, for tests of your own extractors.
    pub fn of<B>(request: &'a Request<B>) -> Self {
        Self::with_framework(request, Framework::default())
    }

    pub(crate) fn with_framework<B>(request: &'a Request<B>, framework: Framework) -> Self {
        Self {
            method: request.method(),
            uri: request.uri(),
            headers: request.headers(),
            extensions: request.extensions(),
            framework,
            policy: None,
        }
    }

    /// The same, for a hook that is told of this policy's decision.
    pub(crate) fn decided_by(self, policy: &'a str) -> Self {
        Self { policy: Some(policy), ..self }
    }

    /// The head of a request that was taken apart already.
    #[must_use]
    pub fn of_parts(parts: &'a Parts) -> Self {
        Self {
            method: &parts.method,
            uri: &parts.uri,
            headers: &parts.headers,
            extensions: &parts.extensions,
            framework: Framework::default(),
            policy: None,
        }
    }

    /// The method.
    #[must_use]
    pub fn method(&self) -> &'a Method {
        self.method
    }

    /// The target.
    #[must_use]
    pub fn uri(&self) -> &'a Uri {
        self.uri
    }

    /// The header fields.
    #[must_use]
    pub fn headers(&self) -> &'a HeaderMap {
        self.headers
    }

    /// The extensions that layers outside this one have filled.
    #[must_use]
    pub fn extensions(&self) -> &'a Extensions {
        self.extensions
    }

    /// Who is at the other end of the connection, if the framework says so.
    #[must_use]
    pub fn peer(&self) -> Option<Peer> {
        (self.framework.peer)(self.extensions)
    }

    /// The route template that matched, such as `/users/{id}`, if the framework says so.
    #[must_use]
    pub fn matched_route(&self) -> Option<&'a str> {
        (self.framework.route)(self.extensions)
    }

    /// The name of the policy that decided, in [`on_decision`](crate::RateLimitLayer::on_decision); `None` anywhere else,
    /// since nobody has decided yet.
    #[must_use]
    pub fn policy(&self) -> Option<&'a str> {
        self.policy
    }

    /// The one value of a header, as text fit for a key.
    ///
    /// # Errors
    ///
    /// Missing, when there is no such field. Malformed, when there are several (which one the application reads is
    /// anybody's guess), or the value is empty or not visible ASCII. Too long, above 256 bytes.
    pub fn header_str(&self, name: &str) -> Result<&'a str, KeyError> {
        // Looked up as text: a `HeaderName` of it would be an allocation for each request.
        only(self.headers.get_all(name).iter())?.ok_or_else(|| {
            match HeaderName::from_bytes(name.as_bytes()) {
                Ok(name) => KeyError::no_header(name),
                Err(_) => KeyError::unconfigured(not_a_header_name(name)),
            }
        })
    }

    pub(crate) fn header_value(&self, name: &HeaderName) -> Result<&'a str, KeyError> {
        only(self.headers.get_all(name).iter())?.ok_or_else(|| KeyError::no_header(name.clone()))
    }
}

/// The one value of a field, as text fit for a key, or `None` when there is no such field.
fn only<'a>(mut values: ValueIter<'a, HeaderValue>) -> Result<Option<&'a str>, KeyError> {
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(KeyError::malformed("a header that may appear once appears several times"));
    }
    text_of(value.as_bytes()).map(Some)
}

pub(crate) fn not_a_header_name(name: &str) -> String {
    let name = name.escape_debug();
    format!("`{name}` is not a header name; use letters, digits and hyphens, such as `x-tenant`")
}

/// The value of a header, as text fit for a key.
pub(crate) fn text_of(value: &[u8]) -> Result<&str, KeyError> {
    if value.len() > MAX_PART {
        return Err(KeyError::too_long(value.len()));
    }
    match std::str::from_utf8(value) {
        Ok(text) if !text.is_empty() && text.bytes().all(|byte| matches!(byte, b' '..=b'~')) => Ok(text),
        _ => Err(KeyError::malformed("a header is empty or not visible ASCII")),
    }
}

impl fmt::Debug for RequestHead<'_> {
    /// Method and path only: headers carry credentials, and a debug line is a log line sooner or later.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestHead")
            .field("method", self.method)
            .field("path", &self.uri.path())
            .finish_non_exhaustive()
    }
}

/// The other end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Peer {
    /// A TCP or QUIC peer.
    Tcp(SocketAddr),
    /// A Unix-domain socket, which carries no address.
    Unix,
}

/// Where a framework keeps its facts in a request's extensions.
///
/// The default looks for a [`Peer`] or a [`SocketAddr`] and knows no routes, which serves plain hyper; the axum adapter
/// installs its own. Install another with [`RateLimitLayer::framework`](crate::RateLimitLayer::framework).
///
/// # Examples
///
/// ```
/// use std::net::SocketAddr;
/// use tower_ratelimit::{Framework, Peer};
///
/// #[derive(Clone, Copy)]
/// struct MyConnection { remote: SocketAddr }
///
/// let mine = Framework {
///     peer: |extensions| extensions.get::<MyConnection>().map(|connection| Peer::Tcp(connection.remote)),
///     ..Framework::default()
/// };
/// let mut extensions = http::Extensions::new();
/// assert_eq!((mine.peer)(&extensions), None);
/// extensions.insert(MyConnection { remote: ([192, 0, 2, 1], 80).into() });
/// assert!((mine.peer)(&extensions).is_some());
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Framework {
    /// Finds the peer.
    pub peer: fn(&Extensions) -> Option<Peer>,
    /// Finds the route template that matched.
    pub route: fn(&Extensions) -> Option<&str>,
}

impl Default for Framework {
    fn default() -> Self {
        Self {
            peer: |extensions| {
                let address = || extensions.get::<SocketAddr>().copied().map(Peer::Tcp);
                extensions.get::<Peer>().copied().or_else(address)
            },
            route: |_| None,
        }
    }
}
