//! `quotree validate`: validates a scenario, a quota tree or an ElasticQuotaTree manifest without running it.

use crate::{
    args::{Format, How, Validate as Args},
    exit::{Exit, Outcome, Trouble},
    files::{self, Disk, slashed},
    load, snippets,
    terminal::Terminal,
};
use quotree_core::TreeSpec;
use quotree_reports::many;
use quotree_sim::{
    import::elastic_quota_tree,
    scenario::{self, Diagnostic, LoadedTree, Source},
};
use std::path::Path;

pub(super) fn validate(args: &Args, terminal: Terminal) -> Outcome {
    let is_manifest = args.file.extension().is_some_and(|extension| extension == "yaml" || extension == "yml");
    let (what, diagnostics, sources) = if is_manifest {
        let LoadedTree { tree, diagnostics, sources } = manifest(&args.file)?;
        (tree.as_ref().map(size), diagnostics, sources)
    } else {
        validate_ron(&args.file)
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

/// Validates a scenario, or a quota tree alone.
fn validate_ron(path: &Path) -> (Option<String>, Vec<Diagnostic>, Vec<Source>) {
    let loaded = scenario::load_tree(&slashed(path), &Disk);
    let is_tree = loaded.sources.first().is_some_and(|source| source.text.trim_start().starts_with("Quota"));
    if is_tree {
        return (loaded.tree.as_ref().map(size), loaded.diagnostics, loaded.sources);
    }
    let loaded = load::load(path, &How { seed: None, policy: None });
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
    (what, loaded.diagnostics, loaded.sources)
}

fn size(tree: &TreeSpec) -> String {
    many(tree.quotas.len() as u64, "quota")
}

/// Reads and validates a manifest.
///
/// # Errors
/// If the file cannot be read; errors in its content are diagnostics.
pub(super) fn manifest(path: &Path) -> Result<LoadedTree, Trouble> {
    let source = Source { path: slashed(path), text: files::text(path)? };
    let (tree, problems) = elastic_quota_tree::read(&source.text, quotree_core::OverPromised::Error);
    let problems = problems.into_iter().map(|p| (p.span, p.what, p.help, p.warning)).collect();
    let diagnostics = load::loose(&source, problems);
    Ok(LoadedTree { tree, diagnostics, sources: vec![source] })
}

fn json(path: &Path, exit: Exit, diagnostics: &[Diagnostic]) -> serde_json::Value {
    let diagnostics: Vec<_> = diagnostics.iter().map(load::json).collect();
    serde_json::json!({ "file": slashed(path), "valid": exit == Exit::Fine, "diagnostics": diagnostics })
}
