//! The bytes of a log: where they come from, unpacked, line by line.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, BufRead, BufReader, IsTerminal, Read};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;

use crate::progress::Progress;
use crate::{Result, complain};

/// Longest line that is kept. No server writes longer ones, and a file without line ends must not fill the memory.
pub(crate) const LONGEST: usize = 64 * 1024;

const GZIP: [u8; 2] = [0x1f, 0x8b];

/// A log that is being read.
pub(crate) struct Input {
    name: String,
    gzip: bool,
    source: Box<dyn BufRead>,
    line: Vec<u8>,
    number: u64,
}

/// One line without its end.
pub(crate) enum Text<'a> {
    Whole(&'a [u8]),
    /// The line was longer than [`LONGEST`].
    TooLong,
}

impl Input {
    /// Opens the file at `path`, or standard input, and looks into it to see whether it is packed.
    pub(crate) fn open(path: Option<&OsStr>) -> Result<Self> {
        match path {
            Some(path) => {
                let path = Path::new(path);
                let name = path.display().to_string();
                let fail = |why: &dyn std::fmt::Display| {
                    format!(
                        "cannot read {name}: {why}; give the path of an access log, or `-` for standard input"
                    )
                };
                let file = File::open(path).map_err(|error| fail(&error))?;
                let about = file.metadata().map_err(|error| fail(&error))?;
                if about.is_dir() {
                    return Err(fail(&"it is a directory").into());
                }
                let bytes = Progress::of_bytes(Some(about.len())).wrap(file);
                Self::detect(name, bytes)
            }
            None => {
                let stdin = io::stdin();
                if stdin.is_terminal() {
                    complain("replay: reading the log from standard input; `--help` tells of other ways");
                }
                Self::detect("standard input".to_owned(), Progress::of_bytes(None).wrap(stdin))
            }
        }
    }

    fn detect(name: String, mut source: impl Read + 'static) -> Result<Self> {
        let mut start = Vec::new();
        let mut magic = source.by_ref().take(GZIP.len() as u64);
        magic.read_to_end(&mut start).map_err(|error| format!("cannot read {name}: {error}"))?;
        if start.is_empty() {
            return Err(format!("{name} is empty; give an access log in common or combined format").into());
        }
        let gzip = start == GZIP;
        let source = BufReader::with_capacity(LONGEST, io::Cursor::new(start).chain(source));
        let source: Box<dyn BufRead> = if gzip {
            // Logs are rotated by appending one gzip file to another: a stream may have several members.
            Box::new(BufReader::with_capacity(LONGEST, MultiGzDecoder::new(source)))
        } else {
            Box::new(source)
        };
        Ok(Self { name, gzip, source, line: Vec::new(), number: 0 })
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The next line and its number.
    pub(crate) fn next_line(&mut self) -> Result<Option<(u64, Text<'_>)>> {
        let overlong = match self.read_line() {
            Ok(None) => return Ok(None),
            Ok(Some(overlong)) => overlong,
            Err(error) => {
                let fix = if self.gzip {
                    "; its gzip stream is damaged or cut off, see `gzip -t`, and fetch it again"
                } else {
                    ""
                };
                return Err(
                    format!("cannot read {} after line {}: {error}{fix}", self.name, self.number).into()
                );
            }
        };
        self.number += 1;
        let text = if overlong { Text::TooLong } else { Text::Whole(&self.line) };
        Ok(Some((self.number, text)))
    }

    /// Reads a line without its end into `line`; returns whether it was too long for that, or `None` at the end.
    fn read_line(&mut self) -> io::Result<Option<bool>> {
        self.line.clear();
        // Two bytes more than a line, for its end.
        let mut some = self.source.by_ref().take(LONGEST as u64 + 2);
        if some.read_until(b'\n', &mut self.line)? == 0 {
            return Ok(None);
        }
        if self.line.ends_with(b"\n") {
            self.line.pop();
            if self.line.ends_with(b"\r") {
                self.line.pop();
            }
        } else if self.line.len() > LONGEST {
            self.source.skip_until(b'\n')?;
        }
        Ok(Some(self.line.len() > LONGEST))
    }
}
