//! The state of each node: up, down or cordoned. Several causes can keep a node down at the same time; it is up when
//! there is none.

use super::{Fact, Pod, State, World, cost, fleet, pod_lifecycle};
use crate::{model::Node, trace::TraceEvent};
use quotree_core::{Amounts, Event, NodeId, NodeSpec, PodOutcome};

/// The state of a node.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NodeState {
    pub(crate) up: bool,
    pub(crate) cordoned: bool,
    /// Whether it has not joined yet, or was removed.
    pub(crate) absent: bool,
    /// Whether it has ever joined.
    pub(crate) known: bool,
    /// Whether the scenario has failed it and not brought it up since.
    stopped: bool,
    /// How many other causes keep it down: faults, outages, its rack.
    causes: u32,
    /// The speed of work on it, thousandths of full speed.
    pub(crate) permille: u32,
    /// Pods that use it.
    pub(crate) pods: u32,
}

impl NodeState {
    pub(crate) fn of(node: &Node) -> Self {
        Self {
            up: false,
            cordoned: !node.spec.schedulable,
            absent: node.spare,
            known: !node.spare,
            stopped: false,
            causes: 0,
            permille: 1000,
            pods: 0,
        }
    }
}

/// The amounts of a node without its unhealthy devices.
pub(crate) fn healthy(spec: &NodeSpec) -> Amounts {
    let mut amounts = spec.allocatable.clone();
    for devices in &spec.devices {
        let ill = spec.unhealthy.iter().filter(|device| *device < devices.count).count();
        let ill = i64::try_from(ill).unwrap_or(i64::MAX).saturating_mul(devices.each);
        if let Some(amount) = amounts.get(devices.resource.as_str()).filter(|_| ill > 0) {
            amounts.set(devices.resource.clone(), amount.saturating_sub(ill).max(0));
        }
    }
    amounts
}

/// Brings a node up for the scenario. A node that is already up is unchanged.
pub(crate) fn start(world: &mut World<'_>, node: u32) {
    if node < world.nodes.len() {
        world.nodes[node].stopped = false;
        settle(world, node);
    }
}

/// Fails a node for the scenario: it is lost with its pods.
pub(crate) fn stop(world: &mut World<'_>, node: u32) {
    if node < world.nodes.len() {
        world.nodes[node].stopped = true;
        settle(world, node);
    }
}

/// Adds one to the causes that keep a node down, or removes one.
pub(crate) fn hold_down(world: &mut World<'_>, node: u32, down: bool) {
    let causes = &mut world.nodes[node].causes;
    *causes = if down { *causes + 1 } else { causes.saturating_sub(1) };
    settle(world, node)
}

/// Lets a node join, or removes it.
pub(crate) fn set_absent(world: &mut World<'_>, node: u32, absent: bool) {
    if world.nodes[node].absent == absent {
        return;
    }
    let state = &mut world.nodes[node];
    (state.absent, state.known) = (absent, true);
    world.fleet.count(node, world.now, !absent);
    settle(world, node)
}

/// Updates whether a node is up: it has joined, and no cause keeps it down.
fn settle(world: &mut World<'_>, node: u32) {
    let state = world.nodes[node];
    let stands = !state.absent && !state.stopped && state.causes == 0;
    match (state.up, stands) {
        (false, true) => come_up(world, node),
        (true, false) => go_down(world, node),
        _ => {}
    }
}

fn come_up(world: &mut World<'_>, node: u32) {
    let Some(spec) = spec_of(world, node) else {
        return;
    };
    resize(world, &spec, 1);
    world.nodes[node].up = true;
    world.trace(TraceEvent::Node { node: NodeId(node), up: true });
    world.tell(Event::NodeUp(spec))
}

/// Takes a node down, with its pods.
fn go_down(world: &mut World<'_>, node: u32) {
    let Some(spec) = spec_of(world, node) else {
        return;
    };
    resize(world, &spec, -1);
    world.nodes[node].up = false;
    world.trace(TraceEvent::Node { node: NodeId(node), up: false });
    world.tell(Event::NodeDown { node: NodeId(node) });
    let lost = fleet::pods_on(world, node);
    for pod in &lost {
        ended(world, *pod, State::Failed, PodOutcome::Lost);
    }
    pod_lifecycle::lost(world, &lost);
}

/// Cordons or uncordons a node.
pub(crate) fn cordon(world: &mut World<'_>, node: u32, cordoned: bool) {
    if node >= world.nodes.len() {
        return;
    }
    world.nodes[node].cordoned = cordoned;
    world.trace(TraceEvent::Cordon { node: NodeId(node), cordoned });
    report(world, node);
}

/// Sends the current state of a node to the scheduler, if the node is up.
pub(crate) fn report(world: &mut World<'_>, node: u32) {
    if let Some(spec) = spec_of(world, node).filter(|_| world.nodes[node].up) {
        world.tell(Event::NodeChanged(spec));
    }
}

/// The current state of a node, as the scheduler receives it.
pub(crate) fn spec_of(world: &World<'_>, node: u32) -> Option<NodeSpec> {
    let spec = world.scenario.cluster.nodes.get(node as usize)?.spec.clone();
    let mut spec = world.devices.now(node, spec);
    spec.id = NodeId(node);
    spec.schedulable = !world.nodes[node].cordoned;
    Some(spec)
}

/// Adds the healthy amounts of a node to the capacity of the cluster (1), or subtracts them (-1).
pub(crate) fn resize(world: &mut World<'_>, spec: &NodeSpec, sign: i128) {
    for (name, amount) in healthy(spec).iter() {
        if let Some(resource) = world.shapes.resource(name.as_str()) {
            world.emit(Fact::Capacity { resource, amount: sign * i128::from(amount) });
        }
    }
}

/// Ends a pod. The caller must notify the scheduler.
pub(crate) fn ended(world: &mut World<'_>, pod: u32, state: State, outcome: PodOutcome) {
    let Pod { node, at, .. } = world.pods[pod];
    let (lost, at_once) = (outcome == PodOutcome::Lost, at == world.now);
    world.emit(Fact::Ended { pod, state, lost, node, at_once });
    world.set_state(pod, state);
    fleet::unplace(world, pod);
    cost::discharge(world, pod);
    let id = world.id_of(pod);
    world.trace(TraceEvent::Gone { pod: id, outcome });
}
