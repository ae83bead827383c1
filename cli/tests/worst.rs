//! A worst-case outage is the worst of the outages that name their rack, and claims hold only if they do with each.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on fails")]

mod command;

use command::{quotree_in, scratch};
use serde_json::Value;
use std::{fs, process::Output};

const SCENARIO: &str = "scenarios/world/worst-rack.ron";
const WORST: &str = "worst: Rack";

/// Runs a verb on the scenario, changed by replacements.
fn on(name: &str, replacements: &[(&str, &str)], verb: &str, more: &[&str]) -> Output {
    let mut text = fs::read_to_string(format!("../{SCENARIO}")).unwrap();
    for (from, to) in replacements {
        assert!(text.contains(from), "{from}");
        text = text.replace(from, to);
    }
    let file = scratch(&format!("worst/{name}")).join("x.ron");
    fs::write(&file, text).unwrap();
    quotree_in("..", &[&[verb, file.to_str().unwrap()], more].concat()).output().unwrap()
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn the_worst_is_the_worst_of_all_that_are_named() {
    let worst = json(&on("worst", &[], "run", &["--format", "json"]));
    let mut named: Vec<(i64, String, Value)> = (0..3)
        .map(|rack| {
            let rack = format!("gpu-rack-{rack}");
            let run = json(&on(&rack, &[(WORST, &format!("rack: \"{rack}\""))], "run", &["--format", "json"]));
            (-run["metrics"]["wait"]["sum_ms"].as_i64().unwrap(), rack, run)
        })
        .collect();
    named.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
    let (waits, rack, run) = &named[0];
    assert!(named[2].0 > *waits, "the racks differ");
    let said = &worst["worst_outage"];
    assert_eq!((said["domain"].as_str(), said["wait_ms"].as_i64()), (Some(&**rack), Some(-waits)));
    assert_eq!((said["mildest_wait_ms"].as_i64(), said["tried"].as_i64()), (Some(-named[2].0), Some(3)));
    assert_eq!(worst["metrics"], run["metrics"], "all figures are those of that run");
}

#[test]
fn a_claim_must_hold_with_each_domain_and_the_failing_one_is_named() {
    assert_eq!(on("holds", &[], "check", &[]).status.code(), Some(0));
    let claim =
        (r#"Final(Pods(of: Workload("chat"), running: 12)"#, r#"At("2h30m", Pods(of: Workload("chat"), running: 12)"#);
    let failed = on("fails", &[claim], "check", &[]);
    let text = String::from_utf8(failed.stdout).unwrap();
    assert_eq!(failed.status.code(), Some(1), "{text}");
    assert!(text.contains("with the outage of gpu-rack-"), "{text}");
}

/// The settings of a sweep: of each number of nodes, the worst domain and the sum of waits.
fn settings(name: &str, replacements: &[(&str, &str)]) -> Vec<(String, Value, i64)> {
    let args = ["--set", "cluster.gpu.count=5..7", "--show", "wait.mean", "--show", "jobs", "--format", "json"];
    let swept = json(&on(name, replacements, "sweep", &args));
    let row = |row: &Value| {
        let number = |field: &str| row[field].as_i64().unwrap();
        (
            row["cluster.gpu.count"].to_string(),
            row["worst_outage"].clone(),
            number("wait_mean_ms.sum") * number("jobs.sum"),
        )
    };
    swept["rows"].as_array().unwrap().iter().map(row).collect()
}

#[test]
fn each_case_of_a_study_has_its_own_worst_domain() {
    let worst = settings("sweep", &[]);
    let named: Vec<_> = (0..3)
        .map(|rack| {
            let name = format!("gpu-rack-{rack}");
            settings(&format!("sweep-{rack}"), &[(WORST, &format!("rack: \"{name}\""))])
        })
        .collect();
    assert_eq!(worst.len(), 3);
    for (case, (value, domain, waits)) in worst.iter().enumerate() {
        let most = named.iter().map(|rows| rows[case].2).max().unwrap();
        let first = named.iter().position(|rows| rows[case].2 == most).unwrap();
        assert_eq!(*waits, most, "{value}");
        assert!(domain.as_str().unwrap().starts_with("gpu-rack-") && named[first][case].1.is_null(), "{value}");
    }
    assert!(worst.iter().any(|(_, domain, _)| *domain != worst[0].1), "not the same domain in all cases: {worst:?}");
}

#[test]
fn every_verb_names_the_domain_that_it_shows() {
    let claim = r#"Wait(of: Quota("serve"), stat: P95, at_most: "2h")"#;
    for (verb, args, shows) in [
        ("compare", &["--policies", "Capacity(),Capacity(reclaim: Off)"][..], "WORST OUTAGE"),
        ("plan", &["--find", "cluster.gpu.count=5..6", "--such-that", claim], "WORST OUTAGE"),
        ("run", &["--seeds", "2"], "Worst outage: gpu-rack-1; a claim holds only if it does with each domain."),
        ("diff", &["--set", "cluster.gpu.count=6"], "Worst outage: gpu-rack-1 → gpu-rack-0."),
        ("diff", &["--set", "cluster.gpu.count=6", "--seeds", "2"], "Worst outage: gpu-rack-1 → gpu-rack-0."),
        ("diff", &["--set", "policy.order=Fifo"], "Worst outage of both sides: gpu-rack-1."),
    ] {
        let shown = on(&format!("verbs-{verb}-{}", args.len()), &[], verb, args);
        let text = String::from_utf8(shown.stdout).unwrap();
        assert!(shown.status.success() && text.contains(shows), "{verb}: {text}");
    }
    let shown = on("explain", &[], "explain", &["big"]);
    let text = String::from_utf8(shown.stderr).unwrap();
    assert!(text.contains("worst outage of 3 domains: gpu-rack-"), "{text}");
}

#[test]
fn over_seeds_a_claim_must_hold_with_each_domain_too() {
    let claim =
        (r#"Final(Pods(of: Workload("chat"), running: 12)"#, r#"At("2h30m", Pods(of: Workload("chat"), running: 12)"#);
    let failed = on("seeds", &[claim], "check", &["--seeds", "2"]);
    let text = String::from_utf8(failed.stdout).unwrap();
    assert!(failed.status.code() == Some(1) && text.contains("with the outage of gpu-rack-"), "{text}");
}

#[test]
fn dates_stand_beside_times() {
    let run = quotree_in("..", &["run", "scenarios/world/night-shift.ron"]).output().unwrap();
    let text = String::from_utf8(run.stdout).unwrap().replace('\u{a0}', " ");
    assert!(text.contains("ended at 3d (2026-03-05 00:00+01:00)"), "{text}");
    assert!(text.contains("at 8h (2026-03-02 08:00+01:00)"), "{text}");
    let of = |args: &[&str]| {
        let output = quotree_in("..", args).output().unwrap();
        String::from_utf8(output.stdout).unwrap().replace('\u{a0}', " ")
    };
    let night = "scenarios/world/night-shift.ron";
    assert!(text.contains("Quotas at 3d (2026-03-05 00:00+01:00)"), "{text}");
    let quota =
        json(&quotree_in("..", &["run", night, "--format", "json"]).output().unwrap())["quotas"][0]["name"].clone();
    let explained = of(&["explain", night, "--quota", quota.as_str().unwrap(), "--at", "8h"]);
    assert!(explained.contains(" at 8h (2026-03-02 08:00+01:00)"), "{explained}");
    let inspected = of(&["inspect", night, "--at", "8h"]);
    assert!(inspected.contains("Quotas at 8h (2026-03-02 08:00+01:00)"), "{inspected}");
    let ends = of(&["diff", night, night, "--set", "world.until=2d"]);
    assert!(ends.contains("3d (2026-03-05 00:00+01:00) and 2d (2026-03-04 00:00+01:00)"), "{ends}");
    let checked = of(&["check", night, "--set", "expect=[At(\"9h\", Pods(running: 999))]"]);
    assert!(checked.contains("observed at 9h (2026-03-02 09:00+01:00): "), "{checked}");
    let json = json(&quotree_in("..", &["run", night, "--format", "json"]).output().unwrap());
    assert_eq!(json["starts_at"], "2026-03-02T00:00:00+01:00");
}
