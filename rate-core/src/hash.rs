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
        let mut hasher = Sip13 { v: self.start, length: 0 };
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

/// SipHash-1-3 over 64-bit blocks: an integer is one, a byte slice is its eights and a last, shorter one.
///
/// The standard joins all writes to one byte stream, and the joining costs more than the hashing of a short key. Blocks
/// of their own give the standard value for whatever is a multiple of eight bytes. A shorter block is marked as such by a
/// last byte that no text contains, so it cannot be taken for eight bytes of another key.
struct Sip13 {
    v: [u64; 4],
    /// Bytes written, which the standard hashes as the last block.
    length: u64,
}

/// One to seven bytes as a block. Its last byte is 0xf8 and their number: no byte of UTF-8.
#[inline]
fn short_block(bytes: &[u8]) -> u64 {
    let mark = (0xf8 | bytes.len() as u64) << 56;
    let (mut block, mut shift, mut rest) = (0, 0, bytes);
    if let Some((four, more)) = rest.split_first_chunk() {
        (block, shift, rest) = (u32::from_le_bytes(*four).into(), 32, more);
    }
    if let Some((two, more)) = rest.split_first_chunk() {
        (block, shift, rest) = (block | u64::from(u16::from_le_bytes(*two)) << shift, shift + 16, more);
    }
    mark | block | rest.first().map_or(0, |&byte| u64::from(byte) << shift)
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

    /// An integer: a block of its own.
    #[inline]
    fn word(&mut self, word: u64) {
        self.block(word);
        self.length = self.length.wrapping_add(8);
    }
}

impl Hasher for Sip13 {
    #[inline]
    fn write(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while let Some((block, more)) = rest.split_first_chunk() {
            self.block(u64::from_le_bytes(*block));
            rest = more;
        }
        if !rest.is_empty() {
            self.block(short_block(rest));
        }
        self.length = self.length.wrapping_add(bytes.len() as u64);
    }

    #[inline]
    fn write_u8(&mut self, value: u8) {
        self.word(value.into());
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
        let mut sip = Self { v: self.v, length: 0 };
        sip.block(self.length << 56);
        sip.v[2] ^= 0xff;
        sip.round();
        sip.round();
        sip.round();
        sip.v[0] ^ sip.v[1] ^ sip.v[2] ^ sip.v[3]
    }
}

#[cfg(test)]
mod tests;
