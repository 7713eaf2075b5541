//! Behind a proxy on the same machine, over a Unix socket: there are no addresses, and another key is needed.

use std::path::PathBuf;

use axum::{Router, routing::get};
use axum_ratelimit::{Policy, Quota, RateLimitLayer, global, header};
use tokio::net::{UnixListener, UnixStream};

use super::support::{Reply, exchange};

/// A server on a socket of its own, which is gone when the test is over.
struct Server(PathBuf);

impl Server {
    fn start(name: &str, layer: RateLimitLayer) -> Self {
        let path = std::env::temp_dir().join(format!("ratelimit-{name}-{}.sock", std::process::id()));
        let listener = UnixListener::bind(&path).unwrap();
        let app = Router::new().route("/", get(async || "Hello, World!")).layer(layer);
        tokio::spawn(async { axum::serve(listener, app).await.unwrap() });
        Self(path)
    }

    async fn get(&self, headers: &str) -> Reply {
        let socket = UnixStream::connect(&self.0).await.unwrap();
        exchange(socket, &format!("GET / HTTP/1.1\r\nhost: a{headers}")).await
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

#[tokio::test]
async fn the_default_key_is_told_that_a_unix_socket_needs_another() {
    // The line for TCP does not compile with a `UnixListener`, and nothing else was said.
    let server = Server::start("peer", RateLimitLayer::new(Quota::per_hour(1)));
    let reply = server.get("").await;
    assert_eq!(reply.status, 500);
    let detail = reply.json()["detail"].as_str().unwrap().to_owned();
    for told in [
        "On a Unix socket",
        "Policy::new(\"default\", quota).key(axum_ratelimit::header(\"x-client\"))",
        ".key(axum_ratelimit::global())",
    ] {
        assert_eq!(detail.contains(told), cfg!(debug_assertions), "{detail}");
    }
}

#[tokio::test]
async fn the_keys_that_it_is_told_of_work() {
    let everybody = Policy::new("everybody", Quota::per_hour(2)).key(global());
    let server = Server::start("global", RateLimitLayer::new(everybody));
    for (status, left) in [(200, 1), (200, 0), (429, 0)] {
        let reply = server.get("").await;
        assert_eq!(reply.status, status);
        let limit = reply.header("ratelimit").unwrap();
        assert!(limit.starts_with(&format!(r#""everybody";r={left};t="#)), "{limit}");
    }

    let client = Policy::new("client", Quota::per_hour(1)).key(header("x-client"));
    let server = Server::start("header", RateLimitLayer::new(client));
    for client in ["192.0.2.1", "192.0.2.2"] {
        let header = format!("\r\nx-client: {client}");
        assert_eq!(server.get(&header).await.status, 200);
        assert_eq!(server.get(&header).await.status, 429);
    }
    assert_eq!(server.get("").await.status, 400);
}
