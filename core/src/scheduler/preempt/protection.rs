//! Why a workload was not evicted: the first condition of [`eligibility`](super::eligibility) that protects it (X1).

use super::eligibility::{
    PreemptionKind, Preemptor, branch, common_in_scope, exhausts_budget, is_guarded, lasting_protection,
};
use crate::{
    api::{Floor, Protection, QuotaId, RespectBudgets},
    scheduler::{
        cluster::Cluster,
        state::{Ask, QuotaSlot, Workload, WorkloadSlot, amount_of},
    },
};

/// What protects the pods of a workload from eviction for a preemptor that lacks these resources. Pods that no rule
/// protects were not evicted because even that would not have been enough (R6).
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
    if !preemptor.ask.may_evict {
        return Protection::EvictsNobody;
    }
    // That it was just bound ends with this moment, so it is told only where nothing else protects it.
    lasting_protection(cluster, preemptor, victim)
        .or_else(|| quota_protection(cluster, preemptor, cluster.workloads.at(victim), resources))
        .or_else(|| budget_protection(cluster, cluster.workloads.at(victim)))
        .or_else(|| cluster.workloads.at(victim).protection())
        .unwrap_or(Protection::NotEnough)
}

/// Which quota protects a workload of another leaf (R2a, R2b).
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

/// By how much, and in which resource, the request would take a quota above its guarantee (R2a).
fn not_entitled(cluster: &Cluster, ask: &Ask, at: QuotaSlot) -> Protection {
    let quotas = &cluster.quotas;
    let over = |(r, amount): (usize, i64)| {
        let by = quotas.above_guarantee(at, r, amount);
        let resource = quotas.tree.resource_name(r)?.clone();
        (by > 0).then_some(Protection::NotEntitled { quota: quotas.quota_id(at)?, resource, by })
    };
    quotas.counted(ask).find_map(over).unwrap_or(Protection::NotEnough)
}

/// The first quota on a victim's branch, from its leaf up, whose guarantee forbids the eviction because of what it
/// frees of this resource (R2b).
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
    let budget = victim.budget.as_deref().cloned().filter(|_| exhausted)?;
    Some(Protection::Budget { budget })
}
