//! Pods that are resized in place: they stay where they are, whether that fits or not (E5).

mod engine_support;

use engine_support::*;
use quotree_core::{QuotaSpec, TreeSpec};
use quotree_sim::model::{Change, JobQueue, Predicate, QueueOrder, Scenario, When, Workload};

/// Leaf `all` with a max of 4 cores, in a pool of 10.
fn capped(workloads: Vec<Workload>) -> Scenario {
    let tree: TreeSpec = [
        QuotaSpec::new("root", None).min(cpu(10)).max(cpu(10)),
        QuotaSpec::new("all", Some("root")).min(cpu(4)).max(cpu(4)).namespace("ns"),
    ]
    .into_iter()
    .collect();
    let mut world = scenario(pool(10), tree, workloads);
    world.claims = vec![claim(When::Always, Predicate::Invariants)];
    world
}

fn resize(at_ms: u64, workload: usize, cores: i64) -> quotree_sim::model::TimedChange {
    change(at_ms, Change::Resize { workload, request: cpu(cores) })
}

#[test]
fn e5_a_pod_that_grows_above_the_max_stays_and_others_wait() {
    let mut world = capped(vec![deployment("web", "ns", 0, 1, 2), job("batch", 20_000, 1, 1, 2, 10_000)]);
    world.events = vec![resize(10_000, 0, 5), resize(30_000, 0, 2)];
    let run = hold(&world);
    assert_eq!(run.result.metrics.evictions, 0, "nobody is evicted for a resize");
    assert_eq!(run.result.metrics.wait.max_ms, 10_000, "the job waits until the pod has shrunk");
    // 2 cores for 10 s, 5 for 20 s, 2 for 10 s, and 2 of the job for 10 s: 160 of 10 cores times 40 s.
    assert_eq!((run.result.end_ms, run.result.metrics.utilisation_permille["cpu"]), (40_000, 400));
}

#[test]
fn e5_a_pod_that_waits_is_tried_with_what_it_requests_now() {
    let mut world = capped(vec![deployment("web", "ns", 0, 1, 3), job("batch", 10_000, 2, 1, 2, 10_000)]);
    world.events = vec![resize(20_000, 1, 1)];
    let run = hold(&world);
    // The first pod waits for 10 s, and the second one is created as small as that.
    assert_eq!((run.result.metrics.wait.max_ms, run.result.end_ms), (10_000, 40_000));
}

#[test]
fn a_job_that_its_queue_holds_back_is_resized_too() {
    let mut world = capped(vec![job("first", 0, 1, 1, 4, 60_000), job("second", 1_000, 1, 1, 4, 10_000)]);
    world.queues = vec![JobQueue {
        quota: "all".into(),
        queueing: QueueOrder::Skip,
        max_jobs: None,
        start_timeout_ms: None,
        backoff_ms: 60_000,
        backoff_max_ms: 60_000,
    }];
    world.events = vec![resize(20_000, 0, 2), resize(30_000, 1, 2)];
    let run = hold(&world);
    assert_eq!(run.result.metrics.wait.max_ms, 29_000, "it is released as soon as it fits");
}

#[test]
fn e5_a_pool_that_is_overfull_is_reclaimed_from() {
    let leaf = |name: &str| QuotaSpec::new(name, Some("root")).min(cpu(5)).namespace(name);
    let root = QuotaSpec::new("root", None).min(cpu(10)).max(cpu(10));
    let tree: TreeSpec = [root, leaf("owner"), leaf("guest")].into_iter().collect();
    let guest = deployment("web", "guest", 0, 3, 2);
    let mut world = scenario(pool(10), tree, vec![guest, deployment("db", "owner", 20_000, 1, 4)]);
    world.events = vec![resize(10_000, 0, 4)];
    world.claims = vec![claim(When::Always, Predicate::Invariants)];
    let run = hold(&world);
    // 12 of 10 are used, all of it by the guest: two of its pods go, and no third one of 4 fits beside the owner.
    assert_eq!(run.result.metrics.evictions, 2);
    assert_eq!(first(&run), [1, 2, 0, 0, 2]);
}
