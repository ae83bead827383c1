//! Who may be a victim: the questions that decide it, in the order in which they are asked.
//!
//! 1. Is this kind of preemption enabled (R8), and does the preemptor evict others at all (R9)? [`could_preempt`]
//! 2. Does the guarantee cover the request on every quota below where the two branches meet (R2a)? [`common_in_scope`]
//! 3. Is every quota on the victim's branch above its guarantee (R2b)? [`is_guarded`], [`reclaimable`]
//! 4. May the workload be evicted at all, has it run for its protected time (R2c) and, in the same leaf, is its priority
//!    lower (R1)? [`workload_protection`]
//! 5. With `floor: Strict`, does every quota on the branch stay at its guarantee or above (R2b)?
//!    [`stays_above_guarantee`]
//! 6. Does the eviction respect the disruption budget (R7)? [`exhausts_budget`]
//!
//! The search evaluates 1 once. It evaluates 2 and 3 for one leaf ([`victim_leaf`](super::victim_leaf::victim_leaf)),
//! or for all leaves in one walk over the tree ([`victim_leaves`](super::victim_leaf::victim_leaves)), which needs only
//! [`is_guarded`]. It evaluates 4 to 6 for each candidate ([`candidates`](super::candidates)). Where a lowered max is
//! enforced (T4), only 4 and 5 apply.
//!
//! An explanation ([`protection`](mod@super::protection)) calls the same functions for one workload, in the order 1, 4,
//! 2, 3, 6. With `floor: Strict` it combines 3 and 5 in one test, whose result can differ from the search
//! (docs/limits.md).

use crate::{
    api::{Policy, Protection, QuotaId, Reclaim, Rule, Unquotaed, WithinQueuePreemption},
    scheduler::{
        cluster::Cluster,
        state::{Ask, PodRef, QuotaSlot, Workload, WorkloadSlot, amount_of},
    },
};
use smallvec::SmallVec;

/// Governed resources, by index.
pub(crate) type Resources = SmallVec<[usize; 4]>;

/// The two kinds of preemption.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PreemptionKind {
    /// From other leaves, to reclaim a guarantee (R2).
    Reclaim,
    /// Within the own leaf, by priority (R1).
    Priority,
}

impl PreemptionKind {
    /// Both, in the order in which they are tried (R3).
    pub(crate) const BOTH: [Self; 2] = [Self::Reclaim, Self::Priority];

    pub(crate) const fn rule(self) -> Rule {
        match self {
            Self::Reclaim => Rule::R2,
            Self::Priority => Rule::R1,
        }
    }

    /// Whether the policy enables it (R8).
    pub(crate) fn is_enabled(self, policy: &Policy) -> bool {
        match self {
            Self::Reclaim => policy.reclaims(),
            Self::Priority => policy.preempts_within_leaf(),
        }
    }
}

/// The workload that victims are searched for, and how.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Preemptor<'a> {
    /// None where a lowered max is enforced (T4): then the evictions are for no workload.
    pub(crate) slot: Option<WorkloadSlot>,
    pub(crate) leaf: QuotaSlot,
    pub(crate) ask: &'a Ask,
    pub(crate) kind: PreemptionKind,
    /// Whether victims may exhaust their disruption budgets (R7).
    pub(crate) break_budgets: bool,
}

/// Whether a workload could preempt any other at all by this kind: its leaf is within its guarantee (R2a), or has
/// possible victims of lower priority (R1). Costs a path of the tree.
pub(crate) fn could_preempt(cluster: &Cluster, slot: WorkloadSlot, ask: &Ask, kind: PreemptionKind) -> bool {
    let workload = cluster.workloads.at(slot);
    if workload.leaf == cluster.quotas.ledger.no_quota() || !ask.may_evict || !kind.is_enabled(&cluster.policy) {
        return false;
    }
    match kind {
        PreemptionKind::Reclaim => {
            // Nobody is over in what nobody is guaranteed: then only pods without a quota can be victims (R2b, Q5).
            let contests = cluster.quotas.counted(ask).next().is_some();
            let may_find = contests || cluster.policy.unquotaed == Unquotaed::Schedule;
            may_find && cluster.quotas.reclaim_scope(ask, workload.leaf).is_some()
        }
        PreemptionKind::Priority => {
            let lowest = cluster.victims.of(workload.leaf).first();
            lowest.is_some_and(|key| cluster.policy.within.may_preempt(workload.priority, key.priority))
        }
    }
}

/// Whether a workload could preempt by either kind of preemption.
pub(crate) fn could_preempt_at_all(cluster: &Cluster, slot: WorkloadSlot, ask: &Ask) -> bool {
    PreemptionKind::BOTH.into_iter().any(|kind| could_preempt(cluster, slot, ask, kind))
}

/// Whether a preemptor may reclaim from a leaf at all: the quotas of the leaf's branch are above their guarantee in a
/// requested resource (R2b). The two branches may meet at any quota, since other victims of a plan can bring the leaf
/// into reach (R2a).
pub(crate) fn reclaims_from(cluster: &Cluster, preemptor: &Preemptor, leaf: QuotaSlot) -> bool {
    let Some(common) = common_anywhere(cluster, preemptor, leaf) else { return false };
    let requested: Resources = cluster.quotas.counted(preemptor.ask).map(|(r, _)| r).collect();
    leaf == cluster.quotas.ledger.no_quota() || !reclaimable(cluster, leaf, common, &requested).is_empty()
}

/// Whether a workload may displace another one of its leaf (R1).
pub(crate) fn displaces(cluster: &Cluster, by: WorkloadSlot, victim: WorkloadSlot) -> bool {
    let (by, victim) = (cluster.workloads.at(by), cluster.workloads.at(victim));
    by.may_evict && ranks_lower(cluster.policy.within, by, victim)
}

/// Whether every event can change what a workload may reclaim, because the policy reclaims fair shares (F3).
pub(crate) fn reclaims_by_share(policy: &Policy) -> bool {
    PreemptionKind::Reclaim.is_enabled(policy) && policy.reclaim == Reclaim::FairShare
}

/// What protects a workload from eviction for a preemptor, regardless of quotas (R2c, R1).
pub(crate) fn workload_protection(
    cluster: &Cluster,
    preemptor: &Preemptor,
    victim: WorkloadSlot,
) -> Option<Protection> {
    lasting_protection(cluster, preemptor, victim).or_else(|| cluster.workloads.at(victim).protection())
}

/// As [`workload_protection`], without the protection that ends after this moment, that of a workload that was just
/// bound.
pub(super) fn lasting_protection(cluster: &Cluster, preemptor: &Preemptor, victim: WorkloadSlot) -> Option<Protection> {
    let (policy, victim) = (&cluster.policy, cluster.workloads.at(victim));
    if let Some(protection) = victim.protection().filter(|protection| *protection != Protection::JustBound) {
        return Some(protection);
    }
    if policy.min_runtime_ms > 0 && victim.started().after_ms(policy.min_runtime_ms) > cluster.now {
        return Some(Protection::ProtectedRuntime);
    }
    let by = preemptor.slot.filter(|_| preemptor.kind == PreemptionKind::Priority)?;
    (!ranks_lower(policy.within, cluster.workloads.at(by), victim)).then_some(Protection::Priority)
}

/// Whether a workload of the same leaf ranks lower, so that it may be preempted (R1).
fn ranks_lower(within: WithinQueuePreemption, by: &Workload, victim: &Workload) -> bool {
    let has_lower_priority = victim.priority < by.priority;
    within.may_preempt(by.priority, victim.priority) && (has_lower_priority || victim.submitted > by.submitted)
}

/// Where the branches of a preemptor and of another leaf meet; nothing where that is outside the preemptor's scope
/// (R2a). The branch of pods without a quota meets it at the root, and only where the policy lets such pods run at all
/// (A4).
pub(super) fn common_in_scope(
    cluster: &Cluster,
    preemptor: &Preemptor,
    scope: Option<QuotaSlot>,
    leaf: QuotaSlot,
) -> Option<QuotaSlot> {
    let (quotas, scope) = (&cluster.quotas, scope?);
    if leaf == quotas.ledger.no_quota() {
        let whole_tree = quotas.ledger.parent(scope).is_none();
        return (whole_tree && cluster.policy.unquotaed == Unquotaed::Schedule).then_some(scope);
    }
    let common = quotas.tree.common(QuotaId(preemptor.leaf.0), QuotaId(leaf.0));
    quotas.tree.is_under(common, QuotaId(scope.0)).then_some(common.into())
}

/// Where the branches of a preemptor and of another leaf meet, within the preemptor's scope or not. The branch of pods
/// without a quota meets it at the root.
pub(super) fn common_anywhere(cluster: &Cluster, preemptor: &Preemptor, leaf: QuotaSlot) -> Option<QuotaSlot> {
    let root = cluster.quotas.ledger.path(preemptor.leaf).last();
    common_in_scope(cluster, preemptor, root, leaf)
}

/// The quotas from a leaf up to just below the common ancestor.
pub(super) fn branch(cluster: &Cluster, leaf: QuotaSlot, common: QuotaSlot) -> impl Iterator<Item = QuotaSlot> + '_ {
    cluster.quotas.ledger.path(leaf).take_while(move |q| *q != common)
}

/// Whether the guarantee of a quota protects it from losing this much of a resource (R2b). With `loses` = 1, the quota
/// must be above its guarantee before the eviction. With what the victims use, it must not fall below its guarantee.
pub(super) fn is_guarded(cluster: &Cluster, quota: QuotaSlot, resource: usize, loses: i64) -> bool {
    let quotas = &cluster.quotas;
    quotas.ledger.remaining_usage(quota, resource) - loses < quotas.protected_usage(quota, resource)
}

/// Those of these resources in which every quota on the branch of a leaf is above its guarantee (R2b). If there are
/// none, nothing may be reclaimed from the leaf.
pub(super) fn reclaimable(cluster: &Cluster, leaf: QuotaSlot, common: QuotaSlot, resources: &[usize]) -> Resources {
    let is_over = |r: &usize| branch(cluster, leaf, common).all(|q| !is_guarded(cluster, q, *r, 1));
    resources.iter().copied().filter(is_over).collect()
}

/// Whether evicting these pods would leave every quota on their branch at its guarantee or above (R2b, `strict`).
pub(super) fn stays_above_guarantee(
    cluster: &Cluster,
    pods: &[PodRef],
    leaf: QuotaSlot,
    common: QuotaSlot,
    resources: &[usize],
) -> bool {
    let uses = |r: usize| pods.iter().map(|pod| amount_of(cluster.workloads.governed(*pod), r)).sum();
    let guarded = |q: QuotaSlot| resources.iter().any(|r| is_guarded(cluster, q, *r, uses(*r)));
    !branch(cluster, leaf, common).any(guarded)
}

/// Whether evicting this many pods of a workload would exceed its disruption budget (R7).
pub(super) fn exhausts_budget(cluster: &Cluster, victim: &Workload, pods: usize) -> bool {
    let left = victim.budget.as_deref().and_then(|budget| cluster.budgets.get(budget));
    left.is_some_and(|left| (*left as usize) < pods)
}
