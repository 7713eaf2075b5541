//! The state of the token bucket: an instant.

/// A theoretical arrival time: whole ticks since the clock's origin, and parts of one.
///
/// How many parts a tick has depends on the [`Gcra`](super::Gcra), so two of these compare only within one of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tat {
    pub(super) ticks: u64,
    pub(super) parts: u32,
}

impl Tat {
    /// The state of so many whole ticks and parts of one, as a store has kept it.
    ///
    /// A state that no algorithm returned is answered too, as a time like any other; what it admits is then as wrong as
    /// the state.
    #[inline]
    #[must_use]
    pub const fn new(ticks: u64, parts: u32) -> Self {
        Self { ticks, parts }
    }

    /// Whole ticks since the clock's origin.
    #[inline]
    #[must_use]
    pub const fn ticks(self) -> u64 {
        self.ticks
    }

    /// Parts of the next tick.
    #[inline]
    #[must_use]
    pub const fn parts(self) -> u32 {
        self.parts
    }

    /// How far this lies ahead of `now`.
    #[inline]
    pub(in crate::algorithm) const fn ahead_of(self, now: u64) -> Self {
        // In the past, or in the tick that is now.
        if self.ticks < now { Self { ticks: 0, parts: 0 } } else { Self { ticks: self.ticks - now, ..self } }
    }

    /// Rounded up to a whole tick.
    #[inline]
    pub(in crate::algorithm) const fn up(self) -> u64 {
        self.ticks.saturating_add((self.parts > 0) as u64)
    }
}
