//! Services to put the layer around, and requests to send through it.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::Mutex;

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body::Body;
use http_body_util::{BodyExt, Full};
use tower::util::ServiceFn;
use tower::{Service, ServiceExt, service_fn};
use tower_layer::Layer;
use tower_ratelimit::{ManualClock, Policy, Quota, RateLimit, RateLimitLayer, RequestHead, global};

pub(crate) type Page = Response<Full<Bytes>>;
pub(crate) type Hello = ServiceFn<fn(Request<()>) -> Ready<Result<Page, Infallible>>>;

/// Says hello to everybody.
pub(crate) fn hello() -> Hello {
    fn page(_: Request<()>) -> Ready<Result<Page, Infallible>> {
        ready(Ok(Response::new(Full::from("hello"))))
    }
    service_fn(page)
}

/// A request from this address, whatever it is.
pub(crate) fn from(address: &str) -> Request<()> {
    let peer = SocketAddr::new(address.parse().unwrap(), 40_000);
    Request::builder().extension(peer).body(()).unwrap()
}

/// A request without a peer, with this header.
pub(crate) fn with(name: &'static str, value: impl AsRef<[u8]>) -> Request<()> {
    Request::builder().header(name, value.as_ref()).body(()).unwrap()
}

/// Sends one request as tower's contract has it: ready first.
pub(crate) async fn send<S, B>(service: &mut S, request: Request<()>) -> Response<B>
where
    S: Service<Request<()>, Response = Response<B>>,
    S::Error: std::fmt::Debug,
{
    service.ready().await.unwrap().call(request).await.unwrap()
}

/// Sends `request` `times` times and counts those that got through.
pub(crate) async fn admitted<S, B>(service: &mut S, times: usize, request: impl Fn() -> Request<()>) -> usize
where
    S: Service<Request<()>, Response = Response<B>>,
    S::Error: std::fmt::Debug,
{
    let mut admitted = 0;
    for _ in 0..times {
        admitted += usize::from(send(service, request()).await.status() == 200);
    }
    admitted
}

/// A response's body, as text.
pub(crate) async fn text<B>(response: Response<B>) -> String
where
    B: Body,
    B::Error: std::fmt::Debug,
{
    String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().into()).unwrap()
}

/// A response's body, as JSON.
pub(crate) async fn json<B>(response: Response<B>) -> serde_json::Value
where
    B: Body,
    B::Error: std::fmt::Debug,
{
    serde_json::from_str(&text(response).await).unwrap()
}

/// All lines of a field as the one list that they are.
pub(crate) fn field(headers: &HeaderMap, name: &str) -> Option<String> {
    let lines: Vec<_> = headers.get_all(name).iter().map(|line| line.to_str().unwrap()).collect();
    (!lines.is_empty()).then(|| lines.join(", "))
}

/// Everybody in one bucket per policy, at the cost that the header `x-POLICY` says, on a clock that stands.
pub(crate) fn metered<const N: usize>(policies: [(&str, Quota); N]) -> (RateLimitLayer, ManualClock) {
    let clock = ManualClock::new();
    let policies = policies.map(|(name, quota)| {
        let header = format!("x-{name}");
        let cost =
            move |head: &RequestHead<'_>| head.header_str(&header).map_or(1, |cost| cost.parse().unwrap());
        Policy::new(name, quota).key(global()).cost(cost)
    });
    (RateLimitLayer::new(policies).clock(clock.clone()), clock)
}

/// A request that costs so much.
pub(crate) fn costing<const N: usize>(costs: [(&str, u64); N]) -> Request<()> {
    let mut request = Request::new(());
    for (policy, cost) in costs {
        let name = http::HeaderName::try_from(format!("x-{policy}")).unwrap();
        request.headers_mut().insert(name, cost.into());
    }
    request
}

/// A layer around [`hello`].
pub(crate) fn limited(layer: &RateLimitLayer) -> RateLimit<Hello> {
    layer.layer(hello())
}

/// What a layer told of, as text.
#[derive(Clone, Debug, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    pub(crate) fn write(&self, line: impl ToString) {
        self.0.lock().unwrap().push(line.to_string());
    }

    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}
