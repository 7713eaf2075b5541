//! The layer as a tower service, as somebody would use it who expects the worst of it.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod algorithms;
mod allocations;
mod concurrency;
mod control;
mod costs;
mod fields;
mod hostile;
mod keyless;
mod keys;
mod own_store;
mod panics;
pub(crate) mod readiness;
mod rejection;
mod sharing;
mod stores;
pub(crate) mod support;
mod swaps;
