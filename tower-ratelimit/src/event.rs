//! Everything worth telling an operator.

use std::fmt;
use std::time::Duration;

use rate_core::Digest;

use crate::key::KeyError;
use crate::store::StoreError;

/// Something worth counting or logging. Each has a stable [`code`](Self::code).
///
/// Keys appear as digests only. Nothing is told of a request that was admitted: that is what
/// [`on_decision`](crate::RateLimitLayer::on_decision) is for.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A policy refused a request.
    Denied {
        /// The policy's name.
        policy: &'a str,
        /// The key's digest.
        key: Digest,
        /// The wait it was told; `None` when no wait helps.
        retry_after: Option<Duration>,
        /// The name of the refusal, as its user was given it: [`Rejection::instance`](crate::Rejection::instance). Policies
        /// that refused the same request tell the same.
        instance: &'a str,
    },
    /// A request had no usable key and was refused.
    KeyRejected {
        /// The policy's name.
        policy: &'a str,
        /// Why.
        error: &'a KeyError,
    },
    /// The server does not say who the peer is: every such request is refused with 500.
    NoPeer {
        /// The line of code that mends it.
        fix: &'a str,
    },
    /// The server does not say who the peer is: all such requests share one bucket, as the policy has it.
    ///
    /// Told once.
    SharedPeer {
        /// The policy's name.
        policy: &'a str,
        /// The line of code that mends it.
        fix: &'a str,
    },
    /// The store could not decide, and the request was refused with 503.
    StoreFailed {
        /// Why.
        error: &'a StoreError,
    },
    /// More keys are at work under a policy than its capacity, and some lost their state.
    ///
    /// Told at the first loss and whenever their number has doubled.
    Evicted {
        /// The policy's name.
        policy: &'a str,
        /// Keys that lost their state since the start.
        total: u64,
    },
    /// The set of policies was replaced.
    PoliciesChanged {
        /// How many there are now.
        count: usize,
    },
    /// A key was erased.
    Forgotten {
        /// The key's digest.
        key: Digest,
    },
    /// The layer was switched off: every request passes.
    Disabled,
    /// The layer was switched on again.
    Enabled,
}

impl Event<'_> {
    /// The stable code, for metrics, alerts and runbooks.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Denied { .. } => "ratelimit-denied",
            Self::KeyRejected { .. } => "ratelimit-key-rejected",
            Self::NoPeer { .. } => "ratelimit-no-peer",
            Self::SharedPeer { .. } => "ratelimit-shared-peer",
            Self::StoreFailed { .. } => "ratelimit-store-failed",
            Self::Evicted { .. } => "ratelimit-evicted",
            Self::PoliciesChanged { .. } => "ratelimit-policies-changed",
            Self::Forgotten { .. } => "ratelimit-forgotten",
            Self::Disabled => "ratelimit-disabled",
            Self::Enabled => "ratelimit-enabled",
        }
    }
}

impl fmt::Display for Event<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.code())?;
        match self {
            Self::Denied { policy, key, retry_after: Some(wait), instance } => {
                write!(f, "policy {policy:?} refused key {key}, to retry in {wait:?} ({instance})")
            }
            Self::Denied { policy, key, retry_after: None, instance } => {
                write!(f, "policy {policy:?} refused key {key}: the cost exceeds the burst ({instance})")
            }
            Self::KeyRejected { policy, error } => write!(f, "policy {policy:?} found no key: {error}"),
            Self::NoPeer { fix } => {
                write!(f, "the server does not say who the peer is, so requests are refused with 500. {fix}")
            }
            Self::SharedPeer { policy, fix } => write!(
                f,
                "the server does not say who the peer is, so all requests share one bucket of policy {policy:?}. {fix}"
            ),
            Self::StoreFailed { error } => write!(f, "the store could not decide: {error}"),
            Self::Evicted { policy, total } => write!(
                f,
                "{total} keys of policy {policy:?} lost their state so far: more are at work than its capacity; raise \
                 it with `MemoryStore::with_capacity`"
            ),
            Self::PoliciesChanged { count } => write!(f, "policies in force now: {count}"),
            Self::Forgotten { key } => write!(f, "key {key} was erased"),
            Self::Disabled => f.write_str("the limits are switched off, every request passes"),
            Self::Enabled => f.write_str("the limits are switched on"),
        }
    }
}

/// The default for events: what needs mending goes to standard error, once for each kind.
///
/// A library has no logger of its own, and a server that refuses everybody for want of one line must say so somewhere.
pub(crate) fn warn_once(event: &Event<'_>) {
    use std::io::Write;
    use std::sync::atomic::{AtomicBool, Ordering};
    static NO_PEER: AtomicBool = AtomicBool::new(false);
    static SHARED_PEER: AtomicBool = AtomicBool::new(false);
    static STORE: AtomicBool = AtomicBool::new(false);
    static EVICTED: AtomicBool = AtomicBool::new(false);
    static KEY: AtomicBool = AtomicBool::new(false);

    let told = match event {
        Event::NoPeer { .. } => &NO_PEER,
        Event::SharedPeer { .. } => &SHARED_PEER,
        Event::StoreFailed { .. } => &STORE,
        Event::Evicted { .. } => &EVICTED,
        Event::KeyRejected { error, .. } if error.kind() == crate::KeyErrorKind::Unconfigured => &KEY,
        _ => return,
    };
    // Relaxed: the flag guards nothing but itself.
    if !told.swap(true, Ordering::Relaxed) {
        // Not `eprintln!`, which would panic in the middle of a request when nobody reads standard error any more.
        let _ = writeln!(std::io::stderr(), "{event}");
    }
}
