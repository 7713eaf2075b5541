//! From one limit to another.

use core::cmp::Ordering;

use super::{Counts, SlidingWindow};

impl SlidingWindow {
    /// The same shares of this limit as `state` has of `from`, a limit for the same windows; rounded up, and a penalty stays one.
    pub(crate) fn scaled(&self, from: &Self, state: Counts) -> Counts {
        let share = |count: u32| match u64::from(count) {
            penalty if penalty > from.limit() => self.penalty(),
            count => (u128::from(count) * u128::from(self.limit())).div_ceil(from.limit().into()) as u32,
        };
        Counts { previous: share(state.previous), current: share(state.current), ..state }
    }

    /// Units, and the ticks in which they fall evenly to none, that are no less than what counts at any tick from `at` on, and none
    /// when that is: at most the limit, and before they fall that many.
    pub(crate) fn falling(&self, state: Counts, at: u64) -> (u64, u64) {
        let (counts, gone) = self.current(state, at);
        let [previous, current] = [counts.previous, counts.current].map(|count| self.fading(count).into());
        if current == 0 {
            return (previous, self.period());
        }
        // May be more than all of it.
        let used = i128::from(self.limit()) - self.free(counts, gone).div_euclid(self.period().into());
        let units = self.limit().min(used as u64);
        let start = counts.window.saturating_mul(self.period());
        let end = self.period().checked_mul(2).and_then(|ticks| start.checked_add(ticks));
        let ticks = match end {
            None => 0,
            // As this window does in the next: then there is no less before that.
            Some(_) if previous <= current => {
                u128::from(self.period()) * u128::from(units) / u128::from(current)
            }
            // The one before fades faster: evenly from now on is no less than either.
            Some(end) => u128::from(end - start.max(at)) * u128::from(units) / used as u128,
        };
        (units, u64::try_from(ticks).unwrap_or(u64::MAX))
    }

    /// With at least so many units used at `at`, at most the limit; if `fading` says that nothing need be left of them in the
    /// next window, as units of the one before. It says when that is, and of how many units they are the rest if they fall until
    /// the end of the window.
    pub(crate) fn kept(&self, state: Counts, at: u64, units: u64, fading: Option<(u64, u64)>) -> Counts {
        let (counts, gone) = self.current(state, at);
        // Maybe past the end of time.
        let end = (u128::from(counts.window) + 1) * u128::from(self.period());
        let missing = u128::from(units.saturating_sub(counts.current.into()));
        if missing == 0 {
            return state;
        }
        let left = u128::from(self.period() - gone);
        let before = (missing * u128::from(self.period())).div_ceil(left);
        let before = match fading.map(|(until, of)| (u128::from(until).cmp(&end), of)) {
            Some((Ordering::Less, _)) => before,
            Some((Ordering::Equal, of)) => before.min(of.into()),
            _ => u128::MAX,
        };
        if before <= self.limit().into() {
            Counts { previous: counts.previous.max(before as u32), ..counts }
        } else {
            Counts { current: units as u32, ..counts }
        }
    }
}

#[cfg(all(test, feature = "std", not(loom)))]
mod tests;
