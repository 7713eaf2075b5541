//! When requests come.

use core::iter::FusedIterator;
use core::time::Duration;

use super::random::Random;
use crate::Timestamp;
use crate::time::nanos;

/// Instants at which requests come, in order: an iterator without an end but that of representable time.
///
/// The first request comes at [`Timestamp::ZERO`], or where [`starting_at`](Self::starting_at) says. The same pattern gives
/// the same instants, everywhere and every time.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use rate_core::{Limiter, Quota, Timestamp, test_util::Arrivals};
///
/// let limiter = Limiter::new(Quota::per_second(10).burst(3));
/// let mut bursts = Arrivals::burst(5, Duration::from_secs(1)).starting_at(Timestamp::from_nanos(1_000));
/// let decisions: Vec<bool> = bursts.by_ref().take(5).map(|now| limiter.check_at(now).is_allowed()).collect();
/// assert_eq!(decisions, [true, true, true, false, false]);
/// // The second burst comes a second later.
/// assert_eq!(bursts.next(), Some(Timestamp::from_nanos(1_000_001_000)));
/// ```
#[derive(Clone, Debug)]
#[must_use = "nothing arrives unless it is iterated"]
pub struct Arrivals {
    pattern: Pattern,
    /// The next arrival, unless it is past the end of representable time.
    next: Option<u64>,
    /// How many have come.
    count: u64,
}

#[derive(Clone, Debug)]
enum Pattern {
    Burst { size: u64, every: u64 },
    OnOff { interval: u64, in_row: u64, rest: u64 },
    HeavyTailed { mean: u64, random: Random },
}

impl Arrivals {
    /// One request each `interval`. With an interval of zero all come at once.
    pub fn steady(interval: Duration) -> Self {
        Self::burst(1, interval)
    }

    /// `size` requests at one instant, and again each time `every` has passed. With a size of zero nothing comes.
    pub fn burst(size: u64, every: Duration) -> Self {
        Self::new(Pattern::Burst { size, every: nanos(every) }, size > 0)
    }

    /// One request each `interval` for as long as `on`, none for as long as `off`, and so on. When `on` is zero nothing
    /// comes.
    ///
    /// # Panics
    ///
    /// If `interval` is zero, for `on` would never be over.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use rate_core::test_util::Arrivals;
    ///
    /// let [two, ten, thirty] = [2, 10, 30].map(Duration::from_nanos);
    /// let instants: Vec<u64> = Arrivals::on_off(two, ten, thirty).map(|now| now.as_nanos()).take(7).collect();
    /// assert_eq!(instants, [0, 2, 4, 6, 8, 40, 42]);
    /// ```
    #[track_caller]
    pub fn on_off(interval: Duration, on: Duration, off: Duration) -> Self {
        assert!(!interval.is_zero(), "the interval must be at least a nanosecond");
        let [interval, on, off] = [interval, on, off].map(nanos);
        let in_row = on.div_ceil(interval);
        // From the last request of a row to the first of the next.
        let rest = (on - in_row.saturating_sub(1) * interval).saturating_add(off);
        Self::new(Pattern::OnOff { interval, in_row, rest }, in_row > 0)
    }

    /// Requests with random pauses of the Pareto distribution, `mean` on average: most are shorter, none shorter than half of
    /// it, and one in ten thousand lasts fifty times as long or longer.
    ///
    /// The shape is 2, at which the variance is infinite, as that of real traffic might as well be. In integers, hence the
    /// same on every machine; another `seed` gives other pauses.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use rate_core::test_util::Arrivals;
    ///
    /// let mean = Duration::from_millis(10);
    /// let instants: Vec<_> = Arrivals::heavy_tailed(mean, 7).take(10_000).collect();
    /// let pauses: Vec<_> = instants.windows(2).map(|pair| pair[1].saturating_duration_since(pair[0])).collect();
    /// let average = pauses.iter().sum::<Duration>() / 9_999;
    /// assert!(average > mean * 9 / 10 && average < mean * 11 / 10, "{average:?}");
    /// assert!(pauses.iter().all(|pause| *pause >= mean / 2));
    /// assert!(pauses.iter().any(|pause| *pause > mean * 25));
    /// ```
    pub fn heavy_tailed(mean: Duration, seed: u64) -> Self {
        Self::new(Pattern::HeavyTailed { mean: nanos(mean), random: Random::new(seed) }, true)
    }

    /// The same pattern with its next request at `start`.
    pub fn starting_at(self, start: Timestamp) -> Self {
        Self { next: self.next.map(|_| start.as_nanos()), ..self }
    }

    fn new(pattern: Pattern, any: bool) -> Self {
        Self { pattern, next: any.then_some(0), count: 0 }
    }

    /// Nanoseconds between the last request, of which there were `count`, and the next.
    fn pause(&mut self) -> u64 {
        match &mut self.pattern {
            Pattern::Burst { size, every } => {
                if self.count % *size == 0 {
                    *every
                } else {
                    0
                }
            }
            Pattern::OnOff { interval, in_row, rest } => {
                if self.count % *in_row == 0 {
                    *rest
                } else {
                    *interval
                }
            }
            Pattern::HeavyTailed { mean, random } => {
                // Half the mean, divided by the root of a number between 0 and 1.
                let root = random.bits().max(1).isqrt();
                let pause = (u128::from(*mean) << 31) / u128::from(root);
                u64::try_from(pause).unwrap_or(u64::MAX)
            }
        }
    }
}

impl Iterator for Arrivals {
    type Item = Timestamp;

    fn next(&mut self) -> Option<Timestamp> {
        let now = self.next?;
        self.count = self.count.wrapping_add(1);
        self.next = now.checked_add(self.pause());
        Some(Timestamp::from_nanos(now))
    }
}

impl FusedIterator for Arrivals {}
