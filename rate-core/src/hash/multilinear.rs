//! Universal hashing of any key.
//!
//! What a key's `Hash` writes becomes words of 64 bits: an integer is one word (of 128 bits two), and a slice of bytes is
//! one that holds the bytes left over at its end and a 1 behind them, and then the words it fills. The hash of the words
//! `w₀ … wₙ₋₁` is
//!
//! ```text
//! upper 64 bits of  m₀·w₀ + … + mₙ₋₁·wₙ₋₁ + 2⁶⁴·c·n  mod 2¹²⁸
//! ```
//!
//! with secret multipliers: `mᵢ` of 128 bits, `c` of 64. Two keys that differ in a word have the same hash with a chance of at
//! most 2⁻⁶³ over the choice of the multipliers, whoever chose the keys; two that differ in nothing but words of zeros at the
//! end, with at most 2⁻⁵⁹, for then `c·n` has to tell them apart. (Carter and Wegman, "Universal classes of hash functions",
//! 1979; in this form Dietzfelbinger, "Universal hashing and k-wise independent random variables via integer arithmetic
//! without primes", 1996, and Lemire and Kaser, "Strongly universal string hashing is fast", 2014.)
//!
//! A key of more words than there are multipliers is hashed in blocks, whose hashes SipHash-2-4 chains; each block after the
//! first that differs adds about 2⁻⁶⁴. SipHash-2-4 makes the multipliers of the secret too. That neither can be told from
//! chance is the one thing here that is believed and not proven.
//!
//! A secret bijection behind it spreads what evenly spaced keys would leave evenly spaced. It leaves 0 what it is, the hash of
//! a key that writes nothing at all, `()`: of this one key everybody knows the fingerprint.
//!
//! Keys are told apart by their words and nothing else. A type whose `Hash` writes the same for two values has one key for
//! both: `Path` leaves out whether it is absolute. And one that writes several slices of bytes without a length or an end, as
//! `Hash` asks for, has one key for two values if a slice may hold what the end of another looks like here.

use core::fmt;
use core::hash::{Hash, Hasher};

use super::{Fingerprint, Purpose, Secret};

/// Words that have a multiplier of their own. A longer key is hashed in blocks of as many.
const WORDS: usize = 32;

/// One function of the family, chosen by a secret.
pub(crate) struct Multilinear {
    secret: Secret,
    words: [u128; WORDS],
    count: u64,
    /// Odd, so that multiplying by it can be undone.
    spread: u64,
}

impl Multilinear {
    pub(crate) fn new(secret: Secret) -> Self {
        let mut number = 0;
        let mut half = || {
            number += 1;
            secret.function(Purpose::Multipliers, [number, 0])
        };
        Self {
            secret,
            words: core::array::from_fn(|_| u128::from(half()) << 64 | u128::from(half())),
            count: half(),
            spread: half() | 1,
        }
    }

    #[inline(always)]
    pub(crate) fn fingerprint<Q: Hash + ?Sized>(&self, key: &Q) -> Fingerprint {
        let mut sum = Sum { function: self, sum: 0, words: 0, before: 0 };
        key.hash(&mut sum);
        Fingerprint(sum.finish())
    }

    pub(crate) fn secret(&self) -> Secret {
        self.secret
    }

    /// What the blocks of a long key come to, one more included: a pseudorandom function of their hashes, and not 0.
    #[cold]
    fn chain(&self, before: u64, hash: u64) -> u64 {
        self.secret.function(Purpose::LongKeys, [before, hash]).max(1)
    }

    #[inline(always)]
    fn spread(&self, hash: u64) -> u64 {
        let hash = (hash ^ hash >> 32).wrapping_mul(self.spread);
        hash ^ hash >> 32
    }
}

impl fmt::Debug for Multilinear {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Multilinear(..)")
    }
}

/// The sum over the words of a key so far.
///
/// Inlined, so that for a key of fixed size the compiler knows which multiplier each word has.
#[derive(Clone, Copy)]
struct Sum<'a> {
    function: &'a Multilinear,
    sum: u128,
    /// Words in the sum.
    words: usize,
    /// What the blocks before come to, of a key that has more words than there are multipliers; else 0.
    before: u64,
}

impl Sum<'_> {
    #[inline(always)]
    fn word(&mut self, word: u64) {
        let multiplier = match self.function.words.get(self.words) {
            Some(multiplier) => *multiplier,
            None => self.next_block(),
        };
        self.add(multiplier, word);
    }

    #[inline(always)]
    fn add(&mut self, multiplier: u128, word: u64) {
        self.sum = self.sum.wrapping_add(multiplier.wrapping_mul(u128::from(word)));
        self.words += 1;
    }

    /// Begins the next block, whose first multiplier is returned.
    #[inline(always)]
    fn next_block(&mut self) -> u128 {
        self.before = self.function.chain(self.before, self.hash());
        (self.sum, self.words) = (0, 0);
        self.function.words[0]
    }

    /// As `write`, for bytes that do not fit into this block.
    // By value: by reference it would keep the sum of every key in memory.
    #[cold]
    fn long(mut self, bytes: &[u8]) -> Self {
        let words = bytes.chunks_exact(8);
        let rest = rest_of(bytes, words.remainder());
        core::iter::once(rest).chain(words.map(word_of)).for_each(|word| self.word(word));
        self
    }

    #[inline(always)]
    fn hash(&self) -> u64 {
        let count = self.function.count.wrapping_mul(self.words as u64);
        ((self.sum >> 64) as u64).wrapping_add(count)
    }
}

impl Hasher for Sum<'_> {
    #[inline(always)]
    fn write(&mut self, bytes: &[u8]) {
        // Looked at once for all words.
        let multipliers = self.function.words.get(self.words..).unwrap_or_default();
        let (Some(first), true) = (multipliers.first(), bytes.len() / 8 < multipliers.len()) else {
            *self = self.long(bytes);
            return;
        };
        let words = bytes.chunks_exact(8);
        // The rest first: so its multiplier does not depend on the length, which it would have to wait for.
        self.add(*first, rest_of(bytes, words.remainder()));
        for (multiplier, word) in multipliers[1..].iter().zip(words) {
            self.add(*multiplier, word_of(word));
        }
    }

    #[inline(always)]
    fn write_u8(&mut self, value: u8) {
        self.word(value.into());
    }

    #[inline(always)]
    fn write_u16(&mut self, value: u16) {
        self.word(value.into());
    }

    #[inline(always)]
    fn write_u32(&mut self, value: u32) {
        self.word(value.into());
    }

    #[inline(always)]
    fn write_u64(&mut self, value: u64) {
        self.word(value);
    }

    #[inline(always)]
    fn write_u128(&mut self, value: u128) {
        self.word(value as u64);
        self.word((value >> 64) as u64);
    }

    #[inline(always)]
    fn write_usize(&mut self, value: usize) {
        self.word(value as u64);
    }

    #[inline(always)]
    fn finish(&self) -> u64 {
        match self.before {
            0 => self.function.spread(self.hash()),
            before => self.function.chain(before, self.hash()),
        }
    }
}

/// The up to seven bytes of `rest`, with which `bytes` ends, lowest first, and a 1 behind them.
#[inline(always)]
fn rest_of(bytes: &[u8], rest: &[u8]) -> u64 {
    let bits = 8 * rest.len();
    let word = if let Some(eight) = bytes.last_chunk() {
        // Reading bytes twice is cheaper than looking how many there are. Shifted in two steps, for it may be by all 64 bits.
        u64::from_le_bytes(*eight) >> 1 >> (63 - bits)
    } else if let (Some(first), Some(last)) = (rest.first_chunk(), rest.last_chunk()) {
        u64::from(u32::from_le_bytes(*first)) | u64::from(u32::from_le_bytes(*last)) << (bits - 32)
    } else {
        rest.iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte))
    };
    word | 1 << bits
}

#[inline(always)]
fn word_of(bytes: &[u8]) -> u64 {
    u64::from_le_bytes(bytes.try_into().expect("eight bytes"))
}

#[cfg(test)]
mod tests;
