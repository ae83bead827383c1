//! The controller of trainings: a gang with roles that works as fast as its members make it, from checkpoint to checkpoint.
//!
//! Its rate is that of the members of working roles that run, as long as every role has its minimum: each counts 1 (or, where
//! the work is GPU-time, its GPUs), times how well so many members scale. With linear scaling the unit of work is the
//! pod-millisecond, or that of a thousandth of a GPU; on a curve, a billionth of that, and of each a thousandth, since nodes
//! can be slow. A gang that falls below its minimum
//! loses what it did since the last checkpoint; then it is submitted anew, or waits for members in place of the lost ones,
//! and the new run begins with the restart overhead.

use super::{State, job::fixed, node_speed::FULL, progress::Progress, shapes::Shapes, submit::Order};
use crate::{
    engine::Engine,
    model::{BILLION, Kind, OnLoss, Role, Scaling, Work, gpus},
    options::RunError,
    text::time_text,
    trace::TraceEvent,
};
use quotree_core::{Event, PodSet, Time, WorkloadChange, WorkloadId};
use std::sync::Arc;

/// A role of a training that is there.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Crew {
    shape: u32,
    min: u32,
    /// What each member that runs adds to the rate; 0 for roles that do not work.
    weight: u64,
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
    /// Its rate then.
    full_rate: u128,
    scaling: Scaling,
    progress: Progress,
    /// How often it was started, the first time included.
    starts: u32,
    on_loss: OnLoss,
    /// A member is lost, and those that are left wait for another.
    broken: bool,
    pub(crate) epoch: u32,
}

impl Training {
    /// Of a [`Kind::Training`].
    pub(crate) fn new(kind: &Kind, shapes: &mut Shapes) -> Option<Self> {
        let Kind::Training { roles, work, scaling, checkpoints, on_loss, reads, .. } = kind else {
            return None;
        };
        let some_work = roles.iter().any(|role| role.works);
        let crew = |role: &Role| {
            let weight = if matches!(work, Work::GpuTime(_)) { gpus(role) } else { 1 };
            Crew {
                shape: shapes.number(&role.template),
                min: role.min,
                weight: if role.works || !some_work { weight } else { 0 },
                active: 0,
                running: 0,
                next: role.replicas,
            }
        };
        let mut training = Self {
            crews: roles.iter().map(crew).collect(),
            unit: None,
            size: roles.iter().fold(0, |sum: u32, r| sum.saturating_add(r.replicas)),
            full_rate: 0,
            scaling: scaling.clone(),
            progress: Progress::default(),
            starts: 0,
            on_loss: *on_loss,
            broken: false,
            epoch: 0,
        };
        training.progress.cost_ms = checkpoints.checkpoint_cost.0;
        training.progress.reads = reads.is_some();
        let everybody = training.crews.iter().zip(roles).map(|(crew, role)| (crew.weight, role.replicas));
        training.full_rate = training.rate(everybody).saturating_mul(u128::from(FULL));
        training.progress.step = u128::from(checkpoints.every_ms().unwrap_or(0)).saturating_mul(training.full_rate);
        if let Work::GpuTime(ms) = work {
            let unit = if training.scaling == Scaling::Linear { 1 } else { u128::from(BILLION) };
            training.progress.total = Some((u128::from(*ms) * 1000 * u128::from(FULL)).saturating_mul(unit));
        }
        Some(training)
    }

    /// The rate of so many members of such weights.
    fn rate(&self, crews: impl Iterator<Item = (u64, u32)>) -> u128 {
        let (members, weight) =
            crews.filter(|(weight, _)| *weight > 0).fold((0_u32, 0), |(n, sum), (weight, count)| {
                (n.saturating_add(count), sum + u128::from(weight) * u128::from(count))
            });
        match &self.scaling {
            Scaling::Linear => weight,
            curve => {
                weight.saturating_mul(u128::from(curve.speed(members))).checked_div(u128::from(members)).unwrap_or(0)
            }
        }
    }

    /// Whether every role has its minimum of members that stay.
    pub(crate) fn is_whole(&self) -> bool {
        self.crews.iter().all(|c| c.active >= c.min) && self.crews.iter().any(|c| c.active > 0)
    }

    /// Whether it is whole without one member of a role.
    pub(crate) fn is_whole_without(&self, role: u32) -> bool {
        let lacks = |(i, c): (usize, &Crew)| c.active.saturating_sub(u32::from(i == role as usize)) < c.min;
        let active: u32 = self.crews.iter().fold(0, |sum, c| sum.saturating_add(c.active));
        active > 1 && !self.crews.iter().enumerate().any(lacks)
    }

    /// When the work will be done if everything stays as it is, or, where it does not go on yet, with everybody there.
    pub(crate) fn expected_end(&self, now: Time) -> Option<Time> {
        let rate = if self.progress.rate == 0 { self.full_rate } else { self.progress.rate };
        self.progress.clone().go_on(now, rate, 0)
    }

    /// A member changes its state.
    pub(crate) fn count(&mut self, role: u32, from: State, to: State) {
        if let Some(crew) = self.crews.get_mut(role as usize) {
            crew.active = crew.active + u32::from(to.stays()) - u32::from(from.stays());
            crew.running = crew.running + u32::from(to.works()) - u32::from(from.works());
        }
    }

    /// Members came or went, or their nodes have another speed: the rate from now on, and when the work will be done.
    fn reckon(&mut self, now: Time, overhead_ms: u64, permille: u32) -> Option<Time> {
        let working = self.crews.iter().all(|c| c.running >= c.min);
        let rate = if working { self.rate(self.crews.iter().map(|c| (c.weight, c.running))) } else { 0 };
        let rate = rate.saturating_mul(u128::from(permille));
        self.broken &= rate == 0;
        self.epoch += 1;
        self.progress.go_on(now, rate, overhead_ms)
    }

    /// The present run, and how its work goes.
    pub(crate) fn present(&self) -> Option<(u32, &Progress)> {
        Some((self.unit?, &self.progress))
    }

    /// A dataset tells how much is done.
    pub(crate) fn has_done(&mut self, done: u128) {
        self.progress.has_done(done);
    }

    /// The run breaks off: gives the work that is lost, pod-milliseconds.
    fn break_off(&mut self, now: Time) -> u128 {
        self.epoch += 1;
        let lost = self.progress.break_off(now);
        lost.saturating_mul(u128::from(self.size)).checked_div(self.full_rate).unwrap_or(0)
    }
}

impl Engine<'_> {
    /// A training is submitted, or submitted again.
    pub(crate) fn start_training(&mut self, owner: u32, evictions: u32) -> Result<(), RunError> {
        let Some(Kind::Training { roles, work, .. }) = self.kind(owner) else {
            return Ok(());
        };
        let state = &mut self.world.controllers[owner];
        let (namespace, turn) = (state.namespace, state.made);
        let Some(training) = state.training.as_mut() else {
            return Ok(());
        };
        // Where the others waited for new members in vain, this break was counted when they began to.
        training.starts += u32::from(!std::mem::take(&mut training.broken));
        if let (None, Work::Runtime(runtime)) = (training.progress.total, work) {
            let ms = match state.runtimes.as_mut() {
                Some(stream) => stream.duration_ms(runtime),
                None => fixed(runtime),
            };
            training.progress.total = ms.map(|ms| u128::from(ms).saturating_mul(training.full_rate));
        }
        for (crew, role) in training.crews.iter_mut().zip(roles) {
            crew.next = role.replicas;
        }
        let set = |(crew, role): (&Crew, &Role)| {
            (PodSet { template: Arc::clone(&role.template), count: role.replicas, min: role.min }, crew.shape)
        };
        let sets = training.crews.iter().zip(roles).map(set).collect();
        let order = Order {
            owner,
            namespace,
            priority: None,
            number: turn + 1,
            turn,
            left_ms: u64::MAX,
            ran_ms: 0,
            evictions,
            sets,
        };
        let unit = self.submit(order)?;
        if let Some(training) = self.world.controllers[owner].training.as_mut() {
            training.unit = Some(unit);
        }
        Ok(())
    }

    /// Members of a training came or went: it works at another rate from now on.
    pub(crate) fn pace(&mut self, owner: u32) {
        let Some(Kind::Training { restart_overhead_ms, runtime_limit_ms, .. }) = self.kind(owner) else {
            return;
        };
        let now = self.now;
        let present = self.world.controllers[owner].training.as_ref().and_then(|t| t.unit);
        let permille = present.map_or(FULL, |unit| self.world.speed(unit));
        let Some(training) = self.world.controllers[owner].training.as_mut() else {
            return;
        };
        let Some(unit) = training.unit else {
            return;
        };
        let overhead = if training.starts > 1 { *restart_overhead_ms } else { 0 };
        let done_at = training.reckon(now, overhead, permille);
        let epoch = training.epoch;
        let working = training.progress.rate > 0;
        let limit = runtime_limit_ms.filter(|_| working).and_then(|limit| training.progress.worked_for(limit));
        self.world.units[unit].working_since = working.then_some(now);
        if let Some(at) = done_at.into_iter().chain(limit).min() {
            self.finish_at(at, unit, epoch);
        }
        self.read_training(owner);
    }

    /// Whether a training that should stop now has to although its work is not done; then it has failed.
    pub(crate) fn training_is_late(&mut self, owner: u32) -> Result<bool, RunError> {
        let Some(Kind::Training { runtime_limit_ms: Some(limit), .. }) = self.kind(owner) else { return Ok(false) };
        let (now, read) = (self.now, self.read_so_far(owner));
        let Some(training) = self.world.controllers[owner].training.as_mut() else { return Ok(false) };
        training.progress.advance(now);
        training.progress.has_done(read.unwrap_or(0));
        if training.progress.is_done() {
            return Ok(false);
        }
        self.fail(owner, format!("reached its runtime limit of {}", time_text(*limit)))?;
        Ok(true)
    }

    /// A training that is whole no more stops working; gives the work that is lost.
    pub(crate) fn break_training(&mut self, owner: u32) -> u128 {
        let (now, done) = (self.now, self.read_so_far(owner).unwrap_or(0));
        if let Some(unit) = self.world.controllers[owner].training.as_ref().and_then(|t| t.unit) {
            self.stop_reading(unit);
        }
        self.world.controllers[owner].training.as_mut().map_or(0, |t| {
            t.has_done(done);
            t.break_off(now)
        })
    }

    /// Whether a training may be started once more; otherwise it has failed.
    pub(crate) fn may_restart(&mut self, owner: u32) -> Result<bool, RunError> {
        let Some(Kind::Training { max_restarts: Some(most), .. }) = self.kind(owner) else { return Ok(true) };
        let training = self.world.controllers[owner].training.as_ref();
        let (starts, broken) = training.map_or((0, false), |training| (training.starts, training.broken));
        if starts <= *most || broken || self.world.controllers[owner].closed {
            return Ok(true);
        }
        self.fail(owner, format!("restarts needed: {starts}; its max_restarts is {most}"))?;
        Ok(false)
    }

    /// Whether what is left of a training's present run waits for members in place of those that were lost.
    pub(crate) fn waits_for_members(&self, unit: u32) -> bool {
        let owner = self.world.units[unit].owner;
        let waits = |t: &Training| t.unit == Some(unit) && t.on_loss == OnLoss::Wait && !t.is_whole();
        self.world.units[unit].active > 0 && self.world.controllers[owner].training.as_deref().is_some_and(waits)
    }

    /// A training lost members with their node, and the others wait for new ones: the first loss of several breaks it off.
    pub(crate) fn begin_to_wait(&mut self, owner: u32) -> Result<(), RunError> {
        if !self.may_restart(owner)? {
            return Ok(());
        }
        if let Some(training) = self.world.controllers[owner].training.as_mut()
            && !std::mem::replace(&mut training.broken, true)
        {
            training.starts += 1;
        }
        Ok(())
    }

    /// A member that was lost or evicted is made up for by a new one.
    pub(crate) fn rejoin(&mut self, unit: u32, role: u32) -> Result<(), RunError> {
        let owner = self.world.units[unit].owner;
        let Some(Kind::Training { roles, .. }) = self.kind(owner) else {
            return Ok(());
        };
        let waits = self.waits_for_members(unit);
        let Some(training) = self.world.controllers[owner].training.as_mut() else {
            return Ok(());
        };
        let present = training.unit == Some(unit) && (training.is_whole() || waits);
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
        self.trace(TraceEvent::Join { workload: WorkloadId(unit), pods: 1 });
        self.tell_joined(pod);
        self.feed(Event::WorkloadChanged(WorkloadChange {
            add_pods: Some(PodSet { template, count: 1, min: 0 }),
            ..WorkloadChange::of(WorkloadId(unit))
        }))
    }
}
