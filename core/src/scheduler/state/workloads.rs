//! The workloads that have not ended, with the state of each of their pods.

use super::{
    interner::{Interner, Template},
    keys::{Assignment, HoldId, PodRef, QuotaSlot, TemplateId, WorkloadSlot},
    row::Row,
    table::Slab,
    vain::VainSearches,
};
use crate::api::{Level, Name, PodId, PodState, Protection, Time, WorkloadId};
use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;
use smallvec::SmallVec;

/// A pod set of a workload: equal pods, of which `min` must run together (G1).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Set {
    pub(crate) template: TemplateId,
    pub(crate) count: u32,
    pub(crate) min: u32,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Pod {
    /// `None` when it has ended.
    pub(crate) state: Option<PodState>,
    /// Which of the workload's sets it belongs to.
    pub(crate) set: u16,
    pub(crate) assignment: Assignment,
    /// The hold for which it was evicted, while it is terminating.
    pub(crate) evicted_for: Option<HoldId>,
}

impl Pod {
    /// A pending pod of this set.
    pub(crate) fn pending(set: u16) -> Self {
        Self { state: Some(PodState::Pending), set, assignment: Assignment::default(), evicted_for: None }
    }

    /// Whether it runs, or is being bound, and is not terminating.
    pub(crate) fn is_active(&self) -> bool {
        matches!(self.state, Some(PodState::Running | PodState::Binding))
    }

    /// Whether it uses quota and a node: it is active, or it is terminating.
    pub(crate) fn is_on_node(&self) -> bool {
        self.state.is_some_and(|state| state != PodState::Pending)
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Workload {
    pub(crate) id: WorkloadId,
    pub(crate) namespace: Name,
    /// The leaf quota that it names as its own (T1). In a box, as the budget is: most workloads have neither.
    pub(crate) quota: Option<Box<Name>>,
    /// The leaf quota that it is charged to, or the slot of those without a quota.
    pub(crate) leaf: QuotaSlot,
    pub(crate) priority: i32,
    pub(crate) preemptible: bool,
    /// Whether others may be evicted for it (R9).
    pub(crate) may_evict: bool,
    pub(crate) submitted: Time,
    pub(crate) budget: Option<Box<Name>>,
    pub(crate) together: Option<Level>,
    pub(crate) sets: SmallVec<[Set; 1]>,
    pub(crate) pods: SmallVec<[Pod; 1]>,
    /// When the last of its running pods started to run.
    pub(crate) ran_since: Time,
    pub(crate) hold: Option<HoldId>,
    /// Whether it counts as an admitted job (A5).
    pub(crate) admitted: bool,
    /// The scheduler's generation when it was submitted or last changed. A replacement of an evicted workload counts as
    /// having arrived when that workload was evicted (H2).
    pub(crate) arrived: u64,
    /// How many of its pods were evicted by plans and not replaced since.
    pub(crate) unreplaced: u32,
    /// The generation of the last plan that evicted any of its pods; 0 if none did.
    pub(crate) evicted_at: u64,
    /// Whether it was evicted as a whole, because it would have fallen below its minimum. Its pending pods are not
    /// scheduled any more (G2).
    pub(crate) evicted_whole: bool,
    /// How many bindings of its pods are so recent that it may not be evicted (R2c).
    pub(crate) just_bound: u32,
    /// Whether it lost pods, or failed to bind some, through no decision of the scheduler (I6).
    pub(crate) lost_some: bool,
    /// Since when it has been below its minimum (G3).
    pub(crate) stale_since: Option<Time>,
    /// How many of its binds failed in a row, and until when it is not tried again (E6).
    pub(crate) failed_binds: u32,
    pub(crate) backs_off: BackOff,
    /// Whether an eviction of one of its pods failed, and nothing was reported about it since (E2).
    pub(crate) evict_failed: bool,
    /// What its last searches over sets of victims depended on, where they found nothing (V5).
    pub(crate) vain_searches: Option<Box<VainSearches>>,
}

/// Whether a workload waits after a failed bind (E6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum BackOff {
    /// It does not.
    #[default]
    Over,
    /// It does, from the next decision on: events have no time.
    Begins,
    /// Until this time.
    Until(Time),
}

impl Workload {
    /// How many binds failed in a row, and when it is tried again, if it waits for that (E6).
    pub(crate) fn back_off(&self) -> Option<(u32, Option<Time>)> {
        let until = match self.backs_off {
            BackOff::Over => return None,
            BackOff::Begins => None,
            BackOff::Until(until) => Some(until),
        };
        self.asks().then_some((self.failed_binds, until))
    }

    pub(crate) fn template(&self, ordinal: u32) -> TemplateId {
        let set = self.pods.get(ordinal as usize).map_or(0, |pod| pod.set);
        self.sets.get(usize::from(set)).map_or_else(TemplateId::default, |set| set.template)
    }

    /// A pod that has not ended.
    pub(crate) fn pod(&self, ordinal: u32) -> Option<&Pod> {
        self.pods.get(ordinal as usize).filter(|pod| pod.state.is_some())
    }

    /// The pods with their ordinals.
    pub(crate) fn ordinals(&self) -> impl Iterator<Item = (u32, &Pod)> + '_ {
        (0u32..).zip(&self.pods)
    }

    /// Ordinals of the pods in this state.
    pub(crate) fn in_state(&self, state: PodState) -> impl Iterator<Item = u32> + '_ {
        self.ordinals().filter(move |(_, pod)| pod.state == Some(state)).map(|(ordinal, _)| ordinal)
    }

    /// The pods that run or are being bound: those that could be evicted.
    pub(crate) fn active(&self) -> impl Iterator<Item = (u32, &Pod)> + '_ {
        self.ordinals().filter(|(_, pod)| pod.is_active())
    }

    pub(crate) fn has_active(&self) -> bool {
        self.active().next().is_some()
    }

    /// Whether any of its pods uses a node.
    pub(crate) fn is_on_nodes(&self) -> bool {
        self.pods.iter().any(Pod::is_on_node)
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.pods.iter().all(|pod| pod.state.is_none())
    }

    /// When the last of its pods started to run. While a pod is being bound, this is later than that of every workload
    /// without such a pod.
    pub(crate) fn started(&self) -> Time {
        let being_bound = self.in_state(PodState::Binding).next().is_some();
        if being_bound { Time(u64::MAX) } else { self.ran_since }
    }

    /// What protects it from eviction for any other workload (R2c): it is not preemptible, an eviction of it failed (E2),
    /// or it was bound at this moment, and no decision may undo an earlier one of the same moment (S1).
    pub(crate) fn protection(&self) -> Option<Protection> {
        match (self.preemptible, self.evict_failed, self.just_bound > 0) {
            (false, ..) => Some(Protection::NonPreemptible),
            (true, true, _) => Some(Protection::EvictFailed),
            (true, false, true) => Some(Protection::JustBound),
            (true, false, false) => None,
        }
    }

    /// Adds a pod set; pods with the template of an earlier set join that one. Gives the index of the set.
    pub(crate) fn join_set(&mut self, joining: Set) -> u16 {
        let at = self.sets.iter().position(|set| set.template == joining.template);
        match at.and_then(|at| self.sets.get_mut(at)) {
            Some(set) => set.count = set.count.saturating_add(joining.count),
            None => self.sets.push(joining),
        }
        u16::try_from(at.unwrap_or(self.sets.len() - 1)).unwrap_or(u16::MAX)
    }
}

/// All workloads that have not ended, and the templates and asks of their pods.
#[derive(Debug, Clone)]
pub(crate) struct Workloads {
    rows: Slab<WorkloadSlot, Workload>,
    by_id: IndexMap<WorkloadId, WorkloadSlot, FxBuildHasher>,
    pub(crate) interner: Interner,
}

impl Workloads {
    pub(crate) fn new(interner: Interner) -> Self {
        Self { rows: Slab::default(), by_id: IndexMap::default(), interner }
    }

    pub(crate) fn slot(&self, id: WorkloadId) -> Option<WorkloadSlot> {
        self.by_id.get(&id).copied()
    }

    pub(crate) fn at(&self, slot: WorkloadSlot) -> &Workload {
        self.rows.at(slot)
    }

    pub(crate) fn at_mut(&mut self, slot: WorkloadSlot) -> &mut Workload {
        self.rows.at_mut(slot)
    }

    pub(crate) fn add(&mut self, workload: Workload) -> WorkloadSlot {
        let id = workload.id;
        let slot = self.rows.add(workload);
        self.by_id.insert(id, slot);
        slot
    }

    pub(crate) fn remove(&mut self, slot: WorkloadSlot) {
        if let Some(workload) = self.rows.take(slot) {
            self.by_id.swap_remove(&workload.id);
        }
    }

    /// All workloads, in the order of their slots.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Workload> {
        self.rows.iter().map(|(_, workload)| workload)
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.by_id.len()
    }

    /// All workloads, in the order of their ids.
    pub(crate) fn sorted(&self) -> Vec<WorkloadSlot> {
        let mut ids: Vec<_> = self.by_id.iter().map(|(id, slot)| (*id, *slot)).collect();
        ids.sort_unstable();
        ids.into_iter().map(|(_, slot)| slot).collect()
    }

    pub(crate) fn id_of(&self, pod: PodRef) -> PodId {
        self.at(pod.workload).id.pod(pod.ordinal)
    }

    pub(crate) fn pod(&self, pod: PodRef) -> Option<&Pod> {
        self.rows.get(pod.workload).and_then(|w| w.pods.get(pod.ordinal as usize))
    }

    pub(crate) fn pod_mut(&mut self, pod: PodRef) -> Option<&mut Pod> {
        self.at_mut(pod.workload).pods.get_mut(pod.ordinal as usize)
    }

    /// The template of a pod.
    pub(crate) fn template(&self, pod: PodRef) -> &Template {
        self.interner.template(self.at(pod.workload).template(pod.ordinal))
    }

    /// The request of a pod, one amount a governed resource.
    pub(crate) fn governed(&self, pod: PodRef) -> &Row {
        &self.template(pod).governed
    }

    /// The requests of all pods of a workload that have not ended, one amount a governed resource.
    pub(crate) fn requested(&self, slot: WorkloadSlot) -> Row {
        let workload = self.at(slot);
        // Templates exist before any workload, so a workload has at least one.
        let mut sum: Row = workload
            .sets
            .first()
            .map_or_else(Row::new, |set| self.interner.template(set.template).governed.iter().map(|_| 0).collect());
        for (ordinal, _) in workload.ordinals().filter(|(_, pod)| pod.state.is_some()) {
            sum.iter_mut().zip(self.governed(slot.pod(ordinal))).for_each(|(cell, amount)| *cell += amount);
        }
        sum
    }
}
