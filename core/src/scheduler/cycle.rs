//! One decision, as a table of contents: what is due by time, what was freed for somebody, then everybody who may now
//! be placed, in order (O1).

use crate::api::{
    Action, BindReason, EnforceMax, EvictReason, Plan, QuotaId, Reclaim, ReleaseReason, Rule, Time, WorkloadId,
};
use crate::scheduler::{
    Hold, Scheduler,
    cluster::trial::Trial,
    explain::Findings,
    nodes::{Assignment, PodRef},
    preempt::{
        eligibility::{PreemptionKind, Preemptor, Steps, VictimLeaf},
        search::PreemptionPlan,
    },
    queue::{order::Key, pending::RequestQueue},
    quota::admission::QuotaCheck,
    state::{
        interner::Ask,
        workloads::{HoldId, WorkloadSlot},
    },
    view::PodState,
};
use smallvec::SmallVec;
use std::collections::BTreeSet;

pub(crate) type Spots = SmallVec<[(PodRef, Assignment); 1]>;

impl Scheduler {
    pub(crate) fn plan(&mut self, plan: &mut Plan) {
        self.facts |= self.time_is_up();
        self.start_clocks();
        self.forget_drained();
        self.refresh_shares();
        self.tell_ended_holds(plan);
        self.expire_holds(plan);
        self.bind_held(plan);
        self.evict_stale_gangs(plan);
        self.enforce_ceilings(plan);
        let mut news = std::mem::take(&mut self.facts);
        loop {
            if news {
                self.retry_after_event();
            }
            self.open_gates();
            let before = plan.actions.len();
            while let Some(cell) = self.next_queue() {
                self.attempt(cell, plan);
                self.open_gates();
            }
            // What was done for some is news for those who were tried before: who waited for room that another got, say.
            news = plan.actions.len() > before;
            if !news {
                break;
            }
        }
        self.keep_last_verdicts(plan);
    }

    /// Of a workload that was tried again only the last word counts, and none when it was placed.
    fn keep_last_verdicts(&self, plan: &mut Plan) {
        if plan.verdicts.is_empty() || plan.actions.is_empty() {
            return;
        }
        let waits =
            |id: &WorkloadId| self.workloads.slot(*id).is_some_and(|slot| self.workloads.at(slot).waits.is_some());
        let mut told = BTreeSet::new();
        plan.verdicts.reverse();
        plan.verdicts.retain(|verdict| waits(&verdict.workload) && told.insert(verdict.workload));
        plan.verdicts.reverse();
    }

    /// Facts carry no time: what they began counts from the first decision after them (G3, T4).
    fn start_clocks(&mut self) {
        if let EnforceMax::After { ms } = self.policy.enforce_max {
            for since in self.over_max_since.values_mut().filter(|since| since.is_none()) {
                *since = Some(self.now);
                self.timers.insert(self.now.after_ms(ms));
            }
        }
        let Some(patience) = self.policy.stale_after_ms else { return };
        for id in &self.maybe_stale {
            let Some(slot) = self.workloads.slot(*id) else { continue };
            let since = &mut self.workloads.at_mut(slot).stale_since;
            if since.is_none() {
                *since = Some(self.now);
                self.timers.insert(self.now.after_ms(patience));
            }
        }
    }

    /// Forgets the excuses of quotas and nodes that are no longer over.
    fn forget_drained(&mut self) {
        let over = |q: &u32| (0..self.tree.width()).any(|r| self.ledger.charged(*q, r) > self.max(*q, r));
        let excused: Vec<u32> = self.over_by_edit.iter().copied().filter(over).collect();
        self.over_by_edit = excused.into_iter().collect();
        self.shrunk.retain(|node| self.nodes.at(*node).is_crowded());
    }

    fn tell_ended_holds(&mut self, plan: &mut Plan) {
        let ended = self.ended_holds.drain(..);
        plan.actions.extend(ended.map(|(workload, reason)| Action::Release { workload, reason }));
    }

    /// Whether a time has come at which a decision may differ.
    fn time_is_up(&mut self) -> bool {
        let mut due = false;
        while self.timers.first().is_some_and(|time| *time <= self.now) {
            self.timers.pop_first();
            due = true;
        }
        due
    }

    fn next_queue(&mut self) -> Option<RequestQueue> {
        let quota_check = QuotaCheck { tree: &self.tree, ledger: &self.ledger };
        let (interner, workloads) = (&self.interner, &self.workloads);
        let entitled = |(ask, leaf): RequestQueue| quota_check.entitled(interner.get(ask), leaf);
        // With lending limits quota_check are optimistic (L3), and only the whole path tells who may come in.
        let lets_in = |(ask, leaf): RequestQueue| {
            !self.ledger.any_lend_limit() || quota_check.blocked(interner.get(ask), leaf).is_none()
        };
        self.pending.next(entitled, lets_in, |slot| workloads.at(slot).leaf)
    }

    /// A hold ended: who was set aside, and is blocked no more, is offered again in this very pass (O1).
    pub(crate) fn offer_unbarred(&mut self) {
        let quota_check = QuotaCheck { tree: &self.tree, ledger: &self.ledger };
        let interner = &self.interner;
        self.pending.resume(|(ask, leaf)| quota_check.blocked(interner.get(ask), leaf).is_none());
    }

    /// Takes note of what came free: quota_check of quotas, and room on nodes.
    fn open_gates(&mut self) {
        if !self.freed_nodes.is_empty() {
            self.freed_nodes.sort_unstable();
            self.freed_nodes.dedup();
            for ask in self.pending.without_room() {
                if self.freed_nodes.iter().any(|node| self.may_host(*node, self.interner.get(ask))) {
                    self.pending.set_room(ask, true);
                }
            }
            self.freed_nodes.clear();
        }
        let quota_check = QuotaCheck { tree: &self.tree, ledger: &self.ledger };
        let interner = &self.interner;
        self.pending.refresh(|ask, leaf| quota_check.admission(interner.get(ask), leaf));
    }

    /// Whether a node has room for some member of an ask.
    fn may_host(&self, node: u32, ask: &Ask) -> bool {
        let node_row = self.nodes.at(node);
        let fits = |(id, _): &(u32, u32)| {
            let template = self.interner.templates.at(*id);
            node_row.choose(template).is_some() && self.nodes.is_suitable(node, template)
        };
        node_row.up && ask.members.iter().any(fits)
    }

    /// Tries again, after a fact, everybody who could take from others.
    fn retry_after_event(&mut self) {
        for cell in self.pending.take_retries() {
            let Some(head) = self.pending.head(cell) else { continue };
            if self.may_preempt(head.slot, self.interner.get(cell.0)) || !self.holds_to_take(head).is_empty() {
                self.pending.wake(cell);
            } else if self.shares_decide() || self.came_after_a_hold(head.slot) {
                self.pending.retry_on_event(cell);
            }
        }
    }

    /// Forgets what is known of who cannot be placed: everybody who waits is tried once more.
    pub(crate) fn wake_all(&mut self) {
        self.pending.take_retries();
        for ask in self.pending.without_room() {
            self.pending.set_room(ask, true);
        }
        let leaves = self.tree.ids().filter(|q| self.tree.is_leaf(*q)).map(|q| q.0);
        for leaf in leaves.chain([self.ledger.no_quota()]).collect::<Vec<_>>() {
            for cell in self.pending.queues_of(leaf).collect::<Vec<_>>() {
                self.pending.wake(cell);
            }
        }
    }

    /// Whether there is a hold that a workload may come to take over (H2).
    fn came_after_a_hold(&self, slot: WorkloadSlot) -> bool {
        let oldest = self.holds.values().next();
        oldest.is_some_and(|hold| self.workloads.at(slot).arrived > hold.made)
    }

    /// Whether what one may claim from others changes with every fact (F3).
    fn shares_decide(&self) -> bool {
        self.is_enabled(PreemptionKind::Reclaim) && self.policy.reclaim == Reclaim::FairShare
    }

    /// Whether a workload could take from anybody.
    fn may_preempt(&self, slot: WorkloadSlot, ask: &Ask) -> bool {
        self.could_preempt(slot, ask, PreemptionKind::Reclaim)
            || self.could_preempt(slot, ask, PreemptionKind::Priority)
    }

    /// Tries to place the head of a cell: on what is free, at others' expense, or in a later one's hold.
    fn attempt(&mut self, cell: RequestQueue, plan: &mut Plan) {
        let Some(key) = self.pending.head(cell) else { return };
        let slot = key.slot;
        let ask = self.interner.get(cell.0).clone();
        if self.place_on_free(slot, cell, &ask, plan) {
            return;
        }
        let mut found = Findings { in_full: self.tells_in_full(), ..Findings::default() };
        let patient = self.fits_when_settled(slot, &ask);
        if patient && self.hold_what_leaves(slot, cell, &ask, plan) {
            return;
        }
        if !patient {
            let placed = self.preempt(slot, cell, &ask, &mut found, plan);
            if placed || self.take_over(slot, cell, key, &ask, plan) {
                return;
            }
        }
        found.settling = patient.then(|| self.how_many_leave());
        let open = self.blocked(&ask, cell.1).is_none();
        if open {
            self.pending.set_room(cell.0, false);
        }
        let suppressed = self.pending.is_ready(cell);
        let stuck = patient || self.shares_decide() || self.came_after_a_hold(slot) || self.may_preempt(slot, &ask);
        self.pending.suspend(cell, stuck, suppressed);
        plan.verdicts.extend(self.explained(slot, found));
    }

    fn place_on_free(&mut self, slot: WorkloadSlot, cell: RequestQueue, ask: &Ask, plan: &mut Plan) -> bool {
        if self.blocked(ask, cell.1).is_some() {
            return false;
        }
        let Some(spots) = self.place(slot) else { return false };
        self.dequeue(slot);
        self.bind(slot, ask, spots, false, plan);
        true
    }

    /// Places a workload at others' expense: an entitled one takes from other leaves first, then from its own (R3).
    fn preempt(
        &mut self,
        slot: WorkloadSlot,
        cell: RequestQueue,
        ask: &Ask,
        found: &mut Findings,
        plan: &mut Plan,
    ) -> bool {
        let preemption = [PreemptionKind::Reclaim, PreemptionKind::Priority]
            .into_iter()
            .find_map(|kind| self.find_plan(slot, ask, kind, found));
        let Some(preemption) = preemption else { return false };
        let broken = self.holds_broken_by(&preemption);
        if broken.is_empty() || !self.try_without_holds(&broken, slot, cell, ask, plan) {
            self.carry_out(slot, cell, ask, preemption, plan);
        }
        true
    }

    /// The holds of gangs that a preemption evicts whole. They would end with it, and what was evicted for them in vain: it is
    /// asked first what their ending alone is good for (S3).
    fn holds_broken_by(&self, preemption: &PreemptionPlan) -> Vec<HoldId> {
        let taken =
            |slot: WorkloadSlot, ordinal: u32| preemption.victims.iter().any(|c| c.pods.contains(&(slot, ordinal)));
        let mut broken: Vec<HoldId> = Vec::new();
        for slot in preemption.victims.iter().map(|candidate| candidate.slot) {
            let workload = self.workloads.at(slot);
            let Some(hold) = workload.hold.filter(|hold| !broken.contains(hold)) else { continue };
            let goes_whole = workload.standing().all(|(ordinal, _)| taken(slot, ordinal));
            if goes_whole && workload.sets.iter().any(|set| set.min > 0) {
                broken.push(hold);
            }
        }
        broken
    }

    /// An entitled workload for which those who leave for nobody are enough takes nobody else, but holds what they free
    /// (H1): who slipped into it meanwhile would have to be evicted next.
    fn hold_what_leaves(&mut self, slot: WorkloadSlot, cell: RequestQueue, ask: &Ask, plan: &mut Plan) -> bool {
        if self.unclaimed_terminating.is_empty() {
            return false;
        }
        let preemption = self
            .find_plan(slot, ask, PreemptionKind::Reclaim, &mut Findings::default())
            .filter(|preemption| preemption.victims.is_empty());
        let Some(preemption) = preemption else { return false };
        self.carry_out(slot, cell, ask, preemption, plan);
        true
    }

    fn carry_out(
        &mut self,
        slot: WorkloadSlot,
        cell: RequestQueue,
        ask: &Ask,
        preemption: PreemptionPlan,
        plan: &mut Plan,
    ) {
        if preemption.victims.is_empty() && preemption.leaving.is_empty() {
            let mut trial = Trial::default();
            for (pod, spot) in &preemption.spots {
                self.trial_bind(&mut trial, *pod, *spot);
            }
            self.dequeue(slot);
            self.bind(slot, ask, preemption.spots.into_iter().collect(), false, plan);
        } else {
            self.hold(slot, cell.0, preemption, plan);
        }
    }

    /// Stands everybody a pending workload asks for on what is free, or nobody (G1, P1).
    pub(crate) fn place_here(&mut self, slot: WorkloadSlot) -> Option<Spots> {
        let mut trial = Trial::default();
        for ordinal in self.asked_pods(slot) {
            let Some(spot) = self.pick(slot, ordinal) else {
                self.undo(trial);
                return None;
            };
            self.trial_bind(&mut trial, (slot, ordinal), spot);
        }
        Some(trial.placed().iter().copied().collect())
    }

    /// Binds pods that stand on their spots already, and blocking_queues the workload up for what is left of it.
    pub(crate) fn bind(&mut self, slot: WorkloadSlot, ask: &Ask, spots: Spots, held: bool, plan: &mut Plan) {
        let leaf = self.workloads.at(slot).leaf;
        let entitled = self.entitled(ask, leaf);
        self.set_admitted(slot, true);
        for (pod, spot) in spots {
            self.charge(pod, spot, PodState::Binding);
            let id = self.workloads.at(slot).id.pod(pod.1);
            let node = self.nodes.at(spot.node).id;
            let reason = BindReason { entitled, held, placement: self.policy.placement };
            plan.actions.push(Action::Bind { pod: id, node, devices: spot.devices, reason });
        }
        self.workloads.at_mut(slot).bound_this_cycle = true;
        self.bound_this_cycle.push(slot);
        self.update_victim_index(slot);
        if self.workloads.at(slot).pods.len() > 1 {
            self.enqueue(slot);
        }
    }

    /// An entitled workload takes the room that later ones hold, the latest first, where it needs it (H2). Only one that
    /// came after the hold was made: those that waited already had their turn before it, and to let them take it would
    /// make the hold's evictions vain without any new fact (S3).
    fn take_over(&mut self, slot: WorkloadSlot, cell: RequestQueue, key: Key, ask: &Ask, plan: &mut Plan) -> bool {
        let latest_first = self.holds_to_take(key);
        let each_alone = latest_first.chunks(1);
        each_alone.chain([latest_first.as_slice()]).any(|ids| self.try_without_holds(ids, slot, cell, ask, plan))
    }

    /// The holds that a workload may take over where it needs to, the latest first (H2).
    fn holds_to_take(&self, key: Key) -> Vec<HoldId> {
        let workload = self.workloads.at(key.slot);
        let mut later: Vec<(bool, Key, HoldId)> = Vec::new();
        // Holds stand in the order in which they were made.
        let earlier = self.holds.iter().take_while(|(_, hold)| hold.made < workload.arrived);
        for (id, hold) in earlier.take(self.policy.bounds.nodes as usize) {
            // Inside a leaf priority goes before entitlement (O1).
            let other_leaf = self.workloads.at(hold.slot).leaf != workload.leaf;
            let unentitled = other_leaf && !self.holder_is_entitled(hold.slot, hold.ask);
            // Both as they are now: shares of different times say nothing of who comes first.
            let holder = self.key(hold.slot);
            if unentitled || key < holder {
                later.push((unentitled, holder, *id));
            }
        }
        later.sort_unstable();
        later.into_iter().rev().map(|(_, _, id)| id).collect()
    }

    /// Whether a workload fits once all who leave have left and all who hold stand: then it needs to take from nobody.
    pub(crate) fn fits_when_settled(&mut self, slot: WorkloadSlot, ask: &Ask) -> bool {
        let under_way = self.holds.len() + self.unclaimed_terminating.len();
        if under_way == 0 || under_way > self.policy.bounds.nodes as usize {
            return false;
        }
        let mut trial = Trial::default();
        let freed = self.freed_nodes.len();
        let ids: Vec<HoldId> = self.holds.keys().copied().collect();
        let nobodys: Vec<PodRef> = self.unclaimed_terminating.values().copied().collect();
        let ended: Vec<(HoldId, Hold)> = ids.into_iter().filter_map(|id| Some((id, self.drop_hold(id)?))).collect();
        for pod in nobodys.iter().chain(ended.iter().flat_map(|(_, hold)| &hold.victims)) {
            self.trial_evict(&mut trial, *pod);
        }
        for (_, hold) in &ended {
            self.stand_in(hold, true);
            for (pod, spot) in &hold.spots {
                self.trial_bind(&mut trial, *pod, *spot);
            }
        }
        let fits = self.blocked(ask, self.workloads.at(slot).leaf).is_none()
            && self.place(slot).map(|spots| self.unplace(&spots)).is_some();
        self.trial_unbind(&mut trial, 0);
        for (_, hold) in &ended {
            self.stand_in(hold, false);
        }
        self.undo(trial);
        for (id, hold) in ended.into_iter().rev() {
            self.reinstate(id, hold);
        }
        // Nothing came free: it was all on trial.
        self.freed_nodes.truncate(freed);
        fits
    }

    /// Charges the quotas of a hold's workload as if it stood, or takes that back.
    fn stand_in(&mut self, hold: &Hold, stands: bool) {
        let workload = self.workloads.at(hold.slot);
        let (leaf, preemptible) = (workload.leaf, workload.preemptible);
        let total = &self.interner.get(hold.ask).total;
        if stands {
            self.ledger.use_up(leaf, total, preemptible);
        } else {
            self.ledger.give_back(leaf, total, preemptible);
        }
    }

    /// Tries to place a workload in the room of some holds; if that fails, they stand as before.
    fn try_without_holds(
        &mut self,
        ids: &[HoldId],
        slot: WorkloadSlot,
        cell: RequestQueue,
        ask: &Ask,
        plan: &mut Plan,
    ) -> bool {
        let freed = self.freed_nodes.len();
        let mut ended = Vec::new();
        for id in ids {
            ended.extend(self.drop_hold(*id).map(|hold| (*id, hold)));
        }
        for (_, hold) in &ended {
            let workload = self.workloads.at(hold.slot).id;
            let reason = ReleaseReason::NeededBy(self.workloads.at(slot).id);
            plan.actions.push(Action::Release { workload, reason });
            // Without its hold it may be no job any more (A5).
            self.set_admitted(hold.slot, self.workloads.at(hold.slot).stands());
        }
        let entitled = self.entitled(ask, cell.1);
        let placed = entitled
            && (self.place_on_free(slot, cell, ask, plan)
                || self.preempt(slot, cell, ask, &mut Findings::default(), plan));
        if placed {
            for (_, hold) in ended {
                self.requeue(hold.slot);
            }
            self.offer_unbarred();
            return true;
        }
        plan.actions.truncate(plan.actions.len() - ended.len());
        for (id, hold) in ended.into_iter().rev() {
            self.set_admitted(hold.slot, true);
            self.reinstate(id, hold);
        }
        self.freed_nodes.truncate(freed);
        false
    }

    /// Whether what a hold will place stays within its guarantee; it is part of what stands already.
    fn holder_is_entitled(&self, slot: WorkloadSlot, ask: u32) -> bool {
        let leaf = self.workloads.at(slot).leaf;
        let ask = self.interner.get(ask);
        let within = |q, r| self.ledger.projected_usage(q, r) <= self.min(q, r);
        let covered = |q| self.is_inner_root(q) || ask.requested().all(|(r, _)| within(q, r));
        self.quota(leaf).is_some() && self.ledger.path(leaf).all(covered)
    }

    /// Evicts gangs that ran below their minimum for too long (G3).
    fn evict_stale_gangs(&mut self, plan: &mut Plan) {
        let Some(patience) = self.policy.stale_after_ms else { return };
        for id in self.maybe_stale.clone() {
            let Some(slot) = self.workloads.slot(id) else {
                self.maybe_stale.remove(&id);
                continue;
            };
            let workload = self.workloads.at(slot);
            let late = workload.stale_since.is_some_and(|since| since.after_ms(patience) <= self.now);
            if !workload.below_minimum() {
                self.maybe_stale.remove(&id);
                self.workloads.at_mut(slot).stale_since = None;
            } else if late {
                self.maybe_stale.remove(&id);
                let reason = self.plain_reason(slot, Rule::G3, None);
                let pods: Vec<u32> = workload.standing().map(|(ordinal, _)| ordinal).collect();
                for ordinal in pods {
                    self.evict((slot, ordinal), None, reason.clone(), plan);
                }
                self.requeue_rest(slot, ReleaseReason::Evicted, plan);
            }
        }
    }

    fn plain_reason(&self, slot: WorkloadSlot, rule: Rule, over: Option<(u32, usize, i64)>) -> EvictReason {
        let workload = self.workloads.at(slot);
        EvictReason {
            rule,
            cause: None,
            leaf: self.quota(workload.leaf),
            common: over.and_then(|(q, _, _)| self.quota(q)),
            resource: over.and_then(|(_, r, _)| self.tree.resource_name(r)).cloned(),
            over: over.map_or(0, |(_, _, amount)| amount),
            priority: workload.priority,
            budget_broken: false,
        }
    }

    /// Evicts what is over a lowered ceiling for too long, in victim order, deepest quota first (T4).
    fn enforce_ceilings(&mut self, plan: &mut Plan) {
        let EnforceMax::After { ms } = self.policy.enforce_max else { return };
        let late = |since: Time| since.after_ms(ms) <= self.now;
        let due: Vec<u32> =
            self.over_max_since.iter().filter(|(_, since)| since.is_some_and(late)).map(|(q, _)| *q).collect();
        for leaf in due.into_iter().rev() {
            self.over_max_since.remove(&leaf);
            for resource in 0..self.tree.width() {
                self.drain(leaf, resource, plan);
            }
        }
    }

    fn drain(&mut self, leaf: u32, resource: usize, plan: &mut Plan) {
        loop {
            let over = self.ledger.remaining_usage(leaf, resource).saturating_sub(self.max(leaf, resource));
            if over <= 0 {
                return;
            }
            let none =
                Ask { members: SmallVec::new(), total: SmallVec::new(), preemptible: true, job: false, together: None };
            let preemptor = Preemptor {
                slot: WorkloadSlot::MAX,
                leaf,
                ask: &none,
                kind: PreemptionKind::Reclaim,
                break_budgets: true,
            };
            let mut steps = Steps::new(self.policy.bounds.candidates);
            let mut best = None;
            let leaves = self.tree.ids().filter(|q| self.tree.is_under(*q, QuotaId(leaf)) && self.tree.is_leaf(*q));
            for below in leaves {
                let victim_leaf =
                    VictimLeaf { leaf: below.0, common: leaf, resources: SmallVec::from_elem(resource, 1) };
                let found = self.first_of(&preemptor, &Trial::default(), &victim_leaf, &mut steps);
                best = crate::scheduler::preempt::search::better_candidate(best, found);
            }
            let Some(candidate) = best else { return };
            let reason = self.plain_reason(candidate.slot, Rule::T4, Some((leaf, resource, over)));
            for pod in candidate.pods {
                self.evict(pod, None, reason.clone(), plan);
            }
            self.requeue_rest(candidate.slot, ReleaseReason::Evicted, plan);
        }
    }
}
