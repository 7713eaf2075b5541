//! An axum server with one rate limit.
//!
//! Run with
//!
//! ```text
//! cargo run --release --example quickstart
//! ```
//!
//! `ADDR` sets the address (default 127.0.0.1:3000), `QUOTA` the limit (default `10/s burst 20`), by an algorithm that may follow
//! it: `100/min sliding-log`.

use std::env;
use std::error::Error;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::str::FromStr;

use axum::{Router, routing::get};
use axum_ratelimit::RateLimitLayer;
use axum_ratelimit::algorithm::{Algorithm, AnyAlgorithm};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> ExitCode {
    match serve().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve() -> Result<(), Box<dyn Error>> {
    let limit: AnyAlgorithm = setting("QUOTA", "10/s burst 20")?;
    let address: String = setting("ADDR", "127.0.0.1:3000")?;

    let listener = TcpListener::bind(&address).await.map_err(|error| {
        format!("ADDR={address}: {error}; name this machine and a free port, such as ADDR=127.0.0.1:3001")
    })?;
    let address = listener.local_addr()?;
    let over = limit.capacity().saturating_add(5);
    println!("Serving http://{address}/ with a limit of {limit} for each client. Try");
    println!("  curl -i http://{address}/");
    println!("  curl -s -o /dev/null -w '%{{http_code}} ' 'http://{address}/?[1-{over}]'");

    axum::serve(listener, app(limit).into_make_service_with_connect_info::<SocketAddr>()).await?;
    Ok(())
}

fn app(limit: AnyAlgorithm) -> Router {
    Router::new().route("/", get(async || "Hello, World!\n")).layer(RateLimitLayer::new(limit))
}

/// An environment variable, or the default; an error names it.
fn setting<T: FromStr<Err: Error>>(name: &str, default: &str) -> Result<T, Box<dyn Error>> {
    let text = env::var(name).unwrap_or_else(|_| default.to_owned());
    text.parse().map_err(|error| format!("{name}={text}: {error}").into())
}
