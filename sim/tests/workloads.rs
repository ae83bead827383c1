//! Workloads over their whole life: instances, deadlines, tasks and restarts, in worlds small enough to compute by
//! hand.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use proptest::prelude::*;
use quotree_core::Time;
use quotree_sim::{
    Run, RunOptions, Scenario,
    model::{Kind, Runtime},
    result::InstancesRow,
    run,
    scenario::{MapLoader, load},
};
use std::{cell::RefCell, collections::BTreeMap, rc::Rc};

/// A trace: two rows that each need a node, one with a priority of its own.
const ROWS: &str = "name,submit_s,runtime_s,priority,deadline_s,cpu\nown,60,600,5,3600,8\nplain,60,600,,,8\n";

fn scenario(workloads: &str, more: &str) -> Scenario {
    let text = format!(
        r#"Scenario(
    name: "x", world: World(until: "200d"),
    cluster: [NodePool(name: "node", count: 2, allocatable: {{ "cpu": "8" }})],
    quota: Quota(name: "root", min: {{ "cpu": "16" }}, max: {{ "cpu": "16" }}, namespaces: ["ns"]),
    workloads: [{workloads}], {more}
)"#
    );
    let loaded = load("x.ron", &MapLoader::new().with("x.ron", text).with("rows.csv", ROWS));
    assert_eq!(loaded.diagnostics, [], "{workloads}");
    loaded.scenario.unwrap()
}

fn play(scenario: &Scenario, seed: u64) -> Run {
    let options = RunOptions { seed: Some(seed), audit: true, ..RunOptions::default() };
    let played = run(scenario, &options, &mut ()).unwrap();
    assert_eq!(played.result.breaches, []);
    assert_eq!(played.result.digest, run(scenario, &options, &mut ()).unwrap().result.digest);
    played
}

fn instances(run: &Run, workload: &str) -> InstancesRow {
    run.result.workloads.iter().find(|w| w.name == workload).unwrap().instances.unwrap()
}

/// When each unit of a run was submitted, with its name.
#[derive(Default, Clone)]
struct Submissions(Rc<RefCell<Vec<(u64, String)>>>);

impl quotree_sim::Observer for Submissions {
    fn record(&mut self, record: &quotree_sim::trace::TraceRecord, names: &dyn quotree_sim::trace::RunNames) {
        if let quotree_sim::trace::TraceEvent::Submit { workload, .. } = record.what {
            self.0.borrow_mut().push((record.at.0, names.workload(workload).into_owned()));
        }
    }
}

/// The pods that were bound, in order.
#[derive(Default, Clone)]
struct Binds(Rc<RefCell<Vec<String>>>);

impl quotree_sim::Observer for Binds {
    fn record(&mut self, record: &quotree_sim::trace::TraceRecord, names: &dyn quotree_sim::trace::RunNames) {
        if let quotree_sim::trace::TraceEvent::Bound { pod } = record.what {
            self.0.borrow_mut().push(names.pod(pod).into_owned());
        }
    }
}

fn submissions(scenario: &Scenario, seed: u64) -> Vec<(u64, String)> {
    let mut seen = Submissions::default();
    run(scenario, &RunOptions { seed: Some(seed), ..RunOptions::default() }, &mut seen).unwrap();
    seen.0.take()
}

const EVAL: &str = r#"Job(name: "eval", namespace: "ns", arrivals: Poisson("10m", until: "10d"),
    runtime: Exponential("5m"), request: { "cpu": "1" })"#;

#[test]
fn instances_obey_the_seed_and_are_numbered_in_order() {
    let world = scenario(EVAL, "");
    let (one, two) = (submissions(&world, 1), submissions(&world, 2));
    assert_ne!(one, two, "other arrivals under another seed");
    assert!(one.len() > 1300 && two.len() > 1300, "ten days of one in ten minutes are 1,440, give or take 38");
    for (number, (_, name)) in one.iter().enumerate() {
        assert_eq!(*name, format!("eval-{number}-1"));
    }
}

/// Each instance draws from a stream of its own, so other workloads change nothing for it.
#[test]
fn other_workloads_change_no_draw() {
    let alone = submissions(&scenario(EVAL, ""), 7);
    let other = r#"Job(name: "noise", namespace: "ns", arrivals: Poisson("3m", until: "10d"),
        runtime: LogNormal(median: "1m", sigma: 1), request: { "cpu": "1" })"#;
    let mut beside = submissions(&scenario(&format!("{other}, {EVAL}"), ""), 7);
    beside.retain(|(_, name)| name.starts_with("eval"));
    assert_eq!(alone, beside);
    // With an earlier end, the remaining arrivals are the same.
    let short = submissions(&scenario(&EVAL.replace("until: \"10d\"", "count: 50"), ""), 7);
    assert_eq!(short[..], alone[..50]);
}

#[test]
fn a_hundred_days_of_arrivals_cost_no_set_up() {
    let world = scenario(&EVAL.replace("10d", "100d"), "");
    let options = RunOptions { until: Some(Time(0)), ..RunOptions::default() };
    assert_eq!(run(&world, &options, &mut ()).unwrap().result.events, 1, "its submission");
}

#[test]
fn withdrawn_work_neither_meets_nor_misses_its_deadline() {
    let world = scenario(
        r#"Job(name: "a", namespace: "ns", arrivals: Every("1h", count: 3), runtime: "90m", deadline: "100m", request: { "cpu": "1" })"#,
        r#"events: [At("2h10m", Withdraw("a"))]"#,
    );
    let row = instances(&play(&world, 1), "a");
    // The first is done at 1 h 30 m; the second, due at 2 h 40 m, and the third are withdrawn.
    let wanted = InstancesRow { submitted: 3, succeeded: 1, withdrawn: 2, deadlines_met: 1, ..InstancesRow::default() };
    assert_eq!(row, wanted);
}

/// A job without work ends when it starts, in a later round of the same time.
#[test]
fn work_done_in_a_later_round_of_its_deadline_is_in_time() {
    for (deadline, wanted) in [("10m", (1, 0)), ("599.999s", (0, 1))] {
        let mut world = scenario(
            &format!(
                r#"Job(name: "a", namespace: "ns", completions: 2, parallelism: 2, runtime: "10m", request: {{ "cpu": "8" }}),
                Job(name: "b", namespace: "ns", deadline: "{deadline}", runtime: "4m", request: {{ "cpu": "8" }})"#
            ),
            "",
        );
        let Kind::Job { runtime, .. } = &mut world.workloads[1].kind else { panic!("a job") };
        *runtime = Runtime::Fixed(0);
        let played = play(&world, 1);
        let row = instances(&played, "b");
        assert_eq!((row.deadlines_met, row.deadlines_missed), wanted, "it waits for 10 minutes: {deadline}");
        assert_eq!(played.result.metrics.makespan_ms, 600_000);
    }
}

/// Rows without a priority of their own follow the class of their trace if they are submitted after it changed; an edit
/// changes all rows.
#[test]
fn rows_follow_their_class_and_edits() {
    let busy = r#"Job(name: "busy", namespace: "ns", completions: 2, parallelism: 2, runtime: "10m", request: { "cpu": "8" }),
        Trace(name: "t", format: Native, file: "rows.csv", namespace: "ns", priority: "rows"),
        Job(name: "j", namespace: "ns", submit: "2m", priority: 7, runtime: "10m", request: { "cpu": "8" })"#;
    let rows = [
        // Of j (7), own (5) and plain (1), the first two run.
        ("", ["j-1", "own"]),
        ("At(\"0s\", SetClass(\"rows\", 9))", ["plain", "j-1"]),
        // Too late: both are submitted already.
        ("At(\"90s\", SetClass(\"rows\", 9))", ["j-1", "own"]),
        ("At(\"3m\", EditWorkload(\"t\", priority: 8))", ["own", "plain"]),
        // An edited row has a number and no class.
        ("At(\"0s\", EditWorkload(\"t\", priority: 6)), At(\"0s\", SetClass(\"rows\", 9))", ["j-1", "own"]),
    ];
    for (events, wanted) in rows {
        let more = format!("classes: {{ \"rows\": 1 }}, policy: Capacity(within: Never), events: [{events}]");
        let world = scenario(busy, &more);
        let mut seen = Binds::default();
        run(&world, &RunOptions { until: Some(Time(600_000)), ..RunOptions::default() }, &mut seen).unwrap();
        let bound: Vec<String> = seen.0.take();
        assert_eq!(bound[2..], wanted, "{events}");
    }
}

#[test]
fn a_withdrawn_trace_neither_meets_nor_misses_its_deadlines() {
    let world = scenario(
        r#"Trace(name: "t", format: Native, file: "rows.csv", namespace: "ns", deadline: "10m", runtime_limit: "9m")"#,
        r#"events: [At("9m59s", Withdraw("t"))]"#,
    );
    let wanted = InstancesRow { submitted: 2, withdrawn: 2, ..InstancesRow::default() };
    assert_eq!(instances(&play(&world, 1), "t"), wanted);
}

/// Both rows come at 1 minute, run for 10 and may run for 9; `own` has an hour, `plain` the nine minutes of its trace.
#[test]
fn rows_that_run_too_long_fail_and_miss_what_is_due() {
    let world = scenario(
        r#"Trace(name: "t", format: Native, file: "rows.csv", namespace: "ns", deadline: "9m", runtime_limit: "9m")"#,
        "",
    );
    let played = play(&world, 1);
    let wanted = InstancesRow { submitted: 2, failed: 2, deadlines_missed: 2, ..InstancesRow::default() };
    assert_eq!(instances(&played, "t"), wanted);
    let told: Vec<_> =
        played.result.failures.iter().map(|row| (row.at_ms, row.what.as_str(), row.why.as_str())).collect();
    let why = "reached its runtime limit of 9m";
    assert_eq!(told, [(600_000, "own", why), (600_000, "plain", why)]);
    let row = &played.result.workloads[0];
    assert_eq!((row.counts.failed, row.share.lost_work_ms), (2, 2 * 540_000));
}

/// `b` depends on `a`, which fails after 5 minutes: `b` never starts and will not be done. `c` is done in time.
#[test]
fn a_task_that_never_begins_has_missed_its_deadline() {
    let world = scenario(
        r#"Workflow(name: "f", namespace: "ns", tasks: [
            Job(name: "a", runtime: "10m", runtime_limit: "5m", request: { "cpu": "1" }),
            Job(name: "b", after: ["a"], deadline: "1h", runtime: "1m", request: { "cpu": "1" }),
            Job(name: "c", deadline: "10m", runtime: "10m", request: { "cpu": "1" }),
        ])"#,
        "",
    );
    let played = play(&world, 1);
    let tasks: Vec<_> = played.result.workloads[0].tasks.iter().map(|task| task.instances).collect();
    let deadlines: Vec<_> = tasks.iter().map(|row| (row.deadlines_met, row.deadlines_missed)).collect();
    assert_eq!(deadlines, [(0, 0), (0, 1), (1, 0)]);
    let whole = played.result.metrics.deadlines.unwrap();
    assert_eq!((whole.met, whole.missed), (1, 1), "every deadline that is stated counts");
}

/// The edit puts two hours of `long` before ten minutes of `short`. The run of the tenant alone has the same edit, so
/// nobody waits longer than there.
#[test]
fn a_tenant_alone_has_the_same_edits() {
    let job = |name: &str, submit: &str, runtime: &str, class: &str| {
        format!(
            r#"Job(name: "{name}", namespace: "ns", submit: "{submit}", completions: 2, parallelism: 2, runtime: "{runtime}",
                priority: "{class}", request: {{ "cpu": "8" }})"#
        )
    };
    let jobs = [job("first", "0s", "10m", "low"), job("short", "1m", "10m", "low"), job("long", "3m", "2h", "high")]
        .join(", ");
    for event in [r#"At("5m", EditWorkload("long", priority: 9))"#, r#"At("2m", SetClass("high", 9))"#] {
        let more = format!(
            r#"classes: {{ "low": 0, "high": 0 }}, policy: Capacity(within: Never), events: [{event}],
            expect: [Final(NotWorseThanAlone(of: All, factor: 1)), Final(Wait(stat: Max, exactly: "129m"))]"#
        );
        let claims = play(&scenario(&jobs, &more), 1).result.claims;
        assert_eq!((claims.passed, claims.failed), (2, 0), "{:#?}", claims.results);
    }
}

#[test]
fn a_withdrawn_workflow_starts_nothing_more() {
    let world = scenario(
        r#"Workflow(name: "f", namespace: "ns", deadline: "1h", tasks: [
            Job(name: "a", runtime: "30m", request: { "cpu": "1" }),
            Job(name: "b", after: ["a"], runtime: "30m", request: { "cpu": "1" }),
        ])"#,
        r#"events: [At("10m", Withdraw("f"))]"#,
    );
    let run = play(&world, 1);
    let wanted = InstancesRow { submitted: 1, withdrawn: 1, ..InstancesRow::default() };
    assert_eq!((instances(&run, "f"), run.result.failures.len()), (wanted, 0));
    assert_eq!((run.result.metrics.pods_submitted, run.result.quiet_ms), (1, Some(600_000)));
}

#[test]
fn failures_name_the_workload_and_the_reason() {
    let world = scenario(
        r#"Job(name: "fragile", namespace: "ns", arrivals: Times(["0s"]), backoff_limit: 0, runtime: "2h", request: { "cpu": "8" }),
        Training(name: "gang", namespace: "ns", max_restarts: 0, runtime: "2h", roles: [Role(name: "w", request: { "cpu": "8" })])"#,
        r#"events: [At("1h", NodeDown("node-0")), At("1h", NodeDown("node-1"))]"#,
    );
    let run = play(&world, 1);
    let told: Vec<String> = run.result.failures.iter().map(|f| format!("{}: {}", f.what, f.why)).collect();
    assert_eq!(
        told,
        [
            "fragile-0: number of pods lost: 1, more than its `backoff_limit` of 0",
            "gang: number of restarts needed: 1, more than its `max_restarts` of 0"
        ]
    );
}

/// Two pods of ten minutes, each on a node of its own; node-0 fails at 1m and at 3m, and is back a minute later.
#[test]
fn an_index_fails_by_itself_where_the_job_has_a_backoff_limit_per_index() {
    let rows = [
        ("", 14, None),
        ("backoff_limit_per_index: 2, ", 14, None),
        ("backoff_limit_per_index: 1, ", 10, Some((10, "1 of its indexes failed (`backoff_limit_per_index`)"))),
        ("backoff_limit_per_index: 0, ", 10, Some((10, "1 of its indexes failed (`backoff_limit_per_index`)"))),
        // A limit for all indexes together ends the job at once.
        (
            "backoff_limit_per_index: 5, backoff_limit: 1, ",
            4,
            Some((3, "number of pods lost: 2, more than its `backoff_limit` of 1")),
        ),
        // The next index starts in place of the one that has failed.
        (
            "backoff_limit_per_index: 0, parallelism: 1, ",
            11,
            Some((11, "1 of its indexes failed (`backoff_limit_per_index`)")),
        ),
        // Each index waits for its own failures: 1m after the first, 2m after the second.
        ("backoff_limit_per_index: 2, retry_delay: \"1m\", ", 15, None),
    ];
    for (limits, end, failed) in rows {
        let parallelism = if limits.contains("parallelism") { "" } else { "parallelism: 2, " };
        let job = format!(
            r#"Job(name: "j", namespace: "ns", completions: 2, runtime: "10m", {parallelism}{limits}request: {{ "cpu": "8" }})"#
        );
        let events = r#"events: [At("1m", NodeDown("node-0")), At("2m", NodeUp("node-0")), At("3m", NodeDown("node-0")),
            At("4m", NodeUp("node-0"))]"#;
        let run = play(&scenario(&job, events), 1);
        let failures: Vec<(u64, &str)> =
            run.result.failures.iter().map(|row| (row.at_ms / 60_000, row.why.as_str())).collect();
        assert_eq!((run.result.quiet_ms.unwrap() / 60_000, failures), (end, failed.into_iter().collect()), "{limits}");
    }
}

#[test]
fn rows_of_a_trace_are_instances() {
    let text = r#"Scenario(
        name: "x", cluster: Pool({ "cpu": "1" }),
        quota: Quota(name: "root", min: { "cpu": "1" }, max: { "cpu": "1" }, namespaces: ["ns"]),
        workloads: [Trace(name: "rows", file: "rows.csv", format: Native, namespace: "ns")],
        events: [At("15m", Withdraw("rows"))],
        expect: [
            At("11m", Instances(of: Workload("rows"), submitted: 3, succeeded: 1, active: 2)),
            Final(Instances(of: Namespace("ns"), submitted: 3, succeeded: 1, failed: 0, active: 0)),
        ],
    )"#;
    // One after the other: the first is done at 10 minutes, the others are withdrawn, and so is one that has not
    // arrived.
    let rows = "submit_s,runtime_s,cpu\n0,600,1\n60,600,1\n120,600,1\n3600,600,1\n";
    let loaded = load("x.ron", &MapLoader::new().with("x.ron", text).with("rows.csv", rows));
    let run = play(&loaded.scenario.unwrap(), 1);
    assert_eq!((run.result.claims.passed, run.result.claims.failed), (2, 0), "{:#?}", run.result.claims);
}

/// Task names in the order of their submission, with the minute.
fn starts(world: &Scenario) -> Vec<(u64, String)> {
    submissions(world, 1).into_iter().map(|(ms, name)| (ms / 60_000, name)).collect()
}

#[test]
fn a_task_starts_when_the_last_it_depends_on_is_done() {
    let task = |name: &str, minutes: u32, after: &str| {
        format!(r#"Job(name: "{name}", after: [{after}], runtime: "{minutes}m", request: {{ "cpu": "1" }})"#)
    };
    let tasks = [task("d", 1, r#""b", "c""#), task("b", 20, r#""a""#), task("c", 30, r#""a""#), task("a", 10, "")];
    let world = scenario(&format!(r#"Workflow(name: "f", namespace: "ns", tasks: [{}])"#, tasks.join(",")), "");
    let wanted = [(0, "f-a-1"), (10, "f-b-1"), (10, "f-c-1"), (40, "f-d-1")];
    assert_eq!(starts(&world), wanted.map(|(at, name)| (at, name.to_owned())));
}

proptest! {
    // The seed is fixed, so that everybody sees the same failure.
    #![proptest_config(ProptestConfig {
        cases: 60,
        rng_seed: proptest::test_runner::RngSeed::Fixed(2026),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// Random workflows with room for all tasks take as long as their longest path, and each task starts when its path
    /// is done.
    #[test]
    fn workflows_take_as_long_as_their_longest_path(
        minutes in prop::collection::vec(1u64..30, 1..12), links in prop::collection::vec((0usize..12, 0usize..12), 0..25),
    ) {
        let mut after: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (one, other) in links {
            let (early, late) = (one.min(other), one.max(other));
            let known = after.entry(late).or_default();
            if early < late && late < minutes.len() && !known.contains(&early) {
                known.push(early);
            }
        }
        let mut tasks: Vec<String> = Vec::new();
        let mut done: Vec<u64> = Vec::new();
        for (i, length) in minutes.iter().enumerate() {
            let before = after.get(&i).cloned().unwrap_or_default();
            let names: Vec<String> = before.iter().map(|b| format!("\"t{b}\"")).collect();
            tasks.push(format!(
                r#"Job(name: "t{i}", after: [{}], runtime: "{length}m", request: {{ "cpu": "100m" }})"#, names.join(",")
            ));
            done.push(before.iter().map(|b| done[*b]).max().unwrap_or(0) + length);
        }
        // Written in reverse: the order in the file is not the order in time.
        tasks.reverse();
        let world = scenario(&format!(r#"Workflow(name: "f", namespace: "ns", tasks: [{}])"#, tasks.join(",")), "");
        let run = play(&world, 1);
        prop_assert_eq!(run.result.quiet_ms, Some(done.iter().max().unwrap() * 60_000));
        let begun: BTreeMap<String, u64> = starts(&world).into_iter().map(|(at, name)| (name, at)).collect();
        for (i, length) in minutes.iter().enumerate() {
            let name = format!("f-t{i}-1");
            prop_assert_eq!(begun.get(&name).copied(), Some(done[i] - length));
        }
    }

    /// However a training is interrupted, its work and its lost work add up to what its pods did, to the rounding of a
    /// millisecond for each interruption.
    #[test]
    fn the_work_of_a_training_adds_up(
        losses in prop::collection::vec(1u64..400, 0..6), checkpoint in 1u64..60, cost in 0u64..5, waits in any::<bool>(),
        curve in prop::sample::select(vec!["Linear", "Serial(\"10%\")", "Table({ 1: \"100%\", 2: \"150%\" })"]),
    ) {
        let mut at = 0;
        let mut events: Vec<String> = Vec::new();
        for gap in &losses {
            at += gap;
            events.push(format!("At(\"{at}m\", NodeDown(\"node-1\")), At(\"{}m\", NodeUp(\"node-1\"))", at + 3));
            at += 3;
        }
        let on_loss = if waits { "Wait" } else { "Resubmit" };
        let world = scenario(
            &format!(
                r#"Training(name: "t", namespace: "ns", runtime: "10h", checkpoint: "{checkpoint}m", checkpoint_cost: "{cost}s",
                    on_loss: {on_loss}, scaling: {curve}, restart_overhead: "1m", roles: [
                    Role(name: "w", replicas: 2, request: {{ "cpu": "8" }}),
                ])"#
            ),
            &format!("events: [{}]", events.join(", ")),
        );
        let run = play(&world, 1);
        let metrics = &run.result.metrics;
        prop_assert_eq!(metrics.pods_succeeded, 2);
        // Until the end: the work, what was lost of it, checkpoints, three minutes, and an overhead for each loss that
        // interrupted it.
        let lost = u64::try_from(metrics.lost_work_ms / 2).unwrap();
        let breaks = losses.len() as u64;
        let least = 10 * 3_600_000 + lost;
        let writings = (10 * 60 / checkpoint + 1 + breaks * (1 + 400 / checkpoint)) * cost * 1000;
        let end = metrics.makespan_ms;
        let most = least + writings + breaks * (4 * 60_000 + 1) + 1;
        prop_assert!((least..=most).contains(&end), "{end} not in {least}..={most}");
    }
}
