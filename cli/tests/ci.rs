//! The workflow of docs/ci.md, run as it is written, and the gates of `diff --fail-if`.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod command;

use command::scratch;
use serde_json::Value;
use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
const QUOTREE: &str = env!("CARGO_BIN_EXE_quotree");

/// Two teams of which one borrows: a guarantee of `red` decides how long it waits.
fn teams(red: u32, reclaim: &str) -> String {
    format!(
        r#"Scenario(
    name: "teams", policy: Capacity(reclaim: {reclaim}), world: World(until: "1d"),
    cluster: [NodePool(name: "n", count: 2, allocatable: {{ "cpu": "4" }})],
    quota: Quota(name: "root", min: {{ "cpu": "8" }}, max: {{ "cpu": "8" }}, children: [
        Quota(name: "red", min: {{ "cpu": "{red}" }}, namespaces: ["red"]),
        Quota(name: "blue", min: {{ "cpu": "2" }}, namespaces: ["blue"])]),
    workloads: [
        Job(name: "b", namespace: "blue", completions: 8, parallelism: 8, request: {{ "cpu": "1" }}, runtime: "6h"),
        Job(name: "r", namespace: "red", arrivals: Poisson("1h", until: "10h"), request: {{ "cpu": "1" }}, runtime: "30m"),
    ],
    expect: [Final(Wait(of: Quota("red"), stat: P95, at_most: "8h"))],
)
"#
    )
}

fn sh(folder: &Path, script: &str) -> Output {
    let path = format!("{}:{}", Path::new(QUOTREE).parent().unwrap().display(), std::env::var("PATH").unwrap());
    Command::new("bash")
        .args(["-eo", "pipefail", "-c", script])
        .current_dir(folder)
        .env("PATH", path)
        .env("GITHUB_STEP_SUMMARY", folder.join("summary.md"))
        .env("GITHUB_BASE_REF", "main")
        .env("NO_COLOR", "1")
        .output()
        .unwrap()
}

/// The `run:` lines of the workflow in docs/ci.md.
fn steps() -> Vec<String> {
    let text = fs::read_to_string(Path::new(ROOT).join("docs/ci.md")).unwrap();
    let workflow = text.split("```yaml\nname: quotas\n").nth(1).unwrap().split("```").next().unwrap();
    let steps: Vec<String> =
        workflow.lines().filter_map(|line| line.trim().strip_prefix("run: ")).map(str::to_owned).collect();
    assert_eq!(steps.len(), 4, "{workflow}");
    steps
}

/// A repository with a branch `origin/main`, on which the scenario was `before` with its baseline, and is `now`.
fn repository(name: &str, before: &str, now: &str) -> std::path::PathBuf {
    let folder = scratch(name);
    fs::create_dir(folder.join("scenarios")).unwrap();
    fs::write(folder.join("scenarios/teams.ron"), before).unwrap();
    let git = "quotree check scenarios --bless && git init -q . && git add scenarios && git -c user.name=a -c user.email=a@b.c commit -qm a && git update-ref refs/remotes/origin/main HEAD";
    let made = sh(&folder, git);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    fs::write(folder.join("scenarios/teams.ron"), now).unwrap();
    folder
}

#[test]
fn the_workflow_of_the_page_passes_a_harmless_change_and_stops_a_harmful_one() {
    let fine = repository("ci-fine", &teams(4, "Min"), &teams(5, "Min"));
    let blessed = sh(&fine, "quotree check scenarios --bless");
    assert!(blessed.status.success(), "{}", String::from_utf8_lossy(&blessed.stderr));
    for step in steps() {
        let output = sh(&fine, &step);
        let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.status.code(), Some(0), "{step}: {said}");
    }
    assert!(fs::read_to_string(fine.join("claims.xml")).unwrap().contains("<testcase name=\"line "));
    assert!(fs::read_to_string(fine.join("summary.md")).unwrap().contains("1 passed, 0 failed"));
    let harmful = repository("ci-harmful", &teams(4, "Min"), &teams(4, "Off"));
    let codes: Vec<Option<i32>> = steps().iter().map(|step| sh(&harmful, step).status.code()).collect();
    assert_eq!(codes, [1, 1, 0, 1].map(Some), "the claim is generous; the baseline and the gate are not");
    let summary = fs::read_to_string(harmful.join("summary.md")).unwrap();
    assert!(summary.contains("`wait.p95 of red`: ") && !summary.contains("observed"), "{summary}");
}

fn diff(folder: &Path, args: &[&str]) -> (i32, String) {
    let output =
        Command::new(QUOTREE).arg("diff").args(args).current_dir(folder).env("NO_COLOR", "1").output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap(), String::from_utf8(text).unwrap())
}

#[test]
fn gates_are_of_the_figures_that_json_shows() {
    let folder = scratch("gates");
    fs::write(folder.join("a.ron"), teams(4, "Min")).unwrap();
    fs::write(folder.join("b.ron"), teams(4, "Off")).unwrap();
    let gates = |gate: &str| diff(&folder, &["a.ron", "b.ron", "--format", "json", "--fail-if", gate]);
    let (code, text) = gates("wait.p95 of red > +10%");
    let json: Value = serde_json::from_str(&text).unwrap();
    let (a, b) = (json["gates"][0]["a"].as_i64().unwrap(), json["gates"][0]["b"].as_i64().unwrap());
    assert!(code == 1 && b > a && json["gates"][0]["failed"] == true, "{text}");
    let row = json["teams"]["rows"].as_array().unwrap().iter().find(|row| row["name"] == "red").unwrap();
    assert_eq!((row["wait_p95"]["a"]["ms"].as_i64(), row["wait_p95"]["b"]["ms"].as_i64()), (Some(a), Some(b)));
    // At the bound itself, the sign of the comparison decides.
    for (op, code) in [(">", 0), (">=", 1), ("<", 0), ("<=", 1)] {
        assert_eq!(gates(&format!("wait.p95 of red {op} {b}ms")).0, code, "{op} value");
        assert_eq!(gates(&format!("wait.p95 of red {op} +{}ms", b - a)).0, code, "{op} change");
        assert_eq!(gates(&format!("evictions {op} -100%")).0, code, "{op} all evictions are gone");
    }
    // Equal sides change by nothing.
    for (gate, code) in [("wait.p95 of red > +0%", 0), ("wait.p95 of red >= +0%", 1), ("utilisation.cpu < -0pp", 0)] {
        assert_eq!(diff(&folder, &["a.ron", "a.ron", "--fail-if", gate]).0, code, "{gate}");
    }
    // One gate that fails is enough; a gate on nothing fails.
    assert_eq!(diff(&folder, &["a.ron", "a.ron", "--fail-if", "evictions > +1", "--fail-if", "evictions >= +0"]).0, 1);
    let (code, text) = diff(&folder, &["a.ron", "a.ron", "--fail-if", "deadlines.missed of red > +1"]);
    assert!(code == 1 && text.contains("there is nothing to judge"), "{text}");
}

#[test]
fn gates_over_seeds_are_judged_as_claims_are() {
    let folder = scratch("gates-seeds");
    fs::write(folder.join("a.ron"), teams(4, "Min")).unwrap();
    let args = ["a.ron", "--policy", "Capacity(reclaim: Off)", "--seeds", "6", "--fail-if", "wait.p95 of red > +10%"];
    let (code, text) = diff(&folder, &args);
    assert!(code == 1 && text.contains("FAILED  wait.p95 of red > +10%: it does not fail with 0 of 6 seeds"), "{text}");
    let args = ["a.ron", "--set", "quota.red.min.cpu=5", "--seeds", "6", "--fail-if", "wait.p95 of red > +10%"];
    let (code, text) = diff(&folder, &args);
    assert!(code == 0 && text.contains("it does not fail with 6 of 6 seeds"), "{text}");
}

#[test]
fn a_gate_that_cannot_be_read_is_refused_with_its_column() {
    let folder = scratch("gates-wrong");
    fs::write(folder.join("a.ron"), teams(4, "Min")).unwrap();
    for (gate, says) in [
        ("wait.p95 of red >> 10%", "column 17: `>>` is no comparison"),
        ("wait.p96 > 10m", "column 1: there is no figure `wait.p96`"),
        ("wait.p95 of green > 10m", "there is no leaf quota `green`; there are blue, red"),
    ] {
        let (code, text) = diff(&folder, &["a.ron", "a.ron", "--fail-if", gate]);
        assert!(code == 2 && text.contains(says), "{gate}: {text}");
    }
    assert!(Command::new(QUOTREE).args(["run", "a.ron", "--out", "out"]).current_dir(&folder).output().is_ok());
    let (code, text) = diff(&folder, &["out", "out", "--fail-if", "evictions > 1"]);
    assert!(code == 2 && text.contains("needs two scenarios"), "{text}");
}
