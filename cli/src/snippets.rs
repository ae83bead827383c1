//! Diagnostics as text: the place, the underlined source, what was expected and what to do. The first ones are printed,
//! followed by the number of all.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use quotree_reports::many;
use quotree_sim::scenario::{Diagnostic, Severity, Source};
use std::fmt::Write;

/// A longer line is not drawn: drawing it for each of its diagnostics would take quadratic time.
const LONG_LINE: usize = 1 << 14;

/// The most diagnostics that are printed with their source; the number of the others is given.
const MOST: usize = 50;

/// The first diagnostics with their source, errors first if not all are printed, and the number of all; empty if there
/// are none.
pub(crate) fn draw(diagnostics: &[Diagnostic], sources: &[Source], colour: bool) -> String {
    if diagnostics.is_empty() {
        return String::new();
    }
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    let mut text = String::new();
    let mut shown: Vec<&Diagnostic> = diagnostics.iter().collect();
    if shown.len() > MOST {
        shown.sort_by_key(|diagnostic| diagnostic.severity != Severity::Error);
        shown.truncate(MOST);
    }
    for diagnostic in shown {
        let drawn = sources.get(diagnostic.source).and_then(|source| one(diagnostic, source, &renderer));
        let _ = writeln!(text, "{}\n", drawn.unwrap_or_else(|| without_source(diagnostic)));
    }
    if diagnostics.len() > MOST {
        let _ = write!(text, "… and {} more: ", diagnostics.len() - MOST);
    }
    text.push_str(&counted(diagnostics));
    text.push('\n');
    text
}

/// The numbers of errors and warnings: `2 errors, 1 warning`.
pub(crate) fn counted(diagnostics: &[Diagnostic]) -> String {
    let errors = diagnostics.iter().filter(|d| d.severity == Severity::Error).count();
    format!("{}, {}", many(errors as u64, "error"), many((diagnostics.len() - errors) as u64, "warning"))
}

/// A diagnostic without its source.
fn without_source(diagnostic: &Diagnostic) -> String {
    let mut text = diagnostic.to_string();
    for help in &diagnostic.help {
        let _ = write!(text, "\n  = help: {help}");
    }
    text
}

/// A diagnostic with its source lines; nothing if they are too long.
fn one(diagnostic: &Diagnostic, source: &Source, renderer: &Renderer) -> Option<String> {
    let text = source.text.as_str();
    let (start, end) = (diagnostic.span.start.min(text.len()), diagnostic.span.end.min(text.len()));
    let first = text.get(..start)?.rfind('\n').map_or(0, |at| at + 1);
    // Only the underlined lines are passed on: a large file must not be scanned again for each of many errors.
    let shown_end = end.max(start).min(first + LONG_LINE);
    let shown_end = (shown_end..=text.len()).find(|at| text.is_char_boundary(*at))?;
    let last = text.get(shown_end..)?.find('\n').map_or(text.len(), |at| shown_end + at);
    let lines = text.get(first..last).filter(|lines| lines.len() <= 2 * LONG_LINE)?;
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let span = start - first..end.clamp(start, last) - first;
    let mut annotation = AnnotationKind::Primary.span(span);
    if !diagnostic.label.is_empty() {
        annotation = annotation.label(diagnostic.label.as_str());
    }
    let snippet = Snippet::source(lines).line_start(diagnostic.place.line).path(source.path.as_str());
    let mut group: Group<'_> = level.primary_title(diagnostic.title.as_str()).element(snippet.annotation(annotation));
    for help in &diagnostic.help {
        group = group.element(Level::HELP.message(help.as_str()));
    }
    Some(renderer.render(&[group]))
}
