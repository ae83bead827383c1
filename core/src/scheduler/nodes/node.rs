//! One node: what it has, what of it is free, what holds reserve on it (H1), and which pods it runs.

use super::{devices::NodeDevices, reservation::NodeReservation};
use crate::{
    api::{DeviceSet, NodeId, NodeSpec},
    scheduler::state::{PodRef, ResourceId, Template},
};
use indexmap::IndexSet;
use rustc_hash::FxBuildHasher;
use smallvec::SmallVec;

#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) id: NodeId,
    pub(crate) spec: NodeSpec,
    pub(super) class: u32,
    pub(crate) up: bool,
    /// Allocatable, free and reserved, by resource.
    pub(crate) total: Vec<i64>,
    pub(crate) free: Vec<i64>,
    pub(crate) reserved: Vec<i64>,
    /// Its devices, once for each resource that they hold.
    pub(crate) devices: SmallVec<[NodeDevices; 1]>,
    /// The pods here, in no order. A set, so that a pod is found at once among the thousands of a pool.
    pub(crate) pods: IndexSet<PodRef, FxBuildHasher>,
    /// The resources that placement scores count: cpu and devices where the node has any of them, else all.
    pub(super) scored: SmallVec<[ResourceId; 4]>,
    /// For GPU clustering: how many pods of each kind run here.
    pub(super) clusters: SmallVec<[(u32, u32); 2]>,
    pub(super) score: u64,
    /// How much of its free devices the typical pods could use, for placement `Fgd`.
    pub(super) usable: i128,
}

impl Node {
    /// What is available of a resource: free, and not reserved for a hold.
    pub(crate) fn available(&self, resource: ResourceId) -> i64 {
        let at = usize::from(resource);
        let value = |row: &[i64]| row.get(at).copied().unwrap_or_default();
        value(&self.free) - value(&self.reserved)
    }

    /// Whether more is used and reserved than the node has.
    pub(crate) fn is_overcommitted(&self) -> bool {
        let short = |free: &[i64], reserved: &[i64]| free.iter().zip(reserved).any(|(f, r)| f < r);
        short(&self.free, &self.reserved) || self.devices.iter().any(|devices| short(&devices.free, &devices.reserved))
    }

    /// What a pod uses here, on these devices.
    pub(super) fn footprint(&self, on: DeviceSet, template: &Template) -> NodeReservation {
        let mut devices = SmallVec::new();
        if let Some(ask) = self.device_ask(template).flatten() {
            for (place, held) in (0u8..).zip(&self.devices) {
                let each = if place == 0 { ask.each } else { held.part(template, ask.count).unwrap_or(0) };
                devices.extend(on.iter().filter(|_| each > 0).map(|device| ((place, device), each)));
            }
        }
        NodeReservation { resources: template.request.clone(), devices }
    }

    pub(super) fn put(&mut self, template: &Template, devices: DeviceSet, pod: PodRef) {
        self.add_usage(template, devices, 1);
        self.pods.insert(pod);
    }

    pub(super) fn take(&mut self, template: &Template, devices: DeviceSet, pod: PodRef) {
        self.add_usage(template, devices, -1);
        self.pods.swap_remove(&pod);
    }

    /// Adds `sign` times the pod's footprint to what is used.
    fn add_usage(&mut self, template: &Template, devices: DeviceSet, sign: i64) {
        self.release_unhealthy();
        for (resource, amount) in &template.request {
            if let Some(free) = self.free.get_mut(usize::from(*resource)) {
                *free -= sign * amount;
            }
        }
        let ask = self.device_ask(template).flatten();
        for (place, held) in self.devices.iter_mut().enumerate() {
            let each = match (ask, place) {
                (None, _) => 0,
                (Some(ask), 0) => {
                    count(&mut self.clusters, cluster(ask.count, ask.each, held.each), sign);
                    ask.each
                }
                (Some(ask), _) => held.part(template, ask.count).unwrap_or(0),
            };
            for device in devices.iter() {
                if let Some(free) = held.free.get_mut(device as usize) {
                    *free -= sign * each;
                }
            }
        }
        self.reserve_unhealthy();
    }

    /// Adds `sign` times these amounts to what is reserved.
    pub(super) fn reserve(&mut self, amounts: &NodeReservation, sign: i64) {
        self.release_unhealthy();
        for (resource, amount) in &amounts.resources {
            if let Some(cell) = self.reserved.get_mut(usize::from(*resource)) {
                *cell += sign * amount;
            }
        }
        for ((place, device), amount) in &amounts.devices {
            let devices = self.devices.get_mut(usize::from(*place));
            if let Some(cell) = devices.and_then(|devices| devices.reserved.get_mut(*device as usize)) {
                *cell += sign * amount;
            }
        }
        self.reserve_unhealthy();
    }

    /// Reserves what is free on unhealthy devices, so that no pod gets it.
    pub(super) fn reserve_unhealthy(&mut self) {
        if self.spec.unhealthy != DeviceSet::default() {
            for devices in &mut self.devices {
                let amount = devices.reserve_unhealthy(self.spec.unhealthy);
                if let Some(cell) = self.reserved.get_mut(usize::from(devices.resource)) {
                    *cell += amount;
                }
            }
        }
    }

    /// Reverses [`reserve_unhealthy`](Self::reserve_unhealthy), so that amounts can change.
    pub(super) fn release_unhealthy(&mut self) {
        for devices in self.devices.iter_mut().filter(|devices| !devices.unhealthy_reserve.is_empty()) {
            let amount = devices.release_unhealthy();
            if let Some(cell) = self.reserved.get_mut(usize::from(devices.resource)) {
                *cell -= amount;
            }
        }
    }

    /// The part of the reserved amount of a resource that only keeps pods off unhealthy devices.
    pub(crate) fn unhealthy_reserve(&self, resource: ResourceId) -> i64 {
        let devices = self.devices.iter().filter(|devices| devices.resource == resource);
        devices.flat_map(|devices| &devices.unhealthy_reserve).sum()
    }
}

fn count(clusters: &mut SmallVec<[(u32, u32); 2]>, cluster: u32, sign: i64) {
    match clusters.iter_mut().find(|(known, _)| *known == cluster) {
        Some((_, pods)) => *pods = pods.saturating_add_signed(if sign < 0 { -1 } else { 1 }),
        None => clusters.push((cluster, 1)),
    }
    clusters.retain(|(_, pods)| *pods > 0);
}

/// The kind of a pod for GPU clustering: 0 for fractions of devices, else the number of devices.
pub(super) fn cluster(count: u32, each: i64, whole: i64) -> u32 {
    if each < whole { 0 } else { count }
}
