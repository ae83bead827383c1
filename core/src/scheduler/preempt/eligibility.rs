//! Who may be a victim. [`protection`] is the one place that decides it, for the search and for explanations.
//!
//! A pod may be evicted for a preemptor unless the first of these protects it: it belongs to the preemptor itself; the
//! policy disables this kind of preemption (R8); it may not be evicted, was bound by the same decision, or has not run
//! for its protected time (R2c); in the same leaf, its priority is not lower (R1); in another leaf, the preemptor is not
//! entitled where their branches meet (R2a), or a quota on the victim's branch is within its guarantee (R2b). Pods of an
//! exhausted disruption budget are victims only where no other plan exists, or never (R7): [`exhausts_budget`].
//!
//! The search asks the questions about leaves once a leaf ([`victim_leaf`](super::victim_leaf)), and those about
//! workloads for each candidate.

use crate::{
    api::{Floor, Policy, Protection, QuotaId, Reclaim, RespectBudgets, Rule, Unquotaed, WithinQueuePreemption},
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
    /// None where a lowered max is enforced (T4).
    pub(crate) slot: Option<WorkloadSlot>,
    pub(crate) leaf: QuotaSlot,
    pub(crate) ask: &'a Ask,
    pub(crate) kind: PreemptionKind,
    /// Whether victims may exhaust their disruption budgets (R7).
    pub(crate) break_budgets: bool,
}

/// Whether a workload could preempt any other at all: its leaf is within its guarantee (R2a), or has victims of lower
/// priority (R1). Costs a path of the tree.
pub(crate) fn could_preempt(cluster: &Cluster, slot: WorkloadSlot, ask: &Ask, kind: PreemptionKind) -> bool {
    let workload = cluster.workloads.at(slot);
    if workload.leaf == cluster.quotas.ledger.no_quota() || !kind.is_enabled(&cluster.policy) {
        return false;
    }
    match kind {
        PreemptionKind::Reclaim => cluster.quotas.reclaim_scope(ask, workload.leaf).is_some(),
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

/// Whether what a workload may reclaim changes with every event (F3).
pub(crate) fn reclaims_by_share(policy: &Policy) -> bool {
    PreemptionKind::Reclaim.is_enabled(policy) && policy.reclaim == Reclaim::FairShare
}

/// What protects a workload from eviction for a preemptor, whatever the quotas say (R2c, R1).
pub(crate) fn workload_protection(
    cluster: &Cluster,
    preemptor: &Preemptor,
    victim: WorkloadSlot,
) -> Option<Protection> {
    let (policy, victim) = (&cluster.policy, cluster.workloads.at(victim));
    if let Some(protection) = victim.protection() {
        return Some(protection);
    }
    if policy.min_runtime_ms > 0 && victim.started().after_ms(policy.min_runtime_ms) > cluster.now {
        return Some(Protection::ProtectedRuntime);
    }
    let by = preemptor.slot.filter(|_| preemptor.kind == PreemptionKind::Priority)?;
    let is_lower = is_lower(policy.within, cluster.workloads.at(by), victim);
    (!is_lower).then_some(Protection::Priority)
}

/// Whether a workload of the same leaf ranks lower, so that it may be preempted (R1).
fn is_lower(within: WithinQueuePreemption, by: &Workload, victim: &Workload) -> bool {
    let newer = victim.priority < by.priority || victim.submitted > by.submitted;
    within.may_preempt(by.priority, victim.priority) && newer
}

/// The quotas from a leaf up to just below the common ancestor.
pub(super) fn branch(cluster: &Cluster, leaf: QuotaSlot, common: QuotaSlot) -> impl Iterator<Item = QuotaSlot> + '_ {
    cluster.quotas.ledger.path(leaf).take_while(move |q| *q != common)
}

/// Whether a quota is within its guarantee, or would fall below it by losing this much (R2b): then nothing is reclaimed
/// from it.
pub(super) fn is_guarded(cluster: &Cluster, quota: QuotaSlot, resource: usize, loses: i64) -> bool {
    let quotas = &cluster.quotas;
    quotas.ledger.remaining_usage(quota, resource) - loses < quotas.protected_usage(quota, resource)
}

/// Whether evicting so many pods of a workload would exceed its disruption budget (R7).
pub(super) fn exhausts_budget(cluster: &Cluster, victim: &Workload, pods: usize) -> bool {
    let left = victim.budget.as_ref().and_then(|budget| cluster.budgets.get(budget));
    left.is_some_and(|left| (*left as usize) < pods)
}

/// What protects the pods of a workload from eviction for a preemptor that lacks these resources. Pods that nothing
/// protects were not evicted because that would not have been enough (R6).
pub(crate) fn protection(
    cluster: &Cluster,
    preemptor: &Preemptor,
    victim: WorkloadSlot,
    resources: &[usize],
) -> Protection {
    if Some(victim) == preemptor.slot {
        return Protection::OwnWorkload;
    }
    if !preemptor.kind.is_enabled(&cluster.policy) {
        return Protection::Policy;
    }
    workload_protection(cluster, preemptor, victim)
        .or_else(|| quota_protection(cluster, preemptor, cluster.workloads.at(victim), resources))
        .or_else(|| budget_protection(cluster, cluster.workloads.at(victim)))
        .unwrap_or(Protection::NotEnough)
}

/// What protects a workload of another leaf by quota (R2a, R2b).
fn quota_protection(
    cluster: &Cluster,
    preemptor: &Preemptor,
    victim: &Workload,
    resources: &[usize],
) -> Option<Protection> {
    if preemptor.kind == PreemptionKind::Priority {
        return None;
    }
    let quotas = &cluster.quotas;
    let scope = quotas.reclaim_scope(preemptor.ask, preemptor.leaf);
    let Some(common) = common_in_scope(cluster, preemptor, scope, victim.leaf) else {
        return Some(not_entitled(cluster, preemptor.ask, scope.unwrap_or(preemptor.leaf)));
    };
    if victim.leaf == quotas.ledger.no_quota() {
        return None;
    }
    let mut guards = resources.iter().map(|r| (guard(cluster, victim, common, *r), *r));
    match guards.next() {
        Some((Some(quota), r)) if guards.all(|(guard, _)| guard.is_some()) => {
            Some(Protection::WithinGuarantee { quota, resource: quotas.resource_name(r) })
        }
        _ => None,
    }
}

/// Where the branches of a preemptor and of another leaf meet; nothing where that is outside the preemptor's scope
/// (R2a). Pods without a quota count as meeting it at the root, and only where the policy lets them run at all (A4).
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

/// In what a quota would be above its guarantee with the request (R2a).
fn not_entitled(cluster: &Cluster, ask: &Ask, at: QuotaSlot) -> Protection {
    let quotas = &cluster.quotas;
    let over = |(r, amount): (usize, i64)| {
        let by = quotas.above_guarantee(at, r, amount);
        let resource = quotas.tree.resource_name(r)?.clone();
        (by > 0).then_some(Protection::NotEntitled { quota: quotas.quota_id(at)?, resource, by })
    };
    ask.requested().find_map(over).unwrap_or(Protection::NotEnough)
}

/// The quota on a victim's branch that its guarantee protects in a resource, if one does (R2b).
fn guard(cluster: &Cluster, victim: &Workload, common: QuotaSlot, resource: usize) -> Option<QuotaId> {
    let loses = match cluster.policy.floor {
        Floor::Pod => 1,
        Floor::Strict => {
            let template = |ordinal: &u32| cluster.workloads.interner.template(victim.template(*ordinal));
            let pods = victim.evicted_together(|_| true);
            pods.iter().map(|ordinal| amount_of(&template(ordinal).governed, resource)).sum::<i64>().max(1)
        }
    };
    let mut quotas = branch(cluster, victim.leaf, common);
    quotas.find(|q| is_guarded(cluster, *q, resource, loses)).map(|q| QuotaId(q.0))
}

/// The disruption budget that protects a workload from every eviction, if one does (R7).
fn budget_protection(cluster: &Cluster, victim: &Workload) -> Option<Protection> {
    let never_broken = cluster.policy.respect_budgets == RespectBudgets::Always;
    let exhausted = never_broken && exhausts_budget(cluster, victim, victim.evicted_together(|_| true).len());
    let budget = victim.budget.clone().filter(|_| exhausted)?;
    Some(Protection::Budget { budget })
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
