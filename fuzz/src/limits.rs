//! Sequences of operations on limits of every algorithm.
//!
//! Each input is a limit and what is done with it, on a [`Limiter`](rate_core::Limiter) and on one key of a
//! [`KeyedLimiter`](rate_core::KeyedLimiter) side by side. Nothing may panic, the two may not differ, and after each step
//! what they say is put to the test: waits are exact, nothing remains beyond the capacity, and the
//! [bounds](rate_core::algorithm::Algorithm::bounds) hold.

mod admitted;
mod algorithm;
mod kind;
mod run;
mod step;
mod subject;
mod truth;

use rate_core::algorithm::AnyAlgorithm;

use super::input::Input;
use run::{Limiters, Run};

/// Steps that one input can have: longer ones find nothing that shorter ones do not.
const MOST_STEPS: usize = 64;

/// Does what the bytes say.
///
/// # Panics
///
/// If a promise is broken.
pub fn check(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let Some(algorithm) = algorithm::of(&mut input) else { return };
    // As chosen at run time or when the program is compiled.
    match algorithm {
        dynamic if input.flag() => run(dynamic, &mut input),
        AnyAlgorithm::Gcra(gcra) => run(gcra, &mut input),
        AnyAlgorithm::LeakyBucket(bucket) => run(bucket, &mut input),
        AnyAlgorithm::FixedWindow(window) => run(window, &mut input),
        AnyAlgorithm::CalendarWindow(window) => run(window, &mut input),
        AnyAlgorithm::SlidingWindow(window) => run(window, &mut input),
        AnyAlgorithm::SlidingLog(log) => run(log, &mut input),
        other => run(other, &mut input),
    }
}

fn run<A: kind::Kind>(algorithm: A, input: &mut Input<'_>) {
    let limiters = Limiters::new(algorithm, input);
    let mut run = Run::new(&limiters);
    for _ in 0..MOST_STEPS {
        if input.is_empty() {
            break;
        }
        run.step(input);
    }
}
