//! Pools that grow and shrink by themselves. A pool grows for demand that a quota admits and that only lacks room, and for
//! nothing else: what would become of the demand is not guessed but decided, on a copy of the scheduler that has the nodes.
//! Of each pool, in the order of the file, the fewest nodes are ordered with which as much is placed as with all of them.
//! A node that had no pods for long enough, and that nobody holds, goes, the last one first; but none while nodes are on their
//! way: whoever they were ordered for may need both.

use super::{EDIT, NodeEvent, WorldEvent};
use crate::{
    engine::Engine,
    model::{Autoscale, Scenario},
    options::RunError,
    random::Stream,
};
use quotree_core::{Action, Event, NodeId, Time};
use std::collections::{BTreeMap, BTreeSet};

/// The state of all pools that scale.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scaler {
    /// By pool.
    pools: Vec<(usize, Autoscale)>,
    /// Somebody waited for room since this was last looked at.
    pub(crate) wanted: bool,
    /// Ordered, and not there yet.
    ordered: BTreeSet<u32>,
    /// Since when nodes have no pods.
    idle: BTreeMap<u32, Time>,
    /// How often each node was ordered.
    orders: BTreeMap<u32, u32>,
}

impl Scaler {
    pub(crate) fn new(scenario: &Scenario) -> Self {
        let pools = scenario.cluster.pools.iter().enumerate();
        Self { pools: pools.filter_map(|(i, pool)| Some((i, pool.autoscale.clone()?))).collect(), ..Self::default() }
    }

    /// Whether any pool scales.
    pub(crate) fn is_on(&self) -> bool {
        !self.pools.is_empty()
    }

    pub(crate) fn is_idle_since(&self, node: u32, since: Time) -> bool {
        self.idle.get(&node) == Some(&since)
    }
}

impl Engine<'_> {
    /// Orders nodes that are wanted, and gives back those that are idle.
    pub(crate) fn scale_pools(&mut self) -> Result<(), RunError> {
        if std::mem::take(&mut self.world.fleet.scaler.wanted) {
            self.order_nodes()?;
        }
        self.give_back()
    }

    fn order_nodes(&mut self) -> Result<(), RunError> {
        let scenario = self.scenario;
        let mut coming: Vec<u32> = self.world.fleet.scaler.ordered.iter().copied().collect();
        let mut placed = self.placed_with(&coming)?;
        for (pool, _) in self.world.fleet.scaler.pools.clone() {
            let Some(pool) = scenario.cluster.pools.get(pool) else { continue };
            let spare = |node: &&u32| self.world.nodes[**node].absent && !coming.contains(node);
            let spares: Vec<u32> = pool.nodes.iter().filter(spare).copied().collect();
            let with = |count: usize| -> Vec<u32> { coming.iter().chain(spares.iter().take(count)).copied().collect() };
            let best = self.placed_with(&with(spares.len()))?;
            if best <= placed {
                continue;
            }
            // The fewest with which as much is placed.
            let (mut low, mut high) = (0, spares.len());
            while low + 1 < high {
                let middle = low.midpoint(high);
                if self.placed_with(&with(middle))? >= best { high = middle } else { low = middle }
            }
            placed = best;
            for node in spares.into_iter().take(high) {
                coming.push(node);
                self.order(node)?;
            }
        }
        Ok(())
    }

    /// How many pods a decision would place if these nodes were there.
    fn placed_with(&self, nodes: &[u32]) -> Result<usize, RunError> {
        let mut trial = self.core.scheduler().clone();
        // Who is there without delay is in the copy already.
        let missing = nodes.iter().filter(|node| !self.world.nodes[**node].up);
        for spec in missing.filter_map(|node| self.spec_of(*node)) {
            let refused = |error| RunError::Refused { at: self.now, what: "a node on trial".to_owned(), error };
            trial.apply(Event::NodeUp(spec)).map_err(refused)?;
        }
        let plan = trial.decide(self.now);
        Ok(plan.actions.iter().filter(|action| matches!(action, Action::Bind { .. })).count())
    }

    fn order(&mut self, node: u32) -> Result<(), RunError> {
        let scenario = self.scenario;
        let name = scenario.cluster.nodes.get(node as usize).map(|node| (&node.name, &node.pool));
        let pool = name.and_then(|(_, pool)| scenario.cluster.pools.iter().find(|p| p.name == *pool));
        let (Some((name, _)), Some(scale)) = (name, pool.and_then(|pool| pool.autoscale.as_ref())) else {
            return Ok(());
        };
        let scaler = &mut self.world.fleet.scaler;
        scaler.ordered.insert(node);
        let nth = scaler.orders.entry(node).or_default();
        *nth += 1;
        let mut stream = Stream::new(self.seed, &format!("autoscale/{name}/{nth}"));
        match stream.duration_ms(&scale.delay_up) {
            Some(0) | None => self.ordered_node_comes(node),
            Some(ms) => {
                let comes = WorldEvent::Node(NodeEvent::Comes { node });
                self.queue.schedule(self.now.after_ms(ms), EDIT, comes);
                Ok(())
            }
        }
    }

    /// An ordered node is there.
    pub(crate) fn ordered_node_comes(&mut self, node: u32) -> Result<(), RunError> {
        self.world.fleet.scaler.ordered.remove(&node);
        self.set_absent(node, false)
    }

    /// Nodes that were idle for long enough go, as long as the pool keeps its minimum.
    fn give_back(&mut self) -> Result<(), RunError> {
        let scenario = self.scenario;
        for (number, scale) in self.world.fleet.scaler.pools.clone() {
            let Some(pool) = scenario.cluster.pools.get(number) else { continue };
            for node in pool.nodes.iter().rev() {
                let state = self.world.nodes[*node];
                if !state.up || state.pods > 0 {
                    self.world.fleet.scaler.idle.remove(node);
                    continue;
                }
                let since = match self.world.fleet.scaler.idle.get(node) {
                    Some(since) => *since,
                    None => {
                        self.world.fleet.scaler.idle.insert(*node, self.now);
                        let what = NodeEvent::Idle { node: *node, since: self.now };
                        self.queue.schedule(self.now.after_ms(scale.idle_down_ms), EDIT, WorldEvent::Node(what));
                        self.now
                    }
                };
                let there = self.world.fleet.pools[u32::try_from(number).unwrap_or(0)].there;
                let long = since.after_ms(scale.idle_down_ms) <= self.now;
                let awaited = !self.world.fleet.scaler.ordered.is_empty();
                if long && there > scale.min && !awaited && !self.is_held(*node) {
                    self.world.fleet.scaler.idle.remove(node);
                    self.set_absent(*node, true)?;
                }
            }
        }
        Ok(())
    }

    /// Whether somebody who has evicted will be placed there (H1).
    fn is_held(&self, node: u32) -> bool {
        self.core.scheduler().node(NodeId(node)).is_some_and(|view| view.held.iter().next().is_some())
    }
}
