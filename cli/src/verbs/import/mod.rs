//! `quotree import`: converts a trace, a cluster dump or a quota manifest into a scenario that people can read and edit. The
//! rows stay in the trace file; the scenario refers to it by a relative path and states what was read from it.

mod daily;
mod demand;
mod draft;
mod joblist;
mod manifest;
mod placed;
mod swf;
mod world;

use crate::{
    args::{Import as Args, ImportKind},
    exit::{Exit, Outcome, Trouble},
    files,
    terminal::Terminal,
};
use quotree_core::{Amounts, StableHasher};
use quotree_sim::import::{NodeRows, RowProblem, TraceFormat, TraceRows};
use std::{
    fmt::Write,
    hash::Hasher,
    path::{Component, Path, PathBuf},
};

/// The most skipped rows that are shown one by one.
const SHOWN_PROBLEMS: usize = 10;

pub(super) fn import(args: &Args, terminal: Terminal) -> Outcome {
    let text = match args.kind {
        ImportKind::Philly => joblist::scenario(TraceFormat::Philly, args, terminal)?,
        ImportKind::Helios => joblist::scenario(TraceFormat::Helios, args, terminal)?,
        ImportKind::HeliosDemand => daily::series(args, terminal)?,
        ImportKind::Acme => joblist::scenario(TraceFormat::Acme, args, terminal)?,
        ImportKind::Muri => joblist::scenario(TraceFormat::Muri, args, terminal)?,
        ImportKind::Openb => placed::scenario(TraceFormat::Openb, placed::OPENB, args, terminal)?,
        ImportKind::Pai => placed::scenario(TraceFormat::Pai, placed::PAI, args, terminal)?,
        ImportKind::Swf => swf::scenario(args, terminal)?,
        ImportKind::Kueue => world::scenario(TraceFormat::Kueue, args, terminal)?,
        ImportKind::Kai => world::scenario(TraceFormat::Kai, args, terminal)?,
        ImportKind::Armada => world::scenario(TraceFormat::Armada, args, terminal)?,
        ImportKind::Kubernetes => world::scenario(TraceFormat::Kubernetes, args, terminal)?,
        ImportKind::ElasticQuotaTree => manifest::scenario(args, terminal)?,
    };
    match &args.out {
        Some(path) => files::write(path, &text)?,
        None => terminal.show(&text)?,
    }
    Ok(Exit::Fine)
}

/// A file that the scenario refers to.
struct Named {
    bytes: Vec<u8>,
    /// The path in the scenario.
    name: String,
}

impl Named {
    fn read(path: &Path, args: &Args) -> Result<Self, Trouble> {
        let bytes = files::bytes(path);
        let bytes = bytes.map_err(|why| Trouble::invalid(format!("cannot read `{}`: {why}", path.display())))?;
        Ok(Self { bytes, name: name_from(args.out.as_deref(), path) })
    }

    /// The comment above the scenario: the source of its rows, and the rows that were skipped.
    fn note(&self, good: usize, what: &str, problems: &[RowProblem], terminal: Terminal) -> String {
        let mut hasher = StableHasher::default();
        hasher.write(&self.bytes);
        let mut note =
            format!("// {}: {good} {what}, digest of the decompressed file {:032x}.\n", self.name, hasher.digest128());
        if !problems.is_empty() {
            let rows = if problems.len() == 1 { "1 row".to_owned() } else { format!("{} rows", problems.len()) };
            let mut warning = format!("{}: {rows} skipped", self.name);
            for RowProblem { line, what } in problems.iter().take(SHOWN_PROBLEMS) {
                let _ = write!(warning, "\n  line {line}: {what}");
            }
            if problems.len() > SHOWN_PROBLEMS {
                let _ = write!(warning, "\n  … and {} more", problems.len() - SHOWN_PROBLEMS);
            }
            for line in warning.lines() {
                let _ = writeln!(note, "// {line}");
            }
            terminal.complain(&format!("warning: {warning}"));
        }
        note
    }
}

/// An error if the trace has no valid row.
fn some_rows(file: &Named, read: &TraceRows) -> Result<(), Trouble> {
    if !read.rows.is_empty() {
        return Ok(());
    }
    let first = read.problems.first().map(|p| format!(": line {}: {}", p.line, p.what)).unwrap_or_default();
    Err(Trouble::invalid(format!("`{}` has no valid row{first}", file.name)))
}

/// An error if a node is invalid: a cluster is imported whole.
fn good_nodes(file: &Named, nodes: &NodeRows) -> Result<(), Trouble> {
    let Some(problem) = nodes.problems.first() else { return Ok(()) };
    let count = nodes.problems.len();
    Err(Trouble::invalid(format!(
        "`{}` has {count} invalid rows, the first in line {}: {}",
        file.name, problem.line, problem.what
    )))
}

/// The sum over all nodes.
fn size(nodes: &NodeRows) -> Amounts {
    let mut total = Amounts::new();
    for (name, amount) in nodes.rows.iter().flat_map(|node| node.allocatable.iter()) {
        total.set(name.clone(), total.get(name.as_str()).unwrap_or(0).saturating_add(amount));
    }
    total
}

/// The path of a file relative to the scenario at `from` (or on stdout).
fn name_from(from: Option<&Path>, path: &Path) -> String {
    let relative = from.and_then(|from| {
        let folder = from.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        // The folder may not exist yet: then its nearest existing ancestor determines where it will be.
        let there = folder.ancestors().find(|folder| folder.exists()).filter(|f| !f.as_os_str().is_empty());
        let base = there.unwrap_or(Path::new(".")).canonicalize().ok()?;
        let rest = folder.strip_prefix(there.unwrap_or(Path::new(""))).ok()?;
        between(&base.join(rest), &path.canonicalize().ok()?)
    });
    files::slashed(&relative.unwrap_or_else(|| path.to_owned()))
}

/// The relative path from a folder to a file, both absolute.
fn between(folder: &Path, file: &Path) -> Option<PathBuf> {
    let common = folder.components().zip(file.components()).take_while(|(a, b)| a == b).count();
    let mut way: PathBuf = folder.components().skip(common).map(|_| Component::ParentDir).collect();
    way.extend(file.components().skip(common));
    (!way.as_os_str().is_empty()).then_some(way)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_between_files_are_relative() {
        let way = |folder: &str, file: &str| between(Path::new(folder), Path::new(file)).unwrap();
        assert_eq!(way("/a/b", "/a/b/t.csv"), Path::new("t.csv"));
        assert_eq!(way("/a/b/c", "/a/x/t.csv"), Path::new("../../x/t.csv"));
        assert_eq!(way("/", "/t.csv"), Path::new("t.csv"));
    }
}
