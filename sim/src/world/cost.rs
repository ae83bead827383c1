//! How the price of nodes is charged to pods. A pod pays the largest share that it takes of any resource of its node,
//! computed when the pod is bound, but no more than the other pods leave unpaid. So the pods of a node together never
//! pay more than its price.

use super::Table;
use super::{World, nodes};
use std::collections::BTreeMap;

/// The parts of a whole node.
pub(crate) const NODE: u64 = 1 << 32;

/// The shares of nodes that pods pay; only kept if some pool has a price.
#[derive(Debug, Default)]
pub(crate) struct NodeCosts {
    /// The parts of each node that are paid.
    paid: Table<u64>,
    /// By pod: its node, and the parts that it pays.
    of: BTreeMap<u32, (u32, u64)>,
}

impl NodeCosts {
    pub(crate) fn new(nodes: usize) -> Self {
        Self { paid: (0..nodes).map(|_| 0).collect(), of: BTreeMap::new() }
    }

    /// What a pod pays now: parts of a node times thousandths an hour.
    pub(crate) fn rate(&self, world: &World<'_>, pod: u32) -> u128 {
        let of = self.of.get(&pod);
        of.map_or(0, |(node, parts)| u128::from(*parts).saturating_mul(u128::from(price(world, *node))))
    }
}

/// What a node costs an hour, thousandths.
fn price(world: &World<'_>, node: u32) -> u64 {
    let pool = world.fleet.pool_of(node).and_then(|pool| world.scenario.cluster.pools.get(pool as usize));
    pool.map_or(0, |pool| pool.price_milli)
}

/// Makes a pod that was bound pay for its node from now on.
pub(crate) fn charge(world: &mut World<'_>, pod: u32, node: u32) {
    if world.costs.is_none() {
        return;
    }
    let price = price(world, node);
    let Some(spec) = nodes::spec_of(world, node).filter(|_| price > 0) else { return };
    let part = |(resource, amount): &(u32, i64)| {
        let name = world.shapes.resources().nth(*resource as usize)?;
        let whole = spec.allocatable.get(name.as_str()).filter(|whole| *whole > 0)?;
        Some(u128::from(amount.unsigned_abs()) * u128::from(NODE) / u128::from(whole.unsigned_abs()))
    };
    let row = &world.shapes.rows[world.pods[pod].shape];
    let part = row.iter().filter_map(part).max().unwrap_or(0);
    let Some(costs) = &mut world.costs else { return };
    let left = NODE - costs.paid[node];
    let parts = u64::try_from(part).unwrap_or(u64::MAX).min(left);
    costs.paid[node] += parts;
    costs.of.insert(pod, (node, parts));
    add(world, pod, i128::from(parts) * i128::from(price));
}

/// Ends the payments of a pod that has left its node.
pub(crate) fn discharge(world: &mut World<'_>, pod: u32) {
    let Some(costs) = &mut world.costs else { return };
    let Some((node, parts)) = costs.of.remove(&pod) else { return };
    costs.paid[node] -= parts;
    let price = price(world, node);
    add(world, pod, -i128::from(parts) * i128::from(price));
}

fn add(world: &mut World<'_>, pod: u32, parts: i128) {
    let account = world.units[world.pods[pod].unit].account;
    world.accounts.all[account].charge(parts, world.now);
}
