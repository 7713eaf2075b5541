#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| rate_limit_fuzz::quota_text::check(text));
