//! The workloads: what became of each pod, and which of them could be victims.

use crate::scheduler::{
    nodes::{Assignment, PodRef},
    queue::order::Key,
    quota::ledger::{QuotaSlot, Row},
    state::interner::{AskId, Interner, TemplateId},
    view::PodState,
};
use crate::{
    api::{Level, Name, PodId, Time, WorkloadId},
    scheduler::state::table::{Table, narrow},
};
use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;
use smallvec::SmallVec;
use std::cmp::Reverse;

/// The place of a workload in the table; reused after it has ended.
pub(crate) type WorkloadSlot = u32;
pub(crate) type HoldId = u32;

#[derive(Debug, Clone, Copy)]
pub(crate) struct Set {
    pub(crate) template: TemplateId,
    pub(crate) count: u32,
    pub(crate) min: u32,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Pod {
    /// Nothing when it has ended.
    pub(crate) state: Option<PodState>,
    /// Which of the workload's sets it belongs to.
    pub(crate) set: u16,
    pub(crate) spot: Assignment,
    /// The hold that waits for it to leave.
    pub(crate) leaves_for: Option<HoldId>,
}

#[derive(Debug, Clone)]
pub(crate) struct Workload {
    pub(crate) id: WorkloadId,
    pub(crate) namespace: Name,
    pub(crate) leaf: QuotaSlot,
    pub(crate) priority: i32,
    pub(crate) preemptible: bool,
    pub(crate) submitted: Time,
    pub(crate) budget: Option<Name>,
    pub(crate) together: Option<Level>,
    pub(crate) sets: SmallVec<[Set; 1]>,
    pub(crate) pods: SmallVec<[Pod; 1]>,
    /// When the last of its running pods started to run.
    pub(crate) ran_since: Time,
    /// What it waits for, if it waits and does not hold.
    pub(crate) waits: Option<(AskId, Key)>,
    pub(crate) hold: Option<HoldId>,
    /// Whether it counts as an admitted job (A5).
    pub(crate) admitted: bool,
    /// Its key among the victims of its leaf, while it is one.
    pub(crate) victim: Option<VictimKey>,
    /// The scheduler's generation when it came, or was last changed.
    pub(crate) arrived: u64,
    /// Whether it was evicted below its minimum, and so as a whole: what still waits of it waits for nothing (G2).
    pub(crate) evicted_whole: bool,
    /// Whether some of its pods were bound since the last fact.
    pub(crate) bound_this_cycle: bool,
    /// Whether it lost pods, or failed to bind some, by no doing of ours (I6).
    pub(crate) lost_some: bool,
    /// Since when it runs below its minimum (G3).
    pub(crate) stale_since: Option<Time>,
}

/// The order of victims within a leaf: lowest priority (V1), those with members to spare (G2), latest
/// started, highest id.
pub(crate) type VictimKey = (i32, Reverse<bool>, Reverse<Time>, Reverse<WorkloadId>, WorkloadSlot);

impl Pod {
    /// Whether it runs, or is being bound, and nobody has told it to go.
    pub(crate) fn stands(&self) -> bool {
        matches!(self.state, Some(PodState::Running | PodState::Binding))
    }
}

impl Workload {
    pub(crate) fn template(&self, ordinal: u32) -> TemplateId {
        let set = self.pods.get(ordinal as usize).map_or(0, |pod| pod.set);
        self.sets.get(usize::from(set)).map_or(0, |set| set.template)
    }

    pub(crate) fn pod(&self, ordinal: u32) -> Option<&Pod> {
        self.pods.get(ordinal as usize).filter(|pod| pod.state.is_some())
    }

    /// Ordinals of the pods in this state.
    pub(crate) fn in_state(&self, state: PodState) -> impl Iterator<Item = u32> + '_ {
        (0u32..).zip(&self.pods).filter(move |(_, pod)| pod.state == Some(state)).map(|(ordinal, _)| ordinal)
    }

    /// Whether all its pods have ended.
    pub(crate) fn has_ended(&self) -> bool {
        self.pods.iter().all(|pod| pod.state.is_none())
    }

    /// How many pods of a set are placed and will stay.
    fn placed(&self, set: usize) -> u32 {
        narrow(self.standing().filter(|(_, pod)| usize::from(pod.set) == set).count())
    }

    /// Its pods that run or are being bound: what could be evicted of it.
    pub(crate) fn standing(&self) -> impl Iterator<Item = (u32, &Pod)> + '_ {
        (0u32..).zip(&self.pods).filter(|(_, pod)| pod.stands())
    }

    /// Whether anything of it is anywhere: in place, or leaving.
    pub(crate) fn stands(&self) -> bool {
        self.pods.iter().any(|pod| pod.state.is_some_and(|state| state != PodState::Waiting))
    }

    /// When the last of its pods started to run. One that is still being bound has not: it is later than all that have.
    pub(crate) fn started(&self) -> Time {
        let being_bound = self.in_state(PodState::Binding).next().is_some();
        if being_bound { Time(u64::MAX) } else { self.ran_since }
    }

    /// Whether some role has fewer pods in place than it needs (G1).
    pub(crate) fn below_minimum(&self) -> bool {
        self.sets.iter().enumerate().any(|(i, set)| self.placed(i) < set.min)
    }

    /// Takes in pods that join: those that look like an earlier set belong to it.
    pub(crate) fn join_set(&mut self, joining: Set) -> u16 {
        let at = self.sets.iter().position(|set| set.template == joining.template);
        match at.and_then(|at| self.sets.get_mut(at)) {
            Some(set) => set.count = set.count.saturating_add(joining.count),
            None => self.sets.push(joining),
        }
        u16::try_from(at.unwrap_or(self.sets.len() - 1)).unwrap_or(u16::MAX)
    }

    /// How many more pods each set needs to be at its minimum (G1).
    pub(crate) fn lacking(&self) -> SmallVec<[u32; 4]> {
        self.sets.iter().enumerate().map(|(i, set)| set.min.saturating_sub(self.placed(i))).collect()
    }

    /// Whether enough pods wait to fill what is lacking.
    pub(crate) fn can_fill(&self, lacking: &[u32]) -> bool {
        let waits = |set: usize| {
            let pending = |pod: &&Pod| pod.state == Some(PodState::Waiting) && usize::from(pod.set) == set;
            narrow(self.pods.iter().filter(pending).count())
        };
        lacking.iter().enumerate().all(|(set, lacking)| *lacking == 0 || waits(set) >= *lacking)
    }

    /// Whether less than all that runs of it would be evicted next: it has members above its minimum (G2).
    pub(crate) fn has_surplus(&self) -> bool {
        self.pods.len() > 1 && self.unit(|_| true).len() < self.standing().count()
    }

    /// What would be evicted of it for somebody whom the eviction of some of its pods helps (R5, G2): the last such
    /// member above its minimum, or else all of it.
    pub(crate) fn unit(&self, helps: impl Fn(u32) -> bool) -> SmallVec<[u32; 1]> {
        let whole = self.sets.len() == 1 && self.sets.first().is_some_and(|set| set.min == set.count);
        if !whole && !self.below_minimum() {
            let surplus: SmallVec<[bool; 4]> =
                self.sets.iter().enumerate().map(|(i, set)| self.placed(i) > set.min).collect();
            let spare = |(ordinal, pod): &(u32, &Pod)| {
                surplus.get(usize::from(pod.set)).copied().unwrap_or_default() && helps(*ordinal)
            };
            if let Some((ordinal, _)) = self.standing().filter(spare).last() {
                return SmallVec::from_elem(ordinal, 1);
            }
        }
        self.standing().map(|(ordinal, _)| ordinal).collect()
    }

    pub(crate) fn victim_key(&self, slot: WorkloadSlot) -> VictimKey {
        (self.priority, Reverse(self.has_surplus()), Reverse(self.started()), Reverse(self.id), slot)
    }
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Workloads {
    rows: Table<Option<Workload>>,
    by_id: IndexMap<WorkloadId, WorkloadSlot, FxBuildHasher>,
    spare: Vec<WorkloadSlot>,
}

impl Workloads {
    pub(crate) fn slot(&self, id: WorkloadId) -> Option<WorkloadSlot> {
        self.by_id.get(&id).copied()
    }

    #[expect(clippy::expect_used, reason = "slots come from this table and are dropped with their workload")]
    pub(crate) fn at(&self, slot: WorkloadSlot) -> &Workload {
        self.rows.at(slot).as_ref().expect("a workload that has not ended")
    }

    #[expect(clippy::expect_used, reason = "slots come from this table and are dropped with their workload")]
    pub(crate) fn at_mut(&mut self, slot: WorkloadSlot) -> &mut Workload {
        self.rows.at_mut(slot).as_mut().expect("a workload that has not ended")
    }

    /// The workload in this place, if there still is one.
    pub(crate) fn get_mut(&mut self, slot: WorkloadSlot) -> Option<&mut Workload> {
        self.rows.get_mut(slot).and_then(Option::as_mut)
    }

    pub(crate) fn add(&mut self, workload: Workload) -> WorkloadSlot {
        let id = workload.id;
        let slot = match self.spare.pop() {
            Some(slot) => {
                *self.rows.at_mut(slot) = Some(workload);
                slot
            }
            None => self.rows.push(Some(workload)),
        };
        self.by_id.insert(id, slot);
        slot
    }

    pub(crate) fn remove(&mut self, slot: WorkloadSlot) {
        if let Some(workload) = self.rows.at_mut(slot).take() {
            self.by_id.swap_remove(&workload.id);
            self.spare.push(slot);
        }
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.by_id.len()
    }

    /// All workloads, in order of their ids.
    pub(crate) fn sorted(&self) -> Vec<WorkloadSlot> {
        let mut ids: Vec<_> = self.by_id.iter().map(|(id, slot)| (*id, *slot)).collect();
        ids.sort_unstable();
        ids.into_iter().map(|(_, slot)| slot).collect()
    }

    pub(crate) fn id_of(&self, (slot, ordinal): PodRef) -> PodId {
        self.at(slot).id.pod(ordinal)
    }

    pub(crate) fn pod(&self, (slot, ordinal): PodRef) -> Option<&Pod> {
        self.rows.get(slot).and_then(Option::as_ref).and_then(|w| w.pods.get(ordinal as usize))
    }

    pub(crate) fn pod_mut(&mut self, (slot, ordinal): PodRef) -> Option<&mut Pod> {
        self.at_mut(slot).pods.get_mut(ordinal as usize)
    }

    /// What a pod asks of governed resources.
    pub(crate) fn governed<'a>(&self, (slot, ordinal): PodRef, interner: &'a Interner) -> &'a Row {
        &interner.templates.at(self.at(slot).template(ordinal)).governed
    }
}
