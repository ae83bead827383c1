//! Fragmentation gradient descent, placement `Fgd` (P2): how much of a node's free devices the typical pods could use,
//! and how much of that would be lost by placing a pod there.
//!
//! A free device is a fragment for a shape of pod when the node has no room for the shape, or when too little of the
//! device is free. What is free and not a fragment is *usable*; it is summed over shapes by weight. All sums are exact;
//! the table below turns a loss into points without floating point.

use crate::{
    api::{DeviceSet, PodTemplate, TypicalPod},
    scheduler::{
        nodes::{
            devices::{DeviceGranularity, NodeDevices},
            node::Node,
        },
        state::{DeviceRequest, Interner, ResourceId, Template, narrow},
    },
};
use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;
use smallvec::SmallVec;

/// `10^9 ln(k / (100 - k))` for k from 51 to 99, rounded: the smallest change of fragmentation, in devices, that gives
/// k points of 100. The value for 50 is 0; for k below 50 it is the negative of the value for 100 - k.
const STEPS: [i128; 49] = [
    40_005_335,
    80_042_708,
    120_144_312,
    160_342_650,
    200_670_695,
    241_162_057,
    281_851_152,
    322_773_392,
    363_965_377,
    405_465_108,
    447_312_218,
    489_548_225,
    532_216_814,
    575_364_145,
    619_039_208,
    663_294_217,
    708_185_058,
    753_771_802,
    800_119_300,
    847_297_860,
    895_384_047,
    944_461_609,
    994_622_575,
    1_045_968_555,
    1_098_612_289,
    1_152_679_510,
    1_208_311_206,
    1_265_666_373,
    1_324_925_415,
    1_386_294_361,
    1_450_010_176,
    1_516_347_489,
    1_585_627_264,
    1_658_228_077,
    1_734_601_055,
    1_815_289_967,
    1_900_958_761,
    1_992_430_165,
    2_090_741_097,
    2_197_224_577,
    2_313_634_929,
    2_442_347_035,
    2_586_689_344,
    2_751_535_313,
    2_944_438_979,
    3_178_053_830,
    3_476_098_690,
    3_891_820_298,
    4_595_119_850,
];
const ONE: i128 = 1_000_000_000;
/// The points for a change of 0.
pub(crate) const EVEN: u32 = 50;

type Kinds = IndexMap<(u32, ResourceId, i64, DeviceGranularity), Kind, FxBuildHasher>;

/// The typical pods, counted for every kind of node.
#[derive(Debug, Clone, Default)]
pub(crate) struct Fragmentation {
    typical: Vec<TypicalPod>,
    total: i128,
    /// The number of the resource `cpu`, once some node or pod has named it.
    cpu: Option<ResourceId>,
    /// The counts by class of labels and taints, and by devices.
    kinds: Kinds,
}

/// The typical pods that may be placed on nodes of one class with devices of one size.
#[derive(Debug, Clone)]
struct Kind {
    /// The different requests of cpu, and of one device; ascending.
    cpus: Vec<i64>,
    amounts: Vec<i64>,
    /// `single[row][column]`: the weight of the pods that request one device, with at most so much cpu (row) and so
    /// much of the device (column).
    single: Vec<Vec<i64>>,
    several: Vec<Several>,
    /// The smallest change that gives one more point.
    steps: Vec<i128>,
}

/// The shapes that request the same amount on each of several devices.
#[derive(Debug, Clone)]
struct Several {
    count: u32,
    each: i64,
    /// Their weight by available cpu, as in [`Kind::single`].
    weights: Vec<i64>,
}

/// How the request of a shape is divided over these devices. `Some(None)`: it needs none. `None`: it is not allowed
/// here.
fn ask_of(template: &PodTemplate, name: &str, held: &NodeDevices) -> Option<Option<DeviceRequest>> {
    let (resource, each) = (held.resource, held.each);
    if let Some(ask) = template.devices.as_ref().filter(|ask| ask.resource == name) {
        let ask = DeviceRequest { resource, count: ask.count, each: ask.each };
        return held.granularity.allows(&ask, each).then_some(Some(ask));
    }
    match template.request.get(name).filter(|amount| *amount > 0) {
        None => Some(None),
        Some(amount) => held.granularity.split(resource, amount, each).map(Some),
    }
}

fn cpu_of(template: &PodTemplate) -> i64 {
    template.request.get("cpu").unwrap_or(0)
}

fn sorted(mut values: Vec<i64>) -> Vec<i64> {
    values.sort_unstable();
    values.dedup();
    values
}

impl Kind {
    fn new(shapes: &[(&TypicalPod, DeviceRequest)], total: i128, each: i64) -> Self {
        let cpus = sorted(shapes.iter().map(|(pod, _)| cpu_of(&pod.template)).collect());
        let singles = || shapes.iter().filter(|(_, ask)| ask.count == 1);
        let amounts = sorted(singles().map(|(_, ask)| ask.each).collect());
        let weight = |cpu: Option<&i64>, of: &dyn Fn(&DeviceRequest) -> bool| {
            let within = |pod: &TypicalPod| cpu.is_some_and(|most| cpu_of(&pod.template) <= *most);
            let counted = shapes.iter().filter(|(pod, ask)| within(pod) && of(ask));
            counted.map(|(pod, _)| i64::from(pod.weight)).sum::<i64>()
        };
        let rows = || std::iter::once(None).chain(cpus.iter().map(Some));
        let columns = || std::iter::once(0).chain(amounts.iter().copied());
        let row = |cpu| columns().map(|most| weight(cpu, &|ask| ask.count == 1 && ask.each <= most)).collect();
        let single = rows().map(row).collect();
        let mut kinds: Vec<(u32, i64)> =
            shapes.iter().filter(|(_, ask)| ask.count > 1).map(|(_, ask)| (ask.count, ask.each)).collect();
        kinds.sort_unstable();
        kinds.dedup();
        let several = kinds.into_iter().map(|(count, each)| {
            let weights = rows().map(|cpu| weight(cpu, &|ask| (ask.count, ask.each) == (count, each))).collect();
            Several { count, each, weights }
        });
        let unit = total.saturating_mul(i128::from(each));
        let below = STEPS.iter().rev().map(|step| -step);
        let steps = below.chain([0]).chain(STEPS).map(|step| ceil(step.saturating_mul(unit), ONE)).collect();
        Self { several: several.collect(), cpus, amounts, single, steps }
    }

    /// The sum, over the typical pods, of weight times the free device amount that the pod could use.
    fn usable(&self, cpu: i64, devices: impl Iterator<Item = i64> + Clone) -> i128 {
        let reached = self.cpus.partition_point(|least| *least <= cpu);
        let Some(single) = self.single.get(reached) else { return 0 };
        let mut sum = 0i128;
        for free in devices.clone().filter(|free| *free > 0) {
            let column = self.amounts.partition_point(|least| *least <= free);
            sum += i128::from(single.get(column).copied().unwrap_or_default()) * i128::from(free);
        }
        for shape in &self.several {
            let weight = shape.weights.get(reached).copied().unwrap_or_default();
            if weight == 0 {
                continue;
            }
            let (count, free) = devices
                .clone()
                .filter(|free| *free >= shape.each)
                .fold((0u32, 0i128), |(count, sum), free| (count + 1, sum + i128::from(free)));
            if count >= shape.count {
                sum += i128::from(weight) * free;
            }
        }
        sum
    }

    /// The points for a change of fragmentation (before less after), in base units of devices times weight.
    fn points(&self, change: i128) -> u32 {
        narrow(self.steps.partition_point(|least| *least <= change))
    }
}

fn ceil(number: i128, by: i128) -> i128 {
    -(-number).div_euclid(by)
}

impl Fragmentation {
    pub(crate) fn new(typical: &[TypicalPod]) -> Self {
        let total = typical.iter().map(|pod| i128::from(pod.weight)).sum();
        Self { typical: typical.to_vec(), total, ..Self::default() }
    }

    /// Counts the typical pods for the kind of a node. `is_open_to` returns whether the node is suitable for a typical
    /// pod.
    pub(crate) fn learn(&mut self, node: &Node, interner: &Interner, is_open_to: impl Fn(&PodTemplate) -> bool) {
        self.cpu = interner.resource_index("cpu").and_then(|at| u16::try_from(at).ok());
        let Some(held) = node.devices.first() else { return };
        let key = (node.class, held.resource, held.each, held.granularity);
        if self.kinds.contains_key(&key) {
            return;
        }
        let name = interner.resource_name(held.resource);
        let asks = |pod: &TypicalPod| ask_of(&pod.template, name.as_str(), held).flatten();
        let suitable = self.typical.iter().filter(|pod| is_open_to(&pod.template));
        let found: Vec<_> = suitable.filter_map(|pod| Some((pod, asks(pod)?))).collect();
        let kind = Kind::new(&found, self.total, held.each);
        self.kinds.insert(key, kind);
    }

    /// Renumbers classes, and drops those that are gone.
    pub(in super::super) fn renumber(&mut self, numbers: &[Option<u32>]) {
        let number = |class: u32| numbers.get(class as usize).copied().flatten();
        let kinds = std::mem::take(&mut self.kinds).into_iter();
        let kept = kinds
            .filter_map(|((class, resource, each, parts), kind)| Some(((number(class)?, resource, each, parts), kind)));
        self.kinds = kept.collect();
    }

    fn kind(&self, node: &Node) -> Option<&Kind> {
        let held = node.devices.first()?;
        self.kinds.get(&(node.class, held.resource, held.each, held.granularity))
    }

    fn cpu(&self, node: &Node) -> i64 {
        self.cpu.map_or(0, |cpu| node.available(cpu))
    }

    /// What the typical pods could use of this node now.
    pub(crate) fn usable(&self, node: &Node) -> i128 {
        self.kind(node).map_or(0, |kind| kind.usable(self.cpu(node), node.devices_available()))
    }

    /// The points, of 100, for placing a pod here, and the devices for it; nothing if it does not fit. A fraction of
    /// one device goes to the device that gives most points, the lowest index among equals.
    pub(crate) fn points(&self, node: &Node, template: &Template, usable: i128) -> Option<(u32, DeviceSet)> {
        let fullest = node.fit(template)?;
        let Some(kind) = self.kind(node) else { return Some((EVEN, fullest)) };
        let asked =
            template.request.iter().find(|(resource, _)| Some(*resource) == self.cpu).map_or(0, |(_, cpu)| *cpu);
        let cpu = self.cpu(node) - asked;
        let whole = node.devices.first().map_or(0, |held| held.each);
        let points = |devices: DeviceSet, ask: DeviceRequest| {
            let takes = |index: u32| if devices.0 >> index & 1 == 1 { ask.each } else { 0 };
            let after: SmallVec<[i64; 8]> =
                (0u32..).zip(node.devices_available()).map(|(i, free)| free - takes(i)).collect();
            let taken = i128::from(ask.each) * i128::from(ask.count);
            let change = taken * self.total - (usable - kind.usable(cpu, after.iter().copied()));
            kind.points(change)
        };
        let ask = node.device_ask(template)?;
        let Some(ask) = ask.filter(|ask| ask.count == 1 && ask.each < whole) else {
            let none = DeviceRequest { resource: 0, count: 0, each: 0 };
            return Some((points(fullest, ask.unwrap_or(none)), fullest));
        };
        let mut best: Option<(u32, DeviceSet)> = None;
        let mut tried: SmallVec<[i64; 8]> = SmallVec::new();
        // Devices that are equal in the first resource may differ in the second: the lowest that fits is tried.
        for (free, index) in node.fitting(template, ask)? {
            if tried.contains(&free) {
                continue;
            }
            tried.push(free);
            let devices = DeviceSet(1 << index);
            let points = points(devices, ask);
            if best.is_none_or(|(most, _)| points > most) {
                best = Some((points, devices));
            }
        }
        best
    }
}
