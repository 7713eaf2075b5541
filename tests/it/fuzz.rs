//! The fuzzer's targets, on inputs that are the same in every run. `tests/long fuzz` lets it look for better ones.

use rate_core::algorithm::AnyAlgorithm;

use crate::core::random::Random;

#[path = "../../fuzz/src/lib.rs"]
#[allow(unreachable_pub, reason = "of a crate of its own, where it is not")]
mod targets;

#[test]
fn texts_of_limits_are_read_back_as_they_are_written() {
    // What the fuzzer is told to make texts of.
    let dictionary = include_str!("../../fuzz/quota_text.dict").lines().map(|word| word.trim_matches('"'));
    let (units, words): (Vec<&str>, Vec<&str>) = dictionary.partition(|word| word.starts_with('/'));
    let mut random = Random::new(71);
    let mut read = 0;
    for _ in 0..40_000 {
        let mut text = number(&mut random);
        text.push_str(pick(&mut random, &units));
        if random.below(2) == 0 {
            text.push_str(" burst ");
            text.push_str(&number(&mut random));
        }
        for _ in 0..random.below(3) {
            text.push_str(["", " "][random.below(2) as usize]);
            text.push_str(pick(&mut random, &words));
        }
        if random.below(4) == 0 {
            text.insert(random.below(text.len() as u64 + 1) as usize, random.below(128) as u8 as char);
        }
        targets::quota_text::check(&text);
        read += u32::from(text.parse::<AnyAlgorithm>().is_ok());
    }
    assert!(read > 5_000, "{read} of 40,000 texts were limits");
}

#[test]
fn limits_of_every_algorithm_keep_their_promises_in_any_order_of_operations() {
    let mut random = Random::new(72);
    for _ in 0..12_000 {
        let length = random.below(300);
        // Small ones more often: of large numbers are limits that nothing ever exhausts, and times past which there is none.
        let most = [16, 255][random.below(2) as usize];
        let bytes: Vec<u8> = (0..length).map(|_| random.below(most + 1) as u8).collect();
        targets::limits::check(&bytes);
    }
}

fn number(random: &mut Random) -> String {
    match random.below(4) {
        0 => random.below(100).to_string(),
        _ => random.magnitude(u64::MAX).to_string(),
    }
}

fn pick<'a>(random: &mut Random, from: &[&'a str]) -> &'a str {
    from[random.below(from.len() as u64) as usize]
}
