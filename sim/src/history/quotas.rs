//! Quotas over time: what each used, borrowed, lent, missed and reserved, and which leaf lent to which. Samples are
//! taken after all events of a time have been handled, from the ledger of the metrics.

use super::{
    cluster::small,
    edits,
    loans::{Lent, Loans, split},
    rows::{Change, EditHistory, QuotaHistory, QuotaLines},
};
use crate::{metrics::MetricsCollector, model::QuotaEdit, world::World};
use quotree_core::{Name, QuotaId, QuotaSpec, QuotaTree, Scheduler, WorkloadId};
use std::collections::{BTreeMap, BTreeSet};

/// The amounts that are summed up the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Sum {
    used: i64,
    waiting: i64,
    borrowed: i64,
    lent: i64,
    missed: i64,
    share: i64,
}

impl Sum {
    /// What is used and requested by pending pods.
    const fn request(&self) -> i64 {
        self.used.saturating_add(self.waiting)
    }
}

/// All quotas that ever existed, their series, and the tree in effect.
#[derive(Debug, Default)]
pub(super) struct Quotas {
    known: Vec<QuotaHistory>,
    by_name: BTreeMap<Name, u32>,
    /// For each quota of the tree in effect: its index among all known quotas.
    places: Vec<u32>,
    governed: Vec<u32>,
    lines: Vec<QuotaLines>,
    /// The index of the series of a known quota and a resource.
    line_of: BTreeMap<(u32, u32), usize>,
    /// These indices for the tree in effect, by governed resource and then in the order of the tree.
    rows: Vec<Vec<usize>>,
    pub(super) loans: Loans,
    holds: BTreeSet<WorkloadId>,
    /// Whether something was reserved at the last sample.
    held: bool,
    specs: Vec<QuotaSpec>,
    edits: Vec<EditHistory>,
    sums: Vec<Sum>,
    /// What leaves borrow, and what they leave unused, of the resource that is being sampled. Kept to avoid new
    /// allocations.
    borrowed: Vec<(u32, i128)>,
    idle: Vec<(u32, i128)>,
    lent: Lent,
    /// The sums of each governed resource at the last sample, in the order of the tree. Empty after another tree took
    /// effect.
    last: Vec<Vec<Sum>>,
}

impl Quotas {
    /// The index among all known quotas of a quota of the tree in effect.
    pub(super) fn place(&self, quota: QuotaId) -> u32 {
        self.places.get(quota.0 as usize).copied().unwrap_or(0)
    }

    /// The index of a quota by its name.
    pub(super) fn named(&self, name: &Name) -> Option<u32> {
        self.by_name.get(name).copied()
    }

    /// Records that a workload has a reservation.
    pub(super) fn hold(&mut self, workload: WorkloadId) {
        self.holds.insert(workload);
    }

    /// Records that a tree takes effect.
    pub(super) fn plant(&mut self, world: &World<'_>, by: Option<&Name>) {
        let (tree, now) = (world.trees.current(), world.now.0);
        let first = self.known.is_empty();
        self.places.clear();
        for quota in tree.ids() {
            let place = self.learn(world, tree, quota, now);
            self.places.push(place);
        }
        let kept: BTreeSet<u32> = self.places.iter().copied().collect();
        for (place, known) in (0..).zip(&mut self.known) {
            if kept.contains(&place) {
                known.removed_ms = None;
            } else {
                known.removed_ms.get_or_insert(now);
            }
        }
        self.governed = tree.governed().filter_map(|name| world.shapes.resource(name.as_str())).collect();
        let specs: Vec<QuotaSpec> = tree.ids().filter_map(|quota| tree.spec(quota).cloned()).collect();
        if !first {
            let changes = self.changes(world, &specs);
            self.edits.push(EditHistory { at_ms: now, by: by.cloned(), changes, refused: false });
        }
        self.specs = specs;
        self.last = vec![Vec::new(); self.governed.len()];
        self.rows = vec![Vec::new(); self.governed.len()];
        self.bounds(tree, &kept, now);
    }

    /// Records a refused edit of a quota. An edit of an unknown quota is not recorded.
    pub(super) fn refused(&mut self, world: &World<'_>, (quota, edit): (&Name, &QuotaEdit), by: Option<&Name>) {
        let mut specs = self.specs.clone();
        specs.iter_mut().filter(|spec| spec.name == *quota).for_each(|spec| edit.apply(spec));
        let changes = self.changes(world, &specs);
        self.edits.push(EditHistory { at_ms: world.now.0, by: by.cloned(), changes, refused: true });
    }

    /// The differences from the tree in effect.
    fn changes(&self, world: &World<'_>, specs: &[QuotaSpec]) -> Vec<Change> {
        let place = |name: &Name| self.named(name).unwrap_or(0);
        edits::changes(&self.specs, specs, &place, &|name| world.shapes.resource(name))
    }

    fn learn(&mut self, world: &World<'_>, tree: &QuotaTree, quota: QuotaId, now: u64) -> u32 {
        let name = tree.name(quota).clone();
        let parent = tree.parent(quota).and_then(|parent| self.named(tree.name(parent)));
        let spec = tree.spec(quota);
        let amounts = |of: fn(&QuotaSpec) -> &quotree_core::Amounts| {
            spec.map(|spec| super::cluster::numbered(world, of(spec))).unwrap_or_default()
        };
        let next = u32::try_from(self.known.len()).unwrap_or(u32::MAX);
        let place = *self.by_name.entry(name.clone()).or_insert(next);
        if place == next {
            self.known.push(QuotaHistory { name: name.to_string(), added_ms: now, ..QuotaHistory::default() });
        }
        if let Some(known) = self.known.get_mut(place as usize) {
            (known.parent, known.leaf) = (parent, tree.is_leaf(quota));
            (known.min, known.max) = (amounts(|spec| &spec.min), amounts(|spec| &spec.max));
            known.namespaces = spec.map(|spec| spec.namespaces.clone()).unwrap_or_default();
        }
        place
    }

    /// Sets guarantees and limits from now on; those of removed quotas are 0.
    fn bounds(&mut self, tree: &QuotaTree, kept: &BTreeSet<u32>, now: u64) {
        for lines in &mut self.lines {
            if !kept.contains(&lines.quota) {
                let QuotaLines { min, max, used, request, borrowed, lent, held, missed, share, .. } = lines;
                for line in [min, max, used, request, borrowed, lent, held, missed, share] {
                    line.set(now, 0);
                }
            }
        }
        for quota in tree.ids() {
            let place = self.place(quota);
            for (index, name) in tree.governed().enumerate() {
                let Some(resource) = self.governed.get(index).copied() else { continue };
                let row = self.row(place, resource);
                self.rows.get_mut(index).into_iter().for_each(|rows| rows.push(row));
                let Some(lines) = self.lines.get_mut(row) else { continue };
                lines.min.set(now, tree.min(quota).get(index).copied().unwrap_or(0));
                let max = tree.spec(quota).and_then(|spec| spec.max.get(name.as_str()));
                lines.max.set(now, max.unwrap_or(-1));
            }
        }
    }

    /// The index of the series of a known quota and a resource.
    fn row(&mut self, quota: u32, resource: u32) -> usize {
        let next = self.lines.len();
        let row = *self.line_of.entry((quota, resource)).or_insert(next);
        if row == next {
            self.lines.push(QuotaLines { quota, resource, ..QuotaLines::default() });
        }
        row
    }

    /// Takes samples after all events of this time.
    pub(super) fn settled(&mut self, world: &World<'_>, scheduler: &Scheduler, metrics: &MetricsCollector) {
        let (tree, now) = (scheduler.tree(), world.now.0);
        for (index, resource) in self.governed.clone().into_iter().enumerate() {
            self.sample(tree, (now, resource), metrics);
            for (quota, sum) in tree.ids().zip(&mut self.sums) {
                let share = metrics.shares().get(quota.0 as usize).and_then(|row| row.get(index));
                sum.share = share.copied().unwrap_or(0);
            }
            let Some(last) = self.last.get_mut(index) else { continue };
            for (quota, sum) in tree.ids().zip(&self.sums) {
                let before = last.get(quota.0 as usize);
                if before == Some(sum) {
                    continue;
                }
                let row = self.rows.get(index).and_then(|rows| rows.get(quota.0 as usize));
                let Some(lines) = row.and_then(|row| self.lines.get_mut(*row)) else { continue };
                // A line that stays as it was is not even looked at: it would have to be loaded.
                let differs = |of: fn(&Sum) -> i64| before.is_none_or(|before| of(before) != of(sum));
                if differs(|sum| sum.used) {
                    lines.used.set(now, sum.used);
                }
                if differs(Sum::request) {
                    lines.request.set(now, sum.request());
                }
                if differs(|sum| sum.borrowed) {
                    lines.borrowed.set(now, sum.borrowed);
                }
                if differs(|sum| sum.lent) {
                    lines.lent.set(now, sum.lent);
                }
                if differs(|sum| sum.missed) {
                    lines.missed.set(now, sum.missed);
                }
                if differs(|sum| sum.share) {
                    lines.share.set(now, sum.share);
                }
            }
            last.clone_from(&self.sums);
        }
        self.held(world, scheduler);
    }

    /// Samples one resource: sums over the tree, in the order of the tree.
    fn sample(&mut self, tree: &QuotaTree, (now, resource): (u64, u32), metrics: &MetricsCollector) {
        let mut sums = std::mem::take(&mut self.sums);
        sums.clear();
        sums.resize(tree.len(), Sum::default());
        self.borrowed.clear();
        self.idle.clear();
        for (quota, sum) in tree.ids().zip(&mut sums).filter(|(quota, _)| tree.is_leaf(*quota)) {
            let cell = metrics.ledger.cell(quota.0, resource);
            *sum = Sum {
                used: small(cell.used),
                waiting: small(cell.waiting),
                borrowed: small(cell.borrowed()),
                lent: 0,
                missed: small(cell.starved()),
                share: 0,
            };
            if cell.borrowed() > 0 {
                self.borrowed.push((quota.0, cell.borrowed()));
            } else if cell.unused() > 0 {
                self.idle.push((quota.0, cell.unused()));
            }
        }
        split(&self.borrowed, &self.idle, &mut self.lent);
        for (quota, amount) in &self.lent.lenders {
            if let Some(sum) = sums.get_mut(*quota as usize) {
                sum.lent = small(*amount);
            }
        }
        let places = &self.places;
        let place = |quota: u32| places.get(quota as usize).copied().unwrap_or(0);
        let pairs =
            self.lent.pairs.iter().map(|((lender, borrower), amount)| ((place(*lender), place(*borrower)), *amount));
        self.loans.set(resource, now, pairs);
        for quota in tree.ids().rev() {
            let (Some(parent), Some(sum)) = (tree.parent(quota), sums.get(quota.0 as usize).copied()) else { continue };
            if let Some(above) = sums.get_mut(parent.0 as usize) {
                above.used = above.used.saturating_add(sum.used);
                above.waiting = above.waiting.saturating_add(sum.waiting);
                above.borrowed = above.borrowed.saturating_add(sum.borrowed);
                above.lent = above.lent.saturating_add(sum.lent);
                above.missed = above.missed.saturating_add(sum.missed);
            }
        }
        self.sums = sums;
    }

    fn held(&mut self, world: &World<'_>, scheduler: &Scheduler) {
        self.holds.retain(|workload| scheduler.workload(*workload).is_some_and(|view| view.held));
        let holds = !self.holds.is_empty();
        let first = world.now.0 == 0;
        if !holds && !self.held && !first {
            return;
        }
        self.held = holds;
        let tree = scheduler.tree();
        for quota in tree.ids() {
            let held = scheduler.usage(quota).held;
            for (rows, name) in self.rows.iter().zip(tree.governed()) {
                let row = rows.get(quota.0 as usize);
                let Some(lines) = row.and_then(|row| self.lines.get_mut(*row)) else { continue };
                lines.held.set(world.now.0, held.get(name.as_str()).unwrap_or(0));
            }
        }
    }

    /// The quotas, their series, and the edits.
    pub(super) fn finish(self) -> (Vec<QuotaHistory>, Vec<QuotaLines>, Vec<EditHistory>) {
        let mut lines = self.lines;
        lines.sort_by_key(|lines| (lines.quota, lines.resource));
        (self.known, lines, self.edits)
    }
}
