//! The report of real runs: points of series counted by hand, and integrals that equal the metrics of the run.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use quotree_reports::{Report, Style, Told, report, report_html, report_json, summary_text};
use quotree_sim::{
    Run, RunOptions, run,
    scenario::{MapLoader, load},
};

const DEMO: &str = include_str!("../../scenarios/nginx-40-core.ron");
const SLOW: &str = include_str!("../../scenarios/demo/slow-world.ron");
const FOUR_TEAMS: &str = include_str!("../../scenarios/demo/four-teams.ron");

fn of(text: &str) -> (Run, Report) {
    let files = MapLoader::new().with("x.ron", text).with("four-teams.ron", FOUR_TEAMS);
    let scenario = load("x.ron", &files).scenario.unwrap();
    let run = run(&scenario, &RunOptions { history: true, ..RunOptions::default() }, &mut ()).unwrap();
    let report = report(&scenario, &run, &Told::default()).unwrap();
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
