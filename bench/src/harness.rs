//! How a time is taken.
//!
//! All sides of a comparison take turns, lap by lap, so that a noisy neighbour or a changing clock rate hits all of them.
//! Where memory happens to lie moves a large table's time by a third, so each side runs on several instances that were
//! built independently. A side's time is the median of its instances' medians, minus the same for an empty loop.

use std::hint::black_box;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Independent instances of each side.
pub(crate) const INSTANCES: usize = 3;
/// Laps on each instance: with three instances, medians over 12 laps.
const ROUNDS: usize = 4;
/// Checks in a lap, for each thread: enough to leave the caches as a large table would.
const SHORTEST: usize = 1 << 17;
/// A lap of cheap checks is longer, so that starting it does not show.
const LONGEST: usize = 1 << 20;
/// How long a lap should take, in nanoseconds.
const LAP_TIME: f64 = 6e6;

/// Something that can be timed.
pub(crate) trait Contest {
    /// Runs lap `number`, of about so many `operations`, and returns nanoseconds per operation; on several threads, of
    /// wall time per operation of each.
    ///
    /// # Panics
    ///
    /// If what should be refused was allowed, or the other way round: then it was not this row that was measured.
    fn lap(&self, number: usize, operations: usize) -> f64;
}

/// Panics if operations did not end as their row says.
pub(crate) fn verify(operations: usize, wrong: usize) {
    // A full table may lose one key in a million, which is then admitted once more.
    assert!(wrong * 1_000 <= operations, "{wrong} of {operations} checks did not end as their row says");
}

/// Keys in the order in which one thread asks for them.
#[derive(Debug)]
pub(crate) struct Track<K>(Vec<K>);

impl<K: Clone> Track<K> {
    /// Few keys are repeated, in the same order, so that the loop over them is not what is timed.
    pub(crate) fn new(mut keys: Vec<K>) -> Self {
        const AT_LEAST: usize = 256;
        while keys.len() < AT_LEAST {
            keys.extend_from_within(..);
        }
        Self(keys)
    }

    /// The same order of other keys.
    pub(crate) fn map<T>(&self, each: impl FnMut(&K) -> T) -> Track<T> {
        Track(self.0.iter().map(each).collect())
    }

    /// Calls `each` for the keys of this lap: all of them over and over, or the next stretch of a long track.
    #[inline(always)]
    fn run(&self, lap: usize, operations: usize, mut each: impl FnMut(&K)) {
        let Self(keys) = self;
        let mut left = operations;
        let mut at = lap * operations % keys.len();
        while left > 0 {
            let end = keys.len().min(at + left);
            for key in &keys[at..end] {
                each(key);
            }
            left -= end - at;
            at = 0;
        }
    }
}

/// One check, made for key after key on as many threads as there are tracks.
struct Course<'a, K, F> {
    tracks: &'a [Track<K>],
    check: F,
    allow: bool,
}

impl<K: Clone + Sync, F: Fn(&K) -> bool + Sync> Course<'_, K, F> {
    /// The only place that calls `check`, so that it is compiled into the loop on every side.
    fn time(&self, track: &Track<K>, lap: usize, operations: usize) -> Duration {
        let mut wrong = 0;
        let start = Instant::now();
        track.run(lap, operations, |key| {
            let allowed = black_box((self.check)(key));
            // An addition that the empty loop makes too.
            wrong += usize::from(allowed != self.allow);
        });
        let time = start.elapsed();
        verify(operations, wrong);
        time
    }

    /// The slower thread's time, with all threads started together.
    ///
    /// On a busy machine two threads may have to share one core, and then nothing is contended. Such a lap is
    /// repeated, a few times at most, and counted when that does not help; when it often does not, no more are repeated.
    fn time_together(&self, lap: usize, operations: usize) -> Duration {
        let tries = if laps_not_together() < 30 { 3 } else { 1 };
        let mut slowest = Duration::ZERO;
        for _ in 0..tries {
            let ready = AtomicUsize::new(0);
            let run = |track| {
                // Relaxed: only the count matters. Spinning, because a thread that sleeps may be woken on the core of
                // the other one.
                ready.fetch_add(1, Ordering::Relaxed);
                while ready.load(Ordering::Relaxed) < self.tracks.len() {
                    std::hint::spin_loop();
                }
                let waited = waited_for_a_core();
                let time = self.time(track, lap, operations);
                (time, waited_for_a_core().saturating_sub(waited))
            };
            let times: Vec<_> = std::thread::scope(|scope| {
                let runners: Vec<_> =
                    self.tracks.iter().map(|track| scope.spawn(move || run(track))).collect();
                runners.into_iter().map(|runner| runner.join().expect("a check panicked")).collect()
            });
            slowest = times.iter().map(|(time, _)| *time).max().unwrap_or_default();
            if times.iter().all(|(time, waited)| *waited < *time / 10) {
                return slowest;
            }
        }
        // Relaxed: a figure for people.
        NOT_TOGETHER.fetch_add(1, Ordering::Relaxed);
        slowest
    }
}

static NOT_TOGETHER: AtomicUsize = AtomicUsize::new(0);

/// How many laps on several threads did not have a core for each of them.
pub(crate) fn laps_not_together() -> usize {
    // Relaxed: as where it is counted.
    NOT_TOGETHER.load(Ordering::Relaxed)
}

/// How long this thread has waited for a core since it was started, as far as the system tells.
fn waited_for_a_core() -> Duration {
    // Linux: time on a core, time waiting for one, number of turns. Elsewhere nothing is known, and nothing repeated.
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanos = text.split_whitespace().nth(1).and_then(|waited| waited.parse().ok());
    Duration::from_nanos(nanos.unwrap_or(0))
}

impl<K: Clone + Sync, F: Fn(&K) -> bool + Sync> Contest for Course<'_, K, F> {
    fn lap(&self, number: usize, operations: usize) -> f64 {
        let time = match self.tracks {
            [track] => self.time(track, number, operations),
            _ => self.time_together(number, operations),
        };
        time.as_nanos() as f64 / operations as f64
    }
}

/// Times each side, given as its instances, and returns their times in the same order.
pub(crate) fn compare(sides: &[Vec<Box<dyn Contest + '_>>]) -> Vec<f64> {
    // Also the warming up.
    let operations = |side: &Vec<Box<dyn Contest + '_>>| {
        (LAP_TIME / side[0].lap(0, SHORTEST).max(1.0)).clamp(SHORTEST as f64, LONGEST as f64) as usize
    };
    let operations: Vec<usize> = sides.iter().map(operations).collect();
    let mut times = vec![[const { Vec::new() }; INSTANCES]; sides.len()];
    for round in 0..ROUNDS {
        for instance in 0..INSTANCES {
            let number = round * INSTANCES + instance;
            for turn in 0..sides.len() {
                // Nobody is always the one who runs after the same neighbour.
                let side = (turn + number) % sides.len();
                times[side][instance].push(sides[side][instance].lap(number, operations[side]));
            }
        }
    }
    times.into_iter().map(|instances| median(instances.map(median))).collect()
}

/// The middle value, or the mean of the middle two.
fn median(times: impl IntoIterator<Item = f64>) -> f64 {
    let mut times: Vec<f64> = times.into_iter().collect();
    times.sort_by(f64::total_cmp);
    let (low, high) = (times[(times.len() - 1) / 2], times[times.len() / 2]);
    f64::midpoint(low, high)
}

/// A side: the same course over each of its instances, where every check is to be allowed or every one refused.
pub(crate) fn side<'a, T, K, F>(
    tracks: &'a [Track<K>],
    instances: &'a [T],
    allow: bool,
    check: impl Fn(&'a T) -> F,
) -> Vec<Box<dyn Contest + 'a>>
where
    K: Clone + Sync,
    F: Fn(&K) -> bool + Sync + 'a,
{
    let course = |instance| Box::new(Course { tracks, check: check(instance), allow }) as Box<dyn Contest>;
    instances.iter().map(course).collect()
}

/// As [`compare`], minus what an empty loop over the same keys takes.
pub(crate) fn compare_over<K: Clone + Sync, const N: usize>(
    tracks: &[Track<K>],
    sides: [Vec<Box<dyn Contest + '_>>; N],
) -> [f64; N] {
    let mut sides: Vec<_> = sides.into();
    sides.push(side(tracks, &[(); INSTANCES], true, |()| {
        |key: &K| {
            black_box(key);
            true
        }
    }));
    let times = compare(&sides);
    std::array::from_fn(|side| times[side] - times[N])
}
