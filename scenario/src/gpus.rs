//! GPUs of node pools, the GPU requests and topology of pods, and changes of devices and labels: `gpus: Gpus(..)`,
//! `gpu_count`, `topology: Same("rack")`, `DeviceUnhealthy(..)`, `DeviceHealthy(..)`, `Relabel(..)`.

use quotree_core::{DeviceAsk, DeviceChoice, Level, Name, NodeSpec, PodTemplate};
use quotree_model::{CORES, Cluster, DeviceChange, GpuMode, Gpus as Checked, MEMORY, MODEL_LABEL, set_label};
use quotree_syntax::{At, Node, Read, Report, Shape, Span, Texts, choice, record, words};
use std::sync::Arc;

/// The most GPUs of a node, and the largest memory of a GPU.
const MOST: u32 = 64;
const MOST_MEMORY: u32 = 1_000_000;

record! {
    /// Equal GPUs, and how nodes assign them to pods. The node gets the label `ack.node.gpu.schedule`.
    pub(crate) struct Gpus in "gpus" {
        /// How many, at most 64.
        count: At<u32> => required,
        /// The resources that pods request. Fraction: `nvidia.com/gpu`, whole GPUs or parts. Exclusive:
        /// `nvidia.com/gpu`, whole GPUs. Share: `aliyun.com/gpu-mem` (GiB) of one GPU. CoreMem: as Share, with
        /// `aliyun.com/gpu-core.percentage`. Topology: `aliyun.com/gpu`, whole GPUs near each other.
        mode: GpuMode = GpuMode::Fraction,
        /// The memory of each GPU in GiB; required where GPUs are shared.
        memory: At<u32> => "absent",
        /// The sizes of the groups of GPUs that are near each other, ascending: `[2, 4]`.
        islands: At<Vec<u32>> => "none",
        /// Which of the GPUs that fit a pod gets: the fullest, or the emptiest.
        choice: DeviceChoice = DeviceChoice::default(),
        /// The value of the label `gpu-model`.
        model: Name => "absent",
    }
}

record! {
    /// All pods of a gang are placed in one domain of this level.
    pub(crate) struct Same(level) in "topology" {
        /// Which level.
        level: LevelName => required,
    }
}

record! {
    /// A device of a node gets no new pods.
    pub(crate) struct DeviceUnhealthy(node, device) in "change" {
        /// Which node.
        node: At<String> => required,
        /// Which of its devices, from 0.
        device: At<u32> => required,
        /// What happens to the pods on the device.
        pods: PodsOnIt = PodsOnIt::GoOn,
    }
}

record! {
    /// A device of a node gets new pods again.
    pub(crate) struct DeviceHealthy(node, device) in "change" {
        /// Which node.
        node: At<String> => required,
        /// Which of its devices, from 0.
        device: At<u32> => required,
    }
}

record! {
    /// A node gets other labels, or its GPUs get another mode. The change is refused while pods have devices of the old
    /// mode.
    pub(crate) struct Relabel(node) in "change" {
        /// Which node.
        node: At<String> => required,
        /// New values of these labels; other labels are unchanged.
        labels: Texts = Texts::default(),
        /// The new mode.
        mode: At<GpuMode> => "unchanged",
    }
}

/// A level of the topology, as a string or a word.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LevelName(Level);

const LEVELS: [(&str, Level); 3] = [("node", Level::Node), ("rack", Level::Rack), ("zone", Level::Zone)];

impl Read for LevelName {
    fn kind() -> String {
        format!("one of {}", LEVELS.map(|(name, _)| name).join(", "))
    }

    fn read(node: &Node, report: &mut Report) -> Option<Self> {
        let word = match &node.shape {
            Shape::String(text) => &Node { span: node.span, shape: Shape::Word(text.clone()) },
            _ => node,
        };
        choice(word, &LEVELS, report).map(Self)
    }
}

/// What happens to pods on a device that becomes unhealthy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PodsOnIt {
    GoOn,
    Lost,
}

words! { PodsOnIt: GoOn, Lost }

impl Same {
    pub(crate) fn level(&self) -> Option<Level> {
        self.level.map(|level| level.0)
    }
}

/// Checks the GPUs of a node pool, and adds them to its nodes.
pub(crate) fn check(written: &At<Gpus>, spec: &mut NodeSpec, report: &mut Report) -> Option<Arc<Checked>> {
    let (read, span) = (&written.value, written.span);
    let count = read.count.as_ref()?;
    if count.value == 0 || count.value > MOST {
        report.error(count.span, format!("{} GPUs; expected 1 to {MOST}", count.value), "out of range");
        return None;
    }
    if let Some(memory) = read.memory.as_ref().filter(|memory| memory.value == 0 || memory.value > MOST_MEMORY) {
        let title = format!("{} GiB per GPU; expected 1 to {MOST_MEMORY}", memory.value);
        report.error(memory.span, title, "out of range");
        return None;
    }
    if let Some(islands) = &read.islands {
        let sizes = std::iter::once(&1).chain(&islands.value).zip(&islands.value);
        if sizes.into_iter().any(|(small, large)| large <= small || large % small != 0) {
            let title = "island sizes must ascend from 2 on, each a multiple of the one before";
            report.error(islands.span, title, "islands do not nest");
            return None;
        }
    }
    if !spec.devices.is_empty() {
        report.error(span, "`gpus` and `devices` exclude each other", "give only one of them");
        return None;
    }
    let gpus = Checked {
        count: count.value,
        memory_gib: read.memory.as_ref().map(|memory| memory.value),
        islands: read.islands.as_ref().map(|islands| islands.value.clone()).unwrap_or_default(),
        choice: read.choice,
        mode: read.mode,
    };
    if !can_be(&gpus, read.mode, span, report) {
        return None;
    }
    if let Some((name, _)) = spec.allocatable.iter().find(|(name, _)| name.as_str().contains("/gpu")) {
        let title = format!("`allocatable` repeats `{name}`, which `gpus` defines");
        report.error(span, title, "defined twice").help("leave it out of `allocatable`");
        return None;
    }
    gpus.mark(read.mode, spec);
    if let Some(model) = &read.model {
        set_label(spec, &MODEL_LABEL.into(), model);
    }
    Some(Arc::new(gpus))
}

/// Whether the GPUs support a mode: to be shared, they need a memory size.
fn can_be(gpus: &Checked, mode: GpuMode, span: Span, report: &mut Report) -> bool {
    let shared = matches!(mode, GpuMode::Share | GpuMode::CoreMem);
    let fits = !shared || gpus.memory_gib.is_some();
    if !fits {
        let title = "GPUs that are shared by memory need `memory`";
        report.error(span, title, "no `memory`").help("`memory: 80` is 80 GiB each");
    }
    fits
}

/// `gpu_count: 2` of a pod: divides the requested GPU memory, and share of GPU cores, evenly among this many GPUs of
/// one node.
pub(crate) fn split(count: Option<&At<u32>>, template: &mut PodTemplate, report: &mut Report) {
    let Some(count) = count else { return };
    if count.value == 0 || count.value > MOST {
        report.error(count.span, format!("{} GPUs; expected 1 to {MOST}", count.value), "out of range");
        return;
    }
    if template.devices.is_some() {
        report.error(count.span, "`gpu_count` and `devices` exclude each other", "give only one of them");
        return;
    }
    let each = |resource: &str| Some((resource.into(), template.request.get(resource).filter(|amount| *amount > 0)?));
    let asked: Vec<(Name, i64)> = [MEMORY, CORES].into_iter().filter_map(each).collect();
    if asked.is_empty() {
        report.error(count.span, format!("`gpu_count` splits `{MEMORY}`, which is not requested"), "splits nothing");
        return;
    }
    let whole = i64::from(count.value) * 1000;
    for (resource, amount) in &asked {
        if amount % whole != 0 {
            let title = format!("{} of `{resource}` cannot be split evenly over {} GPUs", amount / 1000, count.value);
            report.error(count.span, title, "does not divide").help("each gets a whole number");
            return;
        }
    }
    let first = asked.into_iter().next();
    template.devices = first.map(|(resource, amount)| DeviceAsk {
        resource,
        count: count.value,
        each: amount / i64::from(count.value),
    });
}

/// Checks that the device named by an event exists on the node and returns its index; `node` is the node's index.
pub(crate) fn device(node: usize, device: &At<u32>, cluster: &Cluster, report: &mut Report) -> Option<u32> {
    let devices = cluster.nodes.get(node).and_then(|node| node.spec.devices.first());
    let count = devices.map_or(0, |devices| devices.count);
    if device.value >= count {
        let has = match count {
            0 => "no devices".to_owned(),
            1 => "only device 0".to_owned(),
            count => format!("devices 0 to {}", count - 1),
        };
        report.error(device.span, format!("there is no device {}: the node has {has}", device.value), "no such device");
        return None;
    }
    Some(device.value)
}

/// Checks a change of labels or of the mode.
pub(crate) fn relabel(read: &Relabel, node: At<usize>, cluster: &Cluster, report: &mut Report) -> Option<DeviceChange> {
    let labels = read.labels.0.clone();
    let Some(mode) = &read.mode else {
        if labels.is_empty() {
            report.error(node.span, "`Relabel` has neither `mode` nor `labels`", "no effect");
            return None;
        }
        return Some(DeviceChange::Relabel { node: node.value, labels, mode: None });
    };
    let Some(gpus) = cluster.gpus.get(&node.value).cloned() else {
        let title = "the node pool of this node does not define its GPUs";
        report.error(node.span, title, "no `gpus`").help("`gpus: Gpus(count: 8, memory: 80)` in its `NodePool`");
        return None;
    };
    let fits = can_be(&gpus, mode.value, mode.span, report);
    let change = DeviceChange::Relabel { node: node.value, labels, mode: Some((mode.value, gpus)) };
    fits.then_some(change)
}
