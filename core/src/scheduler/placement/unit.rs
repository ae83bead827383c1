//! Placing the pods of a unit in available room, by the placement policy (P1, P2).

use crate::scheduler::{
    cluster::{Cluster, Trial},
    state::{Assignment, Assignments, PodRef, WorkloadSlot},
};

/// The node that the placement policy gives a pod now, and its devices there; nothing where no node has room.
pub(crate) fn pick(cluster: &mut Cluster, pod: PodRef) -> Option<Assignment> {
    let workload = cluster.workloads.at(pod.workload);
    let id = workload.template(pod.ordinal);
    let draw = u64::from(workload.id.0) << 32 | u64::from(pod.ordinal);
    cluster.nodes.pick(id, cluster.workloads.interner.template(id), draw)
}

/// Places all pods of the next unit of a workload, or none (G1). The pods stay on their nodes.
pub(super) fn place(cluster: &mut Cluster, slot: WorkloadSlot) -> Option<Assignments> {
    let mut trial = Trial::default();
    for ordinal in cluster.workloads.next_pods(slot) {
        let pod = slot.pod(ordinal);
        let Some(assignment) = pick(cluster, pod) else {
            cluster.undo(trial);
            return None;
        };
        cluster.trial_bind(&mut trial, pod, assignment);
    }
    Some(trial.bound().iter().copied().collect())
}
