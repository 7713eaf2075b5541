//! At which instants something is asked: mostly near those at which something changes.

use super::difference::Instants;
use super::operation::Found;
use crate::test_util::random::Random;

/// The instants of one run, in everybody's time.
pub(super) struct Timeline {
    instants: Instants,
    latest: u64,
    /// The time of one unit, and of all.
    unit: u64,
    period: u64,
    /// At which something was said to change.
    hints: [u64; 6],
    hinted: usize,
    /// How often it was asked at the last instant.
    at_the_end: u32,
}

impl Timeline {
    pub(super) fn new(random: &mut Random, instants: Instants, limit: u64, period: u64) -> Self {
        let latest = match (instants, random.below(10)) {
            (_, 0 | 1) => 0,
            (Instants::All, 2) => u64::MAX - random.magnitude(period.saturating_mul(5)),
            (Instants::All, 3) => random.bits(),
            (_, 2 | 3) => random.bits() >> 2,
            (_, 4 | 5) => random.below(period.saturating_mul(3)),
            _ => random.magnitude(1 << 50),
        };
        Self {
            instants,
            latest,
            unit: (period / limit).max(1),
            period,
            hints: [latest; 6],
            hinted: 0,
            at_the_end: 0,
        }
    }

    pub(super) fn latest(&self) -> u64 {
        self.latest
    }

    /// Whether there is no more to be seen: little happens at the last instant.
    pub(super) fn is_over(&self) -> bool {
        match self.instants {
            Instants::All => self.at_the_end > 30,
            Instants::Early => self.latest > 1 << 62,
            Instants::Any(_) => false,
        }
    }

    /// The next instant, which now and then is earlier than the last.
    pub(super) fn next(&mut self, random: &mut Random) -> u64 {
        if let Instants::Any(draw) = self.instants {
            let now = draw(random);
            self.latest = self.latest.max(now);
            return now;
        }
        self.at_the_end += u32::from(self.latest == u64::MAX);
        let later = match random.below(32) {
            0..=9 => 0,
            10..=17 => return self.near_a_hint(random),
            18..=20 => random.below(self.unit.saturating_add(2)),
            21 => self.unit,
            22..=23 => 1,
            24 => random.below(self.period.saturating_add(2)),
            25..=28 => {
                let most = self.period.saturating_mul(random.below(3) + 1);
                return self.latest.saturating_sub(random.magnitude(most));
            }
            29 => random.magnitude(1_000),
            30 if random.below(8) == 0 => self.period.saturating_mul(random.below(5)),
            31 if random.below(64) == 0 && matches!(self.instants, Instants::All) => random.bits(),
            _ => 2,
        };
        self.latest = self.latest.saturating_add(later);
        self.latest
    }

    /// At an instant that was heard of, or one tick off; which one that is past is late too.
    fn near_a_hint(&mut self, random: &mut Random) -> u64 {
        let hint = random.one_of(&self.hints);
        let now = match random.below(4) {
            0 => hint.saturating_sub(1),
            1 => hint.saturating_add(1),
            _ => hint,
        };
        // Mostly forward, and not to the end of a penalty that lasts for centuries every time.
        let ahead = now.saturating_sub(self.latest);
        if ahead > self.period.saturating_mul(8) && random.below(16) > 0 {
            return self.latest;
        }
        if now < self.latest && random.below(4) > 0 {
            return self.latest;
        }
        self.latest = self.latest.max(now);
        now
    }

    pub(super) fn learn(&mut self, found: Found, now: u64) {
        match found {
            Found::Answer(answer) => {
                let wait = answer.retry_after.unwrap_or_default();
                for after in [wait, answer.reset_after] {
                    if !after.is_zero() {
                        self.hint(now.saturating_add(after.as_nanos() as u64));
                    }
                }
            }
            Found::Reserved { ready, .. } => self.hint(ready),
            Found::Units(_) | Found::Done => {}
        }
    }

    fn hint(&mut self, instant: u64) {
        self.hints[self.hinted % self.hints.len()] = instant;
        self.hinted += 1;
    }

    /// A time that means something.
    pub(super) fn span(&self, random: &mut Random) -> u64 {
        match random.below(8) {
            0 => 0,
            1 => 1,
            2 => random.one_of(&self.hints).saturating_sub(self.latest),
            3 | 4 => random.below(self.unit.saturating_mul(3).saturating_add(1)),
            5 => self.period,
            6 => random.below(self.period.saturating_mul(3)),
            _ => random.magnitude(u64::MAX),
        }
    }
}
