//! The layer in axum applications, over real sockets and in a user's own tests.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod clients;
pub(crate) mod examples;
mod hello;
mod routers;
mod support;
#[cfg(unix)]
mod unix;
