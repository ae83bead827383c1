//! Dumps of a cluster (`kubectl get pods,nodes,elasticquotatrees -A -o json`, or yaml): nodes with their allocatable
//! amounts, taints and labels; running and pending pods; the quota tree. A bound pod is submitted at its creation, and
//! a selector binds it to its node, so that the replay ends in the state of the cluster. A pending pod is submitted at
//! the time of the dump.

use super::{
    NodeRow, NodeRows, Outline, RowProblem, Templates, TraceOptions, TraceRows,
    document::{Documents, Place, Taken},
    elastic_quota_tree,
};
use crate::MAX_MS;
use jiff::Timestamp;
use quotree_core::{Amounts, Name, OverPromised, PodTemplate, QuotaSpec, Time};
use quotree_model::{Limits, TraceRow};
use std::collections::{BTreeMap, BTreeSet};

/// The label that identifies a node.
const HOSTNAME: &str = "kubernetes.io/hostname";

/// The taint of cordoned nodes.
const CORDONED: &str = "node.kubernetes.io/unschedulable:NoSchedule";

/// How long a run continues after the dump.
const AFTERWARDS_MS: u64 = 3_600_000;

/// The objects of one kind, whether they are documents or items of lists.
fn objects<'d>(documents: &'d Documents, kind: &str) -> Taken<Vec<Place<'d>>> {
    let mut found = Vec::new();
    for document in documents.all() {
        let items = document.get("items");
        for object in if items.is_there() { items.items()? } else { vec![document] } {
            if object.get("kind").text()? == Some(kind) {
                let name = object.get("metadata").get("name").text()?.unwrap_or_default();
                found.push(object.called(&format!("{kind} {name}")));
            }
        }
    }
    Ok(found)
}

/// The nodes of the dump.
pub(super) fn nodes(bytes: &[u8], options: &TraceOptions) -> NodeRows {
    match Documents::read(bytes) {
        Ok(documents) => nodes_of(&documents, options),
        Err(problems) => NodeRows { problems, ..NodeRows::default() },
    }
}

fn nodes_of(documents: &Documents, options: &TraceOptions) -> NodeRows {
    let mut out = NodeRows::default();
    let places = objects(documents, "Node").map_err(|problem| out.problems.push(problem)).unwrap_or_default();
    let mut names = BTreeSet::new();
    for place in places {
        match node(&place, options) {
            Ok(node) if names.insert(node.name.clone()) => out.rows.push(node),
            Ok(node) => out.problems.push(place.refuse(format!("duplicate node `{}`", node.name))),
            Err(problem) => out.problems.push(problem),
        }
        if out.rows.len() > options.max_rows {
            out.problems
                .push(RowProblem { line: 0, what: format!("at most {} nodes are supported", options.max_rows) });
            out.rows.truncate(options.max_rows);
            break;
        }
    }
    out
}

fn node(place: &Place<'_>, options: &TraceOptions) -> Taken<NodeRow> {
    let (metadata, spec) = (place.get("metadata"), place.get("spec"));
    let name = metadata.get("name").name()?;
    let mut node = NodeRow {
        name: name.to_owned(),
        allocatable: place.get("status").get("allocatable").amounts()?,
        ..NodeRow::default()
    };
    for (label, value) in metadata.get("labels").entries()? {
        node.labels.push((label.into(), value.text()?.unwrap_or_default().into()));
    }
    if !node.labels.iter().any(|(label, _)| label.as_str() == HOSTNAME) {
        node.labels.push((HOSTNAME.into(), name.into()));
    }
    for taint in spec.get("taints").items()? {
        node.taints.extend(self::taint(&taint)?);
    }
    if spec.get("unschedulable").text()? == Some("true") && !node.taints.iter().any(|taint| taint.as_str() == CORDONED)
    {
        node.taints.push(CORDONED.into());
    }
    node.split_gpus(&options.resource);
    Ok(node)
}

/// A taint as `kubectl` writes it, `key=value:effect`; `None` if it only expresses a preference.
pub(super) fn taint(place: &Place<'_>) -> Taken<Option<Name>> {
    let (key, value) = (place.get("key").name()?, place.get("value").text()?.unwrap_or_default());
    let effect = place.get("effect").text()?.unwrap_or("NoSchedule");
    let equals = if value.is_empty() { "" } else { "=" };
    Ok((effect != "PreferNoSchedule").then(|| format!("{key}{equals}{value}:{effect}").into()))
}

/// What the import of pods needs to know about the nodes.
#[derive(Default)]
struct Known {
    /// The hostname and the taints of each node.
    nodes: BTreeMap<String, (Name, Vec<Name>)>,
    /// All taints of the cluster.
    taints: BTreeSet<Name>,
}

impl Known {
    fn of(nodes: Vec<NodeRow>) -> Self {
        let mut known = Self::default();
        for node in nodes {
            let host = node.labels.iter().find(|(label, _)| label.as_str() == HOSTNAME).map(|(_, host)| host.clone());
            known.taints.extend(node.taints.iter().cloned());
            known.nodes.insert(node.name.clone(), (host.unwrap_or_else(|| node.name.as_str().into()), node.taints));
        }
        known
    }

    /// The taints that this toleration tolerates.
    fn tolerated(&self, place: &Place<'_>) -> Taken<Vec<Name>> {
        let key = place.get("key").text()?.unwrap_or_default();
        let value = place.get("value").text()?.unwrap_or_default();
        let effect = place.get("effect").text()?.unwrap_or_default();
        let any = place.get("operator").text()? == Some("Exists");
        let passes = |taint: &&Name| {
            let (rest, of) = taint.as_str().rsplit_once(':').unwrap_or((taint.as_str(), ""));
            let (its, has) = rest.split_once('=').unwrap_or((rest, ""));
            (effect.is_empty() || effect == of) && ((any && key.is_empty()) || (its == key && (any || has == value)))
        };
        Ok(self.taints.iter().filter(passes).cloned().collect())
    }
}

/// The running and pending pods of the dump.
pub(super) fn rows(bytes: &[u8], options: &TraceOptions) -> TraceRows {
    let mut out = TraceRows::default();
    let documents = match Documents::read(bytes) {
        Ok(documents) => documents,
        Err(problems) => return TraceRows { problems, ..out },
    };
    let known = Known::of(nodes_of(&documents, options).rows);
    let places = objects(&documents, "Pod").map_err(|problem| out.problems.push(problem)).unwrap_or_default();
    let mut templates = Templates::default();
    let mut taken: Vec<(i64, bool, TraceRow)> = Vec::new();
    let mut now = i64::MIN;
    for place in &places {
        match pod(place, &known, options, &mut templates) {
            Ok(Some((created, started, row))) => {
                now = now.max(started.unwrap_or(created));
                taken.push((created, started.is_some(), row));
            }
            Ok(None) => {}
            Err(problem) => out.problems.push(problem),
        }
        if taken.len() > options.max_rows {
            out.problems.push(RowProblem { line: 0, what: format!("at most {} pods are supported", options.max_rows) });
            taken.truncate(options.max_rows);
            break;
        }
    }
    taken.sort_by_key(|(created, bound, _)| (!bound, *created));
    let first = taken.iter().map(|(created, ..)| *created).min().unwrap_or(0);
    for (created, bound, mut row) in taken {
        let ms = if bound { created } else { now }.saturating_sub(first);
        row.submit = Time(u64::try_from(ms).unwrap_or(0).min(MAX_MS));
        out.rows.push(row);
    }
    out
}

/// The creation time of a pod, the time of its bind, and the pod; `None` if it has ended.
fn pod(
    place: &Place<'_>,
    known: &Known,
    options: &TraceOptions,
    templates: &mut Templates,
) -> Taken<Option<(i64, Option<i64>, TraceRow)>> {
    let (metadata, spec, status) = (place.get("metadata"), place.get("spec"), place.get("status"));
    if matches!(status.get("phase").text()?, Some("Succeeded" | "Failed")) {
        return Ok(None);
    }
    let namespace = metadata.get("namespace").text()?.unwrap_or("default");
    let created = moment(&metadata.get("creationTimestamp"))?;
    let created = created.ok_or_else(|| metadata.get("creationTimestamp").refuse("expected a time"))?;
    let node = spec.get("nodeName");
    let bound = node.text()?.filter(|node| !node.is_empty());
    let started = moment(&status.get("startTime"))?.unwrap_or(created);
    let mut template = PodTemplate { request: requests(&spec)?, ..PodTemplate::default() };
    match bound.map(|name| (name, known.nodes.get(name))) {
        Some((_, Some((host, taints)))) => {
            template.selector.push((HOSTNAME.into(), vec![host.clone()]));
            template.tolerations.clone_from(taints);
        }
        Some((name, None)) if !known.nodes.is_empty() => {
            return Err(node.refuse(format!("the dump has no valid node `{name}`")));
        }
        _ => {
            template.selector = selector(&spec)?;
            let mut tolerated = BTreeSet::new();
            for toleration in spec.get("tolerations").items()? {
                tolerated.extend(known.tolerated(&toleration)?);
            }
            template.tolerations = tolerated.into_iter().collect();
        }
    }
    let limit = spec.get("activeDeadlineSeconds").count(0, MAX_MS / 1000)?;
    let runtime_limit_ms = (limit > 0).then_some(limit * 1000);
    let row = TraceRow {
        name: format!("{namespace}/{}", metadata.get("name").name()?).into(),
        submit: Time(0),
        runtime_ms: MAX_MS,
        namespace: options.namespace.clone().unwrap_or_else(|| format!("{}{namespace}", options.prefix).into()),
        user: options.user.clone(),
        priority: spec.get("priority").priority()?,
        pods: 1,
        template: templates.share(template),
        limits: Limits { runtime_limit_ms, ..Limits::default() },
    };
    Ok(Some((created, bound.map(|_| started), row)))
}

/// A time as milliseconds since 1970.
fn moment(place: &Place<'_>) -> Taken<Option<i64>> {
    let Some(text) = place.text()? else { return Ok(None) };
    let stamp = text
        .parse::<Timestamp>()
        .map_err(|_| place.refuse(format!("`{text}` is not a time such as `2026-05-01T12:00:00Z`")))?;
    Ok(Some(stamp.as_millisecond()))
}

/// The request of a pod: the sum of its containers, or the largest init container, plus the overhead of the pod.
fn requests(spec: &Place<'_>) -> Taken<Amounts> {
    let mut together = Amounts::new();
    for container in spec.get("containers").items()? {
        super::add(&mut together, &asked(&container)?);
    }
    let mut before = Amounts::new();
    let mut largest: Vec<Amounts> = Vec::new();
    for container in spec.get("initContainers").items()? {
        let asked = asked(&container)?;
        if container.get("restartPolicy").text()? == Some("Always") {
            // A sidecar keeps running while the containers after it run.
            super::add(&mut before, &asked);
        } else {
            let mut peak = before.clone();
            super::add(&mut peak, &asked);
            largest.push(peak);
        }
    }
    super::add(&mut together, &before);
    for (resource, amount) in largest.iter().flat_map(Amounts::iter) {
        let seen = together.get(resource.as_str()).unwrap_or(0);
        together.set(resource.clone(), seen.max(amount));
    }
    super::add(&mut together, &spec.get("overhead").amounts()?);
    Ok(together)
}

/// The requests of a container; for a resource with only a limit, the limit.
fn asked(container: &Place<'_>) -> Taken<Amounts> {
    let resources = container.get("resources");
    let mut asked = resources.get("limits").amounts()?;
    for (resource, place) in resources.get("requests").entries()? {
        if let Some(amount) = place.amount(resource)? {
            asked.set(resource, amount);
        }
    }
    Ok(asked.iter().filter(|(_, amount)| *amount > 0).map(|(name, amount)| (name.clone(), amount)).collect())
}

/// The labels that a pending pod needs: its node selector, and a node affinity that can be expressed as one.
fn selector(spec: &Place<'_>) -> Taken<Vec<(Name, Vec<Name>)>> {
    let mut selector = Vec::new();
    for (label, value) in spec.get("nodeSelector").entries()? {
        selector.push((label.into(), vec![value.text()?.unwrap_or_default().into()]));
    }
    let affinity = spec.get("affinity").get("nodeAffinity").get("requiredDuringSchedulingIgnoredDuringExecution");
    let terms = affinity.get("nodeSelectorTerms").items()?;
    for term in &terms {
        let expressions = term.get("matchExpressions").items()?;
        if terms.len() > 1 || term.get("matchFields").is_there() {
            return Err(affinity.refuse("only one node selector term is supported"));
        }
        for expression in expressions {
            if expression.get("operator").text()? != Some("In") {
                return Err(expression.refuse("only the operator In is supported"));
            }
            let values = expression.get("values").items()?;
            let values: Taken<Vec<Name>> = values.iter().map(|value| value.name().map(Name::from)).collect();
            selector.push((expression.get("key").name()?.into(), values?));
        }
    }
    Ok(selector)
}

/// The tree of the dump; without one, a leaf for each namespace that has pods, which share the whole cluster.
pub(super) fn outline(bytes: &[u8], options: &TraceOptions, total: &Amounts) -> Outline {
    let mut out = Outline::default();
    let rows = rows(bytes, options).rows;
    let last = rows.iter().map(|row| row.submit.0).max().unwrap_or(0);
    out.until_ms = Some(last.saturating_add(AFTERWARDS_MS));
    let namespaces: BTreeSet<&Name> = rows.iter().map(|row| &row.namespace).collect();
    let has_tree =
        |documents: Documents| objects(&documents, elastic_quota_tree::KIND).is_ok_and(|trees| !trees.is_empty());
    if !Documents::read(bytes).is_ok_and(has_tree) {
        let root = QuotaSpec::new("cluster", None).min(total.clone()).max(total.clone());
        let leaf = |name: &&Name| QuotaSpec::new(&format!("cluster-{name}"), Some("cluster")).namespace(name.as_str());
        out.tree = std::iter::once(root).chain(namespaces.iter().map(leaf)).collect();
        out.notes
            .push("the dump has no ElasticQuotaTree, so each namespace is a leaf quota without a guarantee".to_owned());
        return out;
    }
    let text = String::from_utf8_lossy(bytes);
    let (tree, problems) = elastic_quota_tree::read(&text, OverPromised::Error);
    let line = |at: usize| text.bytes().take(at).filter(|byte| *byte == b'\n').count() as u64 + 1;
    let (warnings, errors): (Vec<_>, Vec<_>) = problems.into_iter().partition(|problem| problem.warning);
    out.notes.extend(warnings.into_iter().map(|problem| problem.what));
    out.problems = errors.into_iter().map(|p| RowProblem { line: line(p.span.start), what: p.what }).collect();
    out.tree = tree.unwrap_or_default();
    let homed: BTreeSet<&Name> = out.tree.quotas.iter().flat_map(|quota| &quota.namespaces).collect();
    if namespaces.iter().any(|namespace| !homed.contains(*namespace)) {
        out.notes.push("pods in namespaces that are attached to no leaf quota run without a quota (A4)".to_owned());
        out.policy = Some("Capacity(unquotaed: Schedule)".to_owned());
    }
    out
}
