use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};

use super::*;
use crate::algorithm::{Engine, Packed, Reserve, Word};

fn gcra(limit: u64, period: u64, burst: u64) -> Gcra {
    Gcra::from_ticks(limit, period, burst).expect("a quota")
}

const SECOND: u64 = 1_000_000_000;

/// One quota of each kind: whole ticks, fractions of a tick, several units per tick, and the most parts there are.
fn kinds() -> [Gcra; 5] {
    [
        gcra(10, SECOND, 20),
        gcra(7, SECOND, 3),
        gcra(3_000_000_019, SECOND, 1_000_000),
        gcra(1 << 32, (1 << 32) + 1, 5),
        gcra(2, 1, 1),
    ]
}

#[test]
fn a_state_fits_the_96_bits_of_a_store_however_late_it_is() {
    for gcra in kinds() {
        for now in [0, 1, SECOND, u64::MAX - HORIZON, u64::MAX - SECOND, u64::MAX - 1, u64::MAX] {
            let (mut state, mut admitted) = (gcra.fresh(), 0);
            while let Ok(next) = gcra.admit(state, now, 1) {
                assert!(next > state, "charged nothing at {now}");
                assert!(u64::from(next.parts()) < gcra.parts.get(), "cut off at {now}");
                (state, admitted) = (next, admitted + 1);
            }
            assert!(admitted <= gcra.capacity() && (admitted == gcra.capacity() || now > u64::MAX - HORIZON));
        }
    }
}

/// The algorithm with the state as one count of parts, which is how the module's page explains it.
struct Count {
    parts: u128,
    interval: u128,
    full: u128,
}

impl Count {
    fn of(gcra: &Gcra) -> Self {
        Self { parts: gcra.parts.get().into(), interval: gcra.interval.get().into(), full: gcra.full() }
    }

    fn count(&self, state: Tat) -> u128 {
        assert!(u128::from(state.parts) < self.parts, "a whole tick among the parts of {state:?}");
        u128::from(state.ticks) * self.parts + u128::from(state.parts)
    }

    fn ticks(&self, count: u128) -> u64 {
        u64::try_from(count.div_ceil(self.parts)).unwrap_or(u64::MAX)
    }

    fn ahead(&self, state: Tat, now: u64) -> u128 {
        self.count(state).saturating_sub(u128::from(now) * self.parts)
    }

    fn admit(&self, state: Tat, now: u64, cost: u64) -> Result<u128, u64> {
        let charge = u128::from(cost) * self.interval;
        let used = self.ahead(state, now) + charge;
        let next = u128::from(now) * self.parts + used;
        match used.checked_sub(self.full) {
            _ if cost == 0 => Ok(self.count(state)),
            _ if charge > self.full => Err(NEVER),
            Some(excess) if excess > 0 => {
                let wait = self.ticks(excess);
                let then = (u128::from(now) + u128::from(wait)) * self.parts;
                let end = then.max(self.count(state)) + charge;
                Err(if end < self.parts << 64 { wait } else { NEVER })
            }
            _ if next >= self.parts << 64 => Err(NEVER),
            _ => Ok(next),
        }
    }

    fn standing(&self, state: Tat, now: u64) -> Standing {
        let ahead = self.ahead(state, now);
        let remaining = (self.full.saturating_sub(ahead) / self.interval) as u64;
        Standing { remaining, reset_after: self.ticks(ahead) }
    }
}

#[test]
fn ticks_and_parts_come_to_what_one_count_of_parts_comes_to() {
    let random = BuildHasherDefault::<DefaultHasher>::default();
    let mut drawn = 0_u64;
    let mut below = |end: u64| {
        drawn += 1;
        random.hash_one(drawn) % end
    };
    let mut asked = 0;
    while asked < 200_000 {
        // Of every order of magnitude, and up to the last.
        let mut any = |most: u64| match below(4) {
            0 => most - below(3).min(most),
            _ => (below(u64::MAX) >> below(64)).min(most),
        };
        let limit = if any(3) == 0 { 1 << 32 } else { any(1 << 33) };
        let Ok(gcra) = Gcra::from_ticks(limit, any(1 << 40), any(u64::MAX)) else { continue };
        let count = Count::of(&gcra);
        let fills_in = (count.full / count.parts) as u64;
        let mut state = gcra.fresh();
        let mut now = any(u64::MAX);
        for _ in 0..20 {
            asked += 1;
            let (step, cost, parts) = (any(fills_in), any(gcra.capacity()), any(gcra.parts.get() - 1));
            now = match any(7) {
                0 => any(u64::MAX),
                1 => u64::MAX - any(fills_in),
                2 => now,
                // Around the instant at which one more unit conforms, and around that at which the bucket is full.
                3 => state.ticks.saturating_sub(gcra.tolerance.ticks).saturating_add(any(2)),
                4 => state.ticks.saturating_sub(any(1)),
                _ => now.saturating_add(step),
            };
            if any(7) == 0 {
                state = Tat { ticks: now.saturating_add(step), parts: parts as u32 };
            }
            let cost = if any(1) == 0 { 1 } else { cost };
            let next = gcra.admit(state, now, cost);
            assert_eq!(
                next.map(|next| count.count(next)),
                count.admit(state, now, cost),
                "{gcra:?}, {state:?} at {now}: {cost}"
            );
            if gcra.is_whole() {
                let word = gcra.admit_word(state.ticks, now, cost);
                assert_eq!(word.map(|next| Tat::new(next, 0)), next, "{gcra:?}, {state:?} at {now}: {cost}");
            }
            assert_eq!(
                gcra.standing(state, now),
                count.standing(state, now),
                "{gcra:?}, {state:?} at {now}: {cost}"
            );
            assert_eq!(
                gcra.fresh_from(state),
                count.ticks(count.count(state)),
                "{gcra:?}, {state:?} at {now}: {cost}"
            );
            state = next.unwrap_or(state);
        }
    }
}

#[test]
fn the_same_code_counts_in_microseconds() {
    // Seven per second: 142,857.14… µs apart.
    let gcra = gcra(7, 1_000_000, 2);
    let mut state = gcra.admit(gcra.fresh(), 0, 1).expect("a new key");
    // One unit in reserve, so that the fraction of a tick that everybody waits too long is not lost.
    for unit in 0..70_000_u64 {
        let due = (unit * 1_000_000).div_ceil(7);
        if unit > 0 {
            assert_eq!(gcra.admit(state, due - 1, 1), Err(1), "unit {unit}");
        }
        state = gcra.admit(state, due, 1).expect("due");
    }
    assert_eq!(gcra.fresh_from(state), (70_001_u64 * 1_000_000).div_ceil(7));
}

#[test]
fn a_key_is_fresh_from_the_first_tick_at_which_it_cannot_be_told_from_a_new_one() {
    for gcra in kinds() {
        let state = gcra.admit(gcra.fresh(), SECOND, 1).expect("a new key");
        let fresh_from = gcra.fresh_from(state);
        assert_eq!(gcra.standing(state, fresh_from), gcra.standing(gcra.fresh(), fresh_from));
        assert_ne!(gcra.standing(state, fresh_from - 1), gcra.standing(gcra.fresh(), fresh_from - 1));
        assert_eq!(gcra.fresh_from(gcra.fresh_at(fresh_from)), fresh_from);
    }
}

#[test]
fn a_torn_or_impossible_state_is_answered_without_a_panic() {
    // A reader may see half of one state and half of the next; it finds out afterwards.
    for gcra in kinds() {
        for (low, high) in
            [(0, u32::MAX), (u64::MAX, 0), (u64::MAX, u32::MAX), (1, 1), (SECOND, u32::MAX - 1)]
        {
            let state = Tat::new(low, high);
            for (now, cost) in
                [(0, 0), (0, 1), (SECOND, gcra.capacity()), (u64::MAX, u64::MAX), (u64::MAX, 1)]
            {
                let _ = gcra.admit(state, now, cost);
                assert!(gcra.standing(state, now).remaining <= gcra.capacity());
                let _ = gcra.fresh_from(state);
                for next in kinds() {
                    let _ = gcra.carry_over(&next, state, now);
                }
            }
        }
    }
}

#[test]
fn carrying_over_to_the_same_quota_moves_a_state_by_at_most_a_tick() {
    for gcra in kinds() {
        for cost in [1, gcra.capacity()] {
            let state = gcra.admit(gcra.fresh(), SECOND, cost).expect("a new key");
            // Before, at, and after the charge, and long after everything is earned back.
            for at in [0, SECOND - 1, SECOND, SECOND + 1, gcra.fresh_from(state), 100 * SECOND] {
                let carried = gcra.carry_over(&gcra, state, at);
                assert!(carried >= state, "{gcra:?} at {at}: rewound");
                assert!(gcra.fresh_from(carried) <= gcra.fresh_from(state) + 2, "{gcra:?} at {at}: delayed");
            }
        }
    }
}

#[test]
fn carrying_over_never_leaves_more_than_the_share_that_was_free() {
    for from in kinds() {
        for to in kinds() {
            for cost in 0..=from.capacity().min(20) {
                let cost = if from.capacity() > 20 { cost * (from.capacity() / 20) } else { cost };
                let state = from.admit(from.fresh(), SECOND, cost).expect("a new key");
                let carried = from.carry_over(&to, state, SECOND);
                let left = u128::from(to.standing(carried, SECOND).remaining);
                let free = u128::from(from.capacity() - cost);
                assert!(
                    left * u128::from(from.capacity()) <= free * u128::from(to.capacity()),
                    "{from:?} to {to:?}"
                );
                assert!(
                    cost > 0 || left == u128::from(to.capacity()),
                    "an idle key was charged for the change"
                );
            }
        }
    }
}

#[test]
fn what_was_taken_after_the_instant_of_a_change_is_not_given_back() {
    // At 0 the state looks like more than everything used. It used to be cut down to one burst from 0 on, and the key
    // was fresh again when the burst had hardly been spent.
    let (slow, fast) = (gcra(10, SECOND, 10), gcra(1_000, SECOND, 10));
    let exhausted = slow.admit(slow.fresh(), 5 * SECOND, 10).expect("a new key");
    let carried = slow.carry_over(&fast, exhausted, 0);
    assert_eq!(fast.admit(carried, 5 * SECOND, 1), Err(SECOND / 1_000));
}

#[test]
fn what_lies_beyond_all_ticks_is_told_as_the_last_one() {
    let gcra = gcra(2, 1, 1);
    let last = Tat::new(u64::MAX, 1);
    assert_eq!(gcra.admit(last, 0, 1), Err(NEVER));
    assert_eq!(gcra.standing(last, 0), Standing { remaining: 0, reset_after: u64::MAX });
    assert_eq!(gcra.fresh_from(last), u64::MAX);
}

#[test]
fn carrying_over_rounds_a_share_of_few_ticks_up() {
    // One tick of one and a half is used, and two thirds of six ticks are four.
    let (from, to) = (gcra(2, 3, 1), gcra(1, 3, 2));
    assert!(from.carry_over(&to, from.fresh_at(11), 10) >= to.fresh_at(10 + 4));
}

#[test]
fn carrying_over_rounds_up_in_the_last_tick_there_is_too() {
    // Counted in 64 bits, the part behind the last tick was lost, and the state was carried to a tick earlier than it was.
    let (from, to) = (gcra(7, 100, 300), gcra(3, 100, 3));
    let last = Tat::new(u64::MAX, 1);
    // More than everything is used by all ticks there are and one, less the 4,285 in which the first bucket fills; the
    // second takes 100.
    assert_eq!(from.carry_over(&to, last, 0), Tat::new(u64::MAX - 4_285 + 100 + 1, 0));
}

#[test]
fn carrying_over_at_the_end_of_time_saturates() {
    let (slow, large) = (gcra(1, SECOND, 1), gcra(7, SECOND, 10_000));
    let now = u64::MAX - SECOND - 1;
    let exhausted = slow.admit(slow.fresh(), now, 1).expect("a new key");
    let carried = slow.carry_over(&large, exhausted, now);
    assert!(u64::from(carried.parts()) < large.parts.get(), "cut off");
    assert!(large.admit(carried, now, 1).is_err(), "freed");
}

#[test]
fn a_quota_that_cannot_be_counted_exactly_and_for_ten_years_is_refused() {
    assert_eq!(LONGEST, u64::MAX - 10 * 366 * 24 * 60 * 60 * SECOND);
    let field =
        |limit, period, burst| Gcra::from_ticks(limit, period, burst).err().map(|error| error.field());
    assert_eq!(field(0, SECOND, 1), Some("limit"));
    assert_eq!(field(1, 0, 1), Some("period"));
    assert_eq!(field(1, SECOND, 0), Some("burst"));
    assert_eq!(field(1, LONGEST, 1), None);
    assert_eq!(field(1, LONGEST + 1, 1), Some("period"));
    assert_eq!(field(1, u64::MAX, 1), Some("period"));
    // 2³² parts in a tick, and one too many.
    assert_eq!(field(1 << 32, 3, 1), None);
    assert_eq!(field((1 << 32) + 1, 3, 1), Some("limit"));
    assert_eq!(field(u64::MAX, SECOND + 1, 1), Some("limit"));
    // A burst that fills in just the longest time, in whole ticks and in parts.
    assert_eq!(field(1, 1, LONGEST), None);
    assert_eq!(field(1, 1, LONGEST + 1), Some("burst"));
    assert_eq!(field(2, 1, 2 * (LONGEST / 2)), None);
    assert_eq!(field(2, 3, 2 * (LONGEST / 3)), None);
    assert_eq!(field(2, 3, 2 * (LONGEST / 3) + 2), Some("burst"));
}

#[test]
fn a_quota_is_told_as_it_was_given() {
    for (limit, period, burst) in [(10, SECOND, 20), (7, SECOND, 3), (6, 4, 1), (1 << 32, 1 << 31, 5)] {
        let gcra = gcra(limit, period, burst);
        assert_eq!((gcra.limit(), gcra.period(), gcra.burst()), (limit, period, burst));
    }
    let quota = Quota::per_second(7).burst(3);
    assert_eq!(Gcra::new(quota), gcra(7, SECOND, 3));
}

#[test]
fn whole_ticks_are_answered_in_64_bits_as_in_96() {
    let (gcra, wide) = (gcra(10, 1_000, 5), gcra(10, 1_000, 5));
    assert!(gcra.is_whole() && !self::gcra(7, 1_000, 5).is_whole());
    let whole = Whole(&gcra);
    assert_eq!((whole.most(), Fractions::<false>(&wide).most()), (5, 5));
    for low in [0, 100, 450, 500, 600, u64::MAX] {
        let word = Word { low, high: 0 };
        for now in [0, 1, 50, 100, 101, 500, u64::MAX - 1] {
            let fractions = Fractions::<true>(&wide);
            assert_eq!(whole.standing_word(word, now), wide.standing_word(word, now));
            assert_eq!(fractions.standing_word(word, now), wide.standing_word(word, now));
            for cost in [0, 1, 2, 5, 6, u64::MAX] {
                let admitted = Engine::admit_word(&wide, word, now, cost);
                assert_eq!(whole.admit_word(word, now, cost), admitted);
                assert_eq!(fractions.admit_word(word, now, cost), admitted);
            }
        }
    }
}

#[test]
fn a_penalty_leaves_one_unit_when_it_is_over() {
    for gcra in kinds() {
        let penalized = gcra.penalized(gcra.fresh(), 5, SECOND);
        assert_eq!(gcra.standing(penalized, SECOND).remaining, 1);
        assert_eq!(gcra.admit(penalized, SECOND - 1, 1), Err(1));
        assert!(gcra.strength(gcra.pack(penalized), 5) > gcra.strength(gcra.pack(gcra.fresh()), 5));
    }
    let gcra = gcra(10, SECOND, 2);
    assert_eq!(gcra.penalized(gcra.fresh(), 0, u64::MAX), Tat::new(u64::MAX, 0));
}

#[test]
fn a_charge_that_would_end_past_the_end_of_time_is_not_waited_for() {
    // Every 300 years: 584 fit into 64 bits of nanoseconds.
    const YEARS: u64 = 300 * 366 * 86_400 * SECOND;
    let gcra = gcra(1, YEARS, 1);
    let spent = gcra.admit(gcra.fresh(), 0, 1).expect("a new key");
    assert_eq!(gcra.admit(spent, SECOND, 1), Err(NEVER));
    assert_eq!(gcra.admit_word(spent.ticks(), SECOND, 1), Err(NEVER));
    assert_eq!(gcra.admit(spent, YEARS, 1), Err(NEVER));
    for max_wait in [0, SECOND, u64::MAX] {
        assert_eq!(gcra.reserve(spent, SECOND, 1, max_wait), Err(NEVER));
    }
}

#[test]
fn an_empty_bucket_fills_in_whole_ticks() {
    assert_eq!(gcra(10, 1_000, 5).time_to_fill(), 500);
    // Seven in ten ticks: one in a tick and three sevenths.
    assert_eq!([1, 2, 7].map(|burst| gcra(7, 10, burst).time_to_fill()), [1, 2, 10]);
    // Less than a tick for everything is taken for one.
    assert_eq!(gcra(2, 1, 1).time_to_fill(), 1);
}

#[test]
fn units_are_the_same_in_quotas_of_any_rate() {
    const ONE: u64 = 1 << 16;
    let (slow, fast) = (gcra(10, 86_400 * SECOND, 10), gcra(100, SECOND, 100));
    for (gcra, units) in [(slow, 1), (slow, 7), (fast, 1), (fast, 99)] {
        let state = gcra.admit(gcra.fresh(), SECOND, units).expect("a new key");
        assert_eq!(gcra.units_used(state, SECOND), units * ONE);
        assert_eq!(gcra.units_used(state, u64::MAX), 0);
        assert!((1..units * ONE).contains(&gcra.units_used(state, SECOND + 1)));
    }
    // Of seven in ten ticks one is a tick and three sevenths, rounded up to two: seven fifths of a unit.
    let sevenths = gcra(7, 10, 7);
    let state = sevenths.admit(sevenths.fresh(), 0, 1).expect("a new key");
    assert_eq!(sevenths.units_used(state, 0), 7 * ONE / 5);
    // More than 64 bits on the way.
    let week = gcra(7, 10 * 86_400 * SECOND, 7);
    let state = week.admit(week.fresh(), 0, 7).expect("a new key");
    assert_eq!(week.units_used(state, 0), 7 * ONE);
    assert_eq!(
        fast.units_used(Tat::new(u64::MAX, 0), 0),
        (u128::from(u64::MAX) * 65_536 / 10_000_000).try_into().unwrap_or(u64::MAX)
    );
}
