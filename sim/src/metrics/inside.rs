//! Whether a pod is taken out of a guarantee: the world's own judgement of R2(b), out of the world's own ledger.
//!
//! It knows nothing of plans: what counts is what every quota uses by pods that nobody has told to go, at the moment at
//! which the eviction is decided.

use crate::driver::Engine;
use quotree_core::QuotaId;

impl Engine<'_> {
    /// Whether a pod that is running goes for a unit of another leaf although in each governed resource that it uses some
    /// quota on its path, below what both have in common, stands within its guarantee.
    pub(crate) fn is_inside_min(&self, pod: u32, cause: u32) -> bool {
        if cause >= self.world.units.len() {
            return false;
        }
        let leaf_of = |unit: u32| self.world.namespaces[self.world.units[unit].namespace].leaf.map(QuotaId);
        let (Some(from), taker) = (leaf_of(self.world.pods[pod].unit), leaf_of(cause)) else {
            return false;
        };
        if taker == Some(from) {
            return false;
        }
        let tree = self.core.scheduler().tree();
        let is_shared = |quota: QuotaId| taker.is_some_and(|taker| tree.is_under(taker, quota));
        let row = &self.world.shapes.rows[self.world.pods[pod].shape];
        !tree.governed().enumerate().any(|(place, name)| {
            let number = self.world.shapes.resource(name.as_str());
            let uses = number.filter(|n| row.iter().any(|(resource, amount)| resource == n && *amount > 0));
            let Some(number) = uses else { return false };
            let is_over = |quota: QuotaId| {
                let min = tree.min(quota).get(place).copied().unwrap_or(0);
                let below = tree.ids().filter(|q| tree.is_leaf(*q) && tree.is_under(*q, quota));
                let stays: i128 = below.map(|leaf| self.figures.ledger.stays(leaf.0, number)).sum();
                stays > i128::from(min)
            };
            tree.path(from).take_while(|quota| !is_shared(*quota)).all(is_over)
        })
    }
}
