#![doc = include_str!("../README.md")]
#![cfg_attr(not(feature = "std"), no_std)]
// What only limits per key need.
#![cfg_attr(not(feature = "std"), allow(dead_code))]

extern crate alloc;

pub mod algorithm;
mod clock;
mod decision;
#[cfg(feature = "std")]
mod hash;
mod kept;
#[cfg(feature = "std")]
mod keyed;
mod limiter;
#[cfg(feature = "std")]
#[doc = include_str!("migration.md")]
pub mod migration {}
mod quota;
mod reservation;
mod sync;
#[cfg(feature = "std")]
mod table;
#[cfg(any(test, feature = "test-util"))]
pub mod test_util;
mod tier;
mod time;

#[cfg(feature = "std")]
pub use clock::MonotonicClock;
pub use clock::{Clock, ManualClock};
pub use decision::{Allowed, Decision, Denied};
#[cfg(feature = "std")]
pub use hash::{Digest, Fingerprint, Secret};
pub use kept::Kept;
#[cfg(feature = "std")]
pub use keyed::{
    BuildError, Charge, Decisions, KeyedLimiter, KeyedLimiterBuilder, MAX_LIMITS, check_all, check_slice,
};
pub use limiter::Limiter;
pub use quota::{ParseQuotaError, Quota, QuotaError};
pub use reservation::Reservation;
pub use tier::Tier;
pub use time::Timestamp;
