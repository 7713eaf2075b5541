//! What takes minutes. `tests/long` runs these; without `RATE_LONG` each says that it was skipped, or does
//! in a moment what it then does for a minute.

mod drift;
mod exact;
mod flood;
mod layout;
mod stress;

/// Whether the long tests were asked for; says so when they were not.
fn asked_for(what: &str) -> bool {
    let asked = std::env::var_os("RATE_LONG").is_some();
    if !asked {
        println!("skipped without RATE_LONG=1: {what}");
    }
    asked
}
