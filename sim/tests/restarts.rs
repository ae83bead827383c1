//! The scheduler is restarted, and goes on from what a LIST shows (E4).

mod engine_support;

use engine_support::*;
use quotree_core::{QuotaSpec, Time, TreeSpec};
use quotree_sim::{
    RunOptions,
    model::{Change, Predicate, Scenario, When, Workload},
    run,
};

/// `owner` and `guest`, each guaranteed half of 10 cores; `guest` fills the pool, and at 10 s `owner` reclaims its half. At
/// 12 s the scheduler is restarted.
fn restarted(guest: Workload) -> Scenario {
    let leaf = |name: &str| QuotaSpec::new(name, Some("root")).min(cpu(5)).namespace(name);
    let root = QuotaSpec::new("root", None).min(cpu(10)).max(cpu(10));
    let tree: TreeSpec = [root, leaf("owner"), leaf("guest")].into_iter().collect();
    let owner = deployment("db", "owner", 10_000, 1, 5);
    let mut world = scenario(pool(10), tree, vec![Workload { namespace: "guest".into(), ..guest }, owner]);
    world.events = vec![change(12_000, Change::RestartScheduler)];
    world.claims = vec![claim(When::Always, Predicate::GangsWhole), claim(When::Always, Predicate::Invariants)];
    world
}

#[test]
fn e4_an_owner_holds_what_its_victims_free_once_more() {
    let mut world = restarted(deployment("web", "guest", 0, 2, 5));
    world.world.eviction_grace = quotree_sim::model::Runtime::Fixed(5_000);
    let run = hold(&world);
    assert_eq!((run.result.metrics.evictions, run.result.metrics.wasted_evictions), (1, 0));
    assert_eq!(run.result.namespaces[0].wait.max_ms, 5_000);
}

#[test]
fn e4_evictions_that_were_refused_are_forgotten() {
    let mut world = restarted(job("batch", 0, 2, 2, 5, 100_000));
    world.world.refused_evictions_permille = 999;
    world.world.eviction_retry_ms = 60_000;
    world.world.reliable_from = Some(Time(11_000));
    let run = hold(&world);
    // Refused at 10 s, and forgotten at 12 s: the new scheduler evicts at once, and the API takes it.
    let metrics = &run.result.metrics;
    assert_eq!((metrics.evictions, metrics.failed_evictions, metrics.wasted_evictions), (2, 1, 0));
    assert_eq!(run.result.evictions.iter().map(|e| e.at_ms).collect::<Vec<_>>(), [10_000, 12_000]);
}

#[test]
fn i12_each_scheduler_has_a_log_that_replays_alone() {
    let mut world = restarted(training("train", 0, vec![role("w", 2, 2, 5)], 30_000, None));
    world.world.bind_latency = quotree_sim::model::Runtime::Fixed(4_000);
    world.events.push(change(13_000, Change::RestartScheduler));
    let options = RunOptions { record: true, audit: true, ..RunOptions::default() };
    let run = run(&world, &options, &mut ()).unwrap();
    assert_eq!(run.restarts.iter().map(|restart| restart.at.0).collect::<Vec<_>>(), [12_000, 13_000]);
    for log in run.restarts.iter().filter_map(|restart| restart.before.as_ref()).chain(&run.log) {
        assert!(log.replay().unwrap() > 0);
    }
    assert_eq!(run.result.breaches.len(), 0);
}
