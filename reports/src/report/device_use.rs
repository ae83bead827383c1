//! The load of devices: duty cycle and used memory, as the workloads on them declare it.

use super::{
    From,
    series::{counted, series},
};
use quotree_page::model::{DeviceLoad, LeftOut, NodeState, Report, Series, Shape};
use quotree_sim::{
    history::Line,
    model::{MEMORY, Workload},
};
use std::collections::BTreeMap;

/// The most devices that get a series of their own.
const MOST_LOADS: usize = 256;

/// How much a workload uses of the devices that its pods are given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Use {
    duty_permille: u32,
    memory: Option<i64>,
}

/// The share of a pod in the devices of its node, and the declared use of it.
#[derive(Debug, Clone, Copy, Default)]
struct Part {
    /// Thousandths of a device.
    devices: i64,
    memory: i64,
    used: i64,
    duty_permille: i64,
}

/// Changes of an amount over time.
type Changes = Vec<(u64, i64)>;

impl From<'_> {
    /// Fills in the shapes: one for each request and declared use of devices. Returns the shape of each pod.
    pub(super) fn shapes(&self, report: &mut Report) -> Vec<u32> {
        let uses: Vec<Use> = self.scenario.workloads.iter().map(|workload| self.use_of(workload)).collect();
        let memory = same_memory(report);
        let mut known: BTreeMap<(u32, Option<Use>), u32> = BTreeMap::new();
        let mut of_pods = Vec::with_capacity(self.history.pods.len());
        for row in &self.history.pods {
            let Some(request) = self.history.shapes.get(row.shape as usize) else {
                of_pods.push(row.shape);
                continue;
            };
            let devices = self.devices_of(request);
            let job = self.history.jobs.get(row.job as usize);
            let of = job.and_then(|job| uses.get(job.workload as usize)).copied().filter(|_| devices.is_some());
            let next = u32::try_from(report.shapes.len()).unwrap_or(u32::MAX);
            let shape = *known.entry((row.shape, of)).or_insert(next);
            of_pods.push(shape);
            if shape == next {
                let given = devices.and_then(|(devices, memory_given)| {
                    memory_given.or_else(|| memory.map(|memory| devices.saturating_mul(memory) / 1000))
                });
                report.shapes.push(Shape {
                    request: self.amounts(request),
                    device_memory: given,
                    duty_permille: of.map(|of| of.duty_permille),
                    device_memory_used: given.zip(of).map(|(given, of)| of.memory.unwrap_or(given).min(given)),
                });
            }
        }
        of_pods
    }

    /// The use that a workload declares, and the time that it waited for input.
    fn use_of(&self, workload: &Workload) -> Use {
        let row = self.result.workloads.iter().find(|row| row.name == workload.name);
        let busy = row.and_then(|row| row.input).filter(|input| input.took_ms > 0).map_or(1_000, |input| {
            u64::try_from(u128::from(input.took_ms.saturating_sub(input.wait_ms)) * 1_000 / u128::from(input.took_ms))
                .unwrap_or(1_000)
        });
        let duty = u64::from(workload.device_use.duty_permille.unwrap_or(1_000)) * busy / 1_000;
        Use { duty_permille: u32::try_from(duty).unwrap_or(1_000), memory: workload.device_use.memory_bytes }
    }

    /// Thousandths of devices that a pod requests, and the memory, if the pod requests memory; nothing if it requests
    /// no device.
    fn devices_of(&self, request: &[(u32, i64)]) -> Option<(i64, Option<i64>)> {
        let find = |is: &dyn Fn(&str) -> bool| {
            let named = request.iter().find(|(number, _)| is(super::name_of(self.history, *number)));
            named.map(|(_, amount)| *amount).filter(|amount| *amount > 0)
        };
        let gib = |amount: i64| i64::try_from((i128::from(amount) << 30) / 1000).unwrap_or(i64::MAX);
        match (find(&|name| name.ends_with("/gpu")), find(&|name| name == MEMORY)) {
            (Some(devices), memory) => Some((devices, memory.map(gib))),
            (None, Some(memory)) => Some((0, Some(gib(memory)))),
            (None, None) => None,
        }
    }

    /// The share of each placement.
    fn parts(&self, report: &Report) -> Vec<Part> {
        let part = |placement: &quotree_page::model::Placement| {
            let node = report.nodes.get(placement.node as usize)?;
            let pod = self.history.pods.get(placement.pod as usize)?;
            let (mut devices, memory) = self.devices_of(self.history.shapes.get(pod.shape as usize)?)?;
            let shape = report.shapes.get(report.pods.get(placement.pod as usize)?.shape as usize)?;
            let each = node.device_memory.unwrap_or(0);
            if let Some(memory) = memory.filter(|_| devices == 0 && each > 0) {
                devices = i64::try_from(i128::from(memory) * 1000 / i128::from(each)).unwrap_or(0);
            }
            let given = memory.unwrap_or_else(|| devices.saturating_mul(each) / 1000);
            let said = self
                .history
                .jobs
                .get(pod.job as usize)
                .and_then(|job| self.scenario.workloads.get(job.workload as usize)?.device_use.memory_bytes);
            let duty_permille = i64::from(shape.duty_permille.unwrap_or(0));
            Some(Part { devices, memory: given, used: said.unwrap_or(given).min(given), duty_permille })
        };
        report.placements.iter().map(|placement| part(placement).unwrap_or_default()).collect()
    }

    /// Fills in the series of devices: those of the cluster, and those of each device.
    pub(super) fn device_use(&self, report: &mut Report) {
        if report.nodes.iter().all(|node| node.devices == 0) {
            return;
        }
        let end = self.history.end_ms;
        let parts = self.parts(report);
        let (mut given, mut used, mut busy): (Changes, Changes, Changes) = Default::default();
        let mut loads: BTreeMap<(u32, u32), (Changes, Changes)> = BTreeMap::new();
        for (placement, part) in report.placements.iter().zip(&parts).filter(|(_, part)| part.devices > 0) {
            let span = |from: u64, amount: i64| {
                std::iter::once((from, amount)).chain(placement.gone_ms.map(|gone| (gone, -amount)))
            };
            given.extend(span(placement.bound_ms, part.memory));
            let Some(runs) = placement.running_ms else { continue };
            used.extend(span(runs, part.used));
            busy.extend(span(runs, part.devices * part.duty_permille / 1000));
            let many = i64::try_from(placement.devices.len()).unwrap_or(i64::MAX);
            for device in &placement.devices {
                let (duty, memory) = loads.entry((placement.node, *device)).or_default();
                duty.extend(span(runs, part.devices * part.duty_permille / 1000 / many));
                memory.extend(span(runs, part.used / many));
            }
        }
        let (devices, memory) = up(report, end);
        report.cluster.device_memory_total = counted(memory, end);
        report.cluster.device_memory_allocated = counted(given, end);
        report.cluster.device_memory_used = counted(used, end);
        report.cluster.duty_permille = ratio(busy, devices, end);
        let all = loads.len();
        let row = |((node, device), (duty, memory)): ((u32, u32), (Changes, Changes))| DeviceLoad {
            node,
            device,
            duty_permille: counted(duty, end),
            memory_used: counted(memory, end),
        };
        report.loads = loads.into_iter().take(MOST_LOADS).map(row).collect();
        if all > MOST_LOADS {
            report.left_out.push(LeftOut {
                what: "The load over time is shown for the first devices that were used".to_owned(),
                kept: MOST_LOADS as u64,
                of: all as u64,
            });
        }
    }
}

/// The memory of a device, if all devices have the same amount.
fn same_memory(report: &Report) -> Option<i64> {
    let mut all = report.nodes.iter().filter(|node| node.devices > 0).map(|node| node.device_memory);
    let first = all.next()??;
    all.all(|other| other == Some(first)).then_some(first)
}

/// Two series of changes: thousandths of healthy devices on nodes that are up, and the memory of all devices there.
fn up(report: &Report, end: u64) -> (Changes, Changes) {
    let (mut devices, mut memory) = (Changes::new(), Changes::new());
    // What lasts to the end of the run has no end in it.
    let add = |changes: &mut Changes, (from, to): (u64, u64), amount: i64| {
        changes.push((from, amount));
        changes.extend((to < end).then_some((to, -amount)));
    };
    for node in report.nodes.iter().filter(|node| node.devices > 0) {
        let count = i64::from(node.devices);
        for span in node.spans.iter().filter(|span| !matches!(span.state, NodeState::Down | NodeState::Absent)) {
            let all = count.saturating_mul(node.device_memory.unwrap_or(0));
            add(&mut devices, (span.from_ms, span.to_ms), count * 1000);
            add(&mut memory, (span.from_ms, span.to_ms), all);
            for ill in &node.ill {
                let (from, to) = (ill.from_ms.max(span.from_ms), ill.to_ms.min(span.to_ms));
                if from < to {
                    add(&mut devices, (from, to), -1000);
                }
            }
        }
    }
    (devices, memory)
}

/// A part in thousandths of a whole, both given as changes; 0 where the whole is 0.
fn ratio(part: Changes, whole: Changes, end: u64) -> Series {
    let mut steps: Vec<(u64, i64, i64)> = part.into_iter().map(|(at, by)| (at, by, 0)).collect();
    steps.extend(whole.into_iter().map(|(at, by)| (at, 0, by)));
    steps.sort_unstable();
    let (mut line, mut part, mut whole) = (Line::default(), 0i64, 0i64);
    line.set(0, 0);
    for moment in steps.chunk_by(|a, b| a.0 == b.0) {
        part += moment.iter().map(|(_, part, _)| part).sum::<i64>();
        whole += moment.iter().map(|(.., whole)| whole).sum::<i64>();
        if let Some((at, ..)) = moment.first() {
            let permille = i128::from(part) * 1000 / i128::from(whole.max(1));
            line.set(*at, if whole > 0 { i64::try_from(permille.clamp(0, 1000)).unwrap_or(0) } else { 0 });
        }
    }
    series(&line, end)
}
