//! An eviction that a plan asked for could not be done, or was taken back (E2).

use super::pod;
use crate::{
    api::{EventError, PodId, PodState, ReleaseReason},
    scheduler::{cluster::Cluster, hold},
};

/// Why an eviction is not carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    /// It could not be done, so it is not asked for again before there is news.
    Failed,
    /// The caller took it back.
    Withdrawn,
}

impl Why {
    const fn event(self) -> &'static str {
        match self {
            Self::Failed => "EvictFailed",
            Self::Withdrawn => "EvictWithdrawn",
        }
    }
}

/// The pod goes on as if it had never been evicted.
pub(super) fn undo(cluster: &mut Cluster, id: PodId, why: Why) -> Result<(), EventError> {
    let (pod, state) = pod::find(cluster, id)?;
    if state != PodState::Terminating {
        return Err(pod::impossible(id, state, why.event()));
    }
    // Where no plan evicted it, or somebody else stops it since, it is leaving whatever became of the eviction.
    let Some(eviction) = cluster.evictions.take(id) else { return Ok(()) };
    let slot = pod.workload;
    if let Some(hold) = cluster.workloads.pod(pod).and_then(|row| row.evicted_for) {
        hold::end_one_by_event(cluster, hold, ReleaseReason::EvictFailed(id));
    }
    let was_binding = eviction.was_binding && eviction.started.is_none();
    cluster.stop_terminating(pod, if was_binding { PodState::Binding } else { PodState::Running });
    if let Some(at) = eviction.started {
        pod::runs(cluster, pod, at);
    }
    if let Some(budget) = cluster.evictions.owed_to(&eviction)
        && let Some(left) = cluster.budgets.get_mut(&budget)
    {
        *left += 1;
    }
    let leaf = cluster.workloads.at(slot).leaf;
    cluster.quotas.start_draining(cluster.policy.enforce_max, leaf);
    pod::note_if_stale(cluster, slot);
    let workload = cluster.workloads.at_mut(slot);
    workload.evict_failed |= why == Why::Failed;
    workload.unreplaced = workload.unreplaced.saturating_sub(1);
    workload.evicted_whole &= workload.is_below_minimum();
    workload.lost_some = workload.is_below_minimum();
    if why == Why::Failed {
        cluster.evictions.spare(id.workload);
    }
    cluster.update_victim_index(slot);
    cluster.requeue_if_changed(slot);
    Ok(())
}
