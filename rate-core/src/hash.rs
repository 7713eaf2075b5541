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
    /// SipHash's state before the first block, which depends on the key alone.
    start: State,
    /// The same behind a block of zeros: what an enum's hash begins with for its first variant, IPv4 among addresses.
    zero: State,
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
        let start = State::keyed(k0, k1);
        Self { start, zero: start.block(0) }
    }

    /// The identity of `key` under this secret.
    #[inline]
    #[must_use]
    pub fn fingerprint<Q: Hash + ?Sized>(&self, key: &Q) -> Fingerprint {
        let mut hasher = Sip13 { secret: self, state: self.start, tail: 0, length: 0 };
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

/// SipHash's four words.
///
/// A round works on `v0` and `v1` before the block that enters through `v3` can reach them. That half is done in advance
/// here, at the end of the round before, so for the first block it is done once in the life of a secret.
#[derive(Clone, Copy, PartialEq, Eq)]
struct State {
    v0: u64,
    v1: u64,
    v2: u64,
    v3: u64,
}

impl State {
    const fn keyed(k0: u64, k1: u64) -> Self {
        let state = Self {
            v0: k0 ^ 0x736f_6d65_7073_6575,
            v1: k1 ^ 0x646f_7261_6e64_6f6d,
            v2: k0 ^ 0x6c79_6765_6e65_7261,
            v3: k1 ^ 0x7465_6462_7974_6573,
        };
        state.ahead()
    }

    /// The half of the next round that needs no block.
    #[inline(always)]
    const fn ahead(self) -> Self {
        let v0 = self.v0.wrapping_add(self.v1);
        let v1 = self.v1.rotate_left(13) ^ v0;
        let v0 = v0.rotate_left(32);
        Self { v0, v1, ..self }
    }

    /// The rest of the round.
    #[inline(always)]
    const fn round(self) -> Self {
        let Self { v0, v1, v2, v3 } = self;
        let v2 = v2.wrapping_add(v3);
        let v3 = v3.rotate_left(16) ^ v2;
        let v0 = v0.wrapping_add(v3);
        let v3 = v3.rotate_left(21) ^ v0;
        let v2 = v2.wrapping_add(v1);
        let v1 = v1.rotate_left(17) ^ v2;
        Self { v0, v1, v2: v2.rotate_left(32), v3 }
    }

    #[inline(always)]
    const fn block(self, block: u64) -> Self {
        let next = Self { v3: self.v3 ^ block, ..self }.round();
        Self { v0: next.v0 ^ block, ..next }.ahead()
    }

    #[inline(always)]
    const fn finish(self) -> u64 {
        let marked = Self { v2: self.v2 ^ 0xff, ..self };
        let Self { v0, v1, v2, v3 } = marked.round().ahead().round().ahead().round();
        v0 ^ v1 ^ v2 ^ v3
    }
}

/// SipHash-1-3 of the bytes that a key's `Hash` writes: numbers little-endian on every machine, a `usize` as eight bytes.
/// (Slices of numbers std hands over as they lie in memory.)
///
/// Inlined, so that for a key of fixed size the compiler knows where in a block each part falls.
struct Sip13<'a> {
    secret: &'a Secret,
    state: State,
    /// The last `length % 8` bytes, which fill no block yet, and zeros.
    tail: u64,
    /// Bytes written.
    length: usize,
}

impl Sip13<'_> {
    /// How far the tail reaches into its block, in bits.
    #[inline(always)]
    fn held(&self) -> u32 {
        8 * (self.length % 8) as u32
    }

    /// Fills the block behind `held` bits with eight bytes; what does not fit is the new tail.
    #[inline(always)]
    fn fill(&mut self, word: u64, held: u32) {
        self.state = self.state.block(self.tail | word << held);
        // In two steps: for `held` = 0 it is all 64 bits, and nothing remains.
        self.tail = word >> 1 >> (63 - held);
    }

    /// Adds the `1..=7` bytes of `word` behind `held` bits.
    #[inline(always)]
    fn add(&mut self, word: u64, bytes: usize, held: u32) {
        if held as usize + 8 * bytes < 64 {
            self.tail |= word << held;
        } else {
            self.fill(word, held);
        }
    }

    /// An integer of so many bytes.
    #[inline(always)]
    fn integer(&mut self, word: u64, bytes: usize) {
        let held = self.held();
        self.length = self.length.wrapping_add(bytes);
        if bytes == 8 { self.fill(word, held) } else { self.add(word, bytes, held) }
    }
}

impl Hasher for Sip13<'_> {
    #[inline(always)]
    fn write(&mut self, bytes: &[u8]) {
        let held = self.held();
        self.length = self.length.wrapping_add(bytes.len());
        let mut rest = bytes;
        while let Some((block, more)) = rest.split_first_chunk() {
            self.fill(u64::from_le_bytes(*block), held);
            rest = more;
        }
        if !rest.is_empty() {
            self.add(last_bytes(bytes, rest), rest.len(), held);
        }
    }

    #[inline(always)]
    fn write_u8(&mut self, value: u8) {
        self.integer(value.into(), 1);
    }

    #[inline(always)]
    fn write_u16(&mut self, value: u16) {
        self.integer(value.into(), 2);
    }

    #[inline(always)]
    fn write_u32(&mut self, value: u32) {
        self.integer(value.into(), 4);
    }

    #[inline(always)]
    fn write_u64(&mut self, value: u64) {
        self.integer(value, 8);
    }

    #[inline(always)]
    fn write_u128(&mut self, value: u128) {
        // As if on a little-endian machine: std would write the bytes as they lie in memory.
        self.write(&value.to_le_bytes());
    }

    #[inline(always)]
    fn write_usize(&mut self, value: usize) {
        if value == 0 && self.length == 0 {
            self.state = self.secret.zero;
            self.length = 8;
        } else {
            self.integer(value as u64, 8);
        }
    }

    #[inline(always)]
    fn finish(&self) -> u64 {
        self.state.block(self.tail | (self.length as u64) << 56).finish()
    }
}

/// The one to seven bytes of `rest`, with which `bytes` ends, lowest first.
#[inline]
fn last_bytes(bytes: &[u8], rest: &[u8]) -> u64 {
    if let Some(eight) = bytes.last_chunk() {
        // Reading bytes twice is cheaper than looking how many there are.
        return u64::from_le_bytes(*eight) >> (64 - 8 * rest.len());
    }
    match (rest.first_chunk(), rest.last_chunk()) {
        (Some(first), Some(last)) => {
            u64::from(u32::from_le_bytes(*first))
                | u64::from(u32::from_le_bytes(*last)) << (8 * (rest.len() - 4))
        }
        _ => rest.iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte)),
    }
}

#[cfg(test)]
mod tests;
