//! Workflow commands of GitHub Actions, which show what is wrong beside the lines of the files.

use super::Checked;
use std::fmt::Write;

/// Checks as workflow commands: one for each failed claim, each figure that differs from the baseline, each error and each warning. GitHub shows them beside the
/// lines of the files, but of each kind only the first ten in a step.
#[must_use]
pub fn check_annotations(checks: &[Checked]) -> String {
    let mut text = String::new();
    checks.iter().for_each(|one| annotate(&mut text, one));
    text
}

fn annotate(text: &mut String, one: &Checked) {
    for claim in one.failed() {
        let at = one.observed_at(claim);
        let says = format!("{}\nobserved{at}: {}", claim.claim, claim.seen);
        let title = format!("A claim of {} failed", one.scenario);
        let (file, title, says) = (path(&one.file), property(&title), data(&says));
        let _ = writeln!(text, "::error file={file},line={},title={title}::{says}", claim.line);
    }
    if let Some(baseline) = &one.baseline {
        let file = path(&baseline.file);
        for figure in baseline.differing() {
            let title = property(&format!("The outcome of {} is another", one.scenario));
            let says = data(&format!("{}: {}\n{}", figure.figure, figure.sentence(), baseline.note));
            let _ = writeln!(text, "::error file={file},line={},title={title}::{says}", figure.line);
        }
        if baseline.is_noted() && baseline.differing().next().is_none() {
            let kind = if baseline.passed() { "warning" } else { "error" };
            let _ = writeln!(text, "::{kind} file={}::{}", path(&one.file), data(&baseline.note));
        }
    }
    for remark in &one.remarks {
        let kind = if remark.is_error { "error" } else { "warning" };
        let (file, says) = (path(&remark.file), data(&remark.title));
        let _ = writeln!(text, "::{kind} file={file},line={},col={}::{says}", remark.line, remark.column);
    }
    // An internal error, and a file of another kind, have no place.
    if !one.trouble.is_empty() && !one.remarks.iter().any(|remark| remark.is_error) {
        let _ = writeln!(text, "::error file={}::{}", path(&one.file), data(&one.trouble));
    }
}

/// A path as GitHub names the files of a repository.
fn path(file: &str) -> String {
    property(file.strip_prefix("./").unwrap_or(file))
}

/// The text after `::`, escaped for the runner of GitHub.
fn data(text: &str) -> String {
    let shown: Vec<String> = text.split('\n').map(quotree_page::visible).collect();
    shown.join("\n").replace('%', "%25").replace('\n', "%0A")
}

/// The text before `::`, escaped. Here two more characters have a meaning.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
