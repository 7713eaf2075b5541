//! The layer: settings, and the service made from them.

use std::sync::Arc;

use rate_core::{Clock, Decision};
use tower_layer::Layer;

use crate::event::Event;
use crate::handle::{Handle, Shared};
use crate::live::Live;
use crate::policy::{ConfigError, IntoPolicies, validated};
use crate::response::Fields;
use crate::service::RateLimit;
use crate::store::Store;
use crate::{Framework, RequestHead};

/// Limits the rate of requests to a service.
///
/// Clones share their limits, and so do all services made from one layer: a layer is one limiter. See the
/// [crate's page](crate) for what it does to a request.
///
/// **A clone is the same limiter, settings included: `a.clone().fields(..)` changes `a` too,** and every service made from
/// it. For other settings make another layer; to count together, give both the same [store](Self::store).
///
/// # Examples
///
/// ```
/// use tower_ratelimit::{ClientIp, Policy, Quota, RateLimitLayer, header};
///
/// let simple = RateLimitLayer::new(Quota::per_second(10).burst(20));
/// let several = RateLimitLayer::new([
///     Policy::new("burst", Quota::per_second(10).burst(20)),
///     Policy::new("daily", Quota::per_day(10_000)).key(header("x-api-key").or(ClientIp::peer())),
/// ]);
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct RateLimitLayer {
    shared: Arc<Shared>,
}

impl RateLimitLayer {
    /// A layer for one or more policies: a [`Quota`](rate_core::Quota), a [`Policy`](crate::Policy), an array or a `Vec`.
    ///
    /// # Panics
    ///
    /// As [`RateLimitLayer::try_new`] returns errors.
    #[track_caller]
    pub fn new(policies: impl IntoPolicies) -> Self {
        match Self::try_new(policies) {
            Ok(layer) => layer,
            Err(error) => panic!("{error}"),
        }
    }

    /// A layer for one or more policies.
    ///
    /// # Errors
    ///
    /// If there is no policy, more than 16, a name twice, or a cost of zero or above its policy's burst.
    pub fn try_new(policies: impl IntoPolicies) -> Result<Self, ConfigError> {
        let live = Live::new(validated(policies)?)?;
        Ok(Self { shared: Arc::new(Shared::new(live)) })
    }

    /// Keeps usage in another store; the default is [`MemoryStore::new`](crate::MemoryStore::new).
    ///
    /// This and the settings below are meant for the start: they hold for every clone, and usage so far stays behind.
    ///
    /// # Panics
    ///
    /// If the store cannot hold the policies. [`try_store`](Self::try_store) returns the error.
    #[track_caller]
    pub fn store(self, store: impl Store) -> Self {
        match self.try_store(store) {
            Ok(layer) => layer,
            Err(error) => panic!("{error}"),
        }
    }

    /// Keeps usage in another store.
    ///
    /// # Errors
    ///
    /// If the store cannot hold the policies.
    pub fn try_store(self, store: impl Store) -> Result<Self, ConfigError> {
        self.shared.change(|live| {
            live.store = Arc::new(store);
            live.rebind()
        })?;
        Ok(self)
    }

    /// Reads the time from another clock; the default is the monotonic one.
    ///
    /// Set it before a [store](Self::store) that other layers are using: taking over usage is a matter of time.
    ///
    /// # Panics
    ///
    /// If the store cannot take its policies anew: windows that are aligned to the time of day end at other instants of another
    /// clock.
    #[track_caller]
    pub fn clock(self, clock: impl Clock) -> Self {
        let changed = self.shared.change(|live| {
            live.clock = Arc::new(clock);
            live.rebind()
        });
        match changed {
            Ok(_) => self,
            Err(error) => panic!("{error}"),
        }
    }

    /// Says where the framework keeps the peer and the route.
    pub fn framework(self, framework: Framework) -> Self {
        self.with(|live| {
            live.framework = framework;
            live.chosen.framework = true;
        })
    }

    /// Says which line of code makes the peer known, for the error of a server that does not tell it.
    pub fn peer_fix(self, fix: &'static str) -> Self {
        self.with(|live| {
            live.peer_fix = fix;
            live.chosen.peer_fix = true;
        })
    }

    /// Sets [`framework`](Self::framework) and [`peer_fix`](Self::peer_fix), each unless it was set before. For adapters,
    /// which know better than this crate and less than their user.
    #[doc(hidden)]
    pub fn adapted(self, framework: Framework, fix: &'static str) -> Self {
        self.with(|live| {
            if !live.chosen.framework {
                live.framework = framework;
            }
            if !live.chosen.peer_fix {
                live.peer_fix = fix;
            }
        })
    }

    /// Which quota fields are sent; the default is those of the current IETF draft.
    pub fn fields(self, fields: Fields) -> Self {
        self.with(|live| {
            live.fields = fields;
            live.write_fields();
        })
    }

    /// Leaves the [`Decision`] in the extensions of each request that is forwarded, for handlers to read.
    ///
    /// It is the decision of the policy closest to its limit. Costs one allocation per request, therefore not the
    /// default.
    pub fn with_decision(self) -> Self {
        self.with(|live| live.with_decision = true)
    }

    /// Calls `observe` with each decision and the request it is for.
    ///
    /// With several policies it is the decision that counts: the longest wait of those that refused, else the one with
    /// the fewest units left. [`RequestHead::policy`] says whose it is. Runs on the request's path: be quick.
    ///
    /// # Examples
    ///
    /// ```
    /// use tower_ratelimit::{Policy, Quota, RateLimitLayer};
    ///
    /// let layer = RateLimitLayer::new([
    ///     Policy::new("burst", Quota::per_second(10).burst(20)),
    ///     Policy::new("daily", Quota::per_day(10_000)),
    /// ])
    /// .on_decision(|decision, head| {
    ///     if decision.remaining() < decision.limit() / 5 {
    ///         println!("{:?} is nearly used up", head.policy());
    ///     }
    /// });
    /// ```
    pub fn on_decision(self, observe: impl Fn(&Decision, &RequestHead<'_>) + Send + Sync + 'static) -> Self {
        self.with(|live| live.on_decision = Some(Arc::new(observe)))
    }

    /// Calls `observe` with each event, instead of writing what needs mending to standard error once.
    ///
    /// Runs on the request's path: be quick.
    pub fn on_event(self, observe: impl Fn(&Event<'_>) + Send + Sync + 'static) -> Self {
        self.with(|live| live.on_event = Some(Arc::new(observe)))
    }

    /// Control of this layer while it serves.
    #[must_use]
    pub fn handle(&self) -> Handle {
        Handle(self.shared.clone())
    }

    fn with(self, change: impl FnOnce(&mut Live)) -> Self {
        self.shared.set(change);
        self
    }
}

impl<S> Layer<S> for RateLimitLayer {
    type Service = RateLimit<S>;

    fn layer(&self, inner: S) -> RateLimit<S> {
        RateLimit::new(inner, self.shared.clone())
    }
}
