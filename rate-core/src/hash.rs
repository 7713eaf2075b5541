//! From any key to 64 bits that nobody can predict.
//!
//! SipHash-1-3 (Aumasson, Bernstein: "SipHash: a fast short-input PRF") under a secret of the process. A key's hash is
//! its identity, so it must be a keyed function: with an unkeyed one, anybody could make two keys share a bucket.

use core::fmt;
use core::hash::{BuildHasher, Hash, Hasher};
use std::hash::RandomState;

/// The secret under which keys are hashed.
///
/// Two limiters with the same secret give the same key the same [`Fingerprint`]. `Debug` never shows it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Secret {
    /// SipHash's state before the first word, which depends on the key alone.
    start: [u64; 4],
}

impl Secret {
    /// A secret from the operating system's randomness.
    #[must_use]
    pub fn random() -> Self {
        // The only randomness std offers: outputs of a PRF whose key the operating system chose.
        let random = RandomState::new();
        Self::from_words(random.hash_one(0_u8), random.hash_one(1_u8))
    }

    /// A secret you keep: 16 bytes that an attacker cannot guess.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        let bits = u128::from_le_bytes(bytes);
        Self::from_words(bits as u64, (bits >> 64) as u64)
    }

    const fn from_words(k0: u64, k1: u64) -> Self {
        Self {
            start: [
                k0 ^ 0x736f_6d65_7073_6575,
                k1 ^ 0x646f_7261_6e64_6f6d,
                k0 ^ 0x6c79_6765_6e65_7261,
                k1 ^ 0x7465_6462_7974_6573,
            ],
        }
    }

    /// The identity of `key` under this secret.
    #[inline]
    #[must_use]
    pub fn fingerprint<Q: Hash + ?Sized>(&self, key: &Q) -> Fingerprint {
        let mut hasher = Sip13 { v: self.start, length: 0, tail: 0 };
        key.hash(&mut hasher);
        Fingerprint(hasher.finish())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// A key's identity: its 64-bit keyed hash. `Display` writes 16 hexadecimal digits, fit for logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(pub(crate) u64);

impl Fingerprint {
    /// The 64 bits.
    #[must_use]
    pub const fn as_u64(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// SipHash-1-3 that takes each integer as a word of its own.
///
/// The standard construction joins all writes to one byte stream, and the joining costs more than the hashing of a short
/// key. Here an integer write is one 64-bit block, and a byte slice is its blocks of eight with the length in the last
/// one; a single byte joins the bytes before it. A single write gives the standard value, and so does a `str`.
///
/// A filled-up block can look like content. But that takes two keys of which one's bytes begin the other's, which `Hash`
/// rules out: a `str` ends in the byte 0xff that no other contains, a slice begins with its length.
struct Sip13 {
    v: [u64; 4],
    length: u64,
    /// The last, partial block of the stream, once known.
    tail: u64,
}

impl Sip13 {
    #[inline]
    fn round(&mut self) {
        let [mut v0, mut v1, mut v2, mut v3] = self.v;
        v0 = v0.wrapping_add(v1);
        v1 = v1.rotate_left(13) ^ v0;
        v0 = v0.rotate_left(32);
        v2 = v2.wrapping_add(v3);
        v3 = v3.rotate_left(16) ^ v2;
        v0 = v0.wrapping_add(v3);
        v3 = v3.rotate_left(21) ^ v0;
        v2 = v2.wrapping_add(v1);
        v1 = v1.rotate_left(17) ^ v2;
        v2 = v2.rotate_left(32);
        self.v = [v0, v1, v2, v3];
    }

    #[inline]
    fn block(&mut self, word: u64) {
        self.v[3] ^= word;
        self.round();
        self.v[0] ^= word;
    }

    /// Closes the block that an earlier short write left open, with its length in the top byte.
    #[inline]
    fn close(&mut self) {
        if self.length % 8 != 0 {
            let last = (self.length << 56) | self.tail;
            self.block(last);
            self.length = self.length.next_multiple_of(8);
            self.tail = 0;
        }
    }

    #[inline]
    fn word(&mut self, word: u64) {
        self.close();
        self.block(word);
        self.length = self.length.wrapping_add(8);
    }
}

impl Hasher for Sip13 {
    #[inline]
    fn write(&mut self, bytes: &[u8]) {
        self.close();
        let mut rest = bytes;
        while let Some((block, more)) = rest.split_first_chunk() {
            self.block(u64::from_le_bytes(*block));
            rest = more;
        }
        self.length = self.length.wrapping_add(bytes.len() as u64);
        self.tail = rest.iter().rev().fold(0, |tail, &byte| tail << 8 | u64::from(byte));
    }

    #[inline]
    fn write_u8(&mut self, value: u8) {
        // The end of a `str` is such a byte. In a block of its own it would come after the filling up, and `"ab"` and
        // `"ab\0\0\0\0\0\x02"` would be one key.
        self.tail |= u64::from(value) << (8 * (self.length % 8));
        self.length = self.length.wrapping_add(1);
        if self.length % 8 == 0 {
            self.block(self.tail);
            self.tail = 0;
        }
    }

    #[inline]
    fn write_u16(&mut self, value: u16) {
        self.word(value.into());
    }

    #[inline]
    fn write_u32(&mut self, value: u32) {
        self.word(value.into());
    }

    #[inline]
    fn write_u64(&mut self, value: u64) {
        self.word(value);
    }

    #[inline]
    fn write_usize(&mut self, value: usize) {
        self.word(value as u64);
    }

    #[inline]
    fn finish(&self) -> u64 {
        let mut sip = Self { v: self.v, length: 0, tail: 0 };
        sip.block((self.length << 56) | self.tail);
        sip.v[2] ^= 0xff;
        sip.round();
        sip.round();
        sip.round();
        sip.v[0] ^ sip.v[1] ^ sip.v[2] ^ sip.v[3]
    }
}

#[cfg(test)]
mod tests;
