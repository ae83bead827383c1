//! The GPUs of a random scenario: the mode in which nodes assign them, the GPU requests of pods, devices that are
//! unhealthy for a while, and nodes that change their mode. Without a mode, GPUs are plain devices of four quarters.
//! All of this is drawn from its own random stream.

use crate::{
    draw::Draw,
    features::{Feature, Features},
    units::{CLOSE, CORES, Counted, GPU, GPU_MEMORY, Per, RESOURCES, WHOLE_GPU, quantity},
    world::{Pool, WorldBuilder},
};
use quotree_sim::scenario::Value;

type Fields = Vec<(&'static str, Value)>;

/// How a node assigns its GPUs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Fraction,
    Exclusive,
    Share,
    CoreMem,
    Topology,
}

impl Mode {
    const ALL: [Self; 5] = [Self::Fraction, Self::Exclusive, Self::Share, Self::CoreMem, Self::Topology];

    const fn word(self) -> &'static str {
        match self {
            Self::Fraction => "Fraction",
            Self::Exclusive => "Exclusive",
            Self::Share => "Share",
            Self::CoreMem => "CoreMem",
            Self::Topology => "Topology",
        }
    }
}

/// The GPUs of all node pools, in a scenario in which pools have a mode.
#[derive(Debug)]
pub(crate) struct Gpus {
    /// The mode of each pool.
    first: Vec<Mode>,
    /// The modes that nodes change to.
    later: Vec<Mode>,
    /// GiB of memory in a quarter of a GPU.
    quarter: u64,
    islands: bool,
    spread: bool,
    /// Whether quotas govern GPU cores.
    governs_cores: bool,
}

impl Gpus {
    /// Draws the modes of `pools` pools; `None` in a scenario without modes.
    pub(crate) fn draw(draw: &mut Draw, features: &Features, pools: usize) -> Option<Self> {
        let has_modes = features.has(Feature::GpuModes) || features.has(Feature::Relabels);
        if !has_modes || !features.has(Feature::Nodes) || !features.has(Feature::Gpus) {
            return None;
        }
        let mode = |draw: &mut Draw| draw.one_of(&Mode::ALL).unwrap_or(Mode::Fraction);
        let most = if features.has(Feature::GpuModes) { mode(draw) } else { Mode::Fraction };
        // With one mode everywhere, quotas are as scarce as devices.
        let mixed = features.has(Feature::GpuModes) && draw.chance(40);
        let first = (0..pools).map(|_| if mixed { mode(draw) } else { most }).collect();
        let later = if features.has(Feature::Relabels) { (0..2).map(|_| mode(draw)).collect() } else { Vec::new() };
        Some(Self {
            first,
            later,
            quarter: draw.one_of(&[2, 4, 6]).unwrap_or(4),
            islands: draw.chance(70),
            spread: draw.chance(30),
            governs_cores: draw.chance(70),
        })
    }

    fn modes(&self) -> Vec<Mode> {
        Mode::ALL.into_iter().filter(|mode| self.first.contains(mode) || self.later.contains(mode)).collect()
    }

    /// The resources that quotas govern in these modes.
    pub(crate) fn counted(&self) -> Vec<Counted> {
        let modes = self.modes();
        let any = |of: &[Mode]| modes.iter().any(|mode| of.contains(mode));
        let mut all = Vec::new();
        if any(&[Mode::Fraction, Mode::Exclusive]) {
            all.push(Counted::GPUS);
        }
        if any(&[Mode::Topology]) {
            all.push(Counted { name: CLOSE, per: Per::Whole });
        }
        if any(&[Mode::Share, Mode::CoreMem]) {
            all.push(Counted { name: GPU_MEMORY, per: Per::Times(self.quarter) });
        }
        if any(&[Mode::CoreMem]) && self.governs_cores {
            all.push(Counted { name: CORES, per: Per::Times(25) });
        }
        all
    }

    /// The field `gpus: Gpus(..)` of a pool, by its index.
    pub(crate) fn value(&self, pool: usize, count: u64) -> Value {
        let mode = self.first.get(pool).copied().unwrap_or(Mode::Fraction);
        let mut fields: Fields = vec![
            ("count", Value::number(count)),
            ("mode", Value::word(mode.word())),
            ("memory", Value::number(self.quarter * WHOLE_GPU)),
        ];
        if self.islands {
            fields.push(("islands", Value::List(vec![Value::number(2), Value::number(4)])));
        }
        if self.spread {
            fields.push(("choice", Value::word("Spread")));
        }
        Value::fields("Gpus", fields)
    }
}

/// The GPU request of a pod: `each` quarters on each of `count` GPUs of one node.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Part {
    pub(crate) count: u64,
    pub(crate) each: u64,
}

/// The GPU request of a pod: amounts by resource, and the fields that divide them among devices.
pub(crate) fn ask(builder: &mut WorldBuilder<'_>, part: Part) -> (Vec<(&'static str, String)>, Fields) {
    let gpu = RESOURCES.get(GPU).copied().unwrap_or_default();
    let modes = builder.gpus.as_ref().map_or_else(|| vec![Mode::Fraction], Gpus::modes);
    let quarters = builder.gpus.as_ref().map(|gpus| gpus.quarter);
    let mode = if quarters.is_some() { builder.gpu_draw.one_of(&modes) } else { None };
    let Part { count, each } = part;
    let quarter = quarters.unwrap_or(1);
    let several = each < WHOLE_GPU && count > 1;
    match mode.unwrap_or(Mode::Fraction) {
        Mode::Fraction if several && builder.features.has(Feature::Nodes) => {
            let fields = vec![
                ("resource", Value::text(gpu)),
                ("count", Value::number(count)),
                ("each", WorldBuilder::gpu_quantity(each)),
            ];
            (Vec::new(), vec![("devices", Value::fields("Devices", fields))])
        }
        // A pool without nodes has no devices to spread over.
        Mode::Fraction if several => (vec![(gpu, quantity(GPU, each))], Vec::new()),
        Mode::Fraction => (vec![(gpu, quantity(GPU, count * each))], Vec::new()),
        Mode::Exclusive => (vec![(gpu, count.to_string())], Vec::new()),
        Mode::Topology => (vec![(CLOSE, count.to_string())], Vec::new()),
        shared => {
            let mut amounts = vec![(GPU_MEMORY, (count * each * quarter).to_string())];
            if shared == Mode::CoreMem {
                let cores = if builder.gpu_draw.chance(50) { each } else { builder.gpu_draw.between(1, WHOLE_GPU) };
                amounts.push((CORES, (count * cores * 25).to_string()));
            }
            // A pod that requests more than one GPU has, without a count of GPUs, fits on no node.
            let states_count = count > 1 && builder.gpu_draw.chance(90);
            (amounts, if states_count { vec![("gpu_count", Value::number(count))] } else { Vec::new() })
        }
    }
}

impl WorldBuilder<'_> {
    /// Draws a node with GPUs, and gives their number.
    fn node_with_gpus(&mut self) -> Option<(String, u64)> {
        let pools: Vec<&Pool> = self.pools.iter().filter(|pool| pool.each[GPU] > 0).collect();
        let numbers: Vec<usize> = (0..pools.len()).collect();
        let pool = self.gpu_draw.one_of(&numbers).and_then(|i| pools.get(i).copied())?;
        Some((format!("{}-{}", pool.name, self.gpu_draw.between(0, pool.count - 1)), pool.each[GPU] / WHOLE_GPU))
    }

    /// Draws devices that become unhealthy, most of which recover, and nodes that change their mode.
    pub(crate) fn device_events(&mut self) {
        if !self.features.has(Feature::Nodes) || !self.features.has(Feature::Gpus) {
            return;
        }
        let unhealthy = if self.features.has(Feature::IllDevices) { self.gpu_draw.between(1, 4) } else { 0 };
        for _ in 0..unhealthy {
            let Some((node, count)) = self.node_with_gpus() else { return };
            let (one, other) = (self.gpu_draw.between(0, self.safety), self.gpu_draw.between(0, self.safety));
            let device = Value::number(self.gpu_draw.between(0, count - 1));
            let fields = || vec![("node", Value::text(node.clone())), ("device", device.clone())];
            let mut unhealthy_fields = fields();
            if self.gpu_draw.chance(50) {
                unhealthy_fields.push(("pods", Value::word("Lost")));
            }
            self.events.push((one.min(other), Value::fields("DeviceUnhealthy", unhealthy_fields)));
            if self.gpu_draw.chance(80) {
                self.events.push((one.max(other), Value::fields("DeviceHealthy", fields())));
            }
        }
        let later = self.gpus.as_ref().map_or_else(Vec::new, |gpus| gpus.later.clone());
        let relabels = if later.is_empty() { 0 } else { self.gpu_draw.between(1, 4) };
        for _ in 0..relabels {
            let (Some((node, _)), Some(mode)) = (self.node_with_gpus(), self.gpu_draw.one_of(&later)) else { return };
            // At the start fewer pods use the devices, and a node with used devices keeps its mode.
            let at = if self.gpu_draw.chance(40) { 0 } else { self.gpu_draw.between(0, self.safety) };
            let mut fields = vec![("node", Value::text(node)), ("mode", Value::word(mode.word()))];
            if self.gpu_draw.chance(30) {
                fields.push(("labels", Value::Map(vec![(Value::text("team"), Value::text("t"))])));
            }
            self.events.push((at, Value::fields("Relabel", fields)));
        }
    }
}
