//! Amounts on one node: what a pod takes there, and what holds keep (H1).

use crate::scheduler::nodes::{Assignment, Nodes, Template};
use crate::scheduler::state::interner::ResourceId;
use smallvec::SmallVec;

/// Amounts on one node, by resource and by device.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct NodeReservation {
    pub(crate) resources: SmallVec<[(ResourceId, i64); 4]>,
    /// By bank and device.
    pub(crate) devices: SmallVec<[((u8, u32), i64); 4]>,
}

impl NodeReservation {
    pub(crate) fn add(&mut self, other: &Self) {
        merge(&mut self.resources, &other.resources, 1);
        merge(&mut self.devices, &other.devices, 1);
    }

    /// Subtracts, never below 0.
    pub(crate) fn cover(&mut self, other: &Self) {
        merge(&mut self.resources, &other.resources, -1);
        merge(&mut self.devices, &other.devices, -1);
    }

    /// Drops what is covered.
    pub(crate) fn clip(&mut self) {
        self.resources.retain(|(_, amount)| *amount > 0);
        self.devices.retain(|(_, amount)| *amount > 0);
    }
}

fn merge<K: Copy + Eq>(into: &mut SmallVec<[(K, i64); 4]>, from: &[(K, i64)], sign: i64) {
    for (key, amount) in from {
        match into.iter_mut().find(|(k, _)| k == key) {
            Some((_, sum)) => *sum += sign * amount,
            None => into.push((*key, sign * amount)),
        }
    }
}

impl Nodes {
    /// The footprint of a pod on its node, by resource and device.
    pub(crate) fn footprint(&self, spot: Assignment, template: &Template) -> NodeReservation {
        let node = self.nodes.at(spot.node);
        let mut devices = SmallVec::new();
        if let Some(ask) = node.device_ask(template).flatten() {
            for (place, bank) in (0u8..).zip(&node.banks) {
                let each = if place == 0 { ask.each } else { bank.part(template, ask.count).unwrap_or(0) };
                devices.extend(spot.devices.iter().filter(|_| each > 0).map(|device| ((place, device), each)));
            }
        }
        NodeReservation { resources: template.request.clone(), devices }
    }
}
