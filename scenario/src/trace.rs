//! `Trace(..)`: jobs out of a trace file. The rows are read by [`quotree_import`]; bad ones are told at the file's name.

use super::{
    diagnostic::Report,
    files::Files,
    reader::{At, Fields, choice},
    syntax::Node,
    values::Positive,
    workload::deadline,
};
use quotree_core::Name;
use quotree_import::{RowProblem, TraceFormat, TraceOptions};
use quotree_model::{Limits, TraceRow};
use std::sync::Arc;

/// So many bad rows of one file are told one by one; of the rest only the count.
const MAX_PROBLEMS: usize = 1000;

/// Reads the name of a format.
pub(crate) fn format_of(node: &Node, report: &mut Report) -> Option<TraceFormat> {
    choice(node, &TraceFormat::NAMED, report)
}

/// The bytes of a file that a scenario names; why not is told at the name.
pub(crate) fn read_file(file: &At<String>, files: &mut Files<'_>, report: &mut Report) -> Option<Vec<u8>> {
    match files.data(file.span.source, &file.value) {
        Ok(bytes) => Some(bytes),
        Err(why) => {
            report.error(file.span, format!("cannot read `{}`: {why}", file.value), "this file");
            None
        }
    }
}

/// Tells rows that are left out because the scenario says so: one warning with the first of them.
fn tell_skipped(file: &At<String>, problems: &[RowProblem], report: &mut Report) {
    if let Some(RowProblem { line, what }) = problems.first() {
        let title =
            format!("`{}`: {} bad rows are left out, the first in line {line}: {what}", file.value, problems.len());
        report.warning(file.span, title, "rows of this file are bad");
    }
}

/// Tells bad rows, each with its line.
pub(crate) fn tell_problems(file: &At<String>, problems: &[RowProblem], report: &mut Report) {
    for RowProblem { line, what } in problems.iter().take(MAX_PROBLEMS) {
        let title = match line {
            0 => format!("`{}`: {what}", file.value),
            line => format!("`{}` line {line}: {what}", file.value),
        };
        report.error(file.span, title, if *line == 0 { "this file" } else { "a row of this file is bad" });
    }
    if problems.len() > MAX_PROBLEMS {
        let more = problems.len() - MAX_PROBLEMS;
        report.error(file.span, format!("`{}`: {more} more bad rows", file.value), "rows of this file are bad");
    }
}

/// What holds of rows that say nothing themselves.
pub(crate) fn limits(fields: &mut Fields<'_>, report: &mut Report) -> Limits {
    Limits {
        deadline_ms: deadline(fields, report),
        runtime_limit_ms: fields.optional::<Positive>("runtime_limit", report).map(|ms| ms.0),
        backoff_limit: fields.optional("backoff_limit", report),
    }
}

/// The rows of a trace, with the place of its file; absent when the file could not be read.
pub(crate) fn rows(
    fields: &mut Fields<'_>,
    (priority, user): (i32, Option<Name>),
    files: &mut Files<'_>,
    report: &mut Report,
) -> Option<(Arc<[TraceRow]>, At<String>)> {
    let file = fields.required::<At<String>>("file", report);
    let format = fields.required_node("format", report).and_then(|node| format_of(node, report));
    let defaults = TraceOptions::default();
    let options = TraceOptions {
        namespace: fields.optional("namespace", report),
        namespace_by: fields.optional("namespace_by", report),
        prefix: fields.or("prefix", String::new(), report),
        resource: fields.or("resource", defaults.resource, report),
        priority,
        user,
        max_rows: fields.or("max_rows", 10_000_000_u32, report) as usize,
    };
    let skip = fields.node("bad_rows").and_then(|node| choice(node, &[("Refuse", false), ("Skip", true)], report));
    let (file, format) = (file?, format?);
    let bytes = read_file(&file, files, report)?;
    let read = quotree_import::rows(format, &bytes, &options);
    // A file without a single good row, or of another format, is bad as a whole.
    match skip {
        Some(true) if !read.rows.is_empty() => tell_skipped(&file, &read.problems, report),
        _ => tell_problems(&file, &read.problems, report),
    }
    Some((read.rows.into(), file))
}
