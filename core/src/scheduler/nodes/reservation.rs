//! Amounts on one node: what a pod uses there, and what a hold reserves (H1).

use super::node::Node;
use crate::{
    api::DeviceSet,
    scheduler::state::{interner::Template, keys::ResourceId},
};
use smallvec::SmallVec;

/// Amounts on one node, by resource and by device.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct NodeReservation {
    pub(crate) resources: SmallVec<[(ResourceId, i64); 4]>,
    /// By place in the node's list of devices, and index of the device.
    pub(crate) devices: SmallVec<[((u8, u32), i64); 4]>,
}

impl NodeReservation {
    /// What a pod uses on a node, on these devices.
    pub(super) fn of(node: &Node, on: DeviceSet, template: &Template) -> Self {
        let mut devices = SmallVec::new();
        if let Some(ask) = node.device_ask(template).flatten() {
            for (place, held) in (0u8..).zip(&node.devices) {
                let each = if place == 0 { ask.each } else { held.part(template, ask.count).unwrap_or(0) };
                devices.extend(on.iter().filter(|_| each > 0).map(|device| ((place, device), each)));
            }
        }
        Self { resources: template.request.clone(), devices }
    }

    pub(crate) fn add(&mut self, other: &Self) {
        merge(&mut self.resources, &other.resources, 1);
        merge(&mut self.devices, &other.devices, 1);
    }

    /// Subtracts what others will free. Amounts may fall below 0 until [`clip`](Self::clip).
    pub(crate) fn subtract(&mut self, other: &Self) {
        merge(&mut self.resources, &other.resources, -1);
        merge(&mut self.devices, &other.devices, -1);
    }

    /// Drops the amounts that are not positive.
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
