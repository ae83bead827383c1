//! `quotree import`: converts a trace, a cluster dump or a quota manifest into a scenario that people can read and
//! edit. The rows stay in the trace file. The scenario refers to that file by a relative path, and a comment states
//! what was read from it.

mod beside;
mod daily;
mod demand;
mod draft;
mod joblist;
mod jobs;
mod notices;
mod placed;
mod quotas;
mod recording;
mod swf;
mod what;
mod world;

use crate::{
    args::{Import as Args, ImportKind},
    exit::{Exit, Outcome, Trouble},
    files::{self, Disk, slashed},
    terminal::Terminal,
};
use clap::ValueEnum;
use quotree_core::{Amounts, StableHasher};
use quotree_reports::many;
use quotree_sim::{
    import::{NodeRows, RowProblem, TraceFormat, TraceRows},
    scenario::{Notation, convert},
};
use std::{
    fmt::Write,
    hash::Hasher,
    path::{Component, Path, PathBuf},
};

use what::What;

/// The most skipped rows that a warning shows one by one.
const SHOWN_IN_WARNINGS: usize = 10;

/// The most invalid rows that an error shows one by one.
const SHOWN_IN_ERRORS: usize = 3;

pub(super) fn import(args: &Args, terminal: Terminal) -> Outcome {
    let text = match what::what(args)? {
        What::Recording(folder) => recording::scenario(&folder, args, terminal)?,
        What::Quotas(args, format, files) => {
            check_options(&args)?;
            quotas::scenario(format, files, &args, terminal)?
        }
        What::One(args) => {
            check_options(&args)?;
            // An importer that cannot read the file says less than what the file is.
            one(&args, terminal).map_err(|trouble| what::mismatch(&args).unwrap_or(trouble))?
        }
    };
    match &args.out {
        Some(path) if !files::is_standard(path) => {
            let outside = outside(path, &text);
            files::write(path, &in_notation_of(path, text)?)?;
            if let Some(sentence) = outside {
                terminal.complain(&sentence);
            }
        }
        _ => terminal.emit(&text)?,
    }
    Ok(Exit::Fine)
}

/// A warning if a scenario names files that it may not read by itself, since they are neither below its folder nor below the working
/// directory.
fn outside(scenario: &Path, text: &str) -> Option<String> {
    let disk = Disk::of(scenario);
    let is_named = |path: &PathBuf| text.contains(&format!("{:?}", name_from(Some(scenario), path)));
    let found: Vec<PathBuf> =
        files::read_so_far().into_iter().filter(|path| disk.refuses(path).is_some() && is_named(path)).collect();
    let first = found.first()?;
    let (scenario, first, more) = (scenario.display(), first.display(), found.len() - 1);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    Some(format!(
        "warning: {scenario} names `{first}`{more}, which is neither below its folder nor below the working directory: run it with \
         `--allow-outside`, or give an `--out` in that folder or above it"
    ))
}

/// The scenario in the notation of its file name.
fn in_notation_of(path: &Path, text: String) -> Result<String, Trouble> {
    let to = Notation::named(&slashed(path)).unwrap_or(Notation::Ron);
    if to == Notation::Ron {
        return Ok(text);
    }
    let failed = |_| Trouble::fault(format!("the imported scenario cannot be written as {}", to.name()));
    convert("imported.ron", &text, to).map(|converted| converted.text).map_err(failed)
}

/// The scenario for a file that a single importer reads.
fn one(args: &Args, terminal: Terminal) -> Result<String, Trouble> {
    let Some(kind) = args.kind else { return Err(Trouble::fault("an import without a kind")) };
    match kind {
        ImportKind::Native => jobs::scenario(TraceFormat::Native, args, terminal),
        ImportKind::Philly => joblist::scenario(TraceFormat::Philly, args, terminal),
        ImportKind::Helios => joblist::scenario(TraceFormat::Helios, args, terminal),
        ImportKind::HeliosDemand => daily::series(args, terminal),
        ImportKind::Acme => joblist::scenario(TraceFormat::Acme, args, terminal),
        ImportKind::Muri => joblist::scenario(TraceFormat::Muri, args, terminal),
        ImportKind::Openb => placed::scenario(TraceFormat::Openb, placed::OPENB, args, terminal),
        ImportKind::Pai => placed::scenario(TraceFormat::Pai, placed::PAI, args, terminal),
        ImportKind::Swf => swf::scenario(args, terminal),
        ImportKind::Slurm => jobs::scenario(TraceFormat::Slurm, args, terminal),
        ImportKind::Kueue => world::scenario(TraceFormat::Kueue, args, terminal),
        ImportKind::Kai => world::scenario(TraceFormat::Kai, args, terminal),
        ImportKind::Armada => world::scenario(TraceFormat::Armada, args, terminal),
        ImportKind::Kubernetes => world::scenario(TraceFormat::Kubernetes, args, terminal),
        // Kinds that have only quota objects.
        other => Err(Trouble::invalid(format!(
            "`{}` has nothing that `import {}` reads",
            args.file.display(),
            what::name(other)
        ))),
    }
}

/// An error if an option does not apply to the format.
fn check_options(args: &Args) -> Result<(), Trouble> {
    use ImportKind as K;
    // Quota objects are read whatever their kind was called.
    let kind = args.kind.map_or_else(|| "of quota objects".to_owned(), what::name);
    let own_nodes = matches!(args.kind, Some(K::Openb | K::Pai | K::Armada | K::Kueue | K::Kai | K::Kubernetes));
    let sized = matches!(args.kind, Some(K::Philly | K::Helios | K::HeliosDemand | K::Acme | K::Muri));
    let has_tree = sized || args.kind == Some(K::Slurm);
    let trace = matches!(args.kind, Some(K::Swf | K::Openb | K::Pai | K::Armada)) || sized;
    let wrong = [
        ("--nodes", args.nodes.is_some() && !own_nodes),
        ("--gpus", args.gpus.is_some() && !sized),
        ("--tree", args.tree.is_some() && !has_tree),
        ("--cpus", args.cpus.is_some() && args.kind != Some(K::Swf)),
        ("--cluster", args.cluster.is_some() && trace),
        ("--derive-mins", args.derive_mins && (trace || args.kind == Some(K::Native))),
        ("--over-promised", args.over_promised.is_some() && (trace || args.kind == Some(K::Native))),
        ("--strict", args.strict && trace),
    ];
    if let Some((option, _)) = wrong.iter().find(|(_, wrong)| *wrong) {
        return Err(Trouble::invalid(format!("`{option}` does not apply to `import {kind}`")));
    }
    let zero = [("--gpus", args.gpus), ("--cpus", args.cpus)].into_iter().find(|(_, count)| *count == Some(0));
    zero.map_or(Ok(()), |(option, _)| Err(Trouble::invalid(format!("`{option}` must be at least 1"))))
}

/// A file that the scenario refers to.
struct Named {
    bytes: Vec<u8>,
    /// The path in the scenario.
    name: String,
}

impl Named {
    fn read(path: &Path, args: &Args) -> Result<Self, Trouble> {
        if files::is_standard(path) {
            return Err(Trouble::invalid(
                "the scenario names the file of its rows, and stdin has no name: save it as a file",
            ));
        }
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
            let rows = many(problems.len() as u64, "invalid row");
            let warning = format!("{}: {rows} skipped{}", self.name, first_of(problems, SHOWN_IN_WARNINGS));
            for line in warning.lines() {
                let _ = writeln!(note, "// {line}");
            }
            terminal.complain(&format!("warning: {warning}"));
        }
        note
    }
}

/// An error if the trace has no valid row: the first problems, and what was expected.
fn some_rows(file: &Named, read: &TraceRows, args: &Args) -> Result<(), Trouble> {
    if !read.rows.is_empty() {
        return Ok(());
    }
    let value = args.kind.and_then(|kind| kind.to_possible_value());
    let expected = value.as_ref().and_then(|value| value.get_help()).map(ToString::to_string).unwrap_or_default();
    let problems = listed(&read.problems);
    Err(Trouble::invalid(format!("`{}` has no valid row (expected: {expected}){problems}", file.name)))
}

/// An error with `--strict` if rows were skipped.
fn good_rows(file: &Named, problems: &[RowProblem], strict: bool) -> Result<(), Trouble> {
    if !strict || problems.is_empty() {
        return Ok(());
    }
    let (name, rows) = (&file.name, many(problems.len() as u64, "invalid row"));
    Err(Trouble::invalid(format!("`{name}` has {rows}, which --strict does not skip{}", listed(problems))))
}

/// An error if a node is invalid, since a cluster is imported as a whole or not at all.
fn good_nodes(file: &Named, nodes: &NodeRows) -> Result<(), Trouble> {
    if nodes.problems.is_empty() {
        return Ok(());
    }
    let rows = many(nodes.problems.len() as u64, "invalid row");
    Err(Trouble::invalid(format!("`{}` has {rows}{}", file.name, listed(&nodes.problems))))
}

/// The problems of a file as the rest of an error: a colon, and the first of them.
fn listed(problems: &[RowProblem]) -> String {
    let colon = if problems.is_empty() { "" } else { ":" };
    format!("{colon}{}", first_of(problems, SHOWN_IN_ERRORS))
}

/// The first problems of a file, at most `most`, each on a line of its own, and the number of the others.
fn first_of(problems: &[RowProblem], most: usize) -> String {
    let mut text = String::new();
    for RowProblem { line, what } in problems.iter().take(most) {
        let _ = write!(text, "\n  line {line}: {what}");
    }
    if problems.len() > most {
        let _ = write!(text, "\n  … and {} more", problems.len() - most);
    }
    text
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
