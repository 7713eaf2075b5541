#![doc = include_str!("../README.md")]

pub mod algorithm;
mod clock;
mod decision;
mod hash;
mod keyed;
mod limiter;
mod quota;
mod sync;
mod table;
mod time;

pub use clock::{Clock, ManualClock, MonotonicClock};
pub use decision::{Allowed, Decision, Denied};
pub use hash::{Digest, Fingerprint, Secret};
pub use keyed::{
    BuildError, Charge, Decisions, KeyedLimiter, KeyedLimiterBuilder, MAX_LIMITS, check_all, check_slice,
};
pub use limiter::Limiter;
pub use quota::{ParseQuotaError, Quota, QuotaError};
pub use time::Timestamp;
