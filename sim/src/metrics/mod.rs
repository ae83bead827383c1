//! The metrics of a run, collected from the facts that the world emits. Their definitions are in `docs/metrics.md`.

mod account_parts;
mod binding;
mod borrowing_split;
mod cross_check;
mod evenness;
mod evictions;
mod fairness;
mod guarantee_violation;
mod ledger;
mod spread;

pub(crate) use evictions::Eviction;
pub(crate) use ledger::Ledger;
pub(crate) use spread::{figure, spread};

use crate::{
    result::permille_of,
    trace::TraceEvent,
    world::{CoreWorkload, Fact, NONE, Pod, State, Table, UsageAccount, World},
};
use account_parts::AccountParts;
use binding::{Binding, Renamed};
use borrowing_split::{BorrowingSplit, Step};
use evenness::Evenness;
pub(crate) use evictions::Evictions;
use quotree_core::{
    Event, EvictReason, FairShares, Plan, QuotaId, QuotaTree, Reclaim, ReleaseReason, Scheduler, Time, WorkloadId,
};

/// All metrics of a run.
#[derive(Debug, Default)]
pub(crate) struct MetricsCollector {
    pub(crate) ledger: Ledger,
    /// Decisions to bind a pod.
    pub(crate) bound: u64,
    pub(crate) evictions: Evictions,
    /// When the last bind or eviction was decided.
    pub(crate) last_change: Option<Time>,
    pub(crate) decisions: u64,
    /// Workloads that decisions tried and did not place.
    pub(crate) failed_attempts: u64,
    /// Verdicts of searches that stopped at their limit.
    pub(crate) bounds_hit: u64,
    /// Gangs that the scheduler left running below their minimum (I6).
    pub(crate) partial_gangs: u64,
    /// The state of each pod, according to the facts received so far.
    states: Table<State>,
    /// Which accounts borrow, and which lack their guarantee, in the ledger.
    split: BorrowingSplit,
    binding: Binding,
    parts: AccountParts,
    /// The fairness figures, as of the last time at which all events had been handled.
    shares: FairShares,
    /// Whether something on which shares or shortfalls depend may have changed since then.
    stale: bool,
    /// Shortfalls against the fair share, at that time and over time, by resource number.
    short: Vec<i128>,
    short_ms: Vec<u128>,
    evenness: Evenness,
    /// The resource numbers of the governed resources of the tree, in its order.
    governed: Vec<u32>,
    /// For each of them, whether guarantees count in it: some quota is guaranteed an amount of it, or fair shares
    /// divide it.
    counted: Vec<bool>,
    now: Time,
}

impl MetricsCollector {
    pub(crate) fn new(resources: usize) -> Self {
        Self {
            ledger: Ledger::new(resources),
            parts: AccountParts::new(resources),
            short: vec![0; resources],
            short_ms: vec![0; resources],
            ..Self::default()
        }
    }

    /// Advances time. Nothing changes in between.
    pub(crate) fn advance(&mut self, now: Time) {
        let ms = u128::from(now.since(self.now));
        for (sum, short) in self.short_ms.iter_mut().zip(&self.short) {
            *sum = sum.saturating_add(u128::try_from(*short).unwrap_or(0).saturating_mul(ms));
        }
        self.evenness.advance(ms);
        self.now = now;
        self.ledger.advance(now);
    }

    /// Receives the plan of a decision.
    pub(crate) fn decided(&mut self, plan: &Plan, world: &World<'_>) {
        for renamed in self.binding.decided(plan, world) {
            self.rename(&renamed, world);
        }
        self.decisions += 1;
        self.failed_attempts += plan.verdicts.len() as u64;
        self.bounds_hit += plan.verdicts.iter().filter(|verdict| !verdict.bounds_hit.is_empty()).count() as u64;
        self.evictions.begin_plan();
        self.stale |= !plan.actions.is_empty();
    }

    /// Receives an event that the scheduler gets. A successful bind changes neither usage nor demand.
    pub(crate) fn told(&mut self, event: &Event) {
        self.stale |= !matches!(event, Event::PodBound { .. } | Event::Tick);
    }

    /// Records a decision to evict a pod. The facts that follow have not been received yet.
    pub(crate) fn evict_decided(&mut self, world: &World<'_>, pod: u32, reason: EvictReason) {
        let cause = reason.cause.filter(|cause| cause.0 < world.units.len());
        let violates = cause.is_some_and(|cause| self.violates_guarantee(world, pod, cause.0));
        self.evictions.add(Eviction::new(self.now, pod, reason, (world.trees.version(), violates)));
        self.last_change = Some(self.now);
    }

    /// Records that the reservation of a workload ended before the workload was bound.
    pub(crate) fn released(&mut self, workload: WorkloadId, reason: ReleaseReason) {
        match reason {
            ReleaseReason::NeededBy(taker) => self.evictions.taken_over(workload, taker),
            // The workload goes on waiting, and finds the leaving pods still leaving.
            ReleaseReason::TreeChanged | ReleaseReason::EvictFailed(_) => {}
            _ => self.evictions.in_vain(workload),
        }
    }

    /// Receives a fact of the world.
    #[inline]
    pub(crate) fn on(&mut self, fact: &Fact, world: &World<'_>) {
        match fact {
            Fact::Pod { pod, from, to } => self.enter(world, *pod, *from, *to),
            Fact::BindDecided { pod } => {
                self.bound += 1;
                self.evictions.placed(WorkloadId(world.pods[*pod].unit));
                self.last_change = Some(self.now);
            }
            Fact::WorkLost { pod, lost_ms } => self.evictions.lost_work(*pod, *lost_ms),
            Fact::PodResized { pod, .. } => self.binding.forget(world.pods[*pod].unit),
            // The ledger has what pods requested before.
            Fact::Resized => self.plant(world),
            Fact::EvictedWhole { unit } => self.evictions.went_whole(|pod| world.pods[pod].unit == *unit),
            Fact::GangBelowMinimum => self.partial_gangs += 1,
            Fact::Trace(TraceEvent::EvictionFailed { pod }) => {
                world.find(*pod).into_iter().for_each(|pod| self.evictions.fail(pod));
            }
            Fact::Trace(TraceEvent::Withdraw { workload }) => self.evictions.in_vain(*workload),
            Fact::Capacity { resource, amount } => {
                self.ledger.resize(*resource, *amount);
                self.stale = true;
            }
            _ => {}
        }
    }

    /// Changes usage or demand of the leaf of a pod that changes its state.
    fn enter(&mut self, world: &World<'_>, pod: u32, from: State, to: State) {
        if pod == self.states.len() {
            self.states.push(to);
        } else {
            self.states[pod] = to;
        }
        if let Some(step) = self.count(world, pod, from, to) {
            let rows = &world.shapes.rows;
            if !self.split.shift(step, (&self.ledger, rows, &self.binding), &mut self.parts, self.now) {
                self.rebuild_split(world, true);
            }
        }
    }

    /// Enters a change of state into the ledger, and returns the resulting change of the order of its leaf.
    fn count(&mut self, world: &World<'_>, pod: u32, from: State, to: State) -> Option<Step> {
        let uses = i128::from(to.holds_resources()) - i128::from(from.holds_resources());
        let waits = binding::waits(from, to);
        let leaves = i128::from(to == State::Leaving) - i128::from(from == State::Leaving);
        if uses == 0 && waits == 0 && leaves == 0 {
            return None;
        }
        let Pod { unit, shape, .. } = world.pods[pod];
        let CoreWorkload { namespace, account, .. } = world.units[unit];
        let leaf = world.namespaces[namespace].leaf;
        let class = if waits == 0 { NONE } else { self.class(world, unit) };
        if waits != 0 {
            self.binding.shift(class, (unit, waits), &world.shapes.rows[shape]);
        }
        for (resource, amount) in &world.shapes.rows[shape] {
            let amount = i128::from(*amount);
            self.ledger.shift(leaf, *resource, uses * amount, waits * amount);
            if waits != 0 && !self.binding.waits_for(class, *resource) {
                self.ledger.name(leaf, *resource, -waits * amount);
            }
            if leaves != 0 {
                self.ledger.leave(leaf, *resource, leaves * amount);
            }
        }
        self.stale = true;
        (uses != 0 || waits != 0).then_some(Step { pod, shape, account, class, leaf, uses, waits })
    }

    /// The class of the waiting pods of a core workload.
    fn class(&mut self, world: &World<'_>, unit: u32) -> u32 {
        let (governed, counted) = (&self.governed, &self.counted);
        self.binding.class(world, unit, |namespace, shape| promises((governed, counted), world, namespace, shape))
    }

    /// Rebuilds the ledger from all pods, for a tree that takes effect.
    pub(crate) fn plant(&mut self, world: &World<'_>) {
        let tree = world.trees.current();
        self.governed = tree.governed().filter_map(|name| world.shapes.resource(name.as_str())).collect();
        let by_share = world.scenario.policy.reclaim == Reclaim::FairShare;
        let places = 0..self.governed.len();
        self.counted = places.map(|place| by_share || is_guaranteed(tree, place)).collect();
        self.ledger.plant(tree, &self.governed);
        self.evenness.plant(self.governed.len());
        (self.shares, self.stale) = (FairShares::default(), true);
        let (governed, counted) = (&self.governed, &self.counted);
        self.binding.plant(|namespace, shape| promises((governed, counted), world, namespace, shape));
        for pod in self.states.ids() {
            let state = self.states[pod];
            self.count(world, pod, State::New, state);
        }
        self.rebuild_split(world, false);
    }

    /// After all events of this time: records the reason of workloads that began to wait and were not tried.
    pub(crate) fn judged(&mut self, world: &World<'_>, scheduler: &Scheduler) {
        for renamed in self.binding.settled(world, scheduler) {
            self.rename(&renamed, world);
        }
    }

    /// Updates the orders after the resource that the pods of a class wait for has changed.
    fn rename(&mut self, renamed: &Renamed, world: &World<'_>) {
        let leaf = world.namespaces[renamed.namespace].leaf;
        let rows = &world.shapes.rows;
        self.split.forget_waiting(leaf, (&self.ledger, rows, &self.binding), &mut self.parts, self.now);
        let waited: Vec<(u32, i128, bool)> = self
            .binding
            .request(renamed.class)
            .map(|(resource, amount)| (resource, amount, self.binding.waits_for(renamed.class, resource)))
            .collect();
        self.binding.rename(renamed);
        for (resource, amount, before) in waited {
            let now = i128::from(self.binding.waits_for(renamed.class, resource));
            self.ledger.name(leaf, resource, (now - i128::from(before)) * amount);
        }
        self.split.count_waiting(leaf, (&self.ledger, rows, &self.binding), &mut self.parts, self.now);
    }

    /// Rebuilds the orders of all leaves.
    fn rebuild_split(&mut self, world: &World<'_>, keep: bool) {
        let quotas = u32::try_from(world.trees.current().len()).unwrap_or(u32::MAX);
        let entered = self.split.rebuild(quotas, &self.governed, &self.ledger, keep);
        self.parts.clear(self.now);
        for pod in entered.unwrap_or_else(|| self.states.ids().collect()) {
            let state = self.states[pod];
            let (uses, waits) = (i128::from(state.holds_resources()), i128::from(state == State::Waiting));
            if uses + waits == 0 {
                continue;
            }
            let Pod { unit, shape, .. } = world.pods[pod];
            let CoreWorkload { namespace, account, .. } = world.units[unit];
            let class = self.class(world, unit);
            let step = Step { pod, shape, account, class, leaf: world.namespaces[namespace].leaf, uses, waits };
            if !self.split.shift(step, (&self.ledger, &world.shapes.rows, &self.binding), &mut self.parts, self.now) {
                return self.rebuild_split(world, true);
            }
        }
    }

    /// After all events of this time: computes the shortfalls, which hold until the next event. With `check`, returns
    /// whether the fair shares equal those computed from scratch.
    pub(crate) fn settled(&mut self, scheduler: &Scheduler, check: bool) -> bool {
        if std::mem::take(&mut self.stale) {
            scheduler.refresh_fair_shares(&mut self.shares);
            self.update_shortfalls(scheduler.tree());
        }
        !check || self.shares.rows() == scheduler.fair_shares()
    }

    fn update_shortfalls(&mut self, tree: &QuotaTree) {
        self.short.fill(0);
        for (place, quota) in tree.ids().filter(|q| tree.is_leaf(*q)).enumerate() {
            let row = self.shares.rows().get(quota.0 as usize).map_or(&[][..], Vec::as_slice);
            for (resource, (number, share)) in self.governed.iter().zip(row).enumerate() {
                let cell = self.ledger.cell(quota.0, *number);
                self.evenness.set(place, resource, (cell.used, (*share).into()));
                let wants = cell.used + cell.waiting > 0;
                if let Some(slot) = self.short.get_mut(*number as usize).filter(|_| wants) {
                    *slot += (i128::from(*share) - cell.used).max(0);
                }
            }
        }
        self.evenness.settle();
    }

    /// The fair shares as of the last time at which all events had been handled.
    pub(crate) fn shares(&self) -> &[Vec<i64>] {
        self.shares.rows()
    }

    /// The shortfall of a resource over time, base units times milliseconds.
    pub(crate) fn short_ms(&self, resource: usize) -> u128 {
        self.short_ms.get(resource).copied().unwrap_or(0)
    }

    /// The governed resources in which guarantees count: resource number, and the min of a quota.
    pub(crate) fn guarantees<'t>(&'t self, tree: &'t QuotaTree, quota: QuotaId) -> impl Iterator<Item = (u32, i64)> {
        let mins = self.governed.iter().zip(tree.min(quota));
        mins.zip(&self.counted).filter(|(_, counted)| **counted).map(|((number, min), _)| (*number, *min))
    }

    /// How much a leaf borrows of a request that it has just begun to use, by governed resource: the part above its
    /// min.
    pub(crate) fn borrowed_of(&self, leaf: Option<u32>, row: &[(u32, i64)]) -> Vec<(u32, i64)> {
        let Some(leaf) = leaf else { return Vec::new() };
        let of = |(resource, amount): &(u32, i64)| {
            let borrowed = self.ledger.cell(leaf, *resource).borrowed().min(i128::from(*amount));
            i64::try_from(borrowed).ok().filter(|borrowed| *borrowed > 0).map(|borrowed| (*resource, borrowed))
        };
        row.iter().filter(|(resource, _)| self.governed.contains(resource)).filter_map(of).collect()
    }

    /// What an account now uses, borrows and lacks of a resource.
    pub(crate) fn amounts(&self, account: &UsageAccount, resource: u32) -> [i128; 3] {
        let [borrowed, starved] = self.parts.amounts(account.number, resource);
        [account.used(resource), borrowed, starved]
    }

    /// As [`amounts`](Self::amounts), integrated up to now, base units times milliseconds.
    pub(crate) fn over_time(&self, account: &UsageAccount, resource: u32, now: Time) -> [u128; 3] {
        let [borrowed, starved] = self.parts.over_time(account.number, resource, now);
        [account.used_ms(resource, now), borrowed, starved]
    }

    /// Fairness over the run, thousandths. First Jain's index over the time in which two leaves could be compared, if
    /// there was any. Then the fairness error: the shortfall of the worst resource over the capacity.
    pub(crate) fn fairness_over_time(&self) -> (Option<u64>, u64) {
        let of = |(short, total): (&u128, &ledger::Total)| {
            (total.capacity_ms > 0).then(|| permille_of(*short, total.capacity_ms))
        };
        let errors = self.short_ms.iter().zip(self.ledger.totals.iter()).filter_map(of);
        (self.evenness.mean_permille(), errors.max().unwrap_or(0))
    }

    /// The leaves with their usage, demand and fair share, one number for each governed resource.
    fn leaves(&self, scheduler: &Scheduler) -> Vec<fairness::Leaf> {
        let (tree, shares) = (scheduler.tree(), scheduler.fair_shares());
        let leaf = |q: quotree_core::QuotaId| {
            let cells: Vec<_> = self.governed.iter().map(|r| self.ledger.cell(q.0, *r)).collect();
            let share = shares.get(q.0 as usize).map_or(&[][..], Vec::as_slice);
            fairness::Leaf {
                used: cells.iter().map(|c| c.used).collect(),
                demand: cells.iter().map(|c| c.used + c.waiting).collect(),
                share: (0..cells.len()).map(|i| share.get(i).map_or(0, |s| i128::from(*s))).collect(),
            }
        };
        tree.ids().filter(|q| tree.is_leaf(*q)).map(leaf).collect()
    }

    /// How many leaves a fairness figure compares: by demand, the leaves that use or request anything; otherwise, the
    /// leaves with a share above 0 of the resource for which most leaves have one.
    pub(crate) fn compared_leaves(&self, scheduler: &Scheduler, by_demand: bool) -> usize {
        let leaves = self.leaves(scheduler);
        if by_demand {
            return leaves.iter().filter(|leaf| leaf.wants()).count();
        }
        let with_share = |resource: usize| {
            leaves.iter().filter(|leaf| leaf.share.get(resource).is_some_and(|share| *share > 0)).count()
        };
        (0..self.governed.len()).map(with_share).max().unwrap_or(0)
    }

    /// Jain's index, the fairness error and the dominant share gap now, thousandths.
    pub(crate) fn fairness(&self, scheduler: &Scheduler) -> [u64; 3] {
        let capacity: Vec<i128> = self.governed.iter().map(|r| self.ledger.totals[*r].capacity).collect();
        let leaves = self.leaves(scheduler);
        let short = fairness::shortfalls(&leaves, capacity.len());
        [
            fairness::jain_permille(&leaves, capacity.len()),
            fairness::error_permille(&short, &capacity),
            fairness::gap_permille(&leaves, &capacity),
        ]
    }
}

/// Whether the tree guarantees a namespace some of each resource that a pod requests and in which guarantees count:
/// every quota on its path has a min above 0. Where a quota has none, the pod can never reclaim (R2(a)). With fair
/// shares, a guarantee needs no min.
fn promises((governed, counted): (&[u32], &[bool]), world: &World<'_>, namespace: u32, shape: u32) -> bool {
    if world.scenario.policy.reclaim == Reclaim::FairShare {
        return true;
    }
    let tree = world.trees.current();
    let Some(leaf) = world.namespaces[namespace].leaf else { return false };
    let row = &world.shapes.rows[shape];
    let requested = |number: u32| row.iter().any(|(resource, amount)| *resource == number && *amount > 0);
    let judged =
        governed.iter().zip(counted).enumerate().filter(|(_, (number, counted))| **counted && requested(**number));
    judged
        .map(|(place, _)| place)
        .all(|place| tree.path(QuotaId(leaf)).all(|quota| tree.min(quota).get(place).is_some_and(|min| *min > 0)))
}

/// Whether some quota below the root has a min in a governed resource, given by index; in a tree of one quota, whether
/// the root has. Otherwise the resource is only limited, and guaranteed to nobody.
fn is_guaranteed(tree: &QuotaTree, place: usize) -> bool {
    let below = tree.ids().skip(usize::from(tree.len() > 1));
    below.into_iter().any(|quota| tree.min(quota).get(place).is_some_and(|min| *min > 0))
}
