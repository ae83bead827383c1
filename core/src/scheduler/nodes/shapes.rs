//! The distinct shapes of nodes, each kept once as an empty node: they show what could run if everything ended (O4).

use super::node::Node;
use crate::{
    api::{Amounts, DeviceMode, DeviceSet, DeviceSpec, NodeSpec},
    scheduler::state::Template,
};
use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;

/// The properties that decide how many pods of a kind an empty node holds, and whether it suits them.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Shape {
    class: u32,
    schedulable: bool,
    allocatable: Amounts,
    devices: Vec<DeviceSpec>,
    mode: DeviceMode,
    unhealthy: DeviceSet,
}

impl Shape {
    fn of(class: u32, spec: &NodeSpec) -> Self {
        Self {
            class,
            schedulable: spec.schedulable,
            allocatable: spec.allocatable.clone(),
            devices: spec.devices.clone(),
            mode: spec.mode.clone(),
            unhealthy: spec.unhealthy,
        }
    }
}

/// All shapes, with an empty node of each and how many nodes have it.
#[derive(Debug, Clone, Default)]
pub(super) struct Shapes(IndexMap<Shape, (Node, u32), FxBuildHasher>);

impl Shapes {
    pub(super) fn add(&mut self, node: &Node) {
        let entry = self.0.entry(Shape::of(node.class, &node.spec));
        entry.or_insert_with(|| (node.emptied(), 0)).1 += 1;
    }

    pub(super) fn remove(&mut self, node: &Node) {
        let shape = Shape::of(node.class, &node.spec);
        if let Some((_, count)) = self.0.get_mut(&shape) {
            *count -= 1;
            if *count == 0 {
                self.0.swap_remove(&shape);
            }
        }
    }

    /// An empty node of each shape, and how many nodes have it.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&Node, u32)> {
        self.0.values().map(|(node, count)| (node, *count))
    }

    /// An empty node of the same shape.
    pub(super) fn empty(&self, node: &Node) -> Option<&Node> {
        self.0.get(&Shape::of(node.class, &node.spec)).map(|(empty, _)| empty)
    }
}

impl Node {
    /// This node without pods and holds.
    fn emptied(&self) -> Self {
        let mut node = self.clone();
        node.release_unhealthy();
        node.pods.clear();
        node.free.clone_from(&node.total);
        node.reserved.iter_mut().for_each(|reserved| *reserved = 0);
        for devices in &mut node.devices {
            let each = devices.each;
            devices.free.iter_mut().for_each(|free| *free = each);
            devices.reserved.iter_mut().for_each(|reserved| *reserved = 0);
        }
        node.reserve_unhealthy();
        node
    }

    /// The most pods of a kind that this node has room for, by its amounts; 0 where not even one fits.
    pub(crate) fn most(&self, template: &Template) -> u64 {
        if self.fit(template).is_none() {
            return 0;
        }
        let ratio = |(r, amount): &(u16, i64)| self.available(*r) / amount;
        let most = template.request.iter().map(ratio).min().unwrap_or(i64::MAX);
        u64::try_from(most).unwrap_or(0)
    }
}
