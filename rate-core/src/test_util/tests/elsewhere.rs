//! What a key has used under limits it has left, for the models.

use crate::Timestamp;
use crate::algorithm::{AlgorithmName, AnyAlgorithm};
use crate::test_util::model::AnyModel;
use crate::test_util::model::returning::{Rest, rounded};

/// What is left of at most two limits.
#[derive(Debug, Default)]
pub(super) struct Elsewhere {
    /// And which limit it is of, if it is known.
    rests: Vec<(Rest, Option<u64>)>,
    taken: u64,
    /// When the key came to where it is, and how it was then, if there is anything to remember.
    came: u64,
    arrived: Option<String>,
}

/// A change of a limit that is to be made.
pub(super) struct Way<'l> {
    pub(super) left: (&'l AnyAlgorithm, u64),
    pub(super) next: (&'l AnyAlgorithm, u64),
    pub(super) at: u64,
    /// When the limit was changed last for everybody.
    pub(super) changed: u64,
    /// Whether what is used is remembered.
    pub(super) remembers: bool,
}

/// In which all of a limit has come back.
fn time(limit: &AnyAlgorithm) -> u128 {
    let quota = limit.quota();
    // A whole burst, which in windows is the limit; a window fades in the next.
    let windows = if limit.name() == AlgorithmName::SlidingWindow { 2 } else { 1 };
    let time = u128::from(quota.burst_size()) * quota.period().as_nanos() / u128::from(quota.limit());
    (time * windows).clamp(1, u64::MAX.into())
}

/// Whether what was used of `left` may come back sooner in `next`.
pub(super) fn is_sooner(next: &AnyAlgorithm, left: &AnyAlgorithm) -> bool {
    use AlgorithmName::{Gcra, LeakyBucket};
    let is_bucket = |limit: &AnyAlgorithm| matches!(limit.name(), Gcra | LeakyBucket);
    if is_bucket(next) && is_bucket(left) {
        return time(next) < time(left);
    }
    let windows = |limit: &AnyAlgorithm| {
        let is_staggered = limit.to_string().ends_with("staggered");
        (limit.name(), limit.quota().period(), is_staggered)
    };
    windows(next) != windows(left)
}

impl Elsewhere {
    /// Changes a key that is left in one limit and found in another, which is done by `change`.
    pub(super) fn change(
        &mut self,
        model: &mut AnyModel,
        next: AnyModel,
        Way { left: (left, id), next: (limit, next_id), at, changed, remembers }: Way<'_>,
    ) {
        // Not before it came, or before everybody did: it had not used then what it has.
        let came = self.came.max(changed);
        let at = if at < came && model.fresh_from() > came { came } else { at };
        let has_taken = self.arrived.as_ref() != Some(&model.state());
        let ((rest, taken), before) = (model.rest(at), (self.rests.clone(), self.taken));
        if has_taken && remembers {
            self.leave(rest, id, taken, at);
        }
        let (is_slower, is_sooner) = (is_sooner(left, limit), is_sooner(limit, left));
        let is_taken_over = (has_taken || !is_slower && !is_sooner) && model.is_taken_over_by(&next, at);
        if has_taken || is_taken_over {
            model.change(next, Timestamp::from_nanos(at));
        } else {
            model.change_idle(next, at);
        }
        let is_recent = u128::from(at.saturating_sub(self.came.max(before.1))) <= time(limit);
        // All, where it takes nothing along; else but for what that is. And where it brings no less anyway, or all would have come
        // back, what was left there itself.
        let has_brought = has_taken || is_taken_over;
        let is_left = |of: &Option<u64>| match (has_brought, is_slower && is_recent) {
            (false, _) => true,
            (true, true) => *of != Some(id),
            (true, false) => *of == Some(next_id),
        };
        let rests: Vec<Rest> = before.0.iter().filter(|(_, of)| is_left(of)).map(|(rest, _)| *rest).collect();
        model.find(&rests, before.1, at);
        if !self.rests.is_empty() {
            self.came = self.came.max(at);
            // More slowly comes back what it has used, whether it takes anything or not.
            self.arrived = (!has_taken || time(limit) <= time(left)).then(|| model.state());
        }
    }

    fn leave(&mut self, rest: Rest, id: u64, taken: u64, at: u64) {
        if rest.until > at {
            self.taken = self.taken.max(taken);
        }
        // What was left there before is part of it.
        self.rests.retain(|(_, of)| *of != Some(id));
        self.rests.insert(0, (rest, Some(id)));
        self.rests.retain(|(rest, _)| rest.until > at);
        // If they are too many, none that another is no less than; of two that are the same, the later.
        let is_full = self.rests.len() > 2;
        let mut index = 0;
        while is_full && index < self.rests.len() {
            let rest = self.rests[index].0;
            let others = self.rests.iter().enumerate().filter(|(other, _)| *other != index);
            if others.into_iter().any(|(_, (other, _))| is_covered(&rest, other, at)) {
                self.rests.remove(index);
            } else {
                index += 1;
            }
        }
        if self.rests.is_empty() {
            *self = Self::default();
        }
        self.rests.sort_by_key(|(rest, _)| core::cmp::Reverse(rest.until));
        if let [long, middle, short] = self.rests[..] {
            let time = |rest: (Rest, Option<u64>)| u128::from(rest.0.until - at);
            // The two that are nearest, by how many times as long the one is.
            self.rests = if time(long) * time(short) <= time(middle) * time(middle) {
                vec![(both(long.0, middle.0, at), None), short]
            } else {
                vec![long, (both(middle.0, short.0, at), None)]
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
