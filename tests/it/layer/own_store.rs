//! A store that shares nothing with ours but the public trait and the arithmetic: everything decides alike.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::Request;
use tower_ratelimit::store::algorithm::{Algorithm, Gcra, Tat};
use tower_ratelimit::store::{Answer, Binding, Charges, Usage};
use tower_ratelimit::{
    ConfigError, Decision, Digest, Key, ManualClock, MemoryStore, Policy, Quota, RateLimitLayer, RequestHead,
    Store, Timestamp, global, header,
};

use super::support::{limited, send, with};
use crate::core::random::Random;

/// States as a server would keep them: by bytes, as numbers.
type States = HashMap<(String, Vec<u8>), (u64, u32)>;

#[derive(Debug, Default)]
struct Ledger {
    states: Arc<Mutex<States>>,
    /// Whether an answer takes its time.
    is_slow: bool,
    names: RandomState,
}

#[derive(Debug)]
struct Bound {
    policies: Vec<(String, Gcra)>,
    states: Arc<Mutex<States>>,
    is_slow: bool,
    names: RandomState,
}

impl Store for Ledger {
    fn bind(&self, policies: &[Policy], _: Timestamp) -> Result<Arc<dyn Binding>, ConfigError> {
        let policies = policies.iter().map(|policy| (policy.name().to_owned(), Gcra::new(policy.quota())));
        Ok(Arc::new(Bound {
            policies: policies.collect(),
            states: self.states.clone(),
            is_slow: self.is_slow,
            names: self.names.clone(),
        }))
    }
}

impl Bound {
    fn decide_now(&self, charges: &mut Charges, now: u64) {
        let mut states = self.states.lock().unwrap();
        let found = charges.as_slice().iter().map(|charge| {
            let (name, gcra) = &self.policies[charge.policy];
            let place = (name.clone(), charge.key.as_bytes().to_vec());
            let state = states.get(&place).map_or(gcra.fresh(), |&(ticks, parts)| Tat::new(ticks, parts));
            (place, gcra, state, gcra.admit(state, now, charge.cost))
        });
        let found: Vec<_> = found.collect();
        let all = found.iter().all(|(.., answer)| answer.is_ok());
        for (charge, (place, gcra, state, answer)) in charges.as_mut_slice().iter_mut().zip(found) {
            let state = answer.ok().filter(|_| all).unwrap_or(state);
            charge.decision = Some(Decision::new(gcra.capacity(), gcra.standing(state, now), answer.err()));
            // A cost of zero leaves no trace.
            if all && charge.cost > 0 {
                states.insert(place, (state.ticks(), state.parts()));
            }
        }
    }
}

impl Binding for Bound {
    fn decide(&self, charges: &mut Charges, now: Timestamp) -> Answer {
        self.decide_now(charges, now.as_nanos());
        if !self.is_slow {
            return Answer::Now;
        }
        let charges = std::mem::take(charges);
        Answer::Later(Box::pin(async {
            tokio::task::yield_now().await;
            Ok(charges)
        }))
    }

    fn forget(&self, key: &Key) -> bool {
        let mut states = self.states.lock().unwrap();
        let before = states.len();
        states.retain(|(_, held), _| held != key.as_bytes());
        states.len() < before
    }

    fn digest(&self, key: &Key) -> Digest {
        Digest::from_u64(self.names.hash_one(key))
    }

    fn usage(&self, policy: usize) -> Usage {
        let states = self.states.lock().unwrap();
        let keys = states.keys().filter(|(name, _)| *name == self.policies[policy].0).count();
        Usage::new(keys, usize::MAX, 0)
    }
}

fn layer(store: impl Store, clock: &ManualClock) -> RateLimitLayer {
    let cost = |head: &RequestHead<'_>| head.header_str("x-cost").map_or(1, |cost| cost.parse().unwrap());
    RateLimitLayer::new([
        Policy::new("user", Quota::per_second(7).burst(5)).key(header("x-user")).cost(cost),
        Policy::new("all", Quota::per_second(100).burst(30)).key(global()),
        Policy::new("pair", Quota::per_minute(90)).key((header("x-user"), global())),
    ])
    .clock(clock.clone())
    .store(store)
}

#[tokio::test]
async fn a_store_of_ones_own_answers_as_memory_does() {
    for is_slow in [false, true] {
        let clock = ManualClock::new();
        let ledger = layer(Ledger { is_slow, ..Ledger::default() }, &clock);
        let memory = layer(MemoryStore::with_capacity(100).unwrap(), &clock);
        let (mut own, mut ours) = (limited(&ledger), limited(&memory));
        let mut random = Random::new(7);
        let mut refused = 0;
        for number in 0..5_000 {
            let user = random.below(20).to_string();
            let cost = if random.below(10) == 0 { random.below(8) } else { 1 };
            let request = || -> Request<()> {
                let mut request = with("x-user", &user);
                request.headers_mut().insert("x-cost", cost.into());
                request
            };
            let (one, other) = (send(&mut own, request()).await, send(&mut ours, request()).await);
            assert_eq!(one.status(), other.status(), "request {number}");
            for field in ["ratelimit", "ratelimit-policy", "retry-after"] {
                assert_eq!(one.headers().get(field), other.headers().get(field), "request {number}, {field}");
            }
            refused += usize::from(one.status() == 429);
            clock.advance(Duration::from_nanos(random.below(10_000_000)));
        }
        assert!((500..4_500).contains(&refused), "{refused} of 5000 refused");

        let user = header("x-user").key_of("3").unwrap();
        assert!(ledger.handle().forget(&user) && memory.handle().forget(&user));
        assert!(!ledger.handle().forget(&user) && !memory.handle().forget(&user));
        let keys = |layer: &RateLimitLayer| {
            layer.handle().stats().policies.iter().map(|p| p.keys).collect::<Vec<_>>()
        };
        assert_eq!(keys(&ledger), keys(&memory));
    }
}
