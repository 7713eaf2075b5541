//! What a key has used under limits it has left, for the models.

use crate::algorithm::{AlgorithmName, AnyAlgorithm};
use crate::test_util::model::AnyModel;
use crate::test_util::model::returning::{Rest, rounded};

/// What is left of at most two limits.
#[derive(Clone, Debug, Default)]
pub(super) struct Elsewhere {
    rests: Vec<Rest>,
    taken: u64,
    /// When the key came with anything used to where it is.
    came: u64,
}

/// Whether what was used of `left` may come back sooner in `next`.
pub(super) fn is_sooner(next: &AnyAlgorithm, left: &AnyAlgorithm) -> bool {
    use AlgorithmName::{Gcra, LeakyBucket};
    let is_bucket = |limit: &AnyAlgorithm| matches!(limit.name(), Gcra | LeakyBucket);
    if is_bucket(next) && is_bucket(left) {
        let time = |limit: &AnyAlgorithm| {
            let quota = limit.quota();
            (u128::from(quota.burst_size()) * quota.period().as_nanos() / u128::from(quota.limit())).max(1)
        };
        return time(next) < time(left);
    }
    let windows = |limit: &AnyAlgorithm| {
        let is_staggered = limit.to_string().ends_with("staggered");
        (limit.name(), limit.quota().period(), is_staggered)
    };
    windows(next) != windows(left)
}

impl Elsewhere {
    /// Changes a key that is left in one limit and found in another. The limit was changed last for everybody at `changed`.
    pub(super) fn change(
        &mut self,
        model: &mut AnyModel,
        change: impl FnOnce(&mut AnyModel, u64),
        (left, next): (&AnyAlgorithm, &AnyAlgorithm),
        at: u64,
        changed: u64,
    ) {
        // Not before it came, or before everybody did: it had not used then what it has.
        let came = self.came.max(changed);
        let at = if at < came && model.fresh_from() > came { came } else { at };
        let (rest, taken) = model.rest(at);
        change(model, at);
        if is_sooner(left, next) {
            model.find(&self.rests, self.taken, at);
        }
        if is_sooner(next, left) {
            self.leave(rest, taken, at);
        }
        if model.fresh_from() > at {
            self.came = self.came.max(at);
        }
    }

    fn leave(&mut self, rest: Rest, taken: u64, at: u64) {
        if rest.until > at {
            self.taken = self.taken.max(taken);
        }
        if self.taken <= at {
            self.taken = 0;
        }
        self.rests.insert(0, rest);
        self.rests.retain(|rest| rest.until > at);
        // None that another is no less than; of two that are the same, the later.
        let mut index = 0;
        while index < self.rests.len() {
            let rest = self.rests[index];
            let others = self.rests.iter().enumerate().filter(|(other, _)| *other != index);
            if others.into_iter().any(|(_, other)| is_covered(&rest, other, at)) {
                self.rests.remove(index);
            } else {
                index += 1;
            }
        }
        if self.rests.is_empty() {
            self.taken = 0;
        }
        self.rests.sort_by_key(|rest| core::cmp::Reverse(rest.until));
        if let [long, middle, short] = self.rests[..] {
            let time = |rest: Rest| u128::from(rest.until - at);
            // The two that are nearest, by how many times as long the one is.
            self.rests = if time(long) * time(short) <= time(middle) * time(middle) {
                vec![both(long, middle, at), short]
            } else {
                vec![long, both(middle, short, at)]
            };
        }
    }
}

/// From `at` on, the ticks at which the line is no longer straight.
fn corners(rest: &Rest, at: u64) -> Vec<u64> {
    let falls = rest.until.saturating_sub(rest.span.max(1));
    [at, falls].into_iter().filter(|tick| *tick >= at).collect()
}

fn is_covered(rest: &Rest, other: &Rest, at: u64) -> bool {
    let is_less = |tick: u64| {
        let ((a, b), (c, d)) = (rest.share(tick), other.share(tick));
        a * d <= c * b
    };
    other.until >= rest.until && corners(rest, at).into_iter().all(is_less)
}

/// A line over two, from the larger of them to the end of the longer.
fn both(long: Rest, short: Rest, at: u64) -> Rest {
    let ((a, b), (c, d)) = (long.share(at), short.share(at));
    let (units, of) = if c * b > a * d { (c, d) } else { (a, b) };
    let (units, of) = rounded(units, of, 1 << 32);
    let mut span = u128::MAX;
    for rest in [long, short] {
        for tick in corners(&rest, at) {
            let (part, whole) = rest.share(tick);
            let time = u128::from(long.until - tick) * whole / part;
            span = span.min(time.min(u64::MAX.into()) * units / of);
        }
    }
    Rest { until: long.until, span: span as u64, units: units as u64, of: of as u64 }
}
