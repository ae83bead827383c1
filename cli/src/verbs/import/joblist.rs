//! Job lists (Philly, Helios, Acme, Muri) as scenarios: one pool in strict order of arrival, leaf quotas by demand, or the
//! virtual clusters as leaf quotas with sizes from a file.

use super::{Named, daily, demand, draft::Draft, listed, some_rows};
use crate::{args::Import as Args, exit::Trouble, files, terminal::Terminal};
use quotree_core::{Amounts, Queueing, QuotaSpec, TreeSpec};
use quotree_reports::many;
use quotree_sim::import::{self, RowProblem, TraceFormat, TraceOptions, TraceRows};
use std::collections::BTreeMap;

const GPU: &str = "nvidia.com/gpu";
const GPUS_PER_NODE: i64 = 8;

pub(super) fn scenario(format: TraceFormat, args: &Args, terminal: Terminal) -> Result<String, Trouble> {
    let name = format!("{format:?}").to_lowercase();
    let file = Named::read(&args.file, args)?;
    let read = import::rows(format, &file.bytes, &TraceOptions::default());
    some_rows(&file, &read, args)?;
    let mut notes = file.note(read.rows.len(), "jobs", &read.problems, terminal);
    let skip = if read.problems.is_empty() { "" } else { ", bad_rows: Skip" };
    let trace = |more: &str| format!("Trace(name: {name:?}, format: {format:?}, file: {:?}{more}{skip})", file.name);
    let mut draft = match &args.tree {
        None => {
            let gpus = pool_size(&name, args, &read, terminal)?;
            if args.by_demand {
                let tree = demand::tree(&name, &read.rows, &self::gpus(gpus), args.no_borrowing);
                let about = format!(
                    "{format:?} jobs on {gpus} GPUs; one leaf quota per namespace, with a min in proportion to its demand."
                );
                draft(name.clone(), about, gpus, tree, trace(""))
            } else {
                pooled(&name, format, gpus, trace(&format!(", namespace: {name:?}")))
            }
        }
        Some(sizes) => {
            let text = files::text(sizes)?;
            if text.starts_with("date,") {
                let start = read.start.ok_or_else(|| {
                    Trouble::invalid("the jobs have no dates, so the quotas by day cannot be assigned to them")
                })?;
                let (draft, note) = daily::by_day(&name, &read.rows, start, args, terminal)?;
                notes.push_str(&note);
                draft
            } else {
                let sizes = vc_sizes(&text, &sizes.to_string_lossy())?;
                by_cluster(&name, format, args, &read, &sizes)?
            }
        }
    };
    if draft.workloads.is_empty() {
        draft.workloads.push(trace(""));
    }
    Ok(draft.text(&notes))
}

/// The value of `--gpus`, with a warning if the largest job requests more.
fn pool_size(name: &str, args: &Args, read: &TraceRows, terminal: Terminal) -> Result<i64, Trouble> {
    let asked = |row: &quotree_sim::model::TraceRow| {
        Some(row.template.request.get(GPU)?.saturating_mul(i64::from(row.pods)) / 1000)
    };
    let largest = read.rows.iter().filter_map(asked).max().unwrap_or(0);
    let gpus = i64::from(
        args.gpus.ok_or_else(|| Trouble::invalid(format!("`import {name}` needs `--gpus N` or `--tree FILE`")))?,
    );
    if gpus < largest {
        terminal.complain(&format!(
            "warning: the largest job requests {largest} GPUs, more than the {gpus} of the cluster: it never starts and blocks the jobs behind it"
        ));
    }
    Ok(gpus)
}

fn draft(name: String, about: String, gpus: i64, tree: TreeSpec, trace: String) -> Draft {
    let cluster = pool(gpus);
    Draft { name, about, cluster, tree, workloads: vec![trace], ..Draft::default() }
}

pub(super) fn gpus(count: i64) -> Amounts {
    Amounts::new().with(GPU, count.saturating_mul(1000))
}

pub(super) fn pool(count: i64) -> Vec<String> {
    vec![format!("Pool({{ \"{GPU}\": \"{count}\" }})")]
}

/// One queue in strict order of arrival, without preemption.
fn pooled(name: &str, format: TraceFormat, count: i64, trace: String) -> Draft {
    let mut root = QuotaSpec::new(name, None).min(gpus(count)).max(gpus(count)).namespace(name);
    root.queueing = Queueing::Block;
    let about = format!("All {format:?} jobs in one strict queue on {count} GPUs.");
    let policy = Some("Capacity(order: Fifo, preemption: None)".to_owned());
    Draft { policy, ..draft(format!("{name}-fifo"), about, count, [root].into_iter().collect(), trace) }
}

/// Each virtual cluster is a leaf quota: its nodes are its min, twice that is its max.
fn by_cluster(
    name: &str,
    format: TraceFormat,
    args: &Args,
    read: &TraceRows,
    sizes: &BTreeMap<String, i64>,
) -> Result<Draft, Trouble> {
    let total: i64 = sizes.values().fold(0, |sum, nodes| sum.saturating_add(nodes.saturating_mul(GPUS_PER_NODE)));
    let cluster = args.gpus.map_or(total, i64::from);
    if cluster < total {
        return Err(Trouble::invalid(format!(
            "--gpus {cluster} is less than the {total} GPUs that are guaranteed to the virtual clusters"
        )));
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
        QuotaSpec::new(&format!("vc-{vc}"), Some(name)).min(gpus(min)).max(gpus(max)).namespace(vc)
    };
    let root = QuotaSpec::new(name, None).min(gpus(cluster)).max(gpus(cluster));
    let tree: TreeSpec = std::iter::once(root).chain(leaves.into_iter().map(leaf)).collect();
    let borrowing = if args.no_borrowing { "none may borrow" } else { "each may borrow as much as its min" };
    let strict = if args.no_borrowing { "-no-borrowing" } else { "" };
    let about = format!("{format:?} jobs on {cluster} GPUs, with the virtual clusters as leaf quotas; {borrowing}.");
    let workloads = Vec::new();
    Ok(Draft { workloads, ..draft(format!("{name}-vc{strict}"), about, cluster, tree, String::new()) })
}

/// The number of nodes of each virtual cluster, from `vc,node num`.
fn vc_sizes(text: &str, path: &str) -> Result<BTreeMap<String, i64>, Trouble> {
    let mut sizes = BTreeMap::new();
    let mut problems = Vec::new();
    for (line, row) in (1..).zip(text.lines()).skip(1).filter(|(_, row)| !row.trim().is_empty()) {
        let cells = row.split_once(',').and_then(|(vc, nodes)| {
            let nodes: i64 = nodes.trim().parse().ok().filter(|nodes| (0..=1_000_000).contains(nodes))?;
            (!vc.trim().is_empty()).then_some((vc.trim().to_owned(), nodes))
        });
        match cells {
            Some((vc, _)) if sizes.contains_key(&vc) => {
                problems.push(RowProblem { line, what: format!("duplicate virtual cluster `{vc}`") });
            }
            Some((vc, nodes)) => drop(sizes.insert(vc, nodes)),
            None => {
                let what = format!("expected a name and a number of nodes (`vc,node num`), found `{row}`");
                problems.push(RowProblem { line, what });
            }
        }
    }
    if problems.is_empty() && !sizes.is_empty() {
        return Ok(sizes);
    }
    if problems.is_empty() {
        return Err(Trouble::invalid(format!("`{path}` has no rows; expected columns `vc,node num`")));
    }
    let rows = many(problems.len() as u64, "invalid row");
    Err(Trouble::invalid(format!("`{path}` has {rows}{}", listed(&problems))))
}
