//! Where windows begin and end.

use crate::algorithm::Calendar;

/// How time is divided into windows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Division {
    kind: Kind,
    /// Ticks from where the division begins to tick 0.
    offset: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    /// Windows of so many ticks.
    Even(u64),
    /// Months, where a day has so many ticks.
    Months(u64),
}

impl Division {
    pub(super) fn even(period: u64) -> Self {
        Self { kind: Kind::Even(period), offset: 0 }
    }

    /// By the calendar, where a second has so many ticks.
    pub(super) fn calendar(calendar: Calendar, second: u64) -> Self {
        let day = 86_400 * second;
        match calendar {
            Calendar::Day => Self::even(day),
            Calendar::Month => Self { kind: Kind::Months(day), offset: 0 },
        }
    }

    pub(super) fn shifted(self, offset: u64) -> Self {
        Self { offset, ..self }
    }

    /// The first tick of the window that holds `now`; 0 if it began before.
    pub(super) fn start(&self, now: u64) -> u64 {
        // Not later than `now`.
        self.window(now).0.saturating_sub(self.offset.into()) as u64
    }

    /// The first tick after the window that holds `now`; nothing if it cannot be written down.
    pub(super) fn end(&self, now: u64) -> Option<u64> {
        u64::try_from(self.window(now).1 - u128::from(self.offset)).ok()
    }

    /// The window that holds `now`, from the beginning of the division on.
    fn window(&self, now: u64) -> (u128, u128) {
        let now = u128::from(now) + u128::from(self.offset);
        match &self.kind {
            Kind::Even(period) => {
                let (period, start) = (u128::from(*period), now - now % u128::from(*period));
                (start, start + period)
            }
            Kind::Months(day) => {
                let (day, cycle) = (u128::from(*day), u128::from(FIRSTS[MONTHS]));
                let today = now / day;
                let (before, today) = (today / cycle * cycle, today % cycle);
                let next = FIRSTS.partition_point(|first| u128::from(*first) <= today);
                ((before + u128::from(FIRSTS[next - 1])) * day, (before + u128::from(FIRSTS[next])) * day)
            }
        }
    }
}

/// Months in 400 years, after which the calendar repeats.
const MONTHS: usize = 400 * 12;

/// The first day of each month of 400 years from 1970 on, and of the one after: month by month, with the rule for leap years.
static FIRSTS: [u32; MONTHS + 1] = {
    let (mut firsts, mut month) = ([0; MONTHS + 1], 0);
    while month < MONTHS {
        let year = 1970 + month / 12;
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let days = match month % 12 {
            1 => 28 + leap as u32,
            3 | 5 | 8 | 10 => 30,
            _ => 31,
        };
        firsts[month + 1] = firsts[month] + days;
        month += 1;
    }
    firsts
};
