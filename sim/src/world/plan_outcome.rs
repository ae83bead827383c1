//! The effects of the scheduler's decisions on the world: pods that are bound or evicted, gangs that shrink or stop,
//! and work that is lost.

use super::{Fact, NONE, State, World, cost, fleet, job_record, pod_lifecycle, training, unreliable};
use crate::{options::RunError, trace::TraceEvent};
use quotree_core::{DeviceSet, EvictReason, NodeId, PodId};

/// Binds a pod to a node.
pub(crate) fn bind(world: &mut World<'_>, id: PodId, node: NodeId, devices: DeviceSet) -> Result<(), RunError> {
    let is_up = node.0 < world.nodes.len() && world.nodes[node.0].up;
    let pod = world.find(id).filter(|pod| world.pods[*pod].state == State::Waiting && is_up);
    let Some(pod) = pod else {
        return Err(RunError::Impossible { at: world.now, what: format!("bind {id} to {node}") });
    };
    world.set_state(pod, State::Binding);
    let unit = world.pods[pod].unit;
    if std::mem::take(&mut world.units[unit].fresh) {
        job_record::pod_started(world, world.units[unit].job);
    }
    fleet::place(world, pod, node.0);
    cost::charge(world, pod, node.0);
    world.emit(Fact::BindDecided { pod });
    world.devices.give(pod, devices);
    world.trace(TraceEvent::Bind { pod: id, node, devices });
    unreliable::request_bind(world, pod);
    Ok(())
}

/// Evicts a pod, and gives its number.
pub(crate) fn evict(world: &mut World<'_>, id: PodId, reason: &EvictReason) -> Result<u32, RunError> {
    world.trace(TraceEvent::Evict { pod: id, rule: reason.rule, cause: reason.cause });
    let Some(pod) = world.find(id).filter(|pod| world.pods[*pod].state.is_active()) else {
        return Err(RunError::Impossible { at: world.now, what: format!("evict {id}") });
    };
    unreliable::request_planned_eviction(world, pod);
    Ok(pod)
}

/// The core workloads that one plan changed, and the pods that it evicted.
#[derive(Debug, Default)]
pub(crate) struct Touched {
    units: Vec<u32>,
    evicted: Vec<u32>,
}

impl Touched {
    /// Notes that a pod was bound, which matters only for gangs.
    pub(crate) fn bound(&mut self, world: &World<'_>, pod: PodId) {
        let unit = pod.workload.0;
        if unit < world.units.len() && world.units[unit].count > 1 && self.units.last() != Some(&unit) {
            self.units.push(unit);
        }
    }

    /// Notes that a pod was evicted.
    pub(crate) fn evicted(&mut self, pod: u32, id: PodId) {
        self.units.push(id.workload.0);
        self.evicted.push(pod);
    }

    /// After the plan was carried out: changed gangs continue at another rate, or stop and lose work.
    pub(crate) fn settle(mut self, world: &mut World<'_>) {
        self.units.sort_unstable();
        self.units.dedup();
        for unit in self.units {
            let first = self.evicted.iter().copied().find(|pod| world.pods[*pod].unit == unit);
            settle_unit(world, unit, first.unwrap_or(NONE));
        }
    }
}

/// Applies the effect of a plan on a core workload; `evicted` is the first of its pods that the plan evicted, or
/// [`NONE`].
fn settle_unit(world: &mut World<'_>, unit: u32, evicted: u32) {
    let owner = world.units[unit].owner;
    let active = world.units[unit].active;
    let training = world.controllers[owner].training.as_ref().filter(|t| t.unit == Some(unit));
    let whole = training.map_or(active == world.units[unit].first_count, |training| training.is_whole());
    if !whole && active > 0 && !lost_members(world, unit) {
        world.emit(Fact::GangBelowMinimum);
    }
    if evicted == NONE {
        return;
    }
    if active == 0 {
        world.emit(Fact::EvictedWhole { unit });
    }
    let record = &mut world.units[unit];
    record.evictions += 1;
    world.accounts.all[record.account].thrash.again(record.evictions);
    world.jobs[record.job].evictions += 1;
    let told = world.pods_of(unit).any(|pod| world.pods[pod].state == State::Leaving);
    if whole {
        training::update_rate(world, owner);
    } else if told {
        let lost_ms = pod_lifecycle::interrupt(world, unit);
        world.emit(Fact::WorkLost { pod: evicted, lost_ms });
    }
}

/// Whether a member of a gang was lost with a node, or its bind or eviction failed. Then the scheduler is not the cause if the gang
/// is incomplete.
fn lost_members(world: &World<'_>, unit: u32) -> bool {
    world.unreliable.has_failed(unit) || world.pods_of(unit).any(|pod| world.pods[pod].state == State::Failed)
}
