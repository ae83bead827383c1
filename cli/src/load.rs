//! Loads and validates scenarios, and prints their diagnostics.

use crate::{
    args::How,
    exit::{Exit, Trouble},
    files::{Disk, slashed},
    snippets,
    terminal::Terminal,
};
use quotree_sim::{
    model::Scenario,
    scenario::{self, Diagnostic, Loaded, Source},
};
use std::path::Path;

/// Loads and validates a scenario. Warnings are printed to stderr.
///
/// # Errors
/// All diagnostics as text, if any is an error.
pub(crate) fn scenario(path: &Path, how: &How, terminal: Terminal) -> Result<Scenario, Trouble> {
    let loaded = load(path, how);
    let drawn = snippets::draw(&loaded.diagnostics, &loaded.sources, terminal.colour_errors);
    match loaded.scenario {
        Some(scenario) => {
            if !drawn.is_empty() {
                terminal.complain(&drawn);
            }
            Ok(scenario)
        }
        None => Err(Trouble { exit: Exit::Invalid, message: drawn }),
    }
}

/// Loads and validates a scenario, with the policy of `--policy` if that is given.
pub(crate) fn load(path: &Path, how: &How) -> Loaded {
    let path = slashed(path);
    match &how.policy {
        None => scenario::load(&path, &Disk),
        Some(policy) => scenario::load_with_policy(&path, policy, &Disk),
    }
}

/// A diagnostic as JSON.
pub(crate) fn json(diagnostic: &Diagnostic) -> serde_json::Value {
    serde_json::json!({
        "severity": diagnostic.severity.to_string(),
        "path": diagnostic.place.path,
        "line": diagnostic.place.line,
        "column": diagnostic.place.column,
        "title": diagnostic.title,
        "label": diagnostic.label,
        "help": diagnostic.help,
    })
}

/// Diagnostics about a file that is not a scenario.
pub(crate) fn loose(
    source: &Source,
    problems: Vec<(std::ops::Range<usize>, String, Option<String>, bool)>,
) -> Vec<Diagnostic> {
    let diagnostic = |(span, title, help, warning): (std::ops::Range<usize>, String, Option<String>, bool)| {
        let (line, column) = source.line_column(span.start);
        Diagnostic {
            severity: if warning { scenario::Severity::Warning } else { scenario::Severity::Error },
            source: 0,
            span,
            title,
            label: String::new(),
            help: help.into_iter().collect(),
            place: scenario::Place { path: source.path.clone(), line, column },
        }
    };
    problems.into_iter().map(diagnostic).collect()
}
