//! What a key has used under limits it has left, for the models.

/// A share, as a line that falls to nothing: an instant, and the ticks in which it would fall from one.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Elsewhere {
    until: u64,
    span: u64,
}

impl Elsewhere {
    /// With what is used at `at` of a bucket that is left: ticks until it is full, and those in which an empty one fills.
    ///
    /// The larger of the two shares, for as long as the longer of them lasts; rounded up.
    pub(super) fn leave(&mut self, (used, full): (u64, u64), at: u64) {
        let all_until =
            at.saturating_add(used).saturating_sub(full).max(self.until.saturating_sub(self.span));
        if all_until > at {
            // Owed or promised, so all of it for a while yet.
            self.until = self.until.max(at.saturating_add(used));
            self.span = (self.until - all_until).max(1);
            return;
        }
        let line = (u128::from(self.until.saturating_sub(at).min(self.span)), u128::from(self.span.max(1)));
        let own = (u128::from(used.min(full)), u128::from(full));
        let (part, whole) = if own.0 * line.1 > line.0 * own.1 { own } else { line };
        let until = self.until.max(at.saturating_add(used));
        if part == 0 || until <= at {
            *self = Self::default();
            return;
        }
        self.until = until;
        self.span = u64::try_from(u128::from(self.until - at) * whole / part).unwrap_or(u64::MAX);
    }

    /// The instant before which a bucket is not full that fills in `full` ticks and is come to at `at`.
    pub(super) fn arrive(self, full: u64, at: u64) -> u64 {
        let part = self.until.saturating_sub(at).min(self.span);
        if part == 0 {
            return 0;
        }
        let ahead = (u128::from(part) * u128::from(full)).div_ceil(self.span.into());
        at.saturating_add(ahead as u64)
    }
}
