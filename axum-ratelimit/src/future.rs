//! The future of a response in axum's body.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::Request;
use http_body::Body as HttpBody;
use pin_project_lite::pin_project;
use tower_ratelimit as tower;
use tower_service::Service;

pin_project! {
    /// The response of the service inside, or of the limit.
    ///
    /// What dropping it means: [`tower_ratelimit::ResponseFuture`].
    #[derive(Debug)]
    pub struct ResponseFuture<S, B>
    where
        S: Service<Request<B>>,
    {
        #[pin]
        inner: tower::ResponseFuture<S, B>,
    }
}

impl<S, B> ResponseFuture<S, B>
where
    S: Service<Request<B>>,
{
    #[inline]
    pub(crate) fn new(inner: tower::ResponseFuture<S, B>) -> Self {
        Self { inner }
    }
}

impl<S, B, RB> Future for ResponseFuture<S, B>
where
    S: Service<Request<B>, Response = Response<RB>>,
    RB: HttpBody<Data = Bytes> + Send + 'static,
    RB::Error: Into<axum::BoxError>,
{
    type Output = Result<Response<Body>, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // `Body::new` hands axum's own body through as it is, so a router's answers are not boxed a second time.
        self.project().inner.poll_with(cx, Body::new, Body::from)
    }
}
