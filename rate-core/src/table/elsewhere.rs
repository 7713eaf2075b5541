//! What a key has used under limits that it has left.
//!
//! A key takes its used share along from tier to tier, and from limit to limit when that changes for everybody, and earns it back at
//! the rate of the one it is in. If that were all, who had spent ten per day would have them again after a moment in a tier whose
//! whole burst comes back in one. So the share that was used is remembered as well, as it would fall had the key stayed where it
//! was used, and whatever limit the key comes to finds at least that much used.
//!
//! One line for all limits that a key has left: from the largest share at any time to the instant at which the last of them is
//! earned back. Who goes back and forth is by that never better off than who stays, in any of them; and may be worse off than
//! by each of them alone.

use crate::algorithm::{Gcra, Tat};

/// A share that falls evenly to nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Elsewhere {
    /// The tick at which nothing is left of it.
    pub(super) until: u64,
    /// The ticks in which all of a quota would be earned back at that rate; not zero, if there is anything left.
    pub(super) span: u64,
}

/// So many of so many, which are not zero.
type Share = (u64, u64);

impl Elsewhere {
    /// What is left at `at`.
    fn share(self, at: u64) -> Share {
        (self.until.saturating_sub(at).min(self.span), self.span.max(1))
    }

    /// With what is used in `gcra` by a key that leaves it at `at`.
    pub(super) fn with(self, gcra: &Gcra, state: Tat, at: u64) -> Self {
        let (ahead, full) = gcra.used_of_full(state, at);
        let here_until = at.saturating_add(ahead);
        // A debt, a reservation or a penalty: all of it is used for a while yet, here or where the key was before.
        let all_until = here_until.saturating_sub(full).max(self.until.saturating_sub(self.span));
        if all_until > at {
            let until = self.until.max(here_until);
            return Self { until, span: (until - all_until).max(1) };
        }
        let (there, here) = (self.share(at), (ahead.min(full), full));
        let share = if is_more(here, there) { here } else { there };
        let until = self.until.max(here_until);
        if share.0 == 0 || until <= at {
            return Self::default();
        }
        // Rounded down, so that the share is no less than it is.
        let span = u128::from(until - at) * u128::from(share.1) / u128::from(share.0);
        Self { until, span: u64::try_from(span).unwrap_or(u64::MAX) }
    }

    /// The state of a key that has at least so much used when it comes to `gcra` at `at`.
    pub(super) fn applied(self, gcra: &Gcra, state: Tat, at: u64) -> Tat {
        let (used, all) = self.share(at);
        if used == 0 {
            // Not moved to `at`, which may lie far ahead of everybody else's time.
            return state;
        }
        let (_, full) = gcra.used_of_full(state, at);
        let ahead = (u128::from(used) * u128::from(full)).div_ceil(u128::from(all));
        // At most all of it.
        state.max(gcra.fresh_at(at.saturating_add(ahead as u64)))
    }
}

fn is_more(one: Share, other: Share) -> bool {
    u128::from(one.0) * u128::from(other.1) > u128::from(other.0) * u128::from(one.1)
}

#[cfg(all(test, not(loom)))]
mod tests;
