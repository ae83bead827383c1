//! The search for a plan that places a workload at others' expense (R4 to R7, V2 to V4, G1).
//!
//! First victims for the ceilings that bar it, anywhere below them; then, member by member, a node with room or the best
//! node to make room on; then everybody who can be spared is put back. All of it on trial: what is given back is a
//! preemption, and the state is as it was.

use crate::scheduler::{
    Scheduler,
    cluster::trial::Trial,
    explain::Findings,
    nodes::{Assignment, NodeSlot, PodRef},
    preempt::eligibility::{Candidate, PreemptionKind, Preemptor, Resources, Steps, by_overuse},
    quota::ledger::{QuotaSlot, Row, cell},
    state::{
        interner::{Ask, TemplateId},
        workloads::WorkloadSlot,
    },
};
use crate::{
    api::{BlockingReason, Bound, NearMissNode, NodeId},
    tree::UNLIMITED,
};
use smallvec::SmallVec;
use std::{
    cell::OnceCell,
    cmp::{Ordering, Reverse},
    collections::BTreeSet,
};

/// A plan that would place a workload.
#[derive(Debug)]
pub(crate) struct PreemptionPlan {
    pub(crate) kind: PreemptionKind,
    /// Whom to evict, in the order they were picked.
    pub(crate) victims: Vec<Candidate>,
    /// Pods that leave anyway and are waited for.
    pub(crate) leaving: Vec<PodRef>,
    /// Where the members will stand.
    pub(crate) spots: Vec<(PodRef, Assignment)>,
}

/// What is missing: room under the ceiling of this quota, or (R1) what any_lend_limit its borrowing from growing.
type Deficit = (QuotaSlot, usize);

/// Use below which R1 may not push a quota's path: what stood there before, by (quota, resource).
type Before = SmallVec<[(QuotaSlot, usize, i64); 8]>;

struct Search<'a> {
    preemptor: Preemptor<'a>,
    trial: Trial,
    steps: Steps,
    victims: Vec<Candidate>,
    before: Before,
    /// What the victims of its leaf use that would go before it (R1), once somebody asks.
    goes_first: OnceCell<Row>,
    /// Whether anybody wants to know what stopped it.
    tells: bool,
    stop: Option<BlockingReason>,
}

impl Scheduler {
    /// Looks for a plan by this kind. Notes in `found` what stopped it and which bounds cut it short.
    pub(crate) fn find_plan_here(
        &mut self,
        slot: WorkloadSlot,
        ask: &Ask,
        kind: PreemptionKind,
        found: &mut Findings,
    ) -> Option<PreemptionPlan> {
        let leaf = self.workloads.at(slot).leaf;
        if !self.could_preempt(slot, ask, kind) {
            return None;
        }
        let mut break_budgets = false;
        loop {
            let preemptor = Preemptor { slot, leaf, ask, kind, break_budgets };
            let mut search = Search {
                preemptor,
                trial: Trial::default(),
                steps: Steps::new(self.policy.bounds.candidates),
                victims: Vec::new(),
                before: self.usage_before(ask, leaf),
                goes_first: OnceCell::new(),
                tells: found.in_full,
                stop: None,
            };
            let preemption = self.run(&mut search);
            let steps = search.steps;
            self.undo(search.trial);
            found.note(Bound::Candidates, steps.exhausted);
            found.note(Bound::Nodes, steps.more_nodes);
            found.stops.extend(search.stop.filter(|_| preemption.is_none()));
            if preemption.is_some() || break_budgets || !steps.spared || !self.may_break_budgets() {
                return preemption;
            }
            break_budgets = true;
        }
    }

    /// Whether the kind gives it anybody to take from: the leaf is within its guarantee (R2a), or has victims (R1).
    pub(crate) fn could_preempt(&self, slot: WorkloadSlot, ask: &Ask, kind: PreemptionKind) -> bool {
        let workload = self.workloads.at(slot);
        if workload.leaf == self.ledger.no_quota() {
            return false;
        }
        match kind {
            PreemptionKind::Reclaim => self.is_enabled(kind) && self.reclaim_scope(ask, workload.leaf).is_some(),
            PreemptionKind::Priority => {
                let lowest = self.victims.at(workload.leaf).first();
                let lower = lowest.is_some_and(|key| key.0 < workload.priority);
                let equal = self.policy.within == crate::api::WithinQueuePreemption::LowerOrNewerEqual;
                self.is_enabled(kind) && (lower || equal && lowest.is_some_and(|key| key.0 == workload.priority))
            }
        }
    }

    fn usage_before(&self, ask: &Ask, leaf: QuotaSlot) -> Before {
        let mut before = Before::new();
        for q in self.ledger.path(leaf) {
            before.extend(ask.requested().map(|(r, _)| (q, r, self.ledger.projected_usage(q, r))));
        }
        before
    }

    fn run(&mut self, search: &mut Search) -> Option<PreemptionPlan> {
        let most = self.policy.bounds.nodes as usize;
        let leaving: Vec<PodRef> = self.unclaimed_terminating.values().take(most).copied().collect();
        for pod in &leaving {
            self.trial_evict(&mut search.trial, *pod);
        }
        if self.lacks_guarantee(search) {
            return None;
        }
        self.clear_quota_and_nodes(search)?;
        self.offset_growth(search)?;
        if self.blocked(search.preemptor.ask, search.preemptor.leaf).is_some() {
            return None;
        }
        let leaving = self.prune(search, leaving);
        let spots = search.trial.placed().to_vec();
        let victims = std::mem::take(&mut search.victims);
        Some(PreemptionPlan { kind: search.preemptor.kind, victims, leaving, spots })
    }

    /// Where there is room for everybody, quota is all that is missing, and victims may stand anywhere (V4). Otherwise
    /// nodes are cleared first, since their victims free quota, too; only if that finds nothing is it done the other way.
    fn clear_quota_and_nodes(&mut self, search: &mut Search) -> Option<()> {
        let has_room = self.place(search.preemptor.slot).map(|spots| self.unplace(&spots)).is_some();
        if has_room {
            self.clear_ceilings(search)?;
            return self.place_members(search);
        }
        if self.place_members(search).and_then(|()| self.clear_ceilings(search)).is_some() {
            return Some(());
        }
        self.trial_unbind(&mut search.trial, 0);
        for candidate in std::mem::take(&mut search.victims).iter().rev() {
            for pod in candidate.pods.iter().rev() {
                self.trial_restore(&mut search.trial, *pod);
            }
        }
        self.clear_ceilings(search)?;
        self.place_members(search)
    }

    /// Whether a min is short for a non-preemptible ask. No victim changes that, only who leaves by itself (A2).
    fn lacks_guarantee(&self, search: &Search) -> bool {
        let Preemptor { ask, leaf, .. } = search.preemptor;
        let lacks = |q, (r, amount): (usize, i64)| {
            self.ledger.non_preemptible_usage(q, r).saturating_add(amount) > self.min(q, r)
        };
        !ask.preemptible
            && self.ledger.path(leaf).any(|q| self.quota(q).is_some() && ask.requested().any(|need| lacks(q, need)))
    }

    /// Ceilings on the path that the ask would break (A1).
    fn ceilings(&self, search: &Search) -> SmallVec<[Deficit; 4]> {
        let Preemptor { ask, leaf, .. } = search.preemptor;
        let mut deficits = SmallVec::new();
        for (r, amount) in ask.requested() {
            let added = self.ledger.added(leaf, r, amount);
            for (q, more) in self.ledger.path(leaf).zip(added) {
                let limit = self.max(q, r);
                if limit != UNLIMITED && self.ledger.charged(q, r).saturating_add(more) > limit {
                    deficits.push((q, r));
                }
            }
        }
        deficits
    }

    /// Quotas that would stand above min, and larger than before or with their guarantee given up for a borrower (R1).
    fn growth(&self, search: &Search, spared: &[usize]) -> SmallVec<[Deficit; 4]> {
        let mut deficits = SmallVec::new();
        if search.preemptor.kind == PreemptionKind::Reclaim
            || self.policy.growth == crate::api::BorrowWhilePreempting::Allowed
        {
            return deficits;
        }
        let amount = |resource: usize| cell(&search.preemptor.ask.total, resource);
        for (q, r, before) in &search.before {
            let after = self.ledger.projected_usage(*q, *r).saturating_add(amount(*r));
            let is_over = self.quota(*q).is_some() && after > self.min(*q, *r);
            if is_over && (after > *before || self.gives_up_guarantee(search, spared, (*q, *r), *before)) {
                deficits.push((*q, *r));
            }
        }
        deficits
    }

    /// Whether pods that stood within min go for one that will not: all victims but the largest reclaim_scope down to min already,
    /// and those of its leaf that would go before it do not cover what is over. What the leaf is owed would then be what
    /// others take back, and they and the displaced would take turns for ever (S2).
    fn gives_up_guarantee(&self, search: &Search, spared: &[usize], (q, r): Deficit, before: i64) -> bool {
        let (rest, min) = (self.ledger.projected_usage(q, r), self.min(q, r));
        let kept = || (0..).zip(&search.victims).filter(|(i, _)| !spared.contains(i)).map(|(_, candidate)| candidate);
        let uses = |candidate: &Candidate| -> i64 {
            candidate.pods.iter().map(|pod| cell(self.workloads.governed(*pod, &self.interner), r)).sum()
        };
        let largest = kept().map(uses).max().unwrap_or(0);
        if rest >= before || rest.saturating_add(largest) > min {
            return false;
        }
        let priority = self.workloads.at(search.preemptor.slot).priority;
        let gone: i64 = kept().filter(|candidate| candidate.rank.priority < priority).map(uses).sum();
        let below = search.goes_first.get_or_init(|| self.standing_below(search.preemptor.leaf, priority));
        let goes_first = cell(below, r) - gone;
        rest.saturating_sub(goes_first).saturating_add(cell(&search.preemptor.ask.total, r)) > min
    }

    /// What the victims of a leaf use that have a lower priority than this.
    fn standing_below(&self, leaf: QuotaSlot, priority: i32) -> Row {
        let lower = self.victims.at(leaf).iter().take_while(|key| key.0 < priority);
        let pods = lower.flat_map(|key| self.workloads.at(key.4).standing().map(|(ordinal, _)| (key.4, ordinal)));
        let mut sum: Row = (0..self.tree.width()).map(|_| 0).collect();
        for pod in pods {
            for (sum, uses) in sum.iter_mut().zip(self.workloads.governed(pod, &self.interner)) {
                *sum += uses;
            }
        }
        sum
    }

    fn clear_ceilings(&mut self, search: &mut Search) -> Option<()> {
        loop {
            let deficits = self.ceilings(search);
            if deficits.is_empty() {
                return Some(());
            }
            search.stop = None;
            self.take_best(search, &deficits)?;
        }
    }

    fn offset_growth(&mut self, search: &mut Search) -> Option<()> {
        loop {
            let deficits = self.growth(search, &[]);
            if deficits.is_empty() {
                return Some(());
            }
            search.stop = self.what_grows(search, &deficits);
            self.take_best(search, &deficits)?;
        }
    }

    /// The first quota whose borrowing would grow, with how much it could take without (X1).
    fn what_grows(&self, search: &Search, deficits: &[Deficit]) -> Option<BlockingReason> {
        let (q, r) = *deficits.first().filter(|_| search.tells)?;
        let before = search.before.iter().find(|(leaf, resource, _)| (*leaf, *resource) == (q, r))?.2;
        let resource = self.tree.resource_name(r)?.clone();
        let available = self.min(q, r).max(before).saturating_sub(self.ledger.projected_usage(q, r));
        Some(BlockingReason::Growth {
            quota: self.quota(q)?,
            resource,
            needed: cell(&search.preemptor.ask.total, r),
            available,
        })
    }

    /// Takes the first victim in order that lowers one of the deficits (R5).
    fn take_best(&mut self, search: &mut Search, deficits: &[Deficit]) -> Option<()> {
        let mut best: Option<Candidate> = None;
        let mut scopes: SmallVec<[QuotaSlot; 4]> = deficits.iter().map(|(q, _)| *q).collect();
        scopes.dedup();
        for scope in scopes {
            let resources: Resources = deficits.iter().filter(|(q, _)| *q == scope).map(|(_, r)| *r).collect();
            for victim_leaf in self.victim_leaves(&search.preemptor, &resources, Some(scope)) {
                let found = self.first_of(&search.preemptor, &search.trial, &victim_leaf, &mut search.steps);
                best = better_candidate(best, found);
            }
        }
        self.take(search, best?);
        Some(())
    }

    fn take(&mut self, search: &mut Search, candidate: Candidate) {
        for pod in &candidate.pods {
            self.trial_evict(&mut search.trial, *pod);
        }
        search.victims.push(candidate);
    }

    /// Finds every member a spot, making room where there is none (R6, G1).
    fn place_members(&mut self, search: &mut Search) -> Option<()> {
        let slot = search.preemptor.slot;
        for ordinal in self.asked_pods(slot) {
            let id = self.workloads.at(slot).template(ordinal);
            let spot = match self.pick(slot, ordinal) {
                Some(spot) => spot,
                None => self.make_room(search, id)?,
            };
            self.trial_bind(&mut search.trial, (slot, ordinal), spot);
        }
        Some(())
    }

    /// The node the placement policy gives a pod now, if any has room.
    pub(crate) fn pick(&mut self, slot: WorkloadSlot, ordinal: u32) -> Option<Assignment> {
        let workload = self.workloads.at(slot);
        let id = workload.template(ordinal);
        let draw = u64::from(workload.id.0) << 32 | u64::from(ordinal);
        self.nodes.pick(id, self.interner.templates.at(id), draw)
    }

    /// Takes the victims of the best node to make room on (V3), and gives the spot.
    fn make_room(&mut self, search: &mut Search, id: TemplateId) -> Option<Assignment> {
        let mut best: Option<(Cost, Vec<Candidate>, Assignment)> = None;
        let mut tried: Vec<NearMissNode> = Vec::new();
        for node in self.nodes_to_try(search, id) {
            let taken = search.victims.len();
            search.trial.quiet = true;
            let spot = self.clear_node(search, id, node);
            let picked = search.victims.split_off(taken);
            if search.tells && spot.is_none() {
                let gone = picked.iter().flat_map(|candidate| &candidate.pods);
                let gone = gone.map(|pod| self.workloads.at(pod.0).id.pod(pod.1)).collect();
                tried.extend(self.close_node(node, self.interner.templates.at(id), gone));
            }
            for pod in picked.iter().rev().flat_map(|candidate| candidate.pods.iter().rev()) {
                self.trial_restore(&mut search.trial, *pod);
            }
            search.trial.quiet = false;
            let Some(spot) = spot else { continue };
            let cost = self.cost(&picked, node);
            if best.as_ref().is_none_or(|(least, ..)| cost.cmp(least) == Ordering::Less) {
                best = Some((cost, picked, spot));
            }
        }
        search.stop = match best {
            None if search.tells => Some(self.stopped_for_room(search, id, tried)),
            _ => None,
        };
        let (_, picked, spot) = best?;
        for candidate in picked {
            self.take(search, candidate);
        }
        Some(spot)
    }

    /// That no node can be cleared for a pod, as things stand on trial (X1).
    fn stopped_for_room(&self, search: &Search, id: TemplateId, tried: Vec<NearMissNode>) -> BlockingReason {
        let mut room = self.no_room(id, tried, search.trial.placed());
        let gone = search.victims.iter().flat_map(|candidate| &candidate.pods);
        room.without = gone.map(|pod| self.workloads.at(pod.0).id.pod(pod.1)).collect();
        BlockingReason::Room(room)
    }

    /// Suitable nodes with a pod that may be taken, by id. Where there are more than may be tried, those of the leaves
    /// whose pods would go first (V1).
    fn nodes_to_try(&self, search: &mut Search, id: TemplateId) -> Vec<NodeSlot> {
        let template = self.interner.templates.at(id);
        let resources: Resources = (0..self.tree.width()).filter(|r| cell(&template.governed, *r) > 0).collect();
        let most = self.policy.bounds.nodes as usize;
        let mut victim_leaves = self.victim_leaves(&search.preemptor, &resources, None);
        let pods: usize = victim_leaves.iter().map(|victim_leaf| *self.ledger.pods.at(victim_leaf.leaf) as usize).sum();
        if pods > most {
            victim_leaves.sort_by_cached_key(|victim_leaf| self.victim_leaf_order(victim_leaf));
        }
        let mut found: BTreeSet<(NodeId, NodeSlot)> = BTreeSet::new();
        'all: for victim_leaf in victim_leaves {
            for key in self.victims.at(victim_leaf.leaf) {
                if !search.steps.count() {
                    break 'all;
                }
                for (_, pod) in self.workloads.at(key.4).standing() {
                    let node = pod.spot.node;
                    if !self.nodes.is_suitable(node, template) {
                        continue;
                    }
                    if found.len() >= most && !found.contains(&(self.nodes.at(node).id, node)) {
                        search.steps.more_nodes = true;
                        break 'all;
                    }
                    found.insert((self.nodes.at(node).id, node));
                }
            }
        }
        found.into_iter().map(|(_, node)| node).collect()
    }

    /// Takes victims on one node, in order, until the pod fits there.
    fn clear_node(&mut self, search: &mut Search, id: TemplateId, node: NodeSlot) -> Option<Assignment> {
        loop {
            let template = self.interner.templates.at(id);
            if let Some(devices) = self.nodes.devices(node, template) {
                return Some(Assignment { node, devices });
            }
            let lacking = self.lacking(id, node);
            let reclaim_scope = self.reclaim_scope(search.preemptor.ask, search.preemptor.leaf);
            let mut slots: SmallVec<[WorkloadSlot; 16]> = self.nodes.at(node).pods.iter().map(|pod| pod.0).collect();
            slots.sort_unstable();
            slots.dedup();
            let mut best: Option<Candidate> = None;
            for slot in slots.into_iter().filter(|slot| self.workloads.at(*slot).victim.is_some()) {
                if !search.steps.count() {
                    break;
                }
                let leaf = self.workloads.at(slot).leaf;
                let Some(victim_leaf) = self.victim_leaf(&search.preemptor, reclaim_scope, leaf, &lacking) else {
                    continue;
                };
                let (preemptor, trial) = (&search.preemptor, &search.trial);
                best = better_candidate(
                    best,
                    self.candidate(preemptor, trial, &victim_leaf, slot, Some(node), &mut search.steps),
                );
            }
            self.take(search, best?);
        }
    }

    /// Governed resources of which a pod lacks some on a node; where only single devices lack, their resource.
    pub(crate) fn lacking(&self, id: TemplateId, node: NodeSlot) -> Resources {
        let template = self.interner.templates.at(id);
        let node = self.nodes.at(node);
        let governed = |r: &u16| usize::from(*r) < self.tree.width();
        let lacks = |(r, amount): &(u16, i64)| node.available(*r) < *amount;
        let mut lacking: Resources = template
            .request
            .iter()
            .filter(|need| lacks(need))
            .map(|(r, _)| *r)
            .filter(governed)
            .map(usize::from)
            .collect();
        if lacking.is_empty() && template.request.iter().all(|need| !lacks(need)) {
            lacking.extend(node.banks.iter().map(|bank| bank.resource).filter(governed).map(usize::from));
        }
        lacking
    }

    fn cost(&self, picked: &[Candidate], node: NodeSlot) -> Cost {
        self.cost_of(picked, self.nodes.at(node).id)
    }

    /// The same of a plan that is not about one node.
    pub(crate) fn cost_of(&self, picked: &[Candidate], node: NodeId) -> Cost {
        let lost = |candidate: &Candidate| {
            let ran = self.now.since(self.workloads.at(candidate.slot).started());
            u128::from(ran) * candidate.pods.len() as u128
        };
        Cost {
            broken: picked.iter().filter(|c| c.rank.breaks_budget).count(),
            highest: picked.iter().map(|c| c.rank.priority).max(),
            victims: picked.iter().map(|c| c.pods.len()).sum(),
            overuse: picked.iter().map(|c| c.rank.overuse.clone()).collect(),
            lost: picked.iter().map(lost).sum(),
            node,
        }
    }

    /// Puts back, from the most to the least important, every victim that the plan can do without (V2).
    fn prune(&mut self, search: &mut Search, leaving: Vec<PodRef>) -> Vec<PodRef> {
        let mut order: Vec<usize> = (0..search.victims.len()).collect();
        order.sort_by_key(|i| search.victims.get(*i).map(|c| (Reverse(c.rank.priority), Reverse(*i))));
        let mut spared: Vec<usize> = Vec::new();
        for i in order {
            let Some(candidate) = search.victims.get(i).cloned() else { continue };
            for pod in candidate.pods.iter().rev() {
                self.trial_restore(&mut search.trial, *pod);
            }
            spared.push(i);
            let spares = !self.splits(&search.trial, candidate.slot)
                && (self.still_holds(search, &spared, &candidate.pods) || self.moves_aside(search, &spared));
            if !spares {
                spared.pop();
                for pod in &candidate.pods {
                    self.trial_evict(&mut search.trial, *pod);
                }
            }
        }
        let mut at = 0;
        search.victims.retain(|_| {
            at += 1;
            !spared.contains(&(at - 1))
        });
        let mut needed = Vec::new();
        for pod in leaving {
            self.trial_restore(&mut search.trial, pod);
            if !self.still_holds(search, &[], &[pod]) {
                self.trial_evict(&mut search.trial, pod);
                needed.push(pod);
            }
        }
        needed
    }

    /// Places the cause anew where the victims that are back stand in its way; if that is impossible, it stays where it was.
    fn moves_aside(&mut self, search: &mut Search, spared: &[usize]) -> bool {
        let before = search.trial.placed().to_vec();
        self.trial_unbind(&mut search.trial, 0);
        let found = self.place(search.preemptor.slot).inspect(|spots| self.unplace(spots));
        let found = found.filter(|_| self.still_holds(search, spared, &[]));
        let moves = found.is_some();
        for (pod, spot) in found.map_or(before, |spots| spots.to_vec()) {
            self.trial_bind(&mut search.trial, pod, spot);
        }
        moves
    }

    /// Whether the plan still places its cause, with these pods back and these victims spared.
    fn still_holds(&self, search: &Search, spared: &[usize], back: &[PodRef]) -> bool {
        let Preemptor { ask, leaf, kind, .. } = search.preemptor;
        let crowded =
            back.iter().filter_map(|pod| self.workloads.pod(*pod)).any(|row| self.nodes.at(row.spot.node).is_crowded());
        let blocked = self.lacks_guarantee(search) || !self.ceilings(search).is_empty();
        if crowded || blocked || !self.growth(search, spared).is_empty() {
            return false;
        }
        if kind == PreemptionKind::Priority {
            return true;
        }
        let reclaim_scope = self.reclaim_scope(ask, leaf);
        let within_reach = |c: &Candidate| self.ledger.path(c.common).any(|q| Some(q) == reclaim_scope);
        (0..).zip(&search.victims).all(|(i, c)| spared.contains(&i) || within_reach(c))
    }
}

/// What a node's victims cost (V3): budget violations, then the highest priority, how many, how fair, work lost, node.
pub(crate) struct Cost {
    broken: usize,
    highest: Option<i32>,
    victims: usize,
    overuse: Vec<SmallVec<[crate::scheduler::queue::order::Ratio; 4]>>,
    lost: u128,
    node: NodeId,
}

impl Cost {
    pub(crate) fn cmp(&self, other: &Self) -> Ordering {
        let fair = || {
            let pairs = self.overuse.iter().zip(&other.overuse);
            pairs.map(|(a, b)| by_overuse(a, b)).find(|o| *o != Ordering::Equal).unwrap_or(Ordering::Equal)
        };
        (self.broken, self.highest, self.victims)
            .cmp(&(other.broken, other.highest, other.victims))
            .then_with(fair)
            .then_with(|| (self.lost, self.node).cmp(&(other.lost, other.node)))
    }
}

pub(crate) fn better_candidate(a: Option<Candidate>, b: Option<Candidate>) -> Option<Candidate> {
    match (a, b) {
        (Some(a), Some(b)) => Some(if b.rank < a.rank { b } else { a }),
        (a, b) => a.or(b),
    }
}

impl crate::scheduler::nodes::Node {
    /// Whether more stands on it than there is room for.
    pub(crate) fn is_crowded(&self) -> bool {
        let short = |free: &[i64], reserved: &[i64]| free.iter().zip(reserved).any(|(f, r)| f < r);
        short(&self.free, &self.reserved) || self.banks.iter().any(|bank| short(&bank.free, &bank.reserved))
    }
}
