//! Whether an eviction takes a pod from a quota within its guarantee: R2(b), checked with the ledger of the metrics.
//!
//! The check does not look at plans. It uses the usage of every quota at the moment of the decision, without pods that
//! are already terminating.

use super::MetricsCollector;
use crate::world::World;
use quotree_core::QuotaId;

impl MetricsCollector {
    /// Whether a running pod is evicted for a core workload of another leaf although, in each governed resource that the pod
    /// uses, some quota on its path below the common quota of both is within its guarantee.
    pub(super) fn violates_guarantee(&self, world: &World<'_>, pod: u32, cause: u32) -> bool {
        let leaf_of = |unit: u32| world.namespaces[world.units[unit].namespace].leaf.map(QuotaId);
        let (Some(from), taker) = (leaf_of(world.pods[pod].unit), leaf_of(cause)) else {
            return false;
        };
        if taker == Some(from) {
            return false;
        }
        let tree = world.trees.current();
        let is_shared = |quota: QuotaId| taker.is_some_and(|taker| tree.is_under(taker, quota));
        let row = &world.shapes.rows[world.pods[pod].shape];
        !tree.governed().enumerate().any(|(place, name)| {
            let number = world.shapes.resource(name.as_str());
            let uses = number.filter(|n| row.iter().any(|(resource, amount)| resource == n && *amount > 0));
            let Some(number) = uses else { return false };
            let is_over = |quota: QuotaId| {
                let min = tree.min(quota).get(place).copied().unwrap_or(0);
                let below = tree.ids().filter(|q| tree.is_leaf(*q) && tree.is_under(*q, quota));
                let stays: i128 = below.map(|leaf| self.ledger.stays(leaf.0, number)).sum();
                stays > i128::from(min)
            };
            tree.path(from).take_while(|quota| !is_shared(*quota)).all(is_over)
        })
    }
}
