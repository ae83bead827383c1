//! The controller of workflows: a task starts when all it depends on have succeeded; one that fails fails everything that
//! depends on it, and the tasks that do not go on. The workflow is over when every task is, and has succeeded if they have.

use super::{CONTROLLER, End, NONE, WorldEvent, controllers::OwnerRef, owner_name};
use crate::{engine::Engine, model::Kind, options::RunError};

/// The state of a workflow.
#[derive(Debug, Clone)]
pub(crate) struct Flow {
    /// By task: its owner, or [`NONE`] before it starts.
    pub(crate) owners: Vec<u32>,
    /// By task: how many tasks it still waits for.
    waits_for: Vec<u32>,
    /// By task: how it ended.
    ends: Vec<End>,
    /// How many have not.
    open: usize,
    /// The first that failed, or [`NONE`].
    failed: u32,
}

impl Engine<'_> {
    /// A workflow is submitted: what depends on nothing starts.
    pub(crate) fn start_workflow(&mut self, owner: u32) -> Result<(), RunError> {
        let Some(Kind::Workflow { tasks }) = self.kind(owner) else { return Ok(()) };
        self.world.controllers[owner].flow = Some(Box::new(Flow {
            owners: vec![NONE; tasks.len()],
            waits_for: tasks.iter().map(|task| task.after).collect(),
            ends: vec![End::Open; tasks.len()],
            open: tasks.len(),
            failed: NONE,
        }));
        for (task, _) in tasks.iter().enumerate().filter(|(_, task)| task.after == 0) {
            self.start_task(owner, u32::try_from(task).unwrap_or(NONE));
        }
        Ok(())
    }

    /// A task starts, with the controllers of this moment.
    fn start_task(&mut self, owner: u32, task: u32) {
        let state = &self.world.controllers[owner];
        let part = OwnerRef { workload: state.workload, number: state.number, task, parent: owner };
        let Some(started) = self.new_controller_of(part) else { return };
        let flow = self.world.controllers[owner].flow.as_mut();
        if let Some(slot) = flow.and_then(|flow| flow.owners.get_mut(task as usize)) {
            *slot = started;
        }
        self.queue.schedule(self.now, CONTROLLER, WorldEvent::Submit(started));
    }

    /// A task of a workflow is over.
    pub(crate) fn task_over(&mut self, owner: u32, task: u32, end: End) -> Result<(), RunError> {
        let Some(Kind::Workflow { tasks }) = self.kind(owner) else { return Ok(()) };
        let Some(flow) = self.world.controllers[owner].flow.as_mut() else { return Ok(()) };
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
        ready.into_iter().for_each(|task| self.start_task(owner, task));
        if end == End::Failed {
            self.tell_lost_tasks(owner, lost);
        }
        if !all_over {
            return Ok(());
        }
        let Some(failed) = tasks.get(failed as usize) else { return self.over(owner, End::Succeeded) };
        self.tell_failure(owner, format!("task `{}` failed", failed.name));
        self.over(owner, End::Failed)
    }

    /// Tasks that will never start, with the one that each waits for in vain.
    fn tell_lost_tasks(&mut self, owner: u32, mut lost: Vec<(u32, u32)>) {
        let Some(Kind::Workflow { tasks }) = self.kind(owner) else { return };
        lost.sort_unstable();
        let (workload, number) = (self.world.controllers[owner].workload, self.world.controllers[owner].number);
        let whole = self.world.controllers[owner].account;
        for (task, cause) in lost {
            let account = self.world.accounts.of_task(whole, task);
            let outcomes = &mut self.world.accounts.all[account].outcomes;
            (outcomes.submitted, outcomes.failed) = (outcomes.submitted + 1, outcomes.failed + 1);
            outcomes.missed += u64::from(tasks.get(task as usize).is_some_and(|task| task.deadline_ms.is_some()));
            let what = owner_name(self.scenario, workload, number, task);
            let cause = tasks.get(cause as usize).map_or("", |task| task.name.as_str());
            self.failed(what, format!("depends on task `{cause}`, which failed"));
        }
    }
}
