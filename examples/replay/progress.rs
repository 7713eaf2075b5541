//! A progress bar on a terminal, for logs that take their time.

use std::io::{self, IsTerminal, Read};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// How long a replay may take without a bar: one that flashes by tells nobody anything.
const PATIENCE: Duration = Duration::from_millis(500);

/// A bar that appears once it is worth it, and is wiped when dropped.
pub(crate) struct Progress {
    bar: ProgressBar,
    /// When to show it; `None` when it is shown already, or never will be.
    due: Option<Instant>,
}

impl Progress {
    /// Of a log that is read; its length is unknown for standard input.
    pub(crate) fn of_bytes(length: Option<u64>) -> Self {
        // A pipe with a name has no length, either.
        match length.filter(|length| *length > 0) {
            Some(length) => Self::new(Some(length), "reading   {wide_bar} {bytes}/{total_bytes}, {eta} left"),
            None => Self::new(None, "reading   {spinner} {bytes}"),
        }
    }

    /// Of a replay.
    pub(crate) fn of_requests(count: usize) -> Self {
        Self::new(Some(count as u64), "replaying {wide_bar} {human_pos}/{human_len}, {eta} left")
    }

    fn new(length: Option<u64>, template: &str) -> Self {
        let bar = ProgressBar::with_draw_target(length, ProgressDrawTarget::hidden());
        bar.set_style(
            ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()),
        );
        let due = io::stderr().is_terminal().then(|| Instant::now() + PATIENCE);
        Self { bar, due }
    }

    pub(crate) fn advance(&mut self, count: u64) {
        self.bar.inc(count);
        if self.due.is_some_and(|due| Instant::now() >= due) {
            self.due = None;
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
    }

    /// Lets the bar follow what is read from `reader`.
    pub(crate) fn wrap<R: Read>(self, reader: R) -> impl Read + use<R> {
        Watched { reader, progress: self }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

struct Watched<R> {
    reader: R,
    progress: Progress,
}

impl<R: Read> Read for Watched<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(buffer)?;
        self.progress.advance(count as u64);
        Ok(count)
    }
}
