//! The layer for axum.

use tower_layer::Layer;
use tower_ratelimit as tower;
use tower_ratelimit::{
    Clock, ConfigError, Decision, Event, Fields, Framework, Handle, IntoPolicies, RequestHead, Store,
};

use crate::connection::{PEER_FIX, framework};
use crate::service::RateLimit;

/// Limits the rate of requests to an axum router or handler.
///
/// The same as [`tower_ratelimit::RateLimitLayer`], with axum's connection info and matched route installed and answers
/// in axum's own body. Clones share their limits.
///
/// **A clone is the same limiter, settings included: `a.clone().fields(..)` changes `a` too,** and every service made from
/// it. For other settings make another layer; to count together, give both the same [store](Self::store).
///
/// # Examples
///
/// ```
/// use axum::{Router, routing::get};
/// use axum_ratelimit::{Quota, RateLimitLayer};
///
/// let app: Router = Router::new()
///     .route("/", get(async || "hello"))
///     .layer(RateLimitLayer::new(Quota::per_second(10).burst(20)));
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct RateLimitLayer {
    inner: tower::RateLimitLayer,
}

impl RateLimitLayer {
    /// A layer for one or more policies: a [`Quota`](crate::Quota), a [`Policy`](crate::Policy), an array or a `Vec`.
    ///
    /// # Panics
    ///
    /// As [`RateLimitLayer::try_new`] returns errors.
    #[track_caller]
    pub fn new(policies: impl IntoPolicies) -> Self {
        tower::RateLimitLayer::new(policies).into()
    }

    /// A layer for one or more policies.
    ///
    /// # Errors
    ///
    /// If there is no policy, more than 16, a name twice, or a cost of zero or above its policy's burst.
    pub fn try_new(policies: impl IntoPolicies) -> Result<Self, ConfigError> {
        tower::RateLimitLayer::try_new(policies).map(Self::from)
    }

    /// See [`tower_ratelimit::RateLimitLayer::store`].
    ///
    /// # Panics
    ///
    /// If the store cannot hold the policies.
    #[track_caller]
    pub fn store(self, store: impl Store) -> Self {
        Self { inner: self.inner.store(store) }
    }

    /// See [`tower_ratelimit::RateLimitLayer::try_store`].
    ///
    /// # Errors
    ///
    /// If the store cannot hold the policies.
    pub fn try_store(self, store: impl Store) -> Result<Self, ConfigError> {
        Ok(Self { inner: self.inner.try_store(store)? })
    }

    /// See [`tower_ratelimit::RateLimitLayer::clock`].
    pub fn clock(self, clock: impl Clock) -> Self {
        Self { inner: self.inner.clock(clock) }
    }

    /// See [`tower_ratelimit::RateLimitLayer::framework`]; for a connect info type of your own, with
    /// [`framework`](crate::framework) for the rest.
    pub fn framework(self, framework: Framework) -> Self {
        Self { inner: self.inner.framework(framework) }
    }

    /// See [`tower_ratelimit::RateLimitLayer::peer_fix`].
    pub fn peer_fix(self, fix: &'static str) -> Self {
        Self { inner: self.inner.peer_fix(fix) }
    }

    /// See [`tower_ratelimit::RateLimitLayer::fields`].
    pub fn fields(self, fields: Fields) -> Self {
        Self { inner: self.inner.fields(fields) }
    }

    /// See [`tower_ratelimit::RateLimitLayer::with_decision`].
    pub fn with_decision(self) -> Self {
        Self { inner: self.inner.with_decision() }
    }

    /// See [`tower_ratelimit::RateLimitLayer::on_decision`].
    pub fn on_decision(self, observe: impl Fn(&Decision, &RequestHead<'_>) + Send + Sync + 'static) -> Self {
        Self { inner: self.inner.on_decision(observe) }
    }

    /// See [`tower_ratelimit::RateLimitLayer::on_event`].
    pub fn on_event(self, observe: impl Fn(&Event<'_>) + Send + Sync + 'static) -> Self {
        Self { inner: self.inner.on_event(observe) }
    }

    /// Control of this layer while it serves.
    #[must_use]
    pub fn handle(&self) -> Handle {
        self.inner.handle()
    }
}

impl From<tower::RateLimitLayer> for RateLimitLayer {
    /// Installs axum's connection info and matched route, for every clone of `layer`, unless it has a framework of its own
    /// already; and likewise the line that makes the peer known.
    fn from(layer: tower::RateLimitLayer) -> Self {
        Self { inner: layer.adapted(framework(), PEER_FIX) }
    }
}

impl<S> Layer<S> for RateLimitLayer {
    type Service = RateLimit<S>;

    fn layer(&self, inner: S) -> RateLimit<S> {
        RateLimit::new(self.inner.layer(inner))
    }
}
