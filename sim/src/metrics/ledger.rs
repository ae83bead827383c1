//! Usage accounting for metrics, kept separately from the scheduler's own ledger: what every leaf uses and requests,
//! and the integrals over time.
//!
//! It is computed from the states of pods, and a pod changes only its own leaf. All integrals are exact: base units
//! times milliseconds in 128 bits, updated whenever time advances.

use crate::world::Table;
use quotree_core::{QuotaTree, Time};

/// The sums of one resource over the cluster, now and over time.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Total {
    pub(crate) governed: bool,
    /// The capacity of the nodes that are up.
    pub(crate) capacity: i128,
    pub(crate) used: i128,
    /// What leaves use above their guarantees.
    pub(crate) borrowed: i128,
    /// Guarantees that leaves do not use.
    pub(crate) unused: i128,
    /// What leaves lack of their guarantees while they have pods pending for that resource.
    pub(crate) starved: i128,
    pub(crate) capacity_ms: u128,
    pub(crate) used_ms: u128,
    pub(crate) borrowed_ms: u128,
    pub(crate) lent_ms: u128,
    pub(crate) starved_ms: u128,
}

impl Total {
    /// The guarantees of others that are in use. As in the ledger of the scheduler, borrowing uses idle
    /// guarantees before unguaranteed capacity.
    fn lent(&self) -> i128 {
        self.borrowed.min(self.unused)
    }

    fn advance(&mut self, ms: u128) {
        let area = |amount: i128| u128::try_from(amount).unwrap_or(0).saturating_mul(ms);
        self.capacity_ms = self.capacity_ms.saturating_add(area(self.capacity));
        self.used_ms = self.used_ms.saturating_add(area(self.used));
        self.borrowed_ms = self.borrowed_ms.saturating_add(area(self.borrowed));
        self.lent_ms = self.lent_ms.saturating_add(area(self.lent()));
        self.starved_ms = self.starved_ms.saturating_add(area(self.starved));
    }
}

/// One resource of one leaf.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Cell {
    pub(crate) min: i128,
    pub(crate) used: i128,
    pub(crate) waiting: i128,
    /// The part of the pending requests that belongs to pods that wait for this resource.
    pub(crate) named: i128,
    /// The part of the usage that belongs to terminating pods.
    pub(crate) leaving: i128,
}

impl Cell {
    pub(crate) fn borrowed(&self) -> i128 {
        (self.used - self.min).max(0)
    }

    pub(crate) fn unused(&self) -> i128 {
        (self.min - self.used).max(0)
    }

    pub(crate) fn starved(&self) -> i128 {
        self.unused().min(self.named)
    }
}

/// Usage and demand of all leaves, by resource number of the scenario.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ledger {
    pub(crate) totals: Table<Total>,
    cells: Table<Cell>,
    since: Time,
}

impl Ledger {
    /// A ledger for this many resources, without a tree.
    pub(crate) fn new(resources: usize) -> Self {
        Self {
            totals: (0..resources).map(|_| Total::default()).collect(),
            cells: Table::default(),
            since: Time::default(),
        }
    }

    /// Advances time.
    pub(crate) fn advance(&mut self, now: Time) {
        let ms = u128::from(now.since(self.since));
        if ms > 0 {
            self.totals.iter_mut().for_each(|total| total.advance(ms));
            self.since = now;
        }
    }

    /// Puts a tree into effect; `numbers` are the resource numbers of its governed resources. Usage and demand start at
    /// 0, and the caller must enter them again.
    pub(crate) fn plant(&mut self, tree: &QuotaTree, numbers: &[u32]) {
        let width = self.totals.len();
        let quotas = u32::try_from(tree.len()).unwrap_or(u32::MAX);
        self.cells = (0..quotas.saturating_mul(width)).map(|_| Cell::default()).collect();
        for total in self.totals.iter_mut() {
            (total.governed, total.used, total.borrowed, total.unused) = (false, 0, 0, 0);
            total.starved = 0;
        }
        for quota in tree.ids().filter(|q| tree.is_leaf(*q)) {
            for (number, min) in numbers.iter().zip(tree.min(quota)) {
                self.cells[quota.0 * width + number].min = i128::from(*min);
                let total = &mut self.totals[*number];
                total.unused += i128::from(*min);
            }
        }
        for number in numbers {
            self.totals[*number].governed = true;
        }
    }

    /// Changes usage and demand of a leaf by these amounts of a resource.
    #[inline]
    pub(crate) fn shift(&mut self, leaf: Option<u32>, resource: u32, used: i128, waiting: i128) {
        let width = self.totals.len();
        let total = &mut self.totals[resource];
        total.used += used;
        let Some(leaf) = leaf.filter(|_| total.governed) else {
            return;
        };
        let cell = &mut self.cells[leaf * width + resource];
        let before = *cell;
        cell.used += used;
        cell.waiting += waiting;
        cell.named += waiting;
        total.borrowed += cell.borrowed() - before.borrowed();
        total.unused += cell.unused() - before.unused();
        total.starved += cell.starved() - before.starved();
    }

    /// Counts pods of a leaf that begin to wait for this resource, by the amount that they request. A negative amount
    /// is of pods that begin to wait for another one.
    pub(crate) fn name(&mut self, leaf: Option<u32>, resource: u32, amount: i128) {
        let width = self.totals.len();
        let total = &mut self.totals[resource];
        if let Some(leaf) = leaf.filter(|_| total.governed) {
            let cell = &mut self.cells[leaf * width + resource];
            let before = *cell;
            cell.named += amount;
            total.starved += cell.starved() - before.starved();
        }
    }

    /// Counts pods of a leaf that begin to terminate, by the amount that they use. A negative amount is of pods that
    /// are gone.
    pub(crate) fn leave(&mut self, leaf: Option<u32>, resource: u32, amount: i128) {
        if let Some(leaf) = leaf.filter(|_| self.totals[resource].governed) {
            self.cells[leaf * self.totals.len() + resource].leaving += amount;
        }
    }

    /// The usage of a leaf without terminating pods.
    pub(crate) fn stays(&self, leaf: u32, resource: u32) -> i128 {
        let cell = self.cell(leaf, resource);
        cell.used - cell.leaving
    }

    /// Usage and demand of a leaf.
    pub(crate) fn cell(&self, leaf: u32, resource: u32) -> Cell {
        self.cells[leaf * self.totals.len() + resource]
    }

    /// Changes the capacity when a node joins or is lost.
    pub(crate) fn resize(&mut self, resource: u32, by: i128) {
        self.totals[resource].capacity += by;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quotree_core::{Amounts, QuotaSpec, TreeSpec};

    fn ledger() -> Ledger {
        let cpu = |n: i64| Amounts::new().with("cpu", n);
        let spec: TreeSpec = [
            QuotaSpec::new("root", None).min(cpu(10)).max(cpu(10)),
            QuotaSpec::new("a", Some("root")).min(cpu(4)).max(cpu(10)).namespace("a"),
            QuotaSpec::new("b", Some("root")).min(cpu(5)).max(cpu(10)).namespace("b"),
        ]
        .into_iter()
        .collect();
        let mut ledger = Ledger::new(1);
        ledger.plant(&QuotaTree::new(&spec, quotree_core::OverPromised::Error).unwrap(), &[0]);
        ledger.resize(0, 10);
        ledger
    }

    #[test]
    fn l2_borrowed_and_lent_are_integrated_exactly() {
        let mut ledger = ledger();
        ledger.shift(Some(1), 0, 5, 0); // a uses 5 of 4
        ledger.advance(Time(1000));
        ledger.shift(Some(1), 0, 3, 2); // a uses 8
        ledger.advance(Time(3000));
        ledger.shift(Some(2), 0, 2, 3); // b uses 2 of 5 and waits for 3
        ledger.advance(Time(4000));
        ledger.advance(Time(4000));
        let total = ledger.totals[0];
        assert_eq!(total.used_ms, 5_000 + 16_000 + 10_000);
        assert_eq!(total.capacity_ms, 40_000);
        assert_eq!(total.borrowed_ms, 1_000 + 8_000 + 4_000);
        assert_eq!(total.lent_ms, 1_000 + 8_000 + 3_000, "no more than b leaves idle");
        assert_eq!(total.starved_ms, 3_000);
    }

    #[test]
    fn what_is_on_no_leaf_is_used_and_nothing_else() {
        let mut ledger = ledger();
        ledger.shift(None, 0, 3, 9);
        ledger.advance(Time(1));
        let total = ledger.totals[0];
        assert_eq!((total.used_ms, total.borrowed_ms, total.starved_ms), (3, 0, 0));
    }
}
