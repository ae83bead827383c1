//! The nodes of the cluster beyond the state of each one: the pods on each node, drains, pools with their node time,
//! and later effects of events ([`NodeEvent`]).

use super::{
    EDIT, NONE, Table, World, WorldEvent,
    autoscale::{self, Scaler},
    drain::{self, Drain, Drained},
    faults,
    node_speed::{self, Pace},
    nodes,
    table::push_live,
};
use crate::{
    model::{Change, NodeChange, Scenario},
    trace::TraceEvent,
};
use quotree_core::{Amounts, Event, Name, NodeId, Plan, Rule, Time};
use std::collections::{BTreeMap, BTreeSet};

/// A later effect of an event or decision about nodes.
#[derive(Debug, Clone, Copy)]
pub(crate) enum NodeEvent {
    /// A node of `faults` fails for the `nth` time, or is repaired.
    Fault { faults: u32, node: u32, nth: u32, down: bool },
    /// The outage that this change began ends.
    OutageOver { change: u32 },
    /// The time of a drain is over.
    DrainOver { node: u32, epoch: u32 },
    /// An ordered node joins.
    Comes { node: u32 },
    /// A node may have been idle for long enough.
    Idle { node: u32, since: Time },
}

/// The number of nodes in a pool, and its integral over time.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct PoolFigures {
    pub(crate) there: u32,
    /// Nodes times milliseconds, up to `since`.
    node_ms: u128,
    since: Time,
}

impl PoolFigures {
    /// Node-milliseconds until now.
    pub(crate) fn node_ms(&self, now: Time) -> u128 {
        self.node_ms + u128::from(self.there) * u128::from(now.since(self.since))
    }
}

/// All state about nodes other than the state of each one.
#[derive(Debug, Default)]
pub(crate) struct Fleet {
    /// Pods by node, unordered and including some that are gone: [`pods_on`] removes those.
    standing: Table<Vec<u32>>,
    /// Racks that `RackDown` keeps down.
    racks_down: BTreeSet<u32>,
    pub(crate) drains: BTreeMap<u32, Drain>,
    pub(crate) drained: Drained,
    /// The current disruption budgets.
    pub(crate) budgets: BTreeMap<Name, u32>,
    pool_of: Vec<u32>,
    pub(crate) pools: Table<PoolFigures>,
    pub(crate) scaler: Scaler,
    /// Progress of core workloads that are or were on slow nodes.
    pub(crate) paces: BTreeMap<u32, Pace>,
    /// Failures drawn by `faults`.
    pub(crate) failures: u64,
    /// How many nodes are slow.
    pub(crate) slow: u32,
}

impl Fleet {
    pub(crate) fn new(scenario: &Scenario) -> Self {
        let cluster = &scenario.cluster;
        let mut pool_of = vec![NONE; cluster.nodes.len()];
        let mut pools = Table::default();
        for pool in &cluster.pools {
            let mut there = 0;
            let number = pools.len();
            for node in pool.nodes.iter() {
                if let Some(slot) = pool_of.get_mut(*node as usize) {
                    *slot = number;
                }
                there += u32::from(cluster.nodes.get(*node as usize).is_some_and(|node| !node.spare));
            }
            pools.push(PoolFigures { there, ..PoolFigures::default() });
        }
        let standing = cluster.nodes.iter().map(|_| Vec::new()).collect();
        let scaler = Scaler::new(scenario);
        Self { standing, pool_of, pools, scaler, ..Self::default() }
    }

    /// The pool of a node.
    pub(crate) fn pool_of(&self, node: u32) -> Option<u32> {
        self.pool_of.get(node as usize).copied().filter(|pool| *pool < self.pools.len())
    }

    /// Counts a node that joins or leaves its pool.
    pub(crate) fn count(&mut self, node: u32, now: Time, joins: bool) {
        let Some(pool) = self.pool_of(node) else { return };
        let pool = &mut self.pools[pool];
        pool.node_ms = pool.node_ms(now);
        pool.since = now;
        pool.there = if joins { pool.there + 1 } else { pool.there.saturating_sub(1) };
    }

    /// Records whether some workload is pending only because no node has room (P1).
    pub(crate) fn note_demand(&mut self, plan: &Plan) {
        if self.scaler.is_on() && plan.verdicts.iter().any(|verdict| verdict.binding.rule() == Rule::P1) {
            self.scaler.wanted = true;
        }
    }
}

/// A pod is placed on a node.
pub(crate) fn place(world: &mut World<'_>, pod: u32, node: u32) {
    let pods = &mut world.pods;
    pods[pod].node = node;
    world.nodes[node].pods += 1;
    let list = &mut world.fleet.standing[node];
    push_live(list, pod, |p| pods[p].node == node && p != pod);
}

/// A pod has left its node.
pub(crate) fn unplace(world: &mut World<'_>, pod: u32) {
    let node = std::mem::replace(&mut world.pods[pod].node, NONE);
    if node != NONE {
        world.nodes[node].pods -= 1;
    }
}

/// The pods that use a node, in order.
pub(crate) fn pods_on(world: &mut World<'_>, node: u32) -> Vec<u32> {
    let pods = &world.pods;
    let list = &mut world.fleet.standing[node];
    list.retain(|p| pods[*p].node == node && pods[*p].state.holds_resources());
    list.sort_unstable();
    list.dedup();
    list.clone()
}

/// Applies a change of nodes; `index` is its index among the changes of the scenario.
pub(crate) fn change(world: &mut World<'_>, change: &NodeChange, index: u32) {
    match change {
        NodeChange::Rack { rack, nodes, down } => {
            let racks = &mut world.fleet.racks_down;
            let news = if *down { racks.insert(*rack) } else { racks.remove(rack) };
            if news {
                nodes.iter().for_each(|node| nodes::hold_down(world, *node, *down));
            }
        }
        NodeChange::Outage { nodes, lasts_ms, .. } => {
            let over = WorldEvent::Node(NodeEvent::OutageOver { change: index });
            world.schedule(world.now.after_ms(*lasts_ms), EDIT, over);
            nodes.iter().for_each(|node| nodes::hold_down(world, *node, true))
        }
        NodeChange::Drain { nodes, within_ms, kill } => {
            nodes.iter().for_each(|node| drain::begin(world, *node, *within_ms, *kill, false))
        }
        NodeChange::Add { nodes } => nodes.iter().for_each(|node| nodes::set_absent(world, *node, false)),
        NodeChange::Remove { nodes, count, drain_ms } => {
            let there = nodes.iter().rev().filter(|node| {
                let leaves = world.fleet.drains.get(node).is_some_and(|drain| drain.removes);
                !world.nodes[**node].absent && !leaves
            });
            let going: Vec<u32> = there.take(count.map_or(usize::MAX, |n| n as usize)).copied().collect();
            going.into_iter().for_each(|node| match drain_ms {
                Some(ms) => drain::begin(world, node, Some(*ms), true, true),
                None => nodes::set_absent(world, node, true),
            })
        }
        NodeChange::Edit { nodes, allocatable, labels, taints } => {
            nodes.iter().for_each(|node| edit_node(world, *node, allocatable, labels, taints.as_deref()))
        }
        NodeChange::Slow { nodes, permille } => {
            nodes.iter().for_each(|node| node_speed::set_node_speed(world, *node, *permille));
        }
    }
}

/// Handles a later effect.
pub(crate) fn handle(world: &mut World<'_>, what: NodeEvent) {
    match what {
        NodeEvent::Fault { faults, node, nth, down } => faults::apply(world, faults, node, nth, down),
        NodeEvent::OutageOver { change } => {
            let event = world.scenario.events.get(change as usize);
            if let Some(Change::Nodes(NodeChange::Outage { nodes, .. })) = event.map(|event| &event.change) {
                nodes.iter().for_each(|node| nodes::hold_down(world, *node, false));
            }
        }
        NodeEvent::DrainOver { node, epoch } => drain::time_over(world, node, epoch),
        NodeEvent::Comes { node } => autoscale::node_arrives(world, node),
        // Idle nodes are released when everything at this time has happened.
        NodeEvent::Idle { .. } => {}
    }
}

/// Whether this event is obsolete.
pub(crate) fn is_stale(world: &World<'_>, what: NodeEvent) -> bool {
    match what {
        NodeEvent::DrainOver { node, epoch } => world.fleet.drains.get(&node).is_none_or(|drain| drain.epoch != epoch),
        NodeEvent::Idle { node, since } => !world.fleet.scaler.is_idle_since(node, since),
        _ => false,
    }
}

/// A node gets other labels, taints or amounts. Pods that no longer fit stay until they end.
fn edit_node(
    world: &mut World<'_>,
    node: u32,
    allocatable: &Amounts,
    labels: &[(Name, Name)],
    taints: Option<&[Name]>,
) {
    let Some(before) = nodes::spec_of(world, node) else {
        return;
    };
    let mut spec = before.clone();
    for (name, amount) in allocatable.iter() {
        spec.allocatable.set(name.clone(), amount);
    }
    for (label, value) in labels {
        spec.labels.retain(|(name, _)| name != label);
        spec.labels.push((label.clone(), value.clone()));
    }
    if let Some(taints) = taints {
        spec.taints = taints.to_vec();
    }
    world.devices.edit(node, spec.clone());
    world.trace(TraceEvent::NodeChanged { node: NodeId(node) });
    if !world.nodes[node].up {
        return;
    }
    nodes::resize(world, &before, -1);
    nodes::resize(world, &spec, 1);
    world.tell(Event::NodeChanged(spec))
}
