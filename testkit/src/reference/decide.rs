//! One decision: what is due by time, what was freed for somebody, then everybody who may be tried, in order (O1).

use super::{
    admission::quota_id,
    order::Key,
    reclaim::{Draft, first},
    state::{Ask, Cell, For, Hold, Reference, Spot, Stage},
    victims::{Right, Source},
};
use quotree_core::{
    Action, BindReason, BlockingReason, DeviceSet, EnforceMax, EvictReason, PodId, ReleaseReason, Room, Rule, Time,
    Unquotaed, WorkloadId,
};

/// What the reference decides: actions as the core's, and why those wait who were tried.
#[derive(Debug, Clone, Default)]
pub struct Answer {
    /// What to do, in order.
    pub actions: Vec<Action>,
    /// Who was tried in vain, in order.
    pub verdicts: Vec<Waits>,
}

/// Why a workload waits.
#[derive(Debug, Clone)]
pub struct Waits {
    /// Which.
    pub workload: WorkloadId,
    /// What binds; of missing room only that it is missing.
    pub binding: BlockingReason,
    /// Whether it is entitled (O1).
    pub entitled: bool,
}

impl Reference {
    /// What to do now, as [`Scheduler::decide`](quotree_core::Scheduler::decide).
    pub fn decide(&mut self, now: Time) -> Answer {
        self.now = self.now.max(now);
        let mut plan = Answer::default();
        let due: Vec<Time> = self.timers.iter().copied().filter(|time| *time <= self.now).collect();
        self.facts |= !due.is_empty();
        self.timers.retain(|time| !due.contains(time));
        self.start_clocks();
        self.refresh_shares();
        for (workload, reason) in std::mem::take(&mut self.ended) {
            plan.actions.push(Action::Release { workload, reason });
        }
        self.expire_holds(&mut plan);
        self.bind_held(&mut plan);
        self.evict_stale_gangs(&mut plan);
        self.enforce_ceilings(&mut plan);
        let mut news = std::mem::take(&mut self.facts);
        self.look_around();
        // Rounds, until one does nothing: what was done for some is news for who was tried before (W4).
        loop {
            if news {
                self.wake_takers();
            }
            let before = plan.actions.len();
            while let Some(cell) = self.next_cell() {
                self.attempt(&cell, &mut plan);
                self.look_around();
            }
            news = plan.actions.len() > before;
            if !news {
                break;
            }
        }
        plan.verdicts.retain(|verdict| self.work.get(&verdict.workload).is_some_and(|w| w.waits.is_some()));
        self.count += 1;
        plan
    }

    /// Tries to place the head of a cell: on what is free, at others' expense, or in a later one's hold.
    fn attempt(&mut self, cell: &Cell, plan: &mut Answer) {
        let Some((key, id)) = self.head(&self.ledger(), cell) else { return };
        let ask = &cell.1;
        if self.place_on_free(id, ask, plan) {
            return;
        }
        let patient = self.fits_when_settled(id, ask);
        if patient && self.hold_what_leaves(id, ask, plan) {
            return;
        }
        if !patient && (self.preempt(id, ask, plan) || self.take_over(id, ask, key, plan)) {
            return;
        }
        let ledger = self.ledger();
        let barred = self.barred(&ledger, ask, cell.0);
        if barred.is_none() {
            self.roomless.insert(ask.clone());
        }
        self.cells.entry(cell.clone()).or_default().due = false;
        let entitled = self.entitled(&ledger, ask, cell.0);
        plan.verdicts.push(Waits { workload: id, binding: barred.unwrap_or_else(no_room), entitled });
    }

    fn place_on_free(&mut self, id: WorkloadId, ask: &Ask, plan: &mut Answer) -> bool {
        if self.barred(&self.ledger(), ask, self.at(id).leaf).is_some() {
            return false;
        }
        let Some(spots) = self.place(id, self.rooms()) else { return false };
        self.step_out(id);
        self.bind(id, ask, &spots, false, plan);
        true
    }

    /// An entitled workload takes from other leaves first, then from its own (R3).
    fn preempt(&mut self, id: WorkloadId, ask: &Ask, plan: &mut Answer) -> bool {
        let rights = [Right::Reclaim, Right::Priority];
        let draft = rights.into_iter().find_map(|right| self.find_plan(id, ask, right));
        let Some(draft) = draft else { return false };
        // A gang that goes whole loses what it holds for another member: that alone may be enough (H2, S3).
        let broken = self.holds_broken_by(&draft);
        if broken.is_empty() || !self.take_holds(&broken, id, ask, plan) {
            self.carry_out(id, ask, draft, plan);
        }
        true
    }

    fn holds_broken_by(&self, draft: &Draft) -> Vec<u32> {
        let mut broken = Vec::new();
        for id in draft.victims.iter().map(|candidate| candidate.workload) {
            let gone = |ordinal: &u32| draft.victims.iter().any(|c| c.pods.contains(&id.pod(*ordinal)));
            let whole = self.at(id).in_place().iter().all(gone) && self.at(id).sets.iter().any(|set| set.min > 0);
            broken.extend(self.at(id).hold.filter(|hold| whole && !broken.contains(hold)));
        }
        broken
    }

    /// An entitled workload for which those who leave for nobody are enough holds what they free, and takes nobody (H1).
    fn hold_what_leaves(&mut self, id: WorkloadId, ask: &Ask, plan: &mut Answer) -> bool {
        if self.leaving(For::Nobody).is_empty() {
            return false;
        }
        let draft = self.find_plan(id, ask, Right::Reclaim).filter(|draft| draft.victims.is_empty());
        draft.map(|draft| self.carry_out(id, ask, draft, plan)).is_some()
    }

    fn carry_out(&mut self, id: WorkloadId, ask: &Ask, draft: Draft, plan: &mut Answer) {
        self.spared += draft.spared;
        if draft.victims.is_empty() && draft.leaving.is_empty() {
            self.step_out(id);
            self.bind(id, ask, &draft.spots, false, plan);
        } else {
            self.hold(id, ask.clone(), draft, plan);
        }
    }

    /// Binds pods to their spots, and lines the workload up for what is left of it.
    pub(super) fn bind(&mut self, id: WorkloadId, ask: &Ask, spots: &[(PodId, Spot)], held: bool, plan: &mut Answer) {
        let entitled = self.entitled(&self.ledger(), ask, self.at(id).leaf);
        for (pod, spot) in spots {
            self.start(*pod, *spot);
            let reason = BindReason { entitled, held, placement: self.policy.placement };
            let devices = DeviceSet(spot.devices);
            plan.actions.push(Action::Bind { pod: *pod, node: spot.node, devices, reason });
        }
        self.at_mut(id).fresh = true;
        self.refile(id);
        self.line_up(id);
    }

    /// Whether a workload fits once all who leave have left and all who hold stand: then it waits for that.
    pub(super) fn fits_when_settled(&self, id: WorkloadId, ask: &Ask) -> bool {
        let under_way = self.holds.len() + self.leaving(For::Nobody).len();
        if under_way == 0 || under_way > self.policy.bounds.nodes as usize {
            return false;
        }
        let mut later = self.clone();
        for hold in &self.holds {
            for pod in self.leaving(For::Hold(hold.id)) {
                later.pod_mut(pod).stage = Stage::Gone;
            }
            hold.spots.iter().for_each(|(pod, spot)| later.start(*pod, *spot));
        }
        for pod in self.leaving(For::Nobody) {
            later.pod_mut(pod).stage = Stage::Gone;
        }
        later.holds.clear();
        // Who leaves is a job until it is gone (A5).
        let leaf = self.at(id).leaf;
        self.over_jobs(&self.ledger(), ask, leaf).is_none()
            && later.over_a_limit(&later.ledger(), ask, leaf).is_none()
            && later.place(id, later.rooms()).is_some()
    }

    /// An entitled workload that came after a hold was made takes its room where it needs it: from the unentitled of
    /// other leaves first, then from the later in order; each alone, then all together (H2).
    fn take_over(&mut self, id: WorkloadId, ask: &Ask, key: Key, plan: &mut Answer) -> bool {
        let ids = self.holds_to_take(&self.ledger(), id, key);
        let each = ids.iter().map(|id| vec![*id]).collect::<Vec<_>>();
        each.into_iter().chain([ids]).any(|ids| self.take_holds(&ids, id, ask, plan))
    }

    /// The holds that a workload may take over where it needs to.
    pub(super) fn holds_to_take(&self, ledger: &super::ledger::Ledger, id: WorkloadId, key: Key) -> Vec<u32> {
        let mut later: Vec<(bool, Key, u32)> = Vec::new();
        for hold in self.holds.iter().filter(|hold| self.at(id).came > hold.made) {
            let other = self.at(hold.workload).leaf != self.at(id).leaf;
            let unentitled = other && !self.holder_is_entitled(ledger, hold);
            let holder = self.key(ledger, self.at(hold.workload));
            if unentitled || key < holder {
                later.push((unentitled, holder, hold.id));
            }
        }
        later.sort_unstable();
        later.into_iter().rev().map(|(_, _, id)| id).collect()
    }

    fn take_holds(&mut self, ids: &[u32], id: WorkloadId, ask: &Ask, plan: &mut Answer) -> bool {
        let (mut trial, mut tried) = (self.clone(), plan.clone());
        let ended: Vec<Hold> = ids.iter().filter_map(|hold| trial.drop_hold(*hold)).collect();
        for hold in &ended {
            let reason = ReleaseReason::NeededBy(id);
            tried.actions.push(Action::Release { workload: hold.workload, reason });
        }
        let entitled = trial.entitled(&trial.ledger(), ask, trial.at(id).leaf);
        if !entitled || !(trial.place_on_free(id, ask, &mut tried) || trial.preempt(id, ask, &mut tried)) {
            return false;
        }
        ended.iter().for_each(|hold| trial.line_up_again(hold.workload));
        (*self, *plan) = (trial, tried);
        true
    }

    /// Whether what a hold will place stays within min; it is part of what stands already.
    fn holder_is_entitled(&self, ledger: &super::ledger::Ledger, hold: &Hold) -> bool {
        let Some(leaf) = self.at(hold.workload).leaf else { return false };
        let requested = self.requested(&hold.ask);
        let within = |q: usize| requested.iter().all(|(r, _)| ledger.standing(q, *r) <= self.tree.quotas[q].min[*r]);
        self.tree.path(leaf).all(|q| within(q) || q == 0 && self.tree.quotas.len() > 1)
    }

    /// Facts carry no time: what they began counts from the first decision after them (G3, T4).
    fn start_clocks(&mut self) {
        let now = self.now;
        if let EnforceMax::After { ms } = self.policy.enforce_max {
            for since in self.over_since.values_mut().filter(|since| since.is_none()) {
                *since = Some(now);
                self.timers.insert(now.after_ms(ms));
            }
        }
        let Some(patience) = self.policy.stale_after_ms else { return };
        for workload in self.work.values_mut().filter(|w| w.stale == Some(None)) {
            workload.stale = Some(Some(now));
            self.timers.insert(now.after_ms(patience));
        }
    }

    /// Evicts gangs that ran below their minimum for too long (G3).
    fn evict_stale_gangs(&mut self, plan: &mut Answer) {
        let Some(patience) = self.policy.stale_after_ms else { return };
        let noted: Vec<WorkloadId> = self.work.values().filter(|w| w.stale.is_some()).map(|w| w.id).collect();
        for id in noted {
            let workload = self.at(id);
            let late = workload.stale.flatten().is_some_and(|since| since.after_ms(patience) <= self.now);
            if !workload.below_minimum() {
                self.at_mut(id).stale = None;
            } else if late {
                let reason = EvictReason {
                    rule: Rule::G3,
                    cause: None,
                    leaf: workload.leaf.map(quota_id),
                    common: None,
                    resource: None,
                    over: 0,
                    priority: workload.priority,
                    budget_broken: false,
                };
                for ordinal in workload.in_place() {
                    self.evict(id.pod(ordinal), For::Nobody, reason.clone(), plan);
                }
                self.at_mut(id).stale = None;
                self.line_up_rest(id, ReleaseReason::Evicted, plan);
            }
        }
    }

    /// Evicts what has been over a lowered ceiling for too long, in victim order, the deepest quota first (T4).
    fn enforce_ceilings(&mut self, plan: &mut Answer) {
        let EnforceMax::After { ms } = self.policy.enforce_max else { return };
        let late = |since: &Option<Time>| since.is_some_and(|since| since.after_ms(ms) <= self.now);
        let due: Vec<usize> = self.over_since.iter().filter(|(_, since)| late(since)).map(|(q, _)| *q).collect();
        for quota in due.into_iter().rev() {
            self.over_since.remove(&quota);
            for r in 0..self.tree.governed.len() {
                self.drain(quota, r, plan);
            }
        }
    }

    fn drain(&mut self, quota: usize, r: usize, plan: &mut Answer) {
        loop {
            let ledger = self.ledger();
            let over = ledger.live(quota, r).saturating_sub(self.tree.quotas[quota].max[r]);
            let mut best = None;
            for leaf in self.tree.leaves().filter(|leaf| self.tree.is_under(*leaf, quota)) {
                let source = Source { leaf: Some(leaf), common: quota, resources: vec![r] };
                for victim in self.work.values() {
                    first(&mut best, self.candidate(&ledger, None, &source, victim, None), &mut false);
                }
            }
            let Some(candidate) = best.filter(|_| over > 0) else { return };
            let reason = EvictReason { over, ..self.reason(&candidate, Rule::T4, None) };
            for pod in &candidate.pods {
                self.evict(*pod, For::Nobody, reason.clone(), plan);
            }
            self.line_up_rest(candidate.workload, ReleaseReason::Evicted, plan);
        }
    }
}

impl Reference {
    /// Why a workload waits, now, and whether it is entitled (X1). Of missing room it tells only that.
    #[must_use]
    pub fn explain(&self, id: WorkloadId) -> Option<(BlockingReason, bool)> {
        let workload = self.work.get(&id)?;
        if let Some(hold) = workload.hold {
            let leaving = u32::try_from(self.leaving(For::Hold(hold)).len()).unwrap_or(u32::MAX);
            return Some((BlockingReason::Held { leaving }, true));
        }
        let ask = workload.waits.as_ref()?;
        let Some(leaf) = workload.leaf else {
            let refused = self.policy.unquotaed == Unquotaed::Refuse;
            let binding = if refused { BlockingReason::NoQuota } else { no_room() };
            return Some((binding, false));
        };
        let head = self.head_of_line(leaf).filter(|head| self.tree.quotas[leaf].block && *head != id);
        if let Some(head) = head {
            return Some((BlockingReason::Behind { head }, false));
        }
        let ledger = self.ledger();
        let barred = self.barred(&ledger, ask, Some(leaf));
        Some((barred.unwrap_or_else(no_room), self.entitled(&ledger, ask, Some(leaf))))
    }
}

fn no_room() -> BlockingReason {
    BlockingReason::Room(Room::default())
}
