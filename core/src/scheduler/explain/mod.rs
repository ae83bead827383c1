//! Why a workload is pending: what blocks it, which leaves use what is missing, and which rules protect the pods that
//! were not evicted (X1, X2).
//!
//! A search that finds no plan leaves behind what stopped it ([`SearchFindings`]); here that becomes a [`Verdict`].
//! Plans contain full verdicts only where the policy asks for them.

mod holders;
mod protected;

use crate::{
    api::{
        BlockingReason, NodeCheck, NodeTally, Obstacle, PlanVerdicts, Protected, Protection, Room, Verdict, WorkloadId,
    },
    scheduler::{
        cluster::{Cluster, cannot_run},
        hold::fits_when_settled,
        placement::{self, room_missing},
        preempt::{PreemptionKind, SearchFindings, find_plan},
        queue::key_within_leaf,
        state::{Ask, QuotaSlot, WorkloadSlot, narrow},
    },
};
use holders::holders;
use protected::protected;

/// What blocks a pending workload, in brief: where room is missing, without the nodes. Costs a path of the tree.
pub(super) fn blocked_by(cluster: &Cluster, workload: WorkloadId) -> Option<BlockingReason> {
    let slot = cluster.workloads.slot(workload)?;
    if let Some(reason) = simple_reason(cluster, slot) {
        return Some(reason);
    }
    let ask = pending_ask(cluster, slot)?;
    let limit = cluster.quotas.first_limit(&ask, cluster.workloads.at(slot).leaf);
    Some(limit.unwrap_or_else(|| some_room_missing(cluster)))
}

/// The full verdict on a workload that is pending or holds. Costs a copy of the state and a pass over leaves, nodes and
/// workloads.
pub(super) fn full_verdict(cluster: &Cluster, workload: WorkloadId) -> Option<Verdict> {
    let slot = cluster.workloads.slot(workload)?;
    if simple_reason(cluster, slot).is_none() && cluster.queue.pending(slot).is_none() {
        return None;
    }
    let mut copy = cluster.clone();
    let mut found = SearchFindings { in_full: true, ..SearchFindings::default() };
    if let Some(ask) = pending_ask(&copy, slot) {
        search_again(&mut copy, slot, &ask, &mut found);
    }
    verdict_on(&mut copy, slot, found)
}

/// Why each node that is up does not take the next pod of a pending workload. Costs a copy of the state and a pass over
/// the nodes.
pub(super) fn node_checks(cluster: &Cluster, workload: WorkloadId) -> Vec<NodeCheck> {
    let slot = cluster.workloads.slot(workload).filter(|slot| cluster.queue.pending(*slot).is_some());
    slot.and_then(|slot| placement::node_checks(&mut cluster.clone(), slot)).unwrap_or_default()
}

/// What blocks a workload regardless of quota and room, if anything does.
fn simple_reason(cluster: &Cluster, slot: WorkloadSlot) -> Option<BlockingReason> {
    let workload = cluster.workloads.at(slot);
    if let Some(hold) = workload.hold.and_then(|id| cluster.holds.get(id)) {
        return Some(BlockingReason::Held { leaving: narrow(hold.victims.len()) });
    }
    if let Some((failures, until)) = workload.back_off() {
        return Some(BlockingReason::BackOff { failures, until });
    }
    cluster.queue.pending(slot)?;
    let key = key_within_leaf(slot, &cluster.workloads);
    if cluster.queue.refuses(workload.leaf) {
        return Some(BlockingReason::NoQuota);
    }
    cluster.blocking_head(workload.leaf, key).map(|head| BlockingReason::Behind { head: head.id })
}

/// The request that a workload waits for, unless something simpler than quota or room blocks it.
fn pending_ask(cluster: &Cluster, slot: WorkloadSlot) -> Option<Ask> {
    let ask = cluster.queue.pending(slot).filter(|_| simple_reason(cluster, slot).is_none())?;
    Some(cluster.workloads.interner.ask(ask).clone())
}

/// Repeats the search of a decision, to find what stops it.
fn search_again(cluster: &mut Cluster, slot: WorkloadSlot, ask: &Ask, found: &mut SearchFindings) {
    if fits_when_settled(cluster, slot, ask) {
        found.settling = Some(cluster.holds.terminating());
        return;
    }
    let _plan = PreemptionKind::BOTH.into_iter().find_map(|kind| find_plan(cluster, slot, ask, kind, found));
}

/// Whether plans contain full verdicts.
pub(super) fn explains_in_full(cluster: &Cluster) -> bool {
    let PlanVerdicts::Full { up_to } = cluster.policy.verdicts else { return false };
    let size = cluster.quotas.tree.len().max(cluster.nodes.len()).max(cluster.workloads.len());
    size <= up_to as usize
}

/// The verdict on a workload, with what a search for it found.
pub(super) fn verdict_on(cluster: &mut Cluster, slot: WorkloadSlot, found: SearchFindings) -> Option<Verdict> {
    let workload = cluster.workloads.at(slot);
    let mut verdict = Verdict {
        workload: workload.id,
        binding: BlockingReason::NoQuota,
        entitled: false,
        holders: Vec::new(),
        also: Vec::new(),
        protected: Vec::new(),
        cannot_run: None,
        bounds_hit: found.bounds,
        helps: Vec::new(),
    };
    if let Some(reason) = simple_reason(cluster, slot) {
        verdict.entitled = matches!(reason, BlockingReason::Held { .. });
        verdict.binding = reason;
        return Some(verdict);
    }
    let leaf = workload.leaf;
    let ask = cluster.workloads.interner.shared_ask(cluster.queue.pending(slot)?);
    verdict.entitled = cluster.quotas.is_entitled(&ask, leaf);
    let limit = cluster.quotas.first_limit(&ask, leaf);
    if !found.in_full {
        verdict.binding = limit.unwrap_or_else(|| some_room_missing(cluster));
        return Some(verdict);
    }
    let (quotas, nodes, interner) = (&cluster.quotas, &cluster.nodes, &cluster.workloads.interner);
    verdict.cannot_run = cannot_run(quotas, nodes, interner, &ask, leaf);
    let room = missing_room(cluster, slot, &found.stops).map(BlockingReason::Room);
    let mut also = Vec::new();
    if limit.is_some() {
        also = cluster.quotas.all_limits(&ask, leaf);
        also.remove(0);
        also.extend(room.clone());
    }
    verdict.binding = limit.or(room).unwrap_or_else(|| some_room_missing(cluster));
    also.extend(found.stops.into_iter().filter(|stop| matches!(stop, BlockingReason::Growth { .. })));
    also.extend(found.settling.map(|leaving| BlockingReason::Settling { leaving }));
    verdict.protected = protected(cluster, slot, &ask, std::iter::once(&verdict.binding).chain(&also));
    let denied = |class: &Protected| matches!(class.shield, Protection::NotEntitled { .. });
    // That it is not entitled is also why it may not take over a hold (H2).
    if verdict.protected.iter().any(denied) || (!verdict.entitled && !cluster.holds.is_empty()) {
        also.extend(not_entitled(cluster, &ask, leaf));
    }
    verdict.holders = holders(cluster, slot, &ask, &verdict.binding);
    for binding in also {
        let holders = holders(cluster, slot, &ask, &binding);
        verdict.also.push(Obstacle { binding, holders });
    }
    Some(verdict)
}

/// What room is missing: as the search found it, or as it is now. Nothing where there is room.
fn missing_room(cluster: &mut Cluster, slot: WorkloadSlot, stops: &[BlockingReason]) -> Option<Room> {
    let found = stops.iter().find_map(BlockingReason::room).cloned();
    found.or_else(|| room_missing(cluster, slot))
}

/// The reason that no node has room, without details.
fn some_room_missing(cluster: &Cluster) -> BlockingReason {
    let total = narrow(cluster.nodes.len());
    BlockingReason::Room(Room { nodes: NodeTally { total, ..NodeTally::default() }, ..Room::default() })
}

/// The lowest quota of the path whose guarantee does not cover the request, and in which resources (R2a).
fn not_entitled(cluster: &Cluster, ask: &Ask, leaf: QuotaSlot) -> Vec<BlockingReason> {
    let quotas = &cluster.quotas;
    for q in quotas.ledger.path(leaf) {
        let Some(quota) = quotas.quota_id(q) else { break };
        let short = |(r, needed): (usize, i64)| {
            let available = quotas.above_guarantee(q, r, 0).saturating_neg();
            let resource = quotas.tree.resource_name(r)?.clone();
            (available < needed).then_some(BlockingReason::Unentitled { quota, resource, needed, available })
        };
        let found: Vec<BlockingReason> = quotas.counted(ask).filter_map(short).collect();
        if !found.is_empty() {
            return found;
        }
    }
    Vec::new()
}
