//! Nodes of the cluster, as the core has them.
//!
//! A node that is deleted while it has pods takes no new ones, and is reported gone with its last pod.

use super::Live;
use crate::{actor::seen::Seen, settings::Settings};
use quotree_core::{Event, Name, NodeId, NodeSpec};
use quotree_k8s::{Taint, affinity::NodeRule, node_spec};
use std::collections::{BTreeMap, BTreeSet};

/// What the core knows about nodes.
#[derive(Debug, Clone, Default)]
pub(crate) struct Nodes {
    known: BTreeMap<Name, NodeSpec>,
    /// Deleted nodes with pods.
    leaving: BTreeSet<Name>,
    /// Rules behind synthetic labels, by label.
    rules: BTreeMap<Name, NodeRule>,
    /// Pods on nodes that are not known, by node.
    adrift: BTreeMap<Name, BTreeSet<Name>>,
    /// The taints that keep pods away, of all nodes.
    taints: BTreeSet<Taint>,
}

impl Nodes {
    /// The taints that keep pods away, of all nodes.
    pub(crate) const fn taints(&self) -> &BTreeSet<Taint> {
        &self.taints
    }

    /// Looks at the taints of all nodes. Returns whether there are others than before.
    pub(crate) fn read_taints(&mut self, seen: &Seen) -> bool {
        let taints = seen.nodes.values().flat_map(|node| node.facts.repelling()).collect();
        std::mem::replace(&mut self.taints, taints) != self.taints
    }

    /// Notes that a pod names a node that is not known.
    pub(crate) fn note_adrift(&mut self, node: &Name, uid: &Name) {
        self.adrift.entry(node.clone()).or_default().insert(uid.clone());
    }
}

/// The node as the core takes it, with the synthetic labels of all rules.
fn spec_of(live: &Live, seen: &Seen, settings: &Settings, name: &Name, id: NodeId) -> Option<NodeSpec> {
    let facts = &seen.nodes.get(name)?.facts;
    let (mut spec, _) = node_spec(facts, id, &settings.node);
    let admits = live.nodes.rules.values().filter(|rule| rule.admits(facts));
    spec.labels.extend(admits.map(|rule| (rule.label.clone(), "true".into())));
    Some(spec)
}

/// Reports the newest state of a node. Returns the pods that waited for the node to be known.
pub(crate) fn advance(live: &mut Live, seen: &Seen, settings: &Settings, name: &Name) -> Vec<Name> {
    let known = live.ids.node(name);
    if !seen.nodes.contains_key(name) {
        if let Some(id) = known {
            live.nodes.leaving.insert(name.clone());
            close(live, name, id);
        }
        return Vec::new();
    }
    live.nodes.leaving.remove(name);
    let id = known.unwrap_or_else(|| {
        let id = live.ids.add_node(name);
        live.recorder.node(&live.ids, name);
        id
    });
    let Some(spec) = spec_of(live, seen, settings, name, id) else { return Vec::new() };
    if live.nodes.known.get(name) == Some(&spec) {
        return Vec::new();
    }
    let event = if known.is_some() { Event::NodeChanged(spec.clone()) } else { Event::NodeUp(spec.clone()) };
    let about = || format!("node {name}");
    if live.apply(event, about) {
        live.nodes.known.insert(name.clone(), spec);
    } else if known.is_none() {
        live.ids.forget_node(name);
        return Vec::new();
    }
    live.nodes.adrift.remove(name).into_iter().flatten().collect()
}

/// Reports deleted nodes of which the last pod is gone.
pub(crate) fn close_empty(live: &mut Live) {
    for name in live.nodes.leaving.clone() {
        if let Some(id) = live.ids.node(&name) {
            close(live, &name, id);
        }
    }
}

/// Whether a node was deleted.
pub(crate) fn is_leaving(live: &Live, id: NodeId) -> bool {
    live.ids.node_name(id).is_none_or(|name| live.nodes.leaving.contains(name))
}

fn close(live: &mut Live, name: &Name, id: NodeId) {
    let empty = live.core.node(id).is_none_or(|node| node.pods.is_empty());
    if empty {
        live.apply(Event::NodeDown { node: id }, || format!("node {name}"));
        live.ids.forget_node(name);
        live.nodes.known.remove(name);
        live.nodes.leaving.remove(name);
        return;
    }
    let Some(spec) = live.nodes.known.get(name).filter(|spec| spec.schedulable) else { return };
    let closed = NodeSpec { schedulable: false, ..spec.clone() };
    if live.apply(Event::NodeChanged(closed.clone()), || format!("node {name}")) {
        live.nodes.known.insert(name.clone(), closed);
    }
}

/// Takes the rule behind a synthetic label: nodes that satisfy it get the label.
pub(crate) fn add_rule(live: &mut Live, seen: &Seen, settings: &Settings, rule: NodeRule) {
    if live.nodes.rules.contains_key(&rule.label) {
        return;
    }
    let admitted: Vec<Name> =
        seen.nodes.values().filter(|node| rule.admits(&node.facts)).map(|node| node.facts.name.clone()).collect();
    live.nodes.rules.insert(rule.label.clone(), rule);
    for name in admitted {
        advance(live, seen, settings, &name);
    }
}
