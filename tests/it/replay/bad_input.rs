//! Logs and command lines that make no sense: told so, and never a panic.

use std::process::Command;

use super::program::{Run, TemporaryFile, feed, finish, path, run, start};
use super::synthetic::{JUNK, gzip};
use crate::core::random::Random;

const LINE: &str = "client - - [17/May/2015:10:05:03 +0000] \"GET / HTTP/1.1\" 200 1\n";

/// An error, nothing on standard output, and every part in one message.
fn assert_refused(run: &Run, parts: &[&str]) {
    assert_eq!(run.code, Some(2), "{parts:?}: {run:?}");
    assert_eq!(run.stdout, "", "{parts:?}");
    let message = run.stderr.lines().last().unwrap_or_default();
    assert!(message.starts_with("replay: "), "{message}");
    for part in parts {
        assert!(message.contains(part), "{part:?} is not in {message:?}");
    }
}

#[test]
fn logs_that_cannot_be_read_are_refused_with_their_name_and_a_fix() {
    let missing = "no/such/file.log";
    assert_refused(&run(&[missing], b""), &[missing, "No such file", "give the path of an access log"]);
    let directory = env!("CARGO_TARGET_TMPDIR");
    assert_refused(&run(&[directory], b""), &[directory, "is a directory", "give the path of an access log"]);

    for nothing in [&b""[..], b"\n", b"\r\n", &gzip(b""), &gzip(b"\n")] {
        let file = TemporaryFile::new(nothing);
        assert_refused(&run(&[file.path(), "--json"], b""), &[file.path(), "is empty", "give an access log"]);
        assert_refused(&run(&["--json"], nothing), &["standard input is empty", "give an access log"]);
    }

    let file = TemporaryFile::new(b"one\ntwo\n");
    let refused = run(&[file.path(), "--json"], b"");
    assert_refused(&refused, &[file.path(), "no request", "2", "common or combined format"]);
    assert!(refused.stderr.starts_with("line 1: "), "{}", refused.stderr);
}

#[test]
fn damaged_gzip_streams_are_refused_with_their_name_and_a_fix() {
    let packed = gzip(LINE.repeat(5_000).as_bytes());
    let mut flipped = packed.clone();
    flipped[packed.len() / 2] ^= 0x55;
    let mut checksum = packed.clone();
    checksum[packed.len() - 8] ^= 1;
    let cut = packed[..packed.len() / 2].to_vec();
    let header_only = packed[..5].to_vec();
    let magic_only = packed[..2].to_vec();
    let second_member_is_none = [packed.as_slice(), b"not gzip"].concat();
    for damaged in [flipped, checksum, cut, header_only, magic_only, second_member_is_none] {
        let file = TemporaryFile::new(&damaged);
        assert_refused(
            &run(&[file.path()], b""),
            &[file.path(), "line", "gzip stream is damaged", "gzip -t"],
        );
        assert_refused(&run(&["--json"], &damaged), &["standard input", "gzip stream is damaged", "gzip -t"]);
    }
}

#[test]
fn command_lines_that_make_no_sense_are_refused_with_a_fix() {
    let cases: [(&[&str], &[&str]); 12] = [
        (&["--quota", "0/s"], &["--quota", "0/s", "limit must be at least 1"]),
        (&["--quota", "10"], &["--quota", "\"10\"", "expected `N/PERIOD`", "10/s burst 20"]),
        (&["--quota", "10/week"], &["--quota", "10/week", "the period must end in"]),
        (&["--quota", "10/s burst 0"], &["--quota", "burst must be at least 1"]),
        (&["--quota=-1/s"], &["--quota", "-1/s", "limit must be a whole number"]),
        (&["--quota", "1/s", "--quota", ""], &["--quota", "expected `N/PERIOD`"]),
        (&["--quota"], &["--quota", "--help"]),
        (&["--top", "ten"], &["--top", "ten", "whole number"]),
        (&["--top=-1"], &["--top", "-1", "whole number"]),
        (&["--jsn"], &["--jsn", "--help"]),
        (&["--json=yes"], &["--json", "--help"]),
        (&["one.log", "two.log"], &["2 logs", "one can be replayed"]),
    ];
    for (args, parts) in cases {
        assert_refused(&run(args, LINE.as_bytes()), parts);
    }
}

#[test]
fn unreadable_lines_are_counted_and_the_first_ten_reported() {
    let mut log = String::new();
    for number in 1..=50 {
        log += if number % 2 == 0 { "no \u{1b}[31m log \u{e9} line" } else { LINE.trim_end() };
        log += "\n";
    }
    let found = run(&["--json"], log.as_bytes());
    assert_eq!(found.code, Some(0));
    assert!(found.stdout.starts_with("{\"requests\":25,\"keys\":1,\"unparsed\":25,"), "{}", found.stdout);
    let lines: Vec<_> = found.stderr.lines().collect();
    assert_eq!(lines.len(), 11);
    for (index, line) in lines[..10].iter().enumerate() {
        assert!(line.starts_with(&format!("line {}: ", 2 * (index + 1))), "{line}");
        assert!(line.ends_with(r": no \x1b[31m log \xc3\xa9 line"), "{line}");
    }
    assert_eq!(lines[10], "and 15 more: 25 lines could not be read");
}

#[test]
fn no_more_than_eighty_characters_of_a_line_are_shown() {
    for (line, shown) in [
        ("x".repeat(80), "x".repeat(80)),
        ("x".repeat(81), "x".repeat(80) + "..."),
        ("\u{1}\0".repeat(9_999), r"\x01\x00".repeat(10) + "..."),
    ] {
        let found = run(&[], format!("{LINE}{line}\n").as_bytes());
        assert_eq!(found.stderr, format!("line 2: it has one column: {shown}\n"));
    }
}

#[test]
fn each_kind_of_unreadable_line_is_left_out_alone() {
    for junk in JUNK {
        let log = [junk, b"\n", LINE.as_bytes(), junk].concat();
        let found = run(&["--json"], &log);
        assert_eq!(found.code, Some(0), "{}: {found:?}", junk.escape_ascii());
        let start = "{\"requests\":1,\"keys\":1,\"unparsed\":2,";
        assert!(found.stdout.starts_with(start), "{}: {}", junk.escape_ascii(), found.stdout);
        assert!(
            found.stderr.starts_with("line 1: ") && found.stderr.contains("\nline 3: "),
            "{}",
            found.stderr
        );
    }
}

#[test]
fn an_empty_line_counts_unless_it_is_the_last() {
    for (log, unparsed) in [
        (LINE.to_owned(), 0),
        (LINE.trim_end().to_owned(), 0),
        (format!("{LINE}\n"), 0),
        (format!("{LINE}\r\n"), 0),
        (format!("{LINE}\n\n"), 1),
        (format!("\n{LINE}"), 1),
        (format!("\r\n\n{LINE}\n{LINE}\n"), 3),
    ] {
        let requests = log.matches("client").count();
        let found = run(&["--json"], log.as_bytes());
        let start = format!("{{\"requests\":{requests},\"keys\":1,\"unparsed\":{unparsed},");
        assert!(found.stdout.starts_with(&start), "{log:?}: {}", found.stdout);
        assert_eq!(found.stderr.lines().filter(|line| line.ends_with(": it is empty")).count(), unparsed);
    }
}

#[test]
fn a_client_longer_than_a_key_is_unreadable() {
    for (length, unparsed) in [(256, 0), (257, 1), (60_000, 1)] {
        let log = format!("{LINE}{} {}", "x".repeat(length), &LINE["client ".len()..]);
        let found = run(&["--json"], log.as_bytes());
        assert!(found.stdout.contains(&format!("\"unparsed\":{unparsed},")), "{length}: {}", found.stdout);
        assert_eq!(found.stderr.contains(&format!("{length} bytes, at most 256")), unparsed == 1);
    }
}

/// The line would need more memory than the program is given here.
#[cfg(target_os = "linux")]
#[test]
fn a_line_without_an_end_does_not_fill_the_memory() {
    let mut child =
        start(Command::new("sh").args(["-c", "ulimit -v 131072 && exec \"$0\" --json"]).arg(path()));
    let mut pieces = vec![LINE.into(), b"client ".to_vec()];
    pieces.resize(300, vec![b'-'; 1 << 20]);
    pieces.push(format!("\n{LINE}").into());
    feed(&mut child, pieces);
    let found = finish(child);
    assert!(found.stdout.starts_with("{\"requests\":2,\"keys\":1,\"unparsed\":1,"), "{found:?}");
    assert_eq!(found.stderr, "line 2: it is longer than 65536 bytes\n");
}

#[test]
fn nothing_panics_on_random_input() {
    let random = &mut Random::new(1);
    let mut outcomes = [0; 2];
    for round in 0..300 {
        let (log, packed) = random_log(random, round % 5);
        let found = run(&["--json", "--quota", "1/s", "--quota", "3/day"], &log);
        assert!(!found.stderr.contains("panicked"), "{}: {}", log.escape_ascii(), found.stderr);
        match found.code {
            Some(0) => {
                outcomes[0] += 1;
                let report = super::program::read(&found.stdout);
                for (_, verdict) in &report.policies {
                    assert_eq!(verdict.allowed + verdict.denied, report.requests, "{}", log.escape_ascii());
                }
                if !packed {
                    let lines = report.requests + report.unparsed;
                    assert_eq!(lines, lines_of(&log), "{}", log.escape_ascii());
                }
            }
            Some(2) => {
                outcomes[1] += 1;
                assert_eq!(found.stdout, "", "{}", log.escape_ascii());
            }
            other => panic!("exit code {other:?} on {}: {}", log.escape_ascii(), found.stderr),
        }
    }
    assert!(outcomes.iter().all(|count| *count > 50), "too much of one kind: {outcomes:?}");
}

/// Lines in a log, but for an empty one at its end.
fn lines_of(log: &[u8]) -> u64 {
    let mut lines: Vec<_> = log.strip_suffix(b"\n").unwrap_or(log).split(|byte| *byte == b'\n').collect();
    if lines.last().is_some_and(|line| matches!(*line, b"" | b"\r")) {
        lines.pop();
    }
    lines.len() as u64
}

/// A log that is no log, or no longer one, and whether it is packed.
fn random_log(random: &mut Random, kind: u64) -> (Vec<u8>, bool) {
    const WORDS: [&[u8]; 16] = [
        b" ",
        b" ",
        b" ",
        b"\n",
        b"\r\n",
        b"-",
        b"[",
        b"]",
        b"] \"",
        b"\"",
        b"\\",
        b"200",
        b"client",
        b"17/May/2015:10:05:03 +0000",
        b"\xff\xc3",
        b"client - - [17/May/2015:10:05:03 +0000] \"GET / HTTP/1.1\" 200 1\n",
    ];
    let bytes = |random: &mut Random| (0..random.below(2_000)).map(|_| random.bits() as u8).collect();
    let words = |random: &mut Random| -> Vec<u8> {
        (0..random.below(300)).flat_map(|_| WORDS[random.below(16) as usize]).copied().collect()
    };
    let spoil = |random: &mut Random, mut log: Vec<u8>| {
        for _ in 0..random.below(20) {
            let at = random.below(log.len() as u64) as usize;
            log[at] = random.bits() as u8;
        }
        log
    };
    match kind {
        0 => (bytes(random), false),
        1 => (words(random), false),
        2 => (spoil(random, LINE.repeat(20).into_bytes()), false),
        3 => (gzip(&words(random)), true),
        _ => (spoil(random, gzip(LINE.repeat(20).as_bytes())), true),
    }
}
