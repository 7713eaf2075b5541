//! A log made up here, with everything that real ones have and some that none should: always run.

use std::collections::BTreeSet;
use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::model::{Entry, LIMITS, Verdict, read, timestamp, verdict};
use super::program::{TemporaryFile, report};
use crate::core::random::Random;

/// Lines that are none of an access log.
pub(super) const JUNK: [&[u8]; 31] = [
    b"junk",
    b" ",
    b"\t",
    b"\xff\xfe\x00\x01",
    b"\xc3\x28 - - [17/May/2015:10:05:03 +0000] \"GET / HTTP/1.1\" 200 1",
    b" - - [17/May/2015:10:05:03 +0000] \"GET / HTTP/1.1\" 200 1",
    b"a\x1b[31m - - [17/May/2015:10:05:03 +0000] \"GET / HTTP/1.1\" 200 1",
    b"client",
    b"client - -",
    b"client - - [17/May/2015",
    b"client - - [17/May/2015:10:05:03 +0000]",
    b"client - - [17/May/2015:10:05:03 +0000] \"",
    b"client - - [17/May/2015:10:05:03 +0000] \"GET / HTTP/1.1",
    b"client - - [17/May/2015:10:05:03 +0000] \"GET / HTTP/1.1\"",
    b"client - - [17/May/2015:10:05:03 +0000] \"GET / HTTP/1.1\" 20",
    b"client - - [17/May/2015:10:05:03 +0000] \"GET / HTTP/1.1\" 200",
    b"client - - [17/May/2015:10:05:03 +0000] \"GET / HTTP/1.1\" 200 ",
    b"client - - [17/May/2015:10:05:03 +0000] \"GET / HTTP/1.1\\\" 200 1",
    b"client - - [17/May/2015:10:05:03 +0000] \"GET / HTTP/1.1\" 2OO 1",
    b"client - - [17/May/2015:10:05:03 +0000] \"GET / HTTP/1.1\" 20 1",
    b"client - - [17/May/2015:10:05:03 +0000] \"GET / HTTP/1.1\" 2000 1",
    b"client [17/May/2015:10:05:03 +0000] \"GET / HTTP/1.1\" 200 1",
    b"client - - 17/May/2015:10:05:03 +0000 \"GET / HTTP/1.1\" 200 1",
    b"client - - [] \"GET / HTTP/1.1\" 200 1",
    b"client - - [17/May/2015:10:05:03] \"GET / HTTP/1.1\" 200 1",
    b"client - - [31/Feb/2015:10:05:03 +0000] \"GET / HTTP/1.1\" 200 1",
    b"client - - [17/Mai/2015:10:05:03 +0000] \"GET / HTTP/1.1\" 200 1",
    b"client - - [17/May/2015:24:05:03 +0000] \"GET / HTTP/1.1\" 200 1",
    b"client - - [17/May/9999:10:05:03 +0000] \"GET / HTTP/1.1\" 200 1",
    b"client - - [17/May/0001:10:05:03 +0000] \"GET / HTTP/1.1\" 200 1",
    b"client - - [17/May/2015:10:05:03 +9999] \"GET / HTTP/1.1\" 200 1",
];

/// What stands between the time and the end of a line that is right.
const ENDS: [&[u8]; 12] = [
    b"\"GET / HTTP/1.1\" 200 512",
    b"\"GET /a?b=c#d HTTP/1.0\" 304 -",
    b"\"POST /search HTTP/1.1\" 200 0 \"-\" \"-\"",
    b"\"HEAD http://example.org/x HTTP/1.1\" 404 1 \"https://example.org/\" \"Mozilla/5.0 (X11)\"",
    b"\"-\" 408 -",
    b"\"\" 400 0",
    b"\"\\x16\\x03\\x01\\x02\" 400 226 \"-\" \"-\"",
    b"\"GET /\\\"quoted\\\" HTTP/1.1\" 404 5 \"-\" \"\\\"\"",
    b"\"GET /\\\\\" 404 5",
    b"\"\xff\xfe \x00 \xc3\x28\" 400 5 \"-\" \"caf\xe9\"",
    b"\"GET /[17/May/2099:10:05:03 +0000] HTTP/1.1\" 200 5 \"-\" \"] \"",
    b"\"OPTIONS * HTTP/1.1\" 200 5 \"-\" \"x\" more columns \"here\"",
];

/// A log and what it says.
struct Synthetic {
    text: Vec<u8>,
    entries: Vec<Entry>,
    unparsed: u64,
}

/// Some thousand requests of some dozen clients within some days. Clients hammer for a while, the clock leaps and steps
/// back, zones differ from line to line, and now and then a line is none.
fn synthetic(seed: u64) -> Synthetic {
    let random = &mut Random::new(seed);
    let mut clients: Vec<_> = (1..=40).map(|host| format!("192.0.2.{host}")).collect();
    clients.extend(
        ["2001:db8::1", "::1", "-", "host.example", "клиент", "\"", "[x]", "a\\b"].map(str::to_owned),
    );
    clients.push("x".repeat(256));
    let mut log = Synthetic { text: Vec::new(), entries: Vec::new(), unparsed: 0 };
    let mut second: i64 = 1_431_857_103;
    let (mut client, mut streak) = (String::new(), 0);
    for _ in 0..6_000 {
        if streak == 0 {
            // Few clients ask much, many ask little.
            client = clients[random.magnitude(clients.len() as u64) as usize - 1].clone();
            streak = random.magnitude(150);
            second += if random.below(4) == 0 { random.magnitude(20_000) as i64 } else { 0 };
        }
        streak -= 1;
        second += i64::from(random.below(14) == 0);
        let late = if random.below(20) == 0 { random.magnitude(3_000) as i64 } else { 0 };
        let entry = Entry { client: client.clone(), second: second - late };
        let offset = [0, 0, 120, -210, 345, 840, -720][random.below(7) as usize];
        let user = ["-", "\"\"", "frank", "John Doe", "a [b] c"][random.below(5) as usize];
        let time = timestamp(entry.second, offset);
        log.text.extend_from_slice(format!("{client} - {user} [{time}] ").as_bytes());
        log.text.extend_from_slice(ENDS[random.below(ENDS.len() as u64) as usize]);
        log.entries.push(entry);
        log.text.extend_from_slice([b"\n".as_slice(), b"\r\n"][random.below(2) as usize]);

        if random.below(30) == 0 {
            let junk = JUNK[random.below(JUNK.len() as u64) as usize];
            log.text.extend_from_slice(junk);
            log.text.push(b'\n');
            log.unparsed += 1;
        }
    }
    log
}

pub(super) fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(content).expect("memory");
    encoder.finish().expect("memory")
}

#[test]
fn agrees_with_an_exact_model_for_every_client() {
    let quotas: Vec<_> = LIMITS.iter().flat_map(|limit| ["--quota", limit.text]).collect();
    for seed in 0..4 {
        let log = synthetic(seed);
        let report = report(&quotas, &log.text);
        assert_eq!(report.requests, log.entries.len() as u64);
        assert_eq!(report.unparsed, log.unparsed);
        let clients: BTreeSet<_> = log.entries.iter().map(|entry| &entry.client).collect();
        assert_eq!(report.keys, clients.len() as u64);
        assert_eq!(report.policies.len(), LIMITS.len());
        for (limit, (quota, found)) in LIMITS.iter().zip(&report.policies) {
            assert_eq!(quota, limit.text);
            let expected = verdict(&log.entries, limit);
            assert_eq!(found, &expected, "seed {seed}, {}", limit.text);
            // Or the comparison would say little.
            assert!(expected.allowed > 0 && expected.denied > 0, "seed {seed}, {}", limit.text);
        }
    }
}

#[test]
fn the_model_reads_a_log_as_it_was_written() {
    let log = synthetic(7);
    let lines = log.text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let lines = lines.map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let (entries, junk): (Vec<_>, Vec<_>) = lines.map(read).partition(Option::is_some);
    // Whether a date exists is more than the model knows.
    assert!(entries.len() >= log.entries.len(), "{} of {}", entries.len(), log.entries.len());
    assert!(!junk.is_empty());
    let entries: Vec<_> = entries.into_iter().flatten().collect();
    assert!(log.entries.iter().all(|entry| entries.contains(entry)));
}

#[test]
fn plain_packed_and_piped_logs_are_read_alike() {
    let log = synthetic(11);
    let (one, other) = log.text.split_at(log.text.len() / 3);
    let packed = gzip(&log.text);
    // As log rotation leaves them: several files, packed one by one, in one.
    let members = [gzip(one), gzip(b""), gzip(other)].concat();
    // The content decides, not the name.
    let files = [&log.text, &packed, &members].map(|content| TemporaryFile::new(content));

    let expected = report(&[], &log.text);
    assert_eq!(expected.requests, log.entries.len() as u64);
    for file in &files {
        assert_eq!(report(&[file.path()], b""), expected);
    }
    for stdin in [&packed, &members] {
        assert_eq!(report(&[], stdin), expected);
        assert_eq!(report(&["-"], stdin), expected);
    }
}

#[test]
fn each_quota_is_replayed_by_itself() {
    let log = synthetic(13);
    let alone = |quota| report(&["--quota", quota], &log.text).policies;
    let together =
        report(&["--quota", "1/s", "--quota", "30/min burst 5", "--quota", "1/s"], &log.text).policies;
    assert_eq!(together, [alone("1/s"), alone("30/min burst 5"), alone("1/s")].concat());
}

#[test]
fn the_clock_never_goes_back() {
    let of = |client: &str, clock: &str| {
        format!("{client} - - [17/May/2015:{clock} +0000] \"GET / HTTP/1.1\" 200 1\n")
    };
    let at = |clock: &str| of("client", clock);
    let log = [
        at("10:00:10"), // 1 of 1
        at("10:00:12"), // 1 of 1
        at("10:00:10"), // at :12
        at("09:00:00"), // at :12
        at("10:00:11"), // at :12
        at("10:00:13"), // 1 of 1
        at("10:00:13"),
    ];
    let found = report(&["--quota", "1/s"], log.concat().as_bytes());
    assert_eq!((found.policies[0].1.allowed, found.policies[0].1.denied), (3, 4));

    // It is one clock for all: what is late for one client is so for another, whose first request it is.
    let others = [of("other", "10:00:10"), of("other", "10:00:11"), of("other", "10:00:13")];
    let log = [at("10:00:09"), at("10:00:12"), others.concat()];
    let found = report(&["--quota", "1/s"], log.concat().as_bytes());
    assert_eq!((found.policies[0].1.allowed, found.policies[0].1.denied), (4, 1));

    // The first line is the newest: all that follow are taken at its time.
    let log = [at("10:00:10"), at("10:00:08"), at("09:00:09"), at("10:00:10"), at("10:00:11")];
    let found = report(&["--quota", "1/s"], log.concat().as_bytes());
    assert_eq!((found.policies[0].1.allowed, found.policies[0].1.denied), (2, 3));
}

#[test]
fn zones_are_taken_into_account() {
    let at = |time: &str| format!("client - - [{time}] \"GET / HTTP/1.1\" 200 1\n");
    let log = [
        at("17/May/2015:10:00:00 +0000"),
        at("17/May/2015:12:00:00 +0200"), // the same instant
        at("17/May/2015:06:30:00 -0330"), // the same instant
        at("18/May/2015:00:00:01 +1400"), // a second later
    ];
    let Verdict { allowed, denied, .. } =
        report(&["--quota", "1/s"], log.concat().as_bytes()).policies.remove(0).1;
    assert_eq!((allowed, denied), (2, 2));
}
