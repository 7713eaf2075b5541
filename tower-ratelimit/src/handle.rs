//! Control of a layer that is already serving.

use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;

use crate::event::Event;
use crate::key::Key;
use crate::live::Live;
use crate::policy::{ConfigError, IntoPolicies, validated};
use crate::stats::{PolicyStats, Stats};

/// What a layer, its clones, its services and its handles share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) live: ArcSwap<Live>,
    /// Held while the settings change, so that no change is lost to another.
    changing: Mutex<()>,
}

impl Shared {
    pub(crate) fn new(live: Live) -> Self {
        Self { live: ArcSwap::from_pointee(live), changing: Mutex::new(()) }
    }

    /// Replaces the settings by changed ones, all at once or, on an error, not at all.
    pub(crate) fn change(
        &self,
        change: impl FnOnce(&mut Live) -> Result<(), ConfigError>,
    ) -> Result<Arc<Live>, ConfigError> {
        // What is swapped is replaced as a whole, so a panic elsewhere left nothing half done.
        let _one_at_a_time = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut next = Live::clone(&self.live.load());
        change(&mut next)?;
        let next = Arc::new(next);
        self.live.store(next.clone());
        Ok(next)
    }

    /// A change that cannot fail.
    pub(crate) fn set(&self, change: impl FnOnce(&mut Live)) -> Arc<Live> {
        let result = self.change(|live| {
            change(live);
            Ok(())
        });
        result.unwrap_or_else(|_| self.live.load_full())
    }
}

/// Controls a layer while it serves; clones control the same one.
///
/// # Examples
///
/// ```
/// use tower_ratelimit::{Policy, Quota, RateLimitLayer};
///
/// let layer = RateLimitLayer::new(Quota::per_second(10));
/// let handle = layer.handle();
///
/// // Every key keeps the share of its quota that it has used.
/// handle.set_policies(Policy::new("default", Quota::per_second(5)))?;
/// assert_eq!(handle.stats().policies[0].quota, "5/s");
///
/// // A set that limits nobody is refused, and the old one stays.
/// assert!(handle.set_policies(vec![]).is_err());
/// assert_eq!(handle.stats().policies[0].quota, "5/s");
///
/// handle.disable();
/// assert!(!handle.is_enabled());
/// # Ok::<_, tower_ratelimit::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Handle(pub(crate) Arc<Shared>);

impl Handle {
    /// Lets every request pass, uncounted and without fields, until [`enable`](Self::enable).
    pub fn disable(&self) {
        self.switch(false, &Event::Disabled);
    }

    /// Limits again, from the usage there was.
    pub fn enable(&self) {
        self.switch(true, &Event::Enabled);
    }

    /// Whether requests are limited.
    #[must_use]
    pub fn is_enabled(&self) -> bool {
        self.0.live.load().enabled
    }

    fn switch(&self, enabled: bool, event: &Event<'_>) {
        let live = self.0.set(|live| live.enabled = enabled);
        live.tell(event);
    }

    /// Replaces the policies, all at once.
    ///
    /// A policy that keeps its name keeps its usage: with another quota every key keeps the share it has used, so neither
    /// raising, lowering nor switching back and forth wins anybody a fresh burst. One that is taken out and put back
    /// finds its usage too, while it still matters. Requests whose decision is under way finish under the set they
    /// started with.
    ///
    /// # Errors
    ///
    /// If the set is empty, has a name twice, has more than 16 policies, has a cost of zero or above its policy's burst,
    /// or does not fit the store. The old set stays.
    pub fn set_policies(&self, policies: impl IntoPolicies) -> Result<(), ConfigError> {
        let policies = validated(policies)?;
        let live = self.0.change(|live| {
            live.policies = policies;
            live.rebind()
        })?;
        live.tell(&Event::PoliciesChanged { count: live.policies.len() });
        Ok(())
    }

    /// Erases everything known of `key`, under every policy. Returns whether anything was known.
    ///
    /// The key may then spend a whole burst again: for a customer who was limited by mistake, and for erasure on
    /// request. What the key is, the policy's extractor knows: [`ClientIp::key_of`](crate::ClientIp::key_of),
    /// `header("x-tenant").key_of("blue")`, or [`extract`](crate::KeyExtractor::extract) with a request made for it.
    #[expect(
        clippy::must_use_candidate,
        reason = "forgetting is the point, whether anything was known is extra"
    )]
    pub fn forget(&self, key: &Key) -> bool {
        let live = self.0.live.load();
        let known = live.binding.forget(key);
        live.tell(&Event::Forgotten { key: live.binding.digest(key) });
        known
    }

    /// What `key` is called in events: 16 hexadecimal digits.
    #[must_use]
    pub fn digest(&self, key: &Key) -> rate_core::Digest {
        self.0.live.load().binding.digest(key)
    }

    /// Totals since the layer was made.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let live = self.0.live.load();
        let counters = &live.counters;
        let policies = live.policies.iter().enumerate().map(|(place, policy)| {
            let usage = live.binding.usage(place);
            PolicyStats {
                name: policy.name().to_owned(),
                quota: policy.limit().to_string(),
                keys: usage.keys,
                capacity: usage.capacity,
                evictions: usage.evictions,
            }
        });
        Stats {
            allowed: counters.allowed.total(),
            denied: counters.denied.total(),
            rejected: counters.rejected.total(),
            bypassed: counters.bypassed.total(),
            policies: policies.collect(),
        }
    }
}
