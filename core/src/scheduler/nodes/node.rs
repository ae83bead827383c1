//! One node: what it has, what of it is free, what holds keep on it (H1), and who stands there.

use crate::scheduler::nodes::{NodeDevices, NodeReservation, PodRef, score::gpu};
use crate::{
    api::{DeviceSet, NodeId, NodeSpec},
    scheduler::state::interner::{ResourceId, Template},
};
use smallvec::SmallVec;

#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) id: NodeId,
    pub(crate) spec: NodeSpec,
    pub(super) class: u32,
    pub(crate) up: bool,
    /// Allocatable, free and kept for holds, by resource.
    pub(crate) total: Vec<i64>,
    pub(crate) free: Vec<i64>,
    pub(crate) reserved: Vec<i64>,
    pub(crate) banks: SmallVec<[NodeDevices; 1]>,
    pub(crate) pods: Vec<PodRef>,
    /// The resources that placement scores: cpu and devices where the node has any, else everything.
    pub(super) scored: SmallVec<[ResourceId; 4]>,
    /// How many pods of each kind that clustering tells apart stand here.
    pub(super) clusters: SmallVec<[(u32, u32); 2]>,
    pub(super) score: u64,
    /// What typical pods could use of it, for `fgd`.
    pub(super) usable: i128,
}

impl Node {
    pub(crate) fn available(&self, resource: ResourceId) -> i64 {
        let at = usize::from(resource);
        let value = |row: &[i64]| row.get(at).copied().unwrap_or_default();
        value(&self.free) - value(&self.reserved)
    }

    /// Adds `sign` times the pod's footprint to what is used.
    pub(super) fn shift(&mut self, template: &Template, devices: DeviceSet, sign: i64) {
        self.release_unhealthy();
        for (resource, amount) in &template.request {
            if let Some(free) = self.free.get_mut(usize::from(*resource)) {
                *free -= sign * amount;
            }
        }
        let ask = self.device_ask(template).flatten();
        for (place, bank) in self.banks.iter_mut().enumerate() {
            let each = match (ask, place) {
                (None, _) => 0,
                (Some(ask), 0) => {
                    count(&mut self.clusters, gpu::cluster(ask.count, ask.each, bank.each), sign);
                    ask.each
                }
                (Some(ask), _) => bank.part(template, ask.count).unwrap_or(0),
            };
            for device in devices.iter() {
                if let Some(free) = bank.free.get_mut(device as usize) {
                    *free -= sign * each;
                }
            }
        }
        self.reserve_unhealthy();
    }

    /// Adds `sign` times these amounts to what is reserved.
    pub(super) fn reserve(&mut self, kept: &NodeReservation, sign: i64) {
        self.release_unhealthy();
        for (resource, amount) in &kept.resources {
            if let Some(cell) = self.reserved.get_mut(usize::from(*resource)) {
                *cell += sign * amount;
            }
        }
        for ((bank, device), amount) in &kept.devices {
            let bank = self.banks.get_mut(usize::from(*bank));
            if let Some(cell) = bank.and_then(|bank| bank.reserved.get_mut(*device as usize)) {
                *cell += sign * amount;
            }
        }
        self.reserve_unhealthy();
    }

    /// What is free on ill devices is nobody's: it counts as reserved from here on.
    pub(super) fn reserve_unhealthy(&mut self) {
        if self.spec.unhealthy != DeviceSet::default() {
            for bank in &mut self.banks {
                let unhealthy_reserve = bank.reserve_unhealthy(self.spec.unhealthy);
                if let Some(cell) = self.reserved.get_mut(usize::from(bank.resource)) {
                    *cell += unhealthy_reserve;
                }
            }
        }
    }

    /// How much of what is reserved of a resource is free on ill devices.
    pub(crate) fn unhealthy_reserve(&self, resource: ResourceId) -> i64 {
        self.banks.iter().filter(|bank| bank.resource == resource).flat_map(|bank| &bank.unhealthy_reserve).sum()
    }

    /// Takes [`reserve_unhealthy`](Self::reserve_unhealthy) back, so that amounts can change.
    pub(super) fn release_unhealthy(&mut self) {
        for bank in self.banks.iter_mut().filter(|bank| !bank.unhealthy_reserve.is_empty()) {
            let unhealthy_reserve = bank.release_unhealthy();
            if let Some(cell) = self.reserved.get_mut(usize::from(bank.resource)) {
                *cell -= unhealthy_reserve;
            }
        }
    }
}

fn count(clusters: &mut SmallVec<[(u32, u32); 2]>, cluster: u32, sign: i64) {
    match clusters.iter_mut().find(|(known, _)| *known == cluster) {
        Some((_, pods)) => *pods = pods.saturating_add_signed(if sign < 0 { -1 } else { 1 }),
        None => clusters.push((cluster, 1)),
    }
    clusters.retain(|(_, pods)| *pods > 0);
}
