//! What holds reserve of quotas, so that no other workload is admitted into the room of their victims (H1, A1).
//!
//! Where no quota has a lend floor, a hold reserves on each quota its request less what its victims free below that
//! quota. Where some quota has one (L3), what a hold adds above that quota depends on the quota's usage and on which
//! holds complete first. Then each quota reserves the largest possible amount, and recomputes it whenever usage below
//! such a quota changes.

use super::{
    ledger::Ledger,
    pending_change::{LendingReservations, PendingChange},
};
use crate::scheduler::state::{HoldId, QuotaSlot, Row, amount_of};
use smallvec::SmallVec;
use std::collections::{BTreeMap, BTreeSet};

impl Ledger {
    /// Reserves what a hold adds to the charge of each quota on its path.
    pub(crate) fn reserve(&mut self, id: HoldId, change: &PendingChange) {
        if self.any_lend_limit {
            self.lending.changes.insert(id, change.clone());
            self.recompute_reservations();
        } else {
            self.add_reservation(change, 1);
        }
    }

    /// Reverses [`reserve`](Self::reserve).
    pub(crate) fn unreserve(&mut self, id: HoldId, change: &PendingChange) {
        if self.any_lend_limit {
            self.lending.changes.remove(&id);
            self.recompute_reservations();
        } else {
            self.add_reservation(change, -1);
        }
    }

    fn add_reservation(&mut self, change: &PendingChange, sign: i64) {
        self.each(change.leaf, |ledger, q| {
            let mut need = change.total.clone();
            for (_, freed) in change.freed.iter().filter(|(leaf, _)| ledger.path(**leaf).any(|above| above == q)) {
                need.iter_mut().zip(freed).for_each(|(need, freed)| *need -= freed);
            }
            need.iter_mut().for_each(|need| *need = (*need).max(0));
            ledger.reserved.add(q, &need, sign);
        });
    }

    /// Recomputes the most that each quota on the path of a pending change may be charged. That is the larger of two
    /// charges: with all changes, and with only those changes that increase it, applied in the order of holds. Costs,
    /// for each quota, the paths of the changes below it.
    pub(super) fn recompute_reservations(&mut self) {
        let LendingReservations { changes, needs } = std::mem::take(&mut self.lending);
        for (q, need) in &needs {
            self.reserved.add(*q, need, -1);
        }
        let mut below: BTreeMap<QuotaSlot, Vec<&PendingChange>> = BTreeMap::new();
        for change in changes.values() {
            let leaves = change.freed.keys().copied().chain([change.leaf]);
            let quotas: BTreeSet<QuotaSlot> = leaves.flat_map(|leaf| self.path(leaf)).collect();
            quotas.into_iter().for_each(|q| below.entry(q).or_default().push(change));
        }
        let some: Vec<(QuotaSlot, Row)> =
            below.iter().map(|(q, changes)| (*q, self.most_with_some(changes, *q))).collect();
        changes.values().for_each(|change| self.apply_change(change, 1));
        let most = |ledger: &Self, q: QuotaSlot, some: &[i64]| -> Row {
            some.iter().zip(ledger.effective_usage.row(q)).map(|(some, all)| *some.max(all)).collect()
        };
        let mut needs: Vec<(QuotaSlot, Row)> = some.iter().map(|(q, some)| (*q, most(self, *q, some))).collect();
        changes.values().for_each(|change| self.apply_change(change, -1));
        for (q, need) in &mut needs {
            need.iter_mut().zip(self.effective_usage.row(*q)).for_each(|(most, now)| *most -= now);
            self.reserved.add(*q, need, 1);
        }
        self.lending = LendingReservations { changes, needs };
    }

    /// The effective usage of a quota in each resource after some of the changes: in order, those that increase it.
    fn most_with_some(&mut self, changes: &[&PendingChange], quota: QuotaSlot) -> Row {
        let mut most: Row = self.effective_usage.row(quota).into();
        for (r, most) in most.iter_mut().enumerate() {
            let mut applied: SmallVec<[&PendingChange; 8]> = SmallVec::new();
            for change in changes {
                self.apply_change(change, 1);
                let with = amount_of(self.effective_usage.row(quota), r);
                if with > *most {
                    *most = with;
                    applied.push(change);
                } else {
                    self.apply_change(change, -1);
                }
            }
            applied.into_iter().for_each(|change| self.apply_change(change, -1));
        }
        most
    }

    fn apply_change(&mut self, change: &PendingChange, sign: i64) {
        self.add_effective_usage(change.leaf, &change.total, sign);
        for (leaf, freed) in &change.freed {
            self.add_effective_usage(*leaf, freed, -sign);
        }
    }

    /// Whether a change of this leaf's usage can change what holds reserve (L3).
    pub(super) fn depends_on_reservations(&self, leaf: QuotaSlot) -> bool {
        !self.lending.changes.is_empty() && self.has_lend_limit(leaf)
    }

    /// What a request would add to the charge of each quota on its path, from the leaf up (A1, L3).
    pub(crate) fn added_charge(&self, leaf: QuotaSlot, resource: usize, amount: i64) -> SmallVec<[i64; 8]> {
        if self.depends_on_reservations(leaf) {
            let mut with = self.clone();
            let mut row: Row = self.effective_usage.row(leaf).iter().map(|_| 0).collect();
            row.get_mut(resource).into_iter().for_each(|cell| *cell = amount);
            with.add_usage(leaf, &row, true, 1);
            return self.path(leaf).map(|q| with.charged(q, resource) - self.charged(q, resource)).collect();
        }
        let mut more = amount;
        let mut added = SmallVec::new();
        for q in self.path(leaf) {
            added.push(more);
            if self.any_lend_limit {
                let used = amount_of(self.effective_usage.row(q), resource);
                let floor = amount_of(self.lend_floor.row(q), resource);
                more = used.saturating_add(more).max(floor) - used.max(floor);
            }
        }
        added
    }
}
