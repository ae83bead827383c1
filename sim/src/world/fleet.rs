//! What the world knows about nodes beyond each one's state: which pods stand where, what was edited, who is being drained,
//! and the pools with what they cost. Changes of nodes begin here, and their later parts come back as [`NodeEvent`]s.

use super::{
    EDIT, NONE, Table, World, WorldEvent,
    autoscale::Scaler,
    drain::{Drain, Drained},
    node_speed::Pace,
};
use crate::{
    engine::Engine,
    model::{Change, NodeChange, Scenario},
    options::RunError,
    trace::TraceEvent,
};
use quotree_core::{Amounts, Event, Name, NodeId, Plan, Rule, Time};
use std::collections::{BTreeMap, BTreeSet};

/// Something that happens to nodes later than it was caused.
#[derive(Debug, Clone, Copy)]
pub(crate) enum NodeEvent {
    /// A node of `faults` fails for the `nth` time, or is repaired.
    Fault { faults: u32, node: u32, nth: u32, down: bool },
    /// The outage that this change began is over.
    OutageOver { change: u32 },
    /// The time of a drain is over.
    DrainOver { node: u32, epoch: u32 },
    /// A node that was ordered is there.
    Comes { node: u32 },
    /// A node may have been idle for long enough.
    Idle { node: u32, since: Time },
}

/// The nodes of a pool that are there, over time.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct PoolFigures {
    pub(crate) there: u32,
    /// Nodes times milliseconds, up to `since`.
    node_ms: u128,
    since: Time,
}

impl PoolFigures {
    /// Node-milliseconds up to now.
    pub(crate) fn node_ms(&self, now: Time) -> u128 {
        self.node_ms + u128::from(self.there) * u128::from(now.since(self.since))
    }
}

/// Everything about nodes that is not one node's state.
#[derive(Debug, Default)]
pub(crate) struct Fleet {
    /// Pods by node, in no order and with some that are gone: [`World::pods_on`] knows better.
    standing: Table<Vec<u32>>,
    /// Racks that `RackDown` has stopped.
    racks_down: BTreeSet<u32>,
    pub(crate) drains: BTreeMap<u32, Drain>,
    pub(crate) drained: Drained,
    /// The disruption budgets as they were last set.
    pub(crate) budgets: BTreeMap<Name, u32>,
    pool_of: Vec<u32>,
    pub(crate) pools: Table<PoolFigures>,
    pub(crate) scaler: Scaler,
    /// Units on slow nodes, and those that were.
    pub(crate) paces: BTreeMap<u32, Pace>,
    /// Failures that `faults` drew.
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

    /// A node joins its pool or leaves it.
    pub(crate) fn count(&mut self, node: u32, now: Time, joins: bool) {
        let Some(pool) = self.pool_of(node) else { return };
        let pool = &mut self.pools[pool];
        pool.node_ms = pool.node_ms(now);
        pool.since = now;
        pool.there = if joins { pool.there + 1 } else { pool.there.saturating_sub(1) };
    }

    /// What a decision says about room: whether somebody waits for nothing else (P1).
    pub(crate) fn notes(&mut self, plan: &Plan) {
        if self.scaler.is_on() && plan.verdicts.iter().any(|verdict| verdict.binding.rule() == Rule::P1) {
            self.scaler.wanted = true;
        }
    }
}

impl World {
    /// A pod is given a node.
    pub(crate) fn puts_on(&mut self, pod: u32, node: u32) {
        self.pods[pod].node = node;
        self.nodes[node].pods += 1;
        let list = &mut self.fleet.standing[node];
        if list.len() == list.capacity() && list.len() > 8 {
            let pods = &self.pods;
            list.retain(|p| pods[*p].node == node && *p != pod);
        }
        list.push(pod);
    }

    /// A pod has left its node.
    pub(crate) fn takes_off(&mut self, pod: u32) {
        let node = std::mem::replace(&mut self.pods[pod].node, NONE);
        if node != NONE {
            self.nodes[node].pods -= 1;
        }
    }

    /// A pod that goes is not counted as evicted: the scheduler did not decide it.
    pub(crate) fn not_evicted(&mut self, pod: u32) {
        let unit = &self.units[self.pods[pod].unit];
        self.accounts.all[unit.account].counts.evicted -= 1;
        self.namespaces[unit.namespace].counts.evicted -= 1;
    }

    /// The pods that use a node, in order.
    pub(crate) fn pods_on(&mut self, node: u32) -> Vec<u32> {
        let pods = &self.pods;
        let list = &mut self.fleet.standing[node];
        list.retain(|p| pods[*p].node == node && pods[*p].state.uses());
        list.sort_unstable();
        list.dedup();
        list.clone()
    }
}

impl Engine<'_> {
    /// A change of nodes; `index` is its place among the changes of the scenario.
    pub(crate) fn nodes_change(&mut self, change: &NodeChange, index: u32) -> Result<(), RunError> {
        match change {
            NodeChange::Rack { rack, nodes, down } => {
                let racks = &mut self.world.fleet.racks_down;
                let news = if *down { racks.insert(*rack) } else { racks.remove(rack) };
                if news { nodes.iter().try_for_each(|node| self.hold_down(*node, *down)) } else { Ok(()) }
            }
            NodeChange::Outage { nodes, lasts_ms } => {
                let over = WorldEvent::Node(NodeEvent::OutageOver { change: index });
                self.queue.schedule(self.now.after_ms(*lasts_ms), EDIT, over);
                nodes.iter().try_for_each(|node| self.hold_down(*node, true))
            }
            NodeChange::Drain { nodes, within_ms, kill } => {
                nodes.iter().try_for_each(|node| self.drain(*node, *within_ms, *kill, false))
            }
            NodeChange::Add { nodes } => nodes.iter().try_for_each(|node| self.set_absent(*node, false)),
            NodeChange::Remove { nodes, count, drain_ms } => {
                let there = nodes.iter().rev().filter(|node| {
                    let leaves = self.world.fleet.drains.get(node).is_some_and(|drain| drain.removes);
                    !self.world.nodes[**node].absent && !leaves
                });
                let going: Vec<u32> = there.take(count.map_or(usize::MAX, |n| n as usize)).copied().collect();
                going.into_iter().try_for_each(|node| match drain_ms {
                    Some(ms) => self.drain(node, Some(*ms), true, true),
                    None => self.set_absent(node, true),
                })
            }
            NodeChange::Edit { nodes, allocatable, labels, taints } => {
                nodes.iter().try_for_each(|node| self.edit_node(*node, allocatable, labels, taints.as_deref()))
            }
            NodeChange::Slow { nodes, permille } => {
                nodes.iter().for_each(|node| self.slow_node(*node, *permille));
                Ok(())
            }
        }
    }

    /// The later part of something that befell nodes.
    pub(crate) fn node_happens(&mut self, what: NodeEvent) -> Result<(), RunError> {
        match what {
            NodeEvent::Fault { faults, node, nth, down } => self.fault(faults, node, nth, down),
            NodeEvent::OutageOver { change } => {
                let scenario = self.scenario;
                match scenario.events.get(change as usize).map(|e| &e.change) {
                    Some(Change::Nodes(NodeChange::Outage { nodes, .. })) => {
                        nodes.iter().try_for_each(|node| self.hold_down(*node, false))
                    }
                    _ => Ok(()),
                }
            }
            NodeEvent::DrainOver { node, epoch } => self.drain_over(node, epoch),
            NodeEvent::Comes { node } => self.ordered_node_comes(node),
            // What is idle is looked at when everything of the moment has happened.
            NodeEvent::Idle { .. } => Ok(()),
        }
    }

    /// Whether nothing will come of it.
    pub(crate) fn is_node_stale(&self, what: NodeEvent) -> bool {
        match what {
            NodeEvent::DrainOver { node, epoch } => {
                self.world.fleet.drains.get(&node).is_none_or(|drain| drain.epoch != epoch)
            }
            NodeEvent::Idle { node, since } => !self.world.fleet.scaler.is_idle_since(node, since),
            _ => false,
        }
    }

    /// A moment has come to rest: drains go on, and pools grow and shrink. If anything was done, it is not at rest.
    pub(crate) fn fleet_settles(&mut self) -> Result<(), RunError> {
        if !self.world.fleet.drains.is_empty() {
            self.drains_go_on()?;
        }
        if !self.dirty && self.world.fleet.scaler.is_on() {
            self.scale_pools()?;
        }
        Ok(())
    }

    /// A node gets other labels, taints or amounts. What no longer fits stays until it ends.
    fn edit_node(
        &mut self,
        node: u32,
        allocatable: &Amounts,
        labels: &[(Name, Name)],
        taints: Option<&[Name]>,
    ) -> Result<(), RunError> {
        let Some(before) = self.spec_of(node) else {
            return Ok(());
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
        self.world.devices.edit(node, spec.clone());
        self.trace(TraceEvent::NodeChanged { node: NodeId(node) });
        if !self.world.nodes[node].up {
            return Ok(());
        }
        self.resize(&before, -1);
        self.resize(&spec, 1);
        self.feed(Event::NodeChanged(spec))
    }
}
