//! What tests of limits need: a clock that stands still, arrivals, and models to compare with.
//!
//! * [`ManualClock`] moves when it is told to, so no test sleeps.
//! * [`Arrivals`] says when requests come: steadily, in bursts, on and off, or as unevenly as traffic does.
//! * [`model`] has each algorithm once more, as its definition reads and as slow as that is. What a limiter, or a store of
//!   your own, answers can be compared with it, exactly.
//!
//! # Examples
//!
//! ```
//! use std::time::Duration;
//! use rate_core::test_util::{Arrivals, model::{Answer, Bucket, Model}};
//! use rate_core::{Limiter, Quota};
//!
//! let quota = Quota::per_second(100).burst(5);
//! let (limiter, mut model) = (Limiter::new(quota), Bucket::new(quota));
//! let (mut allowed, mut denied) = (0, 0);
//! // 120 per second on average, but never evenly.
//! for now in Arrivals::heavy_tailed(Duration::from_micros(8_333), 1).take(1_000) {
//!     let decision = limiter.check_at(now);
//!     assert_eq!(Answer::from(decision), model.check(1, now));
//!     *if decision.is_allowed() { &mut allowed } else { &mut denied } += 1;
//! }
//! assert!(allowed > 500 && denied > 100, "{allowed} allowed, {denied} denied");
//! ```

mod arrivals;
pub mod model;
pub(crate) mod random;
#[cfg(all(test, feature = "std", not(loom)))]
mod tests;

pub use arrivals::Arrivals;

pub use crate::ManualClock;
