//! Loads and validates scenarios, and prints their diagnostics.

use crate::{
    args::Edits,
    exit::{Exit, Trouble},
    files::{Disk, slashed},
    snippets,
    terminal::Terminal,
};
use quotree_sim::{
    import::detect::{FileKind, detect},
    model::Scenario,
    scenario::{self, Diagnostic, Loaded, Setting, Source},
};
use quotree_study::BASELINE_ENDING;
use std::path::Path;

/// Loads and validates a scenario. Warnings are printed to stderr.
///
/// # Errors
/// All diagnostics as text, if any is an error.
pub(crate) fn scenario(path: &Path, edits: &Edits, terminal: Terminal) -> Result<Scenario, Trouble> {
    scenario_beside(path, edits, &mut Vec::new(), terminal)
}

/// As [`scenario()`], where others were loaded before: warnings that they had, too, are not printed again. Those of this one are
/// added.
///
/// # Errors
/// All diagnostics as text, if any is an error.
pub(crate) fn scenario_beside(
    path: &Path,
    edits: &Edits,
    known: &mut Vec<Diagnostic>,
    terminal: Terminal,
) -> Result<Scenario, Trouble> {
    let loaded = load(path, edits);
    match loaded.scenario {
        Some(scenario) => {
            let new: Vec<Diagnostic> = loaded.diagnostics.into_iter().filter(|one| !known.contains(one)).collect();
            let drawn = snippets::draw(&new, &loaded.sources, terminal.colour_errors);
            if !drawn.is_empty() {
                terminal.draw(&drawn);
            }
            known.extend(new);
            Ok(scenario)
        }
        None => Err(Trouble { exit: Exit::Invalid, message: refusal(&loaded, terminal.colour_errors) }),
    }
}

/// Loads and validates a scenario with the changes of the command line.
pub(crate) fn load(path: &Path, edits: &Edits) -> Loaded {
    let policy = edits.policy.as_deref().map(Setting::policy);
    let settings: Vec<Setting> = policy.into_iter().chain(edits.set.iter().map(Setting::new)).collect();
    scenario::load_with(&slashed(path), &settings, &Disk::of(path))
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

/// Why a scenario could not be loaded: its diagnostics or, if it is not a scenario, what the file is.
pub(crate) fn refusal(loaded: &Loaded, colour: bool) -> String {
    let main = loaded.sources.first();
    let kind = main.and_then(|source| detect(source.text.as_bytes())).filter(|kind| *kind != FileKind::Scenario);
    if let Some(Source { path, .. }) = main.filter(|source| source.path.ends_with(BASELINE_ENDING)) {
        return format!(
            "error: `{path}` is the outcome of a scenario, not a scenario\n  = help: `quotree check` of that scenario compares it"
        );
    }
    match (main, kind) {
        (Some(Source { path, .. }), Some(kind)) => {
            format!("error: `{path}` is {kind}, not a scenario{}", advice(&kind, path))
        }
        _ => snippets::draw(&loaded.diagnostics, &loaded.sources, colour),
    }
}

/// What to do with a file that is not a scenario, as lines of help.
pub(crate) fn advice(kind: &FileKind, path: &str) -> String {
    let import = format!("\n  = help: `quotree import {path} --out NAME.ron` makes a scenario of it");
    match kind {
        FileKind::Scenario | FileKind::Mixed(_) => String::new(),
        FileKind::Other { advice: "", .. } => String::new(),
        FileKind::Other { advice, .. } => format!("\n  = help: {advice}"),
        FileKind::Quotas(..) => format!(
            "{import}\n  = help: `quotree validate {path}` checks it; a scenario in the same folder can use it with `quota: \"{}\"`",
            path.rsplit('/').next().unwrap_or(path)
        ),
        FileKind::Trace(_) | FileKind::Cluster(_) => import,
    }
}
