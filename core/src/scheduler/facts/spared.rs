//! Workloads of which an eviction failed are no victims until something is reported about them (E2).

use crate::{
    api::{Event, Name, WorkloadId},
    scheduler::{cluster::Cluster, state::WorkloadSlot},
};

/// The workload or the disruption budget that an event is about.
pub(super) enum About {
    Workload(WorkloadId),
    Budget(Name),
    Other,
}

impl About {
    pub(super) fn of(event: &Event) -> Self {
        match event {
            Event::PodBound { pod, .. }
            | Event::BindFailed { pod }
            | Event::PodGone { pod, .. }
            | Event::PodLeaving { pod }
            | Event::PodChanged { pod, .. }
            | Event::PodFound { pod, .. } => Self::Workload(pod.workload),
            Event::WorkloadChanged(change) => Self::Workload(change.workload),
            Event::BudgetChanged { budget, .. } => Self::Budget(budget.clone()),
            _ => Self::Other,
        }
    }

    /// Something was reported: who was spared for lack of it is spared no longer.
    pub(super) fn end_sparing(self, cluster: &mut Cluster) {
        match self {
            Self::Workload(id) => cluster.workloads.slot(id).into_iter().for_each(|slot| end_sparing(cluster, slot)),
            Self::Budget(budget) => {
                for id in cluster.evictions.spared() {
                    let slot = cluster.workloads.slot(id);
                    let has_it = |slot: &WorkloadSlot| cluster.workloads.at(*slot).budget.as_deref() == Some(&budget);
                    if let Some(slot) = slot.filter(has_it) {
                        end_sparing(cluster, slot);
                    }
                }
            }
            Self::Other => {}
        }
    }
}

/// Something was reported about a workload: it may be a victim again, also of a max that is enforced (T4).
pub(super) fn end_sparing(cluster: &mut Cluster, slot: WorkloadSlot) {
    let workload = cluster.workloads.at_mut(slot);
    if !std::mem::take(&mut workload.evict_failed) {
        return;
    }
    let (id, leaf) = (workload.id, workload.leaf);
    cluster.evictions.spare_no_longer(id);
    cluster.quotas.start_draining(cluster.policy.enforce_max, leaf);
    cluster.update_victim_index(slot);
}
