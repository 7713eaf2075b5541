//! `examples/replay.rs`, run as a user runs it, against an exact model.

mod bad_input;
mod model;
mod output;
mod program;
mod real_log;
mod synthetic;
