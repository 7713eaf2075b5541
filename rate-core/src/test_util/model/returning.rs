//! What a key leaves behind in a limit, and what it finds used when it comes to one.

use super::AnyModel;
use super::Model;
use crate::Timestamp;

/// A share that is the same until it falls evenly to nothing, for `span` ticks before the tick `until`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::test_util) struct Rest {
    pub(in crate::test_util) until: u64,
    pub(in crate::test_util) span: u64,
    pub(in crate::test_util) units: u64,
    pub(in crate::test_util) of: u64,
}

impl Rest {
    /// What is left, as a fraction in 64 bits that is no less.
    pub(in crate::test_util) fn share(&self, at: u64) -> (u128, u128) {
        if at >= self.until {
            return (0, 1);
        }
        let ticks = u128::from(self.span.max(1));
        let left = u128::from(self.until - at).min(ticks);
        rounded(left * u128::from(self.units), ticks * u128::from(self.of), 1 << 64)
    }

    /// Units of `all`, rounded up.
    fn units(&self, at: u64, all: u64) -> u64 {
        let (part, whole) = self.share(at);
        (part * u128::from(all)).div_ceil(whole) as u64
    }
}

/// A fraction whose denominator is below `end`: no less, and one at most.
pub(in crate::test_util) fn rounded(mut part: u128, mut whole: u128, end: u128) -> (u128, u128) {
    let mut cut = false;
    while whole >= end {
        cut |= part % 2 > 0;
        (part, whole) = (part / 2, whole / 2);
    }
    ((part + u128::from(cut)).min(whole), whole)
}

impl AnyModel {
    /// What is left if the key goes at `at`, and the last instant at which it can have been taken.
    pub(in crate::test_util) fn rest(&self, at: u64) -> (Rest, u64) {
        let taken = self.last_taken(at).max(at);
        if let Some(backlog) = self.backlog(Timestamp::from_nanos(at)) {
            let span = ((backlog.full / backlog.gain) as u64).max(1);
            return (Rest { until: backlog.gone_by(), span, units: 1, of: 1 }, taken);
        }
        let standing = self.standing(Timestamp::from_nanos(at));
        let until = at.saturating_add(standing.reset_after);
        let used = self.capacity() - standing.remaining;
        let (units, span) = match self {
            Self::Counter(counter) if used > 0 => counter.falling(at),
            _ => (used, 0),
        };
        let until = if used > 0 { until } else { 0 };
        (Rest { until, span, units, of: self.capacity() }, taken)
    }

    /// What tells it from any other that it can have come from by taking something.
    pub(in crate::test_util) fn state(&self) -> String {
        match self {
            Self::Bucket(_) | Self::Queue(_) => {
                std::format!("{:?}", self.backlog(Timestamp::ZERO).map(|backlog| backlog.gone_from))
            }
            Self::Windows(windows) => windows.state(),
            Self::Counter(counter) => counter.state(),
            Self::Log(log) => log.state(),
        }
    }

    /// Whether each window, or each unit, is taken over by itself in a change to `next`.
    pub(in crate::test_util) fn is_taken_over_by(&self, next: &Self, at: u64) -> bool {
        match (self, next) {
            (Self::Counter(from), Self::Counter(next)) => next.has_windows_of(from),
            (Self::Log(from), Self::Log(next)) => next.can_take_over(from, at),
            _ => false,
        }
    }

    /// Changes to `next`, and takes nothing along: as if nothing counted.
    pub(in crate::test_util) fn change_idle(&mut self, next: Self, at: u64) {
        *self = next.fresh_by(self.fresh_from().min(at), at);
    }

    /// Finds as much used as is left of `rests` at `at`, that which lasts longest first; all of it taken at `taken`, if that is
    /// later.
    pub(in crate::test_util) fn find(&mut self, rests: &[Rest], taken: u64, at: u64) {
        let largest = rests.iter().copied().max_by(|one, other| {
            let ((a, b), (c, d)) = (one.share(at), other.share(at));
            (a * d).cmp(&(c * b))
        });
        let Some(largest) = largest.filter(|rest| rest.share(at).0 > 0) else { return };
        let then = Timestamp::from_nanos(taken.max(at));
        let all = self.capacity();
        match self {
            Self::Bucket(_) | Self::Queue(_) => {
                let Some(backlog) = self.backlog(Timestamp::ZERO) else { return };
                let full = ((backlog.full / backlog.gain) as u64).max(1);
                let instant = then.as_nanos().saturating_add(largest.units(at, full));
                // Compared in parts of a tick: rounded up to a tick it would seem to be full no earlier when it is.
                if backlog.gone_from < i128::from(instant) * backlog.gain {
                    *self = self.clone().fresh_by(instant, instant);
                }
            }
            Self::Windows(windows) => {
                let used = all - windows.standing(then).remaining;
                let missing = largest.units(at, all).saturating_sub(used);
                if missing > 0 && windows.wait(missing, then) == Some(0) {
                    windows.take(missing, then);
                }
            }
            Self::Counter(counter) => {
                for rest in rests {
                    let is_falling = rest.span > 0 && rest.until - rest.until.min(rest.span) <= at;
                    let fading = (taken <= at && is_falling).then_some(rest);
                    counter.keep(rest.units(at, all), then.as_nanos(), fading);
                }
            }
            Self::Log(log) => {
                for rest in rests.iter().filter(|rest| rest.until > at) {
                    log.keep(rest.units(at, all), then.as_nanos(), rest.until);
                }
            }
        }
    }
}
