//! A job that calls somebody else's API at a polite rate, with several workers.
//!
//! Run with
//!
//! ```text
//! cargo run --release --example acquire
//! ```
//!
//! `QUOTA` sets the rate (default `5/s burst 2`).

use std::env;
use std::error::Error;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use tower_ratelimit::Quota;
use tower_ratelimit::acquire::{AcquireError, AsyncKeyedLimiter, KeyedLimiter};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let text = env::var("QUOTA").unwrap_or_else(|_| "5/s burst 2".to_owned());
    let quota: Quota = text.parse().map_err(|error| format!("QUOTA={text}: {error}"))?;
    println!("Twelve calls to each of two hosts, each at {quota}, and a call that is in a hurry:");

    let api = AsyncKeyedLimiter::new(KeyedLimiter::new(quota));
    let start = Instant::now();
    let mut workers = JoinSet::new();
    for number in 1..=24 {
        let api = api.clone();
        let host = if number % 2 == 1 { "a.example" } else { "b.example" };
        workers.spawn(async move {
            api.acquire(host).await?;
            println!("{:5.2} s  call {number} to {host}", start.elapsed().as_secs_f64());
            Ok::<_, AcquireError>(())
        });
    }
    // After the workers have come.
    tokio::task::yield_now().await;
    match api.acquire("a.example").within(Duration::from_millis(500)).await {
        Ok(_) => println!("{:5.2} s  the hurried call", start.elapsed().as_secs_f64()),
        Err(error) => println!("{:5.2} s  the hurried call: {error}", start.elapsed().as_secs_f64()),
    }
    while let Some(worker) = workers.join_next().await {
        worker??;
    }
    Ok(())
}
