//! A node in the form of the core: allocatable amounts, GPUs by the mode of the node, taints, zone and rack.
//!
//! Sources: "Nodes" and "Device Plugins" of the Kubernetes documentation; "Enable scheduling features" (labels
//! `ack.node.gpu.schedule` and `ack.node.gpu.placement`) of the documentation of ACK.

use crate::{
    names,
    node_facts::{NodeFacts, Taint},
};
use quotree_core::{Amounts, DeviceChoice, DeviceMode, DeviceSet, DeviceSpec, Level, Name, NodeId, NodeSpec};

/// The most devices of a node that the core knows.
const MAX_DEVICES: i64 = 64;

/// One whole device, in base units.
const WHOLE: i64 = 1000;

/// The names that nodes use for their location and their GPUs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeSettings {
    /// The label with the zone.
    pub zone: Name,
    /// The label with the rack.
    pub rack: Name,
    /// The resource of whole devices.
    pub gpu: Name,
}

impl Default for NodeSettings {
    fn default() -> Self {
        Self { zone: names::ZONE.into(), rack: names::RACK.into(), gpu: names::GPU.into() }
    }
}

impl NodeSettings {
    /// The topology level of a label.
    #[must_use]
    pub fn level(&self, label: &str) -> Option<Level> {
        match label {
            names::HOSTNAME => Some(Level::Node),
            label if self.rack == label => Some(Level::Rack),
            label if self.zone == label => Some(Level::Zone),
            _ => None,
        }
    }
}

/// What the core cannot represent of a node. The devices in question are then only counted, like any other resource.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum NodeLoss {
    /// The amount is not a number of whole devices.
    NotWhole {
        /// The resource.
        resource: Name,
    },
    /// The node has more devices than the core supports.
    TooMany {
        /// The resource.
        resource: Name,
        /// How many there are.
        count: i64,
    },
    /// The node shares its GPUs, but does not state their number, or its memory or cores are not equal parts of them.
    Uneven {
        /// The resource.
        resource: Name,
    },
    /// A value of `ack.node.gpu.schedule` that is not known. The GPUs are treated as whole devices.
    UnknownMode {
        /// The value.
        mode: Name,
    },
}

impl NodeLoss {
    /// The loss in words that follow the name of a node.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::NotWhole { resource } => {
                format!("does not have a whole number of `{resource}`, which is then only counted")
            }
            Self::TooMany { resource, count } => {
                format!(
                    "has {count} of `{resource}`; more than {MAX_DEVICES} devices are only counted, not modelled one by one"
                )
            }
            Self::Uneven { resource } => {
                format!("shares `{resource}`, which is not divided equally among its GPUs, so it is only counted")
            }
            Self::UnknownMode { mode } => {
                format!("has the unknown `{}: {mode}`; its GPUs are treated as whole devices", names::GPU_SCHEDULE)
            }
        }
    }
}

/// Maps a node to the form of the core.
///
/// `schedulable` is false while the node is not ready. A cordon is represented by its taint, since pods may tolerate
/// the taint. If some of the node's devices are unhealthy (it has more capacity than is allocatable), the result has
/// all devices, and those with the highest indices are unhealthy: the API does not show which ones are.
#[must_use]
pub fn node_spec(node: &NodeFacts, id: NodeId, settings: &NodeSettings) -> (NodeSpec, Vec<NodeLoss>) {
    let mut spec = NodeSpec::new(id.0, Amounts::new());
    spec.allocatable = node.allocatable.iter().filter(|(_, amount)| *amount > 0).map(|(n, a)| (n.clone(), a)).collect();
    spec.labels = node.labels.iter().map(|(label, value)| (label.clone(), value.clone())).collect();
    if !node.labels.contains_key(names::HOSTNAME) {
        spec.labels.push((names::HOSTNAME.into(), node.name.clone()));
    }
    spec.taints = node.repelling().iter().map(Taint::text).collect();
    spec.zone = node.labels.get(settings.zone.as_str()).cloned();
    spec.rack = node.labels.get(settings.rack.as_str()).cloned();
    spec.schedulable = node.ready != Some(false);
    let mut losses = Vec::new();
    match cards(node, settings, &mut losses) {
        Ok(Some(cards)) => cards.put_on(&mut spec),
        Ok(None) => {}
        Err(loss) => losses.push(loss),
    }
    if node.labels.get(names::GPU_PLACEMENT).is_some_and(|value| *value == "spread") {
        spec.choice = DeviceChoice::Spread;
    }
    (spec, losses)
}

/// The devices of a node.
struct Cards {
    count: u32,
    /// Each resource that the devices have, with the amount of one device.
    held: Vec<(Name, i64)>,
    mode: DeviceMode,
    unhealthy: u32,
}

impl Cards {
    fn put_on(self, spec: &mut NodeSpec) {
        for (resource, each) in self.held {
            spec.allocatable.set(resource.clone(), each.saturating_mul(i64::from(self.count)));
            spec.devices.push(DeviceSpec { resource, count: self.count, each });
        }
        spec.mode = self.mode;
        let first = self.count.saturating_sub(self.unhealthy);
        spec.unhealthy = DeviceSet((first..self.count).fold(0, |set, device| set | 1 << device));
    }
}

/// The devices of a node by its mode; `None` if it has no devices that are modelled separately.
fn cards(node: &NodeFacts, settings: &NodeSettings, losses: &mut Vec<NodeLoss>) -> Result<Option<Cards>, NodeLoss> {
    match node.labels.get(names::GPU_SCHEDULE).map_or("default", Name::as_str) {
        "share" | "cgpu" | "mps" => shared(node, &[names::GPU_MEMORY]),
        "core_mem" => shared(node, &[names::GPU_MEMORY, names::GPU_CORES]),
        "topology" => whole(node, &names::GPU_TOPOLOGY.into(), DeviceMode::Topology { islands: Vec::new() }),
        // The parts into which MIG divides GPUs are resources of their own, which are counted.
        "mig" => Ok(None),
        mode => {
            if mode != "default" {
                losses.push(NodeLoss::UnknownMode { mode: mode.into() });
            }
            whole(node, &settings.gpu, DeviceMode::Exclusive)
        }
    }
}

/// The capacity of a resource, and how much of it is not allocatable.
fn capacity(node: &NodeFacts, resource: &str) -> (i64, i64) {
    let allocatable = node.allocatable.get(resource).unwrap_or(0);
    let all = node.capacity.get(resource).unwrap_or(0).max(allocatable);
    (all, all - allocatable)
}

/// Devices that are assigned as a whole.
fn whole(node: &NodeFacts, resource: &Name, mode: DeviceMode) -> Result<Option<Cards>, NodeLoss> {
    let (all, missing) = capacity(node, resource.as_str());
    if all % WHOLE != 0 {
        return Err(NodeLoss::NotWhole { resource: resource.clone() });
    }
    let count = number(all / WHOLE, resource)?;
    let unhealthy = broken(count, all, missing);
    Ok((count > 0).then(|| Cards { count, held: vec![(resource.clone(), WHOLE)], mode, unhealthy }))
}

/// Devices that pods share, and which have equal parts of these resources.
fn shared(node: &NodeFacts, resources: &[&str]) -> Result<Option<Cards>, NodeLoss> {
    let (cards, _) = capacity(node, names::GPU_COUNT);
    let mut held = Vec::new();
    let mut unhealthy = 0;
    let count = number(cards / WHOLE, &names::GPU_COUNT.into())?;
    for resource in resources {
        let (all, missing) = capacity(node, resource);
        if all == 0 {
            continue;
        }
        if count == 0 || all % i64::from(count) != 0 {
            return Err(NodeLoss::Uneven { resource: (*resource).into() });
        }
        held.push(((*resource).into(), all / i64::from(count)));
        unhealthy = unhealthy.max(broken(count, all, missing));
    }
    Ok((!held.is_empty()).then_some(Cards { count, held, mode: DeviceMode::Share, unhealthy }))
}

fn number(count: i64, resource: &Name) -> Result<u32, NodeLoss> {
    let known = u32::try_from(count).ok().filter(|_| count <= MAX_DEVICES);
    known.ok_or_else(|| NodeLoss::TooMany { resource: resource.clone(), count })
}

/// How many of the devices are unhealthy, rounded down.
fn broken(count: u32, all: i64, missing: i64) -> u32 {
    let part = i128::from(count) * i128::from(missing) / i128::from(all.max(1));
    u32::try_from(part).unwrap_or(0)
}
