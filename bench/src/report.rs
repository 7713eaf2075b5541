//! Rows, and the two ways to print them.

use serde_json::{Value, json};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Allow,
    Deny,
}

impl Outcome {
    pub(crate) const BOTH: [Self; 2] = [Self::Allow, Self::Deny];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
        }
    }
}

/// Whose clock: an instant that is ready on both sides, or what each side reads unless told otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Time {
    Precomputed,
    Default,
}

impl Time {
    pub(crate) const BOTH: [Self; 2] = [Self::Precomputed, Self::Default];

    fn name(self) -> &'static str {
        match self {
            Self::Precomputed => "precomputed",
            Self::Default => "default",
        }
    }
}

/// What is measured: everything that names a row but the peer.
#[derive(Clone, Debug)]
pub(crate) struct Point {
    pub(crate) case: String,
    pub(crate) keys: Option<u64>,
    pub(crate) threads: Option<u64>,
    pub(crate) outcome: Option<Outcome>,
    pub(crate) time: Option<Time>,
}

impl Point {
    /// The text that `--only` looks into.
    pub(crate) fn label(&self) -> String {
        let mut label = self.case.clone();
        let parts = [
            self.keys.map(|keys| format!("keys={keys}")),
            self.threads.map(|threads| format!("threads={threads}")),
            self.outcome.map(|outcome| outcome.name().to_owned()),
            self.time.map(|time| time.name().to_owned()),
        ];
        for part in parts.into_iter().flatten() {
            label.push(' ');
            label.push_str(&part);
        }
        label
    }
}

/// One comparison. In the rows about memory the two figures are bytes.
#[derive(Debug)]
pub(crate) struct Row {
    point: Point,
    ours: Option<f64>,
    peer: Option<(&'static str, f64)>,
    bar: Option<f64>,
}

impl Row {
    fn ratio(&self) -> Option<f64> {
        let (ours, (_, peer)) = (self.ours?, self.peer?);
        (ours > 0.0).then(|| peer / ours)
    }

    fn json(&self) -> Value {
        let figure = |value: Option<f64>, scale: f64| value.map(|value| (value * scale).round() / scale);
        json!({
            "case": self.point.case,
            "keys": self.point.keys,
            "threads": self.point.threads,
            "outcome": self.point.outcome.map(Outcome::name),
            "clock": self.point.time.map(Time::name),
            "ours_ns": figure(self.ours, 10.0),
            "peer": self.peer.map(|(name, _)| name),
            "peer_ns": figure(self.peer.map(|(_, time)| time), 10.0),
            "ratio": figure(self.ratio(), 100.0),
        })
    }
}

/// The rows that were asked for, as they come.
#[derive(Debug, Default)]
pub(crate) struct Report {
    only: Option<String>,
    progress: bool,
    rows: Vec<Row>,
}

impl Report {
    pub(crate) fn new(only: Option<String>, progress: bool) -> Self {
        Self { only, progress, rows: Vec::new() }
    }

    /// Whether this point is to be measured.
    pub(crate) fn wants(&self, point: &Point) -> bool {
        self.only.as_deref().is_none_or(|only| point.label().contains(only))
    }

    /// Adds a row; `bar` is the ratio it should reach (`docs/performance.md`), where there is one.
    pub(crate) fn add(&mut self, point: &Point, ours: f64, peer: (&'static str, f64), bar: Option<f64>) {
        self.push(Row { point: point.clone(), ours: Some(ours), peer: Some(peer), bar });
    }

    fn push(&mut self, row: Row) {
        if self.progress {
            eprintln!("{}", row.point.label());
        }
        self.rows.push(row);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Prints one JSON array, a row a line.
    pub(crate) fn print_json(&self) {
        let rows: Vec<String> = self.rows.iter().map(|row| row.json().to_string()).collect();
        println!("[\n{}\n]", rows.join(",\n"));
    }

    /// Prints a table; `<` marks a ratio below its bar.
    pub(crate) fn print_table(&self) {
        println!("{:<54} {:>9}  {:<26} {:>9} {:>7}  bar", "", "ours", "peer", "peer", "ratio");
        for row in &self.rows {
            let figure =
                |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| format!("{value:.1}"));
            let (peer, peer_time) = row.peer.map_or(("-", None), |(name, time)| (name, Some(time)));
            let ratio = row.ratio().map_or_else(|| "-".to_owned(), |ratio| format!("{ratio:.2}"));
            let bar = row.bar.map_or_else(String::new, |bar| format!("{bar:.2}"));
            let missed = row.bar.zip(row.ratio()).is_some_and(|(bar, ratio)| ratio < bar);
            println!(
                "{:<54} {:>9}  {:<26} {:>9} {:>7}  {bar}{}",
                row.point.label(),
                figure(row.ours),
                peer,
                figure(peer_time),
                ratio,
                if missed { " <" } else { "" },
            );
        }
    }
}
