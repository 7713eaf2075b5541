//! The algorithms against their models, in every way there is to ask them.

mod arrivals;
mod fixtures;
