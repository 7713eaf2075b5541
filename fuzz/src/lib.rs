//! What the fuzzer tries, as functions of what it made up. They panic when a promise is broken.
//!
//! `tests/long fuzz` runs them under libFuzzer, and `tests/it/fuzz.rs` on a few thousand inputs in every `tests/run`.

mod input;
pub mod limits;
pub mod quota_text;
