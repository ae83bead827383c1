//! Events about nodes.

use super::pod;
use crate::{
    api::{DeviceSet, EventError, NodeId, NodeSpec, PodId, ReleaseReason},
    scheduler::{
        cluster::Cluster,
        hold,
        state::{Assignment, NodeSlot, PodRef},
    },
};

pub(super) fn up(cluster: &mut Cluster, spec: NodeSpec) -> Result<(), EventError> {
    if cluster.nodes.slot(spec.id).is_some() {
        return Err(EventError::DuplicateNode(spec.id));
    }
    cluster.nodes.add(spec, &mut cluster.workloads.interner).map(drop)
}

pub(super) fn changed(cluster: &mut Cluster, spec: NodeSpec) -> Result<(), EventError> {
    let (id, slot) = (spec.id, cluster.nodes.slot(spec.id).ok_or(EventError::UnknownNode(spec.id))?);
    let other_devices = !cluster.nodes.at(slot).spec.same_devices(&spec);
    let pods = if other_devices { pods_with_devices(cluster, slot) } else { Vec::new() };
    if !pods.is_empty() {
        return Err(EventError::DevicesInUse { node: id, pods });
    }
    cluster.nodes.check(&spec, &mut cluster.workloads.interner)?;
    if other_devices {
        let counts_on = |(_, at): &(PodRef, Assignment)| at.node == slot && at.devices != DeviceSet::default();
        let reason = ReleaseReason::NodeLost(id);
        hold::end_by_event(cluster, |hold| hold.assignments.iter().any(counts_on), reason);
    }
    cluster.nodes.change(slot, spec, &mut cluster.workloads.interner)
}

/// The pods on a node that have devices there, by id.
fn pods_with_devices(cluster: &Cluster, node: NodeSlot) -> Vec<PodId> {
    let devices =
        |pod: &PodRef| cluster.workloads.pod(*pod).map_or_else(DeviceSet::default, |row| row.assignment.devices);
    let with_devices = cluster.nodes.at(node).pods.iter().filter(|pod| devices(pod) != DeviceSet::default());
    let mut pods: Vec<PodId> = with_devices.map(|pod| cluster.workloads.id_of(*pod)).collect();
    pods.sort_unstable();
    pods
}

pub(super) fn down(cluster: &mut Cluster, id: NodeId) -> Result<(), EventError> {
    let slot = cluster.nodes.slot(id).ok_or(EventError::UnknownNode(id))?;
    let reason = ReleaseReason::NodeLost(id);
    hold::end_by_event(cluster, |hold| hold.assignments.iter().any(|(_, at)| at.node == slot), reason);
    let mut pods: Vec<PodRef> = cluster.nodes.at(slot).pods.iter().copied().collect();
    pods.sort_unstable_by_key(|pod| cluster.workloads.id_of(*pod));
    for pod in pods {
        pod::lost(cluster, pod);
    }
    cluster.nodes.remove(slot);
    Ok(())
}
