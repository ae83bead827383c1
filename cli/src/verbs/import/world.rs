//! Files that describe a whole cluster (Kueue's generator, KAI's and Armada's simulators, cluster dumps) as scenarios: nodes
//! and workloads stay in the file, quotas become the quota tree.

use super::{
    Named,
    draft::{Draft, map},
    good_nodes, listed, notices, size, some_rows,
};
use crate::{args::Import as Args, exit::Trouble, terminal::Terminal};
use quotree_core::{Amounts, Name};
use quotree_reports::many;
use quotree_sim::{
    import::{self, MoreFile, NodeRows, TraceFormat, TraceOptions, TraceRows},
    model::TraceRow,
};
use std::fmt::Write;

/// The resource that counts pods.
const PODS: &str = "pods";

pub(super) fn scenario(format: TraceFormat, args: &Args, terminal: Terminal) -> Result<String, Trouble> {
    let name = format!("{format:?}").to_lowercase();
    let file = Named::read(&args.file, args)?;
    let own = args.nodes.as_ref().map(|path| Named::read(path, args)).transpose()?;
    if format == TraceFormat::Armada && own.is_none() {
        return Err(Trouble::invalid("`import armada` needs `--nodes FILE` with the cluster specification"));
    }
    let nodes_file = own.as_ref().unwrap_or(&file);
    // A dump of a cluster may consist of two files, each of which has what the other one needs.
    let other: Vec<&Named> = own.iter().filter(|_| format == TraceFormat::Kubernetes).collect();
    let itself: Vec<&Named> = other.iter().map(|_| &file).collect();
    let (options, for_nodes) = (beside(&other), beside(&itself));
    let mut rows = import::rows(format, &file.bytes, &options);
    let nodes = import::nodes(format, &nodes_file.bytes, &for_nodes);
    let only_nodes = format == TraceFormat::Kubernetes && rows.problems.is_empty() && !nodes.rows.is_empty();
    if !only_nodes {
        some_rows(&file, &rows, args)?;
    }
    good_nodes(nodes_file, &nodes)?;
    let total = total(&rows, &nodes);
    let outline = import::outline(format, &file.bytes, &options, &total);
    if outline.tree.quotas.is_empty() {
        let problems = listed(&outline.problems);
        return Err(Trouble::invalid(format!("`{}` has no valid quota tree{problems}", file.name)));
    }
    notices::is_whole(&outline.notes, args.strict)?;
    let skip = if rows.problems.is_empty() { "" } else { ", bad_rows: Skip" };
    let quotas: Vec<_> = outline.problems.into_iter().filter(|problem| !rows.problems.contains(problem)).collect();
    rows.problems.extend(quotas);
    let mut notes = file.note(rows.rows.len(), "jobs", &rows.problems, terminal);
    if own.is_some() {
        notes.push_str(&nodes_file.note(nodes.rows.len(), "nodes", &nodes.problems, terminal));
    }
    for note in outline.alone.iter().chain(&outline.notes) {
        let _ = writeln!(notes, "// Note: {note}.");
        terminal.complain(&format!("note: {note}"));
    }
    let root = outline.tree.quotas.first().map(|root| root.max.clone()).unwrap_or_default();
    let cluster = if nodes.rows.is_empty() {
        format!("Pool({})", map(&root))
    } else {
        let with = with(&itself);
        format!("Nodes(name: {name:?}, format: {format:?}, file: {:?}{with})", nodes_file.name)
    };
    let trace = format!("Trace(name: {name:?}, format: {format:?}, file: {:?}{}{skip})", file.name, with(&other));
    let draft = Draft {
        about: about(format, nodes.rows.len(), outline.tree.quotas.len()),
        policy: outline.policy,
        until_ms: outline.until_ms,
        cluster: vec![cluster],
        tree: outline.tree,
        budgets: outline.budgets,
        workloads: if rows.rows.is_empty() { Vec::new() } else { vec![trace] },
        name,
        ..Draft::default()
    };
    Ok(draft.text(&notes))
}

/// The options for reading a file of a dump together with others.
pub(super) fn beside(others: &[&Named]) -> TraceOptions {
    let more = others.iter().map(|file| MoreFile { name: file.name.clone(), bytes: file.bytes.as_slice().into() });
    TraceOptions { more: more.collect(), ..TraceOptions::default() }
}

/// The field that names the other files of a dump.
pub(super) fn with(others: &[&Named]) -> String {
    let names: Vec<String> = others.iter().map(|file| format!("{:?}", file.name)).collect();
    if names.is_empty() { String::new() } else { format!(", with: [{}]", names.join(", ")) }
}

/// The size of the cluster, in the resources that workloads request: a resource that no workload requests needs no
/// quota. Without nodes, it is the sum of all workloads; without workloads, everything that nodes have except the
/// number of pods.
fn total(rows: &TraceRows, nodes: &NodeRows) -> Amounts {
    let mut asked = Amounts::new();
    for (template, pods) in rows.rows.iter().flat_map(TraceRow::sets) {
        for (resource, amount) in template.request.iter() {
            let before = asked.get(resource.as_str()).unwrap_or(0);
            asked.set(resource.clone(), before.saturating_add(amount.saturating_mul(i64::from(pods))));
        }
    }
    if nodes.rows.is_empty() {
        return asked;
    }
    let wanted = |resource: &Name| match rows.rows.is_empty() {
        true => resource != PODS,
        false => asked.get(resource.as_str()).is_some(),
    };
    size(nodes).iter().filter(|(resource, _)| wanted(resource)).map(|(name, amount)| (name.clone(), amount)).collect()
}

fn about(format: TraceFormat, nodes: usize, quotas: usize) -> String {
    let on = if nodes == 0 { "one pool".to_owned() } else { many(nodes as u64, "node") };
    match format {
        TraceFormat::Kueue => format!("Cohorts, queues and workloads of a Kueue generator: {quotas} quotas on {on}."),
        TraceFormat::Kai => format!("Queues and jobs of a KAI simulation: {quotas} quotas on {on}."),
        TraceFormat::Armada => format!("Queues and jobs of an Armada simulation: {quotas} quotas on {on}."),
        _ => format!("A cluster dump: {quotas} quotas on {on}."),
    }
}
