//! What holds keep of quotas (H1, A1): a workload will stand, its victims will be gone, and nobody may come in between.
//!
//! Where no quota keeps part of its min from lending, a hold adds to a charge what it asks for without what its victims
//! free below. Where one does (L3), what it adds above depends on what that quota uses and on which holds go through before
//! it: then quotas are charged the most that comes of it, counted anew whenever the use of such a quota changes.

use crate::scheduler::{
    quota::ledger::{Account, Ledger, Row, cell},
    state::workloads::HoldId,
};
use smallvec::SmallVec;
use std::collections::{BTreeMap, BTreeSet};

/// What will change in quotas once a hold's workload stands and its victims are gone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Swap {
    pub(crate) account: Account,
    pub(crate) total: Row,
    /// What victims that have not left yet will free.
    pub(crate) freed: BTreeMap<Account, Row>,
}

/// Where quotas keep something: the swaps in the order of their holds, and what stands in `reserved` for them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Bent {
    swaps: BTreeMap<HoldId, Swap>,
    needs: Vec<(Account, Row)>,
}

impl Ledger {
    /// Reserves what a swap adds to the charge of its path.
    pub(crate) fn keep(&mut self, id: HoldId, swap: &Swap) {
        if self.keeps {
            self.bent.swaps.insert(id, swap.clone());
            self.count_bent();
        } else {
            self.reserve(swap, 1);
        }
    }

    /// Takes back [`keep`](Self::keep).
    pub(crate) fn unkeep(&mut self, id: HoldId, swap: &Swap) {
        if self.keeps {
            self.bent.swaps.remove(&id);
            self.count_bent();
        } else {
            self.reserve(swap, -1);
        }
    }

    fn reserve(&mut self, swap: &Swap, sign: i64) {
        self.each(swap.account, |ledger, q| {
            let mut need = swap.total.clone();
            for (_, freed) in swap.freed.iter().filter(|(account, _)| ledger.path(**account).any(|above| above == q)) {
                need.iter_mut().zip(freed).for_each(|(need, freed)| *need -= freed);
            }
            need.iter_mut().for_each(|need| *need = (*need).max(0) * sign);
            ledger.reserved.add(q, &need);
        });
    }

    /// Counts anew the most that each quota on the way of a swap may come to be charged: with those of them, the oldest
    /// first, that add something to it, or with all. Costs, for each quota, the paths of the swaps below it.
    pub(crate) fn count_bent(&mut self) {
        let Bent { swaps, needs } = std::mem::take(&mut self.bent);
        for (q, need) in &needs {
            self.reserved.sub(*q, need);
        }
        let mut below: BTreeMap<Account, Vec<&Swap>> = BTreeMap::new();
        for swap in swaps.values() {
            let accounts = swap.freed.keys().copied().chain([swap.account]);
            let quotas: BTreeSet<Account> = accounts.flat_map(|account| self.path(account)).collect();
            quotas.into_iter().for_each(|q| below.entry(q).or_default().push(swap));
        }
        let some: Vec<(Account, Row)> = below.iter().map(|(q, swaps)| (*q, self.most_with_some(swaps, *q))).collect();
        swaps.values().for_each(|swap| self.carry_out(swap, 1));
        let most = |ledger: &Self, q: Account, some: &[i64]| -> Row {
            some.iter().zip(ledger.solid.row(q)).map(|(some, all)| *some.max(all)).collect()
        };
        let mut needs: Vec<(Account, Row)> = some.iter().map(|(q, some)| (*q, most(self, *q, some))).collect();
        swaps.values().for_each(|swap| self.carry_out(swap, -1));
        for (q, need) in &mut needs {
            need.iter_mut().zip(self.solid.row(*q)).for_each(|(most, now)| *most -= now);
            self.reserved.add(*q, need);
        }
        self.bent = Bent { swaps, needs };
    }

    /// What a quota counts of each resource with those swaps carried out that add to it where they are looked at.
    fn most_with_some(&mut self, swaps: &[&Swap], quota: Account) -> Row {
        let mut most: Row = self.solid.row(quota).into();
        for (r, most) in most.iter_mut().enumerate() {
            let mut done: SmallVec<[&Swap; 8]> = SmallVec::new();
            for swap in swaps {
                self.carry_out(swap, 1);
                let with = cell(self.solid.row(quota), r);
                if with > *most {
                    *most = with;
                    done.push(swap);
                } else {
                    self.carry_out(swap, -1);
                }
            }
            done.into_iter().for_each(|swap| self.carry_out(swap, -1));
        }
        most
    }

    fn carry_out(&mut self, swap: &Swap, sign: i64) {
        self.roll_up(swap.account, &swap.total, sign);
        for (account, freed) in &swap.freed {
            self.roll_up(*account, freed, -sign);
        }
    }

    /// Whether the charge of a quota does not simply follow what is used in this leaf.
    pub(crate) fn follows_bent(&self, account: Account) -> bool {
        !self.bent.swaps.is_empty() && self.bends(account)
    }

    /// What a request would add to the charge of each quota on its path, from the leaf up (A1).
    pub(crate) fn added(&self, account: Account, resource: usize, amount: i64) -> SmallVec<[i64; 8]> {
        if self.follows_bent(account) {
            let mut with = self.clone();
            let mut row: Row = self.solid.row(account).iter().map(|_| 0).collect();
            row.get_mut(resource).into_iter().for_each(|cell| *cell = amount);
            with.use_up(account, &row, true);
            return self.path(account).map(|q| with.charged(q, resource) - self.charged(q, resource)).collect();
        }
        let mut more = amount;
        let mut added = SmallVec::new();
        for q in self.path(account) {
            added.push(more);
            if self.keeps {
                let (solid, kept) = (cell(self.solid.row(q), resource), cell(self.kept.row(q), resource));
                more = solid.saturating_add(more).max(kept) - solid.max(kept);
            }
        }
        added
    }
}
