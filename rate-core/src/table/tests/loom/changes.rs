//! A limit that changes, and tiers.

use super::{KEY, Limit, NOW, tag_at};
use crate::Quota;
use crate::algorithm::{AnyAlgorithm, Gcra};
use crate::sync::tests::in_every_order;
use crate::table::Rate;

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
