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
#[cfg(feature = "test-util")]
pub use slow::SlowStore;

use crate::key::Key;
use crate::policy::{ConfigError, Policy};

/// A place where usage is kept: this process's memory, or a server that several processes share.
///
/// A store does not decide by itself: it is [bound](Self::bind) to a set of policies first, and what comes out of that
/// decides. A change of policies is another binding of the same store, which finds the usage it had.
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
    /// charge.
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
