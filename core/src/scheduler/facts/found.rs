//! Pods that are found on a node to which no plan bound them (E1).

use super::pod;
use crate::{
    api::{DeviceSet, EventError, FoundState, NodeId, PodId, PodState, Time},
    scheduler::{
        cluster::Cluster,
        hold,
        state::{Assignment, PodRef},
    },
};

/// Where and how a pod was found.
pub(super) struct Found {
    pub(super) node: NodeId,
    pub(super) devices: DeviceSet,
    pub(super) state: FoundState,
    pub(super) since: Time,
}

pub(super) fn found(cluster: &mut Cluster, id: PodId, found: &Found) -> Result<(), EventError> {
    let (pod, state) = pod::find(cluster, id)?;
    if state != PodState::Pending {
        return Err(pod::impossible(id, state, "PodFound"));
    }
    let assignment = assignment(cluster, found.node, found.devices)?;
    let slot = pod.workload;
    cluster.dequeue(slot);
    if let Some(hold) = cluster.workloads.at(slot).hold {
        hold::end(cluster, hold);
    }
    cluster.set_admitted(slot, true);
    put(cluster, pod, assignment, PodState::Binding);
    match found.state {
        FoundState::Binding => {}
        FoundState::Running => pod::runs(cluster, pod, found.since),
        FoundState::Terminating => cluster.start_terminating(pod, None),
    }
    pod::note_if_stale(cluster, slot);
    // What it lost before is made good where it reaches its minimum (I6). A gang of which every pod is terminating asks
    // for nothing, as when it was evicted as a whole (G2).
    let workload = cluster.workloads.at_mut(slot);
    workload.lost_some = workload.is_below_minimum();
    workload.evicted_whole = workload.is_below_minimum() && !workload.has_active();
    cluster.update_victim_index(slot);
    cluster.enqueue(slot);
    Ok(())
}

/// A place on a node. This does not test whether a pod fits there.
pub(super) fn assignment(cluster: &Cluster, id: NodeId, devices: DeviceSet) -> Result<Assignment, EventError> {
    let node = cluster.nodes.slot(id).ok_or(EventError::UnknownNode(id))?;
    let has = cluster.nodes.at(node).devices.first().map_or(0, |devices| devices.free.len());
    match devices.iter().find(|device| *device as usize >= has) {
        Some(device) => Err(EventError::UnknownDevice { node: id, device }),
        None => Ok(Assignment { node, devices }),
    }
}

/// Puts a pod on a node and charges it, whether it fits or not. The audit tolerates the resulting excess over a max or
/// over the node, and no more (I2, I8).
pub(super) fn put(cluster: &mut Cluster, pod: PodRef, assignment: Assignment, state: PodState) {
    cluster.nodes.put_anyway(assignment, cluster.workloads.template(pod), pod);
    cluster.nodes.excuse(assignment.node);
    cluster.charge(pod, assignment, state);
    let leaf = cluster.workloads.at(pod.workload).leaf;
    cluster.quotas.note_found(cluster.policy.enforce_max, leaf);
}
