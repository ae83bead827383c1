//! Faults and edits of nodes and quotas: numbers computed by hand, and laws that hold whatever faults overlap.
#![expect(clippy::unwrap_used, clippy::panic, reason = "test support: a failure is a failed test")]

use quotree_sim::scenario::{MapLoader, load};
use quotree_sim::trace::{RunNames, TraceEvent, TraceRecord};
use quotree_sim::{Observer, Run, RunOptions, Scenario, TimelineEvent, run};

/// A scenario from the parts that a test is about.
fn read(cluster: &str, cpu: u32, rest: &str) -> Scenario {
    let text = format!(
        "Scenario(name: \"t\", cluster: [{cluster}], policy: Capacity(over_promised: Warn),
            quota: Quota(name: \"root\", min: {{ \"cpu\": \"{cpu}\" }}, max: {{ \"cpu\": \"{cpu}\" }}, namespaces: [\"ns\"]),
            {rest})"
    );
    let loaded = load("t.ron", &MapLoader::new().with("t.ron", text.as_str()));
    let told: Vec<String> = loaded.diagnostics.iter().map(ToString::to_string).collect();
    loaded.scenario.unwrap_or_else(|| panic!("{told:#?}\n{text}"))
}

/// Runs twice with the audit: the digests are equal, no invariant breaks, and every claim holds.
fn hold(scenario: &Scenario) -> Run {
    let options = RunOptions { audit: true, record: true, ..RunOptions::default() };
    let (one, two) = (run(scenario, &options, &mut ()).unwrap(), run(scenario, &options, &mut ()).unwrap());
    assert_eq!(one.result.digest, two.result.digest);
    assert_eq!(one.result.breaches, []);
    assert!(one.log.as_ref().unwrap().replay().unwrap() > 0);
    for claim in &one.result.claims.results {
        assert!(claim.passed, "line {}: {} seen {} at {:?}", claim.line, claim.claim, claim.seen, claim.at_ms);
    }
    one
}

const FOUR: &str = r#"NodePool(name: "n", count: 4, racks: 2, allocatable: { "cpu": "8" })"#;

#[test]
fn a_claim_about_a_span_is_not_judged_by_what_comes_after_it() {
    hold(&read(
        FOUR,
        32,
        r#"workloads: [Deployment(name: "web", namespace: "ns", request: { "cpu": "1" })],
        events: [At("2h", Withdraw("web"))],
        expect: [Within("0s", "1h", Pods(running: 1))]"#,
    ));
}

#[test]
fn a_node_is_up_when_nothing_holds_it_down() {
    // n-0 and n-1 are in the first rack. Every line adds or removes one cause; the counts follow.
    hold(&read(
        FOUR,
        32,
        r#"events: [
            At("1m", RackDown("n-rack-0")), At("2m", RackDown("n-rack-0")), At("3m", Outage("n-0", for: "10m")),
            At("4m", RackUp("n-rack-0")), At("5m", Outage(rack: "n-rack-0", for: "5m")), At("6m", NodeDown("n-1")),
            At("6m", NodeDown("n-1")), At("11m", RackUp("n-rack-0")), At("14m", NodeUp("n-1")), At("15m", NodeUp("n-0")),
        ],
        expect: [
            At("1m", NodesUp(exactly: 2)), At("3m", NodesUp(exactly: 2)), At("4m", NodesUp(exactly: 3)),
            At("5m", NodesUp(exactly: 2)), At("10m", NodesUp(exactly: 2)), At("13m", NodesUp(exactly: 3)),
            At("14m", NodesUp(exactly: 4)), Final(NodesUp("n", exactly: 4)),
        ]"#,
    ));
}

/// When a node went down and came up.
struct Changes(&'static str, Vec<(u64, bool)>);

impl Observer for Changes {
    fn record(&mut self, record: &TraceRecord, names: &dyn RunNames) {
        match record.what {
            TraceEvent::Node { node, up } if names.node(node) == self.0 => self.1.push((record.at.0, up)),
            _ => {}
        }
    }
}

#[test]
fn faults_of_one_node_change_no_draws_of_others() {
    let changes = |cluster: &str, rest: &str| {
        let mut seen = Changes("n-3", Vec::new());
        let _ = run(&read(cluster, 32, rest), &RunOptions::default(), &mut seen).unwrap();
        seen.1
    };
    let faults = r#"Faults(pool: "n", mtbf: Exponential("1d"), mttr: Exponential("2h"))"#;
    let alone = changes(FOUR, &format!("world: World(until: \"60d\"), faults: [{faults}]"));
    assert!(alone.len() > 60, "{}", alone.len());
    let more = format!("NodePool(name: \"m\", count: 3, allocatable: {{ \"cpu\": \"8\" }}), {FOUR}");
    let beside = format!(
        r#"world: World(until: "60d"), faults: [Faults(pool: "m", mtbf: "1h", mttr: Uniform("1m", "1h")), {faults}],
        events: [At("1d", Outage("n-2", for: "10d")), At("2d", NodeDown("n-0"))],
        workloads: [Job(name: "j", namespace: "ns", completions: 99, runtime: Exponential("1h"), request: {{ "cpu": "3" }},
            backoff_limit: 1000)]"#
    );
    assert_eq!(changes(&more, &beside), alone);
    // While something else keeps the node down, its own failures stay on schedule: later ones come when they would have
    // come.
    let held = format!("{beside}, seed: 1");
    let held = held.replace("n-2", "n-3");
    let late = |all: &[(u64, bool)]| all.iter().copied().filter(|(at, _)| *at > 12 * 86_400_000).collect::<Vec<_>>();
    assert_eq!(late(&changes(&more, &held)), late(&alone));
}

#[test]
fn a_drain_deletes_elastic_members_one_by_one_and_the_others_go_on() {
    // Three workers of 8 cores run on n-0, n-1 and n-2, and one is enough. n-0 is drained at 1h: its member is deleted
    // and recreated on n-3, the last free node, and the run is never interrupted: three members do 1 of the 4 hours of
    // work, and so on.
    let run = hold(&read(
        FOUR,
        32,
        r#"workloads: [Training(name: "t", namespace: "ns", runtime: "4h",
            roles: [Role(name: "w", replicas: 3, min: 1, request: { "cpu": "8" })])],
        events: [At("1h", Drain("n-0")), At("2h", Drain(rack: "n-rack-1", within: "10m"))],
        expect: [
            At("1h", Drained(exactly: 1)), At("1h", Pods(running: 3)),
            At("2h", Drained(exactly: 3)), At("2h", Pods(running: 1, pending: 2)),
            Final(LostWork(exactly: "0s")), Final(Makespan(exactly: "8h")), Final(FailedDrains(exactly: 0)),
        ]"#,
    ));
    assert_eq!((run.result.metrics.evictions, run.result.metrics.drained), (0, 3));
}

#[test]
fn a_cancelled_or_failed_drain_leaves_the_other_pods() {
    let scenario = read(
        FOUR,
        32,
        r#"budgets: { "b": 0 },
        workloads: [Deployment(name: "d", namespace: "ns", replicas: 2, request: { "cpu": "4" }, budget: "b")],
        events: [
            At("1m", Drain("n-0", within: "5m")), At("10m", SetBudget("b", 1)), At("11m", Drain("n-0")),
            At("12m", Uncordon("n-0")), At("20m", SetBudget("b", 2)),
        ],
        expect: [
            At("6m", FailedDrains(exactly: 1)), At("10m", Drained(exactly: 0)), At("11m", Drained(exactly: 2)),
            Final(Drained(exactly: 2)), Final(Pods(running: 2)),
        ]"#,
    );
    let options = RunOptions { timeline_of: Some("d-1".into()), ..RunOptions::default() };
    let told = run(&scenario, &options, &mut ()).unwrap().timeline;
    let line = told.iter().find(|line| line.event == TimelineEvent::Drained).unwrap();
    assert_eq!((line.at_ms, line.what.as_str()), (660_000, "is evicted by the drain of n-0"));
    hold(&scenario);
}

#[test]
fn drains_survive_lost_requests_pending_binds_and_simultaneous_ends() {
    for seed in 0..40 {
        let rest = format!(
            r#"seed: {seed}, world: World(bind_latency: Uniform("0s", "3m"), eviction_grace: Uniform("0s", "4m"),
                lost_evictions: "40%", failed_binds: "20%", recreate_delay: "30s", reliable_from: "3h"),
            budgets: {{ "b": 1 }},
            workloads: [
                Deployment(name: "d", namespace: "ns", replicas: 3, request: {{ "cpu": "2" }}, budget: "b"),
                Training(name: "t", namespace: "ns", runtime: "1h", checkpoint: "7m", submit: "1m", budget: "b", roles: [
                    Role(name: "m", request: {{ "cpu": "2" }}), Role(name: "w", replicas: 4, min: 2, request: {{ "cpu": "3" }}),
                ]),
                Job(name: "j", namespace: "ns", completions: 12, parallelism: 5, backoff_limit: 99, runtime: Exponential("9m"),
                    checkpoint: "2m", request: {{ "cpu": "1" }}),
            ],
            faults: [Faults(rack: "n-rack-1", mtbf: Exponential("40m"), mttr: Exponential("4m"), until: "2h")],
            events: [
                At("2m", Drain("n-0", within: "6m", kill: true)), At("9m", Uncordon("n-0")), At("12m", Drain("n-1")),
                At("13m", RackDown("n-rack-1")), At("14m", RackUp("n-rack-1")), At("20m", Slow("n-2", speed: 0.3)),
                At("30m", Uncordon("n-1")), At("31m", AddNodes("n", 2)), At("40m", RemoveNodes(pool: "n", count: 2, drain: "5m")),
                At("50m", EditNodes(pool: "n", allocatable: {{ "cpu": "3" }})), At("51m", EditQuota("root", min: {{ "cpu": "9" }},
                max: {{ "cpu": "9" }})), At("70m", EditNodes(pool: "n", allocatable: {{ "cpu": "8" }})),
                At("80m", EditQuota("root", min: {{ "cpu": "32" }}, max: {{ "cpu": "32" }})),
            ],
            expect: [Always(Invariants), Final(Pods(of: Workload("d"), running: 3, pending: 0)),
                Final(Pods(of: Workload("j"), succeeded: 12, running: 0, pending: 0)),
                Final(Pods(of: Workload("t"), running: 0, pending: 0))]"#
        );
        hold(&read(FOUR, 32, &rest));
    }
}

#[test]
fn i8_a_node_that_was_shrunk_under_its_pods_is_excused_over_an_edit_of_the_tree() {
    hold(&read(
        FOUR,
        32,
        r#"workloads: [Job(name: "j", namespace: "ns", runtime: "1h", request: { "cpu": "8" })],
        events: [
            At("1m", EditNodes("n-0", allocatable: { "cpu": "4" })),
            At("2m", EditQuota("root", min: { "cpu": "16" }, max: { "cpu": "16" })),
        ],
        expect: [Always(Invariants), Final(Pods(succeeded: 1))]"#,
    ));
}

/// A job of an hour on a node whose speed changes at these minutes: its work in thousandths of milliseconds, added up
/// step by step.
#[test]
fn work_on_slow_nodes_is_exact_whatever_the_speeds() {
    let mut dice = quotree_sim::random::Stream::new(5, "speeds");
    for _ in 0..60 {
        let changes: Vec<(u64, u64)> = (1..6).map(|k| (k * 7 + dice.below(7), 1 + dice.below(1000))).collect();
        let mut events = String::new();
        let (mut done, mut at, mut speed) = (0u128, 0u64, 1000u64);
        let mut end = None;
        for (minute, permille) in &changes {
            events += &format!("At(\"{minute}m\", Slow(\"n-0\", speed: {}.{:03})),", permille / 1000, permille % 1000);
            let more = u128::from(minute * 60_000 - at) * u128::from(speed);
            if end.is_none() && done + more >= 3_600_000_000 {
                end = Some(at + u64::try_from((3_600_000_000 - done).div_ceil(u128::from(speed))).unwrap());
            }
            (done, at, speed) = (done + more, minute * 60_000, *permille);
        }
        let left = 3_600_000_000u128.saturating_sub(done).div_ceil(u128::from(speed));
        let end = end.unwrap_or(at + u64::try_from(left).unwrap());
        let rest = format!(
            r#"workloads: [
                Job(name: "j", namespace: "ns", runtime: "1h", request: {{ "cpu": "6" }}),
                Training(name: "t", namespace: "ns", runtime: "1h", roles: [Role(name: "w", request: {{ "cpu": "2" }})]),
            ], events: [{events}], expect: [Final(Makespan(exactly: "{end}ms")), Final(Pods(succeeded: 2))]"#
        );
        hold(&read(r#"NodePool(name: "n", allocatable: { "cpu": "8" })"#, 8, &rest));
    }
}

#[test]
fn pools_grow_in_the_order_of_the_file_by_as_few_nodes_as_possible() {
    // 7 pods of 3 cores: two on each node of `cheap` (at most 2 nodes: 4 pods), the others on `dear`, two on each: 2
    // more.
    let pool = |name: &str, max: u32, price: &str| {
        format!(
            "NodePool(name: \"{name}\", count: 0, price: \"{price}\", allocatable: {{ \"cpu\": \"7\" }},
                autoscale: Autoscale(max: {max}, delay_up: Uniform(\"1m\", \"2m\"), idle_down: \"5m\"))"
        )
    };
    for placement in ["BestFit", "Spread", "Random(seed: 1)"] {
        let rest = r#"workloads: [Job(name: "j", namespace: "ns", completions: 7, parallelism: 7, runtime: "1h", request: { "cpu": "3" })],
            expect: [
                At("2m", NodesUp("cheap", exactly: 2)), At("2m", NodesUp("dear", exactly: 2)), At("2m", Pods(running: 7)),
                Final(Pods(succeeded: 7)), Final(NodesUp(exactly: 0)), Final(NodeTime(at_most: "4h28m")),
            ]"#;
        let mut scenario = read(&format!("{}, {}", pool("cheap", 2, "1"), pool("dear", 9, "3")), 50, rest);
        scenario.policy.placement = match placement {
            "BestFit" => quotree_core::Placement::BestFit,
            "Spread" => quotree_core::Placement::Spread,
            _ => quotree_core::Placement::Random { seed: 1 },
        };
        hold(&scenario);
    }
}

#[test]
fn a_node_reserved_by_a_hold_is_not_removed() {
    // The owner reclaims its 8 cores on n-1 from the guest, which takes 20 minutes to leave. n-0 is idle all the time
    // and is removed after 5 minutes. n-1 is not idle while a pod leaves it.
    let text = r#"Scenario(name: "t", world: World(eviction_grace: "20m", until: "2h"),
        cluster: [NodePool(name: "n", count: 1, allocatable: { "cpu": "8" },
            autoscale: Autoscale(min: 1, max: 2, delay_up: "1m", idle_down: "5m"))],
        quota: Quota(name: "root", min: { "cpu": "8" }, max: { "cpu": "8" }, children: [
            Quota(name: "a", min: { "cpu": "8" }, namespaces: ["a"]), Quota(name: "b", min: {}, namespaces: ["b"]),
        ]),
        workloads: [
            Deployment(name: "guest", namespace: "b", request: { "cpu": "8" }),
            Job(name: "owner", namespace: "a", runtime: "10m", request: { "cpu": "8" }, submit: "10m"),
        ],
        expect: [
            Always(NodesUp(exactly: 1), because: "the root allows 8 cores: room is not what the owner lacks"),
            At("30m", Pods(of: Workload("owner"), running: 1)), Final(Pods(of: Workload("guest"), running: 1)),
            Always(Invariants),
        ])"#;
    hold(&load("t.ron", &MapLoader::new().with("t.ron", text)).scenario.unwrap());
}

#[test]
fn the_estimate_of_a_lowered_max_counts_trainings_and_slow_nodes() {
    // At 1h the training has 3 of 4 hours left, 6 at half speed: 16 cores come free at 7h. The jobs end at 2h and 5h.
    // With max lowered to 10 of 26, the 5 + 5 of the jobs are not enough: 7h - 1h. With max lowered again at 3h to 20
    // of 21: the job at 5h.
    let run = hold(&read(
        FOUR,
        32,
        r#"workloads: [
            Training(name: "t", namespace: "ns", runtime: "4h", roles: [Role(name: "w", replicas: 2, request: { "cpu": "8" })]),
            Job(name: "a", namespace: "ns", runtime: "2h", request: { "cpu": "5" }),
            Job(name: "b", namespace: "ns", runtime: "5h", request: { "cpu": "5" }),
        ],
        events: [
            At("1h", Slow("n-0", speed: "50%")),
            At("1h", EditQuota("root", min: { "cpu": "10" }, max: { "cpu": "10" })),
            At("3h", EditQuota("root", min: { "cpu": "20" }, max: { "cpu": "20" })),
            At("4h", EditQuota("root", min: { "cpu": "6" }, max: { "cpu": "6" })),
        ],
        expect: [
            At("1h", QuotaDrain("root", Estimate, exactly: "6h")),
            At("4h", QuotaDrain("root", Estimate, exactly: "3h")), Final(QuotaDrain("root", Took, exactly: "3h")),
        ]"#,
    ));
    let rows: Vec<_> =
        run.result.quota_drains.iter().map(|r| (r.at_ms, r.estimate_ms, r.took_ms, r.replaced)).collect();
    let hour = 3_600_000;
    // The edit at 3h lowers nothing: the first change counts until the next one replaces it.
    assert_eq!(rows, [(hour, Some(6 * hour), None, true), (4 * hour, Some(3 * hour), Some(3 * hour), false)]);
}

#[test]
fn nodes_that_never_join_are_in_no_row() {
    let run = hold(&read(FOUR, 32, r#"events: [At("1m", AddNodes("n", 3))], world: World(until: "30s")"#));
    assert_eq!(run.result.nodes.len(), 4);
    let run = hold(&read(FOUR, 32, r#"events: [At("1m", AddNodes("n", 3)), At("2m", RemoveNodes("n-5"))]"#));
    let names: Vec<_> = run.result.nodes.iter().map(|n| (n.name.as_str(), n.up)).collect();
    assert_eq!(names[4..], [("n-4", true), ("n-5", false), ("n-6", true)]);
}

#[test]
fn an_edited_workload_moves_in_its_job_queue_too() {
    // One at a time: `c` was behind `b`, and goes before it with a priority of 5. `b` is non-preemptible from 1m on.
    hold(&read(
        FOUR,
        32,
        r#"queues: [JobQueue(quota: "root", max_jobs: 1)],
        workloads: [
            Job(name: "a", namespace: "ns", runtime: "1h", request: { "cpu": "1" }),
            Job(name: "b", namespace: "ns", runtime: "1h", request: { "cpu": "1" }, submit: "10s"),
            Job(name: "c", namespace: "ns", runtime: "1h", request: { "cpu": "1" }, submit: "20s"),
        ],
        events: [At("1m", EditWorkload("c", priority: 5)), At("1m", EditWorkload("b", preemptible: false))],
        expect: [
            At("1h", Pods(of: Workload("c"), running: 1)), At("2h", Pods(of: Workload("b"), running: 1)),
            Final(Pods(succeeded: 3)),
        ]"#,
    ));
}
