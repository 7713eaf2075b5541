//! Days and months of the Gregorian calendar, counted from 1970-01-01.
//!
//! Source: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms" (2013), `civil_from_days` and `days_from_civil`:
//! years begin in March, so that the leap day is the last one of a year.

/// Days in 400 years, after which the calendar repeats.
const ERA: u64 = 146_097;

/// Days from 0000-03-01 to 1970-01-01.
const EPOCH: u64 = 719_468;

/// The months since 0000-03 of the month that holds `day`, and the day within it, both counted from zero.
const fn month_of(day: u64) -> (u64, u64) {
    let day = day + EPOCH;
    let (era, of_era) = (day / ERA, day % ERA);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    ((era * 400 + year) * 12 + month, of_year - (153 * month + 2) / 5)
}

/// The first day of the month that follows the one of `day`.
pub(super) const fn next_month(day: u64) -> u64 {
    let (month, of_month) = month_of(day);
    // No month has more than 31 days, and none fewer than 28.
    let next = day - of_month + 31;
    next - month_day_if_later(next, month)
}

/// The first day of the month of `day`.
pub(super) const fn this_month(day: u64) -> u64 {
    day - month_of(day).1
}

/// How far `day` is into its month, which is the one after `month`.
const fn month_day_if_later(day: u64, month: u64) -> u64 {
    let (later, of_month) = month_of(day);
    debug_assert!(later == month + 1);
    of_month
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_are_as_long_as_the_calendar_says() {
        // From the rule, year by year: a leap year every fourth, but not every hundredth, but every four hundredth.
        let mut first = 0;
        for year in 1970..2600 {
            let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            let february = if leap { 29 } else { 28 };
            for days in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
                for day in first..first + days {
                    assert_eq!(
                        (this_month(day), next_month(day)),
                        (first, first + days),
                        "{year}, day {day}"
                    );
                }
                first += days;
            }
        }
    }
}
