//! A cluster with workloads of one pod or one gang each, that knows what runs.

#![expect(clippy::unwrap_used, reason = "a bench that cannot run has nothing to say")]

use super::Meter;
use crate::cluster::Cluster;
use quotree_core::{
    Amounts, Event, NodeSpec, Plan, PodId, PodOutcome, Policy, QuotaSpec, Scheduler, Time, TreeSpec, WorkloadId,
    WorkloadSpec,
};
use quotree_testkit::dice::Dice;
use std::collections::BTreeSet;

/// `n` whole ones of a resource.
pub(super) fn whole(resource: &str, n: u32) -> Amounts {
    Amounts::new().with(resource, i64::from(n) * 1000)
}

/// `n` cores.
pub(super) fn cpu(n: u32) -> Amounts {
    whole("cpu", n)
}

/// The namespace and quota of a leaf.
pub(super) fn leaf(index: u32) -> String {
    format!("leaf-{index}")
}

/// A root with leaves below it, each with its guarantee. Every quota may use all that there is.
pub(super) fn flat(all: &Amounts, mins: impl IntoIterator<Item = Amounts>) -> TreeSpec {
    let root = QuotaSpec::new("root", None).min(all.clone()).max(all.clone());
    let leaves = mins.into_iter().zip(0..).map(|(min, index)| {
        QuotaSpec::new(&leaf(index), Some("root")).min(min).max(all.clone()).namespace(&leaf(index))
    });
    std::iter::once(root).chain(leaves).collect()
}

/// A scheduler, its cluster, and the pods that run.
pub(super) struct World {
    pub(super) cluster: Cluster,
    pub(super) running: Vec<PodId>,
    workloads: u32,
    now: u64,
}

impl World {
    pub(super) fn new(tree: &TreeSpec, policy: Policy) -> Self {
        let scheduler = Scheduler::new(tree, policy).unwrap();
        Self { cluster: Cluster::new(scheduler), running: Vec::new(), workloads: 0, now: 0 }
    }

    pub(super) fn add_nodes(&mut self, nodes: impl IntoIterator<Item = NodeSpec>) {
        for node in nodes {
            self.cluster.tell(Event::NodeUp(node)).unwrap();
        }
    }

    /// Submits a pod to a leaf.
    pub(super) fn submit(&mut self, to: u32, request: Amounts) -> WorkloadId {
        self.submit_as(to, |id, namespace, now| WorkloadSpec::pod(id, namespace, now, request))
    }

    /// Submits what `make` makes of a fresh id, the namespace of a leaf and the time.
    pub(super) fn submit_as(&mut self, to: u32, make: impl FnOnce(u32, &str, Time) -> WorkloadSpec) -> WorkloadId {
        let spec = make(self.workloads, &leaf(to), Time(self.now));
        let id = spec.id;
        self.workloads += 1;
        self.cluster.tell(Event::WorkloadSubmitted(spec)).unwrap();
        id
    }

    /// Decides, and reports what came true.
    pub(super) fn decide(&mut self) -> Plan {
        self.now += 1;
        let (running, mut gone) = (&mut self.running, BTreeSet::new());
        let plan =
            self.cluster.decide(Time(self.now), |pod, _| running.push(pod), |workload| _ = gone.insert(workload));
        if !gone.is_empty() {
            running.retain(|pod| !gone.contains(&pod.workload));
        }
        plan.unwrap()
    }

    /// Ends a running pod drawn at random, decides, and reports what came true: one turn.
    pub(super) fn end_one(&mut self, meter: &mut Meter, dice: &mut Dice) {
        let ending = self.running.swap_remove(dice.index(self.running.len()));
        meter.turns(1, || {
            self.end(ending);
            self.decide();
        });
    }

    /// Ends a pod.
    pub(super) fn end(&mut self, pod: PodId) {
        self.cluster.tell(Event::PodGone { pod, outcome: PodOutcome::Succeeded }).unwrap();
    }
}
