//! The figures of a run, counted as it goes. Their definitions are in `docs/metrics.md`.

mod borrowing_split;
mod datasets;
mod evictions;
mod fairness;
mod fleet;
mod guarantee_violation;
mod ledger;
mod people;
mod report;
mod rows;
mod waits;

pub(crate) use evictions::{Eviction, Evictions};
pub(crate) use fleet::paid_milli;
pub(crate) use ledger::Ledger;
pub(crate) use report::{permille as permille_of, result_of};
pub(crate) use waits::{Wait, figure as wait_figure, summary as wait_summary};

use crate::{
    engine::Engine,
    result::BreachRow,
    world::{CoreWorkload, Counts, Namespace, Pod, State},
};
use borrowing_split::{BorrowingSplit, Step};
use fairness::Leaf;
use quotree_core::{FairShares, Name, Time};
use std::collections::{BTreeMap, BTreeSet};

/// Everything that is counted.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    pub(crate) ledger: Ledger,
    /// Whose the borrowing and the starving in it are.
    pub(crate) lines: BorrowingSplit,
    /// As of the last settled moment.
    shares: FairShares,
    /// Whether the ledger has all pods.
    planted: bool,
    pub(crate) waits: Vec<Wait>,
    pub(crate) evictions: Evictions,
    /// Work thrown away, pod-milliseconds.
    pub(crate) lost_ms: u128,
    /// When the last pod ended, well or badly.
    pub(crate) last_end: Time,
    /// When the last bind or eviction was decided.
    pub(crate) last_change: Option<Time>,
    pub(crate) decisions: u64,
    /// Jobs that job queues let out, and those that came back because they did not start in time.
    pub(crate) let_out: u64,
    pub(crate) start_timeouts: u64,
    pub(crate) bounds_hit: u64,
    /// Gangs seen running below their minimum by the scheduler's doing (I6).
    pub(crate) partial_gangs: u64,
    /// Shortfalls against the fair share as of the last settled moment, and over time, by resource number.
    short: Vec<i128>,
    short_ms: Vec<u128>,
    /// The resource numbers of the tree's governed resources, in its order.
    governed: Vec<u32>,
    since: Time,
}

impl Figures {
    pub(crate) fn new(resources: usize) -> Self {
        Self {
            ledger: Ledger::new(resources),
            short: vec![0; resources],
            short_ms: vec![0; resources],
            ..Self::default()
        }
    }

    /// Time moves on; everything stays as it is until then.
    pub(crate) fn advance(&mut self, now: Time) {
        let ms = u128::from(now.since(self.since));
        for (sum, short) in self.short_ms.iter_mut().zip(&self.short) {
            *sum = sum.saturating_add(u128::try_from(*short).unwrap_or(0).saturating_mul(ms));
        }
        self.since = now;
        self.ledger.advance(now);
    }

    /// A pod was bound after waiting this long.
    pub(crate) fn waited(&mut self, account: u32, ms: u64) {
        self.waits.push(Wait { account, ms });
    }
}

impl Engine<'_> {
    /// A pod's change of state in the ledger, and in the lines of its leaf.
    pub(crate) fn enter(&mut self, pod: u32, from: State, to: State) {
        let uses = i128::from(to.uses()) - i128::from(from.uses());
        let waits = i128::from(to == State::Waiting) - i128::from(from == State::Waiting);
        let leaves = i128::from(to == State::Leaving) - i128::from(from == State::Leaving);
        if uses == 0 && waits == 0 && leaves == 0 {
            return;
        }
        let Pod { unit, shape, .. } = self.world.pods[pod];
        let CoreWorkload { namespace, account, .. } = self.world.units[unit];
        let leaf = self.world.namespaces[namespace].leaf;
        for (resource, amount) in &self.world.shapes.rows[shape] {
            let amount = i128::from(*amount);
            self.figures.ledger.shift(leaf, *resource, uses * amount, waits * amount);
            if leaves != 0 {
                self.figures.ledger.leave(leaf, *resource, leaves * amount);
            }
        }
        if self.figures.planted && (uses != 0 || waits != 0) {
            self.stand(Step { pod, shape, account, leaf, uses, waits });
        }
    }

    /// A tree takes effect: namespaces find their leaves and the ledger is made anew from the pods.
    pub(crate) fn plant(&mut self) {
        let tree = self.core.scheduler().tree();
        let known: BTreeSet<&Name> = self.world.namespaces.iter().map(|namespace| &namespace.name).collect();
        let named = tree.ids().filter_map(|quota| tree.spec(quota)).flat_map(|quota| &quota.namespaces);
        let new: Vec<Name> = named.filter(|name| !known.contains(name)).cloned().collect();
        for name in new {
            self.world.namespaces.push(Namespace { name, leaf: None, counts: Counts::default() });
        }
        for namespace in self.world.namespaces.iter_mut() {
            namespace.leaf = tree.leaf_of(namespace.name.as_str()).map(|q| q.0);
        }
        let names = tree.governed();
        self.figures.governed = names.filter_map(|name| self.world.shapes.resource(name.as_str())).collect();
        self.figures.ledger.plant(tree, &self.figures.governed);
        (self.figures.planted, self.figures.shares) = (false, FairShares::default());
        for pod in self.world.pods.ids() {
            let state = self.world.pods[pod].state;
            self.enter(pod, State::New, state);
        }
        self.figures.planted = true;
        self.rebuild_split(false);
    }

    /// A moment has settled: the shortfalls hold until the next.
    pub(crate) fn settled(&mut self) {
        if !self.options.fairness_integral {
            return;
        }
        let scheduler = self.core.scheduler();
        let (tree, figures) = (scheduler.tree(), &mut self.figures);
        scheduler.refresh_fair_shares(&mut figures.shares);
        if self.options.audit && figures.shares.rows() != scheduler.fair_shares() {
            self.breaches.push(BreachRow { at_ms: self.now.0, what: "kept fair shares are out of date".to_owned() });
        }
        figures.short.fill(0);
        for quota in tree.ids().filter(|q| tree.is_leaf(*q)) {
            let row = figures.shares.rows().get(quota.0 as usize).map_or(&[][..], Vec::as_slice);
            for (number, share) in figures.governed.iter().zip(row) {
                let cell = figures.ledger.cell(quota.0, *number);
                let wants = cell.used + cell.waiting > 0;
                if let Some(slot) = figures.short.get_mut(*number as usize).filter(|_| wants) {
                    *slot += (i128::from(*share) - cell.used).max(0);
                }
            }
        }
    }

    /// Where the world's ledger and the scheduler's differ, or the accounts of all accounts and the whole, if they do.
    pub(crate) fn disagreement(&self) -> Option<String> {
        let accounts = &self.world.accounts.all;
        for (number, name) in (0u32..).zip(self.world.shapes.resources()) {
            let total = self.figures.ledger.totals[number];
            let over_time = accounts.iter().map(|account| account.over_time(number, self.now));
            let [used, borrowed, starved] = over_time.fold([0; 3], |sum, part| {
                let [a, b, c] = part;
                let [x, y, z] = sum;
                [x + a, y + b, z + c]
            });
            let rows = [("used", used, total.used_ms), ("borrowed", borrowed, total.borrowed_ms)];
            for (what, sum, whole) in rows.into_iter().chain([("missed", starved, total.starved_ms)]) {
                if sum != whole {
                    return Some(format!("the accounts have {what} {sum} of {name} over time, the whole {whole}"));
                }
            }
        }
        let scheduler = self.core.scheduler();
        let tree = scheduler.tree();
        // What job queues keep back, the scheduler does not know of.
        let mut kept_back: BTreeMap<(quotree_core::QuotaId, &str), i128> = BTreeMap::new();
        for spec in self.world.job_queues.suspended() {
            let Some(leaf) = tree.leaf_of(spec.namespace.as_str()) else { continue };
            for set in &spec.pods {
                for (resource, each) in set.template.request.iter() {
                    *kept_back.entry((leaf, resource.as_str())).or_default() +=
                        i128::from(each) * i128::from(set.count);
                }
            }
        }
        for quota in tree.ids().filter(|q| tree.is_leaf(*q)) {
            let usage = scheduler.usage(quota);
            for (number, name) in self.figures.governed.iter().zip(tree.governed()) {
                let cell = self.figures.ledger.cell(quota.0, *number);
                let theirs = |row: &quotree_core::Amounts| i128::from(row.get(name.as_str()).unwrap_or(0));
                let (used, request) = (theirs(&usage.used), theirs(&usage.request));
                let waiting = cell.waiting - kept_back.get(&(quota, name.as_str())).copied().unwrap_or(0);
                if (used, request) != (cell.used, cell.used + waiting) {
                    return Some(format!(
                        "the world has {} {name} used and {} asked under {}, the scheduler {used} and {request}",
                        cell.used,
                        cell.used + waiting,
                        tree.name(quota),
                    ));
                }
            }
        }
        None
    }

    /// The leaves with what they use, want and deserve, one number a governed resource.
    fn leaves(&self) -> Vec<Leaf> {
        let tree = self.core.scheduler().tree();
        let numbers = &self.figures.governed;
        let shares = self.core.scheduler().fair_shares();
        let leaf = |q: quotree_core::QuotaId| {
            let cells: Vec<_> = numbers.iter().map(|r| self.figures.ledger.cell(q.0, *r)).collect();
            let share = shares.get(q.0 as usize).map_or(&[][..], Vec::as_slice);
            Leaf {
                used: cells.iter().map(|c| c.used).collect(),
                demand: cells.iter().map(|c| c.used + c.waiting).collect(),
                share: numbers.iter().enumerate().map(|(i, _)| share.get(i).map_or(0, |s| i128::from(*s))).collect(),
            }
        };
        tree.ids().filter(|q| tree.is_leaf(*q)).map(leaf).collect()
    }

    /// Capacity of each governed resource.
    fn capacity(&self) -> Vec<i128> {
        self.figures.governed.iter().map(|r| self.figures.ledger.totals[*r].capacity).collect()
    }

    /// Jain's index, the fairness error and the dominant share gap now, thousandths.
    pub(crate) fn fairness(&self) -> [u64; 3] {
        let (leaves, capacity) = (self.leaves(), self.capacity());
        let short = fairness::shortfalls(&leaves, capacity.len());
        [
            fairness::jain_permille(&leaves, capacity.len()),
            fairness::error_permille(&short, &capacity),
            fairness::gap_permille(&leaves, &capacity),
        ]
    }
}
