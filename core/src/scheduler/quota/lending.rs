//! What holds keep of quotas (H1, A1): a workload will stand, its victims will be gone, and nobody may come in between.
//!
//! Where no quota any_lend_limit part of its min from lending, a hold adds to a charge what it asks for without what its victims
//! free below. Where one does (L3), what it adds above depends on what that quota uses and on which holds go through before
//! it: then quotas are charged the most that comes of it, counted anew whenever the use of such a quota changes.

use crate::scheduler::{
    quota::ledger::{Ledger, QuotaSlot, Row, cell},
    state::workloads::HoldId,
};
use smallvec::SmallVec;
use std::collections::{BTreeMap, BTreeSet};

/// What will change in quotas once a hold's workload stands and its victims are gone.
#[derive(Debug, Clone, Default)]
pub(crate) struct PendingChange {
    pub(crate) leaf: QuotaSlot,
    pub(crate) total: Row,
    /// What victims that have not left yet will free.
    pub(crate) freed: BTreeMap<QuotaSlot, Row>,
}

/// Where quotas keep something: the changes in the order of their holds, and what stands in `reserved` for them.
#[derive(Debug, Clone, Default)]
pub(crate) struct LendingReservations {
    changes: BTreeMap<HoldId, PendingChange>,
    needs: Vec<(QuotaSlot, Row)>,
}

impl Ledger {
    /// Reserves what a change adds to the charge of its path.
    pub(crate) fn keep(&mut self, id: HoldId, change: &PendingChange) {
        if self.any_lend_limit {
            self.lending.changes.insert(id, change.clone());
            self.recompute_reservations();
        } else {
            self.reserve(change, 1);
        }
    }

    /// Takes back [`keep`](Self::keep).
    pub(crate) fn unkeep(&mut self, id: HoldId, change: &PendingChange) {
        if self.any_lend_limit {
            self.lending.changes.remove(&id);
            self.recompute_reservations();
        } else {
            self.reserve(change, -1);
        }
    }

    fn reserve(&mut self, change: &PendingChange, sign: i64) {
        self.each(change.leaf, |ledger, q| {
            let mut need = change.total.clone();
            for (_, freed) in change.freed.iter().filter(|(leaf, _)| ledger.path(**leaf).any(|above| above == q)) {
                need.iter_mut().zip(freed).for_each(|(need, freed)| *need -= freed);
            }
            need.iter_mut().for_each(|need| *need = (*need).max(0) * sign);
            ledger.reserved.add(q, &need);
        });
    }

    /// Counts anew the most that each quota on the way of a change may come to be charged: with those of them, the oldest
    /// first, that add something to it, or with all. Costs, for each quota, the paths of the changes below it.
    pub(crate) fn recompute_reservations(&mut self) {
        let LendingReservations { changes, needs } = std::mem::take(&mut self.lending);
        for (q, need) in &needs {
            self.reserved.sub(*q, need);
        }
        let mut below: BTreeMap<QuotaSlot, Vec<&PendingChange>> = BTreeMap::new();
        for change in changes.values() {
            let leaves = change.freed.keys().copied().chain([change.leaf]);
            let quotas: BTreeSet<QuotaSlot> = leaves.flat_map(|leaf| self.path(leaf)).collect();
            quotas.into_iter().for_each(|q| below.entry(q).or_default().push(change));
        }
        let some: Vec<(QuotaSlot, Row)> =
            below.iter().map(|(q, changes)| (*q, self.most_with_some(changes, *q))).collect();
        changes.values().for_each(|change| self.carry_out(change, 1));
        let most = |ledger: &Self, q: QuotaSlot, some: &[i64]| -> Row {
            some.iter().zip(ledger.effective_usage.row(q)).map(|(some, all)| *some.max(all)).collect()
        };
        let mut needs: Vec<(QuotaSlot, Row)> = some.iter().map(|(q, some)| (*q, most(self, *q, some))).collect();
        changes.values().for_each(|change| self.carry_out(change, -1));
        for (q, need) in &mut needs {
            need.iter_mut().zip(self.effective_usage.row(*q)).for_each(|(most, now)| *most -= now);
            self.reserved.add(*q, need);
        }
        self.lending = LendingReservations { changes, needs };
    }

    /// What a quota counts of each resource with those changes carried out that add to it where they are looked at.
    fn most_with_some(&mut self, changes: &[&PendingChange], quota: QuotaSlot) -> Row {
        let mut most: Row = self.effective_usage.row(quota).into();
        for (r, most) in most.iter_mut().enumerate() {
            let mut done: SmallVec<[&PendingChange; 8]> = SmallVec::new();
            for change in changes {
                self.carry_out(change, 1);
                let with = cell(self.effective_usage.row(quota), r);
                if with > *most {
                    *most = with;
                    done.push(change);
                } else {
                    self.carry_out(change, -1);
                }
            }
            done.into_iter().for_each(|change| self.carry_out(change, -1));
        }
        most
    }

    fn carry_out(&mut self, change: &PendingChange, sign: i64) {
        self.add_effective_usage(change.leaf, &change.total, sign);
        for (leaf, freed) in &change.freed {
            self.add_effective_usage(*leaf, freed, -sign);
        }
    }

    /// Whether the charge of a quota does not simply follow what is used in this leaf.
    pub(crate) fn depends_on_reservations(&self, leaf: QuotaSlot) -> bool {
        !self.lending.changes.is_empty() && self.has_lend_limit(leaf)
    }

    /// What a request would add to the charge of each quota on its path, from the leaf up (A1).
    pub(crate) fn added(&self, leaf: QuotaSlot, resource: usize, amount: i64) -> SmallVec<[i64; 8]> {
        if self.depends_on_reservations(leaf) {
            let mut with = self.clone();
            let mut row: Row = self.effective_usage.row(leaf).iter().map(|_| 0).collect();
            row.get_mut(resource).into_iter().for_each(|cell| *cell = amount);
            with.use_up(leaf, &row, true);
            return self.path(leaf).map(|q| with.charged(q, resource) - self.charged(q, resource)).collect();
        }
        let mut more = amount;
        let mut added = SmallVec::new();
        for q in self.path(leaf) {
            added.push(more);
            if self.any_lend_limit {
                let (effective_usage, kept) =
                    (cell(self.effective_usage.row(q), resource), cell(self.kept.row(q), resource));
                more = effective_usage.saturating_add(more).max(kept) - effective_usage.max(kept);
            }
        }
        added
    }
}
