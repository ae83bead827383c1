//! Holds (H1 to H3): how they are made and how they end, and what an eviction changes for its victim.

use super::{
    decide::Decision,
    reclaim::PreemptionPlan,
    state::{Ask, Eviction, For, Hold, Reference, Stage},
    victims::PreemptionKind,
};
use quotree_core::{Action, EvictReason, PodId, ReleaseReason, Rule, WorkloadId};

impl Reference {
    /// Carries out a plan: evicts its victims and holds what they free.
    pub(super) fn hold(&mut self, id: WorkloadId, ask: Ask, found: PreemptionPlan, plan: &mut Decision) {
        let hold = self.next_hold;
        self.next_hold += 1;
        self.dequeue(id);
        for pod in &found.leaving {
            self.pod_mut(*pod).stage = Stage::Leaving(For::Hold(hold));
        }
        let mut victims = found.leaving.len();
        for candidate in &found.victims {
            let rule = if found.kind == PreemptionKind::Reclaim { Rule::R2 } else { Rule::R1 };
            let chosen_by = if found.by_sets { Rule::V5 } else { Rule::V1 };
            let reason = EvictReason { chosen_by, ..self.reason(candidate, rule, Some(id)) };
            victims += candidate.pods.len();
            for pod in &candidate.pods {
                self.evict(*pod, For::Hold(hold), reason.clone(), plan);
            }
            self.requeue_rest(candidate.workload, ReleaseReason::NeededBy(id), plan);
        }
        let spots = found.assignments.iter().map(|(pod, assignment)| (*pod, assignment.node)).collect();
        let victims = u32::try_from(victims).unwrap_or(u32::MAX);
        plan.actions.push(Action::Hold { workload: id, spots, victims });
        self.workload_mut(id).hold = Some(hold);
        let (since, made, assignments) = (self.now, self.count, found.assignments);
        self.holds.push(Hold { id: hold, workload: id, ask, since, made, assignments });
        self.timers.extend(self.policy.hold_timeout_ms.map(|ms| self.now.after_ms(ms)));
    }

    /// Enqueues the pending pods of an evicted workload, whose ask has changed; if it fell below its minimum, its hold
    /// ends (G1, G2).
    pub(super) fn requeue_rest(&mut self, victim: WorkloadId, why: ReleaseReason, plan: &mut Decision) {
        match self.workload(victim).hold {
            None => self.requeue(victim),
            Some(hold) if self.workload(victim).below_minimum() => {
                self.release(hold, why, plan);
            }
            Some(_) => {}
        }
    }

    pub(super) fn requeue(&mut self, id: WorkloadId) {
        self.dequeue(id);
        self.enqueue(id);
    }

    /// Adds an eviction to the plan.
    pub(super) fn evict(&mut self, pod: PodId, whom: For, reason: EvictReason, plan: &mut Decision) {
        let (was, count) = (self.pod(pod).stage, self.count);
        self.pod_mut(pod).stage = Stage::Leaving(whom);
        let workload = self.workload_mut(pod.workload);
        workload.evicted_whole |= workload.below_minimum();
        workload.unreplaced = (workload.unreplaced.0 + 1, count);
        let mut from_budget = None;
        if let Some(budget) = workload.budget.clone()
            && let Some(left) = self.budgets.get_mut(&budget).filter(|left| **left > 0)
        {
            *left -= 1;
            from_budget = Some(budget);
        }
        self.pod_mut(pod).evicted =
            Some(Eviction { was, started: None, reason: reason.clone(), at: count, from_budget });
        self.update_victim_rank(pod.workload);
        plan.actions.push(Action::Evict { pod, reason });
    }

    /// Removes a hold: its victims leave for nobody.
    pub(super) fn drop_hold(&mut self, hold: u32) -> Option<Hold> {
        let at = self.holds.iter().position(|h| h.id == hold)?;
        let hold = self.holds.remove(at);
        for pod in self.leaving(For::Hold(hold.id)) {
            self.pod_mut(pod).stage = Stage::Leaving(For::Nobody);
        }
        self.workload_mut(hold.workload).hold = None;
        self.free_reserved(&hold);
        Some(hold)
    }

    /// Marks the nodes of a hold as changed: what the hold reserves there is different now.
    pub(super) fn free_reserved(&mut self, hold: &Hold) {
        let up =
            hold.assignments.iter().map(|(_, assignment)| assignment.node).filter(|node| self.nodes.contains_key(node));
        let up: Vec<_> = up.collect();
        self.note_freed(up);
    }

    /// Ends a hold; its workload is pending again.
    pub(super) fn release(&mut self, hold: u32, reason: ReleaseReason, plan: &mut Decision) {
        if let Some(hold) = self.drop_hold(hold) {
            plan.actions.push(Action::Release { workload: hold.workload, reason });
            self.requeue(hold.workload);
        }
    }

    /// Ends the holds that timed out; no workload waits for their victims any more (H2).
    pub(super) fn expire_holds(&mut self, plan: &mut Decision) {
        let Some(timeout) = self.policy.hold_timeout_ms else { return };
        for hold in self.holds.clone() {
            let late = self.leaving(For::Hold(hold.id));
            if !late.is_empty() && hold.since.after_ms(timeout) <= self.now {
                self.release(hold.id, ReleaseReason::TimedOut, plan);
                for pod in late {
                    self.pod_mut(pod).stage = Stage::Leaving(For::Overdue);
                }
            }
        }
    }

    fn keeps_above(&self, id: WorkloadId) -> bool {
        let keeps = |q: usize| self.tree.quotas[q].kept.iter().any(|kept| *kept > 0);
        self.workload(id).leaf.is_some_and(|leaf| self.tree.path(leaf).any(keeps))
    }

    /// Binds the holders whose victims are all gone, the oldest hold first (H3). Where quotas keep something from
    /// lending (L3), a hold may count on what victims of others free, and waits for those, too.
    pub(super) fn bind_held(&mut self, plan: &mut Decision) {
        for hold in self.holds.clone() {
            if !self.leaving(For::Hold(hold.id)).is_empty() {
                continue;
            }
            let mut without = self.clone();
            without.drop_hold(hold.id);
            let id = hold.workload;
            // Its hold makes it a job already, so a job limit does not bar it.
            let ask = Ask { job: false, ..hold.ask.clone() };
            let barred = without.barred(&without.ledger(), &ask, self.workload(id).leaf).is_some();
            if barred && self.keeps_above(id) && without.fits_later(id, &ask) {
                continue;
            }
            *self = without;
            let assignments =
                || self.reserved_assignments(&hold.assignments).or_else(|| self.place(id, self.free_nodes()));
            match (!barred).then(assignments).flatten() {
                Some(assignments) => self.bind(id, &ask, &assignments, true, plan),
                None => {
                    plan.actions.push(Action::Release { workload: id, reason: ReleaseReason::NoLongerFits });
                    self.requeue(id);
                }
            }
        }
    }
}
