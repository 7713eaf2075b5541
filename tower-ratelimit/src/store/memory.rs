//! Usage in this process's memory.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use rate_core::algorithm::AnyAlgorithm;
use rate_core::{Digest, KeyedLimiter, Secret, Timestamp, check_slice};

use super::{Answer, Binding, Charge, Charges, Store, Usage};
use crate::key::Key;
use crate::policy::{ConfigError, MAX_POLICIES, Policy};

/// Usage in this process's memory, bounded from the first request. Clones share it.
///
/// Every policy has a table of its own, so a flood of keys under one never displaces those of another. The guarantee and
/// what happens beyond it: [`KeyedLimiter`].
///
/// A policy that is taken out keeps its table while it matters, so that putting it back is no fresh burst; of more than 16
/// such tables those that matter longest are kept.
///
/// A table belongs to a policy's name. Two layers on one store that have a policy of the same name count together; give
/// both the same quota, for the one that was built or changed last sets it for both. Every key then keeps the share it has
/// used, so that wins nobody a fresh burst.
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
    capacity: Option<usize>,
    secret: Secret,
    limits: Arc<Mutex<Limits>>,
}

/// The tables by policy name, in use or lately so.
#[derive(Debug, Default)]
struct Limits(HashMap<String, Table>);

/// Tables that are kept though nobody uses them. A program that makes up names for its policies would fill memory with them.
const KEPT: usize = MAX_POLICIES;

impl Limits {
    /// Drops what nobody uses and what is as good as new; of the rest, those that would be so last stay.
    fn sweep(&mut self, now: Timestamp) {
        self.0.retain(|_, table| table.is_needed(now));
        let mut unused: Vec<_> =
            self.0.iter().filter_map(|(name, table)| Some((table.until?, name.clone()))).collect();
        unused.sort_unstable();
        for (_, name) in unused.iter().rev().skip(KEPT) {
            self.0.remove(name);
        }
    }
}

#[derive(Debug)]
struct Table {
    limiter: KeyedLimiter<AnyAlgorithm>,
    /// Held by every binding that decides by this table. A store may serve several layers, and a change of one does not
    /// tell what the others still use.
    users: Arc<()>,
    /// When its last key is as good as new, once nobody uses it: putting a policy back is no way to a fresh burst.
    until: Option<Timestamp>,
}

impl MemoryStore {
    /// A store that guarantees 100,000 keys per policy, or as many as have logs of 256 MB together under a policy that keeps
    /// them.
    pub fn new() -> Self {
        Self::sized(None)
    }

    /// A store that guarantees `keys` keys per policy, at 32 bytes each; a sliding log takes
    /// [more](rate_core::algorithm#what-is-remembered-of-a-key), as keys come.
    ///
    /// # Errors
    ///
    /// If `keys` is zero. Too many for the memory there is are refused when the store meets its policies.
    pub fn with_capacity(keys: usize) -> Result<Self, ConfigError> {
        if keys == 0 {
            return Err(ConfigError::no_capacity());
        }
        Ok(Self::sized(Some(keys)))
    }

    /// Hashes keys under this secret, so that digests in logs agree between processes; the default is random.
    pub fn secret(mut self, secret: Secret) -> Self {
        self.secret = secret;
        self
    }

    fn sized(capacity: Option<usize>) -> Self {
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
        let mut tables = Vec::with_capacity(policies.len());
        for policy in policies {
            tables.push(match limits.0.get(policy.name()) {
                Some(table) => (table.limiter.clone(), table.users.clone()),
                None => {
                    let builder = KeyedLimiter::builder_of(*policy.limit()).secret(self.secret);
                    let builder = match self.capacity {
                        Some(keys) => builder.capacity(keys),
                        None => builder,
                    };
                    (builder.build().map_err(ConfigError::capacity)?, Arc::default())
                }
            });
        }
        for (policy, (limiter, users)) in policies.iter().zip(&mut tables) {
            // By another clock its windows begin elsewhere, and that is a change too.
            if !limiter.limit().is_aligned_with(policy.limit()) {
                *limiter = limiter.with_limit_at(*policy.limit(), now);
            }
            let table = Table { limiter: limiter.clone(), users: users.clone(), until: None };
            limits.0.insert(policy.name().to_owned(), table);
        }
        limits.sweep(now);
        let (limiters, users) = tables.into_iter().unzip();
        Ok(Arc::new(Bound { limiters, _users: users }))
    }
}

impl Table {
    fn is_needed(&mut self, now: Timestamp) -> bool {
        if Arc::strong_count(&self.users) > 1 {
            self.until = None;
            return true;
        }
        if self.limiter.is_empty() {
            return false;
        }
        // A sliding window remembers for twice its period; nothing that is not in debt does for longer.
        let refilled = now.saturating_add(self.limiter.quota().refill_time().saturating_mul(2));
        *self.until.get_or_insert(refilled) > now
    }
}

#[derive(Debug)]
struct Bound {
    limiters: Vec<KeyedLimiter<AnyAlgorithm>>,
    /// Says that the tables are in use.
    _users: Vec<Arc<()>>,
}

impl Bound {
    fn charge(&self, charge: &Charge) -> rate_core::Charge<'_> {
        self.limiters[charge.policy].charge(&charge.key, charge.cost)
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
        // Every one of them, not up to the first that knew it.
        self.limiters.iter().filter(|limiter| limiter.forget(key)).count() > 0
    }

    fn digest(&self, key: &Key) -> Digest {
        // The same in all of them, for they share the secret; and there is one, for a set has at least one policy.
        self.limiters[0].digest(key)
    }

    fn usage(&self, policy: usize) -> Usage {
        let limiter = &self.limiters[policy];
        Usage::new(limiter.len(), limiter.capacity(), limiter.evictions())
    }
}

#[cfg(test)]
mod tests {
    use rate_core::Quota;

    use super::*;

    #[test]
    fn names_that_are_never_used_again_do_not_fill_memory() {
        // 200 names of one policy took 640 MB: each kept its table until a day's quota would have been refilled.
        let store = MemoryStore::with_capacity(10).expect("ten keys");
        let tables = || store.limits.lock().expect("no panic").0.len();
        let key = Key::text("ann").expect("a key");
        let now = Timestamp::ZERO;
        for number in 0..200 {
            let policy = Policy::new(format!("p{number}"), Quota::per_day(1));
            let binding = store.bind(&[policy], now).expect("it fits");
            let mut charges = Charges::default();
            charges.push(0, key.clone(), 1);
            assert!(matches!(binding.decide(&mut charges, now), Answer::Now));
            assert!(charges.is_allowed(), "policy {number}");
            // In use: this one.
            assert!(tables() <= 1 + KEPT, "{} tables", tables());
        }
        // One that is kept is no fresh burst.
        let binding = store.bind(&[Policy::new("p199", Quota::per_day(1))], now).expect("it fits");
        let mut charges = Charges::default();
        charges.push(0, key, 1);
        assert!(matches!(binding.decide(&mut charges, now), Answer::Now));
        assert!(!charges.is_allowed());
    }

    #[test]
    fn a_table_without_keys_is_dropped_at_once() {
        let store = MemoryStore::with_capacity(10).expect("ten keys");
        for number in 0..200 {
            let policy = Policy::new(format!("p{number}"), Quota::per_day(1));
            drop(store.bind(&[policy], Timestamp::ZERO).expect("it fits"));
            assert_eq!(store.limits.lock().expect("no panic").0.len(), 1);
        }
    }
}
