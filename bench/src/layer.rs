//! The layer in front of a handler, by calls to the router in this process.
//!
//! "total" is what a request takes from the call of the router to the last byte of the body; "added" is that minus the
//! same with an identity layer in the limiter's place. A refused request never reaches the handler, so what it adds can
//! be less than nothing.

use std::hint::black_box;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::get;
use axum_ratelimit::{Fields, RateLimitLayer};
use http_body_util::BodyExt;
use tokio::runtime::{Builder, Runtime};
use tower::Service;
use tower::layer::util::Identity;
use tower_governor::GovernorLayer;
use tower_governor::governor::GovernorConfigBuilder;

use crate::harness::{Contest, INSTANCES, compare, verify};
use crate::keys::{Key, shuffled};
use crate::peer::quota;
use crate::report::{Outcome, Point, Report, Time};

const CLIENTS: u64 = 1_000;

/// Requests in a lap, as passes over all clients. They are made before the time starts, so there should not be so many
/// that fetching them from memory is what is timed.
const PASSES: usize = 10;

const PEER: &str = "tower_governor";

pub(crate) fn run(report: &mut Report) {
    for (name, outcome, fields) in [
        ("no-fields", Outcome::Allow, Fields::None),
        ("fields", Outcome::Allow, Fields::default()),
        ("refused", Outcome::Deny, Fields::default()),
    ] {
        let point = |case: String| Point {
            case,
            keys: Some(CLIENTS),
            threads: Some(1),
            outcome: Some(outcome),
            time: Some(Time::Default),
        };
        let added = point(format!("layer/added/{name}"));
        let total = point(format!("layer/total/{name}"));
        if !report.wants(&added) && !report.wants(&total) {
            continue;
        }
        let [identity, ours, peer] = measure(outcome, fields);
        match outcome {
            Outcome::Allow => {
                report.add(&added, ours - identity, (PEER, peer - identity), Some(2.0));
                report.add(&total, ours, (PEER, peer), None);
            }
            Outcome::Deny => {
                report.add(&added, ours - identity, (PEER, peer - identity), None);
                report.add(&total, ours, (PEER, peer), Some(10.0));
            }
        }
        report.add(
            &total,
            ours,
            ("axum handler, no limiter", identity),
            (outcome == Outcome::Deny).then_some(1.0),
        );
    }
}

/// Nanoseconds per request: of the router without a limiter, with ours, and with the peer's.
fn measure(outcome: Outcome, fields: Fields) -> [f64; 3] {
    let runtime = Builder::new_current_thread().build().expect("a runtime");
    let clients: Vec<IpAddr> = shuffled(CLIENTS, 1).map(Key::nth).collect();
    let router = || Router::new().route("/", get(async || "ok"));
    let app =
        // `with_state` is what serving a router does: without it axum builds each route anew for each request.
        |router: Router, status, has_fields| {
            let router = router.with_state(());
            App { router, status, has_fields, clients: &clients, runtime: &runtime }
        };

    let mut sides = [const { Vec::new() }; 3];
    for _ in 0..INSTANCES {
        let status = match outcome {
            Outcome::Allow => StatusCode::OK,
            Outcome::Deny => StatusCode::TOO_MANY_REQUESTS,
        };
        let has_fields = fields != Fields::None;
        let ours = router().layer(RateLimitLayer::new(quota(outcome)).fields(fields));
        let apps = [
            app(router().layer(Identity::new()), StatusCode::OK, false),
            app(ours, status, has_fields),
            app(with_peer(router(), outcome, has_fields), status, has_fields),
        ];
        for (side, app) in sides.iter_mut().zip(apps) {
            // The one request that each client has.
            app.pass();
            side.push(Box::new(app) as Box<dyn Contest>);
        }
    }
    let times = compare(&sides);
    [times[0], times[1], times[2]]
}

/// The router behind the peer's layer, with the same quota and the same key: the peer's address.
fn with_peer(router: Router, outcome: Outcome, fields: bool) -> Router {
    let quota = quota(outcome);
    let mut config = GovernorConfigBuilder::default();
    config
        .period(quota.time_for(1))
        .burst_size(u32::try_from(quota.burst_size()).expect("a burst of 32 bits"));
    if fields {
        router.layer(GovernorLayer::new(config.use_headers().finish().expect("a valid quota")))
    } else {
        router.layer(GovernorLayer::new(config.finish().expect("a valid quota")))
    }
}

/// A router that serves each of the clients in turn.
struct App<'a> {
    router: Router,
    clients: &'a [IpAddr],
    runtime: &'a Runtime,
    /// What every answer has to be, but for the very first.
    status: StatusCode,
    has_fields: bool,
}

impl App<'_> {
    /// The time for one request of each client, and how many were not answered as expected.
    fn pass(&self) -> (Duration, usize) {
        let mut router = self.router.clone();
        let requests: Vec<Request> = self.clients.iter().map(|&client| request_from(client)).collect();
        self.runtime.block_on(async {
            let mut wrong = 0;
            let start = Instant::now();
            for request in requests {
                let response = match router.call(request).await {
                    Ok(response) => response,
                    Err(never) => match never {},
                };
                wrong += usize::from(!self.is_expected(&response));
                let mut body = response.into_body();
                while let Some(frame) = body.frame().await {
                    black_box(frame.is_ok());
                }
            }
            (start.elapsed(), wrong)
        })
    }

    fn is_expected(&self, response: &Response) -> bool {
        response.status() == self.status && has_fields(response.headers()) == self.has_fields
    }
}

fn request_from(client: IpAddr) -> Request {
    Request::builder()
        .uri("/")
        .extension(ConnectInfo(SocketAddr::new(client, 40_000)))
        .body(Body::empty())
        .expect("a valid request")
}

fn has_fields(headers: &HeaderMap) -> bool {
    // Ours, and the peer's.
    headers.contains_key("ratelimit") || headers.contains_key("x-ratelimit-remaining")
}

impl Contest for App<'_> {
    /// Laps have a length of their own here: what they do takes so long that starting them does not show.
    fn lap(&self, _: usize, _: usize) -> f64 {
        let passes = (0..PASSES).map(|_| self.pass());
        let (time, wrong) = passes.fold((Duration::ZERO, 0), |sum, pass| (sum.0 + pass.0, sum.1 + pass.1));
        let requests = PASSES * self.clients.len();
        verify(requests, wrong);
        time.as_nanos() as f64 / requests as f64
    }
}
