//! What a report chooses to tell: which waits in full, which edits, and the same findings where only they are needed.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use quotree_core::Time;
use quotree_page::model::QuotaEdit;
use quotree_reports::{Report, RunSource, Style, brief_report, report, summary_text};
use quotree_sim::{
    Run, RunOptions, Scenario,
    history::questions,
    run,
    scenario::{MapLoader, load},
};
use std::collections::BTreeSet;

const DEMO: &str = include_str!("../../scenarios/nginx-40-core.ron");
const SLOW: &str = include_str!("../../scenarios/demo/slow-world.ron");
const FOUR_TEAMS: &str = include_str!("../../scenarios/demo/four-teams.ron");
const LAB: &str = include_str!("../../scenarios/world/research-lab.ron");
const OUTAGE: &str = include_str!("../../scenarios/faults/rack-outage.ron");
const PEOPLE: &str = include_str!("../../scenarios/people/researcher-edits-refused.ron");
const PEOPLE_LAB: &str = include_str!("../../scenarios/people/lab.ron");
const DRAIN: &str = include_str!("../../scenarios/faults/drain-with-budget.ron");
const EDITS: &str = include_str!("../../scenarios/faults/classes-and-edits.ron");

fn world(text: &str) -> Scenario {
    let files = MapLoader::new().with("x.ron", text).with("four-teams.ron", FOUR_TEAMS).with("lab.ron", PEOPLE_LAB);
    let loaded = load("x.ron", &files);
    loaded.scenario.ok_or(loaded.diagnostics).unwrap()
}

/// A run with its history.
fn ran(scenario: &Scenario) -> Run {
    run(scenario, &RunOptions { history: true, ..RunOptions::default() }, &mut ()).unwrap()
}

/// The report with the full reasons of so many waits.
fn explained(text: &str, most: usize) -> Report {
    let scenario = world(text);
    let mut first = ran(&scenario);
    let explain = questions(&scenario, first.history.as_deref().unwrap(), most);
    let until = explain.last().map(|question| Time(question.at_ms));
    let second = RunOptions { until, explain, judge: false, ..RunOptions::default() };
    first.explained = run(&scenario, &second, &mut ()).unwrap().explained;
    report(&scenario, &first, &RunSource::default()).unwrap()
}

#[test]
fn a_short_wait_that_a_claim_is_about_is_explained_before_a_longer_one() {
    let first_told = |claims: &str| {
        let text = r#"Scenario(
    name: "claimed",
    cluster: Pool({ "cpu": "4" }),
    quota: Quota(name: "root", min: { "cpu": "4" }, max: { "cpu": "4" }, children: [
        Quota(name: "lab", min: { "cpu": "4" }, max: { "cpu": "4" }, children: [
            Quota(name: "lab.a", min: { "cpu": "4" }, max: { "cpu": "4" }, namespaces: ["a"]),
        ]),
        Quota(name: "rest", max: { "cpu": "4" }, namespaces: ["rest"]),
    ]),
    world: World(until: "2h"),
    workloads: [
        Job(name: "all", namespace: "a", runtime: "1h", request: { "cpu": "4" }),
        Job(name: "long", namespace: "rest", submit: "1m", runtime: "1m", request: { "cpu": "1" }),
        Job(name: "short", namespace: "a", submit: "50m", runtime: "1m", request: { "cpu": "1" }),
    ],
    expect: [CLAIMS],
)"#;
        let report = explained(&text.replace("CLAIMS", claims), 1);
        let told: Vec<_> = report.waits.iter().filter(|wait| wait.verdict.is_some()).collect();
        told.iter().map(|wait| report.pods[wait.pod as usize].name.clone()).collect::<Vec<_>>()
    };
    assert_eq!(first_told(""), ["long-1"]);
    // About everybody is about nobody.
    assert_eq!(first_told("Final(Pods(of: All, pending: 0))"), ["long-1"]);
    for whom in [r#"Workload("short")"#, r#"Namespace("a")"#, r#"Quota("lab")"#] {
        assert_eq!(first_told(&format!("Final(Pods(of: {whom}, pending: 0))")), ["short-1"], "{whom}");
    }
}

#[test]
fn a_refused_edit_of_a_quota_tells_what_it_asked_for() {
    let scenario = world(PEOPLE);
    let report = report(&scenario, &ran(&scenario), &RunSource::default()).unwrap();
    let told = |refused: bool| {
        let edits = report.quota_edits.iter().filter(|edit| edit.refused == refused);
        let quota = |edit: &QuotaEdit| report.quotas[edit.quota.unwrap() as usize].name.clone();
        edits.map(|edit| (edit.at_ms / 60_000, edit.by.clone().unwrap(), quota(edit))).collect::<Vec<_>>()
    };
    let row = |minute, by: &str| vec![(minute, by.to_owned(), "lab.vision".to_owned())];
    assert_eq!((told(true), told(false)), (row(10, "bob"), row(20, "eve")));
    let refused = report.quota_edits.iter().find(|edit| edit.refused).unwrap();
    let asked: Vec<_> = refused.changes.iter().map(|c| (c.field.as_str(), c.before, c.after)).collect();
    assert_eq!(asked, [("max", Some(16_000), Some(8_000))]);
    assert!(refused.most_used_after.is_empty() && refused.bound_after_ms == 0);
}

#[test]
fn a_brief_report_has_the_same_findings() {
    let (mut told, mut kinds) = (0, BTreeSet::new());
    for text in [DEMO, SLOW, LAB, OUTAGE, PEOPLE, DRAIN, EDITS] {
        let scenario = world(text);
        let run = ran(&scenario);
        let whole = report(&scenario, &run, &RunSource::default()).unwrap();
        let brief = brief_report(&scenario, &run, &RunSource::default()).unwrap();
        assert!(brief.placements.is_empty() && !whole.placements.is_empty(), "{}", scenario.name);
        assert_eq!(brief.findings, whole.findings, "{}", scenario.name);
        let printed = |report: &Report| summary_text(&run.result, Some(report), &[], Style::default());
        assert_eq!(printed(&brief), printed(&whole), "{}", scenario.name);
        told += whole.findings.len();
        kinds.extend(whole.findings.iter().map(|finding| format!("{:?}", finding.kind)));
    }
    assert!(told > 40 && kinds.len() > 9, "{told} sentences of {kinds:?}");
}
