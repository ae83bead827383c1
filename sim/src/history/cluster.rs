//! The cluster over time: states of nodes, capacity and usage, and the largest free amount on one node.

use super::rows::{Amount, ClusterLines, NodeHistory, NodeIs, ResourceLines};
use crate::world::{NONE, Row, State, World, healthy, spec_of};
use quotree_core::{Amounts, NodeSpec};
use std::collections::{BTreeMap, BTreeSet};

/// The pod sizes, in thousandths of a device, for which the history records how many pods still fit.
const SIZES: [i64; 4] = [1_000, 2_000, 4_000, 8_000];

/// A node as of the last sample.
#[derive(Debug, Default)]
struct Node {
    history: NodeHistory,
    is: NodeIs,
    /// Its amounts, without unhealthy devices, by resource.
    has: Vec<i64>,
    /// What its pods use, up to date.
    used: Vec<i64>,
    /// The part that is included in [`Cluster::free`]; nothing while the node takes no pods.
    free: Option<Vec<i64>>,
    ill: BTreeMap<u32, u64>,
}

/// The state of the cluster, and its series so far.
#[derive(Debug)]
pub(super) struct Cluster {
    lines: ClusterLines,
    nodes: Vec<Node>,
    /// Nodes that may differ from the last sample.
    changed: BTreeSet<u32>,
    capacity: Vec<i128>,
    allocated: Vec<i128>,
    waiting: i64,
    running: i64,
    /// What is free on nodes that take pods, by resource.
    free: Vec<Free>,
    /// Whether a node was read again since the last sample.
    news: bool,
}

impl Cluster {
    pub(super) fn new(world: &World<'_>) -> Self {
        let width = world.shapes.resources().len();
        let devices: BTreeSet<&str> = world
            .scenario
            .cluster
            .nodes
            .iter()
            .flat_map(|node| &node.spec.devices)
            .filter(|devices| devices.each == 1_000)
            .map(|devices| devices.resource.as_str())
            .collect();
        let line = |name: &quotree_core::Name| {
            let sized = devices.contains(name.as_str()) || name.as_str().ends_with("/gpu");
            let fits = SIZES.iter().filter(|_| sized).map(|size| (*size, super::Line::default())).collect();
            ResourceLines { fits, ..ResourceLines::default() }
        };
        let resources: Vec<ResourceLines> = world.shapes.resources().map(line).collect();
        let sizes = |lines: &ResourceLines| lines.fits.iter().map(|(each, _)| (*each, 0)).collect();
        let free = resources.iter().map(|lines| Free { fits: sizes(lines), ..Free::default() }).collect();
        let node = |number: u32| Node {
            history: NodeHistory { node: number, ..NodeHistory::default() },
            has: vec![0; width],
            used: vec![0; width],
            ..Node::default()
        };
        let count = u32::try_from(world.scenario.cluster.nodes.len()).unwrap_or(NONE);
        Self {
            lines: ClusterLines { resources, ..ClusterLines::default() },
            nodes: (0..count).map(node).collect(),
            changed: (0..count).collect(),
            capacity: vec![0; width],
            allocated: vec![0; width],
            waiting: 0,
            running: 0,
            free,
            news: true,
        }
    }

    /// Marks a node that may have changed.
    pub(super) fn touch(&mut self, node: u32) {
        self.changed.insert(node);
    }

    /// Adds an amount to the capacity of the cluster.
    pub(super) fn grow(&mut self, resource: u32, amount: i128) {
        if let Some(capacity) = self.capacity.get_mut(resource as usize) {
            *capacity += amount;
        }
    }

    /// Counts a pod that changed its state.
    pub(super) fn count(&mut self, row: &Row, from: State, to: State) {
        let uses = i64::from(to.holds_resources()) - i64::from(from.holds_resources());
        self.running += uses;
        self.waiting += i64::from(to == State::Waiting) - i64::from(from == State::Waiting);
        for (resource, amount) in row.iter().filter(|_| uses != 0) {
            if let Some(allocated) = self.allocated.get_mut(*resource as usize) {
                *allocated += i128::from(uses) * i128::from(*amount);
            }
        }
    }

    /// Adds a pod to a node (1), or removes it (-1).
    pub(super) fn stand(&mut self, node: u32, row: &Row, sign: i64) {
        let Some(node) = self.nodes.get_mut(node as usize) else { return };
        for (resource, amount) in row {
            let place = *resource as usize;
            let Some(used) = node.used.get_mut(place) else { continue };
            *used += sign * amount;
            let (Some(all), Some(free)) = (self.free.get_mut(place), node.free.as_mut().and_then(|f| f.get_mut(place)))
            else {
                continue;
            };
            all.remove(*free);
            *free -= sign * amount;
            all.insert(*free);
        }
    }

    /// A pod requests this row instead of another; `node` is where it is, or [`NONE`] while it waits.
    pub(super) fn resize(&mut self, node: u32, (before, after): (&Row, &Row)) {
        if node == NONE {
            return;
        }
        self.count(before, State::Running, State::New);
        self.stand(node, before, -1);
        self.count(after, State::New, State::Running);
        self.stand(node, after, 1);
    }

    /// Takes a sample after all events of this time.
    pub(super) fn settled(&mut self, world: &World<'_>) {
        let now = world.now.0;
        for node in std::mem::take(&mut self.changed) {
            self.look(world, node);
        }
        let count = |of: fn(&Node) -> bool| i64::try_from(self.nodes.iter().filter(|n| of(n)).count()).unwrap_or(0);
        if self.news {
            self.lines.ready.set(now, count(|node| node.is == NodeIs::Ready));
            self.lines.there.set(now, count(|node| node.is != NodeIs::Absent));
            let ill = self.nodes.iter().filter(|n| !matches!(n.is, NodeIs::Absent | NodeIs::Down)).map(|n| n.ill.len());
            self.lines.ill.set(now, i64::try_from(ill.sum::<usize>()).unwrap_or(0));
            let prices = (0u32..).zip(&self.nodes).filter(|(_, node)| node.is != NodeIs::Absent);
            let price: u64 = prices.map(|(number, _)| price_of(world, number)).sum();
            self.lines.price.set(now, i64::try_from(price).unwrap_or(i64::MAX));
            self.news = false;
        }
        self.lines.waiting.set(now, self.waiting);
        self.lines.running.set(now, self.running);
        let amounts = self.capacity.iter().zip(&self.allocated).zip(&self.free);
        for (lines, ((capacity, allocated), free)) in self.lines.resources.iter_mut().zip(amounts) {
            lines.capacity.set(now, small(*capacity));
            lines.allocated.set(now, small(*allocated));
            lines.most_free.set(now, free.most());
            for ((_, line), (_, pods)) in lines.fits.iter_mut().zip(&free.fits) {
                line.set(now, *pods);
            }
        }
    }

    /// Reads a node again.
    fn look(&mut self, world: &World<'_>, number: u32) {
        self.news = true;
        let Some(node) = self.nodes.get_mut(number as usize) else { return };
        let state = &world.nodes[number];
        let is = match () {
            () if state.absent => NodeIs::Absent,
            () if !state.up => NodeIs::Down,
            () if world.fleet.drains.contains_key(&number) => NodeIs::Draining,
            () if state.cordoned => NodeIs::Cordoned,
            () => NodeIs::Ready,
        };
        let now = world.now.0;
        if is != node.is || node.history.states.is_empty() {
            node.is = is;
            match node.history.states.last_mut() {
                Some((at, last)) if *at == now => *last = is,
                _ => node.history.states.push((now, is)),
            }
        }
        for (place, free) in node.free.take().into_iter().flatten().enumerate() {
            if let Some(all) = self.free.get_mut(place) {
                all.remove(free);
            }
        }
        let Some(spec) = spec_of(world, number) else { return };
        node.history.capacity = numbered(world, &spec.allocatable);
        ill(node, &spec, now);
        node.has.fill(0);
        for (resource, amount) in numbered(world, &healthy(&spec)) {
            if let Some(has) = node.has.get_mut(resource as usize) {
                *has = amount;
            }
        }
        if is == NodeIs::Ready {
            let free: Vec<i64> = node.has.iter().zip(&node.used).map(|(has, used)| has - used).collect();
            for (all, free) in self.free.iter_mut().zip(&free) {
                all.insert(*free);
            }
            node.free = Some(free);
        }
    }

    /// The series, and all nodes that ever joined.
    pub(super) fn finish(self, end: u64) -> (ClusterLines, Vec<NodeHistory>) {
        let known = |node: &Node| node.history.states.iter().any(|(_, is)| *is != NodeIs::Absent);
        let closed = |mut node: Node| {
            node.history.ill.extend(node.ill.iter().map(|(device, since)| (*device, *since, end)));
            node.history
        };
        (self.lines, self.nodes.into_iter().filter(known).map(closed).collect())
    }
}

/// Records the changes of a node's unhealthy devices.
fn ill(node: &mut Node, spec: &NodeSpec, now: u64) {
    let count = spec.devices.iter().map(|devices| devices.count).max().unwrap_or(0);
    let sick: BTreeSet<u32> = spec.unhealthy.iter().filter(|device| *device < count).collect();
    let well: Vec<u32> = node.ill.keys().copied().filter(|device| !sick.contains(device)).collect();
    for device in well {
        if let Some(since) = node.ill.remove(&device) {
            node.history.ill.push((device, since, now));
        }
    }
    for device in sick {
        node.ill.entry(device).or_insert(now);
    }
}

/// What is free of a resource on the nodes that take pods.
#[derive(Debug, Clone, Default)]
struct Free {
    /// By free amount: the number of nodes with that amount.
    nodes: BTreeMap<i64, u32>,
    /// Pod sizes, and how many pods of each size fit.
    fits: Vec<(i64, i64)>,
}

impl Free {
    /// Adds a node with this free amount.
    fn insert(&mut self, free: i64) {
        *self.nodes.entry(free).or_default() += 1;
        self.fits.iter_mut().for_each(|(each, pods)| *pods += free.max(0) / *each);
    }

    /// Removes a node with this free amount.
    fn remove(&mut self, free: i64) {
        let Some(nodes) = self.nodes.get_mut(&free) else { return };
        *nodes -= 1;
        if *nodes == 0 {
            self.nodes.remove(&free);
        }
        self.fits.iter_mut().for_each(|(each, pods)| *pods -= free.max(0) / *each);
    }

    /// The largest free amount on one node.
    fn most(&self) -> i64 {
        self.nodes.last_key_value().map_or(0, |(most, _)| (*most).max(0))
    }
}

pub(super) fn small(amount: i128) -> i64 {
    i64::try_from(amount).unwrap_or(if amount > 0 { i64::MAX } else { i64::MIN })
}

/// Amounts by number of the resource.
pub(super) fn numbered(world: &World<'_>, amounts: &Amounts) -> Vec<Amount> {
    amounts.iter().filter_map(|(name, amount)| Some((world.shapes.resource(name.as_str())?, amount))).collect()
}

fn price_of(world: &World<'_>, node: u32) -> u64 {
    let pool = world.fleet.pool_of(node).and_then(|pool| world.scenario.cluster.pools.get(pool as usize));
    pool.map_or(0, |pool| pool.price_milli)
}
