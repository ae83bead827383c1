//! Amounts and times, in the units of random scenarios and as scenario text.

use quotree_sim::scenario::Value;

/// The resources of random scenarios. Their units are half a core, 1 Gi of memory, and a quarter of a GPU.
pub(crate) const RESOURCES: [&str; 3] = ["cpu", "memory", "nvidia.com/gpu"];
pub(crate) const CPU: usize = 0;
pub(crate) const MEMORY: usize = 1;
pub(crate) const GPU: usize = 2;
/// How many quarters a whole GPU has.
pub(crate) const WHOLE_GPU: u64 = 4;

/// Amounts of [`RESOURCES`], in their units.
pub(crate) type Units = [u64; 3];

/// An amount as a quantity.
pub(crate) fn quantity(resource: usize, units: u64) -> String {
    let milli = match resource {
        CPU => units * 500,
        GPU => units * 250,
        _ => return format!("{units}Gi"),
    };
    if milli.is_multiple_of(1000) { (milli / 1000).to_string() } else { format!("{milli}m") }
}

/// Another resource for GPUs.
pub(crate) const CLOSE: &str = "aliyun.com/gpu";
pub(crate) const GPU_MEMORY: &str = "aliyun.com/gpu-mem";
pub(crate) const CORES: &str = "aliyun.com/gpu-core.percentage";

/// A resource for GPUs, and its unit.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Counted {
    pub(crate) name: &'static str,
    pub(crate) per: Per,
}

/// The amount of the resource for a quarter of a GPU.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Per {
    /// One quarter of a GPU.
    Quarter,
    /// Whole GPUs, rounded down, so that rounded parts never exceed the rounded sum.
    Whole,
    /// This many units for each quarter.
    Times(u64),
}

impl Counted {
    /// Quarters of `nvidia.com/gpu`.
    pub(crate) const GPUS: Self = Self { name: RESOURCES[GPU], per: Per::Quarter };

    fn quantity(self, quarters: u64) -> String {
        match self.per {
            Per::Quarter => quantity(GPU, quarters),
            Per::Whole => (quarters / WHOLE_GPU).to_string(),
            Per::Times(times) => (quarters * times).to_string(),
        }
    }
}

/// As [`amounts`], with the GPUs expressed in each of these resources.
pub(crate) fn amounts_counted([cpu, memory, gpu]: [Option<u64>; 3], gpus: &[Counted]) -> Value {
    let mut value = amounts([cpu, memory, None]);
    if let (Value::Map(entries), Some(quarters)) = (&mut value, gpu) {
        entries.extend(gpus.iter().map(|as_| (Value::text(as_.name), Value::text(as_.quantity(quarters)))));
    }
    value
}

/// A map such as `{ "cpu": "5" }`, with the amounts that are present.
pub(crate) fn amounts(units: impl IntoIterator<Item = Option<u64>>) -> Value {
    let named = RESOURCES.iter().zip(0..).zip(units);
    let entry = |((name, resource), units): ((&&str, usize), Option<u64>)| {
        Some((Value::text(*name), Value::text(quantity(resource, units?))))
    };
    Value::Map(named.filter_map(entry).collect())
}

/// Seconds as a duration.
pub(crate) fn time(seconds: u64) -> Value {
    let parts = [(seconds / 3600, "h"), (seconds / 60 % 60, "m"), (seconds % 60, "s")];
    let text: String = parts.iter().filter(|(n, _)| *n > 0).map(|(n, unit)| format!("{n}{unit}")).collect();
    Value::text(if text.is_empty() { "0s".to_owned() } else { text })
}
