//! The ledger: what every quota uses, kept up to date along one path per change (L1 to L3).
//!
//! Rows are quotas by id, plus one row `no_quota` for pods that have no quota. Columns are the governed resources.
//! All sums fit 64 bits: a workload whose request could break that is refused at submission.

use crate::scheduler::quota::lending::LendingReservations;
use crate::{
    api::QuotaId,
    scheduler::state::table::{Matrix, Table},
    tree::QuotaTree,
};
use smallvec::SmallVec;

/// One amount a governed resource.
pub(crate) type Row = SmallVec<[i64; 4]>;

/// The quota a workload is charged to: a leaf, or the row of those without a quota.
pub(crate) type QuotaSlot = u32;

#[derive(Debug, Clone)]
pub(crate) struct Ledger {
    no_quota: QuotaSlot,
    parents: Table<Option<u32>>,
    /// Bound, being bound or leaving (L1).
    pub(crate) used: Matrix,
    /// The same, of non-preemptible pods.
    pub(crate) used_np: Matrix,
    /// The part of `used` whose eviction is under way.
    pub(crate) leaving: Matrix,
    /// Used and pending.
    pub(crate) request: Matrix,
    /// Requests of workloads that hold (H1).
    pub(crate) held: Matrix,
    /// The same, of non-preemptible workloads: their guarantee is spoken for (A2).
    held_np: Matrix,
    /// What holds add once they go through: `held - freeing`, hold by hold, never below 0.
    pub(crate) reserved: Matrix,
    /// `used` as ancestors count it: a node counts at least what it any_lend_limit for itself (L3).
    pub(crate) effective_usage: Matrix,
    pub(crate) kept: Matrix,
    pub(crate) any_lend_limit: bool,
    /// Whether an leaf or something above it any_lend_limit part of its min for itself.
    has_lend_limit: Table<bool>,
    pub(crate) lending: LendingReservations,
    /// Pods bound, being bound or leaving.
    pub(crate) pods: Table<u32>,
    /// Workloads that have such pods or hold (A5).
    pub(crate) jobs: Table<u32>,
}

impl Ledger {
    pub(crate) fn new(tree: &QuotaTree) -> Self {
        let rows = tree.len() + 1;
        let matrix = || Matrix::new(rows, tree.width());
        let mut ledger = Self {
            no_quota: crate::scheduler::state::table::narrow(tree.len()),
            parents: tree.ids().map(|q| tree.parent(q).map(|p| p.0)).chain([None]).collect(),
            used: matrix(),
            used_np: matrix(),
            leaving: matrix(),
            request: matrix(),
            held: matrix(),
            held_np: matrix(),
            reserved: matrix(),
            effective_usage: matrix(),
            kept: matrix(),
            any_lend_limit: false,
            has_lend_limit: (0..rows).map(|_| false).collect(),
            lending: LendingReservations::default(),
            pods: (0..rows).map(|_| 0).collect(),
            jobs: (0..rows).map(|_| 0).collect(),
        };
        for quota in tree.ids().rev() {
            ledger.any_lend_limit |= tree.kept(quota).iter().any(|k| *k > 0);
            ledger.kept.add(quota.0, tree.kept(quota));
            let counted: Row = counted(ledger.effective_usage.row(quota.0), ledger.kept.row(quota.0));
            if let Some(parent) = tree.parent(quota) {
                for (cell, amount) in ledger.effective_usage.row_mut(parent.0).iter_mut().zip(&counted) {
                    *cell = cell.saturating_add(*amount);
                }
            }
        }
        for leaf in tree.ids().map(|q| q.0) {
            let has_lend_limit = ledger.path(leaf).any(|q| ledger.kept.row(q).iter().any(|kept| *kept > 0));
            *ledger.has_lend_limit.at_mut(leaf) = has_lend_limit;
        }
        ledger
    }

    /// The leaf of a leaf, or of those no_quota.
    pub(crate) fn leaf(&self, leaf: Option<QuotaId>) -> QuotaSlot {
        leaf.map_or(self.no_quota, |q| q.0)
    }

    pub(crate) fn no_quota(&self) -> QuotaSlot {
        self.no_quota
    }

    pub(crate) fn parent(&self, leaf: QuotaSlot) -> Option<QuotaSlot> {
        *self.parents.at(leaf)
    }

    /// The leaf and everything above it.
    pub(crate) fn path(&self, leaf: QuotaSlot) -> impl Iterator<Item = QuotaSlot> + '_ {
        std::iter::successors(Some(leaf), |q| *self.parents.at(*q))
    }

    /// Pods start to use, or stop using, what they asked for.
    pub(crate) fn use_up(&mut self, leaf: QuotaSlot, amounts: &[i64], preemptible: bool) {
        self.each(leaf, |ledger, q| {
            ledger.used.add(q, amounts);
            if !preemptible {
                ledger.used_np.add(q, amounts);
            }
        });
        self.change_effective_usage(leaf, amounts, 1);
    }

    /// Takes back [`use_up`](Self::use_up).
    pub(crate) fn give_back(&mut self, leaf: QuotaSlot, amounts: &[i64], preemptible: bool) {
        self.each(leaf, |ledger, q| {
            ledger.used.sub(q, amounts);
            if !preemptible {
                ledger.used_np.sub(q, amounts);
            }
        });
        self.change_effective_usage(leaf, amounts, -1);
    }

    /// A workload begins to hold what it asks for (H1).
    pub(crate) fn hold(&mut self, leaf: QuotaSlot, amounts: &[i64], preemptible: bool) {
        self.each(leaf, |ledger, q| {
            ledger.held.add(q, amounts);
            if !preemptible {
                ledger.held_np.add(q, amounts);
            }
        });
    }

    /// Takes back [`hold`](Self::hold).
    pub(crate) fn let_go(&mut self, leaf: QuotaSlot, amounts: &[i64], preemptible: bool) {
        self.each(leaf, |ledger, q| {
            ledger.held.sub(q, amounts);
            if !preemptible {
                ledger.held_np.sub(q, amounts);
            }
        });
    }

    /// What non-preemptible pods use, or hold, of a guarantee (A2).
    pub(crate) fn non_preemptible_usage(&self, leaf: QuotaSlot, resource: usize) -> i64 {
        cell(self.used_np.row(leaf), resource) + cell(self.held_np.row(leaf), resource)
    }

    /// Runs `change` on the leaf and everything above it.
    pub(crate) fn each(&mut self, leaf: QuotaSlot, mut change: impl FnMut(&mut Self, QuotaSlot)) {
        let mut at = Some(leaf);
        while let Some(q) = at {
            change(self, q);
            at = *self.parents.at(q);
        }
    }

    fn change_effective_usage(&mut self, leaf: QuotaSlot, amounts: &[i64], sign: i64) {
        self.add_effective_usage(leaf, amounts, sign);
        if self.depends_on_reservations(leaf) {
            self.recompute_reservations();
        }
    }

    /// Adds to what a leaf uses, and to what those above count of it.
    pub(crate) fn add_effective_usage(&mut self, leaf: QuotaSlot, amounts: &[i64], sign: i64) {
        let mut delta: Row = amounts.iter().map(|a| a * sign).collect();
        let mut at = Some(leaf);
        while let Some(q) = at {
            if self.any_lend_limit {
                let before = counted(self.effective_usage.row(q), self.kept.row(q));
                self.effective_usage.add(q, &delta);
                let after = counted(self.effective_usage.row(q), self.kept.row(q));
                delta = after.iter().zip(&before).map(|(a, b)| a - b).collect();
            } else {
                self.effective_usage.add(q, &delta);
            }
            at = *self.parents.at(q);
        }
    }

    /// What A1 compares with the ceiling: use as ancestors count it, and what holds keep.
    pub(crate) fn charged(&self, leaf: QuotaSlot, resource: usize) -> i64 {
        cell(self.effective_usage.row(leaf), resource).saturating_add(cell(self.reserved.row(leaf), resource))
    }

    /// Whether an leaf, or something above it, any_lend_limit part of its min for itself (L3).
    pub(crate) fn has_lend_limit(&self, leaf: QuotaSlot) -> bool {
        *self.has_lend_limit.at(leaf)
    }

    /// Who will stand when everything under way is done: used without what leaves, with what is held.
    pub(crate) fn projected_usage(&self, leaf: QuotaSlot, resource: usize) -> i64 {
        self.remaining_usage(leaf, resource) + cell(self.held.row(leaf), resource)
    }

    /// Used without what leaves: what a further eviction would eat into.
    pub(crate) fn remaining_usage(&self, leaf: QuotaSlot, resource: usize) -> i64 {
        cell(self.used.row(leaf), resource) - cell(self.leaving.row(leaf), resource)
    }
}

fn counted(effective_usage: &[i64], kept: &[i64]) -> Row {
    effective_usage.iter().zip(kept).map(|(s, k)| *s.max(k)).collect()
}

/// The amount of one resource; 0 past the end of the row.
pub(crate) fn cell(row: &[i64], resource: usize) -> i64 {
    row.get(resource).copied().unwrap_or_default()
}

impl Ledger {
    /// Whether some quota any_lend_limit part of its min for itself (L3).
    pub(crate) fn any_lend_limit(&self) -> bool {
        self.any_lend_limit
    }

    /// The least that a request can add to the charge of a quota above its leaf (L3).
    pub(crate) fn least_delta(&self, amount: i64) -> i64 {
        if self.any_lend_limit { 0 } else { amount }
    }
}
