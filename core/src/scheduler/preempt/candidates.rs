//! The next victim of a leaf: which pods one eviction takes (G2), and their rank among all possible victims (V1).

use super::{
    contested::uses,
    eligibility::{PreemptionKind, Preemptor, exhausts_budget, stays_above_guarantee, workload_protection},
    victim_leaf::{VictimLeaf, overuse},
};
use crate::{
    api::Floor,
    counters::touch,
    scheduler::{
        cluster::{Cluster, Trial},
        queue::VictimRank,
        state::{NodeSlot, PodRef, QuotaSlot, Workload, WorkloadSlot},
    },
};
use smallvec::SmallVec;
use std::cmp::Reverse;

/// Pods that one eviction takes together.
pub(crate) type VictimPods = SmallVec<[PodRef; 1]>;

/// A possible victim.
#[derive(Debug, Clone)]
pub(crate) struct Candidate {
    pub(crate) pods: VictimPods,
    pub(crate) slot: WorkloadSlot,
    pub(crate) leaf: QuotaSlot,
    /// The quota where its branch meets that of the preemptor.
    pub(crate) common: QuotaSlot,
    /// The contested resource that it uses.
    pub(crate) resource: usize,
    /// How far its leaf is above its min in that resource, base units.
    pub(crate) over: i64,
    pub(crate) rank: VictimRank,
}

/// The better of two candidates, which is evicted first (V1); `a` among equals.
pub(crate) fn better_candidate(a: Option<Candidate>, b: Option<Candidate>) -> Option<Candidate> {
    match (a, b) {
        (Some(a), Some(b)) => Some(if b.rank < a.rank { b } else { a }),
        (a, b) => a.or(b),
    }
}

/// With at least this many steps left, the search is far from its bound.
const PLENTY: u32 = 1000;

/// The steps of one search, counted against its bounds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Steps {
    left: u32,
    /// Whether the bound on candidates was hit.
    pub(crate) exhausted: bool,
    /// Whether a disruption budget protected a candidate.
    pub(crate) budget_protected: bool,
    /// Whether there were more nodes than the bound allows.
    pub(crate) more_nodes: bool,
    /// Whether there were more sets of victims than the bound allows.
    pub(crate) more_sets: bool,
}

impl Steps {
    pub(crate) const fn new(most: u32) -> Self {
        Self { left: most, exhausted: false, budget_protected: false, more_nodes: false, more_sets: false }
    }

    /// Adds the flags of another search.
    pub(super) fn add(&mut self, other: Self) {
        self.exhausted |= other.exhausted;
        self.budget_protected |= other.budget_protected;
        self.more_nodes |= other.more_nodes;
        self.more_sets |= other.more_sets;
    }

    /// Whether enough steps are left to skip candidates that cannot be the first, without counting them.
    pub(super) const fn are_plenty(&self) -> bool {
        self.left >= PLENTY
    }

    /// Counts a step; `false` when no more are allowed.
    pub(crate) fn count(&mut self) -> bool {
        touch(1);
        self.exhausted |= self.left == 0;
        self.left = self.left.saturating_sub(1);
        !self.exhausted
    }
}

/// The first victim of a leaf that helps (V1, R5): on the given node, or on any.
///
/// The index has the order from before the search, and ignores budgets. During the search a gang may lose its last
/// elastic pod, or a workload may come to exhaust its budget. Then the workload must be evicted after some that follow
/// it in the index. So the search goes on until it finds a candidate that no later one can precede.
pub(crate) fn first_victim(
    cluster: &Cluster,
    preemptor: &Preemptor,
    trial: &Trial,
    (from, on): (&VictimLeaf, Option<NodeSlot>),
    steps: &mut Steps,
) -> Option<Candidate> {
    let mut best: Option<Candidate> = None;
    for key in cluster.victims.of(from.leaf) {
        if !steps.count() {
            break;
        }
        if best.as_ref().is_some_and(|best| !best.rank.breaks_budget && best.rank.priority < key.priority) {
            break;
        }
        let Some(candidate) = candidate(cluster, preemptor, trial, from, (key.slot, on), steps) else { continue };
        let in_place = !candidate.rank.breaks_budget && candidate.rank.has_surplus == key.has_surplus;
        best = better_candidate(best, Some(candidate));
        if in_place {
            break;
        }
    }
    best
}

/// The pods of a workload that one eviction takes, if it may be evicted and frees a contested resource: on the given
/// node, or on any.
pub(super) fn candidate(
    cluster: &Cluster,
    preemptor: &Preemptor,
    trial: &Trial,
    from: &VictimLeaf,
    (slot, on): (WorkloadSlot, Option<NodeSlot>),
    steps: &mut Steps,
) -> Option<Candidate> {
    if workload_protection(cluster, preemptor, slot).is_some() {
        return None;
    }
    let (workloads, quotas) = (&cluster.workloads, &cluster.quotas);
    let workload = workloads.at(slot);
    let uses = |pod: PodRef, r: &usize| uses(cluster, pod, *r) > 0;
    let is_on = |pod, node| workloads.pod(pod).is_some_and(|row| row.assignment.node == node);
    let helps = |pod: PodRef| on.is_none_or(|node| is_on(pod, node)) && from.lacking.iter().any(|r| uses(pod, r));
    let contests = |pod: PodRef| from.resources.iter().any(|r| uses(pod, r));
    let pods = evicted_next(cluster, slot, trial, |pod| helps(pod) && contests(pod));
    let resource = from.resources.iter().copied().find(|r| pods.iter().any(|pod| uses(*pod, r)))?;
    if !pods.iter().any(|pod| helps(*pod)) {
        return None;
    }
    let strict = cluster.policy.floor == Floor::Strict && preemptor.kind == PreemptionKind::Reclaim;
    if strict && !stays_above_guarantee(cluster, &pods, from.leaf, from.common, &from.resources) {
        return None;
    }
    let breaks_budget = exhausts_budget(cluster, workload, pods.len());
    if breaks_budget && !preemptor.break_budgets {
        steps.budget_protected = true;
        return None;
    }
    let left = workload.active().filter(|(ordinal, _)| !trial.has_evicted(slot.pod(*ordinal))).count();
    let rank = VictimRank {
        has_quota: from.leaf != quotas.ledger.no_quota(),
        breaks_budget,
        priority: workload.priority,
        overuse: overuse(cluster, from),
        has_surplus: Reverse(pods.len() < left),
        started: Reverse(workload.started()),
        id: Reverse(workload.id),
        ordinal: Reverse(pods.last().map_or(0, |pod| pod.ordinal)),
    };
    let over = quotas.ledger.remaining_usage(from.leaf, resource) - quotas.min(from.leaf, resource);
    Some(Candidate { pods, slot, leaf: from.leaf, common: from.common, resource, over, rank })
}

/// The pods of a workload that the next eviction takes, given the pods that are evicted on trial already (G2).
fn evicted_next(cluster: &Cluster, slot: WorkloadSlot, trial: &Trial, helps: impl Fn(PodRef) -> bool) -> VictimPods {
    let helps = |ordinal| helps(slot.pod(ordinal));
    let workload = cluster.workloads.at(slot);
    let is_whole = !trial.has_evictions() || !workload.ordinals().any(|(pod, _)| trial.has_evicted(slot.pod(pod)));
    let ordinals =
        if is_whole { workload.evicted_together(helps) } else { rest_of(cluster, slot, trial).evicted_together(helps) };
    ordinals.into_iter().map(|ordinal| slot.pod(ordinal)).collect()
}

/// A workload without the pods that are evicted on trial.
fn rest_of(cluster: &Cluster, slot: WorkloadSlot, trial: &Trial) -> Workload {
    let mut rest = cluster.workloads.at(slot).clone();
    for (ordinal, pod) in (0u32..).zip(rest.pods.iter_mut()) {
        if trial.has_evicted(slot.pod(ordinal)) {
            pod.state = None;
        }
    }
    rest
}

/// Whether the evictions on trial would leave a part of a gang running below its minimum (G2).
pub(super) fn splits_gang(cluster: &Cluster, slot: WorkloadSlot, trial: &Trial) -> bool {
    let rest = rest_of(cluster, slot, trial);
    rest.has_active() && rest.is_below_minimum() && !cluster.workloads.at(slot).is_below_minimum()
}
