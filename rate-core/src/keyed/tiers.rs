//! Quotas per call.

use core::hash::Hash;

use super::KeyedLimiter;
use crate::algorithm::{Gcra, NEVER, Standing};
use crate::table::Ask;
use crate::{Decision, Quota, Tier, Timestamp};

impl KeyedLimiter {
    /// A limiter of the same keys in the same memory, which counts whoever it is asked for by `quota`: a tier.
    ///
    /// A key that is asked for through another one takes the share it has used along, and earns at the rate of the quota it was
    /// last asked for in, if only to be [peeked](Self::peek) at. And it finds at least as much used as if it had stayed where it
    /// used it, unless it has been elsewhere for so long that all of this quota would have come back. So a change of plan is no
    /// fresh burst, nor is going back and forth, for however long: through each tier no more is admitted than its
    /// [`bounds`](Self::bounds) say. Who takes nothing in a faster tier finds the other as if it had never left. Everything that this
    /// limiter can do a tier can, several limits at once included; but a tier whose limit [changes](Self::with_limit) is another tier.
    ///
    /// A [refund](Self::refund) or a cancellation gives nothing back through another tier than the key was last asked in. That
    /// a key was in another one in between and has come back is not known: what it earned there counts as if it had not been, so
    /// a refund may give back of a charge what had come back by itself already, but no more than the charge, and once. And who is
    /// given something back in one of three tiers or more, of which another was less used than that one, may be given back there, too.
    ///
    /// Cheap enough to be made for each request; the quotas themselves are remembered, a hundred bytes for each that is different,
    /// and up to a million of them: whoever comes with another one then is counted by this limiter's own. The first of them
    /// allocates twelve bytes for each key of the capacity; and a key that comes to another tier with something used, 528 for it
    /// and its five neighbours in the table.
    ///
    /// # Examples
    ///
    /// ```
    /// use rate_core::{KeyedLimiter, Quota, Timestamp};
    ///
    /// let free = KeyedLimiter::new(Quota::per_minute(10));
    /// let gold = free.tier(Quota::per_minute(100));
    /// let now = Timestamp::ZERO;
    /// assert!(free.check_n_at("ann", 10, now).is_allowed());
    /// // She has used all of it, in any plan.
    /// assert!(!gold.check_at("ann", now).is_allowed());
    /// assert!(gold.check_n_at("bob", 100, now).is_allowed());
    /// ```
    #[must_use]
    pub fn tier(&self, quota: Quota) -> Self {
        Self { rate: self.table.tier(Gcra::new(quota)), ..self.clone() }
    }

    /// Takes `cost` units for `key` as its tier allows. Never waits. What [`tier`](Self::tier) says of quotas holds for this too.
    pub fn check_tier<Q: Hash + ?Sized>(&self, key: &Q, tier: Tier, cost: u64) -> Decision {
        self.check_tier_at(key, tier, cost, self.clock.now())
    }

    /// Takes `cost` units for `key` as its tier allows at `now`.
    pub fn check_tier_at<Q: Hash + ?Sized>(
        &self,
        key: &Q,
        tier: Tier,
        cost: u64,
        now: Timestamp,
    ) -> Decision {
        let standing = |remaining| Standing { remaining, reset_after: 0 };
        match tier {
            Tier::Unlimited => Decision::new(u64::MAX, standing(u64::MAX), None),
            Tier::Blocked => Decision::new(0, standing(0), Some(NEVER)),
            Tier::Limit(quota) => {
                let rate = self.table.tier(Gcra::new(quota));
                let ask = Ask { rate: &rate, ..self.ask(self.fingerprint(key), cost) };
                ask.decide::<Gcra>(now.as_nanos())
            }
        }
    }
}
