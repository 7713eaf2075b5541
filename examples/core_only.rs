//! The limiters alone: no HTTP, no async.
//!
//! Run with
//!
//! ```text
//! cargo run --release --example core_only
//! ```

use std::error::Error;
use std::time::Duration;

use rate_core::{Decision, KeyedLimiter, ManualClock, Quota, check_all};

fn main() -> Result<(), Box<dyn Error>> {
    // A clock that stands still, so that this prints the same every time. Leave it out in earnest.
    let clock = ManualClock::new();
    let per_user = KeyedLimiter::builder("60/min burst 5".parse::<Quota>()?)
        .clock(clock.clone())
        .capacity(10_000)
        .build()?;

    for attempt in 1..=6 {
        match per_user.check("user:42") {
            Decision::Allowed(allowed) => {
                println!("attempt {attempt}: allowed, {} left", allowed.remaining());
            }
            Decision::Denied(denied) => match denied.retry_after() {
                Some(wait) => println!("attempt {attempt}: denied, retry in {wait:?}"),
                None => println!("attempt {attempt}: never"),
            },
        }
    }

    clock.advance(Duration::from_secs(1));
    println!(
        "one second later: {}",
        if per_user.check("user:42").is_allowed() { "allowed" } else { "denied" }
    );

    // Several limits at once: all are charged, or none is.
    let daily = KeyedLimiter::new(Quota::per_day(1_000));
    let both = check_all([per_user.charge("user:42", 1), daily.charge("user:42", 1)], per_user.now());
    println!("per user and per day: {}", if both.is_allowed() { "allowed" } else { "denied" });
    println!("left today: {}", daily.peek_at("user:42", per_user.now()).remaining());
    Ok(())
}
