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
/// Laps on each instance: with three instances, medians over 15 laps.
const ROUNDS: usize = 5;
/// Checks in a lap, for each thread: enough to leave the caches as a large table would.
const SHORTEST: usize = 1 << 17;
/// A lap of cheap checks is longer, so that starting it does not show.
const LONGEST: usize = 1 << 20;
/// How long a lap should take, in nanoseconds.
const LAP_TIME: f64 = 6e6;

/// Something that can be timed, and asked whether it did what its row says.
pub(crate) trait Contest {
    /// Runs lap `number`, of about so many `operations`, and returns nanoseconds per operation; on several threads, of
    /// wall time per operation of each.
    fn lap(&self, number: usize, operations: usize) -> f64;

    /// Repeats some of the operations untimed, and returns how many there were and how many were allowed.
    fn sample(&self) -> (usize, usize);
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
}

impl<K: Clone + Sync, F: Fn(&K) -> bool + Sync> Course<'_, K, F> {
    fn time(&self, track: &Track<K>, lap: usize, operations: usize) -> (Instant, Instant) {
        let start = Instant::now();
        track.run(lap, operations, |key| {
            black_box((self.check)(key));
        });
        (start, Instant::now())
    }

    /// From the first thread's start to the last one's end.
    ///
    /// Repeated, a few times at most, when the threads did not run side by side: on a busy machine one may be done
    /// before the other begins.
    fn time_together(&self, lap: usize, operations: usize) -> Duration {
        const TRIES: usize = 4;
        let mut wall = Duration::ZERO;
        for _ in 0..TRIES {
            let ready = AtomicUsize::new(0);
            let run = |track| {
                // Relaxed: only the count matters. Spinning, because a thread that sleeps may be woken on the core of
                // the other one.
                ready.fetch_add(1, Ordering::Relaxed);
                while ready.load(Ordering::Relaxed) < self.tracks.len() {
                    std::hint::spin_loop();
                }
                self.time(track, lap, operations)
            };
            let times: Vec<_> = std::thread::scope(|scope| {
                let runners: Vec<_> =
                    self.tracks.iter().map(|track| scope.spawn(move || run(track))).collect();
                runners.into_iter().map(|runner| runner.join().expect("a check panicked")).collect()
            });
            let span = |starts: Option<Instant>, ends: Option<Instant>| {
                starts.zip(ends).map_or(Duration::ZERO, |(start, end)| end.saturating_duration_since(start))
            };
            let (starts, ends) = (times.iter().map(|time| time.0), times.iter().map(|time| time.1));
            wall = span(starts.clone().min(), ends.clone().max());
            if span(starts.max(), ends.min()) > wall.mul_f64(0.9) {
                break;
            }
        }
        wall
    }
}

impl<K: Clone + Sync, F: Fn(&K) -> bool + Sync> Contest for Course<'_, K, F> {
    fn lap(&self, number: usize, operations: usize) -> f64 {
        let time = match self.tracks {
            [track] => {
                let (start, end) = self.time(track, number, operations);
                end - start
            }
            _ => self.time_together(number, operations),
        };
        time.as_nanos() as f64 / operations as f64
    }

    fn sample(&self) -> (usize, usize) {
        const SAMPLE: usize = 1 << 12;
        let allowed = |key: &&K| (self.check)(key);
        self.tracks
            .iter()
            .map(|Track(keys)| {
                let sample = &keys[..keys.len().min(SAMPLE)];
                (sample.len(), sample.iter().filter(allowed).count())
            })
            .fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1))
    }
}

/// Times each side, given as its instances, and returns their times in the same order.
///
/// # Panics
///
/// If a side did not `allow`, or refuse, what it should: then it was not this row that was measured.
pub(crate) fn compare(sides: &[Vec<Box<dyn Contest + '_>>], allow: bool) -> Vec<f64> {
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
    for (side, contest) in sides.iter().enumerate().flat_map(|(side, all)| all.iter().map(move |c| (side, c)))
    {
        let (asked, allowed) = contest.sample();
        let wrong = if allow { asked - allowed } else { allowed };
        // A full table may lose one key in a million, which is then admitted once more.
        assert!(
            wrong * 1_000 <= asked,
            "side {side}: {allowed} of {asked} checks allowed, expected allow={allow}"
        );
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

/// A side: the same course over each of its instances.
pub(crate) fn side<'a, T, K, F>(
    tracks: &'a [Track<K>],
    instances: &'a [T],
    check: impl Fn(&'a T) -> F,
) -> Vec<Box<dyn Contest + 'a>>
where
    K: Clone + Sync,
    F: Fn(&K) -> bool + Sync + 'a,
{
    let course = |instance| Box::new(Course { tracks, check: check(instance) }) as Box<dyn Contest>;
    instances.iter().map(course).collect()
}

/// As [`compare`], minus what an empty loop over the same keys takes.
pub(crate) fn compare_over<K: Clone + Sync, const N: usize>(
    tracks: &[Track<K>],
    sides: [Vec<Box<dyn Contest + '_>>; N],
    allow: bool,
) -> [f64; N] {
    let mut sides: Vec<_> = sides.into();
    sides.push(side(tracks, &[(); INSTANCES], |()| {
        move |key: &K| {
            black_box(key);
            allow
        }
    }));
    let times = compare(&sides, allow);
    std::array::from_fn(|side| times[side] - times[N])
}
