//! The files of a scenario. Each is read once and counted; the places of its lines are kept. The digest of a scenario is
//! that of its fields and of the data files that it names, in the order of reading.

use crate::loader::{Loader, join};
use quotree_core::StableHasher;
use quotree_syntax::{Source, Span};
use std::{hash::Hasher, ops::Range};

/// The most files of a scenario.
const MAX_FILES: usize = 1000;

/// The most bytes of a scenario file (not of a trace).
pub(crate) const MAX_BYTES: usize = 64 << 20;

/// All files read so far.
pub(crate) struct Files<'l> {
    loader: &'l dyn Loader,
    pub(crate) sources: Vec<Source>,
    /// Where the lines of each source end.
    lines: Vec<Vec<usize>>,
    /// The sources that are no files.
    texts: Range<u32>,
    hasher: StableHasher,
    count: usize,
}

impl<'l> Files<'l> {
    pub(crate) fn new(loader: &'l dyn Loader) -> Self {
        Self { loader, sources: Vec::new(), lines: Vec::new(), texts: 0..0, hasher: StableHasher::default(), count: 0 }
    }

    fn bytes(&mut self, path: &str) -> Result<Vec<u8>, String> {
        self.count += 1;
        if self.count > MAX_FILES {
            return Err(format!("a scenario may consist of at most {MAX_FILES} files"));
        }
        self.loader.read(path)
    }

    /// Adds bytes to the digest.
    pub(crate) fn hash(&mut self, bytes: &[u8]) {
        self.hasher.write_u64(bytes.len() as u64);
        self.hasher.write(bytes);
    }

    /// Reads a scenario file and returns its number among the sources. The second value is the first place that is not
    /// UTF-8, if any.
    pub(crate) fn source(&mut self, path: &str) -> Result<(u32, Option<usize>), String> {
        let bytes = self.bytes(path)?;
        if bytes.len() > MAX_BYTES {
            return Err(format!("{} bytes: a scenario file may have at most {MAX_BYTES}", bytes.len()));
        }
        let number = u32::try_from(self.sources.len()).unwrap_or(u32::MAX);
        let (text, bad) = match String::from_utf8(bytes) {
            Ok(text) => (text, None),
            Err(error) => {
                let at = error.utf8_error().valid_up_to();
                (String::from_utf8_lossy(error.as_bytes()).into_owned(), Some(at))
            }
        };
        self.lines.push(text.match_indices('\n').map(|(i, _)| i).collect());
        self.sources.push(Source { path: path.to_owned(), text });
        Ok((number, bad))
    }

    /// Adds texts that are not files, for which line numbers have no meaning. Returns the number of the first.
    pub(crate) fn add<'t>(&mut self, texts: impl Iterator<Item = (&'t str, &'t str)>) -> u32 {
        let first = u32::try_from(self.sources.len()).unwrap_or(u32::MAX);
        for (path, text) in texts {
            self.sources.push(Source { path: path.to_owned(), text: text.to_owned() });
            self.lines.push(Vec::new());
        }
        self.texts = first..u32::try_from(self.sources.len()).unwrap_or(u32::MAX);
        first
    }

    /// Adds an empty source of this name, to which errors about a file that cannot be read refer.
    pub(crate) fn missing(&mut self, path: &str) -> Span {
        let number = u32::try_from(self.sources.len()).unwrap_or(u32::MAX);
        self.sources.push(Source { path: path.to_owned(), text: String::new() });
        self.lines.push(Vec::new());
        Span::new(number, 0..0)
    }

    /// The path of the file that a source refers to as `named`.
    pub(crate) fn resolve(&self, source: u32, named: &str) -> Result<String, String> {
        join(self.sources.get(source as usize).map_or("", |s| s.path.as_str()), named)
    }

    /// The bytes of a data file that a source refers to.
    pub(crate) fn data(&mut self, source: u32, named: &str) -> Result<Vec<u8>, String> {
        let path = self.resolve(source, named)?;
        let bytes = self.bytes(&path)?;
        self.hash(&bytes);
        Ok(bytes)
    }

    /// The line of a place, from 1; 0 in a text that is no file.
    pub(crate) fn line(&self, span: Span) -> u32 {
        if self.texts.contains(&span.source) {
            return 0;
        }
        let ends = self.lines.get(span.source as usize);
        let line = ends.map_or(1, |ends| ends.partition_point(|end| *end < span.start as usize) + 1);
        u32::try_from(line).unwrap_or(u32::MAX)
    }

    /// Digest of everything that was hashed, in order.
    pub(crate) fn digest(&self) -> u128 {
        self.hasher.digest128()
    }
}
