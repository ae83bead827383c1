//! The loop of an adapter between a real cluster and the scheduler: watch, decide, write, report what came of it. Here a
//! write fails now and then, and the adapter is restarted in the middle. Run it with
//! `cargo run -p quotree-core --example adapter_loop`.
//!
//! The cluster is a table of pods, as a LIST of its API shows it. The adapter keeps nothing else: after a restart it
//! submits every workload in the order of its id and reports each pod that has a node as found. It then goes on where it
//! was, and evicts nobody whom it would not have evicted anyway (E4).

use quotree_core::{
    Action, Amounts, DeviceSet, Event, EventError, FoundState, NodeId, NodeSpec, PodOutcome, Policy, QuotaSpec,
    Scheduler, Time, TreeSpec, WorkloadId, WorkloadSpec,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    error::Error,
};

/// One GPU, in the core's unit for everything that is not bytes: thousandths.
fn gpus(count: i64) -> Amounts {
    Amounts::new().with("nvidia.com/gpu", count * 1000)
}

fn tree() -> TreeSpec {
    [
        QuotaSpec::new("company", None).min(gpus(4)).max(gpus(4)),
        QuotaSpec::new("vision", Some("company")).min(gpus(2)).namespace("vision"),
        QuotaSpec::new("speech", Some("company")).min(gpus(2)).namespace("speech"),
    ]
    .into_iter()
    .collect()
}

/// A pod as the cluster shows it. Here each workload is one pod.
struct Pod {
    spec: WorkloadSpec,
    /// Its node, and since when it runs there.
    on: Option<(NodeId, Time)>,
    /// Whether it has a deletion timestamp.
    stops: bool,
}

/// The cluster, as its API server would show it.
#[derive(Default)]
struct Cluster {
    nodes: Vec<NodeSpec>,
    pods: BTreeMap<u32, Pod>,
    /// The pods that a webhook does not let go, and how many more binds time out.
    guarded: BTreeSet<u32>,
    failing_binds: u32,
}

impl Cluster {
    /// What a scheduler must be told that knows nothing: nodes, then workloads in the order of their ids, then pods.
    fn list(&self) -> Vec<Event> {
        let nodes = self.nodes.iter().cloned().map(Event::NodeUp);
        let workloads = self.pods.values().map(|pod| Event::WorkloadSubmitted(pod.spec.clone()));
        let found = self.pods.iter().filter_map(|(id, pod)| {
            let (node, since) = pod.on?;
            let state = if pod.stops { FoundState::Terminating } else { FoundState::Running };
            let pod = WorkloadId(*id).pod(0);
            Some(Event::PodFound { pod, node, devices: DeviceSet::default(), state, since })
        });
        nodes.chain(workloads).chain(found).collect()
    }

    /// A user creates a pod.
    fn create(&mut self, id: u32, team: &str, now: Time) -> Event {
        let spec = WorkloadSpec::pod(id, team, now, gpus(2));
        self.pods.insert(id, Pod { spec: spec.clone(), on: None, stops: false });
        Event::WorkloadSubmitted(spec)
    }

    /// Carries out an action, and gives what the watch then shows of it.
    fn write(&mut self, action: &Action, now: Time) -> Option<Event> {
        match action {
            Action::Bind { pod, .. } if self.failing_binds > 0 => {
                self.failing_binds -= 1;
                Some(Event::BindFailed { pod: *pod })
            }
            Action::Bind { pod, node, .. } => {
                self.pods.get_mut(&pod.workload.0)?.on = Some((*node, now));
                Some(Event::bound(*pod, now))
            }
            Action::Evict { pod, .. } if self.guarded.contains(&pod.workload.0) => {
                Some(Event::EvictFailed { pod: *pod })
            }
            // It stops, and is gone later.
            Action::Evict { pod, .. } => {
                self.pods.get_mut(&pod.workload.0)?.stops = true;
                None
            }
            _ => None,
        }
    }

    /// The pods that stop are gone.
    fn reap(&mut self) -> Vec<Event> {
        let gone: Vec<u32> = self.pods.iter().filter(|(_, pod)| pod.stops).map(|(id, _)| *id).collect();
        gone.iter().for_each(|id| drop(self.pods.remove(id)));
        let event = |id| Event::PodGone { pod: WorkloadId(id).pod(0), outcome: PodOutcome::Evicted };
        gone.into_iter().map(event).collect()
    }
}

/// A scheduler that is told all that a LIST shows, before its first decision.
fn start(cluster: &Cluster) -> Result<Scheduler, Box<dyn Error>> {
    let mut scheduler = Scheduler::new(&tree(), Policy::default()).map_err(|findings| format!("{findings:?}"))?;
    for event in cluster.list() {
        scheduler.apply(event)?;
    }
    Ok(scheduler)
}

/// Decides, writes, and reports what came of it, until there is nothing left to do. Gives the pods that were evicted.
fn go(scheduler: &mut Scheduler, cluster: &mut Cluster, now: Time) -> Result<Vec<u32>, EventError> {
    let mut evicted = Vec::new();
    loop {
        let plan = scheduler.decide(now);
        if plan.is_empty() {
            return Ok(evicted);
        }
        for action in &plan.actions {
            let outcome = cluster.write(action, now);
            let what = match (action, &outcome) {
                (Action::Bind { pod, node, .. }, Some(Event::PodBound { .. })) => format!("{pod} is bound to {node}"),
                (Action::Bind { pod, .. }, _) => format!("the bind of {pod} failed"),
                (Action::Evict { pod, .. }, Some(_)) => format!("the eviction of {pod} is refused"),
                (Action::Evict { pod, .. }, None) => {
                    evicted.push(pod.workload.0);
                    format!("{pod} is told to stop")
                }
                (Action::Hold { workload, .. }, _) => format!("{workload} waits for what was told to stop"),
                (Action::Release { workload, .. }, _) => format!("{workload} waits for that no more"),
                (other, _) => format!("{other:?}"),
            };
            println!("- {what}");
            outcome.into_iter().try_for_each(|event| scheduler.apply(event))?;
        }
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let nodes = vec![NodeSpec::new(0, gpus(2)), NodeSpec::new(1, gpus(2))];
    let mut cluster = Cluster { nodes, failing_binds: 1, ..Cluster::default() };
    let mut scheduler = start(&cluster)?;

    println!("speech creates two pods of two GPUs. The first bind times out:");
    for id in [1, 2] {
        scheduler.apply(cluster.create(id, "speech", Time(0)))?;
    }
    assert_eq!(go(&mut scheduler, &mut cluster, Time(0))?, []);
    assert!(cluster.pods.values().all(|pod| pod.on.is_some()));

    println!("\nvision creates a pod, and may reclaim two GPUs. A webhook guards w1:");
    cluster.guarded.insert(1);
    scheduler.apply(cluster.create(3, "vision", Time(60_000)))?;
    assert_eq!(go(&mut scheduler, &mut cluster, Time(60_000))?, [2], "w1 would be evicted first, and cannot be");

    println!("\nThe adapter is restarted while w2 stops. Nobody else is told to stop:");
    scheduler = start(&cluster)?;
    assert_eq!(go(&mut scheduler, &mut cluster, Time(61_000))?, []);

    println!("\nw2 is gone:");
    for event in cluster.reap() {
        scheduler.apply(event)?;
    }
    assert_eq!(go(&mut scheduler, &mut cluster, Time(90_000))?, []);
    let placed: Vec<u32> = cluster.pods.iter().filter(|(_, pod)| pod.on.is_some()).map(|(id, _)| *id).collect();
    assert_eq!(placed, [1, 3]);
    println!("\nw1 and w3 run.");
    Ok(())
}
