//! Unmet guarantees: leaves with pending requests that would be within their guarantee (S4).

use crate::{view::RunView, world::State};
use quotree_core::{Amounts, Name, QuotaId, Reclaim, Time};
use std::collections::{BTreeMap, BTreeSet};

/// Leaves with pending requests within their guarantee, and since when they have had them.
#[derive(Debug, Default)]
pub(super) struct Starved {
    since: BTreeMap<QuotaId, Time>,
}

impl Starved {
    pub(super) fn is_empty(&self) -> bool {
        self.since.is_empty()
    }

    /// The leaf that has been starved longest, and for how long, milliseconds.
    pub(super) fn worst(&self, now: Time) -> Option<(QuotaId, u64)> {
        let longest = self.since.iter().min_by_key(|(quota, since)| (**since, **quota));
        longest.map(|(quota, since)| (*quota, now.since(*since)))
    }

    /// Checks all pending workloads, after all events of this time.
    pub(super) fn look(&mut self, view: &RunView<'_>) {
        let mut starved = BTreeSet::new();
        for id in view.scheduler.waiting() {
            if id.0 >= view.world.units.len() {
                continue;
            }
            let leaf = view.world.namespaces[view.world.units[id.0].namespace].leaf.map(QuotaId);
            if let Some(leaf) = leaf.filter(|leaf| !starved.contains(leaf))
                && is_entitled(view, leaf, id.0)
            {
                starved.insert(leaf);
            }
        }
        self.since.retain(|quota, _| starved.contains(quota));
        for quota in starved {
            self.since.entry(quota).or_insert(view.now());
        }
    }
}

/// Whether the request of a pending core workload is within the guarantee of every quota on its path below the root
/// (O1). Only resources count in which some quota has a guarantee (Q5).
fn is_entitled(view: &RunView<'_>, leaf: QuotaId, unit: u32) -> bool {
    let scheduler = view.scheduler;
    let tree = scheduler.tree();
    let mut request: BTreeMap<u32, i128> = BTreeMap::new();
    for pod in view.world.pods_of(unit) {
        let pod = &view.world.pods[pod];
        if pod.state == State::Waiting {
            for (resource, amount) in &view.world.shapes.rows[pod.shape] {
                *request.entry(*resource).or_default() += i128::from(*amount);
            }
        }
    }
    let by_share = scheduler.policy().reclaim == Reclaim::FairShare;
    let is_counted = |name: &Name| by_share || tree.is_guaranteed(name);
    let fits = |used: &Amounts, quota: QuotaId| {
        tree.governed().zip(tree.min(quota)).filter(|(name, _)| is_counted(name)).all(|(name, min)| {
            let asked = view.world.shapes.resource(name.as_str()).and_then(|r| request.get(&r)).copied().unwrap_or(0);
            asked <= 0 || i128::from(used.get(name.as_str()).unwrap_or(0)) + asked <= i128::from(*min)
        })
    };
    tree.path(leaf).filter(|q| tree.parent(*q).is_some()).all(|q| fits(&scheduler.usage(q).used, q))
}
