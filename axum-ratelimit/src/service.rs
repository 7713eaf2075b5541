//! The service for axum: tower's, with axum's body.

use std::task::{Context, Poll};

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::Request;
use http_body::Body as HttpBody;
use tower_ratelimit as tower;
use tower_ratelimit::Handle;
use tower_service::Service;

use crate::future::ResponseFuture;

/// Limits the rate of requests to the service inside.
///
/// Made by [`RateLimitLayer`](crate::RateLimitLayer); clones share their limits.
#[derive(Clone, Debug)]
pub struct RateLimit<S> {
    inner: tower::RateLimit<S>,
}

impl<S> RateLimit<S> {
    pub(crate) fn new(inner: tower::RateLimit<S>) -> Self {
        Self { inner }
    }

    /// Control of the limits.
    #[must_use]
    pub fn handle(&self) -> Handle {
        self.inner.handle()
    }
}

impl<S, B, RB> Service<Request<B>> for RateLimit<S>
where
    S: Service<Request<B>, Response = Response<RB>> + Clone,
    RB: HttpBody<Data = Bytes> + Send + 'static,
    RB::Error: Into<axum::BoxError>,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = ResponseFuture<S, B>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    #[inline]
    fn call(&mut self, request: Request<B>) -> Self::Future {
        ResponseFuture::new(self.inner.call(request))
    }
}
