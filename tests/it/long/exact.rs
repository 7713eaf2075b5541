//! The comparison with the exact bucket, over many seeds.

use super::asked_for;
use crate::core::exact::difference_from_the_model;

const SEEDS: u64 = 1_000;

#[test]
fn a_thousand_seeds_decide_as_the_exact_bucket_does() {
    if !asked_for("2·10^9 decisions against the exact bucket") {
        return;
    }
    for seed in 1_000..1_000 + SEEDS {
        assert_eq!(difference_from_the_model(seed), None);
    }
    println!("{SEEDS} seeds of 2,000,000 decisions each: all as the model");
}
