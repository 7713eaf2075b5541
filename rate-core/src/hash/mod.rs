//! From any key to 64 bits that nobody can choose.
//!
//! A key's [`Fingerprint`] is its identity inside a limiter, so nobody may be able to find two keys with the same one.
//! What makes it is [`multilinear`] hashing with a secret: for any two keys the chance is proven to be at most 2⁻⁵⁹, and 2⁻⁶³
//! unless they differ in nothing but zeros at the end, over the choice of the multipliers that come of the secret. That proof
//! holds as long as nobody sees fingerprints; what is shown of a key is therefore its [`Digest`], a pseudorandom function of
//! the fingerprint.
//!
//! `docs/decisions/0012-multilinear-hash.md` has the reasons and the figures.

mod multilinear;

use core::fmt;
use core::hash::{BuildHasher, Hasher};
use std::hash::RandomState;

pub(crate) use multilinear::Multilinear;

/// The secret that chooses how keys are hashed.
///
/// Two limiters with the same secret give the same key the same [`Digest`]. `Debug` never shows it.
///
/// # Examples
///
/// ```
/// use rate_core::{KeyedLimiter, Quota, Secret};
///
/// // In earnest sixteen bytes of randomness, kept where other secrets are.
/// let secret = Secret::from_bytes(*b"sixteen of these");
/// let limiter = |secret| KeyedLimiter::builder(Quota::per_hour(1)).capacity(10).secret(secret).build();
/// let [one, two, other] = [limiter(secret)?, limiter(secret)?, limiter(Secret::random())?];
/// assert_eq!(one.digest("ann"), two.digest("ann"));
/// assert_ne!(one.digest("ann"), other.digest("ann"));
/// // What is known of a key is each limiter's own all the same.
/// assert!(one.check("ann").is_allowed() && !one.check("ann").is_allowed());
/// assert!(two.check("ann").is_allowed());
/// # Ok::<_, rate_core::BuildError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Secret {
    k0: u64,
    k1: u64,
}

impl Secret {
    /// A secret from the operating system's randomness.
    #[must_use]
    pub fn random() -> Self {
        // The only randomness std offers: outputs of a PRF whose key the operating system chose.
        let random = RandomState::new();
        Self { k0: random.hash_one(0_u8), k1: random.hash_one(1_u8) }
    }

    /// A secret you keep: 16 bytes that an attacker cannot guess.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        let bits = u128::from_le_bytes(bytes);
        Self { k0: bits as u64, k1: (bits >> 64) as u64 }
    }

    /// A pseudorandom function of two words under this secret, another one for each purpose.
    ///
    /// SipHash-2-4 (Aumasson, Bernstein: "SipHash: a fast short-input PRF", 2012).
    #[expect(deprecated, reason = "deprecated as what hash maps use, not as a function")]
    fn function(self, purpose: Purpose, words: [u64; 2]) -> u64 {
        let mut function = core::hash::SipHasher::new_with_keys(self.k0, self.k1);
        // As bytes: `write_u64` would take them in the machine's own order.
        [purpose as u64, words[0], words[1]].iter().for_each(|word| function.write(&word.to_le_bytes()));
        function.finish()
    }

    /// What to call the key with this fingerprint where others can see it.
    pub(crate) fn digest(self, key: Fingerprint) -> Digest {
        Digest(self.function(Purpose::Digest, [key.0, 0]))
    }
}

/// What words of a secret's function are for. Each purpose has its own.
#[derive(Clone, Copy, Debug)]
enum Purpose {
    Multipliers,
    LongKeys,
    Digest,
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// A key's identity inside a limiter: its 64-bit keyed hash.
///
/// Not for the eyes of others: who sees many fingerprints of keys he chose can work out how they are made. `Debug` does
/// not show it; logs and answers want the [`Digest`].
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint(pub(crate) u64);

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fingerprint(..)")
    }
}

/// What a key is called in logs and statistics: 16 hexadecimal digits by which nobody can tell the key without the secret.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(u64);

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // As `Display` does: a log should not have two names for one key.
        write!(f, "Digest({self})")
    }
}

impl Digest {
    /// The digest that a store of your own has for a key.
    #[must_use]
    pub const fn from_u64(bits: u64) -> Self {
        Self(bits)
    }

    /// The 64 bits.
    #[must_use]
    pub const fn as_u64(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

#[cfg(test)]
mod tests;
