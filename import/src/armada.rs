//! Armada's simulator files: a cluster specification (node templates in clusters) and a workload specification (queues
//! with weights, which contain job templates). Run times are a fixed part plus an exponential tail. They are drawn here
//! from one random stream for each template, keyed by the seed of the file, so the same file always gives the same
//! rows.

use super::{
    NodeRow, NodeRows, Outline, Templates, TraceOptions, TraceRows,
    document::{Documents, Place, Taken},
};
use crate::MAX_MS;
use quotree_core::{Amounts, PodTemplate, QuotaSpec, Time};
use quotree_model::TraceRow;
use quotree_model::parse_duration;
use quotree_model::random::Stream;
use std::{collections::BTreeSet, sync::Arc};

/// The largest count in a file.
const MOST: u64 = 1_000_000_000;

/// Every job of every template.
pub(super) fn rows(bytes: &[u8], options: &TraceOptions) -> TraceRows {
    let mut out = TraceRows::default();
    let documents = match Documents::read(bytes) {
        Ok(documents) => documents,
        Err(problems) => return TraceRows { problems, ..out },
    };
    let place = documents.first();
    let mut templates = Templates::default();
    let (queues, seed) = match (place.get("queues").items(), place.get("randomSeed").count(0, u64::MAX)) {
        (Ok(queues), Ok(seed)) => (queues, seed),
        (queues, seed) => {
            out.problems.extend(queues.err().into_iter().chain(seed.err()));
            return out;
        }
    };
    if queues.is_empty() {
        out.problems.push(place.get("queues").refuse("expected at least one queue"));
    }
    for queue in &queues {
        let named = queue.get("name").name().and_then(|name| Ok((name, queue.get("jobTemplates").items()?)));
        let (name, jobs) = match named {
            Ok(named) => named,
            Err(problem) => {
                out.problems.push(problem);
                continue;
            }
        };
        for (i, place) in jobs.iter().enumerate() {
            let stream = Stream::new(seed, &format!("armada/{name}/{i}"));
            if let Err(problem) = jobs_of((name, i), place, stream, options, &mut templates, &mut out.rows) {
                out.problems.push(problem);
            }
        }
    }
    out
}

fn jobs_of(
    (queue, number): (&str, usize),
    place: &Place<'_>,
    mut stream: Stream,
    options: &TraceOptions,
    templates: &mut Templates,
    rows: &mut Vec<TraceRow>,
) -> Taken<()> {
    if !place.get("dependencies").items()?.is_empty() {
        return Err(place.refuse("job templates with dependencies are not supported"));
    }
    let count = place.get("number").count(0, MOST)?;
    let gang = place.get("gangCardinality").count(1, 1_000_000)?.max(1);
    let repeat = place.get("repeat");
    let (times, period) = (repeat.get("numTimes").count(1, MOST)?.max(1), duration(&repeat.get("period"))?);
    if count % gang != 0 {
        return Err(place.refuse(format!("{count} jobs do not divide into gangs of {gang}")));
    }
    let total = (count / gang).saturating_mul(times).saturating_add(rows.len() as u64);
    if total > options.max_rows as u64 {
        return Err(place.refuse(format!("at most {} jobs are supported", options.max_rows)));
    }
    let first = duration(&place.get("earliestSubmitTime"))?;
    let runtime = place.get("runtimeDistribution");
    let (least, tail) = (duration(&runtime.get("minimum"))?, duration(&runtime.get("tailMean"))?);
    let needs = place.get("requirements").get("resourceRequirements");
    let template = templates.share(PodTemplate { request: needs.get("requests").amounts()?, ..PodTemplate::default() });
    // In Armada low priority numbers go first, and 0 is the default.
    let behind = place.get("queuePriority").count(0, 1_000_000_000)?;
    let behind = i32::try_from(behind).ok().filter(|behind| *behind > 0);
    let priority = behind.map(|behind| options.priority.saturating_sub(behind));
    let namespace = options.namespace.clone().unwrap_or_else(|| format!("{}{queue}", options.prefix).into());
    let id =
        place.get("id").text()?.filter(|id| !id.is_empty()).map_or_else(|| format!("{queue}-{number}"), str::to_owned);
    for turn in (0..times).take_while(|_| count > 0) {
        let submit = first.saturating_add(period.saturating_mul(turn)).min(MAX_MS);
        for job in 0..count / gang {
            let drawn = if tail > 0 { stream.exponential(tail) } else { 0 };
            let name = if times > 1 { format!("{id}-{turn}-{job}") } else { format!("{id}-{job}") };
            let runtime_ms = least.saturating_add(drawn).min(MAX_MS);
            let row = options.row(name, Time(submit), runtime_ms, namespace.clone(), Arc::clone(&template));
            rows.push(TraceRow { priority, pods: u32::try_from(gang).unwrap_or(1), ..row });
        }
    }
    Ok(())
}

fn duration(place: &Place<'_>) -> Taken<u64> {
    let Some(text) = place.text()? else { return Ok(0) };
    parse_duration(text).map_err(|why| place.refuse(format!("`{text}` is not a duration: {why}")))
}

/// The nodes of all clusters: directly under `clusters`, or under pools and groups of clusters, as older files have them.
pub(super) fn nodes(bytes: &[u8], options: &TraceOptions) -> NodeRows {
    let mut out = NodeRows::default();
    let documents = match Documents::read(bytes) {
        Ok(documents) => documents,
        Err(problems) => return NodeRows { problems, ..out },
    };
    let clusters = match clusters(&documents.first()) {
        Ok(clusters) => clusters,
        Err(problem) => return NodeRows { problems: vec![problem], ..out },
    };
    if clusters.is_empty() {
        out.problems.push(documents.first().get("clusters").refuse("expected at least one cluster"));
    }
    let mut names = BTreeSet::new();
    for (pool, cluster) in &clusters {
        let read = cluster.get("name").name().and_then(|name| {
            let pool = cluster.get("pool").text()?.or(*pool);
            let fresh = names.insert(name);
            if !fresh {
                return Err(cluster.refuse(format!("duplicate cluster `{name}`")));
            }
            Ok((name, pool, cluster.get("nodeTemplates").items()?))
        });
        let (name, pool, templates) = match read {
            Ok(read) => read,
            Err(problem) => {
                out.problems.push(problem);
                continue;
            }
        };
        for (kind, place) in templates.iter().enumerate() {
            match nodes_of((name, pool, kind), place, options, out.rows.len()) {
                Ok(nodes) => out.rows.extend(nodes),
                Err(problem) => out.problems.push(problem),
            }
        }
    }
    out
}

/// The clusters, each with the name of the pool that it belongs to.
fn clusters<'d>(place: &Place<'d>) -> Taken<Vec<(Option<&'d str>, Place<'d>)>> {
    let mut clusters: Vec<_> = place.get("clusters").items()?.into_iter().map(|cluster| (None, cluster)).collect();
    for pool in place.get("pools").items()? {
        let name = pool.get("name").text()?;
        for group in pool.get("clusterGroups").items()? {
            clusters.extend(group.get("clusters").items()?.into_iter().map(|cluster| (name, cluster)));
        }
    }
    Ok(clusters)
}

fn nodes_of(
    (cluster, pool, kind): (&str, Option<&str>, usize),
    place: &Place<'_>,
    options: &TraceOptions,
    before: usize,
) -> Taken<Vec<NodeRow>> {
    let count = place.get("number").count(0, MOST)?;
    if count.saturating_add(before as u64) > options.max_rows as u64 {
        return Err(place.refuse(format!("at most {} nodes are supported", options.max_rows)));
    }
    let mut node =
        NodeRow { allocatable: place.get("totalResources").get("resources").amounts()?, ..NodeRow::default() };
    node.split_gpus(&options.resource);
    for (label, value) in place.get("labels").entries()? {
        node.labels.push((label.into(), value.text()?.unwrap_or_default().into()));
    }
    node.labels.push(("cluster".into(), cluster.into()));
    node.labels.extend(pool.map(|pool| ("pool".into(), pool.into())));
    for taint in place.get("taints").items()? {
        let taint = super::kubernetes::taint(&taint)?;
        node.taints.extend(taint.repels().then(|| taint.text()));
    }
    Ok((0..count).map(|i| NodeRow { name: format!("{cluster}-{kind}-{i}"), ..node.clone() }).collect())
}

/// The queues as leaves with weights below one root of this size, shared as in Armada: by weight, without guarantees.
pub(super) fn outline(bytes: &[u8], options: &TraceOptions, total: &Amounts) -> Outline {
    let documents = match Documents::read(bytes) {
        Ok(documents) => documents,
        Err(problems) => return Outline { problems, ..Outline::default() },
    };
    let place = documents.first();
    let mut out =
        Outline { policy: Some("Capacity(order: Share, reclaim: FairShare)".to_owned()), ..Outline::default() };
    let queues = place.get("queues").items().map_err(|problem| out.problems.push(problem)).unwrap_or_default();
    let read = |place: &Place<'_>| -> Taken<(String, i64)> {
        Ok((place.get("name").name()?.to_owned(), place.get("weight").amount("weight")?.unwrap_or(1000)))
    };
    let mut leaves = Vec::new();
    for place in &queues {
        match read(place) {
            Ok(leaf) => leaves.push(leaf),
            Err(problem) => out.problems.push(problem),
        }
    }
    let whole = leaves.iter().all(|(_, weight)| weight % 1000 == 0);
    let leaf = |(name, weight): &(String, i64)| {
        let mut spec = QuotaSpec::new(name, Some("armada")).namespace(&format!("{}{name}", options.prefix));
        spec.weight = u64::try_from(if whole { weight / 1000 } else { *weight }).ok();
        spec
    };
    let root = QuotaSpec::new("armada", None).min(total.clone()).max(total.clone());
    out.tree = std::iter::once(root).chain(leaves.iter().map(leaf)).collect();
    out.notes.extend(classes(&queues));
    out
}

/// Notes about settings that only the configuration of Armada's scheduler contains.
fn classes(queues: &[Place<'_>]) -> Option<String> {
    let jobs = queues.iter().filter_map(|queue| queue.get("jobTemplates").items().ok()).flatten();
    let names: BTreeSet<String> =
        jobs.filter_map(|job| job.get("priorityClassName").text().ok()?.map(str::to_owned)).collect();
    let names: Vec<String> = names.into_iter().collect();
    (!names.is_empty())
        .then(|| format!("priority classes {}: set `preemptible` as in the configuration of Armada", names.join(", ")))
}
