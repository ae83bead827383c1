//! Devices of nodes (GPUs, mostly): what a node has, and what a pod requests (P1).

use super::ids::Name;
use serde::{Deserialize, Serialize};

/// Devices of a node, by index: bit `i` stands for device `i`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DeviceSet(pub u64);

impl DeviceSet {
    /// Whether a device is in the set.
    #[must_use]
    pub const fn has(self, device: u32) -> bool {
        device < u64::BITS && self.0 >> device & 1 == 1
    }

    /// The indices in the set, ascending.
    pub fn iter(self) -> impl Iterator<Item = u32> {
        (0..u64::BITS).filter(move |i| self.has(*i))
    }
}

/// A resource of a node that comes as separate devices.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct DeviceSpec {
    /// The resource, such as `nvidia.com/gpu`.
    pub resource: Name,
    /// How many devices, at most 64.
    pub count: u32,
    /// How much one device holds, in base units: 1000 for a GPU counted as one.
    pub each: i64,
}

/// How requests are divided over the devices of a node (P1).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub enum DeviceMode {
    /// Whole devices, a fraction of one, or equal fractions of several where a pod requests that.
    #[default]
    Fraction,
    /// Whole devices only.
    Exclusive,
    /// At most one device, or a fraction of it. Equal parts of several only where a pod requests that.
    Share,
    /// Whole devices only, as close to each other as possible. Consecutive devices form an island, and consecutive
    /// islands a larger island.
    Topology {
        /// The number of devices in an island, level by level: ascending, each a multiple of the one before. Where this
        /// is empty, all devices are equally close.
        islands: Vec<u32>,
    },
}

/// Which of the devices with room a pod gets. Among equals, it is the device with the lowest index. Placements `Fgd`
/// and `Random` do not use this for a request of one device: they choose the device themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub enum DeviceChoice {
    /// The fullest.
    #[default]
    BestFit,
    /// The emptiest.
    Spread,
}

/// A device request: `each` on each of `count` devices of one node.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct DeviceAsk {
    /// The resource, such as `nvidia.com/gpu`.
    pub resource: Name,
    /// How many devices.
    pub count: u32,
    /// How much of each, in base units.
    pub each: i64,
}
