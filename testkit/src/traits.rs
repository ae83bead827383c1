//! Properties of a node of a small scenario besides its size, and requests of a pod besides amounts: labels, taints,
//! modes of devices, topology.

use crate::worlds::amounts;
use quotree_core::{DeviceAsk, DeviceChoice, DeviceMode, DeviceSpec, Level, NodeSpec, PodTemplate};

/// The second resource of devices that are shared by cores: 100 on each.
pub const CORES: &str = "gpu-core";

/// How a node assigns its devices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// Whole devices or parts of one.
    #[default]
    Fraction,
    /// Whole devices.
    Exclusive,
    /// Parts of one device.
    Share,
    /// Parts of one device by memory and [`CORES`].
    Cores,
    /// Whole devices, close ones first: islands of two.
    Islands,
}

/// What a node has besides its size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct NodeTraits {
    /// How it assigns its devices, if it has any.
    pub mode: Mode,
    /// Whether pods get the emptiest devices.
    pub spread: bool,
    /// Its label `kind`.
    pub kind: Option<u8>,
    /// Whether it has a taint.
    pub tainted: bool,
    /// Its zone.
    pub zone: Option<u8>,
    /// Its rack.
    pub rack: Option<u8>,
}

/// What a pod requests besides amounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PodTraits {
    /// The number of devices that share its `gpu` request; 0: as the node decides.
    pub over: u32,
    /// How much of [`CORES`] it requests in all.
    pub cores: i64,
    /// The `kind` it selects.
    pub kind: Option<u8>,
    /// Whether it tolerates the taint.
    pub tolerates: bool,
    /// The topology level at which its pods share a domain.
    pub together: Option<Level>,
    /// Whether nobody is evicted for it (R9).
    pub evicts_nobody: bool,
    /// Whether it names its leaf, and its namespace is attached to none (T1).
    pub names_leaf: bool,
}

impl NodeTraits {
    /// Adds the traits to a node. `devices` says whether its `gpu` comes as devices.
    pub fn mark(&self, node: &mut NodeSpec, devices: bool) {
        let gpus = node.allocatable.get("gpu").unwrap_or(0);
        let count = u32::try_from(gpus / 1000).unwrap_or(0);
        if devices && gpus > 0 {
            node.devices.push(DeviceSpec { resource: "gpu".into(), count, each: 1000 });
            node.mode = match self.mode {
                Mode::Fraction => DeviceMode::Fraction,
                Mode::Exclusive => DeviceMode::Exclusive,
                Mode::Share | Mode::Cores => DeviceMode::Share,
                Mode::Islands => DeviceMode::Topology { islands: vec![2] },
            };
            if self.mode == Mode::Cores {
                node.allocatable.set(CORES, 100 * i64::from(count));
                node.devices.push(DeviceSpec { resource: CORES.into(), count, each: 100 });
            }
            node.choice = if self.spread { DeviceChoice::Spread } else { DeviceChoice::BestFit };
        }
        node.labels.extend(self.kind.map(|kind| ("kind".into(), format!("k{kind}").as_str().into())));
        node.taints.extend(self.tainted.then(|| "taint".into()));
        node.zone = self.zone.map(|zone| format!("z{zone}").as_str().into());
        node.rack = self.rack.map(|rack| format!("r{rack}").as_str().into());
    }
}

impl PodTraits {
    /// A pod that requests these units and has these traits.
    #[must_use]
    pub fn template(&self, ask: crate::worlds::Units) -> PodTemplate {
        let mut template = PodTemplate { request: amounts(ask), ..PodTemplate::default() };
        let gpu = template.request.get("gpu").unwrap_or(0);
        if self.over > 0 && gpu > 0 {
            let each = gpu / i64::from(self.over);
            template.devices = Some(DeviceAsk { resource: "gpu".into(), count: self.over, each });
        }
        if self.cores > 0 {
            template.request.set(CORES, self.cores);
        }
        template.selector.extend(self.kind.map(|kind| ("kind".into(), vec![format!("k{kind}").as_str().into()])));
        template.tolerations.extend(self.tolerates.then(|| "taint".into()));
        template
    }
}
