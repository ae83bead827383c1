//! Diagnostics as people read them: the place, the text underlined, what was expected, what to do. All of them, then how
//! many there were.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use quotree_sim::scenario::{Diagnostic, Severity, Source};
use std::fmt::Write;

/// A line longer than this is not drawn, only told: drawing it many times would cost its square.
const LONG_LINE: usize = 1 << 14;

/// Draws all diagnostics and counts them; nothing when there are none.
pub(crate) fn draw(diagnostics: &[Diagnostic], sources: &[Source], colour: bool) -> String {
    if diagnostics.is_empty() {
        return String::new();
    }
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    let mut text = String::new();
    for diagnostic in diagnostics {
        let drawn = sources.get(diagnostic.source).and_then(|source| one(diagnostic, source, &renderer));
        let _ = writeln!(text, "{}\n", drawn.unwrap_or_else(|| told(diagnostic)));
    }
    text.push_str(&counted(diagnostics));
    text.push('\n');
    text
}

/// `2 errors, 1 warning`.
pub(crate) fn counted(diagnostics: &[Diagnostic]) -> String {
    let errors = diagnostics.iter().filter(|d| d.severity == Severity::Error).count();
    let count = |n: usize, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
    format!("{}, {}", count(errors, "error"), count(diagnostics.len() - errors, "warning"))
}

/// A diagnostic without its text.
fn told(diagnostic: &Diagnostic) -> String {
    let mut text = diagnostic.to_string();
    for help in &diagnostic.help {
        let _ = write!(text, "\n  = help: {help}");
    }
    text
}

/// A diagnostic with the lines it is about; nothing when they are too long.
fn one(diagnostic: &Diagnostic, source: &Source, renderer: &Renderer) -> Option<String> {
    let text = source.text.as_str();
    let (start, end) = (diagnostic.span.start.min(text.len()), diagnostic.span.end.min(text.len()));
    let first = text.get(..start)?.rfind('\n').map_or(0, |at| at + 1);
    // Only the lines underlined are handed over: a large file with many errors must not be gone through for each.
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
