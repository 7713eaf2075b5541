//! The operating system's clock, interpolated by a counter that is cheaper to read.
//!
//! A thread reads both clocks together, which is its *anchor*, and for the next tenth of a millisecond counts ticks from
//! there. So an error of the counter's rate has no time to grow: the rate is known to some parts per million, which
//! is less than a nanosecond at the end of that window, and nothing accumulates.
//!
//! A counter may also be wrong: differ between cores, change its rate, jump when a virtual machine is moved. Each new
//! anchor therefore compares what was counted with the operating system's clock, and one that is off by more than a
//! microsecond ends the use of the counter for all threads and for good.

use core::cell::Cell;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

/// The two clocks.
pub(super) trait Clocks {
    /// Ticks of the counter.
    fn ticks(&self) -> u64;
    /// The operating system's clock, in nanoseconds.
    fn os(&self) -> u64;
}

/// Nanoseconds for which an anchor is good.
const WINDOW: u64 = 100_000;

/// Nanoseconds that have to pass before the counter's rate is known well enough: a reading is off by tens of them.
const WARM_UP: u64 = 10_000_000;

/// Ticks between two readings of the counter around one of the clock, above which something came in between.
const INTERRUPTED: u64 = 2_000;

/// Interruptions in a row after which it must be the reading itself that takes so long: then it is no cheaper.
const PATIENCE: u32 = 100;

/// By how much counter and clock may differ after `elapsed` nanoseconds: a microsecond, and a thousandth for a clock that
/// is being adjusted to the time of day.
const fn tolerated(elapsed: u64) -> u64 {
    1_000 + elapsed / 1_000
}

/// Both clocks at one instant.
#[derive(Clone, Copy, Debug)]
struct Reading {
    ticks: u64,
    os: u64,
}

impl Reading {
    /// Nothing when the thread was interrupted in between, or the counter ran backwards.
    fn now(clocks: &impl Clocks) -> (Option<Self>, u64) {
        let before = clocks.ticks();
        let os = clocks.os();
        let ticks = clocks.ticks();
        let together = ticks.checked_sub(before).is_some_and(|between| between <= INTERRUPTED);
        (together.then_some(Self { ticks, os }), os)
    }
}

/// What all threads share.
#[derive(Debug, Default)]
pub(super) struct Base {
    /// The first reading, from which the rate is measured.
    first: OnceLock<Reading>,
    /// Whether the counter was caught being wrong.
    is_doubted: AtomicBool,
}

impl Base {
    pub(super) const fn new() -> Self {
        Self { first: OnceLock::new(), is_doubted: AtomicBool::new(false) }
    }

    fn is_doubted(&self) -> bool {
        // Relaxed: a thread that learns it one window later is no worse off than before.
        self.is_doubted.load(Ordering::Relaxed)
    }

    fn doubt(&self) {
        // Relaxed: as above.
        self.is_doubted.store(true, Ordering::Relaxed);
    }

    /// Nanoseconds per tick, times 2³², once enough time has passed.
    fn rate(&self, now: Reading) -> Option<u64> {
        let first = *self.first.get_or_init(|| now);
        let elapsed = now.os.checked_sub(first.os).filter(|elapsed| *elapsed >= WARM_UP)?;
        let rate = now
            .ticks
            .checked_sub(first.ticks)
            .filter(|ticks| *ticks > 0)
            .map(|ticks| (u128::from(elapsed) << 32) / u128::from(ticks));
        // From an eighth of a nanosecond to eight: anything else counts no cycles of a processor.
        match rate.and_then(|rate| u64::try_from(rate).ok()).filter(|rate| (1 << 29..=1 << 35).contains(rate))
        {
            Some(rate) => Some(rate),
            None => {
                self.doubt();
                None
            }
        }
    }
}

/// One thread's last look at both clocks.
#[derive(Debug, Default)]
pub(super) struct Anchor {
    /// The counter when the window began, and the time that was then.
    ticks: Cell<u64>,
    time: Cell<u64>,
    /// Nanoseconds per tick in this window, times 2³².
    rate: Cell<u64>,
    /// Ticks for which this anchor is good; zero if there is none.
    window: Cell<u64>,
    /// The latest time that was told; none before it is told any more.
    told: Cell<u64>,
    /// What the next look at both clocks has to agree with.
    known: Cell<Option<Known>>,
    /// Interruptions in a row.
    missed: Cell<u32>,
}

/// A look at both clocks, and the rate that was then.
#[derive(Clone, Copy, Debug)]
struct Known {
    reading: Reading,
    rate: u64,
}

impl Known {
    /// Whether the counter came to about the time it is.
    fn agrees_with(&self, now: Reading) -> bool {
        let Some(ticks) = now.ticks.checked_sub(self.reading.ticks) else { return false };
        let counted = (u128::from(ticks) * u128::from(self.rate)) >> 32;
        let elapsed = now.os.saturating_sub(self.reading.os);
        counted.abs_diff(u128::from(elapsed)) <= u128::from(tolerated(elapsed))
    }
}

impl Anchor {
    pub(super) const fn new() -> Self {
        Self {
            ticks: Cell::new(0),
            time: Cell::new(0),
            rate: Cell::new(0),
            window: Cell::new(0),
            told: Cell::new(0),
            known: Cell::new(None),
            missed: Cell::new(0),
        }
    }

    /// The operating system's time, in nanoseconds; never before an earlier reading of this thread.
    #[inline]
    pub(super) fn now(&self, base: &Base, clocks: &impl Clocks) -> u64 {
        let window = self.window.get();
        if window > 0 {
            let ticks = clocks.ticks().wrapping_sub(self.ticks.get());
            if ticks < window {
                // A window has some hundred thousand ticks, so the product fits.
                return self.tell(self.time.get() + ((ticks * self.rate.get()) >> 32));
            }
        }
        self.look(base, clocks)
    }

    #[inline]
    fn tell(&self, time: u64) -> u64 {
        if time < self.told.get() {
            return self.stand();
        }
        self.told.set(time);
        time
    }

    /// The latest time that was told. Called and not computed, so that the usual time does not depend on it: in a loop of
    /// admissions that is 1.3 of 10 ns.
    #[cold]
    fn stand(&self) -> u64 {
        self.told.get()
    }

    /// Looks at both clocks, and begins a window if they agree.
    #[cold]
    fn look(&self, base: &Base, clocks: &impl Clocks) -> u64 {
        self.window.set(0);
        if base.is_doubted() {
            return self.tell(clocks.os());
        }
        let (reading, os) = Reading::now(clocks);
        if let Some(now) = reading {
            self.missed.set(0);
            if self.known.get().is_some_and(|known| !known.agrees_with(now)) {
                base.doubt();
            } else if let Some(rate) = base.rate(now) {
                self.known.set(Some(Known { reading: now, rate }));
                self.begin(now, rate);
            }
        } else {
            self.missed.set(self.missed.get() + 1);
            if self.missed.get() > PATIENCE {
                base.doubt();
            }
        }
        self.tell(os)
    }

    /// Begins a window. One that has to begin ahead of time, because the last one ended there, counts so much slower.
    fn begin(&self, now: Reading, rate: u64) {
        let ahead = self.told.get().saturating_sub(now.os).min(WINDOW / 2);
        self.ticks.set(now.ticks);
        self.time.set(now.os.max(self.told.get()));
        self.rate.set(rate - (u128::from(rate) * u128::from(ahead) / u128::from(WINDOW)) as u64);
        self.window.set((WINDOW << 32) / rate);
    }
}

#[cfg(test)]
mod tests;
