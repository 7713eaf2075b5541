//! A store that answers late on purpose.

use std::sync::Arc;
use std::time::Duration;

use rate_core::{Digest, Timestamp};

use super::{Answer, Binding, Charges, Store, Usage};
use crate::key::Key;
use crate::policy::{ConfigError, Policy};

/// Another store, a fixed time later: for tests of everything that happens while a decision is under way.
///
/// Decides when the time is up, not when it was asked, as a store across a network would.
///
/// # Panics
///
/// A decision outside a tokio runtime with its timer enabled.
#[derive(Clone, Debug)]
#[must_use]
pub struct SlowStore<S> {
    inner: S,
    delay: Duration,
}

impl<S> SlowStore<S> {
    /// Delays every decision of `inner` by `delay` of tokio's time.
    pub fn new(inner: S, delay: Duration) -> Self {
        Self { inner, delay }
    }
}

impl<S: Store> Store for SlowStore<S> {
    fn bind(&self, policies: &[Policy], now: Timestamp) -> Result<Arc<dyn Binding>, ConfigError> {
        Ok(Arc::new(Bound { inner: self.inner.bind(policies, now)?, delay: self.delay }))
    }
}

#[derive(Debug)]
struct Bound {
    inner: Arc<dyn Binding>,
    delay: Duration,
}

impl Binding for Bound {
    fn decide(&self, charges: &mut Charges, now: Timestamp) -> Answer {
        let (inner, delay, mut charges) = (self.inner.clone(), self.delay, std::mem::take(charges));
        Answer::Later(Box::pin(async move {
            tokio::time::sleep(delay).await;
            match inner.decide(&mut charges, now) {
                Answer::Now => Ok(charges),
                Answer::Later(later) => later.await,
            }
        }))
    }

    fn forget(&self, key: &Key) -> bool {
        self.inner.forget(key)
    }

    fn digest(&self, key: &Key) -> Digest {
        self.inner.digest(key)
    }

    fn usage(&self, policy: usize) -> Usage {
        self.inner.usage(policy)
    }
}
