//! What is said of all algorithms, tested on all of them.

mod bounds;
mod conformance;
mod operations;
mod page;
mod penalties;
mod relative;
mod search;
mod worst_window;
