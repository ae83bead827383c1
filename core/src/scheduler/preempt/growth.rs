//! Preemption by priority must not let the leaf borrow more than before (R1).

use super::{
    candidates::Candidate,
    eligibility::PreemptionKind,
    search::{Deficit, PreemptionSearch},
};
use crate::{
    api::{BlockingReason, BorrowWhilePreempting},
    scheduler::{
        cluster::Cluster,
        state::{QuotaSlot, Row, amount_of},
    },
};
use smallvec::SmallVec;

impl PreemptionSearch<'_> {
    /// Evicts more pods of the own leaf until no quota on the path borrows more than before.
    pub(super) fn offset_growth(&mut self) -> Option<()> {
        loop {
            let deficits = self.growth(&[]);
            if deficits.is_empty() {
                return Some(());
            }
            self.stop = self.explain_growth(&deficits);
            self.evict_best(&deficits)?;
        }
    }

    /// The quotas that would be above their min, and would either use more than before or give up their guarantee for a
    /// borrower (R1). `spared` are the indices of victims that count as restored.
    pub(super) fn growth(&self, spared: &[usize]) -> SmallVec<[Deficit; 4]> {
        let quotas = &self.cluster.quotas;
        let mut deficits = SmallVec::new();
        let allowed = self.cluster.policy.growth == BorrowWhilePreempting::Allowed;
        if self.preemptor.kind == PreemptionKind::Reclaim || allowed {
            return deficits;
        }
        for (q, r, before) in &self.usage_before {
            let after = quotas.ledger.projected_usage(*q, *r).saturating_add(self.requested(*r));
            let is_over = quotas.quota_id(*q).is_some() && after > quotas.min(*q, *r);
            if is_over && (after > *before || self.gives_up_guarantee(spared, (*q, *r), *before)) {
                deficits.push((*q, *r));
            }
        }
        deficits
    }

    fn requested(&self, resource: usize) -> i64 {
        amount_of(&self.preemptor.ask.total, resource)
    }

    /// Whether pods within min are evicted for a preemptor that will be above min (R1). This is so if the victims
    /// without the largest of them already reduce usage to min. The exception: the remaining pods of lower priority in
    /// the leaf, which would be reclaimed before the preemptor, use at least what is above min. Otherwise other leaves
    /// would reclaim what this one gave up, and the evictions would never end (S2).
    fn gives_up_guarantee(&self, spared: &[usize], (q, r): Deficit, before: i64) -> bool {
        let (cluster, leaf) = (&*self.cluster, self.preemptor.leaf);
        let (rest, min) = (cluster.quotas.ledger.projected_usage(q, r), cluster.quotas.min(q, r));
        let evicted = || (0..).zip(&self.victims).filter(|(i, _)| !spared.contains(i)).map(|(_, victim)| victim);
        let uses = |victim: &Candidate| -> i64 {
            victim.pods.iter().map(|pod| amount_of(cluster.workloads.governed(*pod), r)).sum()
        };
        let largest = evicted().map(uses).max().unwrap_or(0);
        if rest >= before || rest.saturating_add(largest) > min {
            return false;
        }
        let priority = cluster.workloads.at(self.slot).priority;
        let evicted_lower: i64 = evicted().filter(|victim| victim.rank.priority < priority).map(uses).sum();
        let usage_of_lower = self.usage_of_lower.get_or_init(|| usage_of_lower(cluster, leaf, priority));
        let goes_first = amount_of(usage_of_lower, r) - evicted_lower;
        rest.saturating_sub(goes_first).saturating_add(self.requested(r)) > min
    }

    /// The obstacle that borrowing would grow, for the first of these quotas (X1).
    fn explain_growth(&self, deficits: &[Deficit]) -> Option<BlockingReason> {
        let (q, r) = *deficits.first().filter(|_| self.explains)?;
        let quotas = &self.cluster.quotas;
        let before = self.usage_before.iter().find(|(quota, resource, _)| (*quota, *resource) == (q, r))?.2;
        let resource = quotas.tree.resource_name(r)?.clone();
        let available = quotas.min(q, r).max(before).saturating_sub(quotas.ledger.projected_usage(q, r));
        Some(BlockingReason::Growth { quota: quotas.quota_id(q)?, resource, needed: self.requested(r), available })
    }
}

/// What the possible victims of lower priority in a leaf use.
fn usage_of_lower(cluster: &Cluster, leaf: QuotaSlot, priority: i32) -> Row {
    let lower = cluster.victims.of(leaf).iter().take_while(|key| key.priority < priority);
    let pods = lower.flat_map(|key| {
        let active = cluster.workloads.at(key.slot).active();
        active.map(|(ordinal, _)| key.slot.pod(ordinal))
    });
    let mut sum: Row = cluster.quotas.resources().map(|_| 0).collect();
    for pod in pods {
        sum.iter_mut().zip(cluster.workloads.governed(pod)).for_each(|(sum, uses)| *sum += uses);
    }
    sum
}
