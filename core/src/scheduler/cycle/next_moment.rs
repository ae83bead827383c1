//! Asking for a decision in the next moment: what was bound at this one is protected from eviction until then (R2c), and
//! somebody may wait for just that.

use crate::scheduler::{
    cluster::Cluster,
    preempt::{PreemptionKind, Preemptor, could_preempt, displaces, reclaims_from},
    state::{QuotaSlot, WorkloadSlot},
};
use smallvec::SmallVec;

/// At the end of a decision, asks to be woken one millisecond later if the head of a queue might then evict what was
/// bound at this moment and an event came since. Costs the heads of all queues where there is such a victim.
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
    let heads_of = |leaf: QuotaSlot| {
        let tournament = &cluster.queue.tournament;
        tournament.queues_of(leaf).filter_map(move |queue| Some((queue.ask, tournament.head(queue)?.slot)))
    };
    let displaced = |victim: &WorkloadSlot| {
        let leaf = cluster.workloads.at(*victim).leaf;
        leaf != no_quota && heads_of(leaf).any(|(_, head)| displaces(cluster, head, *victim))
    };
    if PreemptionKind::Priority.is_enabled(&cluster.policy) && victims.iter().any(displaced) {
        return true;
    }
    let kind = PreemptionKind::Reclaim;
    if !kind.is_enabled(&cluster.policy) {
        return false;
    }
    cluster.quotas.tree.ids().map(QuotaSlot::from).flat_map(|leaf| heads_of(leaf).map(move |head| (leaf, head))).any(
        |(leaf, (ask, slot))| {
            let ask = cluster.workloads.interner.ask(ask);
            let preemptor = Preemptor { slot: Some(slot), leaf, ask, kind, break_budgets: true };
            could_preempt(cluster, slot, ask, kind)
                && leaves.iter().any(|from| *from != leaf && reclaims_from(cluster, &preemptor, *from))
        },
    )
}
