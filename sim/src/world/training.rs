//! The controller of trainings: a gang with roles, whose speed depends on its members, and which saves its work in
//! checkpoints.
//!
//! Its rate depends on the running members of working roles, as long as every role has its minimum. Each member counts
//! 1 (or, if the work is GPU time, its GPUs), multiplied by the efficiency of that many members. The unit of work is
//! fine enough for exact arithmetic. With linear scaling, it is a thousandth of a pod-millisecond, or of a millisecond
//! of a thousandth of a GPU: nodes can be slow, and speeds are in thousandths. With a scaling curve, it is a billionth
//! of that. A gang that falls below its minimum loses the work since the last checkpoint. Then the training is
//! submitted again, or waits for replacements of the lost members. The new run begins with the restart overhead.

use super::{
    Fact, State, World, dataset, ending, job::fixed, job_record, node_speed, node_speed::FULL, pod_lifecycle,
    progress::Progress, shapes::Shapes, submit, submit::NewWorkload,
};
use crate::{
    model::{BILLION, Kind, OnLoss, Role, Scaling, Work, gpus},
    trace::TraceEvent,
};
use quotree_core::{Event, PodSet, Time, WorkloadChange, WorkloadId};
use quotree_syntax::time_text;
use std::sync::Arc;

/// The state of a role.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RoleState {
    shape: u32,
    min: u32,
    /// The weight of each running member in the rate; 0 for roles that do not work.
    weight: u64,
    /// How many members are being bound or running, and not terminating.
    pub(crate) active: u32,
    pub(crate) running: u32,
    /// The number of the next member.
    next: u32,
}

/// The state of a training.
#[derive(Debug, Clone)]
pub(crate) struct Training {
    pub(crate) roles: Vec<RoleState>,
    /// The core workload of the current run.
    pub(crate) unit: Option<u32>,
    /// How many members a complete gang has.
    size: u32,
    /// The rate of a complete gang.
    full_rate: u128,
    scaling: Scaling,
    progress: Progress,
    /// How often it was started; the first start counts, too.
    starts: u32,
    on_loss: OnLoss,
    /// Whether members were lost and the others wait for replacements.
    broken: bool,
    pub(crate) epoch: u32,
}

impl Training {
    /// The controller of a [`Kind::Training`].
    pub(crate) fn new(kind: &Kind, shapes: &mut Shapes) -> Option<Self> {
        let Kind::Training { roles, work, scaling, checkpoints, on_loss, reads, .. } = kind else {
            return None;
        };
        let some_work = roles.iter().any(|role| role.works);
        let role_state = |role: &Role| {
            let weight = if matches!(work, Work::GpuTime(_)) { gpus(role) } else { 1 };
            RoleState {
                shape: shapes.number(&role.template),
                min: role.min,
                weight: if role.works || !some_work { weight } else { 0 },
                active: 0,
                running: 0,
                next: role.replicas,
            }
        };
        let mut training = Self {
            roles: roles.iter().map(role_state).collect(),
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
        let everybody = training.roles.iter().zip(roles).map(|(role_state, role)| (role_state.weight, role.replicas));
        training.full_rate = training.rate(everybody).saturating_mul(u128::from(FULL));
        training.progress.step = u128::from(checkpoints.every_ms().unwrap_or(0)).saturating_mul(training.full_rate);
        if let Work::GpuTime(ms) = work {
            let unit = if training.scaling == Scaling::Linear { 1 } else { u128::from(BILLION) };
            training.progress.total = Some((u128::from(*ms) * 1000 * u128::from(FULL)).saturating_mul(unit));
        }
        Some(training)
    }

    /// The rate of these members, given as pairs of weight and number.
    fn rate(&self, roles: impl Iterator<Item = (u64, u32)>) -> u128 {
        let (members, weight) =
            roles.filter(|(weight, _)| *weight > 0).fold((0_u32, 0), |(n, sum), (weight, count)| {
                (n.saturating_add(count), sum + u128::from(weight) * u128::from(count))
            });
        match &self.scaling {
            Scaling::Linear => weight,
            curve => {
                weight.saturating_mul(u128::from(curve.speed(members))).checked_div(u128::from(members)).unwrap_or(0)
            }
        }
    }

    /// Whether every role has its minimum of active members.
    pub(crate) fn is_whole(&self) -> bool {
        self.roles.iter().all(|c| c.active >= c.min) && self.roles.iter().any(|c| c.active > 0)
    }

    /// Whether every role still has its minimum after one member of this role is lost.
    pub(crate) fn is_whole_without(&self, role: u32) -> bool {
        let lacks = |(i, c): (usize, &RoleState)| c.active.saturating_sub(u32::from(i == role as usize)) < c.min;
        let active: u32 = self.roles.iter().fold(0, |sum, c| sum.saturating_add(c.active));
        active > 1 && !self.roles.iter().enumerate().any(lacks)
    }

    /// When the work will be done if nothing changes. If the training does not work now, the rate of a complete gang is
    /// assumed.
    pub(crate) fn expected_end(&self, now: Time) -> Option<Time> {
        let rate = if self.progress.rate == 0 { self.full_rate } else { self.progress.rate };
        self.progress.clone().go_on(now, rate, 0)
    }

    /// Counts a member that changes its state.
    pub(crate) fn count(&mut self, role: u32, from: State, to: State) {
        if let Some(role_state) = self.roles.get_mut(role as usize) {
            role_state.active = role_state.active + u32::from(to.is_active()) - u32::from(from.is_active());
            role_state.running = role_state.running + u32::from(to.is_running()) - u32::from(from.is_running());
        }
    }

    /// Sets the rate after members joined or left, or the speed of their nodes changed. Returns when the work will be
    /// done.
    fn set_rate(&mut self, now: Time, overhead_ms: u64, permille: u32) -> Option<Time> {
        let working = self.roles.iter().all(|c| c.running >= c.min);
        let rate = if working { self.rate(self.roles.iter().map(|c| (c.weight, c.running))) } else { 0 };
        let rate = rate.saturating_mul(u128::from(permille));
        self.broken &= rate == 0;
        self.epoch += 1;
        self.progress.go_on(now, rate, overhead_ms)
    }

    /// The current run and its progress.
    pub(crate) fn present(&self) -> Option<(u32, &Progress)> {
        Some((self.unit?, &self.progress))
    }

    /// Records the work that a dataset reports as done.
    pub(crate) fn has_done(&mut self, done: u128) {
        self.progress.has_done(done);
    }

    /// Interrupts the run. Returns the lost work in pod-milliseconds.
    fn break_off(&mut self, now: Time) -> u128 {
        self.epoch += 1;
        let lost = self.progress.break_off(now);
        lost.saturating_mul(u128::from(self.size)).checked_div(self.full_rate).unwrap_or(0)
    }
}

/// Submits a training, for the first time or again.
pub(crate) fn start(world: &mut World<'_>, owner: u32, evictions: u32) {
    let Some(Kind::Training { roles, work, .. }) = world.kind(owner) else {
        return;
    };
    let state = &mut world.controllers[owner];
    let (namespace, turn) = (state.namespace, state.made);
    let Some(training) = state.training.as_mut() else {
        return;
    };
    // Where the others waited for new members in vain, this start was counted when they began to wait.
    training.starts += u32::from(!std::mem::take(&mut training.broken));
    if let (None, Work::Runtime(runtime)) = (training.progress.total, work) {
        let ms = match state.runtimes.as_mut() {
            Some(stream) => stream.duration_ms(runtime),
            None => fixed(runtime),
        };
        training.progress.total = ms.map(|ms| u128::from(ms).saturating_mul(training.full_rate));
    }
    for (role_state, role) in training.roles.iter_mut().zip(roles) {
        role_state.next = role.replicas;
    }
    let set = |(role_state, role): (&RoleState, &Role)| {
        (PodSet { template: Arc::clone(&role.template), count: role.replicas, min: role.min }, role_state.shape)
    };
    let sets = training.roles.iter().zip(roles).map(set).collect();
    let new = NewWorkload {
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
    let Some(unit) = submit::submit(world, new) else { return };
    if let Some(training) = world.controllers[owner].training.as_mut() {
        training.unit = Some(unit);
        let alone = training.progress.clone().go_on(Time(0), training.full_rate, 0);
        if turn == 0 {
            job_record::set_ideal(world, unit, alone.map(|end| end.0));
        }
    }
}

/// Continues a training at another rate, after members joined or left.
pub(crate) fn update_rate(world: &mut World<'_>, owner: u32) {
    let Some(Kind::Training { restart_overhead_ms, runtime_limit_ms, .. }) = world.kind(owner) else {
        return;
    };
    let now = world.now;
    let present = world.controllers[owner].training.as_ref().and_then(|t| t.unit);
    let permille = present.map_or(FULL, |unit| node_speed::speed(world, unit));
    let Some(training) = world.controllers[owner].training.as_mut() else {
        return;
    };
    let Some(unit) = training.unit else {
        return;
    };
    let overhead = if training.starts > 1 { *restart_overhead_ms } else { 0 };
    let done_at = training.set_rate(now, overhead, permille);
    let epoch = training.epoch;
    let working = training.progress.rate > 0;
    let limit = runtime_limit_ms.filter(|_| working).and_then(|limit| training.progress.worked_for(limit));
    world.units[unit].working_since = working.then_some(now);
    if let Some(at) = done_at.into_iter().chain(limit).min() {
        pod_lifecycle::finish_at(world, at, unit, epoch);
    }
    dataset::read_training(world, owner);
}

/// Whether a training has reached its runtime limit before its work was done. If so, it fails.
pub(crate) fn is_late(world: &mut World<'_>, owner: u32) -> bool {
    let Some(Kind::Training { runtime_limit_ms: Some(limit), .. }) = world.kind(owner) else { return false };
    let (now, read) = (world.now, dataset::read_so_far(world, owner));
    let Some(training) = world.controllers[owner].training.as_mut() else { return false };
    training.progress.advance(now);
    training.progress.has_done(read.unwrap_or(0));
    if training.progress.is_done() {
        return false;
    }
    ending::fail(world, owner, format!("reached its runtime limit of {}", time_text(*limit)));
    true
}

/// Stops the work of a training that is below its minimum. Returns the lost work.
pub(crate) fn break_off(world: &mut World<'_>, owner: u32) -> u128 {
    let (now, done) = (world.now, dataset::read_so_far(world, owner).unwrap_or(0));
    if let Some(unit) = world.controllers[owner].training.as_ref().and_then(|t| t.unit) {
        dataset::stop_reading(world, unit);
    }
    world.controllers[owner].training.as_mut().map_or(0, |t| {
        t.has_done(done);
        t.break_off(now)
    })
}

/// Whether a training may be started once more. If not, it fails.
pub(crate) fn may_restart(world: &mut World<'_>, owner: u32) -> bool {
    let Some(Kind::Training { max_restarts: Some(most), .. }) = world.kind(owner) else { return true };
    let training = world.controllers[owner].training.as_ref();
    let (starts, broken) = training.map_or((0, false), |training| (training.starts, training.broken));
    if starts <= *most || broken || world.controllers[owner].closed {
        return true;
    }
    ending::fail(world, owner, format!("number of restarts needed: {starts}, more than its `max_restarts` of {most}"));
    false
}

/// Whether the remaining members of the current run wait for replacements of lost ones.
pub(crate) fn waits_for_members(world: &World<'_>, unit: u32) -> bool {
    let owner = world.units[unit].owner;
    let waits = |t: &Training| t.unit == Some(unit) && t.on_loss == OnLoss::Wait && !t.is_whole();
    world.units[unit].active > 0 && world.controllers[owner].training.as_deref().is_some_and(waits)
}

/// Makes the remaining members of a training wait for replacements of members that were lost with their node. The first
/// of several losses counts as a restart.
pub(crate) fn begin_to_wait(world: &mut World<'_>, owner: u32) {
    if !may_restart(world, owner) {
        return;
    }
    if let Some(training) = world.controllers[owner].training.as_mut()
        && !std::mem::replace(&mut training.broken, true)
    {
        training.starts += 1;
        let record = world.controllers[owner].record;
        world.jobs[record].attempts += 1;
    }
}

/// Adds a member that replaces a lost or evicted one.
pub(crate) fn add_member(world: &mut World<'_>, unit: u32, role: u32) {
    let owner = world.units[unit].owner;
    let Some(Kind::Training { roles, .. }) = world.kind(owner) else {
        return;
    };
    let waits = waits_for_members(world, unit);
    let Some(training) = world.controllers[owner].training.as_mut() else {
        return;
    };
    let present = training.unit == Some(unit) && (training.is_whole() || waits);
    let (Some(role_state), Some(template)) =
        (training.roles.get_mut(role as usize), roles.get(role as usize).map(|r| Arc::clone(&r.template)))
    else {
        return;
    };
    if !present || world.units[unit].live == 0 {
        return;
    }
    let (number, shape) = (role_state.next, role_state.shape);
    role_state.next += 1;
    let ordinal = world.units[unit].count;
    world.units[unit].count += 1;
    let pod = submit::add_pod(world, unit, shape, role);
    world.joined.insert((unit, ordinal), (pod, number));
    world.trace(TraceEvent::Join { workload: WorkloadId(unit), pods: 1 });
    world.emit(Fact::Joined { pod });
    world.tell(Event::WorkloadChanged(WorkloadChange {
        add_pods: Some(PodSet { template, count: 1, min: 0 }),
        ..WorkloadChange::of(WorkloadId(unit))
    }));
}
