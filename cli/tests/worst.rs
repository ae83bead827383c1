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

#[test]
fn verbs_that_run_many_cases_ask_for_a_named_outage() {
    let refused = on("sweep", &[], "sweep", &["--set", "cluster.gpu.count=5..6"]);
    let text = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(refused.status.code(), Some(2), "{text}");
    assert!(text.contains("name the nodes of the outage instead of `worst`"), "{text}");
    let shown = on("explain", &[], "explain", &["big"]);
    let text = String::from_utf8(shown.stderr).unwrap();
    assert!(text.contains("worst outage of 3 domains: gpu-rack-"), "{text}");
}

#[test]
fn dates_stand_beside_times() {
    let run = quotree_in("..", &["run", "scenarios/world/night-shift.ron"]).output().unwrap();
    let text = String::from_utf8(run.stdout).unwrap().replace('\u{a0}', " ");
    assert!(text.contains("ended at 3d (2026-03-05 00:00+01:00)"), "{text}");
    assert!(text.contains("at 8h (2026-03-02 08:00+01:00)"), "{text}");
    let json =
        json(&quotree_in("..", &["run", "scenarios/world/night-shift.ron", "--format", "json"]).output().unwrap());
    assert_eq!(json["starts_at"], "2026-03-02T00:00:00+01:00");
}
