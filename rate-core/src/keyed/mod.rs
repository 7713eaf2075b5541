//! One limit per key.

mod builder;
mod operation;
mod several;
mod tiers;
mod usage;

use core::fmt;
use core::hash::Hash;
use core::marker::PhantomData;
use std::sync::Arc;

pub use builder::{BuildError, KeyedLimiterBuilder};
pub use several::{Charge, Decisions, MAX_LIMITS, check_all, check_slice};

use crate::algorithm::{Algorithm, AlgorithmName, AnyAlgorithm, Bounds, Gcra};
use crate::clock::ClockSource;
use crate::hash::{Digest, Fingerprint, Multilinear};
use crate::kept::Kept;
use crate::table::{Ask, Rate, Table};
use crate::time::nanos;
use crate::{Decision, Quota, Timestamp};

/// One limit per key, in bounded memory. Clones share their limits.
///
/// A key is anything that hashes, by reference: `"user:42"`, an `IpAddr`, a tuple. It is hashed once under a
/// [secret](crate::Secret) and the 64-bit result is its identity, so keys of any length cost the same memory, looking one up
/// never allocates, and nobody can choose two keys that share a limit. Use one key type per limiter, and one whose `Hash`
/// writes something else for every value: that of `Path` writes the same for `/a` and `a`, its `as_os_str()` does not.
///
/// # Memory
///
/// `capacity` keys are guaranteed: of that many keys at work at once, fewer than one in a million loses its state. The
/// table for them, 32 bytes per key, is allocated at once and never grows. Only sliding logs, keys with quotas of their own, and
/// limits that change take [more](crate::algorithm#what-is-remembered-of-a-key): a check that is the first to need it allocates it.
///
/// Beyond the capacity a newcomer replaces a key that is as good as new, else the key whose loss admits least; a key at its
/// limit therefore outlives a flood of keys with one request each. Not where one unit is all that tells it from them: under a
/// limit of one at a time, and in a [leaky bucket](crate::algorithm::LeakyBucket), in which a key that takes its turns one by one
/// never has more than the next one before it. A newcomer is always served. [`evictions`](Self::evictions) counts the keys that
/// lost state.
///
/// # Deployment
///
/// The state is this process's own: a restart forgets it, and `n` processes admit `n` times the quota.
///
/// # Examples
///
/// ```
/// use rate_core::{Decision, KeyedLimiter, Quota, Timestamp};
///
/// let limiter = KeyedLimiter::new(Quota::per_minute(60).burst(2));
/// let now = Timestamp::ZERO;
/// assert!(limiter.check_at("user:42", now).is_allowed());
/// assert!(limiter.check_at("user:42", now).is_allowed());
/// assert!(!limiter.check_at("user:42", now).is_allowed());
/// assert!(limiter.check_at("user:43", now).is_allowed());
/// ```
pub struct KeyedLimiter<A = Gcra> {
    rate: Rate,
    hash: Arc<Multilinear>,
    clock: ClockSource,
    table: Arc<Table>,
    algorithm: PhantomData<A>,
}

impl KeyedLimiter {
    /// Keys guaranteed unless the builder says otherwise: 100,000, in 3.2 MB. Fewer where each key has a
    /// [log](crate::algorithm::SlidingLog) of more than 160 entries.
    pub const DEFAULT_CAPACITY: usize = 100_000;

    /// A limit of `quota` for each key, with the default capacity on the monotonic clock.
    #[must_use]
    pub fn new(quota: Quota) -> Self {
        Self::builder(quota).build().expect("the default capacity is valid")
    }

    /// Sets capacity, clock and secret.
    pub fn builder(quota: Quota) -> KeyedLimiterBuilder {
        Self::builder_of(Gcra::new(quota))
    }

    /// As [`with_limit`](Self::with_limit), for a quota.
    #[must_use = "older clones go on under the new quota, only slower: replace them"]
    pub fn with_quota(&self, quota: Quota) -> Self {
        self.with_limit(Gcra::new(quota))
    }

    /// As [`with_quota`](Self::with_quota), as of `now`.
    #[must_use = "older clones go on under the new quota, only slower: replace them"]
    pub fn with_quota_at(&self, quota: Quota, now: Timestamp) -> Self {
        self.with_limit_at(Gcra::new(quota), now)
    }
}

impl<A: Kept> KeyedLimiter<A> {
    /// A limit for each key that is counted by another algorithm, with the default capacity on the monotonic clock.
    ///
    /// # Examples
    ///
    /// ```
    /// use rate_core::{KeyedLimiter, Quota, algorithm::SlidingWindow};
    ///
    /// let limiter = KeyedLimiter::of(SlidingWindow::new(Quota::per_minute(2)));
    /// assert!(limiter.check_n("ann", 2).is_allowed());
    /// assert!(!limiter.check("ann").is_allowed());
    /// ```
    #[must_use]
    pub fn of(algorithm: A) -> Self {
        Self::builder_of(algorithm).build().expect("the default capacity is valid")
    }

    /// As [`builder`](KeyedLimiter::builder), for a limit that is counted by another algorithm.
    pub fn builder_of(algorithm: A) -> KeyedLimiterBuilder<A> {
        KeyedLimiterBuilder::new(algorithm)
    }

    /// Takes one unit for `key` if there is one. Never waits.
    #[inline(always)]
    pub fn check<Q: Hash + ?Sized>(&self, key: &Q) -> Decision {
        self.check_n(key, 1)
    }

    /// Takes one unit for `key` if there is one at `now`.
    #[inline(always)]
    pub fn check_at<Q: Hash + ?Sized>(&self, key: &Q, now: Timestamp) -> Decision {
        self.check_n_at(key, 1, now)
    }

    /// Takes `cost` units for `key`, all or none. Never waits.
    ///
    /// A cost of zero is always admitted and changes nothing; a cost above the burst is refused for ever, and does not
    /// store the key.
    #[inline(always)]
    pub fn check_n<Q: Hash + ?Sized>(&self, key: &Q, cost: u64) -> Decision {
        self.check_n_at(key, cost, self.clock.now())
    }

    /// Takes `cost` units for `key` at `now`, all or none.
    #[inline(always)]
    pub fn check_n_at<Q: Hash + ?Sized>(&self, key: &Q, cost: u64, now: Timestamp) -> Decision {
        self.ask(self.fingerprint(key), cost).decide::<A>(now.as_nanos())
    }

    /// What [`check`](Self::check) would answer now; takes nothing. `remaining` is the number before such a check.
    #[inline]
    pub fn peek<Q: Hash + ?Sized>(&self, key: &Q) -> Decision {
        self.peek_at(key, self.clock.now())
    }

    /// What [`check_at`](Self::check_at) would answer; takes nothing.
    #[inline]
    pub fn peek_at<Q: Hash + ?Sized>(&self, key: &Q, now: Timestamp) -> Decision {
        self.peek_n_at(key, 1, now)
    }

    /// What [`check_n_at`](Self::check_n_at) would answer; takes nothing.
    #[inline]
    pub fn peek_n_at<Q: Hash + ?Sized>(&self, key: &Q, cost: u64, now: Timestamp) -> Decision {
        self.ask(self.fingerprint(key), cost).peek(now.as_nanos())
    }

    /// A charge of `cost` units to `key`, to be decided together with others by [`check_all`].
    #[inline]
    pub fn charge<Q: Hash + ?Sized>(&self, key: &Q, cost: u64) -> Charge<'_> {
        self.charge_fingerprint(self.fingerprint(key), cost)
    }

    /// A charge to a key whose [fingerprint](Self::fingerprint) is known already.
    #[inline]
    pub fn charge_fingerprint(&self, key: Fingerprint, cost: u64) -> Charge<'_> {
        Charge(self.ask(key, cost))
    }

    /// The identity of `key` in this limiter.
    #[inline]
    #[must_use]
    pub fn fingerprint<Q: Hash + ?Sized>(&self, key: &Q) -> Fingerprint {
        self.hash.fingerprint(key)
    }

    /// What to call `key` in logs and statistics.
    #[must_use]
    pub fn digest<Q: Hash + ?Sized>(&self, key: &Q) -> Digest {
        self.hash.secret().digest(self.fingerprint(key))
    }

    /// Erases what is known of `key`, which may then spend a whole burst again. Returns whether anything was known.
    pub fn forget<Q: Hash + ?Sized>(&self, key: &Q) -> bool {
        self.forget_fingerprint(self.fingerprint(key))
    }

    /// Erases what is known of the key with this fingerprint. Returns whether anything was known.
    #[expect(
        clippy::must_use_candidate,
        reason = "forgetting is the point, whether anything was known is extra"
    )]
    pub fn forget_fingerprint(&self, key: Fingerprint) -> bool {
        self.table.forget(Table::tag_of(key.0))
    }

    /// Erases all keys; those that are checked meanwhile may be erased or not.
    pub fn clear(&self) {
        self.table.clear();
    }

    /// Changes the limit for every clone, as of the clock's now, and returns a limiter made for the new one.
    ///
    /// Each key keeps the *share* it has used: half spent stays half spent, exhausted stays exhausted, and no change is a fresh
    /// burst. From then on it gets back what the new limit gives back. A share is rounded up to a unit, or of a bucket to a tick.
    ///
    /// What a key has used under a limit is remembered when that changes, as it would come back there. So to and fro nobody wins
    /// anything, for however long and by whatever algorithm: under each limit a key finds at least as much used as if it had
    /// stayed where it used it, unless it has been elsewhere for so long that all of the new one would have come back. And who
    /// takes nothing in between finds a limit as if it had never changed, if what was in between gives all of itself back no
    /// later; but that a log remembers all its units until the last of them has expired.
    ///
    /// Of each unit in a log as much of its period is left in another log; and between two sliding windows of the same period each
    /// counts as long as before. Else what was used in windows and logs counts as taken at the instant of the change. Requests that
    /// run meanwhile are decided by the old quota or the new one. A limit that is what it was changes nothing.
    ///
    /// Remembering takes memory: twelve bytes for each key of the capacity, once, and 528 for each six neighbours in the table of
    /// which one had used anything. Not so a change of a bucket to one that fills no faster, or of windows or logs to others of
    /// the same period, after which there is nothing to remember. A change to a log allocates what a
    /// [log](crate::algorithm#what-is-remembered-of-a-key) takes at once; and a capacity that was not given stays what the first
    /// limit made it: a log that is raised to thousands of units takes as much memory for each of those keys.
    ///
    /// Of a [tier](Self::tier) nobody's limit changes: what is returned is another tier, and who is asked for through the old one is
    /// counted by the old quota.
    ///
    /// Older clones go on working under the new quota, only slower; but they say the old one's [`quota`](Self::quota) and bounds,
    /// and what was reserved through them cannot be cancelled any more. Replace them.
    #[must_use = "older clones go on under the new quota, only slower: replace them"]
    pub fn with_limit(&self, algorithm: A) -> Self {
        self.changed(algorithm, || self.clock.now())
    }

    /// As [`with_limit`](Self::with_limit), as of `now`.
    #[must_use = "older clones go on under the new quota, only slower: replace them"]
    pub fn with_limit_at(&self, algorithm: A, now: Timestamp) -> Self {
        self.changed(algorithm, || now)
    }

    fn changed(&self, algorithm: A, now: impl Fn() -> Timestamp) -> Self {
        let algorithm = algorithm.into().or_anchored(nanos(self.clock.utc_at_zero()));
        if let (true, AnyAlgorithm::Gcra(gcra)) = (self.rate.is_tier(), &algorithm) {
            return Self { rate: self.table.tier(*gcra), ..self.clone() };
        }
        // A limit that stays what it is leaves every key as it is: carrying over rounds, and forgets when units were taken.
        let rate = match self.table.already(&algorithm) {
            Some(rate) => rate,
            None => self.table.change(algorithm, || now().as_nanos()),
        };
        Self { rate, ..self.clone() }
    }

    /// The quota this limiter was made for. Where windows are months, its period is that of the longest one.
    pub fn quota(&self) -> Quota {
        self.rate.algorithm.quota()
    }

    /// The limit in all its parts; equal to the one this was made of.
    #[must_use]
    pub fn limit(&self) -> AnyAlgorithm {
        self.rate.algorithm
    }

    /// Which algorithm counts.
    #[must_use]
    pub fn algorithm(&self) -> AlgorithmName {
        self.rate.algorithm.name()
    }

    /// Most units that are ever admitted to one key in any window of one period.
    #[must_use]
    pub fn bounds(&self) -> Bounds {
        self.rate.algorithm.bounds()
    }

    /// Reads this limiter's clock.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Keys that are guaranteed to keep their state.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.table.capacity()
    }

    /// Bytes allocated for the keys. The table is, at once; the [logs](crate::algorithm::SlidingLog) of keys, and what
    /// [tiers](Self::tier) and some [changes](Self::with_limit) need, come to it as the first of them come, and none of it ever goes.
    #[must_use]
    pub fn allocated_bytes(&self) -> usize {
        self.table.bytes()
    }

    /// Keys held now, idle ones that were not replaced yet included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.table.len()
    }

    /// Whether no key is held.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Keys that lost their state to a newcomer since the start. Not zero means: more keys at work than the capacity.
    #[must_use]
    pub fn evictions(&self) -> u64 {
        self.table.evictions()
    }

    #[inline]
    fn ask(&self, key: Fingerprint, cost: u64) -> Ask<'_> {
        Ask { table: &self.table, rate: &self.rate, tag: Table::tag_of(key.0), cost }
    }
}

// Not derived: that would ask the algorithm, of which there is none inside, to be `Clone` too.
impl<A> Clone for KeyedLimiter<A> {
    fn clone(&self) -> Self {
        Self {
            rate: self.rate.clone(),
            hash: self.hash.clone(),
            clock: self.clock.clone(),
            table: self.table.clone(),
            algorithm: PhantomData,
        }
    }
}

impl<A> fmt::Debug for KeyedLimiter<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyedLimiter")
            .field("limit", &format_args!("{}", self.rate.algorithm))
            .field("capacity", &self.table.capacity())
            .field("len", &self.table.len())
            .field("evictions", &self.table.evictions())
            .field("clock", &self.clock)
            .finish_non_exhaustive()
    }
}
