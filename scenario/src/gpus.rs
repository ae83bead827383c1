//! GPUs of node pools, what pods ask of them and where they stand, and what befalls them: `gpus: Gpus(..)`, `gpu_count`,
//! `topology: Same("rack")`, `DeviceUnhealthy(..)`, `DeviceHealthy(..)`, `Relabel(..)`.

use super::{
    diagnostic::Report,
    reader::{At, Fields, choice, variant},
    syntax::{Node, Shape},
    values::texts,
};
use quotree_core::{DeviceAsk, DeviceChoice, Level, Name, NodeSpec, PodTemplate};
use quotree_model::{CORES, Cluster, DeviceChange, GpuMode, Gpus, MEMORY, MODEL_LABEL, set_label};
use std::sync::Arc;

const MODES: [(&str, GpuMode); 5] = [
    ("Fraction", GpuMode::Fraction),
    ("Exclusive", GpuMode::Exclusive),
    ("Share", GpuMode::Share),
    ("CoreMem", GpuMode::CoreMem),
    ("Topology", GpuMode::Topology),
];

/// A node may have this many GPUs, each of at most so much memory.
const MOST: u32 = 64;
const MOST_MEMORY: u32 = 1_000_000;

/// `gpus: Gpus(count: 8, mode: Share, memory: 80)` of a node pool.
pub(crate) fn read(fields: &mut Fields<'_>, spec: &mut NodeSpec, report: &mut Report) -> Option<Arc<Gpus>> {
    let node = fields.node("gpus")?;
    let mut inner = variant(node, &["Gpus"], "`Gpus(..)`", report)?.fields(&[], report);
    let count = inner.required::<At<u32>>("count", report);
    let mode = inner.node("mode").and_then(|node| choice(node, &MODES, report)).unwrap_or(GpuMode::Fraction);
    let memory = inner.optional::<At<u32>>("memory", report);
    let islands = inner.optional::<At<Vec<u32>>>("islands", report);
    let picks = [("BestFit", DeviceChoice::BestFit), ("Spread", DeviceChoice::Spread)];
    let picks = inner.node("choice").and_then(|node| choice(node, &picks, report)).unwrap_or_default();
    let model = inner.optional::<Name>("model", report);
    inner.finish(report);
    let count = count?;
    if count.value == 0 || count.value > MOST {
        report.error(count.span, format!("{} GPUs: 1 to {MOST} are allowed", count.value), "out of range");
        return None;
    }
    if let Some(memory) = memory.as_ref().filter(|memory| memory.value == 0 || memory.value > MOST_MEMORY) {
        let title = format!("{} GiB a GPU: 1 to {MOST_MEMORY} are allowed", memory.value);
        report.error(memory.span, title, "out of range");
        return None;
    }
    if let Some(islands) = &islands {
        let sizes = std::iter::once(&1).chain(&islands.value).zip(&islands.value);
        if sizes.into_iter().any(|(small, large)| large <= small || large % small != 0) {
            let title = "sizes of islands ascend from 2 on, each a multiple of the one before";
            report.error(islands.span, title, "islands do not nest");
            return None;
        }
    }
    if !spec.devices.is_empty() {
        report.error(node.span, "a pool says what its devices are once: `gpus` or `devices`", "a second time");
        return None;
    }
    let memory_gib = memory.map(|memory| memory.value);
    let islands = islands.map(|islands| islands.value).unwrap_or_default();
    let gpus = Gpus { count: count.value, memory_gib, islands, choice: picks, mode };
    if !can_be(&gpus, mode, node, report) {
        return None;
    }
    if let Some((name, _)) = spec.allocatable.iter().find(|(name, _)| name.as_str().contains("/gpu")) {
        let title = format!("`allocatable` has `{name}`, which `gpus` says");
        report.error(node.span, title, "said twice").help("leave it out of `allocatable`");
        return None;
    }
    gpus.mark(mode, spec);
    if let Some(model) = model {
        set_label(spec, &MODEL_LABEL.into(), &model);
    }
    Some(Arc::new(gpus))
}

/// Whether the GPUs can be in a mode: shared ones need to have a memory.
fn can_be(gpus: &Gpus, mode: GpuMode, node: &Node, report: &mut Report) -> bool {
    let shared = matches!(mode, GpuMode::Share | GpuMode::CoreMem);
    let fits = !shared || gpus.memory_gib.is_some();
    if !fits {
        let title = "shared GPUs are given by their memory, which is not said";
        report.error(node.span, title, "how much has each?").help("`memory: 80` is 80 GiB each");
    }
    fits
}

/// `gpu_count: 2` of a pod: its GPU memory, and its share of cores, is split evenly over so many GPUs of one node.
pub(crate) fn split(fields: &mut Fields<'_>, template: &mut PodTemplate, report: &mut Report) {
    let Some(count) = fields.optional::<At<u32>>("gpu_count", report) else { return };
    if count.value == 0 || count.value > MOST {
        report.error(count.span, format!("{} GPUs: 1 to {MOST} are allowed", count.value), "out of range");
        return;
    }
    if template.devices.is_some() {
        report.error(count.span, "how requests are spread is said once: `gpu_count` or `devices`", "a second time");
        return;
    }
    let each = |resource: &str| Some((resource.into(), template.request.get(resource).filter(|amount| *amount > 0)?));
    let asked: Vec<(Name, i64)> = [MEMORY, CORES].into_iter().filter_map(each).collect();
    if asked.is_empty() {
        report.error(count.span, format!("`gpu_count` splits `{MEMORY}`, of which nothing is asked"), "splits nothing");
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

/// `topology: Same("rack")`.
pub(crate) fn together(node: &Node, report: &mut Report) -> Option<Level> {
    let mut inner = variant(node, &["Same"], "`Same(\"rack\")`", report)?.fields(&["level"], report);
    let level = inner.required_node("level", report);
    inner.finish(report);
    let words = [("node", Level::Node), ("rack", Level::Rack), ("zone", Level::Zone)];
    let level = level?;
    let word = match &level.shape {
        Shape::String(text) => Node { span: level.span, shape: Shape::Word(text.clone()) },
        _ => level.clone(),
    };
    choice(&word, &words, report)
}

/// `DeviceUnhealthy`, `DeviceHealthy` and `Relabel`; `node` is the one they name.
pub(crate) fn change(
    name: &str,
    node: Option<At<usize>>,
    fields: &mut Fields<'_>,
    cluster: &Cluster,
    report: &mut Report,
) -> Option<DeviceChange> {
    if name == "Relabel" {
        let labels = fields.node("labels").map(|node| texts(node, report)).unwrap_or_default();
        let mode_node = fields.node("mode");
        let mode = mode_node.and_then(|node| choice(node, &MODES, report));
        let node = node?;
        let gpus = cluster.gpus.get(&node.value).cloned();
        if mode_node.is_none() && labels.is_empty() {
            report.error(node.span, "`Relabel` says neither `mode` nor `labels`", "changes nothing");
            return None;
        }
        let Some(mode_node) = mode_node else {
            return Some(DeviceChange::Relabel { node: node.value, labels, mode: None });
        };
        let Some(gpus) = gpus else {
            let title = "the pool of this node does not say what GPUs it has";
            report.error(node.span, title, "no `gpus`").help("`gpus: Gpus(count: 8, memory: 80)` in its `NodePool`");
            return None;
        };
        let mode = mode?;
        let fits = can_be(&gpus, mode, mode_node, report);
        let change = DeviceChange::Relabel { node: node.value, labels, mode: Some((mode, gpus)) };
        return fits.then_some(change);
    }
    let device = fields.required::<At<u32>>("device", report);
    let lost = match name {
        "DeviceUnhealthy" => {
            let words = [("GoOn", false), ("Lost", true)];
            fields.node("pods").and_then(|node| choice(node, &words, report)).unwrap_or(false)
        }
        _ => false,
    };
    let (node, device) = (node?, device?);
    let devices = cluster.nodes.get(node.value).and_then(|node| node.spec.devices.first());
    let count = devices.map_or(0, |devices| devices.count);
    if device.value >= count {
        let title = format!("there is no device {}: the node has {count}", device.value);
        report.error(device.span, title, "counted from 0");
        return None;
    }
    let (node, device) = (node.value, device.value);
    Some(if name == "DeviceHealthy" {
        DeviceChange::Well { node, device }
    } else {
        DeviceChange::Ill { node, device, lost }
    })
}
