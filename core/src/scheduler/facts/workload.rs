//! Events about workloads.

use super::pod;
use crate::{
    api::{EventError, PodSet, ReleaseReason, Time, WorkloadChange, WorkloadId, WorkloadSpec},
    scheduler::{
        cluster::Cluster,
        hold,
        state::{Ask, BackOff, Pod, QuotaSlot, Row, Set, TemplateId, Workload, WorkloadSlot, narrow},
    },
};
use smallvec::SmallVec;

/// The most pods that one workload may have.
const MOST_PODS: u32 = 1 << 20;

/// The most that all workloads may request of a resource together, so that no later sum can overflow.
const MOST_REQUESTED: i64 = i64::MAX / 8;

/// A new workload. Returns whether that may change which workload is tried next.
pub(super) fn submitted(cluster: &mut Cluster, spec: WorkloadSpec) -> Result<bool, EventError> {
    if cluster.workloads.slot(spec.id).is_some() {
        return Err(EventError::DuplicateWorkload(spec.id));
    }
    check_pods(spec.id, &spec.pods, 0)?;
    let mut sets: SmallVec<[Set; 1]> = SmallVec::new();
    for set in &spec.pods {
        let template = cluster.workloads.interner.intern(&set.template)?;
        sets.push(Set { template, count: set.count, min: set.min });
    }
    let members: SmallVec<[(TemplateId, u32); 1]> = sets.iter().map(|set| (set.template, set.count)).collect();
    let total = cluster.workloads.interner.total(&members)?;
    let leaf = cluster.quotas.leaf_of(spec.quota.as_ref(), &spec.namespace);
    check_request(cluster, leaf, &total)?;
    cluster.quotas.ledger.add_requests(leaf, &total, 1);
    let arrived = arrival(cluster, spec.replaces);
    let pods = sets.iter().zip(0u16..).flat_map(|(set, i)| (0..set.count).map(move |_| Pod::pending(i))).collect();
    let slot = cluster.workloads.add(Workload {
        id: spec.id,
        namespace: spec.namespace,
        quota: spec.quota.map(Box::new),
        leaf,
        priority: spec.priority,
        preemptible: spec.preemptible,
        may_evict: spec.may_evict,
        submitted: spec.submitted,
        budget: spec.budget.map(Box::new),
        together: spec.together,
        sets,
        pods,
        ran_since: Time(0),
        hold: None,
        admitted: false,
        arrived,
        unreplaced: 0,
        evicted_at: 0,
        evicted_whole: false,
        just_bound: 0,
        lost_some: false,
        stale_since: None,
        failed_binds: 0,
        backs_off: BackOff::Over,
        evict_failed: false,
        vain_searches: None,
    });
    Ok(cluster.enqueue(slot))
}

/// The generation in which a new workload arrived: now, or, if a plan evicted the workload that it replaces, when that
/// happened (H2). The replaced workload may still be terminating.
fn arrival(cluster: &mut Cluster, replaces: Option<WorkloadId>) -> u64 {
    let evicted = replaces.and_then(|id| match cluster.workloads.slot(id) {
        Some(slot) => {
            let replaced = cluster.workloads.at_mut(slot);
            (std::mem::take(&mut replaced.unreplaced) > 0).then_some(replaced.evicted_at)
        }
        None => cluster.arrivals.take(id),
    });
    evicted.unwrap_or(cluster.generation)
}

pub(super) fn changed(cluster: &mut Cluster, change: WorkloadChange) -> Result<(), EventError> {
    let slot = cluster.workloads.slot(change.workload).ok_or(EventError::UnknownWorkload(change.workload))?;
    let joining = match &change.add_pods {
        Some(set) => Some(check_joining(cluster, slot, change.workload, set)?),
        None => None,
    };
    cluster.dequeue(slot);
    note_arrival(cluster, slot, &change);
    if let Some(priority) = change.priority {
        cluster.workloads.at_mut(slot).priority = priority;
    }
    if let Some(preemptible) = change.preemptible {
        set_preemptible(cluster, slot, preemptible);
    }
    if let Some(budget) = change.budget {
        cluster.workloads.at_mut(slot).budget = budget.name().map(Box::new);
    }
    if let Some((set, total)) = joining {
        let workload = cluster.workloads.at_mut(slot);
        workload.evicted_whole = false;
        let index = workload.join_set(set);
        workload.pods.extend((0..set.count).map(|_| Pod::pending(index)));
        let leaf = workload.leaf;
        cluster.quotas.ledger.add_requests(leaf, &total, 1);
    }
    if let Some(minimum) = change.min {
        set_minimum(cluster, slot, minimum);
    }
    cluster.update_victim_index(slot);
    cluster.requeue_if_changed(slot);
    Ok(())
}

/// Notes that a workload counts as having arrived now, since it has another claim: another priority, more pods (H2). A
/// change of its budget or its minimum is no arrival.
fn note_arrival(cluster: &mut Cluster, slot: WorkloadSlot, change: &WorkloadChange) {
    let generation = cluster.generation;
    let workload = cluster.workloads.at_mut(slot);
    if replaces_evicted(workload, change) {
        workload.arrived = workload.arrived.max(workload.evicted_at);
    } else if change.priority.is_some() || change.preemptible.is_some() || change.add_pods.is_some() {
        workload.arrived = generation;
    }
}

/// Changes how many pods must run together (G1). A hold ends that is for other pods than it asks for now.
fn set_minimum(cluster: &mut Cluster, slot: WorkloadSlot, minimum: u32) {
    let asks = |cluster: &mut Cluster| cluster.workloads.next_ask(slot).map(|_| cluster.workloads.next_pods(slot));
    let before = asks(cluster);
    cluster.workloads.at_mut(slot).divide_minimum(minimum);
    if cluster.workloads.at(slot).has_active() && cluster.workloads.at(slot).is_below_minimum() {
        pod::note_if_stale(cluster, slot);
    }
    if asks(cluster) != before
        && let Some(hold) = cluster.workloads.at(slot).hold
    {
        hold::end_one_by_event(cluster, hold, ReleaseReason::Changed);
    }
}

/// Whether a change only adds pods in the place of evicted ones. Such pods count as having arrived at the eviction
/// (H2).
fn replaces_evicted(workload: &mut Workload, change: &WorkloadChange) -> bool {
    let joining = change.add_pods.as_ref().filter(|_| change.priority.is_none() && change.preemptible.is_none());
    let left = joining.and_then(|set| workload.unreplaced.checked_sub(set.count));
    workload.unreplaced = left.unwrap_or(workload.unreplaced);
    left.is_some()
}

pub(super) fn withdrawn(cluster: &mut Cluster, id: WorkloadId) -> Result<(), EventError> {
    let slot = cluster.workloads.slot(id).ok_or(EventError::UnknownWorkload(id))?;
    cluster.dequeue(slot);
    if let Some(hold) = cluster.workloads.at(slot).hold {
        hold::end(cluster, hold);
    }
    let pods = narrow(cluster.workloads.at(slot).pods.len());
    for ordinal in 0..pods {
        pod::end(cluster, slot.pod(ordinal));
    }
    cluster.drop_if_ended(slot);
    Ok(())
}

/// Checks pods that join a workload without a minimum of their own (G1). Gives them as a set, with their total request.
fn check_joining(
    cluster: &mut Cluster,
    slot: WorkloadSlot,
    id: WorkloadId,
    set: &PodSet,
) -> Result<(Set, Row), EventError> {
    let has = cluster.workloads.at(slot).pods.len() as u64;
    check_pods(id, std::slice::from_ref(&PodSet { min: 0, ..set.clone() }), has)?;
    let template = cluster.workloads.interner.intern(&set.template)?;
    let total = cluster.workloads.interner.total(&[(template, set.count)])?;
    check_request(cluster, cluster.workloads.at(slot).leaf, &total)?;
    Ok((Set { template, count: set.count, min: 0 }, total))
}

/// Changes whether a workload may be evicted, and counts what it uses or holds accordingly (A2).
fn set_preemptible(cluster: &mut Cluster, slot: WorkloadSlot, preemptible: bool) {
    let workload = cluster.workloads.at(slot);
    let (leaf, before, hold) = (workload.leaf, workload.preemptible, workload.hold);
    if before == preemptible {
        return;
    }
    let ledger = &mut cluster.quotas.ledger;
    for (ordinal, _) in workload.ordinals().filter(|(_, pod)| pod.is_on_node()) {
        let governed = cluster.workloads.governed(slot.pod(ordinal));
        ledger.add_usage(leaf, governed, before, -1);
        ledger.add_usage(leaf, governed, preemptible, 1);
    }
    if let Some(hold) = hold.and_then(|id| cluster.holds.get_mut(id)) {
        let interner = &mut cluster.workloads.interner;
        let ask = Ask { preemptible, ..interner.ask(hold.ask).clone() };
        ledger.add_held(leaf, &ask.total, before, -1);
        ledger.add_held(leaf, &ask.total, preemptible, 1);
        hold.ask = interner.intern_ask(ask);
    }
    cluster.workloads.at_mut(slot).preemptible = preemptible;
    cluster.touch(leaf);
}

fn check_pods(workload: WorkloadId, sets: &[PodSet], has: u64) -> Result<(), EventError> {
    let pods = sets.iter().map(|set| u64::from(set.count)).sum::<u64>().saturating_add(has);
    let sound = sets.len() < usize::from(u16::MAX) && sets.iter().all(|set| set.min <= set.count && set.count > 0);
    if pods == 0 || pods > u64::from(MOST_PODS) || !sound {
        return Err(EventError::PodCount { workload, pods, most: MOST_PODS });
    }
    Ok(())
}

/// Refuses a request that could make the sum of all requests overflow 64 bits.
pub(super) fn check_request(cluster: &Cluster, leaf: QuotaSlot, total: &[i64]) -> Result<(), EventError> {
    let ledger = &cluster.quotas.ledger;
    let root = ledger.path(leaf).last().unwrap_or(leaf);
    for (r, (more, sum)) in total.iter().zip(ledger.request.row(root)).enumerate() {
        if more.checked_add(*sum).is_none_or(|sum| sum > MOST_REQUESTED) {
            return Err(EventError::Overflow { resource: cluster.quotas.resource_name(r) });
        }
    }
    Ok(())
}
