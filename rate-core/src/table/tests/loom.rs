//! Every interleaving of two threads on the shipped table.
//!
//! `RUSTFLAGS="--cfg loom" LOOM_MAX_PREEMPTIONS=3 cargo test -p rate-core --lib --release loom`
//!
//! With three preemptions the dearest of them takes a second or two, all together six on one core.

use std::sync::Arc;
use std::time::Duration;

use crate::algorithm::{Algorithm, AnyAlgorithm, Charged, Gcra, Packed, SlidingLog, Tat, Word};
use crate::kept::Operation;
use crate::sync::tests::in_every_order;
use crate::sync::{Backoff, Ordering};
use crate::table::line::{EMPTY, SLOTS};
use crate::table::{Ask, Rate, Table, Usual, decide_all, decide_mixed};
use crate::{Decision, Quota};

const KEY: u64 = 42;
const OTHER_KEY: u64 = 43;
const NOW: u64 = 1_000_000_007;

/// Two units whose states are no whole ticks.
const PAIR: Quota = Quota::per_second(7).burst(2);

/// A table and the quota its user knows.
#[derive(Clone)]
struct Limit {
    table: Arc<Table>,
    rate: Rate,
}

impl Limit {
    fn new(quota: Quota, capacity: usize) -> Self {
        Self::of(quota, capacity)
    }

    fn of(algorithm: impl Into<AnyAlgorithm>, capacity: usize) -> Self {
        let rate = Rate::new(algorithm);
        Self { table: Arc::new(Table::new(capacity, &rate).expect("a few keys fit")), rate }
    }

    fn decide(&self, tag: u64, cost: u64, now: u64) -> Decision {
        Ask { table: &self.table, rate: &self.rate, tag, cost }.decide::<AnyAlgorithm>(now)
    }

    fn peek(&self, tag: u64, now: u64) -> Decision {
        Ask { table: &self.table, rate: &self.rate, tag, cost: 1 }.peek(now)
    }

    fn take(&self, tag: u64) -> bool {
        self.decide(tag, 1, NOW).is_allowed()
    }

    /// One unit from each of two keys, or from neither.
    fn take_both(&self, keys: [u64; 2]) -> bool {
        let asks = keys.map(|tag| Ask { table: &self.table, rate: &self.rate, tag, cost: 1 });
        // As `check_slice` does.
        let decided = match Usual::of(&asks[0], &asks[1]) {
            Some(usual) => usual.decide(NOW).map(|decisions| decisions.iter().all(Decision::is_allowed)),
            None => {
                let halves = decide_mixed(&asks[0], &asks[1], NOW);
                halves.map(|halves| halves.iter().all(|half| half.wait.is_none()))
            }
        };
        match decided {
            Some(allowed) => allowed,
            None => decide_all::<2, 4>(&asks, NOW, &mut |_, _| {}),
        }
    }

    fn remaining(&self, tag: u64) -> u64 {
        self.peek(tag, NOW).remaining()
    }

    fn lines_with(&self, tag: u64) -> Vec<usize> {
        (0..self.table.lines.len()).filter(|line| self.table.lines[*line].find(tag).is_some()).collect()
    }
}

/// A tag whose first home of `lines` is `first` and whose second one is `second`.
const fn tag_at(lines: u64, first: u64, second: u64, salt: u64) -> u64 {
    let (first, second) =
        ((first << 32) / lines + (1 << 20) + salt, (second << 32) / lines + (1 << 20) + salt);
    first << 32 | second
}

#[test]
fn loom_two_threads_get_one_unit_between_them() {
    in_every_order(|race| {
        let limit = Limit::new(PAIR, 1);
        assert!(limit.take(KEY));
        let (one, other) = race.between(&limit, |limit| limit.take(KEY), |limit| limit.take(KEY));
        assert_ne!(one, other, "one unit, and not one admission");
        assert!(!limit.take(KEY));
    });
}

#[test]
fn loom_two_newcomers_to_one_line_are_both_kept() {
    in_every_order(|race| {
        let limit = Limit::new(PAIR, 1);
        let both = race.between(&limit, |limit| limit.take(KEY), |limit| limit.take(OTHER_KEY));
        assert_eq!(both, (true, true));
        assert_eq!((limit.remaining(KEY), limit.remaining(OTHER_KEY)), (1, 1));
        assert_eq!((limit.table.len(), limit.table.evictions()), (2, 0));
    });
}

#[test]
fn loom_a_newcomer_that_two_threads_bring_is_one_key() {
    // Two lines, of which each thread has to be sure, and which come in either order.
    for key in LINES {
        in_every_order(move |race| {
            let limit = Limit::new(PAIR, 8);
            let both = race.between(&limit, move |limit| limit.take(key), move |limit| limit.take(key));
            assert_eq!(both, (true, true));
            assert!(!limit.take(key), "each thread stored the key for itself");
            assert_eq!(limit.table.len(), 1);
        });
    }
}

/// Keys at home in the first and in the second of two lines.
const LINES: [u64; 2] = [tag_at(2, 0, 1, 0), tag_at(2, 1, 0, 0)];

/// Two lines of one table, each with a key that has one unit left.
///
/// Lines are locked in the order of their addresses. Those of two tables would differ from run to run, and loom needs
/// every run to be the same.
fn two_lines() -> (Limit, [u64; 2]) {
    let limit = Limit::new(PAIR, 8);
    assert!(limit.take_both(LINES));
    assert_eq!(LINES.map(|key| limit.lines_with(key)), [[0], [1]]);
    (limit, LINES)
}

#[test]
fn loom_a_decision_over_two_limits_is_charged_to_both_or_to_neither() {
    for reversed in [false, true] {
        in_every_order(move |race| {
            let (limit, [a, b]) = two_lines();
            let keys = if reversed { [b, a] } else { [a, b] };
            let (both, alone) = race.between(
                &limit,
                move |limit| limit.take_both([a, b]),
                move |limit| keys.map(|key| limit.take(key)),
            );
            assert_eq!(both, alone == [false, false], "both {both}, alone {alone:?}");
            for (key, alone) in keys.into_iter().zip(alone) {
                assert_eq!(limit.remaining(key), u64::from(!alone && !both));
            }
        });
    }
}

#[test]
fn loom_decisions_over_the_same_limits_in_either_order_do_not_wait_for_each_other() {
    in_every_order(|race| {
        let (limit, [a, b]) = two_lines();
        let (straight, reversed) =
            race.between(&limit, move |limit| limit.take_both([a, b]), move |limit| limit.take_both([b, a]));
        assert_ne!(straight, reversed, "one unit of each, and not one admission");
        assert_eq!([limit.remaining(a), limit.remaining(b)], [0, 0]);
    });
}

#[test]
fn loom_a_newcomer_to_two_limits_is_charged_to_both_or_to_neither() {
    in_every_order(|race| {
        let limit = Limit::new(PAIR.burst(1), 1);
        let (both, alone) =
            race.between(&limit, |limit| limit.take_both([KEY, OTHER_KEY]), |limit| limit.take(OTHER_KEY));
        assert_ne!(both, alone);
        assert_eq!((limit.remaining(KEY), limit.remaining(OTHER_KEY)), (u64::from(alone), 0));
        assert_eq!(limit.table.len(), if both { 2 } else { 1 });
    });
}

#[test]
fn loom_a_quota_change_frees_nobody_who_is_checked_meanwhile() {
    // The same share in both, without rounding: one of two. To a slower quota and to a faster one, since a state in the
    // wrong quota looks freer in the one case and more used in the other.
    let quotas = [Quota::per_second(2), Quota::per_minute(2)];
    for (quota, next) in [(quotas[0], quotas[1]), (quotas[1], quotas[0])] {
        // Checked by a clone that knows the old quota, and by one that was handed the new one while lines are rewritten.
        for knows_next in [false, true] {
            in_every_order(move |race| {
                let limit = Limit::new(quota, 1);
                assert!(limit.take(KEY));
                let next = Rate::new(next).in_epoch(limit.rate.epoch.next());
                let rate = if knows_next { next.clone() } else { limit.rate.clone() };
                let (changed, admitted) = race.between(
                    &limit,
                    move |limit| limit.table.change(next.algorithm, || NOW),
                    move |limit| {
                        let limit = Limit { rate, ..limit.clone() };
                        [limit.take(KEY), limit.take(KEY)]
                    },
                );
                assert_eq!(admitted, [true, false]);
                assert!(!Limit { rate: changed, ..limit.clone() }.take(KEY));
                assert_eq!(limit.table.len(), 1);
            });
        }
    }
}

#[test]
fn loom_a_key_stored_during_a_quota_change_is_stored_in_one_of_the_two() {
    in_every_order(|race| {
        let (limit, next) = (Limit::new(Quota::per_second(2), 8), AnyAlgorithm::from(Quota::per_minute(2)));
        let key = tag_at(2, 0, 1, 0);
        let (rate, admitted) =
            race.between(&limit, move |limit| limit.table.change(next, || NOW), move |limit| limit.take(key));
        assert!(admitted);
        let changed = Limit { rate, ..limit.clone() };
        assert_eq!(changed.remaining(key), 1);
        assert_eq!(changed.decide(key, 2, NOW).reset_after().as_secs(), 30, "a state of the other quota");
    });
}

#[test]
fn loom_a_lock_that_changed_nothing_passes_on_what_was_written_before() {
    in_every_order(|race| {
        let limit = Limit::new(PAIR, 1);
        assert!(limit.decide(OTHER_KEY, 1, NOW).is_allowed());
        let (first, others) = race.between(
            &limit,
            |limit| {
                let first = limit.take(KEY);
                let line = &limit.table.lines[0];
                line.release(line.lock(&mut Backoff::default()));
                first
            },
            |limit| [limit.take(KEY), limit.take(KEY)],
        );
        let admitted = [first, others[0], others[1]].into_iter().filter(|admitted| *admitted).count();
        assert_eq!(admitted, 2, "{first}, {others:?}");
    });
}

#[test]
fn loom_a_reader_never_sees_half_a_state() {
    // A tick and a half between two units, so that the charge that is made meanwhile changes both words. Either half of it
    // would be a state that was never there.
    let quota = Quota::new(2, Duration::from_nanos(3)).expect("a quota").burst(3);
    let (gcra, now) = (Gcra::new(quota), NOW);
    let one = gcra.admit(gcra.fresh(), now, 1).expect("fresh");
    let two = gcra.admit(one, now, 1).expect("two of three left");
    assert_eq!((one, two), (Tat::new(now + 1, 1), Tat::new(now + 3, 0)));
    let two = gcra.pack(two);
    let seen = |decision: Decision| (decision.remaining(), decision.reset_after());
    let model = move |write: fn(&Limit, u64, Word), read: fn(&Limit, u64) -> Decision| {
        in_every_order(move |race| {
            let limit = Limit::new(quota, 8);
            assert!(LINES.iter().all(|key| limit.decide(*key, 1, now).is_allowed()));
            let before = seen(limit.peek(LINES[0], now));
            let ((), read) =
                race.between(&limit, move |limit| write(limit, now, two), move |limit| read(limit, now));
            let after = seen(limit.peek(LINES[0], now));
            assert_eq!((before.0, after.0), (2, 1));
            assert!([before, after].contains(&seen(read)), "{read:?} is neither {before:?} nor {after:?}");
        });
    };

    let decide = |limit: &Limit, now, _| assert!(limit.decide(LINES[0], 1, now).is_allowed());
    // As a check does that lost a race, without having read the state before.
    let locked = |limit: &Limit, _, two| {
        let line = &limit.table.lines[0];
        let guard = line.lock(&mut Backoff::default());
        line.set_state(line.find(LINES[0]).expect("held"), two);
        line.unlock(guard);
    };
    for write in [decide, locked] {
        model(write, |limit, now| limit.peek(LINES[0], now));
        model(write, |limit, now| refusal(limit, now, [(LINES[0], 3)]));
        model(write, |limit, now| refusal(limit, now, [(LINES[0], 3), (LINES[1], 1)]));
        model(write, |limit, now| refusal_of_pair(limit, now, [(LINES[0], 3), (LINES[1], 1)]));
        model(write, |limit, now| refusal(limit, now, [(LINES[0], 3), (LINES[1], 1), (KEY, 1)]));
    }
}

/// The first of two answers in the short form, which leaves to the long one what somebody is in the way of.
fn refusal_of_pair(limit: &Limit, now: u64, costs: [(u64, u64); 2]) -> Decision {
    let [first, second] = costs.map(|(tag, cost)| Ask { table: &limit.table, rate: &limit.rate, tag, cost });
    let decision = match Usual::of(&first, &second) {
        Some(usual) => usual.decide(now).map(|[decision, _]| decision),
        None => decide_mixed(&first, &second, now)
            .map(|[half, _]| Decision::new(limit.rate.most(), half.left(&first, now), half.wait)),
    };
    decision.unwrap_or_else(|| refusal(limit, now, costs))
}

/// The first of several answers, all of them refused together.
fn refusal<const N: usize>(limit: &Limit, now: u64, costs: [(u64, u64); N]) -> Decision {
    if let [(tag, cost)] = costs[..] {
        return limit.decide(tag, cost, now);
    }
    let asks = costs.map(|(tag, cost)| Ask { table: &limit.table, rate: &limit.rate, tag, cost });
    let mut first = None;
    assert!(!decide_all::<4, 8>(&asks, now, &mut |index, decision| if index == 0 {
        first = Some(decision)
    }));
    first.expect("an answer for each")
}

/// Three lines, of which a newcomer with the homes 0 and 1 finds both full, and only `neighbour`, which has one unit left
/// and lives in line 0, has a spare slot elsewhere.
fn crowded(quota: Quota, neighbour: u64) -> (Limit, u64) {
    let limit = Limit::new(quota, 12);
    let used = |cost| spent(quota, cost);
    for (slot, salt) in (0..SLOTS).zip(0..) {
        limit.table.lines[0].set(slot, tag_at(3, 0, 1, salt), used(2));
        limit.table.lines[1].set(slot, tag_at(3, 1, 0, salt), used(2));
    }
    limit.table.lines[0].set(3, neighbour, used(1));
    limit.table.occupied.store(2 * SLOTS, Ordering::Relaxed);
    (limit, tag_at(3, 0, 1, 1_000))
}

#[test]
fn loom_newcomers_that_reach_a_line_from_two_sides_are_both_kept() {
    in_every_order(|race| {
        let limit = Limit::new(PAIR, 8);
        let full = spent(PAIR, 2);
        for (slot, salt) in (0..SLOTS).zip(1..) {
            limit.table.lines[0].set(slot, tag_at(2, 0, 1, salt), full);
        }
        // One comes because its first line is full, the other because this is its first line.
        let both = race.between(&limit, |limit| limit.take(LINES[0]), |limit| limit.take(LINES[1]));
        assert_eq!(both, (true, true));
        assert_eq!(LINES.map(|key| limit.remaining(key)), [1, 1]);
        assert_eq!(LINES.map(|key| limit.lines_with(key)), [[1], [1]]);
    });
}

/// The state of a key that has just taken `cost` units.
fn spent(quota: Quota, cost: u64) -> Word {
    let gcra = Gcra::new(quota);
    gcra.pack(gcra.admit(gcra.fresh(), NOW, cost).expect("fresh"))
}

/// A neighbour is moved by a newcomer while another thread checks it.
fn a_moved_neighbour_keeps_its_charge(neighbour: u64) {
    // States of two words and of one, which are decided on by different code.
    for quota in [PAIR, Quota::per_second(5).burst(2)] {
        in_every_order(move |race| {
            let (limit, newcomer) = crowded(quota, neighbour);
            let (served, charged) =
                race.between(&limit, move |limit| limit.take(newcomer), move |limit| limit.take(neighbour));
            assert!(served, "a newcomer is always served");
            assert!(charged, "one unit was left");
            assert!(!limit.take(neighbour), "the move lost a charge");
            assert_eq!(limit.remaining(newcomer), 1);
            assert_eq!(limit.lines_with(neighbour), [2], "nobody moved, or not wholly");
            assert_eq!((limit.table.len(), limit.table.evictions()), (2 * SLOTS + 1, 0));
        });
    }
}

#[test]
fn loom_a_neighbour_moved_to_its_second_home_keeps_its_charge() {
    a_moved_neighbour_keeps_its_charge(tag_at(3, 0, 2, 1));
}

#[test]
fn loom_a_neighbour_moved_back_to_its_first_home_keeps_its_charge() {
    a_moved_neighbour_keeps_its_charge(tag_at(3, 2, 0, 1));
}

#[test]
fn loom_a_neighbour_that_moves_while_it_is_one_of_two_keeps_its_charge() {
    for neighbour in [tag_at(3, 0, 2, 1), tag_at(3, 2, 0, 1)] {
        for quota in [PAIR, Quota::per_second(5).burst(2)] {
            in_every_order(move |race| {
                let (limit, newcomer) = crowded(quota, neighbour);
                // Where the neighbour would go.
                let other = tag_at(3, 2, 1, 9);
                limit.table.lines[2].set(0, other, spent(quota, 1));
                limit.table.occupied.fetch_add(1, Ordering::Relaxed);
                let (served, charged) = race.between(
                    &limit,
                    move |limit| limit.take(newcomer),
                    move |limit| limit.take_both([neighbour, other]),
                );
                assert!(served && charged);
                assert_eq!([newcomer, other].map(|key| limit.remaining(key)), [1, 0]);
                // Whoever holds a line never waits for another, so the neighbour may have to go; but then it is counted.
                if limit.table.evictions() == 0 {
                    assert_eq!(limit.remaining(neighbour), 0, "the move lost a charge");
                    assert_eq!(limit.lines_with(neighbour), [2]);
                }
            });
        }
    }
}

#[test]
fn loom_newcomers_that_get_in_each_others_way_count_whom_they_replace() {
    // The line that the neighbour can move to gets a newcomer of its own at the same time. Whoever holds a line never
    // waits for another, so the neighbour may have to go; but then it is counted, and nobody else is lost.
    in_every_order(|race| {
        let neighbour = tag_at(3, 0, 2, 1);
        let (limit, newcomer) = crowded(PAIR, neighbour);
        let elsewhere = tag_at(3, 2, 1, 7);
        let served =
            race.between(&limit, move |limit| limit.take(newcomer), move |limit| limit.take(elsewhere));
        assert_eq!(served, (true, true));
        assert_eq!([newcomer, elsewhere].map(|key| limit.remaining(key)), [1, 1]);
        let lost = u64::from(limit.lines_with(neighbour).is_empty());
        assert_eq!(limit.remaining(neighbour), 1 + lost);
        assert_eq!((limit.table.len() as u64, limit.table.evictions()), (2 * SLOTS as u64 + 2 - lost, lost));
    });
}

#[test]
fn loom_a_key_that_is_checked_while_it_is_evicted_is_charged_or_counted_as_lost() {
    in_every_order(|race| {
        // One line of live keys, of which `KEY` has taken the least.
        let limit = Limit::new(PAIR, 1);
        for (slot, salt) in (1..SLOTS).zip(0..) {
            limit.table.lines[0].set(slot, tag_at(1, 0, 0, salt), spent(PAIR, 2));
        }
        limit.table.lines[0].set(0, KEY, spent(PAIR, 1));
        limit.table.occupied.store(SLOTS, Ordering::Relaxed);
        let both = race.between(&limit, |limit| limit.take(OTHER_KEY), |limit| limit.take(KEY));
        assert_eq!(both, (true, true), "a newcomer is always served, and one unit was left");
        // Whoever is evicted is counted: the key, and perhaps the newcomer when the key came back.
        let held = [KEY, OTHER_KEY].map(|key| !limit.lines_with(key).is_empty());
        assert!(held[0] || held[1]);
        let lost = limit.table.evictions();
        assert!((1..=2).contains(&lost), "{lost}");
        assert_eq!(limit.table.len(), SLOTS);
        // Of the others, who had taken everything, nobody was freed while somebody weaker was there.
        let strong =
            (0..SLOTS as u64 - 1).filter(|&salt| !limit.lines_with(tag_at(1, 0, 0, salt)).is_empty());
        assert_eq!(strong.count(), SLOTS - 1 - usize::from(held == [true, true]));
    });
}

#[test]
fn loom_a_refund_and_a_check_both_count() {
    for quota in [PAIR, Quota::per_second(5).burst(2)] {
        in_every_order(move |race| {
            let limit = Limit::new(quota, 1);
            assert!(limit.take(KEY));
            let refund = |limit: &Limit| {
                let ask = Ask { table: &limit.table, rate: &limit.rate, tag: KEY, cost: 0 };
                let charge = Charged { units: 1, at: NOW };
                ask.run(NOW, Operation::Refund(charge), |_, outcome, _, _| outcome.result)
            };
            let (refunded, taken) =
                race.between(&limit, move |limit| refund(limit), |limit| [limit.take(KEY), limit.take(KEY)]);
            assert_eq!(refunded, Ok(1));
            let taken = taken.into_iter().filter(|taken| *taken).count() as u64;
            assert!(taken >= 1, "one unit was left");
            assert_eq!(limit.remaining(KEY), 2 - taken, "{taken} taken");
        });
    }
}

#[test]
fn loom_a_log_counts_what_two_threads_write_into_it() {
    in_every_order(|race| {
        let limit = Limit::of(SlidingLog::from_ticks(3, 1_000).expect("a log"), 1);
        assert!(limit.take(KEY));
        let take = |limit: &Limit| limit.decide(KEY, 2, NOW).is_allowed();
        let (one, other) = race.between(&limit, take, take);
        assert_ne!(one, other, "two units of three, and not once");
        assert_eq!(limit.remaining(KEY), 0);
        assert_eq!(limit.peek(KEY, NOW + 999).remaining(), 0);
        assert_eq!(limit.peek(KEY, NOW + 1_000).remaining(), 3);
    });
}

#[test]
fn loom_a_reader_never_sees_half_a_log() {
    in_every_order(|race| {
        let limit = Limit::of(SlidingLog::from_ticks(4, 1_000).expect("a log"), 1);
        assert!(limit.decide(KEY, 1, NOW).is_allowed());
        // The first entry has expired, and goes as the second is written.
        let later = NOW + 1_000;
        let (written, read) = race.between(
            &limit,
            move |limit| limit.decide(KEY, 3, later).is_allowed(),
            move |limit| limit.peek(KEY, later).remaining(),
        );
        assert!(written);
        assert!(read == 4 || read == 1, "{read} left");
        assert_eq!(limit.peek(KEY, later).remaining(), 1);
    });
}

#[test]
fn loom_a_key_in_two_tiers_at_once_has_one_burst() {
    in_every_order(|race| {
        // The same share in both, without rounding: one of two.
        let limit = Limit::new(Quota::per_second(2), 1);
        assert!(limit.take(KEY));
        let tier = limit.table.tier(Gcra::new(Quota::per_minute(2)));
        let (plain, tiered) = race.between(
            &limit,
            |limit| limit.take(KEY),
            move |limit| Limit { rate: tier, ..limit.clone() }.take(KEY),
        );
        assert_ne!(plain, tiered, "one unit, and not one admission");
        assert!(!limit.take(KEY));
        assert_eq!(limit.table.len(), 1);
    });
}

#[test]
fn loom_a_key_forgotten_while_it_moves_is_gone() {
    for neighbour in [tag_at(3, 0, 2, 1), tag_at(3, 2, 0, 1)] {
        in_every_order(move |race| {
            let (limit, newcomer) = crowded(PAIR, neighbour);
            let (served, forgotten) = race.between(
                &limit,
                move |limit| limit.take(newcomer),
                move |limit| limit.table.forget(neighbour),
            );
            assert!(served && forgotten, "it was there all the time");
            assert_eq!(limit.lines_with(neighbour), []);
            assert_eq!((limit.table.len(), limit.table.evictions()), (2 * SLOTS, 0));
            assert_eq!(limit.lines_with(EMPTY).len(), if limit.lines_with(newcomer) == [0] { 1 } else { 2 });
        });
    }
}
