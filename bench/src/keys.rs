//! The keys that are asked for, and in which order.

use std::hash::{BuildHasherDefault, Hash, Hasher};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::LazyLock;

use rate_core::{Fingerprint, KeyedLimiter, Quota, Secret};

use crate::harness::Track;

/// A type of key.
pub(crate) trait Key: Clone + Eq + Hash + Send + Sync + 'static {
    const NAME: &'static str;

    /// The key number `index`; different for each.
    fn nth(index: u64) -> Self;
}

impl Key for u64 {
    const NAME: &'static str = "u64";

    fn nth(index: u64) -> Self {
        // Odd, so that no two are equal; large, so that they do not look like an index.
        index.wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }
}

impl Key for String {
    const NAME: &'static str = "string";

    fn nth(index: u64) -> Self {
        format!("user:{index:010}")
    }
}

impl Key for IpAddr {
    const NAME: &'static str = "ip";

    fn nth(index: u64) -> Self {
        Ipv4Addr::from_bits(0x0a00_0000 + index as u32).into()
    }
}

/// A key whose `Hash` is rate-core's fingerprint of it.
///
/// rate-core exports its hash function and no `BuildHasher`. Hashing with it here and passing the result through
/// [`Through`] makes another map use exactly that function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fingerprinted<K>(pub(crate) K);

pub(crate) const SECRET: Secret = Secret::from_bytes(*b"the same for all");

/// A limiter whose fingerprints are those of every other with this secret.
static SAME: LazyLock<KeyedLimiter> = LazyLock::new(|| {
    let builder = KeyedLimiter::builder(Quota::per_second(1)).capacity(1).secret(SECRET);
    builder.build().expect("memory for one key")
});

impl<K: Hash> Hash for Fingerprinted<K> {
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        SAME.fingerprint(&self.0).hash(state);
    }
}

/// The same keys in the same order, hashed before the time starts.
pub(crate) fn hashed<K: Key>(tracks: &[Track<Fingerprinted<K>>]) -> Vec<Track<Fingerprint>> {
    tracks.iter().map(|track| track.map(|key| SAME.fingerprint(&key.0))).collect()
}

/// Hands on the one word that it is given.
#[derive(Clone, Debug, Default)]
pub(crate) struct Through(u64);

pub(crate) type BuildThrough = BuildHasherDefault<Through>;

impl Hasher for Through {
    fn write(&mut self, _: &[u8]) {
        unreachable!("a fingerprint is one u64");
    }

    #[inline]
    fn write_u64(&mut self, value: u64) {
        self.0 = value;
    }

    #[inline]
    fn finish(&self) -> u64 {
        self.0
    }
}

/// Keys 0 to `count` for `threads` threads, each in a random order of its own.
///
/// Each thread has its own copy, laid out in its order: reading the key is then the same small cost on every side, and
/// the state that belongs to it is the only thing that has to be found.
pub(crate) fn tracks<K: Key>(count: u64, threads: u64) -> Vec<Track<Fingerprinted<K>>> {
    (1..=threads)
        .map(|seed| Track::new(shuffled(count, seed).map(|index| Fingerprinted(K::nth(index))).collect()))
        .collect()
}

/// The numbers below `count` in a random order that depends on nothing but the `seed`, which is not 0.
pub(crate) fn shuffled(count: u64, seed: u64) -> impl Iterator<Item = u64> {
    let mut random = Xorshift(seed.wrapping_mul(0x2545_f491_4f6c_dd1d));
    let mut indices: Vec<u64> = (0..count).collect();
    for last in (1..indices.len()).rev() {
        indices.swap(last, random.below(last as u64 + 1) as usize);
    }
    indices.into_iter()
}

/// Marsaglia, "Xorshift RNGs" (2003): good enough to shuffle, and the same in every run.
struct Xorshift(u64);

impl Xorshift {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        ((u128::from(self.0) * u128::from(bound)) >> 64) as u64
    }
}
