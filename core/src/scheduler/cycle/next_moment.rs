//! Asks for a decision in the next moment. What was bound at this moment is protected from eviction until then (R2c),
//! and a pending workload may need exactly that eviction.

use crate::scheduler::{
    cluster::Cluster,
    preempt::{PreemptionKind, Preemptor, could_preempt, displaces, reclaims_from},
    queue::RequestQueue,
    state::{QuotaSlot, WorkloadSlot},
};
use smallvec::SmallVec;

/// At the end of a decision, asks to be woken one millisecond later if the head of a queue might then evict what was
/// bound at this moment, and an event came since. If such a victim borrows, this looks at the heads of the queues that
/// wait for an event or are within their min.
pub(super) fn wake_for_it(cluster: &mut Cluster) {
    let next = cluster.now.after_ms(1);
    if !cluster.timers.contains(&next) && somebody_waits_for_it(cluster) {
        cluster.timers.insert(next);
    }
}

fn somebody_waits_for_it(cluster: &Cluster) -> bool {
    let victims: SmallVec<[WorkloadSlot; 8]> = cluster.victims_of_next_moment().collect();
    if victims.is_empty() {
        return false;
    }
    let no_quota = cluster.quotas.ledger.no_quota();
    let mut leaves: SmallVec<[QuotaSlot; 8]> = victims.iter().map(|slot| cluster.workloads.at(*slot).leaf).collect();
    leaves.sort_unstable();
    leaves.dedup();
    let tournament = &cluster.queue.tournament;
    let displaced = |victim: &WorkloadSlot| {
        let leaf = cluster.workloads.at(*victim).leaf;
        // Who does not come first by priority, displaces nobody of it.
        let (within, priority) = (cluster.policy.within, cluster.workloads.at(*victim).priority);
        let mut heads =
            tournament.queues_of(leaf).take_while(|(head, _)| within.may_preempt(head.priority.0, priority));
        leaf != no_quota && heads.any(|(head, _)| displaces(cluster, head.slot, *victim))
    };
    if PreemptionKind::Priority.is_enabled(&cluster.policy) && victims.iter().any(displaced) {
        return true;
    }
    let kind = PreemptionKind::Reclaim;
    if !kind.is_enabled(&cluster.policy) {
        return false;
    }
    leaves.retain(|leaf| *leaf == no_quota || cluster.quotas.borrows(*leaf));
    if leaves.is_empty() {
        return false;
    }
    // Whoever could reclaim was tried in vain and waits for the next event, or was not tried since nobody borrowed.
    let waits_for_it = |queue: RequestQueue| {
        let Some(head) = tournament.head(queue) else { return false };
        let ask = cluster.workloads.interner.ask(queue.ask);
        let preemptor = Preemptor { slot: Some(head.slot), leaf: queue.leaf, ask, kind, break_budgets: true };
        could_preempt(cluster, head.slot, ask, kind)
            && leaves.iter().any(|from| *from != queue.leaf && reclaims_from(cluster, &preemptor, *from))
    };
    tournament.awaiting_event().any(waits_for_it) || tournament.any_wanted(waits_for_it)
}
