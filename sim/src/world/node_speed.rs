//! Slow nodes: work on them proceeds at a part of full speed, and the work of a gang at the speed of its slowest
//! member. Speeds are whole thousandths and work is counted in thousandths of a millisecond, so progress is exact
//! however often speeds change.

use super::{World, dataset, fleet, job, pod_lifecycle, training};
use crate::trace::TraceEvent;
use quotree_core::{NodeId, Time};

/// Full speed.
pub(crate) const FULL: u32 = 1000;

/// The progress of a core workload that works, or has worked, at less than full speed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    /// The number of the valid end event; others are obsolete.
    pub(crate) epoch: u32,
    /// Work done up to `since`, thousandths of milliseconds.
    done: u128,
    since: Time,
    permille: u32,
}

impl Pace {
    /// Work done until now, thousandths of milliseconds.
    fn done(&self, now: Time) -> u128 {
        self.done + u128::from(now.since(self.since)) * u128::from(self.permille)
    }
}

/// The speed of a core workload: that of the slowest node with one of its working pods.
pub(crate) fn speed(world: &World<'_>, unit: u32) -> u32 {
    if world.fleet.slow == 0 {
        return FULL;
    }
    let working = world.pods_of(unit).filter(|pod| world.pods[*pod].state.is_running());
    let nodes = working.map(|pod| world.pods[pod].node).filter(|node| *node < world.nodes.len());
    nodes.map(|node| world.nodes[node].permille).min().unwrap_or(FULL)
}

/// The work that a working core workload has done, thousandths of milliseconds, and its speed.
pub(crate) fn progress(world: &World<'_>, unit: u32, since: Time) -> (u128, u32) {
    match world.fleet.paces.get(&unit) {
        Some(pace) => (pace.done(world.now), pace.permille),
        None => (u128::from(world.now.since(since)) * u128::from(FULL), FULL),
    }
}

/// How long a core workload has worked, counted at full speed, rounded down to milliseconds.
pub(crate) fn worked_ms(world: &World<'_>, unit: u32, since: Time) -> u64 {
    u64::try_from(progress(world, unit, since).0 / u128::from(FULL)).unwrap_or(u64::MAX)
}

/// Changes the speed of work on a node.
pub(crate) fn set_node_speed(world: &mut World<'_>, node: u32, permille: u32) {
    let before = std::mem::replace(&mut world.nodes[node].permille, permille);
    if before == permille {
        return;
    }
    let fleet = &mut world.fleet;
    fleet.slow = fleet.slow + u32::from(permille < FULL) - u32::from(before < FULL);
    world.trace(TraceEvent::Slow { node: NodeId(node), permille });
    let mut units: Vec<u32> = fleet::pods_on(world, node).iter().map(|pod| world.pods[*pod].unit).collect();
    units.sort_unstable();
    units.dedup();
    for unit in units {
        let owner = world.units[unit].owner;
        if world.controllers[owner].training.as_ref().is_some_and(|t| t.unit == Some(unit)) {
            training::update_rate(world, owner);
        } else if let Some(since) = world.units[unit].working_since {
            update(world, unit, since);
        }
    }
}

/// Continues a core workload at the current speed of its nodes, with another end. It has worked since `since`.
pub(crate) fn update(world: &mut World<'_>, unit: u32, since: Time) {
    // The dataset decides the progress of a reader; the speed of its node is that of its computing.
    if dataset::is_reader(world, world.units[unit].owner) {
        return dataset::read_job(world, unit);
    }
    let (now, permille) = (world.now, speed(world, unit));
    let old = world.fleet.paces.get(&unit).copied();
    if old.map_or(FULL, |pace| pace.permille) == permille {
        return;
    }
    let old = old.unwrap_or(Pace { epoch: 0, done: 0, since, permille: FULL });
    let pace = Pace { epoch: old.epoch + 1, done: old.done(now), since: now, permille };
    world.fleet.paces.insert(unit, pace);
    let (work, limit) = job::work_and_limit(world, unit);
    let done_at = work.map(|ms| {
        let left = (u128::from(ms) * u128::from(FULL)).saturating_sub(pace.done).div_ceil(u128::from(permille));
        now.after_ms(u64::try_from(left).unwrap_or(u64::MAX))
    });
    let limit = limit.map(|ms| since.after_ms(ms));
    if let Some(at) = done_at.into_iter().chain(limit).min() {
        pod_lifecycle::finish_at(world, at, unit, pace.epoch);
    }
}
