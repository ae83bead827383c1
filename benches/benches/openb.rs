//! openb by best fit: pods drawn to 130 per cent of the cluster's GPUs and placed one by one on 1213 nodes, no departures.

#![allow(missing_docs, reason = "criterion's mains have no readers")]
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a bench that cannot run has nothing to say")]

use quotree_benches::{cluster::Cluster, criterion, only_tried, rate, row, shortest};
use quotree_core::{
    Amounts, DeviceAsk, DeviceSpec, Event, Name, NodeSpec, PodSet, PodTemplate, Policy, Preemption, QuotaSpec,
    Scheduler, Time, WorkloadId, WorkloadSpec,
};
use quotree_testkit::{
    dice::Dice,
    shared::{read_shared, shared},
};
use std::sync::Arc;

const GPU: &str = "nvidia.com/gpu";

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

/// A pod of the list: its template and its GPUs in thousandths.
fn pod(line: &str) -> Option<(Arc<PodTemplate>, i64)> {
    let cells: Vec<&str> = line.split(',').collect();
    let [_, cpu, memory, gpus, milli, models, ..] = cells.as_slice() else { return None };
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
    if !models.is_empty() {
        selector.push((Name::from("model"), models.split('|').map(Name::from).collect()));
    }
    Some((Arc::new(PodTemplate { request, devices, selector, tolerations: Vec::new() }), asked))
}

/// The list shuffled, then drawn from again until the next pod would pass 130 per cent.
fn draw(list: &[(Arc<PodTemplate>, i64)], capacity: i64, seed: u64) -> Vec<Arc<PodTemplate>> {
    let mut dice = Dice::new(seed);
    let mut drawn: Vec<&(Arc<PodTemplate>, i64)> = list.iter().collect();
    for i in (1..drawn.len()).rev() {
        drawn.swap(i, dice.index(i + 1));
    }
    let mut asked: i64 = drawn.iter().map(|(_, gpus)| gpus).sum();
    while let Some(next) = list.get(dice.index(list.len())) {
        asked += next.1;
        if asked * 10 > capacity * 13 {
            break;
        }
        drawn.push(next);
    }
    drawn.into_iter().map(|(template, _)| template.clone()).collect()
}

/// Places the pods one by one and gives how many stood and how many thousandths of a GPU they hold.
fn place(nodes: &[NodeSpec], pods: &[Arc<PodTemplate>]) -> (u64, i64) {
    let capacity: i64 = nodes.iter().filter_map(|n| n.allocatable.get(GPU)).sum();
    let all = Amounts::new().with(GPU, capacity);
    let tree = [
        QuotaSpec::new("root", None).min(all.clone()).max(all.clone()),
        QuotaSpec::new("all", Some("root")).min(all.clone()).max(all).namespace("openb"),
    ];
    // Nobody departs and nobody is evicted: it is placement that is measured.
    let policy = Policy { preemption: Preemption::None, ..Policy::default() };
    let mut cluster = Cluster::new(Scheduler::new(&tree.into_iter().collect(), policy).unwrap());
    for node in nodes {
        cluster.tell(Event::NodeUp(node.clone())).unwrap();
    }
    let namespace = Name::from("openb");
    let mut held = 0;
    for (template, id) in pods.iter().zip(0u32..) {
        let spec = WorkloadSpec {
            id: WorkloadId(id),
            namespace: namespace.clone(),
            submitted: Time(u64::from(id)),
            priority: 0,
            preemptible: true,
            pods: [PodSet { template: template.clone(), count: 1, min: 1 }].into_iter().collect(),
            budget: None,
            replaces: None,
        };
        cluster.tell(Event::WorkloadSubmitted(spec)).unwrap();
        let before = cluster.binds;
        cluster.decide(Time(u64::from(id)), |_, _| {}, |_| {}).unwrap();
        if cluster.binds == before {
            cluster.tell(Event::WorkloadWithdrawn { workload: WorkloadId(id) }).unwrap();
        } else {
            held += template.request.get(GPU).unwrap_or(0);
        }
    }
    (cluster.binds, held)
}

fn main() {
    let Some(folder) = shared() else { return };
    let read = |name: &str| read_shared(&folder, &format!("traces/openb/{name}")).unwrap();
    let text = read("openb_node_list_gpu_node.csv");
    let nodes: Vec<NodeSpec> =
        text.lines().skip(1).zip(0..).map(|(line, id)| node(id, line).expect("a node of the trace")).collect();
    let text = read("openb_pod_list_default.csv");
    let list: Vec<_> = text.lines().skip(1).map(|line| pod(line).expect("a pod of the trace")).collect();
    let capacity: i64 = nodes.iter().filter_map(|n| n.allocatable.get(GPU)).sum();
    assert_eq!((nodes.len(), list.len(), capacity), (1213, 8152, 6_212_000));
    let pods = draw(&list, capacity, 42);
    let (placed, held) = place(&nodes, &pods);
    if only_tried() {
        return;
    }
    let mut criterion = criterion();
    let took = shortest(&mut criterion, "openb/best fit", || place(&nodes, &pods));
    let hundredths = held * 10_000 / capacity;
    row(&[
        "openb, BestFit, 1213 nodes",
        &rate(pods.len() as u64, took),
        &format!("{} tried, {placed} placed", pods.len()),
        &format!("{}.{:02} per cent of the GPUs held (published mean 93.08)", hundredths / 100, hundredths % 100),
    ]);
    criterion.final_summary();
}
