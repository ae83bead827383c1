//! Numbers for devices that a node only counts. The scheduler does not distinguish such devices, but a chart must draw
//! a pod somewhere. So each pod gets the lowest numbers that are free.

use super::From;
use quotree_core::Unit;
use quotree_page::model::{NodeIx, Placement, Report, ResourceIx, ResourceKind};
use std::collections::{BTreeMap, BTreeSet};

/// A node with more counted devices than this gets no numbers.
const MOST: i64 = 64;

impl From<'_> {
    /// Assigns the numbers on nodes that only count devices, and writes them into placements and evictions.
    pub(super) fn number_devices(&self, report: &mut Report) {
        let is_gpu = |resource: ResourceIx| {
            let row = report.resources.get(resource as usize);
            row.is_some_and(|row| row.kind == ResourceKind::Gpu && Unit::of(&row.name) != Unit::Bytes)
        };
        let mut counted: BTreeMap<NodeIx, ResourceIx> = BTreeMap::new();
        for (number, node) in (0..).zip(&mut report.nodes) {
            let whole = |amount: i64| amount > 0 && amount % 1000 == 0 && amount / 1000 <= MOST;
            let found = node.capacity.iter().find(|row| is_gpu(row.resource) && whole(row.amount));
            if let Some(row) = found.filter(|_| node.devices == 0) {
                (node.devices, node.device_resource) =
                    (u32::try_from(row.amount / 1000).unwrap_or(0), Some(row.resource));
                counted.insert(number, row.resource);
            }
        }
        if counted.is_empty() {
            return;
        }
        let requested = |placement: &Placement| -> Option<u32> {
            let resource = counted.get(&placement.node)?;
            let pod = report.pods.get(placement.pod as usize)?;
            let shape = report.shapes.get(pod.shape as usize)?;
            let amount = shape.request.iter().find(|row| row.resource == *resource)?.amount;
            u32::try_from(amount / 1000).ok().filter(|_| amount % 1000 == 0)
        };
        let sizes: Vec<u32> = report.placements.iter().map(|placement| requested(placement).unwrap_or(0)).collect();
        // What ends at a moment is free for what begins at it.
        let mut steps: Vec<(u64, bool, usize)> = Vec::new();
        for (place, placement) in report.placements.iter().enumerate().filter(|(place, _)| sizes.get(*place) > Some(&0))
        {
            if placement.gone_ms != Some(placement.bound_ms) {
                steps.push((placement.bound_ms, true, place));
                steps.extend(placement.gone_ms.map(|at| (at, false, place)));
            }
        }
        steps.sort_unstable();
        let mut taken: BTreeMap<NodeIx, BTreeSet<u32>> = BTreeMap::new();
        for (_, begins, place) in steps {
            let Some(placement) = report.placements.get_mut(place) else { continue };
            let taken = taken.entry(placement.node).or_default();
            if begins {
                let devices = report.nodes.get(placement.node as usize).map_or(0, |node| node.devices);
                let size = sizes.get(place).copied().unwrap_or(0) as usize;
                placement.devices = (0..devices).filter(|device| !taken.contains(device)).take(size).collect();
                taken.extend(&placement.devices);
            } else {
                taken.retain(|device| !placement.devices.contains(device));
            }
        }
        for placement in &report.placements {
            if let Some(eviction) = placement.eviction.and_then(|number| report.evictions.get_mut(number as usize)) {
                eviction.devices.clone_from(&placement.devices);
            }
        }
    }
}
