//! Waiting for a limit: in tokio's time where it is paused, so that every instant is exact and nothing really waits.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod algorithms;
mod cancel;
mod deadlines;
mod example;
mod forgotten;
mod order;
mod others;
mod states;
pub(crate) mod support;
mod threads;
