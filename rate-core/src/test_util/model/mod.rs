//! Each algorithm as its definition reads: exact, naive, and independent of how this crate computes it.
//!
//! Where the algorithms of this crate keep one instant and compare it, a model counts tokens, measures water or writes down
//! every admission, in 128-bit integers that never round; and it does not care how long that takes. A model is of one key.
//!
//! | algorithm | model | what it keeps |
//! |---|---|---|
//! | [`Gcra`](crate::algorithm::Gcra) | [`Bucket`] | tokens |
//! | [`LeakyBucket`](crate::algorithm::LeakyBucket) | [`Queue`] | water |
//! | [`FixedWindow`](crate::algorithm::FixedWindow), [`CalendarWindow`](crate::algorithm::CalendarWindow) | [`Windows`] | units of each window |
//! | [`SlidingWindow`](crate::algorithm::SlidingWindow) | [`Counter`] | units of each window |
//! | [`SlidingLog`](crate::algorithm::SlidingLog) | [`Log`] | every admission |
//! | one chosen at run time, or a limit that changes | [`AnyModel`] | one of these |
//!
//! # Examples
//!
//! ```
//! use std::time::Duration;
//! use rate_core::test_util::model::{AnyModel, Answer, Model};
//! use rate_core::{Limiter, Timestamp, algorithm::AnyAlgorithm};
//!
//! let limit: AnyAlgorithm = "2/min sliding-window".parse()?;
//! let (limiter, mut model) = (Limiter::of(limit), AnyModel::of(limit));
//! for second in [10, 50, 59, 61, 100] {
//!     let now = Timestamp::ZERO.saturating_add(Duration::from_secs(second));
//!     assert_eq!(Answer::from(limiter.check_at(now)), model.check(1, now));
//! }
//! // Two were admitted in the first minute, and 41 seconds into the second a third of them still count.
//! let now = Timestamp::ZERO.saturating_add(Duration::from_secs(101));
//! assert!(!model.check(1, now).allowed);
//! # Ok::<_, rate_core::ParseQuotaError>(())
//! ```

mod answer;
mod any;
mod bucket;
mod change;
mod contract;
mod counter;
mod division;
mod log;
mod queue;
#[cfg(all(test, feature = "std", not(loom)))]
pub(super) mod returning;
mod windows;

pub use answer::Answer;
pub use any::AnyModel;
pub use bucket::Bucket;
pub use contract::{Model, Place};
pub use counter::Counter;
pub use log::Log;
pub use queue::Queue;
pub use windows::Windows;
