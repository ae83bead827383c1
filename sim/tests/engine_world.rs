//! The controllers of the simulated world, one at a time: what ends, what is retried, and what work is lost.

mod engine_support;

use engine_support::*;
use quotree_core::{QuotaSpec, Time, TreeSpec};
use quotree_sim::model::{Change, Compare, Kind, Positive, Predicate, Runtime, Scenario, Selector, When, Workload};
use quotree_sim::{RunError, RunOptions, TimelineEvent, run};

/// `mine` is guaranteed `min` of `cores`; `ns` may use what is free.
fn shared(cores: i64, min: i64) -> TreeSpec {
    [
        QuotaSpec::new("root", None).min(cpu(cores)).max(cpu(cores)),
        QuotaSpec::new("owner", Some("root")).min(cpu(min)).max(cpu(cores)).namespace("mine"),
        QuotaSpec::new("guest", Some("root")).min(cpu(cores - min)).max(cpu(cores)).namespace("ns"),
    ]
    .into_iter()
    .collect()
}

/// A guest on 10 cores, of which the owner reclaims 5 at one minute.
fn evicted_at_a_minute(guest: Workload) -> Scenario {
    let mut owner = job("owner", MINUTE, 1, 1, 5, MINUTE);
    owner.namespace = "mine".into();
    scenario(pool(10), shared(10, 5), vec![guest, owner])
}

#[test]
fn job_runs_so_many_at_once_until_so_many_succeeded() {
    let run = twice(&scenario(pool(10), flat(10), vec![job("j", 0, 5, 2, 1, 1_000)]));
    assert_eq!(first(&run), [0, 0, 5, 0, 0]);
    assert_eq!((run.result.end_ms, run.result.metrics.makespan_ms), (3_000, 3_000));
    assert_eq!(run.result.metrics.pods_submitted, 5);
    // Two cores of ten for two seconds, one for the third.
    assert_eq!(run.result.metrics.utilisation_permille["cpu"], 167);
}

#[test]
fn job_evicted_without_checkpoint_does_all_its_work_again() {
    let run = twice(&evicted_at_a_minute(job("guest", 0, 1, 1, 10, 3 * MINUTE)));
    assert_eq!(first(&run), [0, 0, 1, 0, 1]);
    assert_eq!(run.result.metrics.lost_work_ms, u128::from(MINUTE));
    assert_eq!(run.result.evictions[0].lost_ms, MINUTE);
    assert_eq!(run.result.end_ms, 5 * MINUTE);
    assert_eq!((run.result.metrics.wasted_evictions, run.result.metrics.thrash_max), (0, 1));
}

#[test]
fn job_evicted_keeps_its_work_up_to_the_last_checkpoint() {
    let mut guest = job("guest", 0, 1, 1, 10, 3 * MINUTE);
    if let Kind::Job { checkpoints, .. } = &mut guest.kind {
        checkpoints.checkpoint = Some(Positive(25_000));
    }
    let run = twice(&evicted_at_a_minute(guest));
    assert_eq!(run.result.metrics.lost_work_ms, 10_000);
    assert_eq!(run.result.end_ms, 4 * MINUTE + 10_000);
}

#[test]
fn training_evicted_whole_starts_again_from_its_checkpoint() {
    let roles = vec![role("master", 1, 1, 2), role("worker", 4, 4, 2)];
    let run = twice(&evicted_at_a_minute(training("t", 0, roles, 3 * MINUTE, Some(50_000))));
    assert_eq!(first(&run), [0, 0, 5, 0, 5]);
    // Ten seconds of five pods.
    assert_eq!(run.result.metrics.lost_work_ms, 50_000);
    // The owner runs until 2 min, then one second of overhead and 130 s of work.
    assert_eq!(run.result.end_ms, 2 * MINUTE + 1_000 + 130_000);
    assert_eq!(run.result.evictions[0].pod, "t-master-0");
    assert!(run.result.evictions.iter().skip(1).all(|e| e.lost_ms == 0));
}

#[test]
fn g2_elastic_members_go_alone_and_the_training_slows_down() {
    let run = twice(&evicted_at_a_minute(training("t", 0, vec![role("worker", 5, 2, 2)], 3 * MINUTE, None)));
    let evicted = first(&run)[4];
    assert_eq!(evicted, 3, "three of five make room for five cores");
    assert_eq!(run.result.metrics.lost_work_ms, 0);
    assert_eq!(run.result.metrics.thrash_max, 1);
    // 900 s of work: 60 s by five pods, 60 s by two while the owner runs, the rest by five again.
    assert_eq!(run.result.end_ms, 2 * MINUTE + 96_000);
}

#[test]
fn trace_rows_run_for_their_time_and_start_again_when_evicted() {
    let rows = vec![row("a", 0, 3 * MINUTE, 2, 5), row("b", 1_000, MINUTE, 1, 5)];
    let run = twice(&evicted_at_a_minute(trace("philly", rows)));
    assert_eq!(first(&run), [0, 0, 3, 0, 2]);
    assert_eq!(run.result.metrics.lost_work_ms, 2 * u128::from(MINUTE));
    assert_eq!(run.result.evictions[1].pod, "a-1");
    assert_eq!(run.result.workloads.len(), 2);
}

#[test]
fn node_loss_fails_jobs_past_their_backoff_limit_and_deployments_move() {
    let mut fragile = job("fragile", 0, 1, 1, 4, MINUTE);
    if let Kind::Job { retries, .. } = &mut fragile.kind {
        retries.backoff_limit = Some(0);
    }
    let mut both = scenario(nodes(&[10, 8]), flat(18), vec![fragile, deployment("d", "ns", 0, 1, 4)]);
    both.events = vec![
        change(1_000, Change::NodeDown { node: 0 }),
        change(1_000, Change::NodeDown { node: 1 }),
        change(9_000, Change::NodeUp { node: 1 }),
    ];
    let run = twice(&both);
    assert_eq!(first(&run), [0, 0, 0, 1, 0]);
    let moved = &run.result.workloads[1];
    assert_eq!((moved.counts.running, moved.counts.pending, moved.counts.failed), (1, 0, 1));
    assert_eq!((run.result.nodes[0].up, run.result.nodes[1].up), (false, true));
    assert_eq!(run.result.nodes[1].pods, 1);
    assert_eq!(run.result.metrics.pods_failed, 2);
}

#[test]
fn training_that_loses_a_node_is_withdrawn_and_starts_again() {
    let work = vec![training("t", 0, vec![role("worker", 2, 2, 4)], 10_000, Some(1_000))];
    let mut lossy = scenario(nodes(&[4, 4, 4]), flat(12), work);
    lossy.events = vec![change(4_500, Change::NodeDown { node: 1 })];
    lossy.claims = vec![claim(When::Always, Predicate::GangsWhole)];
    let run = hold(&lossy);
    assert_eq!(first(&run), [0, 0, 2, 1, 0]);
    assert_eq!(run.result.metrics.lost_work_ms, 1_000);
    assert_eq!(run.result.end_ms, 4_500 + 1_000 + 6_000);
}

#[test]
fn scaling_down_deletes_pending_pods_first_then_the_youngest() {
    let mut scaled = scenario(pool(3), flat(3), vec![deployment("d", "ns", 0, 5, 1)]);
    scaled.events = vec![
        change(1_000, Change::Scale { workload: 0, replicas: 4 }),
        change(2_000, Change::Scale { workload: 0, replicas: 2 }),
        change(3_000, Change::Scale { workload: 0, replicas: 3 }),
        change(4_000, Change::Withdraw { workload: 0 }),
        change(5_000, Change::Scale { workload: 0, replicas: 9 }),
    ];
    let state = |n, running, pending| claim(at(n), pods("ns", running, pending));
    scaled.claims =
        vec![state(500, 3, 2), state(1_500, 3, 1), state(2_500, 2, 0), state(3_500, 3, 0), state(4_500, 0, 0)];
    let run = hold(&scaled);
    assert_eq!(run.result.metrics.pods_submitted, 6);
    assert_eq!(first(&run), [0; 5]);
}

#[test]
fn cordoned_nodes_keep_their_pods_and_take_no_new_ones() {
    let work = vec![deployment("d", "ns", 0, 1, 2), deployment("e", "ns", 2_000, 1, 2)];
    let mut cordoned = scenario(nodes(&[10]), flat(10), work);
    cordoned.events = vec![change(1_000, Change::Cordon { node: 0, cordoned: true })];
    cordoned.claims = vec![claim(When::Final, pods("ns", 1, 1))];
    assert!(!hold(&cordoned).result.nodes[0].schedulable);
}

#[test]
fn t3_a_tree_that_moves_a_namespace_in_use_is_refused_and_the_run_goes_on() {
    let mut moved = scenario(pool(10), flat(10), vec![deployment("d", "ns", 0, 1, 2)]);
    moved.events = vec![
        change(1_000, Change::ReplaceTree { tree: shared(10, 5) }),
        change(2_000, Change::ReplaceTree { tree: flat(12) }),
    ];
    let run = twice(&moved);
    assert_eq!(run.result.refusals.len(), 1);
    assert!(run.result.refusals[0].why.contains("T3"), "{:?}", run.result.refusals);
    assert_eq!(run.result.quotas[0].max.0.get("cpu"), Some(12_000));
    assert_eq!(run.result.quotas[1].used.0.get("cpu"), Some(2_000));
}

#[test]
fn a_runaway_scenario_stops_with_an_error() {
    let mut endless = scenario(pool(1), flat(1), vec![job("j", 0, 1_000_000, 1, 1, 1)]);
    endless.world.max_events = 1_000;
    let error = run(&endless, &RunOptions::default(), &mut ()).unwrap_err();
    assert!(matches!(error, RunError::TooManyEvents { most: 1_000, .. }), "{error}");
}

#[test]
fn until_stops_the_run_and_later_claims_are_not_judged() {
    let mut cut = scenario(pool(10), flat(10), vec![job("j", 0, 100, 1, 1, 1_000)]);
    cut.claims = vec![claim(at(1_500), pods("ns", 1, 0)), claim(at(50_000), pods("ns", 9, 9))];
    let options = RunOptions { until: Some(Time(2_500)), ..RunOptions::default() };
    let result = run(&cut, &options, &mut ()).unwrap().result;
    assert_eq!((result.end_ms, result.end_s, result.claims.passed, result.claims.failed), (2_500, 2, 1, 0));
    assert_eq!(result.workloads[0].counts.succeeded, 2);
    cut.world.until = Some(Time(2_500));
    let result = run(&cut, &RunOptions::default(), &mut ()).unwrap().result;
    assert_eq!((result.claims.passed, result.claims.failed), (1, 1), "a claim about a time that never came fails");
}

#[test]
fn random_runtimes_are_drawn_per_workload() {
    let random = |name: &str| {
        let mut work = job(name, 0, 20, 20, 1, 0);
        if let Kind::Job { runtime, .. } = &mut work.kind {
            *runtime = Runtime::Exponential(60_000);
        }
        work
    };
    let end = |work: Vec<Workload>| {
        let run = twice(&scenario(pool(100), flat(100), work));
        run.result.end_ms
    };
    let (one, other) = (end(vec![random("a")]), end(vec![random("b")]));
    assert_ne!(one, other);
    assert_eq!(end(vec![random("a"), random("b")]), one.max(other), "neither shifts the other's draws");
}

#[test]
fn the_timeline_of_a_pod_names_its_preemptor() {
    let guest = job("guest", 0, 1, 1, 10, 3 * MINUTE);
    let options = RunOptions { timeline_of: Some("guest-1".into()), ..RunOptions::default() };
    let run = run(&evicted_at_a_minute(guest), &options, &mut ()).unwrap();
    let (told, pods) = (run.timeline, run.timeline_pods);
    let events = |pod: &str| -> Vec<TimelineEvent> {
        told.iter().filter(|line| line.pod == pod).map(|line| line.event).collect()
    };
    use TimelineEvent::{Bound, Ended, Evicted, Recreated, Submitted, Waits};
    assert_eq!(events("guest-1"), [Submitted, Bound, Evicted, Recreated]);
    assert_eq!(events("guest-2"), [Submitted, Waits, Bound, Ended], "its successor's story is its own: {told:#?}");
    let eviction = told.iter().find(|line| line.event == Evicted).unwrap();
    assert_eq!(
        (eviction.at_ms, eviction.other.as_deref(), eviction.rule.as_deref()),
        (MINUTE, Some("owner-1"), Some("R2"))
    );
    let wait = told.iter().find(|line| line.event == Waits).unwrap();
    assert_eq!(wait.verdict.as_ref().unwrap()["rule"], wait.rule.as_deref().unwrap());
    assert_eq!(pods.len(), 2);
    assert_eq!((pods[0].state.as_str(), pods[0].replaced_by.as_deref()), ("evicted", Some("guest-2")));
    assert_eq!((pods[1].state.as_str(), pods[1].replaces.as_deref()), ("succeeded", Some("guest-1")));
}

#[test]
fn failed_claims_say_what_was_seen_and_why_pods_are_pending() {
    let mut wrong = scenario(pool(3), flat(3), vec![deployment("d", "ns", 1_000, 5, 1)]);
    let evictions = |compare, count| Predicate::Evictions { of: None, by: None, compare, count };
    wrong.claims = vec![
        claim(at(2_000), pods("ns", 5, 0)),
        claim(When::Never, pods("ns", 3, 2)),
        claim(When::Always, evictions(Compare::AtLeast, 1)),
        claim(When::Eventually(Time(5_000)), pods("ns", 3, 2)),
        claim(When::Eventually(Time(500)), pods("ns", 3, 2)),
        claim(When::Within(Time(1_500), Time(9_000)), pods("ns", 3, 2)),
        claim(When::Within(Time(500), Time(9_000)), pods("ns", 3, 2)),
        claim(When::Final, Predicate::Verdict { of: Selector::Workload("d".into()), rule: "A1".into() }),
        claim(When::Always, Predicate::Guaranteed { within_ms: 0 }),
    ];
    let claims = twice(&wrong).result.claims;
    let passed: Vec<bool> = claims.results.iter().map(|r| r.passed).collect();
    assert_eq!(passed, [false, false, false, true, false, true, false, true, true], "{:#?}", claims.results);
    assert_eq!(claims.results[0].seen, "3 running, 2 pending");
    assert_eq!(claims.results[0].at_ms, Some(2_000));
    assert_eq!(claims.results[0].explanations.len(), 2);
    assert!(
        claims.results[0].explanations[0].starts_with("d-4 is pending. A1: "),
        "{:?}",
        claims.results[0].explanations
    );
    assert_eq!((claims.passed, claims.failed), (4, 5));
}

#[test]
fn not_worse_than_alone_runs_the_tenant_on_its_guarantee() {
    let mut both = evicted_at_a_minute(job("guest", 0, 4, 4, 5, MINUTE));
    both.claims = vec![
        claim(When::Final, Predicate::NotWorseThanAlone { of: Selector::Quota("guest".into()), permille: 1000 }),
        claim(When::Final, Predicate::NotWorseThanAlone { of: Selector::Namespace("mine".into()), permille: 1000 }),
    ];
    let run = hold(&both);
    assert!(run.result.claims.results[0].seen.contains("alone"), "{:?}", run.result.claims);
}
