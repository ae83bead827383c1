//! Checks that look at several parts at once: workloads against the tree and the nodes, names of budgets, times against
//! the end of the run, and limits on the number of everything.

use crate::{assemble::Parts, quota::ReadTree, workload::ReadWorkload};
use quotree_core::{Name, QuotaSpec, Time, Unquotaed};
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
    let mut is_short = false;
    if let Some(total) = parts.cluster.total_with(&parts.events.changes) {
        if parts.knows_cluster {
            let before = report.warnings();
            tree.check_on(&total, report);
            is_short = report.warnings() > before;
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
    let no_min = crate::no_min::check(parts, report);
    if parts.knows_cluster && report.errors() == 0 {
        crate::feasible::check(parts, tree, (is_short, &no_min), report);
    }
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
    /// Namespaces of later trees.
    later: BTreeSet<&'a Name>,
}

impl<'a> Fits<'a> {
    fn new(parts: &'a Parts) -> Self {
        let mut fits = Self { parts, leaves: BTreeMap::new(), later: BTreeSet::new() };
        for (i, quota) in fits.quotas().iter().enumerate() {
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
        match &read.workload.kind {
            Kind::Trace { rows, .. } => self.trace(rows, read, report),
            _ => self.namespace(&read.workload.namespace, read.namespace, report),
        }
    }

    /// Checks the namespaces of the rows of a trace.
    fn trace(&mut self, rows: &[quotree_model::TraceRow], read: &ReadWorkload, report: &mut Report) {
        let mut namespaces: BTreeSet<&Name> = BTreeSet::new();
        let mut last: Option<&Name> = None;
        for row in rows {
            if last != Some(&row.namespace) {
                namespaces.insert(&row.namespace);
                last = Some(&row.namespace);
            }
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
}
