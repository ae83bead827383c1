//! Reads a segment step by step. What does not belong to a whole step is not given out.

use crate::{
    FORMAT,
    chain::Chain,
    line::{Decision, End, Head, Line},
};
use ruzstd::decoding::StreamingDecoder;
use std::{
    fs,
    io::Read,
    path::{Path, PathBuf},
};

/// The longest text of one frame. No writer makes one so long.
const LONGEST_FRAME: u64 = 1 << 30;

/// Why a segment cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {what}", .file.display())]
pub struct Trouble {
    /// The file.
    pub file: PathBuf,
    /// What is wrong, with the number of the line.
    pub what: String,
    /// Whether nothing was written to it yet: its process was ended before, or has just begun it.
    pub empty: bool,
}

/// A step: what the core was told, and what it decided then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Names and events, each with the number of its line, from 1.
    pub lines: Vec<(usize, Line)>,
    /// The decision; none at the end of a segment.
    pub decision: Option<Decision>,
    /// The number of the last line.
    pub line: usize,
}

/// How a segment ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// In good order.
    Whole(End),
    /// It breaks off: its process was ended, or is still writing. So many lines after the last whole step do not count.
    Cut {
        /// The lines.
        lines: usize,
    },
}

/// The steps of a segment.
#[derive(Debug)]
pub struct Steps {
    path: PathBuf,
    head: Head,
    lines: Lines,
    chain: Chain,
    sum: String,
    ending: Option<Ending>,
}

impl Steps {
    /// Opens a segment and reads its head.
    ///
    /// # Errors
    /// If it cannot be read, is no segment, or has another form than this program knows.
    pub fn open(path: &Path) -> Result<Self, Trouble> {
        let trouble = |what: String| Trouble { file: path.to_owned(), what, empty: false };
        let packed = fs::read(path).map_err(|error| trouble(format!("cannot be read: {error}")))?;
        let mut lines = Lines { packed, at: 0, text: Vec::new(), start: 0, number: 0, state: State::Good };
        let Some(first) = lines.next() else {
            return Err(match lines.state {
                State::Damaged(at) => trouble(format!("is no segment of a recording, or damaged at byte {at}")),
                _ => Trouble { empty: true, ..trouble("nothing is written to it yet".to_owned()) },
            });
        };
        let wrong =
            |error: &serde_json::Error| trouble(format!("does not begin like a segment of a recording: {error}"));
        let any: serde_json::Value = serde_json::from_slice(&first).map_err(|error| wrong(&error))?;
        let format = any.pointer("/head/format").and_then(serde_json::Value::as_u64);
        if format.is_some_and(|format| format != u64::from(FORMAT)) {
            let by = any.pointer("/head/by").and_then(serde_json::Value::as_str).unwrap_or("another program");
            let format = format.unwrap_or(0);
            return Err(trouble(format!(
                "was written by {by} in form {format}; this program reads form {FORMAT}. Use the program that wrote it"
            )));
        }
        let line: Line = serde_json::from_slice(&first).map_err(|error| wrong(&error))?;
        let Line::Head(head) = line else { return Err(trouble("does not begin with a head".to_owned())) };
        let mut chain = Chain::default();
        chain.take(&first);
        Ok(Self { path: path.to_owned(), head: *head, lines, chain, sum: String::new(), ending: None })
    }

    /// With what it begins.
    #[must_use]
    pub const fn head(&self) -> &Head {
        &self.head
    }

    /// The next step; none at the end.
    ///
    /// # Errors
    /// If it was changed or damaged. Nothing after that is given out.
    pub fn step(&mut self) -> Result<Option<Step>, Trouble> {
        let (mut lines, mut decision, mut end) = (Vec::new(), None, None);
        let from = self.lines.number;
        while self.ending.is_none() {
            let Some(bytes) = self.lines.next() else {
                if let State::Damaged(at) = self.lines.state {
                    return Err(self.trouble(self.lines.number, &format!("the file is damaged at byte {at} after it")));
                }
                self.ending = Some(Ending::Cut { lines: self.lines.number - from });
                return Ok(None);
            };
            let number = self.lines.number;
            let line: Line =
                serde_json::from_slice(&bytes).map_err(|error| self.trouble(number, &error.to_string()))?;
            match line {
                Line::Sum(sum) => {
                    if sum != self.chain.sum() {
                        let what = "the digest of all lines before is another: the file was changed or is damaged";
                        return Err(self.trouble(number, what));
                    }
                    self.sum = sum;
                    self.ending = end.map(Ending::Whole);
                    return Ok(Some(Step { lines, decision, line: number }));
                }
                Line::Decide(decided) => decision = Some(*decided),
                Line::End(ended) => end = Some(ended),
                Line::Head(_) => return Err(self.trouble(number, "a second head")),
                other => lines.push((number, other)),
            }
            self.chain.take(&bytes);
        }
        Ok(None)
    }

    /// The sum of the last step.
    #[must_use]
    pub fn last_sum(&self) -> &str {
        &self.sum
    }

    /// How it ends, once the last step was read.
    #[must_use]
    pub const fn ending(&self) -> Option<&Ending> {
        self.ending.as_ref()
    }

    fn trouble(&mut self, line: usize, what: &str) -> Trouble {
        self.ending = Some(Ending::Cut { lines: 0 });
        let by = &self.head.by;
        let what = format!("line {line} (written by {by}): {what}");
        Trouble { file: self.path.clone(), what, empty: false }
    }
}

/// The lines of frames.
#[derive(Debug)]
struct Lines {
    packed: Vec<u8>,
    at: usize,
    text: Vec<u8>,
    start: usize,
    number: usize,
    state: State,
}

/// How the frames are.
#[derive(Debug, Clone, Copy)]
enum State {
    Good,
    /// The last frame is not whole.
    Cut,
    /// A frame cannot be read, and there are bytes after it.
    Damaged(usize),
}

impl Lines {
    /// The next whole line with its end.
    fn next(&mut self) -> Option<Vec<u8>> {
        loop {
            let rest = self.text.get(self.start..).unwrap_or_default();
            if let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
                let line = rest.get(..=end).unwrap_or_default().to_vec();
                self.start += end + 1;
                self.number += 1;
                return Some(line);
            }
            if !matches!(self.state, State::Good) || self.at >= self.packed.len() {
                return None;
            }
            self.text.drain(..self.start);
            self.start = 0;
            self.unpack();
        }
    }

    /// Unpacks the next frame. Of one that is not whole, what there is.
    fn unpack(&mut self) {
        let packed = self.packed.get(self.at..).unwrap_or_default();
        let mut source = packed;
        let whole = match StreamingDecoder::new(&mut source) {
            Ok(frame) => frame.take(LONGEST_FRAME).read_to_end(&mut self.text).is_ok(),
            Err(_) => false,
        };
        let from = self.at;
        self.at += packed.len() - source.len();
        if !whole || self.at == from {
            self.state = if source.is_empty() { State::Cut } else { State::Damaged(from) };
        }
    }
}
