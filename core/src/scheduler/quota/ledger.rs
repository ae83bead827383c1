//! The ledger: what every quota uses, kept up to date along one path per change (L1 to L3).
//!
//! Rows are quotas by id, plus one row `outside` for pods that have no quota. Columns are the governed resources.
//! All sums fit 64 bits: a workload whose request could break that is refused at submission.

use crate::scheduler::quota::lending::Bent;
use crate::{
    api::QuotaId,
    scheduler::state::table::{Matrix, Table},
    tree::QuotaTree,
};
use smallvec::SmallVec;

/// One amount a governed resource.
pub(crate) type Row = SmallVec<[i64; 4]>;

/// The quota a workload is charged to: a leaf, or the row of those without a quota.
pub(crate) type Account = u32;

#[derive(Debug, Clone)]
pub(crate) struct Ledger {
    outside: Account,
    parents: Table<Option<u32>>,
    /// Bound, being bound or leaving (L1).
    pub(crate) used: Matrix,
    /// The same, of non-preemptible pods.
    pub(crate) used_np: Matrix,
    /// The part of `used` whose eviction is under way.
    pub(crate) leaving: Matrix,
    /// Used and waiting.
    pub(crate) request: Matrix,
    /// Requests of workloads that hold (H1).
    pub(crate) held: Matrix,
    /// The same, of non-preemptible workloads: their guarantee is spoken for (A2).
    held_np: Matrix,
    /// What holds add once they go through: `held - freeing`, hold by hold, never below 0.
    pub(crate) reserved: Matrix,
    /// `used` as ancestors count it: a node counts at least what it keeps for itself (L3).
    pub(crate) solid: Matrix,
    pub(crate) kept: Matrix,
    pub(crate) keeps: bool,
    /// Whether an account or something above it keeps part of its min for itself.
    bends: Table<bool>,
    pub(crate) bent: Bent,
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
            outside: crate::scheduler::state::table::narrow(tree.len()),
            parents: tree.ids().map(|q| tree.parent(q).map(|p| p.0)).chain([None]).collect(),
            used: matrix(),
            used_np: matrix(),
            leaving: matrix(),
            request: matrix(),
            held: matrix(),
            held_np: matrix(),
            reserved: matrix(),
            solid: matrix(),
            kept: matrix(),
            keeps: false,
            bends: (0..rows).map(|_| false).collect(),
            bent: Bent::default(),
            pods: (0..rows).map(|_| 0).collect(),
            jobs: (0..rows).map(|_| 0).collect(),
        };
        for quota in tree.ids().rev() {
            ledger.keeps |= tree.kept(quota).iter().any(|k| *k > 0);
            ledger.kept.add(quota.0, tree.kept(quota));
            let counted: Row = counted(ledger.solid.row(quota.0), ledger.kept.row(quota.0));
            if let Some(parent) = tree.parent(quota) {
                for (cell, amount) in ledger.solid.row_mut(parent.0).iter_mut().zip(&counted) {
                    *cell = cell.saturating_add(*amount);
                }
            }
        }
        for account in tree.ids().map(|q| q.0) {
            let bends = ledger.path(account).any(|q| ledger.kept.row(q).iter().any(|kept| *kept > 0));
            *ledger.bends.at_mut(account) = bends;
        }
        ledger
    }

    /// The account of a leaf, or of those outside.
    pub(crate) fn account(&self, leaf: Option<QuotaId>) -> Account {
        leaf.map_or(self.outside, |q| q.0)
    }

    pub(crate) fn outside(&self) -> Account {
        self.outside
    }

    pub(crate) fn parent(&self, account: Account) -> Option<Account> {
        *self.parents.at(account)
    }

    /// The account and everything above it.
    pub(crate) fn path(&self, account: Account) -> impl Iterator<Item = Account> + '_ {
        std::iter::successors(Some(account), |q| *self.parents.at(*q))
    }

    /// Pods start to use, or stop using, what they asked for.
    pub(crate) fn use_up(&mut self, account: Account, amounts: &[i64], preemptible: bool) {
        self.each(account, |ledger, q| {
            ledger.used.add(q, amounts);
            if !preemptible {
                ledger.used_np.add(q, amounts);
            }
        });
        self.settle(account, amounts, 1);
    }

    /// Takes back [`use_up`](Self::use_up).
    pub(crate) fn give_back(&mut self, account: Account, amounts: &[i64], preemptible: bool) {
        self.each(account, |ledger, q| {
            ledger.used.sub(q, amounts);
            if !preemptible {
                ledger.used_np.sub(q, amounts);
            }
        });
        self.settle(account, amounts, -1);
    }

    /// A workload begins to hold what it asks for (H1).
    pub(crate) fn hold(&mut self, account: Account, amounts: &[i64], preemptible: bool) {
        self.each(account, |ledger, q| {
            ledger.held.add(q, amounts);
            if !preemptible {
                ledger.held_np.add(q, amounts);
            }
        });
    }

    /// Takes back [`hold`](Self::hold).
    pub(crate) fn let_go(&mut self, account: Account, amounts: &[i64], preemptible: bool) {
        self.each(account, |ledger, q| {
            ledger.held.sub(q, amounts);
            if !preemptible {
                ledger.held_np.sub(q, amounts);
            }
        });
    }

    /// What non-preemptible pods use, or hold, of a guarantee (A2).
    pub(crate) fn firm(&self, account: Account, resource: usize) -> i64 {
        cell(self.used_np.row(account), resource) + cell(self.held_np.row(account), resource)
    }

    /// Runs `change` on the account and everything above it.
    pub(crate) fn each(&mut self, account: Account, mut change: impl FnMut(&mut Self, Account)) {
        let mut at = Some(account);
        while let Some(q) = at {
            change(self, q);
            at = *self.parents.at(q);
        }
    }

    fn settle(&mut self, account: Account, amounts: &[i64], sign: i64) {
        self.roll_up(account, amounts, sign);
        if self.follows_bent(account) {
            self.count_bent();
        }
    }

    /// Adds to what a leaf uses, and to what those above count of it.
    pub(crate) fn roll_up(&mut self, account: Account, amounts: &[i64], sign: i64) {
        let mut delta: Row = amounts.iter().map(|a| a * sign).collect();
        let mut at = Some(account);
        while let Some(q) = at {
            if self.keeps {
                let before = counted(self.solid.row(q), self.kept.row(q));
                self.solid.add(q, &delta);
                let after = counted(self.solid.row(q), self.kept.row(q));
                delta = after.iter().zip(&before).map(|(a, b)| a - b).collect();
            } else {
                self.solid.add(q, &delta);
            }
            at = *self.parents.at(q);
        }
    }

    /// What A1 compares with the ceiling: use as ancestors count it, and what holds keep.
    pub(crate) fn charged(&self, account: Account, resource: usize) -> i64 {
        cell(self.solid.row(account), resource).saturating_add(cell(self.reserved.row(account), resource))
    }

    /// Whether an account, or something above it, keeps part of its min for itself (L3).
    pub(crate) fn bends(&self, account: Account) -> bool {
        *self.bends.at(account)
    }

    /// Who will stand when everything under way is done: used without what leaves, with what is held.
    pub(crate) fn standing(&self, account: Account, resource: usize) -> i64 {
        self.live(account, resource) + cell(self.held.row(account), resource)
    }

    /// Used without what leaves: what a further eviction would eat into.
    pub(crate) fn live(&self, account: Account, resource: usize) -> i64 {
        cell(self.used.row(account), resource) - cell(self.leaving.row(account), resource)
    }
}

fn counted(solid: &[i64], kept: &[i64]) -> Row {
    solid.iter().zip(kept).map(|(s, k)| *s.max(k)).collect()
}

/// The amount of one resource; 0 past the end of the row.
pub(crate) fn cell(row: &[i64], resource: usize) -> i64 {
    row.get(resource).copied().unwrap_or_default()
}

impl Ledger {
    /// Whether some quota keeps part of its min for itself (L3).
    pub(crate) fn keeps(&self) -> bool {
        self.keeps
    }

    /// The least that a request can add to the charge of a quota above its leaf (L3).
    pub(crate) fn least_delta(&self, amount: i64) -> i64 {
        if self.keeps { 0 } else { amount }
    }
}
