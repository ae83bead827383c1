//! Node pools that scale by themselves. A pool grows only for workloads that their quotas admit and that lack nothing
//! but room. A copy of the scheduler, with the new nodes added, shows how many pods these nodes would serve. Pools are
//! handled in the order of the file, and each orders the fewest nodes with which as many pods are placed as with all
//! the nodes it could order. A node that had no pods for long enough, and on which nothing is reserved, is removed, the
//! last node first. No node is removed while ordered nodes have not joined, since the workloads for which they were
//! ordered may need both.

use super::{EDIT, World, WorldEvent, fleet::NodeEvent, nodes};
use crate::{
    model::{Autoscale, Scenario},
    options::RunError,
    random::Stream,
};
use quotree_core::{Action, Event, NodeId, Scheduler, Time};
use std::collections::{BTreeMap, BTreeSet};

/// The state of all pools that scale.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scaler {
    /// The state of each pool.
    pools: Vec<(usize, Autoscale)>,
    /// Whether some workload has lacked only room on nodes since pools were last scaled.
    pub(crate) wanted: bool,
    /// Ordered nodes that have not joined yet.
    ordered: BTreeSet<u32>,
    /// The nodes without pods, each with the time since when it has had none.
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
    pub(crate) const fn is_on(&self) -> bool {
        !self.pools.is_empty()
    }

    /// The pools that scale, by their numbers.
    pub(crate) fn pools(&self) -> Vec<usize> {
        self.pools.iter().map(|(pool, _)| *pool).collect()
    }

    pub(crate) fn is_idle_since(&self, node: u32, since: Time) -> bool {
        self.idle.get(&node) == Some(&since)
    }
}

/// One round, in which the pools grow one after the other.
#[derive(Debug)]
pub(crate) struct Growth {
    /// The nodes that this round orders.
    coming: Vec<u32>,
    /// How many pods would be placed if these nodes joined.
    placed: usize,
}

impl Growth {
    /// A round in which no pool has grown yet.
    pub(crate) fn new(world: &World<'_>, scheduler: &Scheduler) -> Result<Self, RunError> {
        let coming: Vec<u32> = world.fleet.scaler.ordered.iter().copied().collect();
        let placed = placed_with(world, scheduler, &coming)?;
        Ok(Self { coming, placed })
    }

    /// Makes a pool order the fewest nodes with which as many pods are placed as with all the nodes it could order.
    pub(crate) fn grow(&mut self, world: &mut World<'_>, scheduler: &Scheduler, pool: usize) -> Result<(), RunError> {
        let Some(pool) = world.scenario.cluster.pools.get(pool) else { return Ok(()) };
        let spare = |node: &&u32| world.nodes[**node].absent && !self.coming.contains(node);
        let spares: Vec<u32> = pool.nodes.iter().filter(spare).copied().collect();
        let with =
            |count: usize| -> Vec<u32> { self.coming.iter().chain(spares.iter().take(count)).copied().collect() };
        let best = placed_with(world, scheduler, &with(spares.len()))?;
        if best <= self.placed {
            return Ok(());
        }
        let (mut low, mut high) = (0, spares.len());
        while low + 1 < high {
            let middle = low.midpoint(high);
            if placed_with(world, scheduler, &with(middle))? >= best { high = middle } else { low = middle }
        }
        self.placed = best;
        for node in spares.into_iter().take(high) {
            self.coming.push(node);
            order(world, node);
        }
        Ok(())
    }
}

/// How many pods a decision would place with these nodes.
fn placed_with(world: &World<'_>, scheduler: &Scheduler, nodes: &[u32]) -> Result<usize, RunError> {
    let mut trial = scheduler.clone();
    // Nodes that joined without delay are in the copy already.
    let missing = nodes.iter().filter(|node| !world.nodes[**node].up);
    for spec in missing.filter_map(|node| nodes::spec_of(world, *node)) {
        let refused = |error| RunError::Refused { at: world.now, what: "a node on trial".to_owned(), error };
        trial.apply(Event::NodeUp(spec)).map_err(refused)?;
    }
    let plan = trial.decide(world.now);
    Ok(plan.actions.iter().filter(|action| matches!(action, Action::Bind { .. })).count())
}

fn order(world: &mut World<'_>, node: u32) {
    let cluster = &world.scenario.cluster;
    let Some(spec) = cluster.nodes.get(node as usize) else { return };
    let pool = cluster.pools.iter().find(|pool| pool.name == spec.pool);
    let Some(scale) = pool.and_then(|pool| pool.autoscale.as_ref()) else { return };
    let scaler = &mut world.fleet.scaler;
    scaler.ordered.insert(node);
    let nth = scaler.orders.entry(node).or_default();
    *nth += 1;
    let mut stream = Stream::new(world.seed, &format!("autoscale/{}/{nth}", spec.name));
    match stream.duration_ms(&scale.delay_up) {
        Some(0) | None => node_arrives(world, node),
        Some(ms) => {
            let comes = WorldEvent::Node(NodeEvent::Comes { node });
            world.schedule(world.now.after_ms(ms), EDIT, comes);
        }
    }
}

/// Adds an ordered node to the cluster.
pub(crate) fn node_arrives(world: &mut World<'_>, node: u32) {
    world.fleet.scaler.ordered.remove(&node);
    nodes::set_absent(world, node, false);
}

/// Removes nodes that were idle for long enough, as long as the pool keeps its minimum.
pub(crate) fn release_idle(world: &mut World<'_>, scheduler: &Scheduler) {
    // A reservation after evictions stands there (H1).
    let is_held = |node: u32| scheduler.node(NodeId(node)).is_some_and(|view| view.held.iter().next().is_some());
    for (number, scale) in world.fleet.scaler.pools.clone() {
        let Some(pool) = world.scenario.cluster.pools.get(number) else { continue };
        for node in pool.nodes.iter().rev() {
            let state = world.nodes[*node];
            if !state.up || state.pods > 0 {
                world.fleet.scaler.idle.remove(node);
                continue;
            }
            let since = match world.fleet.scaler.idle.get(node) {
                Some(since) => *since,
                None => {
                    world.fleet.scaler.idle.insert(*node, world.now);
                    let idle = NodeEvent::Idle { node: *node, since: world.now };
                    world.schedule(world.now.after_ms(scale.idle_down_ms), EDIT, WorldEvent::Node(idle));
                    world.now
                }
            };
            let there = world.fleet.pools[u32::try_from(number).unwrap_or(0)].there;
            let long = since.after_ms(scale.idle_down_ms) <= world.now;
            let awaited = !world.fleet.scaler.ordered.is_empty();
            if long && there > scale.min && !awaited && !is_held(*node) {
                world.fleet.scaler.idle.remove(node);
                nodes::set_absent(world, *node, true);
            }
        }
    }
}
