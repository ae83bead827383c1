//! The search for a plan that places a workload by evicting others (R4 to R7, V2 to V4, G1).
//!
//! The search clears the quotas whose max would be exceeded, and places the pods, each on a node with room or on the
//! best node to make room on. Where only quota is missing, quotas come first, otherwise nodes (V4). Then it offsets
//! borrowing that would grow (R1). Last, it spares every victim that the plan can do without (V2). All of this happens
//! on trial: the search gives a plan and leaves the state as it was.

use super::{
    candidates::{Candidate, Steps, better_candidate, first_victim},
    eligibility::{PreemptionKind, Preemptor, Resources},
    findings::SearchFindings,
    lenders::lenders,
    plan::PreemptionPlan,
    victim_leaf::{VictimLeaf, first_rank, leaf_order, victim_leaves},
};
use crate::{
    api::{BlockingReason, Bound, RespectBudgets, Rule},
    scheduler::{
        cluster::{Cluster, Trial},
        placement::{fits, pick},
        state::{Ask, NodeSlot, PodRef, QuotaSlot, Row, WorkloadSlot},
    },
};
use smallvec::SmallVec;
use std::cell::OnceCell;

/// A quota, and a resource of which some must be freed below that quota.
pub(super) type Deficit = (QuotaSlot, usize);

/// One search, with the changes that it has made on trial so far.
pub(super) struct PreemptionSearch<'a> {
    pub(super) cluster: &'a mut Cluster,
    pub(super) slot: WorkloadSlot,
    pub(super) preemptor: Preemptor<'a>,
    pub(super) trial: Trial,
    pub(super) steps: Steps,
    pub(super) victims: Vec<Candidate>,
    /// Projected usage on the preemptor's path before the search, by quota and resource (R1).
    pub(super) usage_before: SmallVec<[(QuotaSlot, usize, i64); 8]>,
    /// What the possible victims of lower priority in its own leaf use (R1); computed when it is first needed.
    pub(super) usage_of_lower: OnceCell<Row>,
    /// Whether the search must report what stopped it.
    pub(super) explains: bool,
    pub(super) stop: Option<BlockingReason>,
}

/// Looks for a plan without regard to topology domains. The caller has checked that the workload could preempt.
pub(super) fn find_plan_here(
    cluster: &mut Cluster,
    slot: WorkloadSlot,
    ask: &Ask,
    kind: PreemptionKind,
    found: &mut SearchFindings,
) -> Option<PreemptionPlan> {
    let leaf = cluster.workloads.at(slot).leaf;
    let may_break = cluster.policy.respect_budgets == RespectBudgets::Prefer;
    let mut break_budgets = false;
    loop {
        let preemptor = Preemptor { slot: Some(slot), leaf, ask, kind, break_budgets };
        let mut search = PreemptionSearch::new(cluster, slot, preemptor, found.in_full);
        let plan = search.run();
        let PreemptionSearch { trial, mut steps, stop, .. } = search;
        cluster.undo(trial);
        found.stops.extend(stop.filter(|_| plan.is_none()));
        let plan = plan.or_else(|| find_set(cluster, slot, preemptor, &mut steps));
        found.note(Bound::Candidates, steps.exhausted);
        found.note(Bound::Nodes, steps.more_nodes);
        found.note(Bound::Sets, steps.more_sets);
        // Budgets are broken only where there is no plan without (R7).
        if plan.is_some() || break_budgets || !steps.budget_protected || !may_break {
            return plan;
        }
        break_budgets = true;
    }
}

/// Searches sets of victims (V5) where the search in victim order finds nothing for an entitled workload.
fn find_set(
    cluster: &mut Cluster,
    slot: WorkloadSlot,
    preemptor: Preemptor,
    steps: &mut Steps,
) -> Option<PreemptionPlan> {
    if !cluster.quotas.is_entitled(preemptor.ask, preemptor.leaf) {
        return None;
    }
    let mut search = PreemptionSearch::new(cluster, slot, preemptor, false);
    let terminating = search.count_on_terminating();
    let plan = search.search_sets(terminating);
    let PreemptionSearch { trial, steps: more, .. } = search;
    cluster.undo(trial);
    steps.add(more);
    plan
}

impl<'a> PreemptionSearch<'a> {
    fn new(cluster: &'a mut Cluster, slot: WorkloadSlot, preemptor: Preemptor<'a>, explains: bool) -> Self {
        let ledger = &cluster.quotas.ledger;
        let mut usage_before = SmallVec::new();
        for q in ledger.path(preemptor.leaf) {
            usage_before
                .extend(cluster.quotas.counted(preemptor.ask).map(|(r, _)| (q, r, ledger.projected_usage(q, r))));
        }
        Self {
            trial: Trial::default(),
            steps: Steps::new(cluster.policy.bounds.candidates),
            victims: Vec::new(),
            usage_before,
            usage_of_lower: OnceCell::new(),
            explains,
            stop: None,
            cluster,
            slot,
            preemptor,
        }
    }

    fn run(&mut self) -> Option<PreemptionPlan> {
        let terminating = self.count_on_terminating();
        let (ask, leaf) = (self.preemptor.ask, self.preemptor.leaf);
        if self.cluster.quotas.lacks_guarantee(ask, leaf) {
            return None;
        }
        self.clear_quota_and_nodes()?;
        self.offset_growth()?;
        if !self.cluster.quotas.admits(ask, leaf) {
            return None;
        }
        let terminating = self.prune(terminating);
        let victims = std::mem::take(&mut self.victims);
        let assignments = self.trial.bound().to_vec();
        Some(PreemptionPlan { kind: self.preemptor.kind, chosen_by: Rule::V1, victims, terminating, assignments })
    }

    /// Evicts on trial the terminating pods that no hold waits for.
    fn count_on_terminating(&mut self) -> Vec<PodRef> {
        let most = self.cluster.policy.bounds.nodes as usize;
        let terminating: Vec<PodRef> = self.cluster.holds.unclaimed_terminating.values().take(most).copied().collect();
        for pod in &terminating {
            self.cluster.trial_evict(&mut self.trial, *pod);
        }
        terminating
    }

    /// Chooses what to clear first. Quota, where all pods have room, so that only quota is missing and victims may run
    /// anywhere (V4). Otherwise nodes, since victims there free quota, too; if that finds nothing, quota first.
    fn clear_quota_and_nodes(&mut self) -> Option<()> {
        if fits(self.cluster, self.slot) {
            self.clear_max()?;
            return self.place_unit();
        }
        if self.place_unit().and_then(|()| self.clear_max()).is_some() {
            return Some(());
        }
        self.cluster.trial_unbind(&mut self.trial);
        for candidate in std::mem::take(&mut self.victims).iter().rev() {
            self.restore(&candidate.pods);
        }
        self.clear_max()?;
        self.place_unit()
    }

    /// Evicts until the request exceeds no max (A1).
    fn clear_max(&mut self) -> Option<()> {
        loop {
            let exceeded = self.cluster.quotas.exceeded_max(self.preemptor.ask, self.preemptor.leaf);
            let deficits: SmallVec<[Deficit; 4]> = exceeded.collect();
            if deficits.is_empty() {
                return Some(());
            }
            self.stop = None;
            self.evict_best(&deficits)?;
        }
    }

    /// Evicts the first victim, in victim order (V1), that reduces a deficit (R5).
    pub(super) fn evict_best(&mut self, deficits: &[Deficit]) -> Option<()> {
        self.cluster.refresh_overuse();
        let mut best: Option<Candidate> = None;
        let mut quotas: SmallVec<[QuotaSlot; 4]> = deficits.iter().map(|(q, _)| *q).collect();
        quotas.dedup();
        for quota in quotas {
            let resources: Resources = deficits.iter().filter(|(q, _)| *q == quota).map(|(_, r)| *r).collect();
            if let Some(found) = self.first_in_order(&resources, Some(quota), None) {
                best = better_candidate(best, found);
                continue;
            }
            for from in victim_leaves(self.cluster, &self.preemptor, &resources, Some(quota)) {
                let found = first_victim(self.cluster, &self.preemptor, &self.trial, (&from, None), &mut self.steps);
                best = better_candidate(best, found);
            }
        }
        self.evict(best?);
        Some(())
    }

    /// The first victim (V1) below a quota or anywhere, on a node or on any, from the leaves in their kept order, which
    /// must be up to date. The search ends at the first leaf whose victims all rank after the one found.
    ///
    /// Nothing where that order is not kept, or where the search may not stop early: with declared budgets, each leaf
    /// must be looked at to note what budgets protect (R7).
    pub(super) fn first_in_order(
        &mut self,
        lacking: &[usize],
        below: Option<QuotaSlot>,
        on: Option<NodeSlot>,
    ) -> Option<Option<Candidate>> {
        let (cluster, preemptor) = (&*self.cluster, &self.preemptor);
        if !cluster.budgets.is_empty() || !self.steps.are_plenty() {
            return None;
        }
        let leaves: Box<dyn Iterator<Item = VictimLeaf>> = match preemptor.kind {
            PreemptionKind::Priority => Box::new(victim_leaves(cluster, preemptor, lacking, below).into_iter()),
            PreemptionKind::Reclaim => Box::new(lenders(cluster, preemptor, lacking, below)?),
        };
        let mut best: Option<Candidate> = None;
        for from in leaves {
            if let Some((best, first)) = best.as_ref().zip(first_rank(cluster, &from)) {
                if leaf_order(&best.rank) < leaf_order(&first) {
                    break;
                }
                if best.rank < first {
                    continue;
                }
            }
            let found = first_victim(cluster, preemptor, &self.trial, (&from, on), &mut self.steps);
            best = better_candidate(best, found);
        }
        Some(best)
    }

    pub(super) fn evict(&mut self, candidate: Candidate) {
        for pod in &candidate.pods {
            self.cluster.trial_evict(&mut self.trial, *pod);
        }
        self.victims.push(candidate);
    }

    /// Restores pods of one victim, in reverse order.
    pub(super) fn restore(&mut self, pods: &[PodRef]) {
        for pod in pods.iter().rev() {
            self.cluster.trial_restore(&mut self.trial, *pod);
        }
    }

    /// Finds a node for every pod of the unit, and makes room where there is none (R6, G1).
    pub(super) fn place_unit(&mut self) -> Option<()> {
        for ordinal in self.cluster.workloads.next_pods(self.slot) {
            let pod = self.slot.pod(ordinal);
            let assignment = match pick(self.cluster, pod) {
                Some(assignment) => assignment,
                None => self.make_room(self.cluster.workloads.at(self.slot).template(ordinal))?,
            };
            self.cluster.trial_bind(&mut self.trial, pod, assignment);
        }
        Some(())
    }
}
