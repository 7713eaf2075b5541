//! Everything that can happen to futures in line, in any order, against a few sentences about what must never happen.

use std::time::Duration;

use tokio::time::Instant;
use tower_ratelimit::acquire::{AcquireError, AsyncKeyedLimiter, Limiter};
use tower_ratelimit::{Quota, Timestamp};

use super::support::{Answer, ByHand, lines, ms};
use crate::core::random::Random;

/// How long a future may be late before it is called, and then again before it is passed over.
const PATIENCE: Duration = ms(100);

/// One future, and what is known of it from outside.
struct Waiting {
    by_hand: ByHand,
    key: usize,
    cost: u64,
    /// In the order of their first polls.
    came: u64,
    deadline: Option<Instant>,
    /// Since when it has been woken and not polled.
    ignored_since: Option<Instant>,
    /// Whether it will be polled when it is woken, to the end.
    is_good: bool,
}

struct World {
    lines: AsyncKeyedLimiter,
    /// What a limiter without lines says to the same admissions.
    replayed: Vec<Limiter>,
    start: Instant,
    waiting: Vec<Waiting>,
    came: u64,
    served: usize,
    passed_over: usize,
}

const KEYS: usize = 2;

impl World {
    fn new(quota: Quota) -> Self {
        Self {
            lines: lines(quota).max_waiting(6),
            replayed: (0..KEYS).map(|_| Limiter::new(quota)).collect(),
            start: Instant::now(),
            waiting: Vec::new(),
            came: 0,
            served: 0,
            passed_over: 0,
        }
    }

    fn now(&self) -> Timestamp {
        Timestamp::ZERO.saturating_add(self.start.elapsed())
    }

    fn come(&mut self, random: &mut Random) {
        let (key, cost) = (random.below(KEYS as u64) as usize, random.below(5));
        let mut future = self.lines.acquire_n(&key, cost);
        let mut deadline = None;
        if random.below(3) == 0 {
            let within = ms(random.below(1_000));
            deadline = Some(Instant::now() + within);
            future = future.within(within);
        }
        let (by_hand, is_good) = (ByHand::new(future), random.below(3) > 0);
        self.came += 1;
        let came = self.came;
        let waiting = Waiting { by_hand, key, cost, came, deadline, ignored_since: None, is_good };
        self.waiting.push(waiting);
        self.poll(self.waiting.len() - 1);
    }

    fn poll(&mut self, index: usize) {
        let waiting = &mut self.waiting[index];
        waiting.ignored_since = None;
        let answer = waiting.by_hand.poll();
        self.look();
        if let Some(answer) = answer {
            let waiting = self.waiting.remove(index);
            self.judge(&waiting, answer);
        }
    }

    /// Sees who has been woken by what happened.
    fn look(&mut self) {
        for waiting in &mut self.waiting {
            if waiting.by_hand.is_woken() {
                waiting.ignored_since.get_or_insert_with(Instant::now);
            }
        }
    }

    fn judge(&mut self, it: &Waiting, answer: Answer) {
        let (now, at) = (Instant::now(), self.now());
        let replayed = &self.replayed[it.key];
        match answer {
            Ok(_) => {
                self.served += 1;
                assert!(replayed.check_n_at(it.cost, at).is_allowed(), "admitted without its units");
                for other in self.waiting.iter().filter(|other| other.key == it.key && other.came < it.came) {
                    if it.cost == 0 {
                        continue;
                    }
                    let since = other.ignored_since.expect("somebody was passed who was never called");
                    assert!(now >= since + PATIENCE, "somebody was passed who had {:?}", now - since);
                    self.passed_over += 1;
                }
            }
            Err(AcquireError::Never { cost, limit }) => {
                assert!(cost == it.cost && cost > limit, "{cost} of {limit}");
            }
            Err(AcquireError::TooLate { wait }) => {
                let deadline = it.deadline.expect("there was no hurry");
                let late = now + wait.unwrap_or_default();
                assert!(late >= deadline, "sent away at {now:?}, {wait:?} before {deadline:?}");
                assert!(wait.is_none() || replayed.peek_n_at(it.cost, at).retry_after() <= wait);
            }
            Err(AcquireError::Full { waiting }) => {
                assert_eq!(waiting, 6);
                let ahead = self.waiting.iter().filter(|other| other.key == it.key).count();
                assert!(ahead >= waiting, "{ahead} wait");
            }
            Err(other) => panic!("{other}"),
        }
        for (key, replayed) in self.replayed.iter().enumerate() {
            assert_eq!(self.lines.limiter().peek_at(&key, at), replayed.peek_at(at), "something was taken");
            let waiting = self.waiting.iter().filter(|waiting| waiting.key == key).count();
            assert!(self.lines.waiting(&key) <= waiting, "somebody is in line who is not there");
        }
    }

    async fn pass(&mut self, time: Duration) {
        tokio::time::advance(time).await;
        self.look();
    }

    /// Polls whoever is good and was woken, until all of them are served; the others are ignored.
    async fn come_to_an_end(&mut self) {
        for _ in 0..20_000 {
            let woken = |waiting: &Waiting| waiting.is_good && waiting.ignored_since.is_some();
            if let Some(index) = self.waiting.iter().position(woken) {
                self.poll(index);
            } else if self.waiting.iter().all(|waiting| !waiting.is_good) {
                return;
            } else {
                self.pass(ms(5)).await;
            }
        }
        panic!("somebody waits for ever");
    }
}

#[tokio::test(start_paused = true)]
async fn whatever_happens_the_line_is_in_order_exact_and_never_stuck() {
    let mut random = Random::new(43);
    let (mut served, mut passed_over, mut cancelled) = (0, 0, 0);
    for round in 0..400 {
        let burst = 1 + random.below(4);
        let mut world = World::new(Quota::per_second(20).burst(burst));
        for _ in 0..120 {
            let some = random.below(world.waiting.len().max(1) as u64) as usize;
            match random.below(10) {
                0..=2 => world.come(&mut random),
                3..=5 => {
                    if let Some(woken) =
                        world.waiting.iter().position(|it| it.is_good && it.ignored_since.is_some())
                    {
                        world.poll(woken);
                    }
                }
                // Nobody asked for it.
                6 if some < world.waiting.len() => world.poll(some),
                7 if some < world.waiting.len() => {
                    let gone = world.waiting.remove(some);
                    drop(gone);
                    cancelled += 1;
                    world.look();
                }
                // Short, so that calls are answered; and long, so that they are not.
                8 => world.pass(ms(random.below(300))).await,
                _ => world.pass(ms(random.below(20))).await,
            }
        }
        world.come_to_an_end().await;
        served += world.served;
        passed_over += world.passed_over;

        // Those that nobody polled are first again when somebody does.
        world.waiting.iter_mut().for_each(|waiting| waiting.is_good = true);
        (0..world.waiting.len()).rev().for_each(|index| world.poll(index));
        world.come_to_an_end().await;
        let left: usize = (0..KEYS).map(|key| world.lines.waiting(&key)).sum();
        assert_eq!((left, world.waiting.len()), (0, 0), "round {round}");
    }
    assert!(
        served > 5_000 && passed_over > 300 && cancelled > 1_000,
        "{served}, {passed_over}, {cancelled}: too few to mean anything"
    );
}
