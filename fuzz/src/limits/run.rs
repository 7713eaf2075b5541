//! Two limiters of one limit and what is known of them.

use std::fmt::Debug;
use std::time::Duration;

use rate_core::algorithm::{AlgorithmName, AnyAlgorithm};
use rate_core::{Clock, Denied, KeyedLimiter, Limiter, Quota, Reservation, Secret, Timestamp};

use super::super::input::Input;
use super::admitted::Admitted;
use super::kind::Kind;
use super::subject::Subject;

/// A limiter of each kind, and another one that a request may have to pass too.
pub(super) struct Limiters<A> {
    single: Limiter<A>,
    keyed: KeyedLimiter<A>,
    pub(super) other: KeyedLimiter,
    algorithm: AnyAlgorithm,
}

impl<A: Kind> Limiters<A> {
    pub(super) fn new(algorithm: A, input: &mut Input<'_>) -> Self {
        let clock = UtcAt(Duration::from_nanos(input.number()));
        let secret = Secret::from_bytes(*b"the same in all ");
        let keyed = KeyedLimiter::builder_of(algorithm).capacity(16).secret(secret);
        let other = KeyedLimiter::builder(Quota::per_second(2).burst(9)).capacity(1).secret(secret);
        Self {
            single: Limiter::of_with_clock(algorithm, clock),
            keyed: keyed.clock(clock).build().expect("memory for 16 keys"),
            other: other.clock(clock).build().expect("memory for a key"),
            algorithm: algorithm.into(),
        }
    }
}

/// A clock that nobody reads, and that says what windows are aligned to.
#[derive(Clone, Copy, Debug)]
struct UtcAt(Duration);

impl Clock for UtcAt {
    fn now(&self) -> Timestamp {
        Timestamp::ZERO
    }

    fn utc_at_zero(&self) -> Duration {
        self.0
    }
}

/// The limiters in use.
pub(super) struct Run<'a, A: Kind> {
    limiters: &'a Limiters<A>,
    /// The one to be used since the limit was changed.
    changed: Option<KeyedLimiter<A>>,
    /// Whether that one is for some keys only, and clones that are older count by their own limit.
    is_tier: bool,
    pub(super) algorithm: AnyAlgorithm,
    /// Up to here a limit has to be exact. From here on there may be no time left to earn anything back.
    pub(super) beyond: u64,
    /// Whether both limiters have been told the same, in a way that both can be expected to answer alike.
    twins: bool,
    /// Whether other keys were there, which may have taken the place of this one when it was as good as new.
    pub(super) is_crowded: bool,
    /// Whether a state may be later than what units that were there make it.
    pub(super) is_pushed: bool,
    pub(super) latest: u64,
    /// The wait that was last told.
    pub(super) wait: u64,
    pub(super) admitted: Admitted,
    /// In each limiter, and which admission it was.
    pub(super) reserved: Vec<(usize, Vec<Reservation<'a>>)>,
}

impl<'a, A: Kind> Run<'a, A> {
    pub(super) fn new(limiters: &'a Limiters<A>) -> Self {
        let algorithm = limiters.algorithm;
        Self {
            limiters,
            changed: None,
            is_tier: false,
            algorithm,
            beyond: beyond(&algorithm),
            // A limiter without keys has nothing to stagger by.
            twins: !algorithm.to_string().ends_with("staggered"),
            is_crowded: false,
            is_pushed: false,
            latest: 0,
            wait: 0,
            admitted: Admitted::default(),
            reserved: Vec::new(),
        }
    }

    /// The limiter with keys.
    pub(super) fn keyed(&self) -> &KeyedLimiter<A> {
        self.changed.as_ref().unwrap_or(&self.limiters.keyed)
    }

    /// Another one.
    pub(super) fn other(&self) -> &KeyedLimiter {
        &self.limiters.other
    }

    /// The limiter without keys, as long as the two are compared.
    pub(super) fn twin(&self) -> Option<&Limiter<A>> {
        self.twins.then_some(&self.limiters.single)
    }

    /// A clone from before the limit was changed, which goes on under the new one.
    pub(super) fn older_clone(&self) -> Option<&KeyedLimiter<A>> {
        self.changed.as_ref().filter(|_| !self.is_tier).map(|_| &self.limiters.keyed)
    }

    /// Asks both limiters, which have to agree.
    pub(super) fn ask<T: PartialEq + Debug>(&self, ask: impl Fn(&dyn Subject<A>) -> T) -> T {
        let answer = ask(self.keyed());
        if let Some(twin) = self.twin() {
            assert_eq!(answer, ask(twin), "with keys and without, {}", self.algorithm);
        }
        answer
    }

    /// Reserves in both limiters, which have to agree; nothing where there are no reservations.
    ///
    /// # Errors
    ///
    /// The refusal.
    pub(super) fn ask_to_reserve(
        &self,
        cost: u64,
        max_wait: Duration,
        now: Timestamp,
    ) -> Option<Result<Vec<Reservation<'a>>, Denied>> {
        let limiters = self.limiters;
        if self.is_tier {
            return None;
        }
        let reserved = A::reserve(&limiters.keyed, cost, max_wait, now)?;
        if !self.twins {
            return Some(reserved.map(|reservation| vec![reservation]));
        }
        let twin = A::reserve(&limiters.single, cost, max_wait, now)?;
        Some(match (reserved, twin) {
            (Ok(one), Ok(other)) => {
                assert_eq!((one.wait(), one.ready_at()), (other.wait(), other.ready_at()));
                Ok(vec![one, other])
            }
            (Err(one), Err(other)) => {
                assert_eq!(one, other);
                Err(one)
            }
            (one, other) => panic!("{one:?} with keys, {other:?} without"),
        })
    }

    /// Writes down that something happens at `now`.
    pub(super) fn arrive(&mut self, now: u64) {
        self.twins &= now >= self.latest || !self.is_crowded;
        self.latest = self.latest.max(now);
    }

    pub(super) fn change(&mut self, algorithm: A, now: Timestamp) {
        // For everybody: of a tier it would be another tier.
        self.go_on_with(self.limiters.keyed.with_limit_at(algorithm, now), algorithm.into());
        self.is_tier = false;
        for (_, reservations) in self.reserved.drain(..) {
            let given = reservations.into_iter().next().map(|one| one.cancel_at(now));
            // What was taken under one limit cannot be given back under another.
            assert!(given == Some(0) || self.algorithm == self.limiters.algorithm, "{given:?}");
        }
    }

    /// Counts by another quota from now on, where there are tiers.
    pub(super) fn change_tier(&mut self, quota: Quota) {
        let Some(tier) = A::tier(self.keyed(), quota) else { return };
        self.go_on_with(tier, quota.into());
        self.is_tier = true;
        self.reserved.clear();
    }

    fn go_on_with(&mut self, limiter: KeyedLimiter<A>, algorithm: AnyAlgorithm) {
        self.changed = Some(limiter);
        self.algorithm = algorithm;
        self.beyond = self.beyond.min(beyond(&self.algorithm));
        self.twins = false;
        self.admitted.clear();
    }
}

/// The instant from which on there is less time left than two spans in which a spent limit becomes as good as new.
fn beyond(algorithm: &AnyAlgorithm) -> u64 {
    let quota = algorithm.quota();
    let span = match algorithm.name() {
        AlgorithmName::Gcra | AlgorithmName::LeakyBucket => quota.refill_time(),
        _ => 2 * quota.period(),
    };
    u64::try_from(2 * span.as_nanos()).map_or(0, |spans| u64::MAX - spans)
}
