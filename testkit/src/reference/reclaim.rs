//! The search for victims (R3 to R7, V2 to V4, G1), on a copy of the whole state.

use super::{
    nodes::FreeNode,
    placement::FreeNodes,
    state::{Ask, Assignment, For, Reference, Stage},
    victims::{Candidate, Eligibility, PreemptionKind, Preemptor, by_overuse},
};
use quotree_core::{BorrowWhilePreempting, Name, NodeId, PodId, PodTemplate, RespectBudgets, WorkloadId};
use std::cmp::Ordering;

/// A plan that would place a workload.
#[derive(Debug)]
pub(super) struct PreemptionPlan {
    pub(super) kind: PreemptionKind,
    pub(super) victims: Vec<Candidate>,
    /// Pods that terminate anyway, for which the plan waits.
    pub(super) leaving: Vec<PodId>,
    pub(super) assignments: Vec<(PodId, Assignment)>,
    /// How many victims were reprieved (V2).
    pub(super) reprieved: usize,
    /// Whether it was found among sets (V5), and not by picking in order.
    pub(super) by_sets: bool,
}

/// A quota and resource of which something is missing.
type Deficit = (usize, usize);

/// A search for victims, on a copy of the state.
#[derive(Clone)]
pub(super) struct Search<'a> {
    /// The state before.
    pub(super) origin: &'a Reference,
    pub(super) by: &'a Preemptor,
    /// The state without the victims so far.
    pub(super) trial: Reference,
    pub(super) placed: Vec<(PodId, Assignment)>,
    pub(super) victims: Vec<Candidate>,
    /// Whether an exhausted budget protected a victim.
    budget_hit: bool,
}

impl Reference {
    /// A plan by this kind of preemption, on suitable nodes; exhausted budgets are broken only if nothing else helps
    /// (R7).
    pub(super) fn find_plan_in(&self, id: WorkloadId, ask: &Ask, kind: PreemptionKind) -> Option<PreemptionPlan> {
        let may = match kind {
            PreemptionKind::Reclaim => self.may_reclaim(&self.ledger(), id, ask),
            PreemptionKind::Priority => self.may_preempt_within(id),
        };
        let leaf = self.workload(id).leaf.filter(|_| may)?;
        let mut by = Preemptor { id, leaf, ask: ask.clone(), kind, break_budgets: false };
        loop {
            let (found, budget_hit) = Search::new(self, &by).run();
            if found.is_some()
                || !budget_hit
                || by.break_budgets
                || self.policy.respect_budgets != RespectBudgets::Prefer
            {
                return found;
            }
            by.break_budgets = true;
        }
    }
}

impl Reference {
    /// The cost of these victims (V3).
    pub(super) fn cost(&self, picked: &[Candidate], node: NodeId) -> Cost {
        let started = |c: &Candidate| self.workload(c.workload).victim_rank.map_or(self.now, |(.., started)| started);
        let lost = |c: &Candidate| u128::from(self.now.since(started(c))) * c.pods.len() as u128;
        Cost {
            broken: picked.iter().filter(|c| c.rank.breaks_budget).count(),
            highest: picked.iter().map(|c| c.rank.priority).max(),
            victims: picked.iter().map(|c| c.pods.len()).sum(),
            overuse: picked.iter().map(|c| c.rank.overuse.clone()).collect(),
            lost: picked.iter().map(lost).sum(),
            node,
        }
    }
}

impl<'a> Search<'a> {
    pub(super) fn new(origin: &'a Reference, by: &'a Preemptor) -> Self {
        Self { origin, by, trial: origin.clone(), placed: Vec::new(), victims: Vec::new(), budget_hit: false }
    }

    fn run(mut self) -> (Option<PreemptionPlan>, bool) {
        let found = self.plan();
        (found, self.budget_hit)
    }

    fn plan(&mut self) -> Option<PreemptionPlan> {
        let leaving = self.take_leaving();
        if self.lacks_guarantee() {
            return None;
        }
        self.clear_quota_and_nodes()?;
        while let Some(deficits) = some(self.growth(&[])) {
            self.take_best(&deficits)?;
        }
        // An evicted workload counts as a job until it is gone, so a plan makes no room under a job limit (A5).
        let (ask, leaf) = (&self.by.ask, Some(self.by.leaf));
        if self.origin.over_jobs(&self.origin.ledger(), ask, leaf).is_some()
            || self.trial.over_a_limit(&self.trial.ledger(), ask, leaf).is_some()
        {
            return None;
        }
        let picked = self.victims.len();
        let leaving = self.prune(leaving);
        let reprieved = picked - self.victims.len();
        let (victims, assignments) = (std::mem::take(&mut self.victims), std::mem::take(&mut self.placed));
        Some(PreemptionPlan { kind: self.by.kind, victims, leaving, assignments, reprieved, by_sets: false })
    }

    /// Takes out the pods that leave for nobody.
    pub(super) fn take_leaving(&mut self) -> Vec<PodId> {
        let mut leaving = self.trial.leaving(For::Nobody);
        leaving.truncate(self.trial.policy.bounds.nodes as usize);
        leaving.iter().for_each(|pod| self.remove(*pod));
        leaving
    }

    pub(super) fn remove(&mut self, pod: PodId) {
        self.trial.pod_mut(pod).stage = Stage::Gone;
    }

    pub(super) fn put_back(&mut self, pod: PodId) {
        *self.trial.pod_mut(pod) = self.origin.pod(pod).clone();
    }

    pub(super) fn take(&mut self, candidate: Candidate) {
        candidate.pods.iter().for_each(|pod| self.remove(*pod));
        self.victims.push(candidate);
    }

    /// The nodes without the victims and with the members placed so far.
    pub(super) fn free_nodes(&self) -> FreeNodes {
        let mut free_nodes = self.trial.free_nodes();
        for (pod, assignment) in &self.placed {
            free_nodes.put(self.trial.template(*pod), *assignment);
        }
        free_nodes
    }

    /// Whether a min is too small for a non-preemptible ask. No eviction changes that, but a pod that leaves by itself
    /// may (A2).
    pub(super) fn lacks_guarantee(&self) -> bool {
        let ledger = self.trial.ledger();
        let requested = self.trial.requested_counted(&self.by.ask);
        let lacks =
            |q: usize, r: usize, amount: i64| ledger.non_preemptible(q, r) + amount > self.trial.tree.quotas[q].min[r];
        !self.by.ask.preemptible
            && self.trial.tree.path(self.by.leaf).any(|q| requested.iter().any(|(r, amount)| lacks(q, *r, *amount)))
    }

    /// If nodes have room for all members, only quota is missing, and victims may run anywhere. Otherwise nodes are
    /// cleared first, then quotas; if that finds no plan, the other way round (V4).
    fn clear_quota_and_nodes(&mut self) -> Option<()> {
        if self.trial.place(self.by.id, self.free_nodes()).is_none() {
            let before = self.clone();
            if self.place_members().and_then(|()| self.clear_quotas()).is_some() {
                return Some(());
            }
            *self = Self { budget_hit: self.budget_hit, ..before };
        }
        self.clear_quotas()?;
        self.place_members()
    }

    /// The max limits of the path that the ask would exceed (A1).
    pub(super) fn exceeded_limits(&self) -> Vec<Deficit> {
        let ledger = self.trial.ledger();
        let with = self.trial.ledger_with_ask(&self.by.ask, self.by.leaf);
        let mut deficits = Vec::new();
        for (r, amount) in self.trial.requested(&self.by.ask) {
            for q in self.trial.tree.path(self.by.leaf) {
                let max = self.trial.tree.quotas[q].max[r];
                let charged = with.as_ref().map_or_else(|| ledger.charged(q, r) + amount, |with| with.charged(q, r));
                if max != i64::MAX && charged > max {
                    deficits.push((q, r));
                }
            }
        }
        deficits
    }

    /// The quotas that preemption within the leaf would leave above min, and larger than before or without their
    /// guarantee: all victims but the largest one reach down to min already, and pods that would be evicted before do
    /// not cover the rest (R1).
    pub(super) fn growth(&self, reprieved: &[usize]) -> Vec<Deficit> {
        if self.by.kind == PreemptionKind::Reclaim || self.trial.policy.growth == BorrowWhilePreempting::Allowed {
            return Vec::new();
        }
        let (before, after) = (self.origin.ledger(), self.trial.ledger());
        let mut deficits = Vec::new();
        for q in self.trial.tree.path(self.by.leaf) {
            for (r, amount) in self.trial.requested_counted(&self.by.ask) {
                let (min, before, rest) =
                    (self.trial.tree.quotas[q].min[r], before.standing(q, r), after.standing(q, r));
                let uses = |c: &Candidate| c.pods.iter().map(|pod| self.origin.row_of(*pod)[r]).sum::<i64>();
                let victims = self.victims.iter().enumerate().filter(|(i, _)| !reprieved.contains(i));
                let largest = victims.map(|(_, c)| uses(c)).max().unwrap_or(0);
                let reaches_down = rest < before && rest + largest <= min;
                let gives_up = || reaches_down && rest - self.lower_priority_usage(r) + amount > min;
                if rest + amount > min && (rest + amount > before || gives_up()) {
                    deficits.push((q, r));
                }
            }
        }
        deficits
    }

    /// What pods of lower priority still use in the leaf, that could be evicted.
    fn lower_priority_usage(&self, r: usize) -> i64 {
        let by = self.trial.workload(self.by.id);
        let lower = self.trial.workloads.values().filter(|w| w.leaf == Some(self.by.leaf) && w.priority < by.priority);
        let victims = lower.filter(|w| w.rank_as_victim().is_some());
        victims.flat_map(|w| w.in_place().into_iter().map(|pod| self.trial.row_of(w.id.pod(pod))[r])).sum()
    }

    fn clear_quotas(&mut self) -> Option<()> {
        while let Some(deficits) = some(self.exceeded_limits()) {
            self.take_best(&deficits)?;
        }
        Some(())
    }

    /// The resources of the deficits at a quota.
    pub(super) fn passed_at(&self, deficits: &[Deficit], quota: usize) -> Vec<Name> {
        let here = deficits.iter().filter(|(q, _)| *q == quota);
        here.map(|(_, r)| self.trial.tree.governed[*r].clone()).collect()
    }

    /// Takes the first victim (V1) of all that reduce one of the deficits (R5).
    fn take_best(&mut self, deficits: &[Deficit]) -> Option<()> {
        let ledger = self.trial.ledger();
        let mut scopes: Vec<usize> = deficits.iter().map(|(q, _)| *q).collect();
        scopes.dedup();
        let mut best = None;
        for scope in scopes {
            let lacking = self.passed_at(deficits, scope);
            for from in self.trial.victim_leaves(&ledger, self.by, &lacking, Some(scope)) {
                for victim in self.trial.workloads.values() {
                    keep_better(
                        &mut best,
                        self.trial.candidate(&ledger, Some(self.by), &from, victim, None),
                        &mut self.budget_hit,
                    );
                }
            }
        }
        self.take(best?);
        Some(())
    }

    /// Finds a node for every member, in order of ordinals, and clears one if none has room (R6, G1).
    fn place_members(&mut self) -> Option<()> {
        for ordinal in self.trial.workload(self.by.id).asked_pods() {
            let pod = self.by.id.pod(ordinal);
            let template = self.trial.template(pod).clone();
            let assignment = match self.free_nodes().pick(&template, pod) {
                Some(assignment) => assignment,
                None => self.clear_best_node(&template)?,
            };
            self.placed.push((pod, assignment));
        }
        Some(())
    }

    /// Clears the node on which that costs least (V3).
    fn clear_best_node(&mut self, template: &PodTemplate) -> Option<Assignment> {
        let mut best: Option<(Cost, Self, Assignment)> = None;
        for node in self.trial.nodes.keys().copied() {
            let mut search = self.clone();
            let assignment = search.clear_node(template, node);
            self.budget_hit |= search.budget_hit;
            let Some(assignment) = assignment else { continue };
            let cost = search.cost(self.victims.len(), node);
            if best.as_ref().is_none_or(|(least, ..)| cost.compare(least) == Ordering::Less) {
                best = Some((cost, search, assignment));
            }
        }
        let (_, search, assignment) = best?;
        *self = Self { budget_hit: self.budget_hit, ..search };
        Some(assignment)
    }

    /// Takes victims on one node, in order, until the pod fits there.
    fn clear_node(&mut self, template: &PodTemplate, node: NodeId) -> Option<Assignment> {
        loop {
            let free_nodes = self.free_nodes();
            let host = free_nodes.nodes.get(&node).filter(|host| host.is_suitable(template))?;
            if let Some(devices) = free_nodes.devices(host, template) {
                return Some(Assignment { node, devices });
            }
            let lacking = lacking_on(host, template);
            let ledger = self.trial.ledger();
            let mut best = None;
            for from in self.trial.victim_leaves(&ledger, self.by, &lacking, None) {
                for victim in self.trial.workloads.values() {
                    let found = self.trial.candidate(&ledger, Some(self.by), &from, victim, Some(node));
                    keep_better(&mut best, found, &mut self.budget_hit);
                }
            }
            self.take(best?);
        }
    }

    /// The cost of the victims from `start` on (V3).
    fn cost(&self, start: usize, node: NodeId) -> Cost {
        self.origin.cost(&self.victims[start..], node)
    }
}

/// What a node lacks for a pod that does not fit: the resources missing in sum; if none is, those of devices that are
/// too full one by one.
pub(super) fn lacking_on(host: &FreeNode, template: &PodTemplate) -> Vec<Name> {
    let missing = host.lacks(template);
    if missing.is_empty() { host.device_resources().cloned().collect() } else { missing }
}

/// What a node lacks for one pod more than it has room for: where it has room for some, the resources that limit how
/// many.
pub(super) fn lacking_for_one_more(host: &FreeNode, template: &PodTemplate) -> Vec<Name> {
    if host.choose(template).is_none() {
        return lacking_on(host, template);
    }
    let room = || template.request.iter().filter(|(_, n)| *n > 0).map(|(name, n)| (name, host.has(name) / n));
    let least = room().map(|(_, pods)| pods).min();
    room().filter(|(_, pods)| Some(*pods) == least).map(|(name, _)| name.clone()).collect()
}

fn some<T>(list: Vec<T>) -> Option<Vec<T>> {
    (!list.is_empty()).then_some(list)
}

/// Keeps the candidate that is first in victim order.
pub(super) fn keep_better(best: &mut Option<Candidate>, found: Eligibility, budget_hit: &mut bool) {
    match found {
        Eligibility::No => {}
        Eligibility::BudgetExhausted => *budget_hit = true,
        Eligibility::Yes(candidate) => {
            if best.as_ref().is_none_or(|best| candidate.rank < best.rank) {
                *best = Some(candidate);
            }
        }
    }
}

/// The cost of clearing a node (V3): budgets broken, the highest priority, number of pods, overuse, work lost, node.
pub(super) struct Cost {
    pub(super) broken: usize,
    pub(super) highest: Option<i32>,
    pub(super) victims: usize,
    overuse: Vec<Vec<super::order::Share>>,
    pub(super) lost: u128,
    node: NodeId,
}

impl Cost {
    pub(super) fn compare(&self, other: &Self) -> Ordering {
        let first = |c: &Self| (c.broken, c.highest, c.victims);
        let pairs = self.overuse.iter().zip(&other.overuse);
        let fair = pairs.map(|(a, b)| by_overuse(a, b)).fold(Ordering::Equal, Ordering::then);
        first(self).cmp(&first(other)).then(fair).then((self.lost, self.node).cmp(&(other.lost, other.node)))
    }
}
