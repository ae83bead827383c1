//! The notes about a dump: what a scenario cannot express, how many pods it concerns, and what it would have meant.

use super::{
    dump::Dump,
    pod_notes::{Plan, PodNote},
    settings,
};
use crate::TraceOptions;
use quotree_core::{Name, NodeId};
use quotree_k8s::node_spec;
use std::collections::BTreeMap;

/// The most names that one note lists.
const MAX_NAMES: usize = 5;

/// How a note about something begins that a scenario cannot express.
pub const NOT_MODELLED: &str = "not modelled: ";

/// The notes about a dump, one sentence each without its full stop.
pub(super) fn notes(dump: &Dump, plan: &Plan, options: &TraceOptions) -> Vec<String> {
    let mut notes: Vec<String> = plan.counts.iter().map(|(note, count)| about(*note, *count, plan)).collect();
    notes.extend(plan.losses.iter().map(|(loss, count)| {
        let stated = format!("{} with {}", many(*count, "pod"), loss.stated());
        format!("{NOT_MODELLED}{stated}. In the cluster, {}", loss.meaning())
    }));
    if !plan.rules.is_empty() {
        notes.push(format!(
            "node affinities that are no lists of labels ({}) are evaluated now, and the nodes that match get a label for \
             each; a node that is added later has none",
            plan.rules.len()
        ));
    }
    about_nodes(dump, options, &mut notes);
    notes
}

/// The kinds of objects that are not read, with their numbers; `None` if there are none.
pub(super) fn unread(kinds: &BTreeMap<String, u64>) -> Option<String> {
    let note = || listed(kinds.iter().map(|(kind, count)| format!("{count} {kind}")));
    (!kinds.is_empty()).then(note)
}

fn about(note: PodNote, count: u64, plan: &Plan) -> String {
    let names = || listed(plan.unknown.iter().filter(|(of, _)| *of == note).map(|(_, name)| format!("`{name}`")));
    let (pods, one) = (many(count, "pod"), count == 1);
    let (is, has) = if one { ("is", "has") } else { ("are", "have") };
    match note {
        PodNote::Ended => format!("{pods} {has} ended and {is} left out"),
        PodNote::Deleted => format!("{pods} {is} being deleted, on no node, and {is} left out"),
        PodNote::Gated => {
            format!("{pods} behind scheduling gates of other controllers {is} left out: no scheduler sees them yet")
        }
        PodNote::Leaving => format!(
            "{pods} on nodes {is} being deleted: each counts until its grace period ends, or until the time of the dump \
             if that was before"
        ),
        PodNote::Adrift => format!(
            "{pods} on nodes that the dump does not have share one pool with the others; give the nodes with `--nodes`"
        ),
        PodNote::WaitForMembers => {
            format!(
                "{pods} of gangs with too few members {is} left out: no scheduler tries them before the others come"
            )
        }
        PodNote::Torn => format!("{pods} run in gangs that are below their minimum; they stay together"),
        PodNote::Elastic => {
            format!("{pods} above the minimum of a gang (elastic) {is} imported apart from it, and may start before it")
        }
        PodNote::NoGroup => format!(
            "{pods} name groups that the dump does not have, so each is scheduled by itself; the cluster would let them \
             wait for the object: {}",
            names()
        ),
        PodNote::UnknownLevel => format!(
            "{pods} of gangs must share a topology domain of a level other than node, rack and zone, which is not modelled: {}",
            names()
        ),
        PodNote::NoQuota => {
            format!("{pods} name quotas that the dump does not have, so the quota of the namespace counts: {}", names())
        }
        PodNote::Visitor => {
            format!(
                "{pods} name another quota than that of their namespace, and have the namespace `NAMESPACE@QUOTA` there"
            )
        }
        PodNote::NoClass => {
            format!(
                "{pods} name priority classes that the dump does not have, and have the priority of the trace: {}",
                names()
            )
        }
        PodNote::Foreign => format!(
            "{pods} of DaemonSets, static pods or pods of kube-system may be evicted here, unlike in the cluster, since \
             their quotas guarantee them nothing"
        ),
        PodNote::NotPreemptible => format!(
            "{pods} with a label that forbids their eviction may be evicted here: without quotas nothing guarantees them \
             their place"
        ),
        PodNote::Unobserved => {
            format!("{pods} {has} a disruption budget without `status.disruptionsAllowed`: none of them may be evicted")
        }
        PodNote::TwoBudgets => {
            format!("{pods} {has} several disruption budgets: the API then refuses every eviction, so none is allowed")
        }
        PodNote::MixedBudgets => {
            format!("{pods} of gangs whose members have different disruption budgets have that of the first member")
        }
    }
}

/// Adds the notes about nodes.
fn about_nodes(dump: &Dump, options: &TraceOptions, notes: &mut Vec<String>) {
    let settings = settings(options);
    let (mut unready, mut unhealthy) = (0, 0);
    let mut losses: BTreeMap<String, Vec<&Name>> = BTreeMap::new();
    for node in dump.nodes.iter().map(|node| &node.facts) {
        let (spec, lost) = node_spec(node, NodeId(0), &settings);
        unready += u64::from(node.ready == Some(false));
        unhealthy += spec.unhealthy.iter().count() as u64;
        for loss in lost {
            losses.entry(loss.text()).or_default().push(&node.name);
        }
    }
    if unready > 0 {
        let nodes = many(unready, "node");
        notes.push(format!("{nodes} not ready: only pods that tolerate it are placed there, and none is evicted"));
    }
    if unhealthy > 0 {
        let devices = many(unhealthy, "device");
        notes.push(format!("{devices} not allocatable: those with the highest index of each node count as unhealthy"));
    }
    for (loss, nodes) in losses {
        let names = listed(nodes.iter().map(|name| format!("`{name}`")));
        let noun = if nodes.len() == 1 { "node" } else { "nodes" };
        notes.push(format!("{noun} {names}: {loss}"));
    }
}

/// The first of some names, and how many more there are.
fn listed(names: impl Iterator<Item = String>) -> String {
    let all: Vec<String> = names.collect();
    let shown = all.iter().take(MAX_NAMES).cloned().collect::<Vec<_>>().join(", ");
    match all.len().saturating_sub(MAX_NAMES) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// A number with its noun, in the plural where necessary.
fn many(count: u64, thing: &str) -> String {
    format!("{count} {thing}{}", if count == 1 { "" } else { "s" })
}
