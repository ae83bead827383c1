//! The summary as Markdown and the metrics for Prometheus, of real runs and of hostile names.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};
use quotree_page::model::{Claim, Finding, FindingKind, Piece, Quota, SubjectKind};
use quotree_reports::{Report, RunSource, prometheus, report, summary_markdown};
use quotree_sim::{
    Run, RunOptions, run,
    scenario::{MapLoader, load},
};
use std::collections::BTreeSet;

const DEMO: &str = include_str!("../../scenarios/nginx-40-core.ron");
const GPUS: &str = include_str!("../../scenarios/devices/share.ron");

/// Names that are markup somewhere.
const HOSTILE: [&str; 12] = [
    "<b>bold</b>",
    "a|b",
    "tick`tick",
    "``",
    "new\nline",
    "@octocat",
    "#1 GH-2",
    "[link](https://example.org)",
    "</script>",
    "quote\"s \\ 'x'",
    "emoji 😀 \u{202e}rtl\u{2028}",
    " ",
];

fn of(text: &str) -> (Run, Report) {
    let scenario = load("x.ron", &MapLoader::new().with("x.ron", text)).scenario.unwrap();
    let run = run(&scenario, &RunOptions { history: true, ..RunOptions::default() }, &mut ()).unwrap();
    let source = RunSource { file: "x.ron".into(), command: "quotree run x.ron".into(), version: "0.1.0".into() };
    let report = report(&scenario, &run, &source).unwrap();
    (run, report)
}

/// The texts of the cells of a Markdown table, row by row, and whether any HTML or link is in the document.
fn parsed(markdown: &str) -> (Vec<Vec<String>>, bool) {
    let (mut rows, mut cell, mut odd): (Vec<Vec<String>>, Option<String>, bool) = (Vec::new(), None, false);
    for event in Parser::new_ext(markdown, Options::ENABLE_TABLES) {
        match event {
            Event::Start(Tag::TableRow | Tag::TableHead) => rows.push(Vec::new()),
            Event::Start(Tag::TableCell) => cell = Some(String::new()),
            Event::End(TagEnd::TableCell) => rows.last_mut().unwrap().push(cell.take().unwrap()),
            Event::Text(text) | Event::Code(text) => {
                if let Some(cell) = &mut cell {
                    cell.push_str(&text);
                }
            }
            Event::Html(_) | Event::InlineHtml(_) | Event::Start(Tag::Link { .. } | Tag::Image { .. }) => odd = true,
            _ => {}
        }
    }
    (rows, odd)
}

#[test]
fn the_markdown_of_the_demo() {
    let (_, report) = of(DEMO);
    let markdown = summary_markdown(&report);
    expect_test::expect_file!["golden/demo.md"].assert_eq(&markdown);
    let (rows, odd) = parsed(&markdown);
    assert_eq!((rows.len(), odd), (5, false));
    assert!(rows.iter().all(|row| row.len() == 9), "{rows:?}");
}

#[test]
fn hostile_names_stay_names() {
    let (_, mut report) = of(DEMO);
    report.quotas = HOSTILE.iter().map(|name| Quota { name: (*name).into(), leaf: true, ..Quota::default() }).collect();
    let piece = |name: &&str| Piece::Subject { kind: SubjectKind::Quota, name: (*name).into() };
    let text = |name: &&str| Piece::Text(format!(" {name} "));
    let pieces = HOSTILE.iter().map(piece).chain(HOSTILE.iter().map(text)).collect();
    let finding = Finding { kind: FindingKind::Note, weight: 1, at_ms: 0, from_ms: None, to_ms: None, pieces };
    report.findings = vec![finding];
    report.run.scenario = HOSTILE.concat();
    report.run.about = HOSTILE.concat();
    report.run.command = HOSTILE.concat();
    let claim = |name: &&str| Claim {
        claim: (*name).into(),
        seen: (*name).into(),
        because: Some((*name).into()),
        explanations: vec![(*name).into()],
        ..Claim::default()
    };
    report.claims = HOSTILE.iter().map(claim).collect();
    let markdown = summary_markdown(&report);
    let (rows, odd) = parsed(&markdown);
    assert!(!odd, "{markdown}");
    assert!(rows.iter().all(|row| row.len() == 9), "{rows:?}");
    let names: Vec<&str> = rows.iter().skip(1).map(|row| row[0].as_str()).collect();
    let visible = HOSTILE.map(|name| if name == " " { "(no name)".to_owned() } else { quotree_page::visible(name) });
    assert_eq!(names, visible.iter().map(String::as_str).collect::<Vec<_>>());
    // A mention outside of code has something between the sign and the name.
    let (mut text, mut in_block) = (String::new(), false);
    for event in Parser::new_ext(&markdown, Options::ENABLE_TABLES) {
        match event {
            Event::Start(Tag::CodeBlock(_)) => in_block = true,
            Event::End(TagEnd::CodeBlock) => in_block = false,
            Event::Text(part) if !in_block => text.push_str(&part),
            _ => text.push(' '),
        }
    }
    assert!(text.contains("@\u{200b}octocat") && text.contains("#\u{200b}1"), "{text}");
    assert!(!text.contains("@octocat") && !text.contains("#1"), "{text}");
}

#[test]
fn markdown_fits_a_comment_and_says_what_is_left_out() {
    let (_, mut report) = of(DEMO);
    let long = "|<@`".repeat(5_000);
    let quota = Quota { name: long.clone(), leaf: true, ..Quota::default() };
    report.quotas = vec![quota; 3_000];
    let claim = Claim { claim: long.clone(), seen: long.clone(), because: Some(long.clone()), ..Claim::default() };
    report.claims = vec![claim; 3_000];
    let subject = Piece::Subject { kind: SubjectKind::Pod, name: long.clone() };
    for finding in &mut report.findings {
        finding.pieces = vec![subject.clone(), Piece::Text(long.clone()), subject.clone()];
    }
    report.run.scenario.clone_from(&long);
    report.run.about.clone_from(&long);
    report.run.command.clone_from(&long);
    report.run.policy.clone_from(&long);
    report.run.version.clone_from(&long);
    let markdown = summary_markdown(&report);
    assert!(markdown.len() < 65_536, "{} bytes", markdown.len());
    for left in ["more teams, which `summary.json` has", "more claims", "The command is cut off."] {
        assert!(markdown.contains(left), "{left}");
    }
    // An ordinary list of failed claims fits whole.
    let (_, mut report) = of(DEMO);
    report.claims.iter_mut().for_each(|claim| claim.passed = false);
    assert_eq!(summary_markdown(&report).matches(", observed").count(), 25);
}

/// The lines of an exposition by family: name, type and samples. Fails where the format is not kept.
fn families(text: &str) -> Vec<(String, String, Vec<String>)> {
    let mut families: Vec<(String, String, Vec<String>)> = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            let (name, help) = help.split_once(' ').unwrap();
            let kind = lines.next().unwrap().strip_prefix("# TYPE ").unwrap();
            let (typed, kind) = kind.split_once(' ').unwrap();
            assert_eq!(typed, name);
            assert!(!help.is_empty() && ["counter", "gauge", "summary", "histogram"].contains(&kind), "{name}");
            assert!(families.iter().all(|(other, ..)| other != name), "{name} twice");
            families.push((name.into(), kind.into(), Vec::new()));
            continue;
        }
        let (name, kind, samples) = families.last_mut().unwrap();
        let end = line.find(['{', ' ']).unwrap();
        let suffix = line[..end].strip_prefix(name.as_str()).unwrap();
        let allowed: &[&str] = match kind.as_str() {
            "histogram" => &["_bucket", "_sum", "_count"],
            "summary" => &["", "_sum", "_count"],
            _ => &[""],
        };
        assert!(allowed.contains(&suffix), "{line}");
        samples.push(line.into());
    }
    families
}

#[test]
fn the_metrics_are_what_prometheus_reads() {
    for text in [DEMO, GPUS] {
        let (run, report) = of(text);
        let exposition = prometheus(&run, Some(&report));
        openmetrics_parser::prometheus::parse_prometheus(&exposition).unwrap();
        for (name, kind, samples) in families(&exposition) {
            let series: BTreeSet<&str> = samples.iter().map(|line| line.rsplit_once(' ').unwrap().0).collect();
            assert_eq!(series.len(), samples.len(), "{name} has a series twice");
            assert_eq!(kind == "counter", name.ends_with("_total"), "{name}");
            for line in &samples {
                let value = line.rsplit_once(' ').unwrap().1;
                let digits = value.trim_start_matches('-').replacen('.', "", 1);
                assert!(!digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()), "{line}");
            }
        }
    }
}

#[test]
fn the_metrics_of_the_demo_as_counted_by_hand() {
    let exposition = prometheus(&of(DEMO).0, None);
    for line in [
        // 20 replicas and four that replace evicted ones; two of each team run.
        "scheduler_pending_pods{queue=\"unschedulable\"} 12",
        "scheduler_pending_pods{queue=\"gated\"} 0",
        "scheduler_schedule_attempts_total{profile=\"capacity\",result=\"scheduled\"} 12",
        // Each of nginx3 and nginx4 evicted one pod of each sibling, for one pod each.
        "scheduler_preemption_attempts_total 4",
        // nginx3 and nginx4 took two pods of one job each, in two decisions of one moment and victim each.
        "kueue_preempted_workloads_total{preempting_cluster_queue=\"root.b.1\",reason=\"InCohortReclamation\"} 2",
        "kueue_preempted_workloads_total{preempting_cluster_queue=\"root.b.2\",reason=\"InCohortReclamation\"} 2",
        // Four leaves that all want more than 10 of 40 cores.
        "scheduler_elastic_quota_status{name=\"root.a.1\",resource=\"cpu\",tree=\"\",is_parent=\"false\",parent=\"root.a\",field=\"runtime\"} 10000",
        "scheduler_preemption_victims_bucket{le=\"1\"} 4",
        "scheduler_preemption_victims_sum 4",
        // All pods that were bound were bound when they were created.
        "scheduler_pod_scheduling_sli_duration_seconds_bucket{le=\"0.01\"} 12",
        "scheduler_pod_scheduling_sli_duration_seconds_sum 0",
        "kube_pod_status_phase{namespace=\"namespace1\",phase=\"Running\"} 2",
        "kube_pod_status_phase{namespace=\"namespace1\",phase=\"Pending\"} 3",
        "kube_node_status_allocatable{node=\"node-0\",resource=\"memory\",unit=\"byte\"} 42949672960",
        "kueue_pending_workloads{cluster_queue=\"root.a.1\",status=\"inadmissible\"} 3",
        "kueue_cluster_queue_resource_usage{cohort=\"root.a\",cluster_queue=\"root.a.1\",flavor=\"default\",resource=\"cpu\"} 10",
        "kueue_cluster_queue_nominal_quota{cohort=\"root.a\",cluster_queue=\"root.a.1\",flavor=\"default\",resource=\"cpu\"} 10",
        "kueue_cluster_queue_borrowing_limit{cohort=\"root.a\",cluster_queue=\"root.a.1\",flavor=\"default\",resource=\"cpu\"} 10",
        "scheduler_elastic_quota_spec{name=\"root.a\",resource=\"cpu\",tree=\"\",is_parent=\"true\",parent=\"root\",field=\"max\"} 40000",
        // 20 cores for two minutes, 15 for one, 10 for twelve.
        "quotree_quota_resource_seconds_total{quota=\"root.a.1\",resource=\"cpu\",type=\"used\"} 10500",
        "quotree_quota_evictions_total{quota=\"root.a.1\"} 2",
        "quotree_evictions_total{rule=\"R2\"} 4",
        "quotree_claims{outcome=\"passed\"} 25",
        "quotree_run_end_seconds 900",
    ] {
        assert!(exposition.lines().any(|other| other == line), "{line}\n{exposition}");
    }
}

#[test]
fn every_family_is_in_metrics_md() {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/metrics.md")).unwrap();
    for scenario in [DEMO, GPUS] {
        for (name, ..) in families(&prometheus(&of(scenario).0, Some(&of(scenario).1))) {
            assert!(text.contains(&format!("`{name}")), "docs/metrics.md has no `{name}`");
        }
    }
}

#[test]
fn labels_of_hostile_names_are_read_back() {
    let (mut run, _) = of(DEMO);
    for (quota, name) in run.result.quotas.iter_mut().zip(HOSTILE) {
        quota.name = name.into();
        quota.parent = None;
    }
    let exposition = prometheus(&run, None);
    let read = openmetrics_parser::prometheus::parse_prometheus(&exposition).unwrap();
    let family = &read.families["quotree_quota_evictions_total"];
    let labels: Vec<String> = family
        .iter_samples()
        .map(|sample| sample.get_labelset().unwrap().get_label_value("quota").unwrap().to_owned())
        .collect();
    assert_eq!(labels.len(), run.result.quotas.len());
    // The reader keeps escapes as they are written.
    let unescaped: Vec<String> =
        labels.iter().map(|label| label.replace("\\n", "\n").replace("\\\"", "\"").replace("\\\\", "\\")).collect();
    assert_eq!(unescaped, HOSTILE[..run.result.quotas.len()]);
}

#[test]
fn devices_are_told_as_dcgm_tells_them() {
    let (run, report) = of(r#"Scenario(
    name: "use",
    cluster: [NodePool(name: "n", count: 1, allocatable: { "cpu": "8" }, gpus: Gpus(count: 2, memory: 80))],
    quota: Quota(name: "root", min: { "nvidia.com/gpu": "2" }, max: { "nvidia.com/gpu": "2" }, namespaces: ["lab"]),
    world: World(until: "1h"),
    workloads: [
        Deployment(name: "serve", namespace: "lab", request: { "nvidia.com/gpu": "1" }, gpu_utilisation: "42.5%",
            gpu_memory_used: "30Gi"),
    ],
)"#);
    let exposition = prometheus(&run, Some(&report));
    for line in [
        "DCGM_FI_DEV_GPU_UTIL{gpu=\"0\",Hostname=\"n-0\"} 42.5",
        "DCGM_FI_DEV_GPU_UTIL{gpu=\"1\",Hostname=\"n-0\"} 0",
        "DCGM_FI_DEV_FB_USED{gpu=\"0\",Hostname=\"n-0\"} 30720",
        "DCGM_FI_DEV_FB_FREE{gpu=\"1\",Hostname=\"n-0\"} 81920",
    ] {
        assert!(exposition.lines().any(|other| other == line), "{line}\n{exposition}");
    }
}
