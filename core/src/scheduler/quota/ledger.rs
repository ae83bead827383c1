//! The ledger: what every quota uses, kept up to date along one path of the tree per change (L1 to L3).
//!
//! A row is a quota, in the order of ids; the last row is for pods without a quota. A column is a governed resource.
//! All sums fit 64 bits, because a workload that could make one overflow is refused at submission.

use super::pending_change::LendingReservations;
use crate::{
    scheduler::state::{Marks, Matrix, QuotaSlot, Row, Table, amount_of, narrow},
    tree::QuotaTree,
};

#[derive(Debug, Clone)]
pub(crate) struct Ledger {
    no_quota: QuotaSlot,
    pub(super) parents: Table<QuotaSlot, Option<QuotaSlot>>,
    /// Used by pods that are bound, being bound or terminating (L1).
    pub(crate) used: Matrix,
    /// The part of `used` that belongs to non-preemptible pods (A2).
    pub(crate) used_np: Matrix,
    /// The part of `used` that belongs to terminating pods.
    pub(crate) leaving: Matrix,
    /// Requests of all pods that have not ended, pending ones included.
    pub(crate) request: Matrix,
    /// The leaves whose `request` has changed since fair shares were last divided.
    requests_changed: Marks,
    /// Requests of workloads with a hold (H1).
    pub(crate) held: Matrix,
    /// The part of `held` that belongs to non-preemptible workloads. It already counts as usage of the guarantee (A2).
    held_np: Matrix,
    /// What holds reserve: for each hold, its request less what its victims still use below this quota, at least 0.
    pub(crate) reserved: Matrix,
    /// `used` as it counts for the parent: of each child at least its lend floor (L3).
    pub(super) effective_usage: Matrix,
    /// The part of each min that may not be lent (L3).
    pub(super) lend_floor: Matrix,
    /// Counts the changes of what non-preemptible pods use or hold (O4).
    np_changes: u64,
    /// The leaves whose `used` or `leaving` has changed since the order of leaves by overuse was last updated.
    usage_changed: Marks,
    pub(super) any_lend_limit: bool,
    /// Whether the quota, or one above it, has a lend floor.
    has_lend_limit: Table<QuotaSlot, bool>,
    pub(super) lending: LendingReservations,
    /// Pods that are bound, being bound or terminating.
    pub(crate) pods: Table<QuotaSlot, u32>,
    /// Workloads with pods on nodes, or with a hold (A5).
    pub(crate) jobs: Table<QuotaSlot, u32>,
}

impl Ledger {
    pub(crate) fn new(tree: &QuotaTree) -> Self {
        let rows = tree.len() + 1;
        let matrix = || Matrix::new(rows, tree.width());
        let mut ledger = Self {
            no_quota: QuotaSlot(narrow(tree.len())),
            parents: tree.ids().map(|q| tree.parent(q).map(QuotaSlot::from)).chain([None]).collect(),
            used: matrix(),
            used_np: matrix(),
            leaving: matrix(),
            request: matrix(),
            requests_changed: Marks::new(rows),
            held: matrix(),
            held_np: matrix(),
            reserved: matrix(),
            effective_usage: matrix(),
            lend_floor: matrix(),
            np_changes: 0,
            usage_changed: Marks::new(rows),
            any_lend_limit: false,
            has_lend_limit: (0..rows).map(|_| false).collect(),
            lending: LendingReservations::default(),
            pods: (0..rows).map(|_| 0).collect(),
            jobs: (0..rows).map(|_| 0).collect(),
        };
        for quota in tree.ids().rev() {
            let slot = QuotaSlot::from(quota);
            ledger.any_lend_limit |= tree.lend_floor(quota).iter().any(|floor| *floor > 0);
            ledger.lend_floor.add(slot, tree.lend_floor(quota), 1);
            let counted: Row = counted(ledger.effective_usage.row(slot), ledger.lend_floor.row(slot));
            if let Some(parent) = tree.parent(quota) {
                for (cell, amount) in ledger.effective_usage.row_mut(parent.into()).iter_mut().zip(&counted) {
                    *cell = cell.saturating_add(*amount);
                }
            }
        }
        for slot in tree.ids().map(QuotaSlot::from) {
            let limited = ledger.path(slot).any(|q| ledger.lend_floor.row(q).iter().any(|floor| *floor > 0));
            *ledger.has_lend_limit.at_mut(slot) = limited;
        }
        ledger
    }

    /// The row of pods without a quota.
    pub(crate) fn no_quota(&self) -> QuotaSlot {
        self.no_quota
    }

    /// All rows, the one of pods without a quota included.
    pub(crate) fn slots(&self) -> impl Iterator<Item = QuotaSlot> + use<> {
        self.parents.keys()
    }

    pub(crate) fn parent(&self, slot: QuotaSlot) -> Option<QuotaSlot> {
        *self.parents.at(slot)
    }

    /// The quota and all above it, up to the root.
    pub(crate) fn path(&self, slot: QuotaSlot) -> impl Iterator<Item = QuotaSlot> + '_ {
        std::iter::successors(Some(slot), |q| *self.parents.at(*q))
    }

    /// Runs `change` on the quota and all above it.
    pub(crate) fn each(&mut self, slot: QuotaSlot, mut change: impl FnMut(&mut Self, QuotaSlot)) {
        let mut at = Some(slot);
        while let Some(q) = at {
            change(self, q);
            at = *self.parents.at(q);
        }
    }

    /// Adds `sign` times the requests of pods, whatever their state.
    pub(crate) fn add_requests(&mut self, leaf: QuotaSlot, amounts: &[i64], sign: i64) {
        self.each(leaf, |ledger, q| ledger.request.add(q, amounts, sign));
        self.requests_changed.mark(leaf);
    }

    /// Takes out the leaves whose requests have changed, each once.
    pub(super) fn take_requests_changed(&mut self) -> Vec<QuotaSlot> {
        self.requests_changed.take()
    }

    /// Forgets which leaves have changed requests, where nobody divides fair shares.
    pub(super) fn forget_requests_changed(&mut self) {
        self.requests_changed.clear();
    }

    /// Adds `sign` times what a terminating pod uses.
    pub(crate) fn add_leaving(&mut self, leaf: QuotaSlot, amounts: &[i64], sign: i64) {
        self.each(leaf, |ledger, q| ledger.leaving.add(q, amounts, sign));
        self.usage_changed.mark(leaf);
    }

    /// Takes out a leaf whose usage has changed.
    pub(crate) fn pop_usage_changed(&mut self) -> Option<QuotaSlot> {
        self.usage_changed.pop()
    }

    /// Adds `sign` times these amounts to the usage of a leaf.
    pub(crate) fn add_usage(&mut self, leaf: QuotaSlot, amounts: &[i64], preemptible: bool, sign: i64) {
        self.np_changes += u64::from(!preemptible);
        self.usage_changed.mark(leaf);
        self.each(leaf, |ledger, q| {
            ledger.used.add(q, amounts, sign);
            if !preemptible {
                ledger.used_np.add(q, amounts, sign);
            }
        });
        self.add_effective_usage(leaf, amounts, sign);
        if self.depends_on_reservations(leaf) {
            self.recompute_reservations();
        }
    }

    /// Adds `sign` times the request of a workload with a hold (H1).
    pub(crate) fn add_held(&mut self, leaf: QuotaSlot, amounts: &[i64], preemptible: bool, sign: i64) {
        self.np_changes += u64::from(!preemptible);
        self.each(leaf, |ledger, q| {
            ledger.held.add(q, amounts, sign);
            if !preemptible {
                ledger.held_np.add(q, amounts, sign);
            }
        });
    }

    /// Adds `sign` times these amounts to the effective usage of a leaf, and the resulting change to that of each quota
    /// above.
    pub(super) fn add_effective_usage(&mut self, leaf: QuotaSlot, amounts: &[i64], sign: i64) {
        if !self.any_lend_limit {
            return self.each(leaf, |ledger, q| ledger.effective_usage.add(q, amounts, sign));
        }
        let mut delta: Row = amounts.iter().map(|a| a * sign).collect();
        let mut at = Some(leaf);
        while let Some(q) = at {
            let before = counted(self.effective_usage.row(q), self.lend_floor.row(q));
            self.effective_usage.add(q, &delta, 1);
            let after = counted(self.effective_usage.row(q), self.lend_floor.row(q));
            delta = after.iter().zip(&before).map(|(a, b)| a - b).collect();
            at = *self.parents.at(q);
        }
    }

    /// What admission compares with max (A1): effective usage, and what holds reserve.
    pub(crate) fn charged(&self, slot: QuotaSlot, resource: usize) -> i64 {
        let used = amount_of(self.effective_usage.row(slot), resource);
        used.saturating_add(amount_of(self.reserved.row(slot), resource))
    }

    /// [`charged`](Self::charged) for each governed resource.
    pub(super) fn charged_row(&self, slot: QuotaSlot) -> impl Iterator<Item = i64> + '_ {
        let reserved = self.reserved.row(slot);
        self.effective_usage.row(slot).iter().zip(reserved).map(|(used, reserved)| used.saturating_add(*reserved))
    }

    /// [`non_preemptible_usage`](Self::non_preemptible_usage) for each governed resource.
    pub(super) fn non_preemptible_row(&self, slot: QuotaSlot) -> impl Iterator<Item = i64> + '_ {
        self.used_np.row(slot).iter().zip(self.held_np.row(slot)).map(|(used, held)| used + held)
    }

    /// [`projected_usage`](Self::projected_usage) for each governed resource.
    pub(super) fn projected_row(&self, slot: QuotaSlot) -> impl Iterator<Item = i64> + '_ {
        let (used, leaving, held) = (self.used.row(slot), self.leaving.row(slot), self.held.row(slot));
        used.iter().zip(leaving).zip(held).map(|((used, leaving), held)| used - leaving + held)
    }

    /// Counts the changes of what non-preemptible pods use or hold (O4).
    pub(crate) fn non_preemptible_changes(&self) -> u64 {
        self.np_changes
    }

    /// What non-preemptible pods use or hold of a guarantee (A2).
    pub(crate) fn non_preemptible_usage(&self, slot: QuotaSlot, resource: usize) -> i64 {
        amount_of(self.used_np.row(slot), resource) + amount_of(self.held_np.row(slot), resource)
    }

    /// Usage without terminating pods: what a further eviction would reduce.
    pub(crate) fn remaining_usage(&self, slot: QuotaSlot, resource: usize) -> i64 {
        amount_of(self.used.row(slot), resource) - amount_of(self.leaving.row(slot), resource)
    }

    /// Usage once all terminating pods are gone and all holding workloads are placed.
    pub(crate) fn projected_usage(&self, slot: QuotaSlot, resource: usize) -> i64 {
        self.remaining_usage(slot, resource) + amount_of(self.held.row(slot), resource)
    }

    /// Whether some quota has a lend floor (L3).
    pub(crate) fn any_lend_limit(&self) -> bool {
        self.any_lend_limit
    }

    /// Whether the quota, or one above it, has a lend floor (L3).
    pub(crate) fn has_lend_limit(&self, slot: QuotaSlot) -> bool {
        *self.has_lend_limit.at(slot)
    }
}

/// How much of a child's usage counts for its parent (L3).
fn counted(used: &[i64], lend_floor: &[i64]) -> Row {
    used.iter().zip(lend_floor).map(|(used, floor)| *used.max(floor)).collect()
}
