//! `plan` finds the value that a full scan finds, says why none helps, and refuses what cannot be meant; `compare` has the figures of
//! single runs.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test that cannot go on fails")]

mod command;

use command::{quotree_in, scratch};
use serde_json::Value;
use snapbox::cmd::Command;
use std::fs;

const LAB: &str = "scenarios/world/research-lab.ron";

fn quotree(args: &[&str]) -> Command {
    quotree_in("..", args)
}

fn json(args: &[&str], exit: i32) -> Value {
    let output = quotree(&[args, &["--format", "json"]].concat()).output().unwrap();
    assert_eq!(output.status.code(), Some(exit), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// A queue of jobs of one team: the more nodes, the shorter their waits.
const QUEUE: &str = r#"Scenario(
    name: "queue",
    cluster: [NodePool(name: "gpu", count: 4, allocatable: { "nvidia.com/gpu": "1" })],
    quota: Quota(name: "lab", min: { "nvidia.com/gpu": "1" }, max: { "nvidia.com/gpu": "24" }, children: [
        Quota(name: "nlp", min: { "nvidia.com/gpu": "1" }, max: { "nvidia.com/gpu": "24" }, namespaces: ["nlp"]),
    ]),
    workloads: [
        Job(name: "train", namespace: "nlp", completions: 1, request: { "nvidia.com/gpu": "1" },
            runtime: ShiftedExponential(least: "10m", mean: "30m"), arrivals: Poisson("4m", until: "8h")),
    ],
    world: World(until: "12h"),
)"#;

#[test]
fn the_answer_is_that_of_a_full_scan() {
    let folder = scratch("plan/scan");
    let file = folder.join("queue.ron");
    fs::write(&file, QUEUE).unwrap();
    let file = file.to_str().unwrap();
    for (bound, seeds) in [("5m", "1"), ("1m", "7"), ("20m", "7"), ("0s", "3")] {
        let claim = format!("Wait(of: Quota(\"nlp\"), stat: P95, at_most: \"{bound}\")");
        let plan = ["plan", file, "--find", "cluster.gpu.count=1..30", "--such-that", &claim, "--seeds", seeds];
        let (found, scanned) = (json(&plan, 0), json(&[&plan[..], &["--scan"]].concat(), 0));
        assert_eq!(found["answer"], scanned["answer"], "{bound}");
        assert_eq!(scanned["tried"].as_array().unwrap().len(), 30);
        assert!(found["tried"].as_array().unwrap().len() < 16, "{found}");
        // The scan is recounted with `check`.
        let first = (1..=30).find(|count| {
            let (set, expect) = (format!("cluster.gpu.count={count}"), format!("expect=[Final({claim})]"));
            let args = ["check", file, "--set", &set, "--set", &expect, "--seeds", seeds];
            quotree(&args).output().unwrap().status.code() == Some(0)
        });
        assert_eq!(scanned["answer"], first.unwrap().to_string(), "{bound}");
    }
    // The largest number of nodes for which somebody waits.
    let claim = "Wait(of: Quota(\"nlp\"), stat: P95, at_least: \"1m\")";
    let plan = ["plan", file, "--find", "cluster.gpu.count=1..30", "--such-that", claim];
    let (largest, all) = (json(&[&plan[..], &["--largest"]].concat(), 0), json(&[&plan[..], &["--scan"]].concat(), 0));
    let holds: Vec<&str> = all["tried"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|row| row["holds"] == true)
        .map(|row| row["value"].as_str().unwrap())
        .collect();
    assert_eq!(largest["answer"], *holds.last().unwrap());
}

#[test]
fn where_no_value_helps_the_limit_that_binds_is_named() {
    let folder = scratch("plan/none");
    let file = folder.join("queue.ron");
    fs::write(&file, QUEUE).unwrap();
    let claim = "Wait(of: Quota(\"nlp\"), stat: P95, at_most: \"1m\")";
    let args = [
        "plan",
        file.to_str().unwrap(),
        "--find",
        "cluster.gpu.count=1..64",
        "--such-that",
        claim,
        "--set",
        "quota.nlp.max.nvidia.com/gpu=3",
    ];
    let plan = json(&args, 1);
    assert_eq!(plan["answer"], Value::Null);
    let binding = &plan["binding"][0];
    assert_eq!((&binding["rule"], &binding["quota"], &binding["max"]), (&"A1".into(), &"nlp".into(), &3_000.into()));
    let text = String::from_utf8(quotree(&args).output().unwrap().stdout).unwrap();
    assert!(
        text.starts_with("no value helps") && text.contains("the max of quota nlp, 3 nvidia.com/gpu (rule A1"),
        "{text}"
    );
}

#[test]
fn plans_that_cannot_be_meant_are_refused() {
    for (args, why) in [
        (&["--find", "cluster.gpu.count=9..1", "--such-that", "Evictions(exactly: 0)"][..], "backwards"),
        (&["--find", "cluster.gpu.count=1..9", "--such-that", "Evictions(exactly: zero)"], "--such-that:1"),
        (&["--find", "cluster.gpu.count=1..9", "--such-that", "Eviction(exactly: 0)"], "Evictions"),
        (&["--find", "cluster.gpu.cuont=1..9", "--such-that", "Evictions(exactly: 0)"], "`cuont`"),
        (&["--find", "cluster.gpu.count=1..9", "--such-that", ""], "--such-that:1"),
    ] {
        let output = quotree(&[&["plan", LAB], args].concat()).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{args:?}: {said}");
        assert!(said.contains(why) && output.stdout.is_empty(), "{args:?}: {said}");
    }
    let folder = scratch("plan/nothing");
    fs::write(folder.join("queue.ron"), QUEUE).unwrap();
    let file = folder.join("queue.ron");
    let output = quotree(&["plan", file.to_str().unwrap(), "--find", "cluster.gpu.count=1..9"]).output().unwrap();
    assert!(String::from_utf8(output.stderr).unwrap().contains("nothing is claimed"));
}

#[test]
fn values_that_are_invalid_are_left_out_and_said() {
    let plan =
        ["plan", LAB, "--find", "quota.robotics.min.nvidia.com/gpu=0..16..4", "--such-that", "Evictions(at_most: 100)"];
    let found = json(&plan, 0);
    assert_eq!((&found["values"], &found["invalid_values"]), (&3.into(), &2.into()), "{found}");
    assert!(found["notes"][0].as_str().unwrap().starts_with("2 values left out as invalid: 12 because"), "{found}");
}

#[test]
fn a_comparison_has_the_figures_of_single_runs() {
    let policies = ["Capacity()", "Capacity(reclaim: Off)"];
    let table = json(&["compare", LAB, "--policies", &policies.join(", "), "--seeds", "3"], 0);
    for policy in policies {
        let single = ["1", "2", "3"].map(|seed| -> Value {
            let args = ["run", LAB, "--seed", seed, "--policy", policy, "--format", "json"];
            serde_json::from_slice(&quotree(&args).output().unwrap().stdout).unwrap()
        });
        let row = |team: &str| {
            let rows = table["rows"].as_array().unwrap();
            rows.iter().find(|row| row["team"] == team && row["case"] == policy).unwrap().clone()
        };
        let nlp = |s: &Value| s["quotas"].as_array().unwrap().iter().find(|q| q["name"] == "nlp").unwrap().clone();
        assert_eq!(
            row("nlp")["evictions"],
            single.iter().map(|s| nlp(s)["evicted"].as_u64().unwrap()).sum::<u64>() / 3
        );
        let jain: u64 = single.iter().map(|s| s["metrics"]["jain_mean_permille"].as_u64().unwrap()).sum();
        assert_eq!(row("all")["jain_permille"], jain / 3);
    }
    // The first decision that differs is one of the trace, and those before it are equal.
    let decision = &table["first_decisions"][0];
    let decisions = |policy: &str, name: &str| -> Vec<Value> {
        let out = scratch(name);
        quotree(&["run", LAB, "--policy", policy, "--out", out.to_str().unwrap(), "--reasons", "0"]).output().unwrap();
        let trace = fs::read_to_string(out.join("trace.jsonl")).unwrap();
        let all = trace.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        all.filter(|record| ["bind", "evict", "hold"].contains(&record["what"].as_str().unwrap())).collect()
    };
    let (a, b) = (decisions(policies[0], "compare/a"), decisions(policies[1], "compare/b"));
    let equal = a.iter().zip(&b).take_while(|(a, b)| a == b).count();
    assert_eq!(decision["equal"], equal);
    assert_eq!((&decision["a"]["at_ms"], &decision["a"]["subject"]), (&a[equal]["at_ms"], &a[equal]["pod"]));
    assert_eq!((&decision["b"]["at_ms"], &decision["b"]["subject"]), (&b[equal]["at_ms"], &b[equal]["pod"]));
}

#[test]
fn edits_come_from_files() {
    let folder = scratch("compare/edits");
    let more = folder.join("more.set");
    fs::write(&more, "# two more nodes\ncluster.gpu.count=10\n\npolicy.order=Fifo\n").unwrap();
    let more = more.to_str().unwrap();
    let table = json(&["compare", LAB, "--edits", more], 0);
    let cases: Vec<&str> = table["rows"].as_array().unwrap().iter().map(|row| row["case"].as_str().unwrap()).collect();
    assert!(cases.contains(&"as it is") && cases.contains(&"more"), "{cases:?}");
    let empty = folder.join("empty.set");
    fs::write(&empty, "# nothing\n").unwrap();
    for (args, why) in [
        (&["--edits", empty.to_str().unwrap()][..], "has no changes"),
        (&["--edits", "never.set"], "no such file"),
        (&["--edits", more, "--edits", more], "`more` is given twice"),
        (&["--policies", "Capacity()"], "there is only one case"),
        (&["--policies", "Capacity(),"], "policy 2 is empty"),
        (&["--policies", "Capacity(),Capacty()"], "Capacty"),
        (&[], "--policies"),
    ] {
        let output = quotree(&[&["compare", LAB], args].concat()).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{args:?}: {said}");
        assert!(said.contains(why) && output.stdout.is_empty(), "{args:?}: {said}");
    }
}
