//! A world in which requests are lost: an evicted pod runs on until its eviction is sent again, and a pod that failed
//! to bind is pending again.

mod engine_support;

use engine_support::*;
use quotree_core::{QuotaSpec, Time, TreeSpec};
use quotree_sim::{
    Run,
    model::{Kind, Predicate, Scenario, When, Workload},
};

/// `owner` and `guest`, each guaranteed half of 10 cores.
fn halves() -> TreeSpec {
    let leaf = |name: &str| QuotaSpec::new(name, Some("root")).min(cpu(5)).namespace(name);
    [QuotaSpec::new("root", None).min(cpu(10)).max(cpu(10)), leaf("owner"), leaf("guest")].into_iter().collect()
}

/// `guest` fills the pool; at 10 s `owner` reclaims its half; every request is lost until `reliable_ms`.
fn deaf(guest: Workload, reliable_ms: u64) -> Scenario {
    let owner = deployment("db", "owner", 10_000, 1, 5);
    let mut world = scenario(pool(10), halves(), vec![Workload { namespace: "guest".into(), ..guest }, owner]);
    world.world.lost_evictions_permille = 999;
    world.world.eviction_retry_ms = 4_000;
    world.world.reliable_from = Some(Time(reliable_ms));
    world.claims = vec![claim(When::Always, Predicate::GangsWhole), claim(When::Always, Predicate::Invariants)];
    world
}

#[test]
fn l1_a_victim_that_ends_before_its_eviction_arrives_has_done_its_work() {
    let run = hold(&deaf(job("batch", 0, 2, 2, 5, 20_000), 60_000));
    assert_eq!(first(&run), [0, 0, 2, 0, 1], "both succeed, one of them as a victim");
    assert_eq!((run.result.metrics.lost_work_ms, run.result.metrics.wasted_evictions), (0, 0));
    assert_eq!(run.result.metrics.wait.max_ms, 10_000, "the owner has its room when the work is done");
}

#[test]
fn a_victim_loses_its_work_until_the_eviction_arrives() {
    let run = hold(&deaf(job("batch", 0, 2, 2, 5, 100_000), 14_000));
    // Lost at 10 s, sent again at 14 s: 14 s of work are lost, and the pod starts again when the other has ended.
    assert_eq!(run.result.metrics.lost_work_ms, 14_000);
    assert_eq!(run.result.evictions.iter().map(|e| (e.at_ms, e.lost_ms)).collect::<Vec<_>>(), [(10_000, 14_000)]);
    let wait = |namespace: &str| {
        let row = run.result.namespaces.iter().find(|row| row.name == namespace).unwrap();
        (row.share.first_wait.max_ms, row.wait.max_ms)
    };
    assert_eq!(wait("owner"), (4_000, 4_000));
    // It is not whole from 10 s, when the eviction of one of its pods is decided, to 100 s.
    assert_eq!(wait("guest"), (0, 90_000));
    assert_eq!(run.result.end_ms, 200_000);
}

#[test]
fn g2_a_gang_works_until_the_first_eviction_arrives() {
    let run = hold(&deaf(training("train", 0, vec![role("w", 2, 2, 5)], 30_000, None), 14_000));
    // Both members are evicted (G2); 14 s of two pods are lost; with 5 of 10 cores left, the gang stays pending for
    // ever.
    assert_eq!((run.result.metrics.evictions, run.result.metrics.lost_work_ms), (2, 28_000));
    let run = hold(&deaf(training("train", 0, vec![role("w", 2, 2, 5)], 30_000, None), 60_000));
    assert_eq!((run.result.metrics.evictions, run.result.metrics.lost_work_ms), (2, 0), "it is done before it hears");
    assert_eq!(first(&run), [0, 0, 2, 0, 2]);
}

#[test]
fn g2_an_elastic_member_works_until_its_eviction_arrives() {
    let run = hold(&deaf(training("train", 0, vec![role("w", 2, 1, 5)], 20_000, None), 14_000));
    // Two pods work for 14 s, and one goes on alone with the 12 s of pod time that are left.
    assert_eq!((run.result.metrics.evictions, run.result.metrics.lost_work_ms), (1, 0));
    assert_eq!(run.result.metrics.makespan_ms, 26_000);
}

#[test]
fn i6_a_failed_bind_is_retried_and_breaks_no_invariant() {
    let mut world = scenario(pool(10), halves(), vec![training("train", 0, vec![role("w", 2, 2, 5)], 10_000, None)]);
    world.workloads.first_mut().unwrap().namespace = "guest".into();
    world.world.failed_binds_permille = 999;
    world.world.bind_latency = quotree_sim::model::Runtime::Fixed(1_000);
    world.world.reliable_from = Some(Time(5_000));
    world.claims = vec![claim(When::Always, Predicate::GangsWhole)];
    let run = hold(&world);
    assert!(matches!(world.workloads.first().unwrap().kind, Kind::Training { .. }));
    assert_eq!(first(&run), [0, 0, 2, 0, 0]);
    assert!(run.result.end_ms >= 16_000, "it ran 10 s from when all of it stood: {}", run.result.end_ms);
}

/// As [`deaf`], but the API refuses every eviction until `reliable_ms`.
fn refusing(guest: Workload, reliable_ms: u64) -> Scenario {
    let mut world = deaf(guest, reliable_ms);
    (world.world.lost_evictions_permille, world.world.refused_evictions_permille) = (0, 999);
    world
}

fn failed_and_wasted(run: &Run) -> [u64; 3] {
    let metrics = &run.result.metrics;
    [metrics.evictions, metrics.failed_evictions, metrics.wasted_evictions]
}

#[test]
fn e2_a_refused_victim_goes_on_and_another_is_taken() {
    // Refused from 10 s to 14 s, when the other pod is evicted instead.
    let run = hold(&refusing(job("batch", 0, 2, 2, 5, 100_000), 12_000));
    assert_eq!(failed_and_wasted(&run), [2, 1, 0]);
    assert_eq!(
        run.result.evictions.iter().map(|e| (e.at_ms, e.failed)).collect::<Vec<_>>(),
        [(10_000, true), (14_000, false)]
    );
    let metrics = &run.result.metrics;
    assert_eq!((metrics.wait.max_ms, metrics.lost_work_ms), (90_000, 14_000), "it lacks a pod from 10 s on");
}

#[test]
fn e2_the_only_victim_is_taken_when_there_is_news_of_it() {
    // Given up at 14 s; from 18 s on it may be evicted again, and is.
    let run = hold(&refusing(job("batch", 0, 1, 1, 10, 100_000), 12_000));
    assert_eq!(failed_and_wasted(&run), [2, 1, 0]);
    assert_eq!(run.result.evictions.iter().map(|e| e.at_ms).collect::<Vec<_>>(), [10_000, 18_000]);
    assert_eq!(run.result.metrics.lost_work_ms, 18_000, "it worked while the API refused");
    // It is done before that, and nothing was lost.
    let run = hold(&refusing(job("batch", 0, 1, 1, 10, 17_000), 60_000));
    assert_eq!((failed_and_wasted(&run), run.result.metrics.lost_work_ms), ([1, 1, 0], 0));
}

#[test]
fn e2_a_gang_of_which_no_eviction_succeeds_goes_on() {
    // Both are refused from 10 s to 14 s: the first one failed, so the second one is taken back. Both go at 18 s.
    let run = hold(&refusing(training("train", 0, vec![role("w", 2, 2, 5)], 30_000, None), 12_000));
    assert_eq!((failed_and_wasted(&run), run.result.metrics.lost_work_ms), ([4, 2, 0], 36_000));
}

#[test]
fn e2_a_gang_of_which_one_eviction_is_refused_starts_again() {
    let mut halves = 0;
    for seed in 0..16 {
        let mut world = refusing(training("train", 0, vec![role("w", 2, 2, 5)], 30_000, None), 12_000);
        world.seed = seed;
        world.world.refused_evictions_permille = 500;
        world.workloads.push(deployment("other", "owner", 20_000, 1, 0));
        let run = hold(&world);
        let [evictions, failed, wasted] = failed_and_wasted(&run);
        assert_eq!(wasted, 0, "seed {seed}");
        halves += u32::from((evictions, failed) == (2, 1));
    }
    assert!(halves > 0, "one refused and one carried out");
}

#[test]
fn e2_nobody_is_refused_who_is_being_bound_or_drained() {
    let mut world = refusing(deployment("web", "guest", 10_000, 2, 5), 60_000);
    world.world.bind_latency = quotree_sim::model::Runtime::Fixed(5_000);
    let run = hold(&world);
    assert_eq!(failed_and_wasted(&run)[1], 0);
}
