//! Scenarios as values, for tests of the engine.
#![allow(dead_code, reason = "each test binary uses its part")]
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "test support: a failure is a failed test")]

use quotree_core::{Amounts, NodeSpec, PodTemplate, Policy, QuotaSpec, Time, TreeSpec};
use quotree_sim::model::{
    Change, Checkpoints, Claim, Cluster, DeviceUse, Kind, Limits, Ms, Node, OnLoss, Positive, Predicate, Priority,
    Retries, Role, Runtime, Scaling, Scenario, Selector, TimedChange, TraceRow, When, Work, Workload, World,
};
use quotree_sim::{Run, RunOptions, run};
use std::sync::Arc;

pub(crate) const MINUTE: u64 = 60_000;

pub(crate) fn cpu(n: i64) -> Amounts {
    Amounts::new().with("cpu", n * 1000)
}

pub(crate) fn template(n: i64) -> Arc<PodTemplate> {
    Arc::new(PodTemplate { request: cpu(n), ..PodTemplate::default() })
}

/// Nodes of this many cores each.
pub(crate) fn nodes(cores: &[i64]) -> Cluster {
    let node = |(i, n): (usize, &i64)| {
        let spec = NodeSpec::new(u32::try_from(i).unwrap(), cpu(*n));
        Node::new(format!("n{}", i + 1), "pool".into(), spec)
    };
    Cluster { nodes: cores.iter().enumerate().map(node).collect(), ..Cluster::default() }
}

/// A pool without nodes.
pub(crate) fn pool(cores: i64) -> Cluster {
    Cluster { is_pool: true, ..nodes(&[cores]) }
}

/// One leaf `all` for namespace `ns`, with the min and max of the root.
pub(crate) fn flat(cores: i64) -> TreeSpec {
    [
        QuotaSpec::new("root", None).min(cpu(cores)).max(cpu(cores)),
        QuotaSpec::new("all", Some("root")).min(cpu(cores)).max(cpu(cores)).namespace("ns"),
    ]
    .into_iter()
    .collect()
}

pub(crate) fn scenario(cluster: Cluster, tree: TreeSpec, workloads: Vec<Workload>) -> Scenario {
    Scenario {
        name: "test".into(),
        about: String::new(),
        seed: 1,
        policy_name: "capacity".into(),
        policy: Policy::default(),
        cluster,
        tree,
        people: quotree_sim::people::People::default(),
        queues: Vec::new(),
        datasets: Vec::new(),
        workloads,
        events: Vec::new(),
        faults: Vec::new(),
        claims: Vec::new(),
        world: World::default(),
        digest: 0,
    }
}

pub(crate) fn workload(name: &str, namespace: &str, submit_ms: u64, kind: Kind) -> Workload {
    Workload {
        name: name.into(),
        namespace: namespace.into(),
        user: None,
        priority: Priority::default(),
        preemptible: true,
        budget: None,
        together: None,
        eviction_grace: None,
        submit: Time(submit_ms),
        arrivals: None,
        deadline_ms: None,
        device_use: DeviceUse::default(),
        kind,
    }
}

pub(crate) fn deployment(name: &str, namespace: &str, submit_ms: u64, replicas: u32, cores: i64) -> Workload {
    workload(name, namespace, submit_ms, Kind::Deployment { replicas, template: template(cores) })
}

fn checkpoints(ms: Option<u64>) -> Checkpoints {
    Checkpoints { checkpoint: ms.map(Positive), checkpoint_cost: Ms(0) }
}

pub(crate) fn job(name: &str, submit_ms: u64, completions: u32, parallelism: u32, cores: i64, ms: u64) -> Workload {
    let kind = Kind::Job {
        completions,
        parallelism,
        retries: Retries::default(),
        template: template(cores),
        runtime: Runtime::Fixed(ms),
        checkpoints: checkpoints(None),
        reads: None,
    };
    workload(name, "ns", submit_ms, kind)
}

pub(crate) fn role(name: &str, replicas: u32, min: u32, cores: i64) -> Role {
    Role { name: name.into(), replicas, min, works: true, template: template(cores) }
}

pub(crate) fn training(name: &str, submit_ms: u64, roles: Vec<Role>, ms: u64, checkpoint_ms: Option<u64>) -> Workload {
    let kind = Kind::Training {
        roles,
        work: Work::Runtime(Runtime::Fixed(ms)),
        checkpoints: checkpoints(checkpoint_ms),
        restart_overhead_ms: 1_000,
        scaling: Scaling::Linear,
        max_restarts: None,
        runtime_limit_ms: None,
        on_loss: OnLoss::Resubmit,
        reads: None,
    };
    workload(name, "ns", submit_ms, kind)
}

pub(crate) fn row(name: &str, submit_ms: u64, runtime_ms: u64, pods: u32, cores: i64) -> TraceRow {
    TraceRow {
        name: name.into(),
        submit: Time(submit_ms),
        runtime_ms,
        namespace: "ns".into(),
        user: None,
        priority: None,
        pods,
        template: template(cores),
        limits: Limits::default(),
        details: None,
    }
}

pub(crate) fn trace(name: &str, rows: Vec<TraceRow>) -> Workload {
    let rows = rows.into();
    let kind = Kind::Trace { rows, limits: Limits::default(), checkpoints: checkpoints(None) };
    workload(name, "ns", 0, kind)
}

pub(crate) fn change(at_ms: u64, change: Change) -> TimedChange {
    TimedChange { at: Time(at_ms), by: None, change }
}

pub(crate) fn claim(when: When, what: Predicate) -> Claim {
    Claim { text: format!("{when:?} {what:?}"), line: 1, because: None, allow_empty: false, when, what }
}

/// Running and pending pods of a namespace.
pub(crate) fn pods(namespace: &str, running: u64, pending: u64) -> Predicate {
    Predicate::Pods {
        of: Selector::Namespace(namespace.into()),
        running: Some(running),
        pending: Some(pending),
        succeeded: None,
        failed: None,
    }
}

pub(crate) fn at(ms: u64) -> When {
    When::At(Time(ms))
}

/// Runs twice with invariants checked: the digests are equal, no invariant breaks, and every claim holds.
pub(crate) fn hold(scenario: &Scenario) -> Run {
    let run = twice(scenario);
    for result in &run.result.claims.results {
        assert!(
            result.passed,
            "{}\nseen {} at {:?}\n{:#?}",
            result.claim, result.seen, result.at_ms, result.explanations
        );
    }
    run
}

/// Runs twice with invariants checked: digests and results are equal, the recorded log replays, and no invariant
/// breaks.
pub(crate) fn twice(scenario: &Scenario) -> Run {
    let options = RunOptions { audit: true, record: true, ..RunOptions::default() };
    let (one, two) = (run(scenario, &options, &mut ()).unwrap(), run(scenario, &options, &mut ()).unwrap());
    assert_eq!(one.result.digest, two.result.digest);
    assert_eq!(serde_json::to_string(&one.result).unwrap(), serde_json::to_string(&two.result).unwrap());
    assert_eq!(one.result.breaches, []);
    let log = one.log.as_ref().unwrap();
    assert!(log.replay().unwrap() > 0);
    one
}

/// `[running, pending, succeeded, failed, evicted]` of the first workload.
pub(crate) fn first(run: &Run) -> [u64; 5] {
    let row = &run.result.workloads[0];
    row.counts.all()
}
