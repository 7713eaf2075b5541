//! Where axum keeps the peer and the route.

use std::net::SocketAddr;

use axum::extract::connect_info::MockConnectInfo;
use axum::extract::{ConnectInfo, MatchedPath};
use http::Extensions;
use tower_ratelimit::{Framework, Peer};

/// The line that makes the peer known, said by the error of a server without it.
pub(crate) const PEER_FIX: &str = "Replace `axum::serve(listener, app)` by \
    `axum::serve(listener, app.into_make_service_with_connect_info::<std::net::SocketAddr>())`. In a test without a \
    socket, add `.layer(axum::extract::connect_info::MockConnectInfo(std::net::SocketAddr::from(([127, 0, 0, 1], 0))))` \
    after the rate limit. On a Unix socket there are no addresses: give a `Policy` a key of its own, a \
    header that the proxy sets, `Policy::new(\"default\", quota).key(axum_ratelimit::header(\"x-client\"))`, or one for \
    all, `.key(axum_ratelimit::global())`.";

/// Where axum keeps the peer and the route: `ConnectInfo<SocketAddr>`, or `MockConnectInfo<SocketAddr>` in tests, and
/// `MatchedPath`.
///
/// [`RateLimitLayer`](crate::RateLimitLayer) installs it by itself. With a connect info type of your own, replace its
/// `peer`:
///
/// ```
/// use std::net::SocketAddr;
/// use axum::extract::ConnectInfo;
/// use axum_ratelimit::{Framework, Peer, Quota, RateLimitLayer};
///
/// #[derive(Clone, Copy)]
/// struct MyConnection { remote: SocketAddr }
///
/// let layer = RateLimitLayer::new(Quota::per_second(10)).framework(Framework {
///     peer: |extensions| {
///         extensions.get::<ConnectInfo<MyConnection>>().map(|ConnectInfo(mine)| Peer::Tcp(mine.remote))
///     },
///     ..axum_ratelimit::framework()
/// });
/// ```
#[must_use]
pub fn framework() -> Framework {
    Framework { peer, route: |extensions| extensions.get::<MatchedPath>().map(MatchedPath::as_str) }
}

fn peer(extensions: &Extensions) -> Option<Peer> {
    let address = match extensions.get() {
        Some(ConnectInfo::<SocketAddr>(real)) => real,
        None => &extensions.get::<MockConnectInfo<SocketAddr>>()?.0,
    };
    Some(Peer::Tcp(*address))
}
