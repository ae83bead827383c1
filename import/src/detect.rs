//! Detects the format of a file from its content: from marks in its first lines, or from the kinds of the objects in
//! it.

use crate::{
    TraceFormat,
    quota::QuotaFormat,
    yaml::{self, Node, Value, find, map, scalar},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

/// The kind of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileKind {
    /// A scenario, or a part of one.
    Scenario,
    /// A trace of jobs.
    Trace(TraceFormat),
    /// Quota objects, possibly with objects of a cluster.
    Quotas(QuotaFormat, Objects),
    /// Objects of a cluster, without quotas.
    Cluster(Objects),
    /// A file that belongs to another import, or that cannot be imported.
    Other {
        /// What it is, with its article.
        what: &'static str,
        /// What the user should do with it, as the rest of a sentence; may be empty.
        advice: &'static str,
    },
    /// Quota objects of several formats, which cannot form one tree.
    Mixed(BTreeSet<QuotaFormat>),
}

/// The objects of a cluster in a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Objects {
    /// How many pods there are.
    pub pods: u64,
    /// How many nodes there are.
    pub nodes: u64,
    /// How many objects there are of any kind.
    pub kinds: BTreeMap<String, u64>,
}

impl Objects {
    /// Whether the file contains objects that a dump of a cluster has.
    #[must_use]
    pub const fn is_dump(&self) -> bool {
        self.pods > 0 || self.nodes > 0
    }

    /// Adds the objects of another file.
    pub fn add(&mut self, other: &Self) {
        self.pods += other.pods;
        self.nodes += other.nodes;
        for (kind, count) in &other.kinds {
            *self.kinds.entry(kind.clone()).or_default() += count;
        }
    }
}

impl fmt::Display for Objects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, (kind, count)) in self.kinds.iter().enumerate() {
            write!(f, "{}{count} {kind}", if i == 0 { "" } else { ", " })?;
        }
        Ok(())
    }
}

impl fmt::Display for FileKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scenario => f.write_str("a scenario"),
            Self::Trace(format) => f.write_str(trace(*format)),
            Self::Quotas(format, objects) if objects.kinds.is_empty() => f.write_str(format.what()),
            Self::Quotas(format, objects) => write!(f, "{} ({objects})", format.what()),
            Self::Cluster(objects) => write!(f, "objects of a cluster ({objects})"),
            Self::Other { what, .. } => f.write_str(what),
            Self::Mixed(formats) => {
                let names: Vec<&str> = formats.iter().map(|format| format.what()).collect();
                write!(f, "quota objects of several schedulers ({})", names.join(", "))
            }
        }
    }
}

fn trace(format: TraceFormat) -> &'static str {
    match format {
        TraceFormat::Native => "a trace of quotree's own format",
        TraceFormat::Philly => "a Philly job list",
        TraceFormat::Helios => "a Helios job list",
        TraceFormat::HeliosDemand => "a demand series of Helios",
        TraceFormat::Acme => "an Acme job list",
        TraceFormat::Muri => "a Muri job list",
        TraceFormat::Openb => "an openb pod list",
        TraceFormat::Pai => "a PAI task table",
        TraceFormat::Swf => "a log in the Standard Workload Format",
        TraceFormat::Kueue => "a configuration of Kueue's performance generator",
        TraceFormat::Kai => "a configuration of KAI's simulator",
        TraceFormat::Armada => "a workload specification of Armada's simulator",
        TraceFormat::Kubernetes => "a cluster dump",
        TraceFormat::Slurm => "a job log of Slurm",
    }
}

/// The kind of a file with this content; nothing if no format is recognised.
///
/// ```
/// use quotree_import::{TraceFormat, detect::{FileKind, detect}};
/// assert_eq!(detect(b"; MaxProcs: 16\n"), Some(FileKind::Trace(TraceFormat::Swf)));
/// assert_eq!(detect(b"hello"), None);
/// ```
#[must_use]
pub fn detect(bytes: &[u8]) -> Option<FileKind> {
    if bytes.get(257..262) == Some(b"ustar") {
        return Some(FileKind::Trace(TraceFormat::Pai));
    }
    let text = String::from_utf8_lossy(bytes);
    let text = text.trim_start_matches('\u{feff}').trim_start();
    if text.starts_with('<') {
        return xml(text);
    }
    if is_ron(text) {
        return Some(FileKind::Scenario);
    }
    table(text).or_else(|| documents(text))
}

fn xml(text: &str) -> Option<FileKind> {
    let advice = "only the queues of the capacity scheduler are read";
    if text.contains("<allocations") {
        return Some(FileKind::Other { what: "a fair-scheduler.xml of YARN", advice });
    }
    text.contains("<configuration").then(|| match text.contains("yarn.scheduler.capacity.") {
        true => FileKind::Quotas(QuotaFormat::Yarn, Objects::default()),
        false => {
            FileKind::Other { what: "a configuration of Hadoop", advice: "only capacity-scheduler.xml has queues" }
        }
    })
}

/// Whether a text begins like a scenario file.
fn is_ron(text: &str) -> bool {
    let is_comment = |line: &&str| line.starts_with("//") || line.starts_with("#![") || line.trim().is_empty();
    let first = text.lines().find(|line| !is_comment(line)).unwrap_or_default();
    first.starts_with("Scenario(")
        || first.starts_with("Quota(")
        || first.starts_with("/*")
        || first.trim() == "Scenario"
}

/// Detects the formats of lines and tables.
fn table(text: &str) -> Option<FileKind> {
    let first = text.lines().next().unwrap_or_default();
    let fields = first.split_ascii_whitespace().filter(|field| field.parse::<f64>().is_ok()).count();
    if first.starts_with(';') || fields >= 18 {
        return Some(FileKind::Trace(TraceFormat::Swf));
    }
    let columns: BTreeSet<&str> = first.split(if first.contains('|') { '|' } else { ',' }).map(str::trim).collect();
    let has = |names: &[&str]| names.iter().all(|name| columns.contains(name));
    if first.contains('|') {
        let slurm = || FileKind::Quotas(QuotaFormat::Slurm, Objects::default());
        return match () {
            () if columns.contains("JobID") => Some(FileKind::Trace(TraceFormat::Slurm)),
            () => has(&["Account", "User"]).then(slurm),
        };
    }
    let dumped = |line: &str| ["Cluster - ", "Parent - ", "Account - "].iter().any(|start| line.starts_with(start));
    if text.lines().find(|line| !line.starts_with('#') && !line.trim().is_empty()).is_some_and(dumped) {
        return Some(FileKind::Quotas(QuotaFormat::Slurm, Objects::default()));
    }
    let formats: [(&[&str], TraceFormat); 8] = [
        (&["submit_s", "runtime_s"], TraceFormat::Native),
        (&["timestamp", "duration", "num_gpus"], TraceFormat::Philly),
        (&["job_id", "vc", "gpu_num", "submit_time"], TraceFormat::Helios),
        (&["job_id", "type", "gpu_num", "submit_time"], TraceFormat::Acme),
        (&["job_id", "num_gpu", "submit_time", "priority"], TraceFormat::Muri),
        (&["time", "running_gpu_num", "pending_gpu_num"], TraceFormat::HeliosDemand),
        (&["cpu_milli", "memory_mib", "num_gpu", "gpu_milli"], TraceFormat::Openb),
        (&["job_name", "task_name", "inst_num", "plan_gpu"], TraceFormat::Pai),
    ];
    if let Some((_, format)) = formats.into_iter().find(|(names, _)| has(names)) {
        return Some(FileKind::Trace(format));
    }
    let pai = |status: &str| matches!(status, "Terminated" | "Failed" | "Running" | "Waiting" | "Interrupted");
    if first.split(',').count() == 10 && first.split(',').nth(3).is_some_and(pai) {
        return Some(FileKind::Trace(TraceFormat::Pai));
    }
    let other = |what, advice| Some(FileKind::Other { what, advice });
    match () {
        () if has(&["sn", "cpu_milli", "gpu"]) => {
            other("an openb node list", "import the pod list, and give this with `--nodes`")
        }
        () if has(&["vc", "node num"]) || first.starts_with("date,") => {
            other("a list of the sizes of virtual clusters", "import the job list, and give this with `--tree`")
        }
        () => None,
    }
}

/// Detects the formats in YAML or JSON.
fn documents(text: &str) -> Option<FileKind> {
    let (documents, problems) = yaml::documents(text);
    if !problems.is_empty() {
        return None;
    }
    if documents.first().is_some_and(is_scenario) {
        return Some(FileKind::Scenario);
    }
    let (mut objects, mut formats) = (Objects::default(), BTreeSet::new());
    documents.iter().for_each(|document| count(document, None, &mut objects, &mut formats));
    match (formats.len(), formats.first()) {
        (1, Some(format)) => return Some(FileKind::Quotas(*format, objects)),
        (2.., _) => return Some(FileKind::Mixed(formats)),
        _ if objects.kinds.is_empty() => {}
        _ => return Some(FileKind::Cluster(objects)),
    }
    let first = documents.first()?;
    let keys: BTreeSet<String> = map(first)?.iter().map(|entry| entry.key.to_ascii_lowercase()).collect();
    let has = |names: &[&str]| names.iter().all(|name| keys.contains(*name));
    let deeper = |list: &str, field: &str| match find(first, list).map(|node| &node.value) {
        Some(Value::List(items)) => items.iter().any(|item| find(item, field).is_some()),
        _ => false,
    };
    match () {
        () if has(&["partitions"]) => Some(FileKind::Quotas(QuotaFormat::Yunikorn, Objects::default())),
        () if deeper("cohorts", "queuesSets") => Some(FileKind::Trace(TraceFormat::Kueue)),
        () if has(&["queues", "nodes", "jobs"]) || has(&["cycles", "queues"]) => {
            Some(FileKind::Trace(TraceFormat::Kai))
        }
        () if deeper("queues", "jobTemplates") => Some(FileKind::Trace(TraceFormat::Armada)),
        () if deeper("clusters", "nodeTemplates") || deeper("pools", "clusterGroups") => Some(FileKind::Other {
            what: "a cluster specification of Armada's simulator",
            advice: "import the workload specification, and give this with `--nodes`",
        }),
        () => None,
    }
}

/// Whether a document is a scenario in YAML or JSON, or a quota tree in the notation of scenarios.
fn is_scenario(document: &Node) -> bool {
    let has = |names: &[&str]| names.iter().any(|name| find(document, name).is_some());
    match find(document, "kind").and_then(scalar) {
        Some(kind) => matches!(kind, "Scenario" | "Quota") && !has(&["apiVersion"]),
        None if has(&["apiVersion", "nodes", "cohorts"]) => false,
        None => {
            has(&["Scenario", "Quota", "extends"])
                || has(&["cluster"]) && has(&["quota", "name"])
                || has(&["name"]) && has(&["min", "max", "children", "quota", "include"])
        }
    }
}

/// Counts the object at this node or, if the node is a list of objects, its items.
fn count(node: &Node, inherited: Option<(&str, &str)>, objects: &mut Objects, formats: &mut BTreeSet<QuotaFormat>) {
    let text = |field: &str| find(node, field).and_then(scalar);
    let (kind, version) = match (text("kind"), inherited) {
        (Some(kind), _) => (kind, text("apiVersion").unwrap_or_default()),
        (None, Some(inherited)) => inherited,
        (None, None) => return,
    };
    if let (Some(of), Some(items)) = (kind.strip_suffix("List"), find(node, "items")) {
        let inherited = (!of.is_empty()).then_some((of, version));
        if let Value::List(items) = &items.value {
            items.iter().for_each(|item| count(item, inherited, objects, formats));
        }
        return;
    }
    let group = version.split_once('/').map_or("", |(group, _)| group);
    formats.extend(QuotaFormat::of(kind, group));
    let is_yunikorn = kind == "ConfigMap" && find(node, "data").and_then(|data| find(data, "queues.yaml")).is_some();
    if is_yunikorn {
        formats.insert(QuotaFormat::Yunikorn);
    }
    *objects.kinds.entry(kind.to_owned()).or_default() += 1;
    objects.pods += u64::from(kind == "Pod");
    objects.nodes += u64::from(kind == "Node");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format_is_known_by_its_content() {
        for (text, wanted) in [
            ("// a\nScenario(\n", "a scenario"),
            ("#![enable(implicit_some)]\n\nScenario(\n", "a scenario"),
            ("# a\nname: x\ncluster: []\nquota: {}\n", "a scenario"),
            ("{\"extends\": \"a.yaml\"}", "a scenario"),
            ("name: root\nmin: {cpu: 4}\n", "a scenario"),
            ("timestamp,duration,num_gpus,gpu_time,cluster\n", "a Philly job list"),
            ("job_id,user,vc,gpu_num,cpu_num,node_num,state,submit_time\n", "a Helios job list"),
            ("job_id,user,node_num,gpu_num,cpu_num,type,state,submit_time,duration\n", "an Acme job list"),
            ("job_id,num_gpu,submit_time,duration,priority\n", "a Muri job list"),
            ("time,running_gpu_num,pending_gpu_num\n", "a demand series of Helios"),
            ("name,cpu_milli,memory_mib,num_gpu,gpu_milli\n", "an openb pod list"),
            ("sn,cpu_milli,memory_mib,gpu,model\n", "an openb node list"),
            ("vc,node num\n", "a list of the sizes of virtual clusters"),
            ("j1,worker,2.0,Terminated,100.0,160.5,600.0,29.2,50.0,MISC\n", "a PAI task table"),
            ("submit_s,runtime_s,cpu\n", "a trace of quotree's own format"),
            ("1 0 -1 100 4 -1 -1 -1 -1 -1 1 7 1 -1 -1 -1 -1 -1\n", "a log in the Standard Workload Format"),
            ("JobID|User|Account\n", "a job log of Slurm"),
            ("Cluster|Account|User|Share\n", "accounts of Slurm"),
            ("# c\nCluster - 'a'\n", "accounts of Slurm"),
            ("<?xml version=\"1.0\"?><configuration>yarn.scheduler.capacity.root", "a capacity-scheduler.xml of YARN"),
            ("<allocations>", "a fair-scheduler.xml of YARN"),
            ("partitions:\n- name: default\n", "queues of YuniKorn"),
            ("cohorts:\n- queuesSets: []\n", "a configuration of Kueue's performance generator"),
            ("Cycles: 1\nQueues: []\n", "a configuration of KAI's simulator"),
            ("queues:\n- jobTemplates: []\n", "a workload specification of Armada's simulator"),
            ("kind: ClusterQueue\n---\nkind: Node\n", "queues of Kueue (1 ClusterQueue, 1 Node)"),
            ("{\"kind\": \"PodList\", \"items\": [{}, {}]}", "objects of a cluster (2 Pod)"),
            (
                "kind: ElasticQuota\n---\nkind: ElasticQuotaTree\n",
                "quota objects of several schedulers (an ElasticQuotaTree, ElasticQuotas)",
            ),
        ] {
            assert_eq!(detect(text.as_bytes()).map(|kind| kind.to_string()).as_deref(), Some(wanted), "{text}");
        }
        for text in ["", "hello", "a,b\n1,2\n", "x: 1\n", "[1, 2"] {
            assert_eq!(detect(text.as_bytes()), None, "{text}");
        }
    }
}
