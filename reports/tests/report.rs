//! The report of real runs: points of series counted by hand, and integrals that equal the metrics of the run.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use quotree_core::Time;
use quotree_reports::{Report, RunSource, Style, report, report_html, report_json, summary_text};
use quotree_sim::{
    Run, RunOptions,
    history::questions,
    run,
    scenario::{MapLoader, load},
};

use quotree_page::model::Wait;

const DEMO: &str = include_str!("../../scenarios/nginx-40-core.ron");
const SLOW: &str = include_str!("../../scenarios/demo/slow-world.ron");
const FOUR_TEAMS: &str = include_str!("../../scenarios/demo/four-teams.ron");

fn of(text: &str) -> (Run, Report) {
    let files = MapLoader::new().with("x.ron", text).with("four-teams.ron", FOUR_TEAMS);
    let loaded = load("x.ron", &files);
    let scenario = loaded.scenario.ok_or(loaded.diagnostics).unwrap();
    let run = run(&scenario, &RunOptions { history: true, ..RunOptions::default() }, &mut ()).unwrap();
    let report = report(&scenario, &run, &RunSource::default()).unwrap();
    (run, report)
}

fn quota(report: &Report, name: &str) -> u32 {
    report.quotas.iter().position(|quota| quota.name == name).and_then(|place| u32::try_from(place).ok()).unwrap()
}

/// The steps of a figure of a quota, cores and minutes.
fn steps(
    report: &Report,
    name: &str,
    of: fn(&quotree_page::model::QuotaSeries) -> &quotree_page::model::Series,
) -> Vec<(u64, f64)> {
    let (quota, cpu) = (quota(report, name), report.resources.iter().position(|r| r.name == "cpu").unwrap());
    let row = report.quota_series.iter().find(|row| row.quota == quota && row.resource as usize == cpu).unwrap();
    of(row).steps().map(|step| (step.at_ms / 60_000, step.value as f64 / 1_000.0)).collect()
}

#[test]
fn each_point_of_the_demo_is_as_counted_by_hand() {
    let (_, report) = of(DEMO);
    // One pod of 5 cores is evicted from each branch sibling at minute 2, and one at minute 3.
    assert_eq!(steps(&report, "root.a.1", |row| &row.used), [(0, 20.0), (2, 15.0), (3, 10.0)]);
    assert_eq!(steps(&report, "root.a.2", |row| &row.used), [(0, 0.0), (1, 20.0), (2, 15.0), (3, 10.0)]);
    assert_eq!(steps(&report, "root.b.1", |row| &row.used), [(0, 0.0), (2, 10.0)]);
    assert_eq!(steps(&report, "root", |row| &row.used), [(0, 20.0), (1, 40.0)]);
    assert_eq!(steps(&report, "root.a.1", |row| &row.borrowed), [(0, 10.0), (2, 5.0), (3, 0.0)]);
    // All five replicas want 5 cores, and the replacement of an evicted one does, too.
    assert_eq!(steps(&report, "root.a.1", |row| &row.request), [(0, 25.0)]);
    assert_eq!(steps(&report, "root.b.2", |row| &row.request), [(0, 0.0), (3, 25.0)]);
    // Three idle guarantees share the loan of 10, then two, then one.
    assert_eq!(steps(&report, "root.b.2", |row| &row.lent), [(0, 3.334), (1, 10.0), (3, 0.0)]);
    assert_eq!(steps(&report, "root.a.2", |row| &row.lent), [(0, 3.333), (1, 0.0)]);
    assert_eq!(steps(&report, "root.a", |row| &row.min), [(0, 20.0)]);
    assert_eq!(steps(&report, "root.a.1", |row| &row.max), [(0, 20.0)]);
    assert_eq!(steps(&report, "root", |row| &row.missed), [(0, 0.0)]);
}

#[test]
fn jobs_waits_and_evictions_of_the_demo() {
    let (_, report) = of(DEMO);
    assert_eq!(
        report.jobs.iter().map(|job| job.name.as_str()).collect::<Vec<_>>(),
        ["nginx1", "nginx2", "nginx3", "nginx4"]
    );
    let first = &report.jobs[0];
    assert_eq!((first.submitted_ms, first.first_bound_ms, first.evictions, first.gang), (0, Some(0), 2, 5));
    // 20 cores for two minutes, 15 for one, 10 for twelve.
    assert_eq!(first.used[0].unit_s, (20 * 2 + 15 + 10 * 12) * 60 * 1_000);
    let evictions: Vec<_> =
        report.evictions.iter().map(|e| (e.at_ms / 60_000, e.job, e.cause, e.rule.as_str())).collect();
    assert_eq!(evictions.len(), 4);
    assert!(
        evictions.iter().all(|(at, victim, cause, rule)| {
            *rule == "R2" && *victim < 2 && *cause == Some(u32::try_from(*at).unwrap())
        }),
        "{evictions:?}"
    );
    assert!(report.evictions.iter().all(|e| e.amounts[0].amount == 5_000 && e.left_ms == Some(e.at_ms)));
    assert!(report.evictions.iter().all(|e| e.cause_bound_ms == Some(e.at_ms) && e.replacement.is_some()));
    // The fifth pod of nginx1 waits from the start to the end, first because of the max of its leaf.
    let wait = &report.waits[0];
    assert_eq!((wait.from_ms, wait.rule.as_str(), wait.quota), (0, "A1", Some(quota(&report, "root.a.1"))));
    assert_eq!((wait.needed, wait.available), (Some(5_000), Some(0)));
    assert_eq!(report.totals.longest_wait_ms, 15 * 60_000);
    assert!(report.findings.len() >= 5 && report.findings.len() <= 12, "{:#?}", report.findings);
}

#[test]
fn series_integrate_to_the_metrics() {
    for text in [DEMO, SLOW] {
        let (run, report) = of(text);
        let end = report.run.end_ms;
        for row in &report.quota_series {
            let name = &report.resources[row.resource as usize].name;
            let quota = &report.quotas[row.quota as usize];
            let result = run.result.quotas.iter().find(|other| other.name == quota.name).unwrap();
            let area = |series: &quotree_page::model::Series| u128::try_from(series.area(end)).unwrap();
            assert_eq!(area(&row.used), result.share.used_time_s.get(name), "{} {name}", quota.name);
            assert_eq!(area(&row.borrowed) / 1_000, row.borrowed_unit_s);
            assert_eq!(area(&row.lent) / 1_000, row.lent_unit_s);
        }
        for row in report.totals.resources.iter().filter(|row| report.resources[row.resource as usize].governed) {
            let leaves = report.quota_series.iter().filter(|s| report.quotas[s.quota as usize].parent.is_none());
            let leaves: Vec<_> = leaves.filter(|s| s.resource == row.resource).collect();
            assert_eq!(leaves.iter().map(|s| s.borrowed_unit_s).sum::<u128>(), row.borrowed_unit_s);
            assert_eq!(leaves.iter().map(|s| s.lent_unit_s).sum::<u128>(), row.lent_unit_s);
            assert_eq!(leaves.iter().map(|s| s.starved_unit_s).sum::<u128>(), row.starved_unit_s);
            assert_eq!(row.missed_unit_s, row.starved_unit_s, "one figure");
            let cluster = report.cluster.resources.iter().find(|other| other.resource == row.resource).unwrap();
            assert_eq!(u128::try_from(cluster.allocated.area(end)).unwrap() / 1_000, row.used_unit_s);
            // What each lender lent is what its borrowers had of it.
            for lender in report
                .quota_series
                .iter()
                .filter(|s| report.quotas[s.quota as usize].leaf && s.resource == row.resource)
            {
                let lent =
                    report.loans.iter().filter(|loan| loan.lender == lender.quota && loan.resource == row.resource);
                let sum: u128 = lent.map(|loan| loan.unit_s).sum();
                // Each loan is rounded down to whole seconds.
                assert!(sum <= lender.lent_unit_s && lender.lent_unit_s - sum < 20, "{sum} {}", lender.lent_unit_s);
            }
        }
    }
}

#[test]
fn the_report_is_read_back_and_gives_the_same_page() {
    let (_, report) = of(SLOW);
    let again: Report = serde_json::from_str(&report_json(&report).unwrap()).unwrap();
    assert_eq!(again, report);
    assert_eq!(report_html(&again).unwrap(), report_html(&report).unwrap());
}

#[test]
fn a_run_without_pods_or_quota_has_a_report() {
    let (_, empty) = of(
        r#"Scenario(name: "x", cluster: Pool({ "cpu": "4" }), quota: Quota(name: "root", min: { "cpu": "4" }, max: { "cpu": "4" }))"#,
    );
    assert_eq!((empty.jobs.len(), empty.pods.len(), empty.waits.len()), (0, 0, 0));
    assert!(!empty.findings.is_empty());
    assert!(report_html(&empty).unwrap().contains("<!doctype html>"));
}

/// A team has two of four GPUs and a third pod that waits for one. It is guaranteed `gpus`, and eight cores more than it
/// uses.
fn waits_for_a_gpu(gpus: u32) -> (Run, Report) {
    of(&format!(
        r#"Scenario(
    name: "waits for a GPU",
    cluster: [NodePool(name: "n", count: 2, allocatable: {{ "cpu": "16", "nvidia.com/gpu": "1" }})],
    quota: Quota(name: "root", min: {{ "cpu": "32", "nvidia.com/gpu": "4" }}, max: {{ "cpu": "32", "nvidia.com/gpu": "4" }},
        children: [
            Quota(name: "lab", min: {{ "cpu": "10", "nvidia.com/gpu": "{gpus}" }}, namespaces: ["lab"]),
            Quota(name: "other", min: {{ "cpu": "1", "nvidia.com/gpu": "1" }}, namespaces: ["other"]),
        ]),
    world: World(until: "1h"),
    workloads: [
        Deployment(name: "train", namespace: "lab", replicas: 3, request: {{ "cpu": "1", "nvidia.com/gpu": "1" }}),
    ],
    expect: [Always(Guaranteed(within: "10m"), allow_empty: true)],
)"#
    ))
}

#[test]
fn a_guarantee_is_unmet_in_the_resource_that_binds() {
    // It has the GPUs that it is guaranteed: nothing is owed to it, and certainly no cores.
    let (run, report) = waits_for_a_gpu(2);
    let result = &run.result;
    assert_eq!((result.metrics.starved_unit_s["cpu"], result.metrics.starved_unit_s["nvidia.com/gpu"]), (0, 0));
    let lab = result.quotas.iter().find(|row| row.name == "lab").unwrap();
    assert!(lab.share.starved_time_s.is_empty() && result.claims.failed == 0);
    assert!(!summary_text(result, None, &[], Style::default()).contains("unmet guarantee"));
    assert!(report.totals.resources.iter().all(|row| row.missed_unit_s == 0 && row.starved_unit_s == 0));

    // It is guaranteed one more, which the nodes do not have: a GPU for an hour, still no cores.
    let (run, report) = waits_for_a_gpu(3);
    let result = &run.result;
    assert_eq!((result.metrics.starved_unit_s["cpu"], result.metrics.starved_unit_s["nvidia.com/gpu"]), (0, 3_600_000));
    let lab = result.quotas.iter().find(|row| row.name == "lab").unwrap();
    let owed: Vec<_> = lab.share.starved_time_s.0.iter().map(|(name, ms)| (name.as_str(), *ms)).collect();
    assert_eq!((owed, result.claims.failed), (vec![("nvidia.com/gpu", 3_600_000_000)], 1));
    let text = summary_text(result, None, &[], Style::default());
    assert!(text.contains("unmet guarantee  1.00 nvidia.com/gpu-hours below min"), "{text}");
    let totals: Vec<_> = report.totals.resources.iter().map(|row| row.missed_unit_s).filter(|s| *s > 0).collect();
    assert_eq!(totals, [3_600_000]);
}

#[test]
fn what_can_never_reclaim_is_owed_nothing() {
    // `lab` is guaranteed two GPUs, and one is there. Without any guaranteed cpu, its pods may never reclaim (R2(a)).
    let text = |cpu: u32| {
        format!(
            r#"Scenario(
    name: "no cpu",
    cluster: [NodePool(name: "n", count: 1, allocatable: {{ "cpu": "8", "nvidia.com/gpu": "1" }})],
    quota: Quota(name: "root", min: {{ "cpu": "8", "nvidia.com/gpu": "2" }}, max: {{ "cpu": "8", "nvidia.com/gpu": "2" }},
        children: [
            Quota(name: "lab", min: {{ "cpu": "{cpu}", "nvidia.com/gpu": "2" }}, namespaces: ["lab"]),
            Quota(name: "other", min: {{ "cpu": "4" }}, namespaces: ["other"]),
        ]),
    world: World(until: "1h"),
    workloads: [
        Deployment(name: "train", namespace: "lab", replicas: 2, request: {{ "cpu": "1", "nvidia.com/gpu": "1" }}),
    ],
)"#
        )
    };
    let owed = |cpu: u32| of(&text(cpu)).0.result.metrics.starved_unit_s["nvidia.com/gpu"];
    assert_eq!((owed(0), owed(4)), (0, 3_600_000));
}

#[test]
fn who_is_never_tried_has_a_reason() {
    // The leaf blocks its queue, so the scheduler never tries what waits behind the head.
    let (_, report) = of(r#"Scenario(
    name: "blocked",
    cluster: Pool({ "cpu": "4" }),
    quota: Quota(name: "root", min: { "cpu": "4" }, max: { "cpu": "4" },
        children: [Quota(name: "lab", min: { "cpu": "2" }, max: { "cpu": "2" }, queueing: Block, namespaces: ["lab"])]),
    world: World(until: "1h"),
    workloads: [
        Deployment(name: "runs", namespace: "lab", request: { "cpu": "2" }),
        Deployment(name: "head", namespace: "lab", submit: "1m", request: { "cpu": "2" }),
        Deployment(name: "behind", namespace: "lab", submit: "2m", request: { "cpu": "1" }),
    ],
)"#);
    let waits: Vec<_> =
        report.waits.iter().map(|wait| (report.pods[wait.pod as usize].name.as_str(), wait.rule.as_str())).collect();
    assert_eq!(waits, [("head-1", "A1"), ("behind-1", "O2")]);
}

/// The report with the full reasons of its waits.
fn explained(text: &str, most: usize) -> Report {
    let files = MapLoader::new().with("x.ron", text).with("four-teams.ron", FOUR_TEAMS);
    let loaded = load("x.ron", &files);
    let scenario = loaded.scenario.ok_or(loaded.diagnostics).unwrap();
    let mut first = run(&scenario, &RunOptions { history: true, ..RunOptions::default() }, &mut ()).unwrap();
    let explain = questions(&scenario, first.history.as_deref().unwrap(), most);
    let until = explain.last().map(|question| Time(question.at_ms));
    let second = RunOptions { until, explain, judge: false, ..RunOptions::default() };
    first.explained = run(&scenario, &second, &mut ()).unwrap().explained;
    report(&scenario, &first, &RunSource::default()).unwrap()
}

#[test]
fn every_wait_of_a_small_run_has_its_full_reason() {
    for text in [DEMO, SLOW] {
        let (brief, report) = (of(text).1, explained(text, 2_000));
        assert!(report.waits.iter().all(|wait| wait.verdict.is_some()));
        // The reason that equal pods share is, when the wait begins, that of each of them.
        for wait in &brief.waits {
            let same = |other: &&Wait| (other.pod, other.from_ms) == (wait.pod, wait.from_ms);
            let row = report.waits.iter().find(same).unwrap();
            assert_eq!((&row.rule, row.quota), (&wait.rule, wait.quota), "{wait:?}");
        }
        // However a wait is divided, it takes as long.
        let sum = |report: &Report| -> u64 { report.waits.iter().map(|wait| wait.to_ms - wait.from_ms).sum() };
        assert_eq!(sum(&brief), sum(&report));
        assert!(report.left_out.iter().all(|row| !row.what.contains("explain")), "{:?}", report.left_out);
    }
    // The fifth pod of nginx1 waits for the max of its leaf, whose four pods use all of it, and raising it would help.
    let report = explained(DEMO, 2_000);
    let verdict = &report.verdicts[report.waits[0].verdict.unwrap() as usize];
    let holder = &verdict.holders[0];
    assert_eq!((holder.quota, holder.used, holder.pods), (Some(quota(&report, "root.a.1")), 20_000, 4));
    assert_eq!(verdict.helps, ["raise the max of root.a.1 by 5 cpu"]);
}

#[test]
fn a_long_wait_is_explained_again_when_what_holds_it_back_has_changed() {
    // Two pods hold the pool; the one that the scheduler names leaves, and the other holds it on.
    let report = explained(
        r#"Scenario(
    name: "again",
    cluster: Pool({ "cpu": "4" }),
    quota: Quota(name: "root", min: { "cpu": "4" }, max: { "cpu": "4" },
        children: [Quota(name: "lab", min: { "cpu": "4" }, max: { "cpu": "4" }, namespaces: ["lab"])]),
    workloads: [
        Job(name: "short", namespace: "lab", runtime: "10m", request: { "cpu": "2" }),
        Job(name: "long", namespace: "lab", runtime: "1h", request: { "cpu": "2" }),
        Job(name: "all", namespace: "lab", submit: "1m", runtime: "1m", request: { "cpu": "4" }),
    ],
)"#,
        2_000,
    );
    let rows: Vec<_> = (report.waits.iter())
        .map(|wait| {
            let verdict = &report.verdicts[wait.verdict.unwrap() as usize];
            let who: Vec<&str> =
                verdict.holders[0].who.iter().map(|pod| report.pods[*pod as usize].name.as_str()).collect();
            (wait.from_ms / 60_000, wait.to_ms / 60_000, who)
        })
        .collect();
    assert_eq!(rows, [(1, 10, vec!["short-1", "long-1"]), (10, 60, vec!["long-1"])]);
}

#[test]
fn few_reasons_are_those_of_evicted_work_and_then_of_the_longest_waits() {
    let all = explained(DEMO, 2_000);
    let report = explained(DEMO, 3);
    let told: Vec<_> = report.waits.iter().filter(|wait| wait.verdict.is_some()).collect();
    assert_eq!(told.len(), 3);
    let evicted: Vec<u32> = all.evictions.iter().map(|eviction| eviction.job).collect();
    assert!(told.iter().all(|wait| evicted.contains(&report.pods[wait.pod as usize].job)));
    assert!(report.left_out.iter().any(|row| row.kept == 3 && row.of == report.waits.len() as u64));
}

#[test]
fn a_wait_for_room_tells_which_test_each_node_failed() {
    let report = explained(
        r#"Scenario(
    name: "room",
    cluster: [
        NodePool(name: "cpu", count: 1, allocatable: { "cpu": "8" }),
        NodePool(name: "gpu", count: 1, allocatable: { "cpu": "8" }, labels: { "kind": "gpu" }),
        NodePool(name: "down", count: 1, allocatable: { "cpu": "8" }, labels: { "kind": "gpu" }),
    ],
    quota: Quota(name: "root", min: { "cpu": "24" }, max: { "cpu": "24" }, namespaces: ["lab"]),
    world: World(until: "1h"),
    events: [At("0s", NodeDown("down-0"))],
    workloads: [
        Deployment(name: "runs", namespace: "lab", submit: "1m", request: { "cpu": "6" }, selector: { "kind": "gpu" }),
        Deployment(name: "waits", namespace: "lab", submit: "2m", request: { "cpu": "4" }, selector: { "kind": "gpu" }),
    ],
)"#,
        2_000,
    );
    let verdict = &report.verdicts[report.waits[0].verdict.unwrap() as usize];
    let checks: Vec<_> = verdict.checks.iter().map(|check| (check.node, check.failed.as_str())).collect();
    assert_eq!(checks, [(0, "selector"), (1, "room"), (2, "up")]);
    assert_eq!(verdict.checks[1].lacks.map(|lacks| lacks.amount), Some(2_000));
}

#[test]
fn a_pod_borrows_what_is_above_min_when_it_is_bound() {
    let (_, report) = of(DEMO);
    // The min of root.a.1 is 10 cores: of its first four pods of 5 cores, two are within it.
    let borrowed: Vec<i64> =
        report.placements.iter().take(4).map(|row| row.borrowed.iter().map(|row| row.amount).sum()).collect();
    assert_eq!(borrowed, [0, 0, 5_000, 5_000]);
}

#[test]
fn devices_do_what_their_workloads_say() {
    let (_, report) = of(r#"Scenario(
    name: "use",
    cluster: [NodePool(name: "n", count: 1, allocatable: { "cpu": "8" }, gpus: Gpus(count: 2, memory: 80, mode: Exclusive))],
    quota: Quota(name: "root", min: { "nvidia.com/gpu": "2" }, max: { "nvidia.com/gpu": "2" }, namespaces: ["lab"]),
    world: World(until: "100s", currency: "EUR", starts_at: "2026-11-30T08:00"),
    workloads: [
        Job(name: "half", namespace: "lab", runtime: "50s", request: { "nvidia.com/gpu": "1" },
            gpu_utilisation: "40%", gpu_memory_used: "30Gi"),
        Job(name: "full", namespace: "lab", submit: "10s", runtime: "30s", request: { "nvidia.com/gpu": "1" }),
    ],
)"#);
    let gib = |n: i64| n << 30;
    let steps = |series: &quotree_page::model::Series| -> Vec<(u64, i64)> {
        series.steps().map(|step| (step.at_ms / 1000, step.value)).collect()
    };
    let c = &report.cluster;
    assert_eq!(steps(&c.device_memory_total), [(0, gib(160))]);
    assert_eq!(steps(&c.device_memory_allocated), [(0, gib(80)), (10, gib(160)), (40, gib(80)), (50, 0)]);
    assert_eq!(steps(&c.device_memory_used), [(0, gib(30)), (10, gib(110)), (40, gib(30)), (50, 0)]);
    // 40 % of one of two devices, then with the other one in full.
    assert_eq!(steps(&c.duty_permille), [(0, 200), (10, 700), (40, 200), (50, 0)]);
    assert_eq!(report.loads.len(), 2);
    assert_eq!(steps(&report.loads[0].duty_permille), [(0, 400), (50, 0)]);
    assert_eq!(steps(&report.loads[1].memory_used), [(0, 0), (10, gib(80)), (40, 0)]);
    assert_eq!((report.run.currency.as_str(), report.run.starts_at.as_deref()), ("EUR", Some("2026-11-30T08:00:00")));
}

#[test]
fn counted_devices_get_the_lowest_numbers_that_are_free() {
    let (_, report) = of(r#"Scenario(
    name: "counted",
    cluster: [NodePool(name: "n", count: 1, allocatable: { "nvidia.com/gpu": "4" })],
    quota: Quota(name: "root", min: { "nvidia.com/gpu": "4" }, max: { "nvidia.com/gpu": "4" }, namespaces: ["lab"]),
    workloads: [
        Job(name: "a", namespace: "lab", runtime: "10s", request: { "nvidia.com/gpu": "1" }),
        Job(name: "b", namespace: "lab", runtime: "90s", request: { "nvidia.com/gpu": "2" }),
        Job(name: "c", namespace: "lab", submit: "10s", runtime: "10s", request: { "nvidia.com/gpu": "2" }),
    ],
)"#);
    let devices: Vec<_> = report.placements.iter().map(|row| row.devices.as_slice()).collect();
    assert_eq!(devices, [&[0][..], &[1, 2], &[0, 3]]);
    assert_eq!(report.nodes[0].devices, 4);
}

#[test]
fn claims_tell_what_was_expected_and_when_it_did_not_hold() {
    use quotree_page::model::{Amount, Measure};
    let (_, report) = of(r#"Scenario(
    name: "claims",
    cluster: Pool({ "cpu": "4" }),
    quota: Quota(name: "root", min: { "cpu": "4" }, max: { "cpu": "4" },
        children: [Quota(name: "lab", min: { "cpu": "4" }, max: { "cpu": "4" }, namespaces: ["lab"])]),
    workloads: [
        Job(name: "a", namespace: "lab", runtime: "10s", request: { "cpu": "3" }),
        Job(name: "b", namespace: "lab", submit: "20s", runtime: "10s", request: { "cpu": "3" }),
    ],
    expect: [
        Always(Used("lab", "cpu", at_most: "2")),
        Final(Makespan(at_most: "25s")),
        Final(Pods(of: Workload("a"), succeeded: 1)),
    ],
)"#);
    let cpu = |amount: i64| Some(Measure::Amount(Amount { resource: 0, amount }));
    let claim = &report.claims[0];
    assert_eq!(
        (claim.expected.as_str(), claim.expected_value, claim.seen_value),
        ("at most 2 cpu", cpu(2_000), cpu(3_000))
    );
    // It holds between the jobs, and the last time at which it does not is the start of the second.
    assert_eq!((claim.breach_from_ms, claim.breach_to_ms, claim.quotas.as_slice()), (Some(0), Some(20_000), &[1][..]));
    let claim = &report.claims[1];
    assert_eq!((claim.expected.as_str(), claim.seen_value), ("at most 25s", Some(Measure::Ms(30_000))));
    let claim = &report.claims[2];
    assert_eq!((claim.expected.as_str(), claim.passed, claim.jobs.as_slice()), ("1 succeeded", true, &[0][..]));
}

#[test]
fn an_outage_tells_the_work_that_it_threw_away() {
    let (_, report) = of(r#"Scenario(
    name: "lost",
    cluster: [NodePool(name: "n", count: 1, allocatable: { "cpu": "4" })],
    quota: Quota(name: "root", min: { "cpu": "4" }, max: { "cpu": "4" }, namespaces: ["lab"]),
    workloads: [Job(name: "a", namespace: "lab", runtime: "1h", checkpoint: "20m", request: { "cpu": "1" })],
    events: [At("50m", NodeDown("n-0")), At("1h", NodeUp("n-0"))],
)"#);
    // 50 minutes are done, and 40 of them are saved.
    let incident = &report.incidents[0];
    assert_eq!((incident.lost_work_ms, incident.lost_pods.len()), (10 * 60_000, 1));
    assert_eq!((incident.from_ms, incident.to_ms), (50 * 60_000, Some(60 * 60_000)));
}
