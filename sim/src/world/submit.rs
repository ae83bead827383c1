//! Making units: what the controllers have in common when something new is submitted or taken back.

use super::{CoreWorkload, End, NONE, Pod, State};
use crate::{engine::Engine, model::Kind, options::RunError, trace::TraceEvent};
use quotree_core::{Event, PodOutcome, PodSet, WorkloadId, WorkloadSpec};
use smallvec::SmallVec;

/// The most pods a run can number: below the number that stands for none.
pub(crate) const MOST_PODS: u32 = u32::MAX - 1;

/// What a controller wants made.
pub(crate) struct Order {
    pub(crate) owner: u32,
    pub(crate) namespace: u32,
    /// A priority of its own, not its owner's.
    pub(crate) priority: Option<i32>,
    pub(crate) number: u32,
    pub(crate) turn: u32,
    pub(crate) left_ms: u64,
    /// How long the work ran before.
    pub(crate) ran_ms: u64,
    /// How often the work was evicted before.
    pub(crate) evictions: u32,
    pub(crate) sets: SmallVec<[(PodSet, u32); 1]>,
}

impl Engine<'_> {
    /// Submits a new unit; gives its number.
    pub(crate) fn submit(&mut self, order: Order) -> Result<u32, RunError> {
        let count = order.sets.iter().fold(0u32, |sum, (set, _)| sum.saturating_add(set.count));
        let first_pod = self.world.pods.len();
        if first_pod.checked_add(count).is_none_or(|end| end > MOST_PODS) {
            return Err(RunError::TooManyPods { most: MOST_PODS });
        }
        let account = self.account_of(order.owner, order.number, order.namespace);
        let unit = self.world.units.push(CoreWorkload {
            created: self.now,
            working_since: None,
            left_ms: order.left_ms,
            owner: order.owner,
            namespace: order.namespace,
            account,
            number: order.number,
            turn: order.turn,
            first_pod,
            first_count: count,
            count,
            live: 0,
            active: 0,
            running: 0,
            evictions: order.evictions,
            ran_ms: order.ran_ms,
        });
        let mut sets = SmallVec::new();
        for (role, (set, shape)) in order.sets.into_iter().enumerate() {
            for _ in 0..set.count {
                self.new_pod(unit, shape, u32::try_from(role).unwrap_or(0));
            }
            sets.push(set);
        }
        self.remember(order.owner, unit);
        let Some(workload) = self.workload_of(order.owner) else {
            return Ok(unit);
        };
        let (stated, together) = match self.task(order.owner) {
            Some(task) => (&task.priority, task.together),
            None => (&workload.priority, workload.together),
        };
        let (edits, edited) = (&self.world.edits, self.world.controllers[order.owner].workload);
        let spec = WorkloadSpec {
            id: WorkloadId(unit),
            namespace: self.world.namespaces[order.namespace].name.clone(),
            submitted: self.now,
            priority: edits.priority(edited, order.priority, stated),
            preemptible: edits.preemptible(edited, workload.preemptible),
            pods: sets,
            budget: workload.budget.clone(),
            together,
            replaces: self.timeline.replacing.map(WorkloadId),
        };
        self.trace(TraceEvent::Submit { workload: WorkloadId(unit), pods: count });
        let restarts = self.timeline.replacing.is_some();
        self.timeline_begins(unit);
        if let Some(spec) = self.suspend(unit, spec, restarts) {
            self.feed(Event::WorkloadSubmitted(spec))?;
        }
        Ok(unit)
    }

    /// A pod that waits.
    pub(crate) fn new_pod(&mut self, unit: u32, shape: u32, role: u32) -> u32 {
        let pod = self.world.pods.push(Pod { at: self.now, unit, node: NONE, shape, role, state: State::New });
        self.set_state(pod, State::Waiting);
        pod
    }

    /// Adds a unit to its owner's list, and drops what has ended from the list before it grows.
    fn remember(&mut self, owner: u32, unit: u32) {
        let world = &mut self.world;
        let units = &mut world.controllers[owner].units;
        if units.len() == units.capacity() {
            units.retain(|u| world.units[*u].live > 0);
        }
        units.push(unit);
        world.controllers[owner].made += 1;
    }

    /// Takes a unit back with all its pods, waiting or running, at once. The scheduler has forgotten one without pods.
    pub(crate) fn withdraw(&mut self, unit: u32, state: State) -> Result<(), RunError> {
        if self.world.units[unit].live == 0 {
            return Ok(());
        }
        self.world.units[unit].working_since = None;
        self.stop_reading(unit);
        self.trace(TraceEvent::Withdraw { workload: WorkloadId(unit) });
        let is_known = !self.world.job_queues.is_suspended(unit);
        for pod in self.world.pods_of(unit) {
            if self.world.pods[pod].state.lives() {
                let outcome = if state == State::Failed { PodOutcome::Failed } else { PodOutcome::Deleted };
                self.ended(pod, state, outcome);
            }
        }
        self.figures.evictions.in_vain(WorkloadId(unit));
        if is_known { self.feed(Event::WorkloadWithdrawn { workload: WorkloadId(unit) }) } else { Ok(()) }
    }

    /// An owner is deleted, or gives up: all its units, instances and tasks, and nothing is made any more.
    pub(crate) fn close(&mut self, owner: u32, state: State) -> Result<(), RunError> {
        for instance in self.open_instances(owner) {
            self.close(instance, state)?;
        }
        let world_owner = &mut self.world.controllers[owner];
        let came = world_owner.generator.is_none();
        world_owner.closed = true;
        let units = std::mem::take(&mut world_owner.units);
        let tasks = world_owner.flow.take().map_or_else(Vec::new, |flow| flow.owners);
        if let Some(Kind::Trace { .. }) = self.kind(owner) {
            self.world.row_limits.retain(|(of, _), _| *of != owner);
            let waiting = self.world.row_retries.range((owner, 0)..=(owner, u32::MAX)).map(|(_, unit)| *unit);
            let live = units.iter().copied().filter(|unit| self.world.units[*unit].live > 0);
            for unit in live.chain(waiting).collect::<Vec<_>>() {
                let account = self.world.units[unit].account;
                self.world.accounts.all[account].outcomes.withdrawn += 1;
            }
        }
        for unit in units {
            self.interrupt(unit);
            self.withdraw(unit, state)?;
        }
        for task in tasks.into_iter().filter(|task| *task != NONE) {
            self.close(task, state)?;
        }
        if came {
            self.over(owner, if state == State::Failed { End::Failed } else { End::Withdrawn })?;
        }
        Ok(())
    }

    /// A workload of the scenario is submitted, or a task of one, or it begins to arrive.
    pub(crate) fn arrive(&mut self, owner: u32) -> Result<(), RunError> {
        if self.world.controllers[owner].closed {
            return Ok(());
        }
        let state = &self.world.controllers[owner];
        if state.number == NONE && self.workload_of(owner).is_some_and(|workload| workload.arrivals.is_some()) {
            return self.start_arriving(owner);
        }
        // Tasks come with their workflow: nobody submits them.
        if state.task == NONE && !self.lets_in(owner, None) {
            self.world.controllers[owner].closed = true;
            return Ok(());
        }
        self.begin(owner)
    }

    /// An owner begins.
    pub(crate) fn begin(&mut self, owner: u32) -> Result<(), RunError> {
        self.begins(owner);
        match self.kind(owner) {
            Some(Kind::Deployment { replicas, .. }) => self.scale(owner, *replicas),
            Some(Kind::Job { completions, .. }) => self.start_job(owner, *completions),
            Some(Kind::Training { .. }) => self.start_training(owner, 0),
            Some(Kind::Workflow { .. }) => self.start_workflow(owner),
            Some(Kind::Trace { .. }) | None => Ok(()),
        }
    }
}
