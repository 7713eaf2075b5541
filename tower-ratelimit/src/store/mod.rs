//! Where state lives and decisions are made atomically.

mod charge;
mod memory;
#[cfg(feature = "test-util")]
mod slow;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use rate_core::{Digest, Timestamp};

pub use charge::{Charge, Charges};
pub use memory::MemoryStore;
/// The arithmetic, for a store of your own.
#[doc(no_inline)]
pub use rate_core::algorithm;
#[cfg(feature = "test-util")]
pub use slow::SlowStore;

use crate::key::Key;
use crate::policy::{ConfigError, Policy};

/// A place where usage is kept: this process's memory, or a server that several processes share.
///
/// A store does not decide by itself: it is [bound](Self::bind) to a set of policies first, and what comes out of that
/// decides. A change of policies is another binding of the same store, which finds the usage it had.
///
/// # Examples
///
/// A store of one's own: exact, and as large as the number of keys it has seen.
///
/// ```
/// use std::collections::HashMap;
/// use std::hash::{DefaultHasher, Hash, Hasher};
/// use std::sync::{Arc, Mutex};
///
/// use tower_ratelimit::algorithm::{Algorithm, AnyAlgorithm, AnyState};
/// use tower_ratelimit::store::{Answer, Binding, Charges, Usage};
/// use tower_ratelimit::{ConfigError, Decision, Digest, Key, Policy, Quota, RateLimitLayer, Store, Timestamp};
///
/// type States = HashMap<(String, Vec<u8>), AnyState>;
///
/// #[derive(Debug, Default)]
/// struct Ledger(Arc<Mutex<States>>);
///
/// #[derive(Debug)]
/// struct Bound { policies: Vec<(String, AnyAlgorithm)>, states: Arc<Mutex<States>> }
///
/// impl Store for Ledger {
///     fn bind(&self, policies: &[Policy], _: Timestamp) -> Result<Arc<dyn Binding>, ConfigError> {
///         // Keeps states as they are, so it is for limits that do not change.
///         let policies = policies.iter().map(|policy| (policy.name().to_owned(), *policy.limit()));
///         Ok(Arc::new(Bound { policies: policies.collect(), states: self.0.clone() }))
///     }
/// }
///
/// impl Binding for Bound {
///     fn decide(&self, charges: &mut Charges, now: Timestamp) -> Answer {
///         let (mut states, now) = (self.states.lock().unwrap(), now.as_nanos());
///         let found: Vec<_> = charges.as_slice().iter().map(|charge| {
///             let (name, limit) = &self.policies[charge.policy];
///             let place = (name.clone(), charge.key.as_bytes().to_vec());
///             let state = states.get(&place).cloned().unwrap_or(limit.fresh());
///             (place, limit, state.clone(), limit.admit(state, now, charge.cost))
///         }).collect();
///         // All admit, or nobody is charged. One key under two policies is no matter: they have places of their own.
///         let all = found.iter().all(|(.., answer)| answer.is_ok());
///         for (charge, (place, limit, state, answer)) in charges.as_mut_slice().iter_mut().zip(found) {
///             let wait = answer.as_ref().err().copied();
///             let state = answer.ok().filter(|_| all).unwrap_or(state);
///             charge.decision = Some(Decision::new(limit.capacity(), limit.standing(state.clone(), now), wait));
///             if all {
///                 states.insert(place, state);
///             }
///         }
///         Answer::Now
///     }
///
///     fn forget(&self, key: &Key) -> bool {
///         let mut states = self.states.lock().unwrap();
///         let before = states.len();
///         states.retain(|(_, held), _| held != key.as_bytes());
///         states.len() < before
///     }
///
///     fn digest(&self, key: &Key) -> Digest {
///         // Yours would be under a secret.
///         let mut hasher = DefaultHasher::new();
///         key.hash(&mut hasher);
///         Digest::from_u64(hasher.finish())
///     }
///
///     fn usage(&self, _: usize) -> Usage {
///         Usage::new(self.states.lock().unwrap().len(), usize::MAX, 0)
///     }
/// }
///
/// let layer = RateLimitLayer::new(Quota::per_second(10)).store(Ledger::default());
/// assert_eq!(layer.handle().stats().policies[0].keys, 0);
/// ```
pub trait Store: fmt::Debug + Send + Sync + 'static {
    /// Prepares to decide these policies, keeping the usage of those it knows by name: the used share carries over to
    /// another quota.
    ///
    /// # Errors
    ///
    /// When the store cannot hold these policies. The bindings made before stay in force.
    fn bind(&self, policies: &[Policy], now: Timestamp) -> Result<Arc<dyn Binding>, ConfigError>;
}

/// A store bound to a set of policies.
pub trait Binding: fmt::Debug + Send + Sync + 'static {
    /// Decides all charges of one request: all admit and all are charged, or none is. Writes each decision into its
    /// charge; where nobody was charged, what an admitting policy has left is what it had.
    ///
    /// A store that needs time takes the charges and returns them in [`Answer::Later`].
    fn decide(&self, charges: &mut Charges, now: Timestamp) -> Answer;

    /// Erases what is known of `key` under every policy. Returns whether anything was known.
    fn forget(&self, key: &Key) -> bool;

    /// What a key is called in logs and statistics.
    fn digest(&self, key: &Key) -> Digest;

    /// Keys held for the policy at this place in the set.
    fn usage(&self, policy: usize) -> Usage;
}

/// When a decision is made.
#[must_use]
pub enum Answer {
    /// It is in the charges.
    Now,
    /// It will be in the charges that this future returns.
    Later(Later),
}

/// A decision under way: the charges, decided on.
pub type Later = Pin<Box<dyn Future<Output = Result<Charges, StoreError>> + Send>>;

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Now => "Now",
            Self::Later(_) => "Later",
        })
    }
}

/// How full a store is with the keys of one policy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Usage {
    /// Keys held, idle ones that were not replaced yet included.
    pub keys: usize,
    /// Keys that are guaranteed to keep their state.
    pub capacity: usize,
    /// Keys that lost their state because more were at work than the capacity.
    pub evictions: u64,
}

impl Usage {
    /// So many keys held, of so many that are guaranteed, and so many that lost their state.
    #[must_use]
    pub const fn new(keys: usize, capacity: usize, evictions: u64) -> Self {
        Self { keys, capacity, evictions }
    }
}

/// A store that could not decide. The request is answered with 503, for nobody becomes unlimited by accident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreError {
    message: String,
}

impl StoreError {
    /// An error with this text, which goes to the operator and never to the client.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into() }
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for StoreError {}
