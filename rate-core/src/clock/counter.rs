//! The processor's time-stamp counter: the one file of this project with `unsafe`.

/// Ticks of the counter since some instant; it does not wait for anything that is still being computed.
#[cfg(all(target_arch = "x86_64", not(miri)))]
#[expect(unsafe_code, reason = "docs/decisions/0009-clock-interpolated.md has the figures")]
#[inline]
pub(super) fn ticks() -> u64 {
    // SAFETY: every x86-64 processor has the instruction, and it touches no memory.
    unsafe { core::arch::x86_64::_rdtsc() }
}

/// Whether [`ticks`] counts.
pub(super) const COUNTS: bool = cfg!(all(target_arch = "x86_64", not(miri)));

/// Never called: there is no counter that a program may read everywhere.
#[cfg(not(all(target_arch = "x86_64", not(miri))))]
pub(super) fn ticks() -> u64 {
    0
}
