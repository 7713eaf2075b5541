//! A million decisions at nanosecond instants against the exact bucket; and three arithmetics that such a comparison
//! must not let pass.

use std::time::Duration;

use rate_core::test_util::model::{Answer, Bucket, Model};
use rate_core::{KeyedLimiter, Limiter, Quota, Timestamp};

use super::random::{Random, TEN_YEARS, cost, quotas};

const QUOTAS: usize = 64;
const CALLS_PER_QUOTA: usize = 16_000;
const KEYS: u64 = 3;

/// Something that decides like a limiter per key.
trait Subject {
    fn check(&mut self, key: u64, cost: u64, now: u64) -> Answer;
}

struct One(Limiter);

impl Subject for One {
    fn check(&mut self, _: u64, cost: u64, now: u64) -> Answer {
        self.0.check_n_at(cost, Timestamp::from_nanos(now)).into()
    }
}

struct Keyed(KeyedLimiter);

impl Subject for Keyed {
    fn check(&mut self, key: u64, cost: u64, now: u64) -> Answer {
        self.0.check_n_at(&key, cost, Timestamp::from_nanos(now)).into()
    }
}

fn difference_of_a_limiter(seed: u64) -> Option<String> {
    first_difference(seed, 1, Answer::eq, |quota| One(Limiter::new(quota)))
}

fn difference_of_a_keyed_limiter(seed: u64) -> Option<String> {
    first_difference(seed, KEYS, Answer::eq, |quota| Keyed(KeyedLimiter::new(quota)))
}

/// The first decision in which either limiter differs from the model, for `tests/it/long`.
pub(crate) fn difference_from_the_model(seed: u64) -> Option<String> {
    difference_of_a_limiter(seed).or_else(|| difference_of_a_keyed_limiter(seed))
}

#[test]
fn a_limiter_decides_as_the_exact_bucket_does() {
    assert_eq!(difference_of_a_limiter(1), None);
}

#[test]
fn a_keyed_limiter_decides_as_the_exact_bucket_does() {
    assert_eq!(difference_of_a_keyed_limiter(2), None);
}

/// The common shape of limiters that lose a little: one instant per key in whole or floating nanoseconds.
struct Rounded<T> {
    tats: [T; KEYS as usize],
    interval: T,
    burst: u64,
}

#[test]
fn an_interval_rounded_down_does_not_pass() {
    let rounded = |quota: Quota| quota.period().as_nanos() / u128::from(quota.limit());
    assert_caught("rounded down", |quota| whole(quota, rounded(quota).max(1)));
}

#[test]
fn an_interval_rounded_up_does_not_pass() {
    let rounded = |quota: Quota| quota.period().as_nanos().div_ceil(u128::from(quota.limit()));
    assert_caught("rounded up", |quota| whole(quota, rounded(quota)));
}

#[test]
fn floating_point_does_not_pass() {
    let interval = |quota: Quota| quota.period().as_nanos() as f64 / quota.limit() as f64;
    assert_caught("f64", |quota| Rounded {
        tats: [0.0; KEYS as usize],
        interval: interval(quota),
        burst: quota.burst_size(),
    });
}

fn whole(quota: Quota, interval: u128) -> Rounded<u128> {
    Rounded { tats: [0; KEYS as usize], interval, burst: quota.burst_size() }
}

impl Subject for Rounded<u128> {
    fn check(&mut self, key: u64, cost: u64, now: u64) -> Answer {
        let (tat, now) = (&mut self.tats[key as usize], u128::from(now));
        let (full, price) = (u128::from(self.burst) * self.interval, u128::from(cost) * self.interval);
        let used = tat.saturating_sub(now);
        let wait = (used + price).saturating_sub(full);
        let never = cost > self.burst;
        let used = if cost == 0 || never || wait > 0 { used } else { used + price };
        *tat = (*tat).max(now + used);
        Answer {
            allowed: cost == 0 || !never && wait == 0,
            remaining: (full.saturating_sub(used) / self.interval) as u64,
            reset_after: Duration::from_nanos(used as u64),
            retry_after: (!never).then_some(Duration::from_nanos(if cost == 0 { 0 } else { wait as u64 })),
        }
    }
}

impl Subject for Rounded<f64> {
    fn check(&mut self, key: u64, cost: u64, now: u64) -> Answer {
        let (tat, now) = (&mut self.tats[key as usize], now as f64);
        let (full, price) = (self.burst as f64 * self.interval, cost as f64 * self.interval);
        let used = (*tat - now).max(0.0);
        let wait = (used + price - full).max(0.0);
        let never = cost > self.burst;
        let used = if cost == 0 || never || wait > 0.0 { used } else { used + price };
        *tat = tat.max(now + used);
        Answer {
            allowed: cost == 0 || !never && wait == 0.0,
            remaining: ((full - used).max(0.0) / self.interval) as u64,
            reset_after: Duration::from_nanos(used.ceil() as u64),
            retry_after: (!never).then_some(Duration::from_nanos(if cost == 0 {
                0
            } else {
                wait.ceil() as u64
            })),
        }
    }
}

/// Both by what is reported and by who is admitted.
fn assert_caught<S: Subject>(what: &str, subject: impl Fn(Quota) -> S) {
    let verdicts_equal = |a: &Answer, b: &Answer| a.allowed == b.allowed;
    assert!(first_difference(3, KEYS, Answer::eq, &subject).is_some(), "{what} passed for exact");
    assert!(first_difference(3, KEYS, verdicts_equal, &subject).is_some(), "{what} admitted as if exact");

    // Whole nanoseconds between units round to themselves: what was caught above is rounding and no other mistake.
    let whole = Quota::per_second(10);
    let caught = difference_for(whole, &mut Random::new(4), 1, Answer::eq, &mut subject(whole));
    assert_eq!(caught, Ok(()), "{what}");
}

/// Runs a subject beside the model over all quotas and tells the first decision in which they differ.
fn first_difference<S: Subject>(
    seed: u64,
    keys: u64,
    same: fn(&Answer, &Answer) -> bool,
    subject: impl Fn(Quota) -> S,
) -> Option<String> {
    let mut random = Random::new(seed);
    let quotas = quotas(&mut random, QUOTAS);
    assert!(quotas.len() >= 50 && quotas.len() * CALLS_PER_QUOTA >= 1_000_000);
    quotas
        .into_iter()
        .find_map(|quota| difference_for(quota, &mut random, keys, same, &mut subject(quota)).err())
        .map(|difference| format!("seed {seed}: {difference}"))
}

fn difference_for(
    quota: Quota,
    random: &mut Random,
    keys: u64,
    same: fn(&Answer, &Answer) -> bool,
    subject: &mut impl Subject,
) -> Result<(), String> {
    let mut buckets = vec![Bucket::new(quota); keys as usize];
    let mut now = random.magnitude(1 << 50);
    let mut wait = Duration::ZERO;
    let (mut allowed, mut denied) = (0, 0);
    for call in 0..CALLS_PER_QUOTA {
        now = (now + pause(random, quota, wait)).min(TEN_YEARS);
        let (key, cost) = (random.below(keys), cost(random, quota.burst_size()));
        let expected = buckets[key as usize].check(cost, Timestamp::from_nanos(now));
        let found = subject.check(key, cost, now);
        if !same(&found, &expected) {
            return Err(format!("{quota:?}, call {call}, cost {cost} at {now}: {found:?}, not {expected:?}"));
        }
        wait = expected.retry_after.unwrap_or_default();
        *if expected.allowed { &mut allowed } else { &mut denied } += 1;
    }
    // A run that only admits, or only refuses, would agree with almost anything.
    assert!(allowed.min(denied) > CALLS_PER_QUOTA / 20, "{quota:?}: {allowed} allowed, {denied} denied");
    Ok(())
}

/// Until the next call: mostly near the instants at which something changes.
fn pause(random: &mut Random, quota: Quota, retry_after: Duration) -> u64 {
    let interval = quota.time_for(1).as_nanos() as u64;
    let wait = retry_after.as_nanos() as u64;
    match random.below(16) {
        0..=3 => 0,
        4..=7 => random.below(interval + 2),
        8 => interval,
        9 => interval - 1,
        10..=11 => wait,
        12 => wait.saturating_sub(1),
        13 => wait + 1,
        14 => random.magnitude(1_000_000),
        // Long enough, now and then, for the bucket to fill.
        _ if random.below(50) == 0 => random.below(2 * quota.refill_time().as_nanos() as u64 + 1),
        _ => 1,
    }
}
