//! Sources of keys other than the address.

use std::any::type_name;
use std::fmt;
use std::marker::PhantomData;

use http::HeaderName;

use super::{Key, KeyError, KeyExtractor, Or};
use crate::RequestHead;
use crate::request::{not_a_header_name, text_of};

/// One bucket for everybody.
#[derive(Clone, Copy, Debug)]
pub struct Global(());

/// One bucket for everybody: a limit of the service as a whole.
#[must_use]
pub fn global() -> Global {
    Global(())
}

impl KeyExtractor for Global {
    fn extract(&self, _: &RequestHead<'_>) -> Result<Key, KeyError> {
        Ok(Key::global())
    }
}

/// The value of a header.
#[derive(Clone, Debug)]
pub struct Header {
    name: HeaderName,
}

/// The value of the header `name`.
///
/// The client chooses what it sends. Alone, this key limits nobody who does not want to be limited: verify the value in
/// a layer outside this one and use [`extension`], or pair it with [`ClientIp`](super::ClientIp).
///
/// # Panics
///
/// If `name` is no header name.
///
/// # Examples
///
/// ```
/// use tower_ratelimit::{ClientIp, Policy, Quota, header};
///
/// let policy = Policy::new("tenant", Quota::per_minute(60)).key((header("x-tenant"), ClientIp::peer()));
/// assert_eq!(policy.name(), "tenant");
/// ```
#[track_caller]
#[must_use]
pub fn header(name: &str) -> Header {
    match name.parse() {
        Ok(name) => Header { name },
        Err(_) => panic!("{}", not_a_header_name(name)),
    }
}

impl Header {
    /// The key of a client that sends this value, for [`Handle::forget`](crate::Handle::forget).
    ///
    /// # Errors
    ///
    /// As for a request: malformed, when the value is empty or not visible ASCII; too long, above 256 bytes.
    ///
    /// # Examples
    ///
    /// ```
    /// use tower_ratelimit::{KeyExtractor, RequestHead, header};
    ///
    /// let tenant = header("x-tenant");
    /// let request = http::Request::builder().header("x-tenant", "blue").body(())?;
    /// assert_eq!(tenant.key_of("blue")?, tenant.extract(&RequestHead::of(&request))?);
    /// assert_ne!(tenant.key_of("blue")?, header("x-team").key_of("blue")?);
    /// assert!(tenant.key_of("").is_err());
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    pub fn key_of(&self, value: &str) -> Result<Key, KeyError> {
        Ok(Key::header(self.name.as_str(), text_of(value.as_bytes())?))
    }

    /// Asks `other` for requests without this header.
    pub fn or<K: KeyExtractor>(self, other: K) -> Or<Self, K> {
        Or::new(self, other)
    }
}

impl KeyExtractor for Header {
    fn extract(&self, request: &RequestHead<'_>) -> Result<Key, KeyError> {
        Ok(Key::header(self.name.as_str(), request.header_value(&self.name)?))
    }
}

/// A value that another layer left in the request's extensions.
pub struct Extension<T>(PhantomData<fn() -> T>);

/// The value of type `T` in the request's extensions, put there by a layer outside this one: a verified account.
///
/// `&T` must convert into a [`Key`], either way: `impl From<&Account> for Key`, or `TryFrom` with a
/// [`KeyError`].
///
/// # Examples
///
/// ```
/// use http::Request;
/// use tower_ratelimit::{Key, KeyExtractor, RequestHead, extension};
///
/// #[derive(Clone)]
/// struct Account { id: u64 }
///
/// impl From<&Account> for Key {
///     fn from(account: &Account) -> Key {
///         Key::id(account.id)
///     }
/// }
///
/// let by_account = extension::<Account>();
/// let request = |id| Request::builder().extension(Account { id }).body(()).expect("a request");
/// let (one, two) = (request(1), request(2));
/// assert_ne!(by_account.extract(&RequestHead::of(&one))?, by_account.extract(&RequestHead::of(&two))?);
/// assert!(by_account.extract(&RequestHead::of(&Request::new(()))).is_err());
/// # Ok::<_, tower_ratelimit::KeyError>(())
/// ```
#[must_use]
pub fn extension<T>() -> Extension<T> {
    Extension(PhantomData)
}

impl<T> Extension<T> {
    /// The key of requests with this value, for [`Handle::forget`](crate::Handle::forget).
    ///
    /// # Errors
    ///
    /// When the value does not convert into a key.
    pub fn key_of<E>(&self, value: &T) -> Result<Key, KeyError>
    where
        for<'a> &'a T: TryInto<Key, Error = E>,
        E: Into<KeyError>,
    {
        Ok(Key::extension(&value.try_into().map_err(Into::into)?))
    }

    /// Asks `other` for requests without this extension.
    pub fn or<K: KeyExtractor>(self, other: K) -> Or<Self, K> {
        Or::new(self, other)
    }
}

impl<T, E> KeyExtractor for Extension<T>
where
    T: Send + Sync + 'static,
    for<'a> &'a T: TryInto<Key, Error = E>,
    E: Into<KeyError>,
{
    fn extract(&self, request: &RequestHead<'_>) -> Result<Key, KeyError> {
        let value = request.extensions().get::<T>();
        self.key_of(value.ok_or_else(|| KeyError::no_extension(type_name::<T>()))?)
    }
}

impl<T> Clone for Extension<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Extension<T> {}

impl<T> fmt::Debug for Extension<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Extension<{}>", type_name::<T>())
    }
}
