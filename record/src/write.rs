//! Writes a segment: lines become frames, and a frame is written as a whole.

use crate::{
    FORMAT,
    chain::Chain,
    folder,
    line::{End, Head, Line, Why},
};
use ruzstd::encoding::{CompressionLevel, compress_to_vec};
use std::{
    fs::{self, File},
    io::{self, Write},
    path::Path,
};

/// How many bytes of text are a frame, if it is not written earlier.
const FRAME: usize = 256 << 10;

/// A segment that is being written. What is not flushed yet is lost if it is dropped.
#[derive(Debug)]
pub struct Segment {
    file: File,
    chain: Chain,
    /// Lines that are not in a frame yet.
    text: Vec<u8>,
    /// Bytes of text so far.
    bytes: u64,
    /// The last sum.
    sum: String,
}

impl Segment {
    /// Begins a segment with the next free number of the folder, which is created if it is not there. Nobody but the user
    /// of this process may read the file. Gives the segment, and its number.
    ///
    /// # Errors
    /// If the folder or the file cannot be created.
    pub fn begin(folder: &Path, head: Head) -> io::Result<(Self, u64)> {
        private_folder(folder)?;
        let mut number = folder::segments(folder)?.last().map_or(1, |(last, _)| last + 1);
        let file = loop {
            match private_file(&folder::file(folder, number)) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
                other => break other?,
            }
        };
        let mut segment = Self { file, chain: Chain::default(), text: Vec::new(), bytes: 0, sum: String::new() };
        segment.take(&Line::Head(Box::new(Head { format: FORMAT, segment: number, ..head })))?;
        Ok((segment, number))
    }

    /// Takes a line. A decision ends a step.
    ///
    /// # Errors
    /// If a frame cannot be written.
    pub fn take(&mut self, line: &Line) -> io::Result<()> {
        self.add(line)?;
        if matches!(line, Line::Decide(_) | Line::End(_)) {
            self.sum = self.chain.sum();
            self.add(&Line::Sum(self.sum.clone()))?;
        }
        if self.text.len() >= FRAME { self.flush() } else { Ok(()) }
    }

    fn add(&mut self, line: &Line) -> io::Result<()> {
        let from = self.text.len();
        serde_json::to_writer(&mut self.text, line)?;
        self.text.push(b'\n');
        let added = self.text.get(from..).unwrap_or_default();
        self.bytes += added.len() as u64;
        if !matches!(line, Line::Sum(_)) {
            self.chain.take(added);
        }
        Ok(())
    }

    /// Writes what was taken to the disk.
    ///
    /// # Errors
    /// If that fails.
    pub fn flush(&mut self) -> io::Result<()> {
        if self.text.is_empty() {
            return Ok(());
        }
        let frame = compress_to_vec(self.text.as_slice(), CompressionLevel::Fastest);
        self.text.clear();
        self.file.write_all(&frame)?;
        self.file.sync_data()
    }

    /// How many bytes of text it has.
    #[must_use]
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Ends it. Gives its last sum, which the next segment names.
    ///
    /// # Errors
    /// If the rest cannot be written.
    pub fn end(mut self, why: Why, dropped: u64) -> io::Result<String> {
        self.take(&Line::End(End { why, dropped }))?;
        self.flush()?;
        Ok(self.sum)
    }
}

/// Creates the folder of a recording, unless it is there, and tries whether files can be created in it.
///
/// # Errors
/// If one of them fails.
pub fn prepare(folder: &Path) -> io::Result<()> {
    private_folder(folder)?;
    let probe = folder.join(format!(".probe-{}", std::process::id()));
    private_file(&probe)?;
    fs::remove_file(probe)
}

#[cfg(unix)]
fn private_folder(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

#[cfg(not(unix))]
fn private_folder(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)
}

#[cfg(unix)]
fn private_file(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

#[cfg(not(unix))]
fn private_file(path: &Path) -> io::Result<File> {
    fs::OpenOptions::new().write(true).create_new(true).open(path)
}
