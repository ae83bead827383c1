//! The life cycle of core workloads: their pods run, do their work, are interrupted, and are replaced.
//!
//! The rules are the same for a single pod and for a gang. Work begins when all required pods run. When a gang falls
//! below its minimum (by eviction, or because a node is lost), the rest is withdrawn and its controller starts the work
//! again.

use super::{
    CONTROLLER, End, Fact, OUTCOME, State, World, WorldEvent, dataset, deployment, ending, job, node_speed, nodes,
    progress::kept_and_lost, submit, trace_rows, training,
};
use crate::{model::Kind, trace::TraceEvent};
use quotree_core::{Event, PodOutcome, Time};

/// Handles a successful bind: the pod runs.
pub(crate) fn bound(world: &mut World<'_>, pod: u32) {
    if world.pods[pod].state != State::Binding {
        return;
    }
    if world.pods[pod].at != world.now {
        world.emit(Fact::Started { pod });
    }
    world.set_state(pod, State::Running);
    let id = world.id_of(pod);
    world.trace(TraceEvent::Bound { pod: id });
    world.tell(Event::bound(id, world.now));
    let unit_id = world.pods[pod].unit;
    let unit = world.units[unit_id];
    if world.controllers[unit.owner].training.is_some() {
        training::update_rate(world, unit.owner);
    } else if unit.running == unit.first_count {
        world.units[unit_id].working_since = Some(world.now);
        node_speed::update(world, unit_id, world.now);
        let paced = world.fleet.paces.contains_key(&unit_id);
        if let Some(ms) = job::time_to_end(world, unit_id).filter(|_| !paced) {
            finish_at(world, world.now.after_ms(ms), unit_id, 0);
        }
    }
}

/// Schedules the end of the work of a core workload at this time, if nothing changes before.
pub(crate) fn finish_at(world: &mut World<'_>, at: Time, unit: u32, epoch: u32) {
    world.schedule(at, OUTCOME, WorldEvent::Finished { unit, epoch });
}

/// Whether an end event is obsolete, because the work ends at another time or never.
pub(crate) fn is_finish_stale(world: &World<'_>, unit: u32, epoch: u32) -> bool {
    let training = world.controllers[world.units[unit].owner].training.as_ref();
    let replaced = match training {
        Some(t) => t.epoch != epoch || t.unit != Some(unit),
        None => world.fleet.paces.get(&unit).map_or(0, |pace| pace.epoch) != epoch,
    };
    replaced || world.units[unit].working_since.is_none()
}

/// Handles the end of the work of a core workload: its running pods succeed, and its pending pods are withdrawn.
pub(crate) fn finished(world: &mut World<'_>, unit: u32, epoch: u32) {
    if is_finish_stale(world, unit, epoch) {
        return;
    }
    let owner = world.units[unit].owner;
    if job::is_late(world, unit) || training::is_late(world, owner) {
        return;
    }
    world.units[unit].working_since = None;
    dataset::stop_reading(world, unit);
    for pod in world.pods_of(unit) {
        let state = world.pods[pod].state;
        if state.is_active() || state.is_running() {
            let id = world.id_of(pod);
            nodes::ended(world, pod, State::Succeeded, PodOutcome::Succeeded);
            world.tell(Event::PodGone { pod: id, outcome: PodOutcome::Succeeded });
        }
    }
    if let Some(training) = world.controllers[owner].training.as_mut() {
        training.unit = None;
    }
    submit::withdraw(world, unit, State::Deleted);
    match world.kind(owner) {
        Some(Kind::Job { .. }) => job::pod_succeeded(world, owner),
        Some(Kind::Training { .. }) => ending::finish(world, owner, End::Succeeded),
        _ => trace_rows::finish(world, unit, true),
    }
}

/// Stops the work of a core workload. Work that no checkpoint saved is lost. Returns the lost work in pod-milliseconds.
pub(crate) fn interrupt(world: &mut World<'_>, unit_id: u32) -> u128 {
    let now = world.now;
    let owner = world.units[unit_id].owner;
    let kind = world.kind(owner);
    let unit = &mut world.units[unit_id];
    let Some(since) = unit.working_since.take() else {
        return 0;
    };
    unit.ran_ms = unit.ran_ms.saturating_add(now.since(since));
    let ran = node_speed::worked_ms(world, unit_id, since);
    let unit = &world.units[unit_id];
    let lost = match kind {
        Some(kind @ (Kind::Job { .. } | Kind::Trace { .. })) if unit.left_ms != u64::MAX => {
            let (step, cost) = kind.checkpoints();
            // The progress of a reader includes the cost of its checkpoints.
            let (kept, lost) = match dataset::stop_job(world, unit_id) {
                Some(done) => kept_and_lost(done, step, 0),
                None => kept_and_lost(ran, step, cost),
            };
            let unit = &mut world.units[unit_id];
            unit.left_ms -= kept.min(unit.left_ms);
            u128::from(lost) * u128::from(unit.first_count)
        }
        Some(Kind::Training { .. }) => training::break_off(world, owner),
        _ => 0,
    };
    let account = world.units[unit_id].account;
    world.accounts.all[account].lost_ms += lost;
    let job = world.units[unit_id].job;
    let lost_ms = &mut world.jobs[job].lost_ms;
    *lost_ms = lost_ms.saturating_add(u64::try_from(lost).unwrap_or(u64::MAX));
    if lost > 0 {
        world.emit(Fact::Interrupted { unit: unit_id, lost_ms: lost });
    }
    lost
}

/// Removes an evicted pod that is gone.
pub(crate) fn gone(world: &mut World<'_>, pod: u32) {
    if world.pods[pod].state != State::Leaving {
        return;
    }
    let (id, unit, role) = (world.id_of(pod), world.pods[pod].unit, world.pods[pod].role);
    nodes::ended(world, pod, State::Evicted, PodOutcome::Evicted);
    world.tell(Event::PodGone { pod: id, outcome: PodOutcome::Evicted });
    if still_trains(world, unit) {
        return rejoin(world, unit, role);
    }
    let others_leave = world.pods_of(unit).any(|pod| world.pods[pod].state.is_leaving());
    if others_leave && world.units[unit].active == 0 {
        return world.unreliable.note_loss(unit, role);
    }
    after_loss(world, unit, false);
}

/// Replaces a member of a training later.
fn rejoin(world: &mut World<'_>, unit: u32, role: u32) {
    let after = world.now.after_ms(world.scenario.world.recreate_delay_ms);
    world.schedule(after, CONTROLLER, WorldEvent::Rejoin { unit, role });
}

/// Handles the loss of pods of these roles, where the others were to be evicted, too, and one of them goes on.
pub(crate) fn go_on_without(world: &mut World<'_>, unit: u32, roles: &[u32]) {
    after_loss(world, unit, false);
    if still_trains(world, unit) {
        roles.iter().for_each(|role| rejoin(world, unit, *role));
    }
}

/// After pods ended before their work was done: withdraws the rest of the core workload, and notifies its controller.
fn after_loss(world: &mut World<'_>, unit: u32, by_node: bool) {
    let owner = world.units[unit].owner;
    if let Some(training) = world.controllers[owner].training.as_ref() {
        if training.unit != Some(unit) {
            return;
        }
        if training.is_whole() {
            training::update_rate(world, owner);
            return;
        }
        if by_node && training::waits_for_members(world, unit) {
            return training::begin_to_wait(world, owner);
        }
    }
    if let Some(training) = world.controllers[owner].training.as_mut() {
        training.unit = None;
    }
    submit::withdraw(world, unit, State::Deleted);
    let delay = match world.kind(owner) {
        Some(Kind::Job { .. }) if by_node => job::pod_lost(world, unit),
        Some(Kind::Trace { .. }) if by_node => trace_rows::lost(world, unit),
        Some(Kind::Training { .. }) => training::may_restart(world, owner).then_some(0),
        _ => Some(0),
    };
    if let Some(delay) = delay.filter(|_| !world.controllers[owner].closed) {
        world.controllers[owner].retrying += 1;
        if let Some(Kind::Trace { .. } | Kind::Deployment { .. }) = world.kind(owner) {
            world.rows.retries.insert((owner, unit));
        }
        let after = world.now.after_ms(world.scenario.world.recreate_delay_ms.saturating_add(delay));
        world.schedule(after, CONTROLLER, WorldEvent::Retry(unit));
    }
}

/// Whether this core workload is the current run of a training, and every role has its minimum.
pub(crate) fn still_trains(world: &World<'_>, unit: u32) -> bool {
    let owner = world.units[unit].owner;
    world.controllers[owner].training.as_ref().is_some_and(|t| t.unit == Some(unit) && t.is_whole())
}

/// Handles pods that were lost with their node or with a device: their core workloads continue without them, or stop.
/// If a training continues or waits, its lost members are replaced.
pub(crate) fn lost(world: &mut World<'_>, lost: &[u32]) {
    let mut units: Vec<u32> = lost.iter().map(|pod| world.pods[*pod].unit).collect();
    units.sort_unstable();
    units.dedup();
    for unit in units {
        if !still_trains(world, unit) {
            interrupt(world, unit);
        }
        after_loss(world, unit, true);
    }
    for pod in lost {
        let (unit, role) = (world.pods[*pod].unit, world.pods[*pod].role);
        if still_trains(world, unit) || training::waits_for_members(world, unit) {
            rejoin(world, unit, role);
        }
    }
}

/// Replaces an evicted or lost core workload.
pub(crate) fn retry(world: &mut World<'_>, unit_id: u32) {
    let unit = world.units[unit_id];
    let owner = unit.owner;
    world.controllers[owner].retrying -= 1;
    world.rows.retries.remove(&(owner, unit_id));
    if world.controllers[owner].closed {
        return;
    }
    world.replacing = Some(unit_id);
    match world.kind(owner) {
        Some(Kind::Deployment { .. }) => deployment::replace(world, owner, unit_id),
        Some(Kind::Job { .. }) => job::retry_pod(world, owner, unit_id),
        Some(Kind::Training { .. }) => training::start(world, owner, unit.evictions),
        Some(Kind::Trace { .. }) => trace_rows::submit_row(world, owner, unit.number, Some(unit_id)),
        Some(Kind::Workflow { .. }) | None => {}
    }
    world.replacing = None;
}
