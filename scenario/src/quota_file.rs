//! `quota: "quota.yaml"`: the quota tree is in a file of its own. This may be the deployed file itself: the importers
//! read it, and report mistakes at their places in it.

use crate::{
    files::Files,
    notation,
    quota::{self, ReadTree},
    set::{self, Change},
};
use quotree_core::{Name, Policy};
use quotree_import::{
    detect::{FileKind, detect},
    quota::{Note, QuotaOptions, Quotas, read as read_objects},
};
use quotree_model::Cluster;
use quotree_syntax::{Node, Report, Shape, Source, Span};

/// A tree, and the priority classes that its file declares.
type Read = (ReadTree, Vec<(Name, i32)>);

/// The quota tree of a scenario, written in the scenario or in the file that it names.
pub(crate) fn tree(
    node: &Node,
    changes: &[Change],
    (policy, cluster): (&Policy, &Cluster),
    files: &mut Files<'_>,
    report: &mut Report,
) -> Option<Read> {
    let Shape::String(named) = &node.shape else { return Some((quota::read(node, report)?, Vec::new())) };
    let path = files.resolve(node.span.source, named);
    let source = path.and_then(|path| Ok((files.source(&path)?.0, path)));
    let (number, path) = match source {
        Ok(read) => read,
        Err(why) => {
            report.error(node.span, format!("cannot read `{named}`: {why}"), "the file named here");
            return None;
        }
    };
    let text = files.sources.get(number as usize).map(|source| source.text.clone()).unwrap_or_default();
    files.hash(text.as_bytes());
    changes.iter().for_each(|change| files.hash(change.to_string().as_bytes()));
    match detect(text.as_bytes()) {
        Some(FileKind::Quotas(format, _)) => {
            let total = cluster.total_with(&[]).filter(|total| !total.is_empty());
            let options = QuotaOptions { over_promised: policy.over_promised, total, ..QuotaOptions::default() };
            let mut read = read_objects(format, vec![Source { path, text }], &options);
            if *policy != Policy::default() {
                read.knobs.clear();
            }
            if let Some(tree) = &mut read.tree {
                changes.iter().for_each(|change| set::set_deployed(tree, change, report));
            }
            objects(read, (node.span, named), number, changes.is_empty(), report)
        }
        None | Some(FileKind::Scenario) => {
            let mut root = notation::parse(&path, &text, number, report).filter(|_| !report.broken)?;
            let is_tree = matches!(&root.shape, Shape::Struct(body) if body.name.as_ref().is_some_and(|name| name.text == "Quota"));
            if is_tree {
                changes.iter().for_each(|change| set::apply_to_tree(&mut root, change, report));
                return Some((quota::read(&root, report)?, Vec::new()));
            }
            let help = "it may hold quota objects that `quotree import` reads, or one `Quota(..)`";
            report.error(node.span, format!("`{named}` holds no quota tree"), "the file named here").help(help);
            None
        }
        Some(kind) => {
            let help = match kind {
                FileKind::Trace(_) | FileKind::Cluster(_) => format!("`quotree import {path}` makes a scenario of it"),
                FileKind::Mixed(_) => {
                    "a scenario has one tree: keep the objects of one scheduler in the file".to_owned()
                }
                _ => "name a file of quota objects that `quotree import` reads".to_owned(),
            };
            report.error(node.span, format!("`{named}` is {kind}, not a quota tree"), "the file named here").help(help);
            None
        }
    }
}

/// The tree that an importer read from quota objects, with the importer's findings.
fn objects(
    read: Quotas,
    (named_at, named): (Span, &str),
    source: u32,
    validated: bool,
    report: &mut Report,
) -> Option<Read> {
    report.adopt(read.diagnostics, source);
    let tree = read.tree?;
    let lost: Vec<&Note> = read.notes.iter().filter(|note| note.lost).collect();
    if !lost.is_empty() || !read.knobs.is_empty() {
        tell(&lost, &read.knobs, named_at, named, report);
    }
    Some((ReadTree::of_file(tree, named_at, validated), read.classes))
}

/// Warns of settings in the file that a scenario cannot express.
fn tell(lost: &[&Note], knobs: &[String], named_at: Span, named: &str, report: &mut Report) {
    const SHOWN: usize = 3;
    let fields = if lost.len() == 1 { "1 setting".to_owned() } else { format!("{} settings", lost.len()) };
    let title = match lost.len() {
        0 => format!("`{named}` asks for another policy than the default"),
        _ => format!("`{named}` has {fields} without a place in a scenario"),
    };
    let mut help = report.warning(named_at, title, "the file named here");
    for note in lost.iter().take(SHOWN) {
        help = help.help(format!("line {}: {note}", note.first.line));
    }
    if lost.len() > SHOWN {
        help = help.help(format!("`quotree import {named}` lists all of them"));
    }
    if !knobs.is_empty() {
        help.help(format!("the policy that is nearest is `Capacity({})`", knobs.join(", ")));
    }
}
