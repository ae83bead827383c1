//! Breakdowns: the sums over the usage accounts of each user, group, namespace, quota or workload.

use super::{JobFigures, job_figures, pools::paid_milli, rows::instances};
use crate::{
    metrics::{Eviction, MetricsCollector},
    result::{GroupRow, JobQueueRow, PodCounts, QuantityMap, ShareRow, TimeMap, UserRow, WorkRow, permille_of},
    view::RunView,
    world::{Counts, Input, NONE, Outcomes, Shapes, Thrash, UsageAccount},
};
use quotree_core::{Amounts, Name, Time};
use std::collections::BTreeMap;

/// Sums over accounts, by the number of the user, group, namespace, quota or workload.
pub(super) struct Sums<'e> {
    view: RunView<'e>,
    all: Vec<Sum>,
}

#[derive(Clone, Default)]
struct Sum {
    counts: Counts,
    outcomes: Outcomes,
    refused: u64,
    lost_ms: u128,
    drained: u64,
    queues: JobQueueRow,
    thrash: Thrash,
    last_end: Time,
    paid: u128,
    /// Used, borrowed and lacking amounts, now and over time, by resource number.
    now: Vec<[i128; 3]>,
    over_time: Vec<[u128; 3]>,
    /// Numbers of jobs.
    jobs: Vec<u32>,
    evicted: BTreeMap<String, u64>,
    evicted_for: u64,
    wasted: u64,
    input: Option<Input>,
}

impl Sum {
    fn add(&mut self, account: &UsageAccount, is_whole: bool, metrics: &MetricsCollector, now: Time) {
        self.counts.add(&account.counts);
        if is_whole {
            self.outcomes.add(&account.outcomes);
        }
        self.refused += account.refused;
        self.lost_ms = self.lost_ms.saturating_add(account.lost_ms);
        self.drained += account.drained;
        self.queues.let_out += account.let_out;
        self.queues.start_timeouts += account.start_timeouts;
        self.thrash.add(&account.thrash);
        self.last_end = self.last_end.max(account.last_end);
        self.paid = self.paid.saturating_add(account.paid(now));
        for (resource, (sum, over_time)) in (0..).zip(self.now.iter_mut().zip(&mut self.over_time)) {
            sum.iter_mut().zip(metrics.amounts(account, resource)).for_each(|(sum, more)| *sum += more);
            let more = metrics.over_time(account, resource, now);
            over_time.iter_mut().zip(more).for_each(|(sum, more)| *sum = sum.saturating_add(more));
        }
    }
}

impl<'e> Sums<'e> {
    /// Adds every account to the sums whose numbers `of` returns.
    pub(super) fn new(view: &RunView<'e>, count: usize, of: impl Fn(&UsageAccount) -> Vec<u32>) -> Self {
        let world = view.world;
        let width = world.shapes.resources().len();
        let empty = Sum { now: vec![[0; 3]; width], over_time: vec![[0; 3]; width], ..Sum::default() };
        let mut all = vec![empty; count];
        let places: Vec<Vec<u32>> = world.accounts.all.iter().map(of).collect();
        let mut each = |account: u32, add: &mut dyn FnMut(&mut Sum)| {
            for place in places.get(account as usize).into_iter().flatten() {
                all.get_mut(*place as usize).into_iter().for_each(&mut *add);
            }
        };
        for (number, account) in (0..).zip(world.accounts.all.iter()) {
            let is_whole = world.is_whole(account.key.tally);
            each(number, &mut |sum| sum.add(account, is_whole, view.metrics, view.now()));
        }
        for (number, job) in (0..).zip(world.jobs.iter()) {
            each(job.account, &mut |sum| sum.jobs.push(number));
        }
        let victim = |eviction: &Eviction| world.units[world.pods[eviction.pod].unit].account;
        for eviction in &view.metrics.evictions.all {
            let rule = eviction.reason.rule.to_string();
            each(victim(eviction), &mut |sum| *sum.evicted.entry(rule.clone()).or_default() += 1);
            if let Some(cause) = eviction.reason.cause.filter(|cause| cause.0 < world.units.len()) {
                each(world.units[cause.0].account, &mut |sum| sum.evicted_for += 1);
            }
        }
        for eviction in view.metrics.evictions.wasted_ones(view.is_quiet()) {
            each(victim(eviction), &mut |sum| sum.wasted += 1);
        }
        for (account, input) in world.datasets.inputs(view.now()) {
            each(account, &mut |sum| sum.input.get_or_insert_default().join(&input));
        }
        Self { view: *view, all }
    }

    /// The row of a sum. May be called once for each number.
    pub(super) fn take(&mut self, number: u32) -> WorkRow {
        let sum = self.all.get_mut(number as usize).map(std::mem::take).unwrap_or_default();
        let jobs = job_figures(&self.view, &sum.jobs);
        let Counts { running, pending, succeeded, failed, evicted, .. } = sum.counts;
        let row = WorkRow {
            counts: PodCounts { running, pending, succeeded, failed, evicted },
            refused: sum.refused,
            wait: jobs.wait,
            used: self.amounts(&sum, |[used, _, _]| used),
            borrowed: self.amounts(&sum, |[_, borrowed, _]| borrowed),
            share: ShareRow::default(),
        };
        WorkRow { share: self.share(sum, &jobs), ..row }
    }

    fn share(&self, sum: Sum, jobs: &JobFigures) -> ShareRow {
        let totals = self.view.metrics.ledger.totals.iter();
        let resources = self.shapes().resources().zip(totals).zip(&sum.over_time);
        let used = resources.filter(|((_, total), [used, ..])| total.capacity_ms > 0 && *used > 0);
        let utilisation =
            used.map(|((name, total), [used, ..])| (name.to_string(), permille_of(*used, total.capacity_ms)));
        ShareRow {
            used_time_s: self.times(&sum, |[used, _, _]| used),
            lost_work_ms: sum.lost_ms,
            pods: sum.counts.made,
            first_wait: jobs.first_wait,
            turnaround: jobs.turnaround,
            slowdown: jobs.slowdown,
            instances: (sum.outcomes != Outcomes::default()).then(|| instances(&sum.outcomes)),
            evicted_for: sum.evicted_for,
            wasted_evictions: sum.wasted,
            thrash_max: sum.thrash.most,
            thrash_permille: sum.thrash.permille(),
            drained: sum.drained,
            cost_milli: paid_milli(sum.paid),
            makespan_ms: sum.last_end.0,
            utilisation_permille: utilisation.collect(),
            borrowed_time_s: self.times(&sum, |[_, borrowed, _]| borrowed),
            starved_time_s: self.times(&sum, |[_, _, starved]| starved),
            job_queues: (sum.queues != JobQueueRow::default()).then_some(sum.queues),
            input: sum.input.as_ref().map(super::datasets::input),
            evicted_by_rule: sum.evicted,
        }
    }

    fn shapes(&self) -> &'e Shapes {
        &self.view.world.shapes
    }

    fn amounts(&self, sum: &Sum, pick: fn([i128; 3]) -> i128) -> QuantityMap {
        let mut amounts = Amounts::new();
        for (name, amount) in self.shapes().resources().zip(&sum.now) {
            let amount = pick(*amount);
            if amount > 0 {
                amounts.set(name.clone(), i64::try_from(amount).unwrap_or(i64::MAX));
            }
        }
        QuantityMap(amounts)
    }

    fn times(&self, sum: &Sum, pick: fn([u128; 3]) -> u128) -> TimeMap {
        let times = self.shapes().resources().zip(&sum.over_time);
        TimeMap(times.map(|(name, ms)| (name.clone(), pick(*ms))).filter(|(_, ms)| *ms > 0).collect())
    }
}

/// The number as an index, if there is one.
fn place(number: u32) -> Vec<u32> {
    if number == NONE { Vec::new() } else { vec![number] }
}

pub(super) fn users(view: &RunView<'_>) -> Vec<UserRow> {
    let world = view.world;
    let mut sums = Sums::new(view, world.accounts.user_names().len(), |account| place(account.key.user));
    let row = |(number, name): (u32, &Name)| {
        let account = world.access.tenants.user(name.as_str());
        let mut work = sums.take(number);
        let edits =
            world.access.refusals.all.iter().filter(|refused| refused.user == number && refused.account == NONE);
        work.refused += edits.map(|refused| refused.row.times).sum::<u64>();
        UserRow {
            name: name.to_string(),
            role: account.map(|account| account.role),
            groups: account.into_iter().flat_map(|account| &account.groups).map(Name::to_string).collect(),
            work,
        }
    };
    (0..).zip(world.accounts.user_names()).map(row).collect()
}

pub(super) fn groups(view: &RunView<'_>) -> Vec<GroupRow> {
    let world = view.world;
    let mut sums = Sums::new(view, world.accounts.group_names().len(), |account| place(account.key.group));
    let row = |(number, name): (u32, &Name)| {
        let members = world.access.tenants.users().filter(|(_, account)| account.groups.contains(name));
        GroupRow {
            name: name.to_string(),
            quota: world.access.tenants.leaf_of(name.as_str()).map(Name::to_string),
            members: members.map(|(user, _)| user.to_string()).collect(),
            work: sums.take(number),
        }
    };
    (0..).zip(world.accounts.group_names()).map(row).collect()
}
