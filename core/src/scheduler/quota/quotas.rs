//! The quota tree with its ledger: min, max and guarantee of each quota.

use super::{ledger::Ledger, over_max::OverMax, shares::FairShares};
use crate::{
    api::{EnforceMax, Name, Policy, QuotaId, Reclaim},
    scheduler::state::{Ask, QuotaSlot, Ratio, Row, amount_of},
    tree::{QuotaTree, UNLIMITED},
};
use smallvec::SmallVec;

/// The quota tree with its ledger.
#[derive(Debug, Clone)]
pub(crate) struct Quotas {
    pub(crate) tree: QuotaTree,
    pub(crate) ledger: Ledger,
    pub(crate) over_max: OverMax,
    pub(super) reclaim: Reclaim,
    /// Fair shares; kept up to date only where the policy reclaims by them (F3).
    pub(super) shares: FairShares,
}

impl Quotas {
    pub(crate) fn new(tree: QuotaTree, policy: &Policy) -> Self {
        let ledger = Ledger::new(&tree);
        let over_max = OverMax::default();
        Self { tree, ledger, over_max, reclaim: policy.reclaim, shares: FairShares::default() }
    }

    /// The quota of a slot; none for the slot of pods without a quota.
    pub(crate) fn quota_id(&self, slot: QuotaSlot) -> Option<QuotaId> {
        (slot != self.ledger.no_quota()).then_some(QuotaId(slot.0))
    }

    /// The leaf that workloads are charged to: that of this name if they name one, else that of their namespace (T1).
    pub(crate) fn leaf_of(&self, quota: Option<&Name>, namespace: &Name) -> QuotaSlot {
        self.tree.leaf_for(quota, namespace).map_or(self.ledger.no_quota(), QuotaSlot::from)
    }

    /// The indices of the governed resources.
    pub(crate) fn resources(&self) -> std::ops::Range<usize> {
        0..self.tree.width()
    }

    /// The name of a governed resource.
    pub(crate) fn resource_name(&self, resource: usize) -> Name {
        self.tree.resource_name(resource).cloned().unwrap_or_else(|| "".into())
    }

    pub(crate) fn min(&self, slot: QuotaSlot, resource: usize) -> i64 {
        self.quota_id(slot).map_or(0, |quota| amount_of(self.tree.min(quota), resource))
    }

    pub(crate) fn max(&self, slot: QuotaSlot, resource: usize) -> i64 {
        self.quota_id(slot).map_or(UNLIMITED, |quota| amount_of(self.tree.max(quota), resource))
    }

    /// Whether guarantees count in a resource (Q5): some quota is guaranteed an amount of it, or the policy reclaims
    /// fair shares, which divide all governed resources (F3).
    pub(crate) fn counts(&self, resource: usize) -> bool {
        self.tree.guarantees(resource) || (self.reclaim == Reclaim::FairShare && resource < self.tree.width())
    }

    /// What a request needs of the resources in which guarantees count (Q5).
    pub(crate) fn counted<'a>(&'a self, ask: &'a Ask) -> impl Iterator<Item = (usize, i64)> + 'a {
        ask.requested().filter(|(r, _)| self.counts(*r))
    }

    /// The usage up to which workloads of a quota may reclaim, base units: its min or, with `reclaim: FairShare`, its
    /// fair share (F3).
    pub(crate) fn guarantee(&self, slot: QuotaSlot, resource: usize) -> i64 {
        match self.reclaim {
            Reclaim::FairShare => self.shares.rows().get(slot.0 as usize).map_or(0, |row| amount_of(row, resource)),
            Reclaim::Min | Reclaim::Off => self.min(slot, resource),
        }
    }

    /// The usage of a quota that nobody may reclaim, base units: its min or, if that is larger, its guarantee (R2b,
    /// F3).
    pub(crate) fn protected_usage(&self, slot: QuotaSlot, resource: usize) -> i64 {
        self.guarantee(slot, resource).max(self.min(slot, resource))
    }

    /// Whether a quota uses more than its protected usage, in some resource in which guarantees count.
    pub(crate) fn borrows(&self, slot: QuotaSlot) -> bool {
        let is_above = |r: usize| self.ledger.remaining_usage(slot, r) > self.protected_usage(slot, r);
        self.resources().any(|r| self.counts(r) && is_above(r))
    }

    /// Whether a slot is a quota, or is below it.
    pub(crate) fn is_within(&self, slot: QuotaSlot, quota: QuotaId) -> bool {
        self.quota_id(slot).is_some_and(|leaf| self.tree.is_under(leaf, quota))
    }

    /// Whether this is a root with children. The min of such a root does not limit who is entitled (O1).
    pub(crate) fn is_inner_root(&self, slot: QuotaSlot) -> bool {
        slot == QuotaSlot(0) && self.tree.len() > 1
    }

    /// The slot that the quota of this name had in an earlier tree, if there was one.
    pub(crate) fn slot_in(&self, earlier: &Self, quota: QuotaId) -> Option<QuotaSlot> {
        earlier.tree.by_name(self.tree.name(quota).as_str()).map(QuotaSlot::from)
    }

    /// The largest ratio of usage to min of a leaf, over all counted resources (O1, `share`).
    pub(crate) fn dominant_share(&self, slot: QuotaSlot) -> Ratio {
        let ratio = |r| Ratio { over: self.ledger.projected_usage(slot, r), of: self.min(slot, r) };
        self.resources().filter(|r| self.counts(*r)).map(ratio).max().unwrap_or_default()
    }
}

impl Quotas {
    /// The usage and reservations of a quota, by resource: the amounts that the audit compares with max (I2).
    fn standing_row(&self, slot: QuotaSlot) -> Row {
        let (used, reserved) = (self.ledger.used.row(slot), self.ledger.reserved.row(slot));
        used.iter().zip(reserved).map(|(used, reserved)| used.saturating_add(*reserved)).collect()
    }

    fn is_above_max(&self, slot: QuotaSlot, row: &[i64]) -> bool {
        row.iter().enumerate().any(|(r, amount)| *amount > self.max(slot, r))
    }

    fn uses_more_than_max(&self, slot: QuotaSlot) -> bool {
        self.resources().any(|r| self.ledger.remaining_usage(slot, r) > self.max(slot, r))
    }

    /// Makes the audit tolerate the present excess of a quota over its max (I2).
    fn excuse(&mut self, slot: QuotaSlot) {
        let row = self.standing_row(slot);
        if self.is_above_max(slot, &row) {
            self.over_max.excused.insert(slot, row);
        }
    }

    /// Lowers the tolerated amounts of quotas to what they still use, and removes quotas that are within their max.
    pub(crate) fn forget_drained(&mut self) {
        let mut excused = std::mem::take(&mut self.over_max.excused);
        excused.retain(|slot, row| {
            let now = self.standing_row(*slot);
            row.iter_mut().zip(&now).for_each(|(row, now)| *row = (*row).min(*now));
            self.is_above_max(*slot, row)
        });
        self.over_max.excused = excused;
    }

    /// Notes which quotas are above their max after a change of the tree, and since when (T4).
    pub(crate) fn note_over_max(&mut self, enforce: EnforceMax, before: &Self) {
        self.over_max.excused.clear();
        self.tree.ids().for_each(|quota| self.excuse(quota.into()));
        if enforce == EnforceMax::Never {
            return;
        }
        let over: Vec<QuotaId> = self.tree.ids().filter(|quota| self.uses_more_than_max((*quota).into())).collect();
        for quota in over {
            let since = self.slot_in(before, quota).and_then(|q| before.over_max.since.get(&q)).copied().flatten();
            self.over_max.since.insert(quota.into(), since);
        }
    }

    /// Notes which quotas of a path are above their max after a found pod was charged to them (E1, T4).
    pub(crate) fn note_found(&mut self, enforce: EnforceMax, leaf: QuotaSlot) {
        let path: SmallVec<[QuotaSlot; 8]> = self.ledger.path(leaf).collect();
        path.into_iter().for_each(|slot| self.excuse(slot));
        self.start_draining(enforce, leaf);
    }

    /// Starts the clock of the quotas of a path that are above their max, where it is not started yet (T4).
    pub(crate) fn start_draining(&mut self, enforce: EnforceMax, leaf: QuotaSlot) {
        if enforce == EnforceMax::Never {
            return;
        }
        let over: SmallVec<[QuotaSlot; 8]> =
            self.ledger.path(leaf).filter(|slot| self.uses_more_than_max(*slot)).collect();
        for slot in over {
            self.over_max.since.entry(slot).or_default();
        }
    }
}
