//! The calendar window: so many units per day or month, in UTC.

use super::civil;
use super::window::{self, Count, Windows};
use super::word::{Packed, Word};
use super::{Algorithm, Bounds, Charged, Refund, Standing};
use crate::quota::QuotaError;

/// Which windows a [`CalendarWindow`] counts in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Calendar {
    /// From midnight to midnight.
    Day,
    /// From the first of a month to the first of the next.
    Month,
}

/// At most `limit` units in each day or month, in UTC: what bills and plans are written in.
///
/// Whoever spends the end of one window and the start of the next gets twice the limit. On the monotonic clock the time of
/// day is read once per process: a system clock that is set later is not followed.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use rate_core::{Limiter, ManualClock, algorithm::CalendarWindow};
///
/// // A clock of one's own counts from 1970-01-01T00:00 UTC.
/// let clock = ManualClock::new();
/// let limiter = Limiter::of_with_clock(CalendarWindow::month(1_000), clock.clone());
/// clock.advance(Duration::from_secs(30 * 86_400));
/// assert!(limiter.check_n(1_000).is_allowed());
/// // January has 31 days.
/// assert_eq!(limiter.check().retry_after(), Some(Duration::from_secs(86_400)));
/// ```
///
/// Two of these are equal if limit and calendar are, whatever time it is at their tick 0: a limiter's is equal to the one it was
/// made of, which did not know yet.
#[derive(Clone, Copy, Debug)]
pub struct CalendarWindow {
    limit: u32,
    calendar: Calendar,
    /// Ticks in a day.
    day: u64,
    /// Ticks from the beginning of 1970 to tick 0, once that was said.
    origin: Option<u64>,
}

/// Seconds in a day of UTC, in which leap seconds are not counted.
const DAY: u64 = 86_400;

impl CalendarWindow {
    /// At most `limit` units per day.
    ///
    /// # Panics
    ///
    /// If `limit` is zero or above 4,294,967,294; [`try_new`](Self::try_new) returns the error.
    #[must_use]
    #[track_caller]
    pub const fn day(limit: u64) -> Self {
        Self::or_panic(Self::try_new(limit, Calendar::Day))
    }

    /// At most `limit` units per month.
    ///
    /// # Panics
    ///
    /// As [`day`](Self::day).
    #[must_use]
    #[track_caller]
    pub const fn month(limit: u64) -> Self {
        Self::or_panic(Self::try_new(limit, Calendar::Month))
    }

    /// At most `limit` units per window.
    ///
    /// # Errors
    ///
    /// If `limit` is zero or above 4,294,967,294.
    pub const fn try_new(limit: u64, calendar: Calendar) -> Result<Self, QuotaError> {
        Self::from_ticks(limit, calendar, 1_000_000_000)
    }

    /// At most `limit` units per window, where a second has so many ticks.
    ///
    /// # Errors
    ///
    /// If either is zero, the limit above 4,294,967,294, or a month of such ticks above what 64 bits hold.
    pub const fn from_ticks(limit: u64, calendar: Calendar, second: u64) -> Result<Self, QuotaError> {
        if limit == 0 {
            return Err(QuotaError::zero_limit());
        }
        if second == 0 {
            return Err(QuotaError::zero_period());
        }
        if limit > window::LARGEST {
            return Err(QuotaError::limit_too_large(limit));
        }
        if second > u64::MAX / (31 * DAY) {
            return Err(QuotaError::period_too_long(second));
        }
        let day = DAY * second;
        Ok(Self { limit: limit as u32, calendar, day, origin: None })
    }

    #[track_caller]
    const fn or_panic(result: Result<Self, QuotaError>) -> Self {
        match result {
            Ok(window) => window,
            Err(error) => error.panic(),
        }
    }

    /// Windows of days so short that all there is to a window can be tried.
    #[cfg(test)]
    pub(super) const fn of_short_days(limit: u32, calendar: Calendar, day: u64) -> Self {
        Self { limit, calendar, day, origin: None }
    }

    /// Which windows these are.
    #[must_use]
    pub const fn calendar(&self) -> Calendar {
        self.calendar
    }

    /// The windows where tick 0 is `utc` ticks after the beginning of 1970.
    pub(super) const fn anchored(self, utc: u64) -> Self {
        Self { origin: Some(utc), ..self }
    }

    pub(super) fn is_aligned_with(&self, other: &Self) -> bool {
        self.origin() == other.origin()
    }

    /// The ticks of the longest window.
    pub(crate) const fn longest(&self) -> u64 {
        match self.calendar {
            Calendar::Day => self.day,
            // Not more than there are: checked when it is made.
            Calendar::Month => 31 * self.day,
        }
    }

    /// Whether the windows are the same, whatever fits into them.
    pub(crate) fn has_windows_of(&self, other: &Self) -> bool {
        (self.calendar, self.day) == (other.calendar, other.day) && self.is_aligned_with(other)
    }

    pub(super) const fn is_anchored(&self) -> bool {
        self.origin.is_some()
    }

    /// Whether nothing is admitted at `at` whatever is refunded.
    pub(crate) fn is_penalized(&self, word: Word, at: u64) -> bool {
        at < word.low && Windows::is_penalized(self, window::unpack(word))
    }

    fn origin(&self) -> u64 {
        self.origin.unwrap_or(0)
    }

    /// Days from the beginning of 1970 to `now`.
    fn day_of(&self, now: u64) -> u64 {
        ((u128::from(now) + u128::from(self.origin())) / u128::from(self.day)) as u64
    }

    /// The tick at which a day begins: 0 if that was earlier, nothing if it is past the end of representable time.
    fn tick_of(&self, day: u64) -> Option<u64> {
        let utc = u128::from(day) * u128::from(self.day);
        u64::try_from(utc.saturating_sub(u128::from(self.origin()))).ok()
    }
}

// Not derived: a limit that was read from a text would differ from the limiter's that was made of it.
impl PartialEq for CalendarWindow {
    fn eq(&self, other: &Self) -> bool {
        (self.limit, self.calendar, self.day) == (other.limit, other.calendar, other.day)
    }
}

impl Eq for CalendarWindow {}

impl Windows for CalendarWindow {
    // Once per window and key.
    #[inline(never)]
    fn end_of(&self, now: u64) -> Option<u64> {
        let day = self.day_of(now);
        self.tick_of(match self.calendar {
            Calendar::Day => day + 1,
            Calendar::Month => civil::next_month(day),
        })
    }

    #[inline]
    fn is_last(&self, end: u64) -> bool {
        // Not worth a look at the calendar while a month fits.
        end > u64::MAX - 31 * self.day && self.end_of(end).is_none()
    }

    fn start_of(&self, end: u64) -> u64 {
        let Some(last) = end.checked_sub(1) else { return 0 };
        let day = self.day_of(last);
        let first = match self.calendar {
            Calendar::Day => day,
            Calendar::Month => civil::this_month(day),
        };
        // Not later than `last`, which is a tick.
        self.tick_of(first).unwrap_or(last)
    }

    #[inline(always)]
    fn limit(&self) -> u32 {
        self.limit
    }

    fn shortest(&self) -> u64 {
        match self.calendar {
            Calendar::Day => self.day,
            Calendar::Month => self.day * 28,
        }
    }
}

impl Algorithm for CalendarWindow {
    type State = Count;

    #[inline]
    fn fresh(&self) -> Count {
        Count::default()
    }

    #[inline(always)]
    fn admit(&self, state: Count, now: u64, cost: u64) -> Result<Count, u64> {
        Windows::admit(self, state, now, cost)
    }

    #[inline(always)]
    fn standing(&self, state: Count, now: u64) -> Standing {
        Windows::standing(self, state, now)
    }

    fn fresh_from(&self, state: Count) -> u64 {
        Windows::fresh_from(self, state)
    }

    #[inline]
    fn capacity(&self) -> u64 {
        u64::from(self.limit)
    }

    /// In any window as long as the shortest one: a day, or 28 days. In 31 days there can be all of a February.
    fn bounds(&self) -> Bounds {
        Windows::bounds(self, self.shortest())
    }

    fn penalized(&self, state: Count, now: u64, until: u64) -> Count {
        Windows::penalized(self, state, now, until)
    }
}

impl Refund for CalendarWindow {
    fn refund(&self, state: Count, charge: Charged, now: u64) -> (Count, u64) {
        Windows::refund(self, state, charge, now)
    }
}

impl Packed for CalendarWindow {
    #[inline(always)]
    fn pack(&self, state: Count) -> Word {
        window::pack(state)
    }

    #[inline(always)]
    fn unpack(&self, word: Word) -> Count {
        window::unpack(word)
    }

    fn full_until(&self, instant: u64) -> Word {
        window::full_until(instant, self.limit)
    }

    fn last_taken(&self, word: Word, at: u64) -> u64 {
        Windows::last_taken(self, window::unpack(word), at)
    }

    fn strength(&self, word: Word, now: u64) -> u64 {
        window::strength(word, now)
    }
}

#[cfg(test)]
mod tests;
