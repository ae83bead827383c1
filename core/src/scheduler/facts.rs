//! Taking in facts: each is checked first, then carried out; what is refused changes nothing.

use crate::scheduler::{
    Scheduler,
    nodes::{Assignment, PodRef},
    queue::pending::PendingQueue,
    quota::ledger::{Ledger, QuotaSlot},
    state::{
        interner::Ask,
        workloads::{Pod, Set, Workload, WorkloadSlot},
    },
    view::PodState,
};
use crate::{
    api::{
        DeviceSet, EnforceMax, Event, EventError, NodeId, NodeSpec, Order, PodId, PodOutcome, PodSet, QuotaId,
        ReleaseReason, Time, TreeSpec, WorkloadChange, WorkloadId, WorkloadSpec,
    },
    tree::QuotaTree,
};
use smallvec::SmallVec;
use std::collections::{BTreeMap, BTreeSet};

/// The most pods one workload may have.
const MOST_PODS: u32 = 1 << 20;

/// Sums of requests stay below this, so that no later sum can overflow.
const MOST_REQUESTED: i64 = i64::MAX / 8;

impl Scheduler {
    pub(crate) fn take_in(&mut self, event: Event) -> Result<(), EventError> {
        match event {
            Event::NodeUp(spec) => self.node_up(spec),
            Event::NodeChanged(spec) => self.node_changed(spec),
            Event::NodeDown { node } => self.node_down(node),
            Event::WorkloadSubmitted(spec) => self.submitted(spec),
            Event::WorkloadChanged(change) => self.changed(change),
            Event::WorkloadWithdrawn { workload } => self.withdrawn(workload),
            Event::PodBound { pod, at } => self.pod_bound(pod, at),
            Event::BindFailed { pod } => self.bind_failed(pod),
            Event::PodGone { pod, outcome } => self.pod_gone(pod, outcome),
            Event::PodLeaving { pod } => self.pod_leaving(pod),
            Event::TreeChanged(spec) => self.tree_changed(&spec),
            Event::BudgetChanged { budget, allowed } => {
                self.budgets.insert(budget, allowed);
                Ok(())
            }
            Event::Tick => Ok(()),
        }
    }

    fn node_up(&mut self, spec: NodeSpec) -> Result<(), EventError> {
        if self.nodes.slot(spec.id).is_some() {
            return Err(EventError::DuplicateNode(spec.id));
        }
        let slot = self.nodes.add(spec, &mut self.interner)?;
        self.freed_nodes.push(slot);
        Ok(())
    }

    fn node_changed(&mut self, spec: NodeSpec) -> Result<(), EventError> {
        let (id, slot) = (spec.id, self.nodes.slot(spec.id).ok_or(EventError::UnknownNode(spec.id))?);
        let others = !self.nodes.at(slot).spec.same_devices(&spec);
        let pods = if others { self.pods_with_devices(slot) } else { Vec::new() };
        if !pods.is_empty() {
            return Err(EventError::DevicesInUse { node: id, pods });
        }
        self.nodes.check(&spec, &mut self.interner)?;
        if others {
            let counts_on =
                |(_, spot): &(PodRef, Assignment)| spot.node == slot && spot.devices != DeviceSet::default();
            self.end_holds(|hold| hold.spots.iter().any(counts_on), ReleaseReason::NodeLost(id));
        }
        self.nodes.change(slot, spec, &mut self.interner)?;
        if self.nodes.at(slot).is_crowded() {
            self.shrunk.insert(slot);
        }
        self.freed_nodes.push(slot);
        Ok(())
    }

    /// The pods on a node that have devices there, by id.
    fn pods_with_devices(&self, node: crate::scheduler::NodeSlot) -> Vec<PodId> {
        let has = |pod: &&PodRef| self.workloads.pod(**pod).is_some_and(|row| row.spot.devices != DeviceSet::default());
        let here = self.nodes.at(node).pods.iter().filter(has);
        let mut pods: Vec<PodId> = here.map(|pod| self.workloads.at(pod.0).id.pod(pod.1)).collect();
        pods.sort_unstable();
        pods
    }

    fn node_down(&mut self, id: NodeId) -> Result<(), EventError> {
        let slot = self.nodes.slot(id).ok_or(EventError::UnknownNode(id))?;
        self.end_holds(|hold| hold.spots.iter().any(|(_, spot)| spot.node == slot), ReleaseReason::NodeLost(id));
        let mut pods: Vec<PodRef> = self.nodes.at(slot).pods.clone();
        pods.sort_unstable_by_key(|pod| (self.workloads.at(pod.0).id, pod.1));
        for pod in pods {
            self.lose(pod);
        }
        self.freed_nodes.retain(|node| *node != slot);
        self.shrunk.remove(&slot);
        self.nodes.remove(slot);
        Ok(())
    }

    fn end_holds(&mut self, which: impl Fn(&crate::scheduler::Hold) -> bool, reason: ReleaseReason) {
        let ids: Vec<u32> = self.holds.iter().filter(|(_, hold)| which(hold)).map(|(id, _)| *id).collect();
        for id in ids {
            if let Some(hold) = self.drop_hold(id) {
                self.ended_holds.push((self.workloads.at(hold.slot).id, reason));
                self.requeue(hold.slot);
            }
        }
    }

    fn submitted(&mut self, spec: WorkloadSpec) -> Result<(), EventError> {
        if self.workloads.slot(spec.id).is_some() {
            return Err(EventError::DuplicateWorkload(spec.id));
        }
        check_pods(spec.id, &spec.pods, 0)?;
        let mut sets: SmallVec<[Set; 1]> = SmallVec::new();
        for set in &spec.pods {
            let template = self.interner.template(&set.template)?;
            sets.push(Set { template, count: set.count, min: set.min });
        }
        let members: SmallVec<[(u32, u32); 1]> = sets.iter().map(|set| (set.template, set.count)).collect();
        let total = self.interner.total(&members)?;
        let leaf = self.leaf_of(&spec.namespace);
        self.check_request(leaf, &total)?;
        self.ledger.each(leaf, |ledger, q| ledger.request.add(q, &total));
        let pods = sets.iter().zip(0u16..).flat_map(|(set, i)| (0..set.count).map(move |_| waiting_pod(i))).collect();
        let slot = self.workloads.add(Workload {
            id: spec.id,
            namespace: spec.namespace,
            leaf,
            priority: spec.priority,
            preemptible: spec.preemptible,
            submitted: spec.submitted,
            budget: spec.budget,
            together: spec.together,
            sets,
            pods,
            ran_since: Time(0),
            bound_this_cycle: false,
            waits: None,
            hold: None,
            admitted: false,
            victim: None,
            arrived: self.generation,
            evicted_whole: false,
            lost_some: false,
            stale_since: None,
        });
        self.enqueue(slot);
        Ok(())
    }

    fn check_request(&self, leaf: QuotaSlot, total: &[i64]) -> Result<(), EventError> {
        let root = self.ledger.path(leaf).last().unwrap_or(leaf);
        for (r, (more, sum)) in total.iter().zip(self.ledger.request.row(root)).enumerate() {
            if more.checked_add(*sum).is_none_or(|sum| sum > MOST_REQUESTED) {
                let resource = self.tree.resource_name(r).cloned().unwrap_or_else(|| "".into());
                return Err(EventError::Overflow { resource });
            }
        }
        Ok(())
    }

    fn changed(&mut self, change: WorkloadChange) -> Result<(), EventError> {
        let slot = self.workloads.slot(change.workload).ok_or(EventError::UnknownWorkload(change.workload))?;
        let mut added = None;
        if let Some(set) = &change.add_pods {
            let has = self.workloads.at(slot).pods.len() as u64;
            check_pods(change.workload, std::slice::from_ref(&PodSet { min: 0, ..set.clone() }), has)?;
            let template = self.interner.template(&set.template)?;
            let total = self.interner.total(&[(template, set.count)])?;
            self.check_request(self.workloads.at(slot).leaf, &total)?;
            added = Some((Set { template, count: set.count, min: 0 }, total));
        }
        let held = self.workloads.at(slot).hold.is_some();
        self.dequeue(slot);
        self.workloads.at_mut(slot).arrived = self.generation;
        if let Some(priority) = change.priority {
            self.workloads.at_mut(slot).priority = priority;
        }
        if let Some(preemptible) = change.preemptible {
            self.set_preemptible(slot, preemptible);
        }
        if let Some((set, total)) = added {
            let workload = self.workloads.at_mut(slot);
            workload.evicted_whole = false;
            let index = workload.join_set(set);
            workload.pods.extend((0..set.count).map(|_| waiting_pod(index)));
            let leaf = workload.leaf;
            self.ledger.each(leaf, |ledger, q| ledger.request.add(q, &total));
        }
        self.update_victim_index(slot);
        if !held {
            self.enqueue(slot);
        }
        Ok(())
    }

    /// A workload may, or may no longer, be evicted: what it uses or holds counts as such (A2).
    fn set_preemptible(&mut self, slot: WorkloadSlot, preemptible: bool) {
        let workload = self.workloads.at(slot);
        let (leaf, before) = (workload.leaf, workload.preemptible);
        if before == preemptible {
            return;
        }
        let stand = |pod: &Pod| pod.state.is_some_and(|state| state != PodState::Waiting);
        let standing: Vec<u32> = (0u32..).zip(&workload.pods).filter(|(_, pod)| stand(pod)).map(|(o, _)| o).collect();
        for ordinal in standing {
            let governed = self.workloads.governed((slot, ordinal), &self.interner).clone();
            self.ledger.give_back(leaf, &governed, before);
            self.ledger.use_up(leaf, &governed, preemptible);
        }
        if let Some(hold) = self.workloads.at(slot).hold.and_then(|id| self.holds.get_mut(&id)) {
            let ask = Ask { preemptible, ..self.interner.get(hold.ask).clone() };
            self.ledger.let_go(leaf, &ask.total, before);
            self.ledger.hold(leaf, &ask.total, preemptible);
            hold.ask = self.interner.ask(ask);
        }
        self.workloads.at_mut(slot).preemptible = preemptible;
        self.touch(leaf);
    }

    fn withdrawn(&mut self, id: WorkloadId) -> Result<(), EventError> {
        let slot = self.workloads.slot(id).ok_or(EventError::UnknownWorkload(id))?;
        self.dequeue(slot);
        if let Some(hold) = self.workloads.at(slot).hold {
            self.drop_hold(hold);
        }
        let pods = crate::scheduler::state::table::narrow(self.workloads.at(slot).pods.len());
        for ordinal in 0..pods {
            self.end_pod((slot, ordinal));
        }
        self.drop_if_ended(slot);
        Ok(())
    }

    /// A pod is gone: off its node, out of the ledger.
    fn end_pod(&mut self, pod: PodRef) {
        let Some(state) = self.workloads.pod(pod).and_then(|row| row.state) else { return };
        if state == PodState::Waiting {
            if let Some(row) = self.workloads.pod_mut(pod) {
                row.state = None;
            }
        } else {
            self.discharge(pod, None);
        }
        let leaf = self.workloads.at(pod.0).leaf;
        let governed = self.workloads.governed(pod, &self.interner).clone();
        self.ledger.each(leaf, |ledger, q| ledger.request.sub(q, &governed));
    }

    /// A pod is lost with its node.
    fn lose(&mut self, pod: PodRef) {
        self.end_pod(pod);
        self.note_if_stale(pod.0);
        self.update_victim_index(pod.0);
        let id = self.workloads.at(pod.0).id;
        self.drop_if_ended(pod.0);
        self.readmit(pod.0, id);
    }

    /// Remembers since when a gang that runs is below its minimum (G3).
    fn note_if_stale(&mut self, slot: WorkloadSlot) {
        self.workloads.at_mut(slot).lost_some = true;
        if self.policy.stale_after_ms.is_none() {
            return;
        }
        let workload = self.workloads.at(slot);
        if workload.standing().next().is_some() && workload.below_minimum() && workload.stale_since.is_none() {
            self.maybe_stale.insert(workload.id);
        }
    }

    fn find(&self, pod: PodId) -> Result<(PodRef, PodState), EventError> {
        let slot = self.workloads.slot(pod.workload).ok_or(EventError::UnknownPod(pod))?;
        let row = self.workloads.at(slot).pod(pod.ordinal).ok_or(EventError::UnknownPod(pod))?;
        let state = row.state.ok_or(EventError::UnknownPod(pod))?;
        Ok(((slot, pod.ordinal), state))
    }

    fn pod_bound(&mut self, pod: PodId, at: Time) -> Result<(), EventError> {
        let (found, state) = self.find(pod)?;
        match state {
            PodState::Binding => {}
            PodState::Leaving => return Ok(()),
            _ => return Err(impossible(pod, state, "bound")),
        }
        if let Some(row) = self.workloads.pod_mut(found) {
            row.state = Some(PodState::Running);
        }
        let workload = self.workloads.at_mut(found.0);
        workload.ran_since = workload.ran_since.max(at);
        if self.policy.min_runtime_ms > 0 {
            self.timers.insert(at.after_ms(self.policy.min_runtime_ms));
        }
        self.update_victim_index(found.0);
        Ok(())
    }

    fn bind_failed(&mut self, pod: PodId) -> Result<(), EventError> {
        let (found, state) = self.find(pod)?;
        match state {
            PodState::Binding => {}
            PodState::Leaving => return Ok(()),
            _ => return Err(impossible(pod, state, "failed to bind")),
        }
        self.discharge(found, Some(PodState::Waiting));
        self.workloads.at_mut(found.0).lost_some = true;
        self.dequeue(found.0);
        self.update_victim_index(found.0);
        if self.workloads.at(found.0).hold.is_none() {
            self.requeue(found.0);
        }
        Ok(())
    }

    fn pod_gone(&mut self, pod: PodId, outcome: PodOutcome) -> Result<(), EventError> {
        let (found, state) = self.find(pod)?;
        if state == PodState::Waiting {
            let slot = found.0;
            self.dequeue(slot);
            if let Some(hold) = self.workloads.at(slot).hold {
                self.drop_hold(hold);
            }
            self.end_pod(found);
        } else {
            self.end_pod(found);
            match outcome {
                PodOutcome::Succeeded => self.need_fewer(found.0),
                PodOutcome::Evicted => {}
                _ => self.note_if_stale(found.0),
            }
        }
        self.update_victim_index(found.0);
        self.drop_if_ended(found.0);
        self.readmit(found.0, pod.workload);
        Ok(())
    }

    /// A pod leaves for nobody, by somebody else's word. A gang all of which does so waits for nothing any more, as if it
    /// had been evicted whole (G2); that one is below its minimum is then not our doing (I6).
    fn pod_leaving(&mut self, pod: PodId) -> Result<(), EventError> {
        let (found, state) = self.find(pod)?;
        match state {
            PodState::Binding | PodState::Running => {}
            PodState::Leaving => return Ok(()),
            PodState::Waiting => return Err(impossible(pod, state, "leaving")),
        }
        let slot = found.0;
        let node = self.workloads.pod(found).map(|row| self.nodes.at(row.spot.node).id);
        self.set_leaving(found, None);
        self.note_if_stale(slot);
        let workload = self.workloads.at_mut(slot);
        workload.evicted_whole |= workload.below_minimum() && workload.standing().next().is_none();
        let over = workload.hold.filter(|_| workload.evicted_whole).zip(node);
        self.update_victim_index(slot);
        if let Some((hold, node)) = over {
            self.drop_hold(hold);
            self.ended_holds.push((pod.workload, ReleaseReason::NodeLost(node)));
        }
        self.requeue_if_changed(slot);
        Ok(())
    }

    /// A workload of which nothing stands any more is no admitted job, whatever still waits of it (A5); one that lost some
    /// of its pods may wait for something else (G1).
    fn readmit(&mut self, slot: WorkloadSlot, id: WorkloadId) {
        if self.workloads.slot(id) != Some(slot) {
            return;
        }
        let workload = self.workloads.at(slot);
        let stands = |pod: &Pod| pod.state.is_some_and(|state| state != PodState::Waiting);
        if workload.admitted && workload.hold.is_none() && !workload.pods.iter().any(stands) {
            self.dequeue(slot);
            self.requeue(slot);
        } else {
            self.requeue_if_changed(slot);
        }
    }

    /// Members of a gang that have done their work are not missed: what is left needs no more than there is.
    fn need_fewer(&mut self, slot: WorkloadSlot) {
        let workload = self.workloads.at_mut(slot);
        let lacking = workload.lacking();
        for (set, lacking) in workload.sets.iter_mut().zip(lacking) {
            set.min -= lacking;
        }
    }

    fn tree_changed(&mut self, spec: &TreeSpec) -> Result<(), EventError> {
        let tree = QuotaTree::new(spec, self.policy.over_promised).map_err(EventError::InvalidTree)?;
        self.check_namespaces(&tree)?;
        let mut ended = Vec::new();
        for id in self.holds.keys().copied().collect::<Vec<_>>() {
            if let Some(hold) = self.drop_hold(id) {
                ended.push((self.workloads.at(hold.slot).id, ReleaseReason::TreeChanged));
            }
        }
        self.ended_holds.extend(ended);
        self.rebuild(tree)
    }

    /// Namespaces with running pods stay where they are (T3).
    fn check_namespaces(&self, tree: &QuotaTree) -> Result<(), EventError> {
        let mut refused: BTreeMap<crate::api::Name, Vec<PodId>> = BTreeMap::new();
        for slot in self.workloads.sorted() {
            let workload = self.workloads.at(slot);
            let before = self.quota(workload.leaf).map(|q| self.tree.name(q));
            let after = tree.leaf_of(workload.namespace.as_str()).map(|q| tree.name(q));
            if before != after {
                let running = (0u32..).zip(&workload.pods);
                let running = running.filter(|(_, pod)| pod.state.is_some_and(|state| state != PodState::Waiting));
                let pods: Vec<PodId> = running.map(|(ordinal, _)| workload.id.pod(ordinal)).collect();
                if !pods.is_empty() {
                    refused.entry(workload.namespace.clone()).or_default().extend(pods);
                }
            }
        }
        match refused.pop_first() {
            Some((namespace, pods)) => Err(EventError::NamespaceInUse { namespace, pods }),
            None => Ok(()),
        }
    }

    /// Recounts everything under a new tree (T4).
    fn rebuild(&mut self, tree: QuotaTree) -> Result<(), EventError> {
        let mut fresh = Self::with_tree(tree, self.policy.clone());
        for node in self.nodes.sorted() {
            fresh.nodes.add(self.nodes.at(node).spec.clone(), &mut fresh.interner)?;
        }
        (fresh.budgets, fresh.now, fresh.generation) = (self.budgets.clone(), self.now, self.generation);
        (fresh.timers, fresh.maybe_stale) = (self.timers.clone(), self.maybe_stale.clone());
        fresh.ended_holds = std::mem::take(&mut self.ended_holds);
        for slot in self.workloads.sorted() {
            fresh.adopt(self.workloads.at(slot), self)?;
        }
        let excused = self.shrunk.iter().filter_map(|slot| fresh.nodes.slot(self.nodes.at(*slot).id));
        fresh.shrunk = excused.filter(|slot| fresh.nodes.at(*slot).is_crowded()).collect();
        fresh.note_over_max(self);
        *self = fresh;
        Ok(())
    }

    /// Takes over a workload from the scheduler before the tree changed.
    fn adopt(&mut self, old: &Workload, before: &Self) -> Result<(), EventError> {
        let mut workload = old.clone();
        workload.leaf = self.leaf_of(&old.namespace);
        (workload.waits, workload.hold, workload.victim) = (None, None, None);
        (workload.admitted, workload.bound_this_cycle) = (false, false);
        for set in &mut workload.sets {
            set.template = self.interner.template(before.interner.spec(set.template))?;
        }
        let slot = self.workloads.add(workload);
        let leaf = self.workloads.at(slot).leaf;
        let requested = self.requested(self.workloads.at(slot));
        self.ledger.each(leaf, |ledger, q| ledger.request.add(q, &requested));
        for (ordinal, pod) in (0u32..).zip(&old.pods) {
            let Some(state) = pod.state.filter(|state| *state != PodState::Waiting) else { continue };
            let node = before.nodes.at(pod.spot.node).id;
            let Some(at) = self.nodes.slot(node) else { continue };
            let spot = Assignment { node: at, ..pod.spot };
            let template = self.interner.templates.at(self.workloads.at(slot).template(ordinal));
            self.nodes.put(spot, template, (slot, ordinal));
            self.charge((slot, ordinal), spot, state);
            self.set_admitted(slot, true);
            if state == PodState::Leaving {
                self.set_leaving((slot, ordinal), None);
            }
        }
        self.update_victim_index(slot);
        self.enqueue(slot);
        Ok(())
    }

    /// Remembers which quotas are over a ceiling that was lowered, and since when (T4).
    fn note_over_max(&mut self, before: &Self) {
        let over = |q: &QuotaId| (0..self.tree.width()).any(|r| self.ledger.charged(q.0, r) > self.max(q.0, r));
        self.over_by_edit = self.tree.ids().filter(over).map(|q| q.0).collect();
        if self.policy.enforce_max == EnforceMax::Never {
            return;
        }
        for quota in self.tree.ids() {
            let over = (0..self.tree.width()).any(|r| self.ledger.remaining_usage(quota.0, r) > self.max(quota.0, r));
            if over {
                let old = before.tree.by_name(self.tree.name(quota).as_str());
                let since = old.and_then(|q| before.over_max_since.get(&q.0)).copied().flatten();
                self.over_max_since.insert(quota.0, since);
            }
        }
    }

    /// An empty scheduler on a valid tree.
    pub(crate) fn with_tree(tree: QuotaTree, policy: crate::api::Policy) -> Self {
        let ledger = Ledger::new(&tree);
        let leaves = ledger.no_quota() + 1;
        Self {
            interner: crate::scheduler::Interner::new(&tree),
            nodes: crate::scheduler::Nodes::new(&policy),
            pending: PendingQueue::new(
                (0..leaves).map(|q| ledger.parent(q)).collect(),
                policy.order == Order::GuaranteedFirst,
            ),
            workloads: crate::scheduler::Workloads::default(),
            victims: (0..leaves).map(|_| BTreeSet::new()).collect(),
            blocking_queues: (0..leaves).map(|q| crate::scheduler::blocking_queues(&tree, QuotaId(q))).collect(),
            holds: BTreeMap::new(),
            next_hold: 0,
            ready_holds: Vec::new(),
            ended_holds: Vec::new(),
            unclaimed_terminating: BTreeMap::new(),
            budgets: crate::scheduler::NameMap::default(),
            timers: BTreeSet::new(),
            over_max_since: BTreeMap::new(),
            over_by_edit: BTreeSet::new(),
            shrunk: BTreeSet::new(),
            maybe_stale: BTreeSet::new(),
            freed_nodes: Vec::new(),
            bound_this_cycle: Vec::new(),
            facts: true,
            now: Time(0),
            generation: 0,
            shares: Vec::new(),
            tree,
            policy,
            ledger,
        }
    }
}

fn waiting_pod(set: u16) -> Pod {
    Pod { state: Some(PodState::Waiting), set, spot: Assignment::default(), leaves_for: None }
}

fn check_pods(workload: WorkloadId, sets: &[PodSet], has: u64) -> Result<(), EventError> {
    let pods = sets.iter().map(|set| u64::from(set.count)).sum::<u64>().saturating_add(has);
    let sound = sets.len() < usize::from(u16::MAX) && sets.iter().all(|set| set.min <= set.count && set.count > 0);
    if pods == 0 || pods > u64::from(MOST_PODS) || !sound {
        return Err(EventError::PodCount { workload, pods, most: MOST_PODS });
    }
    Ok(())
}

fn impossible(pod: PodId, state: PodState, event: &'static str) -> EventError {
    let state = match state {
        PodState::Waiting => "waiting",
        PodState::Binding => "being bound",
        PodState::Running => "running",
        PodState::Leaving => "leaving",
    };
    EventError::ImpossibleOrder { pod, state, event }
}
