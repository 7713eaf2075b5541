//! Usage in this process's memory.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use rate_core::{Fingerprint, KeyedLimiter, Secret, Timestamp, check_slice};

use super::{Answer, Binding, Charge, Charges, Store, Usage};
use crate::key::Key;
use crate::policy::{ConfigError, MAX_POLICIES, Policy};

/// Usage in this process's memory, bounded from the first request. Clones share it.
///
/// Every policy has a table of its own, so a flood of keys under one never displaces those of another. The guarantee and
/// what happens beyond it: [`KeyedLimiter`].
///
/// # Examples
///
/// ```
/// use tower_ratelimit::{MemoryStore, Quota, RateLimitLayer};
///
/// let layer = RateLimitLayer::new(Quota::per_second(10)).store(MemoryStore::with_capacity(1_000_000)?);
/// assert_eq!(layer.handle().stats().policies[0].capacity, 1_000_000);
/// assert!(MemoryStore::with_capacity(0).is_err());
/// # Ok::<_, tower_ratelimit::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct MemoryStore {
    capacity: usize,
    secret: Secret,
    limits: Arc<Mutex<Limits>>,
}

/// The tables by policy name, in use or lately so.
#[derive(Debug, Default)]
struct Limits {
    active: HashMap<String, KeyedLimiter>,
    /// Tables of policies that were taken out, until their last key is as good as new: putting a policy back is no way
    /// to a fresh burst.
    retired: HashMap<String, (KeyedLimiter, Timestamp)>,
}

impl MemoryStore {
    /// A store that guarantees 100,000 keys per policy.
    pub fn new() -> Self {
        Self::sized(KeyedLimiter::DEFAULT_CAPACITY)
    }

    /// A store that guarantees `keys` keys per policy, at 32 bytes each.
    ///
    /// # Errors
    ///
    /// If `keys` is zero. Too many for the memory there is are refused when the store meets its policies.
    pub fn with_capacity(keys: usize) -> Result<Self, ConfigError> {
        if keys == 0 {
            return Err(ConfigError::no_capacity());
        }
        Ok(Self::sized(keys))
    }

    /// Hashes keys under this secret, so that digests in logs agree between processes; the default is random.
    pub fn secret(mut self, secret: Secret) -> Self {
        self.secret = secret;
        self
    }

    fn sized(capacity: usize) -> Self {
        Self { capacity, secret: Secret::random(), limits: Arc::default() }
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl Store for MemoryStore {
    fn bind(&self, policies: &[Policy], now: Timestamp) -> Result<Arc<dyn Binding>, ConfigError> {
        // Nothing panics while the lock is held that would leave the tables half changed.
        let mut limits = self.limits.lock().unwrap_or_else(PoisonError::into_inner);
        // What can fail comes first, so that a failure changes nothing.
        let mut bound = Vec::with_capacity(policies.len());
        for policy in policies {
            let builder =
                || KeyedLimiter::builder(policy.quota()).capacity(self.capacity).secret(self.secret);
            bound.push(match limits.known(policy.name(), now) {
                Some(limiter) => limiter,
                None => builder().build().map_err(ConfigError::capacity)?,
            });
        }
        limits.retire(policies, now);
        for (policy, limiter) in policies.iter().zip(&mut bound) {
            if limiter.quota() != policy.quota() {
                *limiter = limiter.with_quota_at(policy.quota(), now);
            }
            limits.retired.remove(policy.name());
            limits.active.insert(policy.name().to_owned(), limiter.clone());
        }
        Ok(Arc::new(Bound { limiters: bound, secret: self.secret }))
    }
}

impl Limits {
    fn known(&self, name: &str, now: Timestamp) -> Option<KeyedLimiter> {
        let retired = || self.retired.get(name).filter(|(_, until)| *until > now).map(|(limiter, _)| limiter);
        self.active.get(name).or_else(retired).cloned()
    }

    /// Puts aside what `policies` no longer name, and drops what nobody can remember any more.
    fn retire(&mut self, policies: &[Policy], now: Timestamp) {
        self.retired.retain(|_, (_, until)| *until > now);
        let named = |name: &String| policies.iter().any(|policy| policy.name() == name);
        let gone: Vec<_> = self.active.keys().filter(|name| !named(name)).cloned().collect();
        for name in gone {
            if let Some(limiter) = self.active.remove(&name) {
                let until = now.saturating_add(limiter.quota().refill_time());
                self.retired.insert(name, (limiter, until));
            }
        }
    }
}

#[derive(Debug)]
struct Bound {
    limiters: Vec<KeyedLimiter>,
    secret: Secret,
}

impl Bound {
    fn charge(&self, charge: &Charge) -> rate_core::Charge<'_> {
        self.limiters[charge.policy].charge_fingerprint(self.digest(&charge.key), charge.cost)
    }

    fn decide_several(&self, charges: &mut [Charge], now: Timestamp) {
        let Some(first) = charges.first() else { return };
        let mut asked = [self.charge(first); MAX_POLICIES];
        for (asked, charge) in asked.iter_mut().zip(&*charges).skip(1) {
            *asked = self.charge(charge);
        }
        let asked = &asked[..charges.len()];
        check_slice(asked, now, |index, decision| charges[index].decision = Some(decision));
    }
}

impl Binding for Bound {
    fn decide(&self, charges: &mut Charges, now: Timestamp) -> Answer {
        match charges.as_mut_slice() {
            [only] => only.decision = Some(self.charge(only).check_at(now)),
            several => self.decide_several(several, now),
        }
        Answer::Now
    }

    fn forget(&self, key: &Key) -> bool {
        let key = self.digest(key);
        // Every one of them, not up to the first that knew it.
        self.limiters.iter().filter(|limiter| limiter.forget_fingerprint(key)).count() > 0
    }

    fn digest(&self, key: &Key) -> Fingerprint {
        self.secret.fingerprint(key)
    }

    fn usage(&self, policy: usize) -> Usage {
        let limiter = &self.limiters[policy];
        Usage { keys: limiter.len(), capacity: limiter.capacity(), evictions: limiter.evictions() }
    }
}
