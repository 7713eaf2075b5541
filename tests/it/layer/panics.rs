//! Code of the user's own that panics: one connection ends, and the next request finds the limits as they were.

use std::convert::Infallible;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

use http::Request;
use tower::{Layer, service_fn};
use tower_ratelimit::store::{Answer, Binding, Charges, Usage};
use tower_ratelimit::{
    Clock, ConfigError, Digest, Key, ManualClock, MemoryStore, Policy, Quota, RateLimitLayer, RequestHead,
    Store, Timestamp, global,
};

use super::support::{Page, admitted, limited, send};

/// Panics as long as it is armed.
#[derive(Clone, Debug, Default)]
struct Bomb(Arc<AtomicBool>);

impl Bomb {
    fn tick(&self) {
        assert!(!self.0.load(SeqCst), "the user's own code is broken");
    }
}

/// Memory that panics where it is asked to.
#[derive(Clone, Debug)]
struct Fragile {
    memory: MemoryStore,
    bind: Bomb,
    decide: Bomb,
}

#[derive(Debug)]
struct Bound(Arc<dyn Binding>, Bomb);

impl Store for Fragile {
    fn bind(&self, policies: &[Policy], now: Timestamp) -> Result<Arc<dyn Binding>, ConfigError> {
        self.bind.tick();
        Ok(Arc::new(Bound(self.memory.bind(policies, now)?, self.decide.clone())))
    }
}

impl Binding for Bound {
    fn decide(&self, charges: &mut Charges, now: Timestamp) -> Answer {
        self.1.tick();
        self.0.decide(charges, now)
    }

    fn forget(&self, key: &Key) -> bool {
        self.0.forget(key)
    }

    fn digest(&self, key: &Key) -> Digest {
        self.0.digest(key)
    }

    fn usage(&self, policy: usize) -> Usage {
        self.0.usage(policy)
    }
}

#[derive(Debug)]
struct Faulty(Bomb);

impl Clock for Faulty {
    fn now(&self) -> Timestamp {
        self.0.tick();
        Timestamp::ZERO
    }
}

#[test]
fn a_panic_in_the_users_own_code_wedges_nothing_and_frees_nobody() {
    let bombs: [Bomb; 7] = Default::default();
    let [key, cost, clock, decide, event, decision, inner] = bombs.clone();
    let store = Fragile { memory: MemoryStore::with_capacity(100).unwrap(), bind: Bomb::default(), decide };
    let policy = Policy::new("api", Quota::per_hour(10))
        .key(move |head: &RequestHead<'_>| {
            key.tick();
            assert_eq!(head.policy(), None, "nobody has decided yet");
            Key::text("all")
        })
        .cost(move |_: &RequestHead<'_>| {
            cost.tick();
            1
        });
    let layer = RateLimitLayer::new(policy).clock(Faulty(clock)).store(store);
    let layer = layer.on_event(move |_| event.tick()).on_decision(move |_, _| decision.tick());
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let mut service = layer.layer(service_fn(move |_: Request<()>| {
        inner.tick();
        std::future::ready(Ok::<_, Infallible>(Page::default()))
    }));
    let mut ask = || {
        let answer =
            catch_unwind(AssertUnwindSafe(|| runtime.block_on(send(&mut service, Request::new(())))));
        answer.map_or(0, |page| page.status().as_u16())
    };

    let mut charged = 0;
    for (index, bomb) in bombs.iter().enumerate().filter(|(index, _)| *index != 4) {
        bomb.0.store(true, SeqCst);
        assert_eq!(ask(), 0, "bomb {index}");
        bomb.0.store(false, SeqCst);
        assert_eq!(ask(), 200, "bomb {index}");
        // What comes after the decision does not undo it.
        charged += 1 + usize::from(index > 4);
    }
    for _ in charged..10 {
        assert_eq!(ask(), 200);
    }
    assert_eq!(ask(), 429);
    bombs[4].0.store(true, SeqCst);
    assert_eq!(ask(), 0, "the hook is told of the refusal");
    bombs[4].0.store(false, SeqCst);
    assert_eq!(ask(), 429);
    assert_eq!(layer.handle().stats().denied, 3);
}

#[tokio::test]
async fn a_store_that_panics_while_policies_change_leaves_the_old_ones_and_the_handle() {
    let (bind, decide) = (Bomb::default(), Bomb::default());
    let store = Fragile { memory: MemoryStore::with_capacity(100).unwrap(), bind: bind.clone(), decide };
    let policy = |quota| Policy::new("api", quota).key(global());
    let layer = RateLimitLayer::new(policy(Quota::per_hour(4))).clock(ManualClock::new()).store(store);
    let (handle, mut service) = (layer.handle(), limited(&layer));
    assert_eq!(admitted(&mut service, 2, || Request::new(())).await, 2);

    bind.0.store(true, SeqCst);
    assert!(catch_unwind(AssertUnwindSafe(|| handle.set_policies(policy(Quota::per_hour(400))))).is_err());
    assert_eq!(handle.stats().policies[0].quota, "4/h");
    assert_eq!(admitted(&mut service, 9, || Request::new(())).await, 2);

    bind.0.store(false, SeqCst);
    handle.set_policies(policy(Quota::per_hour(8))).unwrap();
    handle.disable();
    handle.enable();
    assert_eq!(admitted(&mut service, 9, || Request::new(())).await, 0);
}
