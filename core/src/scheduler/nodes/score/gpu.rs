//! Placement scores that depend on the pod, in points of 100 (P2): dot product, GPU packing and GPU clustering, as in
//! the experiments on the openb traces. Points are whole; more is better.

use crate::{
    api::DeviceSet,
    scheduler::{
        nodes::node::{Node, cluster},
        state::{ResourceId, Template, narrow},
    },
};

/// Shares of the largest node are counted in millionths.
const SHARE: u128 = 1_000_000;

/// An amount relative to that of the largest node, in millionths.
fn share(amount: i64, largest: i64) -> u128 {
    u128::from(amount.max(0).unsigned_abs()) * SHARE / u128::from(largest.max(1).unsigned_abs())
}

/// 100 less the mean, over the counted resources, of what is available times what is requested, each relative to the
/// largest node; rounded down.
pub(crate) fn dot_product(node: &Node, template: &Template, largest: &[i64]) -> u32 {
    let mut product = 0u128;
    for resource in &node.scored {
        let most = largest.get(usize::from(*resource)).copied().unwrap_or_default();
        let requested = template.request.iter().find(|(r, _)| r == resource).map_or(0, |(_, amount)| *amount);
        product += share(node.available(*resource), most) * share(requested, most);
    }
    let whole = node.scored.len().max(1) as u128 * SHARE * SHARE;
    u32::try_from(whole.saturating_sub(product) * 100 / whole).unwrap_or_default()
}

/// Points by the devices that the pod would get. All partly in use: 50 to 100, the fuller the better. Some of them
/// whole, on a node with a device in use: 33 to 49. A node whose devices are all whole: below 33. A pod without
/// devices: 0.
pub(crate) fn packing(node: &Node, template: &Template, devices: DeviceSet) -> u32 {
    let (Some(held), Some(Some(_))) = (node.devices.first(), node.device_ask(template)) else { return 0 };
    let count = narrow(node.devices_available().count());
    if node.devices_available().all(|free| free == held.each) {
        return 33u32.saturating_sub(count);
    }
    let chosen =
        || (0u32..).zip(node.devices_available()).filter(|(i, _)| devices.0 >> i & 1 == 1).map(|(_, free)| free);
    let whole = narrow(chosen().filter(|free| *free == held.each).count());
    if whole > 0 {
        return 50u32.saturating_sub(whole).max(33);
    }
    let left: i128 = chosen().map(|free| i128::from(free) * 100 / i128::from(held.each)).sum();
    100u32.saturating_sub(u32::try_from(left / 10).unwrap_or(u32::MAX)).max(50)
}

/// Points in four ranges of 25. From the best: the node has only pods of the same kind; it has such pods among others;
/// it has no pods with devices; it has only pods of other kinds. Within a range, fewer available devices give more
/// points. A pod without devices gets 0 points.
pub(crate) fn clustering(node: &Node, template: &Template, largest: &[i64]) -> u32 {
    let (Some(held), Some(Some(ask))) = (node.devices.first(), node.device_ask(template)) else { return 0 };
    let own = cluster(ask.count, ask.each, held.each);
    let alike = node.clusters.iter().any(|(cluster, _)| *cluster == own);
    let base = match (alike, node.clusters.len()) {
        (true, 1) => 75,
        (true, _) => 50,
        (false, 0) => 25,
        (false, _) => 0,
    };
    let most = largest_of(held.resource, largest);
    let left: i128 = node.devices_available().map(i128::from).sum();
    base + u32::try_from(25 * (most - left).max(0) / most).unwrap_or_default()
}

fn largest_of(resource: ResourceId, largest: &[i64]) -> i128 {
    i128::from(largest.get(usize::from(resource)).copied().unwrap_or_default().max(1))
}
