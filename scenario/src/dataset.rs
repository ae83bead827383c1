//! `datasets: [Dataset(..)]`: what workloads read, how it is accelerated, and the `reads` of workloads.
//!
//! The cache workers of an accelerated dataset are the pods of a Deployment, `NAME-cache`, which stands before all other
//! workloads: what can be said of a workload can be said of it.

use super::{
    diagnostic::Report,
    reader::{At, Fields, Read, choice, variant, wrong},
    syntax::{Node, Shape, clip},
    values::{Ms, Permille, quantity},
    workload::{Context, ReadWorkload, positive_count, priority, template},
};
use quotree_core::{Name, Time};
use quotree_model::{Cache, Dataset, Kind, Reads, Role, Tier, Workload};

/// A dataset has at most this many bytes: a pebibyte.
const MAX_SIZE: u64 = 1 << 50;
/// A bandwidth is at most this many bytes a second: a terabyte.
const MAX_BANDWIDTH: u64 = 1_000_000_000_000;
/// A workload reads at most this many bytes, and at most this often all of its dataset.
const MAX_BYTES: u64 = 1 << 60;
const MAX_PASSES: u64 = 100_000;

/// A dataset, and what its acceleration submits.
#[derive(Debug, Clone)]
pub(crate) struct ReadDataset {
    pub(crate) dataset: Dataset,
    /// The Deployment of its cache workers.
    pub(crate) workers: Option<ReadWorkload>,
}

/// Bytes a second, written as `"1GB/s"`, `"800MiB/s"` or `"10Gbit/s"`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bandwidth(pub(crate) u64);

/// The units with how many bits they are.
const UNITS: [(&str, u128); 14] = [
    ("B/s", 8),
    ("KB/s", 8_000),
    ("MB/s", 8_000_000),
    ("GB/s", 8_000_000_000),
    ("TB/s", 8_000_000_000_000),
    ("KiB/s", 8 << 10),
    ("MiB/s", 8 << 20),
    ("GiB/s", 8 << 30),
    ("TiB/s", 8 << 40),
    ("bit/s", 1),
    ("Kbit/s", 1_000),
    ("Mbit/s", 1_000_000),
    ("Gbit/s", 1_000_000_000),
    ("Tbit/s", 1_000_000_000_000),
];

fn parse_bandwidth(text: &str) -> Result<u64, String> {
    let end = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let Some((_, bits)) = UNITS.iter().find(|(name, _)| *name == unit.trim_start()) else {
        return Err(if unit.is_empty() {
            "the unit is missing, such as GB/s".to_owned()
        } else {
            format!("`{}` is no unit of bandwidth: B/s, KB/s, MB/s, GB/s, TB/s, KiB/s .. and bit/s .. are", clip(unit))
        });
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let fraction = fraction.trim_end_matches('0');
    if fraction.contains('.') || (whole.is_empty() && fraction.is_empty()) || whole.len() + fraction.len() > 18 {
        return Err("not of the form number and unit".to_owned());
    }
    let digits: u128 = format!("{whole}{fraction}").parse().unwrap_or(0);
    let scale = 8 * 10_u128.pow(u32::try_from(fraction.len()).unwrap_or_default());
    let bits = digits * bits;
    if !bits.is_multiple_of(scale) {
        return Err("finer than a byte a second".to_owned());
    }
    match u64::try_from(bits / scale) {
        Ok(0) => Err("nothing would ever be read".to_owned()),
        Ok(bytes) if bytes <= MAX_BANDWIDTH => Ok(bytes),
        _ => Err("too much: at most 1TB/s".to_owned()),
    }
}

impl Read for Bandwidth {
    fn read(node: &Node, report: &mut Report) -> Option<Self> {
        const EXPECTED: &str = "a bandwidth string such as \"1GB/s\" or \"10Gbit/s\"";
        match &node.shape {
            Shape::String(text) => match parse_bandwidth(text) {
                Ok(bytes) => Some(Self(bytes)),
                Err(why) => {
                    let title = format!("`{}` is no bandwidth: {why}", clip(text));
                    report.error(node.span, title, why).help(format!("expected {EXPECTED}"));
                    None
                }
            },
            _ => {
                wrong(node, EXPECTED, report);
                None
            }
        }
    }
}

/// An amount of bytes from 1 to `most`.
fn bytes(node: &Node, most: u64, report: &mut Report) -> Option<u64> {
    let bytes = quantity(node, "memory", report)?;
    let fits = u64::try_from(bytes).ok().filter(|bytes| (1..=most).contains(bytes));
    if fits.is_none() {
        let title = format!("{bytes} bytes: from 1 to {most} are allowed");
        report.error(node.span, title, "out of range");
    }
    fits
}

/// Reads `datasets`.
pub(crate) fn read(items: &[&Node], context: &mut Context<'_, '_>, report: &mut Report) -> Vec<ReadDataset> {
    let mut datasets: Vec<ReadDataset> = Vec::new();
    for item in items {
        let Some(variant) = variant(item, &["Dataset"], "`Dataset(..)`", report) else { continue };
        let mut fields = variant.fields(&[], report);
        let name = fields.required::<At<Name>>("name", report);
        let namespace = fields.required::<At<Name>>("namespace", report);
        let size = fields.required_node("size", report).and_then(|node| bytes(node, MAX_SIZE, report));
        let backend = fields.required::<Bandwidth>("backend", report);
        let accelerate = fields.node("accelerate");
        let preload_node = fields.node("preload");
        let preload = preload_node.and_then(|node| preload(node, report));
        fields.finish(report);
        let workers = accelerate.and_then(|node| {
            let (name, namespace) = (name.as_ref()?, namespace.as_ref()?);
            acceleration(node, name, namespace, context, report)
        });
        if let (Some(node), None, Some(_)) = (preload_node, accelerate, preload) {
            report.error(node.span, "a preload needs a cache: `accelerate` is missing", "nothing to load into");
        }
        let (Some(name), Some(namespace), Some(size), Some(backend)) = (name, namespace, size, backend) else {
            continue;
        };
        if datasets.iter().any(|known| known.dataset.name == name.value) {
            report.error(name.span, format!("a second dataset `{}`", name.value), "the name is taken");
        }
        let (cache, workers) = workers.unzip();
        let (name, namespace, backend) = (name.value, namespace.value, backend.0);
        let dataset = Dataset { name, namespace, size, backend, cache, preload };
        datasets.push(ReadDataset { dataset, workers });
    }
    datasets
}

/// `true`, `false` or a time.
fn preload(node: &Node, report: &mut Report) -> Option<Time> {
    match node.shape {
        Shape::Bool(wanted) => wanted.then_some(Time(0)),
        Shape::String(_) => Time::read(node, report),
        _ => {
            wrong(node, "`true`, `false`, or a time such as \"10m\"", report);
            None
        }
    }
}

/// `Accelerate(..)`: the cache, and the Deployment of its workers.
fn acceleration(
    node: &Node,
    dataset: &At<Name>,
    namespace: &At<Name>,
    context: &mut Context<'_, '_>,
    report: &mut Report,
) -> Option<(Cache, ReadWorkload)> {
    let variant = variant(node, &["Accelerate"], "`Accelerate(..)`", report)?;
    let mut fields = variant.fields(&[], report);
    let replicas = positive_count(&mut fields, "workers", 1, report);
    let quota = fields.required_node("quota", report).and_then(|node| bytes(node, MAX_SIZE, report));
    let tiers = [("MEM", Tier::Mem), ("SSD", Tier::Ssd), ("HDD", Tier::Hdd)];
    let tier = fields.node("tier").map_or(Some(Tier::Mem), |node| choice(node, &tiers, report));
    let (high_permille, low_permille) = marks(&mut fields, report);
    let local = fields.required::<Bandwidth>("local", report);
    let remote = fields.required::<Bandwidth>("remote", report);
    let priority = fields.node("priority").and_then(|node| priority(node, context, report)).unwrap_or_default();
    let preemptible = fields.or("preemptible", true, report);
    let submit = fields.or("submit", Ms(0), report);
    let mut requests = Vec::new();
    let template = template(&mut fields, variant, &mut requests, report);
    fields.finish(report);
    let workload = format!("{}-cache", dataset.value);
    let (quota, tier, local, remote) = (quota?, tier?, local?.0, remote?.0);
    let held = template.request.get("memory").unwrap_or(0);
    if tier == Tier::Mem && u64::try_from(held).unwrap_or(0) < quota {
        let title =
            format!("a worker of `{}` holds its cache in memory, and asks less memory than that", dataset.value);
        report
            .warning(requests.first().copied().unwrap_or(node.span), title, "less than `quota`")
            .help("what a cache in memory holds counts as the worker's memory: ask for it, or name another `tier`");
    }
    let deployment = Workload {
        name: workload.clone(),
        namespace: namespace.value.clone(),
        user: None,
        priority,
        preemptible,
        budget: None,
        together: None,
        eviction_grace: None,
        submit: Time(submit.0),
        arrivals: None,
        deadline_ms: None,
        kind: Kind::Deployment { replicas, template },
    };
    let cache = Cache { workload, quota, tier, high_permille, low_permille, local, remote };
    let read = ReadWorkload {
        workload: deployment,
        name: dataset.span,
        namespace: namespace.span,
        user: None,
        budget: None,
        requests,
        arrivals: None,
    };
    Some((cache, read))
}

/// The water marks, the low one not above the high one.
fn marks(fields: &mut Fields<'_>, report: &mut Report) -> (u64, u64) {
    let mut mark = |field, default, report: &mut Report| {
        let mark = fields.optional::<At<Permille>>(field, report);
        if let Some(mark) = mark.as_ref().filter(|mark| mark.value.0 > 1000) {
            report.error(mark.span, format!("`{field}` is above 100%"), "more than the capacity");
        }
        (mark.as_ref().map_or(default, |mark| mark.value.0), mark.map(|mark| mark.span))
    };
    let (high, span) = mark("high", 950, report);
    let (low, low_span) = mark("low", 750, report);
    if let Some(span) = low_span.or(span).filter(|_| low > high) {
        report.error(span, "the low mark is above the high one", "evicting down to it would add");
    }
    (high, low)
}

/// `reads: Reads("imagenet", passes: 3)` of a Job, or of a Training of these roles.
pub(crate) fn reads(
    node: &Node,
    roles: Option<&[Role]>,
    forever: bool,
    datasets: &[ReadDataset],
    report: &mut Report,
) -> Option<Reads> {
    let variant = variant(node, &["Reads"], "`Reads(..)`", report)?;
    let mut fields = variant.fields(&["dataset"], report);
    let name = fields.required::<At<Name>>("dataset", report);
    let passes = fields.optional::<At<u64>>("passes", report);
    let total = fields.node("bytes");
    let prefetch = fields.or("prefetch", true, report);
    let reading = match (fields.node("roles"), roles) {
        (Some(node), _) => reading_roles(node, roles, report),
        (None, Some(roles)) => working(roles),
        (None, None) => None,
    };
    fields.finish(report);
    if forever {
        let title = "what runs forever cannot read: its end is when all is computed and read";
        report.error(node.span, title, "never done");
    }
    if let (Some(node), Some(_)) = (total, &passes) {
        report.error(node.span, "`Reads` says twice how much is read", "one of passes and bytes is enough");
    }
    let name = name?;
    let Some(dataset) = datasets.iter().position(|known| known.dataset.name == name.value) else {
        let title = format!("there is no dataset `{}`", name.value);
        let names = datasets.iter().map(|known| known.dataset.name.as_str());
        report.error(name.span, title, "unknown dataset").did_you_mean(name.value.as_str(), names);
        return None;
    };
    let size = datasets.get(dataset).map_or(1, |known| known.dataset.size);
    let (bytes, span) = match (total, passes) {
        (Some(node), _) => (bytes(node, MAX_BYTES, report)?, node.span),
        (None, Some(passes)) if passes.value == 0 => {
            report.error(passes.span, "`passes` must be at least 1", "0 makes no sense here");
            return None;
        }
        (None, Some(passes)) => (size.saturating_mul(passes.value), passes.span),
        (None, None) => (size, node.span),
    };
    if bytes > MAX_BYTES || bytes / size > MAX_PASSES {
        let title = format!("{bytes} bytes in all: at most 1Ei in {MAX_PASSES} passes are allowed");
        report.error(span, title, "too much to read");
        return None;
    }
    Some(Reads { dataset, bytes, prefetch, roles: reading })
}

/// The places of the roles that do the work, if not all or none do.
fn working(roles: &[Role]) -> Option<Vec<usize>> {
    let places: Vec<usize> = roles.iter().enumerate().filter(|(_, role)| role.works).map(|(place, _)| place).collect();
    (!places.is_empty() && places.len() < roles.len()).then_some(places)
}

/// The roles that read, by place.
fn reading_roles(node: &Node, roles: Option<&[Role]>, report: &mut Report) -> Option<Vec<usize>> {
    let Some(roles) = roles else {
        report.error(node.span, "only a Training has roles", "not here");
        return None;
    };
    let names = Vec::<At<Name>>::read(node, report)?;
    if names.is_empty() {
        report.error(node.span, "`roles` names nobody: nothing would ever be read", "empty");
    }
    let mut places = Vec::new();
    for name in names {
        match roles.iter().position(|role| role.name == name.value) {
            Some(place) => places.push(place),
            None => {
                let known = roles.iter().map(|role| role.name.as_str());
                let title = format!("there is no role `{}`", name.value);
                report.error(name.span, title, "unknown role").did_you_mean(name.value.as_str(), known);
            }
        }
    }
    Some(places)
}

#[cfg(test)]
mod tests {
    use super::parse_bandwidth;

    #[test]
    fn bandwidths_are_exact_or_refused() {
        let rows = [
            ("1GB/s", Some(1_000_000_000)),
            ("1.5GB/s", Some(1_500_000_000)),
            ("800 MiB/s", Some(838_860_800)),
            ("10Gbit/s", Some(1_250_000_000)),
            ("1TB/s", Some(1_000_000_000_000)),
            ("1B/s", Some(1)),
            ("8bit/s", Some(1)),
            ("4bit/s", None),
            ("0.5B/s", None),
            ("0GB/s", None),
            ("2TB/s", None),
            ("1GB", None),
            ("1Gb/s", None),
            ("GB/s", None),
            ("1..5GB/s", None),
            ("-1GB/s", None),
            ("1000000000000000000000GB/s", None),
            ("", None),
        ];
        for (text, wanted) in rows {
            assert_eq!(parse_bandwidth(text).ok(), wanted, "`{text}`");
        }
    }
}
