#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

#[cfg(feature = "tokio")]
pub mod acquire;
mod body;
mod event;
mod future;
mod handle;
mod key;
mod layer;
mod live;
mod policy;
mod request;
mod response;
mod service;
mod stats;
pub mod store;

/// The algorithms that a policy's quota can be counted by.
#[doc(no_inline)]
pub use rate_core::algorithm;
pub use rate_core::{
    Allowed, Clock, Decision, Denied, Digest, ManualClock, MonotonicClock, ParseQuotaError, Quota,
    QuotaError, Secret, Timestamp,
};

pub use body::ResponseBody;
pub use event::Event;
pub use future::ResponseFuture;
pub use handle::Handle;
pub use key::{
    ClientIp, Extension, Global, Header, Key, KeyError, KeyErrorKind, KeyExtractor, Or, extension, global,
    header,
};
pub use layer::RateLimitLayer;
pub use policy::{ConfigError, Cost, IntoPolicies, MAX_POLICIES, OnMissingKey, Policy};
pub use request::{Framework, Peer, RequestHead};
pub use response::{Fields, Rejection, RejectionKind};
pub use service::RateLimit;
pub use stats::{PolicyStats, Stats};
#[cfg(feature = "test-util")]
pub use store::SlowStore;
pub use store::{MemoryStore, Store, StoreError};
