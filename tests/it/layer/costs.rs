//! What a request costs: a cost that makes a policy useless is refused with the policy, one of a single request is not.

use http::Request;
use tower_ratelimit::{Cost, ManualClock, Policy, Quota, RateLimitLayer, RequestHead, global};

use super::support::{admitted, costing, limited, metered, send};

const TEN: Quota = Quota::per_hour(10);

fn costs(quota: Quota, cost: impl Cost) -> Policy {
    Policy::new("api", quota).key(global()).cost(cost)
}

/// A cost that is the same for every request, of somebody's own type.
struct Flat(u64);

impl Cost for Flat {
    fn units(&self, _: &RequestHead<'_>) -> u64 {
        self.0
    }

    fn constant(&self) -> Option<u64> {
        Some(self.0)
    }
}

#[test]
fn a_cost_that_limits_nobody_is_refused() {
    for policy in [costs(TEN, 0), costs(TEN, Flat(0))] {
        let error = RateLimitLayer::try_new(policy).unwrap_err();
        assert_eq!(error.code(), "config-cost-zero");
        assert_eq!(
            error.to_string(),
            "policy \"api\": cost is 0, which would limit nobody; give at least 1, or a closure that returns 0 for the \
             requests that are free"
        );
    }
}

#[test]
fn a_cost_above_the_burst_is_refused_since_it_would_refuse_everybody_for_ever() {
    for (quota, cost, burst) in [(TEN, 11, 10), (TEN.burst(3), 4, 3), (Quota::per_second(1), u64::MAX, 1)] {
        let error = RateLimitLayer::try_new(costs(quota, cost)).unwrap_err();
        assert_eq!(error.code(), "config-cost-above-burst");
        assert_eq!(
            error.to_string(),
            format!(
                "policy \"api\": cost {cost} is above the burst of {burst}, so nobody would ever be admitted; lower the \
                 cost, or raise the burst with `Quota::burst`"
            )
        );
    }
    for (quota, cost) in [(TEN, 10), (TEN.burst(11), 11), (TEN.burst(1), 1)] {
        assert!(RateLimitLayer::try_new(costs(quota, cost)).is_ok(), "{quota}, {cost}");
    }
}

#[test]
#[should_panic(expected = "policy \"api\": cost is 0, which would limit nobody")]
fn new_panics_with_the_same_words() {
    let _ = RateLimitLayer::new([Policy::new("other", TEN), costs(TEN, 0)]);
}

#[tokio::test]
async fn a_change_to_a_cost_or_a_quota_that_do_not_fit_is_refused_and_the_old_set_stays() {
    let layer = RateLimitLayer::new(costs(TEN, 5)).clock(ManualClock::new());
    let (handle, mut service) = (layer.handle(), limited(&layer));
    assert_eq!(admitted(&mut service, 1, || Request::new(())).await, 1);
    let before = handle.stats();
    for (policy, code) in [
        (costs(TEN, 0), "config-cost-zero"),
        (costs(TEN, 11), "config-cost-above-burst"),
        // The cost was fine until somebody lowered the burst.
        (costs(TEN.burst(4), 5), "config-cost-above-burst"),
    ] {
        assert_eq!(handle.set_policies(policy).unwrap_err().code(), code);
        assert_eq!(handle.stats(), before);
    }
    assert_eq!(admitted(&mut service, 9, || Request::new(())).await, 1);
}

#[tokio::test]
async fn a_closure_may_charge_nothing_or_more_than_there_is() {
    let (layer, _) = metered([("api", Quota::per_hour(2))]);
    let mut service = limited(&layer);
    assert_eq!(admitted(&mut service, 50, || costing([("api", 0)])).await, 50);
    for never in [3, u64::MAX] {
        let refusal = send(&mut service, costing([("api", never)])).await;
        assert_eq!((refusal.status().as_u16(), refusal.headers().get("retry-after")), (429, None));
    }
    assert_eq!(admitted(&mut service, 9, || costing([("api", 1)])).await, 2);
    // Used up, what costs nothing still passes.
    assert_eq!(admitted(&mut service, 5, || costing([("api", 0)])).await, 5);
}
