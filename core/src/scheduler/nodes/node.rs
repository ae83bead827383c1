//! One node: what it has, what of it is free, what holds keep on it (H1), and who stands there.

use super::{Bank, PodRef, points};
use crate::{
    ids::NodeId,
    plan::DeviceSet,
    scheduler::shapes::{ResourceId, Template},
    spec::NodeSpec,
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
    pub(crate) banks: SmallVec<[Bank; 1]>,
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
        for (resource, amount) in &template.request {
            if let Some(free) = self.free.get_mut(usize::from(*resource)) {
                *free -= sign * amount;
            }
        }
        let ask = self.device_ask(template).flatten();
        let each = ask.map_or(0, |ask| ask.each);
        if let Some(bank) = self.banks.first_mut() {
            if let Some(ask) = ask {
                let cluster = points::cluster(ask.count, ask.each, bank.each);
                count(&mut self.clusters, cluster, sign);
            }
            for device in devices.iter() {
                if let Some(free) = bank.free.get_mut(device as usize) {
                    *free -= sign * each;
                }
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
