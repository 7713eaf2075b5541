//! A key's bytes.
//!
//! A key is a kind and its parts, each part with its length before it. So ("ab", "c") is not ("a", "bc"), the user
//! "192.0.2.1" is not the address 192.0.2.1, and the value of one header is not the same value of another.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::net::{Ipv4Addr, Ipv6Addr};

use super::KeyError;

/// Longest part of a key that comes from text, in bytes.
pub(crate) const MAX_PART: usize = 256;

/// Longer keys are moved to the heap. Holds an address, a number, or a header of forty bytes with its name.
const INLINE: usize = 63;

/// Who a request is counted for.
///
/// Made of a kind and parts that cannot be confused with those of any other kind. `Debug` shows kind and length only:
/// keys are personal data or credentials, and belong in no log.
///
/// # Examples
///
/// ```
/// use tower_ratelimit::Key;
///
/// assert_eq!(Key::text("blue")?, Key::text("blue")?);
/// assert_ne!(Key::text("42")?, Key::id(42));
/// assert_ne!(Key::tuple([Key::text("ab")?, Key::text("c")?]), Key::tuple([Key::text("a")?, Key::text("bc")?]));
///
/// // Too long for a key is an error, not a cut.
/// assert!(Key::text("x".repeat(257)).is_err());
/// # Ok::<_, tower_ratelimit::KeyError>(())
/// ```
#[derive(Clone)]
pub struct Key(Repr);

// The tag is as wide as a word: one of a byte has its neighbours moved byte by byte, and what was written as words cannot
// be read so before it has left the processor's store buffer. That was 10 ns of each request.
#[derive(Clone)]
#[repr(u64)]
enum Repr {
    Inline { bytes: [u8; INLINE], len: u8 },
    Heap(Vec<u8>),
}

/// What a key is made from; the first byte of its encoding. The numbers are stored by remote stores: never reuse one.
#[derive(Clone, Copy, Debug)]
#[repr(u8)]
pub(super) enum Kind {
    Text = 1,
    Id = 2,
    Address = 3,
    Header = 4,
    Extension = 5,
    Tuple = 6,
    Global = 7,
    Missing = 8,
}

impl Key {
    /// A key from text: a user name, a tenant, a verified API key.
    ///
    /// # Errors
    ///
    /// When the text is empty, longer than 256 bytes, or contains control characters.
    pub fn text(text: impl AsRef<str>) -> Result<Self, KeyError> {
        Ok(Self::of(Kind::Text, &[checked(text.as_ref())?.as_bytes()]))
    }

    /// A key from a number: a row id.
    #[must_use]
    pub fn id(id: u64) -> Self {
        Self::of(Kind::Id, &[&id.to_le_bytes()])
    }

    /// A key from 128 bits: a UUID.
    #[must_use]
    pub fn id128(id: u128) -> Self {
        Self::of(Kind::Id, &[&id.to_le_bytes()])
    }

    /// Several keys as one: all of them have to agree for two requests to share a limit.
    #[must_use]
    pub fn tuple<const N: usize>(keys: [Self; N]) -> Self {
        Self::of(Kind::Tuple, &keys.each_ref().map(Self::as_bytes))
    }

    /// An address of IPv4. The key of nearly every request, and written as one word.
    #[inline]
    pub(super) fn ipv4(address: Ipv4Addr) -> Self {
        // The kind, the length of the only part in two bytes, and the prefix.
        const START: u32 = u32::from_le_bytes([Kind::Address as u8, 5, 0, 32]);
        let word = u64::from(START) | u64::from(u32::from_le_bytes(address.octets())) << 32;
        let mut bytes = [0; INLINE];
        bytes[..8].copy_from_slice(&word.to_le_bytes());
        Self(Repr::Inline { bytes, len: 8 })
    }

    /// The first `prefix` bits of an address of IPv6. Any shorter network is a different key, whatever its bits.
    #[inline]
    pub(super) fn ipv6(address: Ipv6Addr, prefix: u8) -> Self {
        let mask = u128::MAX << (128 - prefix);
        let network = (address.to_bits() & mask).to_be_bytes();
        let mut bytes = [0; INLINE];
        bytes[..4].copy_from_slice(&[Kind::Address as u8, 17, 0, prefix]);
        bytes[4..20].copy_from_slice(&network);
        Self(Repr::Inline { bytes, len: 20 })
    }

    /// The value of the header `name`, which is in lower case.
    pub(super) fn header(name: &str, value: &str) -> Self {
        Self::of(Kind::Header, &[name.as_bytes(), value.as_bytes()])
    }

    pub(super) fn extension(key: &Self) -> Self {
        Self::of(Kind::Extension, &[key.as_bytes()])
    }

    pub(super) fn global() -> Self {
        Self::of(Kind::Global, &[])
    }

    /// The one bucket of all requests without a key.
    pub(crate) fn missing() -> Self {
        Self::of(Kind::Missing, &[])
    }

    fn of(kind: Kind, parts: &[&[u8]]) -> Self {
        let len = 1 + parts.iter().map(|part| 2 + part.len()).sum::<usize>();
        if len <= INLINE {
            let mut bytes = [0; INLINE];
            write(&mut bytes, kind, parts);
            Self(Repr::Inline { len: len as u8, bytes })
        } else {
            let mut bytes = vec![0; len];
            write(&mut bytes, kind, parts);
            Self(Repr::Heap(bytes))
        }
    }

    /// The bytes by which a store of your own tells keys apart: the kind, and each part with its length before it.
    ///
    /// They contain the identity. Never write them anywhere but through a keyed hash.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Repr::Inline { len, bytes } => &bytes[..usize::from(*len)],
            Repr::Heap(bytes) => bytes,
        }
    }
}

/// The kind, then each part with its length in two bytes.
///
/// Two bytes are enough: parts are at most [`MAX_PART`] long, and a key of 16 keys of such parts stays below 2¹⁶.
fn write(buffer: &mut [u8], kind: Kind, parts: &[&[u8]]) {
    buffer[0] = kind as u8;
    let mut at = 1;
    for part in parts {
        let length = u16::try_from(part.len()).unwrap_or(u16::MAX).to_le_bytes();
        buffer[at..at + 2].copy_from_slice(&length);
        buffer[at + 2..at + 2 + part.len()].copy_from_slice(part);
        at += 2 + part.len();
    }
}

fn checked(text: &str) -> Result<&str, KeyError> {
    if text.len() > MAX_PART {
        Err(KeyError::too_long(text.len()))
    } else if text.is_empty() {
        Err(KeyError::malformed("the text of a key is empty"))
    } else if text.chars().any(char::is_control) {
        Err(KeyError::malformed("the text of a key contains control characters"))
    } else {
        Ok(text)
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for Key {}

impl Hash for Key {
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        // The bytes alone: they say themselves where they end.
        state.write(self.as_bytes());
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key(kind {}, {} bytes)", self.as_bytes()[0], self.as_bytes().len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inline_and_heap_keys_have_the_same_encoding() {
        for length in [1, 40, 60, 61, 62, 256] {
            let text = "x".repeat(length);
            let key = Key::text(&text).expect("fits");
            assert_eq!(key.as_bytes()[0], Kind::Text as u8);
            assert_eq!(key.as_bytes()[1..3], u16::try_from(length).expect("small").to_le_bytes());
            assert_eq!(&key.as_bytes()[3..], text.as_bytes());
        }
    }

    #[test]
    fn addresses_are_encoded_like_everything_else() {
        let v4 = Key::of(Kind::Address, &[&[32, 192, 0, 2, 1]]);
        assert_eq!(Key::ipv4(Ipv4Addr::new(192, 0, 2, 1)), v4);
        for prefix in [32, 48, 64, 127, 128] {
            let address = Ipv6Addr::from_bits(u128::MAX);
            let network = u128::MAX << (128 - prefix);
            let part = [&[prefix][..], &network.to_be_bytes()].concat();
            assert_eq!(Key::ipv6(address, prefix), Key::of(Kind::Address, &[&part]));
        }
    }

    #[test]
    fn keys_of_different_kinds_never_meet() {
        let address = Key::ipv4(Ipv4Addr::new(192, 0, 2, 1));
        let keys = [
            Key::text("192.0.2.1").expect("fits"),
            address.clone(),
            Key::header("x-user", "192.0.2.1"),
            Key::header("x-tenant", "192.0.2.1"),
            Key::extension(&address),
            Key::id(1),
            Key::id128(1),
            Key::global(),
            Key::missing(),
            Key::tuple([]),
            Key::tuple([address]),
        ];
        for (index, key) in keys.iter().enumerate() {
            assert!(!keys[index + 1..].contains(key), "{key:?}");
        }
    }

    #[test]
    fn debug_shows_no_identity() {
        let key = Key::text("alice@example.org").expect("fits");
        assert_eq!(format!("{key:?}"), "Key(kind 1, 20 bytes)");
    }
}
