//! What a limiter says, put to the test without taking anything.

use std::time::Duration;

use rate_core::Timestamp;
use rate_core::algorithm::{Algorithm, AlgorithmName};

use super::kind::Kind;
use super::run::Run;
use super::subject::KEY;

impl<A: Kind> Run<'_, A> {
    pub(super) fn put_to_the_test(&mut self, cost: u64, at: Timestamp) {
        let now = at.as_nanos();
        let peek = |cost, at| self.ask(|subject| subject.peek(cost, Timestamp::from_nanos(at)));
        let (capacity, found) = (self.algorithm.capacity(), peek(cost, now));
        assert_eq!(found.limit(), capacity);
        assert!(found.remaining() <= capacity, "{found:?}");
        if let Some(older) = self.older_clone() {
            assert_eq!(older.peek_n_at(&KEY, cost, at), found, "of a clone that is older than a change");
        }
        if self.algorithm.name() != AlgorithmName::LeakyBucket && now < self.beyond {
            // Of an older instant less may remain than nothing, which is told as nothing.
            assert_eq!(found.is_allowed(), cost <= found.remaining(), "{cost} of {found:?}");
        }

        let reset = now.saturating_add(nanos(found.reset_after()));
        if reset < self.beyond {
            assert_eq!(peek(cost, reset).remaining(), capacity, "after the reset that {found:?} told");
            if reset > now {
                assert!(!peek(cost, reset - 1).reset_after().is_zero(), "before {found:?} is over");
            }
        }
        match found.retry_after() {
            None => assert!(
                cost > capacity || self.latest >= self.beyond || self.is_pushed,
                "{cost} never, {found:?}"
            ),
            Some(wait) if !found.is_allowed() => {
                let then = now.saturating_add(nanos(wait));
                assert!(!wait.is_zero(), "refused, and nothing to wait for: {found:?}");
                if then < self.beyond {
                    assert!(peek(cost, then).is_allowed(), "{cost} after what {found:?} told");
                    assert!(!peek(cost, then - 1).is_allowed(), "{cost} before what {found:?} told");
                }
                self.wait = nanos(wait);
            }
            Some(_) => {}
        }
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).expect("waits are of 64 bits")
}
