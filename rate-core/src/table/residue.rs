//! What is left, at any instant, of the share that a key has used of one limit.

/// So many of so many, which are not zero.
pub(super) type Share = (u64, u64);

const NOTHING: Share = (0, 1);

/// A share that is the same for a while, and then falls evenly to nothing, or ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Residue {
    /// The tick at which nothing is left of it.
    pub(super) until: u64,
    /// The ticks before that in which it falls.
    pub(super) span: u64,
    /// What it is before it falls: so many of so many.
    pub(super) most: (u32, u32),
}

impl Residue {
    pub(super) fn pack(self) -> [u64; 3] {
        [self.until, self.span, u64::from(self.most.0) << 32 | u64::from(self.most.1)]
    }

    pub(super) fn unpack([until, span, most]: [u64; 3]) -> Self {
        Self { until, span, most: ((most >> 32) as u32, most as u32) }
    }

    /// What is left at `at`.
    pub(super) fn share(self, at: u64) -> Share {
        let (left, span) = (self.until.saturating_sub(at), self.span.max(1));
        let (units, of) = (u128::from(self.most.0), u128::from(self.most.1));
        match left {
            0 => NOTHING,
            _ => narrow(units * u128::from(left.min(span)), of * u128::from(span), u64::BITS),
        }
    }

    /// The last tick at which it does not fall yet.
    fn bend(self) -> u64 {
        self.until.saturating_sub(self.span.max(1))
    }

    /// Whether from `at` on it is on its way to nothing.
    pub(super) fn is_falling(self, at: u64) -> bool {
        self.span > 0 && self.bend() <= at
    }

    /// Units of a limit of `all` that fall to nothing in so many ticks, if they fall as it does.
    pub(super) fn falling_in(self, ticks: u64, all: u64) -> u64 {
        let units = u128::from(self.most.0) * u128::from(ticks);
        let whole = u128::from(self.most.1) * u128::from(self.span);
        let units = units.saturating_mul(all.into()).div_ceil(whole.max(1));
        u64::try_from(units).unwrap_or(u64::MAX)
    }

    /// The ticks from `at` on between which it is straight, but for the end.
    fn corners(self, at: u64) -> impl Iterator<Item = u64> {
        [at, at.max(self.bend())].into_iter().filter(move |tick| *tick < self.until)
    }

    /// Whether it is no less than `other` at any tick from `at` on.
    pub(super) fn covers(self, other: Self, at: u64) -> bool {
        // Both bend downwards only.
        self.until >= other.until
            && other.corners(at).all(|tick| !is_more(other.share(tick), self.share(tick)))
    }

    /// The least that covers both from `at` on, if it ends with the later of them and is what the larger is at `at`.
    pub(super) fn over(self, other: Self, at: u64) -> Self {
        let until = self.until.max(other.until);
        let (one, another) = (self.share(at), other.share(at));
        let (part, whole) = if is_more(one, another) { one } else { another };
        let (part, whole) = narrow(part.into(), whole.into(), u32::BITS);
        let corners = [self, other].into_iter().flat_map(|one| one.corners(at).map(move |tick| (one, tick)));
        let spans = corners.map(|(residue, tick)| {
            let corner = residue.share(tick);
            // In which it would fall from one, and then from the most. Rounded down, so that the share is no less.
            let all = u128::from(until - tick) * u128::from(corner.1) / u128::from(corner.0.max(1));
            all.min(u64::MAX.into()) * u128::from(part) / u128::from(whole)
        });
        // At most as much as there is from now on.
        Self { until, span: spans.min().unwrap_or(0) as u64, most: (part as u32, whole as u32) }
    }
}

/// So many of a limit of `all` that it is no less than `share`.
pub(super) fn units_of(share: Share, all: u64) -> u64 {
    // At most all of it.
    (u128::from(share.0) * u128::from(all)).div_ceil(share.1.into()) as u64
}

pub(super) fn is_more(one: Share, other: Share) -> bool {
    u128::from(one.0) * u128::from(other.1) > u128::from(other.0) * u128::from(one.1)
}

/// A share in so many bits each, and no less for it.
fn narrow(part: u128, whole: u128, bits: u32) -> Share {
    let further = (u128::BITS - whole.leading_zeros()).saturating_sub(bits);
    let whole = whole >> further;
    // Rounded up. At most the whole, so there is room.
    let part = (part + ((1 << further) - 1)) >> further;
    (part.min(whole) as u64, whole as u64)
}

#[cfg(all(test, not(loom)))]
pub(super) mod tests;
