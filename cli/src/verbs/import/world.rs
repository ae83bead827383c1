//! Files that describe a whole cluster (Kueue's generator, KAI's and Armada's simulators, cluster dumps) as scenarios: nodes
//! and workloads stay in the file, quotas become the quota tree.

use super::{
    Named,
    draft::{Draft, map},
    good_nodes, listed, size, some_rows,
};
use crate::{args::Import as Args, exit::Trouble, terminal::Terminal};
use quotree_core::{Amounts, Name};
use quotree_sim::import::{self, TraceFormat, TraceOptions};
use std::{collections::BTreeSet, fmt::Write};

pub(super) fn scenario(format: TraceFormat, args: &Args, terminal: Terminal) -> Result<String, Trouble> {
    let name = format!("{format:?}").to_lowercase();
    let options = TraceOptions::default();
    let file = Named::read(&args.file, args)?;
    let own = args.nodes.as_ref().map(|path| Named::read(path, args)).transpose()?;
    if format == TraceFormat::Armada && own.is_none() {
        return Err(Trouble::invalid("`import armada` needs `--nodes FILE` with the cluster specification"));
    }
    let nodes_file = own.as_ref().unwrap_or(&file);
    let mut rows = import::rows(format, &file.bytes, &options);
    let nodes = import::nodes(format, &nodes_file.bytes, &options);
    some_rows(&file, &rows, args)?;
    good_nodes(nodes_file, &nodes)?;
    // A resource that no workload requests needs no quota.
    let asked: BTreeSet<&Name> =
        rows.rows.iter().flat_map(|row| row.template.request.iter().map(|(name, _)| name)).collect();
    let total = size(&nodes);
    let total: Amounts =
        total.iter().filter(|(name, _)| asked.contains(name)).map(|(n, amount)| (n.clone(), amount)).collect();
    let outline = import::outline(format, &file.bytes, &options, &total);
    if outline.tree.quotas.is_empty() {
        let problems = listed(&outline.problems);
        return Err(Trouble::invalid(format!("`{}` has no valid quota tree{problems}", file.name)));
    }
    let skip = if rows.problems.is_empty() { "" } else { ", bad_rows: Skip" };
    let quotas: Vec<_> = outline.problems.into_iter().filter(|problem| !rows.problems.contains(problem)).collect();
    rows.problems.extend(quotas);
    let mut notes = file.note(rows.rows.len(), "jobs", &rows.problems, terminal);
    if own.is_some() {
        notes.push_str(&nodes_file.note(nodes.rows.len(), "nodes", &nodes.problems, terminal));
    }
    for note in &outline.notes {
        let _ = writeln!(notes, "// Note: {note}.");
    }
    let root = outline.tree.quotas.first().map(|root| root.max.clone()).unwrap_or_default();
    let cluster = if nodes.rows.is_empty() {
        format!("Pool({})", map(&root))
    } else {
        format!("Nodes(name: {name:?}, format: {format:?}, file: {:?})", nodes_file.name)
    };
    let draft = Draft {
        about: about(format, nodes.rows.len(), outline.tree.quotas.len()),
        policy: outline.policy,
        until_ms: outline.until_ms,
        cluster: vec![cluster],
        tree: outline.tree,
        workloads: vec![format!("Trace(name: {name:?}, format: {format:?}, file: {:?}{skip})", file.name)],
        name,
        ..Draft::default()
    };
    Ok(draft.text(&notes))
}

fn about(format: TraceFormat, nodes: usize, quotas: usize) -> String {
    let on = if nodes == 0 { "one pool".to_owned() } else { format!("{nodes} nodes") };
    match format {
        TraceFormat::Kueue => format!("Cohorts, queues and workloads of a Kueue generator: {quotas} quotas on {on}."),
        TraceFormat::Kai => format!("Queues and jobs of a KAI simulation: {quotas} quotas on {on}."),
        TraceFormat::Armada => format!("Queues and jobs of an Armada simulation: {quotas} quotas on {on}."),
        _ => format!("A cluster dump: {quotas} quotas on {on}."),
    }
}
