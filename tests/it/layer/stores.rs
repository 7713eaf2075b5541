//! Stores other than memory, among them some that do not keep their side of the contract: nobody becomes unlimited.

use std::future::{Future, pending};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::task::{Context, Waker};
use std::time::Duration;

use http::Request;
use tower::{Service, ServiceExt};
use tower_ratelimit::store::{Answer, Binding, Charges, Usage};
use tower_ratelimit::{
    ConfigError, Digest, Event, Key, ManualClock, MemoryStore, Policy, Quota, RateLimitLayer, Rejection,
    RejectionKind, SlowStore, Store, StoreError, Timestamp, global, header,
};

use super::support::{Log, admitted, field, json, limited, send, text, with};

/// How a store answers.
#[derive(Clone, Copy, Debug)]
enum Manner {
    /// Charges at once, as a server does that a command has reached, and answers half a second later.
    AnswersLate,
    /// Cannot decide.
    Fails,
    /// Never answers.
    Hangs,
    /// Says that it has decided, and has not.
    DecidesNothing,
    /// The same, late.
    DecidesNothingLate,
    /// Loses the charges it was given.
    LosesCharges,
    /// Decides the first charge and forgets the others.
    DecidesHalf,
}

#[derive(Clone, Debug)]
struct Odd {
    memory: MemoryStore,
    manner: Manner,
    asked: Arc<AtomicUsize>,
}

impl Odd {
    fn new(manner: Manner) -> Self {
        Self { memory: MemoryStore::with_capacity(100).unwrap(), manner, asked: Arc::default() }
    }
}

impl Store for Odd {
    fn bind(&self, policies: &[Policy], now: Timestamp) -> Result<Arc<dyn Binding>, ConfigError> {
        if policies.iter().any(|policy| policy.name() == "too much") {
            return Err(ConfigError::other(
                "odd-store-full",
                "policy \"too much\" does not fit; take it out",
            ));
        }
        let memory = self.memory.bind(policies, now)?;
        Ok(Arc::new(Bound { memory, manner: self.manner, asked: self.asked.clone() }))
    }
}

#[derive(Debug)]
struct Bound {
    memory: Arc<dyn Binding>,
    manner: Manner,
    asked: Arc<AtomicUsize>,
}

impl Binding for Bound {
    fn decide(&self, charges: &mut Charges, now: Timestamp) -> Answer {
        self.asked.fetch_add(1, SeqCst);
        let mut taken = std::mem::take(charges);
        match self.manner {
            Manner::AnswersLate => {
                assert!(matches!(self.memory.decide(&mut taken, now), Answer::Now));
                Answer::Later(Box::pin(async {
                    tokio::time::sleep(Duration::from_millis(500)).await;
                    Ok(taken)
                }))
            }
            Manner::Fails => Answer::Later(Box::pin(async {
                Err(StoreError::new("redis://10.0.0.7: connection refused"))
            })),
            Manner::Hangs => Answer::Later(Box::pin(pending())),
            Manner::DecidesNothing => {
                *charges = taken;
                Answer::Now
            }
            Manner::DecidesNothingLate => Answer::Later(Box::pin(async { Ok(taken) })),
            Manner::LosesCharges => Answer::Later(Box::pin(async { Ok(Charges::default()) })),
            Manner::DecidesHalf => {
                assert!(matches!(self.memory.decide(&mut taken, now), Answer::Now));
                for charge in &mut taken.as_mut_slice()[1..] {
                    charge.decision = None;
                }
                Answer::Later(Box::pin(async { Ok(taken) }))
            }
        }
    }

    fn forget(&self, key: &Key) -> bool {
        self.memory.forget(key)
    }

    fn digest(&self, key: &Key) -> Digest {
        self.memory.digest(key)
    }

    fn usage(&self, policy: usize) -> Usage {
        self.memory.usage(policy)
    }
}

fn everybody(burst: u64) -> [Policy; 2] {
    ["one", "two"].map(|name| Policy::new(name, Quota::per_hour(1).burst(burst)).key(global()))
}

#[tokio::test]
async fn a_store_that_fails_is_503_and_nobody_passes() {
    let log = Log::default();
    let writer = log.clone();
    let layer = RateLimitLayer::new(everybody(5)).store(Odd::new(Manner::Fails));
    let layer = layer.on_event(move |event| writer.write(event));
    let refusal = send(&mut limited(&layer), Request::new(())).await;

    assert_eq!(refusal.status(), 503);
    assert_eq!(field(refusal.headers(), "retry-after").as_deref(), Some("1"));
    assert_eq!(field(refusal.headers(), "cache-control").as_deref(), Some("no-store"));
    assert_eq!(field(refusal.headers(), "ratelimit"), None, "no number is better than an invented one");
    assert_eq!(field(refusal.headers(), "ratelimit-policy"), None);
    let rejection = refusal.extensions().get::<Rejection>().unwrap().clone();
    assert_eq!((rejection.kind(), rejection.violated_policies().len()), (RejectionKind::Store, 0));
    let problem = json(refusal).await;
    assert_eq!(problem["type"], "https://iana.org/assignments/http-problem-types#temporary-reduced-capacity");
    assert_eq!((&problem["title"], &problem["status"]), (&"Temporary Reduced Capacity".into(), &503.into()));
    assert!(!problem.to_string().contains("10.0.0.7"), "the operator's business: {problem}");

    let told = "ratelimit-store-failed: the store could not decide: redis://10.0.0.7: connection refused";
    assert_eq!(log.take(), [told]);
    let stats = layer.handle().stats();
    assert_eq!((stats.allowed, stats.denied, stats.rejected), (0, 0, 1));
}

#[tokio::test]
async fn a_store_that_decides_nothing_admits_nobody() {
    use Manner::{DecidesHalf, DecidesNothing, DecidesNothingLate, LosesCharges};
    for manner in [DecidesNothing, DecidesNothingLate, LosesCharges, DecidesHalf] {
        let log = Log::default();
        let writer = log.clone();
        let layer = RateLimitLayer::new(everybody(5)).store(Odd::new(manner)).on_event(move |event| {
            writer.write(event.code());
        });
        let layer = layer.on_decision(move |_, _| panic!("{manner:?}: a decision that nobody made"));
        let refusal = send(&mut limited(&layer), Request::new(())).await;
        assert_eq!(refusal.status(), 503, "{manner:?}");
        assert_eq!(field(refusal.headers(), "ratelimit"), None, "{manner:?}");
        assert_eq!(log.take(), ["ratelimit-store-failed"], "{manner:?}");
        assert!(text(refusal).await.contains("cannot check its limits"), "{manner:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_leaves_while_the_store_decides_is_still_charged() {
    let layer =
        RateLimitLayer::new(everybody(5)).clock(ManualClock::new()).store(Odd::new(Manner::AnswersLate));
    let mut service = limited(&layer);
    for _ in 0..4 {
        let mut answer = Box::pin(service.ready().await.unwrap().call(Request::new(())));
        assert!(answer.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        drop(answer);
    }
    let answer = send(&mut service, Request::new(())).await;
    assert_eq!(field(answer.headers(), "ratelimit").unwrap(), r#""one";r=0;t=3600, "two";r=0;t=3600"#);
    assert_eq!(send(&mut service, Request::new(())).await.status(), 429);
}

#[tokio::test]
async fn a_store_that_hangs_holds_up_nobody_else() {
    let layer = RateLimitLayer::new(everybody(5)).store(Odd::new(Manner::Hangs));
    let mut service = limited(&layer);
    let mut stuck = pin!(service.ready().await.unwrap().call(Request::new(())));
    assert!(stuck.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    // The kill switch and the settings work, and those who come later take the new way.
    let handle = layer.handle();
    handle.disable();
    assert_eq!(send(&mut service, Request::new(())).await.status(), 200);
    handle.enable();
    handle.set_policies(everybody(2)).unwrap();
    let layer = layer.store(MemoryStore::with_capacity(100).unwrap());
    assert_eq!(admitted(&mut limited(&layer), 5, || Request::new(())).await, 2);
    assert!(stuck.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
}

#[tokio::test]
async fn a_request_that_is_refused_for_its_key_does_not_trouble_the_store() {
    let store = Odd::new(Manner::Fails);
    let policies = [
        Policy::new("all", Quota::per_hour(1)).key(global()),
        Policy::new("own", Quota::per_hour(1)).key(header("x-user")),
    ];
    let layer = RateLimitLayer::new(policies).store(store.clone()).on_event(|_| ());
    assert_eq!(send(&mut limited(&layer), Request::new(())).await.status(), 400);
    assert_eq!(store.asked.load(SeqCst), 0);
    assert_eq!(send(&mut limited(&layer), with("x-user", "ann")).await.status(), 503);
    assert_eq!(store.asked.load(SeqCst), 1);
}

#[test]
fn a_stores_own_refusal_of_policies_is_passed_on() {
    let too_much = || Policy::new("too much", Quota::per_hour(1));
    let error = RateLimitLayer::new(too_much()).try_store(Odd::new(Manner::Fails)).unwrap_err();
    assert_eq!(error.code(), "odd-store-full");
    assert_eq!(error.to_string(), "policy \"too much\" does not fit; take it out");
    let handle = RateLimitLayer::new(everybody(1)).store(Odd::new(Manner::Fails)).handle();
    assert_eq!(handle.set_policies(too_much()).unwrap_err().code(), "odd-store-full");
    assert_eq!(handle.stats().policies.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn slow_decisions_equal_those_of_memory() {
    let (memory, slow) = (ManualClock::new(), ManualClock::new());
    let policies = || {
        [
            Policy::new("own", "3/s burst 5".parse().unwrap()).key(header("x-user")).cost(2),
            Policy::new("all", "10/s".parse().unwrap()).key(global()),
        ]
    };
    let one = RateLimitLayer::new(policies()).clock(memory.clone());
    let other = RateLimitLayer::new(policies()).clock(slow.clone());
    let other = other.store(SlowStore::new(MemoryStore::new(), Duration::from_millis(3)));
    let (mut one, mut other) = (limited(&one), limited(&other));
    for step in 0..300_u32 {
        let user = ["ann", "bob", ""][step as usize % 3];
        let (left, right) =
            (send(&mut one, with("x-user", user)).await, send(&mut other, with("x-user", user)).await);
        assert_eq!((left.status(), left.headers()), (right.status(), right.headers()), "request {step}");
        for clock in [&memory, &slow] {
            clock.advance(Duration::from_micros(u64::from(step) * 997 % 150_001));
        }
    }
}

#[tokio::test]
async fn evictions_are_told_of_when_they_begin_and_as_they_double() {
    let log = Log::default();
    let writer = log.clone();
    let layer = RateLimitLayer::new(Policy::new("own", Quota::per_day(1)).key(header("x-user")))
        .store(MemoryStore::with_capacity(100).unwrap())
        .on_event(move |event| {
            if let Event::Evicted { policy, total } = event {
                assert!(event.to_string().contains("raise it with `MemoryStore::with_capacity`"), "{event}");
                writer.write(format!("{policy} {total}"));
            }
        });
    let mut service = limited(&layer);
    for user in 0..20_000 {
        send(&mut service, with("x-user", user.to_string())).await;
    }
    let told = log.take();
    let stats = layer.handle().stats().policies.remove(0);
    assert!(stats.evictions > 15_000 && stats.keys <= 200, "{stats:?}");
    assert!((3..=10).contains(&told.len()), "{told:?}");
    let totals: Vec<u64> =
        told.iter().map(|line| line.strip_prefix("own ").unwrap().parse().unwrap()).collect();
    assert!(totals.windows(2).all(|pair| pair[1] >= 2 * pair[0]), "{told:?}");
}
