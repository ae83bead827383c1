//! A kubelet for any number of nodes: what is bound runs, what is deleted goes, jobs end, nodes say that they live. It
//! does what is due whenever [`Kubelet::step`] is called, by requests like anybody else's, so that it serves the server
//! in memory and a real one alike.

use crate::{
    amounts,
    store::PatchType,
    target::{Silence, Target},
    value,
};
use futures::{StreamExt, TryStreamExt, stream};
use jiff::{Timestamp, ToSpan};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Annotation of a pod: it succeeds when it has run for so many seconds.
pub const RUNS_FOR: &str = "testkit.quotree.io/runs-for";

/// A node renews its lease after this many seconds.
const LEASE_EVERY: i64 = 10;
/// A node whose lease is older is not ready.
const LEASE_LASTS: i64 = 40;

/// The kubelets of some nodes, and what the node controller does about those that are silent.
pub struct Kubelet {
    target: Target,
    /// When each node renewed its lease.
    nodes: BTreeMap<String, Option<Timestamp>>,
    silent: BTreeSet<String>,
    lost: BTreeSet<String>,
}

impl Kubelet {
    /// No node yet.
    pub fn new(target: Target) -> Self {
        Self { target, nodes: BTreeMap::new(), silent: BTreeSet::new(), lost: BTreeSet::new() }
    }

    /// Registers a node: ready, without the taint that new nodes have.
    ///
    /// # Errors
    ///
    /// If the server does not answer; so with all of these.
    pub async fn add_node(&mut self, name: &str, allocatable: Value, labels: Value) -> Result<(), Silence> {
        let mut labels = labels;
        value::default(&mut labels, &["kubernetes.io/hostname"], name);
        let node = json!({
            "apiVersion": "v1", "kind": "Node", "metadata": { "name": name, "labels": labels },
            "status": { "allocatable": allocatable, "capacity": allocatable, "conditions": [self.ready("True")] },
        });
        self.target.post(&self.target.cluster("v1", "nodes"), node).await?;
        let path = self.target.cluster("v1", &format!("nodes/{name}"));
        self.target.patch(&path, PatchType::Merge, json!({ "spec": { "taints": null } })).await?;
        self.nodes.insert(name.to_owned(), None);
        Ok(())
    }

    /// The node is silent from now on: it renews no lease, starts and ends no pod.
    pub fn silence(&mut self, node: &str) {
        self.silent.insert(node.to_owned());
    }

    /// The node speaks again.
    pub fn restore(&mut self, node: &str) {
        self.silent.remove(node);
    }

    /// A container of a pod fails, and with it the pod.
    pub async fn fail(&self, namespace: &str, pod: &str) -> Result<(), Silence> {
        let path = self.target.cluster("v1", &format!("namespaces/{namespace}/pods/{pod}/status"));
        let ended = self.ended("Failed", "Error", "a container failed");
        self.target.patch(&path, PatchType::Strategic, ended).await.map(|_| ())
    }

    /// Does all that is due, and tells how many pods it touched.
    pub async fn step(&mut self) -> Result<usize, Silence> {
        self.renew_leases().await?;
        self.judge_nodes().await?;
        let pods = self.target.get("/api/v1/pods?fieldSelector=spec.nodeName!%3D").await?;
        let nodes = self.target.get("/api/v1/nodes").await?;
        let pods = value::items(&pods.body, &["items"]);
        let nodes = value::items(&nodes.body, &["items"]);
        let mut due = Vec::new();
        for pod in pods {
            let node = value::text(pod, &["spec", "nodeName"]);
            if self.nodes.contains_key(node) && !self.silent.contains(node) {
                let its = nodes.iter().find(|one| value::name(one) == node);
                due.push(self.tend(pod, pods, its));
            }
        }
        // In memory one after the other, so that each run is the same.
        let at_once = if self.target.server().is_some() { 1 } else { 16 };
        let touched = stream::iter(due).buffer_unordered(at_once);
        touched.try_fold(0, async |sum, touched| Ok(sum + usize::from(touched))).await
    }

    /// Does what is due for one pod.
    async fn tend(&self, pod: &Value, pods: &[Value], node: Option<&Value>) -> Result<bool, Silence> {
        let now = self.target.now();
        let path =
            self.target.cluster("v1", &format!("namespaces/{}/pods/{}", value::namespace(pod), value::name(pod)));
        if value::has(pod, &["metadata", "deletionTimestamp"]) {
            let grace = value::at(pod, &["metadata", "deletionGracePeriodSeconds"]).as_i64().unwrap_or(0);
            let ends = time(pod, &["metadata", "deletionTimestamp"]).unwrap_or(now);
            let stopped = ends.saturating_sub((grace - grace.min(1)).seconds()).unwrap_or(ends);
            if now < stopped {
                return Ok(false);
            }
            let uid = value::text(pod, &["metadata", "uid"]);
            let gone = json!({ "gracePeriodSeconds": 0, "preconditions": { "uid": uid } });
            self.target.delete(&path, gone).await?;
            return Ok(true);
        }
        let status = match value::text(pod, &["status", "phase"]) {
            "Pending" => self.start(pod, pods, node),
            "Running" => {
                let seconds: Option<i64> = value::text(pod, &["metadata", "annotations", RUNS_FOR]).parse().ok();
                let since = time(pod, &["status", "startTime"]).unwrap_or(now);
                match seconds {
                    Some(seconds) if now.duration_since(since).as_secs() >= seconds => {
                        self.ended("Succeeded", "Completed", "")
                    }
                    _ => return Ok(false),
                }
            }
            _ => return Ok(false),
        };
        self.target.patch(&format!("{path}/status"), PatchType::Strategic, status).await?;
        Ok(true)
    }

    /// The status of a pod that starts; or that is refused, as a kubelet refuses what does not fit beside those that it
    /// runs already.
    fn start(&self, pod: &Value, pods: &[Value], node: Option<&Value>) -> Value {
        let others = pods.iter().filter(|other| {
            value::text(other, &["spec", "nodeName"]) == value::text(pod, &["spec", "nodeName"])
                && value::text(other, &["status", "phase"]) == "Running"
        });
        let lacking = node.and_then(|node| amounts::lacking(&amounts::free(node, others), &amounts::requests(pod)));
        if let Some(resource) = lacking {
            return self.ended(
                "Failed",
                &format!("OutOf{resource}"),
                "Pod was rejected: Node didn't have enough resource",
            );
        }
        let started = crate::store::stamp(self.target.now());
        json!({ "status": {
            "phase": "Running", "startTime": started,
            "conditions": [self.ready("True"), { "type": "ContainersReady", "status": "True" }],
        } })
    }

    fn ended(&self, phase: &str, reason: &str, message: &str) -> Value {
        json!({ "status": {
            "phase": phase, "reason": reason, "message": message, "conditions": [self.ready("False")],
        } })
    }

    fn ready(&self, status: &str) -> Value {
        json!({ "type": "Ready", "status": status, "lastTransitionTime": crate::store::stamp(self.target.now()) })
    }

    async fn renew_leases(&mut self) -> Result<(), Silence> {
        let now = self.target.now();
        let leases = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases";
        for (name, renewed) in &mut self.nodes {
            let due = renewed.is_none_or(|at| now.duration_since(at).as_secs() >= LEASE_EVERY);
            if self.silent.contains(name) || !due {
                continue;
            }
            let spec = json!({
                "holderIdentity": name, "leaseDurationSeconds": LEASE_LASTS,
                "renewTime": now.strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string(),
            });
            let path = format!("{leases}/{name}");
            if self.target.patch(&path, PatchType::Merge, json!({ "spec": spec })).await?.code == 404 {
                let lease = json!({
                    "apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": { "name": name }, "spec": spec,
                });
                self.target.post(leases, lease).await?;
            }
            *renewed = Some(now);
        }
        Ok(())
    }

    /// What the node controller does: a node whose lease is too old is not ready, and tainted; and back.
    async fn judge_nodes(&mut self) -> Result<(), Silence> {
        let now = self.target.now();
        for (name, renewed) in &self.nodes {
            let is_lost = renewed.is_some_and(|at| now.duration_since(at).as_secs() > LEASE_LASTS);
            if is_lost == self.lost.contains(name) {
                continue;
            }
            let path = self.target.cluster("v1", &format!("nodes/{name}"));
            let status = json!({ "status": { "conditions": [self.ready(if is_lost { "Unknown" } else { "True" })] } });
            self.target.patch(&format!("{path}/status"), PatchType::Strategic, status).await?;
            let taint = |effect: &str| json!({ "key": "node.kubernetes.io/unreachable", "effect": effect });
            let taints = if is_lost { json!([taint("NoSchedule"), taint("NoExecute")]) } else { Value::Null };
            self.target.patch(&path, PatchType::Merge, json!({ "spec": { "taints": taints } })).await?;
            if is_lost {
                self.lost.insert(name.clone());
            } else {
                self.lost.remove(name);
            }
        }
        Ok(())
    }
}

fn time(object: &Value, path: &[&str]) -> Option<Timestamp> {
    value::text(object, path).parse().ok()
}
