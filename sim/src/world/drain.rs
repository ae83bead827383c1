//! Drains: a node is cordoned, and the world, not the scheduler, evicts its pods and notifies the scheduler. A pod is
//! evicted when its disruption budget allows it: while fewer pods of the budget than allowed are missing, that is,
//! gone, terminating or not yet running again. A gang that would fall below its minimum is evicted as a whole (G2),
//! elastic members one by one. When the time of the drain is over, the drain kills the remaining pods, or it has failed
//! and the node stays cordoned.

use super::{EDIT, NodeEvent, State, World, WorldEvent, fleet, nodes, pod_lifecycle, trace_rows, training, unreliable};
use crate::{model::Kind, trace::TraceEvent};
use quotree_core::{Event, Name, NodeId};

/// A drain in progress.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Drain {
    kill: bool,
    /// Whether the node is removed when it is empty or the time is over.
    pub(crate) removes: bool,
    pub(crate) epoch: u32,
}

/// Counts over all drains.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Drained {
    /// Pods that drains evicted.
    pub(crate) pods: u64,
    /// How many drains have begun, which is the number of the last one.
    epochs: u32,
    /// Drains that failed: their time ran out before the node was empty.
    pub(crate) failed: u64,
}

/// Begins a drain, which replaces one in progress.
pub(crate) fn begin(world: &mut World<'_>, node: u32, within: Option<u64>, kill: bool, removes: bool) {
    let fleet = &mut world.fleet;
    fleet.drained.epochs += 1;
    let epoch = fleet.drained.epochs;
    let removes = removes || fleet.drains.get(&node).is_some_and(|drain| drain.removes);
    fleet.drains.insert(node, Drain { kill, removes, epoch });
    if let Some(ms) = within {
        world.schedule(world.now.after_ms(ms), EDIT, WorldEvent::Node(NodeEvent::DrainOver { node, epoch }));
    }
    let left = world.nodes[node].pods;
    world.trace(TraceEvent::Drain { node: NodeId(node), begins: true, left });
    if !world.nodes[node].cordoned {
        nodes::cordon(world, node, true);
    }
    continue_drain(world, node);
}

/// Makes every drain evict all pods that it may evict now.
pub(crate) fn continue_all(world: &mut World<'_>) {
    let nodes: Vec<u32> = world.fleet.drains.keys().copied().collect();
    nodes.into_iter().for_each(|node| continue_drain(world, node));
}

fn continue_drain(world: &mut World<'_>, node: u32) {
    let Some(drain) = world.fleet.drains.get(&node).copied() else {
        return;
    };
    if !world.nodes[node].cordoned && !drain.removes {
        // The node was uncordoned.
        return end(world, node);
    }
    for pod in fleet::pods_on(world, node) {
        if !world.pods[pod].state.is_active() {
            continue;
        }
        let leaving = leaving_with(world, pod);
        if budget_allows(world, pod, leaving.len()) {
            tell_to_leave(world, &leaving, node);
        }
    }
    if world.nodes[node].pods == 0 {
        end(world, node);
    }
}

fn end(world: &mut World<'_>, node: u32) {
    let Some(drain) = world.fleet.drains.remove(&node) else {
        return;
    };
    let left = world.nodes[node].pods;
    world.trace(TraceEvent::Drain { node: NodeId(node), begins: false, left });
    if drain.removes {
        nodes::set_absent(world, node, true);
    }
}

/// Ends a drain whose time is over.
pub(crate) fn time_over(world: &mut World<'_>, node: u32, epoch: u32) {
    let Some(drain) = world.fleet.drains.get(&node).copied().filter(|drain| drain.epoch == epoch) else {
        return;
    };
    if world.nodes[node].pods > 0 {
        world.fleet.drained.failed += 1;
    }
    if drain.kill {
        for pod in fleet::pods_on(world, node) {
            if world.pods[pod].state.is_active() {
                let leaving = leaving_with(world, pod);
                tell_to_leave(world, &leaving, node);
            }
        }
        for pod in fleet::pods_on(world, node) {
            // The whole gang of a pod may have been withdrawn with it.
            if world.pods[pod].state.is_leaving() {
                world.set_state(pod, State::Leaving);
                pod_lifecycle::gone(world, pod);
            }
        }
    }
    end(world, node);
}

/// The pods that must be evicted with this one: only itself, or all active pods of its gang.
fn leaving_with(world: &World<'_>, pod: u32) -> Vec<u32> {
    let (unit, role) = (world.pods[pod].unit, world.pods[pod].role);
    let owner = world.units[unit].owner;
    let training = world.controllers[owner].training.as_ref().filter(|t| t.unit == Some(unit));
    if training.is_some_and(|t| t.is_whole_without(role)) {
        return vec![pod];
    }
    world.pods_of(unit).filter(|p| world.pods[*p].state.is_active()).collect()
}

/// Whether the disruption budget allows this many more evictions.
fn budget_allows(world: &World<'_>, pod: u32, count: usize) -> bool {
    let Some(budget) = trace_rows::budget_of(world, world.pods[pod].unit) else {
        return true;
    };
    let Some(allowed) = world.fleet.budgets.get(budget) else {
        return true;
    };
    let missing: usize = world.controllers.ids().map(|owner| unavailable(world, owner, budget)).sum();
    missing.saturating_add(count) <= *allowed as usize
}

/// How many pods of a workload with this budget are unavailable: pending, being bound, terminating, or not yet replaced.
fn unavailable(world: &World<'_>, owner: u32, budget: &Name) -> usize {
    let state = &world.controllers[owner];
    let guarded = |unit: &&u32| trace_rows::budget_of(world, **unit) == Some(budget);
    let pods = state.units.iter().filter(guarded).flat_map(|unit| world.pods_of(*unit));
    let away = |pod: &u32| {
        let state = world.pods[*pod].state;
        state.is_live() && state != State::Running
    };
    let own = world.workload_of(owner).is_some_and(|workload| workload.budget.as_ref() == Some(budget));
    let retrying = match world.kind(owner) {
        Some(Kind::Trace { .. }) => world.rows.retrying(owner).filter(guarded).count(),
        _ if own => state.retrying as usize,
        _ => 0,
    };
    pods.filter(away).count() + retrying
}

/// Evicts pods of one core workload: notifies the scheduler, and removes each pod after its grace period.
fn tell_to_leave(world: &mut World<'_>, pods: &[u32], node: u32) {
    let Some(unit) = pods.first().map(|pod| world.pods[*pod].unit) else {
        return;
    };
    for pod in pods {
        let id = world.id_of(*pod);
        world.fleet.drained.pods += 1;
        let account = world.units[unit].account;
        world.accounts.all[account].drained += 1;
        world.trace(TraceEvent::ToldToGo { pod: id, node: NodeId(node) });
        world.tell(Event::PodLeaving { pod: id });
        unreliable::request_eviction(world, *pod);
        uncount_eviction(world, *pod);
    }
    if pod_lifecycle::still_trains(world, unit) {
        let owner = world.units[unit].owner;
        training::update_rate(world, owner);
    } else if pods.iter().any(|pod| world.pods[*pod].state == State::Leaving) {
        pod_lifecycle::interrupt(world, unit);
    }
}

/// Subtracts an eviction by a drain or by the owner of a pod from the evictions by the scheduler.
pub(crate) fn uncount_eviction(world: &mut World<'_>, pod: u32) {
    let account = world.units[world.pods[pod].unit].account;
    world.accounts.all[account].counts.evicted -= 1;
}
