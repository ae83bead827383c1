//! `queues.yaml` of YuniKorn, alone or in its ConfigMap: partitions of queues, each named within its parent. A quota
//! has the whole path as its name. `guaranteed` is the min and `max` the max. The min of a parent without `guaranteed`
//! is the sum of its children's mins.

use super::{
    Draft, QuotaOptions,
    diagnostics::Diagnostics,
    field::{self, Field, becomes, holds, idle, lost, lost_unless},
    forest::{Forest, Root},
    object::File,
};
use crate::yaml::{Node, Value, find, map, scalar};
use quotree_core::{Amounts, QuotaSpec};
use quotree_syntax::{Source, Span};

const PROPERTIES: &[Field] = &[
    lost_unless(
        "application.sort.policy",
        &["fifo"],
        "jobs of the queue would be ordered by this; see the knob `order`",
    ),
    lost_unless("application.sort.priority", &["enabled"], "priorities would be ignored"),
    lost_unless("priority.policy", &["default"], "priorities would count in the queue only"),
    lost_unless("priority.offset", &["0"], "priorities of its jobs would be higher by this"),
    lost_unless(
        "preemption.policy",
        &["default"],
        "the queue would not preempt other queues, or not be preempted by them",
    ),
    lost("preemption.delay", "a job would wait for this time before it preempts"),
    lost("*", "quotree does not know this property"),
];

const LIMITS: &str = "each user or group would have a limit of its own";

const RESOURCES: Field = holds("resources", &[becomes("guaranteed", "`min`"), becomes("max", "`max`")]);

const QUEUE: &[Field] = &[
    becomes("name", "`name`, with the names of the parents before it"),
    idle("parent"),
    becomes("queues", "`children`"),
    becomes("maxapplications", "`max_jobs`"),
    RESOURCES,
    holds("properties", PROPERTIES),
    lost("adminacl", "only these users could administer the queue"),
    lost_unless("submitacl", &["*"], "only these users could submit; see `people` of scenarios"),
    lost("childtemplate", "queues that are created later would have these settings"),
    lost("limits", LIMITS),
];

const PARTITION: &[Field] = &[
    idle("name"),
    becomes("queues", "the tree"),
    lost("placementrules", "jobs would find their queue by these rules; here by their namespace"),
    lost("limits", LIMITS),
    lost("nodesortpolicy", "nodes would be chosen by this; see the knob `placement`"),
    holds("preemption", &[lost_unless("enabled", &["true"], "nothing would be preempted; see the knob `preemption`")]),
    idle("statedumpfilepath"),
];

pub(super) const FIELDS: &[(&str, &[Field])] = &[("partition", PARTITION), ("queue", QUEUE)];

pub(super) fn read(
    files: &[File<'_>],
    sources: &[Source],
    options: &QuotaOptions,
    diagnostics: &mut Diagnostics,
) -> Draft {
    let mut forest = Forest::new("queue");
    let mut first = true;
    for file in files {
        diagnostics.source = file.source;
        for document in file.documents {
            let text = find(document, "data").and_then(|data| find(data, "queues.yaml"));
            let outer = sources.get(file.source as usize).map_or("", |source| source.text.as_str());
            let inner = text.map(|text| embedded(text, outer, diagnostics)).unwrap_or_default();
            for document in std::iter::once(document).chain(&inner) {
                partitions(document, &mut first, &mut forest, diagnostics);
            }
        }
    }
    if forest.is_empty() && diagnostics.report.errors() == 0 {
        diagnostics.error(Span::default(), "no queue: expected `partitions`, each with `queues`", "");
    }
    Draft { tree: forest.finish(Root::Cluster, options, diagnostics), ..Draft::default() }
}

/// The documents in a field of a ConfigMap, with their places in the file.
fn embedded(node: &Node, outer: &str, diagnostics: &mut Diagnostics) -> Vec<Node> {
    let text = scalar(node).unwrap_or_default();
    // Each line of a block stands in the file as it is, behind its indentation.
    let mut lines: Vec<(usize, usize)> = Vec::new();
    let (mut inner, mut from) = (0, node.span.start);
    for line in text.split_inclusive('\n') {
        let content = line.trim_end();
        from += outer.get(from..).and_then(|rest| rest.find(content)).unwrap_or_default();
        lines.push((inner, from));
        from += content.len();
        inner += line.len();
    }
    let place = |at: usize| {
        let line = lines.get(lines.partition_point(|(start, _)| *start <= at).saturating_sub(1));
        line.map_or(node.span.start, |(start, outer)| outer + (at - start))
    };
    let (mut documents, problems) = crate::yaml::documents(text);
    for problem in problems {
        let at = place(problem.span.start);
        let span = diagnostics.span(&(at..at));
        diagnostics.mistake(span, problem.what);
    }
    documents.iter_mut().for_each(|document| relocate(document, &place));
    documents
}

fn relocate(node: &mut Node, place: &impl Fn(usize) -> usize) {
    let moved = |span: &std::ops::Range<usize>| place(span.start)..place(span.start) + span.len();
    node.span = moved(&node.span);
    match &mut node.value {
        Value::Scalar(_) => {}
        Value::List(items) => items.iter_mut().for_each(|item| relocate(item, place)),
        Value::Map(entries) => {
            for entry in entries {
                entry.key_span = moved(&entry.key_span);
                relocate(&mut entry.value, place);
            }
        }
    }
}

fn partitions(document: &Node, first: &mut bool, forest: &mut Forest, diagnostics: &mut Diagnostics) {
    for partition in diagnostics.items(find(document, "partitions"), "partitions") {
        field::tell(PARTITION, "partition", "", partition, diagnostics);
        let span = diagnostics.span(&partition.span);
        if std::mem::take(first) {
            partition_of(partition, forest, diagnostics);
        } else {
            diagnostics.skipped("partition", "a scheduler of Kubernetes uses only the first", span);
        }
    }
}

/// Adds the queues of a partition. If they have no `root`, one is added above them, as in YuniKorn.
fn partition_of(partition: &Node, forest: &mut Forest, diagnostics: &mut Diagnostics) {
    let queues = diagnostics.items(find(partition, "queues"), "queues");
    let name = |queue: &Node| find(queue, "name").and_then(scalar).map(str::to_owned);
    let rooted = matches!(queues, [only] if name(only).as_deref() == Some("root"));
    if !rooted {
        let at = diagnostics.span(&partition.span);
        forest.add_summing(QuotaSpec::new("root", None), at, diagnostics);
    }
    let parent = (!rooted).then_some("root");
    queues.iter().for_each(|node| queue(node, parent, forest, diagnostics));
}

fn queue(node: &Node, parent: Option<&str>, forest: &mut Forest, diagnostics: &mut Diagnostics) {
    let span = diagnostics.span(&node.span);
    if map(node).is_none() {
        diagnostics.error(span, "a queue must be a map", "");
        return;
    }
    field::tell(QUEUE, "queue", "", node, diagnostics);
    let named = find(node, "name");
    let Some(name) = diagnostics.text(named, "name") else {
        diagnostics.error(span, "a queue has no `name`", "");
        return;
    };
    let at = named.map_or(span, |named| diagnostics.span(&named.span));
    let path = parent.map_or_else(|| name.to_owned(), |parent| format!("{parent}.{name}"));
    let resources = find(node, "resources");
    let mut spec = QuotaSpec::new(&path, parent);
    spec.min = amounts(resources.and_then(|r| find(r, "guaranteed")), "guaranteed", diagnostics);
    spec.max = amounts(resources.and_then(|r| find(r, "max")), "max", diagnostics);
    let jobs = diagnostics.count(find(node, "maxapplications"), "maxapplications", u64::MAX);
    spec.max_jobs = jobs.and_then(|jobs| u32::try_from(jobs).ok());
    let below = diagnostics.items(find(node, "queues"), "queues");
    if spec.min.is_empty() && !below.is_empty() {
        forest.add_summing(spec, at, diagnostics);
    } else {
        forest.add(spec, at, diagnostics);
    }
    below.iter().for_each(|child| queue(child, Some(&path), forest, diagnostics));
}

/// Amounts, where `vcore` is the name of CPU.
fn amounts(node: Option<&Node>, what: &str, diagnostics: &mut Diagnostics) -> Amounts {
    let mut amounts = Amounts::new();
    for entry in diagnostics.entries(node, what) {
        let resource = if entry.key == "vcore" { "cpu" } else { entry.key.as_str() };
        let key = diagnostics.span(&entry.key_span);
        diagnostics.known_resource(resource, key);
        if let Some(amount) = diagnostics.amount(resource, Some(&entry.value), what) {
            amounts.set(resource, amount);
        }
    }
    amounts
}
