//! Where a pod is although no plan put it there: nobody asks whether it fits (E1, E3).

use crate::{
    api::{DeviceSet, EventError, NodeId, PodState},
    scheduler::{
        cluster::Cluster,
        hold,
        state::{Assignment, PodRef, WorkloadSlot},
    },
};

/// A place on a node. This does not test whether a pod fits there.
pub(super) fn assignment(cluster: &Cluster, id: NodeId, devices: DeviceSet) -> Result<Assignment, EventError> {
    let node = cluster.nodes.slot(id).ok_or(EventError::UnknownNode(id))?;
    let has = cluster.nodes.at(node).devices.first().map_or(0, |devices| devices.free.len());
    match devices.iter().find(|device| *device as usize >= has) {
        Some(device) => Err(EventError::UnknownDevice { node: id, device }),
        None => Ok(Assignment { node, devices }),
    }
}

/// Puts a pod on a node and charges it, whether it fits or not. What then exceeds a max or the node is excused, and no
/// more than that (I2, I8).
pub(super) fn put(cluster: &mut Cluster, pod: PodRef, assignment: Assignment, state: PodState) {
    cluster.nodes.put_anyway(assignment, cluster.workloads.template(pod), pod);
    cluster.nodes.excuse(assignment.node);
    cluster.charge(pod, assignment, state);
    let leaf = cluster.workloads.at(pod.workload).leaf;
    cluster.quotas.note_found(cluster.policy.enforce_max, leaf);
}

/// A pod that has a node is on another one. What was reserved while it leaves is reserved anew.
pub(super) fn move_to(cluster: &mut Cluster, pod: PodRef, to: Assignment) {
    let Some(row) = cluster.workloads.pod(pod).copied().filter(|row| row.assignment != to) else { return };
    let is_terminating = row.state == Some(PodState::Terminating);
    let hold = row.evicted_for.filter(|_| is_terminating);
    hold::change_victim(cluster, hold, |cluster| {
        let template = cluster.workloads.template(pod);
        if is_terminating {
            cluster.nodes.stop_leaving(row.assignment, template);
            cluster.nodes.start_leaving(to, template);
        }
        cluster.nodes.take(row.assignment, template, pod);
        cluster.nodes.put_anyway(to, template, pod);
        cluster.nodes.freed.note(row.assignment.node);
        if let Some(row) = cluster.workloads.pod_mut(pod) {
            row.assignment = to;
        }
    });
    cluster.nodes.excuse(to.node);
    note_domain(cluster, pod.workload);
}

/// Where the pods of a workload must share a domain, a pod that is elsewhere can open another domain to the next ones:
/// its nodes have changed in their favour (P1, W2).
pub(super) fn note_domain(cluster: &mut Cluster, slot: WorkloadSlot) {
    let workload = cluster.workloads.at(slot);
    let Some((level, (_, pod))) = workload.together.zip(workload.active().next()) else { return };
    let Some(domain) = cluster.nodes.at(pod.assignment.node).spec.domain(level) else { return };
    for node in cluster.nodes.members(&domain) {
        cluster.nodes.freed.note(node);
    }
}
