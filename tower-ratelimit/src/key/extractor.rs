//! From a request to a key.

use std::fmt;

use super::{Key, KeyError};
use crate::RequestHead;

/// Takes a key from a request.
///
/// Implemented for the built-in sources, for tuples of up to four extractors, and for closures.
///
/// # Examples
///
/// ```
/// use http::Request;
/// use tower_ratelimit::{Key, KeyError, KeyExtractor, RequestHead};
///
/// struct Tenant;
///
/// impl KeyExtractor for Tenant {
///     fn extract(&self, request: &RequestHead<'_>) -> Result<Key, KeyError> {
///         Key::text(request.header_str("x-tenant")?)
///     }
/// }
///
/// let request = Request::builder().header("x-tenant", "blue").body(())?;
/// assert_eq!(Tenant.extract(&RequestHead::of(&request))?, Key::text("blue")?);
/// assert!(Tenant.extract(&RequestHead::of(&Request::new(()))).is_err());
///
/// let path = |request: &RequestHead<'_>| Key::text(request.uri().path());
/// assert_eq!(path.extract(&RequestHead::of(&request))?, Key::text("/")?);
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot tell who is asking",
    note = "use `ClientIp::peer()`, `header(..)`, `extension::<T>()`, a tuple of these, or a closure \
            `|request: &RequestHead<'_>| Key::text(..)`"
)]
pub trait KeyExtractor: Send + Sync + 'static {
    /// The key this request is counted for.
    ///
    /// # Errors
    ///
    /// When the request has none; what happens then is the policy's
    /// [`on_missing_key`](crate::Policy::on_missing_key).
    fn extract(&self, request: &RequestHead<'_>) -> Result<Key, KeyError>;
}

impl<F> KeyExtractor for F
where
    F: Fn(&RequestHead<'_>) -> Result<Key, KeyError> + Send + Sync + 'static,
{
    fn extract(&self, request: &RequestHead<'_>) -> Result<Key, KeyError> {
        self(request)
    }
}

impl<A: KeyExtractor> KeyExtractor for (A,) {
    fn extract(&self, request: &RequestHead<'_>) -> Result<Key, KeyError> {
        Ok(Key::tuple([self.0.extract(request)?]))
    }
}

impl<A: KeyExtractor, B: KeyExtractor> KeyExtractor for (A, B) {
    fn extract(&self, request: &RequestHead<'_>) -> Result<Key, KeyError> {
        Ok(Key::tuple([self.0.extract(request)?, self.1.extract(request)?]))
    }
}

impl<A: KeyExtractor, B: KeyExtractor, C: KeyExtractor> KeyExtractor for (A, B, C) {
    fn extract(&self, request: &RequestHead<'_>) -> Result<Key, KeyError> {
        Ok(Key::tuple([self.0.extract(request)?, self.1.extract(request)?, self.2.extract(request)?]))
    }
}

impl<A: KeyExtractor, B: KeyExtractor, C: KeyExtractor, D: KeyExtractor> KeyExtractor for (A, B, C, D) {
    fn extract(&self, request: &RequestHead<'_>) -> Result<Key, KeyError> {
        Ok(Key::tuple([
            self.0.extract(request)?,
            self.1.extract(request)?,
            self.2.extract(request)?,
            self.3.extract(request)?,
        ]))
    }
}

/// One source of keys, and another for requests in which the first finds nothing.
///
/// Falls through on *missing* only: a key that is malformed or too long is refused, or anybody could choose the other
/// bucket by sending nonsense.
#[derive(Clone, Copy, Debug)]
pub struct Or<A, B> {
    first: A,
    second: B,
}

impl<A, B> Or<A, B> {
    pub(super) fn new(first: A, second: B) -> Self {
        Self { first, second }
    }

    /// Asks `other` for requests in which neither finds a key.
    pub fn or<C: KeyExtractor>(self, other: C) -> Or<Self, C> {
        Or::new(self, other)
    }
}

impl<A: KeyExtractor, B: KeyExtractor> KeyExtractor for Or<A, B> {
    fn extract(&self, request: &RequestHead<'_>) -> Result<Key, KeyError> {
        match self.first.extract(request) {
            Err(error) if error.is_missing() => self.second.extract(request),
            result => result,
        }
    }
}

impl fmt::Debug for dyn KeyExtractor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyExtractor")
    }
}
