//! The leaves that a preemptor may reclaim from, one by one in the order in which they are looked at (V1).
//!
//! The result is that of [`victim_leaves`](super::victim_leaf::victim_leaves) sorted by
//! [`search_order`](super::victim_leaf::search_order). But it comes from the kept order of leaves by overuse, so it
//! costs only the inner quotas in reach, and the leaves that the caller takes.

use super::{
    contested::contested,
    eligibility::{PreemptionKind, Preemptor, Resources, is_guarded},
    victim_leaf::{VictimLeaf, largest_overuse, reach},
};
use crate::{
    counters::touch,
    scheduler::{
        cluster::{Cluster, Group, Place},
        queue::ByOveruse,
        state::{QuotaSlot, Ratio},
    },
};
use smallvec::SmallVec;
use std::{
    cmp::Ordering,
    collections::{BTreeSet, BinaryHeap, btree_set},
};

/// The leaves in order.
pub(super) struct Lenders<'c, 'l> {
    streams: BinaryHeap<Stream<'c>>,
    seen: BTreeSet<QuotaSlot>,
    /// The leaf of the preemptor.
    own: QuotaSlot,
    lacking: &'l [usize],
    /// Pods without a quota, if they may be victims: they go first.
    no_quota: Option<VictimLeaf<'l>>,
}

/// The leaves of one group in the order of one resource. A leaf that is above its guarantee in several resources is in
/// several streams. It counts only where its overuse is largest, which is where it comes first.
struct Stream<'c> {
    /// The order of the next leaf. Among equals, a leaf below the nearest quota goes first, then the one that is
    /// earlier in the tree.
    order: ByOveruse,
    common_depth: u32,
    leaf: QuotaSlot,
    rest: btree_set::Iter<'c, Place>,
    common: QuotaSlot,
    resources: Resources,
}

/// All leaves that a preemptor may reclaim from where `lacking` resources are missing, below `below` or anywhere;
/// nothing where the order of leaves is not kept. The order must be up to date.
pub(super) fn lenders<'c, 'l>(
    cluster: &'c Cluster,
    preemptor: &Preemptor,
    lacking: &'l [usize],
    below: Option<QuotaSlot>,
) -> Option<Lenders<'c, 'l>> {
    if preemptor.kind != PreemptionKind::Reclaim || !cluster.overuse.is_kept() {
        return None;
    }
    let (own, streams, seen) = (preemptor.leaf, BinaryHeap::new(), BTreeSet::new());
    let mut found = Lenders { streams, seen, own, lacking, no_quota: None };
    if let Some(reach) = reach(cluster, preemptor, lacking, below) {
        let contested = contested(cluster, preemptor, lacking);
        for (common, child) in reach.forks {
            found.add_branches(cluster, common, child, &contested);
        }
        found.no_quota = reach.no_quota;
    }
    Some(found)
}

impl<'c> Lenders<'c, '_> {
    /// Adds the groups below `common`, but not those below its child `own`.
    fn add_branches(&mut self, cluster: &'c Cluster, common: QuotaSlot, own: QuotaSlot, contested: &[usize]) {
        let all = contested.iter().fold(0u64, |mask, r| mask | 1 << r);
        let mut stack: SmallVec<[(QuotaSlot, u64); 16]> = SmallVec::from_elem((common, all), 1);
        while let Some((quota, mask)) = stack.pop() {
            for (of, group) in cluster.overuse.groups_of(quota).filter(|(of, _)| of & mask != 0) {
                let resources: Resources = contested.iter().copied().filter(|r| (of & mask) >> r & 1 == 1).collect();
                self.add_group(cluster, (common, quota), group, &resources);
            }
            for inner in cluster.overuse.inner_children(quota).iter().filter(|inner| **inner != own) {
                let over = contested.iter().filter(|r| mask >> **r & 1 == 1 && !is_guarded(cluster, *inner, **r, 1));
                let over = over.fold(0u64, |over, r| over | 1 << r);
                if over != 0 {
                    stack.push((*inner, over));
                }
            }
        }
    }

    /// Adds a group of leaves with the same parent, in the order of each of these resources.
    fn add_group(
        &mut self,
        cluster: &'c Cluster,
        (common, parent): (QuotaSlot, QuotaSlot),
        group: &'c Group,
        resources: &Resources,
    ) {
        let quotas = &cluster.quotas;
        let common_depth = quotas.quota_id(common).map_or(0, |quota| quotas.tree.depth(quota));
        let above = quotas.ledger.path(parent).take_while(|q| *q != common);
        let mut overuse: SmallVec<[Ratio; 4]> = above.map(|q| largest_overuse(cluster, q, resources)).collect();
        overuse.reverse();
        overuse.push(Ratio::default());
        for (_, order) in group.iter().filter(|(r, _)| resources.contains(r)) {
            let order_of_none = ByOveruse { has_quota: true, lowest_priority: 0, overuse: overuse.clone() };
            let resources = resources.clone();
            let leaf = QuotaSlot::default();
            let stream = Stream { order: order_of_none, common_depth, leaf, rest: order.iter(), common, resources };
            self.streams.extend(stream.advanced());
        }
    }
}

impl Stream<'_> {
    /// The same stream at its next leaf, if there is one.
    fn advanced(mut self) -> Option<Self> {
        let (priority, overuse, leaf) = self.rest.next()?;
        self.order.lowest_priority = *priority;
        if let Some(last) = self.order.overuse.last_mut() {
            *last = overuse.0;
        }
        self.leaf = *leaf;
        Some(self)
    }
}

impl<'l> Iterator for Lenders<'_, 'l> {
    type Item = VictimLeaf<'l>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(first) = self.no_quota.take() {
            return Some(first);
        }
        loop {
            let stream = self.streams.pop()?;
            touch(1);
            let (leaf, common, resources) = (stream.leaf, stream.common, stream.resources.clone());
            self.streams.extend(stream.advanced());
            let is_new = resources.len() == 1 || self.seen.insert(leaf);
            if is_new && leaf != self.own {
                return Some(VictimLeaf { leaf, common, resources, lacking: self.lacking });
            }
        }
    }
}

impl Ord for Stream<'_> {
    /// The leaf that goes first is the greatest.
    fn cmp(&self, other: &Self) -> Ordering {
        let by_tree = || (self.common_depth, other.leaf).cmp(&(other.common_depth, self.leaf));
        other.order.cmp(&self.order).then_with(by_tree)
    }
}

impl PartialOrd for Stream<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Stream<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Stream<'_> {}

/// Asserts that a workload finds the leaves in the order that a walk and a sort give, for each one or two lacking
/// resources, and below each quota.
#[cfg(test)]
pub(crate) fn check_lenders(
    cluster: &mut Cluster,
    slot: crate::scheduler::state::WorkloadSlot,
    ask: &crate::scheduler::state::Ask,
) {
    use super::victim_leaf::{search_order, victim_leaves};
    cluster.refresh_overuse();
    let leaf = cluster.workloads.at(slot).leaf;
    let kind = PreemptionKind::Reclaim;
    let preemptor = Preemptor { slot: Some(slot), leaf, ask, kind, break_budgets: false };
    let quotas = cluster.quotas.tree.ids().map(|quota| Some(QuotaSlot::from(quota)));
    for below in quotas.chain([None]) {
        for lacking in [&[0usize][..], &[1], &[0, 1]] {
            let Some(kept) = lenders(cluster, &preemptor, lacking, below) else { return };
            let kept: Vec<(QuotaSlot, QuotaSlot, Resources)> =
                kept.map(|from| (from.leaf, from.common, from.resources)).collect();
            let mut walked = victim_leaves(cluster, &preemptor, lacking, below);
            walked.sort_by_cached_key(|from| search_order(cluster, from));
            let walked: Vec<_> = walked.into_iter().map(|from| (from.leaf, from.common, from.resources)).collect();
            assert_eq!(kept, walked, "of {lacking:?} below {below:?}");
        }
    }
}
