//! One key, or newcomers to one line.

use super::{KEY, LINES, Limit, NOW, OTHER_KEY, PAIR};
use crate::Quota;
use crate::algorithm::{Charged, SlidingLog};
use crate::kept::Operation;
use crate::sync::Backoff;
use crate::sync::tests::in_every_order;
use crate::table::Ask;

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
