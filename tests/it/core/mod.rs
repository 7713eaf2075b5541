//! `rate-core` through its public face: exactness, the contract of waits, keys, several limits, threads.

mod algorithm_change;
mod behind;
mod clocks;
mod contract;
pub(crate) mod exact;
mod extremes;
mod fuzzed;
mod keyed;
mod late;
mod ledger;
mod load;
mod mixes;
mod moving;
mod quota_change;
pub(crate) mod random;
mod refunds;
mod refusals;
mod several;
pub(crate) mod six;
mod spread;
pub(crate) mod subject;
mod threads;
mod tiers;
mod to_and_fro;
mod window;

pub(crate) use clocks::later;
