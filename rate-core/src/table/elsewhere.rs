//! What a key has used under limits that it has left.
//!
//! A key takes its used share along from tier to tier, and from limit to limit when that changes for everybody, and gets it back as
//! the one gives it back that it is in. If that were all, who had spent ten per day would have them again after a moment in a tier
//! whose whole burst comes back in one. So what was used is remembered as well, as it would go had the key stayed where it was
//! used, and a limit that gives back more slowly finds at least that much used.
//!
//! Two of these for all limits that a key has left: enough for who goes to and fro between two. Of more, those that last most
//! nearly as long become one that is no less than either. Who goes back and forth is by that never better off than who
//! stays, in any of them; and between three or more may be worse off than by each of them alone.

use core::cmp::Reverse;

use super::residue::{Residue, Share, is_more};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Elsewhere {
    /// That which lasts longer first.
    pub(super) residues: [Residue; 2],
    /// When the last of it was taken, if that is yet to come: of a key that was penalized, or has promised what it will take.
    pub(super) taken: u64,
    /// When it came here with anything used. It does not go before that: a late request would take it back to when it had not
    /// yet used what it has.
    pub(super) came: u64,
}

/// In which it is written down.
pub(super) const WORDS: usize = 8;

/// The word that is the tick at which nothing is left.
pub(super) const UNTIL: usize = 0;

impl Elsewhere {
    pub(super) fn pack(self) -> [u64; WORDS] {
        let [[a, b, c], [d, e, f]] = self.residues.map(Residue::pack);
        [a, b, c, d, e, f, self.taken, self.came]
    }

    pub(super) fn unpack([a, b, c, d, e, f, taken, came]: [u64; WORDS]) -> Self {
        Self { residues: [[a, b, c], [d, e, f]].map(Residue::unpack), taken, came }
    }

    /// With what is left at `at` of one more limit, of which the last was taken at `taken`.
    pub(super) fn with(self, left: Residue, taken: u64, at: u64) -> Self {
        let taken = self.taken.max(if left.until > at { taken } else { 0 });
        let mut all = [left, self.residues[0], self.residues[1]];
        for index in 0..all.len() {
            let is_over = all[index].until <= at;
            let is_covered = (0..all.len()).any(|other| other != index && all[other].covers(all[index], at));
            if is_over || is_covered {
                all[index] = Residue::default();
            }
        }
        all.sort_by_key(|residue| Reverse(residue.until));
        let [longest, middle, shortest] = all;
        let residues = if shortest == Residue::default() {
            [longest, middle]
        } else {
            let [long, middling, short] = all.map(|residue| u128::from(residue.until - at));
            if long * short <= middling * middling {
                [longest.over(middle, at), shortest]
            } else {
                [longest, middle.over(shortest, at)]
            }
        };
        let is_any = residues[0].until > 0;
        Self { residues, taken: if taken > at && is_any { taken } else { 0 }, ..self }
    }

    /// The largest share that is left at `at`.
    pub(super) fn share(self, at: u64) -> Share {
        let [one, another] = self.residues.map(|residue| residue.share(at));
        if is_more(another, one) { another } else { one }
    }
}

#[cfg(all(test, not(loom)))]
mod tests;
