//! Events that the core has accepted, and what each changes (L1, O3, T4, G1 to G3).

use super::{
    state::{Assignment, For, Pod, Reference, Set, Stage, Workload},
    tree::Tree,
};
use quotree_core::{
    EnforceMax, Event, NodeId, NodeSpec, PodId, PodOutcome, ReleaseReason, Time, TreeSpec, WorkloadChange, WorkloadId,
    WorkloadSpec,
};
use std::sync::Arc;

/// How many evicted workloads are remembered.
const MOST_REMEMBERED: usize = 65_536;

fn waiting(set: usize) -> Pod {
    Pod { set, stage: Stage::Waiting, assignment: None, evicted: None }
}

impl Reference {
    /// Applies an event. It must be one that the core accepts: the reference refuses nothing.
    pub fn apply(&mut self, event: &Event) {
        match event {
            Event::NodeUp(spec) | Event::NodeChanged(spec) => {
                self.new_devices(spec);
                self.measure(spec);
                self.note_freed([spec.id]);
                self.nodes.insert(spec.id, Arc::new(spec.clone()));
            }
            Event::NodeDown { node } => self.node_down(*node),
            Event::WorkloadSubmitted(spec) => self.submitted(spec),
            Event::WorkloadChanged(change) => self.changed(change),
            Event::WorkloadWithdrawn { workload } => self.withdrawn(*workload),
            Event::PodBound { pod, at, elsewhere } => {
                if let Some(place) = elsewhere {
                    self.pod_moves(*pod, Assignment { node: place.node, devices: place.devices.0 });
                }
                self.pod_bound(*pod, *at);
            }
            Event::BindFailed { pod } => self.bind_failed(*pod),
            Event::PodGone { pod, outcome } => self.pod_gone(*pod, *outcome),
            Event::PodLeaving { pod } => self.pod_leaving(*pod),
            Event::TreeChanged(spec) => self.tree_changed(spec),
            Event::BudgetChanged { budget, allowed } => {
                self.budgets.insert(budget.clone(), *allowed);
                self.budgets_set.insert(budget.clone(), self.count);
            }
            Event::EvictFailed { pod } => self.undo_eviction(*pod, true),
            Event::EvictWithdrawn { pod } => self.undo_eviction(*pod, false),
            Event::PodChanged { pod, template } => self.pod_changed(*pod, template),
            Event::PodFound { pod, node, devices, state, since } => {
                self.pod_found(*pod, Assignment { node: *node, devices: devices.0 }, *state, *since);
            }
            _ => {}
        }
        self.end_sparing(event);
        self.fact_came();
        self.count += 1;
    }

    /// Ends the holds that count on devices of a node when its devices become others (H2).
    fn new_devices(&mut self, spec: &NodeSpec) {
        let Some(old) = self.nodes.get(&spec.id) else { return };
        if (&old.devices, &old.mode) != (&spec.devices, &spec.mode) {
            self.end_holds_on(spec.id, |assignment| assignment.devices != 0);
        }
    }

    fn end_holds_on(&mut self, node: NodeId, which: impl Fn(&Assignment) -> bool) {
        for hold in self.holds.clone() {
            if hold.assignments.iter().any(|(_, assignment)| assignment.node == node && which(assignment)) {
                self.drop_hold(hold.id);
                self.ended.push((hold.workload, ReleaseReason::NodeLost(node)));
                self.requeue(hold.workload);
            }
        }
    }

    fn node_down(&mut self, node: NodeId) {
        self.end_holds_on(node, |_| true);
        let there =
            self.placed_pods().filter(|(_, _, pod)| pod.assignment.is_some_and(|assignment| assignment.node == node));
        for pod in there.map(|(id, ..)| id).collect::<Vec<_>>() {
            self.end_pod(pod);
            self.note_stale(pod.workload);
            self.spare_no_longer(pod.workload);
            self.update_victim_rank(pod.workload);
            self.drop_if_ended(pod.workload);
            self.requeue_if_changed(pod.workload);
        }
        self.nodes.remove(&node);
        self.freed.remove(&node);
    }

    fn submitted(&mut self, spec: &WorkloadSpec) {
        let set = |s: &quotree_core::PodSet| Set { template: s.template.clone(), count: s.count, min: s.min };
        let changed_at = spec.replaces.and_then(|id| self.evicted_at(id)).unwrap_or(self.count);
        let pods = spec.pods.iter().enumerate().flat_map(|(i, set)| (0..set.count).map(move |_| waiting(i)));
        let workload = Workload {
            id: spec.id,
            namespace: spec.namespace.clone(),
            quota: spec.quota.clone(),
            leaf: self.tree.leaf_of(spec.quota.as_ref(), &spec.namespace),
            submitted: spec.submitted,
            priority: spec.priority,
            preemptible: spec.preemptible,
            may_evict: spec.may_evict,
            budget: spec.budget.clone(),
            together: spec.together,
            sets: spec.pods.iter().map(set).collect(),
            pods: pods.collect(),
            ran_since: Time(0),
            just_bound: None,
            pending_ask: None,
            hold: None,
            changed_at,
            unreplaced: (0, 0),
            evicted_whole: false,
            failed_binds: 0,
            backs_off: None,
            evict_failed: false,
            victim_rank: None,
            stale: None,
        };
        self.workloads.insert(spec.id, workload);
        self.enqueue(spec.id);
    }

    /// When the workload that is being replaced was evicted by a plan; nothing if it was not, or was replaced before (H2).
    fn evicted_at(&mut self, id: WorkloadId) -> Option<u64> {
        if let Some(workload) = self.workloads.get_mut(&id) {
            let (pods, at) = std::mem::take(&mut workload.unreplaced);
            return (pods > 0).then_some(at);
        }
        let place = self.evicted.iter().position(|(evicted, _)| *evicted == id)?;
        Some(self.evicted.remove(place).1)
    }

    fn changed(&mut self, change: &WorkloadChange) {
        let id = change.workload;
        self.dequeue(id);
        let count = self.count;
        let workload = self.workload_mut(id);
        match &change.add_pods {
            // Members in the place of evicted ones arrived when those were evicted (H2).
            Some(set) if change.priority.is_none() && set.count <= workload.unreplaced.0 => {
                workload.unreplaced.0 -= set.count;
                workload.changed_at = workload.changed_at.max(workload.unreplaced.1);
            }
            Some(_) => workload.changed_at = count,
            None if change.priority.is_some() => workload.changed_at = count,
            None => {}
        }
        workload.priority = change.priority.unwrap_or(workload.priority);
        if let Some(set) = &change.add_pods {
            workload.evicted_whole = false;
            let at = workload.join_set(Set { template: set.template.clone(), count: set.count, min: 0 });
            workload.pods.extend((0..set.count).map(|_| waiting(at)));
        }
        if let Some(budget) = change.budget.clone() {
            workload.budget = budget.name();
        }
        if let Some(minimum) = change.min {
            self.minimum_changed(id, minimum);
        }
        self.update_victim_rank(id);
        if self.workload(id).hold.is_none() {
            self.enqueue(id);
        }
    }

    fn withdrawn(&mut self, id: WorkloadId) {
        self.dequeue(id);
        if let Some(hold) = self.workload(id).hold {
            self.drop_hold(hold);
        }
        for ordinal in (0u32..).take(self.workload(id).pods.len()) {
            self.end_pod(id.pod(ordinal));
        }
        self.drop_if_ended(id);
    }

    pub(super) fn pod_bound(&mut self, pod: PodId, at: Time) {
        if self.pod(pod).leaves() {
            self.pod_mut(pod).evicted.iter_mut().for_each(|eviction| eviction.started = Some(at));
            return;
        }
        self.pod_mut(pod).stage = Stage::Running;
        let workload = self.workload_mut(pod.workload);
        workload.ran_since = workload.ran_since.max(at);
        if workload.backs_off.is_none() {
            workload.failed_binds = 0;
        }
        if self.policy.min_runtime_ms > 0 {
            self.timers.insert(at.after_ms(self.policy.min_runtime_ms));
        }
        self.update_victim_rank(pod.workload);
    }

    fn bind_failed(&mut self, pod: PodId) {
        if self.pod(pod).leaves() {
            return;
        }
        self.leave(pod, Stage::Waiting);
        self.dequeue(pod.workload);
        self.update_victim_rank(pod.workload);
        self.start_back_off(pod.workload);
        if self.workload(pod.workload).hold.is_none() {
            self.enqueue(pod.workload);
        }
    }

    fn pod_gone(&mut self, pod: PodId, outcome: PodOutcome) {
        let id = pod.workload;
        if self.pod(pod).stage == Stage::Waiting {
            self.dequeue(id);
            if let Some(hold) = self.workload(id).hold {
                self.drop_hold(hold);
            }
            self.end_pod(pod);
            self.enqueue(id);
        } else {
            self.end_pod(pod);
            match outcome {
                PodOutcome::Succeeded => self.lower_minimum(id),
                PodOutcome::Evicted => {}
                _ => self.note_stale(id),
            }
        }
        self.update_victim_rank(id);
        self.drop_if_ended(id);
        self.requeue_if_changed(id);
    }

    /// A pod is deleted, but not by the scheduler. If no pod of its gang is placed any more, the pending pods of the
    /// gang are not requested any more.
    fn pod_leaving(&mut self, pod: PodId) {
        if self.pod(pod).leaves() {
            self.pod_mut(pod).evicted = None;
            return;
        }
        let (id, node) = (pod.workload, self.pod(pod).assignment.map(|assignment| assignment.node));
        self.pod_mut(pod).stage = Stage::Leaving(For::Nobody);
        self.note_stale(id);
        let workload = self.workload_mut(id);
        workload.evicted_whole |= workload.below_minimum() && workload.in_place().is_empty();
        let over = workload.hold.filter(|_| workload.evicted_whole).zip(node);
        self.update_victim_rank(id);
        if let Some((hold, node)) = over {
            self.drop_hold(hold);
            self.ended.push((id, ReleaseReason::NodeLost(node)));
        }
        self.requeue_if_changed(id);
    }

    /// Lowers the minimum by the members that have succeeded: they are not replaced.
    fn lower_minimum(&mut self, id: WorkloadId) {
        let workload = self.workload_mut(id);
        let lacking = workload.lacking();
        for (set, lacking) in workload.sets.iter_mut().zip(lacking) {
            set.min -= lacking;
        }
    }

    /// Ends a pod, wherever it is.
    fn end_pod(&mut self, pod: PodId) {
        match self.pod(pod).stage {
            Stage::Gone => {}
            Stage::Waiting => self.pod_mut(pod).stage = Stage::Gone,
            _ => self.leave(pod, Stage::Gone),
        }
    }

    /// Something changed on these nodes in favour of those that wait (W2).
    pub(super) fn note_freed(&mut self, nodes: impl IntoIterator<Item = NodeId>) {
        self.clock += 1;
        self.freed.extend(nodes.into_iter().map(|node| (node, self.clock)));
    }

    /// Takes a pod from its node.
    fn leave(&mut self, pod: PodId, after: Stage) {
        let before = self.pod(pod).clone();
        self.note_freed(before.assignment.map(|assignment| assignment.node));
        *self.pod_mut(pod) = Pod { stage: after, assignment: None, evicted: None, ..before };
        if let Stage::Leaving(For::Hold(hold)) = before.stage
            && let Some(hold) = self.holds.iter().find(|h| h.id == hold).cloned()
        {
            self.free_reserved(&hold);
        }
    }

    pub(super) fn note_stale(&mut self, id: WorkloadId) {
        let on = self.policy.stale_after_ms.is_some();
        let workload = self.workload_mut(id);
        let runs = !workload.in_place().is_empty();
        if on && runs && workload.below_minimum() && workload.stale.is_none() {
            workload.stale = Some(None);
        }
    }

    fn drop_if_ended(&mut self, id: WorkloadId) {
        if self.workloads.get(&id).is_some_and(Workload::has_ended) {
            self.dequeue(id);
            self.forget(id);
        }
    }

    /// A workload has ended. If a plan evicted it, it is remembered when (H2).
    fn forget(&mut self, id: WorkloadId) {
        self.evicted.retain(|(evicted, _)| *evicted != id);
        let ended = self.workloads.remove(&id).filter(|workload| workload.unreplaced.0 > 0);
        self.evicted.extend(ended.map(|workload| (id, workload.unreplaced.1)));
        let surplus = self.evicted.len().saturating_sub(MOST_REMEMBERED);
        self.evicted.drain(..surplus);
    }

    /// Enqueues a workload again whose ask has changed, since it lost pods (G1).
    pub(super) fn requeue_if_changed(&mut self, id: WorkloadId) {
        let Some(workload) = self.workloads.get(&id) else { return };
        if workload.hold.is_none() && workload.pending_ask != workload.next_ask() {
            self.requeue(id);
        }
    }

    /// Replaces the tree: all holds end, every workload is enqueued again, and terminating pods leave for nobody (T4).
    fn tree_changed(&mut self, spec: &TreeSpec) {
        let before = self.tree.clone();
        for hold in self.holds.clone() {
            self.drop_hold(hold.id);
            self.ended.push((hold.workload, ReleaseReason::TreeChanged));
        }
        self.tree = Arc::new(Tree::new(spec, &self.policy));
        self.queues.clear();
        self.in_line.clear();
        self.failed.clear();
        self.freed.clear();
        self.largest.clear();
        for spec in self.nodes.values().cloned().collect::<Vec<_>>() {
            self.measure(&spec);
        }
        let ids: Vec<WorkloadId> = self.workloads.keys().copied().collect();
        for id in &ids {
            let workload = self.workload(*id);
            let leaf = self.tree.leaf_of(workload.quota.as_ref(), &workload.namespace);
            let workload = self.workload_mut(*id);
            (workload.leaf, workload.pending_ask, workload.victim_rank) = (leaf, None, None);
            for pod in workload.pods.iter_mut().filter(|pod| pod.leaves()) {
                pod.stage = Stage::Leaving(For::Nobody);
            }
        }
        for id in ids {
            self.update_victim_rank(id);
            self.enqueue(id);
        }
        self.note_over_max(&before);
    }

    /// Notes which quotas are above a max, and since when (T4).
    fn note_over_max(&mut self, before: &Tree) {
        let old = std::mem::take(&mut self.over_since);
        if self.policy.enforce_max == EnforceMax::Never {
            return;
        }
        let ledger = self.ledger();
        for (q, quota) in self.tree.quotas.iter().enumerate() {
            if (0..self.tree.governed.len()).any(|r| ledger.live(q, r) > quota.max[r]) {
                let was = before.quotas.iter().position(|old| old.name == quota.name);
                let since = was.and_then(|was| old.get(&was)).copied().flatten();
                self.over_since.insert(q, since);
            }
        }
    }
}
