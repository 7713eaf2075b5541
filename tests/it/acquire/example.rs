//! The example, as somebody runs it.

use crate::axum_app::examples::example;

#[test]
fn the_example_makes_its_calls_in_order_at_the_rate_it_is_told() {
    let run = |quota: &str| example("acquire").env("QUOTA", quota).output().unwrap();
    let output = run("500/s burst 2");
    let lines = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{lines}");
    for host in ["a.example", "b.example"] {
        let calls = lines.lines().filter(|line| line.ends_with(host));
        let numbers = calls.map(|line| line.split_whitespace().nth(3).unwrap().parse::<u32>().unwrap());
        let numbers: Vec<_> = numbers.collect();
        assert!(numbers.len() == 12 && numbers.is_sorted(), "{lines}");
    }
    assert!(lines.contains("the hurried call"), "{lines}");

    let wrong = run("fast");
    assert!(!wrong.status.success());
    assert!(String::from_utf8(wrong.stderr).unwrap().contains("QUOTA=fast"));
}
