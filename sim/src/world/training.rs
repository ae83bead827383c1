//! The controller of trainings: a gang with roles that works as fast as it has members, from checkpoint to checkpoint.
//!
//! Work is counted in pod-milliseconds: a training of n pods that runs for t has n times t to do, and k running members do
//! k a millisecond (linear scaling), as long as every role has its minimum. A gang that falls below it loses what it did
//! since the last checkpoint and is submitted anew, and the new run begins with the restart overhead.

use super::{State, job::fixed, shapes::Shapes, slow::FULL, submit::Order};
use crate::{
    driver::Engine,
    model::{Kind, Role, Runtime},
    options::RunError,
    trace::Traced,
};
use quotree_core::{Event, PodSet, Time, WorkloadChange, WorkloadId};
use std::sync::Arc;

/// A role of a training that is there.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Crew {
    shape: u32,
    min: u32,
    /// Being bound or running, and not told to go.
    pub(crate) active: u32,
    pub(crate) running: u32,
    /// The number of the next member.
    next: u32,
}

/// The state of a training's controller.
#[derive(Debug, Clone)]
pub(crate) struct Training {
    pub(crate) crews: Vec<Crew>,
    /// The unit of the present run.
    pub(crate) unit: Option<u32>,
    /// How many members it has when everybody is there.
    size: u32,
    /// All work, thousandths of pod-milliseconds; nothing: it never ends, or nothing was drawn yet.
    total: Option<u128>,
    done: u128,
    /// Up to when `done` is right.
    since: Time,
    /// Work begins here at the earliest: after the restart overhead of this run.
    begins: Option<Time>,
    /// Members at work since then, times the thousandths of full speed at which they go.
    rate: u32,
    pub(crate) epoch: u32,
}

impl Training {
    pub(crate) fn new(roles: &[Role], shapes: &mut Shapes) -> Self {
        let crew =
            |r: &Role| Crew { shape: shapes.number(&r.template), min: r.min, active: 0, running: 0, next: r.replicas };
        Self {
            crews: roles.iter().map(crew).collect(),
            unit: None,
            size: roles.iter().fold(0, |sum: u32, r| sum.saturating_add(r.replicas)),
            total: None,
            done: 0,
            since: Time::default(),
            begins: None,
            rate: 0,
            epoch: 0,
        }
    }

    /// Whether every role has its minimum of members that stay.
    pub(crate) fn is_whole(&self) -> bool {
        self.crews.iter().all(|c| c.active >= c.min) && self.crews.iter().any(|c| c.active > 0)
    }

    /// Whether it is whole without one member of a role.
    pub(crate) fn is_whole_without(&self, role: u32) -> bool {
        let mut less = self.clone();
        if let Some(crew) = less.crews.get_mut(role as usize) {
            crew.active = crew.active.saturating_sub(1);
        }
        less.is_whole()
    }

    /// A member changes its state.
    pub(crate) fn count(&mut self, role: u32, from: State, to: State) {
        if let Some(crew) = self.crews.get_mut(role as usize) {
            crew.active = crew.active + u32::from(to.stays()) - u32::from(from.stays());
            crew.running = crew.running + u32::from(to.works()) - u32::from(from.works());
        }
    }

    /// Adds the work done up to now.
    fn work(&mut self, now: Time) {
        if let Some(begins) = self.begins {
            let ms = now.since(self.since.max(begins));
            self.done = self.done.saturating_add(u128::from(ms) * u128::from(self.rate));
        }
        self.since = now;
    }

    /// Members came or went, or their speed is another one: the rate from now on, and when the work will be done.
    fn reckon(&mut self, now: Time, overhead_ms: u64, permille: u32) -> Option<Time> {
        self.work(now);
        let working = self.crews.iter().all(|c| c.running >= c.min);
        let members = self.crews.iter().fold(0u32, |sum, c| sum.saturating_add(c.running));
        self.rate = if working { members.saturating_mul(permille) } else { 0 };
        self.epoch += 1;
        if self.rate == 0 {
            return None;
        }
        let begins = *self.begins.get_or_insert(now.after_ms(overhead_ms));
        let left = self.total?.saturating_sub(self.done).div_ceil(u128::from(self.rate));
        Some(now.max(begins).after_ms(u64::try_from(left).unwrap_or(u64::MAX)))
    }

    /// When the work will be done if everything stays as it is, or, where it does not go on yet, with everybody there.
    pub(crate) fn expected_end(&self, now: Time) -> Option<Time> {
        let begins = self.begins.unwrap_or(now).max(self.since);
        let done = self.done + u128::from(now.since(begins)) * u128::from(self.rate);
        let rate = if self.rate == 0 { self.size.saturating_mul(FULL) } else { self.rate };
        let left = self.total?.saturating_sub(done).div_ceil(u128::from(rate.max(1)));
        Some(now.max(begins).after_ms(u64::try_from(left).unwrap_or(u64::MAX)))
    }

    /// The run breaks off: gives the work that is lost, pod-milliseconds.
    fn break_off(&mut self, now: Time, checkpoint_ms: Option<u64>) -> u128 {
        self.work(now);
        let step = u128::from(checkpoint_ms.unwrap_or(0)) * u128::from(self.size) * u128::from(FULL);
        let kept = self.done.checked_div(step).map_or(0, |n| n * step);
        let lost = (self.done - kept) / u128::from(FULL);
        (self.done, self.rate, self.begins) = (kept, 0, None);
        self.epoch += 1;
        lost
    }
}

impl Engine<'_> {
    /// A training is submitted, or submitted again.
    pub(crate) fn start_training(&mut self, owner: u32, evictions: u32) -> Result<(), RunError> {
        let Some(workload) = self.scenario.workloads.get(owner as usize) else {
            return Ok(());
        };
        let Kind::Training { roles, runtime, .. } = &workload.kind else {
            return Ok(());
        };
        let state = &mut self.world.owners[owner];
        let (namespace, turn) = (state.namespace, state.made);
        let Some(training) = state.training.as_mut() else {
            return Ok(());
        };
        if training.total.is_none() && *runtime != Runtime::Forever {
            let ms = match state.runtimes.as_mut() {
                Some(stream) => stream.duration_ms(*runtime),
                None => fixed(*runtime),
            };
            training.total = ms.map(|ms| u128::from(ms) * u128::from(training.size) * u128::from(FULL));
        }
        for (crew, role) in training.crews.iter_mut().zip(roles) {
            crew.next = role.replicas;
        }
        let set = |(crew, role): (&Crew, &Role)| {
            (PodSet { template: Arc::clone(&role.template), count: role.replicas, min: role.min }, crew.shape)
        };
        let sets = training.crews.iter().zip(roles).map(set).collect();
        let priority = workload.priority;
        let order = Order { owner, namespace, priority, number: turn + 1, turn, left_ms: u64::MAX, evictions, sets };
        let unit = self.submit(order)?;
        if let Some(training) = self.world.owners[owner].training.as_mut() {
            training.unit = Some(unit);
        }
        Ok(())
    }

    /// Members of a training came or went: it works at another rate from now on.
    pub(crate) fn pace(&mut self, owner: u32) {
        let overhead = match self.scenario.workloads.get(owner as usize).map(|w| &w.kind) {
            Some(Kind::Training { restart_overhead_ms, .. }) if self.world.owners[owner].made > 1 => {
                *restart_overhead_ms
            }
            _ => 0,
        };
        let now = self.now;
        let present = self.world.owners[owner].training.as_ref().and_then(|t| t.unit);
        let permille = present.map_or(FULL, |unit| self.world.speed(unit));
        let Some(training) = self.world.owners[owner].training.as_mut() else {
            return;
        };
        let Some(unit) = training.unit else {
            return;
        };
        let done_at = training.reckon(now, overhead, permille);
        let epoch = training.epoch;
        let working = training.rate > 0;
        self.world.units[unit].working_since = working.then_some(now);
        if let Some(at) = done_at {
            self.finish_at(at, unit, epoch);
        }
    }

    /// A training that is whole no more stops working; gives the work that is lost.
    pub(crate) fn break_training(&mut self, owner: u32) -> u128 {
        let checkpoint = match self.scenario.workloads.get(owner as usize).map(|w| &w.kind) {
            Some(Kind::Training { checkpoint_ms, .. }) => *checkpoint_ms,
            _ => None,
        };
        let now = self.now;
        self.world.owners[owner].training.as_mut().map_or(0, |t| t.break_off(now, checkpoint))
    }

    /// An elastic member is made up for by a new one.
    pub(crate) fn rejoin(&mut self, unit: u32, role: u32) -> Result<(), RunError> {
        let owner = self.world.units[unit].owner;
        let Some(Kind::Training { roles, .. }) = self.scenario.workloads.get(owner as usize).map(|w| &w.kind) else {
            return Ok(());
        };
        let Some(training) = self.world.owners[owner].training.as_mut() else {
            return Ok(());
        };
        let present = training.unit == Some(unit) && training.is_whole();
        let (Some(crew), Some(template)) =
            (training.crews.get_mut(role as usize), roles.get(role as usize).map(|r| Arc::clone(&r.template)))
        else {
            return Ok(());
        };
        if !present || self.world.units[unit].live == 0 {
            return Ok(());
        }
        let (number, shape) = (crew.next, crew.shape);
        crew.next += 1;
        let ordinal = self.world.units[unit].count;
        self.world.units[unit].count += 1;
        let pod = self.new_pod(unit, shape, role);
        self.world.joined.insert((unit, ordinal), (pod, number));
        self.trace(Traced::Join { workload: WorkloadId(unit), pods: 1 });
        self.tell_joined(pod);
        self.feed(Event::WorkloadChanged(WorkloadChange {
            add_pods: Some(PodSet { template, count: 1, min: 0 }),
            ..WorkloadChange::of(WorkloadId(unit))
        }))
    }
}
