//! Totals since the start.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// Totals since the layer was made, as [`Handle::stats`](crate::Handle::stats) returns them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Requests that every policy admitted.
    pub allowed: u64,
    /// Requests that a policy refused.
    pub denied: u64,
    /// Requests refused for another reason: no usable key, or a store that could not decide.
    pub rejected: u64,
    /// Requests that passed while the layer was disabled.
    pub bypassed: u64,
    /// The policies in force, in their order.
    pub policies: Vec<PolicyStats>,
}

/// Totals of one policy.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PolicyStats {
    /// The policy's name.
    pub name: String,
    /// Its quota, in text form.
    pub quota: String,
    /// Keys held, idle ones that were not replaced yet included.
    pub keys: usize,
    /// Keys that are guaranteed to keep their state.
    pub capacity: usize,
    /// Keys that lost their state because more were at work than the capacity.
    pub evictions: u64,
}

/// What the layer counts while it runs.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) allowed: Counter,
    pub(crate) denied: Counter,
    pub(crate) rejected: Counter,
    pub(crate) bypassed: Counter,
}

/// A counter that threads do not fight over: each adds to a stripe of its own, as far as they go round.
#[derive(Debug, Default)]
pub(crate) struct Counter {
    stripes: [Stripe; STRIPES],
}

const STRIPES: usize = 8;

#[derive(Debug, Default)]
#[repr(align(128))]
struct Stripe(AtomicU64);

impl Counter {
    /// Adds one and returns how many this stripe had before.
    #[inline]
    pub(crate) fn add(&self) -> u64 {
        // Relaxed: a figure for people, ordered with nothing.
        self.stripes[stripe_of_this_thread()].0.fetch_add(1, Ordering::Relaxed)
    }

    pub(crate) fn total(&self) -> u64 {
        // Relaxed: as in `add`.
        self.stripes.iter().map(|stripe| stripe.0.load(Ordering::Relaxed)).sum()
    }
}

#[inline]
fn stripe_of_this_thread() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        // Relaxed: only the numbers have to differ.
        static STRIPE: usize = NEXT.fetch_add(1, Ordering::Relaxed) % STRIPES;
    }
    // A thread that is being torn down has no stripe of its own any more; any will do.
    STRIPE.try_with(|stripe| *stripe).unwrap_or(0)
}
