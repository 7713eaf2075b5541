//! Everywhere in an application where somebody may want to put the layer.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use axum::body::Body;
use axum::error_handling::HandleErrorLayer;
use axum::extract::{ConnectInfo, Extension, Request};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post};
use axum::{BoxError, Json, Router};
use axum_ratelimit::{
    Decision, Framework, Handle, Key, Peer, Policy, Quota, RateLimitLayer, Rejection, RejectionKind,
    RequestHead, global,
};
use http::StatusCode;
use tower::{ServiceBuilder, ServiceExt};

use super::support::text;

fn once() -> RateLimitLayer {
    RateLimitLayer::new(Quota::per_hour(1))
}

async fn hello() -> &'static str {
    "hello"
}

/// One request from 192.0.2.1.
async fn send(app: &Router, method: &str, path: &str) -> Response {
    let peer = ConnectInfo(SocketAddr::from(([192, 0, 2, 1], 1)));
    let request = Request::builder().method(method).uri(path).extension(peer).body(Body::empty()).unwrap();
    app.clone().oneshot(request).await.unwrap()
}

async fn status(app: &Router, method: &str, path: &str) -> u16 {
    send(app, method, path).await.status().as_u16()
}

async fn statuses<const N: usize>(app: &Router, paths: [&str; N]) -> [u16; N] {
    let mut statuses = [0; N];
    for (status_of, path) in statuses.iter_mut().zip(paths) {
        *status_of = status(app, "GET", path).await;
    }
    statuses
}

#[tokio::test]
async fn on_a_router_all_routes_and_the_fallback_share_the_limit() {
    let app = Router::new()
        .route("/a", get(hello))
        .route("/b", get(hello))
        .layer(RateLimitLayer::new(Quota::per_hour(3)));
    // Otherwise looking for what does not exist would be free.
    assert_eq!(
        statuses(&app, ["/a", "/b", "/nowhere", "/a", "/b", "/nowhere"]).await,
        [200, 200, 404, 429, 429, 429]
    );
    let app = Router::new().route("/a", get(hello)).layer(once()).route("/later", get(hello));
    assert_eq!(statuses(&app, ["/a", "/a", "/later", "/later"]).await, [200, 429, 200, 200]);
}

#[tokio::test]
async fn on_a_nested_router_only_that_is_limited() {
    let api = Router::new().route("/users/{id}", get(hello)).layer(once());
    let app = Router::new().nest("/api", api).route("/", get(hello));
    assert_eq!(
        statuses(&app, ["/api/users/1", "/api/users/2", "/", "/", "/"]).await,
        [200, 429, 200, 200, 200]
    );

    // One layer in two places is one limit; two layers are two.
    let layer = once();
    let part = |layer: &RateLimitLayer| Router::new().route("/", get(hello)).layer(layer.clone());
    let app = Router::new().nest("/one", part(&layer)).nest("/two", part(&layer)).nest("/own", part(&once()));
    assert_eq!(statuses(&app, ["/one", "/two", "/own", "/own"]).await, [200, 429, 200, 429]);
}

#[tokio::test]
async fn on_a_method_router_and_as_a_route_layer() {
    let route: MethodRouter = get(hello).post(hello).layer(once());
    let app = Router::new().route("/a", route).route("/b", get(hello));
    assert_eq!(statuses(&app, ["/b", "/a", "/a", "/b"]).await, [200, 200, 429, 200]);
    assert_eq!(status(&app, "POST", "/a").await, 429, "all methods of the route share it");

    let app = Router::new().route("/a", get(hello)).route_layer(once());
    // A route layer does not run where there is no route.
    assert_eq!(statuses(&app, ["/nowhere", "/nowhere", "/a", "/a"]).await, [404, 404, 200, 429]);

    let app = Router::new().route("/a", get(hello).layer(once()).post(hello));
    assert_eq!(status(&app, "GET", "/a").await, 200);
    assert_eq!(status(&app, "GET", "/a").await, 429);
    assert_eq!(status(&app, "POST", "/a").await, 200, "a method added after the layer is outside it");
}

#[tokio::test]
async fn head_takes_from_the_quota_of_get() {
    let app = Router::new().route("/", get(hello)).layer(RateLimitLayer::new(Quota::per_hour(2)));
    assert_eq!(status(&app, "HEAD", "/").await, 200);
    assert_eq!(status(&app, "GET", "/").await, 200);
    assert_eq!(status(&app, "HEAD", "/").await, 429);
    let refusal = send(&app, "HEAD", "/").await;
    let length: usize = refusal.headers()["content-length"].to_str().unwrap().parse().unwrap();
    assert!(length > 0);
    assert_eq!(text(refusal).await, "");
}

#[tokio::test]
async fn a_matched_route_is_a_key_and_unknown_paths_share_one() {
    let route = |head: &RequestHead<'_>| Key::text(head.matched_route().unwrap_or("none"));
    let layer = || RateLimitLayer::new(Policy::new("route", Quota::per_hour(1)).key(route));
    let app =
        || Router::new().route("/users/{id}", get(hello)).route("/posts/{id}", get(hello)).layer(layer());
    let paths = ["/users/1", "/users/2", "/posts/1", "/x", "/y"];
    let expected = [200, 429, 200, 404, 429];
    assert_eq!(statuses(&app(), paths).await, expected);
    // In a nested router the template is the whole one, or two parts with equal routes would share a limit.
    let nested = Router::new().nest("/v1", app()).nest("/v2", app());
    assert_eq!(statuses(&nested, ["/v1/users/1", "/v1/users/2", "/v2/users/1"]).await, [200, 429, 200]);
    let shared = layer();
    let part = || Router::new().route("/users/{id}", get(hello)).layer(shared.clone());
    let nested = Router::new().nest("/v1", part()).nest("/v2", part());
    assert_eq!(statuses(&nested, ["/v1/users/1", "/v1/users/2", "/v2/users/1"]).await, [200, 429, 200]);
}

/// What an application keeps: the layer has no type parameters to repeat here.
struct Service {
    limits: RateLimitLayer,
    control: Handle,
}

impl Service {
    fn new() -> Self {
        let limits = strict_limits();
        Self { control: limits.handle(), limits }
    }

    fn router(&self) -> Router {
        Router::new().route("/", get(hello)).layer(self.limits.clone())
    }
}

fn strict_limits() -> RateLimitLayer {
    RateLimitLayer::new([
        Policy::new("client", Quota::per_hour(1)),
        Policy::new("everybody", Quota::per_hour(100)).key(global()),
    ])
}

#[tokio::test]
async fn the_layer_is_named_in_a_field_and_returned_from_a_function() {
    let service = Service::new();
    assert_eq!(statuses(&service.router(), ["/", "/"]).await, [200, 429]);
    assert_eq!(statuses(&service.router(), ["/"]).await, [429], "a second router had limits of its own");
    service.control.disable();
    assert_eq!(statuses(&service.router(), ["/", "/"]).await, [200, 200]);
}

#[tokio::test]
async fn a_fallible_service_inside_is_handled_as_without_the_layer() {
    let fails = tower::util::MapFutureLayer::new(|_| async {
        Err::<Response, BoxError>("the database is gone".into())
    });
    let handled = |error: BoxError| async move { (StatusCode::BAD_GATEWAY, error.to_string()) };
    let stack = ServiceBuilder::new().layer(HandleErrorLayer::new(handled)).layer(once()).layer(fails);
    let app = Router::new().route("/", get(hello)).layer(stack);

    let response = send(&app, "GET", "/").await;
    assert_eq!(response.status(), 502);
    assert!(response.headers().get("ratelimit").is_none(), "an error is no response of the limit");
    assert_eq!(text(response).await, "the database is gone");
    assert_eq!(status(&app, "GET", "/").await, 429);
}

#[tokio::test]
async fn middleware_inside_and_outside_sees_plain_axum_responses() {
    async fn stamp(request: Request, next: Next) -> Response {
        let mut response = next.run(request).await;
        response.headers_mut().append("x-seen", "1".parse().unwrap());
        response
    }
    async fn shorten(response: Response) -> impl IntoResponse {
        let status = response.status();
        (
            status,
            format!("{} bytes", axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap().len()),
        )
    }
    let app = Router::new()
        .route(
            "/",
            post(|Json(numbers): Json<Vec<u64>>| async move { Json(numbers.iter().sum::<u64>()) }).get(hello),
        )
        .layer(middleware::from_fn(stamp))
        .layer(once())
        .layer(middleware::from_fn(stamp))
        .layer(middleware::map_response(shorten));
    let allowed = send(&app, "GET", "/").await;
    assert_eq!((allowed.status().as_u16(), text(allowed).await.as_str()), (200, "5 bytes"));
    let refused = send(&app, "GET", "/").await;
    assert_eq!(refused.status(), 429);
    assert!(text(refused).await.len() > "99 bytes".len());

    // The inner middleware does not run for what is refused.
    let app = Router::new().route("/", get(hello)).layer(middleware::from_fn(stamp)).layer(once());
    assert!(send(&app, "GET", "/").await.headers().contains_key("x-seen"));
    assert!(!send(&app, "GET", "/").await.headers().contains_key("x-seen"));
}

#[tokio::test]
async fn middleware_outside_reads_and_replaces_the_rejection() {
    let seen = Arc::new(AtomicUsize::new(0));
    async fn own_page(
        Extension(seen): Extension<Arc<AtomicUsize>>,
        request: Request,
        next: Next,
    ) -> Response {
        let response = next.run(request).await;
        let Some(rejection) = response.extensions().get::<Rejection>().cloned() else { return response };
        assert_eq!(rejection.kind(), RejectionKind::Denied);
        assert_eq!(rejection.violated_policies(), ["default"]);
        seen.fetch_add(1, SeqCst);
        (rejection.status(), format!("come back in {:?}", rejection.retry_after().unwrap() / 3_600))
            .into_response()
    }
    let clock = axum_ratelimit::ManualClock::new();
    let app = Router::new()
        .route("/", get(hello))
        .layer(once().clock(clock))
        .layer(middleware::from_fn(own_page))
        .layer(Extension(seen.clone()));
    assert_eq!(text(send(&app, "GET", "/").await).await, "hello");
    let page = send(&app, "GET", "/").await;
    assert_eq!(page.status(), 429);
    assert_eq!(text(page).await, "come back in 1s");
    assert_eq!(seen.load(SeqCst), 1);
}

#[tokio::test]
async fn handlers_extract_the_decision_like_any_extension() {
    let left = |Extension(decision): Extension<Decision>| async move { decision.remaining().to_string() };
    let app =
        Router::new().route("/", get(left)).layer(RateLimitLayer::new(Quota::per_hour(3)).with_decision());
    assert_eq!(text(send(&app, "GET", "/").await).await, "2");
    assert_eq!(text(send(&app, "GET", "/").await).await, "1");
}

#[tokio::test]
async fn the_plain_tower_layer_goes_on_a_router_too() {
    // For somebody who already has one; it becomes axum's by `into`.
    let policy = Policy::new("all", Quota::per_hour(1)).key(global());
    let app = Router::new().route("/", get(hello)).layer(tower_ratelimit::RateLimitLayer::new(policy));
    assert_eq!(statuses(&app, ["/", "/"]).await, [200, 429]);
    let layer: RateLimitLayer = tower_ratelimit::RateLimitLayer::new(Quota::per_hour(1)).into();
    let app = Router::new().route("/", get(hello)).layer(layer);
    assert_eq!(statuses(&app, ["/", "/"]).await, [200, 429]);
}

/// What a connection of the user's own leaves in the extensions.
#[derive(Clone, Copy)]
struct Mine(SocketAddr);

#[tokio::test]
async fn what_was_set_on_the_tower_layer_survives_its_conversion() {
    // The conversion put axum's framework in the place of the user's, and every request was answered with 500.
    let peer = SocketAddr::from(([192, 0, 2, 1], 1));
    let framework = Framework {
        peer: |extensions| extensions.get::<Mine>().map(|mine| Peer::Tcp(mine.0)),
        ..axum_ratelimit::framework()
    };
    let ask = async |layer: &RateLimitLayer, request: http::request::Builder| {
        let app = Router::new().route("/", get(hello)).layer(layer.clone().on_event(|_| ()));
        let answer = app.oneshot(request.uri("/").body(Body::empty()).unwrap()).await.unwrap();
        (answer.status().as_u16(), text(answer).await)
    };
    let (fix, axums) = ("Turn the brass key twice.", "into_make_service_with_connect_info");
    let tower = || tower_ratelimit::RateLimitLayer::new(Quota::per_hour(1));
    for (layer, mine, real, says) in [
        (tower().framework(framework).into(), 200, 500, axums),
        (tower().framework(framework).peer_fix(fix).into(), 200, 500, fix),
        (tower().peer_fix(fix).framework(framework).into(), 200, 500, fix),
        // What was not set is axum's.
        (tower().into(), 500, 200, axums),
        (tower().peer_fix(fix).into(), 500, 200, fix),
        // What is set afterwards wins.
        (RateLimitLayer::from(tower()).framework(framework).peer_fix(fix), 200, 500, fix),
    ] {
        assert_eq!(ask(&layer, Request::builder().extension(Mine(peer))).await.0, mine);
        assert_eq!(ask(&layer, Request::builder().extension(ConnectInfo(peer))).await.0, real);
        let (status, body) = ask(&layer, Request::builder()).await;
        assert_eq!((status, body.contains(says)), (500, cfg!(debug_assertions)), "{body}");
    }
}
