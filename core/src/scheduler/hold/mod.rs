//! Holds: freed capacity is for the one who freed it (H1 to H3).
//!
//! A hold any_lend_limit, on every quota of its path and on every node it will stand on, what it needs beyond what its victims
//! still use there. As victims leave, what they free moves under the hold; whoever else looks sees the room as taken.

use crate::api::{Action, EvictReason, Plan, ReleaseReason, Time};
use crate::scheduler::{
    Scheduler,
    nodes::{Assignment, NodeReservation, NodeSlot, PodRef},
    preempt::search::PreemptionPlan,
    quota::{
        ledger::{QuotaSlot, Row},
        lending::PendingChange,
    },
    state::{
        interner::{Ask, AskId},
        workloads::{HoldId, WorkloadSlot},
    },
};
use smallvec::SmallVec;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug, Clone)]
pub(crate) struct Hold {
    pub(crate) slot: WorkloadSlot,
    pub(crate) ask: AskId,
    pub(crate) since: Time,
    /// The scheduler's generation when it was made.
    pub(crate) made: u64,
    pub(crate) spots: SmallVec<[(PodRef, Assignment); 1]>,
    /// Victims that have not left yet.
    pub(crate) victims: BTreeSet<PodRef>,
    /// What it any_lend_limit of quotas.
    change: PendingChange,
    kept_nodes: SmallVec<[(NodeSlot, NodeReservation); 1]>,
}

impl Scheduler {
    /// Carries a preemption out: evicts its victims, and holds what they free (H1). Spots must be off trial.
    pub(crate) fn hold(&mut self, slot: WorkloadSlot, ask: AskId, preemption: PreemptionPlan, plan: &mut Plan) {
        let id = self.next_hold;
        self.next_hold += 1;
        self.dequeue(slot);
        self.set_admitted(slot, true);
        let cause = self.workloads.at(slot).id;
        let mut victims: BTreeSet<PodRef> = preemption.leaving.iter().copied().collect();
        for pod in &preemption.leaving {
            self.unclaimed_terminating.remove(&self.workloads.id_of(*pod));
            if let Some(row) = self.workloads.pod_mut(*pod) {
                row.leaves_for = Some(id);
            }
        }
        for candidate in &preemption.victims {
            let reason = EvictReason {
                rule: preemption.kind.rule(),
                cause: Some(cause),
                leaf: self.quota(candidate.leaf),
                common: self.quota(candidate.common),
                resource: candidate.resource.and_then(|r| self.tree.resource_name(r)).cloned(),
                over: candidate.over,
                priority: candidate.rank.priority,
                budget_broken: candidate.rank.breaks_budget,
            };
            for pod in &candidate.pods {
                victims.insert(*pod);
                self.evict(*pod, Some(id), reason.clone(), plan);
            }
            self.requeue_rest(candidate.slot, ReleaseReason::NeededBy(cause), plan);
        }
        let spots = preemption
            .spots
            .iter()
            .map(|(pod, spot)| (self.workloads.id_of(*pod), self.nodes.at(spot.node).id))
            .collect();
        let workload = self.workloads.at_mut(slot);
        workload.hold = Some(id);
        plan.actions.push(Action::Hold {
            workload: cause,
            spots,
            victims: crate::scheduler::state::table::narrow(victims.len()),
        });
        let (leaf, preemptible) = (workload.leaf, workload.preemptible);
        let total = self.interner.get(ask).total.clone();
        self.ledger.hold(leaf, &total, preemptible);
        let (change, kept_nodes) = (PendingChange::default(), SmallVec::new());
        let spots = preemption.spots.into_iter().collect();
        let (since, made) = (self.now, self.generation);
        self.holds.insert(id, Hold { slot, ask, since, made, spots, victims, change, kept_nodes });
        self.keep(id);
        self.timers.extend(self.policy.hold_timeout_ms.map(|ms| self.now.after_ms(ms)));
        self.touch(leaf);
    }

    /// What still waits of a workload after an eviction waits for something else now (G1), and a gang that goes whole holds
    /// nothing any more, for this reason (G2).
    pub(crate) fn requeue_rest(&mut self, slot: WorkloadSlot, why: ReleaseReason, plan: &mut Plan) {
        match self.workloads.at(slot).hold {
            None => {
                self.dequeue(slot);
                self.enqueue(slot);
            }
            Some(hold) if self.workloads.at(slot).below_minimum() => {
                self.release(hold, why, plan);
            }
            Some(_) => {}
        }
    }

    /// Plans an eviction.
    pub(crate) fn evict(&mut self, pod: PodRef, hold: Option<HoldId>, reason: EvictReason, plan: &mut Plan) {
        self.set_leaving(pod, hold);
        if let Some(left) = self.workloads.at(pod.0).budget.clone().and_then(|budget| self.budgets.get_mut(&budget)) {
            *left = left.saturating_sub(1);
        }
        let workload = self.workloads.at_mut(pod.0);
        workload.evicted_whole |= workload.below_minimum();
        let id = workload.id.pod(pod.1);
        self.update_victim_index(pod.0);
        plan.actions.push(Action::Evict { pod: id, reason });
    }

    /// Reserves what a hold needs beyond what its victims still use.
    fn keep(&mut self, id: HoldId) {
        let Some(hold) = self.holds.get(&id) else { return };
        let leaf = self.workloads.at(hold.slot).leaf;
        let mut freed: BTreeMap<QuotaSlot, Row> = BTreeMap::new();
        for pod in &hold.victims {
            let uses = self.workloads.governed(*pod, &self.interner);
            let row = freed.entry(self.workloads.at(pod.0).leaf).or_insert_with(|| SmallVec::from_elem(0, uses.len()));
            row.iter_mut().zip(uses).for_each(|(sum, uses)| *sum += uses);
        }
        let change = PendingChange { leaf, total: self.interner.get(hold.ask).total.clone(), freed };
        let mut kept_nodes: SmallVec<[(NodeSlot, NodeReservation); 1]> = SmallVec::new();
        for (pod, spot) in &hold.spots {
            let footprint = self.footprint(*pod, *spot);
            match kept_nodes.iter_mut().find(|(node, _)| *node == spot.node) {
                Some((_, kept)) => kept.add(&footprint),
                None => kept_nodes.push((spot.node, footprint)),
            }
        }
        for pod in &hold.victims {
            let Some(spot) = self.workloads.pod(*pod).map(|row| row.spot) else { continue };
            if let Some((_, kept)) = kept_nodes.iter_mut().find(|(node, _)| *node == spot.node) {
                kept.cover(&self.footprint(*pod, spot));
            }
        }
        for (node, kept) in &mut kept_nodes {
            kept.clip();
            self.nodes.reserve(*node, kept, 1);
        }
        self.ledger.keep(id, &change);
        if let Some(hold) = self.holds.get_mut(&id) {
            (hold.change, hold.kept_nodes) = (change, kept_nodes);
            if hold.victims.is_empty() {
                self.ready_holds.push(id);
            }
        }
        self.touch_reserved_quotas(id);
    }

    /// Gives back what a hold has reserved.
    fn unkeep(&mut self, id: HoldId) {
        self.touch_reserved_quotas(id);
        let Some(hold) = self.holds.get_mut(&id) else { return };
        let (nodes, change) = (std::mem::take(&mut hold.kept_nodes), std::mem::take(&mut hold.change));
        for (node, kept) in nodes {
            if self.nodes.at(node).up {
                self.nodes.reserve(node, &kept, -1);
                self.freed_nodes.push(node);
            }
        }
        self.ledger.unkeep(id, &change);
    }

    /// What a hold any_lend_limit has changed: quota_check on the way of who comes may open, and beside lending limits of who goes (L3).
    fn touch_reserved_quotas(&mut self, id: HoldId) {
        let Some(change) = self.holds.get(&id).map(|hold| &hold.change) else { return };
        let lending = change.freed.keys().copied().filter(|_| self.ledger.any_lend_limit());
        let leaves: SmallVec<[QuotaSlot; 4]> = lending.chain([change.leaf]).collect();
        leaves.into_iter().for_each(|leaf| self.touch(leaf));
    }

    fn footprint(&self, pod: PodRef, spot: Assignment) -> NodeReservation {
        let template = self.interner.templates.at(self.workloads.at(pod.0).template(pod.1));
        self.nodes.footprint(spot, template)
    }

    /// A victim of a hold has left.
    pub(crate) fn victim_left(&mut self, id: HoldId, pod: PodRef) {
        self.unkeep(id);
        if let Some(hold) = self.holds.get_mut(&id) {
            hold.victims.remove(&pod);
        }
        self.keep(id);
    }

    /// Ends a hold; its workload waits again, its victims leave for nobody.
    pub(crate) fn release(&mut self, id: HoldId, reason: ReleaseReason, plan: &mut Plan) {
        if let Some(hold) = self.drop_hold(id) {
            plan.actions.push(Action::Release { workload: self.workloads.at(hold.slot).id, reason });
            self.requeue(hold.slot);
            self.offer_unbarred();
        }
    }

    pub(crate) fn requeue(&mut self, slot: WorkloadSlot) {
        let none_placed = self
            .workloads
            .at(slot)
            .pods
            .iter()
            .all(|pod| pod.state.is_none_or(|s| s == crate::scheduler::PodState::Waiting));
        if none_placed {
            self.set_admitted(slot, false);
        }
        self.enqueue(slot);
    }

    /// Ends a hold, whatever becomes of its workload.
    pub(crate) fn drop_hold(&mut self, id: HoldId) -> Option<Hold> {
        self.unkeep(id);
        let hold = self.holds.remove(&id)?;
        self.ready_holds.retain(|h| *h != id);
        let workload = self.workloads.at(hold.slot);
        let (leaf, preemptible) = (workload.leaf, workload.preemptible);
        let total = self.interner.get(hold.ask).total.clone();
        self.ledger.let_go(leaf, &total, preemptible);
        for pod in &hold.victims {
            if let Some(row) = self.workloads.pod_mut(*pod) {
                row.leaves_for = None;
            }
            self.unclaimed_terminating.insert(self.workloads.id_of(*pod), *pod);
        }
        self.workloads.at_mut(hold.slot).hold = None;
        self.touch(leaf);
        Some(hold)
    }

    /// Takes back [`drop_hold`](Self::drop_hold).
    pub(crate) fn reinstate(&mut self, id: HoldId, hold: Hold) {
        let slot = hold.slot;
        let workload = self.workloads.at(slot);
        let (leaf, preemptible) = (workload.leaf, workload.preemptible);
        let total = self.interner.get(hold.ask).total.clone();
        self.ledger.hold(leaf, &total, preemptible);
        for pod in &hold.victims {
            self.unclaimed_terminating.remove(&self.workloads.id_of(*pod));
            if let Some(row) = self.workloads.pod_mut(*pod) {
                row.leaves_for = Some(id);
            }
        }
        self.workloads.at_mut(slot).hold = Some(id);
        self.holds.insert(id, hold);
        self.keep(id);
    }

    /// Ends the holds that took too long (H2).
    pub(crate) fn expire_holds(&mut self, plan: &mut Plan) {
        let Some(timeout) = self.policy.hold_timeout_ms else { return };
        let late = |hold: &Hold| hold.since.after_ms(timeout) <= self.now && !hold.victims.is_empty();
        let expired: Vec<HoldId> = self.holds.iter().filter(|(_, hold)| late(hold)).map(|(id, _)| *id).collect();
        for id in expired {
            let late: Vec<PodRef> =
                self.holds.get(&id).into_iter().flat_map(|hold| hold.victims.iter().copied()).collect();
            self.release(id, ReleaseReason::TimedOut, plan);
            // They were waited for long enough: nobody else waits for them either.
            self.unclaimed_terminating.retain(|_, pod| !late.contains(pod));
        }
    }

    /// Binds the workloads whose victims are all gone (H3), oldest hold first.
    pub(crate) fn bind_held(&mut self, plan: &mut Plan) {
        let mut ready_holds = std::mem::take(&mut self.ready_holds);
        ready_holds.sort_unstable();
        ready_holds.dedup();
        for id in ready_holds {
            let Some(hold) = self.holds.get(&id).cloned() else { continue };
            if !hold.victims.is_empty() {
                continue;
            }
            let ask: Ask = self.interner.get(hold.ask).clone();
            let slot = hold.slot;
            let leaf = self.workloads.at(slot).leaf;
            self.drop_hold(id);
            let blocked = self.blocked_apart_from_jobs(&ask, leaf);
            if blocked && self.ledger.has_lend_limit(leaf) && self.fits_when_settled(slot, &ask) {
                // What victims of others free was counted on (L3).
                self.reinstate(id, hold);
                continue;
            }
            let spots = match blocked {
                true => None,
                false => self.place_at(&hold.spots).or_else(|| self.place(slot)),
            };
            match spots {
                Some(spots) => self.bind(slot, &ask, spots, true, plan),
                None => {
                    let workload = self.workloads.at(slot).id;
                    plan.actions.push(Action::Release { workload, reason: ReleaseReason::NoLongerFits });
                    self.requeue(slot);
                }
            }
        }
    }

    /// Whether a ceiling is in the way; that it counts as a job already is not.
    fn blocked_apart_from_jobs(&self, ask: &Ask, leaf: QuotaSlot) -> bool {
        let ask = Ask { job: false, ..ask.clone() };
        self.blocked(&ask, leaf).is_some()
    }

    /// Puts pods on the spots a hold kept for them, if all are still good.
    fn place_at(&mut self, wanted: &[(PodRef, Assignment)]) -> Option<SmallVec<[(PodRef, Assignment); 1]>> {
        if !self.stand_together(wanted) {
            return None;
        }
        let mut trial = crate::scheduler::cluster::trial::Trial::default();
        for (pod, spot) in wanted {
            let template = self.interner.templates.at(self.workloads.at(pod.0).template(pod.1));
            if !self.nodes.is_suitable(spot.node, template) || self.nodes.at(spot.node).is_ill(spot.devices) {
                self.undo(trial);
                return None;
            }
            self.trial_bind(&mut trial, *pod, *spot);
            if self.nodes.at(spot.node).is_crowded() {
                self.undo(trial);
                return None;
            }
        }
        Some(wanted.iter().copied().collect())
    }
}
