//! Real traffic, from a log that is no part of the project.

use std::collections::BTreeSet;
use std::env;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use flate2::read::MultiGzDecoder;

use super::model::{LIMITS, read, verdict};
use super::program::report;

#[test]
fn agrees_with_an_exact_model_for_every_client_of_a_real_log() {
    let path = env::var("ACCESS_LOG").unwrap_or_default();
    if !Path::new(&path).is_file() {
        // Not `eprintln!`: what that writes is shown only when the test fails.
        let _ = writeln!(io::stderr(), "SKIPPED: replay on the real log: set ACCESS_LOG to an access log");
        return;
    }

    let mut log = Vec::new();
    File::open(&path).and_then(|mut file| file.read_to_end(&mut log)).expect("ACCESS_LOG can be read");
    if log.starts_with(&[0x1f, 0x8b]) {
        let packed = std::mem::take(&mut log);
        MultiGzDecoder::new(&*packed).read_to_end(&mut log).expect("ACCESS_LOG can be unpacked");
    }
    let lines: Vec<_> = log.strip_suffix(b"\n").unwrap_or(&log).split(|byte| *byte == b'\n').collect();
    let line = |line: &&[u8]| read(line.strip_suffix(b"\r").unwrap_or(line));
    let entries: Vec<_> = lines.iter().filter_map(line).collect();
    let clients: BTreeSet<_> = entries.iter().map(|entry| &entry.client).collect();

    let quotas = LIMITS.iter().flat_map(|limit| ["--quota", limit.text]);
    let args: Vec<_> = [path.as_str()].into_iter().chain(quotas).collect();
    let report = report(&args, b"");
    assert_eq!(report.requests, entries.len() as u64);
    assert_eq!(report.unparsed, (lines.len() - entries.len()) as u64);
    assert_eq!(report.keys, clients.len() as u64);
    assert_eq!(report.policies.len(), LIMITS.len());
    for (limit, (quota, found)) in LIMITS.iter().zip(&report.policies) {
        assert_eq!(quota, limit.text);
        assert_eq!(found, &verdict(&entries, limit), "{}", limit.text);
    }
}
