//! Diagnostics: mistakes in a scenario file and their places, as plain data. The command line prints them with the text
//! underlined.

use std::{fmt, ops::Range};

/// The severity of a diagnostic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The scenario can be used.
    Warning,
    /// The scenario is refused.
    Error,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

/// A file that was read, with the path that the loader got.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The path, `/`-joined.
    pub path: String,
    /// Its text; bytes that are not UTF-8 are replaced.
    pub text: String,
}

impl Source {
    /// Line and column of a byte offset, both from 1, columns in characters. Takes time linear in the offset.
    #[must_use]
    pub fn line_column(&self, offset: usize) -> (usize, usize) {
        let mut end = offset.min(self.text.len());
        while !self.text.is_char_boundary(end) {
            end -= 1;
        }
        let before = self.text.get(..end).unwrap_or_default();
        let line = before.bytes().filter(|b| *b == b'\n').count() + 1;
        let last = before.rsplit('\n').next().unwrap_or_default();
        (line, last.chars().count() + 1)
    }
}

/// A place in a file, small enough to be kept with every value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Span {
    /// Index into the sources.
    pub source: u32,
    /// The first byte.
    pub start: u32,
    /// The byte after the last.
    pub end: u32,
}

impl Span {
    /// A range of bytes of a source.
    #[must_use]
    pub fn new(source: u32, range: Range<usize>) -> Self {
        let narrow = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Self { source, start: narrow(range.start), end: narrow(range.end) }
    }

    /// From the start of this place to the end of another.
    #[must_use]
    pub fn to(self, end: Self) -> Self {
        Self { end: end.end.max(self.end), ..self }
    }
}

/// A mistake, or something unusual, with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// The severity.
    pub severity: Severity,
    /// Index into the sources.
    pub source: usize,
    /// The text to underline, as a range of bytes of the source.
    pub span: Range<usize>,
    /// What is wrong, in one clause.
    pub title: String,
    /// The note beside the underlined text; may be empty.
    pub label: String,
    /// Hints how to correct it.
    pub help: Vec<String>,
    /// The place of `source` as path, line and column, so that a diagnostic can be shown on its own.
    pub place: Place,
}

/// Path, line and column of a diagnostic.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Place {
    /// The source's path.
    pub path: String,
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
}

impl Diagnostic {
    /// Line and column of the start, both from 1, columns in characters.
    #[must_use]
    pub const fn line_column(&self) -> (usize, usize) {
        (self.place.line, self.place.column)
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Place { path, line, column } = &self.place;
        write!(f, "{path}:{line}:{column}: {}: {}", self.severity, self.title)
    }
}

/// The diagnostics so far, and the state needed to report more.
#[derive(Debug, Default)]
pub struct Report {
    diagnostics: Vec<Diagnostic>,
    /// How many names were compared for "did you mean"; after a limit, no more are compared.
    comparisons: usize,
    errors: usize,
    /// Whether brackets do not match. Then the meaning of the file is unknown.
    pub broken: bool,
    /// The field that is being read, for messages that name it.
    pub field: &'static str,
}

/// The most comparisons for "did you mean" in one load.
const MAX_COMPARISONS: usize = 1_000_000;

impl Report {
    /// Adds an error; help can be added to the result.
    pub fn error(&mut self, span: Span, title: impl Into<String>, label: impl Into<String>) -> Help<'_> {
        self.push(Severity::Error, span, title.into(), label.into())
    }

    /// Adds a warning; help can be added to the result.
    pub fn warning(&mut self, span: Span, title: impl Into<String>, label: impl Into<String>) -> Help<'_> {
        self.push(Severity::Warning, span, title.into(), label.into())
    }

    /// Adds diagnostics that another reader made of a source.
    pub fn adopt(&mut self, diagnostics: Vec<Diagnostic>, source: u32) {
        self.errors += diagnostics.iter().filter(|d| d.severity == Severity::Error).count();
        let adopted = diagnostics.into_iter().map(|d| Diagnostic { source: source as usize, ..d });
        self.diagnostics.extend(adopted);
    }

    fn push(&mut self, severity: Severity, span: Span, title: String, label: String) -> Help<'_> {
        let index = self.diagnostics.len();
        self.errors += usize::from(severity == Severity::Error);
        self.diagnostics.push(Diagnostic {
            severity,
            source: span.source as usize,
            span: span.start as usize..span.end as usize,
            title,
            label,
            help: Vec::new(),
            place: Place::default(),
        });
        Help { report: self, index }
    }

    /// Drops the errors from index `first` on that are about text after this place, since they are consequences of the
    /// mistake there.
    pub(crate) fn drop_behind(&mut self, first: usize, place: usize) {
        let mut index = 0;
        self.diagnostics.retain(|diagnostic| {
            index += 1;
            index <= first || diagnostic.span.start < place
        });
        self.errors = self.diagnostics.iter().filter(|d| d.severity == Severity::Error).count();
    }

    /// Drops the diagnostics from index `first` on that say the same at the same place as an earlier one.
    pub fn drop_repeats(&mut self, first: usize) {
        let mut rest = self.diagnostics.split_off(first.min(self.diagnostics.len()));
        let same = |a: &Diagnostic, b: &Diagnostic| (a.source, &a.span, &a.title) == (b.source, &b.span, &b.title);
        rest.retain(|new| !self.diagnostics.iter().any(|old| same(old, new)));
        self.diagnostics.append(&mut rest);
        self.errors = self.diagnostics.iter().filter(|d| d.severity == Severity::Error).count();
    }

    /// How many diagnostics there are so far.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.diagnostics.len()
    }

    /// Whether nothing was reported so far.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.diagnostics.is_empty()
    }

    /// How many warnings there are so far.
    #[must_use]
    pub fn warnings(&self) -> usize {
        self.diagnostics.len() - self.errors
    }

    /// How many errors there are so far.
    #[must_use]
    pub const fn errors(&self) -> usize {
        self.errors
    }

    /// The known name that is most similar to `name`, if one is similar enough.
    pub fn nearest<'a>(&mut self, name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
        let allowed = (name.chars().count() / 3).clamp(1, 4);
        let mut best: Option<(usize, &str)> = None;
        for candidate in known {
            if candidate.len().abs_diff(name.len()) > allowed * 4 || candidate.len() > 256 || name.len() > 256 {
                continue;
            }
            self.comparisons += 1;
            if self.comparisons > MAX_COMPARISONS {
                break;
            }
            let distance = if candidate.eq_ignore_ascii_case(name) { 0 } else { strsim::osa_distance(name, candidate) };
            if distance <= allowed && best.is_none_or(|(d, _)| distance < d) {
                best = Some((distance, candidate));
            }
        }
        best.map(|(_, candidate)| candidate)
    }

    /// All diagnostics in order of place, with lines and columns filled in. Exact repetitions are dropped.
    #[must_use]
    pub fn finish(self, sources: &[Source]) -> Vec<Diagnostic> {
        let mut diagnostics = self.diagnostics;
        let key = |d: &Diagnostic| (d.source, d.span.start, d.span.end);
        diagnostics.sort_by(|a, b| key(a).cmp(&key(b)).then_with(|| a.title.cmp(&b.title)));
        diagnostics.dedup();
        let mut cursor = Cursor::default();
        for diagnostic in &mut diagnostics {
            let Some(source) = sources.get(diagnostic.source) else { continue };
            diagnostic.span.end = diagnostic.span.end.min(source.text.len());
            diagnostic.span.start = diagnostic.span.start.min(diagnostic.span.end);
            while !source.text.is_char_boundary(diagnostic.span.start) {
                diagnostic.span.start -= 1;
            }
            while !source.text.is_char_boundary(diagnostic.span.end) {
                diagnostic.span.end += 1;
            }
            let (line, column) = cursor.seek(diagnostic.source, &source.text, diagnostic.span.start);
            diagnostic.place = Place { path: source.path.clone(), line, column };
        }
        diagnostics
    }
}

/// Walks through the offsets of sorted diagnostics once, so that many diagnostics in one file take linear time.
#[derive(Default)]
struct Cursor {
    source: usize,
    offset: usize,
    line: usize,
    line_start: usize,
}

impl Cursor {
    fn seek(&mut self, source: usize, text: &str, offset: usize) -> (usize, usize) {
        if self.source != source || self.line == 0 || offset < self.offset {
            *self = Self { source, offset: 0, line: 1, line_start: 0 };
        }
        let mut end = offset.min(text.len());
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        for (i, byte) in text.as_bytes().get(self.offset..end).unwrap_or_default().iter().enumerate() {
            if *byte == b'\n' {
                self.line += 1;
                self.line_start = self.offset + i + 1;
            }
        }
        self.offset = end;
        // A column is counted from at most this far back: one line of many megabytes must not cost their square.
        const FAR: usize = 1 << 12;
        let column = if end - self.line_start <= FAR {
            text.get(self.line_start..end).map_or(0, |before| before.chars().count())
        } else {
            end - self.line_start
        };
        (self.line, column + 1)
    }
}

/// Adds help to the diagnostic that was added last.
pub struct Help<'a> {
    report: &'a mut Report,
    index: usize,
}

impl Help<'_> {
    /// Adds a line of help.
    pub fn help(self, text: impl Into<String>) -> Self {
        if let Some(diagnostic) = self.report.diagnostics.get_mut(self.index) {
            diagnostic.help.push(text.into());
        }
        self
    }

    /// Adds "did you mean" if a known name is similar.
    pub fn did_you_mean<'a>(self, name: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        match self.report.nearest(name, known) {
            Some(nearest) => self.help(format!("did you mean `{nearest}`?")),
            None => self,
        }
    }
}
