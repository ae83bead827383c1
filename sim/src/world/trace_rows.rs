//! Rows of a trace. Each row is a gang that runs for the time given in the trace, counted from the moment when all its
//! pods run. An evicted or lost row is submitted again with the work that was not saved. A row that runs for too long,
//! or is lost too often, fails.

use super::{
    CONTROLLER, CoreWorkload, End, State, World, WorldEvent, access, drain, ending, job, job_record, pod_lifecycle,
    submit, submit::NewWorkload,
};
use crate::model::{Kind, Limits, RowDetails, TraceRow};
use quotree_core::{Event, Name, PodSet, PodTemplate};
use quotree_syntax::time_text;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// The numbers that a row has in the scenario.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RowPlace {
    pub(crate) namespace: u32,
    pub(crate) shape: u32,
    /// The user who submits the row, or [`super::NONE`].
    pub(crate) user: u32,
}

/// The state of the rows of all traces. A row is identified by a controller (`owner`) and its index in the trace.
#[derive(Debug, Default)]
pub(crate) struct TraceRows {
    /// The rows of each trace, by controller.
    pub(crate) places: BTreeMap<u32, Vec<RowPlace>>,
    /// By controller and row: the shapes of the pods of a gang that have other templates than its first.
    pub(crate) other_shapes: BTreeMap<(u32, u32), Vec<u32>>,
    /// Rows and replicas that wait for their next try, by controller and the core workload that ended.
    pub(crate) retries: BTreeSet<(u32, u32)>,
    /// The limits of rows that have some, by controller and row.
    limits: BTreeMap<(u32, u32), RowLimits>,
}

/// The state of a row with respect to its limits.
#[derive(Debug, Clone, Copy, Default)]
struct RowLimits {
    /// The account in which its deadline is counted; none once the deadline is met or missed.
    due: Option<u32>,
    losses: u32,
}

impl TraceRows {
    /// Whether the deadline of a row has been neither met nor missed yet.
    pub(crate) fn is_due(&self, owner: u32, row: u32) -> bool {
        self.limits.get(&(owner, row)).is_some_and(|limits| limits.due.is_some())
    }

    /// Withdraws a trace: drops the limits of its rows. Returns the core workloads that wait for their next try.
    pub(crate) fn close(&mut self, owner: u32) -> Vec<u32> {
        self.limits.retain(|(of, _), _| *of != owner);
        self.retrying(owner).copied().collect()
    }

    /// The core workloads of a controller that ended and wait for their next try.
    pub(crate) fn retrying(&self, owner: u32) -> impl Iterator<Item = &u32> {
        self.retries.range((owner, 0)..=(owner, u32::MAX)).map(|(_, unit)| unit)
    }
}

/// A row of a trace and its limits.
fn row_of<'a>(world: &World<'a>, owner: u32, row: u32) -> Option<(&'a TraceRow, Limits)> {
    let workload = world.scenario.workloads.get(owner as usize)?;
    let Kind::Trace { rows, limits, .. } = &workload.kind else { return None };
    rows.get(row as usize).map(|row| (row, row.limits.or(*limits)))
}

/// The rarer details of a row, which most traces do not have.
pub(crate) fn details<'a>(world: &World<'a>, owner: u32, row: u32) -> Option<&'a RowDetails> {
    row_of(world, owner, row)?.0.details.as_deref()
}

/// The disruption budget of a core workload: that of the row, or of the workload of the scenario.
pub(crate) fn budget_of<'a>(world: &World<'a>, unit: u32) -> Option<&'a Name> {
    let (owner, row) = (world.units[unit].owner, world.units[unit].number);
    let own = details(world, owner, row).and_then(|details| details.budget.as_ref());
    own.or_else(|| world.workload_of(owner)?.budget.as_ref())
}

/// Submits a row, for the first time or as the replacement of a lost core workload.
pub(crate) fn submit_row(world: &mut World<'_>, owner: u32, row: u32, lost: Option<u32>) {
    let place = world.rows.places.get(&owner).and_then(|p| p.get(row as usize)).copied();
    let (Some((traced, limits)), Some(place)) = (row_of(world, owner, row), place) else {
        return;
    };
    // What was evicted while its owner deleted it does not come back.
    let deletion = traced.details.as_ref().and_then(|details| details.deletion);
    if world.controllers[owner].closed
        || traced.pods == 0
        || (lost.is_some() && deletion.is_some_and(|deletion| deletion.from <= world.now))
        || (lost.is_none() && !access::may_submit(world, owner, Some(row)))
    {
        return;
    }
    let others = world.rows.other_shapes.get(&(owner, row)).into_iter().flatten();
    let shapes = std::iter::once(&place.shape).chain(others);
    let set = |((template, count), shape): ((&Arc<PodTemplate>, u32), &u32)| {
        (PodSet { template: Arc::clone(template), count, min: count }, *shape)
    };
    let sets = traced.sets().zip(shapes).map(set).collect();
    if lost.is_none() {
        let account = access::account_of(world, owner, row, place.namespace);
        world.accounts.all[account].outcomes.submitted += 1;
        if let Some(ms) = limits.deadline_ms {
            world.rows.limits.entry((owner, row)).or_default().due = Some(account);
            world.schedule(world.now.after_ms(ms), CONTROLLER, WorldEvent::RowDeadline { owner, row });
        }
    }
    let before = lost.map(|unit| world.units[unit]);
    let new = NewWorkload {
        owner,
        namespace: place.namespace,
        priority: traced.priority,
        number: row,
        turn: before.map_or(0, |unit| unit.turn + 1),
        left_ms: before.map_or(traced.runtime_ms, |unit| unit.left_ms),
        ran_ms: before.map_or(0, |unit| unit.ran_ms),
        evictions: before.map_or(0, |unit| unit.evictions),
        sets,
    };
    if let Some(unit) = submit::submit(world, new).filter(|_| lost.is_none()) {
        job_record::set_ideal(world, unit, job::work_and_limit(world, unit).0);
    }
}

/// Handles the deletion of a row by its owner, which ends the job: its pods on nodes are terminating until they are
/// gone, and a pending row is gone at once.
pub(crate) fn deleted(world: &mut World<'_>, owner: u32, row: u32, gone: bool) {
    let units = world.controllers[owner].units.iter().copied();
    let live = units.filter(|unit| world.units[*unit].number == row && world.units[*unit].live > 0);
    for unit in live.collect::<Vec<u32>>() {
        let CoreWorkload { account, job, .. } = world.units[unit];
        if world.jobs[job].is_live() {
            world.accounts.all[account].outcomes.withdrawn += 1;
            job_record::end(world, job, End::Withdrawn);
        }
        let active: Vec<u32> = world.pods_of(unit).filter(|pod| world.pods[*pod].state.is_active()).collect();
        if gone || active.is_empty() {
            submit::withdraw(world, unit, State::Deleted);
            continue;
        }
        for pod in active {
            let id = world.id_of(pod);
            world.tell(Event::PodLeaving { pod: id });
            world.set_state(pod, State::Leaving);
            drain::uncount_eviction(world, pod);
        }
    }
}

/// The runtime limit of a row.
pub(crate) fn runtime_limit(world: &World<'_>, owner: u32, row: u32) -> Option<u64> {
    row_of(world, owner, row)?.1.runtime_limit_ms
}

/// Handles a row that was lost with its node. Returns the delay before its next try, if there is one.
pub(crate) fn lost(world: &mut World<'_>, unit: u32) -> Option<u64> {
    let (owner, row) = (world.units[unit].owner, world.units[unit].number);
    let Some(most) = row_of(world, owner, row).and_then(|(_, limits)| limits.backoff_limit) else { return Some(0) };
    let limits = world.rows.limits.entry((owner, row)).or_default();
    limits.losses += 1;
    let losses = limits.losses;
    if losses <= most {
        return Some(0);
    }
    fail_row(
        world,
        unit,
        format!(
            "lost with its node {}, more than its `backoff_limit` of {most}",
            if losses == 1 { "once".to_owned() } else { format!("{losses} times") }
        ),
    );
    None
}

/// Handles a row that has run for too long.
pub(crate) fn ran_too_long(world: &mut World<'_>, unit: u32, limit_ms: u64) {
    fail_row(world, unit, format!("reached its runtime limit of {}", time_text(limit_ms)))
}

/// Fails a row: withdraws it, and records the reason.
fn fail_row(world: &mut World<'_>, unit: u32, why: String) {
    let (owner, row) = (world.units[unit].owner, world.units[unit].number);
    let what = row_of(world, owner, row).map_or_else(String::new, |(traced, _)| traced.name.to_string());
    ending::record_failure(world, what, why);
    pod_lifecycle::interrupt(world, unit);
    submit::withdraw(world, unit, State::Failed);
    finish(world, unit, false);
}

/// Handles the end of a row, done or not.
pub(crate) fn finish(world: &mut World<'_>, unit: u32, done: bool) {
    let CoreWorkload { owner, number: row, account, .. } = world.units[unit];
    let due = world.rows.limits.remove(&(owner, row)).and_then(|limits| limits.due);
    job_record::end(world, world.units[unit].job, if done { End::Succeeded } else { End::Failed });
    let outcomes = &mut world.accounts.all[account].outcomes;
    *(if done { &mut outcomes.succeeded } else { &mut outcomes.failed }) += 1;
    if let Some(account) = due {
        let outcomes = &mut world.accounts.all[account].outcomes;
        *(if done { &mut outcomes.met } else { &mut outcomes.missed }) += 1;
    }
}

/// Handles a deadline that a row has missed.
pub(crate) fn missed_deadline(world: &mut World<'_>, owner: u32, row: u32) {
    let due = world.rows.limits.get_mut(&(owner, row)).and_then(|limits| limits.due.take());
    if let Some(account) = due {
        world.accounts.all[account].outcomes.missed += 1;
    }
}
