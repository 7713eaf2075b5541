//! Named quotas: what is limited, for whom, at what cost. No I/O.

mod cost;
mod error;
mod into;

use std::fmt;
use std::sync::Arc;

use rate_core::Quota;
use rate_core::algorithm::{Algorithm, AlgorithmName, AnyAlgorithm, Bounds};

pub use cost::Cost;
pub use error::ConfigError;
pub use into::IntoPolicies;

use crate::RequestHead;
use crate::key::{ClientIp, Key, KeyError, KeyExtractor};

/// Most policies one layer can combine.
pub const MAX_POLICIES: usize = rate_core::MAX_LIMITS;

/// Most bytes of a policy's name.
///
/// It is sent twice with every response. Sixteen names of this length make less than 6 KB of fields, and many proxies have
/// room for 8 KB; quotes and backslashes, which are sent as two bytes, can make it more.
const MAX_NAME: usize = 128;

/// The policies of one layer.
///
/// # Errors
///
/// If there is none, more than [`MAX_POLICIES`], a name twice, or a cost with which a policy limits or admits nobody.
pub(crate) fn validated(policies: impl IntoPolicies) -> Result<Vec<Policy>, ConfigError> {
    let policies = policies.into_policies();
    if policies.is_empty() {
        return Err(ConfigError::no_policies());
    }
    if policies.len() > MAX_POLICIES {
        return Err(ConfigError::too_many_policies(policies.len()));
    }
    for (index, policy) in policies.iter().enumerate() {
        if policies[..index].iter().any(|other| other.name == policy.name) {
            return Err(ConfigError::duplicate_name(policy.name()));
        }
        // Here, where the policy is complete, and not in `Policy::cost`, which has no error to return.
        let burst = policy.limit.capacity();
        if let Some(error) =
            policy.cost.constant().and_then(|cost| ConfigError::cost(policy.name(), cost, burst))
        {
            return Err(error);
        }
    }
    Ok(policies)
}

/// A named quota, the key it is counted by and what a request costs.
///
/// The name is what clients see in `RateLimit-Policy` and operators in logs: at most 128 bytes, for it is sent with every
/// response. It must be unique within a layer, and it is how a limit keeps its usage when the policies change.
///
/// # Examples
///
/// ```
/// use tower_ratelimit::{ClientIp, OnMissingKey, Policy, Quota, header};
///
/// let uploads = Policy::new("uploads", Quota::per_hour(100).burst(10))
///     .key(header("x-api-key").or(ClientIp::peer()))
///     .cost(5)
///     .on_missing_key(OnMissingKey::Reject);
/// assert_eq!(uploads.quota().to_string(), "100/h burst 10");
///
/// let error = Policy::try_new("café", Quota::per_hour(1)).expect_err("names are ASCII");
/// assert!(error.to_string().contains("café"));
/// ```
#[derive(Clone)]
#[must_use]
pub struct Policy {
    name: Arc<str>,
    limit: AnyAlgorithm,
    key: Arc<dyn KeyExtractor>,
    cost: Arc<dyn Cost>,
    on_missing_key: OnMissingKey,
}

/// What happens to a request without a key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OnMissingKey {
    /// It is refused: 400 when the client left the key out, 500 when the server is not set up to know it.
    #[default]
    Reject,
    /// It is counted in one bucket that all requests without a key share. A server that does not say who the peer is
    /// thus has one limit for all its clients, which is told once: [`Event::SharedPeer`](crate::Event::SharedPeer).
    SharedBucket,
}

impl Policy {
    /// A policy counted by the transport peer, at one unit per request.
    ///
    /// # Panics
    ///
    /// If the name is empty, longer than 128 bytes or has other than printable ASCII characters. [`Policy::try_new`]
    /// returns the error.
    #[track_caller]
    pub fn new(name: impl Into<String>, quota: Quota) -> Self {
        match Self::try_new(name, quota) {
            Ok(policy) => policy,
            Err(error) => panic!("{error}"),
        }
    }

    /// A policy counted by the transport peer, at one unit per request.
    ///
    /// # Errors
    ///
    /// If the name is empty, longer than 128 bytes or has other than printable ASCII characters: it is sent in a header
    /// field.
    pub fn try_new(name: impl Into<String>, quota: Quota) -> Result<Self, ConfigError> {
        Self::try_of(name, quota)
    }

    /// A policy of a limit that is counted by another algorithm.
    ///
    /// # Panics
    ///
    /// As [`Policy::new`].
    ///
    /// # Examples
    ///
    /// ```
    /// use tower_ratelimit::Policy;
    /// use tower_ratelimit::algorithm::CalendarWindow;
    ///
    /// let plan = Policy::of("plan", CalendarWindow::month(10_000));
    /// assert_eq!(plan.limit().to_string(), "10000/month calendar-window");
    /// ```
    #[track_caller]
    pub fn of(name: impl Into<String>, limit: impl Into<AnyAlgorithm>) -> Self {
        match Self::try_of(name, limit) {
            Ok(policy) => policy,
            Err(error) => panic!("{error}"),
        }
    }

    /// As [`Policy::of`].
    ///
    /// # Errors
    ///
    /// As [`Policy::try_new`].
    pub fn try_of(name: impl Into<String>, limit: impl Into<AnyAlgorithm>) -> Result<Self, ConfigError> {
        let name = name.into();
        if name.len() > MAX_NAME {
            return Err(ConfigError::policy_name_length(&name));
        }
        if name.is_empty() || !name.bytes().all(|byte| (0x20..=0x7e).contains(&byte)) {
            return Err(ConfigError::policy_name(&name));
        }
        Ok(Self {
            name: name.into(),
            limit: limit.into(),
            key: Arc::new(ClientIp::peer()),
            cost: Arc::new(1),
            on_missing_key: OnMissingKey::default(),
        })
    }

    /// Counts the quota by another algorithm; the default is the token bucket.
    ///
    /// # Panics
    ///
    /// If the algorithm cannot count this quota: a window has no burst, and the calendar only days and months.
    /// [`Policy::try_algorithm`] returns the error.
    ///
    /// # Examples
    ///
    /// ```
    /// use tower_ratelimit::{Policy, Quota};
    /// use tower_ratelimit::algorithm::AlgorithmName;
    ///
    /// let logins = Policy::new("logins", Quota::per_minute(5)).algorithm(AlgorithmName::SlidingLog);
    /// assert_eq!(logins.bounds().to_string(), "at most 5 units in any 60s");
    ///
    /// let bursts = Policy::new("bursts", Quota::per_minute(5).burst(10));
    /// assert!(bursts.try_algorithm(AlgorithmName::SlidingLog).is_err());
    /// ```
    #[track_caller]
    pub fn algorithm(self, name: AlgorithmName) -> Self {
        match self.try_algorithm(name) {
            Ok(policy) => policy,
            Err(error) => panic!("{error}"),
        }
    }

    /// Counts the quota by another algorithm.
    ///
    /// # Errors
    ///
    /// As [`Policy::algorithm`] panics.
    pub fn try_algorithm(mut self, name: AlgorithmName) -> Result<Self, ConfigError> {
        let limit = name.over(self.limit.quota());
        self.limit = limit.map_err(|error| ConfigError::algorithm(&self.name, name, &error))?;
        Ok(self)
    }

    /// Counts by another key: a built-in source, a tuple, a closure, or your own [`KeyExtractor`].
    pub fn key(mut self, key: impl KeyExtractor) -> Self {
        self.key = Arc::new(key);
        self
    }

    /// Charges another number of units per request: a number, or a closure from the request's head to one.
    ///
    /// A closure may return zero, which is always admitted, or more than the burst, which is refused for ever. A number
    /// that is either would make the policy useless, and the layer refuses it.
    pub fn cost(mut self, cost: impl Cost) -> Self {
        self.cost = Arc::new(cost);
        self
    }

    /// What happens to a request without a key; the default is to refuse it.
    pub fn on_missing_key(mut self, action: OnMissingKey) -> Self {
        self.on_missing_key = action;
        self
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The quota. Where windows are months, its period is that of the longest one.
    pub fn quota(&self) -> Quota {
        self.limit.quota()
    }

    /// The quota and the algorithm that counts it.
    #[must_use]
    pub fn limit(&self) -> &AnyAlgorithm {
        &self.limit
    }

    /// The most that one key is ever admitted in any window of one period, while its state is kept.
    #[must_use]
    pub fn bounds(&self) -> Bounds {
        self.limit.bounds()
    }

    /// On a clock whose zero is so long after the beginning of 1970, for windows that are aligned to the time of day.
    pub(crate) fn anchored(&self, utc: std::time::Duration) -> Self {
        let nanos = u64::try_from(utc.as_nanos()).unwrap_or(u64::MAX);
        Self { limit: self.limit.anchored(nanos), ..self.clone() }
    }

    #[inline]
    pub(crate) fn key_of(&self, request: &RequestHead<'_>) -> Result<Key, KeyError> {
        self.key.extract(request)
    }

    /// Whether a request without a key, for this reason, is counted in the bucket that all of them share.
    pub(crate) fn shares_bucket(&self, error: &KeyError) -> bool {
        error.is_missing() && self.on_missing_key == OnMissingKey::SharedBucket
    }

    #[inline]
    pub(crate) fn cost_of(&self, request: &RequestHead<'_>) -> u64 {
        self.cost.units(request)
    }
}

impl fmt::Debug for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Policy")
            .field("name", &self.name)
            .field("limit", &format_args!("{}", self.limit))
            .field("on_missing_key", &self.on_missing_key)
            .finish_non_exhaustive()
    }
}
