//! Importers of traces, cluster dumps and quota manifests: they turn bytes into values and problems. Each format has a
//! file here. All importers keep the times of the file exact to the millisecond, report every bad row with its line,
//! and read no more rows than allowed.
//!
//! To add an importer, add its file and its variant of [`TraceFormat`].

mod armada;
mod daily;
pub mod detect;
mod document;
mod joblist;
mod kai;
mod kubernetes;
mod kueue;
mod native;
mod objects;
mod openb;
mod pai;
pub mod quota;
pub mod recording;
mod sacct;
mod series;
mod slurm;
mod swf;
mod table;

pub use daily::{DailyQuotas, daily_quotas};
pub use jiff::civil::DateTime;
pub use kubernetes::NOT_MODELLED;

use quotree_core::{Amounts, DeviceChoice, DeviceMode, DeviceSet, DeviceSpec, Name, PodTemplate, Time, TreeSpec};
pub use quotree_model::MAX_MS;
use quotree_model::{Limits, TraceRow};
use quotree_syntax::yaml;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// Thousandths of one GPU.
pub(crate) const WHOLE_GPU: i64 = 1000;

/// The most GPUs of a node.
pub(crate) const MAX_GPUS: u32 = 64;

/// The formats of trace files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TraceFormat {
    /// Quotree's own CSV: `name,submit_s,runtime_s,namespace,priority,pods` and one column for each resource.
    Native,
    /// The Philly job list.
    Philly,
    /// The job list of a Helios cluster.
    Helios,
    /// The minutes of a Helios virtual cluster.
    HeliosDemand,
    /// An Acme job list.
    Acme,
    /// A Muri job list.
    Muri,
    /// The openb pod list, or its node list.
    Openb,
    /// The PAI task table of 2020, or its machine table.
    Pai,
    /// The Standard Workload Format of parallel workload archives.
    Swf,
    /// A configuration of Kueue's performance generator.
    Kueue,
    /// A configuration of KAI's time-aware simulator.
    Kai,
    /// A workload specification of Armada's simulator, or its cluster specification.
    Armada,
    /// A dump of a cluster's pods, nodes and quota tree, JSON or YAML.
    Kubernetes,
    /// A job log of Slurm: `sacct -P`.
    Slurm,
}

impl TraceFormat {
    /// All formats with their names in scenarios.
    pub const NAMED: [(&'static str, Self); 14] = [
        ("Native", Self::Native),
        ("Philly", Self::Philly),
        ("Helios", Self::Helios),
        ("HeliosDemand", Self::HeliosDemand),
        ("Acme", Self::Acme),
        ("Muri", Self::Muri),
        ("Openb", Self::Openb),
        ("Pai", Self::Pai),
        ("Swf", Self::Swf),
        ("Kueue", Self::Kueue),
        ("Kai", Self::Kai),
        ("Armada", Self::Armada),
        ("Kubernetes", Self::Kubernetes),
        ("Slurm", Self::Slurm),
    ];
}

/// Options for reading a trace.
#[derive(Debug, Clone)]
pub struct TraceOptions {
    /// The namespace of all rows.
    pub namespace: Option<Name>,
    /// The column that names the namespace of a row; ignored when `namespace` is given. `None`: the column that the format
    /// uses (`namespace`, `vc`, `qos`, `group`).
    pub namespace_by: Option<String>,
    /// The prefix of namespaces that are read from a column.
    pub prefix: String,
    /// The resource of whole devices (GPUs, or processors in SWF).
    pub resource: Name,
    /// The priority of the first rows of an Armada workload; later ones get lower priorities.
    pub priority: i32,
    /// The user who submits all rows; `None`: each row names its user.
    pub user: Option<Name>,
    /// The most rows; more are an error.
    pub max_rows: usize,
    /// The other files of a dump of a cluster, which are read together with the file itself.
    pub more: Vec<MoreFile>,
}

/// A file beside the one that is read.
#[derive(Debug, Clone)]
pub struct MoreFile {
    /// Its name, for messages.
    pub name: String,
    /// Its content, decompressed.
    pub bytes: Arc<[u8]>,
}

impl TraceOptions {
    /// A row of one pod, without a priority or limits of its own.
    pub(crate) fn row(
        &self,
        name: String,
        submit: Time,
        runtime_ms: u64,
        namespace: Name,
        template: Arc<PodTemplate>,
    ) -> TraceRow {
        let (name, user, limits) = (name.into(), self.user.clone(), Limits::default());
        TraceRow { name, submit, runtime_ms, namespace, user, priority: None, pods: 1, template, limits, details: None }
    }
}

impl Default for TraceOptions {
    fn default() -> Self {
        Self {
            namespace: None,
            namespace_by: None,
            prefix: String::new(),
            resource: "nvidia.com/gpu".into(),
            priority: 0,
            user: None,
            max_rows: 10_000_000,
            more: Vec::new(),
        }
    }
}

/// What is wrong with one row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowProblem {
    /// The line of the file, from 1; 0 if it concerns the file as a whole.
    pub line: u64,
    /// What is wrong, in one clause.
    pub what: String,
}

/// The jobs of a trace.
#[derive(Debug, Clone, Default)]
pub struct TraceRows {
    /// The valid rows by time of submission; rows of one time are in the order of the file.
    pub rows: Vec<TraceRow>,
    /// The invalid rows, in the order of the file.
    pub problems: Vec<RowProblem>,
    /// The calendar time of time 0, if the file contains it.
    pub start: Option<DateTime>,
    /// Notes about settings that have no place in the model, and about assumptions.
    pub notes: Vec<quota::Note>,
}

/// A machine of a node list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NodeRow {
    /// Its name, unique in the list.
    pub name: String,
    /// The amounts that pods may use (allocatable), including devices.
    pub allocatable: Amounts,
    /// Resources that are counted as separate devices.
    pub devices: Vec<DeviceSpec>,
    /// How requests are divided over the devices.
    pub mode: DeviceMode,
    /// Which of the devices that fit a pod gets.
    pub choice: DeviceChoice,
    /// Devices that take no new pods.
    pub unhealthy: DeviceSet,
    /// The zone it is in.
    pub zone: Option<Name>,
    /// The rack it is in, within its zone.
    pub rack: Option<Name>,
    /// Labels, such as the model of its GPUs.
    pub labels: Vec<(Name, Name)>,
    /// Taints that pods must tolerate.
    pub taints: Vec<Name>,
}

impl NodeRow {
    /// Adds whole GPUs, each as a device of its own; the number may be 0.
    pub(crate) fn add_gpus(&mut self, resource: &Name, count: u32) {
        if count > 0 {
            self.allocatable.set(resource.clone(), i64::from(count) * WHOLE_GPU);
            self.devices.push(DeviceSpec { resource: resource.clone(), count, each: WHOLE_GPU });
        }
    }

    /// Converts the allocatable GPUs to devices of their own, if their number is whole and small enough.
    pub(crate) fn split_gpus(&mut self, resource: &Name) {
        let gpus = self.allocatable.get(resource.as_str()).filter(|gpus| gpus % WHOLE_GPU == 0).unwrap_or(0);
        let count = u32::try_from(gpus / WHOLE_GPU).ok().filter(|count| *count <= MAX_GPUS);
        self.add_gpus(resource, count.unwrap_or(0));
    }
}

/// The machines of a node list.
#[derive(Debug, Clone, Default)]
pub struct NodeRows {
    /// The good rows, in the order of the file.
    pub rows: Vec<NodeRow>,
    /// The rows that could not be read, in the order of the file.
    pub problems: Vec<RowProblem>,
}

/// What a file that describes a whole cluster contains besides rows and nodes.
#[derive(Debug, Clone, Default)]
pub struct Outline {
    /// The quota tree.
    pub tree: TreeSpec,
    /// The most similar policy, as scenarios write it; `None`: the default.
    pub policy: Option<String>,
    /// The disruption budgets that rows refer to, each with the number of its pods that may be evicted.
    pub budgets: BTreeMap<Name, u32>,
    /// The end of the run, milliseconds; `None`: when nothing more can happen.
    pub until_ms: Option<u64>,
    /// Notes for the user, one clause each.
    pub notes: Vec<String>,
    /// Notes about objects that this importer does not read, and about missing quotas. They matter only to callers that
    /// read nothing else from the files.
    pub alone: Vec<String>,
    /// Problems, in the order of the file.
    pub problems: Vec<RowProblem>,
}

/// Reads the jobs from a trace.
#[must_use]
pub fn rows(format: TraceFormat, bytes: &[u8], options: &TraceOptions) -> TraceRows {
    let mut read = match format {
        TraceFormat::Native => native::rows(bytes, options),
        TraceFormat::Philly => joblist::rows(&joblist::PHILLY, bytes, options),
        TraceFormat::Helios => joblist::rows(&joblist::HELIOS, bytes, options),
        TraceFormat::HeliosDemand => series::rows(bytes, options),
        TraceFormat::Acme => joblist::rows(&joblist::ACME, bytes, options),
        TraceFormat::Muri => joblist::rows(&joblist::MURI, bytes, options),
        TraceFormat::Openb => openb::rows(bytes, options),
        TraceFormat::Pai => pai::rows(bytes, options),
        TraceFormat::Swf => swf::rows(bytes, options),
        TraceFormat::Kueue => kueue::rows(bytes, options),
        TraceFormat::Kai => kai::rows(bytes, options),
        TraceFormat::Armada => armada::rows(bytes, options),
        TraceFormat::Kubernetes => kubernetes::rows(bytes, options),
        TraceFormat::Slurm => sacct::rows(bytes, options),
    };
    read.rows.sort_by_key(|row| row.submit);
    read
}

/// Reads the machines from a node list of a trace.
#[must_use]
pub fn nodes(format: TraceFormat, bytes: &[u8], options: &TraceOptions) -> NodeRows {
    match format {
        TraceFormat::Openb => openb::nodes(bytes, options),
        TraceFormat::Pai => pai::nodes(bytes, options),
        TraceFormat::Kueue => kueue::nodes(bytes, options),
        TraceFormat::Kai => kai::nodes(bytes, options),
        TraceFormat::Armada => armada::nodes(bytes, options),
        TraceFormat::Kubernetes => kubernetes::nodes(bytes, options),
        _ => {
            let what = format!("the format {format:?} has no node lists");
            NodeRows { rows: Vec::new(), problems: vec![RowProblem { line: 0, what }] }
        }
    }
}

/// Reads the quotas from a file that describes a whole cluster; `total` is the size of the cluster.
#[must_use]
pub fn outline(format: TraceFormat, bytes: &[u8], options: &TraceOptions, total: &Amounts) -> Outline {
    match format {
        TraceFormat::Kueue => kueue::outline(bytes, options),
        TraceFormat::Kai => kai::outline(bytes, options),
        TraceFormat::Armada => armada::outline(bytes, options, total),
        TraceFormat::Kubernetes => kubernetes::outline(bytes, options, total),
        _ => {
            let what = format!("the format {format:?} has no quotas");
            Outline { problems: vec![RowProblem { line: 0, what }], ..Outline::default() }
        }
    }
}

/// Adds amounts to a sum.
pub(crate) fn add(sum: &mut Amounts, more: &Amounts) {
    for (name, amount) in more.iter() {
        sum.set(name.clone(), sum.get(name.as_str()).unwrap_or(0).saturating_add(amount));
    }
}

/// The namespace of a row in which the column contains `text`.
pub(crate) fn namespace_of(options: &TraceOptions, text: &str) -> Result<Name, String> {
    match &options.namespace {
        Some(fixed) => Ok(fixed.clone()),
        None if text.is_empty() => Err("no column determines the namespace".to_owned()),
        None => Ok(Name::from(format!("{}{text}", options.prefix))),
    }
}

/// Decimal seconds such as `90`, `0.5` or `12.250` as a whole number of milliseconds; `None` if it is not a number,
/// negative, finer than a millisecond, or too large.
pub(crate) fn seconds_to_ms(text: &str) -> Option<u64> {
    let (whole, fraction) = text.trim().split_once('.').unwrap_or((text.trim(), ""));
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    let fraction = fraction.trim_end_matches('0');
    if (whole.is_empty() && fraction.is_empty()) || !digits(whole) || !digits(fraction) || fraction.len() > 3 {
        return None;
    }
    let seconds: u64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let ms: u64 = if fraction.is_empty() { 0 } else { format!("{fraction:0<3}").parse().ok()? };
    seconds.checked_mul(1000)?.checked_add(ms).filter(|ms| *ms <= MAX_MS)
}

/// The users of rows, each name stored once.
#[derive(Debug, Default)]
pub(crate) struct Users(BTreeSet<Name>);

impl Users {
    /// The user of a row in which the column contains `text`; a user in the options takes precedence.
    pub(crate) fn share(&mut self, options: &TraceOptions, text: &str) -> Option<Name> {
        if options.user.is_some() || text.is_empty() {
            return options.user.clone();
        }
        if let Some(known) = self.0.get(text) {
            return Some(known.clone());
        }
        let name = Name::from(text);
        self.0.insert(name.clone());
        Some(name)
    }
}

/// Pod templates, equal ones stored once.
#[derive(Debug, Default)]
pub(crate) struct Templates(BTreeMap<PodTemplate, Arc<PodTemplate>>);

impl Templates {
    /// The shared form of a template.
    pub(crate) fn share(&mut self, template: PodTemplate) -> Arc<PodTemplate> {
        Arc::clone(self.0.entry(template).or_insert_with_key(|template| Arc::new(template.clone())))
    }
}
