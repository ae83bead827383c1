//! The metrics of DCGM about single devices, with the values that the workloads on them declare.

use super::text::{Kind, Sample, Text, percent};
use quotree_page::model::{DeviceLoad, Node, NodeState, Report};
use std::collections::BTreeMap;

/// Bytes of a MiB.
const MIB: i64 = 1 << 20;

pub(super) fn write(report: &Report, text: &mut Text) {
    let end = report.run.end_ms;
    let loads: BTreeMap<(u32, u32), &DeviceLoad> =
        report.loads.iter().map(|load| ((load.node, load.device), load)).collect();
    let is_up =
        |node: &Node| node.spans.last().is_some_and(|span| !matches!(span.state, NodeState::Down | NodeState::Absent));
    let up = (0..).zip(&report.nodes).filter(|(_, node): &(u32, &Node)| is_up(node));
    let devices: Vec<(&Node, u32, Option<&DeviceLoad>)> = up
        .flat_map(|(number, node)| (0..node.devices).map(move |device| (number, node, device)))
        .map(|(number, node, device)| (node, device, loads.get(&(number, device)).copied()))
        .collect();
    let sample = |node: &Node, device: u32, value: String| {
        Sample::new(&[("gpu", &device.to_string()), ("Hostname", &node.name)], value)
    };
    text.family(
        "DCGM_FI_DEV_GPU_UTIL",
        Kind::Gauge,
        "Duty cycle of a device in percent, as its workloads declare it.",
        devices.iter().map(|(node, device, load)| {
            let permille = load.and_then(|load| load.duty_permille.at(end)).unwrap_or(0);
            sample(node, *device, percent(permille.unsigned_abs()))
        }),
    );
    let used = |load: Option<&DeviceLoad>| load.and_then(|load| load.memory_used.at(end)).unwrap_or(0);
    let sized = || devices.iter().filter_map(|(node, device, load)| Some((node, *device, *load, node.device_memory?)));
    text.family(
        "DCGM_FI_DEV_FB_USED",
        Kind::Gauge,
        "Used memory of a device in MiB, as its workloads declare it.",
        sized().map(|(node, device, load, _)| sample(node, device, (used(load) / MIB).to_string())),
    );
    text.family(
        "DCGM_FI_DEV_FB_FREE",
        Kind::Gauge,
        "Free memory of a device in MiB.",
        sized().map(|(node, device, load, memory)| sample(node, device, ((memory - used(load)) / MIB).to_string())),
    );
}
