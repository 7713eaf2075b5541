//! What a key has used under limits that it has left.
//!
//! A key takes its used share along from tier to tier, and from limit to limit when that changes for everybody, and gets it back as
//! the one gives it back that it is in. If that were all, who had spent ten per day would have them again after a moment in a tier
//! whose whole burst comes back in one. So what was used is remembered as well, as it would go had the key stayed where it was
//! used, and a limit that gives back more slowly finds at least that much used.
//!
//! And of who takes nothing in a limit, nothing but that is taken along from there: what was brought is what is remembered
//! anyway, and would be rounded up, and begin anew, each time.
//!
//! There are two of these for all limits that a key has left: enough for who goes to and fro between two. Of more, those that last
//! most nearly as long become one that is no less than either. Who goes back and forth is by that never better off than who
//! stays, in any of them; and between three or more may be worse off than by each of them alone.

use core::cmp::Reverse;

use super::residue::{Residue, Share, is_more};
use crate::kept::Mark;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Elsewhere {
    /// That which lasts longer first, and of which limit it is, if that is known.
    pub(super) left: [(Residue, LimitId); 2],
    /// When the last of it was taken: maybe later than now, of a key that was penalized, or has promised what it will take.
    pub(super) taken: u64,
    /// When it came to where it is. It does not go before that: a late request would take it back to when it had not yet used what
    /// it has.
    pub(super) came: u64,
    /// The state it came in, if there is anything to remember.
    pub(super) arrived: Mark,
}

/// One of the limits that a table has, or had; or none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct LimitId(pub(super) u32);

const NOTHING: (Residue, LimitId) = (Residue { until: 0, span: 0, most: (0, 0) }, LimitId(0));

/// In which it is written down.
pub(super) const WORDS: usize = 11;

/// The word that is the tick at which nothing is left.
pub(super) const UNTIL: usize = 0;

impl Elsewhere {
    pub(super) fn pack(self) -> [u64; WORDS] {
        let [([a, b, c], one), ([d, e, f], another)] =
            self.left.map(|(residue, id)| (residue.pack(), u64::from(id.0)));
        let Mark { low, high } = self.arrived;
        [a, b, c, d, e, f, one << 32 | another, self.taken, self.came, low, high]
    }

    pub(super) fn unpack([a, b, c, d, e, f, ids, taken, came, low, high]: [u64; WORDS]) -> Self {
        let left = [([a, b, c], ids >> 32), ([d, e, f], ids)]
            .map(|(residue, id)| (Residue::unpack(residue), LimitId(id as u32)));
        Self { left, taken, came, arrived: Mark { low, high } }
    }

    /// Without what was left of this limit.
    pub(super) fn without(self, id: LimitId) -> Self {
        self.kept(|of| of != id || of == LimitId::default())
    }

    /// No more than what was left of this limit.
    pub(super) fn only(self, id: LimitId) -> Self {
        self.kept(|of| of == id && of != LimitId::default())
    }

    fn kept(self, is_kept: impl Fn(LimitId) -> bool) -> Self {
        Self {
            left: self.left.map(|(residue, of)| if is_kept(of) { (residue, of) } else { NOTHING }),
            ..self
        }
    }

    /// With what is left at `at` of one more limit, of which the last was taken at `taken`; instead of what was left there
    /// before, which is part of that, or was given back.
    pub(super) fn with(self, left: Residue, id: LimitId, taken: u64, at: u64) -> Self {
        let taken = self.taken.max(if left.until > at { taken } else { 0 });
        let before = self.without(id).left;
        let mut all = [(left, id), before[0], before[1]];
        let is_over = |(residue, _): (Residue, LimitId)| residue.until <= at;
        // Where there is room for all, each stays by itself: one that covers another may be given back.
        let is_full = !all.into_iter().any(is_over);
        for index in 0..all.len() {
            let covers = |other: usize| other != index && all[other].0.covers(all[index].0, at);
            if is_over(all[index]) || is_full && (0..all.len()).any(covers) {
                all[index] = NOTHING;
            }
        }
        all.sort_by_key(|(residue, _)| Reverse(residue.until));
        let [longest, middle, shortest] = all;
        let left = if shortest == NOTHING {
            [longest, middle]
        } else {
            let [long, middling, short] = all.map(|(residue, _)| u128::from(residue.until - at));
            let both = |one: Residue, other: Residue| (one.over(other, at), LimitId::default());
            if long * short <= middling * middling {
                [both(longest.0, middle.0), shortest]
            } else {
                [longest, both(middle.0, shortest.0)]
            }
        };
        match left[0] == NOTHING {
            true => Self::default(),
            false => Self { left, taken, ..self },
        }
    }

    /// The largest share that is left at `at`.
    pub(super) fn share(self, at: u64) -> Share {
        let [one, another] = self.left.map(|(residue, _)| residue.share(at));
        if is_more(another, one) { another } else { one }
    }
}

#[cfg(all(test, not(loom)))]
mod tests;
