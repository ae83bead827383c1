//! `datasets: [Dataset(..)]`: the data that workloads read, its cache, and the field `reads` of workloads.
//!
//! The cache workers of a dataset are the pods of a Deployment, `NAME-cache`, which precedes all other workloads.
//! Claims and events may refer to it by name like to any workload.

use crate::{
    bandwidth::Bandwidth,
    pod::{Pod, template},
    workload::{Context, PriorityName, ReadWorkload, priority},
};
use quotree_core::{Name, Time};
use quotree_model::{Cache, Dataset as Checked, DeviceUse, Kind, Reads as CheckedReads, Role, Tier, Workload};
use quotree_syntax::{At, Count, Given, Node, Permille, Quantity, Read, Report, Shape, Span, record, wrong};

/// The largest dataset, bytes: a pebibyte.
const MAX_SIZE: u64 = 1 << 50;
/// The most bytes that a workload reads, and the most passes over its dataset.
const MAX_BYTES: u64 = 1 << 60;
const MAX_PASSES: u64 = 100_000;

record! {
    /// Data that workloads read.
    pub(crate) struct Dataset in "dataset" {
        /// Unique among datasets.
        name: At<Name> => required,
        /// The namespace of its cache workers.
        namespace: At<Name> => required,
        /// The size, such as `144Gi`; at most 1Pi.
        size: At<Quantity> => required,
        /// The bandwidth of the storage that contains the data; all pods that read from it share it equally.
        backend: Bandwidth => required,
        /// The cache.
        accelerate: At<Accelerate> => "absent",
        /// Whether it is preloaded into the cache. `true`: as soon as there is a cache. A time: from then on.
        preload: Given<Preload> => "false",
    }
}

record! {
    /// A cache whose workers are the pods of a Deployment `NAME-cache`, which is submitted before other workloads of its time.
    pub(crate) struct Accelerate in "accelerate" {
        /// How many cache workers.
        workers: Count = Count(1),
        /// How many bytes each worker can hold, at most 1Pi.
        quota: At<Quantity> => required,
        /// The medium in which a worker holds the bytes. If it is memory, it should be part of the worker's memory
        /// request.
        tier: Tier = Tier::Mem,
        /// The cache is filled up to this part of its capacity.
        high: At<Permille> => "95%",
        /// When a pass over the dataset ends with the cache filled up to `high`, the cache evicts down to this part of
        /// its capacity.
        low: At<Permille> => "75%",
        /// The bandwidth at which a pod reads from the cache if a worker runs on its node.
        local: Bandwidth => required,
        /// The bandwidth at which any other pod reads from the cache.
        remote: Bandwidth => required,
        /// The priority of the workers.
        priority: PriorityName = PriorityName::Number(0),
        /// Whether workers may be evicted.
        preemptible: bool = true,
        /// When the workers are submitted.
        submit: Time = Time(0),
        pod: Pod => embedded,
    }
}

record! {
    /// How much of a dataset is read, and how. Without `passes` and `bytes` the whole dataset is read once.
    pub(crate) struct Reads(dataset) in "reads" {
        /// Which dataset.
        dataset: At<Name> => required,
        /// How often the whole dataset is read, at most 100,000 times.
        passes: At<u64> => "1",
        /// How many bytes are read, pass after pass; instead of `passes`.
        bytes: At<Quantity> => "absent",
        /// Whether it reads ahead while it computes. A step then takes the longer of the two times instead of their
        /// sum.
        prefetch: bool = true,
        /// The roles of a Training whose members read.
        roles: At<Vec<At<Name>>> => "those that work",
    }
}

/// `true`, `false` or a time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Preload(Option<Time>);

impl Read for Preload {
    fn kind() -> String {
        "bool or duration".to_owned()
    }

    fn read(node: &Node, report: &mut Report) -> Option<Self> {
        match node.shape {
            Shape::Bool(wanted) => Some(Self(wanted.then_some(Time(0)))),
            Shape::String(_) => Time::read(node, report).map(|time| Self(Some(time))),
            _ => {
                wrong(node, "`true`, `false`, or a time such as \"10m\"", report);
                None
            }
        }
    }
}

/// A checked dataset, and the workers of its cache.
#[derive(Debug, Clone)]
pub(crate) struct ReadDataset {
    pub(crate) dataset: Checked,
    /// The Deployment of its cache workers.
    pub(crate) workers: Option<ReadWorkload>,
}

/// An amount of bytes from 1 to `most`.
fn bytes(amount: &At<Quantity>, most: u64, report: &mut Report) -> Option<u64> {
    let bytes = amount.value.amount("memory", report)?;
    let fits = u64::try_from(bytes).ok().filter(|bytes| (1..=most).contains(bytes));
    if fits.is_none() {
        let title = format!("{bytes} bytes; expected 1 to {most}");
        report.error(amount.span, title, "out of range");
    }
    fits
}

/// Checks `datasets`.
pub(crate) fn check(written: &[Dataset], context: &mut Context<'_, '_>, report: &mut Report) -> Vec<ReadDataset> {
    let mut datasets: Vec<ReadDataset> = Vec::new();
    for read in written {
        let size = read.size.as_ref().and_then(|size| bytes(size, MAX_SIZE, report));
        let preload = read.preload.as_ref().and_then(|preload| preload.value).and_then(|preload| preload.0);
        let workers = read.accelerate.as_ref().and_then(|accelerate| {
            acceleration(accelerate, read.name.as_ref()?, read.namespace.as_ref()?, context, report)
        });
        if let (Some(given), None, Some(_)) = (&read.preload, &read.accelerate, preload) {
            report.error(given.span, "a preload needs a cache: `accelerate` is missing", "no cache to load into");
        }
        let (Some(name), Some(namespace), Some(size), Some(backend)) =
            (&read.name, &read.namespace, size, read.backend)
        else {
            continue;
        };
        if datasets.iter().any(|known| known.dataset.name == name.value) {
            report.error(name.span, format!("duplicate dataset `{}`", name.value), "this name is already used");
        }
        let (cache, workers) = workers.unzip();
        let (name, namespace, backend) = (name.value.clone(), namespace.value.clone(), backend.0);
        let dataset = Checked { name, namespace, size, backend, cache, preload };
        datasets.push(ReadDataset { dataset, workers });
    }
    datasets
}

/// `Accelerate(..)`: the cache, and the Deployment of its workers.
fn acceleration(
    written: &At<Accelerate>,
    dataset: &At<Name>,
    namespace: &At<Name>,
    context: &mut Context<'_, '_>,
    report: &mut Report,
) -> Option<(Cache, ReadWorkload)> {
    let read = &written.value;
    let quota = read.quota.as_ref().and_then(|quota| bytes(quota, MAX_SIZE, report));
    let (high_permille, low_permille) = marks(read, report);
    let priority = priority(&read.priority, context, report).unwrap_or_default();
    let mut requests = Vec::new();
    let template = template(&read.pod, read.span, &mut requests, report);
    let (tier, preemptible, replicas) = (read.tier, read.preemptible, read.workers.0);
    let (quota, local, remote) = (quota?, read.local?.0, read.remote?.0);
    let workload = format!("{}-cache", dataset.value);
    let held = template.request.get("memory").unwrap_or(0);
    if tier == Tier::Mem && u64::try_from(held).unwrap_or(0) < quota {
        let title =
            format!("a worker of `{}` keeps its cache in memory, but requests less memory than that", dataset.value);
        report
            .warning(requests.first().copied().unwrap_or(written.span), title, "less than `quota`")
            .help("a cache in memory counts as memory of the worker: request it, or choose another `tier`");
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
        submit: read.submit,
        arrivals: None,
        deadline_ms: None,
        device_use: DeviceUse::default(),
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

/// The high and low marks; the low one must not exceed the high one.
fn marks(read: &Accelerate, report: &mut Report) -> (u64, u64) {
    let mut mark = |field: &str, mark: Option<&At<Permille>>, default: u64| {
        if let Some(mark) = mark.filter(|mark| mark.value.0 > 1000) {
            report.error(mark.span, format!("`{field}` must be at most 100%"), "more than the capacity");
        }
        mark.map_or(default, |mark| mark.value.0)
    };
    let (high, low) = (mark("high", read.high.as_ref(), 950), mark("low", read.low.as_ref(), 750));
    let span: Option<Span> = read.low.as_ref().or(read.high.as_ref()).map(|mark| mark.span);
    if let Some(span) = span.filter(|_| low > high) {
        report.error(span, "the low mark is above the high mark", "must be at most the high mark");
    }
    (high, low)
}

/// Checks `reads: Reads("imagenet", passes: 3)` of a Job, or of a Training with these roles.
pub(crate) fn reads(
    written: &At<Reads>,
    roles: Option<&[Role]>,
    forever: bool,
    datasets: &[ReadDataset],
    report: &mut Report,
) -> Option<CheckedReads> {
    let (read, whole) = (&written.value, written.span);
    let reading = match (&read.roles, roles) {
        (Some(names), _) => reading_roles(names, roles, report),
        (None, Some(roles)) => working(roles),
        (None, None) => None,
    };
    if forever {
        let title = "a workload that runs forever cannot read: a reader ends when it has computed and read everything";
        report.error(whole, title, "never ends");
    }
    if let (Some(total), Some(_)) = (&read.bytes, &read.passes) {
        report.error(total.span, "`passes` and `bytes` exclude each other", "give only one of them");
    }
    let name = read.dataset.as_ref()?;
    let Some(dataset) = datasets.iter().position(|known| known.dataset.name == name.value) else {
        let title = format!("there is no dataset `{}`", name.value);
        let names = datasets.iter().map(|known| known.dataset.name.as_str());
        report.error(name.span, title, "unknown dataset").did_you_mean(name.value.as_str(), names);
        return None;
    };
    let size = datasets.get(dataset).map_or(1, |known| known.dataset.size);
    let (bytes, span) = match (&read.bytes, &read.passes) {
        (Some(total), _) => (bytes(total, MAX_BYTES, report)?, total.span),
        (None, Some(passes)) if passes.value == 0 => {
            report.error(passes.span, "`passes` must be at least 1", "0 is not allowed");
            return None;
        }
        (None, Some(passes)) => (size.saturating_mul(passes.value), passes.span),
        (None, None) => (size, whole),
    };
    if bytes > MAX_BYTES || bytes / size > MAX_PASSES {
        let title = format!("{bytes} bytes in all: at most 1Ei in {MAX_PASSES} passes are allowed");
        report.error(span, title, "too much to read");
        return None;
    }
    Some(CheckedReads { dataset, bytes, prefetch: read.prefetch, roles: reading })
}

/// The indices of the roles that do the work; nothing if all or none of them do.
fn working(roles: &[Role]) -> Option<Vec<usize>> {
    let places: Vec<usize> = roles.iter().enumerate().filter(|(_, role)| role.works).map(|(place, _)| place).collect();
    (!places.is_empty() && places.len() < roles.len()).then_some(places)
}

/// The indices of the roles that read.
fn reading_roles(names: &At<Vec<At<Name>>>, roles: Option<&[Role]>, report: &mut Report) -> Option<Vec<usize>> {
    let Some(roles) = roles else {
        report.error(names.span, "only a Training has roles", "not allowed here");
        return None;
    };
    if names.value.is_empty() {
        report.error(names.span, "`roles` is empty, so nothing would be read", "empty");
    }
    let mut places = Vec::new();
    for name in &names.value {
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
