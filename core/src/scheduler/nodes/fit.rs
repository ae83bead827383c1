//! Whether a pod fits a node, and on which of its devices: whole GPUs, or a fraction of one (P1).

use super::{
    devices::{DeviceOrder, NodeDevices},
    node::Node,
};
use crate::{
    api::{DeviceMode, DeviceSet},
    scheduler::state::{DeviceRequest, Template},
};
use smallvec::SmallVec;
use std::cmp::Reverse;

impl Node {
    /// What each device has available of the first resource.
    pub(super) fn devices_available(&self) -> impl Iterator<Item = i64> + Clone {
        self.devices.first().into_iter().flat_map(NodeDevices::available)
    }

    /// How a request is divided over this node's devices. `Some(None)`: it needs none. `None`: it is not allowed here.
    pub(crate) fn device_ask(&self, template: &Template) -> Option<Option<DeviceRequest>> {
        match self.devices.as_slice() {
            [] => Some(None),
            [devices] => devices.ask(template),
            [devices, second, ..] => devices.ask_with_second(second, template),
        }
    }

    /// The devices with room for their part of a request, in the order of indices, each with what it has available.
    pub(crate) fn fitting<'a>(
        &'a self,
        template: &Template,
        ask: DeviceRequest,
    ) -> Option<impl Iterator<Item = (i64, u32)> + Clone + use<'a>> {
        let second = self.devices.get(1);
        let part = match second {
            Some(second) => second.part(template, ask.count)?,
            None => 0,
        };
        let has_part = move |device: u32| {
            let at = device as usize;
            let available = |devices: &NodeDevices| Some(devices.free.get(at)? - devices.reserved.get(at)?);
            second.is_none_or(|second| available(second).is_some_and(|available| available >= part))
        };
        let fits = move |(available, device): &(i64, u32)| *available >= ask.each && has_part(*device);
        Some(self.devices_available().zip(0u32..).filter(fits))
    }

    /// The devices that a pod gets if it fits this node: the first in the node's order of devices, the lowest index
    /// among equals (P1). Some placement policies choose other devices:
    /// [`Nodes::devices`](super::inventory::Nodes::devices).
    pub(crate) fn fit(&self, template: &Template) -> Option<DeviceSet> {
        if template.request.iter().any(|(resource, amount)| self.available(*resource) < *amount) {
            return None;
        }
        let Some(ask) = self.device_ask(template)? else { return Some(DeviceSet::default()) };
        let mut fitting: SmallVec<[(i64, u32); 8]> = self.fitting(template, ask)?.collect();
        let count = ask.count as usize;
        if fitting.len() < count {
            return None;
        }
        match self.devices.first()?.order {
            DeviceOrder::Fullest => fitting.sort_unstable(),
            DeviceOrder::Emptiest => fitting.sort_unstable_by_key(|(available, device)| (Reverse(*available), *device)),
            DeviceOrder::Closest => {
                let free: SmallVec<[u32; 8]> = fitting.iter().map(|(_, device)| *device).collect();
                let islands =
                    if let DeviceMode::Topology { islands } = &self.spec.mode { islands.as_slice() } else { &[] };
                return Some(closest(&free, count, islands));
            }
        }
        Some(DeviceSet(fitting.iter().take(count).fold(0, |set, (_, i)| set | 1 << i)))
    }
}

/// Chooses `count` of these devices, close to each other. If an island has enough free devices, the search takes one of
/// the smallest such islands, with the fewest free devices, the first among equals. If none has enough, it takes all
/// free devices of one of the largest islands, the one with the most of them, and the rest from other islands by the
/// same rule.
fn closest(free: &[u32], count: usize, islands: &[u32]) -> DeviceSet {
    let set = |devices: &[u32]| DeviceSet(devices.iter().fold(0, |set, device| set | 1 << device));
    for (level, size) in islands.iter().enumerate().filter(|_| count > 0) {
        let has = by_island(free, *size).into_iter().filter(|island| island.len() >= count);
        if let Some(island) = has.min_by_key(|island| island.len()) {
            return closest(island, count, islands.get(..level).unwrap_or_default());
        }
    }
    let Some(largest) = islands.last().filter(|_| count > 0) else { return set(free.get(..count).unwrap_or_default()) };
    let most = by_island(free, *largest).into_iter().min_by_key(|island| Reverse(island.len())).unwrap_or_default();
    let others: SmallVec<[u32; 8]> = free.iter().copied().filter(|device| !most.contains(device)).collect();
    DeviceSet(set(most).0 | closest(&others, count.saturating_sub(most.len()), islands).0)
}

/// Devices in the order of their indices, grouped by island.
fn by_island(free: &[u32], size: u32) -> SmallVec<[&[u32]; 8]> {
    free.chunk_by(|a, b| a / size.max(1) == b / size.max(1)).collect()
}
