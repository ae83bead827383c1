//! Checks that look at several parts at once: workloads against the tree and the nodes, names of budgets, times against
//! the end of the run, and limits on the number of everything.

use crate::{assemble::Parts, quota::ReadTree, workload::ReadWorkload};
use quotree_core::{Amounts, Name, PodTemplate, QuotaSpec, Time, Unquotaed};
use quotree_model::cells;
use quotree_model::{Claim, Kind, Runtime, When};
use quotree_syntax::{Node, Report, Span};
use std::collections::{BTreeMap, BTreeSet};

/// The most pods of a scenario.
const MAX_PODS: u64 = 10_000_000;

/// The most warnings of one kind about one trace.
pub(crate) const MAX_TRACE_WARNINGS: usize = 10;

/// Reports all mistakes that involve several parts.
pub(crate) fn all(parts: &Parts, report: &mut Report) {
    counts(parts, report);
    budgets(parts, report);
    crate::people::check_workloads(parts, report);
    event_times(parts, report);
    let Some(tree) = &parts.tree else { return };
    tree.check(parts.policy.over_promised, report);
    if let Some(total) = parts.cluster.total_with(&parts.events.changes) {
        if parts.knows_cluster {
            tree.check_on(&total, report);
            let nodes = parts.cluster.nodes.iter().map(|node| &node.spec);
            let short = cells::short(&cells::guaranteed(&tree.spec), nodes);
            let first = tree.spec.quotas.iter().find(|quota| !quota.cells.is_empty());
            if let (Some(short), Some(span)) = (short, first.and_then(|q| tree.name_span(q.name.as_str()))) {
                report.warning(span, short.to_string(), "the first quota that guarantees cells");
            }
        }
    } else if let Some(span) = tree.spec.quotas.first().and_then(|q| tree.name_span(q.name.as_str())) {
        report.error(span, "the capacity of the cluster exceeds 64 bits of base units", "cannot be compared");
    }
    let mut fits = Fits::new(parts);
    for read in &parts.workloads {
        fits.workload(read, report);
    }
    crate::no_min::check(parts, report);
}

fn counts(parts: &Parts, report: &mut Report) {
    let mut pods: u64 = 0;
    for read in &parts.workloads {
        let times = read.workload.expected(parts.world.until);
        if let (None, Some(span)) = (times, read.arrivals) {
            let title = format!("the arrivals of `{}` never end", read.workload.name);
            report.error(span, title, "without end").help("give the arrivals `until` or `count`, or the world `until`");
        }
        let own = read.pods().saturating_mul(times.unwrap_or(1));
        let before = pods;
        pods = pods.saturating_add(own);
        if before <= MAX_PODS && pods > MAX_PODS {
            let title =
                format!("`{}` raises the number of pods to {pods}; at most {MAX_PODS} are allowed", read.workload.name);
            report.error(read.name, title, "too many pods");
        }
    }
    for (replicas, span) in &parts.events.scales {
        pods = pods.saturating_add(u64::from(*replicas));
        if u64::from(*replicas) > MAX_PODS {
            let title = format!("{replicas} pods: at most {MAX_PODS} are allowed");
            report.error(*span, title, "too many pods");
        }
    }
}

fn budgets(parts: &Parts, report: &mut Report) {
    let known: BTreeSet<&Name> = parts.events.budgets.iter().collect();
    for budget in parts.workloads.iter().filter_map(|read| read.budget.as_ref()) {
        if !known.contains(&budget.value) {
            report
                .error(budget.span, format!("there is no budget `{}`", budget.value), "unknown budget")
                .did_you_mean(budget.value.as_str(), known.iter().map(|name| name.as_str()))
                .help("budgets are declared at the top: `budgets: { \"web\": 1 }`");
        }
    }
}

/// Warns of a hold timeout that is shorter than the eviction grace. Such a hold ends before its victims are gone, so
/// their eviction was useless, and so will be the next one.
pub(crate) fn hold_timeout(policy: &Node, parts: &Parts, report: &mut Report) {
    let Some(timeout) = parts.policy.hold_timeout_ms else { return };
    let longest = |grace: &Runtime| grace.longest().unwrap_or(u64::MAX);
    let own = parts.workloads.iter().filter_map(|read| read.workload.eviction_grace.as_ref());
    if own.chain([&parts.world.eviction_grace]).map(longest).max().is_some_and(|grace| grace > timeout) {
        let title = "`hold_timeout` is shorter than the longest `eviction_grace`";
        report
            .warning(policy.span, title, "a reservation may end before its victims have terminated")
            .help("evictions for such a reservation are wasted and may repeat; raise `hold_timeout` (H2)");
    }
}

fn event_times(parts: &Parts, report: &mut Report) {
    let Some(until) = parts.world.until else { return };
    for (time, span) in &parts.events.places {
        if *time > until {
            report.warning(*span, "this event has no effect: the run ends before it", "after `until` of the world");
        }
    }
}

/// Warns of claims about times after the end of the run, which are never evaluated.
pub(crate) fn claim_times(items: &[&Node], claims: &[Claim], parts: &Parts, report: &mut Report) {
    let Some(until) = parts.world.until.filter(|_| items.len() == claims.len()) else { return };
    for (item, claim) in items.iter().zip(claims) {
        let time = match claim.when {
            When::At(time) | When::Within(time, _) => time,
            _ => Time(0),
        };
        if time > until {
            report.warning(item.span, "the run ends before this claim is checked", "after `until` of the world");
        }
    }
}

/// The tree and the nodes that workloads are checked against.
struct Fits<'a> {
    parts: &'a Parts,
    /// The leaf of each namespace, as an index into the tree's list.
    leaves: BTreeMap<&'a Name, usize>,
    by_name: BTreeMap<&'a Name, usize>,
    /// Namespaces of later trees.
    later: BTreeSet<&'a Name>,
    /// The different amounts of nodes.
    nodes: BTreeSet<&'a Amounts>,
    /// The amounts of nodes after they are relabelled.
    relabelled: BTreeSet<Amounts>,
}

impl<'a> Fits<'a> {
    fn new(parts: &'a Parts) -> Self {
        let mut fits = Self {
            parts,
            leaves: BTreeMap::new(),
            by_name: BTreeMap::new(),
            later: BTreeSet::new(),
            nodes: parts.cluster.nodes.iter().filter(|_| parts.knows_cluster).map(|n| &n.spec.allocatable).collect(),
            relabelled: parts.cluster.relabelled(&parts.events.changes).into_values().flatten().collect(),
        };
        for (i, quota) in fits.quotas().iter().enumerate() {
            fits.by_name.insert(&quota.name, i);
            fits.leaves.extend(quota.namespaces.iter().map(|namespace| (namespace, i)));
        }
        for quota in parts.events.trees.iter().flat_map(|tree| &tree.spec.quotas) {
            fits.later.extend(&quota.namespaces);
        }
        fits
    }

    fn quotas(&self) -> &'a [QuotaSpec] {
        self.parts.tree.as_ref().map_or(&[], |tree| &tree.spec.quotas)
    }

    fn workload(&mut self, read: &ReadWorkload, report: &mut Report) {
        let name = &read.workload.name;
        let spans = |i: usize| read.requests.get(i).copied().unwrap_or(read.name);
        if let Kind::Trace { rows, .. } = &read.workload.kind {
            self.trace(rows, read, report);
            return;
        }
        self.namespace(&read.workload.namespace, read.namespace, report);
        if let Kind::Workflow { tasks } = &read.workload.kind {
            let mut first = 0;
            for task in tasks {
                let name = format!("{name}-{}", task.name);
                self.kind(&name, &task.kind, (read, first), &|i| spans(first + i), report);
                task.kind.templates(&mut |_, _| first += 1);
            }
            return;
        }
        self.kind(name, &read.workload.kind, (read, 0), &spans, report);
    }

    /// Checks the requests of a workload or task. `spans` has the place of each of its templates; the number in `of` is
    /// the index of its first template among those of the workload.
    fn kind(
        &mut self,
        name: &str,
        kind: &Kind,
        of: (&ReadWorkload, usize),
        spans: &dyn Fn(usize) -> Span,
        report: &mut Report,
    ) {
        let namespace = &of.0.workload.namespace;
        match kind {
            Kind::Deployment { template, .. } | Kind::Job { template, .. } => {
                self.template(name, template, spans(0), report);
                self.gang(name, namespace, &[(template, 1)], spans(0), report);
            }
            Kind::Training { roles, .. } => {
                for (i, role) in roles.iter().enumerate() {
                    self.template(name, &role.template, spans(i), report);
                }
                let members: Vec<(&PodTemplate, u32)> = roles.iter().map(|r| (&*r.template, r.min)).collect();
                self.gang(name, namespace, &members, of.0.name, report);
            }
            Kind::Workflow { .. } | Kind::Trace { .. } => {}
        }
    }

    /// Checks the rows of a trace. Only distinct rows are checked: a trace of a million rows has a few hundred of them.
    fn trace(&mut self, rows: &[quotree_model::TraceRow], read: &ReadWorkload, report: &mut Report) {
        let mut namespaces: BTreeSet<&Name> = BTreeSet::new();
        let mut shapes: BTreeMap<(&PodTemplate, u32, &Name), &str> = BTreeMap::new();
        let mut last: Option<(*const PodTemplate, u32, &Name)> = None;
        for row in rows {
            let this = (std::sync::Arc::as_ptr(&row.template), row.pods, &row.namespace);
            if last.is_some_and(|l| l == this) {
                continue;
            }
            last = Some(this);
            namespaces.insert(&row.namespace);
            shapes.entry((&row.template, row.pods, &row.namespace)).or_insert(&row.name);
        }
        let file = read.requests.first().copied().unwrap_or(read.name);
        let homeless: Vec<&Name> = namespaces.into_iter().filter(|n| !self.homed(n)).collect();
        for namespace in homeless.iter().take(MAX_TRACE_WARNINGS) {
            self.namespace(namespace, file, report);
        }
        if let Some(more) = homeless.len().checked_sub(MAX_TRACE_WARNINGS).filter(|more| *more > 0) {
            report.warning(
                file,
                format!("{more} more namespaces are attached to no quota"),
                "rows of this file name them",
            );
        }
        let mut warnings = report.warnings();
        let limit = warnings + MAX_TRACE_WARNINGS;
        for ((template, pods, namespace), name) in shapes {
            if warnings >= limit {
                report.warning(
                    file,
                    "further pods of this file are not checked".to_owned(),
                    "there are too many warnings",
                );
                break;
            }
            let name = format!("{}/{name}", read.workload.name);
            self.template(&name, template, file, report);
            self.gang(&name, namespace, &[(template, pods)], file, report);
            warnings = report.warnings();
        }
        for row in rows.iter().filter(|row| row.details.as_ref().is_some_and(|details| !details.others.is_empty())) {
            if report.warnings() >= limit {
                break;
            }
            let name = format!("{}/{}", read.workload.name, row.name);
            let members: Vec<(&PodTemplate, u32)> = row.sets().map(|(template, pods)| (&**template, pods)).collect();
            members.iter().skip(1).for_each(|(template, _)| self.template(&name, template, file, report));
            self.gang(&name, &row.namespace, &members, file, report);
        }
    }

    fn homed(&self, namespace: &Name) -> bool {
        self.leaves.contains_key(namespace) || self.later.contains(namespace)
    }

    /// Reports a namespace that is on no leaf (A4).
    fn namespace(&self, namespace: &Name, span: Span, report: &mut Report) {
        let damaged = self.parts.tree.as_ref().is_some_and(ReadTree::is_damaged);
        if damaged || self.homed(namespace) || self.parts.policy.unquotaed == Unquotaed::Schedule {
            return;
        }
        let title = format!("namespace `{namespace}` is attached to no leaf quota, so its pods stay pending (A4)");
        report
            .warning(span, title, "no quota")
            .did_you_mean(namespace.as_str(), self.leaves.keys().map(|name| name.as_str()))
            .help("add it to the `namespaces` of a leaf quota, or set `unquotaed: Schedule` in the policy to run its pods without a quota");
    }

    /// The amounts that nodes have, or will have.
    fn kinds(&self) -> impl Iterator<Item = &Amounts> {
        self.nodes.iter().copied().chain(&self.relabelled)
    }

    /// Reports a pod that is larger than any node.
    fn template(&self, name: &str, template: &PodTemplate, span: Span, report: &mut Report) {
        let fits = |node: &Amounts| template.request.iter().all(|(r, n)| n <= node.get(r.as_str()).unwrap_or(0));
        if self.nodes.is_empty() || self.kinds().any(fits) {
            return;
        }
        for (resource, amount) in template.request.iter().filter(|(_, amount)| *amount > 0) {
            let most = self.kinds().filter_map(|node| node.get(resource.as_str())).max();
            let show = |amount| Amounts::new().with(resource.clone(), amount);
            match most {
                None => {
                    let title = format!("a pod of `{name}` requests {}, and no node has this resource", show(amount));
                    let known: BTreeSet<&str> =
                        self.kinds().flat_map(Amounts::iter).map(|(name, _)| name.as_str()).collect();
                    report.warning(span, title, "fits on no node").did_you_mean(resource.as_str(), known);
                }
                Some(most) if most < amount => {
                    let (asked, most) = (show(amount), show(most));
                    let title = format!("a pod of `{name}` requests {asked}, and the largest node has {most}");
                    report.warning(span, title, "fits on no node");
                }
                Some(_) => continue,
            }
            return;
        }
        let title = format!("no node has all that a pod of `{name}` requests: {}", template.request);
        report.warning(span, title, "fits on no node");
    }

    /// Reports a gang that exceeds a max on its path (T2).
    fn gang(&self, name: &str, namespace: &Name, members: &[(&PodTemplate, u32)], span: Span, report: &mut Report) {
        let mut sums: BTreeMap<&Name, i128> = BTreeMap::new();
        for (template, count) in members {
            for (resource, amount) in template.request.iter() {
                *sums.entry(resource).or_default() += i128::from(amount) * i128::from(*count);
            }
        }
        let mut at = self.leaves.get(namespace).copied();
        let mut steps = 0;
        while let Some(quota) = at.and_then(|i| self.quotas().get(i)) {
            for (resource, sum) in &sums {
                let Some(max) = quota.max.get(resource.as_str()).filter(|max| *sum > i128::from(*max)) else {
                    continue;
                };
                let max = Amounts::new().with((*resource).clone(), max);
                let asked = i64::try_from(*sum).map_or_else(
                    |_| format!("{sum} base units of {resource}"),
                    |n| Amounts::new().with((*resource).clone(), n).to_string(),
                );
                let pods: u64 = members.iter().map(|(_, count)| u64::from(*count)).sum();
                let who = match pods {
                    0 | 1 => format!("a pod of `{name}` requests"),
                    pods => format!("the {pods} pods of `{name}` that must run together request"),
                };
                let title = format!("{who} {asked}, more than the max of `{}` ({max})", quota.name);
                report.warning(span, title, "can never be admitted (T2)");
                return;
            }
            steps += 1;
            at = quota.parent.as_ref().and_then(|parent| self.by_name.get(parent)).copied().filter(|_| steps < 1000);
        }
    }
}
