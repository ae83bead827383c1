//! Dumps of a cluster (`kubectl get pods,nodes,podgroups,pdb,elasticquotatrees -A -o json`, or yaml), in one file or
//! several. This module reads documents as facts, and `quotree-k8s` maps the facts, as it does for a live cluster.
//!
//! A bound pod is submitted at its creation, and a selector binds it to its node, so that the replay ends in the state
//! of the cluster. A pending pod is submitted at the time of the dump. `notes` reports everything that a scenario
//! cannot express, so nothing is dropped silently.

mod dump;
mod gangs;
mod notes;
pub use notes::NOT_MODELLED;
mod others;
mod place;
mod plan;
mod pod_notes;
mod quotas;
mod read;
mod row;
mod units;

pub(super) use read::taint;

use super::{NodeRow, NodeRows, Outline, RowProblem, TraceOptions, TraceRows};
use dump::{Dump, Found};
use quotree_core::{Amounts, Name, NodeId, QuotaSpec};
use quotree_k8s::{NodeFacts, NodeSettings, affinity::NodeRule, node_spec};
use std::collections::BTreeSet;

/// How long a run continues after the time of the dump.
const AFTERWARDS_MS: u64 = 3_600_000;

/// The namespace of the only leaf of a dump without quotas and without pods.
const ANY_NAMESPACE: &str = "default";

fn settings(options: &TraceOptions) -> NodeSettings {
    NodeSettings { gpu: options.resource.clone(), ..NodeSettings::default() }
}

/// The nodes of the dump.
pub(super) fn nodes(bytes: &[u8], options: &TraceOptions) -> NodeRows {
    let dump = Dump::read(bytes, &options.more);
    let rules = plan::plan(&dump, options).rules;
    let mut out = NodeRows { problems: dump.bad_nodes, ..NodeRows::default() };
    let mut names = BTreeSet::new();
    for node in &dump.nodes {
        if names.insert(&node.facts.name) {
            out.rows.push(node_row(node, &rules, options));
        } else {
            out.problems.push(node.refuse(&format!("duplicate node `{}`", node.facts.name)));
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

/// A node with the synthetic labels of the rules that it satisfies. A node that is not ready gets a taint that states
/// this, and stays schedulable, so that its pods keep running.
fn node_row(node: &Found<NodeFacts>, rules: &BTreeSet<NodeRule>, options: &TraceOptions) -> NodeRow {
    let (mut spec, _) = node_spec(&node.facts, NodeId(0), &settings(options));
    let satisfied = rules.iter().filter(|rule| rule.admits(&node.facts));
    spec.labels.extend(satisfied.map(|rule| (rule.label.clone(), "true".into())));
    NodeRow {
        name: node.facts.name.to_string(),
        allocatable: spec.allocatable,
        devices: spec.devices,
        mode: spec.mode,
        choice: spec.choice,
        unhealthy: spec.unhealthy,
        zone: spec.zone,
        rack: spec.rack,
        labels: spec.labels,
        taints: spec.taints,
    }
}

/// The running and pending pods of the dump.
pub(super) fn rows(bytes: &[u8], options: &TraceOptions) -> TraceRows {
    let dump = Dump::read(bytes, &options.more);
    let plan = plan::plan(&dump, options);
    let mut problems = dump.bad_pods;
    problems.extend(plan.problems);
    problems.sort_by_key(|problem| problem.line);
    if dump.pods.is_empty() && dump.nodes.is_empty() && problems.is_empty() {
        let seen =
            if dump.tree.is_there { ", only quotas: `import elastic-quota-tree` reads a tree alone" } else { "" };
        let others =
            notes::unread(&dump.unread).map_or(String::new(), |kinds| format!("; objects of other kinds: {kinds}"));
        problems.push(RowProblem { line: 0, what: format!("no Pod and no Node{seen}{others}") });
    }
    TraceRows { rows: plan.rows, problems, ..TraceRows::default() }
}

/// The quota tree of the dump. Without one, each namespace with pods gets a leaf, and the leaves share the whole
/// cluster.
pub(super) fn outline(bytes: &[u8], options: &TraceOptions, total: &Amounts) -> Outline {
    let dump = Dump::read(bytes, &options.more);
    let plan = plan::plan(&dump, options);
    let mut out = Outline { budgets: plan.budgets.clone(), ..Outline::default() };
    let last = plan.rows.iter().map(|row| row.submit.0).max().unwrap_or(0);
    out.until_ms = (!plan.rows.is_empty()).then_some(last.saturating_add(AFTERWARDS_MS));
    let namespaces: BTreeSet<&Name> = plan.rows.iter().map(|row| &row.namespace).collect();
    out.notes = notes::notes(&dump, &plan, options);
    let unread = notes::unread(&dump.unread);
    out.alone.extend(unread.map(|kinds| format!("objects of other kinds are not read: {kinds}")));
    if !dump.tree.is_there {
        let any = Name::from(ANY_NAMESPACE);
        let homes = if namespaces.is_empty() { BTreeSet::from([&any]) } else { namespaces };
        let root = QuotaSpec::new("cluster", None).min(total.clone()).max(total.clone());
        let leaf = |name: &&Name| QuotaSpec::new(&format!("cluster-{name}"), Some("cluster")).namespace(name.as_str());
        out.tree = std::iter::once(root).chain(homes.iter().map(leaf)).collect();
        let what = "the dump has no ElasticQuotaTree and no ElasticQuota, so each namespace is a leaf quota without a guarantee";
        out.alone.insert(0, what.to_owned());
        return out;
    }
    out.problems = dump.tree.problems.clone();
    out.tree = dump.tree.with(&plan.visitors).unwrap_or_default();
    let homed: BTreeSet<&Name> = out.tree.quotas.iter().flat_map(|quota| &quota.namespaces).collect();
    if namespaces.iter().any(|namespace| !homed.contains(*namespace)) {
        let what = "pods in namespaces that are attached to no leaf quota run without a quota (A4)";
        out.notes.insert(0, what.to_owned());
        out.policy = Some("Capacity(unquotaed: Schedule)".to_owned());
    }
    out.notes.splice(0..0, dump.tree.notes.iter().cloned());
    out
}
