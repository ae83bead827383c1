//! Which queues are tried again: after an event, and after room or quota came free.

use super::takeover::{came_after_a_hold, holds_to_take};
use crate::{
    counters::touch,
    scheduler::{
        cluster::Cluster,
        preempt::{PreemptionKind, could_preempt, reclaims_by_share},
        state::{Ask, AskId, NodeSlot, TemplateId},
    },
};

/// Updates the queue with what changed since the last choice: admissions of quotas, and room that came free on nodes.
pub(crate) fn update_queue(cluster: &mut Cluster) {
    cluster.settle_lines();
    cluster.queue.tournament.note_node_changes(cluster.nodes.changes());
    let freed = cluster.nodes.freed.settle();
    if !freed.is_empty() {
        for ask in cluster.queue.tournament.gangs_without_room() {
            let request = cluster.workloads.interner.ask(ask);
            if freed.iter().any(|node| may_host(cluster, *node, request)) {
                cluster.queue.tournament.give_hope(ask);
            }
        }
    }
    freed.into_iter().for_each(|node| cluster.queue.tournament.note_fresh(node));
    let (nodes, width) = (&cluster.nodes, cluster.quotas.tree.width());
    cluster.queue.tournament.measure_fresh(width, |node, resource| nodes.at(node).available(resource));
    if cluster.queue.tournament.fresh_nodes() > MOST_FRESH {
        give_hope(cluster);
    }
    cluster.queue.refresh(&cluster.quotas);
}

/// Up to this many changed nodes, the search for the next queue tests itself which requests fit on them. Beyond,
/// [`give_hope`] tests all requests without room.
const MOST_FRESH: usize = 8;

/// Marks the requests without room that may fit on nodes that changed in this decision, and were not tried in it. Returns
/// whether there are any.
pub(super) fn give_hope(cluster: &mut Cluster) -> bool {
    let mut asks = cluster.queue.tournament.take_fresh();
    asks.retain(|ask| may_have_room(cluster, *ask));
    asks.iter().for_each(|ask| cluster.queue.tournament.give_hope(*ask));
    !asks.is_empty()
}

/// Whether there may be room for a request: it has not failed for lack of room, or one of its pods fits on a node that
/// changed since (W2).
pub(super) fn may_have_room(cluster: &Cluster, ask: AskId) -> bool {
    let Some(failed) = cluster.queue.tournament.failed(ask) else { return true };
    let request = cluster.workloads.interner.ask(ask);
    cluster.nodes.freed.since(failed).any(|node| may_host(cluster, node, request))
}

/// Whether a node has room for some member of a request.
fn may_host(cluster: &Cluster, node: NodeSlot, ask: &Ask) -> bool {
    touch(1);
    let row = cluster.nodes.at(node);
    let fits = |(id, _): &(TemplateId, u32)| {
        let template = cluster.workloads.interner.template(*id);
        row.fit(template).is_some() && cluster.nodes.is_suitable(node, template)
    };
    row.up && ask.members.iter().any(fits)
}

/// After an event, makes every queue due again whose head could preempt in its leaf, reclaim a fair share, or take over
/// a hold. A queue whose head could reclaim its min becomes wanted again: it is tried if its leaf is still within min
/// at its turn.
pub(crate) fn after_event(cluster: &mut Cluster) {
    let quotas = &cluster.quotas;
    cluster.queue.tournament.check_what_shares_cover(|leaf| quotas.left_of_guarantee(leaf));
    for queue in cluster.queue.tournament.take_retries() {
        touch(1);
        let Some(head) = cluster.queue.tournament.head(queue) else { continue };
        let ask = cluster.workloads.interner.ask(queue.ask);
        let by_share = reclaims_by_share(&cluster.policy);
        let could = |kind| could_preempt(cluster, head.slot, ask, kind);
        let reclaims = could(PreemptionKind::Reclaim);
        let is_due =
            reclaims && by_share || could(PreemptionKind::Priority) || !holds_to_take(cluster, head.slot).is_empty();
        let came_after_a_hold = came_after_a_hold(cluster, head.slot);
        let tournament = &mut cluster.queue.tournament;
        if is_due {
            tournament.make_due(queue);
            continue;
        }
        if reclaims {
            tournament.forget_try(queue);
        }
        if came_after_a_hold {
            tournament.retry_on_event(queue);
        } else if by_share {
            tournament.wait_for_share(queue);
        }
    }
}

/// Makes every queue due, so that the audit can try each pending workload once more (I9).
pub(crate) fn everything(cluster: &mut Cluster) {
    let tournament = &mut cluster.queue.tournament;
    tournament.take_retries();
    let tree = &cluster.quotas.tree;
    let leaves = tree.ids().filter(|q| tree.is_leaf(*q)).map(Into::into);
    for leaf in leaves.chain([cluster.quotas.ledger.no_quota()]) {
        for (_, queue) in tournament.queues_of(leaf).collect::<Vec<_>>() {
            tournament.make_due(queue);
        }
    }
}
