//! `diff --html` and `diff --figures`: the page has the figures of both `summary.json`, whatever the runs are named by; where
//! files go, and what is refused.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test that cannot go on fails")]

#[path = "../../page/tests/tables/mod.rs"]
mod tables;

mod command;

use command::quotree_in;
use serde_json::Value;
use snapbox::{cmd::Command, str};
use std::{collections::BTreeSet, fs, path::Path};
use tables::{row, rows};

const DEMO: &str = "scenarios/nginx-40-core.ron";
const OTHER: &str = "scenarios/nginx-one-node.ron";

fn quotree(args: &[&str]) -> Command {
    quotree_in("..", args)
}

fn run(folder: &Path, args: &[&str]) -> Value {
    let out = folder.to_str().unwrap();
    let done = quotree(&[&["run"], args, &["--out", out]].concat()).output().unwrap();
    assert!(matches!(done.status.code(), Some(0 | 1)), "{}", String::from_utf8_lossy(&done.stderr));
    serde_json::from_slice(&fs::read(folder.join("summary.json")).unwrap()).unwrap()
}

#[test]
fn the_page_has_the_figures_of_both_summaries() {
    let folder = command::scratch("compare-runs/lab");
    let lab = "scenarios/world/research-lab.ron";
    let (a, b) = (folder.join("a"), folder.join("b"));
    let (before, after) = (run(&a, &[lab]), run(&b, &[lab, "--policy", "Capacity(reclaim: Off)"]));
    let page = folder.join("page.html");
    quotree(&["diff", a.to_str().unwrap(), b.to_str().unwrap(), "--html", page.to_str().unwrap()]).assert().code(0);
    let html = fs::read_to_string(page).unwrap();
    let signed = |a: u64, b: u64| match b.cmp(&a) {
        std::cmp::Ordering::Less => format!("−{}|{a} → {b}", a - b),
        std::cmp::Ordering::Equal => format!("·|{a}"),
        std::cmp::Ordering::Greater => format!("+{}|{a} → {b}", b - a),
    };
    let quota = |summary: &Value, name: &str| {
        summary["quotas"].as_array().unwrap().iter().find(|q| q["name"] == name).unwrap().clone()
    };
    let teams = rows(&html, "Teams in both runs");
    assert_eq!(teams.len(), 4);
    for team in &teams {
        let evicted = [&before, &after].map(|summary| quota(summary, &team[0])["evicted"].as_u64().unwrap());
        assert_eq!(team[5], signed(evicted[0], evicted[1]), "{team:?}");
    }
    let metric = |summary: &Value, name: &str| summary["metrics"][name].as_u64().unwrap();
    let evictions = row(&html, "Figures of both runs", "Evictions");
    let [first, second] = [&before, &after].map(|summary| metric(summary, "evictions"));
    assert_eq!(evictions[1..], [format!("−{}", first - second), first.to_string(), second.to_string()]);
    let passed = |summary: &Value| -> Vec<(String, bool)> {
        let claims = summary["claims"]["results"].as_array().unwrap();
        claims.iter().map(|c| (c["claim"].as_str().unwrap().to_owned(), c["passed"].as_bool().unwrap())).collect()
    };
    let flipped: BTreeSet<String> = passed(&before)
        .into_iter()
        .zip(passed(&after))
        .filter(|((_, a), (_, b))| a != b)
        .map(|((claim, _), _)| claim)
        .collect();
    let shown = rows(&html, "Claims that flipped");
    assert_eq!(shown.len(), flipped.len());
    for row in &shown {
        assert!(flipped.iter().any(|claim| row[0].starts_with(claim.as_str())), "{row:?}");
    }
    let changed = row(&html, "What was changed", "Command");
    assert!(changed[2].ends_with("--policy 'Capacity(reclaim: Off)'"), "{changed:?}");
}

#[test]
fn runs_are_named_by_folder_summary_report_or_scenario() {
    let folder = command::scratch("compare-runs/names");
    let (a, b) = (folder.join("a"), folder.join("b"));
    run(&a, &[DEMO]);
    run(&b, &[OTHER]);
    let page = folder.join("page.html");
    let compared = |a: &Path, b: &Path| {
        let args = ["diff", a.to_str().unwrap(), b.to_str().unwrap(), "--html", page.to_str().unwrap()];
        let output = quotree(&args).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        (fs::read_to_string(&page).unwrap(), String::from_utf8(output.stdout).unwrap())
    };
    let first = compared(&a, &b);
    assert!(first.1.ends_with(&format!("\nwrote {}\n", page.display())), "{}", first.1);
    assert!(first == compared(&a.join("summary.json"), &b.join("report.json")));
    assert!(first == compared(Path::new(DEMO), Path::new(OTHER)));
    assert!(first == compared(&a, Path::new(OTHER)));
}

#[test]
fn figures_go_beside_the_page_or_where_it_is_said() {
    let folder = command::scratch("compare-runs/figures");
    let page = folder.join("compared/page.html");
    let html = page.to_str().unwrap();
    quotree(&["diff", DEMO, OTHER, "--html", html, "--figures", "png,svg", "--format", "json"]).assert().code(0);
    let beside = folder.join("compared/figures");
    let svg = fs::read_to_string(beside.join("before-after.svg")).unwrap();
    assert!(svg.contains("Before and after: cores in use, and waits"));
    assert!(fs::read(beside.join("before-after.png")).unwrap().starts_with(b"\x89PNG"));
    let out = folder.join("out");
    let output = quotree(&["diff", DEMO, OTHER, "--figures", "svg", "--out", out.to_str().unwrap()]).output().unwrap();
    assert_eq!(fs::read_to_string(out.join("figures/before-after.svg")).unwrap(), svg);
    assert!(String::from_utf8(output.stdout).unwrap().ends_with("before-after.svg\n"));
    // JSON is nothing but JSON.
    let args = ["diff", DEMO, OTHER, "--html", html, "--figures", "svg", "--format", "json"];
    let value: Value = serde_json::from_slice(&quotree(&args).output().unwrap().stdout).unwrap();
    assert_eq!(value["a"], "nginx-40-core");
}

#[test]
fn what_cannot_be_compared_is_refused() {
    quotree(&["diff", DEMO, OTHER, "--figures", "svg"]).assert().code(2).stdout_eq("").stderr_eq(str![[r#"
error: `--figures` needs `--html FILE`, beside which they are drawn, or `--out DIR`

"#]]);
    quotree(&["diff", DEMO, OTHER, "--out", "never"]).assert().code(2).stdout_eq("");
    let folder = command::scratch("compare-runs/refused");
    run(&folder, &[DEMO]);
    fs::remove_file(folder.join("report.json")).unwrap();
    let page = folder.join("page.html");
    let args = ["diff", folder.to_str().unwrap(), OTHER];
    quotree(&args).assert().code(0);
    let refused = quotree(&[&args[..], &["--html", page.to_str().unwrap()]].concat()).assert().code(2).stdout_eq("");
    let said = String::from_utf8(refused.get_output().stderr.clone()).unwrap();
    assert!(said.starts_with("error: there is no `") && said.contains("report.json"), "{said}");
    assert!(!page.exists());
    quotree(&["diff", command::scratch("compare-runs/nothing").to_str().unwrap(), OTHER])
        .assert()
        .code(2)
        .stdout_eq("");
}
