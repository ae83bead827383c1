//! The events of the simulated world: their kinds, how each is handled, and which of them are obsolete.

use super::{
    State, World, arrivals, dataset, deployment, devices, edits, ending, faults,
    fleet::{self, NodeEvent},
    job_queue, nodes, pod_lifecycle,
    quota_overrun::{self, Excess},
    resize, submit, trace_rows, training, unreliable,
};
use crate::{
    model::{Change, Kind, Scenario},
    queue::Class,
    trace::TraceEvent,
};
use quotree_core::{Event, Scheduler, Time};

/// Outcomes of earlier decisions.
pub(crate) const OUTCOME: Class = 0;
/// Edits of the world.
pub(crate) const EDIT: Class = 1;
/// Controllers that replace lost pods.
pub(crate) const CONTROLLER: Class = 2;
/// Submissions.
pub(crate) const ARRIVAL: Class = 3;

/// An event of the simulated world. Pods and core workloads (`unit`) have the numbers of the world, everything else
/// that of the scenario; `owner` is the number of a controller.
#[derive(Debug, Clone, Copy)]
pub(crate) enum WorldEvent {
    /// A bind succeeded.
    Bound(u32),
    /// A bind failed.
    BindFailed(u32),
    /// The lost request to evict a pod is sent again.
    EvictAgain(u32),
    /// The scheduler gives up the refused eviction of a pod.
    EvictionFailed(u32),
    /// The pods of a core workload of which an eviction failed may be evicted again.
    Evictable(u32),
    /// An evicted pod is gone.
    Gone(u32),
    /// The work of a core workload is done, unless its epoch has changed.
    Finished { unit: u32, epoch: u32 },
    /// A change of the scenario.
    Change(u32),
    /// The controller replaces a lost core workload.
    Retry(u32),
    /// The controller replaces a lost elastic member.
    Rejoin { unit: u32, role: u32 },
    /// A workload is submitted, or its arrivals begin.
    Submit(u32),
    /// A core workload that a job queue released for the `tries`-th time should have started by now.
    StartTimeout { unit: u32, tries: u32 },
    /// A core workload that did not start in time may be released again.
    BackOffOver(u32),
    /// An instance of a workload arrives.
    Arrive(u32),
    /// The deadline of a workload.
    Deadline(u32),
    /// The deadline of a row of a trace.
    RowDeadline { owner: u32, row: u32 },
    /// A row of a trace is submitted.
    Row { owner: u32, row: u32 },
    /// The owner of a row begins to delete it, or it is gone.
    RowDeleted { owner: u32, row: u32, gone: bool },
    /// An event of nodes.
    Node(NodeEvent),
    /// A scheduled change of a dataset, unless its epoch has changed.
    Dataset { dataset: u32, epoch: u32 },
    /// The preload of a dataset into its cache begins.
    Preload(u32),
}

/// The events known before the run: changes and arrivals.
pub(crate) fn known_events(scenario: &Scenario) -> Vec<(Time, Class, WorldEvent)> {
    let changes = (0u32..).zip(&scenario.events).map(|(i, change)| (change.at, EDIT, WorldEvent::Change(i)));
    let mut known: Vec<_> = changes.collect();
    for (number, dataset) in (0u32..).zip(&scenario.datasets) {
        known.extend(dataset.preload.map(|at| (at, EDIT, WorldEvent::Preload(number))));
    }
    for (owner, workload) in (0u32..).zip(&scenario.workloads) {
        match &workload.kind {
            Kind::Trace { rows, .. } => {
                for (row, traced) in (0u32..).zip(rows.iter()) {
                    known.push((traced.submit, ARRIVAL, WorldEvent::Row { owner, row }));
                    if let Some(deletion) = traced.details.as_ref().and_then(|details| details.deletion) {
                        for (at, gone) in [(deletion.from, false), (deletion.until, true)] {
                            known.push((at, OUTCOME, WorldEvent::RowDeleted { owner, row, gone }));
                        }
                    }
                }
            }
            _ => known.push((workload.submit, ARRIVAL, WorldEvent::Submit(owner))),
        }
    }
    known
}

/// Begins the run: the first nodes join, and the first faults are drawn.
pub(crate) fn begin(world: &mut World<'_>) {
    world.nodes.ids().for_each(|node| nodes::start(world, node));
    faults::begin(world);
    devices::watch_cells(world);
}

/// Handles an event other than a change of the scenario.
pub(crate) fn handle(world: &mut World<'_>, event: WorldEvent, scheduler: &Scheduler) {
    match event {
        WorldEvent::Bound(pod) => pod_lifecycle::bound(world, pod),
        WorldEvent::BindFailed(pod) => unreliable::bind_failed(world, pod),
        WorldEvent::EvictAgain(pod) => unreliable::evict_again(world, pod),
        WorldEvent::EvictionFailed(pod) => unreliable::eviction_failed(world, pod, scheduler),
        WorldEvent::Evictable(unit) => unreliable::evictable(world, unit),
        WorldEvent::Gone(pod) => pod_lifecycle::gone(world, pod),
        WorldEvent::Finished { unit, epoch } => pod_lifecycle::finished(world, unit, epoch),
        WorldEvent::Change(_) => {}
        WorldEvent::Retry(unit) => pod_lifecycle::retry(world, unit),
        WorldEvent::Rejoin { unit, role } => training::add_member(world, unit, role),
        WorldEvent::StartTimeout { unit, tries } => job_queue::start_timeout(world, unit, tries, scheduler),
        // Which core workloads are released is decided after all events of this time.
        WorldEvent::BackOffOver(unit) => world.job_queues.may_try_again(unit),
        WorldEvent::Submit(owner) => submit::arrive(world, owner),
        WorldEvent::Arrive(owner) => arrivals::arrive(world, owner),
        // What is done at the time of its deadline is in time, whatever the order: this is judged when everything has settled.
        WorldEvent::Deadline(_) | WorldEvent::RowDeadline { .. } => world.due.push(event),
        WorldEvent::Row { owner, row } => trace_rows::submit_row(world, owner, row, None),
        WorldEvent::RowDeleted { owner, row, gone } => trace_rows::deleted(world, owner, row, gone),
        WorldEvent::Node(event) => fleet::handle(world, event),
        WorldEvent::Dataset { dataset, epoch } => dataset::advance(world, dataset, epoch),
        WorldEvent::Preload(dataset) => dataset::preload(world, dataset),
    }
}

/// Applies a change of the scenario that the scheduler cannot refuse; `index` is its index among the changes.
pub(crate) fn change(world: &mut World<'_>, change: &Change, index: u32) {
    let number = |i: usize| u32::try_from(i).unwrap_or(u32::MAX);
    match change {
        Change::Scale { workload, replicas } => {
            let controller = &world.controllers[number(*workload)];
            // What has not come yet, and what is over, has nothing to scale.
            if controller.begun && !controller.closed {
                deployment::scale(world, number(*workload), *replicas);
            }
        }
        Change::Withdraw { workload } => submit::close(world, number(*workload), State::Deleted),
        Change::NodeDown { node } => nodes::stop(world, number(*node)),
        Change::NodeUp { node } => nodes::start(world, number(*node)),
        Change::Cordon { node, cordoned } => nodes::cordon(world, number(*node), *cordoned),
        Change::Devices(change) => devices::change(world, change),
        Change::SetBudget { budget, allowed } => {
            world.trace(TraceEvent::Budget { allowed: *allowed });
            world.fleet.budgets.insert(budget.clone(), *allowed);
            world.tell(Event::BudgetChanged { budget: budget.clone(), allowed: *allowed });
        }
        Change::SetClass { class, priority } => world.edits.set_class(class, *priority),
        Change::EditWorkload { workload, priority, preemptible } => {
            edits::edit_workload(world, number(*workload), *priority, *preemptible);
        }
        Change::Resize { workload, request } => resize::resize(world, number(*workload), request),
        Change::Nodes(change) => fleet::change(world, change, index),
        // The engine asks the scheduler, or the access rules, about these, or restarts the scheduler.
        Change::ReplaceTree { .. }
        | Change::EditQuota { .. }
        | Change::MoveNamespace { .. }
        | Change::People(_)
        | Change::RestartScheduler => {}
    }
}

/// Handles the effects of another quota tree: quotas may be over their limits, cells unavailable, and namespaces in
/// other job queues. `before` is the excess over limits under the earlier tree.
pub(crate) fn tree_replaced(world: &mut World<'_>, before: &Excess, scheduler: &Scheduler) {
    quota_overrun::find_new(world, before, scheduler);
    devices::check_cells(world);
    job_queue::assign_anew(world);
}

/// Makes a job queue release the next core workload, if it may release one now.
pub(crate) fn release_job(world: &mut World<'_>, queue: usize, scheduler: &Scheduler) -> bool {
    let next = job_queue::next_to_release(world, queue, scheduler);
    next.is_some_and(|unit| {
        job_queue::release(world, queue, unit);
        true
    })
}

/// Whether an event is obsolete, because its subject has ended in another way. Such events do not keep a run going.
pub(crate) fn is_stale(world: &World<'_>, event: WorldEvent) -> bool {
    match event {
        WorldEvent::Bound(pod) | WorldEvent::BindFailed(pod) => world.pods[pod].state != State::Binding,
        WorldEvent::EvictAgain(pod) | WorldEvent::EvictionFailed(pod) => {
            world.pods[pod].state != State::EvictionPending
        }
        WorldEvent::Evictable(unit) => unreliable::is_out_of_reach(world, unit),
        WorldEvent::Gone(pod) => world.pods[pod].state != State::Leaving,
        WorldEvent::Finished { unit, epoch } => pod_lifecycle::is_finish_stale(world, unit, epoch),
        WorldEvent::Node(event) => fleet::is_stale(world, event),
        WorldEvent::StartTimeout { unit, tries } => world.job_queues.has_started(unit, tries),
        WorldEvent::BackOffOver(unit) => !world.job_queues.is_suspended(unit),
        WorldEvent::Dataset { dataset, epoch } => world.datasets.is_outdated(dataset, epoch),
        WorldEvent::Arrive(owner) => world.controllers[owner].closed,
        WorldEvent::Deadline(owner) => !world.controllers[owner].due,
        WorldEvent::RowDeadline { owner, row } => !world.rows.is_due(owner, row),
        _ => false,
    }
}

/// After all events of this time: counts the missed deadlines.
pub(crate) fn check_deadlines(world: &mut World<'_>) {
    for deadline in std::mem::take(&mut world.due) {
        match deadline {
            WorldEvent::Deadline(owner) if std::mem::take(&mut world.controllers[owner].due) => {
                ending::count(world, owner, |outcomes| outcomes.missed += 1);
            }
            WorldEvent::RowDeadline { owner, row } => trace_rows::missed_deadline(world, owner, row),
            _ => {}
        }
    }
}
