//! `Trace(..)`: jobs from a trace file. [`quotree_import`] reads the rows; bad rows are reported at the name of the
//! file.

use crate::files::Files;
use quotree_core::Name;
use quotree_import::{MoreFile, RowProblem, TraceFormat, TraceOptions};
use quotree_model::{Limits, TraceRow};
use quotree_syntax::{At, Node, Path, Positive, Read, Report, Span, choice, record, words};
use std::sync::Arc;

/// The most bad rows of one file that are reported one by one; the others are counted.
const MAX_PROBLEMS: usize = 1000;

record! {
    /// The file of a trace, and how it is read.
    pub(crate) struct TraceFile {
        /// The trace file, relative to this file.
        file: At<Path> => required,
        /// The format of the file.
        format: Format => required,
        /// Kubernetes: the other files of the same dump, such as the one with the nodes.
        with: Vec<At<Path>> = Vec::new(),
        /// The namespace of all rows.
        namespace: Name => "absent",
        /// The column that names the namespace of a row.
        namespace_by: String => "the column that the format uses",
        /// The prefix of namespaces that are read from a column.
        prefix: String = String::new(),
        /// The resource of whole devices.
        resource: Name = TraceOptions::default().resource,
        /// The most rows; more are an error.
        max_rows: u32 = 10_000_000,
        /// Whether bad rows are errors, or are skipped with a warning.
        bad_rows: BadRows = BadRows::Refuse,
    }
}

record! {
    /// Limits of the rows that have none of their own.
    pub(crate) struct RowLimits {
        /// The deadline of rows without one, as a time after their submission. Deadlines are only counted.
        deadline: Positive => "absent",
        /// The runtime limit of rows without one: a row fails when its work has run this long, over all its tries.
        runtime_limit: Positive => "absent",
        /// The back-off limit of rows without one: how many losses of its node a row may have. Evictions are not
        /// counted.
        backoff_limit: u32 => "no limit",
    }
}

impl RowLimits {
    pub(crate) fn checked(&self) -> Limits {
        Limits {
            deadline_ms: self.deadline.map(|ms| ms.0),
            runtime_limit_ms: self.runtime_limit.map(|ms| ms.0),
            backoff_limit: self.backoff_limit,
        }
    }
}

/// What happens to bad rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BadRows {
    Refuse,
    Skip,
}

words! { BadRows: Refuse, Skip }

/// The name of a format.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Format(pub(crate) TraceFormat);

impl Read for Format {
    fn kind() -> String {
        format!("one of {}", TraceFormat::NAMED.map(|(name, _)| name).join(", "))
    }

    fn read(node: &Node, report: &mut Report) -> Option<Self> {
        choice(node, &TraceFormat::NAMED, report).map(Self)
    }
}

/// The name of a format that has node lists.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NodeFormat(pub(crate) TraceFormat);

impl Read for NodeFormat {
    fn kind() -> String {
        "one of Openb, Pai, Kueue, Kai, Armada, Kubernetes".to_owned()
    }

    /// Accepts any format; the importer reports one that has no node lists.
    fn read(node: &Node, report: &mut Report) -> Option<Self> {
        Format::read(node, report).map(|format| Self(format.0))
    }
}

/// The bytes of a file that a scenario refers to. If the file cannot be read, the reason is reported at its name.
pub(crate) fn read_file(file: &At<Path>, files: &mut Files<'_>, report: &mut Report) -> Option<Vec<u8>> {
    match files.data(file.span.source, &file.value.0) {
        Ok(bytes) => Some(bytes),
        Err(why) => {
            report.error(file.span, format!("cannot read `{}`: {why}", file.value.0), "the file named here");
            None
        }
    }
}

/// The contents of the files beside the main one. If one cannot be read, the reason is reported at its name.
pub(crate) fn more_files(
    paths: &[At<Path>],
    format: TraceFormat,
    files: &mut Files<'_>,
    report: &mut Report,
) -> Option<Vec<MoreFile>> {
    if let (Some(first), true) = (paths.first(), format != TraceFormat::Kubernetes) {
        report.error(
            first.span,
            "only dumps of clusters (`Kubernetes`) consist of several files",
            "not for this format",
        );
        return None;
    }
    let read = |path: &At<Path>| {
        let bytes = read_file(path, files, report)?;
        Some(MoreFile { name: path.value.0.clone(), bytes: bytes.into() })
    };
    let read: Vec<Option<MoreFile>> = paths.iter().map(read).collect();
    read.into_iter().collect()
}

/// Warns of rows that are skipped because the scenario requests it, and shows the first of them.
fn report_skipped(file: &At<Path>, problems: &[RowProblem], report: &mut Report) {
    if let Some(RowProblem { line, what }) = problems.first() {
        let rows = match problems.len() {
            1 => format!("1 invalid row skipped, in line {line}"),
            n => format!("{n} invalid rows skipped, the first in line {line}"),
        };
        report.warning(file.span, format!("`{}`: {rows}: {what}", file.value.0), "skipped because of `bad_rows: Skip`");
    }
}

/// Reports bad rows, each with its line.
pub(crate) fn report_problems(file: &At<Path>, problems: &[RowProblem], report: &mut Report) {
    let name = &file.value.0;
    for RowProblem { line, what } in problems.iter().take(MAX_PROBLEMS) {
        let title = match line {
            0 => format!("`{name}`: {what}"),
            line => format!("`{name}` line {line}: {what}"),
        };
        report.error(file.span, title, "the file named here");
    }
    if problems.len() > MAX_PROBLEMS {
        let more = match problems.len() - MAX_PROBLEMS {
            1 => "1 more invalid row".to_owned(),
            n => format!("{n} more invalid rows"),
        };
        report.error(file.span, format!("`{name}`: {more}"), "the file named here");
    }
}

/// The rows of a trace, with the place of its file; nothing if the file could not be read.
pub(crate) fn rows(
    trace: &TraceFile,
    (priority, user): (i32, Option<Name>),
    files: &mut Files<'_>,
    report: &mut Report,
) -> Option<(Arc<[TraceRow]>, Span)> {
    let (file, format) = (trace.file.as_ref()?, trace.format?);
    let options = TraceOptions {
        namespace: trace.namespace.clone(),
        namespace_by: trace.namespace_by.clone(),
        prefix: trace.prefix.clone(),
        resource: trace.resource.clone(),
        priority,
        user,
        max_rows: trace.max_rows as usize,
        more: more_files(&trace.with, format.0, files, report)?,
    };
    let bytes = read_file(file, files, report)?;
    let mut read = quotree_import::rows(format.0, &bytes, &options);
    // A name of the language has no control characters; one of a trace has their codes instead.
    for row in read.rows.iter_mut().filter(|row| row.name.chars().any(char::is_control)) {
        row.name = row.name.chars().flat_map(printable).collect();
    }
    // A file without a single good row, or of another format, is bad as a whole.
    match trace.bad_rows {
        BadRows::Skip if !read.rows.is_empty() => report_skipped(file, &read.problems, report),
        _ => report_problems(file, &read.problems, report),
    }
    Some((read.rows.into(), file.span))
}

/// A character, or the code of a control character: `\u{1b}`.
fn printable(c: char) -> impl Iterator<Item = char> {
    let code = c.is_control().then(|| c.escape_unicode());
    code.into_iter().flatten().chain((!c.is_control()).then_some(c))
}
