#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod connection;
mod future;
mod layer;
mod service;

pub use tower_ratelimit::*;

pub use connection::framework;
pub use future::ResponseFuture;
// Shadow the names of tower-ratelimit, so that one import is the right one.
pub use layer::RateLimitLayer;
pub use service::RateLimit;
