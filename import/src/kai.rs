//! Configurations of KAI's time-aware simulator: nodes with GPUs, a tree of queues, and jobs for some of the queues.
//! All jobs are submitted at the start and never end. Absent fields get the defaults of that simulator.

use super::{
    NodeRow, NodeRows, Outline, RowProblem, Templates, TraceOptions, TraceRows,
    document::{Documents, Place, Taken},
};
use crate::MAX_MS;
use quotree_core::{Amounts, Name, PodTemplate, QuotaSpec, Time};
use quotree_model::TraceRow;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// The largest count in a configuration.
const MOST: u64 = 1_000_000_000;

/// One cycle of that simulator.
const CYCLE_MS: u64 = 10;

/// The name of the quota above all queues without a parent.
const ROOT: &str = "kai";

/// The pods of every queue. Each pod is a workload of its own, since a group of that simulator needs only one member to
/// run.
pub(super) fn rows(bytes: &[u8], options: &TraceOptions) -> TraceRows {
    let mut out = TraceRows::default();
    let documents = match Documents::read(bytes) {
        Ok(documents) => documents,
        Err(problems) => return TraceRows { problems, ..out },
    };
    let jobs = match documents.first().get("Jobs").entries() {
        Ok(jobs) => jobs,
        Err(problem) => return TraceRows { problems: vec![problem], ..out },
    };
    let mut templates = Templates::default();
    for (queue, place) in jobs {
        if let Err(problem) = jobs_of(queue, &place, options, &mut templates, &mut out.rows) {
            out.problems.push(problem);
        }
    }
    out
}

fn jobs_of(
    queue: &str,
    place: &Place<'_>,
    options: &TraceOptions,
    templates: &mut Templates,
    rows: &mut Vec<TraceRow>,
) -> Taken<()> {
    let gpus = place.get("GPUs").amount(options.resource.as_str())?.unwrap_or(0);
    let (jobs, pods) = (place.get("NumJobs").count(0, MOST)?, place.get("NumPods").count(0, MOST)?);
    let total = jobs.saturating_mul(pods).saturating_add(rows.len() as u64);
    if total > options.max_rows as u64 {
        return Err(
            place.refuse(format!("{jobs} jobs of {pods} pods; at most {} pods are supported", options.max_rows))
        );
    }
    let request = [(options.resource.clone(), gpus)].into_iter().filter(|(_, amount)| *amount > 0).collect();
    let template = templates.share(PodTemplate { request, ..PodTemplate::default() });
    let namespace = options.namespace.clone().unwrap_or_else(|| format!("{}{queue}", options.prefix).into());
    for (job, pod) in (0..jobs).take_while(|_| pods > 0).flat_map(|job| (0..pods).map(move |pod| (job, pod))) {
        let name = if pods == 1 { format!("{queue}-{job}") } else { format!("{queue}-{job}-{pod}") };
        rows.push(options.row(name, Time(0), MAX_MS, namespace.clone(), Arc::clone(&template)));
    }
    Ok(())
}

/// The nodes: `Count` nodes of each kind.
pub(super) fn nodes(bytes: &[u8], options: &TraceOptions) -> NodeRows {
    let mut out = NodeRows::default();
    let kinds = Documents::read(bytes).map(|documents| {
        let kinds = documents.first().get("Nodes").items();
        let kinds = kinds.map_err(|problem| out.problems.push(problem)).unwrap_or_default();
        for (kind, place) in kinds.iter().enumerate() {
            match kind_of(kind, place, options, out.rows.len()) {
                Ok(nodes) => out.rows.extend(nodes),
                Err(problem) => out.problems.push(problem),
            }
        }
    });
    out.problems.extend(kinds.err().into_iter().flatten());
    out
}

fn kind_of(kind: usize, place: &Place<'_>, options: &TraceOptions, before: usize) -> Taken<Vec<NodeRow>> {
    let devices = u32::try_from(place.get("GPUs").count(0, 64)?).unwrap_or(0);
    let count = place.get("Count").count(1, MOST)?;
    if count.saturating_add(before as u64) > options.max_rows as u64 {
        return Err(place.refuse(format!("at most {} nodes are supported", options.max_rows)));
    }
    let mut node = NodeRow::default();
    node.add_gpus(&options.resource, devices);
    Ok((0..count).map(|i| NodeRow { name: format!("node-{kind}-{i}"), ..node.clone() }).collect())
}

/// One queue, with its valid fields.
struct Queue<'d> {
    name: &'d str,
    parent: &'d str,
    deserved: i64,
    /// Its weight, in thousandths.
    weight: i64,
    priority: i32,
}

/// The queues as a tree below one root that has all GPUs.
pub(super) fn outline(bytes: &[u8], options: &TraceOptions) -> Outline {
    let documents = match Documents::read(bytes) {
        Ok(documents) => documents,
        Err(problems) => return Outline { problems, ..Outline::default() },
    };
    let place = documents.first();
    let mut problems: Vec<RowProblem> = Vec::new();
    let places = place.get("Queues").items().map_err(|problem| problems.push(problem)).unwrap_or_default();
    let queues = places.iter().filter_map(|place| queue(place, options).map_err(|problem| problems.push(problem)).ok());
    let queues: Vec<Queue<'_>> = queues.collect();
    let cycles = place.get("Cycles").count(100, MOST).map_err(|problem| problems.push(problem)).unwrap_or(100);
    let mut total = Amounts::new();
    for node in nodes(bytes, options).rows {
        super::add(&mut total, &node.allocatable);
    }
    let mut notes = Vec::new();
    let promised = promised(&queues);
    let raised = queues.iter().filter(|queue| promised.get(queue.name).is_some_and(|sum| *sum > queue.deserved));
    notes.extend(
        raised
            .map(|queue| format!("`{}` deserves less than the sum of its queues, so its min is that sum", queue.name)),
    );
    let whole = queues.iter().all(|queue| queue.weight % 1000 == 0);
    let parents: BTreeSet<&str> = queues.iter().map(|queue| queue.parent).collect();
    let mut tree = vec![QuotaSpec::new(ROOT, None).min(total.clone()).max(total)];
    for queue in &queues {
        let parent = if queue.parent.is_empty() { ROOT } else { queue.parent };
        let mut spec = QuotaSpec::new(queue.name, Some(parent));
        let min = queue.deserved.max(promised.get(queue.name).copied().unwrap_or(0));
        if min > 0 {
            spec.min.set(options.resource.clone(), min);
        }
        spec.weight = u64::try_from(if whole { queue.weight / 1000 } else { queue.weight }).ok();
        spec.priority = queue.priority;
        if !parents.contains(queue.name) {
            spec.namespaces.push(Name::from(format!("{}{}", options.prefix, queue.name)));
        }
        tree.push(spec);
    }
    let policy = Some("Capacity(order: Share, reclaim: FairShare)".to_owned());
    let until_ms = Some(cycles.saturating_mul(CYCLE_MS));
    Outline { tree: tree.into_iter().collect(), policy, until_ms, notes, problems, ..Outline::default() }
}

fn queue<'d>(place: &Place<'d>, options: &TraceOptions) -> Taken<Queue<'d>> {
    Ok(Queue {
        name: place.get("Name").name()?,
        parent: place.get("Parent").text()?.unwrap_or_default(),
        deserved: place.get("DeservedGPUs").amount(options.resource.as_str())?.unwrap_or(0),
        weight: place.get("Weight").amount("weight")?.unwrap_or(1000),
        priority: place.get("Priority").priority()?.unwrap_or(100),
    })
}

/// For each queue, the sum of the `deserved` quotas of the queues below it.
fn promised<'d>(queues: &[Queue<'d>]) -> BTreeMap<&'d str, i64> {
    let mut sums: BTreeMap<&str, i64> = BTreeMap::new();
    // A child may come before its parent in the file; each pass carries the sums one level up.
    for _ in 0..queues.len().min(64) {
        let mut next: BTreeMap<&str, i64> = BTreeMap::new();
        for queue in queues {
            let own = queue.deserved.max(sums.get(queue.name).copied().unwrap_or(0));
            let sum = next.entry(queue.parent).or_default();
            *sum = sum.saturating_add(own);
        }
        if next == sums {
            break;
        }
        sums = next;
    }
    sums
}
