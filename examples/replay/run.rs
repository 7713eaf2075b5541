//! One replay: a log, a quota, a layer of its own.

use std::cmp::Reverse;
use std::convert::Infallible;
use std::future::ready;
use std::sync::Arc;

use http::{Request, Response, StatusCode};
use tower::{Layer, Service, ServiceExt, service_fn};
use tower_ratelimit::{
    Key, KeyError, ManualClock, MemoryStore, Policy, Quota, RateLimitLayer, RequestHead, Secret,
};

use crate::Result;
use crate::log::Log;
use crate::options::Options;
use crate::progress::Progress;

/// How many requests pass between two moves of the progress bar.
const STRIDE: usize = 1_024;

/// What became of the requests.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) quota: Quota,
    pub(crate) allowed: u64,
    pub(crate) denied: u64,
    /// The clients that were denied most, with the number of their requests that were.
    pub(crate) top_denied: Vec<(String, u64)>,
}

/// Who sent a request, as a layer that knows would leave it in the extensions.
#[derive(Clone)]
struct Client(Arc<str>);

fn client_key(request: &RequestHead<'_>) -> Result<Key, KeyError> {
    match request.extensions().get::<Client>() {
        Some(client) => Key::text(&client.0),
        None => Err(KeyError::unconfigured("the request has no `Client` extension")),
    }
}

/// Sends all requests of `log` through a service that is limited to `quota` for each client.
pub(crate) async fn replay(
    log: &Log,
    quota: Quota,
    secret: Secret,
    options: &Options,
    progress: &mut Progress,
) -> Result<Outcome> {
    let clock = ManualClock::new();
    // Twice the clients: up to its capacity a store loses less than one key in a million, and a replay none at all.
    let store = MemoryStore::with_capacity(log.clients.len().saturating_mul(2))?.secret(secret);
    let policy = Policy::new("replay", quota).key(client_key);
    let layer = RateLimitLayer::new(policy).clock(clock.clone()).try_store(store)?;
    let handle = layer.handle();
    let served = |_: Request<()>| ready(Ok::<_, Infallible>(Response::new(())));
    let mut service = layer.layer(service_fn(served));

    let mut allowed = 0;
    let mut denied = vec![0_u64; log.clients.len()];
    for some in log.requests.chunks(STRIDE) {
        for logged in some {
            let (method, uri) = &log.targets[logged.target];
            let mut request = Request::new(());
            *request.method_mut() = method.clone();
            *request.uri_mut() = uri.clone();
            request.extensions_mut().insert(Client(log.clients[logged.client].clone()));

            clock.set(logged.at);
            match service.ready().await?.call(request).await?.status() {
                StatusCode::OK => allowed += 1,
                StatusCode::TOO_MANY_REQUESTS => denied[logged.client] += 1,
                other => return Err(format!("the layer answered a request with {other}").into()),
            }
        }
        progress.advance(some.len() as u64);
    }
    let evictions: u64 = handle.stats().policies.iter().map(|policy| policy.evictions).sum();
    if evictions > 0 {
        return Err(
            format!("{evictions} clients lost their state, so the figures for {quota} are wrong").into()
        );
    }

    let mut top: Vec<_> = denied.iter().copied().enumerate().filter(|(_, denied)| *denied > 0).collect();
    top.sort_unstable_by_key(|&(client, denied)| (Reverse(denied), &log.clients[client]));
    top.truncate(options.top);
    let name = |client: &str| -> Result<String> {
        Ok(if options.show_keys { client.to_owned() } else { handle.digest(&Key::text(client)?).to_string() })
    };
    let top_denied = top.iter().map(|&(client, denied)| Ok((name(&log.clients[client])?, denied)));
    Ok(Outcome {
        quota,
        allowed,
        denied: denied.iter().sum(),
        top_denied: top_denied.collect::<Result<_>>()?,
    })
}
