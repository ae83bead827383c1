//! The placement scores (P2), all integers. Of equally good nodes, the one with the lowest id is chosen.
//!
//! There are two forms. A score of the node alone (`score`) is better the lower it is; nodes are kept in its order. A
//! score of node and pod (`points`, in [`gpu`] and [`fragmentation`]) has 0 to 100 points, where more is better; it is
//! kept for each template ([`ranking`]).

pub(super) mod fragmentation;
pub(super) mod gpu;
pub(super) mod ranking;

use super::node::Node;
use crate::{
    api::{DeviceSet, Placement},
    scheduler::state::Template,
};
use fragmentation::Fragmentation;

#[derive(Debug, Clone)]
pub(super) struct Scorer {
    pub(super) placement: Placement,
    /// The largest amount any node has, by resource.
    largest: Vec<i64>,
    /// `2^63 / largest`, so that scoring multiplies instead of dividing.
    weights: Vec<u128>,
}

impl Scorer {
    pub(super) fn new(placement: Placement) -> Self {
        Self { placement, largest: Vec::new(), weights: Vec::new() }
    }

    /// Includes a node in the maxima. Returns `true` when it is larger than all before, so that scores must be computed
    /// again.
    pub(super) fn learn(&mut self, node: &Node) -> bool {
        let mut grown = false;
        let devices = node.devices.first().map(|held| &held.resource);
        for resource in node.scored.iter().chain(devices) {
            let at = usize::from(*resource);
            if self.largest.len() <= at {
                self.largest.resize(at + 1, 0);
                self.weights.resize(at + 1, 0);
            }
            let total = node.total.get(at).copied().unwrap_or_default();
            if let (Some(largest), Some(weight)) = (self.largest.get_mut(at), self.weights.get_mut(at))
                && total > *largest
            {
                let measures = [Placement::BestFit, Placement::DotProduct, Placement::GpuClustering];
                grown |= measures.contains(&self.placement);
                *largest = total;
                *weight = (1 << 63) / u128::from(total.unsigned_abs());
            }
        }
        grown
    }

    pub(super) fn score(&self, node: &Node) -> u64 {
        match self.placement {
            Placement::BestFit => self.left_over(node),
            Placement::Binpack => u64::MAX - fullness(node),
            Placement::Spread => fullness(node),
            Placement::LeastGpus => node.devices.first().map_or(0, |devices| devices.free.len() as u64),
            Placement::Random { .. }
            | Placement::DotProduct
            | Placement::GpuPacking
            | Placement::GpuClustering
            | Placement::Fgd => 0,
        }
    }

    /// The points of a node for a pod, of 100, and the devices that the pod would get; nothing if it does not fit.
    pub(super) fn points(
        &self,
        node: &Node,
        template: &Template,
        fragmentation: &Fragmentation,
        usable: i128,
    ) -> Option<(u32, DeviceSet)> {
        if self.placement == Placement::Fgd {
            return fragmentation.points(node, template, usable);
        }
        let devices = node.fit(template)?;
        let points = match self.placement {
            Placement::DotProduct => gpu::dot_product(node, template, &self.largest),
            Placement::GpuPacking => gpu::packing(node, template, devices),
            Placement::GpuClustering => gpu::clustering(node, template, &self.largest),
            _ => 0,
        };
        Some((points, devices))
    }

    /// What is available of cpu and devices, each relative to the largest node, in parts of `2^32`.
    fn left_over(&self, node: &Node) -> u64 {
        let mut sum = 0u128;
        for resource in &node.scored {
            let available = u128::from(node.available(*resource).max(0).unsigned_abs());
            let weight = self.weights.get(usize::from(*resource)).copied().unwrap_or_default();
            sum += (available * weight) >> 31;
        }
        u64::try_from(sum).unwrap_or(u64::MAX)
    }
}

/// How much of the node is in use, over the scored resources, relative to its own size, in parts of `2^32`.
fn fullness(node: &Node) -> u64 {
    let mut sum = 0u128;
    for resource in &node.scored {
        let total = node.total.get(usize::from(*resource)).copied().unwrap_or_default().max(1);
        let used = (total - node.available(*resource)).max(0).unsigned_abs();
        sum += (u128::from(used) << 32) / u128::from(total.unsigned_abs());
    }
    u64::try_from(sum / (node.scored.len().max(1) as u128)).unwrap_or(u64::MAX)
}

/// A number below `of`, drawn with equal probability from the seed and the pod's number.
pub(super) fn drawn(seed: u64, draw: u64, of: usize) -> usize {
    usize::try_from((u128::from(mix(seed.wrapping_add(mix(draw)))) * of as u128) >> 64).unwrap_or(usize::MAX)
}

/// For a fraction of one device, a device drawn from those that fit; else the fullest that fit.
pub(super) fn drawn_devices(node: &Node, template: &Template, seed: u64, draw: u64) -> Option<DeviceSet> {
    let fullest = node.fit(template)?;
    let Some(ask) = node.device_ask(template)?.filter(|ask| ask.count == 1) else { return Some(fullest) };
    let fitting = node.fitting(template, ask)?;
    let (_, index) = fitting.clone().nth(drawn(!seed, draw, fitting.count()))?;
    Some(DeviceSet(1 << index))
}

/// SplitMix64's finaliser: spreads a number over 64 bits, the same on every machine.
fn mix(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    /// The first numbers of SplitMix64 from seed 0. They must never change: otherwise recorded logs with placement
    /// `random` would not replay.
    #[test]
    fn p2_random_draws_what_splitmix64_draws() {
        let state = |n: u64| 0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(n);
        let drawn: Vec<u64> = (0..3).map(|n| super::mix(state(n))).collect();
        assert_eq!(drawn, [0xe220_a839_7b1d_cdaf, 0x6e78_9e6a_a1b9_65f4, 0x06c4_5d18_8009_454f]);
    }
}
