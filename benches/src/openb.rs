//! The experiment on the openb lists: pods drawn to 130 per cent of a cluster's GPUs and placed one by one on its 1213 GPU
//! nodes, without departures; what does not fit is dropped.
//!
//! Every draw comes from a stream of its own: the order of the pods, what is drawn in addition or left out, and how nodes
//! are numbered, which is what ties go by.

use crate::cluster::Cluster;
use quotree_core::{
    Amounts, DeviceAsk, DeviceSpec, Event, EventError, Name, NodeSpec, Placement, PodSet, PodTemplate, Policy,
    Preemption, QuotaSpec, Scheduler, Time, TypicalPod, WorkloadId, WorkloadSpec,
};
use quotree_sim::random::Stream;
use quotree_testkit::shared::read_shared;
use std::{io, path::Path, sync::Arc};

/// The resource that GPUs are.
pub const GPU: &str = "nvidia.com/gpu";
/// Up to how many per cent of the cluster's GPUs pods are drawn.
pub const MOST_PER_CENT: usize = 130;

/// The lists of the published table.
pub const LISTS: [&str; 5] = ["default", "cpu200", "gpushare100", "gpuspec33", "multigpu50"];

/// A pod of a list.
#[derive(Debug, Clone)]
pub struct Pod {
    /// What it asks.
    pub template: Arc<PodTemplate>,
    /// GPUs in thousandths.
    pub gpus: i64,
}

/// The policies of the published table, with the names it gives them.
#[must_use]
pub const fn policies(seed: u64) -> [(&'static str, Placement); 6] {
    [
        ("Random", Placement::Random { seed }),
        ("DotProd", Placement::DotProduct),
        ("GpuClustering", Placement::GpuClustering),
        ("GpuPacking", Placement::GpuPacking),
        ("BestFit", Placement::BestFit),
        ("FGD", Placement::Fgd),
    ]
}

fn bad(what: &str, line: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("not a {what} of the trace: {line}"))
}

fn node(id: u32, line: &str) -> Option<NodeSpec> {
    let cells: Vec<&str> = line.split(',').collect();
    let [_, cpu, memory, gpus, model] = cells.as_slice() else { return None };
    let count: u32 = gpus.parse().ok()?;
    let allocatable = Amounts::new()
        .with("cpu", cpu.parse().ok()?)
        .with("memory", memory.parse::<i64>().ok()? << 20)
        .with(GPU, i64::from(count) * 1000);
    let mut node = NodeSpec::new(id, allocatable);
    node.devices.push(DeviceSpec { resource: GPU.into(), count, each: 1000 });
    node.labels.push(("model".into(), (*model).into()));
    Some(node)
}

fn pod(line: &str) -> Option<Pod> {
    let cells: Vec<&str> = line.split(',').collect();
    let [_, cpu, memory, gpus, milli, rest @ ..] = cells.as_slice() else { return None };
    let count: u32 = gpus.parse().ok()?;
    let each: i64 = milli.parse().ok()?;
    let asked = if count == 0 { 0 } else { i64::from(count) * each };
    let mut request = Amounts::new().with("cpu", cpu.parse().ok()?).with("memory", memory.parse::<i64>().ok()? << 20);
    let mut selector = Vec::new();
    let mut devices = None;
    if asked > 0 {
        request.set(GPU, asked);
        devices = Some(DeviceAsk { resource: GPU.into(), count, each });
    }
    if let Some(models) = rest.first().filter(|models| !models.is_empty()) {
        selector.push((Name::from("model"), models.split('|').map(Name::from).collect()));
    }
    let template = PodTemplate { request, devices, selector, tolerations: Vec::new() };
    Some(Pod { template: Arc::new(template), gpus: asked })
}

/// The GPU nodes of the trace.
///
/// # Errors
/// When the file cannot be read.
pub fn nodes(folder: &Path) -> io::Result<Vec<NodeSpec>> {
    let text = read_shared(folder, "traces/openb/openb_node_list_gpu_node.csv")?;
    let rows = text.lines().skip(1).zip(0..);
    rows.map(|(line, id)| node(id, line).ok_or_else(|| bad("node", line))).collect()
}

/// A list of pods of the trace.
///
/// # Errors
/// When the file cannot be read.
pub fn list(folder: &Path, name: &str) -> io::Result<Vec<Pod>> {
    let packed = if name == "default" { "" } else { ".gz" };
    let text = read_shared(folder, &format!("traces/openb/openb_pod_list_{name}.csv{packed}"))?;
    text.lines().skip(1).map(|line| pod(line).ok_or_else(|| bad("pod", line))).collect()
}

/// The GPUs of the nodes, in thousandths.
#[must_use]
pub fn capacity(nodes: &[NodeSpec]) -> i64 {
    nodes.iter().filter_map(|n| n.allocatable.get(GPU)).sum()
}

fn index(stream: &mut Stream, below: usize) -> usize {
    usize::try_from(stream.below(below as u64)).unwrap_or(0)
}

fn shuffle<T>(values: &mut [T], stream: &mut Stream) {
    for i in (1..values.len()).rev() {
        values.swap(i, index(stream, i + 1));
    }
}

/// The list in a drawn order, then pods drawn from it again until the next would pass 130 per cent. A list that asks for
/// more already loses drawn pods until it does not.
#[must_use]
pub fn draw(list: &[Pod], capacity: i64, seed: u64) -> Vec<Pod> {
    let most = capacity / 100 * MOST_PER_CENT as i64;
    let mut drawn = list.to_vec();
    shuffle(&mut drawn, &mut Stream::new(seed, "openb/order"));
    let mut asked: i64 = drawn.iter().map(|pod| pod.gpus).sum();
    let mut stream = Stream::new(seed, "openb/inflate");
    while asked > most {
        asked -= drawn.remove(index(&mut stream, drawn.len())).gpus;
    }
    while let Some(next) = list.get(index(&mut stream, list.len())) {
        asked += next.gpus;
        if asked > most {
            break;
        }
        drawn.push(next.clone());
    }
    drawn
}

/// The nodes with their numbers in a drawn order: ties go to the lowest.
#[must_use]
pub fn renumber(nodes: &[NodeSpec], seed: u64) -> Vec<NodeSpec> {
    let mut nodes = nodes.to_vec();
    shuffle(&mut nodes, &mut Stream::new(seed, "openb/nodes"));
    for (node, id) in nodes.iter_mut().zip(0..) {
        node.id = quotree_core::NodeId(id);
    }
    nodes
}

/// The typical pods of a list.
#[must_use]
pub fn typical(list: &[Pod]) -> Vec<TypicalPod> {
    TypicalPod::of(list.iter().map(|pod| (&*pod.template, 1)))
}

/// What came of one run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// How many pods stand.
    pub placed: u64,
    /// What they hold of GPUs, in thousandths.
    pub held: i64,
    /// By whole per cent of arrived GPU requests: the mean share of the GPUs held meanwhile, in thousandths of a per cent.
    pub curve: Vec<Option<i64>>,
}

/// Places the pods one by one through the scheduler.
///
/// # Errors
/// When the scheduler refuses a fact, which it has no reason to.
pub fn place(nodes: &[NodeSpec], pods: &[Pod], policy: Policy) -> Result<Outcome, EventError> {
    let capacity = capacity(nodes);
    let all = Amounts::new().with(GPU, capacity);
    let tree = [
        QuotaSpec::new("root", None).min(all.clone()).max(all.clone()),
        QuotaSpec::new("all", Some("root")).min(all.clone()).max(all).namespace("openb"),
    ];
    // Nobody departs and nobody is evicted: it is placement that is looked at.
    let policy = Policy { preemption: Preemption::None, ..policy };
    let Ok(scheduler) = Scheduler::new(&tree.into_iter().collect(), policy) else {
        unreachable!("a tree of two quotas that give each other what they have")
    };
    let mut cluster = Cluster::new(scheduler);
    for node in nodes {
        cluster.tell(Event::NodeUp(node.clone()))?;
    }
    let namespace = Name::from("openb");
    let (mut arrived, mut held) = (0i64, 0i64);
    let mut sums = vec![(0i64, 0i64); MOST_PER_CENT + 1];
    for (pod, id) in pods.iter().zip(0u32..) {
        let spec = WorkloadSpec {
            id: WorkloadId(id),
            namespace: namespace.clone(),
            quota: None,
            submitted: Time(u64::from(id)),
            priority: 0,
            preemptible: true,
            may_evict: true,
            pods: [PodSet { template: pod.template.clone(), count: 1, min: 1 }].into_iter().collect(),
            budget: None,
            together: None,
            replaces: None,
        };
        cluster.tell(Event::WorkloadSubmitted(spec))?;
        let before = cluster.binds;
        cluster.decide(Time(u64::from(id)), |_, _| {}, |_| {})?;
        if cluster.binds == before {
            cluster.tell(Event::WorkloadWithdrawn { workload: WorkloadId(id) })?;
        } else {
            held += pod.gpus;
        }
        arrived += pod.gpus;
        let per_cent = usize::try_from((arrived * 100 + capacity / 2) / capacity).unwrap_or(usize::MAX);
        if let Some((sum, count)) = sums.get_mut(per_cent) {
            *sum += held;
            *count += 1;
        }
    }
    let mean = |(sum, count): (i64, i64)| {
        (count > 0).then(|| i64::try_from(i128::from(sum) * 100_000 / i128::from(count * capacity)).unwrap_or(i64::MAX))
    };
    Ok(Outcome { placed: cluster.binds, held, curve: sums.into_iter().map(mean).collect() })
}

/// The published curves: the mean over seeds of one list and policy, by whole per cent, in thousandths of a per cent.
///
/// # Errors
/// When the file cannot be read.
pub fn published(folder: &Path, list: &str, policy: &str) -> io::Result<Vec<Option<i64>>> {
    let text = read_shared(folder, "traces/openb/expected_fgd_atc23/analysis_allo_discrete.csv.gz")?;
    let wanted = format!("openb_pod_list_{list}");
    let of_it = |cells: &&[&str]| {
        cells.first() == Some(&&*wanted)
            && cells.get(1).and_then(|name| name.split_once('-')).map(|n| n.1) == Some(policy)
    };
    let rows: Vec<Vec<&str>> = text.lines().skip(1).map(|line| line.split(',').collect()).collect();
    let rows: Vec<&[&str]> = rows.iter().map(Vec::as_slice).filter(of_it).collect();
    let value = |per_cent: usize| {
        let values: Option<Vec<i64>> = rows.iter().map(|row| thousandths(row.get(5 + per_cent)?)).collect();
        values.filter(|values| !values.is_empty()).map(|values| values.iter().sum::<i64>() / values.len() as i64)
    };
    Ok((0..=MOST_PER_CENT).map(value).collect())
}

/// A decimal number in thousandths.
fn thousandths(text: &str) -> Option<i64> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let part: String = part.chars().chain("000".chars()).take(3).collect();
    Some(whole.parse::<i64>().ok()? * 1000 + part.parse::<i64>().ok()?)
}
