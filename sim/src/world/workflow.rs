//! The controller of workflows: a task starts when all tasks that it depends on have succeeded. When a task fails, all
//! tasks that depend on it fail, and the other tasks continue. The workflow has ended when every task has ended, and
//! has succeeded if all have succeeded.

use super::{CONTROLLER, End, NONE, World, WorldEvent, controllers::OwnerRef, ending, owner_name};
use crate::model::Kind;

/// The state of a workflow.
#[derive(Debug, Clone)]
pub(crate) struct Flow {
    /// By task: its controller, or [`NONE`] before it starts.
    pub(crate) owners: Vec<u32>,
    /// By task: how many of the tasks that it depends on have not succeeded yet.
    waits_for: Vec<u32>,
    /// By task: how it ended.
    ends: Vec<End>,
    /// How many tasks have not ended.
    open: usize,
    /// The first task that failed, or [`NONE`].
    failed: u32,
}

/// A workflow is submitted: the tasks without dependencies start.
pub(crate) fn start(world: &mut World<'_>, owner: u32) {
    let Some(Kind::Workflow { tasks }) = world.kind(owner) else { return };
    world.controllers[owner].flow = Some(Box::new(Flow {
        owners: vec![NONE; tasks.len()],
        waits_for: tasks.iter().map(|task| task.after).collect(),
        ends: vec![End::Open; tasks.len()],
        open: tasks.len(),
        failed: NONE,
    }));
    for (task, _) in tasks.iter().enumerate().filter(|(_, task)| task.after == 0) {
        start_task(world, owner, u32::try_from(task).unwrap_or(NONE));
    }
}

/// A task starts, as one of the controller events of this time.
fn start_task(world: &mut World<'_>, owner: u32, task: u32) {
    let state = &world.controllers[owner];
    let part = OwnerRef { workload: state.workload, number: state.number, task, parent: owner };
    let Some(started) = world.add_controller(part) else { return };
    let flow = world.controllers[owner].flow.as_mut();
    if let Some(slot) = flow.and_then(|flow| flow.owners.get_mut(task as usize)) {
        *slot = started;
    }
    world.schedule(world.now, CONTROLLER, WorldEvent::Submit(started));
}

/// A task of a workflow has ended.
pub(crate) fn task_over(world: &mut World<'_>, owner: u32, task: u32, end: End) {
    let Some(Kind::Workflow { tasks }) = world.kind(owner) else { return };
    let Some(flow) = world.controllers[owner].flow.as_mut() else { return };
    let mut ready: Vec<u32> = Vec::new();
    let mut lost: Vec<(u32, u32)> = Vec::new();
    let mut over = vec![(task, NONE)];
    while let Some((task, cause)) = over.pop() {
        let Some(slot) = flow.ends.get_mut(task as usize).filter(|slot| **slot == End::Open) else { continue };
        *slot = end;
        flow.open -= 1;
        lost.extend((cause != NONE).then_some((task, cause)));
        for next in tasks.get(task as usize).map_or(&[][..], |task| &task.leads_to) {
            if end != End::Succeeded {
                over.push((*next, task));
            } else if let Some(waits_for) = flow.waits_for.get_mut(*next as usize) {
                *waits_for -= 1;
                ready.extend((*waits_for == 0).then_some(*next));
            }
        }
    }
    if end == End::Failed && flow.failed == NONE {
        flow.failed = task;
    }
    let (all_over, failed) = (flow.open == 0, flow.failed);
    ready.sort_unstable();
    ready.into_iter().for_each(|task| start_task(world, owner, task));
    if end == End::Failed {
        record_skipped_tasks(world, owner, lost);
    }
    if !all_over {
        return;
    }
    let Some(failed) = tasks.get(failed as usize) else { return ending::finish(world, owner, End::Succeeded) };
    ending::record_failure_of(world, owner, format!("task `{}` failed", failed.name));
    ending::finish(world, owner, End::Failed)
}

/// Records the tasks that will never start, each with the failed task on which it depends.
fn record_skipped_tasks(world: &mut World<'_>, owner: u32, mut lost: Vec<(u32, u32)>) {
    let Some(Kind::Workflow { tasks }) = world.kind(owner) else { return };
    lost.sort_unstable();
    let (workload, number) = (world.controllers[owner].workload, world.controllers[owner].number);
    let whole = world.controllers[owner].account;
    for (task, cause) in lost {
        let account = world.accounts.of_task(whole, task);
        let outcomes = &mut world.accounts.all[account].outcomes;
        (outcomes.submitted, outcomes.failed) = (outcomes.submitted + 1, outcomes.failed + 1);
        outcomes.missed += u64::from(tasks.get(task as usize).is_some_and(|task| task.deadline_ms.is_some()));
        let what = owner_name(world.scenario, workload, number, task);
        let cause = tasks.get(cause as usize).map_or("", |task| task.name.as_str());
        ending::record_failure(world, what, format!("depends on task `{cause}`, which failed"));
    }
}
