//! The algorithms against their models, in every way there is to ask them.

mod aligned;
mod arrivals;
mod difference;
mod elsewhere;
mod exact;
mod extremes;
mod fixtures;
mod operation;
mod refunds;
mod subject;
mod tally;
mod tested;
mod tiers;
mod timeline;
mod wrong;
