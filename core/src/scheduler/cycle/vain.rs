//! Tries that are known in advance to fail for lack of room (W2).
//!
//! When quota comes free, its limits may admit thousands of requests that have not been tried for room, while no node
//! has any. The search for the next workload passes over such requests and continues, instead of starting again for
//! each. They count as tried if they come before the workload that is found.

use super::takeover::{came_after_a_hold, holds_to_take};
use crate::{
    api::Plan,
    scheduler::{
        cluster::Cluster,
        explain,
        preempt::{PreemptionKind, SearchFindings, could_preempt, could_preempt_at_all, reclaims_by_share},
        queue::RequestQueue,
        quota::Demand,
        state::{TemplateId, WorkloadSlot},
    },
};
use smallvec::SmallVec;
use std::cell::RefCell;

/// What one search for the next workload has learnt about tries that would fail. It is valid as long as nothing
/// changes.
pub(super) struct Foreseen<'a> {
    cluster: &'a Cluster,
    is_possible: bool,
    is_under_way: bool,
    /// Whether a workload that may reclaim could find anything: a borrower, or a terminating pod for which no hold
    /// waits (H1).
    offers_victims: bool,
    /// Requests of pods for which no node has room. A request of at least as much has no room either.
    without_room: RefCell<SmallVec<[TemplateId; 4]>>,
}

impl<'a> Foreseen<'a> {
    /// Nothing is known yet. The index of borrowers must be up to date. No failure is predicted if the policy reclaims
    /// fair shares, since then every event changes what may be reclaimed (F3), or if plans have full verdicts, which
    /// report the findings of a try. With lend floors (L3) a request may be refused although the gates admit it.
    pub(super) fn new(cluster: &'a Cluster) -> Self {
        let is_possible = !explain::explains_in_full(cluster)
            && !reclaims_by_share(&cluster.policy)
            && !cluster.quotas.ledger.any_lend_limit();
        let is_under_way = cluster.is_under_way();
        let offers_victims = !cluster.borrowers.is_empty() || !cluster.holds.unclaimed_terminating.is_empty();
        Self { cluster, is_possible, is_under_way, offers_victims, without_room: RefCell::default() }
    }

    /// Whether a try of a workload would fail for lack of room and have no other effect. This is so if no limit refuses
    /// it, no node has room for its pod, it could preempt no workload of its leaf, there is nothing that it could
    /// reclaim, and no hold that it may take over.
    pub(super) fn would_fail(&self, queue: RequestQueue, slot: WorkloadSlot) -> bool {
        // What has failed before is tried where a node has room for it now, or while something is under way.
        let has_failed = || self.cluster.queue.tournament.failed(queue.ask).is_some();
        self.is_possible && (self.is_under_way || !has_failed()) && self.fails(queue, slot)
    }

    fn fails(&self, queue: RequestQueue, slot: WorkloadSlot) -> bool {
        let cluster = self.cluster;
        let ask = cluster.workloads.interner.ask(queue.ask);
        let [(template, 1)] = ask.members.as_slice() else { return false };
        let may_take_over = || came_after_a_hold(cluster, slot) && !holds_to_take(cluster, slot).is_empty();
        ask.together.is_none()
            && !could_preempt(cluster, slot, ask, PreemptionKind::Priority)
            && !(self.offers_victims && could_preempt(cluster, slot, ask, PreemptionKind::Reclaim))
            && self.has_no_room(*template)
            && !may_take_over()
            && cluster.quotas.admits(ask, queue.leaf)
    }

    /// Whether no node has room for a pod. A failure is remembered, since larger requests of the same kind have no room
    /// either.
    fn has_no_room(&self, id: TemplateId) -> bool {
        let interner = &self.cluster.workloads.interner;
        let template = interner.template(id);
        let mut without_room = self.without_room.borrow_mut();
        if without_room.iter().any(|less| template.asks_no_less_than(interner.template(*less))) {
            return true;
        }
        let has_none = !self.cluster.nodes.may_have_room(template);
        if has_none {
            without_room.retain(|more| !interner.template(*more).asks_no_less_than(template));
            without_room.push(id);
        }
        has_none
    }
}

/// Whether the next queue is that of a leaf with strict queueing (O2), its head is new, and a try would fail for lack of
/// room. There each head waits for room once before it starts. Elsewhere most new heads are placed at once, and to look
/// for room first would be to look twice.
pub(super) fn is_first_try_in_vain(cluster: &Cluster, queue: RequestQueue) -> bool {
    let tournament = &cluster.queue.tournament;
    let foreseen = Foreseen::new(cluster);
    let is_possible = cluster.queue.is_strict(queue.leaf)
        && foreseen.is_possible
        && !foreseen.is_under_way
        && tournament.is_surely_due(queue);
    is_possible && tournament.head(queue).is_some_and(|head| foreseen.fails(queue, head.slot))
}

/// Records a predicted failure as if the workload had been tried: the plan gets its verdict. `worth_a_search` has the
/// largest request for which a search for victims could succeed. A workload that could preempt nobody is not checked
/// again after the next event. This is also so if its pod fits once all terminating pods are gone, since it cannot
/// influence that.
pub(super) fn note(cluster: &mut Cluster, queue: RequestQueue, worth_a_search: Option<&Demand>, plan: &mut Plan) {
    let tournament = &cluster.queue.tournament;
    let Some(head) = tournament.head(queue) else { return };
    // Another queue with the same request may have failed just now. Only one that is wanted is tried nevertheless.
    let is_wanted =
        || tournament.is_due(queue, &cluster.quotas.gates(queue.leaf), worth_a_search.map(|limits| &**limits));
    if tournament.failed(queue.ask).is_some() && !is_wanted() {
        return;
    }
    let failure = cluster.nodes.freed.failure();
    cluster.queue.tournament.note_failure(queue.ask, failure);
    let ask = cluster.workloads.interner.ask(queue.ask);
    let retry = came_after_a_hold(cluster, head.slot) || could_preempt_at_all(cluster, head.slot, ask);
    let covered = cluster.quotas.leaf_covers(ask, queue.leaf);
    cluster.queue.tournament.could_not_place(queue, retry, covered);
    plan.verdicts.extend(explain::verdict_on(cluster, head.slot, SearchFindings::default()));
}
