//! Waiting for a limit, without HTTP: for jobs, scripts and clients of somebody else's service.
//!
//! A [`KeyedLimiter`] or [`Limiter`] says no; an [`AsyncKeyedLimiter`] or [`AsyncLimiter`] around it lets whoever asks wait
//! in line until it says yes.
//!
//! ```
//! use std::time::Duration;
//!
//! use tower_ratelimit::Quota;
//! use tower_ratelimit::acquire::{AcquireError, AsyncKeyedLimiter, KeyedLimiter, TokioClock};
//! use tokio::time::Instant;
//!
//! // Paused, so that this takes no time. In earnest leave out the clock, and write `KeyedLimiter::new(quota)`.
//! #[tokio::main(flavor = "current_thread", start_paused = true)]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let quota = Quota::per_second(10).burst(2);
//!     let limiter = KeyedLimiter::builder(quota).clock(TokioClock::new()).build()?;
//!     let api = AsyncKeyedLimiter::new(limiter);
//!
//!     // Ten calls at a polite rate: two at once, and then one every 100 ms.
//!     let start = Instant::now();
//!     for _ in 0..10 {
//!         api.acquire("api.example.org").await?;
//!         // ... and here the call.
//!     }
//!     assert_eq!(start.elapsed(), Duration::from_millis(800));
//!
//!     // There is no time for another one, and no reason to wait before saying so.
//!     let denied = api.acquire("api.example.org").within(Duration::from_millis(50)).await;
//!     assert_eq!(denied, Err(AcquireError::TooLate { wait: Some(Duration::from_millis(100)) }));
//!
//!     // Nor is there ever room for three at once.
//!     let denied = api.acquire_n("api.example.org", 3).await;
//!     assert_eq!(denied, Err(AcquireError::Never { cost: 3, limit: 2 }));
//!     assert_eq!(start.elapsed(), Duration::from_millis(800));
//!     Ok(())
//! }
//! ```
//!
//! # Rules
//!
//! 1. **First come, first served**, for each key by itself and whatever the costs: a small request never passes a large one
//!    that came before. One comes when one's future is polled for the first time.
//! 2. **Units are taken in the instant in which the future is ready**, and only by its own poll. A future that is dropped
//!    before has taken nothing, at whatever point, and the next in line is woken.
//! 3. **What cannot be had is refused at once**: a cost above the burst, whoever else waits; a deadline
//!    ([`within`](Acquire::within)) that is over before those ahead have been served; a line that is full.
//! 4. **Only the first in line sleeps until its instant**, which is looked at again then: the quota may have changed, and
//!    others may have taken units. All others wait to be woken by their predecessor. So one wake is one admission, there is no
//!    background task, and when the first one wakes late those whose units are there follow at once.
//! 5. **Who does not come when called is passed over.** A future that is kept without being polled, or leaked, holds up those
//!    behind it for a fifth of a second, once; when it is polled again it is the first in line again.
//!
//! Clones share the lines. A line exists while somebody waits in it, and holds at most
//! [`max_waiting`](AsyncKeyedLimiter::max_waiting) futures per key.
//!
//! # In deployment
//!
//! * Lines and limits are this process's own: `n` processes make `n` times the calls, and a restart begins with a full burst.
//! * Whoever asks the limiter itself ([`check`](KeyedLimiter::check), `debit`, `penalize`) does not stand in line, and those who
//!   do wait longer. What is given back, and a quota that was raised, is not seen before the first in line looks again:
//!   [`recheck`](AsyncKeyedLimiter::recheck) tells it to.
//! * Timers have a resolution of a millisecond and fire late, never early. A burst of one has no room to make up for that, and
//!   loses a tenth of 100/s and half of 1,000/s. A burst worth 5 ms of the rate, and at least two, loses nothing.
//! * A key is given to the limiter under its hash, so it can be anything that hashes; use one type of key per limiter.
//! * In a test with paused time give the limiter a [`TokioClock`]. On any other clock a wait is slept through in no time, again
//!   and again.

mod clock;
mod error;
mod future;
mod keyed;
mod line;
mod queue;
mod single;

pub use clock::TokioClock;
pub use error::AcquireError;
pub use future::Acquire;
pub use keyed::AsyncKeyedLimiter;
/// The limiters that one waits for.
#[doc(no_inline)]
pub use rate_core::{KeyedLimiter, Limiter};
pub use single::AsyncLimiter;
