//! Converts quota objects to a scenario: the quota tree, the nodes of the files or else a pool of the size of the tree,
//! and the pods of the files. Reports what has no place in a scenario, and what was assumed.

use super::{
    Named,
    beside::Beside,
    draft::{Draft, map},
    notices::{self, Notices},
};
use crate::{
    args::{Import as Args, OnPromise},
    exit::{Exit, Trouble},
    files, snippets,
    terminal::Terminal,
};
use quotree_core::{Amounts, Name, OverPromised, QuotaSpec, TreeSpec};
use quotree_reports::many;
use quotree_sim::{
    import::{
        detect::Objects,
        quota::{self, QuotaFormat, QuotaOptions, Quotas},
    },
    scenario::{Source, parse_amount},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    path::{Path, PathBuf},
};

/// Kinds of objects that do not concern scheduling.
const IDLE: [&str; 6] = ["Namespace", "ServiceAccount", "ConfigMap", "Secret", "CustomResourceDefinition", "Service"];

/// Kinds of objects that the importer of dumps reads.
const OF_DUMPS: [&str; 5] = ["Pod", "Node", "PodGroup", "PodDisruptionBudget", "PriorityClass"];

/// The files of an import.
#[derive(Default)]
pub(super) struct Files {
    read: Vec<(PathBuf, Vec<u8>)>,
    /// The indices of the files with pods or nodes.
    dumps: Vec<usize>,
    objects: Objects,
    /// Files of a folder that are not read.
    pub(super) skipped: Vec<PathBuf>,
}

impl Files {
    pub(super) fn one(path: PathBuf, bytes: Vec<u8>, objects: Objects) -> Self {
        let mut files = Self::default();
        files.add(path, bytes, objects);
        files
    }

    /// Adds a file.
    pub(super) fn add(&mut self, path: PathBuf, bytes: Vec<u8>, objects: Objects) {
        if objects.is_dump() {
            self.dumps.push(self.read.len());
        }
        self.objects.add(&objects);
        self.read.push((path, bytes));
    }

    pub(super) fn is_dump(&self) -> bool {
        self.objects.is_dump()
    }
}

pub(super) fn scenario(
    format: QuotaFormat,
    mut read: Files,
    args: &Args,
    terminal: Terminal,
) -> Result<String, Trouble> {
    let mut sources = Vec::new();
    for (path, bytes) in &mut read.read {
        let text = String::from_utf8(std::mem::take(bytes));
        let text = text.map_err(|_| Trouble::invalid(format!("`{}` is not UTF-8 text", path.display())))?;
        sources.push(Source { path: files::slashed(path), text });
    }
    let files = read.read.iter().map(|(path, _)| path).zip(&sources);
    let named = files.map(|(path, source)| Named {
        bytes: source.text.clone().into_bytes(),
        name: super::name_from(args.out.as_deref(), path),
    });
    let named: Vec<Named> = named.collect();
    // A pod may need any object of the other files: its node, its PodGroup, its quota.
    let mut of_dump: Vec<&Named> = read.dumps.first().and_then(|first| named.get(*first)).into_iter().collect();
    if let Some(first) = read.dumps.first() {
        of_dump.extend(named.iter().enumerate().filter(|(i, _)| i != first).map(|(_, file)| file));
    }
    // A file that is broken is reported by the reader of quotas, with its place.
    let dump = Beside::of(&of_dump);
    let size = dump.as_ref().ok().and_then(Option::as_ref).map(|dump| dump.total.clone());
    let options = QuotaOptions {
        total: args.cluster.as_deref().map(cluster).transpose()?.or(size),
        over_promised: if args.over_promised == Some(OnPromise::Warn) {
            OverPromised::Warn
        } else {
            OverPromised::Error
        },
        derive_mins: args.derive_mins,
        ..QuotaOptions::default()
    };
    let quotas = quota::read(format, sources, &options);
    let drawn = snippets::draw(&quotas.diagnostics, &quotas.sources, terminal.colour_errors);
    let Some(mut tree) = quotas.tree.clone() else { return Err(Trouble { exit: Exit::Invalid, message: drawn }) };
    let dump = dump?;
    dump.iter().for_each(|dump| dump.visit(&mut tree));
    if !drawn.is_empty() {
        terminal.draw(&drawn);
    }
    let notices = notices(&quotas, &read, dump.is_some());
    notices.complain(args.strict, terminal)?;
    notices::is_whole(dump.as_ref().map_or(&[], |dump| &dump.notes), args.strict)?;
    let mut head = String::new();
    let all = if named.len() == 1 { "quotas" } else { "quotas in all files" };
    for file in &named {
        head.push_str(&file.note(tree.quotas.len(), all, &[], terminal));
    }
    if dump.is_none() {
        head.push_str("// Add workloads to `workloads`, and replace the pool with nodes if placement matters.\n");
    }
    for note in dump.iter().flat_map(|dump| &dump.notes) {
        let _ = writeln!(head, "// Note: {note}.");
        terminal.complain(&format!("note: {note}"));
    }
    Ok(draft(format, &tree, &quotas, dump, &options).text(&format!("{head}{}", notices.comments())))
}

/// The scenario of a tree.
fn draft(format: QuotaFormat, tree: &TreeSpec, quotas: &Quotas, dump: Option<Beside>, options: &QuotaOptions) -> Draft {
    let mut knobs = quotas.knobs.clone();
    if options.over_promised == OverPromised::Warn {
        knobs.push("over_promised: Warn".to_owned());
    }
    let on = match &dump {
        Some(dump) => many(dump.count as u64, "node"),
        None => "a pool of the size of the tree".to_owned(),
    };
    let name = format!("{format:?}").chars().fold(String::new(), |mut name, c| {
        if c.is_uppercase() && !name.is_empty() {
            name.push('-');
        }
        name.push(c.to_ascii_lowercase());
        name
    });
    let cluster = dump
        .as_ref()
        .filter(|dump| dump.count > 0)
        .map_or_else(|| vec![format!("Pool({})", map(&pool(tree, options.total.as_ref())))], |dump| dump.nodes.clone());
    let (workloads, until_ms, budgets) =
        dump.map_or_else(Default::default, |dump| (dump.pods, dump.until_ms, dump.budgets));
    Draft {
        name,
        about: format!("{} on {on}.", capital(format.what())),
        policy: (!knobs.is_empty()).then(|| format!("Capacity({})", knobs.join(", "))),
        until_ms,
        cluster,
        classes: quotas.classes.clone(),
        tree: tree.clone(),
        workloads,
        budgets,
        ..Draft::default()
    }
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// The size of the cluster in `--cluster`: `cpu=400,memory=1600Gi`.
pub(super) fn cluster(text: &str) -> Result<Amounts, Trouble> {
    let mut total = Amounts::new();
    for part in text.split(',').filter(|part| !part.trim().is_empty()) {
        let wrong = |why: &str| Trouble::invalid(format!("--cluster: `{part}`: {why}"));
        let (name, value) =
            part.split_once('=').ok_or_else(|| wrong("expected a resource and an amount, as in `cpu=400`"))?;
        let amount = parse_amount(name.trim(), value.trim()).map_err(|error| wrong(&error.what))?;
        if amount < 0 {
            return Err(wrong("the amount is negative"));
        }
        total.set(name.trim(), amount);
    }
    Ok(total)
}

/// The pool for the tree: the cluster, if its size is known, otherwise what the root has. Of a resource that the root
/// does not limit, the pool has as much as the leaves may use or are guaranteed.
fn pool(tree: &TreeSpec, total: Option<&Amounts>) -> Amounts {
    let mut size = Amounts::new();
    let parents: BTreeSet<&Name> = tree.quotas.iter().filter_map(|quota| quota.parent.as_ref()).collect();
    for leaf in tree.quotas.iter().filter(|quota| !parents.contains(&quota.name)) {
        let named: BTreeSet<&Name> = leaf.min.iter().chain(leaf.max.iter()).map(|(name, _)| name).collect();
        for name in named {
            let own = leaf.max.get(name.as_str()).or(leaf.min.get(name.as_str())).unwrap_or(0);
            size.set(name.clone(), size.get(name.as_str()).unwrap_or(0).saturating_add(own));
        }
    }
    let root = tree.quotas.iter().find(|quota| quota.parent.is_none()).map(|root: &QuotaSpec| &root.max);
    for (name, amount) in root.into_iter().chain(total).flat_map(Amounts::iter) {
        size.set(name.clone(), amount);
    }
    size
}

fn notices(quotas: &Quotas, read: &Files, dump: bool) -> Notices {
    let mut notices = Notices::of(&quotas.notes);
    let others: BTreeMap<&String, &u64> = quotas
        .others
        .iter()
        .filter(|(kind, _)| !IDLE.contains(&kind.as_str()) && (!dump || !OF_DUMPS.contains(&kind.as_str())))
        .collect();
    notices.lost.extend(others.iter().map(|(kind, count)| format!("{count} {kind}: not imported")));
    if !read.skipped.is_empty() {
        let first = read.skipped.first().map(|path| files::slashed(path)).unwrap_or_default();
        let count = many(read.skipped.len() as u64, "file");
        notices.lost.push(format!("{count} of the folder without objects for this import ({first})"));
    }
    notices
}

/// The syntax errors of a file with an extension of YAML or JSON; nothing if it has none.
pub(super) fn syntax_errors(path: &Path) -> Option<Trouble> {
    let name = path.to_string_lossy();
    if ![".yaml", ".yml", ".json"].iter().any(|ending| name.ends_with(ending)) {
        return None;
    }
    let source = Source { path: files::slashed(path), text: files::text(path).ok()? };
    let read = quota::read(QuotaFormat::Yunikorn, vec![source], &QuotaOptions::default());
    let broken =
        read.diagnostics.iter().any(|d| d.title.starts_with("invalid YAML") || d.title.starts_with("unclosed"));
    broken.then(|| Trouble { exit: Exit::Invalid, message: snippets::draw(&read.diagnostics, &read.sources, false) })
}
