//! The future of a response.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::{Request, Response};
use pin_project_lite::pin_project;
use tower_service::Service;

use crate::body::ResponseBody;
use crate::live::Live;
use crate::response::FieldValues;
use crate::store::Later;

pin_project! {
    /// The response of the service inside, or of the limit.
    ///
    /// Dropping it gives nothing back: a request counts when it is decided on. The memory store decides when the service is
    /// called, before there is a future to drop. A store that answers later decides while this is polled: a request that
    /// is dropped meanwhile is forwarded to nobody and not counted in [`Stats`](crate::Stats), and whether its cost was
    /// charged is the store's affair.
    pub struct ResponseFuture<S, B>
    where
        S: Service<Request<B>>,
    {
        #[pin]
        state: State<S::Future, Waiting<S, B>>,
    }
}

pin_project! {
    #[project = StateProj]
    enum State<F, W> {
        Forward {
            #[pin]
            future: F,
            fields: Option<FieldValues>,
        },
        // Boxed, because it is rare and big, and every response's future has room for it.
        Wait {
            waiting: Box<W>,
        },
        Reject {
            response: Option<Response<Bytes>>,
        },
    }
}

/// A request whose decision is under way.
struct Waiting<S, B> {
    decision: Later,
    /// The service and the request, until they are needed.
    call: Option<(S, Request<B>)>,
    /// The settings the request started under.
    live: Arc<Live>,
}

impl<S, B> ResponseFuture<S, B>
where
    S: Service<Request<B>>,
{
    #[inline]
    pub(crate) fn forward(future: S::Future, fields: Option<FieldValues>) -> Self {
        Self { state: State::Forward { future, fields } }
    }

    pub(crate) fn reject(response: Response<Bytes>) -> Self {
        Self { state: State::Reject { response: Some(response) } }
    }

    pub(crate) fn wait(decision: Later, service: S, request: Request<B>, live: Arc<Live>) -> Self {
        let waiting = Waiting { decision, call: Some((service, request)), live };
        Self { state: State::Wait { waiting: Box::new(waiting) } }
    }
}

impl<S, B> ResponseFuture<S, B>
where
    S: Service<Request<B>>,
{
    /// Polls for a response whose body is of a framework's own type: made from the body of the service inside, or from
    /// the limit's own explanation. For adapters, which would otherwise rebuild each response a second time.
    #[doc(hidden)]
    pub fn poll_with<RB, FB>(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        inner: impl FnOnce(RB) -> FB,
        own: impl FnOnce(Bytes) -> FB,
    ) -> Poll<Result<Response<FB>, S::Error>>
    where
        S: Service<Request<B>, Response = Response<RB>>,
    {
        loop {
            let next = match self.as_mut().project().state.project() {
                StateProj::Forward { future, fields } => {
                    let mut response = ready!(future.poll(cx))?;
                    if let Some(fields) = fields.take() {
                        fields.add_to(&mut response);
                    }
                    return Poll::Ready(Ok(response.map(inner)));
                }
                StateProj::Reject { response } => {
                    let response = response.take().expect("polled after completion");
                    return Poll::Ready(Ok(response.map(own)));
                }
                StateProj::Wait { waiting } => {
                    let charges = ready!(waiting.decision.as_mut().poll(cx));
                    let (mut service, mut request) = waiting.call.take().expect("polled after completion");
                    let live = &waiting.live;
                    match charges {
                        Ok(charges) => match live.act(&charges, &mut request) {
                            None => {
                                let fields = live.fields(&charges);
                                State::Forward { future: service.call(request), fields }
                            }
                            response => State::Reject { response },
                        },
                        Err(error) => {
                            State::Reject { response: Some(live.reject_store(&error, &mut request)) }
                        }
                    }
                }
            };
            self.as_mut().project().state.set(next);
        }
    }
}

impl<S, B, RB> Future for ResponseFuture<S, B>
where
    S: Service<Request<B>, Response = Response<RB>>,
{
    type Output = Result<Response<ResponseBody<RB>>, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.poll_with(cx, ResponseBody::inner, ResponseBody::full)
    }
}

impl<S, B> std::fmt::Debug for ResponseFuture<S, B>
where
    S: Service<Request<B>>,
{
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let state = match self.state {
            State::Forward { .. } => "forwarded",
            State::Wait { .. } => "waiting for the store",
            State::Reject { .. } => "rejected",
        };
        f.debug_struct("ResponseFuture").field("state", &state).finish()
    }
}
