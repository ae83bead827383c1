//! The steps in the life of a pod and its workload. Each step keeps ledger, nodes, victim index and queue consistent.

use super::{evictions::Eviction, groups::Cluster};
use crate::{
    api::{Action, BindReason, EvictReason, Plan, PodState},
    scheduler::{
        queue::VictimKey,
        state::{Ask, Assignment, Assignments, HoldId, PodRef, Row, WorkloadSlot},
    },
};
use std::cmp::Reverse;

impl Cluster {
    /// Binds pods that were placed on trial, and puts the workload into the queue for its next unit. `held` says
    /// whether it had evicted others for the room.
    pub(crate) fn bind(&mut self, slot: WorkloadSlot, ask: &Ask, pods: Assignments, held: bool, plan: &mut Plan) {
        let entitled = self.quotas.is_entitled(ask, self.workloads.at(slot).leaf);
        self.set_admitted(slot, true);
        for (pod, assignment) in pods {
            self.charge(pod, assignment, PodState::Binding);
            let node = self.nodes.at(assignment.node).id;
            let reason = BindReason { entitled, held, placement: self.policy.placement };
            let pod = self.workloads.id_of(pod);
            plan.actions.push(Action::Bind { pod, node, devices: assignment.devices, reason });
        }
        self.protect_just_bound(slot);
        self.update_victim_index(slot);
        if self.workloads.at(slot).pods.len() > 1 {
            self.enqueue(slot);
        }
    }

    /// Plans the eviction of a pod. `hold` is the hold that will wait for it, if one will.
    pub(crate) fn evict(&mut self, pod: PodRef, hold: Option<HoldId>, reason: EvictReason, plan: &mut Plan) {
        let generation = self.generation;
        let was_binding = self.workloads.pod(pod).is_some_and(|row| row.state == Some(PodState::Binding));
        self.start_terminating(pod, hold);
        let mut from_budget = self.workloads.at(pod.workload).budget.as_deref().cloned();
        match from_budget.as_ref().and_then(|budget| self.budgets.get_mut(budget)).filter(|left| **left > 0) {
            Some(left) => *left -= 1,
            None => from_budget = None,
        }
        let resource = reason.resource.as_ref().and_then(|resource| self.quotas.tree.resource_index(resource.as_str()));
        let contests = reason.leaf.and(reason.common).zip(resource).map(|(common, r)| (common.into(), r));
        let eviction = Eviction { was_binding, started: None, generation, rule: reason.rule, contests, from_budget };
        self.evictions.add(self.workloads.id_of(pod), eviction);
        let workload = self.workloads.at_mut(pod.workload);
        workload.evicted_whole |= workload.is_below_minimum();
        workload.unreplaced += 1;
        workload.evicted_at = generation;
        self.update_victim_index(pod.workload);
        plan.actions.push(Action::Evict { pod: self.workloads.id_of(pod), reason });
    }

    /// Charges a pod to the quotas on its path. The caller must have placed the pod on its node.
    pub(crate) fn charge(&mut self, pod: PodRef, assignment: Assignment, state: PodState) {
        let workload = self.workloads.at(pod.workload);
        let (leaf, preemptible) = (workload.leaf, workload.preemptible);
        let ledger = &mut self.quotas.ledger;
        ledger.add_usage(leaf, self.workloads.governed(pod), preemptible, 1);
        ledger.each(leaf, |ledger, q| *ledger.pods.at_mut(q) += 1);
        if let Some(row) = self.workloads.pod_mut(pod) {
            row.state = Some(state);
            row.assignment = assignment;
        }
        self.touch(leaf);
    }

    /// Takes a pod off its node and out of the ledger. Gives the hold that waited for it to leave.
    #[must_use]
    pub(crate) fn discharge(&mut self, pod: PodRef, after: Option<PodState>) -> Option<HoldId> {
        let row = self.workloads.pod(pod).copied()?;
        let workload = self.workloads.at(pod.workload);
        let (leaf, preemptible) = (workload.leaf, workload.preemptible);
        let is_terminating = row.state == Some(PodState::Terminating);
        let template = self.workloads.template(pod);
        let ledger = &mut self.quotas.ledger;
        if is_terminating {
            ledger.add_leaving(leaf, &template.governed, -1);
            self.nodes.stop_leaving(row.assignment, template);
            self.holds.forget_terminating(self.workloads.id_of(pod));
            self.evictions.take(self.workloads.id_of(pod));
        }
        ledger.add_usage(leaf, &template.governed, preemptible, -1);
        ledger.each(leaf, |ledger, q| *ledger.pods.at_mut(q) -= 1);
        self.nodes.take(row.assignment, template, pod);
        self.nodes.freed.note(row.assignment.node);
        if let Some(row) = self.workloads.pod_mut(pod) {
            row.state = after;
            row.evicted_for = None;
        }
        self.touch(leaf);
        row.evicted_for.filter(|_| is_terminating)
    }

    /// Marks an active pod as terminating. `hold` is the hold that waits for it to leave, if there is one.
    pub(crate) fn start_terminating(&mut self, pod: PodRef, hold: Option<HoldId>) {
        let leaf = self.workloads.at(pod.workload).leaf;
        let governed: &Row = self.workloads.governed(pod);
        self.quotas.ledger.add_leaving(leaf, governed, 1);
        if let Some(row) = self.workloads.pod(pod) {
            self.nodes.start_leaving(row.assignment, self.workloads.template(pod));
        }
        if let Some(row) = self.workloads.pod_mut(pod) {
            row.state = Some(PodState::Terminating);
            row.evicted_for = hold;
        }
        if hold.is_none() {
            self.holds.unclaimed_terminating.insert(self.workloads.id_of(pod), pod);
        }
        self.touch(leaf);
    }

    /// A terminating pod goes on after all, in this state. The hold that waited for it has ended.
    pub(crate) fn stop_terminating(&mut self, pod: PodRef, state: PodState) {
        let leaf = self.workloads.at(pod.workload).leaf;
        self.quotas.ledger.add_leaving(leaf, self.workloads.governed(pod), -1);
        if let Some(row) = self.workloads.pod(pod) {
            self.nodes.stop_leaving(row.assignment, self.workloads.template(pod));
        }
        if let Some(row) = self.workloads.pod_mut(pod) {
            row.state = Some(state);
            row.evicted_for = None;
        }
        self.holds.forget_terminating(self.workloads.id_of(pod));
        self.touch(leaf);
    }

    /// Takes what a pod requests off its node and out of the ledger. The caller must reverse this by
    /// [`recharge`](Self::recharge).
    pub(crate) fn uncharge(&mut self, pod: PodRef) {
        self.add_charge(pod, -1);
    }

    /// Charges a pod that has a node for what it requests now.
    pub(crate) fn recharge(&mut self, pod: PodRef) {
        self.add_charge(pod, 1);
    }

    fn add_charge(&mut self, pod: PodRef, sign: i64) {
        let Some(row) = self.workloads.pod(pod).copied() else { return };
        let workload = self.workloads.at(pod.workload);
        let (leaf, preemptible) = (workload.leaf, workload.preemptible);
        let template = self.workloads.template(pod);
        self.quotas.ledger.add_usage(leaf, &template.governed, preemptible, sign);
        let leaves = row.state == Some(PodState::Terminating);
        if leaves {
            self.quotas.ledger.add_leaving(leaf, &template.governed, sign);
        }
        if sign > 0 {
            self.nodes.put_anyway(row.assignment, template, pod);
            if leaves {
                self.nodes.start_leaving(row.assignment, template);
            }
        } else {
            if leaves {
                self.nodes.stop_leaving(row.assignment, template);
            }
            self.nodes.take(row.assignment, template, pod);
        }
    }

    /// Sets whether a workload counts as an admitted job: it does from its first pod or hold on (A5).
    pub(crate) fn set_admitted(&mut self, slot: WorkloadSlot, admitted: bool) {
        let workload = self.workloads.at_mut(slot);
        if std::mem::replace(&mut workload.admitted, admitted) == admitted {
            return;
        }
        let leaf = workload.leaf;
        self.quotas.ledger.each(leaf, |ledger, q| {
            let jobs = ledger.jobs.at_mut(q);
            *jobs = if admitted { *jobs + 1 } else { jobs.saturating_sub(1) };
        });
        self.touch(leaf);
    }

    /// Updates the place of a workload among the possible victims of its leaf, or takes it out.
    pub(crate) fn update_victim_index(&mut self, slot: WorkloadSlot) {
        if !self.policy.has_victims() {
            return;
        }
        let workload = self.workloads.at(slot);
        let (leaf, priority) = (workload.leaf, workload.priority);
        let is_victim = workload.protection().is_none() && workload.has_active();
        let key = is_victim.then(|| VictimKey {
            priority,
            has_surplus: Reverse(workload.has_surplus()),
            started: Reverse(workload.started()),
            id: Reverse(workload.id),
            slot,
        });
        if self.victims.set(slot, leaf, key) && is_victim {
            self.retry_preemptors(leaf, priority);
        }
    }

    /// Drops a workload whose pods have all ended.
    pub(crate) fn drop_if_ended(&mut self, slot: WorkloadSlot) {
        if !self.workloads.at(slot).has_ended() {
            return;
        }
        self.dequeue(slot);
        self.update_victim_index(slot);
        self.set_admitted(slot, false);
        let workload = self.workloads.at(slot);
        self.evictions.spare_no_longer(workload.id);
        if workload.unreplaced > 0 {
            self.arrivals.keep(workload.id, workload.evicted_at);
        }
        self.workloads.remove(slot);
    }
}
