//! Traces with a list of nodes (openb, PAI) as scenarios: the nodes of the list, and one leaf quota per namespace with a min
//! in proportion to its demand.

use super::{Named, demand, draft::Draft, good_nodes, size, some_rows};
use crate::{args::Import as Args, exit::Trouble, terminal::Terminal};
use quotree_sim::import::{self, TraceFormat, TraceOptions};

/// The name and the description of the scenario.
type RunSource = (&'static str, &'static str);

pub(super) const OPENB: RunSource = (
    "openb",
    "The openb pods on the openb nodes; one leaf quota per service class, with a min in proportion to its demand.",
);

pub(super) const PAI: RunSource =
    ("pai", "PAI tasks on PAI machines; one leaf quota per namespace, with a min in proportion to its demand.");

pub(super) fn scenario(
    format: TraceFormat,
    (name, about): RunSource,
    args: &Args,
    terminal: Terminal,
) -> Result<String, Trouble> {
    let nodes_path = args
        .nodes
        .as_ref()
        .ok_or_else(|| Trouble::invalid(format!("`import {name}` needs `--nodes FILE` with the list of nodes")))?;
    let options = TraceOptions::default();
    let (pods_file, nodes_file) = (Named::read(&args.file, args)?, Named::read(nodes_path, args)?);
    let pods = import::rows(format, &pods_file.bytes, &options);
    some_rows(&pods_file, &pods, args)?;
    let nodes = import::nodes(format, &nodes_file.bytes, &options);
    good_nodes(&nodes_file, &nodes)?;
    let mut notes = pods_file.note(pods.rows.len(), "pods", &pods.problems, terminal);
    notes.push_str(&nodes_file.note(nodes.rows.len(), "nodes", &nodes.problems, terminal));
    let total = size(&nodes);
    let skip = if pods.problems.is_empty() { "" } else { ", bad_rows: Skip" };
    let draft = Draft {
        name: name.to_owned(),
        about: about.to_owned(),
        policy: None,
        until_ms: None,
        cluster: vec![format!("Nodes(name: {name:?}, format: {format:?}, file: {:?})", nodes_file.name)],
        tree: demand::tree(name, &pods.rows, &total, args.no_borrowing),
        workloads: vec![format!("Trace(name: {name:?}, format: {format:?}, file: {:?}{skip})", pods_file.name)],
        ..Draft::default()
    };
    Ok(draft.text(&notes))
}
