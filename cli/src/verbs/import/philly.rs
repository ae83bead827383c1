//! The Philly job list as a scenario: one pool in strict order of arrival, or the virtual clusters as leaves of a tree.

use super::{Named, draft::Draft, some_rows};
use crate::{args::Import as Args, exit::Trouble, files, terminal::Terminal};
use quotree_core::{Amounts, Queueing, QuotaSpec, TreeSpec};
use quotree_sim::import::{self, TraceFormat, TraceOptions, TraceRows};
use std::collections::BTreeMap;

const GPU: &str = "nvidia.com/gpu";
const GPUS_PER_NODE: i64 = 8;

pub(super) fn scenario(args: &Args, terminal: Terminal) -> Result<String, Trouble> {
    let file = Named::read(&args.file, args)?;
    let read = import::rows(TraceFormat::Philly, &file.bytes, &TraceOptions::default());
    some_rows(&file, &read)?;
    let notes = file.note(read.rows.len(), "jobs", &read.problems, terminal);
    let largest = read.rows.iter().filter_map(|row| row.template.request.get(GPU)).max().unwrap_or(0) / 1000;
    let skip = if read.problems.is_empty() { "" } else { ", bad_rows: Skip" };
    let draft = match &args.tree {
        None => {
            let gpus = i64::from(args.gpus.ok_or_else(|| Trouble::invalid("--gpus N or --tree FILE is needed"))?);
            if gpus < largest {
                terminal.complain(&format!(
                    "warning: the largest job asks {largest} GPUs, the pool has {gpus}: it blocks the rest"
                ));
            }
            let trace =
                format!("Trace(name: \"philly\", format: Philly, file: {:?}, namespace: \"philly\"{skip})", file.name);
            pooled(gpus, trace)
        }
        Some(sizes) => {
            let sizes = vc_sizes(&files::text(sizes)?, &sizes.to_string_lossy())?;
            let trace = format!("Trace(name: \"philly\", format: Philly, file: {:?}{skip})", file.name);
            by_cluster(args, &read, &sizes, trace)?
        }
    };
    Ok(draft.text(&notes))
}

fn gpus(count: i64) -> Amounts {
    Amounts::new().with(GPU, count.saturating_mul(1000))
}

fn pool(count: i64) -> Vec<String> {
    vec![format!("Pool({{ \"{GPU}\": \"{count}\" }})")]
}

/// Everybody in one line: strict order of arrival, nobody is evicted.
fn pooled(count: i64, trace: String) -> Draft {
    let mut root = QuotaSpec::new("philly", None).min(gpus(count)).max(gpus(count)).namespace("philly");
    root.queueing = Queueing::Block;
    Draft {
        name: "philly-fifo",
        about: format!("All Philly jobs in one strict queue on {count} GPUs."),
        policy: Some("Capacity(order: Fifo, preemption: None)"),
        cluster: pool(count),
        tree: [root].into_iter().collect(),
        workloads: vec![trace],
    }
}

/// Each virtual cluster is a leaf: its nodes are its min, twice that its max.
fn by_cluster(args: &Args, read: &TraceRows, sizes: &BTreeMap<String, i64>, trace: String) -> Result<Draft, Trouble> {
    let total: i64 = sizes.values().fold(0, |sum, nodes| sum.saturating_add(nodes.saturating_mul(GPUS_PER_NODE)));
    let cluster = args.gpus.map_or(total, i64::from);
    if cluster < total {
        return Err(Trouble::invalid(format!("--gpus {cluster}: the virtual clusters are promised {total}")));
    }
    let mut leaves: BTreeMap<&str, i64> = sizes.iter().map(|(vc, nodes)| (vc.as_str(), *nodes)).collect();
    for row in &read.rows {
        leaves.entry(row.namespace.as_str()).or_default();
    }
    let leaf = |(vc, nodes): (&str, i64)| {
        let min = nodes.saturating_mul(GPUS_PER_NODE);
        let max = match min {
            min if args.no_borrowing => min,
            0 => cluster,
            min => min.saturating_mul(2).min(cluster),
        };
        QuotaSpec::new(&format!("vc-{vc}"), Some("philly")).min(gpus(min)).max(gpus(max)).namespace(vc)
    };
    let root = QuotaSpec::new("philly", None).min(gpus(cluster)).max(gpus(cluster));
    let tree: TreeSpec = std::iter::once(root).chain(leaves.into_iter().map(leaf)).collect();
    let borrowing = if args.no_borrowing { "none may borrow" } else { "each may borrow as much again" };
    Ok(Draft {
        name: if args.no_borrowing { "philly-vc-no-borrowing" } else { "philly-vc" },
        about: format!("Philly jobs on {cluster} GPUs, the virtual clusters as leaves; {borrowing}."),
        policy: None,
        cluster: pool(cluster),
        tree,
        workloads: vec![trace],
    })
}

/// Nodes by virtual cluster, out of `vc,node num`.
fn vc_sizes(text: &str, path: &str) -> Result<BTreeMap<String, i64>, Trouble> {
    let mut sizes = BTreeMap::new();
    let mut problems = Vec::new();
    for (line, row) in (1..).zip(text.lines()).skip(1).filter(|(_, row)| !row.trim().is_empty()) {
        let cells = row.split_once(',').and_then(|(vc, nodes)| {
            let nodes: i64 = nodes.trim().parse().ok().filter(|nodes| (0..=1_000_000).contains(nodes))?;
            (!vc.trim().is_empty()).then_some((vc.trim().to_owned(), nodes))
        });
        match cells {
            Some((vc, _)) if sizes.contains_key(&vc) => problems.push(format!("line {line}: `{vc}` a second time")),
            Some((vc, nodes)) => drop(sizes.insert(vc, nodes)),
            None => problems.push(format!("line {line}: `{row}`: a name and a count of nodes were expected")),
        }
    }
    if problems.is_empty() && !sizes.is_empty() {
        return Ok(sizes);
    }
    if problems.is_empty() {
        problems.push("it has no rows".to_owned());
    }
    Err(Trouble::invalid(format!("`{path}`: {}", problems.join("\n  "))))
}
