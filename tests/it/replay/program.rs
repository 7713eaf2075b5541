//! The program under test: found, started, fed and read.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::SystemTime;

use serde_json::Value;

use super::model::Verdict;

/// What a run of the program left behind.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) code: Option<i32>,
    pub(super) stdout: String,
    pub(super) stderr: String,
}

/// Runs the program to its end.
pub(super) fn run(args: &[&str], stdin: &[u8]) -> Run {
    let mut child = start(Command::new(path()).args(args));
    feed(&mut child, vec![stdin.to_vec()]);
    finish(child)
}

pub(super) fn start(command: &mut Command) -> Child {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().expect("the program starts")
}

/// Writes to the program's standard input, from a thread of its own: the program may write before it has read all.
pub(super) fn feed(child: &mut Child, pieces: Vec<Vec<u8>>) {
    let mut stdin = child.stdin.take().expect("a pipe");
    thread::spawn(move || {
        for piece in pieces {
            // A program that stops reading has its reasons; its exit code tells.
            if stdin.write_all(&piece).is_err() {
                break;
            }
        }
    });
}

pub(super) fn finish(child: Child) -> Run {
    let output = child.wait_with_output().expect("the program ends");
    let text = |bytes| String::from_utf8(bytes).expect("the program writes UTF-8");
    Run { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

/// The JSON of a successful run.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Report {
    pub(super) requests: u64,
    pub(super) keys: u64,
    pub(super) unparsed: u64,
    /// Each quota with its verdict, as far as the program told.
    pub(super) policies: Vec<(String, Verdict)>,
}

/// Runs the program with `--json` and so that it tells of every client.
pub(super) fn report(args: &[&str], stdin: &[u8]) -> Report {
    let all = [&["--json", "--show-keys", "--top", "1000000"], args].concat();
    let run = run(&all, stdin);
    assert_eq!(run.code, Some(0), "{args:?}: {}", run.stderr);
    read(&run.stdout)
}

/// Reads what `--json` prints.
pub(super) fn read(json: &str) -> Report {
    let json: Value = serde_json::from_str(json).expect("JSON");
    let number = |value: &Value| value.as_u64().expect("a number");
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let list = |value: &Value| value.as_array().expect("a list").clone();
    let policy = |policy: &Value| {
        let top = list(&policy["top_denied"]);
        let by_client: BTreeMap<_, _> =
            top.iter().map(|top| (text(&top["key"]), number(&top["denied"]))).collect();
        assert_eq!(by_client.len(), top.len(), "a key is listed twice");
        let verdict = Verdict {
            allowed: number(&policy["allowed"]),
            denied: number(&policy["denied"]),
            denied_by_client: by_client,
        };
        (text(&policy["quota"]), verdict)
    };
    Report {
        requests: number(&json["requests"]),
        keys: number(&json["keys"]),
        unparsed: number(&json["unparsed"]),
        policies: list(&json["policies"]).iter().map(policy).collect(),
    }
}

/// A file that is removed when dropped.
#[derive(Debug)]
pub(super) struct TemporaryFile(PathBuf);

impl TemporaryFile {
    pub(super) fn new(content: &[u8]) -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        // Relaxed: only the names have to differ.
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let path = directory.join(format!("replay-{}-{count}.log", std::process::id()));
        fs::write(&path, content).expect("a temporary file");
        Self(path)
    }

    pub(super) fn path(&self) -> &str {
        self.0.to_str().expect("a path in UTF-8")
    }
}

impl Drop for TemporaryFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// The example's binary, which stands beside this one's directory.
///
/// `cargo test` builds it; `cargo test --test it` does not, nor anew after a change, so it is built here when needed.
pub(super) fn path() -> &'static Path {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    PATH.get_or_init(|| {
        let this = env::current_exe().expect("a running program has a path");
        let profile = this.ancestors().nth(2).expect("target/PROFILE/deps/it");
        let binary = profile.join("examples").join(format!("replay{}", env::consts::EXE_SUFFIX));
        if !is_fresh(&binary) {
            build(profile);
        }
        assert!(binary.exists(), "{} is missing; run `cargo build --examples`", binary.display());
        binary
    })
}

fn build(profile: &Path) {
    let name = profile.file_name().and_then(|name| name.to_str()).expect("a profile");
    let name = if name == "debug" { "dev" } else { name };
    let target = profile.parent().expect("target/PROFILE");
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--quiet", "--example", "replay", "--profile", name, "--target-dir"]).arg(target);
    let status = cargo.current_dir(env!("CARGO_MANIFEST_DIR")).status().expect("cargo runs");
    assert!(status.success(), "`cargo build --example replay` failed");
}

/// Whether the binary is newer than every source that it was made from, which Cargo lists in a file beside it.
fn is_fresh(binary: &Path) -> bool {
    let Ok(made_from) = fs::read_to_string(binary.with_extension("d")) else { return false };
    let Some((_, sources)) = made_from.trim_end().split_once(": ") else { return false };
    // A space in a path is written `\ `.
    let sources = sources.replace("\\ ", "\0");
    let sources = sources.split(' ').map(|source| source.replace('\0', " "));
    let built = changed(binary);
    built.is_some()
        && sources.map(|source| changed(Path::new(&source))).all(|source| source.is_some() && source <= built)
}

fn changed(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).ok()?.modified().ok()
}
