//! What a node lacks for its pods and for the reservations of holds on it.

use super::{devices::NodeDevices, node::Node};
use crate::scheduler::state::Template;
use smallvec::SmallVec;

/// The lack of a node, by resource and by device: negative amounts, or 0 where nothing is lacking.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Shortfall {
    resources: SmallVec<[i64; 4]>,
    devices: SmallVec<[i64; 8]>,
}

impl Shortfall {
    pub(super) fn of(node: &Node) -> Self {
        let lacks = |(free, reserved): (&i64, &i64)| (free - reserved).min(0);
        Self {
            resources: node.free.iter().zip(&node.reserved).map(lacks).collect(),
            devices: node.devices.iter().flat_map(NodeDevices::available).map(|available| available.min(0)).collect(),
        }
    }

    pub(super) fn is_none(&self) -> bool {
        self.cells().all(|cell| cell == 0)
    }

    fn cells(&self) -> impl Iterator<Item = i64> + '_ {
        self.resources.iter().chain(&self.devices).copied()
    }

    /// Whether no amount lacks more than in the other shortfall.
    pub(super) fn is_within(&self, other: &Self) -> bool {
        let within = |these: &[i64], others: &[i64]| {
            let other = |at: usize| others.get(at).copied().unwrap_or(0);
            these.iter().enumerate().all(|(at, cell)| *cell >= other(at))
        };
        within(&self.resources, &other.resources) && within(&self.devices, &other.devices)
    }

    /// Reduces each amount to that of the other shortfall, where that lacks less.
    pub(super) fn lower_to(&mut self, other: &Self) {
        let lower = |these: &mut [i64], others: &[i64]| {
            these.iter_mut().zip(others).for_each(|(cell, other)| *cell = (*cell).max(*other));
        };
        lower(&mut self.resources, &other.resources);
        lower(&mut self.devices, &other.devices);
    }
}

impl Node {
    /// Extends the rows to every resource that a pod requests, since the node may not have some of them.
    pub(super) fn widen(&mut self, template: &Template) {
        let width = template.request.iter().map(|(r, _)| usize::from(*r) + 1).max().unwrap_or(0);
        for row in [&mut self.total, &mut self.free, &mut self.reserved] {
            row.resize(row.len().max(width), 0);
        }
    }
}
