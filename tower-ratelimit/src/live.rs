//! Everything a decision needs, in one piece that can be swapped while requests run.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use bytes::Bytes;
use http::{HeaderValue, Request, Response};
use rate_core::{Clock, Decision, MonotonicClock};

use crate::event::{Event, warn_once};
use crate::key::{Key, KeyError, KeyErrorKind};
use crate::policy::{ConfigError, Policy};
use crate::response::{FieldValues, Fields, PolicyFields, Rejection, RejectionHeaders, Wording};
use crate::stats::Counters;
use crate::store::{Answer, Binding, Charges, Later, MemoryStore, Store, StoreError};
use crate::{Framework, RequestHead};

pub(crate) type OnDecision = dyn Fn(&Decision, &RequestHead<'_>) + Send + Sync;
pub(crate) type OnEvent = dyn Fn(&Event<'_>) + Send + Sync;

/// What plain hyper users have to do; a framework's adapter knows better.
const PEER_FIX: &str = "Insert the peer's `std::net::SocketAddr` into each request's extensions.";

/// One generation of settings. Never changed: replaced by the next one.
#[derive(Clone)]
pub(crate) struct Live {
    pub(crate) enabled: bool,
    pub(crate) policies: Vec<Policy>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) binding: Arc<dyn Binding>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) framework: Framework,
    pub(crate) peer_fix: &'static str,
    pub(crate) chosen: Chosen,
    pub(crate) fields: Fields,
    pub(crate) policy_fields: PolicyFields,
    pub(crate) rejection_headers: RejectionHeaders,
    pub(crate) wording: Wording,
    pub(crate) with_decision: bool,
    pub(crate) on_decision: Option<Arc<OnDecision>>,
    pub(crate) on_event: Option<Arc<OnEvent>>,
    pub(crate) counters: Arc<Counters>,
    /// Evictions to be told of next, over all policies.
    pub(crate) evictions_told: Arc<AtomicU64>,
    /// Whether it was told that all without a peer share a bucket.
    pub(crate) shared_peer_told: Arc<AtomicBool>,
}

/// What the user has set, and no adapter may set any more.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Chosen {
    pub(crate) framework: bool,
    pub(crate) peer_fix: bool,
}

/// What to do with a request.
pub(crate) enum Step {
    /// Forward it, and add the [fields](Live::fields) of its charges to the response.
    Forward,
    /// Answer it so.
    Reject(Response<Bytes>),
    /// Ask again when the store has answered.
    Wait(Later),
}

impl Live {
    pub(crate) fn new(policies: Vec<Policy>) -> Result<Self, ConfigError> {
        let clock = Arc::new(MonotonicClock::new());
        let store = Arc::new(MemoryStore::new());
        let binding = store.bind(&policies, clock.now())?;
        let policy_fields = PolicyFields::new(&policies, Fields::default());
        Ok(Self {
            enabled: true,
            rejection_headers: RejectionHeaders::new(&policy_fields),
            policy_fields,
            wording: Wording::new(&policies),
            policies,
            store,
            binding,
            clock,
            framework: Framework::default(),
            peer_fix: PEER_FIX,
            chosen: Chosen::default(),
            fields: Fields::default(),
            with_decision: false,
            on_decision: None,
            on_event: None,
            counters: Arc::default(),
            evictions_told: Arc::default(),
            shared_peer_told: Arc::default(),
        })
    }

    /// Binds the store to the policies, after either has changed.
    pub(crate) fn rebind(&mut self) -> Result<(), ConfigError> {
        let utc = self.clock.utc_at_zero();
        let policies: Vec<_> = self.policies.iter().map(|policy| policy.anchored(utc)).collect();
        self.binding = self.store.bind(&policies, self.clock.now())?;
        // Other tables count from the start again, and would be silent until they had twice what was told of the old ones.
        // Relaxed: as where it is told.
        let told = self.evictions_told.load(Ordering::Relaxed).min(self.evictions().sum());
        self.evictions_told = Arc::new(told.into());
        self.write_fields();
        Ok(())
    }

    /// Keys that lost their state, for each policy.
    fn evictions(&self) -> impl Iterator<Item = u64> {
        (0..self.policies.len()).map(|policy| self.binding.usage(policy).evictions)
    }

    /// Writes what never changes of the fields, after the policies or the format have changed.
    pub(crate) fn write_fields(&mut self) {
        self.policy_fields = PolicyFields::new(&self.policies, self.fields);
        self.rejection_headers = RejectionHeaders::new(&self.policy_fields);
        self.wording = Wording::new(&self.policies);
    }

    /// Finds out who asks, writes it into `charges`, and decides or has the store decide.
    #[inline]
    pub(crate) fn begin<B>(&self, request: &mut Request<B>, charges: &mut Charges) -> Step {
        if !self.enabled {
            self.counters.bypassed.add();
            return Step::Forward;
        }
        let head = RequestHead::with_framework(request, self.framework);
        for (index, policy) in self.policies.iter().enumerate() {
            match policy.key_of(&head) {
                Ok(key) => charges.push(index, key, policy.cost_of(&head)),
                Err(error) if policy.shares_bucket(&error) => {
                    self.tell_shared_peer(policy, &error);
                    charges.push(index, Key::missing(), policy.cost_of(&head));
                }
                Err(error) => {
                    let rejection = self.reject_key(policy, &error);
                    return Step::Reject(self.answer(rejection, None, request));
                }
            }
        }
        match self.binding.decide(charges, self.clock.now()) {
            Answer::Now => match self.act(charges, request) {
                None => Step::Forward,
                Some(response) => Step::Reject(response),
            },
            Answer::Later(later) => Step::Wait(later),
        }
    }

    /// Acts on a decision: nothing, or the response in place of that of the service inside.
    #[inline]
    pub(crate) fn act<B>(&self, charges: &Charges, request: &mut Request<B>) -> Option<Response<Bytes>> {
        let allowed = charges.is_allowed();
        if !allowed && !charges.is_decided() {
            let error = StoreError::new("a charge came back without a decision");
            return Some(self.reject_store(&error, request));
        }
        if self.with_decision || self.on_decision.is_some() {
            self.show(charges, request);
        }
        if !allowed {
            let limits = self.policy_fields.limits(charges);
            return Some(self.answer(self.deny(charges), limits, request));
        }
        if self.counters.allowed.add() % EVICTION_CHECK == 0 {
            self.tell_evictions();
        }
        None
    }

    /// The quota fields of a response, if there are to be any.
    #[inline]
    pub(crate) fn fields(&self, charges: &Charges) -> Option<FieldValues> {
        self.policy_fields.values(charges)
    }

    /// Shows the decision that counts to those who want to see it.
    fn show<B>(&self, charges: &Charges, request: &mut Request<B>) {
        let Some((policy, decision)) = charges.decisive_of() else { return };
        if let Some(on_decision) = &self.on_decision {
            let head = RequestHead::with_framework(request, self.framework);
            on_decision(decision, &head.decided_by(self.policies[policy].name()));
        }
        if self.with_decision {
            request.extensions_mut().insert(*decision);
        }
    }

    #[inline(never)]
    fn deny(&self, charges: &Charges) -> Rejection {
        self.counters.denied.add();
        let rejection = Rejection::denied(&self.wording, charges);
        // By default nothing is told of a refusal, and then nobody needs the key's digest, nor the instance as text.
        if let Some(on_event) = &self.on_event {
            let instance = rejection.instance();
            for charge in charges.as_slice() {
                if let Some(decision) = charge.decision.filter(|decision| !decision.is_allowed()) {
                    let policy = self.policies[charge.policy].name();
                    let key = self.binding.digest(&charge.key);
                    let (retry_after, instance) = (decision.retry_after(), &*instance);
                    on_event(&Event::Denied { policy, key, retry_after, instance });
                }
            }
        }
        rejection
    }

    /// Tells, once, that the server does not say who asks, so that a limit for each of many is one for all of them.
    fn tell_shared_peer(&self, policy: &Policy, error: &KeyError) {
        // Relaxed: the flag guards nothing but itself. Read first, or all who share the bucket would write to it.
        let told = &self.shared_peer_told;
        if error.kind() == KeyErrorKind::NoPeer
            && !told.load(Ordering::Relaxed)
            && !told.swap(true, Ordering::Relaxed)
        {
            self.tell(&Event::SharedPeer { policy: policy.name(), fix: self.peer_fix });
        }
    }

    #[cold]
    fn reject_key(&self, policy: &Policy, error: &KeyError) -> Rejection {
        self.counters.rejected.add();
        let no_peer = error.kind() == KeyErrorKind::NoPeer;
        self.tell(&if no_peer {
            Event::NoPeer { fix: self.peer_fix }
        } else {
            Event::KeyRejected { policy: policy.name(), error }
        });
        Rejection::key(error, no_peer.then_some(self.peer_fix))
    }

    #[cold]
    pub(crate) fn reject_store<B>(&self, error: &StoreError, request: &mut Request<B>) -> Response<Bytes> {
        self.counters.rejected.add();
        self.tell(&Event::StoreFailed { error });
        self.answer(Rejection::store(), None, request)
    }

    /// Answers `request` in place of the service inside, which leaves of it nothing that anybody needs.
    fn answer<B>(
        &self,
        rejection: Rejection,
        limits: Option<HeaderValue>,
        request: &mut Request<B>,
    ) -> Response<Bytes> {
        let extensions = std::mem::take(request.extensions_mut());
        rejection.response(&self.rejection_headers, limits, request.method(), extensions)
    }

    pub(crate) fn tell(&self, event: &Event<'_>) {
        match &self.on_event {
            Some(on_event) => on_event(event),
            None => warn_once(event),
        }
    }

    /// Tells of evictions at the first one and whenever their number has doubled.
    #[cold]
    fn tell_evictions(&self) {
        let total: u64 = self.evictions().sum();
        // Relaxed: the number guards nothing; a race tells twice.
        if total == 0 || total < self.evictions_told.load(Ordering::Relaxed).saturating_mul(2) {
            return;
        }
        self.evictions_told.store(total, Ordering::Relaxed);
        for (policy, total) in self.policies.iter().zip(self.evictions()).filter(|(_, total)| *total > 0) {
            self.tell(&Event::Evicted { policy: policy.name(), total });
        }
    }
}

/// How many admissions of a thread pass between two looks at the evictions.
const EVICTION_CHECK: u64 = 1_024;

impl fmt::Debug for Live {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Live")
            .field("enabled", &self.enabled)
            .field("policies", &self.policies)
            .field("store", &self.store)
            .field("clock", &self.clock)
            .field("fields", &self.fields)
            .finish_non_exhaustive()
    }
}
