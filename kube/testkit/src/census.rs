//! A recount of the cluster: what each node and each quota has, from the objects alone. It follows the changes of objects one by
//! one, so that it is exact after each of them, and a change costs what it changes.

use crate::{amounts, amounts::Amounts, store::Change, value};
use jiff::Timestamp;
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// The gate that holds pods until their quota admits them.
pub const GATE: &str = "quotree.io/quota";
const HOSTNAME: &str = "kubernetes.io/hostname";
const GANG: &str = "pod-group.scheduling.sigs.k8s.io/name";
const GANG_MIN: &str = "pod-group.scheduling.sigs.k8s.io/min-available";

/// What counts of a pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pod {
    /// `metadata.uid`.
    pub uid: String,
    /// Namespace and name.
    pub key: (String, String),
    /// What it requests, in thousandths.
    pub requests: Amounts,
    /// `spec.nodeName`; empty if it has none.
    pub node: String,
    /// The node that it is pinned to; empty if it is not.
    pub pin: String,
    /// Whether it has our gate.
    pub gated: bool,
    /// Whether it has the gate of somebody else.
    pub foreign_gate: bool,
    /// `spec.schedulerName`.
    pub scheduler: String,
    /// Whether it has not ended.
    pub active: bool,
    /// When its grace ends, if it is being deleted.
    pub leaves: Option<Timestamp>,
    /// `deletionGracePeriodSeconds`.
    pub grace: i64,
    /// `spec.terminationGracePeriodSeconds`.
    pub own_grace: i64,
    /// `status.phase`.
    pub phase: String,
    /// `spec.priority`.
    pub priority: i64,
    /// Its gang, and how many pods that needs.
    pub gang: Option<(String, usize)>,
    /// Whether it belongs to a DaemonSet, or is the mirror of a static pod.
    pub of_node: bool,
    /// The name of its controller; empty if it has none.
    pub owner: String,
}

impl Pod {
    /// Reads a pod.
    pub fn of(pod: &Value) -> Self {
        let text = |path: &[&str]| value::text(pod, path).to_owned();
        let gates = value::items(pod, &["spec", "schedulingGates"]);
        let is_ours = |gate: &Value| value::text(gate, &["name"]) == GATE;
        let owners = value::items(pod, &["metadata", "ownerReferences"]);
        let annotations = value::at(pod, &["metadata", "annotations"]);
        let min = value::label(pod, GANG_MIN).and_then(|min| min.parse().ok()).unwrap_or(1);
        Self {
            uid: text(&["metadata", "uid"]),
            key: (value::namespace(pod).to_owned(), value::name(pod).to_owned()),
            requests: amounts::requests(pod),
            node: text(&["spec", "nodeName"]),
            pin: text(&["spec", "nodeSelector", HOSTNAME]),
            gated: gates.iter().any(is_ours),
            foreign_gate: !gates.iter().all(is_ours),
            scheduler: text(&["spec", "schedulerName"]),
            active: amounts::is_active(pod),
            leaves: value::text(pod, &["metadata", "deletionTimestamp"]).parse().ok(),
            grace: value::at(pod, &["metadata", "deletionGracePeriodSeconds"]).as_i64().unwrap_or(0),
            own_grace: value::at(pod, &["spec", "terminationGracePeriodSeconds"]).as_i64().unwrap_or(30),
            phase: text(&["status", "phase"]),
            priority: value::at(pod, &["spec", "priority"]).as_i64().unwrap_or(0),
            gang: value::label(pod, GANG).map(|gang| (gang.to_owned(), min)),
            of_node: owners.iter().any(|owner| value::text(owner, &["kind"]) == "DaemonSet")
                || value::has(annotations, &["kubernetes.io/config.mirror"]),
            owner: owners.first().map(|owner| value::text(owner, &["name"]).to_owned()).unwrap_or_default(),
        }
    }

    /// The node that it takes room of: its own, or the one that it was admitted to. Empty if it waits.
    pub fn at(&self) -> &str {
        match () {
            () if !self.active => "",
            () if !self.node.is_empty() => &self.node,
            () if !self.gated && !self.foreign_gate && self.leaves.is_none() => &self.pin,
            () => "",
        }
    }
}

/// What counts of a node.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Node {
    /// What it offers, in thousandths; empty if there is no such node.
    pub allocatable: Amounts,
    /// Whether pods may go there: it is ready, not cordoned and has no taint.
    pub open: bool,
    /// What its pods take.
    pub used: Amounts,
    /// Its pods, by uid.
    pub pods: BTreeSet<String>,
}

/// The recount.
#[derive(Debug, Clone, Default)]
pub struct Census {
    /// The pods, by uid.
    pub pods: BTreeMap<String, Arc<Pod>>,
    /// The uid of the pod of this namespace and name.
    pub names: BTreeMap<(String, String), String>,
    /// The nodes, by name.
    pub nodes: BTreeMap<String, Node>,
    /// What the pods of each namespace take.
    pub used: BTreeMap<String, Amounts>,
    /// The same without those that are being deleted.
    pub staying: BTreeMap<String, Amounts>,
}

/// A change of a pod: as it was and as it is.
pub type PodChange = (Option<Arc<Pod>>, Option<Arc<Pod>>);

impl Census {
    /// Takes a change of a pod or a node. Gives the pod before and after, if it is one.
    pub fn take(&mut self, change: &Change) -> Option<PodChange> {
        match (change.resource.0.as_str(), change.resource.1.as_str()) {
            ("", "pods") => Some(self.pod(change.before.as_deref(), change.after.as_deref())),
            ("", "nodes") => {
                self.node(&change.key.1, change.after.as_deref());
                None
            }
            _ => None,
        }
    }

    /// Takes the new state of a pod.
    pub fn pod(&mut self, before: Option<&Value>, after: Option<&Value>) -> PodChange {
        let uid = before.or(after).map(|pod| value::text(pod, &["metadata", "uid"]).to_owned()).unwrap_or_default();
        let old = self.pods.remove(&uid);
        if let Some(old) = &old {
            self.charge(old, -1);
            self.names.remove(&old.key);
        }
        let new = after.map(|pod| Arc::new(Pod::of(pod)));
        if let Some(new) = &new {
            self.charge(new, 1);
            self.names.insert(new.key.clone(), new.uid.clone());
            self.pods.insert(new.uid.clone(), Arc::clone(new));
        }
        (old, new)
    }

    /// Takes the new state of a node.
    pub fn node(&mut self, name: &str, after: Option<&Value>) {
        let node = self.nodes.entry(name.to_owned()).or_default();
        node.allocatable = after.map(amounts::allocatable).unwrap_or_default();
        let ready = |condition: &Value| {
            value::text(condition, &["type"]) == "Ready" && value::text(condition, &["status"]) == "True"
        };
        node.open = after.is_some_and(|node| {
            value::items(node, &["status", "conditions"]).iter().any(ready)
                && value::at(node, &["spec", "unschedulable"]) != true
                && !value::has(node, &["spec", "taints"])
        });
    }

    fn charge(&mut self, pod: &Pod, sign: i128) {
        let at = pod.at();
        if at.is_empty() {
            return;
        }
        let node = self.nodes.entry(at.to_owned()).or_default();
        if sign > 0 {
            node.pods.insert(pod.uid.clone());
        } else {
            node.pods.remove(&pod.uid);
        }
        add(&mut node.used, &pod.requests, sign);
        add(self.used.entry(pod.key.0.clone()).or_default(), &pod.requests, sign);
        if pod.leaves.is_none() {
            add(self.staying.entry(pod.key.0.clone()).or_default(), &pod.requests, sign);
        }
    }

    /// Whether a node has room for a pod beside those that are bound there, as a kube-scheduler looks at it.
    pub fn has_room(&self, node: &str, pod: &Pod) -> bool {
        let Some(node) = self.nodes.get(node).filter(|node| node.open) else { return false };
        let mut free = node.allocatable.clone();
        for other in node.pods.iter().filter_map(|uid| self.pods.get(uid)).filter(|other| !other.node.is_empty()) {
            add(&mut free, &other.requests, -1);
        }
        amounts::lacking(&free, &pod.requests).is_none()
    }
}

/// Adds amounts, or takes them away.
pub(crate) fn add(to: &mut Amounts, amounts: &Amounts, sign: i128) {
    for (resource, amount) in amounts {
        *to.entry(resource.clone()).or_default() += sign * amount;
    }
}
