//! The leaves above their guarantee that have possible victims, in the order in which reclaim looks at them (V1).
//!
//! Without this index, each search for victims would walk over all siblings of a leaf and sort those that borrow.
//! Leaves of one parent that are above their guarantee in the same resources form a group, with an order for each of
//! these resources: lowest priority of a possible victim, then largest overuse. Inner quotas are few, and are looked at
//! when asked.

use super::victim_index::VictimIndex;
use crate::{
    api::{Policy, QuotaId, Reclaim, VictimOrder},
    scheduler::{
        quota::Quotas,
        state::{QuotaSlot, Ratio, Table},
    },
    tree::QuotaTree,
};
use smallvec::SmallVec;
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

/// The position of a leaf in the order: the lowest priority of a possible victim, its overuse, and the leaf.
pub(crate) type Place = (i32, Reverse<Ratio>, QuotaSlot);

/// The leaves of a group in order, once for each resource (by index) in which they are above their guarantee.
pub(crate) type Group = SmallVec<[(usize, BTreeSet<Place>); 2]>;

/// The position of a leaf: its group, its priority there, and its overuse in each resource of the group.
#[derive(Debug, Clone)]
struct Standing {
    mask: u64,
    priority: i32,
    overuse: SmallVec<[Ratio; 2]>,
}

#[derive(Debug, Clone)]
pub(crate) struct Overuse {
    /// Whether this order is kept: only where the policy reclaims up to min and chooses victims by overuse. Fair shares
    /// change without a change of usage, so no order by them could be kept.
    is_kept: bool,
    /// By parent, and by the resources in which its leaves are above their guarantee, as a bit mask.
    groups: BTreeMap<(QuotaSlot, u64), Group>,
    standings: Table<QuotaSlot, Option<Standing>>,
    /// The children of each quota that are no leaves.
    inner: Table<QuotaSlot, Vec<QuotaSlot>>,
}

impl Overuse {
    pub(super) fn new(tree: &QuotaTree, policy: &Policy) -> Self {
        let by_min = policy.reclaim == Reclaim::Min && policy.victims == VictimOrder::FairThenLatest;
        let inner = |quota: QuotaId| {
            let children = tree.children(quota).iter().filter(|child| !tree.is_leaf(**child));
            children.map(|child| QuotaSlot::from(*child)).collect()
        };
        Self {
            is_kept: by_min && policy.reclaims() && tree.width() <= 64,
            groups: BTreeMap::new(),
            standings: tree.ids().map(|_| None).collect(),
            inner: tree.ids().map(inner).collect(),
        }
    }

    pub(crate) fn is_kept(&self) -> bool {
        self.is_kept
    }

    /// The groups of the leaves that are children of a quota, each with its resources as a bit mask.
    pub(crate) fn groups_of(&self, parent: QuotaSlot) -> impl Iterator<Item = (u64, &Group)> {
        self.groups.range((parent, 0)..=(parent, u64::MAX)).map(|((_, mask), group)| (*mask, group))
    }

    /// The children of a quota that are no leaves, in order.
    pub(crate) fn inner_children(&self, quota: QuotaSlot) -> &[QuotaSlot] {
        self.inner.at(quota)
    }

    /// Updates the position of a leaf. Costs the logarithm of its siblings for each resource.
    pub(super) fn update(&mut self, leaf: QuotaSlot, quotas: &Quotas, victims: &VictimIndex) {
        let Some(parent) = quotas.quota_id(leaf).and_then(|_| quotas.ledger.parent(leaf)) else { return };
        let standing = Standing::of(leaf, quotas, victims);
        if let Some(before) = std::mem::replace(self.standings.at_mut(leaf), standing.clone()) {
            let group = self.groups.entry((parent, before.mask)).or_default();
            for ((_, order), ratio) in group.iter_mut().zip(&before.overuse) {
                order.remove(&(before.priority, Reverse(*ratio), leaf));
            }
            if group.iter().all(|(_, order)| order.is_empty()) {
                self.groups.remove(&(parent, before.mask));
            }
        }
        let Some(standing) = standing else { return };
        let group = self.groups.entry((parent, standing.mask)).or_default();
        if group.is_empty() {
            group.extend(bits(standing.mask).map(|r| (r, BTreeSet::new())));
        }
        for ((_, order), ratio) in group.iter_mut().zip(&standing.overuse) {
            order.insert((standing.priority, Reverse(*ratio), leaf));
        }
    }
}

impl Standing {
    /// The position of a leaf now; none if it is within its guarantee in every resource, or has no possible victim.
    fn of(leaf: QuotaSlot, quotas: &Quotas, victims: &VictimIndex) -> Option<Self> {
        let priority = victims.of(leaf).first()?.priority;
        let usage = |r: usize| quotas.ledger.remaining_usage(leaf, r);
        let mut standing = Self { mask: 0, priority, overuse: SmallVec::new() };
        for r in quotas.resources().filter(|r| quotas.counts(*r) && usage(*r) > quotas.protected_usage(leaf, *r)) {
            let min = quotas.min(leaf, r);
            standing.mask |= 1 << r;
            standing.overuse.push(Ratio { over: (usage(r) - min).max(0), of: min });
        }
        (standing.mask != 0).then_some(standing)
    }
}

/// The bits that are set, from the lowest.
pub(crate) fn bits(mask: u64) -> impl Iterator<Item = usize> {
    (0..64).filter(move |bit| mask >> bit & 1 == 1)
}
