//! The service: decides, then forwards or answers.

use std::mem;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Request, Response};
use tower_service::Service;

use crate::body::ResponseBody;
use crate::future::ResponseFuture;
use crate::handle::{Handle, Shared};
use crate::live::Step;
use crate::store::Charges;

/// Limits the rate of requests to the service inside.
///
/// Made by [`RateLimitLayer`](crate::RateLimitLayer); clones share their limits.
#[derive(Clone, Debug)]
pub struct RateLimit<S> {
    inner: S,
    shared: Arc<Shared>,
}

impl<S> RateLimit<S> {
    pub(crate) fn new(inner: S, shared: Arc<Shared>) -> Self {
        Self { inner, shared }
    }

    /// Control of the limits.
    #[must_use]
    pub fn handle(&self) -> Handle {
        Handle(self.shared.clone())
    }

    /// The service inside.
    pub fn get_ref(&self) -> &S {
        &self.inner
    }

    /// The service inside.
    pub fn get_mut(&mut self) -> &mut S {
        &mut self.inner
    }

    /// The service inside.
    pub fn into_inner(self) -> S {
        self.inner
    }
}

impl<S, B, RB> Service<Request<B>> for RateLimit<S>
where
    S: Service<Request<B>, Response = Response<RB>> + Clone,
{
    type Response = Response<ResponseBody<RB>>;
    type Error = S::Error;
    type Future = ResponseFuture<S, B>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    #[inline]
    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let live = self.shared.live.load();
        let mut charges = Charges::default();
        match live.begin(&mut request, &mut charges) {
            Step::Forward => {
                let fields = live.fields(&charges);
                // Before the service inside runs, which may take its time.
                drop(live);
                ResponseFuture::forward(self.inner.call(request), fields)
            }
            Step::Reject(response) => ResponseFuture::reject(response),
            Step::Wait(decision) => {
                // The service that was polled ready is the one to call; a clone takes its place and starts unready.
                // https://docs.rs/tower/latest/tower/trait.Service.html#be-careful-when-cloning-inner-services
                let clone = self.inner.clone();
                let ready = mem::replace(&mut self.inner, clone);
                ResponseFuture::wait(decision, ready, request, arc_swap::Guard::into_inner(live))
            }
        }
    }
}
