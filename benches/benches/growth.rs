//! How the time of a decision grows with the number of nodes, of leaves and of waiting workloads, each alone. Decided is
//! what happens all the time: a pod ends, and a waiting one takes its place.

#![allow(missing_docs, reason = "criterion's mains have no readers")]
#![expect(clippy::unwrap_used, reason = "a bench that cannot run has nothing to say")]

use quotree_benches::{cluster::Cluster, counted, counts_instructions, once, only_tried, peak_mib, row};
use quotree_core::{
    Amounts, Event, Name, NodeSpec, PodId, PodOutcome, PodSet, PodTemplate, Policy, QuotaSpec, Scheduler, Time,
    TreeSpec, WorkloadId, WorkloadSpec,
};
use quotree_testkit::dice::Dice;
use std::{sync::Arc, time::Duration};

/// Pods that one node holds.
const PER_NODE: u32 = 4;

fn cpu(n: u32) -> Amounts {
    Amounts::new().with("cpu", i64::from(n) * 1000)
}

/// Teams of twenty leaves, every leaf with an equal guarantee.
fn tree(leaves: u32, capacity: u32) -> TreeSpec {
    let share = |n: u32| Amounts::new().with("cpu", i64::from(capacity) * 1000 * i64::from(n) / i64::from(leaves));
    let mut quotas = vec![QuotaSpec::new("root", None).min(cpu(capacity)).max(cpu(capacity))];
    for team in 0..leaves.div_ceil(20) {
        let name = format!("team-{team}");
        let members = (leaves - team * 20).min(20);
        quotas.push(QuotaSpec::new(&name, Some("root")).min(share(members)).max(cpu(capacity)));
        for leaf in team * 20..team * 20 + members {
            let leaf = format!("leaf-{leaf}");
            quotas.push(QuotaSpec::new(&leaf, Some(&name)).min(share(1)).max(cpu(capacity)).namespace(&leaf));
        }
    }
    quotas.into_iter().collect()
}

/// Nanoseconds of a decision, fact and outcome included.
fn decision(nodes: u32, leaves: u32, pending: u32) -> u64 {
    let (rounds, took) = turns(nodes, leaves, pending);
    u64::try_from(took.as_nanos()).unwrap_or(u64::MAX) / u64::from(rounds.max(1))
}

/// How many pods ended one by one, and how long that took in all, with the decisions that followed.
fn turns(nodes: u32, leaves: u32, pending: u32) -> (u32, Duration) {
    let capacity = nodes * PER_NODE;
    let mut cluster = Cluster::new(Scheduler::new(&tree(leaves, capacity), Policy::default()).unwrap());
    for id in 0..nodes {
        cluster.tell(Event::NodeUp(NodeSpec::new(id, cpu(PER_NODE)))).unwrap();
    }
    let template = Arc::new(PodTemplate { request: cpu(1), ..PodTemplate::default() });
    let namespaces: Vec<Name> = (0..leaves).map(|leaf| format!("leaf-{leaf}").into()).collect();
    let mut running = Vec::new();
    for id in 0..capacity + pending {
        let spec = WorkloadSpec {
            id: WorkloadId(id),
            namespace: namespaces.get((id % leaves) as usize).unwrap().clone(),
            quota: None,
            submitted: Time(u64::from(id)),
            priority: 0,
            preemptible: true,
            may_evict: true,
            pods: [PodSet { template: template.clone(), count: 1, min: 1 }].into_iter().collect(),
            budget: None,
            together: None,
            replaces: None,
        };
        cluster.tell(Event::WorkloadSubmitted(spec)).unwrap();
        if id + 1 == capacity || id + 1 == capacity + pending {
            cluster.decide(Time(u64::from(id)), |pod, _| running.push(pod), |_| {}).unwrap();
        }
    }
    let mut dice = Dice::new(1);
    let rounds = if only_tried() && !counts_instructions() { 10 } else { 2000.min(pending) };
    let start = u64::from(capacity) + u64::from(pending);
    let turn = || {
        for round in 0..u64::from(rounds) {
            let pod: PodId = running.swap_remove(dice.index(running.len()));
            cluster.tell(Event::PodGone { pod, outcome: PodOutcome::Succeeded }).unwrap();
            let mut gone = Vec::new();
            cluster.decide(Time(start + round), |pod, _| running.push(pod), |workload| gone.push(workload)).unwrap();
            // A leaf that ran dry lends, and its guarantee is taken back later.
            if !gone.is_empty() {
                running.retain(|pod| !gone.contains(&pod.workload));
            }
        }
    };
    let (_, took) = once(|| counted(turn));
    assert!(cluster.binds >= u64::from(capacity + rounds), "every end makes room for one");
    (rounds, took)
}

fn show(what: &str, sizes: &[u32], of: impl Fn(u32) -> u64) {
    let cells: Vec<String> = sizes
        .iter()
        .map(|n| (n, of(*n)))
        .map(|(n, ns)| format!("{n}: {}.{:01} us", ns / 1000, ns % 1000 / 100))
        .collect();
    row(&[&format!("growth: time per decision over {what}"), &cells.join(", ")]);
}

fn main() {
    if counts_instructions() {
        let (rounds, _) = turns(1000, 100, 10_000);
        return println!("{rounds} turns");
    }
    if only_tried() {
        show("nodes", &[10], |n| decision(n, 10, 100));
        return;
    }
    show("nodes (100 leaves, 10,000 pending)", &[100, 1000, 10_000], |n| decision(n, 100, 10_000));
    show("leaves (1000 nodes, 10,000 pending)", &[10, 100, 1000, 10_000], |n| decision(1000, n, 10_000));
    show("pending (1000 nodes, 100 leaves)", &[1000, 10_000, 100_000, 1_000_000], |n| decision(1000, 100, n));
    // The last of them held a million pods that wait: the process's peak, shared out among them.
    let bytes = peak_mib() * (1 << 20) / 1_000_000;
    row(&["memory: peak of the process with 1,000,000 pending pods", &format!("{bytes} bytes a pod")]);
}
