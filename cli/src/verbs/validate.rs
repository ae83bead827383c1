//! `quotree validate`: validates a scenario, a quota tree or quota objects without running anything.

use crate::{
    args::{Edits, Format, Validate as Args},
    exit::{Exit, Outcome, Trouble},
    files::{self, Disk, slashed},
    load, snippets,
    terminal::Terminal,
};
use quotree_core::TreeSpec;
use quotree_reports::many;
use quotree_sim::{
    import::{
        detect::{FileKind, detect},
        quota::{self, QuotaFormat, QuotaOptions},
    },
    scenario::{self, Diagnostic, Source},
};
use std::path::Path;

pub(super) fn validate(args: &Args, terminal: Terminal) -> Outcome {
    let bytes = files::bytes(&args.file).unwrap_or_default();
    let (what, diagnostics, sources) = match detect(&bytes) {
        Some(FileKind::Quotas(format, _)) => quotas(format, &args.file)?,
        None | Some(FileKind::Scenario) => validate_scenario(&args.file)?,
        Some(kind) => {
            let (file, help) = (slashed(&args.file), load::advice(&kind, &slashed(&args.file)));
            return Err(Trouble::invalid(format!("`{file}` is {kind}, neither a scenario nor quota objects{help}")));
        }
    };
    let exit = if what.is_some() { Exit::Fine } else { Exit::Invalid };
    let text = match args.format {
        Format::Json => super::pretty(&json(&args.file, exit, &diagnostics)),
        Format::Text => {
            let mut text = snippets::draw(&diagnostics, &sources, terminal.style.colour);
            if let Some(what) = what {
                text.push_str(&format!("{}: valid, {what}\n", slashed(&args.file)));
            }
            text
        }
    };
    terminal.show(&text)?;
    Ok(exit)
}

/// A description of the contents of a file, unless it has an error, and its diagnostics.
type Checked = (Option<String>, Vec<Diagnostic>, Vec<Source>);

/// Validates a scenario, or a quota tree alone.
///
/// # Errors
/// If the file cannot be read.
fn validate_scenario(path: &Path) -> Result<Checked, Trouble> {
    files::text(path)?;
    let loaded = scenario::load_tree(&slashed(path), &Disk::of(path));
    if loaded.alone {
        return Ok((loaded.tree.as_ref().map(size), loaded.diagnostics, loaded.sources));
    }
    let loaded = load::load(path, &Edits::default());
    let what = loaded.scenario.as_ref().map(|s| {
        let [nodes, workloads, claims] = [s.cluster.nodes.len(), s.workloads.len(), s.claims.len()].map(|n| n as u64);
        format!(
            "{}, {}, {}, {}",
            size(&s.tree),
            many(nodes, "node"),
            many(workloads, "workload"),
            many(claims, "claim")
        )
    });
    Ok((what, loaded.diagnostics, loaded.sources))
}

fn size(tree: &TreeSpec) -> String {
    many(tree.quotas.len() as u64, "quota")
}

/// Reads and validates quota objects. Returns a description of them, unless there is an error.
///
/// # Errors
/// If the file cannot be read; errors in its content are diagnostics.
fn quotas(format: QuotaFormat, path: &Path) -> Result<Checked, Trouble> {
    let source = Source { path: slashed(path), text: files::text(path)? };
    let read = quota::read(format, vec![source], &QuotaOptions::default());
    let lost = read.notes.iter().filter(|note| note.lost).count() as u64;
    let more =
        if lost == 0 { String::new() } else { format!(", {} without a place in a scenario", many(lost, "field")) };
    Ok((read.tree.as_ref().map(|tree| format!("{}{more}", size(tree))), read.diagnostics, read.sources))
}

fn json(path: &Path, exit: Exit, diagnostics: &[Diagnostic]) -> serde_json::Value {
    let diagnostics: Vec<_> = diagnostics.iter().map(load::json).collect();
    serde_json::json!({ "file": slashed(path), "valid": exit == Exit::Fine, "diagnostics": diagnostics })
}
