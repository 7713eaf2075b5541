//! Tests of what only the table itself can show.

#[cfg(not(loom))]
mod layout;
#[cfg(loom)]
mod loom;
#[cfg(not(loom))]
mod pairs;
