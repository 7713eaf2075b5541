//! Random numbers that a failing test can repeat, and quotas made of them.

use std::time::Duration;

use rate_core::Quota;

/// Nanoseconds for which every quota that can be built is exact.
pub(crate) const TEN_YEARS: u64 = 3_650 * 86_400 * 1_000_000_000;

/// `SplitMix64` (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014).
#[derive(Debug)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.bits() % end
    }

    pub(crate) fn one_of<T: Copy>(&mut self, values: &[T]) -> T {
        values[self.below(values.len() as u64) as usize]
    }

    /// Between 1 and `most`, every order of magnitude as likely as the others.
    pub(crate) fn magnitude(&mut self, most: u64) -> u64 {
        let bits = self.below(u64::from(most.ilog2()) + 1);
        ((1 << bits) | self.below(1 << bits)).min(most)
    }
}

/// Rates that break arithmetic: primes, spacings below a nanosecond, waits of hours.
pub(crate) const AWKWARD: [Quota; 14] = [
    Quota::per_second(7),
    Quota::per_second(7).burst(1),
    Quota::per_second(999_983),
    Quota::per_second(999_983).burst(1),
    Quota::per_second(999_983).burst(1_000_000),
    Quota::per_day(3),
    Quota::per_day(3).burst(1),
    Quota::per_second(700_000_000).burst(5),
    Quota::per_second(700_000_000).burst(1_000_000),
    Quota::per_second(1_000_000_007).burst(1_000),
    Quota::per_second(1),
    Quota::per_second(10).burst(20),
    Quota::per_hour(1).burst(1_000_000),
    Quota::per_second(3_000_000_019).burst(1_000_000),
];

/// The awkward quotas first, then random ones.
pub(crate) fn quotas(random: &mut Random, count: usize) -> Vec<Quota> {
    let mut quotas = AWKWARD.to_vec();
    while quotas.len() < count {
        let period = match random.below(6) {
            0 => Duration::from_nanos(random.magnitude(u64::from(u32::MAX))),
            1 => Duration::from_millis(1),
            2 => Duration::from_secs(60),
            3 => Duration::from_secs(86_400),
            _ => Duration::from_secs(1),
        };
        let quota = Quota::new(random.magnitude(2_000_000_000), period)
            .and_then(|quota| quota.try_burst(random.magnitude(1_000_000)));
        quotas.extend(quota);
    }
    quotas
}

/// A cost that is sometimes nothing, sometimes too much, and mostly in between.
pub(crate) fn cost(random: &mut Random, burst: u64) -> u64 {
    match random.below(12) {
        0 => 0,
        1 => burst,
        2 => burst + 1,
        3 => burst.saturating_add(random.magnitude(u64::MAX)),
        4..=6 => random.magnitude(burst),
        _ => 1,
    }
}
