//! Quotas that an edit left over a limit: an estimate, made at the edit, of how long they will stay over it, and how
//! long they actually did.
//!
//! Two limits are checked: usage above a lowered `max`, and usage of non-preemptible pods above a lowered `min`, which
//! other queues cannot reclaim (A2). The estimate assumes that pods end when their work is done at the current speed,
//! that terminating pods are gone, and that nothing else changes: a quota over its limit admits no pod (A1).

use super::{Fact, World, job, node_speed, node_speed::FULL};
use crate::{model::Kind, trace::TraceEvent};
use quotree_core::{Name, QuotaId, QuotaTree, Scheduler, Time, Usage};
use std::collections::BTreeMap;

/// The limit that is exceeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Limit {
    Max,
    Min,
}

/// A quota over a limit that an edit lowered.
#[derive(Debug, Clone)]
pub(crate) struct QuotaOverrun {
    pub(crate) at: Time,
    pub(crate) quota: Name,
    pub(crate) resource: Name,
    pub(crate) limit: Limit,
    /// The excess, base units.
    pub(crate) over: i64,
    /// The estimate, in milliseconds, until it is within the limit by itself; absent if it never will be.
    pub(crate) estimate_ms: Option<u64>,
    /// When it was within the limit again.
    pub(crate) inside: Option<Time>,
    /// Whether another overrun, caused by a later edit, replaced it.
    pub(crate) replaced: bool,
}

/// All usage over a limit, with the excess.
pub(crate) type Excess = BTreeMap<(Name, Limit, Name), i64>;

/// The usage that counts towards a limit.
fn counted(usage: &Usage, limit: Limit, resource: &str) -> i64 {
    let amounts = if limit == Limit::Max { &usage.used } else { &usage.used_np };
    amounts.get(resource).unwrap_or(0)
}

/// All current usage over a limit, with the excess.
pub(crate) fn current(scheduler: &Scheduler) -> Excess {
    let tree = scheduler.tree();
    let mut all = BTreeMap::new();
    for quota in tree.ids() {
        let usage = scheduler.usage(quota);
        for (limit, row) in [(Limit::Max, tree.max(quota)), (Limit::Min, tree.min(quota))] {
            for (resource, most) in tree.governed().zip(row) {
                let over = counted(&usage, limit, resource.as_str()).saturating_sub(*most);
                if over > 0 {
                    all.insert((tree.name(quota).clone(), limit, resource.clone()), over);
                }
            }
        }
    }
    all
}

/// After an edit of the tree: records the quotas that are over a limit now and were not before.
pub(crate) fn find_new(world: &mut World<'_>, before: &Excess, scheduler: &Scheduler) {
    let now = current(scheduler);
    let news = now.into_iter().filter(|(key, by)| before.get(key).is_none_or(|was| by > was));
    for ((quota, limit, resource), over) in news {
        let same = |overrun: &&mut QuotaOverrun| {
            (&overrun.quota, overrun.limit, &overrun.resource) == (&quota, limit, &resource)
        };
        for overrun in world.overruns.iter_mut().filter(|overrun| overrun.inside.is_none()).filter(same) {
            overrun.replaced = true;
        }
        let Some(id) = scheduler.tree().by_name(quota.as_str()) else { continue };
        let estimate_ms = estimate(world, (id, scheduler.tree()), limit, &resource, over);
        world.emit(Fact::Derived(TraceEvent::QuotaOver { quota: id, max: limit == Limit::Max, estimate_ms }));
        let (at, inside) = (world.now, None);
        world.overruns.push(QuotaOverrun { at, quota, resource, limit, over, estimate_ms, inside, replaced: false });
    }
}

/// How long until running pods that end by themselves have freed this amount.
fn estimate(
    world: &World<'_>,
    (quota, tree): (QuotaId, &QuotaTree),
    limit: Limit,
    resource: &Name,
    over: i64,
) -> Option<u64> {
    let number = world.shapes.resource(resource.as_str())?;
    let mut ends: Vec<(Time, i64)> = Vec::new();
    for unit in (0..world.units.len()).filter(|unit| world.units[*unit].live > 0) {
        let row = world.units[unit];
        let leaf = world.namespaces[row.namespace].leaf.map(QuotaId);
        let stated = world.workload_of(row.owner).is_some_and(|w| w.preemptible);
        let preemptible = world.edits.preemptible(world.controllers[row.owner].workload, stated);
        if !leaf.is_some_and(|leaf| tree.is_under(leaf, quota)) || (limit == Limit::Min && preemptible) {
            continue;
        }
        let end = expected_end(world, unit);
        for pod in world.pods_of(unit).map(|pod| world.pods[pod]).filter(|pod| pod.state.holds_resources()) {
            let asks = world.shapes.rows[pod.shape].iter().find(|(r, _)| *r == number).map_or(0, |(_, n)| *n);
            let end = if pod.state.is_leaving() { Some(world.now) } else { end };
            ends.extend(end.filter(|_| asks > 0).map(|end| (end, asks)));
        }
    }
    ends.sort_unstable();
    let mut left = over;
    for (end, asks) in ends {
        left = left.saturating_sub(asks);
        if left <= 0 {
            return Some(end.since(world.now));
        }
    }
    None
}

/// When the work of a core workload will be done if nothing changes; nothing for work without end.
fn expected_end(world: &World<'_>, unit: u32) -> Option<Time> {
    let row = world.units[unit];
    if let Kind::Training { .. } = world.kind(row.owner)? {
        return world.controllers[row.owner].training.as_ref()?.expected_end(world.now);
    }
    let (work, limit) = job::work_and_limit(world, unit);
    let left = u128::from(work.into_iter().chain(limit).min()?);
    let (done, speed) = match row.working_since {
        Some(since) => node_speed::progress(world, unit, since),
        None => (0, FULL),
    };
    let left = (left * u128::from(FULL)).saturating_sub(done).div_ceil(u128::from(speed.max(1)));
    Some(world.now.after_ms(u64::try_from(left).unwrap_or(u64::MAX)))
}

/// After all events of this time: records which quotas are within their limits again.
pub(crate) fn check(world: &mut World<'_>, scheduler: &Scheduler) {
    if world.overruns.iter().all(|overrun| overrun.inside.is_some() || overrun.replaced) {
        return;
    }
    let over = current(scheduler);
    let mut inside = Vec::new();
    for overrun in world.overruns.iter_mut().filter(|overrun| overrun.inside.is_none() && !overrun.replaced) {
        if !over.contains_key(&(overrun.quota.clone(), overrun.limit, overrun.resource.clone())) {
            overrun.inside = Some(world.now);
            inside.push((overrun.quota.clone(), overrun.limit));
        }
    }
    for (quota, limit) in inside {
        if let Some(quota) = scheduler.tree().by_name(quota.as_str()) {
            world.emit(Fact::Derived(TraceEvent::QuotaInside { quota, max: limit == Limit::Max }));
        }
    }
}
