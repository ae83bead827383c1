//! The GPUs of nodes, the modes in which nodes assign them to pods, and their changes.

use quotree_core::{DeviceChoice, DeviceMode, DeviceSpec, Name, NodeSpec};
use quotree_syntax::words;
use std::sync::Arc;

/// The label with the GPU mode of a node.
pub const MODE_LABEL: &str = "ack.node.gpu.schedule";
/// The label with the GPU model of a node.
pub const MODEL_LABEL: &str = "gpu-model";

const WHOLE: &str = "nvidia.com/gpu";
const CLOSE: &str = "aliyun.com/gpu";
/// The resource of GPU memory, GiB.
pub const MEMORY: &str = "aliyun.com/gpu-mem";
/// The resource of GPU cores, percent.
pub const CORES: &str = "aliyun.com/gpu-core.percentage";

/// How a node assigns its GPUs to pods. Each variant states the resource that pods request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GpuMode {
    /// `nvidia.com/gpu`: whole GPUs, a part of one, or equal parts of several.
    Fraction,
    /// `nvidia.com/gpu`: whole GPUs.
    Exclusive,
    /// `aliyun.com/gpu-mem`, in GiB: a part of the memory of one, or equal parts of several.
    Share,
    /// As `Share`, and `aliyun.com/gpu-core.percentage` of the same GPUs.
    CoreMem,
    /// `aliyun.com/gpu`: whole GPUs, preferably near each other.
    Topology,
}

/// The GPUs of one node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gpus {
    /// Their number, 1 to 64.
    pub count: u32,
    /// The memory of each, GiB; `None` if it is not known.
    pub memory_gib: Option<u32>,
    /// Sizes of islands (GPUs near each other), ascending.
    pub islands: Vec<u32>,
    /// Which of the GPUs that fit a pod gets.
    pub choice: DeviceChoice,
    /// The mode at the start.
    pub mode: GpuMode,
}

impl Gpus {
    /// Sets the GPUs and the mode of a node, in place of its earlier GPUs.
    pub fn mark(&self, mode: GpuMode, node: &mut NodeSpec) {
        let others = [WHOLE, CLOSE, MEMORY, CORES];
        node.allocatable = node
            .allocatable
            .iter()
            .filter(|(name, _)| !others.contains(&name.as_str()))
            .map(|(n, a)| (n.clone(), a))
            .collect();
        let memory = i64::from(self.memory_gib.unwrap_or(0)) * 1000;
        let held: &[(&str, i64)] = match mode {
            GpuMode::Fraction | GpuMode::Exclusive => &[(WHOLE, 1000)],
            GpuMode::Share => &[(MEMORY, memory)],
            GpuMode::CoreMem => &[(MEMORY, memory), (CORES, 100_000)],
            GpuMode::Topology => &[(CLOSE, 1000)],
        };
        let device = |(resource, each): &(&str, i64)| DeviceSpec {
            resource: Name::from(*resource),
            count: self.count,
            each: *each,
        };
        node.devices = held.iter().map(device).collect();
        for devices in &node.devices {
            node.allocatable.set(devices.resource.clone(), devices.each * i64::from(devices.count));
        }
        let (fall, label) = match mode {
            GpuMode::Fraction => (DeviceMode::Fraction, "fraction"),
            GpuMode::Exclusive => (DeviceMode::Exclusive, "default"),
            GpuMode::Share => (DeviceMode::Share, "share"),
            GpuMode::CoreMem => (DeviceMode::Share, "core_mem"),
            GpuMode::Topology => (DeviceMode::Topology { islands: self.islands.clone() }, "topology"),
        };
        (node.mode, node.choice) = (fall, self.choice);
        set_label(node, &MODE_LABEL.into(), &label.into());
    }
}

/// Sets a label of a node.
pub fn set_label(node: &mut NodeSpec, label: &Name, value: &Name) {
    match node.labels.iter_mut().find(|(name, _)| name == label) {
        Some((_, old)) => *old = value.clone(),
        None => node.labels.push((label.clone(), value.clone())),
    }
}

/// A change of the devices or labels of a node.
#[derive(Debug, Clone)]
pub enum DeviceChange {
    /// A device becomes unhealthy: it gets no new pods.
    Unhealthy {
        /// Index into [`Cluster::nodes`](super::Cluster::nodes).
        node: usize,
        /// Index of the device on the node.
        device: u32,
        /// Whether the pods on it are lost; otherwise they continue.
        lost: bool,
    },
    /// A device is healthy again.
    Healthy {
        /// Index into [`Cluster::nodes`](super::Cluster::nodes).
        node: usize,
        /// Index of the device on the node.
        device: u32,
    },
    /// A node gets other labels, or its GPUs get another mode. Refused while pods have devices of the old mode.
    Relabel {
        /// Index into [`Cluster::nodes`](super::Cluster::nodes).
        node: usize,
        /// New values of these labels; the others are unchanged.
        labels: Vec<(Name, Name)>,
        /// The new mode, and the GPUs of the node.
        mode: Option<(GpuMode, Arc<Gpus>)>,
    },
}

words! { GpuMode: Fraction, Exclusive, Share, CoreMem, Topology }
