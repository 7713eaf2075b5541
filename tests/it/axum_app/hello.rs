//! axum's own hello-world and our one line: what a newcomer sees, in the order in which they see it.

use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::extract::connect_info::{Connected, MockConnectInfo};
use axum::http::{Request, StatusCode};
use axum::serve::IncomingStream;
use axum::{Router, routing::get};
use axum_ratelimit::{Framework, ManualClock, OnMissingKey, Peer, Policy, Quota, RateLimitLayer};
use tokio::net::TcpListener;
use tower::ServiceExt;

use super::support::{self, request, serve, text};

/// What has to be written instead of `axum::serve(listener, app)`.
const FIX: &str = "axum::serve(listener, app.into_make_service_with_connect_info::<std::net::SocketAddr>())";

fn app(layer: RateLimitLayer) -> Router {
    Router::new().route("/", get(|| async { "Hello, World!" })).layer(layer)
}

#[tokio::test]
async fn without_connect_info_every_answer_names_the_line_to_replace() {
    // https://github.com/tokio-rs/axum/tree/main/examples/hello-world, and `.layer(..)`.
    let app = Router::new()
        .route("/", get(|| async { "Hello, World!" }))
        .layer(RateLimitLayer::new(Quota::per_second(10).burst(20)));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async { axum::serve(listener, app).await.unwrap() });

    for _ in 0..5 {
        let reply = support::get(address).await;
        assert_eq!(reply.status, 500);
        assert_eq!(reply.header("content-type"), Some("application/problem+json"));
        assert_eq!(reply.header("ratelimit"), None);
        let detail = reply.json()["detail"].as_str().unwrap().to_owned();
        assert_eq!(detail.contains(FIX), cfg!(debug_assertions), "{detail}");
        assert_eq!(
            detail.contains("Replace `axum::serve(listener, app)` by"),
            cfg!(debug_assertions),
            "{detail}"
        );
    }
    // A path that does not exist is no way around it.
    assert_eq!(request("GET", address, "/nowhere").await.status, 500);
}

#[tokio::test]
async fn without_connect_info_a_shared_bucket_serves_everybody_and_tells_the_operator() {
    let shared = || {
        let policy = Policy::new("everybody", Quota::per_hour(2)).on_missing_key(OnMissingKey::SharedBucket);
        RateLimitLayer::new(policy)
    };
    for layer in [shared(), shared()] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async { axum::serve(listener, app(layer)).await.unwrap() });
        let mut statuses = Vec::new();
        for _ in 0..4 {
            statuses.push(support::get(address).await.status);
        }
        assert_eq!(statuses, [200, 200, 429, 429]);
    }
}

#[test]
fn standard_error_is_told_once_in_each_process() {
    for (test, code) in [
        ("without_connect_info_every_answer_names_the_line_to_replace", "ratelimit-no-peer"),
        (
            "without_connect_info_a_shared_bucket_serves_everybody_and_tells_the_operator",
            "ratelimit-shared-peer",
        ),
    ] {
        let itself = std::env::current_exe().unwrap();
        let module = module_path!().split_once("::").unwrap().1;
        let test = format!("{module}::{test}");
        let run = Command::new(itself).args(["--exact", &test, "--nocapture"]).output().unwrap();
        assert!(run.status.success(), "{run:?}");
        assert!(String::from_utf8(run.stdout).unwrap().contains("1 passed"), "{test} has another name now");

        let errors = String::from_utf8(run.stderr).unwrap();
        let told: Vec<_> = errors.lines().filter(|line| line.contains("ratelimit-")).collect();
        assert_eq!(told.len(), 1, "{errors}");
        assert!(told[0].starts_with(&format!("{code}: ")) && told[0].contains(FIX), "{errors}");
    }
}

#[test]
fn the_line_that_is_named_is_the_one_in_the_readme() {
    let readme = include_str!("../../../axum-ratelimit/README.md");
    let short = FIX.replace("std::net::", "");
    assert!(readme.contains(&short), "{short}");
}

#[tokio::test]
async fn with_the_named_line_everything_works() {
    let clock = ManualClock::new();
    let layer = RateLimitLayer::new(Quota::per_minute(10).burst(3)).clock(clock.clone());
    let address = serve(app(layer)).await;
    for left in [2, 1, 0] {
        let reply = support::get(address).await;
        assert_eq!((reply.status, reply.body.as_str()), (200, "Hello, World!"));
        assert_eq!(reply.header("ratelimit-policy"), Some(r#""default";q=3;w=18"#));
        let limit = reply.header("ratelimit").unwrap();
        assert!(limit.starts_with(&format!(r#""default";r={left};t="#)), "{limit}");
        assert_eq!(reply.header("retry-after"), None);
    }

    let refusal = support::get(address).await;
    assert_eq!(refusal.status, 429);
    assert_eq!(refusal.header("content-type"), Some("application/problem+json"));
    assert_eq!(refusal.header("cache-control"), Some("no-store"));
    assert_eq!(refusal.header("ratelimit"), Some(r#""default";r=0;t=6"#));
    assert_eq!(refusal.header("retry-after"), Some("6"));
    assert_eq!(refusal.header("content-length"), Some(refusal.body.len().to_string().as_str()));
    let problem = refusal.json();
    assert_eq!(problem["status"], 429);
    assert_eq!(problem["violated-policies"], serde_json::json!(["default"]));
    assert_eq!(
        problem["detail"],
        "Policy \"default\" allows 10 requests per 60 seconds. Retry in 6 seconds."
    );

    clock.advance(Duration::from_secs(6));
    assert_eq!(support::get(address).await.status, 200);
    assert_eq!(support::get(address).await.status, 429);
}

#[tokio::test]
async fn head_over_the_wire_is_counted_and_has_no_body() {
    let address = serve(app(RateLimitLayer::new(Quota::per_hour(2)).clock(ManualClock::new()))).await;
    assert_eq!(request("HEAD", address, "/").await.status, 200);
    assert_eq!(request("GET", address, "/").await.status, 200);
    let get = request("GET", address, "/").await;
    let head = request("HEAD", address, "/").await;
    assert_eq!((get.status, head.status, head.body.as_str()), (429, 429, ""));
    for name in
        ["content-type", "cache-control", "content-length", "ratelimit-policy", "ratelimit", "retry-after"]
    {
        assert!(get.header(name).is_some(), "{name}");
        assert_eq!(get.header(name), head.header(name), "{name}");
    }
}

#[tokio::test]
async fn a_users_own_oneshot_test_passes_with_one_line() {
    let app = app(RateLimitLayer::new(Quota::per_hour(1)));
    let request = || Request::builder().uri("/").body(Body::empty()).unwrap();
    let response = app.clone().oneshot(request()).await.unwrap();
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    let body = text(response).await;
    let line = ".layer(axum::extract::connect_info::MockConnectInfo(std::net::SocketAddr::from(([127, 0, 0, 1], 0))))";
    assert_eq!(body.contains(line), cfg!(debug_assertions), "{body}");

    let app = app.layer(MockConnectInfo(SocketAddr::from(([127, 0, 0, 1], 0))));
    let response = app.clone().oneshot(request()).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(text(response).await, "Hello, World!");
    assert_eq!(app.oneshot(request()).await.unwrap().status(), StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test]
async fn a_real_peer_wins_over_a_mock_that_was_left_in() {
    let app = app(RateLimitLayer::new(Quota::per_hour(1)))
        .layer(MockConnectInfo(SocketAddr::from(([192, 0, 2, 1], 0))));
    let from = |address: [u8; 4]| {
        let real = ConnectInfo(SocketAddr::from((address, 1)));
        Request::builder().uri("/").extension(real).body(Body::empty()).unwrap()
    };
    for address in [[198, 51, 100, 1], [198, 51, 100, 2]] {
        assert_eq!(app.clone().oneshot(from(address)).await.unwrap().status(), 200);
        assert_eq!(app.clone().oneshot(from(address)).await.unwrap().status(), 429);
    }
}

#[derive(Clone)]
struct MyConnection {
    peer: SocketAddr,
}

impl Connected<IncomingStream<'_, TcpListener>> for MyConnection {
    fn connect_info(stream: IncomingStream<'_, TcpListener>) -> Self {
        Self { peer: *stream.remote_addr() }
    }
}

#[tokio::test]
async fn connect_info_of_ones_own_works_through_the_framework() {
    let layer = RateLimitLayer::new(Quota::per_hour(2)).framework(Framework {
        peer: |extensions| extensions.get::<ConnectInfo<MyConnection>>().map(|info| Peer::Tcp(info.0.peer)),
        ..axum_ratelimit::framework()
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let service = app(layer).into_make_service_with_connect_info::<MyConnection>();
    tokio::spawn(async { axum::serve(listener, service).await.unwrap() });
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(support::get(address).await.status);
    }
    assert_eq!(statuses, [200, 200, 429, 429]);
}
