//! The holds: workloads that evicted others, and wait until these have left (H1).

use crate::{
    api::{PodId, ReleaseReason, Time, WorkloadId},
    scheduler::{
        nodes::NodeReservation,
        quota::PendingChange,
        state::{AskId, Assignments, HoldId, NodeSlot, PodRef, WorkloadSlot, narrow},
    },
};
use smallvec::SmallVec;
use std::collections::{BTreeMap, BTreeSet};

/// A workload that waits for its victims to leave, with what is reserved for it.
#[derive(Debug, Clone)]
pub(crate) struct Hold {
    pub(crate) slot: WorkloadSlot,
    pub(crate) ask: AskId,
    /// When it was made.
    pub(crate) since: Time,
    /// The scheduler's generation when it was made.
    pub(crate) made: u64,
    /// Where its pods will be placed.
    pub(crate) assignments: Assignments,
    /// The victims that have not left yet.
    pub(crate) victims: BTreeSet<PodRef>,
    /// What it reserves in quotas: its request, less what its victims will free there.
    pub(crate) change: PendingChange,
    /// What it reserves on nodes.
    pub(crate) reserved: SmallVec<[(NodeSlot, NodeReservation); 1]>,
}

/// All holds, in the order in which they were made.
#[derive(Debug, Clone, Default)]
pub(crate) struct Holds {
    by_id: BTreeMap<HoldId, Hold>,
    next_id: u32,
    /// Holds whose victims may all be gone.
    ready: Vec<HoldId>,
    /// Holds that events have ended, to be reported with the next plan.
    pub(crate) ended: Vec<(WorkloadId, ReleaseReason)>,
    /// Terminating pods that no hold waits for. They are ordered by id, not by slot: slots are reused, and which pods a
    /// plan waits for must not depend on that.
    pub(crate) unclaimed_terminating: BTreeMap<PodId, PodRef>,
    /// Terminating pods for which nobody waits any more, because a hold for them took too long (H2).
    pub(crate) late: BTreeSet<PodId>,
}

impl Holds {
    /// The id of the next hold.
    pub(crate) fn issue(&mut self) -> HoldId {
        let id = HoldId(self.next_id);
        self.next_id += 1;
        id
    }

    pub(crate) fn insert(&mut self, id: HoldId, hold: Hold) {
        self.by_id.insert(id, hold);
    }

    pub(crate) fn remove(&mut self, id: HoldId) -> Option<Hold> {
        let hold = self.by_id.remove(&id)?;
        self.ready.retain(|ready| *ready != id);
        Some(hold)
    }

    pub(crate) fn get(&self, id: HoldId) -> Option<&Hold> {
        self.by_id.get(&id)
    }

    pub(crate) fn get_mut(&mut self, id: HoldId) -> Option<&mut Hold> {
        self.by_id.get_mut(&id)
    }

    /// All holds, the oldest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (HoldId, &Hold)> {
        self.by_id.iter().map(|(id, hold)| (*id, hold))
    }

    /// The holds that a condition is true of, the oldest first.
    pub(crate) fn ids_where(&self, which: impl Fn(&Hold) -> bool) -> Vec<HoldId> {
        self.iter().filter(|(_, hold)| which(hold)).map(|(id, _)| id).collect()
    }

    pub(crate) fn len(&self) -> usize {
        self.by_id.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    /// Notes that the victims of a hold are gone.
    pub(crate) fn note_ready(&mut self, id: HoldId) {
        self.ready.push(id);
    }

    /// Takes out the holds whose victims may all be gone, the oldest first.
    pub(crate) fn take_ready(&mut self) -> Vec<HoldId> {
        let mut ready = std::mem::take(&mut self.ready);
        ready.sort_unstable();
        ready.dedup();
        ready
    }

    /// Notes that a pod without a hold is gone, or goes on after all.
    pub(crate) fn forget_terminating(&mut self, pod: PodId) {
        self.unclaimed_terminating.remove(&pod);
        self.late.remove(&pod);
    }

    /// How many pods are terminating, for holds or not.
    pub(crate) fn terminating(&self) -> u32 {
        let awaited = self.by_id.values().map(|hold| hold.victims.len()).sum::<usize>();
        narrow(awaited + self.unclaimed_terminating.len())
    }
}
