//! `--seeds` of `run`, `check` and `diff`: what they print is recounted from runs with one seed each.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test that cannot go on fails")]

mod command;

use command::{quotree_in, scratch};
use serde_json::Value;
use snapbox::{cmd::Command, str};

const LAB: &str = "scenarios/world/research-lab.ron";
const DEMO: &str = "scenarios/nginx-40-core.ron";
const SEEDS: std::ops::RangeInclusive<u64> = 3..=13;

fn quotree(args: &[&str]) -> Command {
    quotree_in("..", args)
}

fn json(args: &[&str], exit: i32) -> Value {
    let output = quotree(&[args, &["--format", "json"]].concat()).output().unwrap();
    assert_eq!(output.status.code(), Some(exit), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The summaries of the runs with each seed.
fn summaries(more: &[&str]) -> Vec<Value> {
    let one = |seed: u64| {
        let seed = seed.to_string();
        let args = [&["run", LAB, "--seed", &seed, "--format", "json"], more].concat();
        serde_json::from_slice(&quotree(&args).output().unwrap().stdout).unwrap()
    };
    SEEDS.map(one).collect()
}

fn row<'v>(rows: &'v Value, team: &str, figure: &str) -> &'v Value {
    let named = |row: &&Value| row["team"].as_str().unwrap_or_default() == team && row["figure"] == figure;
    rows.as_array().unwrap().iter().find(named).unwrap_or_else(|| panic!("{figure} of {team}"))
}

/// The value that `percent` of 100 do not exceed: the least that enough values reach.
fn quantile(values: &[i64], percent: usize) -> i64 {
    let enough = |x: &i64| values.iter().filter(|value| *value <= x).count() * 100 >= percent * values.len();
    *values.iter().filter(|x| enough(x)).min().unwrap()
}

fn quota<'v>(summary: &'v Value, name: &str) -> &'v Value {
    summary["quotas"].as_array().unwrap().iter().find(|quota| quota["name"] == name).unwrap()
}

#[test]
fn figures_over_seeds_are_those_of_the_single_runs() {
    let (all, single) = (json(&["run", LAB, "--seeds", "3..13"], 1), summaries(&[]));
    let digests: Vec<&Value> = single.iter().map(|summary| &summary["digest"]).collect();
    assert_eq!(all["digests"].as_array().unwrap().iter().collect::<Vec<_>>(), digests);
    type Pick = fn(&Value) -> i64;
    let figures: [(&str, &str, Pick); 6] = [
        ("", "wait.p95", |s| s["metrics"]["wait"]["p95_ms"].as_i64().unwrap()),
        ("", "evictions", |s| s["metrics"]["evictions"].as_i64().unwrap()),
        ("", "utilisation.nvidia.com/gpu", |s| {
            s["metrics"]["utilisation_permille"]["nvidia.com/gpu"].as_i64().unwrap()
        }),
        ("", "claims.failed", |s| s["claims"]["failed"].as_i64().unwrap()),
        ("speech", "wait.p50", |s| quota(s, "speech")["wait"]["p50_ms"].as_i64().unwrap()),
        ("speech", "evictions", |s| quota(s, "speech")["evicted"].as_i64().unwrap()),
    ];
    for (team, figure, pick) in figures {
        let values: Vec<i64> = single.iter().map(pick).collect();
        let seen = row(&all["figures"], team, figure);
        assert_eq!(seen["runs"], values.len());
        assert_eq!(
            seen["mean"],
            values.iter().sum::<i64>().div_euclid(i64::try_from(values.len()).unwrap()),
            "{figure}"
        );
        for (name, percent) in [("p5", 5), ("p50", 50), ("p95", 95), ("max", 100)] {
            assert_eq!(seen[name], quantile(&values, percent), "{name} of {figure} {team}");
        }
    }
    // Claims are counted, and judged by their count.
    for (place, claim) in all["claims"]["results"].as_array().unwrap().iter().enumerate() {
        let held = single.iter().filter(|s| s["claims"]["results"][place]["passed"] == true).count();
        assert_eq!(claim["held"], held, "{claim}");
        assert_eq!(claim["holds"], held * 100 >= 95 * single.len());
    }
    let checked = json(&["check", LAB, "--seeds", "3..13"], 1);
    assert_eq!(checked["files"][0]["over_seeds"]["results"], all["claims"]["results"]);
}

#[test]
fn threads_and_the_order_of_seeds_change_nothing() {
    let text = |args: &[&str]| quotree(&[&["run", LAB, "--seeds", "6"], args].concat()).output().unwrap().stdout;
    assert_eq!(text(&["--jobs", "1"]), text(&["--jobs", "2"]));
    let one = json(&["run", LAB, "--seeds", "4,2,3"], 1);
    let other = json(&["run", LAB, "--seeds", "2..4"], 1);
    assert_eq!(one["figures"], other["figures"]);
}

#[test]
fn the_demanded_share_decides() {
    // Some claim holds with most seeds, and not with all.
    assert_eq!(json(&["check", LAB, "--seeds", "1..10", "--must-hold", "50"], 0)["failed"], 0);
    assert_eq!(json(&["check", LAB, "--seeds", "1..10", "--must-hold", "100%"], 1)["failed"], 1);
    quotree(&["check", LAB, "--seeds", "3", "--must-hold", "120"]).assert().code(2);
    quotree(&["check", LAB, "--must-hold", "90"]).assert().code(2);
}

#[test]
fn a_scenario_without_chance_says_so() {
    let output = quotree(&["run", DEMO, "--seeds", "30"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(text.contains("All 30 seeds give the same run"), "{text}");
    assert!(!text.contains("warning"), "{text}");
    let lab = String::from_utf8(quotree(&["run", LAB, "--seeds", "10"]).output().unwrap().stdout).unwrap();
    assert!(
        lab.contains("warning: 10 seeds do not decide") && lab.contains("warning: one seed does not decide"),
        "{lab}"
    );
}

#[test]
fn differences_are_taken_seed_by_seed() {
    let edit = ["--policy", "Capacity(reclaim: Off)"];
    let diff = json(&[&["diff", LAB, "--seeds", "3..13"], &edit[..]].concat(), 0);
    let (a, b) = (summaries(&[]), summaries(&edit));
    let pick = |summary: &Value| quota(summary, "vision")["wait"]["p95_ms"].as_i64().unwrap();
    let changes: Vec<i64> = a.iter().zip(&b).map(|(a, b)| pick(b) - pick(a)).collect();
    let seen = row(&diff["changes"], "vision", "wait.p95");
    assert_eq!(seen["change_first_seed"], changes[0]);
    assert_eq!(
        (&seen["change_p5"], &seen["change_p95"]),
        (&quantile(&changes, 5).into(), &quantile(&changes, 95).into())
    );
    assert_eq!(seen["seeds_more"], changes.iter().filter(|change| **change > 0).count());
    let equal = quotree(&["diff", LAB, LAB, "--seeds", "3"]).output().unwrap();
    assert!(String::from_utf8(equal.stdout).unwrap().contains("equal with 3 seeds (1..3)"));
}

#[test]
fn seeds_that_are_none_are_refused() {
    for (seeds, why) in [
        ("0", "no seeds: give at least 1"),
        ("9..1", "the range of seeds goes backwards: write `1..9`"),
        ("1..1000000000", "1000000000 seeds, which are more than 100000"),
        ("1,2,1", "seed 1 is given twice"),
        ("x", "`x` is no seed"),
        ("", "`` is no seed"),
    ] {
        let refused = quotree(&["run", DEMO, "--seeds", seeds]).assert().code(2).stdout_eq("");
        let said = String::from_utf8(refused.get_output().stderr.clone()).unwrap();
        assert!(said.contains(why), "{seeds}: {said}");
    }
    quotree(&["run", DEMO, "--seeds", "3", "--out", "never"]).assert().code(2).stdout_eq("");
    quotree(&["diff", "target", DEMO, "--seeds", "3"]).assert().code(2).stderr_eq(str![[r#"
error: `target` is a run that has ended: `--seeds` needs scenarios, which it runs

"#]]);
}

#[test]
fn ctrl_c_ends_a_run_with_what_is_known_so_far() {
    let folder = command::scratch("seeds/interrupted");
    let file = folder.join("long.ron");
    // Millions of jobs.
    let text = r#"Scenario(
        name: "long",
        cluster: [NodePool(name: "n", count: 1, allocatable: { "cpu": "4" })],
        quota: Quota(name: "root", min: { "cpu": "4" }, max: { "cpu": "4" }, namespaces: ["ns"]),
        workloads: [Job(name: "j", namespace: "ns", completions: 1, runtime: "1s", request: { "cpu": "1" },
            arrivals: Poisson("1s", until: "100d"))],
        expect: [At("1m", Evictions(exactly: 0), allow_empty: true), Final(Evictions(exactly: 0), allow_empty: true)],
    )"#;
    std::fs::write(&file, text).unwrap();
    let out = folder.join("out");
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_quotree"))
        .args(["run", file.to_str().unwrap(), "--out", out.to_str().unwrap(), "--format", "json"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    // Until it is whole, the trace has another name.
    let parts = || std::fs::read_dir(&out).into_iter().flatten().filter_map(|entry| entry.ok()?.metadata().ok());
    let is_running = || parts().any(|part| part.len() > 1_000_000);
    while !is_running() {
        assert!(child.try_wait().unwrap().is_none());
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    assert!(std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(130), "{said}");
    assert!(said.contains("of simulated time: all figures end there, and 1 of 2 claims were decided"), "{said}");
    assert!(said.contains("no report, table or log was written") && !out.join("summary.json").exists(), "{said}");
    let summary: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&summary["end"], &summary["claims"]["passed"]), (&"stopped".into(), &1.into()));
}

#[test]
fn pinned_digests_are_of_one_run_each() {
    let pins = scratch("seeds-and-digests").join("digests.txt");
    let pins = pins.to_str().unwrap();
    quotree(&["check", DEMO, "--seeds", "3", "--digests", pins]).assert().code(2).stdout_eq("");
    // The seeds of a swarm are its scenarios.
    quotree(&["swarm", "--seeds", "2", "--digests", pins, "--bless"]).assert().code(0);
    quotree(&["swarm", "--seeds", "2", "--digests", pins]).assert().code(0);
}
