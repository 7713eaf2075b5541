//! What was admitted, and whether that is more than a limit's bounds.

use rate_core::Timestamp;
use rate_core::algorithm::Bounds;

/// Units that were taken.
#[derive(Clone, Copy, Debug)]
pub(super) struct Charge {
    pub(super) units: u64,
    /// The instant that the limiter was told.
    pub(super) told: Timestamp,
    /// The instant at which they could be used, and no earlier than what was taken before: a limit does not go back in time.
    pub(super) at: u64,
}

#[derive(Debug, Default)]
pub(super) struct Admitted {
    pub(super) charges: Vec<Charge>,
    /// Whether anything was given back. Then a limit may have forgotten how late it was.
    has_given_back: bool,
    /// Whether the bounds say nothing any more: more was given back than had been taken, of which no limit can know, or it
    /// was told an older time than one it may have forgotten.
    is_beyond: bool,
}

impl Admitted {
    pub(super) fn admit(&mut self, charge: Charge) {
        if charge.units == 0 {
            return;
        }
        let at = self.charges.iter().map(|charge| charge.at).fold(charge.at, u64::max);
        self.is_beyond |= self.has_given_back && at > charge.at;
        self.charges.push(Charge { at, ..charge });
    }

    pub(super) fn give_back(&mut self, index: usize, units: u64) {
        let charge = &mut self.charges[index];
        charge.units = charge.units.saturating_sub(units);
        self.has_given_back = true;
    }

    pub(super) fn go_beyond(&mut self) {
        self.is_beyond = true;
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// # Panics
    ///
    /// If any window has more than it may.
    pub(super) fn verify(&self, bounds: Bounds) {
        // The largest number there is means that many or more.
        if self.is_beyond || bounds.units() == u64::MAX {
            return;
        }
        for first in &self.charges {
            let window = first.at..first.at.saturating_add(bounds.ticks());
            let inside = self.charges.iter().filter(|charge| window.contains(&charge.at));
            let units: u128 = inside.map(|charge| u128::from(charge.units)).sum();
            assert!(
                units <= bounds.units().into(),
                "{units} from {window:?} on, {bounds}: {:?}",
                self.charges
            );
        }
    }
}
