//! Configurations of Kueue's performance generator: sets of cohorts contain sets of queues, which contain sets of
//! workloads that are created one after the other. A queue becomes a leaf with its nominal quota as min, and min plus
//! borrowing limit as max. A cohort lends only among its queues. Topology levels become nodes; topology requests of
//! workloads are ignored.

use super::{
    NodeRow, NodeRows, Outline, RowProblem, Templates, TraceOptions, TraceRows,
    document::{Documents, Place, Taken},
};
use crate::MAX_MS;
use indexmap::IndexMap;
use quotree_core::{Amounts, Name, PodTemplate, QuotaSpec, Time};
use quotree_model::TraceRow;
use std::{collections::BTreeSet, sync::Arc};

/// The most queues; more are an error of their set.
const MOST_QUEUES: u64 = 100_000;

/// The largest count in a configuration.
const MOST: u64 = 1_000_000_000;

/// Equal queues in equal cohorts.
struct Queues {
    cohort: String,
    cohorts: u64,
    class: String,
    /// The index of the set in its cohort.
    set: usize,
    count: u64,
    nominal: Amounts,
    borrow: Amounts,
    /// The values of `reclaimWithinCohort` and `withinClusterQueue`.
    preemption: [String; 2],
    works: Vec<Works>,
}

/// Workloads that are created one after the other.
struct Works {
    count: u64,
    interval_ms: u64,
    /// The workloads, in the order of the file; `None` for one with a problem.
    shapes: Vec<Option<Shape>>,
}

struct Shape {
    class: String,
    runtime_ms: u64,
    priority: Option<i32>,
    pods: u32,
    template: Arc<PodTemplate>,
}

impl Queues {
    /// The names of all cohorts.
    fn cohorts(&self) -> impl Iterator<Item = String> + '_ {
        (0..self.cohorts).map(|c| format!("{}-{c}", self.cohort))
    }

    /// The names of the queues of one cohort.
    fn queues_of(&self, cohort: &str) -> impl Iterator<Item = String> {
        (0..self.count).map(move |q| format!("{}-{}-{q}-{cohort}", self.class, self.set))
    }

    /// How many workloads all queues together get.
    fn workloads(&self) -> u64 {
        let each =
            self.works.iter().map(|works| works.count.saturating_mul(works.shapes.iter().flatten().count() as u64));
        let each = each.fold(0, u64::saturating_add);
        each.saturating_mul(self.cohorts).saturating_mul(self.count)
    }
}

/// All sets of queues, and their problems.
fn queues(place: &Place<'_>, options: &TraceOptions) -> (Vec<Queues>, Vec<RowProblem>) {
    let (mut sets, mut problems, mut templates) = (Vec::new(), Vec::new(), Templates::default());
    let cohorts = place.get("cohorts").items().unwrap_or_else(|problem| {
        problems.push(problem);
        Vec::new()
    });
    if cohorts.is_empty() && problems.is_empty() {
        problems.push(place.get("cohorts").refuse("expected at least one cohort"));
    }
    let mut total: u64 = 0;
    for cohort in &cohorts {
        let inner = cohort.get("queuesSets").items().unwrap_or_else(|problem| {
            problems.push(problem);
            Vec::new()
        });
        for (set, place) in inner.iter().enumerate() {
            match queue_set(cohort, set, place, options, &mut templates, &mut problems) {
                Ok(read) => {
                    let count = read.cohorts.saturating_mul(read.count.max(1));
                    total = total.saturating_add(count);
                    if total > MOST_QUEUES {
                        problems
                            .push(place.refuse(format!("{count} more queues; at most {MOST_QUEUES} are supported")));
                        return (sets, problems);
                    }
                    sets.push(read);
                }
                Err(problem) => problems.push(problem),
            }
        }
    }
    (sets, problems)
}

fn queue_set(
    cohort: &Place<'_>,
    set: usize,
    place: &Place<'_>,
    options: &TraceOptions,
    templates: &mut Templates,
    problems: &mut Vec<RowProblem>,
) -> Taken<Queues> {
    let quota = |cpu: &str, devices: &str| -> Taken<Amounts> {
        let cpu = place.get(cpu).amount("cpu")?.map(|amount| ("cpu".into(), amount));
        let devices = place.get(devices).amount(options.resource.as_str())?.map(|n| (options.resource.clone(), n));
        Ok(cpu.into_iter().chain(devices).collect())
    };
    let word = |key: &str| place.get(key).text().map(|text| text.unwrap_or("Never").to_owned());
    let mut read = Queues {
        cohort: cohort.get("className").name()?.to_owned(),
        cohorts: cohort.get("count").count(0, MOST)?,
        class: place.get("className").name()?.to_owned(),
        set,
        count: place.get("count").count(0, MOST)?,
        nominal: quota("nominalQuota", "deviceNominalQuota")?,
        borrow: quota("borrowingLimit", "deviceBorrowingLimit")?,
        preemption: [word("reclaimWithinCohort")?, word("withinClusterQueue")?],
        works: Vec::new(),
    };
    if !place.get("nominalQuota").is_there() {
        return Err(place.refuse("no `nominalQuota`"));
    }
    for works in place.get("workloadsSets").items()? {
        let mut shapes = Vec::new();
        for shape in works.get("workloads").items()? {
            let read = self::shape(&shape, options, templates);
            shapes.push(read.map_err(|problem| problems.push(problem)).ok());
        }
        let count = works.get("count").count(0, MOST)?;
        read.works.push(Works { count, interval_ms: works.get("creationIntervalMs").count(0, MOST)?, shapes });
    }
    Ok(read)
}

fn shape(place: &Place<'_>, options: &TraceOptions, templates: &mut Templates) -> Taken<Shape> {
    let cpu = place.get("request").amount("cpu")?.ok_or_else(|| place.refuse("missing `request`"))?;
    let mut request: Amounts = [("cpu", cpu)].into_iter().filter(|(_, amount)| *amount > 0).collect();
    if let Some(devices) = place.get("devices").amount(options.resource.as_str())?.filter(|devices| *devices > 0) {
        request.set(options.resource.clone(), devices);
    }
    Ok(Shape {
        class: place.get("className").name()?.to_owned(),
        runtime_ms: place.get("runtimeMs").count(0, MAX_MS)?,
        priority: place.get("priority").priority()?,
        pods: u32::try_from(place.get("podCount").count(1, 1_000_000)?.max(1)).unwrap_or(1),
        template: templates.share(PodTemplate { request, ..PodTemplate::default() }),
    })
}

/// Every workload that the generator creates: the first of a set after one interval, each later one after another.
pub(super) fn rows(bytes: &[u8], options: &TraceOptions) -> TraceRows {
    let documents = match Documents::read(bytes) {
        Ok(documents) => documents,
        Err(problems) => return TraceRows { problems, ..TraceRows::default() },
    };
    let (sets, mut problems) = queues(&documents.first(), options);
    let total = sets.iter().fold(0, |sum: u64, set| sum.saturating_add(set.workloads()));
    if total > options.max_rows as u64 {
        problems.push(RowProblem {
            line: 0,
            what: format!("{total} workloads; at most {} are supported", options.max_rows),
        });
        return TraceRows { problems, ..TraceRows::default() };
    }
    let mut rows = Vec::new();
    for set in &sets {
        for queue in set.cohorts().flat_map(|cohort| set.queues_of(&cohort).collect::<Vec<_>>()) {
            let namespace = options.namespace.clone().unwrap_or_else(|| format!("{}{queue}", options.prefix).into());
            for (w, works) in set.works.iter().enumerate() {
                let numbered = works.shapes.iter().enumerate().filter_map(|(i, shape)| Some((i, shape.as_ref()?)));
                let numbered: Vec<_> = numbered.collect();
                for turn in (0..works.count).take_while(|_| !numbered.is_empty()) {
                    for (i, shape) in &numbered {
                        let before = turn.saturating_mul(works.shapes.len() as u64).saturating_add(*i as u64);
                        let submit = before.saturating_add(1).saturating_mul(works.interval_ms).min(MAX_MS);
                        let name = format!("{queue}/{}-{w}-{turn}-{i}", shape.class);
                        let (ms, template) = (shape.runtime_ms, Arc::clone(&shape.template));
                        let row = options.row(name, Time(submit), ms, namespace.clone(), template);
                        rows.push(TraceRow { priority: shape.priority, pods: shape.pods, ..row });
                    }
                }
            }
        }
    }
    TraceRows { rows, problems, ..TraceRows::default() }
}

/// The nodes of the topology, if there is one.
pub(super) fn nodes(bytes: &[u8], options: &TraceOptions) -> NodeRows {
    let read = Documents::read(bytes)
        .and_then(|documents| topology(&documents.first(), options).map_err(|problem| vec![problem]));
    match read {
        Ok(rows) => NodeRows { rows, problems: Vec::new() },
        Err(problems) => NodeRows { rows: Vec::new(), problems },
    }
}

fn topology(place: &Place<'_>, options: &TraceOptions) -> Taken<Vec<NodeRow>> {
    let levels = place.get("topology").get("levels").items()?;
    let Some(last) = levels.last() else { return Ok(Vec::new()) };
    let mut node = NodeRow { allocatable: last.get("capacity").amounts()?, ..NodeRow::default() };
    let devices = place.get("dra").get("devicesPerNode").count(0, 64)?;
    node.add_gpus(&options.resource, u32::try_from(devices).unwrap_or(0));
    let mut nodes = vec![node];
    for level in &levels {
        let (name, count) = (level.get("name").name()?, level.get("count").count(1, MOST)?);
        let label = level.get("nodeLabel").text()?;
        if count.saturating_mul(nodes.len() as u64) > options.max_rows as u64 {
            return Err(level.refuse(format!("at most {} nodes are supported", options.max_rows)));
        }
        let below = |node: NodeRow| {
            (0..count).map(move |i| {
                let mut node = node.clone();
                node.name = if node.name.is_empty() { i.to_string() } else { format!("{}-{i}", node.name) };
                let value = format!("{name}-{}", node.name);
                node.labels.extend(label.map(|label| (label.into(), value.as_str().into())));
                node
            })
        };
        nodes = nodes.into_iter().flat_map(below).collect();
    }
    nodes.iter_mut().for_each(|node| node.name = format!("node-{}", node.name));
    Ok(nodes)
}

/// Cohorts and their queues as a tree, and the most similar policy.
pub(super) fn outline(bytes: &[u8], options: &TraceOptions) -> Outline {
    let documents = match Documents::read(bytes) {
        Ok(documents) => documents,
        Err(problems) => return Outline { problems, ..Outline::default() },
    };
    let (sets, problems) = queues(&documents.first(), options);
    let mut cohorts: IndexMap<String, (Amounts, Vec<&Queues>)> = IndexMap::new();
    for (set, cohort) in sets.iter().flat_map(|set| set.cohorts().map(move |cohort| (set, cohort))) {
        let count = i64::try_from(set.count).unwrap_or(i64::MAX);
        let all: Amounts = set.nominal.iter().map(|(name, n)| (name.clone(), n.saturating_mul(count))).collect();
        let (sum, inside) = cohorts.entry(cohort).or_default();
        super::add(sum, &all);
        inside.push(set);
    }
    let mut total = Amounts::new();
    cohorts.values().for_each(|(sum, _)| super::add(&mut total, sum));
    let mut tree = vec![QuotaSpec::new("kueue", None).min(total.clone()).max(total)];
    for (cohort, (sum, inside)) in &cohorts {
        tree.push(QuotaSpec::new(cohort, Some("kueue")).min(sum.clone()).max(sum.clone()));
        for set in inside {
            // Nothing above the capacity of the cohort can be borrowed.
            let ceiling = |(name, amount): (&Name, i64)| {
                let borrow = set.borrow.get(name.as_str()).map_or(i64::MAX, |borrow| amount.saturating_add(borrow));
                (name.clone(), borrow.min(sum.get(name.as_str()).unwrap_or(amount)))
            };
            let max: Amounts = set.nominal.iter().map(ceiling).collect();
            for queue in set.queues_of(cohort) {
                let namespace = format!("{}{queue}", options.prefix);
                tree.push(
                    QuotaSpec::new(&queue, Some(cohort))
                        .min(set.nominal.clone())
                        .max(max.clone())
                        .namespace(&namespace),
                );
            }
        }
    }
    let words: BTreeSet<&[String; 2]> = sets.iter().map(|set| &set.preemption).collect();
    let mut notes = Vec::new();
    if words.len() > 1 {
        notes.push("the queues have different preemption settings; the policy is that of the first queue".to_owned());
    }
    let policy = sets.first().and_then(|set| policy(&set.preemption, &mut notes));
    Outline { tree: tree.into_iter().collect(), policy, notes, problems, ..Outline::default() }
}

fn policy([reclaim, within]: &[String; 2], notes: &mut Vec<String>) -> Option<String> {
    if reclaim == "LowerPriority" {
        notes.push("reclaimWithinCohort: LowerPriority is treated as Any".to_owned());
    }
    let knobs = knobs([reclaim, within]);
    (!knobs.is_empty()).then(|| format!("Capacity({})", knobs.join(", ")))
}

/// The policy settings that are nearest to `reclaimWithinCohort` and `withinClusterQueue`.
pub(crate) fn knobs([reclaim, within]: [&str; 2]) -> Vec<String> {
    let reclaim = matches!(reclaim, "Never" | "").then_some("reclaim: Off");
    let within = match within {
        "Never" | "" => Some("within: Never"),
        "LowerOrNewerEqualPriority" => Some("within: LowerOrNewerEqual"),
        _ => None,
    };
    reclaim.into_iter().chain(within).map(str::to_owned).collect()
}
