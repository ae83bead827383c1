//! Pods that are found on a node to which no plan bound them (E1).

use super::{place, pod};
use crate::{
    api::{DeviceSet, EventError, FoundState, NodeId, PodId, PodState, Time},
    scheduler::{cluster::Cluster, hold, state::BackOff},
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
    let assignment = place::assignment(cluster, found.node, found.devices)?;
    let slot = pod.workload;
    cluster.dequeue(slot);
    if let Some(hold) = cluster.workloads.at(slot).hold {
        hold::end(cluster, hold);
    }
    cluster.workloads.at_mut(slot).backs_off = BackOff::Over;
    cluster.set_admitted(slot, true);
    place::put(cluster, pod, assignment, PodState::Binding);
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
    place::note_domain(cluster, slot);
    Ok(())
}
