//! Notations of Slurm that its job logs and its accounts share.

use quotree_core::{Amounts, Name, Unit, parse_quantity};

/// Resources of Slurm (`cpu=8,mem=32G,gres/gpu=1,node=1`): those that become amounts, those that are read elsewhere,
/// and those that have no place in the model.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Tres<'t> {
    /// CPU, memory and GPUs.
    pub(crate) amounts: Amounts,
    /// The number of nodes.
    pub(crate) nodes: Option<i64>,
    /// Whether it requests GPUs of a certain model.
    pub(crate) typed: bool,
    /// Other resources, such as licences.
    pub(crate) others: Vec<&'t str>,
}

/// Reads a list of resources. GPUs become `gpu`.
///
/// # Errors
/// A clause about the first invalid resource.
pub(crate) fn tres<'t>(text: &'t str, gpu: &Name) -> Result<Tres<'t>, String> {
    let mut read = Tres::default();
    // A list that names GPUs by model may have their sum, too.
    let (mut sum, mut by_model) = (None, 0_i64);
    for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let (name, value) = part.split_once('=').ok_or_else(|| format!("`{part}` is not of the form `cpu=8`"))?;
        match name {
            "cpu" => read.amounts.set("cpu", count(value, name)?),
            "mem" => read.amounts.set("memory", memory(value)?),
            "node" => read.nodes = Some(count(value, name)? / 1000),
            "gres/gpu" => sum = Some(count(value, name)?),
            _ if name.starts_with("gres/gpu:") => {
                read.typed = true;
                by_model = by_model.saturating_add(count(value, name)?);
            }
            // What is measured or charged is no request.
            "billing" | "energy" | "vmem" | "pages" => {}
            _ if name.starts_with("fs/") || name.starts_with("gres/gpumem") || name.starts_with("gres/gpuutil") => {}
            _ => read.others.push(name),
        }
    }
    let gpus = sum.unwrap_or(by_model);
    if gpus > 0 {
        read.amounts.set(gpu.clone(), gpus);
    }
    Ok(read)
}

fn count(text: &str, name: &str) -> Result<i64, String> {
    let amount = parse_quantity(text, Unit::Milli).ok().filter(|amount| *amount >= 0);
    amount.ok_or_else(|| format!("`{text}` is not a number of {name}"))
}

/// An amount of memory: a number with `K`, `M`, `G`, `T` or `P` in powers of 1024; without a letter, `M`.
pub(crate) fn memory(text: &str) -> Result<i64, String> {
    let wrong = || format!("`{text}` is not an amount of memory such as `32G`");
    let number = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let suffix = match text.get(number.len()..).unwrap_or_default() {
        "" | "M" | "MB" => "Mi",
        "K" | "KB" => "Ki",
        "G" | "GB" => "Gi",
        "T" | "TB" => "Ti",
        "P" | "PB" => "Pi",
        _ => return Err(wrong()),
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() || !whole.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit()) {
        return Err(wrong());
    }
    // Slurm prints two decimal places, which need not make whole bytes.
    let one = parse_quantity(&format!("1{suffix}"), Unit::Bytes).map_err(|_| wrong())?;
    let digits: i128 = format!("{whole}{fraction}").parse().map_err(|_| wrong())?;
    let scale = u32::try_from(fraction.len()).ok().and_then(|n| 10_i128.checked_pow(n)).ok_or_else(wrong)?;
    let bytes = digits.checked_mul(i128::from(one)).ok_or_else(wrong)? / scale;
    i64::try_from(bytes).map_err(|_| wrong())
}

/// How many jobs an id stands for: the tasks of an array that wait are one row, such as `1002_[3,5-10:2%4]`.
pub(crate) fn tasks(id: &str) -> u64 {
    let listed = id.split_once("_[").and_then(|(_, rest)| rest.strip_suffix(']'));
    let Some(listed) = listed else { return 1 };
    // What stands after `%` is how many may run at once.
    let listed = listed.split('%').next().unwrap_or_default();
    let count = |part: &str| -> Option<u64> {
        let (range, step) = part.split_once(':').unwrap_or((part, "1"));
        let (from, to) = range.split_once('-').unwrap_or((range, range));
        let (from, to, step): (u64, u64, u64) = (from.parse().ok()?, to.parse().ok()?, step.parse().ok()?);
        to.checked_sub(from)?.checked_div(step)?.checked_add(1)
    };
    // Slurm shortens a long list by `...`, which counts as one.
    listed.split(',').map(|part| count(part).unwrap_or(1)).fold(0, u64::saturating_add)
}

/// A time such as `1-02:03:04`, `02:03:04`, `03:04` or `03:04.5`, as milliseconds.
pub(crate) fn elapsed(text: &str) -> Option<u64> {
    let (days, clock) =
        text.split_once('-').map_or((0, text), |(days, clock)| (days.parse().unwrap_or(u64::MAX), clock));
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, ""));
    let mut seconds: u64 = 0;
    let parts = clock.split(':').count();
    if !(2..=3).contains(&parts) || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    for part in clock.split(':') {
        let number: u64 = part.parse().ok().filter(|_| part.bytes().all(|b| b.is_ascii_digit()))?;
        seconds = seconds.checked_mul(60)?.checked_add(number)?;
    }
    seconds.checked_add(days.checked_mul(86_400)?)?.checked_mul(1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resources_are_read_and_gpus_counted_once() {
        let gpu = Name::from("gpu");
        let read = tres("billing=8,cpu=8,gres/gpu:a100=2,gres/gpu=2,mem=32G,node=1,license/x=1", &gpu).unwrap();
        assert_eq!(read.amounts.to_string(), "8 cpu, 2 gpu, 32Gi memory");
        assert_eq!((read.nodes, read.typed, read.others), (Some(1), true, vec!["license/x"]));
        let models = tres("gres/gpu:a100=2,gres/gpu:h100=1", &gpu).unwrap();
        assert_eq!(models.amounts.to_string(), "3 gpu");
        assert!(tres("cpu", &gpu).is_err() && tres("cpu=-1", &gpu).is_err() && tres("mem=x", &gpu).is_err());
    }

    #[test]
    fn an_array_that_waits_is_as_many_jobs_as_it_has_tasks() {
        for (id, jobs) in [
            ("7", 1),
            ("7_3", 1),
            ("7_[3]", 1),
            ("7_[3-10%2]", 8),
            ("7_[1,3,5-9:2%4]", 5),
            ("7_[1,...]", 2),
            ("7_[9-1]", 1),
        ] {
            assert_eq!(tasks(id), jobs, "{id}");
        }
    }

    #[test]
    fn memory_and_times_are_as_slurm_prints_them() {
        for (text, wanted) in [
            ("4000", Some(4000 << 20)),
            ("1.50T", Some(3 << 39)),
            ("7K", Some(7 << 10)),
            ("G", None),
            ("1Q", None),
            ("-1G", None),
            ("99999999P", None),
        ] {
            assert_eq!(memory(text).ok(), wanted, "{text}");
        }
        for (text, wanted) in [
            ("1-02:03:04", Some(93_784_000)),
            ("00:10:00", Some(600_000)),
            ("03:04.250", Some(184_000)),
            ("5", None),
            ("a:b", None),
            ("1:2:3:4", None),
            ("9999999999999999-00:00:00", None),
            ("x-00:00:01", None),
        ] {
            assert_eq!(elapsed(text), wanted, "{text}");
        }
    }
}
