//! Events about pods.

use super::{place, spared::end_sparing};
use crate::{
    api::{BoundAt, EventError, PodId, PodOutcome, PodState, ReleaseReason, Time, WorkloadId},
    scheduler::{
        cluster::Cluster,
        hold,
        state::{BackOff, PodRef, WorkloadSlot},
    },
};

/// A pod that has not ended, and its state.
pub(super) fn find(cluster: &Cluster, pod: PodId) -> Result<(PodRef, PodState), EventError> {
    let slot = cluster.workloads.slot(pod.workload).ok_or(EventError::UnknownPod(pod))?;
    let row = cluster.workloads.at(slot).pod(pod.ordinal).ok_or(EventError::UnknownPod(pod))?;
    let state = row.state.ok_or(EventError::UnknownPod(pod))?;
    Ok((slot.pod(pod.ordinal), state))
}

pub(super) fn bound(cluster: &mut Cluster, id: PodId, at: Time, elsewhere: Option<BoundAt>) -> Result<(), EventError> {
    let (pod, state) = find(cluster, id)?;
    if !matches!(state, PodState::Binding | PodState::Terminating) {
        return Err(impossible(id, state, "PodBound"));
    }
    if let Some(BoundAt { node, devices }) = elsewhere {
        let assignment = place::assignment(cluster, node, devices)?;
        place::move_to(cluster, pod, assignment);
    }
    if state == PodState::Terminating {
        cluster.evictions.note_start(id, at);
        return Ok(());
    }
    runs(cluster, pod, at);
    cluster.update_victim_index(pod.workload);
    Ok(())
}

/// Marks a pod that is being bound as running since this time.
pub(super) fn runs(cluster: &mut Cluster, pod: PodRef, since: Time) {
    if let Some(row) = cluster.workloads.pod_mut(pod) {
        row.state = Some(PodState::Running);
    }
    let workload = cluster.workloads.at_mut(pod.workload);
    workload.ran_since = workload.ran_since.max(since);
    if workload.backs_off == BackOff::Over {
        workload.failed_binds = 0;
    }
    if cluster.policy.min_runtime_ms > 0 {
        cluster.timers.insert(since.after_ms(cluster.policy.min_runtime_ms));
    }
}

pub(super) fn bind_failed(cluster: &mut Cluster, id: PodId) -> Result<(), EventError> {
    let (pod, state) = find(cluster, id)?;
    match state {
        PodState::Binding => {}
        PodState::Terminating => return Ok(()),
        _ => return Err(impossible(id, state, "BindFailed")),
    }
    let slot = pod.workload;
    take_off(cluster, pod, Some(PodState::Pending));
    cluster.workloads.at_mut(slot).lost_some = true;
    cluster.dequeue(slot);
    cluster.update_victim_index(slot);
    start_back_off(cluster, slot);
    if cluster.workloads.at(slot).hold.is_none() {
        cluster.requeue(slot);
    }
    Ok(())
}

/// A bind of a workload failed: it is not tried again at once (E6). Binds that fail while it waits count as one.
fn start_back_off(cluster: &mut Cluster, slot: WorkloadSlot) {
    let workload = cluster.workloads.at_mut(slot);
    if cluster.policy.bind_back_off_ms.is_some() && workload.backs_off == BackOff::Over {
        workload.failed_binds = workload.failed_binds.saturating_add(1);
        workload.backs_off = BackOff::Begins;
        cluster.backing_off.begin(workload.id);
    }
}

pub(super) fn gone(cluster: &mut Cluster, id: PodId, outcome: PodOutcome) -> Result<(), EventError> {
    let (pod, state) = find(cluster, id)?;
    let slot = pod.workload;
    if state == PodState::Pending {
        cluster.dequeue(slot);
        if let Some(hold) = cluster.workloads.at(slot).hold {
            hold::end(cluster, hold);
        }
        end(cluster, pod);
    } else {
        end(cluster, pod);
        match outcome {
            PodOutcome::Succeeded => cluster.workloads.at_mut(slot).lower_minimum_to_active(),
            PodOutcome::Evicted => {}
            _ => note_if_stale(cluster, slot),
        }
    }
    cluster.update_victim_index(slot);
    cluster.drop_if_ended(slot);
    requeue_rest(cluster, slot, id.workload);
    Ok(())
}

/// A pod is terminating by somebody else's decision, such as a drain. A gang of which every pod is terminating requests
/// nothing any more, as if it had been evicted as a whole (G2). The audit does not blame the scheduler when such a gang
/// is below its minimum (I6).
pub(super) fn leaving(cluster: &mut Cluster, id: PodId) -> Result<(), EventError> {
    let (pod, state) = find(cluster, id)?;
    match state {
        PodState::Binding | PodState::Running => {}
        PodState::Terminating => {
            cluster.evictions.take(id);
            return Ok(());
        }
        PodState::Pending => return Err(impossible(id, state, "PodLeaving")),
    }
    let slot = pod.workload;
    let node = cluster.workloads.pod(pod).map(|row| cluster.nodes.at(row.assignment.node).id);
    cluster.start_terminating(pod, None);
    note_if_stale(cluster, slot);
    let workload = cluster.workloads.at_mut(slot);
    workload.evicted_whole |= workload.is_below_minimum() && !workload.has_active();
    let ended = workload.hold.filter(|_| workload.evicted_whole).zip(node);
    cluster.update_victim_index(slot);
    if let Some((hold, node)) = ended {
        hold::end(cluster, hold);
        cluster.holds.ended.push((id.workload, ReleaseReason::NodeLost(node)));
    }
    cluster.requeue_if_changed(slot);
    Ok(())
}

/// A pod is lost with its node.
pub(super) fn lost(cluster: &mut Cluster, pod: PodRef) {
    let slot = pod.workload;
    end(cluster, pod);
    note_if_stale(cluster, slot);
    end_sparing(cluster, slot);
    cluster.update_victim_index(slot);
    let id = cluster.workloads.at(slot).id;
    cluster.drop_if_ended(slot);
    requeue_rest(cluster, slot, id);
}

/// Ends a pod: off its node, and out of the ledger.
pub(super) fn end(cluster: &mut Cluster, pod: PodRef) {
    let Some(state) = cluster.workloads.pod(pod).and_then(|row| row.state) else { return };
    if state != PodState::Pending {
        take_off(cluster, pod, None);
    } else if let Some(row) = cluster.workloads.pod_mut(pod) {
        row.state = None;
    }
    let leaf = cluster.workloads.at(pod.workload).leaf;
    let governed = cluster.workloads.governed(pod);
    cluster.quotas.ledger.add_requests(leaf, governed, -1);
}

/// Takes a pod off its node. A hold that waited for it reserves what it frees.
fn take_off(cluster: &mut Cluster, pod: PodRef, after: Option<PodState>) {
    if let Some(hold) = cluster.discharge(pod, after) {
        hold::victim_left(cluster, hold, pod);
    }
}

/// Notes a gang that runs below its minimum after it lost pods (G3).
pub(super) fn note_if_stale(cluster: &mut Cluster, slot: WorkloadSlot) {
    cluster.workloads.at_mut(slot).lost_some = true;
    if cluster.policy.stale_after_ms.is_none() {
        return;
    }
    let workload = cluster.workloads.at(slot);
    if workload.has_active() && workload.is_below_minimum() && workload.stale_since.is_none() {
        cluster.maybe_stale.insert(workload.id);
    }
}

/// After a pod ended or changed, updates what its workload waits for (G1). If none of its pods is on a node, it is no longer an
/// admitted job (A5).
pub(super) fn requeue_rest(cluster: &mut Cluster, slot: WorkloadSlot, id: WorkloadId) {
    if cluster.workloads.slot(id) != Some(slot) {
        return;
    }
    let workload = cluster.workloads.at(slot);
    if workload.admitted && workload.hold.is_none() && !workload.is_on_nodes() {
        cluster.dequeue(slot);
        cluster.requeue(slot);
    } else {
        cluster.requeue_if_changed(slot);
    }
}

pub(super) fn impossible(pod: PodId, state: PodState, event: &'static str) -> EventError {
    let state = match state {
        PodState::Pending => "pending",
        PodState::Binding => "being bound",
        PodState::Running => "running",
        PodState::Terminating => "terminating",
    };
    EventError::ImpossibleOrder { pod, state, event }
}
