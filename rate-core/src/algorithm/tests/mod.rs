//! What is said of all algorithms, tested on all of them.

mod bounds;
mod conformance;
mod relative;
mod search;
