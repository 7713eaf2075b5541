//! A limit per tenant, by a key of your own.
//!
//! Run with
//!
//! ```text
//! cargo run --release --example custom_key
//! curl -i -H 'x-tenant: blue' http://127.0.0.1:3000/
//! ```
//!
//! `ADDR` sets the address (default 127.0.0.1:3000), `QUOTA` the limit (default `60/min burst 3`).
//!
//! The tenant here is whatever the client says. In a service with accounts, let the layer that verifies them leave the
//! tenant in the request's extensions and use `extension::<Tenant>()`.

use std::env;
use std::error::Error;
use std::net::SocketAddr;

use axum::{Router, routing::get};
use axum_ratelimit::{Key, KeyError, KeyExtractor, Policy, Quota, RateLimitLayer, RequestHead};
use tokio::net::TcpListener;

struct Tenant;

impl KeyExtractor for Tenant {
    fn extract(&self, request: &RequestHead<'_>) -> Result<Key, KeyError> {
        Key::text(request.header_str("x-tenant")?) // missing, malformed and too long are different errors
    }
}

pub(crate) fn app(quota: Quota) -> Router {
    let per_tenant = Policy::new("tenant", quota).key(Tenant);
    Router::new().route("/", get(async || "Hello, tenant!\n")).layer(RateLimitLayer::new(per_tenant))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let quota = env::var("QUOTA").unwrap_or_else(|_| "60/min burst 3".to_owned());
    let quota: Quota = quota.parse().map_err(|error| format!("QUOTA: {error}"))?;
    let address = env::var("ADDR").unwrap_or_else(|_| "127.0.0.1:3000".to_owned());
    let listener = TcpListener::bind(&address).await.map_err(|error| {
        format!("ADDR={address}: {error}; name this machine and a free port, such as ADDR=127.0.0.1:3001")
    })?;
    println!("Serving http://{}/ with a limit for each x-tenant", listener.local_addr()?);
    axum::serve(listener, app(quota).into_make_service_with_connect_info::<SocketAddr>()).await?;
    Ok(())
}
